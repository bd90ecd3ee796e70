/*
 * sendfile_loop: the yardstick for fetching. Makes FILE with 1,000 messages of SIZE octets in wire format, listens on
 * a free loopback port, prints that port, and for each of CONNECTIONS connections sends a greeting and then the
 * messages, one sendfile(2) each, without waiting for any command. Read it with: pop3_fetch PORT - - 1000 0
 * CONNECTIONS
 *
 *   sendfile_loop FILE SIZE CONNECTIONS
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "bench.h"

enum { messages = 1000 };

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(64, "usage: sendfile_loop FILE SIZE CONNECTIONS");
	size_t size = (size_t)number(argv[2], 128, 100 << 20), length = size + 3;
	long connections = number(argv[3], 1, 100000);

	char *content = malloc(length + 1);
	if (content == NULL)
		err(71, "malloc");
	memcpy(content, message_text(size), size);
	memcpy(content + size, ".\r\n", 4);
	int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		err(73, "%s", argv[1]);
	for (int i = 0; i < messages; i++)
		if (write(file, content, length) != (ssize_t)length)
			err(74, "write");

	int listener = listen_anywhere();
	for (long connection = 0; connection < connections; connection++) {
		int fd = accept_next(listener);
		static const char greeting[] = "+OK sendfile\r\n";
		send_all(fd, greeting, sizeof greeting - 1);
		for (long i = 0; i < messages; i++) {
			off_t from = (off_t)i * (off_t)length, end = from + (off_t)length;
			while (from < end)
				if (sendfile(fd, file, &from, (size_t)(end - from)) <= 0)
					err(74, "sendfile");
		}
		close(fd);
	}
	return 0;
}
