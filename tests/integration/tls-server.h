/* SPDX-License-Identifier: MIT */
/*
 * A small server with TLS in a thread of its own, and the certificate it shows, made afresh: for
 * one name, signed by itself, in a folder of its own that is gone afterwards.
 */
#ifndef RV_TESTS_TLS_SERVER_H
#define RV_TESTS_TLS_SERVER_H

#include <stddef.h>

struct tls_server;

/* subject: "DNS:localhost,IP:127.0.0.1" or the like. It answers each request with "hello". */
struct tls_server *tls_server_new(const char *subject);
void tls_server_free(struct tls_server *server);

unsigned tls_server_port(const struct tls_server *server);
/* The certificate as a file, and a folder that holds it under its hash. */
const char *tls_server_file(const struct tls_server *server);
const char *tls_server_folder(const struct tls_server *server);

/* Connections so far, and how many of them came to the end of their handshake. */
unsigned tls_server_accepted(struct tls_server *server);
unsigned tls_server_handshakes(struct tls_server *server);

#endif
