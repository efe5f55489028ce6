/* SPDX-License-Identifier: MIT */
/* The real world: libevent's loop, libcurl, and a server on the loopback address in the same loop.
 */
#include "tests/world/world.h"

#include "tests/integration/raw-server.h"
#include "tests/world/peer_real.h"

#include <event2/event.h>
#include <ftw.h>
#include <linux/capability.h>
#include <reeve/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rv_world {
    struct event_base *base;
    struct reeve_runtime *runtime;
    struct raw_server *server;
    struct peer_real *peers[RV_WORLD_MANNERS];
    unsigned requests;
    rv_world_serve_fn serve;
    void *arg;
    char url[64];
    char root[64]; /* "": not asked for yet */
};

/* Chunked, so that an answer which ends early is seen to. */
struct rv_answer {
    struct raw_conn *conn;
    bool over;
};

static void respond(struct raw_conn *conn, const char *head, const char *body, size_t body_len,
                    void *arg)
{
    struct rv_world *world = arg;
    struct rv_answer answer = {.conn = conn};
    char path[256] = "";
    struct rv_asked asked = {
        .number = ++world->requests,
        .path = path,
        .body = body,
        .body_len = body_len,
    };

    cr_assert_eq(sscanf(head, "%*s %255s", path), 1);
    world->serve(&answer, &asked, world->arg);
    if (!answer.over)
        raw_text(conn, "0\r\n\r\n");
}

int rv_world_open(struct rv_test *t, struct rv_world **ret_world)
{
    struct rv_world *world = calloc(1, sizeof *world);
    struct reeve_runtime_options options;

    cr_assert_not_null(world);
    *ret_world = world;
    world->base = event_base_new();
    cr_assert_not_null(world->base);
    world->server = raw_server_new(world->base, respond, world);
    snprintf(world->url, sizeof world->url, "http://127.0.0.1:%u", raw_server_port(world->server));
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    return reeve_runtime_new(world->base, &options, &world->runtime);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

const char *rv_world_root(struct rv_world *world)
{
    if (!world->root[0]) {
        snprintf(world->root, sizeof world->root, "/tmp/reeve-world-XXXXXX");
        cr_assert_not_null(mkdtemp(world->root));
    }
    return world->root;
}

void rv_world_put(struct rv_world *world, const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", rv_world_root(world), folder);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", rv_world_root(world), folder, name);
    file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

/*
 * What lets the superuser pass by permissions, taken from this process or given back to it. libcap
 * would be a library more for the sake of two bits.
 */
static bool let_superuser_pass(bool on)
{
    const uint32_t bits = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return false;
    if (on)
        sets[0].effective |= sets[0].permitted & bits;
    else
        sets[0].effective &= ~bits;
    return !syscall(SYS_capset, &header, sets);
}

void rv_world_mode(struct rv_world *world, const char *path, unsigned mode)
{
    char whole[256];

    snprintf(whole, sizeof whole, "%s/%s", rv_world_root(world), path);
    cr_assert_eq(chmod(whole, (mode_t)mode), 0, "%s", whole);
    if (!let_superuser_pass(false))
        rv_test_skip("permissions cannot be made to hold for this user");
}

int rv_world_shell(struct rv_world *world, const struct rv_world_child *child)
{
    (void)world;
    (void)child;
    return 0;
}

void rv_world_close(struct rv_world *world)
{
    let_superuser_pass(true); /* folders that nobody may change are removed, too */
    if (world->root[0])
        cr_assert_eq(nftw(world->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    reeve_runtime_free(world->runtime);
    raw_server_free(world->server);
    for (int i = 0; i < RV_WORLD_MANNERS; i++)
        peer_real_free(world->peers[i]);
    /* bufferevent_free leaves its end to the next turn. */
    event_base_loop(world->base, EVLOOP_NONBLOCK);
    event_base_free(world->base);
    free(world);
}

struct reeve_runtime *rv_world_runtime(struct rv_world *world)
{
    return world->runtime;
}

const char *rv_world_url(struct rv_world *world)
{
    return world->url;
}

struct rv_world_place rv_world_peer(struct rv_world *world, enum rv_world_manner manner)
{
    if (!world->peers[manner])
        world->peers[manner] = peer_real_new(world->base, manner);
    return peer_real_place(world->peers[manner]);
}

const char *rv_world_heard(struct rv_world *world)
{
    return peer_real_heard(world->peers[RV_WORLD_TALKS]);
}

void rv_world_serve(struct rv_world *world, rv_world_serve_fn serve, void *arg)
{
    world->serve = serve;
    world->arg = arg;
}

void rv_answer_head(struct rv_answer *answer, int status, const char *type)
{
    raw_text(answer->conn,
             "HTTP/1.1 %d Scripted\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
             status, type);
}

void rv_answer_text(struct rv_answer *answer, const char *text)
{
    raw_text(answer->conn, "%zx\r\n%s\r\n", strlen(text), text);
}

void rv_answer_wait(struct rv_answer *answer, unsigned ms)
{
    raw_wait(answer->conn, ms);
}

void rv_answer_lose(struct rv_answer *answer)
{
    raw_close(answer->conn);
    answer->over = true;
}

void rv_answer_stall(struct rv_answer *answer)
{
    answer->over = true;
}

void rv_world_play(struct rv_world *world, const unsigned *over, void (*strike)(void *arg),
                   void *arg)
{
    (void)strike;
    (void)arg;
    while (!*over)
        cr_assert_eq(event_base_loop(world->base, EVLOOP_ONCE), 0);
    cr_assert_eq(*over, 1);
    cr_assert_eq(reeve_runtime_pending(world->runtime), 0);
}

void rv_world_step(struct rv_world *world)
{
    (void)world;
}
