/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events: the standard's own examples, each of its rules, every split of a stream that
 * uses them all, random streams against a second parser that is written to be obvious, caps, and
 * memory running out.
 */
#include "tests/lib/test.h"

#include "io/sse.h"

#include <reeve/error.h>

#include <stdio.h>
#include <string.h>

enum { LOG_BYTES = 1 << 16, CAP = 4096 };

/* Events as text, "type|data|id" and a line end each, so that a test reads as what is expected. */
struct seen {
    struct rv_buffer log;
    size_t events;
    size_t stop_at; /* on_event returns 7 at this event; 0: never */
};

static int on_event(const struct rv_sse_event *event, void *arg)
{
    struct seen *seen = arg;

    cr_assert_eq(event->data[event->data_len], '\0');
    cr_assert_eq(rv_buffer_printf(&seen->log, "%s|", event->type), 0);
    cr_assert_eq(rv_buffer_add(&seen->log, event->data, event->data_len), 0);
    cr_assert_eq(rv_buffer_printf(&seen->log, "|%s\n", event->id), 0);
    return ++seen->events == seen->stop_at ? 7 : 0;
}

struct parse {
    struct seen seen;
    struct rv_sse sse;
    struct rv_mem *log_mem; /* not the parser's, which a sweep lets fail */
};

static void parse_init(struct parse *parse, struct rv_mem *mem)
{
    memset(parse, 0, sizeof *parse);
    cr_assert_eq(rv_mem_new(NULL, &parse->log_mem), 0);
    rv_buffer_init(&parse->seen.log, parse->log_mem, LOG_BYTES);
    rv_sse_init(&parse->sse, mem, CAP, on_event, &parse->seen);
}

static void parse_done(struct parse *parse)
{
    rv_sse_done(&parse->sse);
    rv_buffer_done(&parse->seen.log);
    rv_mem_unref(parse->log_mem);
}

static void expect_bytes(struct rv_test *t, const char *stream, size_t len, const char *log)
{
    struct parse parse;

    parse_init(&parse, t->mem);
    cr_assert_eq(rv_sse_feed(&parse.sse, stream, len), 0);
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), log);
    parse_done(&parse);
    /* A byte at a time, and with empty feeds between. */
    parse_init(&parse, t->mem);
    for (size_t i = 0; i < len; i++) {
        cr_assert_eq(rv_sse_feed(&parse.sse, stream + i, 1), 0);
        cr_assert_eq(rv_sse_feed(&parse.sse, stream + i, 0), 0);
    }
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), log, "byte by byte");
    parse_done(&parse);
}

static void expect(struct rv_test *t, const char *stream, const char *log)
{
    expect_bytes(t, stream, strlen(stream), log);
}

/* ---- section 9.2.6 of the standard: its examples --------------------------------------------- */

RV_TEST(sse, standard_stock_ticker)
{
    expect(t, "data: YHOO\ndata: +2\ndata: 10\n\n", "message|YHOO\n+2\n10|\n");
}

RV_TEST(sse, standard_comment_and_ids)
{
    expect(t,
           ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
           "event\n\n",
           "message|first event|1\nmessage|second event|\nmessage| third event|\n");
}

RV_TEST(sse, standard_empty_data)
{
    /* Two events with data "" and "\n"; the block at the end is not finished and is dropped. */
    expect(t, "data\n\ndata\ndata\n\ndata:", "message||\nmessage|\n|\n");
}

RV_TEST(sse, standard_one_space)
{
    expect(t, "data:test\n\ndata: test\n\n", "message|test|\nmessage|test|\n");
}

RV_TEST(sse, standard_event_names)
{
    expect(t, "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: x\n\n",
           "add|73857293|\nremove|2153|\nmessage|x|\n");
}

/* ---- its rules, one by one ------------------------------------------------------------------- */

RV_TEST(sse, line_ends)
{
    expect(t, "data: a\n\ndata: b\r\rdata: c\r\n\r\n", "message|a|\nmessage|b|\nmessage|c|\n");
    expect(t, "data: a\r\ndata: b\rdata: c\n\r\n", "message|a\nb\nc|\n");
    /* LF CR is two ends of line. */
    expect(t, "data: a\n\rdata: b\n\n", "message|a|\nmessage|b|\n");
    expect(t, "\r\n\r\n\n\r\rdata: a\n\n", "message|a|\n");
}

RV_TEST(sse, dispatched_at_the_carriage_return)
{
    struct parse parse;

    parse_init(&parse, t->mem);
    cr_assert_eq(rv_sse_feed(&parse.sse, "data: a\r\n\r", 10), 0);
    cr_assert_eq(parse.seen.events, 1);
    cr_assert_eq(rv_sse_feed(&parse.sse, "\ndata: b\n", 9), 0);
    cr_assert_eq(parse.seen.events, 1);
    cr_assert_eq(rv_sse_feed(&parse.sse, "\n", 1), 0);
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), "message|a|\nmessage|b|\n");
    parse_done(&parse);
}

RV_TEST(sse, byte_order_mark)
{
    expect(t,
           "\xEF\xBB\xBF"
           "data: a\n\n",
           "message|a|\n");
    /* Only one, only at the beginning, and only when it is whole. */
    expect(t,
           "\xEF\xBB\xBF\xEF\xBB\xBF"
           "data: a\n\ndata: b\n\n",
           "message|b|\n");
    expect(t,
           "data: a\n\n\xEF\xBB\xBF"
           "data: b\n\ndata: c\n\n",
           "message|a|\nmessage|c|\n");
    expect(t,
           "\xEF\xBB"
           "data: a\n\ndata: b\n\n",
           "message|b|\n");
    expect(t, "\xEF\xBB\n\ndata: b\n\n", "message|b|\n");
    expect(t, "\xEF", "");
}

RV_TEST(sse, comments_and_unknown_fields)
{
    expect(t, ":\n: x\n:data: no\ndata: a\n:\n\n", "message|a|\n");
    expect(t, "foo: bar\ndatax: no\ndat: no\nData: no\n data: no\ndata : no\ndata: a\nx\n\n",
           "message|a|\n");
    expect(t, ": only a comment\n\n", "");
}

RV_TEST(sse, no_data_no_event)
{
    /* The type is forgotten with the block; the id is not. */
    expect(t, "event: x\nid: 5\n\ndata: a\n\n", "message|a|5\n");
}

RV_TEST(sse, ids)
{
    expect(t, "id: 1\ndata: a\n\ndata: b\n\nid:2\ndata: c\n\nid\ndata: d\n\n",
           "message|a|1\nmessage|b|1\nmessage|c|2\nmessage|d|\n");
    expect_bytes(t, "id: 1\nid: 2\0003\ndata: a\n\n", 24, "message|a|1\n");
    /* It becomes the last one at the end of its block, not before. */
    expect(t, "data: a\nid: 9\n", "");
}

RV_TEST(sse, zero_bytes_in_data)
{
    struct parse parse;

    parse_init(&parse, t->mem);
    cr_assert_eq(rv_sse_feed(&parse.sse, "data: a\0b\n\n", 11), 0);
    cr_assert_arr_eq(parse.seen.log.data, "message|a\0b|\n", 13);
    parse_done(&parse);
}

RV_TEST(sse, types)
{
    expect(t, "event: a\nevent: b\ndata: x\n\n", "b|x|\n");
    expect(t, "event: a\nevent\ndata: x\n\n", "message|x|\n");
    expect(t, "event:\ndata: x\n\n", "message|x|\n");
    expect(t, "data: x\nevent:  a\n\n", " a|x|\n");
}

RV_TEST(sse, colons_and_spaces)
{
    expect(t, "data: a: b\n\n", "message|a: b|\n");
    expect(t, "data::\n\n", "message|:|\n");
    expect(t, "data:  a \n\n", "message| a |\n");
    expect(t, "data:\ta\n\n", "message|\ta|\n");
    expect(t, "data: \ndata:\ndata\n\n", "message|\n\n|\n");
}

static int64_t retry_after(struct rv_test *t, const char *stream)
{
    struct parse parse;
    int64_t retry_ms;

    parse_init(&parse, t->mem);
    cr_assert_eq(rv_sse_feed(&parse.sse, stream, strlen(stream)), 0);
    retry_ms = parse.sse.retry_ms;
    parse_done(&parse);
    return retry_ms;
}

RV_TEST(sse, retry)
{
    cr_assert_eq(retry_after(t, "data: a\n\n"), -1);
    cr_assert_eq(retry_after(t, "retry: 1500\n"), 1500);
    cr_assert_eq(retry_after(t, "retry:0\n"), 0);
    cr_assert_eq(retry_after(t, "retry: 007\n"), 7);
    cr_assert_eq(retry_after(t, "retry: 1500"), -1);
    cr_assert_eq(retry_after(t, "retry\n"), -1);
    cr_assert_eq(retry_after(t, "retry:\n"), -1);
    cr_assert_eq(retry_after(t, "retry: -5\n"), -1);
    cr_assert_eq(retry_after(t, "retry: 1.5\n"), -1);
    cr_assert_eq(retry_after(t, "retry: 5s\nretry:  5\nretry: 5 \n"), -1);
    cr_assert_eq(retry_after(t, "retry: 5\nretry: x\n"), 5);
    cr_assert_eq(retry_after(t, "retry: 9223372036854775799\n"), INT64_C(9223372036854775799));
    cr_assert_eq(retry_after(t, "retry: 9223372036854775808\n"), INT64_MAX);
    cr_assert_eq(retry_after(t, "retry: 999999999999999999999999999\n"), INT64_MAX);
}

RV_TEST(sse, what_is_unfinished)
{
    struct parse parse;
    static const struct {
        const char *piece;
        bool in_event;
    } steps[] = {
        {"\xEF", false},    {"\xBB\xBF", false},  {": comm", false}, {"ent\n", false},
        {"d", true},        {"ata: a", true},     {"\n", true},      {"\n", false},
        {"id: 4\n", false}, {"event: x\n", true}, {"\n", false},     {"data: some length", true},
        {"\r", true},       {"\n", true},         {"\r", false},     {"\n", false},
    };

    parse_init(&parse, t->mem);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        cr_assert_eq(rv_sse_feed(&parse.sse, steps[i].piece, strlen(steps[i].piece)), 0);
        cr_assert_eq(rv_sse_in_event(&parse.sse), steps[i].in_event, "after step %zu", i);
    }
    parse_done(&parse);
}

/* ---- every split ----------------------------------------------------------------------------- */

static const char rich[] = "\xEF\xBB\xBF: hello\r\n"
                           "event: first\rdata: one\ndata\r\ndata:  two\r\nid: 1\n\n"
                           "data: {\"text\":\"gr\xC3\xBC\xC3\x9F\"}\r\r"
                           "retry: 10\r\n\r\nid\ndata:x\n:\n\n"
                           "nonsense\nda\nevent:e\ndata: \n\r"
                           "data: [DONE]\r\n\r\ndata: cut off";

static const char rich_log[] = "first|one\n\n two|1\n"
                               "message|{\"text\":\"gr\xC3\xBC\xC3\x9F\"}|1\n"
                               "message|x|\n"
                               "e||\n"
                               "message|[DONE]|\n";

static void expect_split(struct rv_test *t, size_t first, size_t second)
{
    struct parse parse;

    parse_init(&parse, t->mem);
    cr_assert_eq(rv_sse_feed(&parse.sse, rich, first), 0);
    cr_assert_eq(rv_sse_feed(&parse.sse, rich + first, second - first), 0);
    cr_assert_eq(rv_sse_feed(&parse.sse, rich + second, sizeof rich - 1 - second), 0);
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), rich_log, "split at %zu and %zu", first,
                     second);
    cr_assert_eq(parse.sse.retry_ms, 10);
    cr_assert(rv_sse_in_event(&parse.sse));
    parse_done(&parse);
}

RV_TEST(sse, every_split, .timeout = 60)
{
    size_t len = sizeof rich - 1;
    size_t count = 0;

    expect(t, rich, rich_log);
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            expect_split(t, first, second);
            count++;
        }
    }
    fprintf(stderr, "sse: %zu splits of a stream of %zu bytes tried\n", count, len);
    cr_assert_eq(count, (len + 1) * (len + 2) / 2);
}

/* ---- random streams against the obvious parser ----------------------------------------------- */

/* The standard, word by word, over a whole stream that ends in an end of line. */
struct obvious {
    struct seen *seen;
    char data[CAP], type[CAP], id[CAP], last_id[CAP];
    size_t data_len, type_len, id_len, last_id_len;
    bool any_data;
};

static void obvious_dispatch(struct obvious *o)
{
    struct rv_sse_event event;

    memcpy(o->last_id, o->id, o->id_len + 1);
    if (o->any_data) {
        o->data[o->data_len] = '\0';
        event = (struct rv_sse_event){o->type_len ? o->type : "message", o->data, o->data_len,
                                      o->last_id};
        on_event(&event, o->seen);
    }
    o->any_data = false;
    o->data_len = o->type_len = 0;
}

static void obvious_field(struct obvious *o, const char *name, const char *value)
{
    size_t len = strlen(value);

    if (!strcmp(name, "data")) {
        if (o->any_data)
            o->data[o->data_len++] = '\n';
        o->any_data = true;
        memcpy(o->data + o->data_len, value, len);
        o->data_len += len;
    } else if (!strcmp(name, "event")) {
        strcpy(o->type, value);
        o->type_len = len;
    } else if (!strcmp(name, "id")) {
        strcpy(o->id, value);
        o->id_len = len;
    }
}

static void obvious_line(struct obvious *o, char *line)
{
    char *colon = strchr(line, ':');

    if (!*line) {
        obvious_dispatch(o);
    } else if (!colon) {
        obvious_field(o, line, "");
    } else if (colon != line) {
        *colon = '\0';
        obvious_field(o, line, colon[1] == ' ' ? colon + 2 : colon + 1);
    }
}

static void obvious_parse(struct seen *seen, const char *stream)
{
    struct obvious o = {.seen = seen};
    char line[CAP];
    size_t len = 0;

    for (const char *at = stream; *at; at++) {
        if (*at != '\r' && *at != '\n') {
            line[len++] = *at;
            continue;
        }
        line[len] = '\0';
        obvious_line(&o, line);
        len = 0;
        if (*at == '\r' && at[1] == '\n')
            at++;
    }
}

static void random_stream(struct rv_test *t, char *stream, size_t len)
{
    static const char *const words[] = {
        "data", "data:", "data: ",   "event:", "event: ", "id:",   "id: 7",
        ":",    " ",     "x",        "d",      "\n",      "\n\n",  "\r\n",
        "\r",   "\r\r",  "\xC3\xA9", "\xEF",   "data:\n", "\nid\n"};
    size_t at = 0;

    while (at + 16 < len) {
        const char *word = words[rv_test_random(t) % (sizeof words / sizeof *words)];

        memcpy(stream + at, word, strlen(word));
        at += strlen(word);
    }
    strcpy(stream + at, "\n");
}

static void expect_random(struct rv_test *t, const char *stream)
{
    struct parse parse;
    struct seen wanted = {.events = 0};
    size_t len = strlen(stream);
    size_t at = 0;

    parse_init(&parse, t->mem);
    rv_buffer_init(&wanted.log, parse.log_mem, LOG_BYTES);
    obvious_parse(&wanted, stream);
    while (at < len) {
        size_t piece = rv_test_random(t) % 9;

        piece = piece > len - at ? len - at : piece;
        cr_assert_eq(rv_sse_feed(&parse.sse, stream + at, piece), 0);
        at += piece;
    }
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), rv_buffer_text(&wanted.log));
    rv_buffer_done(&wanted.log);
    parse_done(&parse);
}

RV_TEST(sse, random_streams, .timeout = 60)
{
    char stream[400];

    for (int i = 0; i < 3000; i++) {
        random_stream(t, stream, 20 + rv_test_random(t) % 380);
        expect_random(t, stream);
    }
}

/* ---- caps, stops and memory ------------------------------------------------------------------ */

/* Feeds `count` bytes 'x' between two texts, in pieces of `step`; 0 or the first error. */
static int feed_long(struct parse *parse, const char *before, size_t count, const char *after,
                     size_t step)
{
    static char xs[2 * CAP];
    int error = rv_sse_feed(&parse->sse, before, strlen(before));

    memset(xs, 'x', sizeof xs);
    for (size_t at = 0; at < count && !error; at += step)
        error = rv_sse_feed(&parse->sse, xs, count - at < step ? count - at : step);
    return error ? error : rv_sse_feed(&parse->sse, after, strlen(after));
}

static int try_long(struct rv_test *t, const char *before, size_t count, const char *after,
                    size_t step)
{
    struct parse parse;
    int error;

    parse_init(&parse, t->mem);
    error = feed_long(&parse, before, count, after, step);
    if (error) {
        cr_assert_eq(rv_sse_feed(&parse.sse, "data: a\n\n", 9), error, "it stays");
        cr_assert_eq(parse.seen.events, 0);
    }
    parse_done(&parse);
    return error;
}

RV_TEST(sse, a_line_is_capped)
{
    static const size_t steps[] = {1, 7, 1000, 2 * CAP};
    static const char *const fields[] = {"data: ", "event: ", "id: ", ": ", "x", "data"};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
            size_t room = CAP - strlen(fields[k]);

            cr_assert_eq(try_long(t, fields[k], room, "\n", steps[i]), 0, "%s", fields[k]);
            cr_assert_eq(try_long(t, fields[k], room + 1, "\n", steps[i]), REEVE_ETOOBIG);
            cr_assert_eq(try_long(t, fields[k], 2 * CAP, "", steps[i]), REEVE_ETOOBIG);
        }
    }
}

RV_TEST(sse, a_line_in_one_piece_is_capped)
{
    static const char *const fields[] = {"data: ", "event: ", "id: ", ": ", "x", "data"};
    char line[CAP + 3];

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (size_t len = CAP - 1; len <= CAP + 1; len++) {
            struct parse parse;

            memset(line, 'x', len);
            memcpy(line, fields[i], strlen(fields[i]));
            line[len] = '\n';
            parse_init(&parse, t->mem);
            cr_assert_eq(rv_sse_feed(&parse.sse, line, len + 1), len > CAP ? REEVE_ETOOBIG : 0,
                         "%zu bytes of %s", len, fields[i]);
            parse_done(&parse);
        }
    }
}

RV_TEST(sse, the_data_of_many_lines_is_capped)
{
    struct parse parse;
    size_t lines = 0;
    int error = 0;

    parse_init(&parse, t->mem);
    while (!error && lines < CAP) {
        error = rv_sse_feed(&parse.sse, "data: 1234567\n", 14);
        lines++;
    }
    /* Seven bytes and a line feed each, but for the last one's. */
    cr_assert_eq(error, REEVE_ETOOBIG);
    cr_assert_eq(lines, (CAP + 1) / 8 + 1);
    cr_assert_leq(parse.sse.data.capacity, 2 * CAP);
    parse_done(&parse);
}

RV_TEST(sse, the_callback_stops_it)
{
    struct parse parse;

    parse_init(&parse, t->mem);
    parse.seen.stop_at = 2;
    cr_assert_eq(rv_sse_feed(&parse.sse, "data: a\n\ndata: b\n\ndata: c\n\n", 27), 7);
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log), "message|a|\nmessage|b|\n");
    cr_assert_eq(rv_sse_feed(&parse.sse, "data: d\n\n", 9), 7);
    cr_assert_eq(parse.seen.events, 2);
    parse_done(&parse);
}

static int parse_in_pieces(struct rv_test *run, void *arg)
{
    size_t piece = *(size_t *)arg;
    struct parse parse;
    int error = 0;

    parse_init(&parse, run->mem);
    for (size_t at = 0; at < sizeof rich - 1 && !error; at += piece) {
        size_t left = sizeof rich - 1 - at;

        error = rv_sse_feed(&parse.sse, rich + at, left < piece ? left : piece);
    }
    if (!error)
        cr_assert_str_eq(rv_buffer_text(&parse.seen.log), rich_log);
    else
        cr_assert_eq(strncmp(rv_buffer_text(&parse.seen.log), rich_log, parse.seen.log.len), 0);
    parse_done(&parse);
    return error;
}

RV_TEST(sse, memory_runs_out, .timeout = 60)
{
    size_t pieces[] = {1, 5, sizeof rich};

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        RV_SWEEP_ALLOCATIONS(t, parse_in_pieces, &pieces[i], 4);
}

/* ---- cost ------------------------------------------------------------------------------------ */

/* Looking for both ends of line must not search what lies ahead once for each line. */
RV_TEST(sse, many_lines_in_one_piece, .timeout = 20)
{
    static const char *const ends[] = {"\n", "\r", "\r\n"};
    enum { LINES = 400000 };
    char *stream = rv_alloc(t->mem, 2 * LINES);
    struct parse parse;

    cr_assert_not_null(stream);
    for (size_t i = 0; i < 3; i++) {
        size_t end_len = strlen(ends[i]);

        for (size_t line = 0; line < LINES; line++)
            memcpy(stream + line * end_len, ends[i], end_len);
        parse_init(&parse, t->mem);
        cr_assert_eq(rv_sse_feed(&parse.sse, stream, LINES * end_len), 0);
        cr_assert_eq(parse.seen.events, 0);
        parse_done(&parse);
    }
    rv_free(t->mem, stream);
}

/* Thousands of streams wait for their next event: none keeps memory for it. */
RV_TEST(sse, keeps_nothing_between_events)
{
    static const char event[] = "data: some words\ndata: and more\n\n";
    const size_t cut = sizeof event / 2;
    struct parse parse;
    size_t before;

    parse_init(&parse, t->mem);
    before = t->failing.live_bytes;
    cr_assert_eq(rv_sse_feed(&parse.sse, event, sizeof event - 1), 0);
    cr_assert_eq(t->failing.live_bytes, before);
    cr_assert_eq(rv_sse_feed(&parse.sse, event, cut), 0);
    cr_assert_gt(t->failing.live_bytes, before);
    cr_assert_eq(rv_sse_feed(&parse.sse, event + cut, sizeof event - 1 - cut), 0);
    cr_assert_eq(t->failing.live_bytes, before);
    cr_assert_str_eq(rv_buffer_text(&parse.seen.log),
                     "message|some words\nand more|\nmessage|some words\nand more|\n");
    parse_done(&parse);
}
