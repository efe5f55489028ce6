/* SPDX-License-Identifier: MIT */
/*
 * Posts: a list under a mutex, and a signal (an eventfd) when it stops being empty. The signal is
 * given under the mutex too: the node may run as soon as the list is unlocked, and what it runs may
 * release the last hold and free the runtime, so that unlocking is the last that the posting thread
 * does to it. Each post runs as a task of its own, so that a flood of them is sliced.
 */
#include <assert.h>

#include <reeve/error.h>

#include "base/export.h"
#include "loop/core.h"
#include "loop/system.h"

static void take_posts(struct rv_post_box *posts)
{
    pthread_mutex_lock(&posts->lock);
    posts->taken = posts->first;
    posts->first = NULL;
    posts->tail = &posts->first;
    pthread_mutex_unlock(&posts->lock);
}

/*
 * Returns false if there was none. The list is looked at again before the last one taken runs: the
 * signal of what was posted meanwhile may have come while the task was queued, to no effect.
 */
static bool run_one(struct reeve_runtime *runtime)
{
    struct rv_post_box *posts = &runtime->posts;
    struct reeve_post *node;

    if (!posts->taken)
        take_posts(posts);
    node = posts->taken;
    if (!node)
        return false;
    posts->taken = node->next;
    if (!posts->taken)
        take_posts(posts);
    if (posts->taken)
        rv_ready_push(runtime, &posts->task);
    node->run(runtime, node->arg);
    return true;
}

static void run_task(struct rv_task *task)
{
    run_one(rv_container_of(task, struct reeve_runtime, posts.task));
}

int rv_posts_init(struct reeve_runtime *runtime)
{
    struct rv_post_box *posts = &runtime->posts;

    if (pthread_mutex_init(&posts->lock, NULL))
        return REEVE_ESYSTEM;
    posts->first = NULL;
    posts->tail = &posts->first;
    posts->taken = NULL;
    posts->holds = 0;
    rv_task_init(&posts->task, run_task);
    return 0;
}

void rv_posts_run_all(struct reeve_runtime *runtime)
{
    while (run_one(runtime))
        ;
    rv_ready_remove(&runtime->posts.task);
}

void rv_posts_done(struct reeve_runtime *runtime)
{
    pthread_mutex_destroy(&runtime->posts.lock);
}

void rv_loop_posted(struct reeve_runtime *runtime)
{
    rv_ready_push(runtime, &runtime->posts.task);
}

RV_EXPORT void reeve_runtime_post(struct reeve_runtime *runtime, struct reeve_post *node)
{
    struct rv_post_box *posts = &runtime->posts;
    bool first;

    node->next = NULL;
    pthread_mutex_lock(&posts->lock);
    first = !posts->first;
    *posts->tail = node;
    posts->tail = &node->next;
    if (first)
        rv_system_post_signal(runtime->system);
    pthread_mutex_unlock(&posts->lock);
}

RV_EXPORT int reeve_runtime_hold(struct reeve_runtime *runtime)
{
    int rc;

    if (runtime->closing)
        return REEVE_ECLOSING;
    if (!runtime->posts.holds) {
        rc = rv_system_listen(runtime->system, true);
        if (rc)
            return rc;
    }
    runtime->posts.holds++;
    return 0;
}

RV_EXPORT void reeve_runtime_release(struct reeve_runtime *runtime)
{
    struct rv_post_box *posts = &runtime->posts;
    bool waiting;

    assert(posts->holds);
    if (--posts->holds)
        return;
    rv_system_listen(runtime->system, false);
    pthread_mutex_lock(&posts->lock);
    waiting = posts->first;
    pthread_mutex_unlock(&posts->lock);
    if (waiting)
        rv_ready_push(runtime, &posts->task);
}
