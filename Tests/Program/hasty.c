// To be preloaded: for the program minutes pass in seconds. What it starts has its own pace.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HASTE = 30 };

__attribute__((constructor)) static void begin(void) { unsetenv("LD_PRELOAD"); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_MONOTONIC) {
    long long passed = (now->tv_sec * 1000000000LL + now->tv_nsec) * HASTE;
    *now = (struct timespec){.tv_sec = passed / 1000000000, .tv_nsec = passed % 1000000000};
  }
  return result;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
  int timeout = milliseconds > 0 ? (milliseconds + HASTE - 1) / HASTE : milliseconds;
  return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout, NULL, 8);
}
