/* SPDX-License-Identifier: MIT */
/*
 * Through tinyproxy to nginx, at an address of this machine that is not loopback: for loopback no
 * proxy of the environment is asked. "here.test" is a name that this program's getaddrinfo knows
 * and tinyproxy does not: what reaches nginx by it has gone straight.
 */
#include "tests/integration/http-outside.h"
#include "tests/integration/http-world.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    getaddrinfo_fn system_one;

    *(void **)&system_one = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strstr(node, "here.test"))
        node = "127.0.0.1";
    return system_one(node, service, hints, ret_list);
}

struct road {
    struct world *world;
    struct outside *nginx;
    struct outside *proxy;
    char own[64]; /* the address */
};

static void open_road(struct rv_test *t, const char *proxy_lines)
{
    struct road *road;
    char own[64];

    outside_need("nginx");
    outside_need("tinyproxy");
    if (!outside_own_address(own, sizeof own))
        rv_test_skip("this machine has no address but loopback");
    road = calloc(1, sizeof *road);
    cr_assert_not_null(road);
    strcpy(road->own, own);
    road->nginx = outside_nginx_new(own);
    road->proxy = outside_tinyproxy_new(proxy_lines);
    cr_assert_eq(world_open(t, &road->world), 0);
    setenv("SSL_CERT_FILE", outside_path(road->nginx, "ca.pem"), 1);
    t->data = road;
}

static void set_up(struct rv_test *t)
{
    open_road(t, "");
}

static void set_up_with_password(struct rv_test *t)
{
    open_road(t, "BasicAuth reader opensesame\n");
}

static void set_up_closed(struct rv_test *t)
{
    open_road(t, "ConnectPort 1\nDeny 127.0.0.1\n");
}

/* Of libcurl's own thread that looked a name up something is left for a moment. */
static void tear_down(struct rv_test *t)
{
    struct road *road = t->data;

    world_close(road->world);
    outside_free(road->proxy);
    outside_free(road->nginx);
    free(road);
    usleep(20000);
}

#define ROAD RV_FIXTURE(set_up, tear_down), .timeout = 60

static const char *proxy_url(const struct road *road, const char *user)
{
    static char url[128];

    snprintf(url, sizeof url, "http://%s127.0.0.1:%u", user, road->proxy->port);
    return url;
}

static struct get *get_of(struct road *road, bool secure, const char *host)
{
    char url[128];

    snprintf(url, sizeof url, "%s://%s:%u/protocol?key=hidden", secure ? "https" : "http", host,
             secure ? road->nginx->tls_port : road->nginx->port);
    return get_url(road->world, url);
}

static void run(struct get *get)
{
    get_start(get);
    world_run(get->world);
}

static void expect(struct get *get, const char *body)
{
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, body);
    get_free(get);
}

static bool tunneled(const struct road *road)
{
    char line[128];

    snprintf(line, sizeof line, "CONNECT %s:%u", road->own, road->nginx->tls_port);
    return outside_logged(road->proxy, line);
}

static bool came_by_proxy(const struct road *road, size_t line)
{
    struct access list[8];

    cr_assert_eq(outside_accesses(road->nginx, list, line), line);
    return strstr(list[line - 1].via, "tinyproxy");
}

/* ---- what goes through ----------------------------------------------------------------------- */

RV_TEST(tinyproxy, plain_requests_go_through, ROAD)
{
    struct road *road = t->data;
    struct get *get;

    setenv("http_proxy", proxy_url(road, ""), 1);
    get = get_of(road, false, road->own);
    run(get);
    expect(get, "HTTP/1.1");
    cr_assert(came_by_proxy(road, 1));
}

RV_TEST(tinyproxy, secure_requests_have_a_tunnel, ROAD)
{
    struct road *road = t->data;
    struct get *get;

    setenv("https_proxy", proxy_url(road, ""), 1);
    for (int i = 0; i < 2; i++) {
        get = get_of(road, true, road->own);
        run(get);
        expect(get, "HTTP/2.0");
    }
    cr_assert(tunneled(road));
    cr_assert_not(came_by_proxy(road, 2), "the proxy cannot write into what is encrypted");
}

RV_TEST(tinyproxy, the_option_goes_before_the_environment, ROAD)
{
    struct road *road = t->data;
    struct get *get;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    get = get_of(road, false, road->own);
    get->options.proxy = proxy_url(road, "");
    run(get);
    expect(get, "HTTP/1.1");
    cr_assert(came_by_proxy(road, 1));
    get = get_of(road, false, road->own);
    get->options.proxy = "";
    run(get);
    expect(get, "HTTP/1.1");
    cr_assert_not(came_by_proxy(road, 2));
}

RV_TEST(tinyproxy, the_setting_holds_for_all, ROAD)
{
    struct road *road = t->data;
    struct rv_http_settings settings = {.proxy = proxy_url(road, "")};
    struct get *get;

    cr_assert_eq(rv_http_settings_set(road->world->runtime, &settings), 0);
    get = get_of(road, false, "127.0.0.1"); /* loopback is kept from the environment's only */
    run(get);
    expect(get, "HTTP/1.1");
    cr_assert(came_by_proxy(road, 1));
}

/* ---- what does not --------------------------------------------------------------------------- */

RV_TEST(tinyproxy, loopback_is_not_asked_of_it, ROAD)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "localhost"};
    struct road *road = t->data;
    struct get *get;

    setenv("http_proxy", proxy_url(road, ""), 1);
    for (size_t i = 0; i < 3; i++) {
        get = get_of(road, false, hosts[i]);
        run(get);
        expect(get, "HTTP/1.1");
        cr_assert_not(came_by_proxy(road, i + 1), "%s", hosts[i]);
    }
}

RV_TEST(tinyproxy, no_proxy_names_who_is_asked_straight, ROAD)
{
    struct road *road = t->data;
    const struct {
        const char *list, *host;
        bool straight;
    } cases[] = {
        {"here.test", "here.test", true},     {".test", "here.test", true},
        {"test", "here.test", true},          {"ere.test", "here.test", false},
        {"other.test", "here.test", false},   {road->own, road->own, true},
        {"203.0.113.1", road->own, false},    {"0.0.0.0/0", road->own, true},
        {"203.0.113.0/24", road->own, false}, {"*", road->own, true},
    };

    setenv("http_proxy", proxy_url(road, ""), 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct get *get = get_of(road, false, cases[i].host);
        bool named = !strcmp(cases[i].host, "here.test");

        setenv("no_proxy", cases[i].list, 1);
        run(get);
        cr_assert_eq(get->error, 0, "case %zu: %s", i, get->problem);
        if (named)
            cr_assert_eq(get->status == 200, cases[i].straight, "case %zu: %d", i, get->status);
        else
            cr_assert_eq(get->status, 200);
        get_free(get);
    }
}

RV_TEST(tinyproxy, no_proxy_by_address_goes_straight, ROAD)
{
    struct road *road = t->data;

    setenv("http_proxy", proxy_url(road, ""), 1);
    for (size_t i = 0; i < 2; i++) {
        struct get *get = get_of(road, false, road->own);

        setenv("no_proxy", i ? "203.0.113.1" : road->own, 1);
        run(get);
        expect(get, "HTTP/1.1");
        cr_assert_eq(came_by_proxy(road, i + 1), i == 1);
    }
}

/* ---- errors name the proxy without its secrets ----------------------------------------------- */

static void expect_problem(struct get *get, const struct road *road, const char *what)
{
    char proxy[128];

    cr_assert_eq(get->error, REEVE_ECONNECT, "%s: %s", reeve_error_name(get->error), get->problem);
    cr_assert_eq(get->heads, 0, "the proxy's answer is not the server's");
    snprintf(proxy, sizeof proxy, ": the proxy http://127.0.0.1:%u %s", road->proxy->port, what);
    cr_assert_not_null(strstr(get->problem, proxy), "%s", get->problem);
    cr_assert_not_null(strstr(get->problem, road->own), "%s", get->problem);
    cr_assert_null(strstr(get->problem, "sesame"), "%s", get->problem);
    cr_assert_null(strstr(get->problem, "reader"), "%s", get->problem);
    cr_assert_null(strstr(get->problem, "hidden"), "%s", get->problem);
    get_free(get);
}

static struct get *ask_as(struct road *road, bool secure, const char *user)
{
    struct get *get = get_of(road, secure, road->own);

    get->options.proxy = proxy_url(road, user);
    run(get);
    return get;
}

RV_TEST(tinyproxy, it_may_ask_for_a_password, RV_FIXTURE(set_up_with_password, tear_down),
        .timeout = 60)
{
    struct road *road = t->data;

    for (int secure = 0; secure < 2; secure++) {
        expect_problem(ask_as(road, secure, ""), road,
                       "refused with status 407, it wants a user name and a password");
        expect(ask_as(road, secure, "reader:opensesame@"), secure ? "HTTP/2.0" : "HTTP/1.1");
    }
}

/* It says 401 then, as a server would: of a plain request nobody can tell whose it is. */
RV_TEST(tinyproxy, a_wrong_password, RV_FIXTURE(set_up_with_password, tear_down), .timeout = 60)
{
    struct road *road = t->data;
    struct get *get = ask_as(road, false, "reader:sesame@");

    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_eq(get->status, 401);
    get_free(get);
    expect_problem(ask_as(road, true, "reader:sesame@"), road, "refused with status 401");
    /* Nor is the tunnel used that somebody else was let into. */
    expect(ask_as(road, true, "reader:opensesame@"), "HTTP/2.0");
    expect_problem(ask_as(road, true, "reader:sesame@"), road, "refused with status 401");
}

RV_TEST(tinyproxy, it_may_refuse_a_tunnel, RV_FIXTURE(set_up_closed, tear_down), .timeout = 60)
{
    struct road *road = t->data;
    struct get *get = get_of(road, true, road->own);

    get->options.proxy = proxy_url(road, "reader:opensesame@");
    run(get);
    expect_problem(get, road, "refused with status 403");
}

RV_TEST(tinyproxy, one_that_is_gone, ROAD)
{
    struct road *road = t->data;

    for (int secure = 0; secure < 2; secure++) {
        struct get *get = get_of(road, secure, road->own);

        get->options.proxy = "http://reader:opensesame@127.0.0.1:1";
        run(get);
        cr_assert_eq(get->error, REEVE_ECONNECT);
        assert_problem(get,
                       "could not connect to %s://%s:%u/protocol: the proxy http://127.0.0.1:1: "
                       "Connection refused (127.0.0.1 port 1)",
                       secure ? "https" : "http", road->own,
                       secure ? road->nginx->tls_port : road->nginx->port);
        get_free(get);
    }
}

static void answer_nonsense(struct raw_conn *conn, const char *head, const char *body, size_t len,
                            void *arg)
{
    (void)head;
    (void)body;
    (void)len;
    (void)arg;
    raw_text(conn, "+OK POP3 ready\r\n");
    raw_close(conn);
}

RV_TEST(tinyproxy, one_that_is_no_proxy, ROAD)
{
    struct road *road = t->data;
    unsigned port = raw_server_port(road->world->server);
    char proxy[128];

    road->world->answer = answer_nonsense;
    snprintf(proxy, sizeof proxy, "http://reader:opensesame@127.0.0.1:%u", port);
    for (int secure = 0; secure < 2; secure++) {
        struct get *get = get_of(road, secure, road->own);

        get->options.proxy = proxy;
        run(get);
        if (secure)
            assert_problem(get,
                           "could not connect to https://%s:%u/protocol: the proxy "
                           "http://127.0.0.1:%u failed",
                           road->own, road->nginx->tls_port, port);
        else
            assert_problem(get,
                           "the answer from http://%s:%u/protocol is not proper HTTP: it came by "
                           "the proxy http://127.0.0.1:%u",
                           road->own, road->nginx->port, port);
        cr_assert_eq(get->error, secure ? REEVE_ECONNECT : REEVE_EPROTOCOL);
        get_free(get);
    }
}
