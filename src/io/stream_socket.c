/* SPDX-License-Identifier: MIT */
/*
 * The link of a stream. libcurl makes the connection ("connect only"): names, several addresses,
 * both families. Then the socket is doubled, libcurl let go, and the rest is send and recv.
 *
 *   curl != NULL ─► fd >= 0        in the order of a stream's states CONNECTING and OPEN
 *
 * Each connecting stream has a multi handle of its own, which lasts as long as the connecting does:
 * streams are few and live long. The rules of io/http_curl hold here as well: libcurl is never
 * entered from inside its callbacks, so a timer of 0 ms is a task.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/curl_once.h"
#include "io/stream_link.h"
#include "loop/runtime.h"
#include "loop/watch.h"

enum { READ_BYTES = 16 * 1024, CONNECT_SOCKETS = 8 };

struct link {
    struct rv_stream *stream;
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    CURLM *multi;
    CURL *easy;
    struct rv_timer timer;
    struct rv_task task;
    struct {
        curl_socket_t fd;
        struct rv_watch *watch; /* NULL: free */
    } attempts[CONNECT_SOCKETS];
    bool no_memory; /* a socket could not be watched */
    char reason[CURL_ERROR_SIZE];

    int fd;
    struct rv_watch *watch;
    unsigned watched;
};

/* ---- letting go -------------------------------------------------------------------------------
 */

static void curl_done(struct link *link)
{
    if (link->easy) {
        curl_multi_remove_handle(link->multi, link->easy);
        curl_easy_cleanup(link->easy);
    }
    if (link->multi)
        curl_multi_cleanup(link->multi);
    link->easy = NULL;
    link->multi = NULL;
    for (int i = 0; i < CONNECT_SOCKETS; i++) {
        rv_watch_free(link->attempts[i].watch);
        link->attempts[i].watch = NULL;
    }
    rv_timer_stop(link->runtime, &link->timer);
    rv_ready_remove(&link->task);
}

static void link_free(struct link *link)
{
    curl_done(link);
    rv_watch_free(link->watch);
    if (link->fd >= 0)
        close(link->fd);
    link->stream->link = NULL;
    rv_free(link->mem, link);
}

static void lose(struct link *link, int error, const char *detail)
{
    struct rv_stream *stream = link->stream;

    link_free(link);
    rv_stream_lost(stream, error, detail);
}

static void lose_by_errno(struct link *link, int error)
{
    char text[160];

    snprintf(text, sizeof text, "failed: %m");
    lose(link, error, text);
}

/* ---- the open socket --------------------------------------------------------------------------
 */

/* Returns whether the link is still there. */
static bool watch(struct link *link, unsigned events)
{
    int error;

    if (events == link->watched)
        return true;
    error = rv_watch_set(link->watch, events);
    if (!error) {
        link->watched = events;
        return true;
    }
    lose(link, error, "cannot be watched");
    return false;
}

static bool is_passing(int errno_value)
{
    return errno_value == EAGAIN || errno_value == EINTR;
}

static void receive(struct link *link)
{
    char bytes[READ_BYTES];
    size_t room = rv_stream_room(link->stream);
    ssize_t len;

    if (!room) {
        watch(link, link->watched & ~RV_WATCH_READ);
        return;
    }
    len = recv(link->fd, bytes, room < sizeof bytes ? room : sizeof bytes, 0);
    if (len > 0)
        rv_stream_came(link->stream, bytes, (size_t)len);
    else if (len < 0 && !is_passing(errno))
        lose_by_errno(link, REEVE_ECONNLOST);
    else if (!len && watch(link, link->watched & ~RV_WATCH_READ))
        rv_stream_peer_ended(link->stream);
}

/* One send a turn, however much there is. */
static void send_next(struct link *link)
{
    struct rv_stream *stream = link->stream;
    const char *bytes = NULL;
    size_t len = rv_stream_next(stream, &bytes);
    ssize_t sent = 0;

    if (len) {
        sent = send(link->fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && !is_passing(errno)) {
            lose_by_errno(link, REEVE_ECONNLOST);
            return;
        }
        if (sent > 0)
            rv_stream_sent(stream, (size_t)sent);
        len = rv_stream_next(stream, &bytes);
    }
    if (!watch(link, len ? link->watched | RV_WATCH_WRITE : link->watched & ~RV_WATCH_WRITE))
        return;
    if (!len && stream->shutting && !stream->shut) {
        shutdown(link->fd, SHUT_WR);
        rv_stream_was_shut(stream);
    }
}

static void on_socket_ready(struct rv_watch *socket, unsigned events, void *arg)
{
    (void)socket;
    if (events & RV_WATCH_WRITE)
        send_next(arg);
    else
        receive(arg);
}

void rv_link_send(struct rv_stream *stream)
{
    struct link *link = stream->link;

    if (!(link->watched & RV_WATCH_WRITE))
        send_next(link);
}

void rv_link_read_on(struct rv_stream *stream)
{
    struct link *link = stream->link;

    if (!stream->peer_ended)
        watch(link, link->watched | RV_WATCH_READ);
}

void rv_link_stop(struct rv_stream *stream)
{
    link_free(stream->link);
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static void open_socket(struct link *link)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    int error;

    if (!curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &socket) && socket != CURL_SOCKET_BAD)
        link->fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (link->fd < 0) {
        lose_by_errno(link, REEVE_ESYSTEM);
        return;
    }
    curl_done(link);
    error = rv_watch_new(link->runtime, link->fd, on_socket_ready, link, &link->watch);
    if (error) {
        lose(link, error, NULL);
        return;
    }
    if (watch(link, RV_WATCH_READ))
        rv_stream_connected(link->stream);
}

static void end_with(struct link *link, CURLcode result)
{
    char text[CURL_ERROR_SIZE + 32];
    int error = REEVE_ECONNECT;

    if (result == CURLE_COULDNT_RESOLVE_HOST)
        error = REEVE_ERESOLVE;
    else if (result == CURLE_OUT_OF_MEMORY)
        error = REEVE_ENOMEM;
    snprintf(text, sizeof text, "could not be made: %s",
             link->reason[0] ? link->reason : curl_easy_strerror(result));
    lose(link, error, text);
}

static void drive(struct link *link, curl_socket_t fd, int events)
{
    CURLMsg *message;
    int left;

    curl_multi_socket_action(link->multi, fd, events, &left);
    if (link->no_memory) {
        lose(link, REEVE_ENOMEM, NULL);
        return;
    }
    message = curl_multi_info_read(link->multi, &left);
    if (!message || message->msg != CURLMSG_DONE)
        return;
    if (message->data.result == CURLE_OK)
        open_socket(link);
    else
        end_with(link, message->data.result);
}

static void on_attempt_ready(struct rv_watch *attempt, unsigned events, void *arg)
{
    int what = 0;

    if (events & RV_WATCH_READ)
        what |= CURL_CSELECT_IN;
    if (events & RV_WATCH_WRITE)
        what |= CURL_CSELECT_OUT;
    drive(arg, rv_watch_fd(attempt), what);
}

static void time_over(struct rv_timer *timer)
{
    drive(rv_container_of(timer, struct link, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void time_is_now(struct rv_task *task)
{
    drive(rv_container_of(task, struct link, task), CURL_SOCKET_TIMEOUT, 0);
}

static int find_attempt(const struct link *link, curl_socket_t fd)
{
    int unused = -1;

    for (int i = 0; i < CONNECT_SOCKETS; i++) {
        if (!link->attempts[i].watch)
            unused = i;
        else if (link->attempts[i].fd == fd)
            return i;
    }
    return unused;
}

static int watch_attempt(struct link *link, int index, curl_socket_t fd, int what)
{
    struct rv_watch **attempt = &link->attempts[index].watch;
    unsigned events = 0;

    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= RV_WATCH_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= RV_WATCH_WRITE;
    link->attempts[index].fd = fd;
    if (!*attempt && rv_watch_new(link->runtime, fd, on_attempt_ready, link, attempt))
        return REEVE_ENOMEM;
    return rv_watch_set(*attempt, events);
}

/* No error may be returned from here: that would leave libcurl in an undefined state. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct link *link = arg;
    int index = find_attempt(link, fd);

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (index >= 0) {
            rv_watch_free(link->attempts[index].watch);
            link->attempts[index].watch = NULL;
        }
        return 0;
    }
    if (index < 0 || watch_attempt(link, index, fd, what))
        link->no_memory = true;
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct link *link = arg;

    (void)multi;
    rv_timer_stop(link->runtime, &link->timer);
    rv_ready_remove(&link->task);
    if (timeout_ms == 0)
        rv_ready_push(link->runtime, &link->task);
    else if (timeout_ms > 0)
        rv_timer_start_ms(link->runtime, &link->timer, (uint64_t)timeout_ms);
    return 0;
}

/* The scheme is of no account: nothing is sent. */
static bool set_address(struct link *link)
{
    const struct rv_stream *stream = link->stream;
    const char *host = stream->unix_path ? "localhost" : stream->host;
    bool brackets = strchr(host, ':') != NULL;
    char url[320];

    snprintf(url, sizeof url, "http://%s%s%s:%u/", brackets ? "[" : "", host, brackets ? "]" : "",
             stream->unix_path ? 80u : stream->options.port);
    if (stream->unix_path &&
        curl_easy_setopt(link->easy, CURLOPT_UNIX_SOCKET_PATH, stream->unix_path))
        return false;
    return !curl_easy_setopt(link->easy, CURLOPT_URL, url);
}

static bool set_easy(struct link *link)
{
    CURL *easy = link->easy;

#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 24L * 3600 * 1000);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, link->reason);
    if (curl_easy_setopt(easy, CURLOPT_PROXY, ""))
        return false;
    return set_address(link);
}

static bool set_multi(struct link *link)
{
    curl_multi_setopt(link->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(link->multi, CURLMOPT_SOCKETDATA, link);
    curl_multi_setopt(link->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(link->multi, CURLMOPT_TIMERDATA, link);
    return curl_multi_add_handle(link->multi, link->easy) == CURLM_OK;
}

int rv_link_start(struct rv_stream *stream)
{
    struct link *link;

    if (rv_curl_once() != 0)
        return REEVE_ENOMEM;
    link = rv_zalloc(stream->mem, sizeof *link);
    if (!link)
        return REEVE_ENOMEM;
    stream->link = link;
    link->stream = stream;
    link->runtime = stream->runtime;
    link->mem = stream->mem;
    link->fd = -1;
    rv_timer_init(&link->timer, time_over);
    rv_task_init(&link->task, time_is_now);
    link->multi = curl_multi_init();
    link->easy = curl_easy_init();
    if (!link->multi || !link->easy || !set_easy(link) || !set_multi(link)) {
        link_free(link);
        return REEVE_ENOMEM;
    }
    return 0;
}
