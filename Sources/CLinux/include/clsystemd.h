// libsystemd: what the service manager is told, what it hands over, and the journal.
//
// Every function that can fail returns a negative errno value.
#ifndef CLSYSTEMD_H
#define CLSYSTEMD_H

#include <stddef.h>
#include <stdint.h>

// MARK: the service manager

// Sends lines such as "READY=1\nSTATUS=..." (sd_notify(3)). 1 when sent, 0 where no service manager listens.
int cl_notify(const char *state);
// Calls `each` with every descriptor that was handed over (sd_listen_fds(3)), non-blocking, and its name, and forgets
// that they were. The caller owns them. Returns how many.
int cl_passed_sockets(void *context, void (*each)(void *context, int fd, const char *name));
// Microseconds within which the service manager wants to hear WATCHDOG=1; 0 when it does not.
int64_t cl_watchdog_us(void);
// Gives memory that is not used back to the kernel.
void cl_return_memory(void);

#endif
