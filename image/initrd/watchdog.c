// The board's watchdog from the first moment on, until systemd has it: what hangs before that ends in a restart, too.
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// A checking program may wait so many times as long as the rest: a disk takes minutes to give up a sector it cannot read.
enum { CHILD_FACTOR = 5 };
/// And it takes no longer than this, in seconds, however busy it is.
enum { CHILD_MAXIMUM = 8 * 3600 };

static int device = -1;
static int patience = 120;

void start_watchdog(int seconds) {
  if (seconds > 0) patience = seconds;
  if (device >= 0) return;
  device = open("/dev/watchdog0", O_WRONLY | O_CLOEXEC);
  if (device < 0) return;
  int timeout = patience;
  if (ioctl(device, WDIOC_SETTIMEOUT, &timeout) == 0 && timeout >= patience / 2) return;
  // One that knows seconds only would restart what is merely slow.
  stop_watchdog();
}

void stop_watchdog(void) {
  if (device < 0) return;
  // The kernel stops it only for who says so.
  ssize_t written = write(device, "V", 1);
  (void)written;
  close(device);
  device = -1;
}

void pet_watchdog(void) {
  if (device >= 0) ioctl(device, WDIOC_KEEPALIVE, 0);
}

int attend(pid_t child) {
  char path[32], before[TEXT_SIZE] = "", now[TEXT_SIZE];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
  int status = 0, standing = 0;
  struct pollfd ends = {.fd = child > 0 ? (int)syscall(SYS_pidfd_open, child, 0) : -1, .events = POLLIN};
  for (int second = 0; ends.fd >= 0 && poll(&ends, 1, 1000) == 0; second++) {
    // Its times and its faults: they stay as they are when the disk does not answer any more.
    read_file(path, now, sizeof now);
    standing = strcmp(now, before) == 0 ? standing + 1 : 0;
    memcpy(before, now, sizeof before);
    if (standing < CHILD_FACTOR * patience && second < CHILD_MAXIMUM) pet_watchdog();
  }
  if (ends.fd >= 0) close(ends.fd);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  pet_watchdog();
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void hand_over_watchdog(void) {
  // systemd cannot have it while it is open here. Until it has, there is somebody else to look.
  stop_watchdog();
  if (fork() != 0) return;
  for (int second = 0; second < patience; second++) {
    // systemd makes this when it has armed the watchdog.
    if (access("/run/systemd/notify", F_OK) == 0) _exit(0);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
  }
  say(0, "the system does not come up; starting again");
  // At once: what hangs may be the disk.
  write_file("/proc/sysrq-trigger", "b");
  reboot(RB_AUTOBOOT);
  _exit(1);
}
