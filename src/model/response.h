/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of a response to an answer or to what went wrong. What the body is, is told by
 * what it begins with rather than by its declared type or by what was asked for: servers answer a
 * request for a stream with one JSON body, and declare either as they like. Knows no loop.
 */
#ifndef RV_MODEL_RESPONSE_H
#define RV_MODEL_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "io/sse.h"
#include "model/answer.h"
#include "model/codec.h"
#include "model/failure.h"
#include "model/problem.h"

enum rv_response_kind {
    RV_RESPONSE_UNKNOWN, /* nothing but white space so far */
    RV_RESPONSE_STREAM,
    RV_RESPONSE_BODY,  /* one JSON value */
    RV_RESPONSE_ERROR, /* the body of an error status */
    RV_RESPONSE_ALIEN, /* neither: its beginning is kept to be shown */
};

struct rv_response {
    struct rv_mem *mem;
    const struct rv_codec *codec;
    const struct rv_problem_place *place;
    size_t max_bytes;
    struct rv_problem_head head; /* its texts are borrowed */
    enum rv_response_kind kind;
    bool declared_stream; /* by its content type */
    bool any_event;
    struct rv_buffer first;        /* the beginning of the body; all of an error's, up to a cap */
    struct rv_json_reader *reader; /* NULL while a stream waits for its next piece */
    struct rv_sse sse;
    struct rv_decoder decoder;
    struct rv_answer answer;
    struct rv_failure failure;
};

/* 0 or REEVE_ENOMEM. `place` must outlive it. `listener` as in rv_answer. */
int rv_response_init(struct rv_response *response, struct rv_mem *mem, const struct rv_codec *codec,
                     const struct rv_problem_place *place, size_t max_bytes,
                     const struct rv_listener *listener);
void rv_response_done(struct rv_response *response);

/* Before done: the values of a body become the arena's, to be given back bit by bit. */
void rv_response_leave_values(struct rv_response *response, struct rv_arena *arena);

/* The head came. The texts in it must live until rv_response_finish or the first failure. */
void rv_response_head(struct rv_response *response, const struct rv_problem_head *head);

/*
 * A piece of the body. 0, or what ends it all, with response->failure filled: REEVE_EHTTP,
 * REEVE_EPROTOCOL, REEVE_EPROVIDER, REEVE_ETOOBIG, REEVE_ENOMEM.
 */
int rv_response_feed(struct rv_response *response, const char *bytes, size_t len);

/* The answer has come whole, whatever happens to the connection now. */
bool rv_response_complete(const struct rv_response *response);

/* The same, and the server said that nothing more will come. */
bool rv_response_over(const struct rv_response *response);

/*
 * The end of the body. 0: response->answer is complete; or as for feed, and REEVE_ECUTSHORT.
 * `seed` is what made-up ids are drawn from.
 */
int rv_response_finish(struct rv_response *response, uint64_t seed);

/* It failed or was given up: text and usage stay, the calls go. */
void rv_response_give_up(struct rv_response *response);

#endif
