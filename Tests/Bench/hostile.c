/*
 * hostile: those who want nothing but to be in the way. CONNECTIONS connections to the SMTP port, each from an address
 * of its own in 127.0.0.0/8, and a tenth as many to the port where TLS begins at once. Each sends an octet a second of
 * commands that are not refused, or of a TLS ClientHello; whoever is thrown out comes again a second later.
 *
 *   hostile SMTP-PORT TLS-PORT CONNECTIONS
 *
 * Prints "ready" when each has connected once, and goes on until its standard input ends; then "came again N times".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

struct intruder {
	int fd; /* -1 between two connections */
	int begins_tls;
	in_addr_t address;
	size_t said;
	double next; /* when it says its next octet, or comes again */
};

static int poll_fd, ports[2];
static long came;

static char next_octet(const struct intruder *one)
{
	static const char commands[] = "EHLO hostile.example\r\nNOOP\r\n";
	/* The beginning of a record of 512 octets and of the ClientHello in it; zeros follow. */
	static const char hello[] = {22, 3, 1, 2, 0, 1, 0, 1, (char)252, 3, 3};
	if (one->begins_tls)
		return one->said < sizeof hello ? hello[one->said] : 0;
	return commands[one->said % (sizeof commands - 1)];
}

static void come(struct intruder *one, double now)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(one->address)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ports[one->begins_tls])};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = one};
	one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (one->fd < 0 || bind(one->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &wanted) != 0)
		err(71, "socket");
	if (connect(one->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
		err(69, "connect to 127.0.0.1:%d", ports[one->begins_tls]);
	one->said = 0;
	one->next = now + 1;
	came++;
}

static void go(struct intruder *one, double now)
{
	close(one->fd);
	one->fd = -1;
	one->next = now + 1;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(64, "usage: hostile SMTP-PORT TLS-PORT CONNECTIONS");
	for (int i = 0; i < 2; i++)
		ports[i] = (int)number(argv[1 + i], 1, 65535);
	long plain = number(argv[3], 1, 50000), all = plain + plain / 10;
	struct rlimit files = {.rlim_cur = (rlim_t)all + 64, .rlim_max = (rlim_t)all + 64};
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		err(71, "setrlimit");
	struct intruder *intruder = calloc((size_t)all, sizeof *intruder);
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
	if (intruder == NULL || poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &input) != 0)
		err(71, "epoll");

	/* They come one after another during a second, and so does what each does every second. */
	double start = seconds();
	for (long i = 0; i < all; i++) {
		/* 127.16.1.1, 127.16.2.1, …: all in different networks, too. */
		intruder[i] = (struct intruder){.fd = -1, .begins_tls = i % 11 == 10};
		intruder[i].address = (127u << 24) | (in_addr_t)(16 + i / 250) << 16 | (in_addr_t)(i % 250 + 1) << 8 | 1;
		intruder[i].next = start + (double)i / (double)all;
	}
	for (;;) {
		struct epoll_event event[64];
		int count = epoll_wait(poll_fd, event, 64, 5);
		double now = seconds();
		for (int i = 0; i < count; i++) {
			struct intruder *one = event[i].data.ptr;
			if (one == NULL) {
				printf("came again %ld times\n", came - all);
				return 0;
			}
			char ignored[4096];
			ssize_t got = recv(one->fd, ignored, sizeof ignored, 0);
			if (got == 0 || (got < 0 && errno != EAGAIN))
				go(one, now);
		}
		for (long i = 0; i < all; i++) {
			struct intruder *one = &intruder[i];
			if (one->next > now)
				continue;
			if (one->fd < 0) {
				come(one, now);
				if (came == all) {
					printf("ready\n");
					fflush(stdout);
				}
				continue;
			}
			one->next = now + 1;
			char octet = next_octet(one);
			if (send(one->fd, &octet, 1, MSG_NOSIGNAL) == 1)
				one->said++;
			else if (errno != EAGAIN)
				go(one, now);
		}
	}
}
