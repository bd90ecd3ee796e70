/* bench.c: see bench.h. */
#include "bench.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

long number(const char *text, long low, long high)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < low || value > high)
		errx(64, "\"%s\" is not a number from %ld to %ld", text, low, high);
	return value;
}

char *message_text(size_t size)
{
	static const char headers[] =
	    "From: sender@sender.example\r\nTo: reader@bench.example\r\nSubject: a message of known size\r\n\r\n";
	char *text = malloc(size + 1);
	if (text == NULL)
		err(71, "malloc");
	size_t at = 0;
	if (size >= 128) {
		memcpy(text, headers, sizeof headers - 1);
		at = sizeof headers - 1;
	}
	for (size_t column = 0; at < size; at++, column = (column + 1) % 78) {
		if (column == 76)
			text[at] = '\r';
		else if (column == 77)
			text[at] = '\n';
		else
			text[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(at * 37 + at / 64) % 64];
	}
	if (size >= 4) {
		/* No half of a CRLF may stand before the last one. */
		if (text[size - 3] == '\r')
			text[size - 3] = 'x';
		text[size - 2] = '\r';
		text[size - 1] = '\n';
	}
	text[size] = '\0';
	return text;
}

int connect_to(int port, int nodelay)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(71, "socket");
	struct timeval minute = {.tv_sec = 60};
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute) != 0)
		err(71, "setsockopt");
	int one = 1;
	if (nodelay && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
		err(71, "setsockopt");
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		err(69, "connect to 127.0.0.1:%d", port);
	return fd;
}

void send_all(int fd, const void *data, size_t length)
{
	const char *at = data;
	while (length > 0) {
		ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
		if (sent <= 0)
			err(74, "send");
		at += sent;
		length -= (size_t)sent;
	}
}

int listen_anywhere(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t address_length = sizeof address;
	struct timeval minutes = {.tv_sec = 300};
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &address_length) != 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &minutes, sizeof minutes) != 0)
		err(71, "listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

int accept_next(int listener)
{
	int fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(71, "accept");
	struct timeval minute = {.tv_sec = 60};
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute) != 0)
		err(71, "setsockopt");
	return fd;
}

struct reader *reader_new(int fd)
{
	struct reader *reader = malloc(sizeof *reader);
	if (reader == NULL)
		err(71, "malloc");
	reader_begin(reader, fd);
	return reader;
}

void reader_begin(struct reader *reader, int fd)
{
	reader->fd = fd;
	reader->tls = NULL;
	reader->start = reader->end = 0;
}

void say(struct reader *reader, const void *data, size_t length)
{
	if (reader->tls == NULL)
		send_all(reader->fd, data, length);
	else if (SSL_write(reader->tls, data, (int)length) != (int)length)
		errx(74, "SSL_write: error %d", SSL_get_error(reader->tls, -1));
}

char *expect_ok(struct reader *reader)
{
	char *line = read_line(reader);
	if (strncmp(line, "+OK", 3) != 0)
		errx(76, "expected +OK, the server answered: %s", line);
	return line;
}

/* Reads what there is, at most `room` octets. 0 at end of file. */
static size_t receive(struct reader *reader, char *into, size_t room)
{
	if (reader->tls == NULL) {
		ssize_t got = recv(reader->fd, into, room, 0);
		if (got < 0)
			err(74, "recv");
		return (size_t)got;
	}
	int got = SSL_read(reader->tls, into, (int)room);
	if (got > 0)
		return (size_t)got;
	int why = SSL_get_error(reader->tls, got);
	if (why != SSL_ERROR_ZERO_RETURN)
		err(74, "SSL_read: error %d", why);
	return 0;
}

/* Reads more behind what is there. False at end of file. */
static int fill(struct reader *reader)
{
	if (reader->start > 0) {
		memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->end == sizeof reader->buffer)
		errx(76, "an answer's line is longer than %zu octets", sizeof reader->buffer);
	size_t got = receive(reader, reader->buffer + reader->end, sizeof reader->buffer - reader->end);
	reader->end += got;
	return got > 0;
}

char *read_line(struct reader *reader)
{
	size_t seen = 0;
	for (;;) {
		char *from = reader->buffer + reader->start;
		char *newline = memchr(from + seen, '\n', reader->end - reader->start - seen);
		if (newline != NULL) {
			reader->start = (size_t)(newline - reader->buffer) + 1;
			*newline = '\0';
			if (newline > from && newline[-1] == '\r')
				newline[-1] = '\0';
			return from;
		}
		seen = reader->end - reader->start;
		if (!fill(reader))
			errx(76, "the server closed the connection in the middle of the dialogue");
	}
}

long read_multiline(struct reader *reader, long most, size_t *octets)
{
	static const char end[] = "\r\n.\r\n";
	const size_t length = sizeof end - 1;
	for (long found = 0;;) {
		/* Message bodies here hold no dots, so looking for one goes through them as fast as memory does. */
		char *at = reader->buffer + reader->start, *limit = reader->buffer + reader->end, *dot;
		while (found < most && (dot = memchr(at, '.', (size_t)(limit - at))) != NULL) {
			at = dot + 1;
			if (dot - reader->buffer >= (ssize_t)reader->start + 2 && limit - dot >= 3 &&
			    memcmp(dot - 2, end, length) == 0) {
				*octets += (size_t)(dot + 3 - reader->buffer) - reader->start;
				reader->start = (size_t)(dot + 3 - reader->buffer);
				found++;
			}
		}
		if (found == most)
			return found;
		/* All but the last four octets, which may be the beginning of an end, have been gone through. */
		if (reader->end - reader->start >= length) {
			*octets += reader->end - reader->start - (length - 1);
			reader->start = reader->end - (length - 1);
		}
		if (found > 0)
			return found;
		if (!fill(reader))
			errx(76, "the server closed the connection in the middle of an answer");
	}
}

void expect_close(struct reader *reader)
{
	if (reader->start != reader->end || fill(reader))
		errx(76, "data after the last answer");
}
