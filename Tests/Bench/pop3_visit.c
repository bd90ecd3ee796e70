/*
 * pop3_visit: the reader whose patience is measured. One login after another on one thread, begun every PAUSE
 * microseconds or when the one before is done: connect, USER, PASS, STAT, QUIT, waiting for each answer, and the end of
 * the connection.
 *
 *   pop3_visit PORT NAME PASSWORD LOGINS PAUSE [tls]
 *
 * With "tls", a full TLS 1.3 handshake comes before the greeting. Prints the median, the 99th percentile and the
 * longest, in milliseconds from the beginning of connect(2) to the end of the connection.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tls.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double visit(int port, SSL_CTX *tls, struct reader *reader, const char *user, const char *pass)
{
	const char *commands[] = {user, pass, "STAT\r\n", "QUIT\r\n"};
	double start = seconds();
	int fd = connect_to(port, 0);
	reader_begin(reader, fd);
	if (tls != NULL)
		tls_begin(reader, tls, NULL);
	expect_ok(reader);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		say(reader, commands[i], strlen(commands[i]));
		expect_ok(reader);
	}
	expect_close(reader);
	double taken = seconds() - start;
	tls_end(reader);
	close(fd);
	return taken;
}

int main(int argc, char **argv)
{
	if (argc != 6 && !(argc == 7 && strcmp(argv[6], "tls") == 0))
		errx(64, "usage: pop3_visit PORT NAME PASSWORD LOGINS PAUSE [tls]");
	int port = (int)number(argv[1], 1, 65535);
	long logins = number(argv[4], 1, 10000000);
	double pause = (double)number(argv[5], 0, 10000000) / 1e6;
	char user[300], pass[300];
	snprintf(user, sizeof user, "USER %s\r\n", argv[2]);
	snprintf(pass, sizeof pass, "PASS %s\r\n", argv[3]);

	SSL_CTX *tls = argc == 7 ? tls_client() : NULL;
	struct reader *reader = reader_new(-1);
	double *taken = malloc((size_t)logins * sizeof *taken);
	if (taken == NULL)
		err(71, "malloc");
	double next = seconds();
	for (long i = 0; i < logins; i++, next += pause) {
		double early = next - seconds();
		if (early > 0)
			usleep((useconds_t)(early * 1e6));
		else
			next = seconds();
		taken[i] = visit(port, tls, reader, user, pass);
	}
	qsort(taken, (size_t)logins, sizeof *taken, ascending);
	printf("%.4f %.4f %.4f\n", taken[logins / 2] * 1e3, taken[logins - 1 - logins / 100] * 1e3,
	    taken[logins - 1] * 1e3);
	return 0;
}
