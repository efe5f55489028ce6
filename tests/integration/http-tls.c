/* SPDX-License-Identifier: MIT */
/* Certificates are always verified, and come from where the usual variables say. */
#include "tests/integration/http-world.h"
#include "tests/integration/tls-server.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* What libcurl says of where the system's certificates are; NULL: what it says by itself. */
static const char *system_file, *system_folder;

typedef curl_version_info_data *(*version_info_fn)(CURLversion);

__attribute__((visibility("default"))) curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data info;
    version_info_fn system_one;

    *(void **)&system_one = dlsym(RTLD_NEXT, "curl_version_info");
    info = *system_one(age);
    if (system_file)
        info.cainfo = system_file;
    if (system_folder)
        info.capath = system_folder;
    return &info;
}

static struct get *get_secure(struct world *world, struct tls_server *server, const char *host)
{
    char url[64];
    struct get *get;

    snprintf(url, sizeof url, "https://%s:%u/x", host, tls_server_port(server));
    get = get_url(world, url);
    get_start(get);
    world_run(world);
    return get;
}

static void end(struct rv_test *t, struct tls_server *server)
{
    struct world *world = t->data;

    /* Its connections go with the runtime, and the server waits for that. */
    reeve_runtime_free(world->runtime);
    world->runtime = NULL;
    tls_server_free(server);
}

static void expect_refused(struct get *get, const char *word)
{
    cr_assert_eq(get->error, REEVE_ETLS, "%s: %s", reeve_error_name(get->error), get->problem);
    cr_assert_eq(get->heads, 0);
    cr_assert_eq(strncmp(get->problem, "no secure connection to https://", 32), 0);
    cr_assert_not_null(strstr(get->problem, word), "%s", get->problem);
    get_free(get);
}

static void expect_hello(struct get *get)
{
    cr_assert_eq(get->error, 0, "%s", get->problem);
    cr_assert_str_eq(get->body, "hello");
    get_free(get);
}

RV_TEST(tls, an_unknown_certificate_is_refused, WORLD, .timeout = 60)
{
    struct tls_server *server = tls_server_new("DNS:localhost,IP:127.0.0.1");

    expect_refused(get_secure(t->data, server, "localhost"), "certificate");
    cr_assert_eq(tls_server_handshakes(server), 0);
    end(t, server);
}

static void expect_trusted(struct rv_test *t, const char *variable, bool folder, const char *host)
{
    struct tls_server *server = tls_server_new("DNS:localhost,IP:127.0.0.1");
    struct world *world;

    cr_assert_eq(world_open(t, &world), 0);
    setenv(variable, folder ? tls_server_folder(server) : tls_server_file(server), 1);
    expect_hello(get_secure(world, server, host));
    world_close(world);
    tls_server_free(server);
}

RV_TEST(tls, the_variables_name_what_is_trusted, .timeout = 30)
{
    static const char *const variables[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"};

    for (size_t i = 0; i < 3; i++) {
        expect_trusted(t, variables[i], i == 2, "localhost");
        expect_trusted(t, variables[i], i == 2, "127.0.0.1");
    }
}

RV_TEST(tls, a_certificate_for_another_name_is_refused, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:other.example");

    setenv("CURL_CA_BUNDLE", tls_server_file(server), 1);
    expect_refused(get_secure(t->data, server, "localhost"), "localhost");
    end(t, server);
}

RV_TEST(tls, a_file_that_is_not_there, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:localhost");

    setenv("CURL_CA_BUNDLE", "/nonexistent/ca.pem", 1);
    expect_refused(get_secure(t->data, server, "localhost"), "/nonexistent/ca.pem");
    end(t, server);
}

RV_TEST(tls, a_server_without_it, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:localhost");
    struct world *world = t->data;
    char url[64];
    struct get *get;

    /* A machine may have nothing that it trusts, which would be the end before the handshake. */
    setenv("CURL_CA_BUNDLE", tls_server_file(server), 1);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", raw_server_port(world->server));
    get = get_url(world, url);
    get->options.timeout_ms = 0;
    get->options.connect_timeout_ms = 100;
    get_start(get);
    world_run(world);
    /* It waits for a request that does not come, as we do for its part of the handshake. */
    cr_assert_eq(get->error, REEVE_ETIMEDOUT);
    assert_problem(get, "could not connect to %s within 100 ms (connect_timeout_ms)", url);
    get_free(get);
    end(t, server);
}

RV_TEST(tls, connections_are_kept, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:localhost");

    setenv("SSL_CERT_FILE", tls_server_file(server), 1);
    for (int i = 0; i < 5; i++)
        expect_hello(get_secure(t->data, server, "localhost"));
    cr_assert_eq(tls_server_handshakes(server), 1);
    end(t, server);
}

/* ---- the system's own ------------------------------------------------------------------------ */

RV_TEST(tls, the_system_folder_is_asked_first, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:localhost");

    system_folder = tls_server_folder(server);
    system_file = "/nonexistent/ca.pem";
    expect_hello(get_secure(t->data, server, "localhost"));
    cr_assert_eq(tls_server_accepted(server), 1);
    end(t, server);
}

RV_TEST(tls, the_system_file_is_asked_when_the_folder_does_not_know, WORLD, .timeout = 20)
{
    struct tls_server *known = tls_server_new("DNS:localhost");
    struct tls_server *other = tls_server_new("DNS:localhost");

    system_folder = tls_server_folder(known);
    system_file = tls_server_file(other);
    expect_hello(get_secure(t->data, other, "localhost"));
    cr_assert_eq(tls_server_accepted(other), 2);
    cr_assert_eq(tls_server_handshakes(other), 1);
    /* It is remembered: the connection is used again, and the folder not asked. */
    expect_hello(get_secure(t->data, other, "localhost"));
    cr_assert_eq(tls_server_accepted(other), 2);
    end(t, other);
    tls_server_free(known);
}

RV_TEST(tls, a_server_that_neither_knows, WORLD, .timeout = 20)
{
    struct tls_server *known = tls_server_new("DNS:localhost");
    struct tls_server *other = tls_server_new("DNS:localhost");

    system_folder = tls_server_folder(known);
    system_file = tls_server_file(known);
    expect_refused(get_secure(t->data, other, "localhost"), "certificate");
    expect_refused(get_secure(t->data, other, "localhost"), "certificate");
    cr_assert_eq(tls_server_accepted(other), 4);
    cr_assert_eq(tls_server_handshakes(other), 0);
    end(t, other);
    tls_server_free(known);
}

RV_TEST(tls, another_name_is_not_asked_about_twice, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:other.example");

    system_folder = tls_server_folder(server);
    system_file = tls_server_file(server);
    expect_refused(get_secure(t->data, server, "localhost"), "localhost");
    cr_assert_eq(tls_server_accepted(server), 1);
    end(t, server);
}

RV_TEST(tls, a_folder_without_hashes_is_passed_over, WORLD)
{
    struct tls_server *server = tls_server_new("DNS:localhost");

    system_folder = "/etc";
    system_file = tls_server_file(server);
    expect_hello(get_secure(t->data, server, "localhost"));
    cr_assert_eq(tls_server_accepted(server), 1);
    end(t, server);
}
