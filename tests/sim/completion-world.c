/* SPDX-License-Identifier: MIT */
#include "tests/sim/completion-world.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static void on_text(struct reeve_completion *completion, const char *text, size_t len, void *arg)
{
    struct world *world = arg;
    size_t so_far;

    cr_assert_eq(world->done, 0, "text after the end");
    cr_assert_eq(completion, world->completion);
    cr_assert_gt(len, 0);
    cr_assert(rv_utf8_valid(text, len), "a piece of text with half a character");
    cr_assert_eq(rv_buffer_add(&world->text, text, len), 0);
    reeve_completion_text(completion, &so_far);
    cr_assert_eq(so_far, world->text.len);
    world->pieces++;
    if (world->in_text)
        world->in_text(world);
}

static void note_calls(struct world *world, const struct reeve_completion *completion)
{
    const struct reeve_call *calls = reeve_completion_calls(completion, &world->calls);
    size_t len = 0;
    size_t i;

    cr_assert_eq(calls != NULL, world->calls > 0);
    for (i = 0; i < world->calls && len < sizeof world->call_text; i++) {
        cr_assert_eq(strlen(calls[i].arguments), calls[i].arguments_len);
        len += (size_t)snprintf(world->call_text + len, sizeof world->call_text - len, "%s|%s|%s;",
                                calls[i].id, calls[i].name, calls[i].arguments);
    }
}

static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    struct world *world = arg;
    const struct reeve_error_detail *detail = reeve_completion_error(completion);
    const char *text;
    size_t len;

    world->done++;
    world->error = error;
    cr_assert_eq(detail != NULL, error != 0, "an error without its detail, or one without error");
    if (detail) {
        cr_assert_eq(detail->code, error);
        cr_assert(rv_utf8_valid(detail->message, strlen(detail->message)));
        world->detail = *detail;
    }
    world->usage = *reeve_completion_usage(completion);
    world->finish = reeve_completion_finish(completion);
    text = reeve_completion_text(completion, &len);
    cr_assert_eq(strlen(text), len);
    cr_assert_eq(rv_buffer_add(&world->final, text, len), 0);
    note_calls(world, completion);
    if (error) {
        cr_assert_eq(world->calls, 0, "a completion that failed has calls");
        cr_assert_eq(world->finish, REEVE_FINISH_NONE);
    }
    if (world->in_done)
        world->in_done(world);
    world->completion = NULL;
}

void world_init(struct world *world, struct rv_test *t)
{
    *world = (struct world){.t = t};
    reeve_model_options_init(&world->model_options);
    world->model_options.base_url = "http://model.test/v1";
    world->model_options.name = "m";
    reeve_completion_options_init(&world->options);
    world->options.on_text = on_text;
    world->options.on_done = on_done;
    world->options.arg = world;
}

int world_open(struct world *world)
{
    struct reeve_runtime_options ro;
    struct rv_mem *mem;
    int error;

    /* What the test notes down is not the library's memory: it must not fail in a sweep. */
    cr_assert_eq(rv_mem_new(NULL, &mem), 0);
    rv_buffer_init(&world->text, mem, SIZE_MAX / 2);
    rv_buffer_init(&world->final, mem, SIZE_MAX / 2);
    reeve_runtime_options_init(&ro);
    ro.allocator = &world->t->allocator;
    ro.seed = 7;
    error = reeve_runtime_new(NULL, &ro, &world->runtime);
    if (error)
        return error;
    world->net = rv_sim_http_of(world->runtime);
    error = reeve_model_new(world->runtime, &world->model_options, &world->model);
    if (!error)
        error = reeve_transcript_new(world->runtime, &world->transcript);
    if (!error)
        error = reeve_transcript_add(world->transcript, REEVE_ROLE_SYSTEM, "Be brief.", 9);
    if (!error)
        error = reeve_transcript_add(world->transcript, REEVE_ROLE_USER, "Hello", 5);
    world->options.transcript = world->transcript;
    return error;
}

void world_close(struct world *world)
{
    struct rv_mem *mem = world->text.mem;

    reeve_transcript_free(world->transcript);
    reeve_model_free(world->model);
    reeve_runtime_free(world->runtime);
    rv_buffer_done(&world->text);
    rv_buffer_done(&world->final);
    cr_assert_eq(rv_mem_live(mem), 0);
    rv_mem_unref(mem);
}

int world_ask(struct world *world)
{
    return reeve_complete(world->model, &world->options, &world->completion);
}

int world_run(struct world *world)
{
    rv_buffer_clear(&world->text);
    rv_buffer_clear(&world->final);
    world->pieces = 0;
    world->done = 0;
    memset(&world->detail, 0, sizeof world->detail);
    world->call_text[0] = '\0';
    cr_assert_eq(world_ask(world), 0);
    cr_assert_eq(world->done, 0, "the callback came before the loop ran");
    cr_assert_eq(reeve_runtime_run(world->runtime), 0);
    cr_assert_eq(world->done, 1);
    cr_assert_eq(reeve_runtime_pending(world->runtime), 0);
    cr_assert_eq(rv_sim_http_pending(world->net), 0);
    cr_assert_eq(world->text.len, world->final.len, "%s", world->text.data);
    return world->error;
}

void world_reply(struct world *world, int status, const char *type, const char *body)
{
    rv_sim_http_reply(world->net, "/chat/completions", status, type, body);
}
