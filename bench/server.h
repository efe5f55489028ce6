/* SPDX-License-Identifier: MIT */
/*
 * The bench's own HTTP server, in a process of its own: plain epoll, fast enough not to be the
 * limit. What it answers depends on what the path begins with:
 *
 *   /turn     at once, with BENCH_ANSWER
 *   /chat     at once, with a chat completion
 *   /stream   the head and the first event of a stream, which then stays open
 *   /large    BENCH_LARGE_BYTES of JSON, a piece of 64 KB every millisecond
 */
#ifndef REEVE_BENCH_SERVER_H
#define REEVE_BENCH_SERVER_H

#include <stddef.h>
#include <sys/types.h>

#define BENCH_ANSWER                                                                               \
    "{\"id\":\"answer-0123456789\",\"object\":\"bench.answer\",\"text\":\"Two hundred bytes are "  \
    "what the answer to a small request has; it is compared with what was expected, byte by "      \
    "byte, by all who ask.\",\"more\":false}"

/* What is posted to /turn. */
#define BENCH_QUESTION                                                                             \
    "{\"id\":\"question-0123456789\",\"object\":\"bench.question\",\"text\":\"A small request, "   \
    "about as long as its answer is.\",\"more\":false}"

enum { BENCH_LARGE_BYTES = 20 << 20, BENCH_URL_BYTES = 64 };

struct bench_server {
    pid_t process;
    char url[BENCH_URL_BYTES]; /* "http://127.0.0.1:PORT" */
};

void bench_server_start(struct bench_server *server);
void bench_server_stop(struct bench_server *server);

#endif
