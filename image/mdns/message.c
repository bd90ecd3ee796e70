// Messages of the DNS (RFC 1035 §4).
#include "mdns.h"

#include <ctype.h>
#include <string.h>

enum { HEADER = 12, CLASS_IN = 1, FLUSH = 0x8000, REPLY = 0x8400 };

static void put(struct message *message, const void *octets, size_t count) {
  if (message->length + count > sizeof message->octets) {
    message->is_full = true;
    return;
  }
  memcpy(message->octets + message->length, octets, count);
  message->length += count;
}

static void put_16(struct message *message, unsigned value) {
  put(message, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(struct message *message, const char *name) {
  while (*name != 0) {
    size_t length = strcspn(name, ".");
    put(message, (uint8_t[]){(uint8_t)length}, 1);
    put(message, name, length);
    name += length + (name[length] == '.');
  }
  put(message, "", 1);
}

/// One more in a section: 0 questions, 1 answers, 2 authorities. Nothing of what does not fit.
static void count(struct message *message, int section, size_t before) {
  if (message->is_full) {
    message->length = before;
    return;
  }
  uint8_t *place = message->octets + 4 + 2 * section;
  unsigned value = read_16(place) + 1;
  place[0] = (uint8_t)(value >> 8);
  place[1] = (uint8_t)value;
}

void begin(struct message *message, uint16_t id, bool is_reply) {
  memset(message, 0, sizeof *message);
  put_16(message, id);
  put_16(message, is_reply ? REPLY : 0);
  message->length = HEADER;
}

void add_question(struct message *message, const char *name, uint16_t type) {
  size_t before = message->length;
  put_name(message, name);
  put_16(message, type);
  put_16(message, CLASS_IN);
  count(message, 0, before);
}

static void begin_record(struct message *message, const char *name, uint16_t type, bool is_ours_alone,
                         uint32_t lifetime) {
  put_name(message, name);
  put_16(message, type);
  put_16(message, CLASS_IN | (is_ours_alone ? FLUSH : 0));
  put_16(message, lifetime >> 16);
  put_16(message, lifetime & 0xFFFF);
}

void add_record(struct message *message, int section, const char *name, uint16_t type, bool is_ours_alone,
                uint32_t lifetime, const void *data, size_t length) {
  size_t before = message->length;
  begin_record(message, name, type, is_ours_alone, lifetime);
  put_16(message, (unsigned)length);
  put(message, data, length);
  count(message, 1 + section, before);
}

void add_name_record(struct message *message, const char *name, uint16_t type, bool is_ours_alone, uint32_t lifetime,
                     const void *head, size_t head_length, const char *target) {
  size_t before = message->length;
  begin_record(message, name, type, is_ours_alone, lifetime);
  size_t at = message->length;
  put_16(message, 0);
  put(message, head, head_length);
  put_name(message, target);
  if (!message->is_full) {
    size_t length = message->length - at - 2;
    message->octets[at] = (uint8_t)(length >> 8);
    message->octets[at + 1] = (uint8_t)length;
  }
  count(message, 1, before);
}

bool read_name(const uint8_t *octets, size_t length, size_t *position, char name[NAME_SIZE]) {
  size_t at = *position, written = 0;
  bool has_jumped = false;
  // As many labels and jumps as a name can have, so that a loop ends.
  for (int step = 0; step < 128; step++) {
    if (at >= length) return false;
    unsigned label = octets[at];
    if (label >= 0xC0) {
      if (at + 1 >= length) return false;
      if (!has_jumped) *position = at + 2;
      has_jumped = true;
      at = read_16(octets + at) & 0x3FFF;
      continue;
    }
    if (label > 63 || at + 1 + label > length) return false;
    if (label == 0) {
      if (!has_jumped) *position = at + 1;
      name[written > 0 ? written - 1 : 0] = 0;
      return true;
    }
    if (written + label + 1 >= NAME_SIZE) return false;
    for (unsigned i = 1; i <= label; i++) {
      // A dot within a label is not one that separates; no name of ours has one.
      unsigned char octet = octets[at + i] == '.' ? '?' : octets[at + i];
      name[written++] = (char)tolower(octet);
    }
    name[written++] = '.';
    at += 1 + label;
  }
  return false;
}
