// What Swift cannot import by itself: errno, macros, variadic functions, OpenSSL's and libsystemd's headers.
//
// Every function that can fail returns a negative errno value instead of setting errno. Sizes and offsets are
// 64 bits wide on every architecture. Nothing here allocates for the caller or keeps a pointer it was given.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

// MARK: errors

enum {
  CL_EPERM = 1, CL_ENOENT = 2, CL_EINTR = 4, CL_EIO = 5, CL_EBADF = 9, CL_EAGAIN = 11, CL_ENOMEM = 12,
  CL_EACCES = 13, CL_EEXIST = 17, CL_ENOTDIR = 20, CL_EISDIR = 21, CL_EINVAL = 22, CL_ENFILE = 23, CL_EMFILE = 24,
  CL_EFBIG = 27, CL_ENOSPC = 28, CL_EROFS = 30, CL_EPIPE = 32, CL_EADDRINUSE = 98, CL_ECONNRESET = 104,
  CL_EDQUOT = 122, CL_EINPROGRESS = 115, CL_ECONNREFUSED = 111, CL_EOPNOTSUPP = 95,
};
// The kernel's words for `error` (positive errno). Static storage.
const char *cl_strerror(int error);

// MARK: files

enum {
  CL_READ = 1, CL_WRITE = 2, CL_CREATE = 4, CL_EXCLUSIVE = 8, CL_TRUNCATE = 16, CL_APPEND = 32, CL_DIRECTORY = 64,
  CL_NOFOLLOW = 128,
};
struct cl_stat {
  int64_t size;        // octets
  int64_t blocks;      // of 512 octets, really on disk
  int64_t mtime;       // seconds since 1970
  int64_t mtime_ns;    // and nanoseconds
  uint64_t inode;
  uint32_t mode;       // st_mode
  uint32_t uid;
  uint32_t gid;
  int is_directory;
  int is_regular;
};
int cl_open(const char *path, int flags, uint32_t mode);
int cl_openat(int directory, const char *path, int flags, uint32_t mode);
int cl_close(int fd);
int64_t cl_read(int fd, void *buffer, size_t count);
int64_t cl_write(int fd, const void *buffer, size_t count);
int64_t cl_write_now(int fd, const void *buffer, size_t count);  // at most a page of it; CL_EAGAIN if it would wait
int64_t cl_pread(int fd, void *buffer, size_t count, int64_t offset);
int64_t cl_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
int cl_fdatasync(int fd);
int cl_fsync(int fd);
int cl_forget_cached(int fd);  // what is read next comes from the device, as far as it was flushed
int cl_ftruncate(int fd, int64_t size);
int cl_allocate(int fd, int64_t offset, int64_t length);      // fallocate, size kept
int cl_punch_hole(int fd, int64_t offset, int64_t length);
int cl_start_writeback(int fd, int64_t offset, int64_t length);  // sync_file_range, does not wait
int64_t cl_seek_data(int fd, int64_t offset);
int cl_rename(const char *from, const char *to);
int cl_unlink(const char *path);
int cl_mkdir(const char *path, uint32_t mode);
int cl_rmdir(const char *path);
int cl_stat(const char *path, struct cl_stat *out);
int cl_fstat(int fd, struct cl_stat *out);
int cl_lock(int fd, int wait);  // flock, exclusive; CL_EAGAIN when held elsewhere
int cl_statvfs(const char *path, int64_t *total, int64_t *available);  // octets
int cl_chown(const char *path, uint32_t uid, uint32_t gid);
int cl_fchown(int fd, uint32_t uid, uint32_t gid);
int cl_fchmod(int fd, uint32_t mode);
// Calls `each` with every name in the directory but "." and "..", until it returns nonzero.
int cl_list(const char *path, void *context, int (*each)(void *context, const char *name));

// MARK: sockets

struct cl_address {
  uint8_t octets[16];  // IPv4 as the first four
  uint16_t port;
  uint8_t family;      // 4, 6, or 1 for a unix socket
};
// Bound and listening. family 4 or 6; six-only is always set. Returns a non-blocking descriptor.
int cl_listen(const struct cl_address *address, int backlog);
int cl_listen_unix(const char *path, int backlog);
int cl_connect_unix(const char *path);
// Blocking; for demo and the administration commands. Connecting, sending and receiving each take `milliseconds` at most,
// then CL_EAGAIN; 0 for ever.
int cl_connect(const struct cl_address *address, int milliseconds);
int cl_accept(int fd, struct cl_address *peer);    // non-blocking, close-on-exec
int cl_local_address(int fd, struct cl_address *local);
int64_t cl_recv(int fd, void *buffer, size_t count);
int64_t cl_send(int fd, const void *buffer, size_t count, int more);  // more: MSG_MORE. Never SIGPIPE
int64_t cl_sendfile(int socket, int file, int64_t offset, size_t count);
int cl_nodelay(int fd, int on);
int cl_shutdown_write(int fd);
int cl_peer_uid(int fd, uint32_t *uid);
int cl_unsent(int fd);                              // octets the peer has not acknowledged yet (SIOCOUTQ)
int cl_parse_address(const char *text, struct cl_address *out);  // address only; port is left alone
// The addresses by which others reach this device, as of now, each after a space: no loopback or link-local ones.
// Returns the length.
int cl_own_addresses(char *out, size_t size);
// The addresses of a host, each after a space, by the system's resolver, which waits for its servers. The length.
int cl_look_up(const char *name, char *out, size_t size);
int cl_format_address(const struct cl_address *address, char *out, size_t size);

// MARK: events, time, processes

enum { CL_POLL_READ = 1, CL_POLL_WRITE = 2, CL_POLL_HANGUP = 4, CL_POLL_PRIORITY = 8 };
struct cl_event { uint64_t token; uint32_t ready; };
int cl_epoll(void);
int cl_epoll_set(int epoll, int fd, uint32_t interest, uint64_t token, int is_new);
int cl_epoll_remove(int epoll, int fd);
int cl_epoll_wait(int epoll, struct cl_event *events, int count, int timeout_ms);
int cl_eventfd(void);
int cl_eventfd_signal(int fd);
int cl_eventfd_drain(int fd);
int cl_signalfd(void);        // blocks and delivers TERM, INT, HUP, USR1; ignores PIPE
int cl_signalfd_read(int fd); // the signal's number
enum { CL_SIGHUP = 1, CL_SIGINT = 2, CL_SIGUSR1 = 10, CL_SIGTERM = 15 };
int64_t cl_monotonic_us(void);
int64_t cl_time(void);         // seconds since 1970
int64_t cl_time_us(void);
int cl_set_time(int64_t time); // and a clock with a battery, where there is one
int cl_local_offset(int64_t time);  // seconds east of UTC
int cl_raise_descriptor_limit(void);  // the number allowed then
uint32_t cl_uid(void);
int cl_pid(void);
int cl_hostname(char *out, size_t size);
int cl_isatty(int fd);
const char *cl_getenv(const char *name);
int cl_setenv(const char *name, const char *value);
void cl_exit(int code);
int cl_mkdtemp(char *path_template);
int cl_getpass_mode(int fd, int quiet);  // terminal echo off and on
int cl_user(const char *name, uint32_t *uid, uint32_t *gid);

// MARK: commands

// What main was called with, the program's name first. `cl_argument` gives static storage.
int cl_argument_count(void);
const char *cl_argument(int index);
int cl_owner(const char *path, uint32_t *uid, uint32_t *gid);
// Root takes another user's rights and keeps its own in reserve: of all threads,
int cl_become(uint32_t uid, uint32_t gid);
// or for this thread's next calls that touch files.
int cl_files_as(uint32_t uid, uint32_t gid);
int cl_became(uint32_t *uid, uint32_t *gid);  // 1 and whom, when root became another
// Reads a line without its end from a terminal that does not show it. However it ends (a signal is raised again after
// the terminal's mode is put back), the terminal shows what is typed again. Returns the line's length; CL_EINTR after
// a pause (SIGTSTP): ask again.
int64_t cl_read_secret(int terminal, void *buffer, size_t size);
int cl_duplicate(int fd);
int cl_redirect(int target, int source);  // dup3, close-on-exec
int cl_rename_new(const char *from, const char *to);  // CL_EEXIST instead of replacing
int cl_terminal_width(int fd);                        // columns; 0 when unknown
int cl_raise(int signal_number);                      // to this process

// MARK: threads

typedef struct cl_mutex cl_mutex;
typedef struct cl_condition cl_condition;
cl_mutex *cl_mutex_make(void);
void cl_mutex_free(cl_mutex *mutex);
void cl_mutex_lock(cl_mutex *mutex);
void cl_mutex_unlock(cl_mutex *mutex);
cl_condition *cl_condition_make(void);
void cl_condition_free(cl_condition *condition);
void cl_condition_signal(cl_condition *condition);
void cl_condition_wait(cl_condition *condition, cl_mutex *mutex);
// Returns nonzero when the time was up first.
int cl_condition_wait_us(cl_condition *condition, cl_mutex *mutex, int64_t microseconds);
// A detached thread with a stack of `stack` octets, all signals blocked.
int cl_thread(size_t stack, void *context, void (*body)(void *context));

// MARK: OpenSSL

int cl_random(void *out, size_t count);
int cl_sha256(const void *data, size_t count, uint8_t out[32]);
int cl_hmac_sha256(const void *key, size_t key_count, const void *data, size_t count, uint8_t out[32]);
int cl_pbkdf2_sha256(const void *password, size_t count, const void *salt, size_t salt_count, int iterations,
                     uint8_t out[32]);
int cl_equal(const void *a, const void *b, size_t count);  // constant time; 1 when equal
void cl_cleanse(void *data, size_t count);

#endif
