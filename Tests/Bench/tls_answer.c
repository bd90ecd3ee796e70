/*
 * tls_answer: the yardstick for handshakes. Listens on a free loopback port, prints that port, and for CONNECTIONS
 * connections, one after another, shakes hands, sends four "+OK" in one record, reads once, and closes: what
 * `openssl s_time` measures, and a few octets. FILE holds certificate and key in PEM form.
 *
 *   tls_answer FILE CONNECTIONS
 */
#include <err.h>
#include <unistd.h>

#include "bench.h"
#include "tls.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(64, "usage: tls_answer FILE CONNECTIONS");
	SSL_CTX *server = tls_server(argv[1]);
	long connections = number(argv[2], 1, 1000000000);
	int listener = listen_anywhere();
	for (long i = 0; i < connections; i++) {
		int fd = accept_next(listener);
		SSL *tls = tls_accept(server, fd);
		if (tls != NULL) {
			static const char answers[] = "+OK\r\n+OK\r\n+OK\r\n+OK\r\n";
			char ignored[256];
			SSL_write(tls, answers, sizeof answers - 1);
			SSL_read(tls, ignored, sizeof ignored);
			SSL_shutdown(tls);
			SSL_free(tls);
		}
		close(fd);
	}
	return 0;
}
