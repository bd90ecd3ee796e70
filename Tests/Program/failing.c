// Makes system calls of the program under test fail, and its clock go wrong, when and as a control file says. Loaded
// with LD_PRELOAD.
//
// FAILING names the control file: lines "CALL ERRNO COUNT PATH". The next COUNT calls (-1: every call) of CALL on a
// descriptor whose path holds PATH fail with ERRNO; ERRNO -1 makes a write short instead (half of it is written), -2 has
// the call hang until the rule is gone, -3 has a pread bring other octets, -4 has the call take a fifth of a second more.
// "clock SECONDS 0 -" puts the wall clock forward by SECONDS, or back. The file is read again whenever another takes
// its name. Each failure is appended to FAILING.did.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct rule {
  char call[32];
  int error;
  int count;
  char path[256];
};
static struct rule rules[32];
static int rule_count;
static ino_t read_from;
static long clock_offset;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void load(void) {
  const char *name = getenv("FAILING");
  struct stat now;
  if (name == NULL || stat(name, &now) < 0 || now.st_ino == read_from) return;
  read_from = now.st_ino;
  rule_count = 0;
  clock_offset = 0;
  char text[8192];
  int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length < 0) return;
  text[length] = 0;
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL && rule_count < 32; line = strtok_r(NULL, "\n", &rest)) {
    struct rule *rule = &rules[rule_count];
    if (sscanf(line, "%31s %d %d %255s", rule->call, &rule->error, &rule->count, rule->path) != 4) continue;
    if (strcmp(rule->call, "clock") == 0) clock_offset = rule->error;
    else rule_count++;
  }
}

static void note(const char *call, const char *path, int error) {
  char name[512], text[700];
  snprintf(name, sizeof name, "%s.did", getenv("FAILING"));
  int length = snprintf(text, sizeof text, "%s %d %s\n", call, error, path);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return;
  syscall(SYS_write, fd, text, (size_t)length);
  syscall(SYS_close, fd);
}

// 0, or the error the call is to fail with.
static int fails_at(const char *call, const char *path) {
  int saved = errno, error, noted = 0;
  do {
    error = 0;
    pthread_mutex_lock(&lock);
    load();
    for (int i = 0; i < rule_count; i++) {
      struct rule *rule = &rules[i];
      if (rule->count == 0 || strcmp(rule->call, call) != 0 || strstr(path, rule->path) == NULL) continue;
      if (rule->count > 0) rule->count--;
      error = rule->error;
      if (!noted++) note(call, path, error);
      break;
    }
    pthread_mutex_unlock(&lock);
    if (error == -4) usleep(200000);
    if (error == -2) usleep(10000);
  } while (error == -2);
  errno = saved;
  return error;
}

static int fails(const char *call, int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails_at(call, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF(name, fd)          \
  int error_ = fails(name, fd);    \
  if (error_ > 0) {                \
    errno = error_;                \
    return -1;                     \
  }                                \
  if (error_ == -1) count = (count + 1) / 2

int fdatasync(int fd) {
  size_t count = 0;
  FAIL_IF("fdatasync", fd);
  (void)count;
  return NEXT(fdatasync)(fd);
}
int fsync(int fd) {
  size_t count = 0;
  FAIL_IF("fsync", fd);
  (void)count;
  return NEXT(fsync)(fd);
}
ssize_t write(int fd, const void *buffer, size_t count) {
  FAIL_IF("write", fd);
  return NEXT(write)(fd, buffer, count);
}
ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset) {
  FAIL_IF("pwrite", fd);
  return NEXT(pwrite)(fd, buffer, count, offset);
}
ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t offset) {
  FAIL_IF("pwrite", fd);
  return NEXT(pwrite64)(fd, buffer, count, offset);
}
static ssize_t garble(int error, char *buffer, ssize_t length) {
  if (error == -3 && length > 0) buffer[0] ^= 1;
  return length;
}
ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
  FAIL_IF("pread", fd);
  return garble(error_, buffer, NEXT(pread)(fd, buffer, count, offset));
}
ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset) {
  FAIL_IF("pread", fd);
  return garble(error_, buffer, NEXT(pread64)(fd, buffer, count, offset));
}
ssize_t read(int fd, void *buffer, size_t count) {
  FAIL_IF("read", fd);
  return NEXT(read)(fd, buffer, count);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
  FAIL_IF("sendfile", in);
  return ((ssize_t(*)(int, int, off_t *, size_t))dlsym(RTLD_NEXT, "sendfile"))(out, in, offset, count);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
  FAIL_IF("sendfile", in);
  return ((ssize_t(*)(int, int, off64_t *, size_t))dlsym(RTLD_NEXT, "sendfile64"))(out, in, offset, count);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) {
  size_t count = 0;
  FAIL_IF("epoll_wait", epoll);
  (void)count;
  return NEXT(epoll_wait)(epoll, events, most, timeout);
}

static int opened(const char *symbol, int directory, const char *path, int flags, mode_t mode) {
  int error = fails_at("open", path);
  if (error > 0) {
    errno = error;
    return -1;
  }
  int (*next)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, symbol);
  return next(directory, path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened("openat", directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened("openat64", directory, path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  int result = NEXT(clock_gettime)(clock, out);
  if (result == 0 && clock == CLOCK_REALTIME) {
    int saved = errno;
    pthread_mutex_lock(&lock);
    load();
    out->tv_sec += clock_offset;
    pthread_mutex_unlock(&lock);
    errno = saved;
  }
  return result;
}
