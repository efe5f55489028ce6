/* SPDX-License-Identifier: MIT */
/* A certificate authority made afresh, and a server's certificate that it signed. */
#ifndef RV_TESTS_TLS_PAPERS_H
#define RV_TESTS_TLS_PAPERS_H

/* Writes ca.pem, cert.pem and key.pem into the folder. names: "DNS:localhost,IP:127.0.0.1" or the
 * like. Aborts when it cannot. */
void tls_papers_write(const char *folder, const char *names);

#endif
