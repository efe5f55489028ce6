/* SPDX-License-Identifier: MIT */
/*
 * Faults on demand: what goes wrong with servers in the wild, asked for by name.
 *
 * A fault is written NAME[:VALUE][*COUNT][@TURN], in a request header (x-reeve-fault), in the
 * user's message ([fault:…]) or in the server's options:
 *
 *   400 401 403 404 408 409 429 500 502 503 504 529 …   that status with the real server's error
 *                    body; VALUE: seconds for a retry-after header (429 and 503: 1 without VALUE)
 *   context          400, context_length_exceeded
 *   quota            429, insufficient_quota
 *   echo-key         401 whose message repeats the key that was sent
 *   echo-key-in-stream  error-in-stream whose message repeats the key
 *   echo-key-in-text    the model's text is the key
 *   html             200 with an HTML page; VALUE: another status
 *   cut              the connection closes in the middle; VALUE: after so many bytes of body
 *   reset, rst       the same, by RST
 *   stall            nothing more comes from the middle on; VALUE: after so many bytes (0: not even
 *                    headers). Ends when the client goes, or after ten minutes
 *   wrong-length     Content-Length tells more than comes
 *   gzip             the whole body as gzip, whether or not the client takes that
 *   garbage          a piece of broken JSON in the middle
 *   error-in-stream  an error object in the middle, under status 200, then the end
 *   content-type     text/plain; charset=utf-8 in place of the right type
 *   no-done          the stream ends without [DONE]
 *   crlf, comments   lines that end in CR LF; a comment before each event
 *   bad-utf8         two bytes in the middle that are no UTF-8
 *   huge             text without an end, until the client goes or 64 MiB have been sent
 *   bad-arguments    a tool call whose arguments are cut-off JSON  (turn 0 unless told otherwise)
 *   unknown-tool     a call of a tool that was not offered         (turn 0 unless told otherwise)
 *
 * COUNT: only for the first so many requests with this question; then all is well.
 * TURN: only when so many completions with tool calls came before this one since the user's
 * message;
 * `@*`: on each.
 */
#ifndef MS_SERVER_FAULT_H
#define MS_SERVER_FAULT_H

#include "request.h"
#include "text.h"

#define MS_HUGE_BYTES (64u * 1024 * 1024)

enum ms_fault_kind {
    MS_FAULT_NONE = 0,
    MS_FAULT_STATUS,
    MS_FAULT_CONTEXT,
    MS_FAULT_QUOTA,
    MS_FAULT_ECHO_KEY,
    MS_FAULT_ECHO_KEY_IN_TEXT,
    MS_FAULT_HTML,
    MS_FAULT_CUT,
    MS_FAULT_RESET,
    MS_FAULT_STALL,
    MS_FAULT_WRONG_LENGTH,
    MS_FAULT_GZIP,
    MS_FAULT_GARBAGE,
    MS_FAULT_ERROR_IN_STREAM,
    MS_FAULT_CONTENT_TYPE,
    MS_FAULT_NO_DONE,
    MS_FAULT_CRLF,
    MS_FAULT_COMMENTS,
    MS_FAULT_BAD_UTF8,
    MS_FAULT_HUGE,
    MS_FAULT_BAD_ARGUMENTS,
    MS_FAULT_UNKNOWN_TOOL,
};

#define MS_EACH_TURN (-1L)

struct ms_fault {
    enum ms_fault_kind kind;
    int status; /* with MS_FAULT_STATUS */
    long value; /* -1: not told */
    long count; /* 0: always */
    long turn;  /* MS_EACH_TURN, or the one */
    bool echo;  /* the error repeats the key */
};

/* 0, or -1 when the text names no fault. */
int ms_fault_parse(struct ms_span spec, struct ms_fault *ret_fault);

/* True for the faults that replace the answer by an error; fills that error. `key` is what the
 * client sent, "" for none. */
bool ms_fault_error(const struct ms_fault *fault, const char *model, const char *key,
                    struct ms_error *ret_error);

/* Seconds for the retry-after header, -1 for no such header. */
long ms_fault_retry_after(const struct ms_fault *fault);

/* How often each question has had its fault, so that COUNT can end it. Old ones are forgotten. */
#define MS_FAULT_COUNTERS 256

struct ms_fault_counters {
    struct {
        uint64_t key;
        long used;
    } slots[MS_FAULT_COUNTERS];
};

/* True while the fault of the question with this hash still is to happen in this turn; counts it.
 */
bool ms_fault_is_due(struct ms_fault_counters *counters, const struct ms_fault *fault,
                     uint64_t question_hash, size_t turn);

#endif
