/* SPDX-License-Identifier: MIT */
/* Stories of what stands below the tools: a file that is written, and a child. */
#include "tests/world/story.h"

#include "io/file_write.h"
#include "io/process.h"
#include "loop/timer.h"
#include "tests/lib/notes.h"
#include "tests/world/world.h"

#include <reeve/error.h>
#include <string.h>

enum { PATIENCE_MS = 5000, OUTPUT_BYTES = 256 };

static const char first_text[] = "The first text.\n";
static const char second_text[] = "Another one, which is longer.\n";

struct telling {
    struct rv_world *world;
    struct rv_root *root;
    struct rv_file_write *write; /* these are NULL when they are over */
    struct rv_file_read *read;
    struct rv_process *process;
    struct rv_timer patience; /* with a disk that does not answer */
    const char *text;
    char output[RV_PROCESS_STREAMS][OUTPUT_BYTES];
    unsigned done;
    int error;
};

static void give_up(void *arg)
{
    struct telling *telling = arg;

    if (telling->write)
        rv_file_write_cancel(telling->write);
    if (telling->read)
        rv_file_read_cancel(telling->read);
    if (telling->process)
        rv_process_cancel(telling->process);
}

static void end(struct telling *telling, int error)
{
    rv_timer_stop(rv_world_runtime(telling->world), &telling->patience);
    telling->done++;
    telling->error = error;
}

/* ---- a file ---- */

static void on_read(struct rv_file_read *read, int error, void *arg)
{
    const struct rv_file_content *content = rv_file_read_content(read);
    struct telling *telling = arg;

    telling->read = NULL;
    if (!error) {
        cr_assert_str_eq(content->head, second_text);
        rv_note("read %zu bytes: %s", content->head_len, content->head);
    }
    end(telling, error);
}

static int read_back(struct telling *telling)
{
    struct rv_file_read_options options = {
        .path = "notes.txt", .limit = UINT64_MAX, .max_bytes = 4096, .on_done = on_read};

    options.arg = telling;
    return rv_file_read_start(telling->root, &options, &telling->read);
}

static int write_text(struct telling *telling, const char *text);

static void on_written(struct rv_file_write *write, int error, void *arg)
{
    struct telling *telling = arg;

    telling->write = NULL;
    rv_world_step(telling->world);
    if (!error) {
        rv_note("written, %s\n", rv_file_write_created(write) ? "new" : "replaced");
        error = telling->text == first_text ? write_text(telling, second_text) : read_back(telling);
    }
    if (error)
        end(telling, error);
}

static int write_text(struct telling *telling, const char *text)
{
    struct rv_file_write_options options = {.path = "notes.txt",
                                            .how = RV_FILE_WRITE_REPLACE,
                                            .bytes = text,
                                            .len = strlen(text),
                                            .on_done = on_written,
                                            .arg = telling};

    telling->text = text;
    return rv_file_write_start(telling->root, &options, &telling->write);
}

static void lose_patience(struct rv_timer *timer)
{
    give_up(rv_container_of(timer, struct telling, patience));
}

int story_write(struct rv_test *t, void *arg)
{
    struct telling telling = {.text = NULL};
    struct reeve_runtime *runtime;
    int error = rv_world_open(t, &telling.world);

    (void)arg;
    runtime = rv_world_runtime(telling.world);
    rv_timer_init(&telling.patience, lose_patience);
    if (!error)
        error = rv_root_new(runtime, rv_world_root(telling.world), &telling.root);
    if (!error)
        error = write_text(&telling, first_text);
    if (!error) {
        rv_timer_start_ms(runtime, &telling.patience, PATIENCE_MS);
        rv_world_play(telling.world, &telling.done, give_up, &telling);
        error = telling.error;
    }
    rv_root_free(telling.root);
    rv_world_close(telling.world);
    return error;
}

/* ---- a child ---- */

static void on_output(struct rv_process *process, enum rv_process_stream stream, const char *bytes,
                      size_t len, void *arg)
{
    struct telling *telling = arg;
    char *output = telling->output[stream];

    cr_assert_eq(process, telling->process);
    cr_assert_lt(strlen(output) + len, (size_t)OUTPUT_BYTES);
    strncat(output, bytes, len);
    rv_world_step(telling->world);
}

static void on_exit_of(struct rv_process *process, int error, void *arg)
{
    const struct rv_process_result *result = rv_process_result(process);
    struct telling *telling = arg;

    telling->process = NULL;
    if (!error)
        rv_note("exit %d\nout: %serr: %s", result->exit_code, telling->output[RV_PROCESS_STDOUT],
                telling->output[RV_PROCESS_STDERR]);
    end(telling, error);
}

int story_child(struct rv_test *t, void *arg)
{
    static const char *const argv[] = {"sh", "-c", "echo what is said; echo alas >&2; exit 3",
                                       NULL};
    static const struct rv_world_child child = {"what is said\n", "alas\n", 3};
    struct telling telling = {.text = NULL};
    struct rv_process_options options = {.argv = argv,
                                         .max_output_bytes = OUTPUT_BYTES,
                                         .on_output = on_output,
                                         .on_done = on_exit_of,
                                         .arg = &telling};
    int error = rv_world_open(t, &telling.world);

    (void)arg;
    rv_timer_init(&telling.patience, lose_patience);
    if (!error)
        error = rv_world_shell(telling.world, &child);
    if (!error)
        error = rv_process_start(rv_world_runtime(telling.world), &options, &telling.process);
    if (!error) {
        rv_world_play(telling.world, &telling.done, give_up, &telling);
        error = telling.error;
    }
    rv_world_close(telling.world);
    return error;
}
