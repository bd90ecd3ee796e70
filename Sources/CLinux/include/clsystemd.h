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

#endif
