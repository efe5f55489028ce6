/* SPDX-License-Identifier: MIT */
/*
 * What the scripted model does next.
 *
 * One request is one step: the plan is either calls or the final text. Each step asks only for what
 * the transcript does not hold yet, so that a conversation of steps ends; MAX_ROUNDS and MAX_READS
 * end it for a client whose tools never satisfy.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "mind.h"
#include "tools.h"

#define MAX_ROUNDS 8    /* completions with calls for one question */
#define MAX_READS 32    /* files read for one question */
#define CALLS_AT_ONCE 8 /* files read, or folders listed, by one completion */
#define MAX_FILE_BYTES (1024 * 1024)

/* The best files or folders found so far, best first; equals stay in the order they came. */
struct picks {
    size_t count;
    struct {
        char path[MS_MAX_PATH_BYTES];
        size_t rank;
    } best[CALLS_AT_ONCE];
};

int ms_plan_add_call(struct ms_plan *plan, struct ms_span name, struct ms_span arguments)
{
    struct ms_planned_call *call = &plan->calls[plan->calls_count];

    if (plan->calls_count == MS_MAX_PLANNED_CALLS)
        return 0;
    call->name = ms_span_copy(name);
    call->arguments = ms_span_copy(arguments);
    if (!call->name || !call->arguments) {
        free(call->name);
        free(call->arguments);
        return -1;
    }
    plan->calls_count++;
    return 0;
}

void ms_plan_done(struct ms_plan *plan)
{
    for (size_t i = 0; i < plan->calls_count; i++) {
        free(plan->calls[i].name);
        free(plan->calls[i].arguments);
    }
    plan->calls_count = 0;
    free(plan->thinking);
    plan->thinking = NULL;
    ms_text_done(&plan->text);
}

/* A failure to add shows in the plan's text, which is asked at the end. */
static void add_call(struct ms_mind *mind, yajl_val function, struct ms_text *arguments)
{
    struct ms_span name = ms_span_of(ms_json_string(function, "name"));
    struct ms_span json = {ms_text_string(arguments), arguments->len};

    if (arguments->failed || ms_plan_add_call(&mind->plan, name, json))
        mind->plan.text.failed = true;
}

static void call_with_path(struct ms_mind *mind, yajl_val function, const char *path)
{
    struct ms_text arguments;

    ms_text_init(&arguments, 8 * MS_MAX_PATH_BYTES);
    ms_tool_path_arguments(function, path, &arguments);
    add_call(mind, function, &arguments);
    ms_text_done(&arguments);
}

static void pick(struct picks *picks, const char *path, size_t rank)
{
    size_t at = picks->count;

    while (at > 0 && picks->best[at - 1].rank < rank)
        at--;
    if (at == CALLS_AT_ONCE)
        return;
    if (picks->count == CALLS_AT_ONCE)
        picks->count--;
    memmove(&picks->best[at + 1], &picks->best[at], (picks->count - at) * sizeof(picks->best[0]));
    strcpy(picks->best[at].path, path);
    picks->best[at].rank = rank;
    picks->count++;
}

static bool is_picked(const struct picks *picks, const char *path)
{
    for (size_t i = 0; i < picks->count; i++)
        if (strcmp(picks->best[i].path, path) == 0)
            return true;
    return false;
}

static bool call_picks(struct ms_mind *mind, yajl_val function, const struct picks *picks)
{
    for (size_t i = 0; i < picks->count; i++)
        call_with_path(mind, function, picks->best[i].path);
    return picks->count > 0;
}

static bool looks_like_text(const struct ms_entry *entry)
{
    static const char *const binary[] = {
        "7z",   "a",    "avi",  "bin", "bmp",  "bz2",    "class", "db",  "dll",  "doc",
        "docx", "exe",  "gif",  "gz",  "ico",  "img",    "iso",   "jar", "jpeg", "jpg",
        "la",   "lo",   "mkv",  "mov", "mp3",  "mp4",    "o",     "obj", "odt",  "ogg",
        "otf",  "pdf",  "png",  "pyc", "so",   "sqlite", "tar",   "tgz", "tiff", "ttf",
        "wav",  "webp", "woff", "xls", "xlsx", "xz",     "zip",   "zst", NULL,
    };
    const char *dot = memrchr(entry->name.s, '.', entry->name.len);
    const char *end = entry->name.s + entry->name.len;

    if (entry->name.s[0] == '.' || entry->size_bytes > MAX_FILE_BYTES)
        return false;
    return !dot || !ms_span_in((struct ms_span){dot + 1, (size_t)(end - dot - 1)}, binary);
}

static bool is_listing(const struct ms_item *item)
{
    return item->kind == MS_LISTING && !item->error;
}

static const struct ms_item *root_listing(const struct ms_mind *mind)
{
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (is_listing(item) && strcmp(item->path, ".") == 0)
            return item;
    }
    return NULL;
}

/* Files of the listings that were not asked for yet, by how well their names fit the question. */
static void pick_files(const struct ms_mind *mind, bool only_fitting, struct picks *picks)
{
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];
        struct ms_entry entry;
        size_t offset = 0;

        while (is_listing(item) && ms_listing_next(item, &offset, &entry)) {
            size_t rank = ms_mind_name_hits(mind, entry.path);

            if (entry.is_folder || !looks_like_text(&entry) || (only_fitting && rank == 0) ||
                !ms_mind_is_asked_about(mind, entry.path) || is_picked(picks, entry.path) ||
                ms_evidence_has(&mind->evidence, MS_FILE, entry.path))
                continue;
            pick(picks, entry.path, rank);
        }
    }
}

static void pick_folders(const struct ms_mind *mind, bool only_fitting, struct picks *picks)
{
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];
        struct ms_entry entry;
        size_t offset = 0;

        while (is_listing(item) && ms_listing_next(item, &offset, &entry)) {
            size_t rank = ms_mind_name_hits(mind, entry.path);

            if (!entry.is_folder || entry.name.s[0] == '.' || (only_fitting && rank == 0) ||
                !ms_mind_is_asked_about(mind, entry.path) || is_picked(picks, entry.path) ||
                ms_evidence_has(&mind->evidence, MS_LISTING, entry.path))
                continue;
            pick(picks, entry.path, rank);
        }
    }
}

/* What the listings say about a path of the prompt: the entry with this path or, for a bare name,
 * the first entry of this name anywhere. */
static bool find_entry(const struct ms_mind *mind, const char *path, struct ms_entry *ret_entry)
{
    bool found = false;

    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];
        struct ms_entry entry;
        size_t offset = 0;

        while (is_listing(item) && ms_listing_next(item, &offset, &entry)) {
            bool exact = strcmp(entry.path, path) == 0;

            if (!exact && (found || !ms_span_is(entry.name, path)))
                continue;
            *ret_entry = entry;
            found = true;
            if (exact)
                return true;
        }
    }
    return found;
}

/* Reads what the prompt names, whether a listing showed it or not: the user knows better. A folder
 * that it names is listed. */
static bool call_named(struct ms_mind *mind)
{
    for (size_t i = 0; i < mind->prompt.paths_count && mind->plan.calls_count < CALLS_AT_ONCE;
         i++) {
        struct ms_span named = mind->prompt.paths[i];
        bool is_folder = named.s[named.len - 1] == '/';
        char path[MS_MAX_PATH_BYTES];
        struct ms_entry entry;

        if (!ms_path_normal(named, path))
            continue;
        if (find_entry(mind, path, &entry)) {
            strcpy(path, entry.path);
            is_folder = entry.is_folder;
        }
        if (is_folder && mind->list_tool && !ms_evidence_has(&mind->evidence, MS_LISTING, path))
            call_with_path(mind, mind->list_tool, path);
        if (!is_folder && mind->read_tool && !ms_evidence_has(&mind->evidence, MS_FILE, path))
            call_with_path(mind, mind->read_tool, path);
    }
    return mind->plan.calls_count > 0;
}

static bool names_a_file(const struct ms_mind *mind)
{
    for (size_t i = 0; i < mind->prompt.paths_count; i++) {
        struct ms_span path = mind->prompt.paths[i];

        if (path.s[path.len - 1] != '/')
            return true;
    }
    return false;
}

static size_t reads_so_far(const struct ms_mind *mind)
{
    size_t count = 0;

    for (size_t i = 0; i < mind->evidence.count; i++)
        count += mind->evidence.items[i].kind == MS_FILE && mind->evidence.items[i].current;
    return count;
}

/* True when the whole question is the names of files: "read the notes". */
static bool only_names(const struct ms_mind *mind, const struct picks *fitting)
{
    for (size_t i = 0; i < fitting->count; i++)
        if (ms_mind_name_hits(mind, fitting->best[i].path) >= mind->prompt.content_count)
            return true;
    return false;
}

static bool explore(struct ms_mind *mind)
{
    struct picks folders = {.count = 0};
    struct picks files = {.count = 0};
    struct picks fitting = {.count = 0};

    if (mind->list_tool)
        pick_folders(mind, true, &folders);
    if (call_picks(mind, mind->list_tool, &folders))
        return true;
    if (mind->read_tool && reads_so_far(mind) < MAX_READS) {
        pick_files(mind, true, &fitting);
        if (mind->prompt.content_count > 0 && only_names(mind, &fitting))
            return call_picks(mind, mind->read_tool, &fitting);
        pick_files(mind, false, &files);
        if (call_picks(mind, mind->read_tool, &files))
            return true;
    }
    if (mind->list_tool)
        pick_folders(mind, false, &folders);
    return call_picks(mind, mind->list_tool, &folders);
}

static bool next_for_files(struct ms_mind *mind)
{
    if (ms_answer_is_known(mind))
        return false;
    if (mind->list_tool && !ms_evidence_has(&mind->evidence, MS_LISTING, ".")) {
        call_with_path(mind, mind->list_tool, ".");
        return true;
    }
    if (call_named(mind))
        return true;
    if (names_a_file(mind))
        return false;
    return explore(mind);
}

/* "list docs": the folder that the prompt names by path or by a word, else the root. */
static bool next_for_list(struct ms_mind *mind)
{
    const struct ms_item *root = root_listing(mind);
    struct picks folders = {.count = 0};

    if (!mind->list_tool)
        return false;
    if (mind->prompt.paths_count > 0)
        return call_named(mind);
    if (!root && !ms_evidence_has(&mind->evidence, MS_LISTING, ".")) {
        call_with_path(mind, mind->list_tool, ".");
        return true;
    }
    pick_folders(mind, true, &folders);
    return call_picks(mind, mind->list_tool, &folders);
}

static bool next_for_directives(struct ms_mind *mind)
{
    if (mind->evidence.rounds > 0)
        return false;
    for (size_t i = 0; i < mind->prompt.calls_count; i++) {
        const struct ms_directive *call = &mind->prompt.calls[i];

        if (!ms_tool_find(mind->request->tools, call->name))
            continue;
        if (ms_plan_add_call(&mind->plan, call->name, call->arguments))
            mind->plan.text.failed = true;
    }
    return mind->plan.calls_count > 0;
}

static bool next_for_other_tool(struct ms_mind *mind)
{
    struct ms_text arguments;
    yajl_val function;

    if (mind->evidence.rounds > 0)
        return false;
    ms_text_init(&arguments, MS_PROMPT_MAX_BYTES);
    function = ms_tool_wanted(mind->request->tools, &mind->prompt, &arguments);
    if (function)
        add_call(mind, function, &arguments);
    ms_text_done(&arguments);
    return function != NULL;
}

static bool next_calls(struct ms_mind *mind)
{
    if (mind->evidence.rounds >= MAX_ROUNDS || mind->request->tool_choice == MS_CHOICE_NONE)
        return false;
    switch (mind->prompt.intent) {
    case MS_CALL:
        return next_for_directives(mind);
    case MS_LIST:
        return next_for_list(mind);
    case MS_READ:
    case MS_FIND:
        return next_for_other_tool(mind) || next_for_files(mind);
    case MS_TALK:
        break;
    }
    return next_for_other_tool(mind);
}

/* tool_choice says that a tool must be called although nothing asks for it. */
static void call_by_force(struct ms_mind *mind)
{
    const struct ms_request *request = mind->request;
    yajl_val function = request->tool_choice == MS_CHOICE_NAMED
                            ? ms_tool_find(request->tools, ms_span_of(request->tool_name))
                            : ms_json_get(request->tools->u.array.values[0], "function");
    struct ms_text arguments;

    ms_text_init(&arguments, 8 * MS_PROMPT_MAX_BYTES);
    ms_tool_forced_arguments(function, &mind->prompt, &arguments);
    add_call(mind, function, &arguments);
    ms_text_done(&arguments);
}

static bool is_forced(const struct ms_mind *mind)
{
    enum ms_tool_choice choice = mind->request->tool_choice;

    return choice == MS_CHOICE_REQUIRED || choice == MS_CHOICE_NAMED;
}

/* Takes back the calls that the request does not let the model make. */
static void keep_allowed(struct ms_mind *mind)
{
    const char *name = mind->request->tool_name;
    struct ms_plan *plan = &mind->plan;
    size_t kept = 0;

    for (size_t i = 0; i < plan->calls_count; i++) {
        bool other =
            mind->request->tool_choice == MS_CHOICE_NAMED && strcmp(plan->calls[i].name, name) != 0;

        if (other || (mind->request->one_call_at_most && kept == 1)) {
            free(plan->calls[i].name);
            free(plan->calls[i].arguments);
            continue;
        }
        plan->calls[kept++] = plan->calls[i];
    }
    plan->calls_count = kept;
}

/* A directive that is too long is kept as far as it fits, to be refused by the fault's parser. */
static void note_question(struct ms_mind *mind)
{
    struct ms_span fault = mind->prompt.fault;
    struct ms_plan *plan = &mind->plan;

    if (fault.len >= sizeof(plan->fault))
        fault.len = ms_utf8_cut(fault.s, fault.len, sizeof(plan->fault) - 1);
    if (fault.len > 0)
        memcpy(plan->fault, fault.s, fault.len);
    plan->rounds = mind->evidence.rounds;
    if (mind->prompt.think.len > 0) {
        plan->thinking = ms_span_copy(mind->prompt.think);
        plan->text.failed = plan->text.failed || !plan->thinking;
    }
    plan->question_hash =
        ms_hash(MS_HASH_START, mind->evidence.question.s, mind->evidence.question.len);
}

static void think(struct ms_mind *mind)
{
    note_question(mind);
    next_calls(mind);
    keep_allowed(mind);
    if (mind->plan.calls_count == 0 && is_forced(mind))
        call_by_force(mind);
    if (mind->plan.calls_count == 0)
        ms_answer_write(mind);
}

int ms_script_think(const struct ms_request *request, struct ms_plan *ret_plan)
{
    struct ms_mind *mind = calloc(1, sizeof(*mind)); /* the prompt's arrays are large for a stack */
    int status = -1;

    if (!mind)
        return -1;
    mind->request = request;
    ms_text_init(&mind->plan.text, MS_MAX_ANSWER_BYTES);
    if (ms_evidence_read(request->messages, &mind->evidence))
        goto out_mind;
    if (ms_prompt_read(mind->evidence.question, &mind->prompt))
        goto out_evidence;
    mind->list_tool = ms_tool_find(request->tools, ms_span_of(MS_LIST_TOOL));
    mind->read_tool = ms_tool_find(request->tools, ms_span_of(MS_READ_TOOL));
    think(mind);
    if (mind->plan.text.failed) {
        ms_plan_done(&mind->plan);
    } else {
        *ret_plan = mind->plan;
        status = 0;
    }
    ms_prompt_done(&mind->prompt);
out_evidence:
    ms_evidence_done(&mind->evidence);
out_mind:
    free(mind);
    return status;
}
