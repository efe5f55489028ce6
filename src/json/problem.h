/* SPDX-License-Identifier: MIT */
/* Saying where and why a text is not JSON, in words that a person or a model can act on. */
#ifndef RV_JSON_PROBLEM_H
#define RV_JSON_PROBLEM_H

#include <stddef.h>

#include "json/builder.h"
#include "json/reader.h"

/* The piece of text that the parser stopped in. */
struct rv_json_scene {
    const char *text;
    size_t len;
    size_t base; /* of its first byte, in the whole text */
    size_t at;   /* in the piece: where the parser says it stopped */
};

/* A refusal of the parser, explained from its own words and from what was built so far. */
void rv_json_problem_explain(struct rv_json_problem *problem, const struct rv_json_scene *scene,
                             const struct rv_json_builder *builder, const char *parser_words);

/* The text ended too early; the scene's text is the last piece. */
void rv_json_problem_ended(struct rv_json_problem *problem, const struct rv_json_scene *scene,
                           const struct rv_json_builder *builder);

void rv_json_problem_set(struct rv_json_problem *problem, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
