/* SPDX-License-Identifier: MIT */
/* The long names of Unicode's general categories, which ECMAScript knows and PCRE2 does not. */
#ifndef RV_BASE_PATTERN_NAMES_H
#define RV_BASE_PATTERN_NAMES_H

#include <stddef.h>

/* Copies a pattern with \p{Letter} as \p{L}. `ret` has room for `len` bytes. Returns its length. */
size_t rv_pattern_shorten_names(const char *text, size_t len, char *ret);

#endif
