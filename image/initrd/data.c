// The data: checked at each start, repaired when it must be, and as large as the card.
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
/// e2fsck(8): from this exit code on there are errors left.
enum { UNCORRECTED = 4 };
/// As the image is made.
enum { FS_BLOCK = 4096, BLOCKS_PER_GROUP = 32768 };

/// Runs a program of the root file system's /usr/sbin. Its exit code, or 128 when it did not run to its end.
static int run(const char *root, const char *program, char *const *arguments) {
  pid_t child = fork();
  if (child == 0) {
    // What it has to say may be long, and is asked for rarely.
    int log = open("/run/restante-data.check", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (chroot(root) != 0 || chdir("/") != 0) _exit(128);
    if (log >= 0) {
      dup2(log, 1);
      dup2(log, 2);
    }
    execv(program, arguments);
    _exit(128);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int check(const char *root, char *const *arguments) { return run(root, "/usr/sbin/e2fsck", arguments); }

/// Gives the file system a new journal: e2fsck takes a damaged one away.
static void make_journal(const char *root, const char *device) {
  enum { COMPATIBLE = 1024 + 0x5C, HAS_JOURNAL = 4 };
  uint8_t features = HAS_JOURNAL;
  int disk = open(device, O_RDONLY | O_CLOEXEC);
  if (disk < 0) return;
  if (pread(disk, &features, 1, COMPATIBLE) != 1) features = HAS_JOURNAL;
  close(disk);
  if ((features & HAS_JOURNAL) != 0) return;
  char name[64];
  snprintf(name, sizeof name, "%s", device);
  int code = run(root, "/usr/sbin/tune2fs", (char *[]){"tune2fs", "-j", name, NULL});
  if (code != 0) say(3, "the data has no journal, and none could be made (%d): power cuts will damage it", code);
}

/// CRC-32C as ext4 has it: neither inverted before nor after.
static uint32_t checksum(const uint8_t *octets, size_t count) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; i++) {
    crc ^= octets[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  return crc;
}

/// Prepares a copy of the superblock for e2fsck, which brings the journal in and then stops at the copy's flag that says
/// there is one to bring in (e2fsck 1.47.0). False when there is no such copy.
static bool prepare_copy(const char *device, uint64_t block) {
  enum { MAGIC = 0x38, INCOMPATIBLE = 0x60, NEEDS_RECOVERY = 4, CHECKSUM = 0x3FC };
  uint8_t copy[1024];
  uint32_t sum;
  int disk = open(device, O_RDWR | O_CLOEXEC);
  if (disk < 0) return false;
  off_t place = (off_t)(block * FS_BLOCK);
  bool is_good = pread(disk, copy, sizeof copy, place) == sizeof copy && copy[MAGIC] == 0x53 && copy[MAGIC + 1] == 0xEF;
  if (is_good) {
    memcpy(&sum, copy + CHECKSUM, sizeof sum);
    is_good = sum == checksum(copy, CHECKSUM);
  }
  if (is_good && (copy[INCOMPATIBLE] & NEEDS_RECOVERY) != 0) {
    copy[INCOMPATIBLE] &= (uint8_t)~NEEDS_RECOVERY;
    sum = checksum(copy, CHECKSUM);
    memcpy(copy + CHECKSUM, &sum, sizeof sum);
    is_good = pwrite(disk, copy, sizeof copy, place) == sizeof copy && fsync(disk) == 0;
  }
  close(disk);
  return is_good;
}

/// True when the file system can be mounted now.
static bool make_sound(const char *root, const char *device) {
  char name[64], block[24], size[8];
  snprintf(name, sizeof name, "%s", device);
  int code = check(root, (char *[]){"e2fsck", "-p", name, NULL});
  if (code < UNCORRECTED) {
    if (code != 0) say(4, "the data was damaged a little and has been repaired");
    return true;
  }
  say(3, "the data is damaged (%d); repairing it, which can take minutes. Do not pull the plug", code);
  code = check(root, (char *[]){"e2fsck", "-f", "-y", name, NULL});
  // The groups that have a copy of the superblock.
  static const uint64_t groups[] = {1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343};
  for (size_t i = 0; code >= UNCORRECTED && i < sizeof groups / sizeof *groups; i++) {
    if (!prepare_copy(device, groups[i] * BLOCKS_PER_GROUP)) continue;
    snprintf(block, sizeof block, "%llu", (unsigned long long)(groups[i] * BLOCKS_PER_GROUP));
    snprintf(size, sizeof size, "%d", FS_BLOCK);
    code = check(root, (char *[]){"e2fsck", "-f", "-y", "-b", block, "-B", size, name, NULL});
  }
  if (code >= UNCORRECTED) return false;
  make_journal(root, device);
  say(3, "the data has been repaired");
  write_file("/run/restante-data.repaired", "The data was damaged and has been repaired when the device started.\n"
    "What was found: /run/restante-data.check\n");
  return true;
}

static void grow_file_system(const char *device, const char *directory) {
  int disk = open(device, O_RDONLY | O_CLOEXEC), mounted = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  uint64_t octets = 0;
  struct statfs fs;
  if (disk >= 0 && mounted >= 0 && ioctl(disk, BLKGETSIZE64, &octets) == 0 && fstatfs(mounted, &fs) == 0) {
    uint64_t blocks = octets / (uint64_t)fs.f_bsize;
    // f_blocks is without what the file system itself takes; a few blocks more than it has are no growth worth a try.
    if (blocks > (uint64_t)fs.f_blocks + (uint64_t)fs.f_blocks / 4 && ioctl(mounted, EXT4_IOC_RESIZE_FS, &blocks) != 0) {
      say(4, "the data cannot use all of the card: %s", strerror(errno));
    }
  }
  if (disk >= 0) close(disk);
  if (mounted >= 0) close(mounted);
}

bool mount_data(const char *disk_name, const char *root, const char *directory, char *why, size_t size) {
  struct partition data;
  if (!find_partition("restante-data", disk_name, &data)) {
    snprintf(why, size, "There is no partition for the data on %s.\n", disk_name);
    return false;
  }
  grow_partition(&data);
  if (!make_sound(root, data.device)) {
    snprintf(why, size, "The data on %s is damaged beyond repair.\n", data.device);
    return false;
  }
  // Mail is flushed when it is promised; the rest may wait a minute, which spares the flash. Times of files are written with
  // what else changes: a look whether the disk keeps what it is given would cost six blocks instead of one.
  unsigned long flags = MS_LAZYTIME | MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC;
  if (mount(data.device, directory, "ext4", flags, "errors=remount-ro,commit=60,noinit_itable") != 0 &&
      // What is without a journal takes no commit=.
      (errno != EINVAL || mount(data.device, directory, "ext4", flags, "errors=remount-ro,noinit_itable") != 0)) {
    snprintf(why, size, "The data on %s cannot be mounted: %s.\n", data.device, strerror(errno));
    return false;
  }
  grow_file_system(data.device, directory);
  return true;
}
