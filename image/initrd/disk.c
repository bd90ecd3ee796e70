// Partitions: found by the names in the GUID partition table (UEFI 2.10 §5.3), and the last one grown.
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/// The value of a line KEY=value.
static bool value_of(const char *text, const char *key, char *value, size_t size) {
  size_t length = strlen(key);
  for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, key, length) != 0 || line[length] != '=') continue;
    snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
    return true;
  }
  return false;
}

bool find_partition(const char *label, const char *disk_name, struct partition *found) {
  DIR *directory = opendir("/sys/class/block");
  if (directory == NULL) return false;
  bool is_found = false;
  for (struct dirent *entry = readdir(directory); entry != NULL && !is_found; entry = readdir(directory)) {
    char path[TEXT_SIZE], text[1024], value[TEXT_SIZE], target[TEXT_SIZE];
    snprintf(path, sizeof path, "/sys/class/block/%s/uevent", entry->d_name);
    if (entry->d_name[0] == '.' || read_file(path, text, sizeof text) <= 0) continue;
    if (!value_of(text, "PARTNAME", value, sizeof value) || strcmp(value, label) != 0) continue;
    if (!value_of(text, "PARTN", value, sizeof value)) continue;
    // .../block/sda/sda7: the disk's name is the last but one.
    snprintf(path, sizeof path, "/sys/class/block/%s", entry->d_name);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = 0;
    char *last = strrchr(target, '/');
    if (last == NULL) continue;
    *last = 0;
    char *disk = strrchr(target, '/');
    if (disk == NULL || (disk_name != NULL && strcmp(disk + 1, disk_name) != 0)) continue;
    found->number = atoi(value);
    snprintf(found->device, sizeof found->device, "/dev/%.50s", entry->d_name);
    snprintf(found->disk, sizeof found->disk, "/dev/%.50s", disk + 1);
    snprintf(found->disk_name, sizeof found->disk_name, "%.31s", disk + 1);
    is_found = true;
  }
  closedir(directory);
  return is_found;
}

// MARK: growing

struct header {
  char signature[8];
  uint32_t revision, size, checksum, reserved;
  uint64_t self, other, first_usable, last_usable;
  uint8_t disk[16];
  uint64_t entries;
  uint32_t entry_count, entry_size, entries_checksum;
} __attribute__((packed));

struct entry {
  uint8_t type[16], unique[16];
  uint64_t first, last, attributes;
  uint16_t name[36];
} __attribute__((packed));

_Static_assert(sizeof(struct header) == 92 && sizeof(struct entry) == 128, "as on the disk");

/// CRC-32 as in Ethernet.
static uint32_t checksum(const void *octets, size_t count) {
  const uint8_t *octet = octets;
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; i++) {
    crc ^= octet[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

static bool transfer(int disk, bool writes, void *octets, size_t count, uint64_t offset) {
  ssize_t done = writes ? pwrite(disk, octets, count, (off_t)offset) : pread(disk, octets, count, (off_t)offset);
  return done == (ssize_t)count;
}

/// Octets of table, rounded to whole sectors.
static size_t table_size(const struct header *header, unsigned sector) {
  size_t octets = (size_t)header->entry_count * header->entry_size;
  return (octets + sector - 1) / sector * sector;
}

static bool is_header(const struct header *header, unsigned sector) {
  if (memcmp(header->signature, "EFI PART", 8) != 0 || header->size != sizeof *header) return false;
  if (header->entry_size != sizeof(struct entry) || header->entry_count < 1 || header->entry_count > 128) return false;
  struct header copy = *header;
  copy.checksum = 0;
  return checksum(&copy, sizeof copy) == header->checksum && header->entries > 1 && sector >= 512;
}

static bool write_table(int disk, struct header header, struct entry *entries, uint64_t at, uint64_t other,
                        uint64_t entries_at, unsigned sector) {
  uint8_t block[4096] = {0};
  header.self = at;
  header.other = other;
  header.entries = entries_at;
  header.checksum = 0;
  header.checksum = checksum(&header, sizeof header);
  memcpy(block, &header, sizeof header);
  // The entries first, and each flushed: a header with a good sum speaks of entries that are there.
  return transfer(disk, true, entries, table_size(&header, sector), entries_at * sector) && fsync(disk) == 0
    && transfer(disk, true, block, sector, at * sector) && fsync(disk) == 0;
}

bool grow_partition(const struct partition *partition) {
  int disk = open(partition->disk, O_RDWR | O_CLOEXEC);
  if (disk < 0) return false;
  struct entry *entries = NULL;
  bool grew = false;
  unsigned sector = 0;
  uint64_t octets = 0;
  uint8_t block[4096];
  struct header header;
  if (ioctl(disk, BLKSSZGET, &sector) != 0 || ioctl(disk, BLKGETSIZE64, &octets) != 0) goto end;
  if (sector < 512 || sector > sizeof block || !transfer(disk, false, block, sector, sector)) goto end;
  memcpy(&header, block, sizeof header);
  if (!is_header(&header, sector)) goto end;
  size_t size = table_size(&header, sector);
  entries = calloc(1, size);
  if (entries == NULL || !transfer(disk, false, entries, size, header.entries * sector)) goto end;
  if (checksum(entries, (size_t)header.entry_count * header.entry_size) != header.entries_checksum) goto end;

  uint64_t last_sector = octets / sector - 1;
  uint64_t backup_entries = last_sector - size / sector;
  // Whole MiB: nothing is won by the rest, and flash likes it.
  uint64_t last = (backup_entries * sector >> 20 << 20) / sector - 1;
  struct entry *data = partition->number > 0 && partition->number <= (int)header.entry_count
    ? &entries[partition->number - 1] : NULL;
  if (data == NULL || last <= data->last || header.other >= last_sector) goto end;
  for (uint32_t i = 0; i < header.entry_count; i++) {
    if (entries[i].first > data->first) goto end;
  }
  data->last = last;
  header.last_usable = backup_entries - 1;
  header.entries_checksum = checksum(entries, (size_t)header.entry_count * header.entry_size);
  // The copy at the end comes first: a power cut leaves either the old table, whole, or the new one.
  if (!write_table(disk, header, entries, last_sector, 1, backup_entries, sector)) goto end;
  if (!write_table(disk, header, entries, 1, last_sector, 2, sector)) goto end;
  struct blkpg_partition change = {
    .start = (long long)(data->first * sector),
    .length = (long long)((data->last - data->first + 1) * sector),
    .pno = partition->number,
  };
  struct blkpg_ioctl_arg argument = {.op = BLKPG_RESIZE_PARTITION, .datalen = sizeof change, .data = &change};
  grew = ioctl(disk, BLKPG, &argument) == 0;
  if (!grew) say(4, "the partition of the data will be larger after the next restart: %s", strerror(errno));
end:
  free(entries);
  close(disk);
  return grew;
}
