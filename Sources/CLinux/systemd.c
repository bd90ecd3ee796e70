#define _GNU_SOURCE

#include "clsystemd.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

// MARK: the service manager

int cl_notify(const char *state) { return sd_notify(0, state); }

int cl_passed_sockets(void *context, void (*each)(void *context, int fd, const char *name)) {
  char **names = NULL;
  // Whatever this process may start is not meant by it.
  int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; i++) {
    int fd = SD_LISTEN_FDS_START + i;
    // Not what a listener is for: told of under a name that nothing has.
    int fits = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0;
    each(context, fd, fits ? names[i] : "(no listening stream socket)");
  }
  // The names are kept: they are few, and the program begins once.
  return count;
}

int64_t cl_watchdog_us(void) {
  uint64_t microseconds = 0;
  return sd_watchdog_enabled(0, &microseconds) > 0 ? (int64_t)microseconds : 0;
}

void cl_return_memory(void) { malloc_trim(0); }
