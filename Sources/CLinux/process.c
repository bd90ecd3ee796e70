#define _GNU_SOURCE

#include "clprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int cl_pipe(int out[2]) { return pipe2(out, O_CLOEXEC) < 0 ? -errno : 0; }

int cl_spawn(const char *words, int count, int input, int output, int error, int session) {
  char **arguments = calloc((size_t)count + 1, sizeof *arguments);
  if (arguments == NULL) return -ENOMEM;
  for (int i = 0; i < count; i++) {
    arguments[i] = (char *)words;
    words += strlen(words) + 1;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int given[] = {input, output, error};
  for (int i = 0; i < 3; i++) {
    // A descriptor that stays where it is loses its close-on-exec by being duplicated onto itself.
    if (given[i] >= 0) posix_spawn_file_actions_adddup2(&actions, given[i], i);
    else posix_spawn_file_actions_addopen(&actions, i, "/dev/null", i == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t set;
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigfillset(&set);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_RESETIDS |
                                                (session ? POSIX_SPAWN_SETSID : 0)));
  pid_t process = 0;
  int failure = posix_spawnp(&process, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  free(arguments);
  return failure != 0 ? -failure : process;
}

int cl_wait_child(int process, int wait) {
  int status = 0;
  pid_t ended;
  do ended = waitpid(process, &status, wait ? 0 : WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended < 0) return -errno;
  if (ended == 0) return -EAGAIN;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int cl_process_descriptor(int process) {
  int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int cl_kill(int process, int signal_number) { return kill(process, signal_number) < 0 ? -errno : 0; }
