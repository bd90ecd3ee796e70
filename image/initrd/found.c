// What e2fsck has put into lost+found goes back where it was, if we know it by what is in it.
#include "init.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// What a directory is known by, and its place.
static const struct {
  const char *has, *place;
} known[] = {
  {"restante/spool/log/id", "lib"}, {"spool/log/id", "lib/restante"}, {"log/id", "lib/restante/spool"},
  {"id", "lib/restante/spool/log"}, {"upper/machine-id", "etc"},      {"machine-id", "etc/upper"},
};

/// What a file begins with, and its place.
static const struct {
  const char *begins, *place;
} known_files[] = {
  {"# The accounts of this mail drop", "lib/restante/accounts"},
  {"-----BEGIN ", "lib/restante/certificate.pem"},
  {"restante-spool-1 ", "lib/restante/spool/id"},
};

/// Moves it to its place, where there is none or an empty directory. What is made above belongs to its owner, below lib.
static bool move(const char *directory, const char *from, const char *place) {
  char to[TEXT_SIZE];
  struct stat about, there;
  snprintf(to, sizeof to, "%s/%s", directory, place);
  if (lstat(from, &about) != 0) return false;
  for (char *at = to + strlen(directory) + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = 0;
    if (mkdir(to, 0755) == 0 && strstr(to, "/lib/") != NULL) {
      int result = chown(to, about.st_uid, about.st_gid) | chmod(to, 0700);
      (void)result;
    }
    *at = '/';
  }
  // A directory takes the place of an empty one alone, but a file would take that of another.
  if ((!S_ISDIR(about.st_mode) && lstat(to, &there) == 0) || rename(from, to) != 0) return false;
  say(4, "%s had lost its name, and is back", place);
  return true;
}

/// True when a directory went back to its place, where there was none, or an empty one.
static bool bring_one_back(const char *directory, const char *name) {
  char from[TEXT_SIZE], inside[2 * TEXT_SIZE];
  struct stat about;
  snprintf(from, sizeof from, "%s/lost+found/%s", directory, name);
  if (lstat(from, &about) != 0) return false;
  if (S_ISREG(about.st_mode) && read_file(from, inside, sizeof inside) > 0) {
    for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++) {
      const char *begins = known_files[i].begins;
      if (strncmp(inside, begins, strlen(begins)) == 0) return move(directory, from, known_files[i].place);
    }
  }
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    snprintf(inside, sizeof inside, "%s/%s", from, known[i].has);
    if (access(inside, F_OK) == 0 && move(directory, from, known[i].place)) return true;
  }
  return false;
}

int bring_back(const char *directory) {
  char path[TEXT_SIZE];
  int left = 0;
  bool has_moved = true;
  snprintf(path, sizeof path, "%s/lost+found", directory);
  // What is back may have been the place of another; a directory that changes is read anew.
  for (int turn = 0; has_moved && turn < 8; turn++) {
    DIR *entries = opendir(path);
    left = 0;
    has_moved = false;
    for (struct dirent *entry; entries != NULL && !has_moved && (entry = readdir(entries)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      left++;
      has_moved = bring_one_back(directory, entry->d_name);
    }
    if (entries != NULL) closedir(entries);
  }
  return left;
}
