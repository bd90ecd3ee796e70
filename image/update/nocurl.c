// In place of libcurl-gnutls: RAUC can fetch bundles from the network, this device installs files. Nine megabytes of
// libraries are not needed for that, and nobody talks to anybody.
#include <stddef.h>

enum { CURLE_OK = 0, CURLE_UNSUPPORTED_PROTOCOL = 1 };

int curl_global_init(long flags) {
  (void)flags;
  return CURLE_OK;
}

void *curl_easy_init(void) { return NULL; }

void curl_easy_cleanup(void *handle) { (void)handle; }

int curl_easy_perform(void *handle) {
  (void)handle;
  return CURLE_UNSUPPORTED_PROTOCOL;
}

int curl_easy_setopt(void *handle, int option, ...) {
  (void)handle;
  (void)option;
  return CURLE_UNSUPPORTED_PROTOCOL;
}

const char *curl_easy_strerror(int error) {
  (void)error;
  return "this device fetches nothing from the network";
}
