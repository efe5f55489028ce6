/* SPDX-License-Identifier: MIT */
/*
 * Whole completions on the simulated network. As a codec's target the input is the body of an
 * answer with status 200, stream or not; as the target "http" it is a whole response: one byte for
 * how it ends and from whom it is (the digits 0 to 7: OpenAI; 8 to ?: Anthropic), the lines of its
 * heads, an empty line, and its body.
 *
 * What must hold for every response: the end is told once; text comes as whole characters and adds
 * up; a failure has its detail, in which the key never stands, and no calls; what comes out is the
 * same however the body is cut; an answer can be sent back, as JSON that reads; memory that ends
 * ends the completion and nothing is lost.
 */
#include "tests/fuzz/fuzz.h"

#include <reeve/error.h>
#include <reeve/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/sim/http.h"
#include "json/reader.h"

#define KEY "sk-canary-0123456789"

/* Each byte is a turn of the loop. */
enum { MAX_BYTEWISE = 256 };

enum ending {
    COMPLETE,
    COMPLETE_TOO, /* more often than the rest */
    LOST,
    STALLED,
    UNRESOLVED,
    UNTRUSTED,
    CANCELED, /* at the first piece of text */
    ABORTED,  /* the runtime is freed meanwhile */
    ENDINGS,
};

struct script {
    enum reeve_provider provider;
    const char *head; /* lines; NULL: that of an answer */
    size_t head_len;
    const char *body;
    size_t body_len;
    enum ending ending;
    enum fuzz_cut cut;
    size_t max_bytes;
    size_t fail_at;
    bool goes_on; /* what came is sent back with a second request */
};

struct world {
    const struct script *script;
    struct fuzz_memory memory;
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct reeve_model *model;
    struct reeve_transcript *transcript;
    struct reeve_completion *completion;
    struct rv_buffer text;
    struct rv_buffer note; /* all that must not depend on the cut */
    struct rv_buffer calls;
    int done;
    int error;
};

/* ---- the server ---------------------------------------------------------------------------------
 */

static void play_head(struct rv_sim_http_exchange *x, const struct script *script)
{
    const char *at = script->head;
    const char *end;
    char line[512];

    if (!at) {
        rv_sim_http_status(x, 200);
        return;
    }
    for (end = at + script->head_len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const size_t len = (size_t)((newline ? newline : end) - at);

        snprintf(line, sizeof line, "%.*s", (int)len, at);
        rv_sim_http_line(x, line);
        at += len + 1;
    }
    rv_sim_http_line(x, "");
}

static void play(struct rv_sim_http_exchange *x, void *arg)
{
    const struct script *script = arg;

    if (script->ending == UNRESOLVED)
        rv_sim_http_connect_fails(x, REEVE_ERESOLVE, "no such name");
    if (script->ending == UNTRUSTED)
        rv_sim_http_connect_fails(x, REEVE_ETLS, "not trusted");
    play_head(x, script);
    if (script->body_len)
        rv_sim_http_body(x, script->body, script->body_len);
    if (script->ending == LOST)
        rv_sim_http_lose(x, "reset");
    if (script->ending == STALLED)
        rv_sim_http_stall(x);
}

static void set_weather(struct world *world)
{
    const struct script *script = world->script;
    struct fuzz_random random = fuzz_random_of(script->body, script->body_len);

    if (script->cut == FUZZ_BYTES)
        rv_sim_http_split(world->net, 1);
    if (script->cut == FUZZ_RANDOM_PIECES)
        rv_sim_http_shuffle(world->net, random.state, 1 + fuzz_random_below(&random, 64), 20);
}

/* ---- the host -----------------------------------------------------------------------------------
 */

static void on_text(struct reeve_completion *completion, const char *text, size_t len, void *arg)
{
    struct world *world = arg;
    const char *all;
    size_t all_len;

    FUZZ_CHECK(!world->done, "text after the end");
    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(rv_utf8_valid(text, len), "half a character");
    fuzz_note(&world->text, text, len);
    all = reeve_completion_text(completion, &all_len);
    FUZZ_CHECK(all_len == world->text.len && !memcmp(all, world->text.data, all_len));
    if (world->script->ending == CANCELED)
        reeve_completion_cancel(completion);
}

static void check_telling(const char *text, size_t size)
{
    const size_t len = strnlen(text, size);

    FUZZ_CHECK(len < size);
    FUZZ_CHECK(rv_utf8_valid(text, len), "%s", text);
    FUZZ_CHECK(!strstr(text, KEY), "the key is told: %s", text);
    /* A log that shows it has no line that a server made. */
    FUZZ_CHECK(!strpbrk(text, "\r\n\x1B"), "%s", text);
}

static void check_detail(const struct reeve_error_detail *detail, int error)
{
    FUZZ_CHECK((detail != NULL) == (error != 0));
    if (!detail)
        return;
    FUZZ_CHECK(detail->code == error);
    FUZZ_CHECK(detail->message[0]);
    FUZZ_CHECK(detail->retry_after_ms >= -1);
    check_telling(detail->message, sizeof detail->message);
    check_telling(detail->type, sizeof detail->type);
    check_telling(detail->provider_code, sizeof detail->provider_code);
    check_telling(detail->request_id, sizeof detail->request_id);
}

static void note_calls(struct world *world, const struct reeve_completion *completion)
{
    size_t count, i, k;
    const struct reeve_call *calls = reeve_completion_calls(completion, &count);

    FUZZ_CHECK(!world->error || !count, "a completion that failed has calls");
    FUZZ_CHECK((calls != NULL) == (count != 0));
    for (i = 0; i < count; i++) {
        FUZZ_CHECK(calls[i].id[0] && calls[i].name[0]);
        FUZZ_CHECK(rv_utf8_valid(calls[i].id, strlen(calls[i].id)));
        FUZZ_CHECK(rv_utf8_valid(calls[i].name, strlen(calls[i].name)));
        FUZZ_CHECK(rv_utf8_valid(calls[i].arguments, calls[i].arguments_len));
        FUZZ_CHECK(calls[i].arguments[calls[i].arguments_len] == '\0');
        for (k = 0; k < i; k++)
            FUZZ_CHECK(strcmp(calls[i].id, calls[k].id) != 0, "an id twice: %s", calls[i].id);
        fuzz_note(&world->calls, calls[i].id, strlen(calls[i].id) + 1);
        fuzz_note_printf(&world->note, "call %s %s ", calls[i].id, calls[i].name);
        fuzz_note(&world->note, calls[i].arguments, calls[i].arguments_len);
    }
}

static void note_answer(struct world *world, const struct reeve_completion *completion)
{
    const struct reeve_usage *usage = reeve_completion_usage(completion);
    const enum reeve_finish finish = reeve_completion_finish(completion);

    FUZZ_CHECK((finish == REEVE_FINISH_NONE) == (world->error != 0));
    fuzz_note_printf(
        &world->note, "error %d finish %d usage %d %llu %llu %llu %llu %llu text ", world->error,
        (int)finish, usage->reported, (unsigned long long)usage->input_tokens,
        (unsigned long long)usage->cached_tokens, (unsigned long long)usage->cache_write_tokens,
        (unsigned long long)usage->output_tokens, (unsigned long long)usage->reasoning_tokens);
}

static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    struct world *world = arg;
    const char *text;
    size_t len;
    int added;

    FUZZ_CHECK(!world->done++, "the end came twice");
    world->error = error;
    check_detail(reeve_completion_error(completion), error);
    note_answer(world, completion);
    text = reeve_completion_text(completion, &len);
    FUZZ_CHECK(rv_utf8_valid(text, len));
    FUZZ_CHECK(len == world->text.len && !memcmp(text, rv_buffer_text(&world->text), len),
               "the pieces are not the text: [%s], not [%s]", rv_buffer_text(&world->text), text);
    FUZZ_CHECK(len <= world->script->max_bytes);
    fuzz_note(&world->note, text, len);
    note_calls(world, completion);
    added = reeve_transcript_add_completion(world->transcript, completion);
    FUZZ_CHECK(!added || (world->script->fail_at && added == REEVE_ENOMEM), "%d", added);
    world->completion = NULL;
}

static int ask(struct world *world)
{
    struct reeve_completion_options options;

    reeve_completion_options_init(&options);
    options.transcript = world->transcript;
    options.on_text = on_text;
    options.on_done = on_done;
    options.arg = world;
    world->done = 0;
    rv_buffer_clear(&world->text);
    return reeve_complete(world->model, &options, &world->completion);
}

/* ---- the world ----------------------------------------------------------------------------------
 */

static int open_model(struct world *world)
{
    struct reeve_model_options options;
    int error;

    reeve_model_options_init(&options);
    options.provider = world->script->provider;
    options.base_url = "http://model.test/v1";
    options.name = "m";
    options.api_key = KEY;
    options.max_response_bytes = world->script->max_bytes;
    error = reeve_model_new(world->runtime, &options, &world->model);
    if (!error)
        error = reeve_transcript_new(world->runtime, &world->transcript);
    return error ? error : reeve_transcript_add(world->transcript, REEVE_ROLE_USER, "Hello", 5);
}

static int world_open(struct world *world, const struct script *script)
{
    struct reeve_runtime_options options;
    int error;

    *world = (struct world){.script = script};
    fuzz_memory_init(&world->memory);
    fuzz_note_init(&world->text);
    fuzz_note_init(&world->note);
    fuzz_note_init(&world->calls);
    world->memory.fail_at = script->fail_at;
    reeve_runtime_options_init(&options);
    options.allocator = &world->memory.allocator;
    options.seed = 7;
    error = reeve_runtime_new(NULL, &options, &world->runtime);
    if (error)
        return error;
    world->net = rv_sim_http_of(world->runtime);
    rv_sim_http_on(world->net, "POST", NULL, NULL, play, (void *)(uintptr_t)script);
    set_weather(world);
    return open_model(world);
}

static void world_close(struct world *world)
{
    reeve_transcript_free(world->transcript);
    reeve_model_free(world->model);
    reeve_runtime_free(world->runtime);
    fuzz_memory_done(&world->memory);
    fuzz_note_done(&world->text);
    fuzz_note_done(&world->note);
    fuzz_note_done(&world->calls);
}

static void check_request(const struct world *world, size_t number)
{
    const struct rv_sim_http_request *request = rv_sim_http_request_at(world->net, number);
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_buffer note; /* for its memory */

    fuzz_note_init(&note);
    FUZZ_CHECK(request && !rv_json_reader_new(note.mem, NULL, &reader));
    FUZZ_CHECK(!rv_json_reader_parse(reader, request->body, request->body_len, &value), "%s",
               request->body);
    FUZZ_CHECK(reeve_json_type(reeve_json_get(value, "messages")) == REEVE_JSON_ARRAY);
    FUZZ_CHECK(!strstr(request->body, KEY) || strstr(rv_buffer_text(&world->note), KEY),
               "the key is in the body");
    rv_json_reader_free(reader);
    fuzz_note_done(&note);
}

/* Whatever it was: it goes back, with a result for each call. */
static void send_back(struct world *world)
{
    const char *at = rv_buffer_text(&world->calls);
    const char *end = at + world->calls.len;

    for (; at < end; at += strlen(at) + 1)
        FUZZ_CHECK(!reeve_transcript_add_result(world->transcript, at, "done", 4, 0), "%s", at);
    FUZZ_CHECK(!reeve_transcript_add(world->transcript, REEVE_ROLE_USER, "Go on", 5));
    FUZZ_CHECK(!reeve_transcript_check(world->transcript, NULL));
    FUZZ_CHECK(!ask(world));
    FUZZ_CHECK(!reeve_runtime_run(world->runtime));
    FUZZ_CHECK(world->done == 1);
    check_request(world, 2);
}

static bool run(struct world *world)
{
    if (ask(world))
        return false;
    FUZZ_CHECK(!world->done, "the end came at once");
    if (world->script->ending == ABORTED)
        return true;
    FUZZ_CHECK(!reeve_runtime_run(world->runtime));
    FUZZ_CHECK(world->done == 1, "the end never came");
    FUZZ_CHECK(!reeve_runtime_pending(world->runtime));
    FUZZ_CHECK(!rv_sim_http_pending(world->net));
    return true;
}

/* Appends what came out. */
static int play_script(const struct script *script, struct rv_buffer *ret_note)
{
    struct world world;
    bool submitted = false;

    if (!world_open(&world, script))
        submitted = run(&world);
    FUZZ_CHECK(submitted || script->fail_at);
    if (submitted && !script->fail_at && script->ending != ABORTED) {
        fuzz_note(ret_note, rv_buffer_text(&world.note), world.note.len);
        check_request(&world, 1);
        if (script->cut == FUZZ_WHOLE && script->goes_on)
            send_back(&world);
        FUZZ_CHECK(world.memory.peak_bytes <= 1024 * script->body_len + (1 << 20));
    }
    world_close(&world);
    return world.error;
}

static void compare_cuts(struct script *script, struct fuzz_random *random)
{
    struct rv_buffer whole, other;
    int error, other_error;

    fuzz_note_init(&whole);
    fuzz_note_init(&other);
    script->goes_on = fuzz_chosen(random, 4);
    error = play_script(script, &whole);
    for (script->cut = FUZZ_RANDOM_PIECES; script->cut < FUZZ_CUT_COUNT; script->cut++) {
        if (script->cut == FUZZ_BYTES && script->body_len > MAX_BYTEWISE)
            break;
        if (!fuzz_chosen(random, 2))
            continue;
        rv_buffer_clear(&other);
        other_error = play_script(script, &other);
        FUZZ_CHECK(other_error == error, "cut %d: %d, not %d", script->cut, other_error, error);
        FUZZ_CHECK(fuzz_note_equal(&whole, &other), "cut %d: [%s], not [%s]", script->cut,
                   rv_buffer_text(&other), rv_buffer_text(&whole));
    }
    fuzz_note_done(&whole);
    fuzz_note_done(&other);
}

/* The same with memory that ends somewhere. */
static void refuse_memory(struct script *script, struct fuzz_random *random)
{
    struct rv_buffer note;

    fuzz_note_init(&note);
    script->cut = FUZZ_RANDOM_PIECES;
    script->fail_at = 1 + fuzz_random_below(random, 96);
    play_script(script, &note);
    fuzz_note_done(&note);
}

/* Cut off at any point it is an answer only if it was complete there. */
static void cut_off(struct script *script, struct fuzz_random *random)
{
    struct rv_buffer note;

    fuzz_note_init(&note);
    script->cut = FUZZ_WHOLE;
    script->ending = LOST;
    script->body_len = fuzz_random_below(random, script->body_len + 1);
    play_script(script, &note);
    fuzz_note_done(&note);
}

void fuzz_codec(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    struct script script = {
        .provider = (enum reeve_provider)target->provider,
        .body = bytes,
        .body_len = len,
        .max_bytes = fuzz_random_below(&random, 4) ? 1 << 20 : 1 + fuzz_random_below(&random, 512),
    };

    fuzz_response(target, bytes, len);
    if (fuzz_chosen(&random, 4))
        fuzz_calls(target, bytes, len);
    if (!fuzz_chosen(&random, 16))
        return;
    compare_cuts(&script, &random);
    refuse_memory(&script, &random);
    script.fail_at = 0;
    cut_off(&script, &random);
}

static const char *find_body(const char *head, const char *end)
{
    const char *at;

    for (at = head; at < end; at++)
        if (*at == '\n' && (at + 1 == end || at[1] == '\n' || at[1] == '\r'))
            return at + 1;
    return end;
}

void fuzz_http(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    const char *end = bytes + len;
    struct script script = {.max_bytes = 1 << 20};
    const char *body;

    (void)target;
    if (!len)
        return;
    body = find_body(bytes + 1, end);
    script.ending = (enum ending)((unsigned char)bytes[0] % ENDINGS);
    script.provider =
        (unsigned char)bytes[0] / ENDINGS % 2 ? REEVE_PROVIDER_ANTHROPIC : REEVE_PROVIDER_OPENAI;
    script.head = bytes + 1;
    script.head_len = (size_t)(body - bytes) - 1;
    while (body < end && (*body == '\r' || *body == '\n') && body < bytes + 3 + script.head_len)
        body++;
    script.body = body;
    script.body_len = (size_t)(end - body);
    compare_cuts(&script, &random);
    if (fuzz_chosen(&random, 4))
        refuse_memory(&script, &random);
}
