// The first program of the initial RAM disk: finds the disk, mounts the slot and the data, and becomes systemd.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_SIZE 512

/// Writes a line to the kernel's log, which reaches the console when it is a warning (level 4) or worse, and the journal.
__attribute__((format(printf, 2, 3))) void say(int level, const char *format, ...);

/// Writes the text to a file, made anew. False when that failed.
bool write_file(const char *path, const char *text);

/// Reads at most size - 1 octets of a file and ends them with a 0. Less than 0 when it cannot be read.
long read_file(const char *path, char *text, size_t size);

// modules.c

/// Loads the drivers of all devices that are there by now; also, or not, those that are for a disk that comes up with none
/// of the others.
void load_drivers(bool late_ones);

/// Loads a module, and what it needs, by name.
void load_module(const char *name);

// disk.c

struct partition {
  char device[64];     // /dev/sda7
  char disk[64];       // /dev/sda
  char disk_name[32];  // sda
  int number;
};

/// Finds a partition by the name it has in the partition table. Only on a disk when its name is given.
bool find_partition(const char *label, const char *disk_name, struct partition *found);

/// Lets the last partition reach to the disk's end, in the table on the disk and in the kernel. True when it grew.
bool grow_partition(const struct partition *partition);

// data.c

/// Checks, mounts and grows the data at directory. False when there is none that can be used; why tells then.
bool mount_data(const char *disk_name, const char *root, const char *directory, char *why, size_t size);
