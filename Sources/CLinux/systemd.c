#define _GNU_SOURCE

#include "clsystemd.h"

#include <systemd/sd-daemon.h>

// MARK: the service manager

int cl_notify(const char *state) { return sd_notify(0, state); }
