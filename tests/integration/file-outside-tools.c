/* SPDX-License-Identifier: MIT */
/*
 * Ways to leave the root, tried by everything that changes files and by the tools, resolved by the
 * kernel and by the walk, at rest and while another process moves names about. What is outside must
 * be as it was: nothing read, nothing written, made, renamed or removed there.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file_change.h"
#include "io/file_stat.h"
#include "io/file_write.h"
#include "io/root.h"
#include "tests/integration/file-ways.h"
#include "tool/builtin/builtin.h"
#include "tool/toolbox.h"

#include <reeve/batch.h>
#include <reeve/tool.h>

enum { SWAPS = 1500, ROUNDS = 40 };

struct lab {
    struct world world;
    struct reeve_toolbox *toolbox;
    int called;
    int error; /* of a tool's call: 0 or 1 */
    struct rv_file_problem problem;
    char *said; /* by a tool */
};

/* ---- what is outside ---- */

static FILE *snapshot_out;
static const char *snapshot_skip;

static int snapshot_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    char text[256];
    size_t len;
    FILE *file;

    (void)ftw;
    if (!strncmp(path, snapshot_skip, strlen(snapshot_skip)) &&
        strchr("/", path[strlen(snapshot_skip)]))
        return 0;
    fprintf(snapshot_out, "%s %d %o\n", path, type, (unsigned)status->st_mode);
    if (type != FTW_F)
        return 0;
    file = fopen(path, "re");
    cr_assert_not_null(file);
    while ((len = fread(text, 1, sizeof text, file)))
        fwrite(text, 1, len, snapshot_out);
    fclose(file);
    return 0;
}

/* Names, kinds, permissions and contents of all but the root. */
static char *snapshot(const struct world *world)
{
    char *text;
    size_t len;

    snapshot_out = open_memstream(&text, &len);
    snapshot_skip = world->inside;
    cr_assert_eq(nftw(world->top, snapshot_one, 16, FTW_PHYS), 0);
    fclose(snapshot_out);
    return text;
}

static void outside_is(const struct lab *lab, const char *before, const char *what)
{
    char *now = snapshot(&lab->world);

    cr_assert_str_eq(now, before, "%s changed what is outside:\n%s", what, now);
    free(now);
}

/* ---- by requests ---- */

static void write_done(struct rv_file_write *write, int error, void *arg)
{
    struct lab *lab = arg;

    lab->called++;
    lab->error = error;
    lab->problem = *rv_file_write_problem(write);
}

static void change_done(struct rv_file_change *change, int error, void *arg)
{
    struct lab *lab = arg;

    lab->called++;
    lab->error = error;
    lab->problem = *rv_file_change_problem(change);
}

static void try_write(struct lab *lab, enum rv_file_write_how how, const char *path)
{
    struct rv_file_write_options options = {
        .path = path, .how = how, .bytes = "evil", .len = 4, .on_done = write_done, .arg = lab};
    struct rv_file_write *write;

    lab->called = 0;
    cr_assert_eq(rv_file_write_start(lab->world.root, &options, &write), 0);
    run(&lab->world);
    cr_assert_eq(lab->called, 1);
}

static void try_change(struct lab *lab, enum rv_file_change_what what, const char *path,
                       const char *to)
{
    struct rv_file_change_options options = {
        .what = what, .path = path, .to = to, .on_done = change_done, .arg = lab};
    struct rv_file_change *change;

    lab->called = 0;
    cr_assert_eq(rv_file_change_start(lab->world.root, &options, &change), 0);
    run(&lab->world);
    cr_assert_eq(lab->called, 1);
}

/* ---- by tools ---- */

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, 0);
    struct lab *lab = arg;

    (void)error;
    lab->called++;
    lab->error = result->status != REEVE_CALL_SUCCEEDED;
    free(lab->said);
    lab->said = strdup(result->text);
}

static void try_tool(struct lab *lab, const char *tool, const char *path)
{
    char json[1024], *out = json + sprintf(json, "{\"path\":\"");
    struct reeve_call call = {.id = "1", .name = tool, .arguments = json};
    struct reeve_batch_options options;
    struct reeve_batch *batch;

    for (; *path; path++)
        out += (unsigned char)*path < ' ' || *path == '\\'
                   ? sprintf(out, "\\u%04x", (unsigned)(unsigned char)*path)
                   : sprintf(out, "%c", *path);
    strcpy(out, "\"}");
    if (!strcmp(tool, "write_file"))
        strcpy(out, "\",\"content\":\"inside, and no agent\\n\"}");
    if (!strcmp(tool, "edit_file")) /* it stands in the secret too */
        strcpy(out, "\",\"old_text\":\"agent\",\"new_text\":\"AGENT\"}");
    if (!strcmp(tool, "search_files"))
        strcpy(out, "\",\"pattern\":\".\",\"include_binary\":true}");
    if (!strcmp(tool, "find_files"))
        strcpy(out, "\",\"pattern\":\"**\"}");
    call.arguments_len = strlen(json);
    reeve_batch_options_init(&options);
    options.on_done = on_done;
    options.arg = lab;
    lab->called = 0;
    cr_assert_eq(reeve_batch_run(lab->toolbox, &call, 1, &options, &batch), 0);
    run(&lab->world);
    cr_assert_eq(lab->called, 1);
    cr_assert_null(strstr(lab->said, "SECRET"), "%s: %s", tool, lab->said);
}

/* The tools' own root, so that it can be made to walk. */
static void lab_open(struct lab *lab)
{
    const struct rv_tool *tool;

    rv_root_free(lab->world.root);
    cr_assert_eq(reeve_toolbox_new(lab->world.runtime, &lab->toolbox), 0);
    cr_assert_eq(reeve_toolbox_add_files(lab->toolbox, lab->world.inside), 0);
    tool = rv_toolbox_find(lab->toolbox, "write_file");
    lab->world.root = rv_root_ref(((struct rv_file_tools *)tool->spec.arg)->root);
}

static void lab_close(struct lab *lab)
{
    reeve_toolbox_free(lab->toolbox);
    free(lab->said);
    world_done(&lab->world);
}

/* ---- at rest ---- */

static const char *const tool_names[] = {"read_file", "list_directory", "write_file",
                                         "edit_file", "find_files",     "search_files"};

enum { TOOLS = sizeof tool_names / sizeof tool_names[0] };

static void refused(const struct lab *lab, const char *what, const char *path, unsigned ends)
{
    cr_assert(ended_as(lab->error, &lab->problem, ends) || lab->error == REEVE_ENOTFILE,
              "%s %s: %s", what, path, reeve_error_name(lab->error));
}

static unsigned write_by(struct lab *lab, const char *path, unsigned ends)
{
    static const enum rv_file_write_how hows[] = {RV_FILE_WRITE_NEW, RV_FILE_WRITE_REPLACE,
                                                  RV_FILE_WRITE_IN_PLACE, RV_FILE_WRITE_APPEND};
    size_t i;

    for (i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        try_write(lab, hows[i], path);
        refused(lab, "write", path, ends);
    }
    return 4;
}

static unsigned change_by(struct lab *lab, const char *path, unsigned ends)
{
    static const enum rv_file_change_what whats[] = {RV_FILE_MAKE_FOLDER, RV_FILE_REMOVE_FOLDER,
                                                     RV_FILE_REMOVE};
    size_t i;

    for (i = 0; i < sizeof whats / sizeof whats[0]; i++) {
        try_change(lab, whats[i], path, NULL);
        cr_assert(lab->error == REEVE_EEXIST || lab->error == REEVE_ENOTFILE ||
                      ended_as(lab->error, &lab->problem, ends),
                  "change %zu %s: %s", i, path, reeve_error_name(lab->error));
    }
    try_change(lab, RV_FILE_RENAME, path, "stolen");
    refused(lab, "rename from", path, ends);
    try_change(lab, RV_FILE_RENAME, "file", path);
    refused(lab, "rename to", path, ends);
    try_change(lab, RV_FILE_RENAME_TO_NEW, "file", path);
    refused(lab, "rename to new", path, ends);
    return 6;
}

/* A change is of the name itself: that of a link inside is no way out, what is behind it is. */
static bool names_a_link(const char *path)
{
    const char *slash = strchr(path, '/');

    return path[0] != '.' && (!slash || !slash[1]);
}

static unsigned tools_by(struct lab *lab, const char *path, unsigned ends)
{
    size_t i;

    for (i = 0; i < TOOLS; i++) {
        /* What only has no such name may be made, inside. */
        if (ends == NO_NAME && !strcmp(tool_names[i], "write_file"))
            continue;
        try_tool(lab, tool_names[i], path);
        cr_assert(lab->error, "%s %s: %s", tool_names[i], path, lab->said);
    }
    return TOOLS;
}

RV_TEST(file_outside_tools, ways_out, .timeout = 60)
{
    struct lab lab = {0};
    unsigned tries = 0;
    char path[512], behind[512], *before;
    size_t i, walk;

    ways_world(&lab.world, t);
    lab_open(&lab);
    before = snapshot(&lab.world);
    for (walk = 0; walk < 2; walk++) {
        cr_assert_eq(rv_root_force_walk(lab.world.root, walk), walk, "openat2 is needed here");
        for (i = 0; i < way_count; i++) {
            if (ways[i].ends == NO_NAME && !strchr(ways[i].path, '/'))
                continue; /* a file may be called so */
            way_path(&lab.world, &ways[i], "", path, sizeof path);
            way_path(&lab.world, &ways[i], "/new", behind, sizeof behind);
            tries += write_by(&lab, path, ways[i].ends);
            tries += write_by(&lab, behind, ways[i].ends | NO_NAME);
            if (!names_a_link(ways[i].path))
                tries += change_by(&lab, path, ways[i].ends);
            tries += change_by(&lab, behind, ways[i].ends | NO_NAME);
            tries += tools_by(&lab, path, ways[i].ends);
            outside_is(&lab, before, path);
        }
    }
    fprintf(stderr, "%zu ways, %u tries, by the kernel and by the walk\n", way_count, tries);
    cr_assert_geq(way_count, 40);
    free(before);
    lab_close(&lab);
}

/* ---- while names are moved about ---- */

struct race {
    const char *file, *made, *folder; /* by these ways */
    void (*move)(const struct world *world, struct shared *shared);
};

static bool takes_a_folder(const char *tool)
{
    return !strcmp(tool, "list_directory") || !strcmp(tool, "find_files") ||
           !strcmp(tool, "search_files");
}

static void one_round(struct lab *lab, const struct race *race, unsigned *well)
{
    size_t i;

    for (i = 0; i < TOOLS; i++) {
        try_tool(lab, tool_names[i], takes_a_folder(tool_names[i]) ? race->folder : race->file);
        *well += !lab->error;
        cr_assert_null(strstr(lab->said, "secret"), "%s: %s", tool_names[i], lab->said);
    }
    try_write(lab, RV_FILE_WRITE_NEW, race->made);
    try_write(lab, RV_FILE_WRITE_APPEND, race->made);
    try_write(lab, RV_FILE_WRITE_IN_PLACE, race->made);
    try_change(lab, RV_FILE_REMOVE, race->made, NULL);
    try_change(lab, RV_FILE_MAKE_FOLDER, race->made, NULL);
    try_change(lab, RV_FILE_REMOVE_FOLDER, race->made, NULL);
    try_change(lab, RV_FILE_RENAME, race->file, race->made);
    try_change(lab, RV_FILE_RENAME, race->made, race->file);
}

static void run_race(struct lab *lab, const struct race *race, bool walk)
{
    char *before = snapshot(&lab->world);
    unsigned swaps, well = 0, rounds = 0;
    struct mover mover;

    cr_assert_eq(rv_root_force_walk(lab->world.root, walk), walk);
    mover_start(&mover, &lab->world, race->move);
    while (mover.shared->swaps < SWAPS || rounds < ROUNDS || well < ROUNDS) {
        one_round(lab, race, &well);
        rounds++;
    }
    swaps = mover_stop(&mover);
    fprintf(stderr, "%s%s: %u swaps, %u rounds, %u calls of tools went well\n", race->file,
            walk ? " (walk)" : "", swaps, rounds, well);
    outside_is(lab, before, race->file);
    cr_assert_geq(swaps, 1000);
    free(before);
}

RV_TEST(file_outside_tools, link_in_a_race, .timeout = 60)
{
    static const struct race straight = {"swap/f", "swap/made", "swap", swap_link};
    static const struct race round = {"./swap/../swap/f", "./swap/../swap/made", "swap/.",
                                      swap_link};
    struct lab lab = {0};
    int walk;

    world_init(&lab.world, t);
    lab_open(&lab);
    world_text(&lab.world, "../outside/f", SECRET);
    world_text(&lab.world, "../outside/secret", SECRET);
    world_folder(&lab.world, "swap");
    world_text(&lab.world, "swap/f", "inside\n");
    world_link(&lab.world, "../outside", "way-out");
    for (walk = 0; walk < 2; walk++) {
        run_race(&lab, &straight, walk);
        run_race(&lab, &round, walk);
    }
    lab_close(&lab);
}

RV_TEST(file_outside_tools, folder_moved_out_in_a_race, .timeout = 60)
{
    static const struct race race = {"x/y/../../f", "x/y/../../made", "x/y/..", move_folder};
    struct lab lab = {0};
    int walk;

    world_init(&lab.world, t);
    lab_open(&lab);
    world_text(&lab.world, "../f", SECRET); /* two steps up from outside/y */
    world_text(&lab.world, "../secret", SECRET);
    world_text(&lab.world, "../outside/secret", SECRET);
    world_folder(&lab.world, "x");
    world_folder(&lab.world, "x/y");
    world_text(&lab.world, "f", "inside\n");
    for (walk = 0; walk < 2; walk++)
        run_race(&lab, &race, walk);
    lab_close(&lab);
}
