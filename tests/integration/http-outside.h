/* SPDX-License-Identifier: MIT */
/*
 * Servers that others wrote, as children with a folder, ports and a configuration of their own:
 * nginx and tinyproxy. They die with the process of the test, however that ends.
 */
#ifndef RV_TESTS_HTTP_OUTSIDE_H
#define RV_TESTS_HTTP_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { OUTSIDE_PATH_BYTES = 128, OUTSIDE_LINE_BYTES = 256 };

struct outside {
    pid_t pid;
    unsigned port;
    unsigned tls_port; /* nginx only */
    char folder[OUTSIDE_PATH_BYTES];
    char log[OUTSIDE_PATH_BYTES]; /* nginx: access lines; tinyproxy: what it says */
};

/* One line of nginx's access log. */
struct access {
    unsigned long connection;
    char protocol[16];
    char method[16];
    char path[64];
    int status;
    unsigned long request_bytes;
    char via[64]; /* "-" if the request came straight */
};

/* Skips the test, telling why, if the server is not installed. */
void outside_need(const char *program);

/*
 * nginx, plain and with TLS (HTTP/2 too) on all addresses: GET of /protocol answers with the
 * protocol's name, GET of /files/NAME with the file, PUT to /put/NAME keeps the body. Certificate
 * for here.test, localhost, 127.0.0.1 and own_address, signed by outside_path("ca.pem").
 */
struct outside *outside_nginx_new(const char *own_address);
/* tinyproxy on 127.0.0.1, with these lines in its configuration. */
struct outside *outside_tinyproxy_new(const char *lines);
void outside_free(struct outside *outside);

/* A file in its folder; in a buffer until the next call. */
const char *outside_path(const struct outside *outside, const char *name);
void outside_write(const struct outside *outside, const char *name, const char *bytes, size_t len);
/* Allocated, NUL-terminated; NULL if there is none. */
char *outside_read(const struct outside *outside, const char *name, size_t *ret_len);

/* The first lines of the access log. Waits for so many, at most some seconds; returns how many. */
size_t outside_accesses(const struct outside *outside, struct access *list, size_t wanted);
/* Whether its log says so. */
bool outside_logged(const struct outside *outside, const char *text);

/* An IPv4 address of this machine that is not loopback; false if it has none. */
bool outside_own_address(char *room, size_t size);

#endif
