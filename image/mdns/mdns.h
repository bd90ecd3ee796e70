// A responder for multicast DNS (RFC 6762): the device is found as HOST.local, and its services by DNS-SD (RFC 6763).
// systemd-resolved does the same, and a resolver's work besides, in ten times the memory.
#pragma once
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORT = 5353, MESSAGE_SIZE = 1440, NAME_SIZE = 256, SERVICES_MAXIMUM = 8 };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_ANY = 255 };

struct service {
  char type[64];  // _pop3._tcp.local
  char name[NAME_SIZE];  // HOST._pop3._tcp.local
  uint16_t port;
};

extern char host[80];  // HOST.local
extern struct service services[SERVICES_MAXIMUM];
extern int service_count;

// message.c

struct message {
  uint8_t octets[MESSAGE_SIZE];
  size_t length;
  bool is_full;
};

/// A reply's beginning: an answer to a query with this id; questions are counted as they are added.
void begin(struct message *message, uint16_t id, bool is_reply);
void add_question(struct message *message, const char *name, uint16_t type);
/// Adds a record to the answers, or to the authorities (section 1).
void add_record(struct message *message, int section, const char *name, uint16_t type, bool is_ours_alone,
                uint32_t lifetime, const void *data, size_t length);
void add_name_record(struct message *message, const char *name, uint16_t type, bool is_ours_alone, uint32_t lifetime,
                     const void *before, size_t before_length, const char *target);

/// Reads a name at position, as text in small letters; moves the position behind it. False when it is malformed.
bool read_name(const uint8_t *octets, size_t length, size_t *position, char name[NAME_SIZE]);

static inline unsigned read_16(const uint8_t *octets) { return (unsigned)octets[0] << 8 | octets[1]; }
