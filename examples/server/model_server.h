/* SPDX-License-Identifier: MIT */
/*
 * A scripted model behind an HTTP server that speaks OpenAI's and Anthropic's formats, on the
 * loopback address and on the caller's own libevent base: what lets an agent run for real, over
 * HTTP and SSE, without a key and without a network.
 *
 * It serves POST /v1/chat/completions and POST /v1/messages (streamed and not, with parallel tool
 * calls and usage), POST /v1/embeddings and GET /v1/models, checks requests as strictly as the real
 * server, answers by a small script (script.h) and misbehaves on demand (fault.h). It shares no
 * code with the library, so that client and server check each other.
 *
 * Two things the host has to know:
 *  - A listening socket is a pending event: event_base_dispatch does not return before
 *    model_server_free.
 *  - libevent writes to sockets without MSG_NOSIGNAL, and a client may go at any time. While a
 * server lives SIGPIPE is ignored, if it was left to its default, which ends the process; what the
 * host has set for it stays.
 *
 * Bounds: max_body_bytes a request (its parsed tree takes several times that while it is read),
 * 16,384 requests under way (more get 503), 64 KiB of an answer, 64 KiB of a stream that the
 * client has not taken yet, 128 KiB for the prompt cache's hashes.
 */
#ifndef MODEL_SERVER_H
#define MODEL_SERVER_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct model_server;

struct model_server_options {
    uint16_t port;              /* on 127.0.0.1; 0 [default]: one that is free */
    unsigned latency_ms;        /* before the first byte of an answer [30] */
    unsigned chunk_bytes;       /* of text, or of a call's arguments, in one event [12]; 0 is 1 */
    unsigned tokens_per_second; /* of four bytes each [200]; 0: as fast as the client takes them */
    size_t max_body_bytes;      /* of a request [8 MiB]; a larger one gets 413 */
    uint64_t seed;              /* of the ids it makes up; 0 [default]: a random one */
    const char *api_key; /* demanded of each request, else 401; NULL [default]: any or none */
    const char *model;   /* the name that /v1/models tells ["scripted"]; any is served */
    const char *fault;   /* of each completion, as fault.h says; NULL [default]: none */
};

struct model_server_stats {
    uint64_t requests;      /* taken */
    uint64_t completions;   /* answered by the script, streamed or not, up to their end */
    uint64_t errors;        /* answered by a status of 400 or above */
    uint64_t clients_gone;  /* left before their answer had ended */
    uint64_t under_way;     /* now */
    uint64_t cached_tokens; /* told in usage */
};

/* Fills in the defaults. */
void model_server_options_init(struct model_server_options *options);

/* Listens when it returns. `options` (NULL: the defaults) is copied. 0, or a negative errno:
 * -EINVAL (the fault is none that is known), -EADDRINUSE, -ENOMEM … */
int model_server_new(struct event_base *base, const struct model_server_options *options,
                     struct model_server **ret_server);

/* Closes all connections at once, also those in the middle of an answer. To be called before the
 * base is freed; NULL is fine. */
void model_server_free(struct model_server *server);

uint16_t model_server_port(const struct model_server *server);

/* The base URLs of both formats, valid as long as the server: "http://127.0.0.1:PORT/v1" of
 * OpenAI's and "http://127.0.0.1:PORT" of Anthropic's. */
const char *model_server_url(const struct model_server *server);
const char *model_server_anthropic_url(const struct model_server *server);

void model_server_get_stats(const struct model_server *server,
                            struct model_server_stats *ret_stats);

#endif
