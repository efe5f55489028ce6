/* SPDX-License-Identifier: MIT */
/* A raw libcurl multi loop over libevent. */
#include "bench/peers/curl-loop.h"

#include <stdio.h>
#include <stdlib.h>

void die(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void tell_done(struct curl_loop *loop)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            loop->done(loop, message->easy_handle, message->data.result);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct curl_loop *loop = arg;
    int running;

    curl_multi_socket_action(loop->multi, fd,
                             (what & EV_READ ? CURL_CSELECT_IN : 0) |
                                 (what & EV_WRITE ? CURL_CSELECT_OUT : 0),
                             &running);
    tell_done(loop);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct curl_loop *loop = arg;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_done(loop);
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *given)
{
    struct curl_loop *loop = arg;
    struct event *event = given;
    short wanted = EV_PERSIST;

    (void)easy;
    if (event) {
        event_free(event);
        curl_multi_assign(loop->multi, fd, NULL);
    }
    if (what == CURL_POLL_REMOVE)
        return 0;
    wanted |= what & CURL_POLL_IN ? EV_READ : 0;
    wanted |= what & CURL_POLL_OUT ? EV_WRITE : 0;
    event = event_new(loop->base, fd, wanted, on_socket, loop);
    if (!event || event_add(event, NULL))
        die("watching a socket");
    curl_multi_assign(loop->multi, fd, event);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_loop *loop = arg;
    const struct timeval delay = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

    (void)multi;
    if (timeout_ms < 0)
        event_del(loop->timer);
    else
        event_add(loop->timer, &delay);
    return 0;
}

void curl_loop_init(struct curl_loop *loop)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    loop->base = event_base_new();
    loop->multi = curl_multi_init();
    if (!loop->base || !loop->multi)
        die("memory");
    loop->timer = evtimer_new(loop->base, on_timer, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
}
