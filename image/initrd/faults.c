// What ext4 found wrong while it was in use, and how often: a device restarts to have it repaired, but not for ever.
#include "init.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

/// Restarts in a row for faults, before a device stays up with what can still be read.
enum { RESTARTS = 3 };
enum { SECTOR = 512 };

static const char word[] = "restante faults=";

static uint32_t number(const uint8_t *at) { return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24; }

/// The kernel's ext4/super.rst: what it has noted about errors; e2fsck takes it out again.
static bool read_superblock(int disk, char *what, size_t size) {
  enum { MAGIC = 0x38, STATE = 0x3A, ERRORS = 2, INODE = 0x1D0, LINE = 0x1D4, FUNCTION = 0x1E0 };
  uint8_t block[1024];
  if (pread(disk, block, sizeof block, sizeof block) != sizeof block) return false;
  if (block[MAGIC] != 0x53 || block[MAGIC + 1] != 0xEF || (block[STATE] & ERRORS) == 0) return false;
  snprintf(what, size, "%.32s:%u, inode %u", (const char *)block + FUNCTION, number(block + LINE), number(block + INODE));
  return true;
}

/// Keeps the count in the first sector of the partition, in front of the file system, where no fault of it does harm.
/// False when the card did not take it: some say that all is well when they are worn, and keep nothing.
static bool write_count(int disk, long count) {
  uint8_t random[8], sector[SECTOR] = "", again[SECTOR] = "";
  char *text = (char *)sector;
  if (getrandom(random, sizeof random, 0) != sizeof random) return true;
  int length = snprintf(text, SECTOR, "%s%ld start=", word, count);
  for (size_t i = 0; i < sizeof random; i++) length += snprintf(text + length, SECTOR - (size_t)length, "%02x", random[i]);
  text[length] = '\n';
  return pwrite(disk, sector, SECTOR, 0) == SECTOR && fsync(disk) == 0 && ioctl(disk, BLKFLSBUF, 0) == 0 &&
    pread(disk, again, SECTOR, 0) == SECTOR && memcmp(sector, again, SECTOR) == 0;
}

struct faults count_faults(const char *device) {
  struct faults faults = {0};
  int disk = open(device, O_RDWR | O_CLOEXEC);
  if (disk < 0) return faults;
  faults.is_found = read_superblock(disk, faults.what, sizeof faults.what);
  char sector[SECTOR + 1] = "";
  if (pread(disk, sector, SECTOR, 0) == SECTOR && strncmp(sector, word, sizeof word - 1) == 0) {
    faults.count = atol(sector + sizeof word - 1);
  }
  if (faults.is_found) faults.count++;
  faults.is_kept = write_count(disk, faults.count);
  close(disk);
  return faults;
}

bool may_restart(const struct faults *faults, const char *forgiven) {
  char text[32] = "";
  long before = read_file(forgiven, text, sizeof text) > 0 ? atol(text) : 0;
  return faults->is_kept && faults->count - before <= RESTARTS;
}
