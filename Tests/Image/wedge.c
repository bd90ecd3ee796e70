/* Holds every thread of a process but its first, as a fault in the kernel might, until it is killed: wedge PID. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", atoi(argv[1]));
  DIR *tasks = opendir(path);
  if (!tasks) return 66;
  int held = 0;
  for (struct dirent *entry; (entry = readdir(tasks));) {
    pid_t task = atoi(entry->d_name);
    if (task <= 0 || task == atoi(argv[1])) continue;
    if (ptrace(PTRACE_ATTACH, task, 0, 0) != 0 || waitpid(task, NULL, __WALL) != task) {
      perror("wedge");
      return 71;
    }
    held++;
  }
  printf("%d held\n", held);
  fflush(stdout);
  if (held == 0) return 69;
  // They do not go on, but their end is taken note of: else the process could not end either.
  while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR) {
  }
  return 0;
}
