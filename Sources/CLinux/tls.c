#define _GNU_SOURCE

#include "cltls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// A cl_tls_context is an SSL_CTX, and a cl_tls an SSL: nothing of ours is needed besides.

static SSL_CTX *shared(const cl_tls_context *context) { return (SSL_CTX *)(uintptr_t)context; }
static SSL *native(const cl_tls *tls) { return (SSL *)(uintptr_t)tls; }

// MARK: why

void cl_tls_why(char *out, size_t size) {
  unsigned long error = ERR_peek_last_error();
  const char *reason = ERR_reason_error_string(error);
  if (reason == NULL) reason = "unknown reason";
  strncpy(out, reason, size - 1);
  out[size - 1] = 0;
  ERR_clear_error();
}

static BIO *memory(const void *data, size_t count) { return BIO_new_mem_buf(data, (int)count); }

// No question on a terminal for the password of a key.
static int no_password(char *buffer, int size, int writing, void *context) {
  (void)buffer, (void)size, (void)writing, (void)context;
  return -1;
}

static X509 *read_certificate(BIO *source) { return PEM_read_bio_X509(source, NULL, no_password, NULL); }

// MARK: contexts

// A client that offers protocols and not ours speaks something else, or was sent here by one who does (ALPACA).
static int choose_protocol(SSL *tls, const unsigned char **out, unsigned char *out_count, const unsigned char *in,
                           unsigned int in_count, void *unused) {
  (void)unused;
  const char *ours = SSL_get_app_data(tls);
  size_t count = strlen(ours);
  for (unsigned int at = 0; at < in_count && at + in[at] < in_count; at += 1u + in[at]) {
    if (in[at] != count || memcmp(in + at + 1, ours, count) != 0) continue;
    *out = in + at + 1;
    *out_count = (unsigned char)count;
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int use_certificate(SSL_CTX *native, const void *certificate, size_t certificate_count, const void *key,
                           size_t key_count) {
  BIO *source = memory(certificate, certificate_count);
  X509 *own = source != NULL ? read_certificate(source) : NULL;
  int good = own != NULL && SSL_CTX_use_certificate(native, own) == 1;
  X509_free(own);
  for (X509 *next; good && (next = read_certificate(source)) != NULL;) good = SSL_CTX_add0_chain_cert(native, next) == 1;
  BIO_free(source);
  ERR_clear_error();
  if (!good) return 0;
  source = memory(key, key_count);
  EVP_PKEY *secret = source != NULL ? PEM_read_bio_PrivateKey(source, NULL, no_password, NULL) : NULL;
  good = secret != NULL && SSL_CTX_use_PrivateKey(native, secret) == 1 && SSL_CTX_check_private_key(native) == 1;
  EVP_PKEY_free(secret);
  BIO_free(source);
  return good;
}

cl_tls_context *cl_tls_context_make(const void *certificate, size_t certificate_count, const void *key,
                                    size_t key_count, int minimum, char *why, size_t why_size) {
  // OpenSSL writes to sockets that may be closed.
  signal(SIGPIPE, SIG_IGN);
  ERR_clear_error();
  SSL_CTX *made = SSL_CTX_new(TLS_server_method());
  int good = made != NULL && SSL_CTX_set_min_proto_version(made, minimum) == 1;
  if (good) {
    SSL_CTX_set_options(made, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                  SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_KTLS | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Buffers go back while a session is idle; a write may go on with the same octets at another place.
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One call of the kernel for a record's header and what it holds, or for several records.
    SSL_CTX_set_read_ahead(made, 1);
    // Sessions are resumed by tickets, which cost us no memory; one is enough.
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(made, 1);
    static const unsigned char name[] = "restante";
    SSL_CTX_set_session_id_context(made, name, sizeof name - 1);
    SSL_CTX_set_alpn_select_cb(made, choose_protocol, NULL);
    if (minimum >= TLS1_2_VERSION) {
      // Forward secrecy and authenticated encryption.
      good = SSL_CTX_set_cipher_list(made, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
    } else {
      // Old devices sign with SHA-1, which OpenSSL only takes at security level 0.
      SSL_CTX_set_security_level(made, 0);
      good = SSL_CTX_set_cipher_list(made, "DEFAULT:!kPSK:!SRP") == 1;
    }
    // AES with 128 bits and SHA-256 first, which cost a tenth less for a message and are as far out of reach.
    good = good && SSL_CTX_set1_groups_list(made, "X25519:P-256:P-384") == 1 &&
           SSL_CTX_set_ciphersuites(
               made, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") == 1;
  }
  good = good && use_certificate(made, certificate, certificate_count, key, key_count);
  if (good) return (cl_tls_context *)made;
  cl_tls_why(why, why_size);
  SSL_CTX_free(made);
  return NULL;
}

void cl_tls_context_free(cl_tls_context *context) { SSL_CTX_free(shared(context)); }

// MARK: the way to the kernel

// Whether more is written right after what is written now: then the kernel sends both in the same segments.
static _Thread_local int follows;

static int write_socket(BIO *bio, const char *data, int count) {
  BIO_clear_retry_flags(bio);
  int sent = (int)send((int)(intptr_t)BIO_get_data(bio), data, (size_t)count, MSG_NOSIGNAL | (follows ? MSG_MORE : 0));
  if (sent < 0 && BIO_sock_should_retry(sent)) BIO_set_retry_write(bio);
  return sent;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

// From the handshake on, unless the kernel encrypts: OpenSSL's own way to a socket cannot say that more follows.
static void write_ourselves(SSL *tls) {
  static BIO_METHOD *method;
  if (method == NULL) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (method == NULL) return;
    BIO_meth_set_write(method, write_socket);
    BIO_meth_set_ctrl(method, control);
  }
  BIO *bio = BIO_new(method);
  if (bio == NULL) return;
  BIO_set_data(bio, (void *)(intptr_t)SSL_get_fd(tls));
  BIO_set_init(bio, 1);
  SSL_set0_wbio(tls, bio);
}

// MARK: sessions

cl_tls *cl_tls_make(cl_tls_context *context, int socket, const uint8_t *protocol) {
  SSL *tls = SSL_new(shared(context));
  if (tls == NULL) return NULL;
  if (SSL_set_fd(tls, socket) != 1) {
    SSL_free(tls);
    return NULL;
  }
  SSL_set_app_data(tls, (void *)(uintptr_t)protocol);
  SSL_set_accept_state(tls);
  return (cl_tls *)tls;
}

cl_tls *cl_tls_client(int socket) {
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *tls = context != NULL ? SSL_new(context) : NULL;
  // The session holds it from now on.
  SSL_CTX_free(context);
  if (tls == NULL || SSL_set_fd(tls, socket) != 1) {
    SSL_free(tls);
    return NULL;
  }
  SSL_set_connect_state(tls);
  return (cl_tls *)tls;
}

// Returns the length.
static int fingerprint(const X509 *certificate, char *out, size_t size) {
  uint8_t digest[32];
  size_t count = 0;
  if (certificate == NULL || X509_digest(certificate, EVP_sha256(), digest, NULL) != 1) return 0;
  return OPENSSL_buf2hexstr_ex(out, size, &count, digest, sizeof digest, ':') == 1 ? (int)count - 1 : 0;
}

int cl_tls_peer(const cl_tls *tls, char *out, size_t size) {
  return fingerprint(SSL_get0_peer_certificate(native(tls)), out, size);
}

void cl_tls_free(cl_tls *tls) { SSL_free(native(tls)); }

// Must be called right after the call that returned `result`.
static int64_t outcome(SSL *tls, int64_t result) {
  int saved = errno;
  switch (SSL_get_error(tls, (int)result)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ: return CL_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return CL_TLS_WANT_WRITE;
    case SSL_ERROR_SYSCALL: return saved != 0 ? -saved : -ECONNRESET;
    default: return CL_TLS_FAILED;
  }
}

int cl_tls_handshake(cl_tls *tls) {
  ERR_clear_error();
  int result = SSL_do_handshake(native(tls));
  if (result == 1) {
    if (!cl_tls_is_kernel(tls)) write_ourselves(native(tls));
    return 0;
  }
  int64_t why = outcome(native(tls), result);
  return why == 0 ? -ECONNRESET : (int)why;
}

int64_t cl_tls_read(cl_tls *tls, void *buffer, size_t count) {
  ERR_clear_error();
  size_t total = 0, got = 0;
  do {
    int result = SSL_read_ex(native(tls), (char *)buffer + total, count - total, &got);
    if (result != 1) return total > 0 ? (int64_t)total : outcome(native(tls), result);
    total += got;
  } while (total < count && SSL_has_pending(native(tls)));
  return (int64_t)total;
}

int64_t cl_tls_write(cl_tls *tls, const void *buffer, size_t count, int more) {
  ERR_clear_error();
  size_t sent = 0;
  follows = more;
  int result = SSL_write_ex(native(tls), buffer, count, &sent);
  follows = 0;
  return result == 1 ? (int64_t)sent : outcome(native(tls), result);
}

int cl_tls_is_kernel(const cl_tls *tls) { return BIO_get_ktls_send(SSL_get_wbio(native(tls))) ? 1 : 0; }

int cl_tls_pending(const cl_tls *tls) { return SSL_has_pending(native(tls)); }

void cl_tls_shutdown(cl_tls *tls) {
  ERR_clear_error();
  SSL_shutdown(native(tls));
  ERR_clear_error();
}

const char *cl_tls_version(const cl_tls *tls) { return SSL_get_version(native(tls)); }
int cl_tls_version_number(const cl_tls *tls) { return SSL_version(native(tls)); }
const char *cl_tls_cipher(const cl_tls *tls) { return SSL_get_cipher_name(native(tls)); }

int cl_tls_exporter(cl_tls *tls, uint8_t out[32]) {
  static const char label[] = "EXPORTER-Channel-Binding";
  // RFC 9266 §4.2: below TLS 1.3 only with extended master secrets.
  if (SSL_version(native(tls)) < TLS1_3_VERSION && !SSL_get_extms_support(native(tls))) return -EOPNOTSUPP;
  int result = SSL_export_keying_material(native(tls), out, 32, label, sizeof label - 1, NULL, 0, 0);
  return result == 1 ? 32 : -EIO;
}

int cl_tls_end_point(cl_tls *tls, uint8_t out[64]) {
  X509 *own = SSL_get_certificate(native(tls));
  int digest = 0;
  if (own == NULL || X509_get_signature_info(own, &digest, NULL, NULL, NULL) != 1) return -EOPNOTSUPP;
  // RFC 5929 §4.1: in the place of MD5 and SHA-1, SHA-256.
  const EVP_MD *method = digest == NID_md5 || digest == NID_sha1 || digest == NID_undef
                             ? EVP_sha256()
                             : EVP_get_digestbynid(digest);
  unsigned int count = 0;
  if (method == NULL || EVP_MD_get_size(method) > 64 || X509_digest(own, method, out, &count) != 1) return -EIO;
  return (int)count;
}

// MARK: certificates

// Seconds since 1970. Not by timegm: where time_t has 32 bits, it ends in 2038.
static int64_t seconds(const ASN1_TIME *time) {
  int days = 0, rest = 0;
  ASN1_TIME *epoch = ASN1_TIME_new();
  int good = epoch != NULL && ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 &&
             ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
  ASN1_TIME_free(epoch);
  return good ? (int64_t)days * 86400 + rest : 0;
}

// The first certificate of a PEM text, where `source` goes on with the next.
static X509 *first_certificate(BIO **source, const void *pem, size_t count) {
  ERR_clear_error();
  *source = memory(pem, count);
  return *source != NULL ? read_certificate(*source) : NULL;
}

static void finish(BIO *source, X509 *certificate) {
  X509_free(certificate);
  BIO_free(source);
  ERR_clear_error();
}

int64_t cl_certificate_number(const void *pem, size_t count, int field) {
  BIO *source;
  X509 *certificate = first_certificate(&source, pem, count);
  int64_t number = 0;
  if (certificate != NULL) switch (field) {
      case CL_CERTIFICATE_NOT_BEFORE: number = seconds(X509_get0_notBefore(certificate)); break;
      case CL_CERTIFICATE_NOT_AFTER: number = seconds(X509_get0_notAfter(certificate)); break;
      case CL_CERTIFICATE_SELF_SIGNED: number = X509_self_signed(certificate, 1) == 1; break;
      case CL_CERTIFICATE_CHAIN:
        number = 1;
        for (X509 *next; (next = read_certificate(source)) != NULL; number++) X509_free(next);
    }
  finish(source, certificate);
  return number;
}

// What came from elsewhere is shown on terminals, with spaces between.
static void write_name(BIO *out, const char *name, int count) {
  for (int i = 0; i < count; i++) BIO_write(out, name[i] > ' ' && name[i] <= '~' ? name + i : "?", 1);
}

static void write_names(BIO *out, X509 *certificate) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
    int kind = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
    const char *octets = (const char *)ASN1_STRING_get0_data(value);
    int count = ASN1_STRING_length(value);
    char address[INET6_ADDRSTRLEN];
    if (kind == GEN_IPADD && (count == 4 || count == 16)) {
      octets = inet_ntop(count == 4 ? AF_INET : AF_INET6, octets, address, sizeof address);
      count = (int)strlen(address);
    } else if (kind != GEN_DNS) {
      continue;
    }
    if (BIO_pending(out) > 0) BIO_puts(out, " ");
    write_name(out, octets, count);
  }
  GENERAL_NAMES_free(names);
}

int cl_certificate_text(const void *pem, size_t count, int field, char *out, size_t size) {
  BIO *source;
  X509 *certificate = first_certificate(&source, pem, count);
  BIO *text = BIO_new(BIO_s_mem());
  if (certificate != NULL && text != NULL) switch (field) {
      case CL_CERTIFICATE_FINGERPRINT: {
        char shown[3 * 32];
        if (fingerprint(certificate, shown, sizeof shown) > 0) BIO_puts(text, shown);
        break;
      }
      // RFC 2253 escapes control characters and what is not ASCII.
      case CL_CERTIFICATE_SUBJECT:
        X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
        break;
      case CL_CERTIFICATE_ISSUER:
        X509_NAME_print_ex(text, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
        break;
      case CL_CERTIFICATE_NAMES: write_names(text, certificate);
    }
  int got = text != NULL ? BIO_read(text, out, (int)size) : 0;
  BIO_free(text);
  finish(source, certificate);
  return got > 0 ? got : 0;
}

int cl_certificate_covers(const void *pem, size_t count, const char *name) {
  BIO *source;
  X509 *certificate = first_certificate(&source, pem, count);
  // Mail programs of today do not look at the subject.
  int covers = certificate != NULL &&
               X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
  finish(source, certificate);
  return covers;
}

static const char *date_problem(X509 *certificate, int64_t now) {
  if (now == 0) return NULL;
  if (seconds(X509_get0_notAfter(certificate)) < now) return "a certificate in it has expired; get a new one";
  if (seconds(X509_get0_notBefore(certificate)) > now)
    return "a certificate in it is not valid yet; is the clock of this device right?";
  return NULL;
}

// What is wrong with `own`, whose key should be `secret`, and the chain that `source` goes on with.
static const char *chain_problem(BIO *source, X509 *own, EVP_PKEY *secret, int64_t now) {
  const char *problem = date_problem(own, now);
  int fits = X509_check_private_key(own, secret) == 1;
  int belongs = fits;
  X509_up_ref(own);
  ERR_clear_error();
  for (X509 *next; (next = read_certificate(source)) != NULL; own = next) {
    belongs |= X509_check_private_key(next, secret) == 1;
    if (problem == NULL && (X509_check_issued(next, own) != X509_V_OK || X509_verify(own, X509_get0_pubkey(next)) != 1))
      problem = "its chain is not in order: each certificate must have signed the one before it";
    if (problem == NULL) problem = date_problem(next, now);
    X509_free(own);
    ERR_clear_error();
  }
  X509_free(own);
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) problem = "a certificate in it is damaged";
  if (fits) return problem;
  return belongs ? "its chain is not in order: the certificate that the key belongs to comes first"
                 : "the key belongs to another certificate; give the two that were made together";
}

int cl_certificate_check(const void *certificate, size_t certificate_count, const void *key, size_t key_count,
                         int64_t now, char *why, size_t size) {
  BIO *source;
  X509 *own = first_certificate(&source, certificate, certificate_count);
  BIO *key_source = memory(key, key_count);
  EVP_PKEY *secret = key_source != NULL ? PEM_read_bio_PrivateKey(key_source, NULL, no_password, NULL) : NULL;
  SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
  const char *problem = NULL;
  if (own == NULL)
    problem = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----); one in DER form becomes PEM by "
              "`openssl x509 -inform DER -in FILE -out FILE.pem`";
  else if (secret == NULL)
    problem = memmem(key, key_count, "ENCRYPTED", 9) != NULL
                  ? "the key has a password, and nobody is there to type it when the device starts; "
                    "`openssl pkey -in KEY -out KEY.pem` takes it off"
                  : "there is no private key in PEM form (-----BEGIN PRIVATE KEY-----); one in DER form becomes PEM by "
                    "`openssl pkey -inform DER -in KEY -out KEY.pem`";
  else if (X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) != 1)
    problem = "the certificate is not one for servers";
  else if (EVP_PKEY_get_security_bits(secret) < 112)
    problem = "the key is too small: RSA needs 2048 bits";
  else
    problem = chain_problem(source, own, secret, now);
  // The last word is OpenSSL's own: too short a key, too weak a signature.
  if (problem == NULL && (trial == NULL || !use_certificate(trial, certificate, certificate_count, key, key_count)))
    problem = ERR_reason_error_string(ERR_peek_last_error());
  int count = problem != NULL ? snprintf(why, size, "%s", problem) : 0;
  SSL_CTX_free(trial);
  EVP_PKEY_free(secret);
  BIO_free(key_source);
  finish(source, own);
  return count;
}

int cl_pem_blocks(const void *pem, size_t count, int certificates, char *out, size_t size) {
  ERR_clear_error();
  BIO *source = memory(pem, count);
  BIO *text = BIO_new(BIO_s_secmem());
  char *name, *header;
  unsigned char *data;
  long length;
  while (source != NULL && text != NULL && PEM_read_bio(source, &name, &header, &data, &length) == 1) {
    // X.509's, trusted ones, and those of old under the name of X509.
    size_t end = strlen(name);
    int is_certificate = end >= 11 && strcmp(name + end - 11, "CERTIFICATE") == 0;
    if (is_certificate == certificates) PEM_write_bio(text, name, header, data, length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)length);
  }
  int got = text != NULL ? BIO_read(text, out, (int)size) : 0;
  BIO_free(text);
  finish(source, NULL);
  return got > 0 ? got : 0;
}

static int add_extension(X509 *certificate, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  int good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return good;
}

// A name in other letters (RFC 6531) could only stand in a certificate in its ASCII form.
static int is_plain(const char *name) {
  while (*name > ' ' && *name <= '~') name++;
  return *name == 0;
}

static int add_names(X509 *certificate, char *names) {
  GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
  int good = list != NULL;
  char *rest = names;
  for (char *word; good && (word = strsep(&rest, " ")) != NULL;) {
    if (!is_plain(word)) continue;
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_IPADD, word, 0);
    if (name == NULL) name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, word, 0);
    good = name != NULL && sk_GENERAL_NAME_push(list, name) > 0;
  }
  good = good && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) == 1;
  GENERAL_NAMES_free(list);
  return good;
}

int cl_certificate_make(const char *names, char *out, size_t size) {
  ERR_clear_error();
  char *words = strdup(names);
  EVP_PKEY *secret = EVP_EC_gen("P-256");
  X509 *made = X509_new();
  BIO *text = BIO_new(BIO_s_secmem());
  BIGNUM *serial = BN_new();
  // Valid whatever a clock says, ours or a client's that has none. That it begins before July 2019 also keeps it from
  // Apple's limit of 825 days, which is for what is newer (support.apple.com/103769). It ends where two-digit years do
  // (RFC 5280 §4.1.2.5.1): not every old device reads the four digits that come after.
  int good = words != NULL && secret != NULL && made != NULL && text != NULL && serial != NULL &&
             BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
             BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(made)) != NULL &&
             X509_set_version(made, X509_VERSION_3) == 1 &&
             ASN1_TIME_set_string(X509_getm_notBefore(made), "700101000000Z") == 1 &&
             ASN1_TIME_set_string(X509_getm_notAfter(made), "491231235959Z") == 1 &&
             X509_set_pubkey(made, secret) == 1 && add_names(made, words);
  if (good) {
    // The first name, which now ends there; but RFC 5280 has no common name of more than 64 characters.
    const char *common = is_plain(words) && strlen(words) <= 64 ? words : "Restante";
    X509_NAME *name = X509_get_subject_name(made);
    good = X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0) == 1 &&
           X509_set_issuer_name(made, name) == 1 && add_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(made, NID_key_usage, "critical,digitalSignature") &&
           add_extension(made, NID_ext_key_usage, "serverAuth") &&
           add_extension(made, NID_subject_key_identifier, "hash") && X509_sign(made, secret, EVP_sha256()) > 0 &&
           PEM_write_bio_PrivateKey(text, secret, NULL, NULL, 0, NULL, NULL) == 1 &&
           PEM_write_bio_X509(text, made) == 1;
  }
  int count = good ? BIO_read(text, out, (int)size) : 0;
  free(words);
  BN_free(serial);
  EVP_PKEY_free(secret);
  finish(text, made);
  // All of it, or it is useless.
  return count > 0 && (size_t)count < size ? count : 0;
}
