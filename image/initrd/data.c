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
/// e2fsck(8)'s exit codes.
enum { CORRECTED = 1, REBOOT = 2, UNCORRECTED = 4 };

/// Runs e2fsck of the root file system. Its exit code, or 128 when it did not run to its end.
static int check(const char *root, const char *how, const char *backup, const char *device) {
  const char *arguments[] = {"/usr/sbin/e2fsck", how, device, NULL, NULL, NULL, NULL};
  if (backup != NULL) {
    arguments[2] = "-b";
    arguments[3] = backup;
    arguments[4] = device;
  }
  pid_t child = fork();
  if (child == 0) {
    if (chroot(root) != 0 || chdir("/") != 0) _exit(128);
    // What it has to say is in the kernel's log, and so in the journal.
    int log = open("/dev/kmsg", O_WRONLY);
    if (log >= 0) {
      dup2(log, 1);
      dup2(log, 2);
    }
    execv(arguments[0], (char *const *)arguments);
    _exit(128);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// True when the file system can be mounted now.
static bool make_sound(const char *root, const char *device) {
  int code = check(root, "-p", NULL, device);
  if (code < UNCORRECTED) {
    if (code != 0) say(4, "the data was damaged a little and has been repaired");
    return true;
  }
  // e2fsck looks for the copies of the superblock itself, but only where a large file system has the first of them.
  say(4, "the data is damaged (e2fsck: %d); repairing all of it, which can take minutes", code);
  static const char *const copies[] = {NULL, "32768", "98304", "163840", "8193"};
  for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
    code = check(root, "-y", copies[i], device);
    if (code < UNCORRECTED) {
      write_file("/run/restante-data.repaired", "The data was damaged and has been repaired. Check the mail: restante check\n");
      return true;
    }
  }
  say(3, "the data is beyond repair (e2fsck: %d)", code);
  return false;
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
  // Mail is flushed when it is promised; the rest may wait a minute, which spares the flash.
  unsigned long flags = MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC;
  if (mount(data.device, directory, "ext4", flags, "errors=remount-ro,commit=60,noinit_itable") != 0) {
    snprintf(why, size, "The data on %s cannot be mounted: %s.\n", data.device, strerror(errno));
    return false;
  }
  grow_file_system(data.device, directory);
  return true;
}
