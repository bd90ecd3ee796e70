/*
 * pop3_poll: the reader that only looks. CONNECTIONS threads, each polling its maildrop as a mail program left open
 * does: connect, USER, PASS, STAT, UIDL, QUIT, waiting for every answer; then again, with a new connection, until
 * POLLS have been made in all.
 *
 *   pop3_poll PORT PASSWORD CONNECTIONS POLLS EXPECTED
 *
 * Thread k logs in as userK. STAT must say EXPECTED messages and UIDL must have a line for each of them.
 * Prints "polls seconds".
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { most_connections = 100 };

static int port;
static const char *password;
static long expected;

struct poller {
	pthread_t thread;
	long number, polls;
};

static char *command(int fd, struct reader *reader, const char *line)
{
	if (line != NULL)
		send_all(fd, line, strlen(line));
	return expect_ok(reader);
}

static void *run(void *argument)
{
	struct poller *poller = argument;
	struct reader *reader = reader_new(-1);
	char user[64], pass[300];
	snprintf(user, sizeof user, "USER user%ld\r\n", poller->number);
	snprintf(pass, sizeof pass, "PASS %s\r\n", password);

	for (long i = 0; i < poller->polls; i++) {
		int fd = connect_to(port, 0);
		reader_begin(reader, fd);
		command(fd, reader, NULL);
		command(fd, reader, user);
		command(fd, reader, pass);
		char *stat = command(fd, reader, "STAT\r\n");
		if (strtol(stat + 3, NULL, 10) != expected)
			errx(76, "expected %ld messages, the server answered: %s", expected, stat);
		/* The first poll counts the lines, the others look for their end as fast as they can. */
		static const char uidl[] = "UIDL\r\n";
		size_t octets = 0;
		if (i == 0) {
			command(fd, reader, uidl);
			long lines = 0;
			while (strcmp(read_line(reader), ".") != 0)
				lines++;
			if (lines != expected)
				errx(76, "UIDL had %ld lines, %ld were expected", lines, expected);
		} else {
			send_all(fd, uidl, sizeof uidl - 1);
			while (read_multiline(reader, 1, &octets) == 0)
				;
		}
		command(fd, reader, "QUIT\r\n");
		expect_close(reader);
		close(fd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct poller poller[most_connections];
	if (argc != 6)
		errx(64, "usage: pop3_poll PORT PASSWORD CONNECTIONS POLLS EXPECTED");
	port = (int)number(argv[1], 1, 65535);
	password = argv[2];
	long connections = number(argv[3], 1, most_connections);
	long polls = number(argv[4], connections, 100000000);
	expected = number(argv[5], 0, 100000000);

	double start = seconds();
	for (long i = 0; i < connections; i++) {
		poller[i].number = i;
		poller[i].polls = polls / connections + (i < polls % connections);
		if (pthread_create(&poller[i].thread, NULL, run, &poller[i]) != 0)
			err(71, "pthread_create");
	}
	for (long i = 0; i < connections; i++)
		pthread_join(poller[i].thread, NULL);
	printf("%ld %.6f\n", polls, seconds() - start);
	return 0;
}
