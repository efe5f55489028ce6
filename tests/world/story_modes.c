/* SPDX-License-Identifier: MIT */
/* A story of files that may not be read, listed or written, beside some that may. */
#include "tests/world/story.h"

#include "io/file_write.h"
#include "tests/lib/notes.h"
#include "tests/world/world.h"

#include <reeve/error.h>
#include <string.h>

struct telling {
    struct rv_world *world;
    struct rv_root *root;
    size_t next;               /* of the deeds */
    struct rv_file_read *read; /* these are NULL when they are over */
    struct rv_file_list *list;
    struct rv_file_write *write;
    unsigned done;
    int error;
};

enum how { READ, LIST, ADD, REPLACE, APPEND };

static const char *const names[] = {
    [READ] = "read", [LIST] = "list", [ADD] = "add", [REPLACE] = "replace", [APPEND] = "append",
};

/* "fixed" may not be changed, "shut" not be entered, "mute" not be listed. */
static const struct {
    enum how how;
    const char *path;
} deeds[] = {
    {READ, "src/open.txt"},
    {READ, "src/secret.txt"},
    {READ, "shut/in.txt"},
    {READ, "mute/in.txt"},
    {READ, "fixed/old.txt"},
    {LIST, "src"},
    {LIST, "mute"},
    {LIST, "shut"},
    {ADD, "src/new.txt"},
    {ADD, "fixed/new.txt"},
    {ADD, "shut/new.txt"},
    {REPLACE, "src/open.txt"},
    {REPLACE, "src/final.txt"},
    {REPLACE, "fixed/old.txt"},
    {APPEND, "src/open.txt"},
    {APPEND, "src/final.txt"},
    {APPEND, "fixed/old.txt"},
    {READ, "src/final.txt"},
};
enum { DEEDS = sizeof deeds / sizeof deeds[0] };

static void put_all(struct rv_world *world)
{
    static const char *const files[][2] = {
        {"src", "open.txt"},  {"src", "secret.txt"}, {"src", "final.txt"},
        {"fixed", "old.txt"}, {"shut", "in.txt"},    {"mute", "in.txt"},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        rv_world_put(world, files[i][0], files[i][1], "Some text.\n");
    rv_world_mode(world, "src/secret.txt", 0200);
    rv_world_mode(world, "src/final.txt", 0444);
    rv_world_mode(world, "fixed", 0555);
    rv_world_mode(world, "shut", 0600);
    rv_world_mode(world, "mute", 0311);
}

/* So that whoever cleans up may. */
static void open_all(struct rv_world *world)
{
    rv_world_mode(world, "fixed", 0755);
    rv_world_mode(world, "shut", 0755);
    rv_world_mode(world, "mute", 0755);
}

static int do_next(struct telling *telling);

/* A refusal is what this is about; what else goes wrong ends it. */
static void did(struct telling *telling, int error)
{
    rv_note("%s %s: %s\n", names[deeds[telling->next].how], deeds[telling->next].path,
            error ? reeve_error_name(error) : "done");
    rv_world_step(telling->world);
    telling->next++;
    if (!error || error == REEVE_EACCESS)
        error = telling->next < DEEDS ? do_next(telling) : 0;
    if (!error && telling->next < DEEDS)
        return;
    telling->done++;
    telling->error = error;
}

static void on_read(struct rv_file_read *read, int error, void *arg)
{
    struct telling *telling = arg;

    telling->read = NULL;
    if (error)
        cr_assert_eq(rv_file_read_content(read)->head_len, 0);
    did(telling, error);
}

static void on_list(struct rv_file_list *list, int error, void *arg)
{
    struct telling *telling = arg;

    telling->list = NULL;
    rv_note("%zu entries; ", error ? 0 : rv_file_list_listing(list)->count);
    did(telling, error);
}

static void on_written(struct rv_file_write *write, int error, void *arg)
{
    struct telling *telling = arg;

    (void)write;
    telling->write = NULL;
    did(telling, error);
}

static int do_next(struct telling *telling)
{
    static const enum rv_file_write_how hows[] = {
        [ADD] = RV_FILE_WRITE_NEW,
        [REPLACE] = RV_FILE_WRITE_REPLACE,
        [APPEND] = RV_FILE_WRITE_APPEND,
    };
    const char *path = deeds[telling->next].path;
    enum how how = deeds[telling->next].how;
    struct rv_file_read_options read = {
        .path = path, .limit = UINT64_MAX, .max_bytes = 4096, .on_done = on_read, .arg = telling};
    struct rv_file_list_options list = {.path = path,
                                        .max_entries = 100,
                                        .max_name_bytes = 4096,
                                        .on_done = on_list,
                                        .arg = telling};
    struct rv_file_write_options write = {.path = path,
                                          .how = how < ADD ? RV_FILE_WRITE_NEW : hows[how],
                                          .bytes = "More text.\n",
                                          .len = 11,
                                          .on_done = on_written,
                                          .arg = telling};

    if (how == READ)
        return rv_file_read_start(telling->root, &read, &telling->read);
    if (how == LIST)
        return rv_file_list_start(telling->root, &list, &telling->list);
    return rv_file_write_start(telling->root, &write, &telling->write);
}

static void give_up(void *arg)
{
    struct telling *telling = arg;

    if (telling->read)
        rv_file_read_cancel(telling->read);
    if (telling->list)
        rv_file_list_cancel(telling->list);
    if (telling->write)
        rv_file_write_cancel(telling->write);
}

int story_modes(struct rv_test *t, void *arg)
{
    struct telling telling = {.next = 0};
    int error = rv_world_open(t, &telling.world);

    (void)arg;
    if (!error) {
        put_all(telling.world);
        error = rv_root_new(rv_world_runtime(telling.world), rv_world_root(telling.world),
                            &telling.root);
    }
    if (!error)
        error = do_next(&telling);
    if (!error) {
        rv_world_play(telling.world, &telling.done, give_up, &telling);
        error = telling.error;
    }
    if (telling.root)
        open_all(telling.world);
    rv_root_free(telling.root);
    rv_world_close(telling.world);
    return error;
}
