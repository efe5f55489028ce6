/* SPDX-License-Identifier: MIT */
/*
 * evhttp answers what it refuses before anybody has seen the request with HTML, and has no hook for
 * that. It writes such an answer in one go, so that at its last piece all of it stands in the
 * connection's output and nothing is on its way yet: there it is exchanged. Since the path is not
 * known, the error is one that both formats understand.
 */
#include "page.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAGE_BYTES 2048
#define PAGE_START "<HTML><HEAD>"
#define PAGE_END "</BODY></HTML>\n"

/* The last head before the page: a "100 Continue" may stand before it. */
static const char *last_head(const char *bytes)
{
    const char *head = bytes;
    const char *next;

    while ((next = strstr(head + 1, "\r\n\r\nHTTP/1.")))
        head = next + 4;
    return head;
}

/* Its status, if the output is such an answer and nothing else; else 0. */
static int page_status(struct evbuffer *output, char bytes[MAX_PAGE_BYTES + 1])
{
    static const char start[] = "HTTP/1.";
    const size_t len = evbuffer_get_length(output);
    const size_t end_len = sizeof(PAGE_END) - 1;
    int status;

    if (len < sizeof(start) + end_len || len > MAX_PAGE_BYTES)
        return 0;
    if (evbuffer_copyout(output, bytes, sizeof(start) - 1) < (ev_ssize_t)sizeof(start) - 1 ||
        memcmp(bytes, start, sizeof(start) - 1) != 0)
        return 0;
    evbuffer_copyout(output, bytes, len);
    bytes[len] = '\0';
    if (!strstr(bytes, "\r\n\r\n" PAGE_START) || strcmp(bytes + len - end_len, PAGE_END) != 0)
        return 0;
    status = atoi(last_head(bytes) + sizeof(start) + 1);
    return status >= 400 && status <= 599 ? status : 0;
}

static void put_error(struct evbuffer *output, int status)
{
    const char *type = status == 413 ? "request_too_large" : "invalid_request_error";
    const char *message = status == 413 ? "The request body is larger than this server takes."
                                        : "The server does not take this request.";
    struct evbuffer *body = evbuffer_new();

    if (!body)
        return;
    evbuffer_add_printf(body,
                        "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%s\","
                        "\"param\":null,\"code\":null}}",
                        type, message);
    evbuffer_drain(output, evbuffer_get_length(output));
    evbuffer_add_printf(output,
                        "HTTP/1.1 %d Error\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                        status, evbuffer_get_length(body));
    evbuffer_add_buffer(output, body);
    evbuffer_free(body);
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    char bytes[MAX_PAGE_BYTES + 1];
    int status;

    (void)arg;
    if (info->n_added == 0)
        return;
    /* A bufferevent lets nobody but itself look at or take what stands in front. */
    evbuffer_unfreeze(output, 1);
    status = page_status(output, bytes);
    if (status)
        put_error(output, status);
    evbuffer_freeze(output, 1);
}

struct bufferevent *ms_page_connection(struct event_base *base, void *arg)
{
    struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    (void)arg;
    if (stream && !evbuffer_add_cb(bufferevent_get_output(stream), on_output, NULL)) {
        bufferevent_free(stream);
        return NULL;
    }
    return stream;
}
