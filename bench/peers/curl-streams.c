/* SPDX-License-Identifier: MIT */
/* Live streams by raw libcurl: curl-streams URL COUNT. Prints the memory that each takes. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/memory.h"
#include "bench/peers/curl-loop.h"

static size_t live;

static size_t on_data(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    live++;
    return size * count;
}

static void on_done(struct curl_loop *loop, CURL *easy, CURLcode result)
{
    (void)loop;
    (void)easy;
    (void)result;
    die("a stream");
}

static void add(struct curl_loop *loop, const char *url, size_t wanted)
{
    size_t i;
    CURL *easy;

    for (i = live; i < wanted; i++) {
        easy = curl_easy_init();
        if (!easy)
            die("memory");
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 600000L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
        curl_multi_add_handle(loop->multi, easy);
    }
    while (live < wanted)
        event_base_loop(loop->base, EVLOOP_ONCE);
}

int main(int argc, char **argv)
{
    struct curl_loop loop = {.done = on_done};
    size_t count;
    double before;

    if (argc != 3)
        die("usage: curl-streams URL COUNT");
    count = strtoul(argv[2], NULL, 10);
    bench_raise_descriptors(count);
    curl_loop_init(&loop);
    add(&loop, argv[1], 1);
    before = bench_memory_bytes();
    add(&loop, argv[1], count);
    printf("%f %f\n", (bench_memory_bytes() - before) / (double)(count - 1), before);
    return 0;
}
