// The data: checked at each start, repaired when it must be, and as large as the card.
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
/// e2fsck(8): from this exit code on there are errors left.
enum { UNCORRECTED = 4 };
/// As the image is made.
enum { FS_BLOCK = 4096, BLOCKS_PER_GROUP = 32768 };

/// What was found wrong at this start, for ``tell_of_damage``.
static struct faults faults;
static bool is_mounted, is_repaired, restarts;
/// Pieces in lost+found.
static int found;

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
  return attend(child);
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
  // What went wrong while it was in use need not have left a trace that a quick look finds.
  int code = check(root, (char *[]){"e2fsck", faults.is_found ? "-fp" : "-p", name, NULL});
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
  is_repaired = true;
  return true;
}

static void grow_file_system(const char *device, const char *directory) {
  int disk = open(device, O_RDONLY | O_CLOEXEC), mounted = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  uint64_t octets = 0;
  struct statfs fs;
  if (disk >= 0 && mounted >= 0 && ioctl(disk, BLKGETSIZE64, &octets) == 0 && fstatfs(mounted, &fs) == 0) {
    uint64_t blocks = octets / (uint64_t)fs.f_bsize;
    // f_blocks is without what the file system itself takes; a few blocks more than it has are no growth worth a try.
    pid_t child = blocks > (uint64_t)fs.f_blocks + (uint64_t)fs.f_blocks / 4 ? fork() : -1;
    if (child == 0) {
      bool is_done = ioctl(mounted, EXT4_IOC_RESIZE_FS, &blocks) == 0;
      if (!is_done) say(4, "the data cannot use all of the card: %s", strerror(errno));
      _exit(is_done ? 0 : 1);
    }
    // A large card takes its time.
    if (child > 0) attend(child);
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
  faults = count_faults(data.device);
  if (faults.is_found) say(3, "errors showed in the data while it was in use (%s); all of it is checked", faults.what);
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
  is_mounted = true;
  grow_file_system(data.device, directory);
  if (is_repaired) found = bring_back(directory);
  char path[TEXT_SIZE], count[24];
  snprintf(path, sizeof path, "%s/lib/restante-device/faults-forgiven", directory);
  restarts = may_restart(&faults, path);
  // An error in use is mended at a start, so it is one: nothing that was promised is lost by it.
  if (restarts && mount(NULL, directory, NULL, MS_REMOUNT | flags, "errors=panic") != 0) {
    say(4, "errors of the data will not restart the device: %s", strerror(errno));
  }
  snprintf(count, sizeof count, "%ld\n", faults.count);
  write_file("/run/restante-data.faults", count);
  return true;
}

/// Adds a sentence to the text, and says it.
__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format, ...) {
  size_t length = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + length, size - length, format, arguments);
  va_end(arguments);
  say(3, "%s", text + length);
  if (strlen(text) + 1 < size) strcat(text, "\n");
}

/// Whether there is no mail any more, or nobody it is for.
static bool is_lost(const char *directory) {
  char path[TEXT_SIZE];
  static const char *const wanted[] = {"lib/restante/spool/log", "lib/restante/accounts"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    snprintf(path, sizeof path, "%s/%s", directory, wanted[i]);
    if (access(path, F_OK) != 0) return true;
  }
  return false;
}

void tell_of_damage(const char *directory) {
  char text[2048] = "", path[TEXT_SIZE], why[TEXT_SIZE];
  if (!is_mounted) return;
  if (is_repaired) {
    snprintf(path, sizeof path, "%s/lib", directory);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/lib/restante-device", directory);
    mkdir(path, 0700);
  }
  if (faults.is_found) {
    add(text, sizeof text, "Errors showed on the card while it was in use; the device restarted and repaired them.");
  } else if (is_repaired) {
    add(text, sizeof text, "The data on the card was damaged; it was repaired when the device started.");
  }
  if (is_repaired && found > 0) {
    add(text, sizeof text, "Pieces whose names were lost are in /var/lost+found: %d.", found);
  }
  if (is_repaired && is_lost(directory)) {
    add(text, sizeof text, "MAIL OR ACCOUNTS ARE LOST, so senders are told to try again later: restore the last backup with "
      "`restante backup restore`, or add the accounts again; then say `restante status --seen`.");
    snprintf(path, sizeof path, "%s/lib/restante-device/lost", directory);
    write_file(path, "what was on the card is lost, and its technician has not seen to it yet\n");
  } else if (text[0] != 0) {
    add(text, sizeof text, "See by `restante check` whether mail is missing; the last backup has it.");
  }
  if (!faults.is_kept) {
    add(text, sizeof text, "The card does not keep what is written to it: put in another one, and restore the backup.");
  } else if (faults.is_found && !restarts) {
    add(text, sizeof text, "It was not the first time: the device does not restart for it any more, and once errors show, "
      "no mail is taken until it is switched off and on. Make a backup, and put in another card.");
  }
  // Whoever has mail for somebody who was here shall keep it until those who know have looked.
  snprintf(path, sizeof path, "%s/lib/restante-device/lost", directory);
  if (read_file(path, why, sizeof why) > 0) write_file("/run/restante-data.lost", why);
  if (text[0] == 0) return;
  write_file("/run/restante-data.repaired", text);
  // `restante status` shows it until somebody has seen it.
  snprintf(path, sizeof path, "%s/lib/restante-device/damage", directory);
  write_file(path, text);
}
