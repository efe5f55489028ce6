/* SPDX-License-Identifier: MIT */
/*
 * Which certificates servers are judged by. What CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR
 * name replaces the system's; libcurl's tool reads these, the library does not.
 *
 * The system's: OpenSSL looks single certificates up in a folder of hashed names, which costs a
 * fraction of a millisecond, while loading the system's one file with all of them holds the loop
 * for 30 ms. So the folder is asked first where there is one, and the file only about a server that
 * the folder does not know: some images add their own certificates to the file alone.
 */
#ifndef RV_IO_HTTP_TRUST_H
#define RV_IO_HTTP_TRUST_H

#include "base/alloc.h"

/* Paths; NULL: none. With neither file nor folder libcurl's own default holds. */
struct rv_trust {
    char *file;
    char *folder;
    char *second_file; /* what to ask when the folder knows no answer */
};

/* file: the host's choice, or NULL. 0 or REEVE_ENOMEM. */
int rv_trust_find(struct rv_mem *mem, const char *file, struct rv_trust *ret_trust);
void rv_trust_done(struct rv_mem *mem, struct rv_trust *trust);

/* The second file knew better: from now on it is the one that is asked. */
void rv_trust_adopt(struct rv_mem *mem, struct rv_trust *trust);

#endif
