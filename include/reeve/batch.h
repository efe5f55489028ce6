/* SPDX-License-Identifier: MIT */
/*
 * Batches: many tool calls at once, with bounded concurrency. Each call ends with a result, which
 * is text for the model whatever happened; the batch goes on when a call fails.
 */
#ifndef REEVE_BATCH_H
#define REEVE_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/message.h>
#include <reeve/tool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_batch;

/* Which calls wait for which. A call of an unknown effect counts as a write. */
enum reeve_grouping {
    REEVE_GROUPING_WRITES_FIRST = 0, /* all writes one after another, then all reads in parallel */
    REEVE_GROUPING_HAZARDS, /* the order given between calls that touch the same thing, if one of
                               them writes it; unknown effects are barriers */
    REEVE_GROUPING_NONE,    /* all in parallel */
};

/* How a call ended. */
enum reeve_call_status {
    REEVE_CALL_PENDING = 0,
    REEVE_CALL_SUCCEEDED,
    REEVE_CALL_FAILED,    /* the tool said so, or memory was short */
    REEVE_CALL_UNKNOWN,   /* there is no tool of that name, or it is off */
    REEVE_CALL_INVALID,   /* its arguments are not what the tool takes */
    REEVE_CALL_TIMED_OUT, /* it ran longer than its limit */
    REEVE_CALL_CANCELED,
    REEVE_CALL_REFUSED, /* the host did not permit it */
};

/* What the host says to a question. */
enum reeve_permission {
    REEVE_PERMISSION_REFUSE = 0,
    REEVE_PERMISSION_ALLOW,  /* this call, with the arguments that it has */
    REEVE_PERMISSION_ALWAYS, /* and do not ask again, see reeve_batch_permit */
};

/* "succeeded", "failed", …; static text. */
const char *reeve_call_status_name(enum reeve_call_status status);

/* Where a result comes from. */
enum reeve_result_source {
    REEVE_SOURCE_RUN = 0, /* the call's own run, or it did not come to that */
    REEVE_SOURCE_CACHE,   /* an earlier call's (reeve_toolbox_set_cache) */
    REEVE_SOURCE_SHARED,  /* an equal call's that ran at the time; its status may be any */
};

/* "run", "cache", "shared"; static text. */
const char *reeve_result_source_name(enum reeve_result_source source);

/* The result of one call. Texts belong to the batch, and live until its on_done has returned. */
struct reeve_result {
    const char *call_id;
    const char *tool;
    enum reeve_call_status status;
    const char *text; /* for the model; NUL-terminated, valid UTF-8, never NULL once ended */
    size_t len;
    uint64_t started_us; /* since the batch was submitted; equal to ended_us if it never ran */
    uint64_t ended_us;
    enum reeve_result_source source;
    uint32_t attempts; /* times that its tool was started for it */
};

struct reeve_batch_options {
    size_t size;              /* set by reeve_batch_options_init */
    uint32_t max_concurrency; /* calls that run at once; [5] */
    enum reeve_grouping grouping;
    uint32_t timeout_ms;     /* for each call, from its start; time that it waits for permission or
                                for others does not count; 0: none; [60000] */
    uint32_t abandon_ms;     /* how long a call that was answered by time-out or cancel may go on,
                                with its permit, and holding up the calls that must wait for it,
                                before the batch goes on without it; [5000] */
    size_t max_output_bytes; /* of each result; [256 KiB]; at least 256 */
    void *context;           /* for the tools */

    /*
     * May be NULL. A call is about to start. Here, as in the others below, anything may be
     * cancelled, submitted or freed but the runtime.
     */
    void (*on_start)(struct reeve_batch *batch, size_t index, void *arg);
    /* May be NULL. A call has its result. */
    void (*on_result)(struct reeve_batch *batch, size_t index, void *arg);
    /*
     * Exactly once, from the loop, when every call is over: 0 or, after reeve_batch_cancel or a
     * free, REEVE_ECANCELED. Every call has a result in either case. The batch may be read in the
     * callback and dies after it.
     */
    void (*on_done)(struct reeve_batch *batch, int error, void *arg);
    void *arg;

    /*
     * May the call run? NULL: every call may. It is answered by reeve_batch_permit, here or later.
     * Questions come in the order of the calls, the next one when the last is answered or void, and
     * only about calls whose tool and arguments are good. A call takes its place in the order
     * before the question, so that no other overtakes it meanwhile, but no permit. The question is
     * void when the call gets its result without an answer (it was cancelled): on_result tells.
     * `call` may be read until then.
     */
    void (*on_permission)(struct reeve_batch *batch, size_t index,
                          const struct reeve_tool_call *call, void *arg);

    /*
     * May be NULL. More of a result, as the tool writes it (reeve_tool_call_write): valid UTF-8,
     * whole characters, no NUL behind it. Comes before on_result, and not for what a tool says when
     * it finishes. What is written faster than the loop comes round to hand it on loses its middle,
     * as a result does, if it is more than max_output_bytes.
     */
    void (*on_output)(struct reeve_batch *batch, size_t index, const char *bytes, size_t len,
                      void *arg);

    /*
     * Arguments that do not do as they stand are put right where it is certain what was meant:
     * strings in single quotes and commas too many; a string where the tool's schema has no place
     * for one, and in it, as JSON, the number, boolean, array or object that is wanted; the names
     * of the tool's aliases. The outcome is checked like any arguments. A value that fits is never
     * changed, nor is a string where the schema takes one, nor are arguments of more than 256 KiB.
     * Not 0: none of this.
     */
    int skip_normalization;

    /*
     * Not 0: the calls come whole, as those of a completion that ended by itself do
     * (REEVE_FINISH_TOOL_CALLS, REEVE_FINISH_STOP). Then brackets that are missing at the end of
     * the arguments are added, outside a string, and only for calls that read. [0]
     */
    int calls_complete;

    /* Not 0: results of earlier calls are neither looked for nor kept. [0] */
    int skip_cache;

    /*
     * Whose results may answer whose calls: only those of batches with the same scope, a text of
     * the host's ("user 17"), copied. NULL: "" if there is no context; with a context, which may
     * change what a tool says, nothing is looked for nor kept. [NULL]
     */
    const char *cache_scope;

    /* May be NULL. A context for each call, in their order, which goes before `context` unless it
     * is NULL. Copied. [NULL] */
    void *const *contexts;

    /*
     * Equal calls that only read are run once: of the same tool, arguments (whatever their order
     * and spelling) and context. One that could start while an equal one waits for a permit or
     * runs, and between which none is that writes, waits for that one's result without a permit. It
     * was permitted on its own, and its being cancelled ends only its own waiting; likewise the
     * other way round. on_start and on_output do not come for it. Not 0: each is run. [0]
     */
    int skip_sharing;

    /*
     * How often a call of an idempotent tool is tried that fails in a way which may pass: at least
     * 1. Before each further try it waits, without a permit, twice as long as before the last one,
     * from retry_wait_ms on and up to a minute, give or take a half. timeout_ms is for all tries
     * together. [3] [200]
     */
    uint32_t max_attempts;
    uint32_t retry_wait_ms;
    /* May be NULL. A call has failed so, and is tried again after `wait_ms`. What it wrote so far
     * is void. */
    void (*on_retry)(struct reeve_batch *batch, size_t index, uint32_t wait_ms, void *arg);

    /*
     * Not 0: arguments that are an object are handed to the tools as they are, and not held against
     * their schemas: for a host that has done so, or tools that do. [0]
     */
    int skip_validation;

    /* Not 0: the clock is not read for each call. started_us, ended_us and all times in the figures
     * but wall_us are 0. [0] */
    int skip_timing;

    /*
     * Not 0: of a result that is longer than max_output_bytes, on_output gets all that there is,
     * from tools that can read on as fast as it is taken: read_file, also of a file of many GB. Of
     * the file there is a piece in memory at a time, of 128 KiB at the most (all of it, if it is
     * too long only once it is repaired); the next one is read when on_output has returned. The
     * result is the same as without this, but that a NUL byte anywhere in what is read makes the
     * call fail, and what stood some way before it may have been heard by then. A result that fits
     * is not heard. Calls are neither answered by kept results nor do they share a run then. [0]
     */
    int stream_whole;
};

/* Fill `options` with the defaults, which stand in brackets above. */
#define reeve_batch_options_init(o) reeve_batch_options_init_size((o), sizeof *(o))
void reeve_batch_options_init_size(struct reeve_batch_options *options, size_t size);

/*
 * Run calls. They and their texts are copied, which is all that this does at once. Calls that
 * cannot run (no such tool, broken arguments) have a result that says why, and take no permit. An
 * empty batch completes with no results. Returns 0; REEVE_EINVAL (max_concurrency or max_attempts
 * 0, no on_done, a cap under 256 bytes, an unknown grouping, a call without id or name);
 * REEVE_ECLOSING; REEVE_ENOMEM. If it fails, no callback comes and no call was started.
 */
int reeve_batch_run(struct reeve_toolbox *toolbox, const struct reeve_call *calls, size_t count,
                    const struct reeve_batch_options *options, struct reeve_batch **ret_batch);

/*
 * Cancel what has not ended: nothing more is started, and the tools that run are told. on_done
 * comes later, with REEVE_ECANCELED, when they have finished or have been abandoned. Twice: no
 * effect.
 */
void reeve_batch_cancel(struct reeve_batch *batch);

/*
 * Answer the question about a call, in on_permission or later. No effect if that call is not being
 * asked about (it was answered before, or cancelled). A refused call gets a result that gives the
 * reason, for the model (NULL: none; copied); what had to wait for it runs all the same.
 * REEVE_PERMISSION_ALWAYS: nor is it asked, as long as the batch goes on, about later calls of the
 * same tool that do no more to the world (a read was allowed: other reads). Of a call whose effect
 * is unknown, such as a command, only the very same arguments are allowed by it.
 */
void reeve_batch_permit(struct reeve_batch *batch, size_t index, enum reeve_permission answer,
                        const char *reason);

/* Cancel one call; the rest goes on. An index past the end, or an ended call: no effect. */
void reeve_batch_cancel_call(struct reeve_batch *batch, size_t index);

/* The number of calls. */
size_t reeve_batch_count(const struct reeve_batch *batch);

/* The result of the call at `index`, in the order given; NULL past the end. */
const struct reeve_result *reeve_batch_result(const struct reeve_batch *batch, size_t index);

/* Figures of one batch. */
struct reeve_batch_stats {
    size_t size;                                 /* set by the caller: sizeof the struct */
    uint64_t calls, succeeded, failed, canceled; /* failed: failed, unknown, invalid, timed out */
    uint32_t peak_running;                       /* the most calls that ran at one moment */
    uint64_t wall_us;                            /* from submission to now or to the end */
    uint64_t sum_us;                             /* of the single times of the calls */
    uint64_t refused;
    double speedup;      /* sum_us / wall_us: against one call after the other; 1 in no time */
    uint64_t normalized; /* calls whose arguments were put right, whatever became of them */
    uint64_t cached;     /* calls that were answered by an earlier one's result, */
    uint64_t shared;     /* and by that of an equal one that ran at the time, whatever it was */
    uint64_t retries;    /* times that a call was tried again */
};

/* At the end, and for reeve_tool_stats always: calls = succeeded + failed + canceled + refused +
 * cached + shared. */

/* Fill *ret. Returns 0 or REEVE_EINVAL (its size is not set). */
int reeve_batch_stats(const struct reeve_batch *batch, struct reeve_batch_stats *ret);

#ifdef __cplusplus
}
#endif
#endif
