/* SPDX-License-Identifier: MIT */
/* Planted faults that only a sweep of the simulated world finds. See planted.c. */
#include "io/http.h"
#include "tests/lib/notes.h"
#include "tests/sim/fate.h"
#include "tests/sim/sim.h"
#include "tests/sim/sweep.h"

/* What is wrong with the scenario. */
enum plant {
    NOTHING,
    SPLIT_MATTERS,    /* the number of pieces is a part of the outcome */
    FAULT_UNNOTICED,  /* a lost connection is a code that does not belong to it */
    CANCEL_UNNOTICED, /* a cancel does not end it */
    SEED_MATTERS,     /* one seed of seven fails */
    SEED_FORGOTTEN,   /* not the same twice */
};

struct get {
    enum plant plant;
    struct reeve_runtime *runtime;
    struct rv_http *http; /* NULL when it is over */
    unsigned pieces;
    int error;
};

static void on_data(struct rv_http *http, const char *bytes, size_t len, void *arg)
{
    struct get *get = arg;

    (void)http;
    get->pieces++;
    for (size_t i = 0; i < len; i++)
        rv_note("%c", bytes[i]);
    rv_sim_step();
}

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct get *get = arg;

    (void)http;
    get->error = error;
    get->http = NULL;
}

static void strike(void *arg)
{
    struct get *get = arg;

    if (get->http)
        rv_http_cancel(get->http);
}

static void tell(const struct get *get)
{
    static unsigned count;

    if (get->plant == SPLIT_MATTERS)
        rv_note(" in %u pieces", get->pieces);
    if (get->plant == SEED_FORGOTTEN)
        rv_note(" number %u", rv_fate()->seed ? count++ : 0);
}

static int result(const struct get *get)
{
    if (get->plant == FAULT_UNNOTICED && get->error == REEVE_ECONNLOST)
        return REEVE_EPARSE;
    if (get->plant == CANCEL_UNNOTICED && get->error == REEVE_ECANCELED)
        return 0;
    if (get->plant == SEED_MATTERS && rv_fate()->seed % 7 == 3)
        return REEVE_EPARSE;
    return get->error;
}

/* Gets a text. */
static int scenario(struct rv_test *t, void *arg)
{
    struct get get = {.plant = *(const enum plant *)arg};
    struct rv_http_options options = {
        .method = "GET",
        .url = "http://world.test/",
        .timeout_ms = 1000,
        .max_response_bytes = 1000,
        .on_data = on_data,
        .on_done = on_done,
        .arg = &get,
    };
    struct reeve_runtime_options ro;

    reeve_runtime_options_init(&ro);
    ro.allocator = &t->allocator;
    cr_assert_eq(reeve_runtime_new(NULL, &ro, &get.runtime), 0);
    rv_sim_http_reply(rv_sim_http_of(get.runtime), "world.test", 200, "text/plain",
                      "a text of some length");
    cr_assert_eq(rv_http_start(get.runtime, &options, &get.http), 0);
    rv_sim_play(get.runtime, strike, &get);
    tell(&get);
    reeve_runtime_free(get.runtime);
    return result(&get);
}

static void all(struct rv_test *t, enum plant plant)
{
    RV_SWEEP_SPLITS(t, scenario, &plant, 10);
    RV_SWEEP_FAULTS(t, scenario, &plant, 10);
    RV_SWEEP_STRIKES(t, scenario, &plant, 5);
    RV_SWEEP_SEEDS(t, scenario, &plant, 20);
}

RV_TEST(planted, sim_clean)
{
    all(t, NOTHING);
}

RV_TEST(planted, sim_split)
{
    all(t, SPLIT_MATTERS);
}

RV_TEST(planted, sim_fault)
{
    all(t, FAULT_UNNOTICED);
}

RV_TEST(planted, sim_strike)
{
    all(t, CANCEL_UNNOTICED);
}

RV_TEST(planted, sim_seed)
{
    all(t, SEED_MATTERS);
}

RV_TEST(planted, sim_not_repeatable)
{
    all(t, SEED_FORGOTTEN);
}
