/*
 * tls_pour: the yardstick for fetching under TLS. Listens on a free loopback port, prints that port, and for each of
 * CONNECTIONS connections shakes hands, sends a greeting and then 1,000 messages of SIZE octets in wire format from
 * memory, one SSL_write each, without waiting for any command. Read it with: pop3_fetch PORT - - 1000 0 CONNECTIONS tls
 * FILE holds certificate and key in PEM form.
 *
 *   tls_pour FILE SIZE CONNECTIONS
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tls.h"

enum { messages = 1000 };

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(64, "usage: tls_pour FILE SIZE CONNECTIONS");
	SSL_CTX *server = tls_server(argv[1]);
	size_t size = (size_t)number(argv[2], 128, 100 << 20), length = size + 3;
	long connections = number(argv[3], 1, 100000);

	char *content = malloc(length + 1);
	if (content == NULL)
		err(71, "malloc");
	memcpy(content, message_text(size), size);
	memcpy(content + size, ".\r\n", 4);

	int listener = listen_anywhere();
	for (long connection = 0; connection < connections; connection++) {
		int fd = accept_next(listener);
		SSL *tls = tls_accept(server, fd);
		if (tls == NULL)
			errx(76, "the handshake failed");
		static const char greeting[] = "+OK pour\r\n";
		SSL_write(tls, greeting, sizeof greeting - 1);
		for (long i = 0; i < messages; i++)
			if (SSL_write(tls, content, (int)length) != (int)length)
				errx(74, "SSL_write: error %d", SSL_get_error(tls, -1));
		SSL_shutdown(tls);
		SSL_free(tls);
		close(fd);
	}
	return 0;
}
