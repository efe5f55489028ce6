/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events, parsed to the rules of the WHATWG HTML standard, section 9.2.6 ("Interpreting
 * an event stream"). Pure: bytes in, events out, split wherever they may be. No loop, no I/O.
 */
#ifndef RV_IO_SSE_H
#define RV_IO_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* One dispatched event. Texts are NUL-terminated and live for the callback. */
struct rv_sse_event {
    const char *type; /* "message" if the stream named none */
    const char *data;
    size_t data_len;
    const char *id; /* the last id seen, "" if none */
};

struct rv_sse {
    struct rv_mem *mem;
    struct rv_buffer line;
    struct rv_buffer data;
    struct rv_buffer type;
    struct rv_buffer id; /* the buffer that the next dispatch makes the last event id */
    struct rv_buffer last_id;
    int64_t retry_ms; /* -1: the stream set none */
    unsigned bom;     /* how many bytes of a byte order mark were seen; past 3: decided */
    bool after_cr;
    bool has_data;
    bool id_changed;
    size_t data_line_len; /* of an unfinished data line, which is in `data` already; 0: none */
    int error;            /* what a feed ended with: all later ones do too */
    int (*on_event)(const struct rv_sse_event *event, void *arg);
    void *arg;
};

/* `max_event_bytes` caps a line and an event's data, each. on_event returns 0 to go on; the parser
 * must outlive it. */
void rv_sse_init(struct rv_sse *sse, struct rv_mem *mem, size_t max_event_bytes,
                 int (*on_event)(const struct rv_sse_event *event, void *arg), void *arg);
void rv_sse_done(struct rv_sse *sse);

/*
 * 0; REEVE_ETOOBIG; REEVE_ENOMEM; or what on_event returned, after which nothing more is parsed:
 * later feeds return the same. An unfinished event at the end of a stream is dropped, as the
 * standard says: there is no flush.
 */
int rv_sse_feed(struct rv_sse *sse, const char *bytes, size_t len);

/* Something of an event has come that was not dispatched yet. */
bool rv_sse_in_event(const struct rv_sse *sse);

#endif
