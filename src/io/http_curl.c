/* SPDX-License-Identifier: MIT */
/*
 * The hub: what libcurl is to one runtime. One multi handle drives all transfers; its sockets are
 * watched by the loop, its timer is one of ours.
 *
 * libcurl forbids to add or remove a handle from inside its callbacks, and must not be entered from
 * there: a timer of 0 ms becomes a task in the ready queue, and a transfer that lost a watch to
 * lack of memory is only marked ("doomed") and ended when libcurl has returned.
 *
 * Nothing of this exists before a runtime's first request. Connections stay open between requests
 * without being watched, so that an idle runtime has no pending event. libcurl wants a socket
 * unwatched as soon as its request has ended, and watched again when the next one begins, which
 * often is in the same turn: a socket of which we learn when it is closed is only "parked", and
 * unwatched when the ready queue has gone round UNWATCH_LAPS times and nobody has taken it up.
 */
#include <assert.h>
#include <curl/curl.h>
#include <unistd.h>

#include "io/curl_once.h"
#include "io/http_curl.h"
#include "io/http_wire.h"
#include "loop/runtime.h"
#include "loop/watch.h"

/* From an end to the next request: its end is told, what follows from it is begun, its body is
 * written, libcurl is driven. */
enum { MAX_IDLE_HANDLES = 64, UNWATCH_LAPS = 6 };

struct idle_handle {
    CURL *easy;
    bool plain; /* as its last request has left it (rv_easy_is_plain); else reset */
};

struct hub {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    CURLM *multi;
    struct rv_timer timer;
    struct rv_task task;
    struct rv_list transfers;
    struct rv_list doomed;
    struct rv_list sockets;
    struct rv_list parked;
    struct rv_task unwatch;
    unsigned laps;
    struct hub_socket **own; /* by descriptor, those that were opened here */
    size_t own_count;
    bool ending_doomed;
    struct rv_trust trust;
    bool http1_only;
    struct idle_handle idle[MAX_IDLE_HANDLES];
    size_t idle_count;
};

struct hub_socket {
    struct rv_list node;
    struct rv_list parked;
    struct hub *hub;
    struct rv_watch *watch; /* NULL until it is wanted */
    int fd;
    bool own;
};

/* ---- transfers ------------------------------------------------------------------------------- */

static void give_back(struct hub *hub, CURL *easy, bool plain)
{
    if (hub->idle_count == MAX_IDLE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    if (plain)
        rv_easy_forget(easy);
    else
        curl_easy_reset(easy);
    hub->idle[hub->idle_count++] = (struct idle_handle){easy, plain};
}

/* NULL: no memory. */
static CURL *take_handle(struct hub *hub, bool plain)
{
    struct idle_handle idle = {NULL, false};

    if (hub->idle_count)
        idle = hub->idle[--hub->idle_count];
    else
        idle.easy = curl_easy_init();
    if (!idle.easy || (idle.plain && plain))
        return idle.easy;
    if (idle.plain)
        curl_easy_reset(idle.easy);
    if (!rv_easy_prepare(idle.easy))
        return idle.easy;
    curl_easy_cleanup(idle.easy);
    return NULL;
}

/* The handle is not the multi's any more. */
static void transfer_free(struct hub *hub, struct rv_transfer *transfer)
{
    rv_list_remove(&transfer->node);
    rv_list_remove(&transfer->doomed);
    transfer->http->wire = NULL;
    if (transfer->easy)
        give_back(hub, transfer->easy, transfer->plain && !transfer->second_try);
    rv_free(hub->mem, transfer->fields);
    rv_free(hub->mem, transfer->error_text);
    rv_free(hub->mem, transfer);
}

static void transfer_remove(struct hub *hub, struct rv_transfer *transfer)
{
    curl_multi_remove_handle(hub->multi, transfer->easy);
    transfer_free(hub, transfer);
}

static void transfer_end(struct hub *hub, struct rv_transfer *transfer, int error,
                         const char *detail)
{
    struct rv_http *http = transfer->http;

    transfer_remove(hub, transfer);
    rv_http_ended(http, error, detail);
}

static void end_doomed(struct hub *hub)
{
    struct rv_list *node;

    /* Removing a transfer may doom another: the outermost call takes that one too. */
    if (hub->ending_doomed)
        return;
    hub->ending_doomed = true;
    while ((node = rv_list_shift(&hub->doomed)))
        transfer_end(hub, rv_list_entry(node, struct rv_transfer, doomed), REEVE_ENOMEM, NULL);
    hub->ending_doomed = false;
}

static void end_with_result(struct hub *hub, struct rv_transfer *transfer, CURLcode result)
{
    char text[512];
    const char *detail;
    int error = rv_easy_result(transfer, (int)result, text, sizeof text, &detail);

    transfer_end(hub, transfer, error, detail);
}

/* Whether the transfer was begun anew, to judge the server by what the second file says. */
static bool try_again(struct hub *hub, struct rv_transfer *transfer, CURLcode result)
{
    if (transfer->second_try || !hub->trust.second_file ||
        !rv_easy_is_untrusted(transfer, (int)result))
        return false;
    transfer->second_try = true;
    if (rv_easy_trust_file(transfer, hub->trust.second_file))
        return false;
    curl_multi_remove_handle(hub->multi, transfer->easy);
    return curl_multi_add_handle(hub->multi, transfer->easy) == CURLM_OK;
}

static void end_finished(struct hub *hub)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(hub->multi, &left))) {
        CURLcode result = message->data.result;
        struct rv_transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        if (transfer->second_try && transfer->http->state != RV_HTTP_CONNECTING)
            rv_trust_adopt(hub->mem, &hub->trust);
        if (!try_again(hub, transfer, result))
            end_with_result(hub, transfer, result);
    }
}

/* ---- sockets and timer ----------------------------------------------------------------------- */

static void drive(struct hub *hub, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(hub->multi, fd, events, &running);
    end_finished(hub);
    end_doomed(hub);
}

/* Parked: what happened is for libcurl to find when it takes the connection up again. */
static void unwatch(struct hub_socket *socket)
{
    rv_list_remove(&socket->parked);
    rv_watch_set(socket->watch, 0);
}

static void on_ready(struct rv_watch *watch, unsigned events, void *arg)
{
    struct hub_socket *socket = arg;
    int what = 0;

    if (!rv_list_empty(&socket->parked)) {
        unwatch(socket);
        return;
    }
    if (events & RV_WATCH_READ)
        what |= CURL_CSELECT_IN;
    if (events & RV_WATCH_WRITE)
        what |= CURL_CSELECT_OUT;
    drive(socket->hub, rv_watch_fd(watch), what);
}

static void socket_free(struct hub_socket *socket)
{
    struct hub *hub = socket->hub;

    if (socket->own)
        hub->own[socket->fd] = NULL;
    rv_list_remove(&socket->node);
    rv_list_remove(&socket->parked);
    rv_watch_free(socket->watch);
    rv_free(hub->mem, socket);
}

static struct hub_socket *socket_new(struct hub *hub, int fd)
{
    struct hub_socket *socket = rv_zalloc(hub->mem, sizeof *socket);

    if (!socket)
        return NULL;
    socket->hub = hub;
    socket->fd = fd;
    rv_list_init(&socket->parked);
    rv_list_append(&hub->sockets, &socket->node);
    return socket;
}

static struct hub_socket *find_own(const struct hub *hub, int fd)
{
    return (size_t)fd < hub->own_count ? hub->own[fd] : NULL;
}

static bool make_room(struct hub *hub, int fd)
{
    size_t count = hub->own_count ? hub->own_count : 32;
    struct hub_socket **own;
    size_t size;

    while (count <= (size_t)fd)
        count *= 2;
    if (count == hub->own_count)
        return true;
    if (!rv_size_mul(count, sizeof *own, &size))
        return false;
    own = rv_realloc(hub->mem, hub->own, size);
    if (!own)
        return false;
    for (size_t i = hub->own_count; i < count; i++)
        own[i] = NULL;
    hub->own = own;
    hub->own_count = count;
    return true;
}

/* Without memory it is watched like one that libcurl opened for itself. */
void rv_hub_opened(struct rv_transfer *transfer, int fd)
{
    struct hub *hub = rv_runtime_slot(transfer->http->runtime, RV_SLOT_HTTP);
    struct hub_socket *socket = make_room(hub, fd) ? socket_new(hub, fd) : NULL;

    if (!socket)
        return;
    /* A socket that was never connected is closed by some versions without asking on_close. */
    if (hub->own[fd])
        socket_free(hub->own[fd]);
    socket->own = true;
    hub->own[fd] = socket;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct hub_socket *socket = find_own(arg, fd);

    if (socket)
        socket_free(socket);
    return close(fd);
}

static void unwatch_parked(struct rv_task *task)
{
    struct hub *hub = rv_container_of(task, struct hub, unwatch);

    if (!rv_list_empty(&hub->parked) && ++hub->laps < UNWATCH_LAPS) {
        rv_ready_push(hub->runtime, task);
        return;
    }
    hub->laps = 0;
    while (!rv_list_empty(&hub->parked))
        unwatch(rv_list_entry(hub->parked.next, struct hub_socket, parked));
}

static void leave_socket(struct hub *hub, struct hub_socket *socket)
{
    if (!socket->own) {
        socket_free(socket);
        return;
    }
    if (!socket->watch || !rv_list_empty(&socket->parked))
        return;
    rv_list_append(&hub->parked, &socket->parked);
    rv_ready_push(hub->runtime, &hub->unwatch);
}

static bool watch_socket(struct hub *hub, struct hub_socket *socket, curl_socket_t fd, int what)
{
    unsigned events = 0;

    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= RV_WATCH_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= RV_WATCH_WRITE;
    if (!socket)
        socket = socket_new(hub, fd);
    if (!socket)
        return false;
    curl_multi_assign(hub->multi, fd, socket);
    rv_list_remove(&socket->parked);
    if (!socket->watch && rv_watch_new(hub->runtime, fd, on_ready, socket, &socket->watch))
        return false;
    return !rv_watch_set(socket->watch, events);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *given)
{
    struct hub *hub = arg;
    struct hub_socket *socket = given ? given : find_own(hub, fd);
    struct rv_transfer *transfer = NULL;

    if (what == CURL_POLL_REMOVE) {
        if (socket)
            leave_socket(hub, socket);
        return 0;
    }
    if (watch_socket(hub, socket, fd, what))
        return 0;
    /* An error returned here would end all transfers; none at all would let this one hang. */
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    if (transfer && rv_list_empty(&transfer->doomed))
        rv_list_append(&hub->doomed, &transfer->doomed);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct hub *hub = arg;

    (void)multi;
    rv_timer_stop(hub->runtime, &hub->timer);
    rv_ready_remove(&hub->task);
    if (timeout_ms == 0)
        rv_ready_push(hub->runtime, &hub->task);
    else if (timeout_ms > 0)
        rv_timer_start_ms(hub->runtime, &hub->timer, (uint64_t)timeout_ms);
    return 0;
}

static void time_over(struct rv_timer *timer)
{
    drive(rv_container_of(timer, struct hub, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void time_is_now(struct rv_task *task)
{
    drive(rv_container_of(task, struct hub, task), CURL_SOCKET_TIMEOUT, 0);
}

/* ---- the hub --------------------------------------------------------------------------------- */

static void hub_free(void *value)
{
    struct hub *hub = value;
    struct rv_list *node, *after;

    assert(rv_list_empty(&hub->transfers) && "requests end before their runtime");
    while (hub->idle_count)
        curl_easy_cleanup(hub->idle[--hub->idle_count].easy);
    if (hub->multi)
        curl_multi_cleanup(hub->multi);
    rv_list_for_each_safe (node, after, &hub->sockets)
        socket_free(rv_list_entry(node, struct hub_socket, node));
    rv_timer_stop(hub->runtime, &hub->timer);
    rv_ready_remove(&hub->task);
    rv_ready_remove(&hub->unwatch);
    rv_free(hub->mem, hub->own);
    rv_trust_done(hub->mem, &hub->trust);
    rv_free(hub->mem, hub);
}

static void set_multi(struct hub *hub, const struct rv_http_settings *settings)
{
    curl_multi_setopt(hub->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(hub->multi, CURLMOPT_SOCKETDATA, hub);
    curl_multi_setopt(hub->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(hub->multi, CURLMOPT_TIMERDATA, hub);
    curl_multi_setopt(hub->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(hub->multi, CURLMOPT_MAXCONNECTS, (long)settings->max_idle_connections);
    curl_multi_setopt(hub->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)settings->max_connections_per_host);
    hub->http1_only = settings->http1_only;
}

static int hub_new(struct reeve_runtime *runtime, struct hub **ret_hub)
{
    const struct rv_http_settings *settings = rv_http_settings_of(runtime);
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct hub *hub;

    if (rv_curl_once() != 0)
        return REEVE_ENOMEM;
    hub = rv_zalloc(mem, sizeof *hub);
    if (!hub)
        return REEVE_ENOMEM;
    hub->runtime = runtime;
    hub->mem = mem;
    rv_timer_init(&hub->timer, time_over);
    rv_task_init(&hub->task, time_is_now);
    rv_task_init(&hub->unwatch, unwatch_parked);
    rv_list_init(&hub->transfers);
    rv_list_init(&hub->doomed);
    rv_list_init(&hub->sockets);
    rv_list_init(&hub->parked);
    hub->multi = curl_multi_init();
    if (!hub->multi || !settings || rv_trust_find(mem, settings->ca_file, &hub->trust)) {
        hub_free(hub);
        return REEVE_ENOMEM;
    }
    set_multi(hub, settings);
    *ret_hub = hub;
    return 0;
}

static int hub_get(struct reeve_runtime *runtime, struct hub **ret_hub)
{
    struct hub *hub = rv_runtime_slot(runtime, RV_SLOT_HTTP);
    int error;

    if (!hub) {
        error = hub_new(runtime, &hub);
        if (error)
            return error;
        rv_runtime_slot_set(runtime, RV_SLOT_HTTP, hub, hub_free);
    }
    *ret_hub = hub;
    return 0;
}

static struct hub *hub_of(struct rv_http *http)
{
    return rv_runtime_slot(http->runtime, RV_SLOT_HTTP);
}

/* ---- the wire -------------------------------------------------------------------------------- */

static int transfer_new(struct hub *hub, struct rv_http *http, struct rv_transfer **ret_transfer)
{
    struct rv_transfer *transfer = rv_zalloc(hub->mem, sizeof *transfer);

    if (!transfer)
        return REEVE_ENOMEM;
    rv_list_init(&transfer->node);
    rv_list_init(&transfer->doomed);
    transfer->http = http;
    transfer->plain = rv_easy_is_plain(http);
    transfer->easy = take_handle(hub, transfer->plain);
    http->wire = transfer;
    if (!transfer->easy || rv_easy_setup(transfer, &hub->trust, hub->http1_only)) {
        transfer_free(hub, transfer);
        return REEVE_ENOMEM;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(transfer->easy, CURLOPT_CLOSESOCKETDATA, hub);
    *ret_transfer = transfer;
    return 0;
}

int rv_wire_start(struct rv_http *http)
{
    struct rv_transfer *transfer;
    struct hub *hub;

    if (hub_get(http->runtime, &hub) || transfer_new(hub, http, &transfer))
        return REEVE_ENOMEM;
    if (curl_multi_add_handle(hub->multi, transfer->easy) != CURLM_OK) {
        transfer_free(hub, transfer);
        return REEVE_ENOMEM;
    }
    rv_list_append(&hub->transfers, &transfer->node);
    return 0;
}

void rv_wire_stop(struct rv_http *http)
{
    struct hub *hub = hub_of(http);

    transfer_remove(hub, http->wire);
    end_doomed(hub);
}

void rv_wire_unpause(struct rv_http *http)
{
    struct hub *hub = hub_of(http);
    struct rv_transfer *transfer = http->wire;
    CURLcode result = curl_easy_pause(transfer->easy, (http->wire_paused ? CURLPAUSE_RECV : 0) |
                                                          (http->wire_hungry ? CURLPAUSE_SEND : 0));

    /* The callbacks that this makes may refuse; libcurl does not end the transfer for that. */
    if (result != CURLE_OK && rv_list_empty(&transfer->doomed))
        end_with_result(hub, transfer, result);
    end_doomed(hub);
}
