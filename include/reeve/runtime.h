/* SPDX-License-Identifier: MIT */
/*
 * The runtime: one engine on one libevent loop. Everything else is created on a runtime and works
 * only while its loop runs. There is no global state; several runtimes may live in one process,
 * each used from one thread. `reeve_runtime_post` is the one function that other threads may call.
 */
#ifndef REEVE_RUNTIME_H
#define REEVE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct reeve_runtime;

struct reeve_runtime_options {
    size_t size;                             /* set by reeve_runtime_options_init */
    const struct reeve_allocator *allocator; /* copied; NULL: malloc, realloc and free */
    uint64_t seed; /* of the runtime's random numbers; 0: from the system */
};

/* Fill `options` with the defaults. To be called on every options struct before its fields are set.
 */
#define reeve_runtime_options_init(o) reeve_runtime_options_init_size((o), sizeof *(o))
void reeve_runtime_options_init_size(struct reeve_runtime_options *options, size_t size);

/*
 * Make a runtime on the host's loop.
 *
 * base: the host's event_base, which must outlive the runtime; NULL: the runtime makes and owns
 * one. options: NULL: the defaults. Returns 0; REEVE_EINVAL (an allocator with a missing function,
 * options not initialised), REEVE_ENOMEM, REEVE_ESYSTEM (a timer descriptor could not be had).
 */
int reeve_runtime_new(struct event_base *base, const struct reeve_runtime_options *options,
                      struct reeve_runtime **ret_runtime);

/*
 * Free a runtime. Whatever is pending on it is cancelled first: its callbacks run with
 * REEVE_ECANCELED before this function returns, and what they submit is refused with
 * REEVE_ECLOSING. Models, toolboxes and agents of this runtime must have been freed before; that is
 * asserted, as is that no callback of this runtime is on the stack. NULL is allowed.
 */
void reeve_runtime_free(struct reeve_runtime *runtime);

/*
 * Run the loop until no event is pending on it, which is when all work is done and the host's own
 * events are gone. The same as event_base_dispatch on the runtime's base.
 * Returns 0 or REEVE_ESYSTEM.
 */
int reeve_runtime_run(struct reeve_runtime *runtime);

/* The loop that the runtime works on. Never NULL. */
struct event_base *reeve_runtime_event_base(struct reeve_runtime *runtime);

/* How many operations have been started and not yet completed (completions, batches, agent runs,
 * …). */
size_t reeve_runtime_pending(const struct reeve_runtime *runtime);

/*
 * A piece of work that another thread hands to the loop. The caller owns the node, sets `run` and
 * `arg`, and must leave it alone from the post until `run` has been entered.
 */
struct reeve_post {
    void (*run)(struct reeve_runtime *runtime, void *arg);
    void *arg;
    struct reeve_post *next; /* the runtime's */
};

/*
 * Let the loop's thread call node->run(runtime, node->arg) soon. May be called from any thread, but
 * only between a hold and its release: the host sees to that order. Posts of one thread run in the
 * order they were made. Nothing is allocated, and this cannot fail.
 */
void reeve_runtime_post(struct reeve_runtime *runtime, struct reeve_post *node);

/*
 * Keep the loop running and listening for posts. Holds are counted; a loop without a hold and
 * without work has no pending event, so that event_base_dispatch returns. Loop's thread only.
 * Returns 0, REEVE_ENOMEM, REEVE_ECLOSING or REEVE_ESYSTEM (no descriptor could be had).
 */
int reeve_runtime_hold(struct reeve_runtime *runtime);

/*
 * Undo one hold. Posts made before the release still run: on the last release those that wait are
 * run from the loop. Loop's thread only.
 */
void reeve_runtime_release(struct reeve_runtime *runtime);

#ifdef __cplusplus
}
#endif
#endif
