/* SPDX-License-Identifier: MIT */
/* What a response comes to. */
#include "model/answer.h"

#include <string.h>

#include <reeve/error.h>

#include "base/utf8.h"
#include "model/torn.h"

void rv_answer_init(struct rv_answer *answer, struct rv_mem *mem, size_t max_bytes,
                    int (*on_text)(const char *text, size_t len, void *arg), void *arg)
{
    *answer = (struct rv_answer){.on_text = on_text, .arg = arg};
    rv_buffer_init(&answer->text, mem, max_bytes);
    rv_assembly_init(&answer->calls, mem, max_bytes);
}

void rv_answer_done(struct rv_answer *answer)
{
    rv_buffer_done(&answer->text);
    rv_assembly_done(&answer->calls);
}

/* Tell of what was added to the text behind `start`. */
static int tell(struct rv_answer *answer, size_t start)
{
    if (!answer->on_text || answer->text.len == start)
        return 0;
    return answer->on_text(answer->text.data + start, answer->text.len - start, answer->arg);
}

/* The slow way: the piece begins or ends inside a character, or is not UTF-8 at all. */
static int add_broken(struct rv_answer *answer, const char *text, size_t len)
{
    const size_t start = answer->text.len;
    struct rv_buffer joined;
    size_t rest;
    int error;

    rv_buffer_init(&joined, answer->text.mem, SIZE_MAX - 1);
    error = rv_buffer_add(&joined, answer->held, answer->held_len);
    if (!error)
        error = rv_buffer_add(&joined, text, len);
    if (!error) {
        rest = rv_torn_unfinished(joined.data, joined.len);
        error = rv_torn_mend(&answer->text, joined.data, joined.len - rest);
        if (!error) {
            memcpy(answer->held, joined.data + joined.len - rest, rest);
            answer->held_len = rest;
        }
    }
    rv_buffer_done(&joined);
    return error ? error : tell(answer, start);
}

static int add_text(struct rv_answer *answer, const char *text, size_t len)
{
    const size_t start = answer->text.len;
    int error;

    if (answer->held_len || !rv_utf8_valid(text, len))
        return add_broken(answer, text, len);
    error = rv_buffer_add(&answer->text, text, len);
    return error ? error : tell(answer, start);
}

int rv_answer_add(struct rv_answer *answer, const struct rv_event *event)
{
    switch (event->kind) {
    case RV_EVENT_TEXT:
        return add_text(answer, event->text, event->len);
    case RV_EVENT_CALL:
        return rv_assembly_add(&answer->calls, &event->call);
    case RV_EVENT_FINISH:
        answer->finish = event->finish;
        return 0;
    case RV_EVENT_USAGE:
        answer->usage = event->usage;
        return 0;
    case RV_EVENT_REASONING: /* no part of the answer */
    case RV_EVENT_ERROR:
    case RV_EVENT_END:
        break;
    }
    return 0;
}

int rv_answer_end(struct rv_answer *answer)
{
    const size_t start = answer->text.len;
    int error;

    if (!answer->held_len)
        return 0;
    error = rv_torn_mend(&answer->text, answer->held, answer->held_len);
    if (error)
        return error;
    answer->held_len = 0;
    return tell(answer, start);
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
        if (answer->finish == REEVE_FINISH_STOP || answer->finish == REEVE_FINISH_OTHER)
            answer->finish = REEVE_FINISH_TOOL_CALLS;
    } else if (answer->finish == REEVE_FINISH_TOOL_CALLS) {
        answer->finish = REEVE_FINISH_STOP;
    }
    return 0;
}
