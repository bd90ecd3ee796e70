// Who has our name, what is asked, and what is answered.
#define _GNU_SOURCE
#include "mdns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/// Seconds that others may remember what names an address, and the rest (RFC 6762 §10).
enum { OF_HOST = 120, OF_SERVICE = 4500, OF_STRANGER = 10 };
enum { PROBES = 3, ANNOUNCEMENTS = 2 };

char host[80];
struct service services[SERVICES_MAXIMUM];
int service_count;

static int socket_4 = -1, socket_6 = -1;
static struct ifaddrs *addresses;
static volatile sig_atomic_t is_over;
/// The system's name when ours was made of it, and how many others had ours.
static char system_name[65];
static unsigned others;
/// How many probes and announcements were sent since something changed.
static int sent;

static void stop(int signal) {
  (void)signal;
  is_over = 1;
}

// MARK: names

static void make_names(void) {
  char label[64], suffix[12] = "";
  size_t length = strcspn(system_name, ".");
  if (others > 0) snprintf(suffix, sizeof suffix, "-%u", others + 1);
  if (length > 50) length = 50;
  snprintf(label, sizeof label, "%.*s%s", (int)length, system_name, suffix);
  for (char *octet = label; *octet != 0; octet++) *octet = (char)tolower((unsigned char)*octet);
  snprintf(host, sizeof host, "%s.local", label);
  for (int i = 0; i < service_count; i++) {
    snprintf(services[i].name, sizeof services[i].name, "%s.%s", label, services[i].type);
  }
  sent = 0;
}

/// What systemd.dnssd(5) describes: the program's own files.
static void read_services(void) {
  glob_t found;
  if (glob("/usr/lib/systemd/dnssd/*.dnssd", 0, NULL, &found) != 0) return;
  for (size_t i = 0; i < found.gl_pathc && service_count < SERVICES_MAXIMUM; i++) {
    FILE *file = fopen(found.gl_pathv[i], "re");
    char line[128], type[40] = "";
    unsigned port = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
      if (sscanf(line, "Type=%39s", type) != 1) sscanf(line, "Port=%u", &port);
    }
    if (file != NULL) fclose(file);
    if (type[0] == 0 || port == 0) continue;
    struct service *service = &services[service_count++];
    snprintf(service->type, sizeof service->type, "%s.local", type);
    service->port = (uint16_t)port;
  }
  globfree(&found);
}

// MARK: networks

static unsigned index_of(const struct ifaddrs *address) { return if_nametoindex(address->ifa_name); }

static bool is_usable(const struct ifaddrs *address) {
  unsigned flags = address->ifa_flags;
  return address->ifa_addr != NULL && (flags & (IFF_UP | IFF_MULTICAST | IFF_LOOPBACK)) == (IFF_UP | IFF_MULTICAST);
}

static const uint8_t *octets_of(const struct sockaddr *address, size_t *size) {
  const void *any = address;
  if (address->sa_family == AF_INET) {
    *size = 4;
    return (const uint8_t *)&((const struct sockaddr_in *)any)->sin_addr;
  }
  *size = 16;
  return (const uint8_t *)&((const struct sockaddr_in6 *)any)->sin6_addr;
}

static bool is_internet(const struct sockaddr *address) {
  return address != NULL && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

/// Looks at the interfaces anew, and listens on all of them. True when an address came or went.
static bool look_at_networks(void) {
  static uint32_t sum_before;
  uint32_t sum = 0;
  if (addresses != NULL) freeifaddrs(addresses);
  addresses = NULL;
  if (getifaddrs(&addresses) != 0) return false;
  for (struct ifaddrs *address = addresses; address != NULL; address = address->ifa_next) {
    if (!is_usable(address)) continue;
    if (is_internet(address->ifa_addr)) {
      size_t size;
      const uint8_t *octets = octets_of(address->ifa_addr, &size);
      for (size_t i = 0; i < size; i++) sum = (sum ^ octets[i]) * 16777619u;
    }
    // Once more on the same interface is an error that does not matter.
    struct ip_mreqn group_4 = {.imr_ifindex = (int)index_of(address)};
    struct ipv6_mreq group_6 = {.ipv6mr_interface = index_of(address)};
    inet_pton(AF_INET, "224.0.0.251", &group_4.imr_multiaddr);
    inet_pton(AF_INET6, "ff02::fb", &group_6.ipv6mr_multiaddr);
    if (socket_4 >= 0) setsockopt(socket_4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group_4, sizeof group_4);
    if (socket_6 >= 0) setsockopt(socket_6, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group_6, sizeof group_6);
  }
  bool has_changed = sum != sum_before;
  sum_before = sum;
  return has_changed;
}

/// Whether somebody is a neighbour on the link. Nobody else is answered.
static bool is_neighbour(const struct sockaddr *from, unsigned interface) {
  size_t size, other;
  const uint8_t *octets = octets_of(from, &size);
  for (struct ifaddrs *address = addresses; address != NULL; address = address->ifa_next) {
    if (!is_usable(address) || address->ifa_addr->sa_family != from->sa_family) continue;
    if (address->ifa_netmask == NULL || index_of(address) != interface) continue;
    const uint8_t *ours = octets_of(address->ifa_addr, &other), *mask = octets_of(address->ifa_netmask, &other);
    bool is_same = true;
    for (size_t i = 0; i < size; i++) is_same = is_same && ((octets[i] ^ ours[i]) & mask[i]) == 0;
    if (is_same) return true;
  }
  return false;
}

static bool is_ours(const uint8_t *octets, size_t size) {
  for (struct ifaddrs *address = addresses; address != NULL; address = address->ifa_next) {
    size_t length;
    if (!is_internet(address->ifa_addr)) continue;
    const uint8_t *ours = octets_of(address->ifa_addr, &length);
    if (length == size && memcmp(ours, octets, size) == 0) return true;
  }
  return false;
}

static void send_to_all(const struct message *message, unsigned interface) {
  struct ip_mreqn way = {.imr_ifindex = (int)interface};
  struct sockaddr_in to_4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  struct sockaddr_in6 to_6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_scope_id = interface};
  inet_pton(AF_INET, "224.0.0.251", &to_4.sin_addr);
  inet_pton(AF_INET6, "ff02::fb", &to_6.sin6_addr);
  if (socket_4 >= 0 && setsockopt(socket_4, IPPROTO_IP, IP_MULTICAST_IF, &way, sizeof way) == 0) {
    sendto(socket_4, message->octets, message->length, 0, (struct sockaddr *)&to_4, sizeof to_4);
  }
  if (socket_6 >= 0) sendto(socket_6, message->octets, message->length, 0, (struct sockaddr *)&to_6, sizeof to_6);
}

// MARK: records

static void add_addresses(struct message *message, int section, unsigned interface, unsigned type, bool is_ours_alone,
                          uint32_t lifetime) {
  for (struct ifaddrs *address = addresses; address != NULL; address = address->ifa_next) {
    size_t size;
    if (!is_usable(address) || !is_internet(address->ifa_addr) || index_of(address) != interface) continue;
    const uint8_t *octets = octets_of(address->ifa_addr, &size);
    unsigned own = size == 4 ? TYPE_A : TYPE_AAAA;
    if (type != own && type != TYPE_ANY) continue;
    add_record(message, section, host, (uint16_t)own, is_ours_alone, lifetime, octets, size);
  }
}

static void add_service(struct message *message, const struct service *service, unsigned type, bool is_ours_alone,
                        bool is_brief, bool is_gone) {
  uint8_t head[6] = {0, 0, 0, 0, (uint8_t)(service->port >> 8), (uint8_t)service->port};
  uint32_t lifetime = is_gone ? 0 : is_brief ? OF_STRANGER : OF_HOST;
  if (type == TYPE_SRV || type == TYPE_ANY) {
    add_name_record(message, service->name, TYPE_SRV, is_ours_alone, lifetime, head, sizeof head, host);
  }
  if (type == TYPE_TXT || type == TYPE_ANY) {
    lifetime = is_gone ? 0 : is_brief ? OF_STRANGER : OF_SERVICE;
    add_record(message, 0, service->name, TYPE_TXT, is_ours_alone, lifetime, "", 1);
  }
}

/// Tells everybody what there is, or that it is no more.
static void announce(bool is_gone) {
  struct if_nameindex *interfaces = if_nameindex();
  for (struct if_nameindex *interface = interfaces; interface != NULL && interface->if_index != 0; interface++) {
    struct message message;
    begin(&message, 0, true);
    add_addresses(&message, 0, interface->if_index, TYPE_ANY, true, is_gone ? 0 : OF_HOST);
    if (message.octets[7] == 0) continue;
    for (int i = 0; i < service_count; i++) {
      add_name_record(&message, services[i].type, TYPE_PTR, false, is_gone ? 0 : OF_SERVICE, "", 0, services[i].name);
      add_service(&message, &services[i], TYPE_ANY, true, false, is_gone);
    }
    send_to_all(&message, interface->if_index);
  }
  if (interfaces != NULL) if_freenameindex(interfaces);
}

/// Asks whether somebody has our name already (RFC 6762 §8.1).
static void probe(void) {
  struct if_nameindex *interfaces = if_nameindex();
  for (struct if_nameindex *interface = interfaces; interface != NULL && interface->if_index != 0; interface++) {
    struct message message;
    begin(&message, 0, false);
    add_question(&message, host, TYPE_ANY);
    add_addresses(&message, 1, interface->if_index, TYPE_ANY, false, OF_HOST);
    if (message.octets[9] != 0) send_to_all(&message, interface->if_index);
  }
  if (interfaces != NULL) if_freenameindex(interfaces);
}

// MARK: what comes in

/// A reply of somebody else: when it gives our name to an address that is not ours, we take another name.
static void look_for_rival(const uint8_t *octets, size_t length) {
  size_t at = 12;
  char name[NAME_SIZE];
  for (unsigned i = read_16(octets + 4); i > 0; i--) {
    if (!read_name(octets, length, &at, name) || (at += 4) > length) return;
  }
  for (unsigned i = read_16(octets + 6); i > 0; i--) {
    if (!read_name(octets, length, &at, name) || at + 10 > length) return;
    unsigned type = read_16(octets + at), size = read_16(octets + at + 8);
    bool is_living = octets[at + 4] != 0 || octets[at + 5] != 0 || octets[at + 6] != 0 || octets[at + 7] != 0;
    at += 10;
    if (at + size > length) return;
    bool is_address = (type == TYPE_A && size == 4) || (type == TYPE_AAAA && size == 16);
    if (is_address && is_living && strcmp(name, host) == 0 && !is_ours(octets + at, size)) {
      others++;
      make_names();
      return;
    }
    at += size;
  }
}

/// Which services' pointers the asker knows already (RFC 6762 §7.1).
static unsigned known_services(const uint8_t *octets, size_t length, size_t at) {
  unsigned known = 0;
  char name[NAME_SIZE], target[NAME_SIZE];
  for (unsigned i = read_16(octets + 6); i > 0; i--) {
    if (!read_name(octets, length, &at, name) || at + 10 > length) return known;
    unsigned type = read_16(octets + at), size = read_16(octets + at + 8);
    unsigned long lifetime = (unsigned long)read_16(octets + at + 4) << 16 | read_16(octets + at + 6);
    size_t data = at + 10;
    at = data + size;
    if (at > length || type != TYPE_PTR || lifetime < OF_SERVICE / 2) continue;
    if (!read_name(octets, length, &data, target)) continue;
    for (int s = 0; s < service_count; s++) {
      if (strcmp(name, services[s].type) == 0 && strcmp(target, services[s].name) == 0) known |= 1u << s;
    }
  }
  return known;
}

static void answer(const uint8_t *octets, size_t length, int socket, struct sockaddr *from, socklen_t from_size,
                   unsigned interface) {
  unsigned port = ntohs(((struct sockaddr_in *)(void *)from)->sin_port);
  // Somebody who does not speak multicast DNS but asks as one asks a name server (§6.7).
  bool is_stranger = port != PORT, wants_own = true, is_shared = false;
  struct message reply;
  begin(&reply, is_stranger ? (uint16_t)read_16(octets) : 0, true);
  size_t at = 12;
  char name[NAME_SIZE];
  unsigned questions = read_16(octets + 4);
  for (unsigned i = 0; i < questions; i++) {
    if (!read_name(octets, length, &at, name) || at + 4 > length) return;
    if (is_stranger) add_question(&reply, name, (uint16_t)read_16(octets + at));
    at += 4;
  }
  unsigned known = is_stranger ? 0 : known_services(octets, length, at);
  at = 12;
  for (unsigned i = 0; i < questions && read_name(octets, length, &at, name); i++) {
    unsigned type = read_16(octets + at);
    wants_own = wants_own && (octets[at + 2] & 0x80) != 0;
    at += 4;
    if (strcmp(name, host) == 0) {
      add_addresses(&reply, 0, interface, type, !is_stranger, is_stranger ? OF_STRANGER : OF_HOST);
    }
    for (int s = 0; s < service_count; s++) {
      const struct service *service = &services[s];
      bool is_pointer = type == TYPE_PTR || type == TYPE_ANY;
      uint32_t lifetime = is_stranger ? OF_STRANGER : OF_SERVICE;
      if (is_pointer && strcmp(name, "_services._dns-sd._udp.local") == 0) {
        add_name_record(&reply, name, TYPE_PTR, false, lifetime, "", 0, service->type);
        is_shared = true;
      } else if (is_pointer && strcmp(name, service->type) == 0 && (known & 1u << s) == 0) {
        add_name_record(&reply, name, TYPE_PTR, false, lifetime, "", 0, service->name);
        add_service(&reply, service, TYPE_ANY, !is_stranger, is_stranger, false);
        add_addresses(&reply, 0, interface, TYPE_ANY, !is_stranger, is_stranger ? OF_STRANGER : OF_HOST);
        is_shared = true;
      } else if (strcmp(name, service->name) == 0) {
        add_service(&reply, service, type, !is_stranger, is_stranger, false);
      }
    }
  }
  if (read_16(reply.octets + 6) == 0) return;
  if (is_shared && !is_stranger) {
    // Many may answer: each waits a little of its own (§6).
    uint8_t random = 0;
    if (getrandom(&random, 1, 0) == 1) nanosleep(&(struct timespec){.tv_nsec = 20000000 + random * 390000L}, NULL);
  }
  if (is_stranger || wants_own) {
    sendto(socket, reply.octets, reply.length, 0, from, from_size);
  } else {
    send_to_all(&reply, interface);
  }
}

static void receive(int socket) {
  uint8_t octets[9000], control[256];
  struct sockaddr_storage from = {0};
  struct iovec part = {.iov_base = octets, .iov_len = sizeof octets};
  struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1,
                          .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(socket, &header, MSG_DONTWAIT);
  if (length < 12) return;
  unsigned interface = 0;
  for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item != NULL; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      interface = (unsigned)((struct in_pktinfo *)(void *)CMSG_DATA(item))->ipi_ifindex;
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      interface = ((struct in6_pktinfo *)(void *)CMSG_DATA(item))->ipi6_ifindex;
    }
  }
  struct sockaddr *sender = (struct sockaddr *)&from;
  size_t size;
  const uint8_t *address = octets_of(sender, &size);
  if (!is_neighbour(sender, interface) || is_ours(address, size)) return;
  if ((octets[2] & 0x80) != 0) {
    look_for_rival(octets, (size_t)length);
  } else if ((octets[2] & 0x78) == 0 && sent >= PROBES) {
    answer(octets, (size_t)length, socket, sender, header.msg_namelen, interface);
  }
}

static int open_socket(int family) {
  int number = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, no = 0, far = 255;
  if (number < 0) return -1;
  struct sockaddr_in at_4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  struct sockaddr_in6 at_6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
  setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (family == AF_INET) {
    setsockopt(number, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
    setsockopt(number, IPPROTO_IP, IP_MULTICAST_TTL, &far, sizeof far);
    setsockopt(number, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof no);
  } else {
    setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    setsockopt(number, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
    setsockopt(number, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &far, sizeof far);
    setsockopt(number, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &no, sizeof no);
  }
  struct sockaddr *place = family == AF_INET ? (struct sockaddr *)&at_4 : (struct sockaddr *)&at_6;
  if (bind(number, place, family == AF_INET ? sizeof at_4 : sizeof at_6) == 0) return number;
  close(number);
  return -1;
}

int main(void) {
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
  socket_4 = open_socket(AF_INET);
  socket_6 = open_socket(AF_INET6);
  int changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  struct sockaddr_nl groups = {
    .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  if ((socket_4 < 0 && socket_6 < 0) || changes < 0 || bind(changes, (struct sockaddr *)&groups, sizeof groups) != 0) {
    fprintf(stderr, "restante-mdns: cannot open port 5353 (%s); nobody finds the device by name\n", strerror(errno));
    return 75;
  }
  read_services();
  look_at_networks();
  while (!is_over) {
    char name[sizeof system_name] = "";
    gethostname(name, sizeof name - 1);
    if (strcmp(name, system_name) != 0) {
      if (sent > PROBES) announce(true);
      memcpy(system_name, name, sizeof name);
      others = 0;
      make_names();
    }
    struct pollfd waits[] = {
      {.fd = socket_4, .events = POLLIN}, {.fd = socket_6, .events = POLLIN}, {.fd = changes, .events = POLLIN},
    };
    int patience = sent <= PROBES ? 250 : sent < PROBES + ANNOUNCEMENTS ? 1000 : 60000;
    int ready = poll(waits, 3, patience);
    if (ready < 0) continue;
    if (ready == 0 && sent < PROBES + ANNOUNCEMENTS) {
      if (sent < PROBES) probe(); else announce(false);
      sent++;
    }
    if (waits[0].revents != 0) receive(socket_4);
    if (waits[1].revents != 0) receive(socket_6);
    if (waits[2].revents != 0) {
      char octets[8192];
      while (recv(changes, octets, sizeof octets, 0) > 0) {
      }
      if (look_at_networks()) sent = 0;
    }
  }
  announce(true);
  return 0;
}
