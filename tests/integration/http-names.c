/* SPDX-License-Identifier: MIT */
/*
 * Names that take their time, and proxies. This program's own getaddrinfo stands before the
 * system's, and libcurl uses it: "slow.test" sleeps, "here.test" is this machine, "none.test" is
 * nowhere.
 */
#include "tests/integration/http-world.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLOW_MS = 3000, QUICK_MS = 700 };

static atomic_int looking;
static atomic_int looked;

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    static const struct timespec slow = {.tv_sec = SLOW_MS / 1000,
                                         .tv_nsec = SLOW_MS % 1000 * 1000000L};
    getaddrinfo_fn system_one;
    int result;

    *(void **)&system_one = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!node || !strstr(node, ".test"))
        return system_one(node, service, hints, ret_list);
    atomic_fetch_add(&looking, 1);
    atomic_fetch_add(&looked, 1);
    if (strstr(node, "slow"))
        nanosleep(&slow, NULL);
    result = strstr(node, "none") ? EAI_NONAME : system_one("127.0.0.1", service, hints, ret_list);
    atomic_fetch_sub(&looking, 1);
    return result;
}

/* libcurl's thread ends by itself, and what it held is freed then: a little after the look-up. */
static void wait_for_threads(void)
{
    while (atomic_load(&looking))
        usleep(1000);
    usleep(20000);
}

static void hello(struct raw_conn *conn, const char *head, const char *body, size_t len, void *arg)
{
    (void)body;
    (void)len;
    if (arg)
        snprintf(arg, 512, "%.500s", head);
    answer_with(conn, "200 OK", "", "hello");
}

static struct get *get_host(struct world *world, const char *host)
{
    char url[128];

    snprintf(url, sizeof url, "http://%s:%u/x", host, raw_server_port(world->server));
    world->answer = hello;
    return get_url(world, url);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ++*(unsigned *)arg;
}

/* ---- names ----------------------------------------------------------------------------------- */

RV_TEST(http, the_loop_goes_on_while_a_name_is_looked_up, WORLD)
{
    static const struct timeval ms10 = {.tv_usec = 10000};
    struct world *world = t->data;
    struct get *get = get_host(world, "slow.test");
    unsigned ticks = 0;
    struct event *ticker = event_new(world->base, -1, EV_PERSIST, tick, &ticks);
    double start_ms = now_ms();

    event_add(ticker, &ms10);
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "hello");
    cr_assert_geq(now_ms() - start_ms, SLOW_MS);
    cr_assert_eq(atomic_load(&looked), 1, "libcurl used this program's getaddrinfo");
    cr_assert_geq(ticks, SLOW_MS / 10 / 2);
    event_free(ticker);
    get_free(get);
    wait_for_threads();
}

static void expect_quick(double start_ms)
{
    double took_ms = now_ms() - start_ms;

    cr_assert_leq(took_ms, QUICK_MS, "it took %f ms", took_ms);
}

RV_TEST(http, cancel_does_not_wait_for_a_name, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_host(world, "slow.test");
    double start_ms;

    get_start(get);
    WORLD_UNTIL(world, atomic_load(&looking) == 1);
    start_ms = now_ms();
    rv_http_cancel(get->http);
    world_run(world);
    expect_quick(start_ms);
    cr_assert_eq(get->error, REEVE_ECANCELED);
    cr_assert_eq(atomic_load(&looking), 1, "the look-up still sleeps");
    get_free(get);
    wait_for_threads();
}

RV_TEST(http, the_connect_limit_does_not_wait_for_a_name, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_host(world, "slow.test");
    double start_ms = now_ms();

    get->options.connect_timeout_ms = 50;
    get_start(get);
    world_run(world);
    cr_assert_leq(now_ms() - start_ms, QUICK_MS);
    cr_assert_eq(get->error, REEVE_ETIMEDOUT);
    assert_problem(get, "could not connect to %s within 50 ms (connect_timeout_ms)",
                   get->options.url);
    get_free(get);
    wait_for_threads();
}

RV_TEST(http, freeing_the_runtime_does_not_wait_for_a_name, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_host(world, "slow.test");
    struct reeve_runtime_options options;
    double start_ms;

    get_start(get);
    WORLD_UNTIL(world, atomic_load(&looking) == 1);
    start_ms = now_ms();
    rv_http_abort(get->http);
    reeve_runtime_free(world->runtime);
    expect_quick(start_ms);
    cr_assert_eq(atomic_load(&looking), 1);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(world->base, &options, &world->runtime), 0);
    get_free(get);
    wait_for_threads();
}

RV_TEST(http, a_name_that_is_nowhere, WORLD)
{
    struct get *get = get_url(t->data, "https://key@none.test:8443/v1?key=secret");

    get_start(get);
    world_run(t->data);
    cr_assert_eq(get->error, REEVE_ERESOLVE);
    assert_problem(get, "could not resolve the host name for https://none.test:8443/v1");
    get_free(get);
    wait_for_threads();
}

/* ---- proxies --------------------------------------------------------------------------------- */

static void use_proxy(struct world *world, const char *variable)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", raw_server_port(world->server));
    cr_assert_eq(setenv(variable, url, 1), 0);
}

RV_TEST(http, the_proxy_of_the_environment_is_used, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_url(world, "http://none.test/some/path");
    char head[512] = "";

    use_proxy(world, "http_proxy");
    world->answer = hello;
    world->answer_arg = head;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "hello");
    cr_assert_eq(strncmp(head, "GET http://none.test/some/path HTTP/1.1\r\n", 41), 0, "%s", head);
    get_free(get);
}

RV_TEST(http, loopback_is_never_asked_of_a_proxy, WORLD)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "127.1", "LOCALHOST"};
    struct world *world = t->data;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct get *get = get_host(world, hosts[i]);

        get_start(get);
        world_run(world);
        cr_assert_eq(get->error, 0, "%s: %s", hosts[i], get->problem);
        cr_assert_str_eq(get->body, "hello");
        get_free(get);
    }
}

RV_TEST(http, no_proxy_is_honoured, WORLD)
{
    struct world *world = t->data;
    struct get *get = get_host(world, "here.test");

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "other.test,here.test", 1);
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, 0, "%s", get->problem);
    get_free(get);
    wait_for_threads();
}

RV_TEST(http, a_proxy_that_is_not_there, WORLD)
{
    struct get *get = get_url(t->data, "http://here.test/");

    setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1);
    get_start(get);
    world_run(t->data);
    cr_assert_eq(get->error, REEVE_ECONNECT);
    assert_problem(get, "could not connect to http://here.test/: the proxy http://127.0.0.1:1: "
                        "Connection refused (127.0.0.1 port 1)");
    get_free(get);
}

RV_TEST(http, a_proxy_whose_name_is_nowhere, WORLD)
{
    struct get *get = get_url(t->data, "http://here.test/");

    setenv("http_proxy", "http://user:secret@none.test:1", 1);
    get_start(get);
    world_run(t->data);
    cr_assert_eq(get->error, REEVE_ERESOLVE);
    assert_problem(get, "could not resolve the host name for http://here.test/: the proxy "
                        "http://none.test:1: its name is unknown");
    get_free(get);
    wait_for_threads();
}

static void refuse_tunnel(struct raw_conn *conn, const char *head, const char *body, size_t len,
                          void *arg)
{
    (void)body;
    (void)len;
    (void)arg;
    cr_assert_eq(strncmp(head, "CONNECT here.test:443 HTTP/1.1\r\n", 32), 0, "%s", head);
    cr_assert_null(strstr(head, "Authorization"), "the proxy was shown the key: %s", head);
    answer_with(conn, "407 Proxy Authentication Required", "", "go away");
}

RV_TEST(http, a_proxy_that_refuses_the_tunnel, WORLD)
{
    static const struct rv_http_header key = {"Authorization", "Bearer secret"};
    struct world *world = t->data;
    struct get *get = get_url(world, "https://here.test/v1");

    use_proxy(world, "https_proxy");
    world->answer = refuse_tunnel;
    get->options.headers = &key;
    get->options.header_count = 1;
    get_start(get);
    world_run(world);
    cr_assert_eq(get->error, REEVE_ECONNECT, "%s", reeve_error_name(get->error));
    assert_problem(get,
                   "could not connect to https://here.test/v1: the proxy http://127.0.0.1:%u "
                   "refused with status 407, it wants a user name and a password",
                   raw_server_port(world->server));
    cr_assert_eq(get->heads, 0, "the proxy's answer is not the server's");
    get_free(get);
}
