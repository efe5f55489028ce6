/* SPDX-License-Identifier: MIT */
/*
 * JSON numbers between text and value. A host may run under a locale with a decimal comma, and what
 * the C library reads and writes follows it; nothing here does.
 */
#ifndef RV_JSON_NUMBER_H
#define RV_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* `text` is a number by the grammar of JSON; 0, or REEVE_EINVAL with *ret untouched if it has a
 * fraction or does not fit. */
int rv_number_int64(const char *text, size_t len, int64_t *ret);

/* The same, NUL-terminated; correctly rounded. REEVE_EINVAL past the range; too small gives 0. */
int rv_number_double(const char *text, size_t len, double *ret);

/*
 * These are exact, whatever the number of digits. Exponents past 10^15 are taken as endless: such
 * numbers are equal if their signs are, and so are those that are too small.
 */
bool rv_number_is_integer(const char *text, size_t len);
/* Below, equal or above: -1, 0, 1. */
int rv_number_compare(const char *a, size_t a_len, const char *b, size_t b_len);
/* The same for numbers that are equal. */
uint64_t rv_number_hash(uint64_t seed, const char *text, size_t len);
/* Whether the first is the second times an integer. 0 is a multiple of all, nothing else of 0. The
 * second has RV_NUMBER_DIVISOR_DIGITS at most, see rv_number_digits. */
bool rv_number_is_multiple(const char *text, size_t len, const char *of, size_t of_len);
/* Without the zeros at both ends. */
size_t rv_number_digits(const char *text, size_t len);
bool rv_number_is_zero(const char *text, size_t len);

enum { RV_NUMBER_DIVISOR_DIGITS = 18 };

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
