/* SPDX-License-Identifier: MIT */
/*
 * What the scripted model knows: the results of the tools, read off the transcript of the request
 * and from nowhere else.
 */
#ifndef MS_SERVER_EVIDENCE_H
#define MS_SERVER_EVIDENCE_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "text.h"

#define MS_MAX_ITEMS 512
#define MS_MAX_PATH_BYTES 1024

#define MS_LIST_TOOL "list_directory"
#define MS_READ_TOOL "read_file"

enum ms_item_kind {
    MS_LISTING,
    MS_FILE,
    MS_OTHER,
};

/* One call and its result. */
struct ms_item {
    enum ms_item_kind kind;
    bool error;   /* the result tells of a failure */
    bool current; /* called for after the last user message */
    const char *tool;
    const char *arguments;
    char path[MS_MAX_PATH_BYTES]; /* of a listing or a file, without "./" and a last '/' */
    struct ms_span text;
    char *owned; /* behind text, when the result came in parts */
};

struct ms_evidence {
    struct ms_item *items;
    size_t count;
    size_t room;
    struct ms_span question; /* the text of the last user message, empty without one */
    char *question_owned;
    size_t rounds; /* completions with tool calls since then */
};

/* Reads the messages of a request (of any shape: what does not fit is skipped). 0, or -1 without
 * memory. The tree is borrowed until ms_evidence_done. Beyond MS_MAX_ITEMS the newest count. */
int ms_evidence_read(yajl_val messages, struct ms_evidence *ret_evidence);
void ms_evidence_done(struct ms_evidence *evidence);

/* True when this file or folder need not be asked for: its result is known, or the tool failed on
 * it since the question was asked. */
bool ms_evidence_has(const struct ms_evidence *evidence, enum ms_item_kind kind, const char *path);

/* One entry of a listing: a line `name`, `name/`, or either followed by a tab and a size. A link is
 * `name@`; `name?` (a FIFO, a device) and remarks in brackets are passed over. */
struct ms_entry {
    char path[MS_MAX_PATH_BYTES]; /* the listing's folder and the name, joined */
    struct ms_span name;          /* without the '/' of a folder; points into the listing */
    bool is_folder;
    long long size_bytes; /* -1: not told */
};

/* The next entry at or after *offset of the listing's text. False at the end. */
bool ms_listing_next(const struct ms_item *listing, size_t *offset, struct ms_entry *ret_entry);

/* Brings "./a/", "a/." and "a" to one form; "." for the folder itself. False if it is too long. */
bool ms_path_normal(struct ms_span path, char ret_path[MS_MAX_PATH_BYTES]);

#endif
