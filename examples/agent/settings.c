/* SPDX-License-Identifier: MIT */
/* The command line and the environment of reeve-agent. */
#include "agent/settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <reeve/version.h>

#define OPENAI_URL "https://api.openai.com/v1"
#define OPENAI_MODEL "gpt-4o-mini"
#define ANTHROPIC_URL "https://api.anthropic.com"
#define ANTHROPIC_MODEL "claude-haiku-4-5"

/* What stands for what was not said. */
static const struct {
    const char *name, *url, *model, *key_env;
} providers[] = {
    [REEVE_PROVIDER_OPENAI] = {"openai", OPENAI_URL, OPENAI_MODEL, "OPENAI_API_KEY"},
    [REEVE_PROVIDER_ANTHROPIC] = {"anthropic", ANTHROPIC_URL, ANTHROPIC_MODEL, "ANTHROPIC_API_KEY"},
};

enum long_option {
    OPT_PROVIDER = 256,
    OPT_BASE_URL,
    OPT_MODEL,
    OPT_API_KEY_ENV,
    OPT_NO_KEY,
    OPT_ROOT,
    OPT_MAX_TURNS,
    OPT_MAX_TOOL_CALLS,
    OPT_MAX_TOKENS,
    OPT_MAX_TIME,
    OPT_MAX_CONCURRENCY,
    OPT_GROUPING,
    OPT_TIMEOUT_MS,
    OPT_ALLOW_COMMANDS,
    OPT_YES,
    OPT_JSON,
    OPT_NO_STREAM,
    OPT_SCRIPTED,
    OPT_DEMO,
    OPT_VERSION,
};

static const struct option long_options[] = {
    {"prompt", required_argument, NULL, 'p'},
    {"provider", required_argument, NULL, OPT_PROVIDER},
    {"base-url", required_argument, NULL, OPT_BASE_URL},
    {"model", required_argument, NULL, OPT_MODEL},
    {"api-key-env", required_argument, NULL, OPT_API_KEY_ENV},
    {"no-key", no_argument, NULL, OPT_NO_KEY},
    {"root", required_argument, NULL, OPT_ROOT},
    {"max-turns", required_argument, NULL, OPT_MAX_TURNS},
    {"max-tool-calls", required_argument, NULL, OPT_MAX_TOOL_CALLS},
    {"max-tokens", required_argument, NULL, OPT_MAX_TOKENS},
    {"max-time", required_argument, NULL, OPT_MAX_TIME},
    {"max-concurrency", required_argument, NULL, OPT_MAX_CONCURRENCY},
    {"grouping", required_argument, NULL, OPT_GROUPING},
    {"allow-commands", no_argument, NULL, OPT_ALLOW_COMMANDS},
    {"yes", no_argument, NULL, OPT_YES},
    {"json", no_argument, NULL, OPT_JSON},
    {"timeout-ms", required_argument, NULL, OPT_TIMEOUT_MS},
    {"no-stream", no_argument, NULL, OPT_NO_STREAM},
    {"scripted", no_argument, NULL, OPT_SCRIPTED},
    {"demo", no_argument, NULL, OPT_DEMO},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: reeve-agent [OPTION]...\n"
    "An agent for the terminal: it asks a model, reads and writes files below one folder with\n"
    "the tools that the model calls for, and streams the answer.\n"
    "\n"
    "  -p, --prompt TEXT        ask this, answer, and end; without it: a conversation, line by "
    "line\n"
    "      --provider NAME      whose format the server speaks: openai or anthropic [openai]\n"
    "      --base-url URL       where the model is, up to \"/chat/completions\" or "
    "\"/v1/messages\"\n"
    "                           [" OPENAI_URL " if there is a key,\n"
    "                           or " ANTHROPIC_URL "]\n"
    "      --model NAME         its name [" OPENAI_MODEL " or " ANTHROPIC_MODEL "]\n"
    "      --api-key-env NAME   the environment variable that holds the key\n"
    "                           [OPENAI_API_KEY or ANTHROPIC_API_KEY]\n"
    "      --no-key             send no key, also to a server that is not on this machine\n"
    "      --scripted           use the scripted model server in this process, whatever the key;\n"
    "                           the same happens with neither a key nor --base-url\n"
    "      --root FOLDER        the folder that the tools work in [.]\n"
    "      --max-turns N        requests to the model in one run; 0: no limit [50]\n"
    "      --max-tool-calls N   tool calls in one run; 0: no limit [100]\n"
    "      --max-tokens N       tokens in one run, in and out; 0: no limit [0]\n"
    "      --max-time S         seconds that one run may take; 0: no limit [0]\n"
    "      --max-concurrency N  tool calls that run at once [5]\n"
    "      --grouping NAME      which of them wait for which: hazards (those that touch the same\n"
    "                           file, if one writes it), writes_first, or none [hazards]\n"
    "      --allow-commands     let the model run commands too (/bin/sh, in the root folder); see "
    "below\n"
    "      --yes                do not ask before writing, nor before commands; see below\n"
    "      --json               a line of JSON on standard output for each thing that happens\n"
    "      --timeout-ms N       time limit of one request; 0: none [600000]\n"
    "      --no-stream          ask for the answer in one piece\n"
    "      --demo               make a folder with a secret in it, and have the scripted model "
    "find it\n"
    "  -v, --verbose            more about each request and call\n"
    "  -h, --help               this text\n"
    "      --version            the version\n"
    "\n"
    "The answer goes to standard output, everything else to standard error. Ctrl-C cancels the "
    "run,\n"
    "twice it leaves; so does Ctrl-D at the prompt.\n"
    "On a terminal you are asked before a tool writes, and before a command: y allows the call, a\n"
    "also later ones of the same tool (of a command: the very same command), n refuses it, with a\n"
    "reason for the model behind it. Without a terminal, or with --yes, tools write below the "
    "root\n"
    "without asking. Commands are there only with --allow-commands, and may do whatever you may,\n"
    "outside of the root too; --yes --allow-commands runs them unasked, and so does\n"
    "--allow-commands without a terminal. A line typed while the model works is a word to it: it\n"
    "is heard before its next turn.\n"
    "\n"
    "Exit status:\n"
    "    0  the model answered\n"
    "    1  the model could not be asked, or its answer could not be used\n"
    "    2  the command line, the environment or the root folder is wrong\n"
    "    3  a limit ended the run: turns, tool calls, tokens, time, length of\n"
    "     the answer, content filter\n"
    "    4  memory, descriptors or room for output ran out\n"
    "  130  cancelled by Ctrl-C\n";

static bool read_number(const char *option, const char *text, uint32_t min, uint32_t *ret)
{
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || number < min || number > 1000000000) {
        fprintf(stderr,
                "reeve-agent: --%s wants a whole number from %u to 1000000000, not \"%s\"\n",
                option, min, text);
        return false;
    }
    *ret = (uint32_t)number;
    return true;
}

static bool read_number_option(struct settings *settings, int option, const char *text)
{
    switch (option) {
    case OPT_MAX_TURNS:
        return read_number("max-turns", text, 0, &settings->max_turns);
    case OPT_MAX_TOOL_CALLS:
        return read_number("max-tool-calls", text, 0, &settings->max_tool_calls);
    case OPT_MAX_TOKENS:
        return read_number("max-tokens", text, 0, &settings->max_tokens);
    case OPT_MAX_TIME:
        return read_number("max-time", text, 0, &settings->max_time_s);
    case OPT_MAX_CONCURRENCY:
        return read_number("max-concurrency", text, 1, &settings->max_concurrency);
    default:
        return read_number("timeout-ms", text, 0, &settings->timeout_ms);
    }
}

static enum settings_result read_provider(struct settings *settings, const char *name)
{
    size_t i;

    for (i = 0; i < sizeof providers / sizeof *providers; i++)
        if (!strcmp(name, providers[i].name)) {
            settings->provider = (enum reeve_provider)i;
            return SETTINGS_RUN;
        }
    fprintf(stderr, "reeve-agent: --provider is openai or anthropic, not \"%s\"\n", name);
    return SETTINGS_WRONG;
}

static enum settings_result read_grouping(struct settings *settings, const char *name)
{
    static const char *const names[] = {
        [REEVE_GROUPING_WRITES_FIRST] = "writes_first",
        [REEVE_GROUPING_HAZARDS] = "hazards",
        [REEVE_GROUPING_NONE] = "none",
    };
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) {
            settings->grouping = (enum reeve_grouping)i;
            return SETTINGS_RUN;
        }
    fprintf(stderr, "reeve-agent: --grouping is writes_first, hazards or none, not \"%s\"\n", name);
    return SETTINGS_WRONG;
}

static enum settings_result read_option(struct settings *settings, int option)
{
    switch (option) {
    case OPT_PROVIDER:
        return read_provider(settings, optarg);
    case 'p':
        settings->prompt = optarg;
        return SETTINGS_RUN;
    case 'v':
        settings->verbose = true;
        return SETTINGS_RUN;
    case OPT_BASE_URL:
        settings->base_url = optarg;
        return SETTINGS_RUN;
    case OPT_MODEL:
        settings->model = optarg;
        return SETTINGS_RUN;
    case OPT_API_KEY_ENV:
        settings->api_key_env = optarg;
        return SETTINGS_RUN;
    case OPT_NO_KEY:
        settings->no_key = true;
        return SETTINGS_RUN;
    case OPT_ROOT:
        settings->root = optarg;
        return SETTINGS_RUN;
    case OPT_NO_STREAM:
        settings->no_stream = true;
        return SETTINGS_RUN;
    case OPT_SCRIPTED:
        settings->scripted = settings->scripted_asked_for = true;
        return SETTINGS_RUN;
    case OPT_GROUPING:
        return read_grouping(settings, optarg);
    case OPT_ALLOW_COMMANDS:
        settings->allow_commands = true;
        return SETTINGS_RUN;
    case OPT_YES:
        settings->yes = true;
        return SETTINGS_RUN;
    case OPT_JSON:
        settings->json = true;
        return SETTINGS_RUN;
    case OPT_DEMO:
        settings->demo = true;
        return SETTINGS_RUN;
    case 'h':
        fputs(help_text, stdout);
        return SETTINGS_STOP;
    case OPT_VERSION:
        printf("reeve-agent %s\n", REEVE_VERSION_STRING);
        return SETTINGS_STOP;
    case '?':
        fputs("reeve-agent: \"reeve-agent --help\" tells what there is\n", stderr);
        return SETTINGS_WRONG;
    default:
        return read_number_option(settings, option, optarg) ? SETTINGS_RUN : SETTINGS_WRONG;
    }
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");
    size_t i;

    if (!host)
        return false;
    host += 3;
    for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);

        if (strncmp(host, hosts[i], len))
            continue;
        if (hosts[i][len - 1] == '.' || strchr(":/", host[len]))
            return true;
    }
    return false;
}

/* A name or a password in a URL ends up in logs and histories, and is never printed by us. */
static bool has_credentials(const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end ? scheme_end + 3 : url;
    const char *end = host + strcspn(host, "/?#");

    return memchr(host, '@', (size_t)(end - host));
}

/* What the provider decides where nothing was said, and the key. */
static void complete(struct settings *settings)
{
    const char *key;

    if (!settings->model)
        settings->model = providers[settings->provider].model;
    if (!settings->api_key_env)
        settings->api_key_env = providers[settings->provider].key_env;
    key = getenv(settings->api_key_env);
    if (key && *key && !settings->no_key)
        settings->api_key = key;
}

const char *settings_url_advice(const struct settings *settings)
{
    const char *path = strstr(settings->base_url, "://");
    const char *end;

    path = path ? strchr(path + 3, '/') : NULL;
    end = path ? path + strlen(path) : NULL;
    while (path && end > path && end[-1] == '/')
        end--;
    if (settings->provider == REEVE_PROVIDER_OPENAI)
        return path && end > path
                   ? NULL
                   : "OpenAI-compatible servers mostly want /v1 at the end of --base-url";
    return path && end - path >= 3 && !strncmp(end - 3, "/v1", 3)
               ? "with --provider anthropic, /v1 is not a part of --base-url: leave it out"
               : NULL;
}

/* A variable that was named and is empty is a mistake, not a wish for the scripted model. */
static bool named_key_is_missing(const struct settings *settings, bool named)
{
    if (!named || settings->api_key || settings->no_key || settings->scripted || settings->demo)
        return false;
    fprintf(stderr,
            "reeve-agent: --api-key-env: the environment variable %s is not set, or empty\n",
            settings->api_key_env);
    return true;
}

void settings_note_scripted(const struct settings *settings, char *text, size_t size)
{
    size_t i;

    if (settings->demo || settings->scripted_asked_for || settings->no_key) {
        snprintf(text, size, "asking the scripted model");
        return;
    }
    for (i = 0; i < sizeof providers / sizeof *providers; i++) {
        const char *key = getenv(providers[i].key_env);

        if (i == (size_t)settings->provider || !key || !*key)
            continue;
        snprintf(text, size,
                 "%s is not set, but %s is (--provider %s would use it): asking the scripted model",
                 settings->api_key_env, providers[i].key_env, providers[i].name);
        return;
    }
    snprintf(text, size, "%s is not set: asking the scripted model", settings->api_key_env);
}

/* The rest of it the library looks at. */
static bool has_scheme(const char *url)
{
    return !strncasecmp(url, "http://", 7) || !strncasecmp(url, "https://", 8);
}

/* Which model is asked, with which key: or why none can be. */
static enum settings_result choose_model(struct settings *settings)
{
    const bool key_named = settings->api_key_env;

    complete(settings);
    if (named_key_is_missing(settings, key_named))
        return SETTINGS_WRONG;
    if (settings->demo || (!settings->base_url && !settings->api_key))
        settings->scripted = true;
    if (settings->scripted && settings->base_url) {
        fputs("reeve-agent: --base-url and the scripted model exclude each other: give one\n",
              stderr);
        return SETTINGS_WRONG;
    }
    if (settings->scripted) {
        settings->api_key = NULL;
        return SETTINGS_RUN;
    }
    if (!settings->base_url)
        settings->base_url = providers[settings->provider].url;
    if (has_credentials(settings->base_url)) {
        fputs("reeve-agent: --base-url is taken without a user or a password: give a key by the "
              "environment (--api-key-env)\n",
              stderr);
        return SETTINGS_WRONG;
    }
    if (!has_scheme(settings->base_url)) {
        fprintf(stderr,
                "reeve-agent: \"%s\" cannot be asked: --base-url wants http://HOST/PATH or "
                "https://HOST/PATH\n",
                settings->base_url);
        return SETTINGS_WRONG;
    }
    if (!settings->api_key && !settings->no_key && !is_loopback(settings->base_url)) {
        fprintf(
            stderr,
            "reeve-agent: no key for %s: the environment variable %s is not set.\n"
            "Set it, name another with --api-key-env, or say --no-key if the server wants none.\n",
            settings->base_url, settings->api_key_env);
        return SETTINGS_WRONG;
    }
    return SETTINGS_RUN;
}

enum settings_result settings_read(struct settings *settings, int argc, char **argv)
{
    enum settings_result result;
    int option;

    *settings = (struct settings){
        .root = ".",
        .max_turns = 50,
        .max_tool_calls = 100,
        .max_concurrency = 5,
        .grouping = REEVE_GROUPING_HAZARDS,
        .timeout_ms = 600000,
    };
    while ((option = getopt_long(argc, argv, "p:vh", long_options, NULL)) != -1) {
        result = read_option(settings, option);
        if (result != SETTINGS_RUN)
            return result;
    }
    if (optind < argc) {
        fprintf(stderr, "reeve-agent: what is \"%s\"? A prompt goes behind -p, in quotes.\n",
                argv[optind]);
        return SETTINGS_WRONG;
    }
    if (settings->prompt && !settings->prompt[strspn(settings->prompt, " \t\r\n")]) {
        fputs("reeve-agent: -p wants a text, and this one is empty\n", stderr);
        return SETTINGS_WRONG;
    }
    if (settings->demo && settings->prompt) {
        fputs("reeve-agent: --demo brings its own prompt: leave -p out\n", stderr);
        return SETTINGS_WRONG;
    }
    return choose_model(settings);
}
