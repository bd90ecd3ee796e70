/*
 * append: the yardstick for delivery. Appends messages to one file and calls fdatasync after every BATCH of them:
 * the least work that keeps the promise "on disk before it is answered".
 *
 *   append FILE COUNT BATCH SIZE
 *
 * Prints "messages seconds". The file is made anew; writing and flushing are measured, making it is not.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv)
{
	if (argc != 5)
		errx(64, "usage: append FILE COUNT BATCH SIZE");
	long count = number(argv[2], 1, 100000000);
	long batch = number(argv[3], 1, 100000);
	size_t size = (size_t)number(argv[4], 1, 100 << 20);

	char *message = message_text(size);
	int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		err(73, "%s", argv[1]);
	if (fsync(fd) != 0)
		err(74, "fsync");

	double start = seconds();
	for (long i = 1; i <= count; i++) {
		if (write(fd, message, size) != (ssize_t)size)
			err(74, "write");
		if ((i % batch == 0 || i == count) && fdatasync(fd) != 0)
			err(74, "fdatasync");
	}
	printf("%ld %.6f\n", count, seconds() - start);
	return 0;
}
