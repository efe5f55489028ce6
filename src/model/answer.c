/* SPDX-License-Identifier: MIT */
/* What a response comes to. */
#include "model/answer.h"

#include <reeve/error.h>

void rv_answer_init(struct rv_answer *answer, struct rv_mem *mem, size_t max_bytes,
                    const struct rv_listener *listener)
{
    *answer = (struct rv_answer){0};
    if (listener)
        answer->listener = *listener;
    rv_flow_init(&answer->text, mem, max_bytes);
    rv_assembly_init(&answer->calls, mem, max_bytes);
    rv_layout_init(&answer->layout, mem, max_bytes);
}

void rv_answer_done(struct rv_answer *answer)
{
    rv_flow_done(&answer->text);
    rv_assembly_done(&answer->calls);
    rv_layout_done(&answer->layout);
}

/* Note and tell what was added to the text behind `start`; a part for it is open. */
static int tell_text(struct rv_answer *answer, size_t start)
{
    const struct rv_buffer *text = &answer->text.text;

    rv_layout_text(&answer->layout, text->len - start);
    if (!answer->listener.text || text->len == start)
        return 0;
    return answer->listener.text(text->data + start, text->len - start, answer->listener.arg);
}

static int add_text(struct rv_answer *answer, const struct rv_event *event)
{
    const size_t start = answer->text.text.len;
    int error = rv_layout_open_text(&answer->layout);

    if (!error)
        error = rv_flow_add(&answer->text, event->text, event->len);
    return error ? error : tell_text(answer, start);
}

static int add_reasoning(struct rv_answer *answer, const struct rv_event *event)
{
    struct rv_flow *thought;
    const struct rv_buffer *text;
    size_t start;
    int error;

    error = rv_layout_reasoning(&answer->layout, event->block, event->begins, &thought);
    if (error)
        return error;
    text = &thought->text;
    start = text->len;
    error = rv_flow_add(thought, event->text, event->len);
    if (error || !answer->listener.reasoning || text->len == start)
        return error;
    return answer->listener.reasoning(text->data + start, text->len - start, answer->listener.arg);
}

static int add_call(struct rv_answer *answer, const struct rv_event *event)
{
    const size_t before = answer->calls.count;
    int error = rv_assembly_add(&answer->calls, &event->call);

    if (error || answer->calls.count == before)
        return error;
    return rv_layout_call(&answer->layout);
}

int rv_answer_add(struct rv_answer *answer, const struct rv_event *event)
{
    switch (event->kind) {
    case RV_EVENT_TEXT:
        return add_text(answer, event);
    case RV_EVENT_CALL:
        return add_call(answer, event);
    case RV_EVENT_REASONING:
        return add_reasoning(answer, event);
    case RV_EVENT_SIGNATURE:
        return rv_layout_signature(&answer->layout, event->block, event->text, event->len);
    case RV_EVENT_SEALED:
        return rv_layout_sealed(&answer->layout, event->text, event->len);
    case RV_EVENT_REASONING_END:
        rv_layout_reasoning_end(&answer->layout, event->block);
        return 0;
    case RV_EVENT_FINISH:
        answer->finish = event->finish;
        return 0;
    case RV_EVENT_USAGE:
        answer->usage = event->usage;
        return 0;
    case RV_EVENT_ERROR:
    case RV_EVENT_END:
        break;
    }
    return 0;
}

int rv_answer_end(struct rv_answer *answer)
{
    const size_t start = answer->text.text.len;
    int error = rv_layout_end(&answer->layout);

    if (error || !answer->text.held_len)
        return error;
    error = rv_layout_open_text(&answer->layout);
    if (!error)
        error = rv_flow_end(&answer->text);
    return error ? error : tell_text(answer, start);
}

int rv_answer_finish(struct rv_answer *answer, uint64_t seed)
{
    int error;

    /* What the filter cut off may be half a call. */
    if (answer->finish == REEVE_FINISH_FILTER)
        rv_assembly_clear(&answer->calls);
    error = rv_assembly_finish(&answer->calls, seed);
    if (error)
        return error;
    if (answer->calls.count) {
        if (answer->finish == REEVE_FINISH_STOP || answer->finish == REEVE_FINISH_OTHER ||
            answer->finish == REEVE_FINISH_PAUSED)
            answer->finish = REEVE_FINISH_TOOL_CALLS;
    } else if (answer->finish == REEVE_FINISH_TOOL_CALLS) {
        answer->finish = REEVE_FINISH_STOP;
    }
    return 0;
}
