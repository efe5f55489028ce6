/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 by libcrypto, at the price of the hashing alone: the algorithm is looked up once and the
 * context used again and again. libcrypto takes its memory from the process, not from `mem`, and
 * lacking it is an answer here; but for the very first use of libcrypto in a process, which its
 * version 3.0 itself does not survive without memory.
 */
#ifndef RV_BASE_DIGEST_H
#define RV_BASE_DIGEST_H

#include <stddef.h>

#include "base/alloc.h"

enum {
    RV_DIGEST_BYTES = 32,
    RV_DIGEST_HEX_BYTES = 2 * RV_DIGEST_BYTES + 1, /* with the NUL */
};

struct rv_digest;

/* Ready to be added to. 0, REEVE_ENOMEM, or REEVE_EUNSUPPORTED: this libcrypto has no SHA-256. */
int rv_digest_new(struct rv_mem *mem, struct rv_digest **ret_digest);
void rv_digest_free(struct rv_digest *digest);

/* A failure stays until the next `end` or `reset`; `end` and `peek` tell it. */
void rv_digest_add(struct rv_digest *digest, const void *bytes, size_t len);

/*
 * The digest of what was added; then it is ready for the next. 0 or REEVE_ENOMEM, with `ret`
 * untouched.
 */
int rv_digest_end(struct rv_digest *digest, unsigned char ret[RV_DIGEST_BYTES]);

/* The digest so far; more can be added. */
int rv_digest_peek(struct rv_digest *digest, unsigned char ret[RV_DIGEST_BYTES]);

/* Forget what was added. */
void rv_digest_reset(struct rv_digest *digest);

/* Of these bytes alone: what was added before is forgotten. */
int rv_digest_of(struct rv_digest *digest, const void *bytes, size_t len,
                 unsigned char ret[RV_DIGEST_BYTES]);

/* In lower case, with a NUL. */
void rv_digest_hex(const unsigned char digest[RV_DIGEST_BYTES], char ret[RV_DIGEST_HEX_BYTES]);

#endif
