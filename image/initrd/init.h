// The first program of the initial RAM disk: finds the disk, mounts the slot and the data, and becomes systemd.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

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

/// Loads the drivers of the board's watchdog.
void load_watchdog_drivers(void);

// watchdog.c

/// Arms the board's watchdog, if there is one by now and none is armed yet: it restarts what is not heard of for so many
/// seconds. 0: for as many as said before.
void start_watchdog(int seconds);
void stop_watchdog(void);
void pet_watchdog(void);

/// Waits for a child to end, and pets the watchdog as long as that gets on. Its exit code, or 128 when it has none.
int attend(pid_t child);

/// Lets go of the watchdog for systemd to take. Whatever hangs until then is restarted by a process of our own.
void hand_over_watchdog(void);

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

// faults.c

struct faults {
  /// Whether ext4 found errors since the last check, and where.
  bool is_found;
  char what[128];
  /// How often that was so at a start, ever.
  long count;
  /// Whether the card keeps what is written to it.
  bool is_kept;
};

/// Looks whether the file system had errors in use, and counts that. Before it is checked.
struct faults count_faults(const char *device);

/// Whether errors may restart the device once more. The file says how many of the count are forgiven.
bool may_restart(const struct faults *faults, const char *forgiven);

// found.c

/// Puts what e2fsck has found back where it was, if we know where. How many pieces are left in lost+found.
int bring_back(const char *directory);

// data.c

/// Checks, mounts and grows the data at directory. False when there is none that can be used; why tells then.
bool mount_data(const char *disk_name, const char *root, const char *directory, char *why, size_t size);

/// Writes down for people what was found wrong with the data and what they should do, if anything was. The clock is set.
void tell_of_damage(const char *directory);
