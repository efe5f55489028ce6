/* SPDX-License-Identifier: MIT */
/* Requests that wait for their turn: how many at a time, who is next, and what ends the wait. */
#include "tests/lib/test.h"
#include "tests/sim/http.h"
#include "tests/sim/sim.h"

#include "io/http.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

enum { MAX_ASKS = 32, ANSWER_MS = 10 };

struct line;

struct ask {
    struct line *line;
    struct rv_http *http;
    struct rv_http_options options;
    char url[64];
    int error;
    unsigned dones;
    uint64_t done_ms;
    char problem[256];
};

struct line {
    struct reeve_runtime *runtime;
    struct rv_sim_http *net;
    struct ask asks[MAX_ASKS];
    size_t count;
    size_t peak[3]; /* of the hosts a, b, c */
    const char *start_in_done;
    uint64_t start_ns;
};

static uint64_t passed_ms(const struct line *line)
{
    return (rv_sim_now_ns(line->runtime) - line->start_ns) / 1000000;
}

static size_t host_of(const char *url)
{
    const char *name = url + strlen("http://");
    const char *user_end = strchr(name, '@');
    size_t host = (size_t)((user_end ? user_end[1] : name[0]) - 'a');

    cr_assert_lt(host, 3, "%s", url);
    return host;
}

static struct ask *ask_for(struct line *line, const char *host);

static void on_done(struct rv_http *http, int error, void *arg)
{
    struct ask *ask = arg;
    struct line *line = ask->line;
    const char *host = line->start_in_done;

    cr_assert_eq(ask->dones++, 0);
    ask->error = error;
    ask->done_ms = passed_ms(line);
    snprintf(ask->problem, sizeof ask->problem, "%s", rv_http_problem(http));
    line->start_in_done = NULL;
    if (host)
        ask_for(line, host);
}

static int try_ask(struct line *line, const char *host, struct ask **ret_ask)
{
    struct ask *ask = &line->asks[line->count];
    int error;

    cr_assert_lt(line->count, MAX_ASKS);
    ask->line = line;
    snprintf(ask->url, sizeof ask->url, "http://%s.test/%zu", host, line->count + 1);
    ask->options.method = "GET";
    ask->options.url = ask->url;
    ask->options.max_response_bytes = 1000;
    ask->options.on_done = on_done;
    ask->options.arg = ask;
    error = rv_http_start(line->runtime, &ask->options, &ask->http);
    if (error)
        return error;
    line->count++;
    *ret_ask = ask;
    return 0;
}

static struct ask *ask_for(struct line *line, const char *host)
{
    struct ask *ask = NULL;

    cr_assert_eq(try_ask(line, host, &ask), 0);
    return ask;
}

static size_t count_on_wire(const struct rv_sim_http *net, size_t host)
{
    size_t count = 0;

    for (size_t i = 1; i <= rv_sim_http_count(net); i++) {
        const struct rv_sim_http_request *request = rv_sim_http_request_at(net, i);

        count += host_of(request->url) == host && !request->ended && !request->stopped;
    }
    return count;
}

static void answer(struct rv_sim_http_exchange *x, void *arg)
{
    struct line *line = arg;
    size_t host = host_of(rv_sim_http_request_of(x)->url);
    size_t count = count_on_wire(line->net, host);

    if (count > line->peak[host])
        line->peak[host] = count;
    rv_sim_http_wait(x, ANSWER_MS);
    rv_sim_http_status(x, 200);
    rv_sim_http_text(x, "hello");
}

static int line_open(struct line *line, struct rv_test *t, const struct rv_http_settings *settings)
{
    struct reeve_runtime_options options;
    int error;

    memset(line, 0, sizeof *line);
    reeve_runtime_options_init(&options);
    options.allocator = &t->allocator;
    error = reeve_runtime_new(NULL, &options, &line->runtime);
    if (error)
        return error;
    line->start_ns = rv_sim_now_ns(line->runtime);
    line->net = rv_sim_http_of(line->runtime);
    rv_sim_http_on(line->net, NULL, NULL, NULL, answer, line);
    error = rv_http_settings_set(line->runtime, settings);
    if (error)
        reeve_runtime_free(line->runtime);
    return error;
}

static void line_new(struct line *line, struct rv_test *t, uint32_t in_all, uint32_t per_host)
{
    struct rv_http_settings settings = {.max_requests = in_all, .max_requests_per_host = per_host};

    cr_assert_eq(line_open(line, t, &settings), 0);
}

/* One after the other: a letter is a host. */
static void ask_all(struct line *line, const char *hosts)
{
    for (; *hosts; hosts++)
        ask_for(line, (const char[]){*hosts, '\0'});
}

static void run(struct line *line)
{
    cr_assert_eq(reeve_runtime_run(line->runtime), 0);
    for (size_t i = 0; i < line->count; i++)
        cr_assert_eq(line->asks[i].dones, 1, "%zu", i);
    cr_assert_eq(rv_sim_http_pending(line->net), 0);
}

/* The numbers of the requests in the order in which they came to the wire. */
static void expect_order(struct line *line, const char *wanted)
{
    char order[256] = "";

    for (size_t i = 1; i <= rv_sim_http_count(line->net); i++) {
        size_t len = strlen(order);
        const char *url = rv_sim_http_request_at(line->net, i)->url;

        snprintf(order + len, sizeof order - len, "%s%s", len ? " " : "", strrchr(url, '/') + 1);
    }
    cr_assert_str_eq(order, wanted);
}

RV_TEST(queue, no_more_than_the_limit_in_all)
{
    struct line line;

    line_new(&line, t, 3, 0);
    ask_all(&line, "aabbccabca");
    run(&line);
    cr_assert_eq(rv_sim_http_peak(line.net), 3);
    cr_assert_eq(line.asks[0].done_ms, ANSWER_MS);
    cr_assert_eq(passed_ms(&line), 4 * ANSWER_MS, "no place lay idle");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, no_more_than_the_limit_of_a_host)
{
    struct line line;

    line_new(&line, t, 0, 2);
    ask_all(&line, "aaaaabbbc");
    run(&line);
    cr_assert_eq(line.peak[0], 2);
    cr_assert_eq(line.peak[1], 2);
    cr_assert_eq(line.peak[2], 1);
    cr_assert_eq(rv_sim_http_peak(line.net), 5);
    cr_assert_eq(passed_ms(&line), 3 * ANSWER_MS);
    expect_order(&line, "1 2 6 7 9 3 8 4 5");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, a_host_is_scheme_name_and_port)
{
    struct line line;

    line_new(&line, t, 0, 1);
    ask_for(&line, "a");
    ask_for(&line, "a.test:81/x?http://a");
    ask_for(&line, "user@a");
    ask_for(&line, "a");
    run(&line);
    cr_assert_eq(rv_sim_http_peak(line.net), 2, "%zu", rv_sim_http_peak(line.net));
    expect_order(&line, "1 2 3 4");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, hosts_take_turns)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aaaaabbc");
    run(&line);
    expect_order(&line, "1 6 8 2 7 3 4 5");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, a_late_comer_does_not_overtake)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aab");
    line.start_in_done = "c";
    run(&line);
    expect_order(&line, "1 3 2 4");
    reeve_runtime_free(line.runtime);
}

/* Between the leaving of one and the start of the next, which comes from the loop. */
RV_TEST(queue, a_place_that_is_free_is_not_the_late_comers)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aab");
    rv_http_cancel(line.asks[0].http);
    ask_for(&line, "c");
    cr_assert_eq(rv_sim_http_count(line.net), 1, "it went to the wire at once");
    run(&line);
    expect_order(&line, "1 3 2 4"); /* a host that was full is behind one that was not */
    reeve_runtime_free(line.runtime);
    line_new(&line, t, 0, 1);
    ask_all(&line, "aa");
    rv_http_cancel(line.asks[0].http);
    ask_for(&line, "a");
    cr_assert_eq(rv_sim_http_count(line.net), 1, "it went to the wire at once");
    run(&line);
    expect_order(&line, "1 2 3");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, a_full_host_holds_up_no_other)
{
    struct line line;

    line_new(&line, t, 3, 1);
    ask_all(&line, "aaab");
    run(&line);
    expect_order(&line, "1 4 2 3");
    cr_assert_eq(line.asks[3].done_ms, ANSWER_MS);
    reeve_runtime_free(line.runtime);
}

/* ---- what ends the wait ---------------------------------------------------------------------- */

RV_TEST(queue, cancelled_while_waiting)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "abac");
    rv_http_cancel(line.asks[1].http);
    rv_http_cancel(line.asks[1].http);
    cr_assert_eq(line.asks[1].dones, 0, "not inside the call");
    run(&line);
    cr_assert_eq(line.asks[1].error, REEVE_ECANCELED);
    cr_assert_eq(line.asks[1].done_ms, 0);
    cr_assert_str_eq(line.asks[1].problem, "the request to http://b.test/2 was cancelled");
    expect_order(&line, "1 4 3");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, one_on_the_wire_is_cancelled_for_the_next)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aab");
    rv_http_cancel(line.asks[0].http);
    run(&line);
    cr_assert_eq(line.asks[0].error, REEVE_ECANCELED);
    cr_assert_eq(line.asks[2].done_ms, ANSWER_MS);
    cr_assert_eq(line.asks[1].done_ms, 2 * ANSWER_MS);
    expect_order(&line, "1 3 2");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, aborted_while_waiting)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aabb");
    for (size_t i = 4; i > 0; i--) {
        rv_http_abort(line.asks[i - 1].http);
        cr_assert_eq(line.asks[i - 1].error, REEVE_ECANCELED);
    }
    cr_assert_eq(rv_sim_http_count(line.net), 1);
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, the_whole_limit_counts_while_waiting)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "a");
    line.asks[1].options.timeout_ms = ANSWER_MS / 2;
    line.asks[2].options.timeout_ms = ANSWER_MS + ANSWER_MS / 2;
    ask_all(&line, "aaa");
    run(&line);
    cr_assert_eq(line.asks[1].error, REEVE_ETIMEDOUT);
    cr_assert_eq(line.asks[1].done_ms, ANSWER_MS / 2);
    cr_assert_str_eq(
        line.asks[1].problem,
        "the request to http://a.test/2 had not had its turn within 5 ms (timeout_ms)");
    cr_assert_eq(line.asks[2].error, REEVE_ETIMEDOUT);
    cr_assert_str_eq(line.asks[2].problem,
                     "the answer from http://a.test/3 was not complete within 15 ms (timeout_ms)");
    cr_assert_eq(line.asks[3].error, 0);
    cr_assert_eq(line.asks[3].done_ms, 25);
    expect_order(&line, "1 3 4");
    reeve_runtime_free(line.runtime);
}

RV_TEST(queue, other_limits_begin_with_the_turn)
{
    struct line line;

    line_new(&line, t, 1, 0);
    ask_all(&line, "aaa");
    line.asks[3].options.connect_timeout_ms = 1;
    line.asks[3].options.first_byte_timeout_ms = ANSWER_MS + 1;
    ask_all(&line, "a");
    run(&line);
    cr_assert_eq(line.asks[3].error, 0, "%s", line.asks[3].problem);
    cr_assert_eq(line.asks[3].done_ms, 4 * ANSWER_MS);
    reeve_runtime_free(line.runtime);
}

/* ---- settings and memory --------------------------------------------------------------------- */

RV_TEST(queue, settings_come_before_the_first_request)
{
    struct rv_http_settings settings = {.max_requests = 1, .proxy = "http://u:p@x", .ca_file = "y"};
    struct line line;

    line_new(&line, t, 2, 0);
    cr_assert_eq(rv_http_settings_set(line.runtime, &settings), 0, "again, before any request");
    ask_all(&line, "aa");
    settings.max_requests = 5;
    cr_assert_eq(rv_http_settings_set(line.runtime, &settings), REEVE_EINVAL);
    run(&line);
    cr_assert_eq(rv_sim_http_peak(line.net), 1);
    reeve_runtime_free(line.runtime);
}

/* All that had been started is ended, whatever could not be. */
static int wait_in_line(struct rv_test *t, void *arg)
{
    static const struct rv_http_settings settings = {
        .max_requests = 1, .proxy = "http://proxy.test", .ca_file = "ca.pem"};
    struct ask *ask;
    struct line line;
    int error = line_open(&line, t, &settings);

    (void)arg;
    if (error)
        return error;
    for (int i = 0; i < 4 && !error; i++)
        error = try_ask(&line, i & 1 ? "b" : "a", &ask);
    run(&line);
    for (size_t i = 0; i < line.count && !error; i++)
        error = line.asks[i].error;
    if (!error)
        expect_order(&line, "1 2 3 4");
    reeve_runtime_free(line.runtime);
    return error;
}

RV_TEST(queue, memory_runs_out)
{
    RV_SWEEP_ALLOCATIONS(t, wait_in_line, NULL, 20);
}
