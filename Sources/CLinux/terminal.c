#define _GNU_SOURCE

#include "clterminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define OR_ERRNO(call)                     \
  do {                                     \
    __auto_type result_ = (call);          \
    return result_ < 0 ? -errno : result_; \
  } while (0)

int cl_terminal_open(const char *path, int waits) {
  static const int typed[] = {SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
  for (unsigned i = 0; i < sizeof typed / sizeof *typed; i++) signal(typed[i], SIG_IGN);
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  int error = isatty(fd) ? 0 : errno;
  if (error == 0 && waits && fcntl(fd, F_SETFL, 0) < 0) error = errno;
  if (error == 0) return fd;
  close(fd);
  return -error;
}

int cl_terminal_mode(int fd, int mode) {
  static struct termios before;
  static int is_known;
  struct termios now;
  if (tcgetattr(fd, &now) < 0) return -errno;
  if (!is_known) {
    before = now;
    is_known = 1;
  }
  if (mode == CL_TERMINAL_BEFORE) now = before;
  if (mode != CL_TERMINAL_BEFORE) {
    cfmakeraw(&now);
    now.c_cflag |= CREAD;
    // A VT100 says XOFF when it cannot keep up; one that is only noise is undone by any key. Breaks are noise.
    now.c_iflag |= IGNBRK | IXON | IXANY;
    now.c_iflag &= ~(tcflag_t)IXOFF;
    now.c_cc[VSTART] = 'Q' & 31;
    now.c_cc[VSTOP] = 'S' & 31;
  }
  if (mode == CL_TERMINAL_LINES) {
    now.c_iflag |= ICRNL;
    now.c_oflag |= OPOST | ONLCR;
    now.c_lflag |= ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL;
    now.c_cc[VINTR] = 'C' & 31;
    now.c_cc[VQUIT] = '\\' & 31;
    now.c_cc[VERASE] = 0x7F;
    now.c_cc[VKILL] = 'U' & 31;
    now.c_cc[VEOF] = 'D' & 31;
    now.c_cc[VSUSP] = 'Z' & 31;
  }
  // Not TCSADRAIN: a line that takes nothing would never drain.
  OR_ERRNO(tcsetattr(fd, TCSANOW, &now));
}

int cl_terminal_drop(int fd, int output) {
  if (output) tcflow(fd, TCOON);
  OR_ERRNO(tcflush(fd, output ? TCOFLUSH : TCIFLUSH));
}

int cl_terminal_foreground(int fd) { OR_ERRNO(tcsetpgrp(fd, getpgrp())); }

int cl_terminal_group(int fd) { OR_ERRNO(tcgetpgrp(fd)); }

int64_t cl_terminal_last_read(int fd) {
  struct stat about;
  return fstat(fd, &about) < 0 ? -errno : about.st_atime;
}

void cl_terminal_rest(const char *path) {
  static char program[] = "/usr/lib/restante/rest";
  char *words[16] = {program, (char *)path}, text[1024];
  int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return;
  text[length] = 0;
  int count = 2;
  for (char *word = text; word < text + length && count < 15; word += strlen(word) + 1) words[count++] = word;
  execv(program, words);
}

int cl_terminal_rested(void) {
  int result = getenv("RESTANTE_RESTED") != NULL;
  unsetenv("RESTANTE_RESTED");
  return result;
}
