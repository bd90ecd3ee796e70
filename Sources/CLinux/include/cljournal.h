// The journal's own protocol, by libsystemd.
//
// Every function that can fail returns a negative errno value.
#ifndef CLJOURNAL_H
#define CLJOURNAL_H

#include <stddef.h>

// Whether fd is connected to the journal, and the journal can be reached in its own way ($JOURNAL_STREAM,
// sd_journal_stream_fd(3)).
int cl_journal_is(int fd);

// Sends one entry of lines NAME=value, each with its LF. Waits as long as the journal lets it wait.
int cl_journal_send(const char *lines, size_t count);

#endif
