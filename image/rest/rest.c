// Waits at a terminal for somebody to come, in place of the console, which takes thirty times the memory:
//   rest TERMINAL COMMAND...
// becomes the command when something was typed, which is left for it to read; and also when the line was hung up, for the
// command to begin anew.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void hang_up(int number) { (void)number; }

int main(int count, char **words) {
  if (count < 3) return 64;
  signal(SIGHUP, hang_up);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  struct pollfd terminal = {.fd = open(words[1], O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), .events = POLLIN};
  if (terminal.fd >= 0 && poll(&terminal, 1, -1) == 1 && terminal.revents == POLLIN) {
    setenv("RESTANTE_RESTED", "1", 1);
  } else {
    // A line without anybody says so again and again.
    sleep(1);
  }
  execv(words[2], words + 2);
  return 71;
}
