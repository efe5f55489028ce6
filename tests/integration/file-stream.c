/* SPDX-License-Identifier: MIT */
/* read_file with stream_whole on real files: by every way that operations on files take. */
#include "io/file_op.h"
#include "tests/integration/file-world.h"

#include <reeve/batch.h>
#include <reeve/metrics.h>
#include <reeve/tool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 3000001, CAP = 1000 };

struct hearing {
    struct world world;
    struct reeve_toolbox *toolbox;
    char *heard;
    size_t len;
    size_t pieces;
    enum reeve_call_status status;
    char *said;
};

static void on_output(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg)
{
    struct hearing *hearing = arg;

    (void)batch, (void)index;
    cr_assert_leq(hearing->len + len, 2 * FILE_BYTES);
    memcpy(hearing->heard + hearing->len, bytes, len);
    hearing->len += len;
    hearing->pieces++;
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);
    struct hearing *hearing = arg;

    cr_assert_eq(error, 0);
    hearing->status = result->status;
    free(hearing->said);
    hearing->said = strdup(result->text);
}

static void hear(struct hearing *hearing, const char *arguments, bool whole)
{
    const struct reeve_call call = {
        .id = "1",
        .name = "read_file",
        .arguments = arguments,
        .arguments_len = strlen(arguments),
    };
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    reeve_batch_options_init(&options);
    options.max_output_bytes = CAP;
    options.stream_whole = whole;
    options.skip_cache = 1;
    options.on_output = on_output;
    options.on_done = on_done;
    options.arg = hearing;
    hearing->len = hearing->pieces = 0;
    cr_assert_eq(reeve_batch_run(hearing->toolbox, &call, 1, &options, &batch), 0);
    run(&hearing->world);
}

static void begin_hearing(struct hearing *hearing, struct rv_test *t)
{
    memset(hearing, 0, sizeof *hearing);
    world_init(&hearing->world, t);
    hearing->heard = malloc(2 * FILE_BYTES);
    cr_assert_eq(reeve_toolbox_new(hearing->world.runtime, &hearing->toolbox), 0);
}

static void end_hearing(struct hearing *hearing)
{
    free(hearing->heard);
    free(hearing->said);
    reeve_toolbox_free(hearing->toolbox);
    world_done(&hearing->world);
}

/* Characters of one to four bytes, none of them cut at the end. */
static char *make_text(void)
{
    static const char part[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\n";
    char *text = malloc(FILE_BYTES);
    size_t at = 0;

    for (; at + sizeof part - 1 <= FILE_BYTES; at += sizeof part - 1)
        memcpy(text + at, part, sizeof part - 1);
    memset(text + at, '.', FILE_BYTES - at);
    return text;
}

static void check_backend(struct hearing *hearing, const char *text, enum rv_file_backend backend,
                          enum reeve_counter way)
{
    uint64_t before;
    char *plain;

    if (!rv_file_force_backend(hearing->world.runtime, backend)) {
        fprintf(stderr, "no io_uring here\n");
        return;
    }
    hear(hearing, "{\"path\":\"big\"}", false);
    cr_assert_eq(hearing->len, 0);
    plain = hearing->said;
    hearing->said = NULL;
    before = reeve_runtime_counter(hearing->world.runtime, way);
    hear(hearing, "{\"path\":\"big\"}", true);
    cr_assert_eq(hearing->status, REEVE_CALL_SUCCEEDED);
    cr_assert_eq(hearing->len, FILE_BYTES);
    cr_assert_arr_eq(hearing->heard, text, FILE_BYTES);
    cr_assert_geq(hearing->pieces, FILE_BYTES / RV_FILE_PIECE_BYTES);
    cr_assert_geq(reeve_runtime_counter(hearing->world.runtime, way) - before,
                  FILE_BYTES / RV_FILE_PIECE_BYTES, "another way was taken");
    cr_assert_str_eq(hearing->said, plain);
    free(plain);
}

RV_TEST(file_stream, all_of_a_file_by_each_backend, .timeout = 60)
{
    struct hearing hearing;
    char *text = make_text();

    begin_hearing(&hearing, t);
    cr_assert_eq(reeve_toolbox_add_files(hearing.toolbox, hearing.world.inside), 0);
    world_write(&hearing.world, "big", text, FILE_BYTES);
    check_backend(&hearing, text, RV_FILE_BACKEND_AUTO, REEVE_COUNTER_FILE_CACHED);
    check_backend(&hearing, text, RV_FILE_BACKEND_URING, REEVE_COUNTER_FILE_URING);
    check_backend(&hearing, text, RV_FILE_BACKEND_SLICES, REEVE_COUNTER_FILE_SLICED);
    free(text);
    end_hearing(&hearing);
}

/* A file that tells no size is told as far as it goes. */
RV_TEST(file_stream, of_proc)
{
    struct hearing hearing;

    begin_hearing(&hearing, t);
    cr_assert_eq(reeve_toolbox_add_files(hearing.toolbox, "/proc"), 0);
    hear(&hearing, "{\"path\":\"self/status\"}", true);
    cr_assert_eq(hearing.status, REEVE_CALL_SUCCEEDED);
    cr_assert_gt(hearing.len, CAP);
    hearing.heard[hearing.len] = '\0';
    cr_assert_eq(memcmp(hearing.heard, "Name:", 5), 0);
    cr_assert_not_null(strstr(hearing.heard, "\nnonvoluntary_ctxt_switches:"));
    cr_assert_not_null(strstr(hearing.said, "there is more; read_file with offset"));
    hear(&hearing, "{\"path\":\"self/status\",\"offset\":1,\"limit\":1100}", true);
    cr_assert_eq(hearing.len, 1100);
    cr_assert_eq(memcmp(hearing.heard, "ame:", 4), 0);
    end_hearing(&hearing);
}
