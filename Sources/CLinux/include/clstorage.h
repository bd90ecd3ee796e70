// Disks that come and go, and sums of what is on them.
//
// Every function that can fail returns a negative errno value.
#ifndef CLSTORAGE_H
#define CLSTORAGE_H

#include <stddef.h>
#include <stdint.h>

// Mounts a file system for data: no programs, no devices, no set-user bits. `options` are the file system's own.
int cl_mount(const char *device, const char *directory, const char *type, const char *options, int read_only);
int cl_unmount(const char *directory, int detach);  // CL_EBUSY while somebody uses it, unless it is detached
int cl_sync_filesystem(int fd);                     // all that was written to the file system an open file is on
int64_t cl_read_link(const char *path, char *out, size_t size);

// SHA-256 of what comes piece by piece.
typedef struct cl_digest cl_digest;
cl_digest *cl_digest_make(void);  // NULL without memory
int cl_digest_add(cl_digest *digest, const void *data, size_t count);
int cl_digest_end(cl_digest *digest, uint8_t out[32]);  // and begins anew
void cl_digest_free(cl_digest *digest);

#endif
