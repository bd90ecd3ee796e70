/*
 * bench.h: what the load programs share: the clock, a bounded number from the command line, a blocking connection that
 * never waits longer than a minute, a reader of lines, and the text of a message. What TLS takes is in tls.h.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

/* Seconds of the monotonic clock. */
double seconds(void);

/* The decimal number in `text`, or the end of the program (exit 64) when it is not one from `low` to `high`. */
long number(const char *text, long low, long high);

/*
 * A message of exactly `size` octets: headers, then lines of 76 characters, CRLF, no dot at a line's start and no dot
 * elsewhere in the body, ending in CRLF. Allocated once and never freed. `size` under 128 gives filler lines only.
 */
char *message_text(size_t size);

/*
 * A blocking TCP connection to 127.0.0.1:`port`. Reading and writing give up after 60 seconds. Of the socket's options
 * only TCP_NODELAY is touched, when `nodelay` is set: acknowledgements are delayed as on any ordinary client.
 */
int connect_to(int port, int nodelay);

/* Writes all of `data`, or ends the program. */
void send_all(int fd, const void *data, size_t length);

/* A listener on a free loopback port, which is printed on a line of its own. Accepting gives up after five minutes. */
int listen_anywhere(void);

/* The next connection. Writing to it gives up after 60 seconds. */
int accept_next(int listener);

/* Buffered reading of answers. */
struct reader {
	int fd;
	struct ssl_st *tls; /* NULL in the clear */
	size_t start, end;
	char buffer[256 * 1024];
};

/* A reader on `fd`, allocated once. */
struct reader *reader_new(int fd);

/* Forgets what was read, and reads from `fd` now, in the clear. */
void reader_begin(struct reader *reader, int fd);

/* Writes all of `data` to the reader's connection, or ends the program. */
void say(struct reader *reader, const void *data, size_t length);

/* Reads the next line and expects it to begin with "+OK"; returns it. Ends the program otherwise. */
char *expect_ok(struct reader *reader);

/* The next line, ended by NUL instead of CRLF, valid until the next call. Ends the program at end of file. */
char *read_line(struct reader *reader);

/*
 * Reads on until at least one multi-line answer has ended (CRLF . CRLF), counts those that ended in what has been read,
 * up to `most`, and adds the octets gone through to `octets`.
 */
long read_multiline(struct reader *reader, long most, size_t *octets);

/* Reads until the peer has closed. Data after the last answer is an error. */
void expect_close(struct reader *reader);

#endif
