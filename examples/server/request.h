/* SPDX-License-Identifier: MIT */
/*
 * A request to POST /v1/chat/completions: read, and checked as strictly as the real server does.
 * Pure: bytes in, a view of the tree or an error body's contents out.
 */
#ifndef MS_SERVER_REQUEST_H
#define MS_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* The member of a tool message that says that the tool failed. Only Anthropic's format has such a
 * mark; the reader of that format writes it here. */
#define MS_IS_ERROR "is_error"

/* Whose format a request is in, and its answer. */
enum ms_wire {
    MS_WIRE_OPENAI = 0,
    MS_WIRE_ANTHROPIC,
};

/* What goes into {"error":{message, type, param, code}}. */
struct ms_error {
    int status;
    const char *type;
    const char *code; /* NULL: null */
    char param[96];   /* empty: null */
    char message[768];
};

enum ms_tool_choice {
    MS_CHOICE_AUTO = 0,
    MS_CHOICE_NONE,
    MS_CHOICE_REQUIRED,
    MS_CHOICE_NAMED,
};

/* Strings and values point into the tree. */
struct ms_request {
    yajl_val tree;
    yajl_val messages; /* an array of at least one message */
    yajl_val tools;    /* an array, or NULL */
    yajl_val stop;     /* a string, an array of strings, or NULL */
    const char *model;
    const char *tool_name; /* with MS_CHOICE_NAMED */
    size_t max_tokens;     /* 0: no limit */
    enum ms_tool_choice tool_choice;
    bool one_call_at_most; /* parallel_tool_calls is false */
    bool stream;
    bool include_usage;
    enum ms_wire wire;
    bool caches; /* its prompt may be kept in the prompt cache */
};

/* Reads and checks `len` bytes, which a NUL must follow. 0, or -1 with *ret_error filled. After 0,
 * end it with ms_request_done. */
int ms_request_parse(const char *body, size_t len, struct ms_request *ret_request,
                     struct ms_error *ret_error);
void ms_request_done(struct ms_request *request);

/* conversation.c: the rules between messages. 0, or -1 with *ret_error filled:
 *  - each message has a known role and content of a shape that its role may have;
 *  - a tool call has an id of its own, a function name and arguments that are text holding JSON;
 *  - the tool messages right after an assistant message answer each of its calls exactly once, and
 *    nothing else; there are no others. */
int ms_conversation_check(yajl_val messages, struct ms_error *ret_error);

/* Fills an error of status 400 and type invalid_request_error, and returns -1. */
int ms_error_set(struct ms_error *error, const char *code, const char *param, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* "Missing required parameter", "Invalid type": -1, the error filled. */
int ms_error_missing(struct ms_error *error, const char *param);
int ms_error_type(struct ms_error *error, const char *param, const char *expected, yajl_val got);
int ms_error_empty(struct ms_error *error, const char *param);

#endif
