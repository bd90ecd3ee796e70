/* tls.c: see tls.h. */
#include "tls.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

static void fail(const char *what)
{
	char text[256];
	ERR_error_string_n(ERR_peek_error(), text, sizeof text);
	errx(76, "%s: %s", what, text);
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	/* OpenSSL writes to sockets that the peer may have closed. */
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX *made = SSL_CTX_new(method);
	if (made == NULL || SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256") != 1 || SSL_CTX_set1_groups_list(made, "X25519") != 1)
		fail("SSL_CTX_new");
	return made;
}

SSL_CTX *tls_client(void)
{
	SSL_CTX *made = context(TLS_client_method());
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return made;
}

void tls_begin(struct reader *reader, SSL_CTX *client, SSL_SESSION *session)
{
	SSL *tls = SSL_new(client);
	if (tls == NULL || SSL_set_fd(tls, reader->fd) != 1 || (session != NULL && SSL_set_session(tls, session) != 1))
		fail("SSL_new");
	if (SSL_connect(tls) != 1)
		fail("SSL_connect");
	reader->tls = tls;
}

void tls_end(struct reader *reader)
{
	if (reader->tls == NULL)
		return;
	/* A session that was not shut down would be taken out of use. */
	SSL_set_quiet_shutdown(reader->tls, 1);
	SSL_shutdown(reader->tls);
	SSL_free(reader->tls);
	reader->tls = NULL;
}

SSL_CTX *tls_server(const char *file)
{
	SSL_CTX *made = context(TLS_server_method());
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(made, file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(made, file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_set_num_tickets(made, 1) != 1)
		fail(file);
	return made;
}

SSL *tls_accept(SSL_CTX *server, int fd)
{
	/* Else what follows the ticket waits until the client acknowledges that. */
	int one = 1;
	SSL *tls = SSL_new(server);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 || tls == NULL || SSL_set_fd(tls, fd) != 1)
		fail("SSL_new");
	if (SSL_accept(tls) == 1)
		return tls;
	SSL_free(tls);
	return NULL;
}
