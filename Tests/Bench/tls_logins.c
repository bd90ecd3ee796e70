/*
 * tls_logins: the reader that comes and goes. CONNECTIONS threads, each connecting, shaking hands and, after the
 * greeting, sending USER, PASS and QUIT in one piece; the answers are four lines that begin with "+OK", and the end of
 * the connection. Then again, with a new connection, until LOGINS have been made in all.
 *
 *   tls_logins PORT PASSWORD CONNECTIONS LOGINS full|resumed
 *
 * Thread k logs in as userK. With "resumed", each handshake resumes the session before it by its ticket (psk_dhe_ke);
 * the first of each thread is a full one, and not counted among the LOGINS. A handshake that is not of the kind asked
 * for ends the program with exit code 76. Prints "logins seconds".
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tls.h"

enum { most_connections = 100 };

static int port, resumes;
static const char *password;

struct visitor {
	pthread_t thread;
	long number, logins;
	SSL_CTX *client;
	SSL_SESSION *session;
};

/* The ticket comes with the first octets that are read. */
static int keep(SSL *tls, SSL_SESSION *session)
{
	struct visitor *visitor = SSL_get_app_data(tls);
	SSL_SESSION_free(visitor->session);
	visitor->session = session;
	return 1;
}

static void log_in(struct visitor *visitor, struct reader *reader, const char *commands)
{
	SSL_SESSION *given = visitor->session;
	visitor->session = NULL;
	int fd = connect_to(port, 0);
	reader_begin(reader, fd);
	tls_begin(reader, visitor->client, given);
	SSL_set_app_data(reader->tls, visitor);
	if (SSL_session_reused(reader->tls) != (given != NULL))
		errx(76, given != NULL ? "the session was not resumed" : "a session was resumed");
	SSL_SESSION_free(given);
	expect_ok(reader);
	say(reader, commands, strlen(commands));
	for (int i = 0; i < 3; i++)
		expect_ok(reader);
	expect_close(reader);
	tls_end(reader);
	close(fd);
	if (resumes && visitor->session == NULL)
		errx(76, "the server gave no ticket");
}

static void *run(void *argument)
{
	struct visitor *visitor = argument;
	struct reader *reader = reader_new(-1);
	char commands[400];
	snprintf(commands, sizeof commands, "USER user%ld\r\nPASS %s\r\nQUIT\r\n", visitor->number, password);
	visitor->client = tls_client();
	if (resumes) {
		SSL_CTX_set_session_cache_mode(visitor->client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(visitor->client, keep);
		log_in(visitor, reader, commands);
	}
	for (long i = 0; i < visitor->logins; i++)
		log_in(visitor, reader, commands);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct visitor visitor[most_connections];
	if (argc != 6 || (strcmp(argv[5], "full") != 0 && strcmp(argv[5], "resumed") != 0))
		errx(64, "usage: tls_logins PORT PASSWORD CONNECTIONS LOGINS full|resumed");
	port = (int)number(argv[1], 1, 65535);
	password = argv[2];
	long connections = number(argv[3], 1, most_connections);
	long logins = number(argv[4], connections, 100000000);
	resumes = strcmp(argv[5], "resumed") == 0;

	double start = seconds();
	for (long i = 0; i < connections; i++) {
		visitor[i].number = i;
		visitor[i].logins = logins / connections + (i < logins % connections);
		if (pthread_create(&visitor[i].thread, NULL, run, &visitor[i]) != 0)
			err(71, "pthread_create");
	}
	for (long i = 0; i < connections; i++)
		pthread_join(visitor[i].thread, NULL);
	printf("%ld %.6f\n", logins, seconds() - start);
	return 0;
}
