#define _GNU_SOURCE
// Where in the source an event is noted says nothing to a technician.
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "cljournal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

int cl_journal_is(int fd) {
  const char *stream = getenv("JOURNAL_STREAM");
  uintmax_t device, inode;
  struct stat is;
  // Without its socket, which a sandbox may hide, libsystemd would drop every entry and say that all is well.
  return stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(fd, &is) == 0 &&
         is.st_dev == device && is.st_ino == inode && access("/run/systemd/journal/socket", W_OK) == 0;
}

int cl_journal_send(const char *lines, size_t count) {
  struct iovec fields[64];
  int number = 0;
  while (count > 0 && number < 64) {
    const char *end = memchr(lines, '\n', count);
    size_t length = end == NULL ? count : (size_t)(end - lines);
    fields[number++] = (struct iovec){(void *)lines, length};
    if (end == NULL) break;
    lines += length + 1;
    count -= length + 1;
  }
  return sd_journal_sendv(fields, number);
}
