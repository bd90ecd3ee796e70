// Other programs: starting them, and waiting for their end.
//
// Every function that can fail returns a negative errno value.
#ifndef CLPROCESS_H
#define CLPROCESS_H

#include <stddef.h>

// Two ends of a pipe, both close-on-exec: out[0] is read, out[1] written.
int cl_pipe(int out[2]);
// Starts a program that is looked for in PATH; `words` are `count` strings one after the other, each with its NUL, the
// first of them the program. The three descriptors become its standard ones; -1 is /dev/null. It has no other
// descriptor of ours, our real user's rights, no signal blocked or ignored, and, with `session`, a session of its own,
// so that a terminal's hang-up does not reach it. Returns the process's identifier.
int cl_spawn(const char *words, int count, int input, int output, int error, int session);
// How a child ended: its exit code, or 128 and the number of the signal that ended it. CL_EAGAIN while it runs, unless
// it shall be waited for.
int cl_wait_child(int process, int wait);
// A descriptor that is readable once the process has ended.
int cl_process_descriptor(int process);
int cl_kill(int process, int signal_number);

enum { CL_SIGKILL = 9 };

#endif
