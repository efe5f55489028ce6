/* SPDX-License-Identifier: MIT */
/*
 * Posts from threads, as a program without Criterion, which does not run under ThreadSanitizer.
 * tests/scripts/threads builds it with that, and again with RV_PLANTED_RACE, which must be found.
 */
#include <event2/event.h>
#include <pthread.h>
#include <reeve/runtime.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define POSTS 3000
#define LIVES 100

struct sender {
    pthread_t thread;
    struct reeve_post posts[POSTS];
    unsigned handed_over[POSTS]; /* by the thread, before the post: that orders the two */
    unsigned received;           /* of the loop's thread */
};

static struct sender senders[THREADS];
static struct reeve_runtime *runtime;

static void expect(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "FAILED: %s\n", what);
    exit(1);
}

static void receive(struct reeve_runtime *of, void *arg)
{
    struct sender *sender = arg;

#ifndef RV_PLANTED_RACE
    expect(sender->handed_over[sender->received] == sender->received + 1, "order");
#else
    sender->handed_over[sender->received]++;
#endif
    if (++sender->received == POSTS)
        reeve_runtime_release(of);
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    unsigned i;

    for (i = 0; i < POSTS; i++) {
        sender->posts[i] = (struct reeve_post){.run = receive, .arg = sender};
        sender->handed_over[i] = i + 1;
        reeve_runtime_post(runtime, &sender->posts[i]);
#ifdef RV_PLANTED_RACE
        sender->handed_over[i] = i + 1;
#endif
    }
    return NULL;
}

static void many_senders(struct event_base *base)
{
    int i;

    expect(!reeve_runtime_new(base, NULL, &runtime), "new");
    for (i = 0; i < THREADS; i++) {
        expect(!reeve_runtime_hold(runtime), "hold");
        expect(!pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), "thread");
    }
    expect(event_base_dispatch(base) == 1, "dispatch");
    for (i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        expect(senders[i].received == POSTS, "a post was lost");
    }
    reeve_runtime_free(runtime);
}

static void release(struct reeve_runtime *of, void *arg)
{
    (void)arg;
    reeve_runtime_release(of);
}

static void *send_one(void *arg)
{
    reeve_runtime_post(runtime, arg);
    return NULL;
}

/* The runtime is freed while the thread may still be inside the call that posted. */
static void one_life(struct event_base *base)
{
    struct reeve_post post = {.run = release};
    pthread_t thread;

    expect(!reeve_runtime_new(base, NULL, &runtime), "new");
    expect(!reeve_runtime_hold(runtime), "hold");
    expect(!pthread_create(&thread, NULL, send_one, &post), "thread");
    expect(event_base_dispatch(base) == 1, "dispatch");
    reeve_runtime_free(runtime);
    pthread_join(thread, NULL);
}

int main(void)
{
    struct event_base *base = event_base_new();
    int i;

    expect(base != NULL, "base");
    many_senders(base);
    for (i = 0; i < LIVES; i++)
        one_life(base);
    event_base_free(base);
    fprintf(stderr, "%d posts of %d threads, %d lives\n", THREADS * POSTS, THREADS, LIVES);
    return 0;
}
