/* SPDX-License-Identifier: MIT */
/*
 * reeve-model-server: the scripted model as a process of its own.
 *
 * The first line on stdout is the base URL. It ends on SIGINT and SIGTERM with status 0; 1 means
 * that it could not start, 2 a wrong command line.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/server/model_server.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_CANNOT_START = 1,
    EXIT_USAGE = 2,
};

static const char help[] =
    "Usage: reeve-model-server [OPTION]...\n"
    "A scripted model behind an OpenAI-compatible server on 127.0.0.1. Prints its base URL.\n"
    "\n"
    "  --port N               listen on this port (default: one that is free)\n"
    "  --latency-ms N         wait before the first byte of an answer (30)\n"
    "  --chunk-bytes N        text in one event of a stream (12)\n"
    "  --tokens-per-second N  pace of a stream, 0 for no pace (200)\n"
    "  --max-body-bytes N     refuse larger requests with 413 (8388608)\n"
    "  --seed N               make up the same ids at each start (random)\n"
    "  --api-key KEY          demand this key, else 401\n"
    "  --model NAME           the name that /v1/models tells (scripted)\n"
    "  --fault SPEC           misbehave, as examples/server/fault.h says: 429:2*1, cut, stall...\n"
    "  --help                 show this and end\n";

enum option_id {
    OPTION_PORT = 256,
    OPTION_LATENCY,
    OPTION_CHUNK,
    OPTION_RATE,
    OPTION_MAX_BODY,
    OPTION_SEED,
    OPTION_KEY,
    OPTION_MODEL,
    OPTION_FAULT,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"latency-ms", required_argument, NULL, OPTION_LATENCY},
    {"chunk-bytes", required_argument, NULL, OPTION_CHUNK},
    {"tokens-per-second", required_argument, NULL, OPTION_RATE},
    {"max-body-bytes", required_argument, NULL, OPTION_MAX_BODY},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"api-key", required_argument, NULL, OPTION_KEY},
    {"model", required_argument, NULL, OPTION_MODEL},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* False, with a message, when the text is not a number up to `max`. */
static bool read_number(const char *text, unsigned long long max, unsigned long long *ret_number)
{
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || number > max) {
        fprintf(stderr, "reeve-model-server: '%s' is not a number from 0 to %llu\n", text, max);
        return false;
    }
    *ret_number = number;
    return true;
}

static bool read_unsigned(const char *text, unsigned max, unsigned *ret_number)
{
    unsigned long long number;

    if (!read_number(text, max, &number))
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static bool read_option(int id, struct model_server_options *options)
{
    unsigned long long number;

    switch (id) {
    case OPTION_PORT:
        if (!read_number(optarg, 65535, &number))
            return false;
        options->port = (uint16_t)number;
        return true;
    case OPTION_LATENCY:
        return read_unsigned(optarg, 3600000, &options->latency_ms);
    case OPTION_CHUNK:
        return read_unsigned(optarg, 65536, &options->chunk_bytes);
    case OPTION_RATE:
        return read_unsigned(optarg, 1000000000, &options->tokens_per_second);
    case OPTION_MAX_BODY:
        if (!read_number(optarg, 1ull << 30, &number))
            return false;
        options->max_body_bytes = (size_t)number;
        return true;
    case OPTION_SEED:
        if (!read_number(optarg, UINT64_MAX, &number))
            return false;
        options->seed = number;
        return true;
    case OPTION_KEY:
        options->api_key = optarg;
        return true;
    case OPTION_MODEL:
        options->model = optarg;
        return true;
    case OPTION_FAULT:
        options->fault = optarg;
        return true;
    default:
        return false; /* getopt has said what is wrong */
    }
}

/* EXIT_OK to go on, -1 after --help, EXIT_USAGE. */
static int read_options(int argc, char **argv, struct model_server_options *options)
{
    int id;

    while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (id == OPTION_HELP) {
            fputs(help, stdout);
            return -1;
        }
        if (!read_option(id, options))
            return EXIT_USAGE;
    }
    if (optind < argc) {
        fprintf(stderr, "reeve-model-server: unexpected argument '%s'\n", argv[optind]);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

/* Serves until a signal comes. */
static int serve(struct event_base *base, const struct model_server_options *options)
{
    struct event *on_int = evsignal_new(base, SIGINT, on_signal, base);
    struct event *on_term = evsignal_new(base, SIGTERM, on_signal, base);
    struct model_server *server = NULL;
    int exit_code = EXIT_CANNOT_START;
    int status = -ENOMEM;

    if (on_int && on_term && !event_add(on_int, NULL) && !event_add(on_term, NULL))
        status = model_server_new(base, options, &server);
    if (status == -EINVAL && options->fault) {
        fprintf(stderr, "reeve-model-server: there is no fault '%s'\n", options->fault);
        exit_code = EXIT_USAGE;
    } else if (status) {
        fprintf(stderr, "reeve-model-server: cannot listen on 127.0.0.1:%u: %s\n", options->port,
                strerror(-status));
    } else {
        printf("%s\n", model_server_url(server));
        fflush(stdout);
        event_base_dispatch(base);
        exit_code = EXIT_OK;
    }
    model_server_free(server);
    if (on_int)
        event_free(on_int);
    if (on_term)
        event_free(on_term);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct model_server_options options;
    struct event_base *base;
    int exit_code;

    model_server_options_init(&options);
    exit_code = read_options(argc, argv, &options);
    if (exit_code)
        return exit_code < 0 ? EXIT_OK : exit_code;
    signal(SIGPIPE, SIG_IGN); /* clients go at any time */
    base = event_base_new();
    if (!base) {
        fprintf(stderr, "reeve-model-server: no event base: out of memory\n");
        return EXIT_CANNOT_START;
    }
    exit_code = serve(base, &options);
    event_base_free(base);
    return exit_code;
}
