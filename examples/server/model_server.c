/* SPDX-License-Identifier: MIT */
/* The server's life: options, listening, taking requests, the end. */
#include "model_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "page.h"
#include "respond.h"
#include "state.h"

#define LOOPBACK "127.0.0.1"
#define MAX_HEADERS_BYTES 65536

/* Up to this a body over the cap is read and answered in the words of its format; past it evhttp
 * refuses it by itself, unread, in words that both formats have (page.h). */
#define HARD_CAP_FACTOR 4

void model_server_options_init(struct model_server_options *options)
{
    *options = (struct model_server_options){
        .latency_ms = 30,
        .chunk_bytes = 12,
        .tokens_per_second = 200,
        .max_body_bytes = 8u * 1024 * 1024,
        .model = "scripted",
    };
}

/* splitmix64 */
uint64_t ms_server_random(void *arg)
{
    struct model_server *server = arg;
    uint64_t z = server->random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void seed_random(struct model_server *server, uint64_t seed)
{
    server->random_state = seed;
    if (seed == 0 && getrandom(&server->random_state, sizeof(server->random_state),
                               GRND_NONBLOCK) != sizeof(server->random_state))
        server->random_state = (uint64_t)(uintptr_t)server;
}

/* ---- SIGPIPE -----------------------------------------------------------------------------------
 */

/* libevent writes by writev, which knows no MSG_NOSIGNAL, and a client may go at any time. So the
 * signal is ignored while a server lives, if nobody has said what is to become of it: by default it
 * would end the process. */
static pthread_mutex_t signal_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned signal_users;
static bool signal_is_ours;

static void ignore_signal(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction now;

    pthread_mutex_lock(&signal_lock);
    if (!signal_users++ && !sigaction(SIGPIPE, NULL, &now) && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == SIG_DFL)
        signal_is_ours = !sigaction(SIGPIPE, &ignore, NULL);
    pthread_mutex_unlock(&signal_lock);
}

/* What somebody else has set meanwhile stays. */
static void restore_signal(void)
{
    const struct sigaction as_before = {.sa_handler = SIG_DFL};
    struct sigaction now;

    pthread_mutex_lock(&signal_lock);
    if (!--signal_users && signal_is_ours) {
        signal_is_ours = false;
        if (!sigaction(SIGPIPE, NULL, &now) && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == SIG_IGN)
            sigaction(SIGPIPE, &as_before, NULL);
    }
    pthread_mutex_unlock(&signal_lock);
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static void refuse_one_too_many(struct evhttp_request *request)
{
    struct evbuffer *body = evbuffer_new();

    if (body)
        evbuffer_add_printf(body, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                                  "\"message\":\"Too many requests are under way.\","
                                  "\"param\":null,\"code\":null}}");
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evhttp_send_reply(request, HTTP_SERVUNAVAIL, NULL, body);
    if (body)
        evbuffer_free(body);
}

/* A request in full, from evhttp. */
static void on_request(struct evhttp_request *request, void *arg)
{
    struct model_server *server = arg;
    struct ms_exchange *exchange = ms_exchange_new(server, request);

    server->stats.requests++;
    if (!exchange) {
        server->stats.errors++;
        refuse_one_too_many(request);
        return;
    }
    ms_respond(server, request, ms_exchange_response(exchange));
    ms_exchange_begin(exchange);
}

static int copy_string(const char *string, const char **ret_copy)
{
    *ret_copy = NULL;
    if (!string)
        return 0;
    *ret_copy = strdup(string);
    return *ret_copy ? 0 : -ENOMEM;
}

static void free_string(const char *string)
{
    free((void *)(uintptr_t)string);
}

static int copy_options(struct model_server *server, const struct model_server_options *options)
{
    struct model_server_options *copy = &server->options;
    int status;

    *copy = *options;
    copy->api_key = copy->model = copy->fault = NULL;
    if (options->fault && ms_fault_parse(ms_span_of(options->fault), &server->fault))
        return -EINVAL;
    status = copy_string(options->api_key, &copy->api_key);
    if (!status)
        status = copy_string(options->model ? options->model : "scripted", &copy->model);
    if (!status)
        status = copy_string(options->fault, &copy->fault);
    return status;
}

static int read_address(struct model_server *server, evutil_socket_t fd)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len))
        return -errno;
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof(server->url), "http://" LOOPBACK ":%u/v1", server->port);
    snprintf(server->anthropic_url, sizeof(server->anthropic_url), "http://" LOOPBACK ":%u",
             server->port);
    return 0;
}

static int start_listening(struct model_server *server)
{
    struct evhttp_bound_socket *bound;

    errno = 0;
    bound = evhttp_bind_socket_with_handle(server->http, LOOPBACK, server->options.port);
    if (!bound)
        return errno ? -errno : -EADDRNOTAVAIL;
    return read_address(server, evhttp_bound_socket_get_fd(bound));
}

static int start_http(struct model_server *server)
{
    size_t hard_cap = server->options.max_body_bytes;

    server->http = evhttp_new(server->base);
    if (!server->http)
        return -ENOMEM;
    hard_cap =
        hard_cap < SIZE_MAX / 2 / HARD_CAP_FACTOR ? hard_cap * HARD_CAP_FACTOR : SIZE_MAX / 2;
    evhttp_set_max_body_size(server->http, (ev_ssize_t)hard_cap);
    evhttp_set_max_headers_size(server->http, MAX_HEADERS_BYTES);
    evhttp_set_flags(server->http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_timeout(server->http, MS_IDLE_SECONDS);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                                 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                                 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                                 EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_bevcb(server->http, ms_page_connection, NULL);
    evhttp_set_gencb(server->http, on_request, server);
    return start_listening(server);
}

int model_server_new(struct event_base *base, const struct model_server_options *options,
                     struct model_server **ret_server)
{
    struct model_server_options defaults;
    struct model_server *server = calloc(1, sizeof(*server));
    int status;

    if (!server)
        return -ENOMEM;
    model_server_options_init(&defaults);
    ignore_signal();
    server->base = base;
    TAILQ_INIT(&server->exchanges);
    status = copy_options(server, options ? options : &defaults);
    if (!status) {
        seed_random(server, server->options.seed);
        status = start_http(server);
    }
    if (status) {
        model_server_free(server);
        return status;
    }
    *ret_server = server;
    return 0;
}

void model_server_free(struct model_server *server)
{
    if (!server)
        return;
    ms_exchange_drop_all(server);
    if (server->http)
        evhttp_free(server->http);
    free_string(server->options.api_key);
    free_string(server->options.model);
    free_string(server->options.fault);
    free(server);
    restore_signal();
}

uint16_t model_server_port(const struct model_server *server)
{
    return server->port;
}

const char *model_server_url(const struct model_server *server)
{
    return server->url;
}

const char *model_server_anthropic_url(const struct model_server *server)
{
    return server->anthropic_url;
}

void model_server_get_stats(const struct model_server *server, struct model_server_stats *ret_stats)
{
    *ret_stats = server->stats;
}
