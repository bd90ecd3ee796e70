/*
 * tls.h: what the load programs and the yardsticks share of TLS. Only TLS 1.3 with X25519, AES-128-GCM and SHA-256 is
 * spoken, so that all do the same work.
 */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include "bench.h"

/* A client's side. It looks at no certificate's names or chain: nobody is between the two here. */
SSL_CTX *tls_client(void);

/* Shakes hands on the reader's connection, resuming `session` unless it is NULL. Ends the program on failure. */
void tls_begin(struct reader *reader, SSL_CTX *client, SSL_SESSION *session);

/* Gives back what TLS holds of the reader's connection. Nothing is said; in the clear nothing is done. */
void tls_end(struct reader *reader);

/* A server's side, with the certificate and key that stand in one PEM file; one ticket a session, none is kept. */
SSL_CTX *tls_server(const char *file);

/* Shakes hands on an accepted connection. NULL on failure. */
SSL *tls_accept(SSL_CTX *server, int fd);

#endif
