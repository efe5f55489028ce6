/* SPDX-License-Identifier: MIT */
/*
 * The key, found in a text in whatever form somebody wrote it there. Every text about a failure
 * goes through model/sentence.c, and that through this.
 */
#ifndef RV_MODEL_SECRET_H
#define RV_MODEL_SECRET_H

#include <stddef.h>

/* What must not be seen. A length of 0: nothing. */
struct rv_secret {
    const char *bytes;
    size_t len;
};

/*
 * How many bytes at the beginning of the text stand for the secret, or for so much of it that it
 * must not be seen; 0: none. Each byte of it may be as it is, percent-encoded, escaped as in JSON
 * (once or more often), or a numeric character reference; line breaks in it do not hide it.
 *
 * Texts are cut by their senders, by who quotes them and at their ends: any 8 bytes in a row count,
 * and at the end of the text the first 4.
 */
size_t rv_secret_here(const struct rv_secret *secret, const char *text, size_t len);

#endif
