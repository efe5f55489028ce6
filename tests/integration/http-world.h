/* SPDX-License-Identifier: MIT */
/* A runtime on the real loop, a raw server beside it, and requests that write down what they get.
 */
#ifndef RV_TESTS_HTTP_WORLD_H
#define RV_TESTS_HTTP_WORLD_H

#include "tests/integration/raw-server.h"
#include "tests/lib/test.h"

#include "io/http.h"

#include <event2/event.h>
#include <reeve/error.h>
#include <reeve/runtime.h>

enum { GET_MAX_BODY_BYTES = 1 << 18 };

struct world {
    struct rv_test *t;
    struct event_base *base;
    struct reeve_runtime *runtime;
    struct raw_server *server;
    size_t outstanding;
    raw_on_request answer; /* what the server does; t->data is the world */
    void *answer_arg;
};

/* 0 or what the runtime could not be made for. */
int world_open(struct rv_test *t, struct world **ret_world);
void world_close(struct world *world);

/* For RV_FIXTURE: t->data is the struct world. */
void world_set_up(struct rv_test *t);
void world_tear_down(struct rv_test *t);
#define WORLD RV_FIXTURE(world_set_up, world_tear_down)

/* The proxy and certificate variables of whoever runs the tests are not part of them. */
void world_clean_environment(void);

enum get_action {
    GET_NOTHING,
    GET_CANCEL,
    GET_PAUSE,
};

/* One request and all that became of it. */
struct get {
    struct world *world;
    struct rv_http_options options;
    struct rv_http *http;
    struct rv_buffer request_body;

    enum get_action on_head;
    enum get_action on_data;
    void (*after_data)(struct get *get); /* called by on_data last */
    void (*after_done)(struct get *get); /* called by on_done last */
    void *arg;

    unsigned heads, datas, dones;
    int status;
    int error;
    size_t received;
    double received_ms; /* when the last of it was handed on, as now_ms has it */
    char type[64];
    char problem[1024];
    char body[GET_MAX_BODY_BYTES]; /* what comes beyond is counted only */
};

/* GET of this path of the world's server; the fields of options may be changed before the start. */
struct get *get_new(struct world *world, const char *path);
struct get *get_url(struct world *world, const char *url);
/* Asserts success. */
void get_start(struct get *get);
void get_free(struct get *get);

/* Run the loop until every started request has ended, or for this long. */
void world_run(struct world *world);
void world_run_ms(struct world *world, unsigned ms);

/* Run the loop until this holds; a test that waits a fixed time instead fails on a busy machine. */
#define WORLD_UNTIL(world, condition)                                                              \
    do {                                                                                           \
        double last_ms_ = now_ms() + 8000;                                                         \
                                                                                                   \
        while (!(condition)) {                                                                     \
            world_run_ms((world), 1);                                                              \
            cr_assert_lt(now_ms(), last_ms_, "never: %s", #condition);                             \
        }                                                                                          \
    } while (0)

/* Milliseconds of the monotonic clock. */
double now_ms(void);

/* get_new, get_start, world_run. */
struct get *get_and_run(struct world *world, const char *path);

/* A whole answer with this status line and body. */
void answer_with(struct raw_conn *conn, const char *status, const char *fields, const char *body);

#define assert_problem(get, ...)                                                                   \
    do {                                                                                           \
        char wanted_[1024];                                                                        \
                                                                                                   \
        snprintf(wanted_, sizeof wanted_, __VA_ARGS__);                                            \
        cr_assert_str_eq((get)->problem, wanted_);                                                 \
    } while (0)

#endif
