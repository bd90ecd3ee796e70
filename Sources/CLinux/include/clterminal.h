// The terminal of a dialogue: a serial line, a virtual console, a pseudo-terminal.
//
// Every function that can fail returns a negative errno value.
#ifndef CLTERMINAL_H
#define CLTERMINAL_H

#include <stdint.h>

// Opens a terminal; neither a missing carrier nor a full line makes it wait. With `waits`, reading and writing do, as
// other programs expect. A process that leads a session without a terminal gets it as its controlling one.
// From the first call on, nothing that is typed can stop or kill this process.
int cl_terminal_open(const char *path, int waits);
// How the terminal handles octets.
enum {
  CL_TERMINAL_BEFORE = 0,  // as it was when it was first changed
  CL_TERMINAL_RAW = 1,     // passes them on as they come; only XON and XOFF are the terminal's own
  CL_TERMINAL_LINES = 2,   // lines, echo and signals, for other programs
};
int cl_terminal_mode(int fd, int mode);
// Drops what was typed and not read yet, or what was written and not sent yet.
int cl_terminal_drop(int fd, int output);
// Makes this process's group the terminal's foreground again, after a shell.
int cl_terminal_foreground(int fd);
// Which group of processes is in the terminal's foreground.
int cl_terminal_group(int fd);
// When something that was typed was last read from the terminal, by whomever: seconds since 1970, to some eight seconds.
int64_t cl_terminal_last_read(int fd);
/// This process becomes the small program that waits for somebody at a terminal; it starts this one again, with the same
/// arguments, when something was typed. Returns only where that program is not.
void cl_terminal_rest(const char *path);
/// Whether this process was started again by that program. True once.
int cl_terminal_rested(void);

#endif
