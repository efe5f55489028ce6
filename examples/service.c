/* SPDX-License-Identifier: MIT */
/*
 * A program with a loop and work of its own that has an agent beside it. The agent's tool asks the
 * program's database, which answers later; Ctrl-C cancels the agent and leaves the program as it
 * is.
 *
 *   cc service.c $(pkg-config --cflags --libs reeve) -o service
 *   OPENAI_API_KEY=… ./service 'Who placed order 1734?' 'And order 1735?'
 *
 * OPENAI_BASE_URL names another server, LOOKUP_MS how long the database takes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <reeve.h>

struct service {
    struct event_base *base;
    struct event *tick, *interrupt;
    unsigned ticks;
    char **questions; /* those that are still to be asked; NULL at the end */
    int failed;
};

/* A query to the database. It takes a while, and the loop goes on meanwhile. */
struct query {
    struct reeve_tool_call *call;
    struct event *answer;
    char id[32];
};

/* ---- the tool ---- */

/* The one place where a call ends. After reeve_tool_call_finish the handle is gone. */
static void query_end(struct query *query, const char *text)
{
    reeve_tool_call_finish(query->call, text, strlen(text));
    event_free(query->answer);
    free(query);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    struct query *query = arg;
    char row[96];

    (void)fd;
    (void)what;
    snprintf(row, sizeof row, "order %s: placed by Ada Lovelace", query->id);
    query_end(query, row);
}

/* Starts what will end the call, and returns at once. */
static int lookup_start(struct reeve_tool_call *call, void *arg)
{
    const char *ms = getenv("LOOKUP_MS");
    long wait_ms = ms ? strtol(ms, NULL, 10) : 50;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    struct service *service = arg;
    struct query *query = calloc(1, sizeof *query);

    if (!query)
        return REEVE_ENOMEM; /* not started: the call fails, and is not finished */
    query->answer = evtimer_new(service->base, on_answer, query);
    if (!query->answer || evtimer_add(query->answer, &wait)) {
        if (query->answer)
            event_free(query->answer);
        free(query);
        return REEVE_ENOMEM;
    }
    snprintf(query->id, sizeof query->id, "%s", reeve_tool_call_arg_string(call, "id"));
    query->call = call;
    reeve_tool_call_set_data(call, query);
    return 0;
}

/* Nobody waits for the result any more. The call has to be finished all the same. */
static void lookup_cancel(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    query_end(reeve_tool_call_data(call), "not wanted any more");
}

static int add_lookup(struct reeve_toolbox *tools, struct service *service)
{
    struct reeve_tool lookup;

    reeve_tool_init(&lookup);
    lookup.name = "lookup";
    lookup.description = "Look an order up by its number";
    lookup.parameters = "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"}},"
                        "\"required\":[\"id\"]}";
    lookup.effect = REEVE_EFFECT_READ;
    lookup.start = lookup_start;
    lookup.cancel = lookup_cancel;
    lookup.arg = service;
    return reeve_toolbox_add(tools, &lookup);
}

/* ---- the agent ---- */

static void on_text(struct reeve_agent *agent, const char *text, size_t len, void *arg)
{
    (void)agent;
    (void)arg;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

static void on_tool(struct reeve_agent *agent, const struct reeve_tool_event *event, void *arg)
{
    (void)agent;
    (void)arg;
    if (event->kind == REEVE_TOOL_STARTED)
        fprintf(stderr, "%s %s starts\n", event->call->name, event->call->arguments);
    else if (event->kind == REEVE_TOOL_ENDED)
        fprintf(stderr, "%s %s\n", event->call->name,
                reeve_call_status_name(event->result->status));
}

/* A run is over, however it ended. The next one may be started here. */
static void on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    struct service *service = arg;

    printf("\n");
    if (run->stop_reason != REEVE_STOP_DONE) {
        service->failed = 1;
        fprintf(stderr, "stopped: %s\n", reeve_stop_reason_name(run->stop_reason));
    }
    if (run->error)
        fprintf(stderr, "%s\n", run->detail ? run->detail->message : reeve_error_text(run->error));
    if (!service->failed && *service->questions) {
        if (reeve_agent_send(agent, *service->questions++) == 0)
            return;
        service->failed = 1;
    }
    event_del(service->tick); /* nothing is pending now, and so the loop returns */
    event_del(service->interrupt);
}

/* ---- the program ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct service *service = arg;

    (void)fd;
    (void)what;
    service->ticks++; /* whatever the program is there for */
}

static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    reeve_agent_cancel(arg); /* on_done comes, with REEVE_STOP_CANCELED */
}

/* Ends when on_done has taken the two events away. */
static int serve(struct service *service, struct reeve_agent *agent)
{
    const struct timeval each = {0, 5000};
    int error = REEVE_ENOMEM;

    service->tick = event_new(service->base, -1, EV_PERSIST, on_tick, service);
    service->interrupt = evsignal_new(service->base, SIGINT, on_interrupt, agent);
    if (service->tick && service->interrupt && event_add(service->tick, &each) == 0 &&
        event_add(service->interrupt, NULL) == 0)
        error = reeve_agent_send(agent, *service->questions++);
    if (!error)
        event_base_dispatch(service->base);
    if (service->tick)
        event_free(service->tick);
    if (service->interrupt)
        event_free(service->interrupt);
    return error;
}

static int run(struct service *service, struct reeve_runtime *runtime)
{
    struct reeve_model *model = NULL;
    struct reeve_toolbox *tools = NULL;
    struct reeve_agent *agent = NULL;
    struct reeve_model_options mo;
    struct reeve_agent_options ao;
    int error;

    reeve_model_options_init(&mo);
    mo.name = "gpt-4o-mini";
    mo.api_key = getenv("OPENAI_API_KEY");
    if (getenv("OPENAI_BASE_URL"))
        mo.base_url = getenv("OPENAI_BASE_URL");
    error = reeve_model_new(runtime, &mo, &model);
    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error)
        error = add_lookup(tools, service);
    if (!error) {
        reeve_agent_options_init(&ao);
        ao.model = model;
        ao.tools = tools;
        ao.system = "You answer questions about orders.";
        ao.on_text = on_text;
        ao.on_tool = on_tool;
        ao.on_done = on_done;
        ao.arg = service;
        error = reeve_agent_new(runtime, &ao, &agent);
    }
    if (!error)
        error = serve(service, agent);

    reeve_agent_free(agent); /* what uses another goes first */
    reeve_toolbox_free(tools);
    reeve_model_free(model);
    return error;
}

int main(int argc, char **argv)
{
    struct service service = {.questions = argv + 1};
    struct reeve_runtime *runtime = NULL;
    int error;

    if (argc < 2) {
        fprintf(stderr, "usage: service QUESTION...\n");
        return 2;
    }
    service.base = event_base_new();
    if (!service.base)
        return 1;
    error = reeve_runtime_new(service.base, NULL, &runtime);
    if (!error)
        error = run(&service, runtime);
    if (error)
        fprintf(stderr, "service: %s\n", reeve_error_text(error));
    fprintf(stderr, "the program ticked %u times meanwhile\n", service.ticks);
    reeve_runtime_free(runtime);
    event_base_free(service.base);
    return error || service.failed;
}
