/* SPDX-License-Identifier: MIT */
/* A piece of a tool call as it stands in a response, before it is known which call it is of. */
#ifndef RV_MODEL_CALL_PIECE_H
#define RV_MODEL_CALL_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv_call_piece {
    bool has_index;
    bool whole; /* the arguments are all there: they came as an object */
    int64_t index;
    const char *id; /* NULL, and "" alike: not said */
    const char *name;
    const char *arguments;
    size_t arguments_len;
};

#endif
