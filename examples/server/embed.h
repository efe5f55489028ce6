/* SPDX-License-Identifier: MIT */
/* Embeddings: vectors that a text determines. Pure. */
#ifndef MS_SERVER_EMBED_H
#define MS_SERVER_EMBED_H

#include "request.h"

/* Reads a request to /v1/embeddings and writes its answer. 0, or -1 with *ret_error filled. */
int ms_embed(const char *body, size_t len, struct ms_text *out, struct ms_error *ret_error);

#endif
