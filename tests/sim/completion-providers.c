/* SPDX-License-Identifier: MIT */
/* Completions with either provider: the same scripts, put into each one's words, and what holds of
 * both. */
#include "tests/sim/completion-world.h"
#include "tests/sim/dialect.h"

#include "model/completion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "sk-canary-0123456789abcdef"

enum { MOST_PASSES = 1000, PAUSE_MS = 10 };

static const char stream_type[] = "text/event-stream";

static const char story[] =
    SAY_REASONING("Hm\\u00e4.", "c2ln") SAY_TEXT("Hel") SAY_TEXT("lo \\u00e4.")
        SAY_CALL("0", "call_a", "look", "{\\\"a\\\":1}") SAY_CALL("1", "call_b", "wait", "{}")
            SAY_FINISH("tool_calls") SAY_USAGE("12", "5") SAY_DONE;
static const char story_text[] = "Hello \xC3\xA4.";
static const char story_calls[] = "call_a|look|{\"a\":1};call_b|wait|{};";
static const char short_story[] = SAY_TEXT("Hi") SAY_FINISH("stop") SAY_DONE;

static void open_at(struct world *world, struct rv_test *t, enum reeve_provider provider)
{
    world_init(world, t);
    world->model_options.provider = provider;
    world->model_options.base_url = dialect_base_url(provider);
    world->model_options.api_key = KEY;
    cr_assert_eq(world_open(world), 0);
}

static void reply(struct world *world, int status, const char *type, char *body)
{
    rv_sim_http_reply(world->net, "/v1/", status, type, body);
    free(body);
}

static void reply_stream(struct world *world, const char *script)
{
    reply(world, 200, stream_type, dialect_stream(world->model_options.provider, script));
}

static void reply_body(struct world *world, const char *script)
{
    reply(world, 200, "application/json", dialect_body(world->model_options.provider, script));
}

static void expect_story(const struct world *world)
{
    cr_assert_str_eq(world->final.data, story_text);
    cr_assert_str_eq(world->call_text, story_calls);
    cr_assert_eq(world->finish, REEVE_FINISH_TOOL_CALLS);
    cr_assert_eq(world->usage.input_tokens, 12);
    cr_assert_eq(world->usage.output_tokens, 5);
}

RV_TEST(providers, give_the_same_answer_streamed_and_whole)
{
    const struct rv_sim_http_request *request;
    enum reeve_provider provider;
    struct world world;
    unsigned i;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        for (i = 0; i < 4; i++) {
            world.options.stream = i & 1;
            if (i & 2)
                reply_stream(&world, story);
            else
                reply_body(&world, story);
            cr_assert_eq(world_run(&world), 0, "%s", world.detail.message);
            expect_story(&world);
            request = rv_sim_http_request_at(world.net, i + 1);
            cr_assert_str_eq(request->url, dialect_url(provider));
            cr_assert_eq(strstr(request->body, "\"stream\":true") != NULL, i & 1);
        }
        world_close(&world);
    }
}

RV_TEST(providers, are_sent_what_each_wants)
{
    const struct rv_sim_http_request *request;
    struct world world;

    open_at(&world, t, REEVE_PROVIDER_ANTHROPIC);
    reply_stream(&world, short_story);
    cr_assert_eq(world_run(&world), 0);
    request = rv_sim_http_request_at(world.net, 1);
    cr_assert_str_eq(rv_sim_http_request_field(request, "x-api-key"), KEY);
    cr_assert_str_eq(rv_sim_http_request_field(request, "anthropic-version"), "2023-06-01");
    cr_assert_null(rv_sim_http_request_field(request, "authorization"));
    cr_assert_str_eq(request->body,
                     "{\"model\":\"m\",\"max_tokens\":4096,\"stream\":true,"
                     "\"system\":[{\"type\":\"text\",\"text\":\"Be brief.\"}],\"messages\":["
                     "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]}]}");
    world_close(&world);
    open_at(&world, t, REEVE_PROVIDER_OPENAI);
    reply_stream(&world, short_story);
    cr_assert_eq(world_run(&world), 0);
    request = rv_sim_http_request_at(world.net, 1);
    cr_assert_str_eq(rv_sim_http_request_field(request, "authorization"), "Bearer " KEY);
    cr_assert_null(rv_sim_http_request_field(request, "x-api-key"));
    cr_assert_null(rv_sim_http_request_field(request, "anthropic-version"));
    world_close(&world);
}

RV_TEST(providers, are_sent_the_options)
{
    static const char *const stop[] = {"END"};
    static const struct reeve_tool_definition tool = {"look", "Look", "{\"type\":\"object\"}"};
    enum reeve_provider provider;
    struct world world;
    const char *body;

    for (provider = 0; provider < DIALECTS; provider++) {
        world_init(&world, t);
        world.model_options.provider = provider;
        world.model_options.base_url = dialect_base_url(provider);
        world.model_options.extra = " { \"top_k\" : 5 } ";
        cr_assert_eq(world_open(&world), 0);
        world.options.top_p = 0.5;
        world.options.seed = 0;
        world.options.stop = stop;
        world.options.stop_count = 1;
        world.options.tools = &tool;
        world.options.tool_count = 1;
        world.options.tool_choice = REEVE_TOOL_CHOICE_REQUIRED;
        world.options.parallel_calls = 0;
        world.options.response_schema = "{\"type\":\"object\"}";
        reply_stream(&world, short_story);
        cr_assert_eq(world_run(&world), 0);
        body = rv_sim_http_request_at(world.net, 1)->body;
        cr_assert(strstr(body, "\"top_p\":0.5"));
        cr_assert(strstr(body, ", \"top_k\" : 5 ,\"messages\":["), "%s", body);
        cr_assert_eq(strstr(body, "\"seed\":0") != NULL, provider == REEVE_PROVIDER_OPENAI);
        cr_assert(strstr(body, provider == REEVE_PROVIDER_OPENAI ? "\"stop\":[\"END\"]"
                                                                 : "\"stop_sequences\":[\"END\"]"));
        cr_assert(
            strstr(body, provider == REEVE_PROVIDER_OPENAI
                             ? "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
                               "\"name\":\"answer\",\"strict\":true,\"schema\":{\"type\":\"object\""
                               "}}}"
                             : "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":"
                               "{\"type\":\"object\"}}}"));
        cr_assert(strstr(body, provider == REEVE_PROVIDER_OPENAI
                                   ? "\"tool_choice\":\"required\",\"parallel_tool_calls\":false"
                                   : "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_"
                                     "use\":true}"));
        world_close(&world);
    }
}

RV_TEST(providers, refuse_bad_options)
{
    static const char *const bad_extras[] = {
        "", "[]", "{", "{\"model\":1}", "{\"a\":1,\"tools\":0}", "{\"messages\":[]}", "{} x"};
    static const char *const empty_stop[] = {"a", ""};
    struct reeve_completion *completion = NULL;
    struct reeve_completion_options bad;
    struct reeve_model *model = NULL;
    struct reeve_model_options o;
    struct world world;
    size_t i;

    open_at(&world, t, REEVE_PROVIDER_ANTHROPIC);
    for (i = 0; i < sizeof bad_extras / sizeof *bad_extras; i++) {
        o = world.model_options;
        o.extra = bad_extras[i];
        cr_assert_eq(reeve_model_new(world.runtime, &o, &model), REEVE_EINVAL, "%s", bad_extras[i]);
    }
    for (i = 0; i < 6; i++) {
        bad = world.options;
        if (i == 0)
            bad.top_p = 1e308 * 10;
        else if (i == 1)
            bad.stop_count = 1;
        else if (i == 2)
            bad.tool_choice = REEVE_TOOL_CHOICE_NAMED;
        else if (i == 3)
            bad.tool_choice = (enum reeve_tool_choice)77;
        else if (i == 4)
            bad.response_schema = "[]";
        else {
            bad.stop = empty_stop;
            bad.stop_count = 2;
        }
        cr_assert_eq(reeve_complete(world.model, &bad, &completion), REEVE_EINVAL, "%zu", i);
    }
    cr_assert_null(completion);
    cr_assert_null(model);
    cr_assert_eq(reeve_runtime_pending(world.runtime), 0);
    world_close(&world);
}

/* ---- the conversation ---- */

static void add_to_transcript(struct world *world)
{
    cr_assert_eq(reeve_transcript_add_completion(world->transcript, world->completion), 0);
}

/* Reasoning goes back to who signed it, where it stood; the next turn begins as this one. */
RV_TEST(providers, are_sent_the_answer_back)
{
    enum reeve_provider provider;
    struct world world;
    const char *first, *second;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        world.in_done = add_to_transcript;
        reply_stream(&world, story);
        cr_assert_eq(world_run(&world), 0);
        cr_assert_eq(reeve_transcript_add_result(world.transcript, "call_b", "r", 1, 0), 0);
        cr_assert_eq(reeve_transcript_add_result(world.transcript, "call_a", "r", 1, 1), 0);
        reply_stream(&world, short_story);
        cr_assert_eq(world_run(&world), 0);
        first = rv_sim_http_request_at(world.net, 1)->body;
        second = rv_sim_http_request_at(world.net, 2)->body;
        cr_assert_eq(strncmp(first, second, strlen(first) - 4), 0, "%s", second);
        if (provider == REEVE_PROVIDER_ANTHROPIC)
            cr_assert(strstr(second,
                             "{\"role\":\"assistant\",\"content\":["
                             "{\"type\":\"thinking\",\"thinking\":\"Hm\xC3\xA4.\",\"signature\":"
                             "\"c2ln\"},{\"type\":\"text\",\"text\":\"Hello \xC3\xA4.\"},"
                             "{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"look\",\"input\":"
                             "{\"a\":1}},"),
                      "%s", second);
        else
            cr_assert_null(strstr(second, "Hm"));
        world_close(&world);
    }
}

RV_TEST(providers, leave_what_was_signed_of_a_cut_answer)
{
    static const char cut[] =
        SAY_REASONING("Hm", "c2ln") SAY_TEXT("Half") SAY_CALL("0", "c", "look", "{\\\"a");
    enum reeve_provider provider;
    struct world world;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        world.in_done = add_to_transcript;
        reply_stream(&world, cut);
        cr_assert_eq(world_run(&world), REEVE_ECUTSHORT);
        cr_assert_eq(reeve_transcript_count(world.transcript), 3);
        cr_assert_eq(reeve_transcript_check(world.transcript, NULL), 0);
        reply_stream(&world, SAY_REASONING("Hm", "c2ln") SAY_CALL("0", "c", "look", "{}"));
        cr_assert_eq(world_run(&world), REEVE_ECUTSHORT);
        cr_assert_eq(reeve_transcript_count(world.transcript), 3, "nothing was left of it");
        if (provider == REEVE_PROVIDER_ANTHROPIC)
            cr_assert(strstr(rv_sim_http_request_at(world.net, 2)->body,
                             "\"signature\":\"c2ln\"},{\"type\":\"text\",\"text\":\"Half\"}]}]}"));
        world_close(&world);
    }
}

/* ---- the network ---- */

/* Ended or lost behind each byte: an answer, or an error and no call. world.c checks the rest. */
RV_TEST(providers, never_give_half_an_answer, .timeout = 60)
{
    static const enum rv_sim_http_fault faults[] = {RV_SIM_HTTP_LOSE, RV_SIM_HTTP_END};
    enum reeve_provider provider;
    struct world world;
    size_t i, at, len, whole, points = 0;
    char *stream;

    for (provider = 0; provider < DIALECTS; provider++) {
        stream = dialect_stream(provider, story);
        len = strlen(stream);
        free(stream);
        open_at(&world, t, provider);
        reply_stream(&world, story);
        for (i = 0; i < 2; i++) {
            whole = 0;
            for (at = 0; at < len; at++) {
                rv_sim_http_fault(world.net, faults[i], at);
                world_run(&world);
                cr_assert_eq(strncmp(story_text, rv_buffer_text(&world.final), world.final.len), 0);
                whole += !world.error;
                if (!world.error)
                    cr_assert_str_eq(world.call_text, story_calls);
            }
            points += len;
            /* From the reason for its end on it is complete. */
            cr_assert(whole > 0 && whole < len / 2, "%zu of %zu", whole, len);
        }
        world_close(&world);
    }
    fprintf(stderr, "broken at %zu points\n", points);
}

RV_TEST(providers, give_the_same_answer_in_pieces_of_any_size, .timeout = 60)
{
    enum reeve_provider provider;
    struct world world;
    size_t size;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        reply_stream(&world, story);
        for (size = 1; size < 40; size++) {
            rv_sim_http_split(world.net, size);
            cr_assert_eq(world_run(&world), 0);
            expect_story(&world);
        }
        world_close(&world);
    }
}

/* ---- errors ---- */

static void fails(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;
    char *body = dialect_error(dialect_of(exchange), "overloaded_error", world->script);

    rv_sim_http_status(exchange, world->number);
    rv_sim_http_field(exchange, "content-type", "application/json");
    rv_sim_http_field(exchange, "request-id", "req_head");
    rv_sim_http_field(exchange, "retry-after", "3");
    rv_sim_http_text(exchange, body);
    free(body);
}

RV_TEST(providers, tell_of_errors_alike)
{
    static const struct {
        int status;
        const char *message;
        int retryable, context_full;
    } cases[] = {
        {400, "prompt is too long: 2 tokens > 1 maximum", 0, 1},
        {400, "messages: roles must alternate", 0, 0},
        {401, "invalid x-api-key", 0, 0},
        {413, "Request exceeds the maximum size", 0, 0},
        {429, "slow down", 1, 0},
        {500, "Internal server error", 1, 0},
        {529, "Overloaded", 1, 0},
    };
    enum reeve_provider provider;
    struct world world;
    size_t i;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        rv_sim_http_on(world.net, "POST", "/v1/", NULL, fails, &world);
        for (i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
            world.options.stream = i & 1;
            world.number = cases[i / 2].status;
            world.script = cases[i / 2].message;
            cr_assert_eq(world_run(&world), REEVE_EHTTP);
            cr_assert_eq(world.detail.http_status, cases[i / 2].status);
            cr_assert_eq(world.detail.retryable, cases[i / 2].retryable);
            cr_assert_eq(world.detail.context_full, cases[i / 2].context_full);
            cr_assert_eq(world.detail.retry_after_ms, 3000);
            cr_assert_str_eq(world.detail.type, "overloaded_error");
            cr_assert_str_eq(world.detail.request_id, "req_head");
            cr_assert(strstr(world.detail.message, cases[i / 2].message));
            cr_assert(strstr(world.detail.message, dialect_url(provider)));
        }
        world_close(&world);
    }
}

RV_TEST(providers, tell_of_errors_in_a_stream_alike)
{
    static const char script[] = SAY_TEXT("Hi") SAY_ERROR("overloaded_error", "Overloaded");
    enum reeve_provider provider;
    struct world world;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        reply_stream(&world, script);
        cr_assert_eq(world_run(&world), REEVE_EPROVIDER);
        cr_assert_eq(world.detail.retryable, 1);
        cr_assert_str_eq(world.detail.type, "overloaded_error");
        cr_assert_str_eq(world.final.data, "Hi");
        reply_stream(&world, SAY_ERROR("invalid_request_error", "prompt is too long: 2 > 1"));
        cr_assert_eq(world_run(&world), REEVE_EPROVIDER);
        cr_assert_eq(world.detail.retryable, 0);
        cr_assert_eq(world.detail.context_full, 1);
        world_close(&world);
    }
}

static void expect_no_key(const struct world *world)
{
    cr_assert_neq(world->error, 0);
    cr_assert_null(memmem(&world->detail, sizeof world->detail, "canary", 6), "%s",
                   world->detail.message);
    cr_assert_null(memmem(&world->detail, sizeof world->detail, "01234567", 8), "%s",
                   world->detail.message);
}

static void echoes(struct rv_sim_http_exchange *exchange, void *arg)
{
    const struct world *world = arg;
    char *body = dialect_error(dialect_of(exchange), world->script, world->script);

    rv_sim_http_status(exchange, world->number);
    rv_sim_http_field(exchange, "content-type", "application/json; " KEY);
    rv_sim_http_field(exchange, "request-id", KEY);
    rv_sim_http_field(exchange, "location", "https://x.test/" KEY);
    rv_sim_http_text(exchange, body);
    free(body);
}

/* In each form, in pieces of 5 bytes, in the head, the body and the stream. */
RV_TEST(providers, do_not_get_the_key_told)
{
    static const char *const forms[] = {KEY, "sk\\u002dcanary\\u002d0123456789abcdef",
                                        "sk%2Dcanary%2d0123456789abcdef", "a canary-0123456789 b"};
    static const int statuses[] = {200, 302, 401, 500};
    static const char *const streams[] = {SAY_TEXT("Hi") SAY_ERROR(KEY, KEY),
                                          SAY_ERROR("sk\\u002dcanary\\u002d0123456789abcdef", KEY),
                                          SAY_ERROR("x", "sk%2Dcanary%2d0123456789abcdef")};
    enum reeve_provider provider;
    struct world world;
    size_t i, k;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_at(&world, t, provider);
        rv_sim_http_split(world.net, 5);
        for (k = 0; k < sizeof streams / sizeof *streams; k++) {
            reply_stream(&world, streams[k]);
            world_run(&world);
            expect_no_key(&world);
        }
        rv_sim_http_on(world.net, "POST", "/v1/", NULL, echoes, &world);
        for (i = 0; i < 2 * sizeof forms / sizeof *forms; i++)
            for (k = 0; k < sizeof statuses / sizeof *statuses; k++) {
                world.options.stream = i & 1;
                world.script = forms[i / 2];
                world.number = statuses[k];
                world_run(&world);
                expect_no_key(&world);
            }
        world_close(&world);
    }
}

/* ---- ends ---- */

static void slow_story(struct rv_sim_http_exchange *exchange, void *arg)
{
    static const char *const pieces[] = {
        SAY_REASONING("Hm", "s"),         SAY_TEXT("Hel"),          SAY_TEXT("lo"),
        SAY_CALL("0", "x", "look", "{}"), SAY_FINISH("tool_calls"), SAY_DONE,
    };
    size_t i;

    (void)arg;
    rv_sim_http_connect_ms(exchange, 3);
    rv_sim_http_wait(exchange, 3);
    rv_sim_http_status(exchange, 200);
    rv_sim_http_field(exchange, "content-type", stream_type);
    for (i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        rv_sim_http_wait(exchange, 1);
        dialect_say(exchange, pieces[i]);
    }
}

static bool pass(struct world *world, unsigned passes)
{
    while (passes && rv_sim_pass(world->runtime))
        passes--;
    return !passes;
}

static void cancel(struct world *world)
{
    if (world->completion)
        reeve_completion_cancel(world->completion);
}

static void free_model(struct world *world)
{
    reeve_model_free(world->model);
    world->model = NULL;
}

static void pause_and_cancel(struct world *world)
{
    if (world->completion)
        reeve_completion_pause(world->completion);
    cancel(world);
}

static void pause_and_free(struct world *world)
{
    if (world->completion)
        reeve_completion_pause(world->completion);
    free_model(world);
}

static unsigned end_at_every_step(struct rv_test *t, enum reeve_provider provider,
                                  void (*end)(struct world *world))
{
    struct world world;
    bool goes_on = true;
    unsigned step, ended = 0;

    for (step = 0; goes_on; step++) {
        unsigned done;

        cr_assert_lt(step, MOST_PASSES);
        open_at(&world, t, provider);
        rv_sim_http_on(world.net, "POST", "/v1/", NULL, slow_story, NULL);
        cr_assert_eq(world_ask(&world), 0);
        goes_on = pass(&world, step);
        done = world.done;
        end(&world);
        cr_assert_eq(reeve_runtime_run(world.runtime), 0);
        cr_assert_eq(world.done, 1, "step %u", step);
        cr_assert_eq(world.error, done ? 0 : REEVE_ECANCELED);
        ended += !done;
        world_close(&world);
    }
    return ended;
}

RV_TEST(providers, can_be_left_at_every_step, .timeout = 60)
{
    enum reeve_provider provider;

    for (provider = 0; provider < DIALECTS; provider++) {
        cr_assert_geq(end_at_every_step(t, provider, cancel), 8);
        cr_assert_geq(end_at_every_step(t, provider, free_model), 8);
        cr_assert_geq(end_at_every_step(t, provider, pause_and_cancel), 8);
        cr_assert_geq(end_at_every_step(t, provider, pause_and_free), 8);
    }
}

/* ---- pause ---- */

struct pauser {
    struct rv_sim_event event;
    struct world world;
    unsigned pauses;
    bool paused;
    bool (*at_resume)(struct pauser *pauser); /* true: it was resumed or ended */
};

static void resume(struct rv_sim_event *event)
{
    struct pauser *pauser = rv_container_of(event, struct pauser, event);

    cr_assert_eq(pauser->world.done, 0, "the end was told in a pause");
    pauser->paused = false;
    if (pauser->at_resume && pauser->at_resume(pauser))
        return;
    reeve_completion_resume(pauser->world.completion);
    reeve_completion_resume(pauser->world.completion);
}

static void pause_now(struct pauser *pauser)
{
    reeve_completion_pause(pauser->world.completion);
    reeve_completion_pause(pauser->world.completion);
    pauser->paused = true;
    pauser->pauses++;
    rv_sim_schedule_ms(pauser->world.runtime, &pauser->event, PAUSE_MS);
}

static void pause_in_text(struct world *world)
{
    struct pauser *pauser = rv_container_of(world, struct pauser, world);

    cr_assert(!pauser->paused, "text was told in a pause");
    pause_now(pauser);
}

static void on_reasoning(struct reeve_completion *completion, const char *text, size_t len,
                         void *arg)
{
    struct world *world = arg;

    cr_assert_eq(completion, world->completion);
    cr_assert_eq(world->text.len, 0, "reasoning behind the text");
    cr_assert(len == 5 && !memcmp(text, "Hm\xC3\xA4.", 5));
    pause_in_text(world);
}

static void open_pauser(struct pauser *pauser, struct rv_test *t, enum reeve_provider provider)
{
    *pauser = (struct pauser){0};
    open_at(&pauser->world, t, provider);
    rv_sim_event_init(&pauser->event, resume);
    pauser->world.in_text = pause_in_text;
}

/* In the midst of one piece that holds all, and in small pieces; reasoning too. */
RV_TEST(providers, can_be_paused)
{
    static const size_t sizes[] = {0, 64, 7};
    enum reeve_provider provider;
    struct pauser pauser;
    size_t i;

    for (provider = 0; provider < DIALECTS; provider++)
        for (i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
            open_pauser(&pauser, t, provider);
            rv_sim_http_split(pauser.world.net, sizes[i / 2]);
            if (i & 1)
                pauser.world.options.on_reasoning = on_reasoning;
            reply_stream(&pauser.world, story);
            cr_assert_eq(world_run(&pauser.world), 0);
            expect_story(&pauser.world);
            cr_assert_geq(pauser.pauses, 2);
            world_close(&pauser.world);
        }
}

static bool cancel_in_pause(struct pauser *pauser)
{
    reeve_completion_cancel(pauser->world.completion);
    return true;
}

static bool free_in_pause(struct pauser *pauser)
{
    free_model(&pauser->world);
    cr_assert_eq(pauser->world.done, 1);
    return true;
}

/* The answer has come whole, and its end waits for the resume. */
RV_TEST(providers, can_be_left_in_a_pause)
{
    enum reeve_provider provider;
    struct pauser pauser;
    unsigned i;

    for (provider = 0; provider < DIALECTS; provider++)
        for (i = 0; i < 2; i++) {
            open_pauser(&pauser, t, provider);
            pauser.at_resume = i ? free_in_pause : cancel_in_pause;
            reply_stream(&pauser.world, SAY_TEXT("Hi") SAY_TEXT(" there") SAY_FINISH("stop"));
            cr_assert_eq(world_ask(&pauser.world), 0);
            cr_assert_eq(reeve_runtime_run(pauser.world.runtime), 0);
            cr_assert_eq(pauser.world.done, 1);
            cr_assert_eq(pauser.world.error, REEVE_ECANCELED);
            cr_assert_str_eq(pauser.world.text.data, "Hi", "told in the pause");
            world_close(&pauser.world);
        }
}

static void free_in_text(struct world *world)
{
    struct pauser *pauser = rv_container_of(world, struct pauser, world);

    if (!pauser->pauses)
        pause_now(pauser);
    else
        free_model(world);
}

/* Inside the text that is told behind a resume. */
RV_TEST(providers, can_be_left_where_they_go_on)
{
    enum reeve_provider provider;
    struct pauser pauser;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_pauser(&pauser, t, provider);
        pauser.world.in_text = free_in_text;
        reply_stream(&pauser.world, SAY_TEXT("Hi") SAY_TEXT(" there") SAY_FINISH("stop"));
        cr_assert_eq(world_ask(&pauser.world), 0);
        cr_assert_eq(reeve_runtime_run(pauser.world.runtime), 0);
        cr_assert_eq(pauser.world.done, 1);
        cr_assert_eq(pauser.world.error, REEVE_ECANCELED);
        world_close(&pauser.world);
    }
}

RV_TEST(providers, can_be_paused_before_they_start)
{
    enum reeve_provider provider;
    struct pauser pauser;

    for (provider = 0; provider < DIALECTS; provider++) {
        open_pauser(&pauser, t, provider);
        pauser.world.in_text = NULL;
        reply_stream(&pauser.world, story);
        cr_assert_eq(world_ask(&pauser.world), 0);
        pause_now(&pauser);
        cr_assert_eq(reeve_runtime_run(pauser.world.runtime), 0);
        cr_assert_eq(pauser.world.error, 0);
        expect_story(&pauser.world);
        world_close(&pauser.world);
    }
}

/* ---- no memory ---- */

struct sweep {
    enum reeve_provider provider;
    bool whole;
};

static int tell(struct rv_test *run, void *arg)
{
    const struct sweep *sweep = arg;
    static const struct reeve_tool_definition tool = {"look", "Look", "{\"type\":\"object\"}"};
    struct world world;
    int error;

    world_init(&world, run);
    world.model_options.provider = sweep->provider;
    world.model_options.base_url = dialect_base_url(sweep->provider);
    world.model_options.extra = "{\"a\":1}";
    world.options.tools = &tool;
    world.options.tool_count = 1;
    error = world_open(&world);
    if (!error && !world.net)
        error = REEVE_ENOMEM;
    if (!error) {
        if (sweep->whole)
            reply_body(&world, story);
        else
            reply_stream(&world, story);
        error = world_ask(&world);
    }
    if (!error) {
        cr_assert_eq(reeve_runtime_run(world.runtime), 0);
        cr_assert_eq(world.done, 1);
        error = world.error;
    }
    world_close(&world);
    return error;
}

RV_TEST(providers, survive_every_failed_allocation, .timeout = 60)
{
    struct sweep sweep = {0};

    for (sweep.provider = 0; sweep.provider < DIALECTS; sweep.provider++) {
        sweep.whole = false;
        RV_SWEEP_ALLOCATIONS(t, tell, &sweep, 40);
        sweep.whole = true;
        RV_SWEEP_ALLOCATIONS(t, tell, &sweep, 40);
    }
}
