/* SPDX-License-Identifier: MIT */
/*
 * A raw connection out: TCP by name or number, or a Unix socket.
 *
 * Names are looked up and connections made by libcurl, as for HTTP: what the system's resolver
 * honours is honoured (/etc/hosts, nsswitch.conf, search domains, gai.conf) wherever libcurl was
 * built with its threaded resolver; with c-ares it is /etc/hosts and DNS. IPv6 and IPv4 are tried
 * side by side (RFC 8305), the second 200 ms after the first. Proxies are not used.
 */
#ifndef RV_IO_STREAM_H
#define RV_IO_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/error.h>
#include <reeve/runtime.h>

struct rv_stream;

struct rv_stream_options {
    const char *host; /* a name, an IPv4 or an IPv6 address (without brackets) */
    uint16_t port;
    const char *unix_path;       /* instead of both */
    uint32_t connect_timeout_ms; /* names included; 0: none */
    uint32_t idle_timeout_ms;    /* no byte in either direction; rests while paused; 0: none */
    size_t max_queued_bytes;     /* written and not yet taken by the kernel; required */

    /* All from the loop; all but on_done may be NULL, and may cancel or close the stream. */
    void (*on_open)(struct rv_stream *stream, void *arg);
    void (*on_data)(struct rv_stream *stream, const char *bytes, size_t len, void *arg);
    /* All that was written is with the kernel. */
    void (*on_drain)(struct rv_stream *stream, void *arg);
    /* The peer writes no more; we may. Without this function, that ends the stream. */
    void (*on_end)(struct rv_stream *stream, void *arg);
    /*
     * Exactly once, last. 0: closed here, or ended by both sides; REEVE_ECANCELED,
     * REEVE_ETIMEDOUT, REEVE_ERESOLVE, REEVE_ECONNECT, REEVE_ECONNLOST, REEVE_ENOMEM,
     * REEVE_ESYSTEM. The stream may be read inside and is gone afterwards.
     */
    void (*on_done)(struct rv_stream *stream, int error, void *arg);
    void *arg;
};

/* 0; REEVE_EINVAL (neither or both kinds of address, a path or name that is too long or holds what
 * no name does, no cap, no on_done); REEVE_ECLOSING; REEVE_ENOMEM. */
int rv_stream_open(struct reeve_runtime *runtime, const struct rv_stream_options *options,
                   struct rv_stream **ret_stream);

/*
 * Queue bytes, before on_open too. All or nothing: 0; REEVE_ETOOBIG (no room: wait for on_drain);
 * REEVE_EINVAL (after a shutdown); REEVE_ECONNLOST (it is over); REEVE_ENOMEM.
 */
int rv_stream_write(struct rv_stream *stream, const void *bytes, size_t len);
size_t rv_stream_queued(const struct rv_stream *stream);

/* When what is queued has been sent, tell the peer that no more comes. */
void rv_stream_shutdown(struct rv_stream *stream);

/* Let go of it, queued bytes included: on_done comes later, with 0 or REEVE_ECANCELED, and nothing
 * else comes. At any time. */
void rv_stream_close(struct rv_stream *stream);
void rv_stream_cancel(struct rv_stream *stream);

/* End it now: on_done(REEVE_ECANCELED) runs before this returns. Not from inside one of its own
 * callbacks. */
void rv_stream_abort(struct rv_stream *stream);

/* Stop and restart on_data. What has arrived waits in a bounded buffer; then the peer does. */
void rv_stream_pause(struct rv_stream *stream);
void rv_stream_resume(struct rv_stream *stream);

/* In on_done with an error: one sentence for people. Never NULL. */
const char *rv_stream_problem(const struct rv_stream *stream);

#endif
