#define _GNU_SOURCE

#include "clstorage.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sys/mount.h>
#include <unistd.h>

int cl_mount(const char *device, const char *directory, const char *type, const char *options, int read_only) {
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | (read_only ? MS_RDONLY : 0);
  return mount(device, directory, type, flags, options) < 0 ? -errno : 0;
}

int cl_unmount(const char *directory, int detach) {
  return umount2(directory, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)) < 0 ? -errno : 0;
}

int cl_sync_filesystem(int fd) { return syncfs(fd) < 0 ? -errno : 0; }

int64_t cl_read_link(const char *path, char *out, size_t size) {
  ssize_t count = readlink(path, out, size);
  return count < 0 ? -errno : count;
}

// A cl_digest is an EVP_MD_CTX: nothing of ours is needed besides.
static EVP_MD_CTX *native(cl_digest *digest) { return (EVP_MD_CTX *)(void *)digest; }

static int begin(EVP_MD_CTX *context) { return EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1; }

cl_digest *cl_digest_make(void) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context != NULL && begin(context)) return (cl_digest *)(void *)context;
  EVP_MD_CTX_free(context);
  return NULL;
}

int cl_digest_add(cl_digest *digest, const void *data, size_t count) {
  return EVP_DigestUpdate(native(digest), data, count) == 1 ? 0 : -EIO;
}

int cl_digest_end(cl_digest *digest, uint8_t out[32]) {
  return EVP_DigestFinal_ex(native(digest), out, NULL) == 1 && begin(native(digest)) ? 0 : -EIO;
}

void cl_digest_free(cl_digest *digest) { EVP_MD_CTX_free(native(digest)); }
