/* SPDX-License-Identifier: MIT */
/*
 * The head of a response, fed line by line: status and headers, RFC 9112. Informational heads (1xx)
 * before the one that counts are passed over, trailers behind the body as well. Pure.
 */
#ifndef RV_IO_HTTP_HEAD_H
#define RV_IO_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum { RV_HTTP_MAX_HEAD_BYTES = 64 * 1024 };

struct rv_http_head {
    struct rv_buffer fields; /* "name\0value\0" each */
    int status;              /* of the head being read, or once complete for good */
    bool complete;
};

void rv_http_head_init(struct rv_http_head *head, struct rv_mem *mem);
void rv_http_head_done(struct rv_http_head *head);

/* One line, with or without its end of line; the empty one completes the head. 0, REEVE_EPROTOCOL,
 * REEVE_ETOOBIG, REEVE_ENOMEM. */
int rv_http_head_line(struct rv_http_head *head, const char *line, size_t len);

/* The value of the last field of that name, NULL if there is none. Case-insensitive. */
const char *rv_http_head_find(const struct rv_http_head *head, const char *name);

#endif
