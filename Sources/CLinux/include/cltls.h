// TLS by OpenSSL: a context for the listeners, a session for each connection, and certificates.
//
// Sessions run on a non-blocking socket's descriptor, so that the kernel may take the encryption over (kTLS, where it has
// the module) and sendfile(2) goes on working. Nothing here ever waits.
#ifndef CLTLS_H
#define CLTLS_H

#include <stddef.h>
#include <stdint.h>

typedef struct cl_tls_context cl_tls_context;
typedef struct cl_tls cl_tls;

enum {
  // Results besides a count of octets, 0 for the peer's end of data, and negative errno values.
  CL_TLS_WANT_READ = -1001,
  CL_TLS_WANT_WRITE = -1002,
  CL_TLS_FAILED = -1003,
};

// MARK: contexts

// `certificate` and `key` are PEM, the chain after the certificate. `minimum` is 0x0301 to 0x0304. On failure NULL, and
// why in `why`.
cl_tls_context *cl_tls_context_make(const void *certificate, size_t certificate_count, const void *key,
                                    size_t key_count, int minimum, char *why, size_t why_size);
void cl_tls_context_free(cl_tls_context *context);

// MARK: sessions

// A server's session on `socket`; nothing is exchanged yet. `protocol` is the one name that ALPN may come to (RFC 7301)
// and lives for ever. NULL without memory.
cl_tls *cl_tls_make(cl_tls_context *context, int socket, const uint8_t *protocol);
// A client's session, which believes any certificate: it is for the device's talk with itself.
cl_tls *cl_tls_client(int socket);
// The SHA-256 of the certificate that the peer has shown, as people compare it: 0F:A0:... The length; 0 for none.
int cl_tls_peer(const cl_tls *tls, char *out, size_t size);
void cl_tls_free(cl_tls *tls);
int cl_tls_handshake(cl_tls *tls);  // 0 when done
int64_t cl_tls_read(cl_tls *tls, void *buffer, size_t count);  // several records, as far as they came
// With `more`, what follows at once goes into the same segments.
int64_t cl_tls_write(cl_tls *tls, const void *buffer, size_t count, int more);
// The kernel encrypts what is sent: from then on write(2) and sendfile(2) take plain text.
int cl_tls_is_kernel(const cl_tls *tls);
int cl_tls_pending(const cl_tls *tls);   // whether there is something that the kernel does not tell of any more
void cl_tls_shutdown(cl_tls *tls);       // says good-bye once, does not wait for the answer
const char *cl_tls_version(const cl_tls *tls);
int cl_tls_version_number(const cl_tls *tls);
const char *cl_tls_cipher(const cl_tls *tls);
// Why the last call failed, in OpenSSL's words.
void cl_tls_why(char *out, size_t size);
// Channel bindings: tls-exporter (RFC 9266), 32 octets; tls-server-end-point (RFC 5929 §4), up to 64. The count.
int cl_tls_exporter(cl_tls *tls, uint8_t out[32]);
int cl_tls_end_point(cl_tls *tls, uint8_t out[64]);

// MARK: certificates

// A field of the first certificate in a PEM text; 0 where there is none.
enum {
  CL_CERTIFICATE_NOT_BEFORE, CL_CERTIFICATE_NOT_AFTER,  // seconds since 1970
  CL_CERTIFICATE_SELF_SIGNED,                           // 1 or 0
  CL_CERTIFICATE_CHAIN,                                 // how many certificates there are in all
};
int64_t cl_certificate_number(const void *pem, size_t count, int field);
// The same in printable ASCII; returns the length.
enum {
  CL_CERTIFICATE_FINGERPRINT,                     // SHA-256 of the DER form, as people compare it: 0F:A0:...
  CL_CERTIFICATE_SUBJECT, CL_CERTIFICATE_ISSUER,  // as RFC 2253 writes them
  CL_CERTIFICATE_NAMES,                           // hosts and addresses it is for, with spaces between
};
int cl_certificate_text(const void *pem, size_t count, int field, char *out, size_t size);
// Whether the first certificate of a PEM text is for the host `name`: 1 or 0.
int cl_certificate_covers(const void *pem, size_t count, const char *name);
// Why a server cannot use them: key and first certificate must belong together, each certificate of the chain must have
// signed the one before, and, unless `now` is 0, all must be valid then. Returns the length of the reason; 0 for none.
int cl_certificate_check(const void *certificate, size_t certificate_count, const void *key, size_t key_count,
                         int64_t now, char *why, size_t size);
// The blocks of a PEM text that are certificates, or those that are not. Returns the length.
int cl_pem_blocks(const void *pem, size_t count, int certificates, char *out, size_t size);
// Makes a P-256 key and a certificate signed with it; `out` gets both as PEM. `names` are hosts and addresses with
// spaces between; the first is the subject. Returns the length, 0 on failure.
int cl_certificate_make(const char *names, char *out, size_t size);

#endif
