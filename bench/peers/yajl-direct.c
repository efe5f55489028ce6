/* SPDX-License-Identifier: MIT */
/*
 * yajl alone: yajl-direct parse|write FILE quick|full. Parsing, events are counted and nothing is
 * built, the handle made anew for each document as yajl demands; writing, the events of the
 * document are given to yajl_gen again.
 */
#include "bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

enum { MOST_BYTES = 1 << 20, MOST_EVENTS = 1 << 16 };

enum kind { NOTHING, BOOLEAN, NUMBER, STRING, KEY, OBJECT, OBJECT_END, ARRAY, ARRAY_END };

struct event {
    enum kind kind;
    int truth;
    char *text;
    size_t len;
};

struct work {
    char text[MOST_BYTES];
    size_t len;
    bool keep; /* the events, to be written */
    struct event events[MOST_EVENTS];
    size_t count;
    size_t seen;
};

void bench_check(bool well, const char *what)
{
    if (well)
        return;
    fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
    exit(1);
}

static int take(struct work *work, enum kind kind, int truth, const void *text, size_t len)
{
    struct event *event;

    work->seen++;
    if (!work->keep)
        return 1;
    bench_check(work->count < MOST_EVENTS, "a document of so many events");
    event = &work->events[work->count++];
    *event = (struct event){kind, truth, malloc(len + 1), len};
    bench_check(event->text, "memory");
    if (len)
        memcpy(event->text, text, len);
    return 1;
}

static int on_null(void *arg)
{
    return take(arg, NOTHING, 0, NULL, 0);
}

static int on_boolean(void *arg, int truth)
{
    return take(arg, BOOLEAN, truth, NULL, 0);
}

static int on_number(void *arg, const char *text, size_t len)
{
    return take(arg, NUMBER, 0, text, len);
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
    return take(arg, STRING, 0, text, len);
}

static int on_key(void *arg, const unsigned char *text, size_t len)
{
    return take(arg, KEY, 0, text, len);
}

static int on_object(void *arg)
{
    return take(arg, OBJECT, 0, NULL, 0);
}

static int on_object_end(void *arg)
{
    return take(arg, OBJECT_END, 0, NULL, 0);
}

static int on_array(void *arg)
{
    return take(arg, ARRAY, 0, NULL, 0);
}

static int on_array_end(void *arg)
{
    return take(arg, ARRAY_END, 0, NULL, 0);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

static void parse(void *arg, size_t count)
{
    struct work *work = arg;
    yajl_handle handle;

    while (count--) {
        handle = yajl_alloc(&callbacks, NULL, work);
        bench_check(handle && !yajl_parse(handle, (unsigned char *)work->text, work->len) &&
                        !yajl_complete_parse(handle),
                    "parsing");
        yajl_free(handle);
    }
}

static void put(yajl_gen gen, const struct event *event)
{
    switch (event->kind) {
    case NOTHING:
        yajl_gen_null(gen);
        return;
    case BOOLEAN:
        yajl_gen_bool(gen, event->truth);
        return;
    case NUMBER:
        yajl_gen_number(gen, event->text, event->len);
        return;
    case STRING:
    case KEY:
        yajl_gen_string(gen, (unsigned char *)event->text, event->len);
        return;
    case OBJECT:
        yajl_gen_map_open(gen);
        return;
    case OBJECT_END:
        yajl_gen_map_close(gen);
        return;
    case ARRAY:
        yajl_gen_array_open(gen);
        return;
    case ARRAY_END:
        yajl_gen_array_close(gen);
        return;
    default:
        return;
    }
}

static void write_text(void *arg, size_t count)
{
    struct work *work = arg;
    const unsigned char *text;
    yajl_gen gen;
    size_t len, i;

    while (count--) {
        gen = yajl_gen_alloc(NULL);
        bench_check(gen, "a generator");
        for (i = 0; i < work->count; i++)
            put(gen, &work->events[i]);
        yajl_gen_get_buf(gen, &text, &len);
        work->seen += len;
        yajl_gen_free(gen);
    }
}

int main(int argc, char **argv)
{
    static struct work work;
    struct bench_figures figures = {{0}};
    FILE *file;

    bench_check(argc == 4, "usage: yajl-direct parse|write FILE quick|full");
    file = fopen(argv[2], "r");
    bench_check(file, argv[2]);
    work.len = fread(work.text, 1, sizeof work.text, file);
    fclose(file);
    if (!strcmp(argv[1], "write")) {
        work.keep = true;
        parse(&work, 1);
    }
    bench_time(work.keep ? write_text : parse, &work, !strcmp(argv[3], "quick"), &figures);
    printf("%f %f\n", figures.value[0], figures.value[1]);
    return work.seen ? 0 : 1;
}
