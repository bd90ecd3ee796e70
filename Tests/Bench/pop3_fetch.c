/*
 * pop3_fetch: the reader that takes everything. One ordinary blocking connection (delayed ACKs, no socket option touched)
 * logs in and fetches messages 1 … MESSAGES with RETR, PASSES times over, looking for the CRLF.CRLF that ends each.
 *
 *   pop3_fetch PORT NAME PASSWORD MESSAGES DEPTH PASSES
 *
 * DEPTH is the number of RETR in flight: 1 is the client that waits for each message before it asks for the next.
 * DEPTH 0 asks nothing at all: after the greeting it only counts what a sendfile_loop pours into the connection.
 * Prints "messages seconds octets".
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void expect_ok(struct reader *reader)
{
	char *line = read_line(reader);
	if (strncmp(line, "+OK", 3) != 0)
		errx(76, "expected +OK, the server answered: %s", line);
}

static void command(int fd, struct reader *reader, const char *verb, const char *argument)
{
	char line[256];
	int length = snprintf(line, sizeof line, "%s%s%s\r\n", verb, *argument ? " " : "", argument);
	send_all(fd, line, (size_t)length);
	expect_ok(reader);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		errx(64, "usage: pop3_fetch PORT NAME PASSWORD MESSAGES DEPTH PASSES");
	int port = (int)number(argv[1], 1, 65535);
	long messages = number(argv[4], 1, 10000000);
	long depth = number(argv[5], 0, 1000);
	long total = messages * number(argv[6], 1, 10000);

	int fd = connect_to(port, 0);
	struct reader *reader = reader_new(fd);
	expect_ok(reader);
	if (depth > 0) {
		command(fd, reader, "USER", argv[2]);
		command(fd, reader, "PASS", argv[3]);
	}

	char *commands = malloc((size_t)(depth + 1) * 32);
	if (commands == NULL)
		err(71, "malloc");
	size_t octets = 0;
	double start = seconds();
	for (long asked = 0, got = 0; got < total;) {
		size_t length = 0;
		for (; depth > 0 && asked < total && asked - got < depth; asked++)
			length += (size_t)sprintf(commands + length, "RETR %ld\r\n", asked % messages + 1);
		if (length > 0)
			send_all(fd, commands, length);
		got += read_multiline(reader, (depth > 0 ? asked : total) - got, &octets);
	}
	double end = seconds();
	if (depth > 0) {
		command(fd, reader, "QUIT", "");
		expect_close(reader);
	}
	printf("%ld %.6f %zu\n", total, end - start, octets);
	return 0;
}
