#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64

#include "clinux.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// The numbers in the header are the kernel's, which are the same on the three architectures.
_Static_assert(CL_ENOSPC == ENOSPC && CL_EDQUOT == EDQUOT && CL_EAGAIN == EAGAIN && CL_EIO == EIO, "errno");
_Static_assert(CL_EADDRINUSE == EADDRINUSE && CL_ECONNRESET == ECONNRESET && CL_EPIPE == EPIPE, "errno");
_Static_assert(CL_ECONNREFUSED == ECONNREFUSED && CL_EINPROGRESS == EINPROGRESS, "errno");
_Static_assert(CL_EOPNOTSUPP == EOPNOTSUPP, "errno");
_Static_assert(CL_SIGHUP == SIGHUP && CL_SIGTERM == SIGTERM && CL_SIGUSR1 == SIGUSR1, "signals");

#define OR_ERRNO(call)                        \
  do {                                        \
    __auto_type result_ = (call);             \
    return result_ < 0 ? -errno : result_;    \
  } while (0)

// MARK: errors

const char *cl_strerror(int error) {
  const char *text = strerrordesc_np(error);
  return text != NULL ? text : "unknown error";
}

// MARK: files

int cl_openat(int directory, const char *path, int flags, uint32_t mode) {
  int native = O_CLOEXEC;
  if ((flags & CL_READ) && (flags & CL_WRITE)) native |= O_RDWR;
  else if (flags & CL_WRITE) native |= O_WRONLY;
  if (flags & CL_CREATE) native |= O_CREAT;
  if (flags & CL_EXCLUSIVE) native |= O_EXCL;
  if (flags & CL_TRUNCATE) native |= O_TRUNC;
  if (flags & CL_APPEND) native |= O_APPEND;
  if (flags & CL_DIRECTORY) native |= O_DIRECTORY;
  if (flags & CL_NOFOLLOW) native |= O_NOFOLLOW;
  OR_ERRNO(openat(directory, path, native, (mode_t)mode));
}

int cl_open(const char *path, int flags, uint32_t mode) { return cl_openat(AT_FDCWD, path, flags, mode); }
int cl_close(int fd) { OR_ERRNO(close(fd)); }
int64_t cl_read(int fd, void *buffer, size_t count) { OR_ERRNO(read(fd, buffer, count)); }
int64_t cl_write(int fd, const void *buffer, size_t count) { OR_ERRNO(write(fd, buffer, count)); }

int64_t cl_write_now(int fd, const void *buffer, size_t count) {
  // The descriptor is shared with others, so it must not be made non-blocking. A pipe that is ready takes a page.
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  int result = poll(&ready, 1, 0);
  if (result < 0) return -errno;
  if (result == 0) return -EAGAIN;
  OR_ERRNO(write(fd, buffer, count < 4096 ? count : 4096));
}

int64_t cl_pread(int fd, void *buffer, size_t count, int64_t offset) { OR_ERRNO(pread(fd, buffer, count, offset)); }

int64_t cl_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
  OR_ERRNO(pwrite(fd, buffer, count, offset));
}

int cl_fdatasync(int fd) { OR_ERRNO(fdatasync(fd)); }
int cl_forget_cached(int fd) { return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); }

int cl_fsync(int fd) { OR_ERRNO(fsync(fd)); }
int cl_ftruncate(int fd, int64_t size) { OR_ERRNO(ftruncate(fd, size)); }
int cl_allocate(int fd, int64_t offset, int64_t length) { OR_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length)); }

int cl_punch_hole(int fd, int64_t offset, int64_t length) {
  OR_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));
}

int cl_start_writeback(int fd, int64_t offset, int64_t length) {
  OR_ERRNO(sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE));
}

int64_t cl_seek_data(int fd, int64_t offset) { OR_ERRNO(lseek(fd, offset, SEEK_DATA)); }
int cl_rename(const char *from, const char *to) { OR_ERRNO(rename(from, to)); }
int cl_unlink(const char *path) { OR_ERRNO(unlink(path)); }
int cl_mkdir(const char *path, uint32_t mode) { OR_ERRNO(mkdir(path, (mode_t)mode)); }
int cl_rmdir(const char *path) { OR_ERRNO(rmdir(path)); }
int cl_chown(const char *path, uint32_t uid, uint32_t gid) { OR_ERRNO(chown(path, uid, gid)); }
int cl_fchown(int fd, uint32_t uid, uint32_t gid) { OR_ERRNO(fchown(fd, uid, gid)); }
int cl_fchmod(int fd, uint32_t mode) { OR_ERRNO(fchmod(fd, (mode_t)mode)); }

static void stat_out(const struct stat *from, struct cl_stat *out) {
  out->size = from->st_size;
  out->blocks = from->st_blocks;
  out->mtime = from->st_mtim.tv_sec;
  out->mtime_ns = from->st_mtim.tv_nsec;
  out->inode = from->st_ino;
  out->mode = from->st_mode;
  out->uid = from->st_uid;
  out->gid = from->st_gid;
  out->is_directory = S_ISDIR(from->st_mode);
  out->is_regular = S_ISREG(from->st_mode);
}

int cl_stat(const char *path, struct cl_stat *out) {
  struct stat native;
  if (stat(path, &native) < 0) return -errno;
  stat_out(&native, out);
  return 0;
}

int cl_fstat(int fd, struct cl_stat *out) {
  struct stat native;
  if (fstat(fd, &native) < 0) return -errno;
  stat_out(&native, out);
  return 0;
}

int cl_lock(int fd, int wait) { OR_ERRNO(flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB)); }

int cl_statvfs(const char *path, int64_t *total, int64_t *available) {
  struct statvfs native;
  if (statvfs(path, &native) < 0) return -errno;
  *total = (int64_t)native.f_blocks * (int64_t)native.f_frsize;
  *available = (int64_t)native.f_bavail * (int64_t)native.f_frsize;
  return 0;
}

int cl_list(const char *path, void *context, int (*each)(void *context, const char *name)) {
  DIR *directory = opendir(path);
  if (directory == NULL) return -errno;
  int error = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) {
      error = -errno;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (each(context, entry->d_name) != 0) break;
  }
  closedir(directory);
  return error;
}

// MARK: sockets

union any_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
};

static socklen_t address_in(const struct cl_address *from, union any_address *out) {
  memset(out, 0, sizeof *out);
  if (from->family == 4) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(from->port);
    memcpy(&out->v4.sin_addr, from->octets, 4);
    return sizeof out->v4;
  }
  out->v6.sin6_family = AF_INET6;
  out->v6.sin6_port = htons(from->port);
  memcpy(&out->v6.sin6_addr, from->octets, 16);
  return sizeof out->v6;
}

static void address_out(const union any_address *from, struct cl_address *out) {
  memset(out, 0, sizeof *out);
  if (from->any.sa_family == AF_INET) {
    out->family = 4;
    out->port = ntohs(from->v4.sin_port);
    memcpy(out->octets, &from->v4.sin_addr, 4);
  } else if (from->any.sa_family == AF_INET6) {
    // An IPv4 peer of a socket that takes both families: it is what it is.
    int mapped = IN6_IS_ADDR_V4MAPPED(&from->v6.sin6_addr);
    out->family = mapped ? 4 : 6;
    out->port = ntohs(from->v6.sin6_port);
    memcpy(out->octets, from->v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
  } else {
    out->family = 1;
  }
}

// Closes `fd` and returns the error that was current before.
static int fail(int fd) {
  int error = errno;
  close(fd);
  return -error;
}

int cl_listen(const struct cl_address *address, int backlog) {
  union any_address native;
  socklen_t size = address_in(address, &native);
  int fd = socket(native.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return fail(fd);
  if (address->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return fail(fd);
  if (bind(fd, &native.any, size) < 0 || listen(fd, backlog) < 0) return fail(fd);
  return fd;
}

static int unix_address(const char *path, union any_address *out) {
  memset(out, 0, sizeof *out);
  out->local.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof out->local.sun_path) return -ENAMETOOLONG;
  strcpy(out->local.sun_path, path);
  return 0;
}

int cl_listen_unix(const char *path, int backlog) {
  union any_address native;
  int error = unix_address(path, &native);
  if (error < 0) return error;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (unlink(path) < 0 && errno != ENOENT) return fail(fd);
  // Only the owner may talk to it: the mode is set before anybody can connect.
  if (fchmod(fd, 0600) < 0) return fail(fd);
  if (bind(fd, &native.any, sizeof native.local) < 0) return fail(fd);
  if (chmod(path, 0600) < 0 || listen(fd, backlog) < 0) return fail(fd);
  return fd;
}

int cl_connect_unix(const char *path) {
  union any_address native;
  int error = unix_address(path, &native);
  if (error < 0) return error;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (connect(fd, &native.any, sizeof native.local) < 0) return fail(fd);
  return fd;
}

int cl_connect(const struct cl_address *address, int milliseconds) {
  union any_address native;
  socklen_t size = address_in(address, &native);
  int fd = socket(native.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct timeval patience = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
    return fail(fd);
  if (connect(fd, &native.any, size) < 0) return fail(fd);
  return fd;
}

int cl_accept(int fd, struct cl_address *peer) {
  union any_address native;
  socklen_t size = sizeof native;
  memset(&native, 0, sizeof native);
  int accepted = accept4(fd, &native.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (accepted < 0) return -errno;
  address_out(&native, peer);
  return accepted;
}

int cl_local_address(int fd, struct cl_address *local) {
  union any_address native;
  socklen_t size = sizeof native;
  memset(&native, 0, sizeof native);
  if (getsockname(fd, &native.any, &size) < 0) return -errno;
  address_out(&native, local);
  return 0;
}

int64_t cl_recv(int fd, void *buffer, size_t count) { OR_ERRNO(recv(fd, buffer, count, 0)); }

int64_t cl_send(int fd, const void *buffer, size_t count, int more) {
  OR_ERRNO(send(fd, buffer, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}

int64_t cl_sendfile(int socket, int file, int64_t offset, size_t count) {
  off_t at = offset;
  OR_ERRNO(sendfile(socket, file, &at, count));
}

int cl_nodelay(int fd, int on) { OR_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); }
int cl_shutdown_write(int fd) { OR_ERRNO(shutdown(fd, SHUT_WR)); }

int cl_peer_uid(int fd, uint32_t *uid) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return -errno;
  *uid = credentials.uid;
  return 0;
}

int cl_unsent(int fd) {
  int unsent = 0;
  if (ioctl(fd, SIOCOUTQ, &unsent) < 0) return -errno;
  return unsent;
}

int cl_parse_address(const char *text, struct cl_address *out) {
  if (inet_pton(AF_INET, text, out->octets) == 1) {
    out->family = 4;
    return 0;
  }
  if (inet_pton(AF_INET6, text, out->octets) == 1) {
    out->family = 6;
    return 0;
  }
  return -EINVAL;
}

int cl_format_address(const struct cl_address *address, char *out, size_t size) {
  int family = address->family == 4 ? AF_INET : AF_INET6;
  return inet_ntop(family, address->octets, out, (socklen_t)size) == NULL ? -errno : 0;
}

// Not getifaddrs(3), which needs netlink sockets: the service's sandbox has none but local ones, and any will do here.
int cl_own_addresses(char *out, size_t size) {
  char text[INET6_ADDRSTRLEN];
  size_t used = 0;
  struct ifreq found[32];
  struct ifconf request = {.ifc_len = sizeof found, .ifc_req = found};
  int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0 || ioctl(probe, SIOCGIFCONF, &request) < 0) request.ifc_len = 0;
  if (probe >= 0) close(probe);
  for (int i = 0; i < request.ifc_len / (int)sizeof found[0] && used + sizeof text < size; i++) {
    const struct in_addr *address = &((struct sockaddr_in *)(void *)&found[i].ifr_addr)->sin_addr;
    uint32_t number = ntohl(address->s_addr);
    if (number >> 24 == 127 || number >> 16 == 0xA9FE) continue;
    inet_ntop(AF_INET, address, text, sizeof text);
    used += (size_t)sprintf(out + used, " %s", text);
  }
  FILE *six = fopen("/proc/self/net/if_inet6", "re");
  char line[128];
  while (six != NULL && used + sizeof text < size && fgets(line, sizeof line, six) != NULL) {
    unsigned scope = 0, flags = 0;
    struct in6_addr address;
    // Of global or site scope, and neither temporary, deprecated nor tentative.
    if (sscanf(line + 32, " %*x %*x %x %x", &scope, &flags) != 2 || (scope & ~0x40u) != 0 || (flags & 0x61) != 0)
      continue;
    for (int i = 0; i < 16; i++) sscanf(line + 2 * i, "%2hhx", &address.s6_addr[i]);
    inet_ntop(AF_INET6, &address, text, sizeof text);
    used += (size_t)sprintf(out + used, " %s", text);
  }
  if (six != NULL) fclose(six);
  return (int)used;
}

int cl_look_up(const char *name, char *out, size_t size) {
  struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *all = NULL;
  size_t used = 0;
  if (getaddrinfo(name, NULL, &wanted, &all) != 0) return 0;
  for (const struct addrinfo *one = all; one != NULL && used + INET6_ADDRSTRLEN + 1 < size; one = one->ai_next) {
    out[used++] = ' ';
    if (getnameinfo(one->ai_addr, one->ai_addrlen, out + used, (socklen_t)(size - used), NULL, 0, NI_NUMERICHOST) != 0)
      break;
    used += strlen(out + used);
  }
  freeaddrinfo(all);
  return (int)used;
}

// MARK: events, time, processes

int cl_epoll(void) { OR_ERRNO(epoll_create1(EPOLL_CLOEXEC)); }

int cl_epoll_set(int epoll, int fd, uint32_t interest, uint64_t token, int is_new) {
  struct epoll_event event = {.events = EPOLLRDHUP, .data.u64 = token};
  if (interest & CL_POLL_READ) event.events |= EPOLLIN;
  if (interest & CL_POLL_WRITE) event.events |= EPOLLOUT;
  if (interest & CL_POLL_PRIORITY) event.events |= EPOLLPRI;
  // A peer that has half closed and whom we do not read now must not wake us again and again.
  if (!(interest & CL_POLL_READ)) event.events &= ~(uint32_t)EPOLLRDHUP;
  OR_ERRNO(epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event));
}

int cl_epoll_remove(int epoll, int fd) { OR_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL)); }

int cl_epoll_wait(int epoll, struct cl_event *events, int count, int timeout_ms) {
  struct epoll_event native[64];
  if (count > 64) count = 64;
  int ready = epoll_wait(epoll, native, count, timeout_ms);
  if (ready < 0) return -errno;
  for (int i = 0; i < ready; i++) {
    uint32_t flags = 0;
    if (native[i].events & (EPOLLIN | EPOLLRDHUP)) flags |= CL_POLL_READ;
    if (native[i].events & EPOLLOUT) flags |= CL_POLL_WRITE;
    if (native[i].events & EPOLLPRI) flags |= CL_POLL_PRIORITY;
    if (native[i].events & (EPOLLERR | EPOLLHUP)) flags |= CL_POLL_HANGUP;
    events[i].token = native[i].data.u64;
    events[i].ready = flags;
  }
  return ready;
}

int cl_eventfd(void) { OR_ERRNO(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cl_eventfd_signal(int fd) {
  uint64_t one = 1;
  return write(fd, &one, sizeof one) < 0 && errno != EAGAIN ? -errno : 0;
}

int cl_eventfd_drain(int fd) {
  uint64_t count;
  return read(fd, &count, sizeof count) < 0 && errno != EAGAIN ? -errno : 0;
}

int cl_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  signal(SIGPIPE, SIG_IGN);
  if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -EINVAL;
  OR_ERRNO(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cl_signalfd_read(int fd) {
  struct signalfd_siginfo info;
  if (read(fd, &info, sizeof info) < 0) return -errno;
  return (int)info.ssi_signo;
}

static int64_t clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t cl_monotonic_us(void) { return clock_us(CLOCK_MONOTONIC); }
int64_t cl_time(void) { return clock_us(CLOCK_REALTIME) / 1000000; }
int64_t cl_time_us(void) { return clock_us(CLOCK_REALTIME); }

int cl_set_time(int64_t time) {
  struct timespec now = {.tv_sec = (time_t)time};
  if (clock_settime(CLOCK_REALTIME, &now) < 0) return -errno;
  struct tm utc;
  time_t seconds = now.tv_sec;
  gmtime_r(&seconds, &utc);
  struct rtc_time hardware = {utc.tm_sec, utc.tm_min, utc.tm_hour, utc.tm_mday, utc.tm_mon, utc.tm_year, 0, 0, 0};
  int rtc = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
  if (rtc < 0) return 0;
  ioctl(rtc, RTC_SET_TIME, &hardware);
  return close(rtc) < 0 ? -errno : 0;
}

int cl_local_offset(int64_t time) {
  time_t native = (time_t)time;
  struct tm local;
  return localtime_r(&native, &local) == NULL ? 0 : (int)local.tm_gmtoff;
}

int cl_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}

uint32_t cl_uid(void) { return geteuid(); }
int cl_pid(void) { return getpid(); }

int cl_hostname(char *out, size_t size) {
  if (gethostname(out, size) < 0) return -errno;
  out[size - 1] = 0;
  return 0;
}

int cl_isatty(int fd) { return isatty(fd); }
const char *cl_getenv(const char *name) { return getenv(name); }
int cl_setenv(const char *name, const char *value) { OR_ERRNO(setenv(name, value, 1)); }
void cl_exit(int code) { exit(code); }
int cl_mkdtemp(char *path_template) { return mkdtemp(path_template) == NULL ? -errno : 0; }

int cl_getpass_mode(int fd, int quiet) {
  struct termios mode;
  if (tcgetattr(fd, &mode) < 0) return -errno;
  if (quiet) mode.c_lflag &= ~(tcflag_t)ECHO;
  else mode.c_lflag |= ECHO;
  OR_ERRNO(tcsetattr(fd, TCSAFLUSH, &mode));
}

int cl_user(const char *name, uint32_t *uid, uint32_t *gid) {
  struct passwd entry, *found = NULL;
  char buffer[4096];
  int error = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
  if (error != 0) return -error;
  if (found == NULL) return -ENOENT;
  *uid = found->pw_uid;
  *gid = found->pw_gid;
  return 0;
}

// MARK: commands

// glibc hands a program's arguments to its constructors, so there is no need for /proc or a main of our own.
static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
}

int cl_argument_count(void) { return argument_count; }
const char *cl_argument(int index) { return index < argument_count ? arguments[index] : NULL; }

int cl_owner(const char *path, uint32_t *uid, uint32_t *gid) {
  struct stat native;
  if (stat(path, &native) < 0) return -errno;
  *uid = native.st_uid;
  *gid = native.st_gid;
  return 0;
}

int cl_become(uint32_t uid, uint32_t gid) {
  if (setegid(gid) < 0) return -errno;
  OR_ERRNO(seteuid(uid));
}

int cl_files_as(uint32_t uid, uint32_t gid) {
  // These two report no errors: they return what was, and asking with an impossible one tells what is.
  setfsgid(gid);
  setfsuid(uid);
  return (uint32_t)setfsuid((uid_t)-1) == uid && (uint32_t)setfsgid((gid_t)-1) == gid ? 0 : -EPERM;
}

int cl_became(uint32_t *uid, uint32_t *gid) {
  *uid = geteuid();
  *gid = getegid();
  return getuid() == 0 && *uid != 0;
}

static const int secret_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
enum { SECRET_SIGNALS = sizeof secret_signals / sizeof *secret_signals };
static volatile sig_atomic_t secret_signal;

static void on_secret_signal(int number) { secret_signal = number; }

int64_t cl_read_secret(int terminal, void *buffer, size_t size) {
  struct termios before, quiet;
  if (tcgetattr(terminal, &before) < 0) return -errno;
  struct sigaction action = {.sa_handler = on_secret_signal}, actions[SECRET_SIGNALS];
  secret_signal = 0;
  for (int i = 0; i < SECRET_SIGNALS; i++) sigaction(secret_signals[i], &action, &actions[i]);
  quiet = before;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
  int64_t result = tcsetattr(terminal, TCSAFLUSH, &quiet) < 0 ? -errno : 0;
  char *line = buffer;
  while (result >= 0 && secret_signal == 0) {
    char octet;
    ssize_t got = read(terminal, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) result = -errno;
    if (got <= 0 || octet == '\n' || octet == '\r') break;
    // A line that is too long is still read to its end.
    if ((size_t)result < size) line[result++] = octet;
  }
  // The line's end was not shown either.
  if (write(terminal, "\n", 1) < 0) result = -errno;
  tcsetattr(terminal, TCSAFLUSH, &before);
  for (int i = 0; i < SECRET_SIGNALS; i++) sigaction(secret_signals[i], &actions[i], NULL);
  if (secret_signal != 0) {
    explicit_bzero(buffer, size);
    kill(getpid(), secret_signal);
    return -EINTR;
  }
  return result;
}

int cl_duplicate(int fd) { OR_ERRNO(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }
int cl_redirect(int target, int source) { OR_ERRNO(dup3(source, target, O_CLOEXEC)); }

int cl_rename_new(const char *from, const char *to) {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -errno;
  // A file system without it may still have links.
  if (link(from, to) < 0) return -errno;
  OR_ERRNO(unlink(from));
}

int cl_terminal_width(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}

int cl_raise(int signal_number) { OR_ERRNO(kill(getpid(), signal_number)); }

// MARK: threads

struct cl_mutex { pthread_mutex_t native; };
struct cl_condition { pthread_cond_t native; };

cl_mutex *cl_mutex_make(void) {
  cl_mutex *mutex = malloc(sizeof *mutex);
  if (mutex == NULL) abort();
  pthread_mutex_init(&mutex->native, NULL);
  return mutex;
}

void cl_mutex_free(cl_mutex *mutex) {
  pthread_mutex_destroy(&mutex->native);
  free(mutex);
}

void cl_mutex_lock(cl_mutex *mutex) { pthread_mutex_lock(&mutex->native); }
void cl_mutex_unlock(cl_mutex *mutex) { pthread_mutex_unlock(&mutex->native); }

cl_condition *cl_condition_make(void) {
  cl_condition *condition = malloc(sizeof *condition);
  if (condition == NULL) abort();
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition->native, &attributes);
  pthread_condattr_destroy(&attributes);
  return condition;
}

void cl_condition_free(cl_condition *condition) {
  pthread_cond_destroy(&condition->native);
  free(condition);
}

void cl_condition_signal(cl_condition *condition) { pthread_cond_signal(&condition->native); }

void cl_condition_wait(cl_condition *condition, cl_mutex *mutex) {
  pthread_cond_wait(&condition->native, &mutex->native);
}

int cl_condition_wait_us(cl_condition *condition, cl_mutex *mutex, int64_t microseconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(microseconds / 1000000);
  until.tv_nsec += (long)(microseconds % 1000000) * 1000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec += 1;
    until.tv_nsec -= 1000000000;
  }
  return pthread_cond_timedwait(&condition->native, &mutex->native, &until) == ETIMEDOUT;
}

struct start {
  void *context;
  void (*body)(void *context);
};

static void *begin(void *argument) {
  struct start start = *(struct start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

int cl_thread(size_t stack, void *context, void (*body)(void *context)) {
  struct start *start = malloc(sizeof *start);
  if (start == NULL) return -ENOMEM;
  start->context = context;
  start->body = body;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  // Signals belong to the thread that reads the signalfd.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, begin, start);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error != 0) free(start);
  return -error;
}

// MARK: OpenSSL

int cl_random(void *out, size_t count) { return RAND_bytes(out, (int)count) == 1 ? 0 : -EIO; }

int cl_sha256(const void *data, size_t count, uint8_t out[32]) {
  return EVP_Digest(data, count, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int cl_hmac_sha256(const void *key, size_t key_count, const void *data, size_t count, uint8_t out[32]) {
  return HMAC(EVP_sha256(), key, (int)key_count, data, count, out, NULL) != NULL ? 0 : -EIO;
}

int cl_pbkdf2_sha256(const void *password, size_t count, const void *salt, size_t salt_count, int iterations,
                     uint8_t out[32]) {
  return PKCS5_PBKDF2_HMAC(password, (int)count, salt, (int)salt_count, iterations, EVP_sha256(), 32, out) == 1
             ? 0
             : -EIO;
}

int cl_equal(const void *a, const void *b, size_t count) { return CRYPTO_memcmp(a, b, count) == 0; }
void cl_cleanse(void *data, size_t count) { OPENSSL_cleanse(data, count); }
