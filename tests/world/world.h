/* SPDX-License-Identifier: MIT */
/*
 * One way to tell a scenario for two worlds: a runtime, and a server beside it that answers by
 * script. world_sim.c is virtual time and the scripted network; world_real.c is libevent, libcurl
 * and sockets on the loopback address. A scenario that keeps to this header runs in both.
 */
#ifndef RV_TESTS_WORLD_WORLD_H
#define RV_TESTS_WORLD_WORLD_H

#include "tests/lib/test.h"

#include <reeve/runtime.h>

struct rv_world;
struct rv_answer;

/*
 * A folder of this world's own, empty at first and gone with it: a simulated tree, or a temporary
 * folder.
 */
const char *rv_world_root(struct rv_world *world);
/* Put a file there. Its folder is made, if there is one level of it. */
void rv_world_put(struct rv_world *world, const char *folder, const char *name, const char *text);

/* The permissions of what is there. They hold for whoever runs this from now on, the superuser too:
 * where that cannot be had, the test is skipped and says so. */
void rv_world_mode(struct rv_world *world, const char *path, unsigned mode);

/* What `sh` is about to do in the real world, for the one in which it has to be told. 0 or
 * REEVE_ENOMEM. */
struct rv_world_child {
    const char *out;
    const char *err;
    int code;
};
int rv_world_shell(struct rv_world *world, const struct rv_world_child *child);

/*
 * A peer for raw connections, apart from the server. Each is said RV_WORLD_HELLO; the one that
 * talks answers RV_WORLD_GREETING, writes no more, and is said RV_WORLD_FAREWELL.
 */
enum rv_world_manner {
    RV_WORLD_TALKS,
    RV_WORLD_RESETS, /* when it has been greeted */
    RV_WORLD_REFUSES,
    RV_WORLD_SILENT, /* reads, and never answers */
    RV_WORLD_MANNERS,
};
#define RV_WORLD_HELLO "hello\n"
#define RV_WORLD_GREETING "good day\n"
#define RV_WORLD_FAREWELL "and good bye\n"

struct rv_world_place {
    const char *host; /* the world's */
    uint16_t port;
};
/* Made at the first call for each manner. */
struct rv_world_place rv_world_peer(struct rv_world *world, enum rv_world_manner manner);
/* What the one that talks was sent. */
const char *rv_world_heard(struct rv_world *world);

/* A request as the server saw it. */
struct rv_asked {
    unsigned number; /* 1, 2, … in this world */
    const char *path;
    const char *body; /* NUL-terminated */
    size_t body_len;
};

/* Writes the whole answer, which is then played. */
typedef void (*rv_world_serve_fn)(struct rv_answer *answer, const struct rv_asked *asked,
                                  void *arg);

/* The runtime takes its memory from t. 0, or why there is none; the world is to be closed always.
 */
int rv_world_open(struct rv_test *t, struct rv_world **ret_world);
void rv_world_close(struct rv_world *world);

struct reeve_runtime *rv_world_runtime(struct rv_world *world);
/* "http://…", without a slash at its end. */
const char *rv_world_url(struct rv_world *world);
/* Answer all requests so. */
void rv_world_serve(struct rv_world *world, rv_world_serve_fn serve, void *arg);

void rv_answer_head(struct rv_answer *answer, int status, const char *type);
void rv_answer_text(struct rv_answer *answer, const char *text);
void rv_answer_wait(struct rv_answer *answer, unsigned ms);
/* The connection is lost here, before the answer is complete. */
void rv_answer_lose(struct rv_answer *answer);
/* Nothing more comes, and the connection stays. */
void rv_answer_stall(struct rv_answer *answer);

/*
 * Run the loop until *over is not 0 (real) or nothing is pending (simulated, where *over must have
 * come by then). `strike` is for the simulated world's sweeps (tests/sim/fate.h).
 */
void rv_world_play(struct rv_world *world, const unsigned *over, void (*strike)(void *arg),
                   void *arg);
/* A moment at which somebody may strike. */
void rv_world_step(struct rv_world *world);

#endif
