/* SPDX-License-Identifier: MIT */
/* What of an answer stands where. */
#include "model/layout.h"

#include <assert.h>
#include <reeve/error.h>

void rv_layout_init(struct rv_layout *layout, struct rv_mem *mem, size_t max_bytes)
{
    *layout = (struct rv_layout){.mem = mem, .max_bytes = max_bytes};
}

void rv_layout_done(struct rv_layout *layout)
{
    size_t i;

    for (i = 0; i < layout->count; i++) {
        rv_flow_done(&layout->parts[i].thought);
        rv_buffer_done(&layout->parts[i].mark);
    }
    rv_free(layout->mem, layout->parts);
    layout->parts = NULL;
    layout->count = 0;
    layout->capacity = 0;
}

static int add_part(struct rv_layout *layout, enum rv_part_kind kind,
                    struct rv_answer_part **ret_part)
{
    const size_t capacity = layout->capacity ? 2 * layout->capacity : 1;
    struct rv_answer_part *parts;

    if (layout->count == RV_MAX_ANSWER_PARTS)
        return REEVE_ETOOBIG;
    if (layout->count == layout->capacity) {
        parts = rv_realloc(layout->mem, layout->parts, capacity * sizeof *parts);
        if (!parts)
            return REEVE_ENOMEM;
        layout->parts = parts;
        layout->capacity = capacity;
    }
    assert(layout->parts);
    parts = &layout->parts[layout->count++];
    *parts = (struct rv_answer_part){.kind = kind};
    rv_flow_init(&parts->thought, layout->mem, layout->max_bytes);
    rv_buffer_init(&parts->mark, layout->mem, layout->max_bytes);
    *ret_part = parts;
    return 0;
}

int rv_layout_open_text(struct rv_layout *layout)
{
    struct rv_answer_part *last = layout->count ? &layout->parts[layout->count - 1] : NULL;

    return last && last->kind == RV_PART_TEXT ? 0 : add_part(layout, RV_PART_TEXT, &last);
}

void rv_layout_text(struct rv_layout *layout, size_t len)
{
    layout->parts[layout->count - 1].len += len;
}

int rv_layout_call(struct rv_layout *layout)
{
    struct rv_answer_part *part;

    return add_part(layout, RV_PART_CALL, &part);
}

/* The last reasoning with that number. */
static struct rv_answer_part *find(const struct rv_layout *layout, int64_t block)
{
    size_t i;

    for (i = layout->count; i > 0; i--) {
        struct rv_answer_part *part = &layout->parts[i - 1];

        if (part->kind == RV_PART_REASONING && part->block == block)
            return part;
    }
    return NULL;
}

int rv_layout_reasoning(struct rv_layout *layout, int64_t block, bool begins,
                        struct rv_flow **ret_thought)
{
    struct rv_answer_part *part = begins ? NULL : find(layout, block);
    int error;

    if (!part) {
        error = add_part(layout, RV_PART_REASONING, &part);
        if (error)
            return error;
        part->block = block;
    }
    *ret_thought = &part->thought;
    return 0;
}

/* Without the reasoning that it belongs to it is of no use. */
int rv_layout_signature(struct rv_layout *layout, int64_t block, const char *text, size_t len)
{
    struct rv_answer_part *part = find(layout, block);

    return part ? rv_buffer_add(&part->mark, text, len) : 0;
}

int rv_layout_sealed(struct rv_layout *layout, const char *data, size_t len)
{
    struct rv_answer_part *part;
    int error = add_part(layout, RV_PART_SEALED, &part);

    if (error)
        return error;
    part->whole = true;
    return rv_buffer_add(&part->mark, data, len);
}

void rv_layout_reasoning_end(struct rv_layout *layout, int64_t block)
{
    struct rv_answer_part *part = find(layout, block);

    if (part)
        part->whole = true;
}

int rv_layout_end(struct rv_layout *layout)
{
    size_t i;
    int error = 0;

    for (i = 0; i < layout->count && !error; i++)
        error = rv_flow_end(&layout->parts[i].thought);
    return error;
}

/* ---- the message ----------------------------------------------------------------------------- */

static bool is_reasoning(const struct rv_answer_part *part)
{
    return part->kind == RV_PART_REASONING || part->kind == RV_PART_SEALED;
}

static bool is_kept(const struct rv_answer_part *part, bool complete, size_t calls_left)
{
    if (part->kind == RV_PART_CALL)
        return calls_left > 0;
    return !is_reasoning(part) || complete || (part->whole && part->mark.len);
}

int rv_layout_parts(const struct rv_layout *layout, bool complete, size_t calls,
                    struct rv_part **ret_parts, size_t *ret_count)
{
    struct rv_part *parts;
    size_t i, count = 0, reasoning = 0;

    for (i = 0; i < layout->count; i++)
        reasoning += is_reasoning(&layout->parts[i]) && is_kept(&layout->parts[i], complete, 0);
    *ret_parts = NULL;
    *ret_count = 0;
    if (!reasoning)
        return 0;
    parts = rv_alloc_array(layout->mem, layout->count, sizeof *parts);
    if (!parts)
        return REEVE_ENOMEM;
    for (i = 0; i < layout->count; i++) {
        const struct rv_answer_part *part = &layout->parts[i];

        if (!is_kept(part, complete, calls))
            continue;
        calls -= part->kind == RV_PART_CALL;
        parts[count++] = (struct rv_part){
            .kind = part->kind,
            .text = rv_buffer_text(&part->thought.text),
            .len = part->kind == RV_PART_TEXT ? part->len : part->thought.text.len,
            .mark = rv_buffer_text(&part->mark),
            .mark_len = part->mark.len,
        };
    }
    *ret_parts = parts;
    *ret_count = count;
    return 0;
}
