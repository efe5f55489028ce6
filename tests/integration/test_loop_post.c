/* SPDX-License-Identifier: MIT */
/* Posts from other threads. To be run under ThreadSanitizer too (--with-sanitizer=thread). */
#include "tests/integration/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS 4
#define POSTS 20000
#define LIVES 200

struct numbered {
    struct reeve_post post;
    struct sender *sender;
    unsigned number;
};

struct sender {
    pthread_t thread;
    struct numbered *posts;
    unsigned next; /* of the loop's thread: what must come next */
    bool flood;    /* without a pause */
};

static struct sender senders[THREADS];
static pthread_t loop_thread;

static void receive(struct reeve_runtime *of, void *arg)
{
    struct numbered *numbered = arg;

    cr_assert_eq(of, runtime);
    cr_assert(pthread_equal(pthread_self(), loop_thread));
    cr_assert_eq(numbered->number, numbered->sender->next, "out of order");
    if (++numbered->sender->next == POSTS)
        reeve_runtime_release(of);
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    unsigned i;

    for (i = 0; i < POSTS; i++) {
        reeve_runtime_post(runtime, &sender->posts[i].post);
        if (!sender->flood && i % 1000 == 0)
            usleep(500);
    }
    return NULL;
}

static void start_sender(struct rv_test *t, struct sender *sender, bool flood)
{
    unsigned i;

    sender->flood = flood;
    sender->posts = rv_alloc_array(t->mem, POSTS, sizeof *sender->posts);
    cr_assert_not_null(sender->posts);
    for (i = 0; i < POSTS; i++) {
        sender->posts[i].post.run = receive;
        sender->posts[i].post.arg = &sender->posts[i];
        sender->posts[i].sender = sender;
        sender->posts[i].number = i;
    }
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(pthread_create(&sender->thread, NULL, send_all, sender), 0);
}

static void run_senders(struct rv_test *t, bool flood)
{
    int i;

    loop_thread = pthread_self();
    for (i = 0; i < THREADS; i++)
        start_sender(t, &senders[i], flood);
    cr_assert_eq(event_base_dispatch(base), 1);
    for (i = 0; i < THREADS; i++) {
        cr_assert_eq(senders[i].next, POSTS);
        pthread_join(senders[i].thread, NULL);
        rv_free(t->mem, senders[i].posts);
    }
}

RV_LOOP_TEST(post, of_many_threads_keeps_the_order_of_each, .timeout = 60)
{
    run_senders(t, false);
}

RV_LOOP_TEST(post, may_come_as_a_flood, .timeout = 60)
{
    run_senders(t, true);
}

static void release(struct reeve_runtime *of, void *arg)
{
    ++*(int *)arg;
    reeve_runtime_release(of);
}

static void *send_one(void *arg)
{
    reeve_runtime_post(runtime, arg);
    return NULL;
}

/*
 * The post lets the loop end and the runtime be freed, while the thread may still be inside the
 * call that posted it.
 */
RV_TEST(post, may_be_the_last_thing, .timeout = 60)
{
    struct reeve_post post;
    pthread_t thread;
    int runs = 0;
    int i;

    for (i = 0; i < LIVES; i++) {
        set_up(t);
        post = (struct reeve_post){.run = release, .arg = &runs};
        cr_assert_eq(reeve_runtime_hold(runtime), 0);
        cr_assert_eq(pthread_create(&thread, NULL, send_one, &post), 0);
        cr_assert_eq(event_base_dispatch(base), 1);
        tear_down(t);
        pthread_join(thread, NULL);
        cr_assert_eq(runs, i + 1);
    }
}

static void *send_late(void *arg)
{
    usleep(60000);
    reeve_runtime_post(runtime, arg);
    return NULL;
}

RV_LOOP_TEST(hold, waits_without_working)
{
    uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    struct reeve_post post;
    uint64_t cpu_ns;
    pthread_t thread;
    int runs = 0;

    post = (struct reeve_post){.run = release, .arg = &runs};
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    cr_assert_eq(pthread_create(&thread, NULL, send_late, &post), 0);
    cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    cr_assert_eq(event_base_dispatch(base), 1);
    cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    pthread_join(thread, NULL);
    cr_assert_eq(runs, 1);
    cr_assert_geq(ms_since(start_ns), 60, "the loop did not wait for the post");
    cr_assert_lt(cpu_ns, 20000000, "%llu ns of work", (unsigned long long)cpu_ns);
}

/* Posts that were made before the last release run, though nobody listens any more. */
RV_LOOP_TEST(hold, whose_release_finds_posts_runs_them)
{
    struct reeve_post posts[2];
    pthread_t thread;
    int runs = 0;
    int i;

    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    for (i = 0; i < 2; i++) {
        cr_assert_eq(reeve_runtime_hold(runtime), 0);
        posts[i] = (struct reeve_post){.run = release, .arg = &runs};
        cr_assert_eq(pthread_create(&thread, NULL, send_one, &posts[i]), 0);
        pthread_join(thread, NULL);
    }
    cr_assert_eq(runs, 0);
    cr_assert_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    cr_assert_eq(runs, 2);

    posts[0].run = release;
    cr_assert_eq(reeve_runtime_hold(runtime), 0);
    reeve_runtime_post(runtime, &posts[0]);
    reeve_runtime_release(runtime);
    cr_assert_eq(event_base_dispatch(base), 1);
    cr_assert_eq(runs, 3);
}
