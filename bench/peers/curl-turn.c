/* SPDX-License-Identifier: MIT */
/* 64 small POSTs in flight by raw libcurl: curl-turn URL SECONDS. Easy handles are used again. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "bench/peers/curl-loop.h"
#include "bench/server.h"

enum { IN_FLIGHT = 64 };

struct turn {
    CURL *easy;
    size_t len;
    bool wrong;
};

static struct turn turns[IN_FLIGHT];
static struct curl_slist *headers;
static uint64_t end_ns;
static size_t done_count;

static size_t on_data(char *bytes, size_t size, size_t count, void *arg)
{
    struct turn *turn = arg;
    const size_t len = size * count;

    if (turn->len + len > sizeof BENCH_ANSWER - 1 || memcmp(&BENCH_ANSWER[turn->len], bytes, len))
        turn->wrong = true;
    turn->len += len;
    return len;
}

static void on_done(struct curl_loop *loop, CURL *easy, CURLcode result)
{
    struct turn *turn;
    long status = 0;
    char *given;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &given);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    turn = (struct turn *)(void *)given;
    if (result || status != 200 || turn->wrong || turn->len != sizeof BENCH_ANSWER - 1)
        die("a request");
    done_count++;
    turn->len = 0;
    curl_multi_remove_handle(loop->multi, easy);
    if (bench_wall_ns() < end_ns)
        curl_multi_add_handle(loop->multi, easy);
}

static void prepare(struct turn *turn, const char *url)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        die("memory");
    turn->easy = easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, BENCH_QUESTION);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof BENCH_QUESTION - 1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 600000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, turn);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, turn);
}

static void run(struct curl_loop *loop, size_t count, double seconds, double *ret_wall,
                double *ret_cpu)
{
    const uint64_t wall = bench_wall_ns();
    const uint64_t cpu = bench_cpu_ns();
    size_t i;

    end_ns = wall + (uint64_t)(seconds * 1e9);
    done_count = 0;
    for (i = 0; i < count; i++)
        curl_multi_add_handle(loop->multi, turns[i].easy);
    while (bench_wall_ns() < end_ns)
        event_base_loop(loop->base, EVLOOP_ONCE);
    *ret_wall = (double)done_count * 1e9 / (double)(bench_wall_ns() - wall);
    *ret_cpu = (double)done_count * 1e9 / (double)(bench_cpu_ns() - cpu);
    for (i = 0; i < count; i++)
        curl_multi_remove_handle(loop->multi, turns[i].easy);
    for (i = 0; i < count; i++)
        turns[i].len = 0;
}

int main(int argc, char **argv)
{
    struct curl_loop loop = {.done = on_done};
    double wall, cpu, lone, unused;
    size_t i;

    if (argc != 3)
        die("usage: curl-turn URL SECONDS");
    curl_loop_init(&loop);
    curl_multi_setopt(loop.multi, CURLMOPT_MAXCONNECTS, 256L);
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    for (i = 0; i < IN_FLIGHT; i++)
        prepare(&turns[i], argv[1]);
    run(&loop, IN_FLIGHT, 0.1, &unused, &unused);
    run(&loop, IN_FLIGHT, atof(argv[2]), &wall, &cpu);
    run(&loop, 1, 0.1, &lone, &unused);
    printf("%f %f %f\n", wall, cpu, 1e6 / lone);
    return 0;
}
