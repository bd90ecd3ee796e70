// Process 1 until systemd is: see init.h.
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/// How long a disk may take to appear, in tenths of a second: old sticks and USB adapters take ten seconds.
#define PATIENCE 600
/// When drivers are loaded that cost memory, for a disk that has not come up so far.
#define LATE 3

/// Seconds between two commits of the data's file system.
#define COMMIT 60

#ifndef BUILD_TIME
#define BUILD_TIME 0
#endif

void say(int level, const char *format, ...) {
  char text[TEXT_SIZE];
  int length = snprintf(text, sizeof text, "<%d>restante: ", level);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
  va_end(arguments);
  int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  if (log < 0) return;
  ssize_t written = write(log, text, strlen(text));
  (void)written;
  close(log);
}

bool write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return false;
  size_t length = strlen(text);
  bool done = write(file, text, length) == (ssize_t)length && fsync(file) == 0;
  close(file);
  return done;
}

long read_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = read(file, text, size - 1);
  close(file);
  text[count > 0 ? count : 0] = 0;
  return count;
}

/// Nobody sits before the box: after a while it tries again, and the boot loader counts.
__attribute__((noreturn)) static void give_up(const char *what) {
  say(0, "%s; starting again in ten seconds", what);
  sleep(10);
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause();
}

/// The value of a word of the kernel's command line, or what it is when there is none.
static void kernel_option(const char *key, const char *otherwise, char *value, size_t size) {
  char line[2048];
  snprintf(value, size, "%s", otherwise);
  if (read_file("/proc/cmdline", line, sizeof line) <= 0) return;
  char *rest = line;
  size_t length = strlen(key);
  for (char *word = strsep(&rest, " \n"); word != NULL; word = strsep(&rest, " \n")) {
    if (strncmp(word, key, length) == 0 && word[length] == '=') snprintf(value, size, "%s", word + length + 1);
  }
}

static void wait_for_disk(const char *label, struct partition *found) {
  for (int tenth = 0; tenth < PATIENCE; tenth++) {
    load_drivers(tenth >= LATE);
    start_watchdog(0);
    pet_watchdog();
    if (find_partition(label, NULL, found)) return;
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
  }
  give_up("no disk with the system was found");
}

static time_t changed(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 ? about.st_mtime : 0;
}

/// The time of the newest file that the pattern fits.
static time_t newest(const char *pattern) {
  time_t time = 0;
  glob_t found;
  if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) return 0;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    time_t file = changed(found.gl_pathv[i]);
    if (file > time) time = file;
  }
  globfree(&found);
  return time;
}

/// The clock is never behind the last time this device knew, nor behind the day it was built.
static void set_clock(void) {
  time_t least = BUILD_TIME;
  static const char *const kept[] = {"/sysroot/var/lib/restante-device/clock", "/sysroot/var/lib/systemd/timesync/clock"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (changed(kept[i]) > least) least = changed(kept[i]);
  }
  if (time(NULL) >= least) return;
  // There is no clock that runs while the power is off. The latest mail and the journal know more than what is kept hourly.
  static const char *const written[] = {"/sysroot/var/log/journal/*/*", "/sysroot/var/lib/restante/spool/log/*"};
  for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
    // After a power cut their times are older than what was flushed.
    if (newest(written[i]) > least) least = newest(written[i]) + COMMIT;
  }
  struct timeval now = {.tv_sec = least};
  if (settimeofday(&now, NULL) == 0) write_file("/run/restante-clock.unset", "from the last known time\n");
}

/// The name of this machine for its own records, made once.
static void make_machine_id(void) {
  static const char path[] = "/sysroot/etc/machine-id", new_path[] = "/sysroot/etc/machine-id.new";
  char text[64];
  if (read_file(path, text, sizeof text) == 33 && strspn(text, "0123456789abcdef") == 32) return;
  uint8_t random[16];
  if (getrandom(random, sizeof random, 0) != sizeof random) return;
  // A random UUID, as systemd makes them.
  random[6] = (random[6] & 0x0f) | 0x40;
  random[8] = (random[8] & 0x3f) | 0x80;
  for (int i = 0; i < 16; i++) snprintf(text + 2 * i, 3, "%02x", random[i]);
  strcat(text, "\n");
  if (!write_file(new_path, text) || chmod(new_path, 0444) != 0 || rename(new_path, path) != 0) {
    say(4, "the machine id was not kept: %s", strerror(errno));
  }
}

/// What is changed below /etc is kept with the data.
static void mount_etc(void) {
  mkdir("/sysroot/var/etc", 0755);
  mkdir("/sysroot/var/etc/upper", 0755);
  mkdir("/sysroot/var/etc/work", 0700);
  static const char options[] = "lowerdir=/sysroot/etc,upperdir=/sysroot/var/etc/upper,workdir=/sysroot/var/etc/work";
  if (mount("etc", "/sysroot/etc", "overlay", MS_NODEV | MS_NOSUID | MS_NOATIME, options) != 0) {
    say(3, "changed settings cannot be read (%s); going on with those of the factory", strerror(errno));
  }
}

/// Removes what is on the RAM disk, to have its memory back.
static void empty(int directory, dev_t device) {
  DIR *entries = fdopendir(directory);
  if (entries == NULL) return;
  for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
    struct stat about;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (fstatat(directory, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 || about.st_dev != device) continue;
    if (S_ISDIR(about.st_mode)) {
      int below = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (below >= 0) empty(below, device);
      unlinkat(directory, entry->d_name, AT_REMOVEDIR);
    } else {
      unlinkat(directory, entry->d_name, 0);
    }
  }
  closedir(entries);
}

static void move(const char *from, const char *to) {
  if (mount(from, to, NULL, MS_MOVE, NULL) != 0) say(3, "%s: %s", to, strerror(errno));
}

int main(void) {
  mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=20%,nr_inodes=100k");
  int console = open("/dev/console", O_RDWR);
  for (int i = 0; console >= 0 && i < 3; i++) dup2(console, i);
  if (console > 2) close(console);

#ifndef __x86_64__
  // The translator of packet filters takes pages of its own for each. (On PCs the kernel has set two megabytes aside for it
  // before anybody can say no.)
  write_file("/proc/sys/net/core/bpf_jit_enable", "0");
#endif

  char slot[8], label[32], why[TEXT_SIZE];
  kernel_option("restante.patience", "120", slot, sizeof slot);
  load_watchdog_drivers();
  start_watchdog(atoi(slot));
  kernel_option("restante.slot", "a", slot, sizeof slot);
  snprintf(label, sizeof label, "restante-root-%s", slot);
  static const char *const needed[] = {"squashfs", "overlay", "crc32c_generic", "ext4", "autofs4"};
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) load_module(needed[i]);
  struct partition system;
  wait_for_disk(label, &system);
  // A board without a watchdog of its own has the kernel's, which at least survives everything above the kernel.
  if (access("/dev/watchdog0", F_OK) != 0) load_module("softdog");
  start_watchdog(0);
  if (mount(system.device, "/sysroot", "squashfs", MS_RDONLY, NULL) != 0) {
    snprintf(why, sizeof why, "the system on %s cannot be read: %s", system.device, strerror(errno));
    give_up(why);
  }
  mount("/dev", "/sysroot/dev", NULL, MS_BIND, NULL);
  mount("/proc", "/sysroot/proc", NULL, MS_BIND, NULL);
  if (!mount_data(system.disk_name, "/sysroot", "/sysroot/var", why, sizeof why)) {
    say(3, "%s", why);
    write_file("/run/restante-data.missing", why);
    mount("tmpfs", "/sysroot/var", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=25%");
  }
  umount2("/sysroot/dev", MNT_DETACH);
  umount2("/sysroot/proc", MNT_DETACH);
  mount("tmpfs", "/sysroot/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=25%");
  set_clock();
  tell_of_damage("/sysroot/var");
  mount_etc();
  make_machine_id();

  move("/dev", "/sysroot/dev");
  move("/proc", "/sysroot/proc");
  move("/sys", "/sysroot/sys");
  move("/run", "/sysroot/run");
  int ram = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat about;
  if (chdir("/sysroot") != 0) give_up("the system cannot be started");
  if (ram >= 0 && fstat(ram, &about) == 0) empty(ram, about.st_dev);
  if (mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0) {
    give_up("the system cannot be started");
  }
  hand_over_watchdog();
  execl("/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd", (char *)NULL);
  give_up("the system has no first program");
}
