/* SPDX-License-Identifier: MIT */
/*
 * A server that does what a test says, byte for byte, on the loop that is tested: it reads requests
 * (head and body; one in chunks as it stands, and of text only) off plain sockets and plays
 * whatever was queued for the connection.
 */
#ifndef RV_TESTS_RAW_SERVER_H
#define RV_TESTS_RAW_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct raw_server;
struct raw_conn;

/* A request has come whole. What is queued in here is its answer. */
typedef void (*raw_on_request)(struct raw_conn *conn, const char *head, const char *body,
                               size_t body_len, void *arg);

/* On 127.0.0.1 and a free port. Aborts when it cannot. */
struct raw_server *raw_server_new(struct event_base *base, raw_on_request on_request, void *arg);
/* Its connections too. */
void raw_server_free(struct raw_server *server);

unsigned raw_server_port(const struct raw_server *server);
/* "http://127.0.0.1:PORT" + path; in a buffer of the server's, until the next call. */
const char *raw_server_url(struct raw_server *server, const char *path);

size_t raw_server_accepted(const struct raw_server *server);
size_t raw_server_requests(const struct raw_server *server);
/* Connections that are open now, and bytes that the kernel took. */
size_t raw_server_open(const struct raw_server *server);
size_t raw_server_sent(const struct raw_server *server);

/* Queue for a connection; played in order, each in a turn of its own. */
void raw_send(struct raw_conn *conn, const void *bytes, size_t len);
void raw_text(struct raw_conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
void raw_each_byte(struct raw_conn *conn, const char *text);
void raw_zeros(struct raw_conn *conn, size_t count);
void raw_wait(struct raw_conn *conn, unsigned ms);
void raw_close(struct raw_conn *conn);
void raw_reset(struct raw_conn *conn);

#endif
