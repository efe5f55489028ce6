/* SPDX-License-Identifier: MIT */
/*
 * Memory that nobody looks at any more. To give megabytes back to the system takes milliseconds, in
 * which a host would have to wait: it is done a chunk at a time, by a task, and what is left when
 * the runtime is freed goes then.
 *
 * The newest goes first. A C library gives the top of its heap back to the system, and what was
 * taken last is nearest to it: so it does in small steps what else it would do in one large step,
 * when at last nothing lies above all that has become free.
 */
#include "loop/clock.h"
#include "loop/core.h"

static void run_shrink(struct rv_task *task)
{
    struct rv_grave *grave = rv_container_of(task, struct rv_grave, task);
    struct reeve_runtime *runtime = rv_container_of(grave, struct reeve_runtime, grave);

    if (rv_arena_shrink(&grave->arena))
        rv_ready_push(runtime, task);
    rv_precise_now_ns(runtime); /* one chunk takes as long as many tasks do */
}

void rv_grave_init(struct reeve_runtime *runtime)
{
    rv_arena_init(&runtime->grave.arena, runtime->mem);
    rv_task_init(&runtime->grave.task, run_shrink);
}

void rv_grave_done(struct reeve_runtime *runtime)
{
    rv_ready_remove(&runtime->grave.task);
    rv_arena_done(&runtime->grave.arena);
}

void rv_runtime_bury(struct reeve_runtime *runtime, struct rv_arena *arena)
{
    if (!rv_arena_is_large(arena)) { /* as most are: that is soon done */
        rv_arena_done(arena);
        return;
    }
    rv_arena_take(&runtime->grave.arena, arena);
    rv_ready_push(runtime, &runtime->grave.task);
}
