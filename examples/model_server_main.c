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
#include <sys/resource.h>

#include "examples/server/model_server.h"

#define MAX_DESCRIPTORS 65536

enum exit_code {
    EXIT_OK = 0,
    EXIT_CANNOT_START = 1,
    EXIT_USAGE = 2,
};

static const char help[] =
    "Usage: reeve-model-server [OPTION]...\n"
    "A scripted model on 127.0.0.1. The first line that it prints is its base URL for OpenAI's\n"
    "format (POST URL/chat/completions, URL/embeddings, GET URL/models); that for Anthropic's\n"
    "(POST BASE/v1/messages) is the same without /v1.\n"
    "\n"
    "  --port N               listen on this port (default: one that is free)\n"
    "  --latency-ms N         wait before the first byte of an answer (30)\n"
    "  --chunk-bytes N        text in one event of a stream (12)\n"
    "  --tokens-per-second N  pace of a stream, 0 for no pace (200)\n"
    "  --max-body-bytes N     refuse larger requests with 413 (8388608)\n"
    "  --seed N               make up the same ids at each start (random)\n"
    "  --api-key KEY          demand this key, else 401\n"
    "  --model NAME           the name that /v1/models tells (scripted)\n"
    "  --fault SPEC           misbehave on each completion\n"
    "  --help                 show this and end\n"
    "\n"
    "A fault can be asked for by each request too: in the header x-reeve-fault, or by "
    "[fault:SPEC]\n"
    "in the user's message. SPEC is NAME[:VALUE][*COUNT][@TURN]: COUNT only for the first so many\n"
    "requests with this question, TURN only after so many completions with calls (@*: each).\n"
    "\n"
    "  400 ... 599      that status; VALUE: seconds for retry-after (429 and 503: 1)\n"
    "  context          400, the context is too long\n"
    "  quota            429, the quota is used up\n"
    "  echo-key         401 with the key that was sent\n"
    "  echo-key-in-stream, echo-key-in-text\n"
    "                   the key that was sent, in error-in-stream or as the model's text\n"
    "  html             a page of HTML; VALUE: its status (200)\n"
    "  cut, reset       the connection ends in the middle, by FIN or by RST (rst: the same);\n"
    "                   VALUE: after so many bytes of body\n"
    "  stall            nothing more from the middle on; VALUE: after so many bytes\n"
    "  wrong-length     Content-Length tells more than comes\n"
    "  gzip             the whole body as gzip\n"
    "  garbage          a piece of broken JSON in the middle\n"
    "  error-in-stream  an error in the middle, under status 200\n"
    "  content-type     text/plain in place of the right type\n"
    "  no-done          the stream lacks its last event\n"
    "  crlf, comments   lines that end in CR LF; a comment before each event\n"
    "  bad-utf8         two bytes in the middle that are no UTF-8\n"
    "  huge             text without an end (64 MiB)\n"
    "  bad-arguments    a call with broken arguments (not streamed, Anthropic's has none: {})\n"
    "  unknown-tool     a call of a tool that was not offered\n"
    "\n"
    "In the user's message [call:NAME {ARGUMENTS}] makes the model call a tool; several such, "
    "several\n"
    "at once. [think:WORDS] makes it think first: a block with a signature in Anthropic's format,\n"
    "which must come back unchanged with the results.\n";

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

/* Thousands of streams at once need more than the usual 1,024. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max < MAX_DESCRIPTORS ? limit.rlim_max : MAX_DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
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
    raise_descriptor_limit();
    base = event_base_new();
    if (!base) {
        fprintf(stderr, "reeve-model-server: no event base: out of memory\n");
        return EXIT_CANNOT_START;
    }
    exit_code = serve(base, &options);
    event_base_free(base);
    return exit_code;
}
