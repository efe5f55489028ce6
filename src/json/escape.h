/* SPDX-License-Identifier: MIT */
/* The escapes in a JSON text's strings, which a lexer has checked. */
#ifndef RV_JSON_ESCAPE_H
#define RV_JSON_ESCAPE_H

/* Resolves the escapes of the text between two quotes, which makes it shorter. Its new end. */
char *rv_json_resolve(char *text, const char *end);

/*
 * The bytes between the quotes of the string that ends at `end`, not before `start`. A quote that
 * begins a string has no backslash before it; each quote inside one has an odd number of them.
 */
char *rv_json_string_start(char *start, char *end);

#endif
