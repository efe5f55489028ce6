/* SPDX-License-Identifier: MIT */
/*
 * JSON numbers between text and value. A host may run under a locale with a decimal comma, and what
 * the C library reads and writes follows it; nothing here does.
 */
#ifndef RV_JSON_NUMBER_H
#define RV_JSON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* `text` is a number by the grammar of JSON; 0, or REEVE_EINVAL with *ret untouched if it has a
 * fraction or does not fit. */
int rv_number_int64(const char *text, size_t len, int64_t *ret);

/* The same, NUL-terminated; correctly rounded. REEVE_EINVAL past the range; too small gives 0. */
int rv_number_double(const char *text, size_t len, double *ret);

/*
 * Append the one form that all spellings of the same decimal number have (1, 1.0 and 10e-1; every
 * digit is kept): that of ECMAScript's Number::toString, which RFC 8785 takes too. The one
 * exception are exponents past 10^15, which are taken as they stand. 0, REEVE_ETOOBIG or
 * REEVE_ENOMEM.
 */
int rv_number_add_canonical(struct rv_buffer *out, const char *text, size_t len);

/*
 * Append the shortest text that reads back as exactly this double, and of these the nearest; -0.0
 * keeps its sign. REEVE_EINVAL for NaN and the infinities, else as above.
 */
int rv_number_add_double(struct rv_buffer *out, double number);
int rv_number_add_int64(struct rv_buffer *out, int64_t number);

#endif
