/* SPDX-License-Identifier: MIT */
/*
 * A tool of one's own that asks the web: libcurl's multi interface on the same libevent loop, and a
 * guard against being sent to places that only this machine can reach (its own ports, its
 * neighbours, the metadata service of a cloud).
 *
 *   cc fetch.c address.c $(pkg-config --cflags --libs reeve libcurl libevent_core) -o fetch
 *   ./fetch https://www.example.org/ http://169.254.169.254/
 *   ./fetch --allow 127.0.0.1 http://localhost:8080/
 *
 * The guard sits where a socket is opened, after the name was looked up: it sees the very address
 * that would be connected to. A look at the URL before would be deceived by a name that leads to
 * 127.0.0.1, by "http://2130706433/", by a redirect, or by a second look-up with another answer.
 * A proxy would look names up by itself, so none is used.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <reeve.h>

#include "address.h"

enum { MAX_CALLS = 32, MAX_REDIRECTS = 5, TIMEOUT_MS = 20000 };

/* What the tool works with: its `arg`. */
struct web {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    const char *allowed; /* one address that may be asked though it is not public; NULL: none */
};

/* One call, while it runs. */
struct fetch {
    struct web *web;
    struct reeve_tool_call *call;
    CURL *easy;
    bool guarded; /* an address was refused */
    char problem[CURL_ERROR_SIZE];
};

/* ---- one call ----------------------------------------------------------------------------------
 */

static bool may_connect(const struct web *web, const struct curl_sockaddr *address)
{
    char text[NI_MAXHOST];

    if (address_is_public(&address->addr))
        return true;
    return web->allowed &&
           !getnameinfo(&address->addr, address->addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) &&
           !strcmp(text, web->allowed);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch *fetch = arg;

    (void)purpose;
    if (!may_connect(fetch->web, address)) {
        fetch->guarded = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *fetch = arg;

    reeve_tool_call_write(fetch->call, bytes, size * count);
    return size * count;
}

static void free_fetch(struct fetch *fetch)
{
    curl_multi_remove_handle(fetch->web->multi, fetch->easy);
    curl_easy_cleanup(fetch->easy);
    free(fetch);
}

static void fail(struct reeve_tool_call *call, const char *text)
{
    reeve_tool_call_fail(call, 0, text, strlen(text));
}

static void end_fetch(struct fetch *fetch, CURLcode result)
{
    struct reeve_tool_call *call = fetch->call;
    long status = 0;
    char text[CURL_ERROR_SIZE + 64];

    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK)
        snprintf(text, sizeof text, "\nHTTP status %ld", status);
    else if (fetch->guarded)
        snprintf(text, sizeof text, "Refused: this leads to an address that is not public.");
    else
        snprintf(text, sizeof text, "Not fetched: %s.",
                 fetch->problem[0] ? fetch->problem : curl_easy_strerror(result));
    free_fetch(fetch);
    if (result == CURLE_OK && status < 400)
        reeve_tool_call_finish(call, text, strlen(text));
    else
        fail(call, text);
}

static int set_up(struct fetch *fetch, const char *url)
{
    CURL *easy = fetch->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->problem);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"); /* of redirects, too */
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_multi_add_handle(fetch->web->multi, easy) != CURLM_OK)
        return REEVE_ENOMEM;
    return 0;
}

static int start(struct reeve_tool_call *call, void *arg)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    int error;

    if (!fetch)
        return REEVE_ENOMEM;
    *fetch = (struct fetch){.web = arg, .call = call, .easy = curl_easy_init()};
    error = fetch->easy ? set_up(fetch, reeve_tool_call_arg_string(call, "url")) : REEVE_ENOMEM;
    if (error) {
        curl_easy_cleanup(fetch->easy);
        free(fetch);
        return error;
    }
    reeve_tool_call_set_data(call, fetch);
    return 0;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    free_fetch(reeve_tool_call_data(call));
    fail(call, "cancelled");
}

/* ---- libcurl on the loop -----------------------------------------------------------------------
 */

static void end_done(struct web *web)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(web->multi, &left))) {
        const CURLcode result = message->data.result;
        struct fetch *fetch = NULL;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
        end_fetch(fetch, result);
    }
}

static void go_on(struct web *web, curl_socket_t fd, int what)
{
    int still;

    curl_multi_socket_action(web->multi, fd, what, &still);
    end_done(web);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    go_on(arg, fd,
          (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    go_on(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants a socket watched, otherwise watched, or no longer. */
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct web *web = arg;
    struct event *event = known;
    short events = EV_PERSIST;

    (void)easy;
    if (event)
        event_free(event);
    event = NULL;
    if (what & CURL_POLL_IN)
        events |= EV_READ;
    if (what & CURL_POLL_OUT)
        events |= EV_WRITE;
    if (what != CURL_POLL_REMOVE) {
        event = event_new(web->base, fd, events, on_ready, web);
        if (!event || event_add(event, NULL))
            return -1;
    }
    curl_multi_assign(web->multi, fd, event);
    return 0;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
    struct web *web = arg;
    struct timeval after = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

    (void)multi;
    if (timeout_ms < 0)
        return event_del(web->timer);
    return event_add(web->timer, &after);
}

static int open_web(struct web *web)
{
    web->base = event_base_new();
    web->multi = curl_multi_init();
    if (!web->base || !web->multi)
        return REEVE_ENOMEM;
    web->timer = evtimer_new(web->base, on_timer, web);
    if (!web->timer)
        return REEVE_ENOMEM;
    curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
    curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
    return 0;
}

static void close_web(struct web *web)
{
    curl_multi_cleanup(web->multi);
    if (web->timer)
        event_free(web->timer);
    if (web->base)
        event_base_free(web->base);
}

/* ---- the program -------------------------------------------------------------------------------
 */

static int add_fetch(struct reeve_toolbox *tools, struct web *web)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "fetch";
    tool.description = "Get what a web address holds.";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\","
                      "\"maxLength\":2000}},"
                      "\"required\":[\"url\"],\"additionalProperties\":false}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = start;
    tool.cancel = cancel;
    tool.arg = web;
    return reeve_toolbox_add(tools, &tool);
}

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, index);

    (void)arg;
    printf("%zu %s:\n%s\n", index + 1, reeve_call_status_name(result->status), result->text);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    reeve_batch_stats(batch, &stats);
    *(int *)arg = error || stats.succeeded < stats.calls;
}

/* Each address as the call of a model. */
static int run_batch(struct reeve_toolbox *tools, int count, char **urls, int *ret_failed)
{
    static char arguments[MAX_CALLS][1024], ids[MAX_CALLS][16];
    struct reeve_call calls[MAX_CALLS];
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    int i;

    for (i = 0; i < count && i < MAX_CALLS; i++) {
        int len = snprintf(arguments[i], sizeof arguments[i], "{\"url\": \"%s\"}", urls[i]);

        if ((size_t)len >= sizeof arguments[i])
            return REEVE_ETOOBIG;
        snprintf(ids[i], sizeof ids[i], "%d", i + 1);
        calls[i] = (struct reeve_call){ids[i], "fetch", arguments[i], (size_t)len};
    }
    reeve_batch_options_init(&options);
    options.on_result = on_result;
    options.on_done = on_done;
    options.arg = ret_failed;
    return reeve_batch_run(tools, calls, (size_t)i, &options, &batch);
}

int main(int argc, char **argv)
{
    const int first = argc > 2 && !strcmp(argv[1], "--allow") ? 3 : 1;
    struct web web = {.allowed = first == 3 ? argv[2] : NULL};
    struct reeve_runtime *runtime = NULL;
    struct reeve_toolbox *tools = NULL;
    int failed = 1;
    int error = curl_global_init(CURL_GLOBAL_DEFAULT) ? REEVE_ESYSTEM : open_web(&web);

    if (!error)
        error = reeve_runtime_new(web.base, NULL, &runtime);
    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error)
        error = add_fetch(tools, &web);
    if (!error)
        error = run_batch(tools, argc - first, argv + first, &failed);
    if (!error)
        event_base_dispatch(web.base);
    else
        fprintf(stderr, "fetch: %s\n", reeve_error_text(error));
    reeve_toolbox_free(tools);
    reeve_runtime_free(runtime);
    close_web(&web);
    curl_global_cleanup();
    return failed;
}
