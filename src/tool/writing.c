/* SPDX-License-Identifier: MIT */
/* What a call writes while it runs, on its way to the host and into the result. */
#include "tool/writing.h"

#include <assert.h>

#include "tool/batch.h"
#include "tool/flight.h"
#include "tool/sharing.h"

#include <reeve/error.h>

static struct rv_writing *begin(struct reeve_tool_call *call)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_writing *writing = rv_zalloc(batch->mem, sizeof *writing);

    if (!writing)
        return NULL;
    writing->call = call;
    rv_list_init(&writing->node);
    rv_output_init(&writing->kept, batch->mem, batch->options.max_output_bytes);
    rv_output_init(&writing->pending, batch->mem, batch->options.max_output_bytes);
    call->flight->writing = writing;
    return writing;
}

/* Have the work task hand it on. */
static void hand_on_later(struct rv_writing *writing)
{
    struct reeve_batch *batch = writing->call->core->batch;

    if (rv_list_empty(&writing->node))
        rv_list_append(&batch->writings, &writing->node);
    rv_batch_look_for_work(batch);
}

/* To what is pending: first what was held back. */
static int add_pending(struct rv_writing *writing, const char *bytes, size_t len)
{
    int error = 0;

    if (writing->start_len)
        error = rv_output_add(&writing->pending, writing->start, writing->start_len);
    if (error)
        return error;
    writing->start_len = 0;
    return rv_output_add(&writing->pending, bytes, len);
}

void rv_writing_add(struct reeve_tool_call *call, const char *bytes, size_t len)
{
    struct reeve_batch *batch = call->core->batch;
    struct rv_writing *writing = call->flight->writing;

    if (!writing && !call->flight->lost_writing)
        writing = begin(call);
    if (!writing) {
        call->flight->lost_writing = true;
        return;
    }
    if (writing->lost || !len)
        return;
    writing->lost = rv_output_add(&writing->kept, bytes, len) != 0;
    if (!batch->options.on_output || writing->lost || call->answered)
        return; /* answered: it runs for others, and its own host has its result */
    assert(!writing->lent.memory);
    writing->lost = add_pending(writing, bytes, len) != 0;
    hand_on_later(writing);
}

bool rv_writing_streams_whole(const struct reeve_tool_call *call)
{
    const struct reeve_batch *batch = call->core->batch;

    return batch && batch->options.stream_whole && batch->options.on_output;
}

/* Somebody waits for the call's result: its own host, or other calls. */
static bool is_wanted(const struct reeve_tool_call *call)
{
    return !call->answered || rv_sharing_is_wanted(call);
}

int rv_writing_lend(struct reeve_tool_call *call, const struct rv_lent *lent)
{
    struct rv_writing *writing;

    if (!is_wanted(call) || !rv_writing_streams_whole(call))
        return REEVE_ECANCELED;
    writing = call->flight->writing ? call->flight->writing : begin(call);
    if (!writing)
        return REEVE_ENOMEM;
    assert(lent->len && !writing->lent.memory && !writing->pending.len && !writing->start_len);
    writing->lent = *lent;
    hand_on_later(writing);
    return 0;
}

size_t rv_writing_due_bytes(const struct rv_writing *writing)
{
    return writing->pending.len + writing->lent.len;
}

int rv_writing_end(struct rv_writing *writing, const char *text, size_t len, bool is_about,
                   const char **ret_text, size_t *ret_len)
{
    struct reeve_batch *batch = writing->call->core->batch;
    struct rv_output *kept = &writing->kept;
    int error = writing->lost ? REEVE_ENOMEM : 0;

    if (!error && kept->len && is_about)
        error = rv_output_add(kept, "\n", 1);
    if (!error && len)
        error = rv_output_add(kept, text, len);
    if (!error)
        error = rv_output_end(kept, &batch->arena, ret_text, ret_len);
    rv_output_done(kept);
    return error;
}

/* Who is to be told, while the batch lives. */
struct listener {
    struct rv_call_core *core;
    size_t index;
};

static bool tell(const char *text, size_t len, void *arg)
{
    struct listener *listener = arg;
    struct reeve_batch *batch = listener->core->batch;

    if (!batch || !batch->options.on_output)
        return false;
    batch->options.on_output(batch, listener->index, text, len, batch->options.arg);
    return true;
}

/*
 * A part of what is lent, which is not the writing's meanwhile: whoever ends the call in the host's
 * callback does not get at it. A call that somebody waits for still has its writing. One that runs
 * for others alone is not heard, and goes on.
 */
static void hand_on_lent(struct rv_writing *writing, struct listener *listener)
{
    struct reeve_tool_call *call = writing->call;
    struct rv_lent lent = writing->lent;
    size_t handed_on;

    writing->lent = (struct rv_lent){.memory = NULL};
    handed_on = call->answered ? lent.len : rv_output_pass(lent.text, lent.len, tell, listener);
    lent.text += handed_on;
    lent.len -= handed_on;
    if (!rv_writing_streams_whole(call) || !is_wanted(call)) {
        rv_free(call->core->mem, lent.memory);
    } else if (lent.len) {
        writing->lent = lent;
        hand_on_later(writing);
    } else {
        lent.taken(call, lent.memory, lent.arg);
    }
}

static void drop_lent(struct rv_writing *writing)
{
    rv_free(writing->kept.mem, writing->lent.memory);
    writing->lent = (struct rv_lent){.memory = NULL};
}

bool rv_writing_hand_on(struct rv_writing *writing, bool all)
{
    struct listener listener = {writing->call->core, rv_call_index(writing->call)};
    struct rv_output taken;

    rv_list_remove(&writing->node);
    if (all && writing->lent.memory && rv_sharing_is_wanted(writing->call)) {
        hand_on_later(writing); /* others wait for what comes of it */
        return true;
    }
    if (all)
        drop_lent(writing);
    if (writing->lent.memory) {
        hand_on_lent(writing, &listener);
        return listener.core->batch != NULL;
    }
    if (all && writing->start_len)
        writing->lost |= add_pending(writing, NULL, 0) != 0;
    taken = writing->pending;
    rv_output_init(&writing->pending, taken.mem, taken.max);
    if (!all && taken.len)
        writing->start_len = rv_output_unfinished(&taken, writing->start);
    rv_output_pieces(&taken, all, tell, &listener);
    rv_output_done(&taken);
    return listener.core->batch != NULL;
}

void rv_writing_free(struct rv_writing *writing)
{
    if (!writing)
        return;
    rv_list_remove(&writing->node);
    drop_lent(writing);
    rv_output_done(&writing->kept);
    rv_output_done(&writing->pending);
    rv_free(writing->kept.mem, writing);
}
