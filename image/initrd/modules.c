// Drivers. The list says for each kind of device, or each name, which files to load, in that order:
//   pattern file file ...
// A line that begins with - is for a disk that does not come up without it.
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIST "/modules/list"
#define LOADED_MAXIMUM 256

static char *list;
static char *loaded[LOADED_MAXIMUM];
static int loaded_count;
static bool late;
/// Only those of watchdogs are loaded now.
static bool is_for_watchdog;

static void read_list(void) {
  if (list != NULL) return;
  FILE *file = fopen(LIST, "re");
  size_t size = 0;
  if (file == NULL || getdelim(&list, &size, 0, file) < 0) list = strdup("");
  if (file != NULL) fclose(file);
}

static void load_file(const char *name) {
  for (int i = 0; i < loaded_count; i++) {
    if (strcmp(loaded[i], name) == 0) return;
  }
  if (loaded_count < LOADED_MAXIMUM) loaded[loaded_count++] = strdup(name);
  char path[TEXT_SIZE];
  snprintf(path, sizeof path, "/modules/%s", name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  // A driver that finds no device of its own says so here; that is no fault.
  if (file < 0 || (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST && errno != ENODEV)) {
    say(5, "module %s: %s", name, strerror(errno));
  }
  if (file >= 0) close(file);
}

/// Whether a line leads to a driver of a watchdog: its last file is the driver itself.
static bool is_watchdog(const char *line) {
  static const char *const patterns[] = {"*wdt*", "i6300esb*", "*_tco*", "lpc_ich*", "i2c-i801*"};
  const char *name = strrchr(line, ' ');
  for (size_t i = 0; name != NULL && i < sizeof patterns / sizeof *patterns; i++) {
    if (fnmatch(patterns[i], name + 1, 0) == 0) return true;
  }
  return false;
}

/// Loads the files of every line whose first word fits.
static void load_matching(const char *name, bool is_pattern) {
  read_list();
  for (char *line = list; *line != 0;) {
    size_t length = strcspn(line, "\n");
    char *copy = strndup(line, length);
    line += length + (line[length] == '\n');
    char *rest = copy;
    bool is_wanted = !is_for_watchdog || is_watchdog(copy);
    char *first = strsep(&rest, " ");
    if (*first == '-' && late) first++;
    if (is_wanted && (is_pattern ? fnmatch(first, name, 0) : strcmp(first, name)) == 0) {
      for (char *file = strsep(&rest, " "); file != NULL; file = strsep(&rest, " ")) load_file(file);
    }
    free(copy);
  }
}

void load_module(const char *name) { load_matching(name, false); }

static void load_drivers_of_bus(const char *bus) {
  char path[TEXT_SIZE];
  snprintf(path, sizeof path, "/sys/bus/%s/devices", bus);
  DIR *directory = opendir(path);
  if (directory == NULL) return;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    char alias[TEXT_SIZE];
    int length = snprintf(path, sizeof path, "/sys/bus/%s/devices/%s/modalias", bus, entry->d_name);
    if (length >= (int)sizeof path || read_file(path, alias, sizeof alias) <= 0) continue;
    alias[strcspn(alias, "\n")] = 0;
    load_matching(alias, true);
  }
  closedir(directory);
}

void load_drivers(bool late_ones) {
  late = late_ones;
  DIR *directory = opendir("/sys/bus");
  if (directory == NULL) return;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    if (entry->d_name[0] != '.') load_drivers_of_bus(entry->d_name);
  }
  closedir(directory);
}

void load_watchdog_drivers(void) {
  is_for_watchdog = true;
  load_drivers(false);
  is_for_watchdog = false;
}
