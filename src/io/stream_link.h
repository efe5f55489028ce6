/* SPDX-License-Identifier: MIT */
/*
 * The seam of io/stream: a stream's states, limits, queue and delivery are in stream.c and the same
 * in every world; below stand libcurl, which connects, and a socket (stream_socket.c), or a script.
 *
 *   stream.c                       below
 *   rv_link_start  ─────────────►  looks the name up, connects
 *                  ◄─────────────  rv_stream_connected                    once
 *   rv_link_send   ─────────────►  takes from the queue: rv_stream_sent   …, then the shutdown
 *                  ◄─────────────  rv_stream_room, rv_stream_came         …
 *                  ◄─────────────  rv_stream_peer_ended                   once, no more comes
 *   rv_link_stop   ─────────────►  or rv_stream_lost ◄──                  once, last
 *
 * The calls upwards never lead to a callback of the owner: that is for the ready queue.
 */
#ifndef RV_IO_STREAM_LINK_H
#define RV_IO_STREAM_LINK_H

#include <stdbool.h>

#include "base/buffer.h"
#include "io/stream.h"
#include "loop/ready.h"
#include "loop/timer.h"

enum rv_stream_state {
    RV_STREAM_CONNECTING,
    RV_STREAM_OPEN,
    RV_STREAM_ENDED, /* nothing of it is left below; on_done is due */
};

struct rv_stream {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct rv_task task;   /* hands on, and sends */
    struct rv_timer timer; /* connect or idle, by the state */
    uint64_t last_byte_ns;
    enum rv_stream_state state;
    struct rv_stream_options options; /* its pointers are the owner's and dead but for `arg` */
    char *host;
    char *unix_path;

    struct rv_buffer queue;
    size_t sent_bytes; /* of the queue */
    struct rv_buffer arrived;
    bool held; /* rv_stream_room said 0 */
    bool paused;
    bool connected;
    bool open_told;
    bool drain_due;
    bool peer_ended;
    bool end_told;
    bool shutting; /* the owner writes no more */
    bool shut;     /* and the peer was told */
    bool dropping; /* the owner hears on_done only */
    bool in_callback;
    bool finishing;
    int error;
    char problem[512];

    void *link; /* of below */
};

/* Downwards. Starting makes no call upwards before it returns: 0 or REEVE_ENOMEM. Stopping never
 * waits, and is legal from anywhere but inside a call upwards. */
int rv_link_start(struct rv_stream *stream);
void rv_link_stop(struct rv_stream *stream);
void rv_link_send(struct rv_stream *stream);
void rv_link_read_on(struct rv_stream *stream);

/* Upwards. */
void rv_stream_connected(struct rv_stream *stream);
size_t rv_stream_room(struct rv_stream *stream);
void rv_stream_came(struct rv_stream *stream, const char *bytes, size_t len);
void rv_stream_peer_ended(struct rv_stream *stream);
/* What is to be sent next; 0: nothing, and if stream->shutting the peer is to be told. */
size_t rv_stream_next(const struct rv_stream *stream, const char **ret_bytes);
void rv_stream_sent(struct rv_stream *stream, size_t len);
void rv_stream_was_shut(struct rv_stream *stream);
/* The link has let go of the stream already. */
void rv_stream_lost(struct rv_stream *stream, int error, const char *detail);

#endif
