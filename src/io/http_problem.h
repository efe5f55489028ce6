/* SPDX-License-Identifier: MIT */
/* What went wrong with a request, in one sentence for people. */
#ifndef RV_IO_HTTP_PROBLEM_H
#define RV_IO_HTTP_PROBLEM_H

struct rv_http;

/* Describe `error` in http->problem. detail may be NULL. Without memory there is no text. */
void rv_http_describe(struct rv_http *http, int error, const char *detail);

/* The same for a time limit; the state tells which one it was, unless it was the whole's. */
void rv_http_describe_limit(struct rv_http *http, int whole);

/* A proxy answered with this status in place of the server. */
void rv_http_describe_proxy(struct rv_http *http, int error, int status);

#endif
