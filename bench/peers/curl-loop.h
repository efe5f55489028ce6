/* SPDX-License-Identifier: MIT */
/*
 * A raw libcurl multi loop over libevent, as small as can be: what a programmer writes who needs
 * nothing but this. For the peers that use it.
 */
#ifndef REEVE_BENCH_PEERS_CURL_LOOP_H
#define REEVE_BENCH_PEERS_CURL_LOOP_H

#include <curl/curl.h>
#include <event2/event.h>

struct curl_loop {
    struct event_base *base;
    struct event *timer;
    CURLM *multi;
    void (*done)(struct curl_loop *loop, CURL *easy, CURLcode result);
    void *arg;
};

void curl_loop_init(struct curl_loop *loop);
void die(const char *what);

#endif
