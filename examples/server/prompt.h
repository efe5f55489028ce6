/* SPDX-License-Identifier: MIT */
/*
 * What the last user message asks: its words, the paths it names, what it puts in quotes, and the
 * directives in brackets by which a test or a demo tells the scripted model what to do:
 *
 *   [fault:429]                         answer with a fault (fault.h says which there are)
 *   [call:write_file {"path": "a"}]     call this tool with these arguments; several such
 *                                       directives make several calls in one completion
 *   [think:Hm, a word.]                 think this first: in Anthropic's format a block with a
 *                                       signature, which must come back with the tools' results
 */
#ifndef MS_SERVER_PROMPT_H
#define MS_SERVER_PROMPT_H

#include "text.h"

#define MS_PROMPT_MAX_BYTES 65536
#define MS_MAX_WORDS 256
#define MS_MAX_CONTENT 32
#define MS_MAX_PATHS 16
#define MS_MAX_QUOTES 16
#define MS_MAX_DIRECTIVES 16

enum ms_intent {
    MS_TALK, /* nothing that a tool would help with, as far as the words tell */
    MS_LIST, /* show what is in a folder */
    MS_READ, /* show how files begin */
    MS_FIND, /* find the line in the files that answers a question */
    MS_CALL, /* do what the [call:…] directives say */
};

struct ms_directive {
    struct ms_span name;
    struct ms_span arguments; /* as written; "{}" when left out */
};

/* All spans point into `text`, or into the message it was made from. */
struct ms_prompt {
    struct ms_text text; /* the message without its directives */
    enum ms_intent intent;
    size_t words_count;
    size_t content_count;
    size_t paths_count;
    size_t quotes_count;
    size_t calls_count;
    struct ms_span words[MS_MAX_WORDS];
    struct ms_span content[MS_MAX_CONTENT]; /* words that carry the question, each once */
    bool content_starts[256];               /* bytes that one of them starts with, in either case */
    struct ms_span paths[MS_MAX_PATHS];     /* "notes.txt", "./a/b", "docs/" */
    struct ms_span quotes[MS_MAX_QUOTES];   /* what stands in "", '' or `` */
    struct ms_directive calls[MS_MAX_DIRECTIVES];
    struct ms_span think; /* of the first [think:…]; empty without one */
    struct ms_span fault; /* of the first [fault:…]; empty without one */
};

/* 0, or -1 without memory. A prompt over MS_PROMPT_MAX_BYTES is read up to there. `message` is
 * borrowed until ms_prompt_done. */
int ms_prompt_read(struct ms_span message, struct ms_prompt *ret_prompt);
void ms_prompt_done(struct ms_prompt *prompt);

#endif
