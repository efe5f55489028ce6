/* SPDX-License-Identifier: MIT */
/* What the command line and the environment ask for. */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve/batch.h>
#include <reeve/model.h>

/* The exit codes of reeve-agent, as its --help and its manual page tell them. */
enum exit_code {
    EXIT_ANSWERED = 0,
    EXIT_REQUEST_FAILED = 1, /* the model could not be asked, or its answer could not be used */
    EXIT_USAGE = 2,          /* the command line, the environment or the root folder is wrong */
    EXIT_LIMIT = 3,          /* a limit stopped the run: turns, tool calls, output length, filter */
    EXIT_SYSTEM = 4,         /* memory, descriptors or output ran out */
    EXIT_CANCELED = 130,     /* Ctrl-C, as shells count it */
};

struct settings {
    const char *prompt; /* NULL: interactive */
    enum reeve_provider provider;
    const char *base_url;
    const char *model;
    const char *api_key_env;
    const char *api_key; /* what that variable holds; NULL: nothing */
    const char *root;
    uint32_t max_turns;
    uint32_t max_tool_calls;
    uint32_t max_tokens;
    uint32_t max_time_s;
    uint32_t max_concurrency;
    uint32_t timeout_ms;
    enum reeve_grouping grouping;
    bool allow_commands; /* the model may run commands */
    bool yes;            /* nobody is asked whether a call may run */
    bool scripted;       /* talk to the scripted model server in this process */
    bool scripted_asked_for;
    bool no_key;
    bool no_stream;
    bool demo;
    bool json; /* a line of JSON for each event, in place of the answer */
    bool verbose;
};

enum settings_result { SETTINGS_RUN, SETTINGS_STOP, SETTINGS_WRONG };

/*
 * Fill `settings`. SETTINGS_STOP: --help or --version was printed. SETTINGS_WRONG: what is wrong
 * was told on stderr.
 */
enum settings_result settings_read(struct settings *settings, int argc, char **argv);

/* "asking the scripted model", and why where nobody asked for it. */
void settings_note_scripted(const struct settings *settings, char *text, size_t size);

/* What may be wrong with the base URL if the server knows no such path; NULL: nothing that shows.
 */
const char *settings_url_advice(const struct settings *settings);

#endif
