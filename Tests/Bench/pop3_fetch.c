/*
 * pop3_fetch: the reader that takes everything. An ordinary blocking connection (delayed ACKs, no socket option
 * touched) logs in, fetches messages 1 … MESSAGES with RETR, looking for the CRLF.CRLF that ends each, and quits. It
 * does so SESSIONS times over, with a new connection each; what is measured is the fetching, without the coming and
 * going.
 *
 *   pop3_fetch PORT NAME PASSWORD MESSAGES DEPTH SESSIONS [tls]
 *
 * DEPTH is the number of RETR in flight: 1 is the client that waits for each message before it asks for the next.
 * DEPTH 0 asks nothing at all: after the greeting it only counts what a sendfile_loop, or under TLS a
 * tls_pour, pours into the connection. With "tls", TLS 1.3 begins before the greeting.
 * Prints "messages seconds octets".
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tls.h"

static void command(struct reader *reader, const char *verb, const char *argument)
{
	char line[256];
	int length = snprintf(line, sizeof line, "%s%s%s\r\n", verb, *argument ? " " : "", argument);
	say(reader, line, (size_t)length);
	expect_ok(reader);
}

/* Fetches all messages in one session; returns the seconds from the first RETR to the last message's end. */
static double session(char **argv, int port, SSL_CTX *tls, long messages, long depth, char *commands,
    struct reader *reader, size_t *octets)
{
	int fd = connect_to(port, 0);
	reader_begin(reader, fd);
	if (tls != NULL)
		tls_begin(reader, tls, NULL);
	expect_ok(reader);
	if (depth > 0) {
		command(reader, "USER", argv[2]);
		command(reader, "PASS", argv[3]);
	}
	double start = seconds();
	for (long asked = 0, got = 0; got < messages;) {
		size_t length = 0;
		for (; depth > 0 && asked < messages && asked - got < depth; asked++)
			length += (size_t)sprintf(commands + length, "RETR %ld\r\n", asked + 1);
		if (length > 0)
			say(reader, commands, length);
		got += read_multiline(reader, (depth > 0 ? asked : messages) - got, octets);
	}
	double taken = seconds() - start;
	if (depth > 0) {
		command(reader, "QUIT", "");
		expect_close(reader);
	}
	tls_end(reader);
	close(fd);
	return taken;
}

int main(int argc, char **argv)
{
	if (argc != 7 && !(argc == 8 && strcmp(argv[7], "tls") == 0))
		errx(64, "usage: pop3_fetch PORT NAME PASSWORD MESSAGES DEPTH SESSIONS [tls]");
	int port = (int)number(argv[1], 1, 65535);
	long messages = number(argv[4], 1, 10000000);
	long depth = number(argv[5], 0, 1000);
	long sessions = number(argv[6], 1, 10000);

	SSL_CTX *tls = argc == 8 ? tls_client() : NULL;
	struct reader *reader = reader_new(-1);
	char *commands = malloc((size_t)(depth + 1) * 32);
	if (commands == NULL)
		err(71, "malloc");
	size_t octets = 0;
	double taken = 0;
	for (long i = 0; i < sessions; i++)
		taken += session(argv, port, tls, messages, depth, commands, reader, &octets);
	printf("%ld %.6f %zu\n", messages * sessions, taken, octets);
	return 0;
}
