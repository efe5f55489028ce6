/* SPDX-License-Identifier: MIT */
/*
 * Embedding: an agent on the program's own loop, with a tool of the program's own that answers
 * later.
 *
 *   cc embed.c $(pkg-config --cflags --libs reeve) -o embed
 *   OPENAI_API_KEY=… ./embed            or   OPENAI_BASE_URL=http://127.0.0.1:8080/v1 ./embed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <reeve.h>

/* The program's database: a query takes 20 ms, and the loop goes on meanwhile. */
struct query {
    struct reeve_tool_call *call;
    struct event *done;
    char id[32];
};

static void lookup_finished(evutil_socket_t fd, short what, void *arg)
{
    struct query *query = arg;
    char row[128];
    int len =
        snprintf(row, sizeof row, "order %s: placed by Ada Lovelace on 1843-07-10", query->id);

    (void)fd;
    (void)what;
    reeve_tool_call_finish(query->call, row, (size_t)len);
    event_free(query->done);
    free(query);
}

static int lookup_start(struct reeve_tool_call *call, void *arg)
{
    const struct timeval in_20_ms = {0, 20000};
    const char *id = reeve_tool_call_arg_string(call, "id");
    struct query *query;

    if (!id) {
        static const char problem[] = "\"id\" is missing: give the order's number as a string";

        reeve_tool_call_fail(call, 0, problem, strlen(problem));
        return 0;
    }
    query = calloc(1, sizeof *query);
    if (!query)
        return REEVE_ENOMEM;
    query->call = call;
    snprintf(query->id, sizeof query->id, "%s", id);
    query->done = evtimer_new(arg, lookup_finished, query);
    if (!query->done || event_add(query->done, &in_20_ms)) {
        if (query->done)
            event_free(query->done);
        free(query);
        return REEVE_ENOMEM;
    }
    return 0;
}

static void on_text(struct reeve_agent *agent, const char *text, size_t len, void *arg)
{
    (void)agent;
    (void)arg;
    fwrite(text, 1, len, stdout);
}

static void on_done(struct reeve_agent *agent, const struct reeve_run *run, void *arg)
{
    int *failed = arg;

    (void)agent;
    *failed = run->stop_reason != REEVE_STOP_DONE;
    fprintf(stderr, "\n%s after %u turns\n", reeve_stop_reason_name(run->stop_reason), run->turns);
    if (run->error)
        fprintf(stderr, "%s\n", run->detail ? run->detail->message : reeve_error_text(run->error));
}

static int add_lookup(struct reeve_toolbox *tools, struct event_base *base)
{
    struct reeve_tool lookup;

    reeve_tool_init(&lookup);
    lookup.name = "lookup";
    lookup.description = "Look an order up by its number";
    lookup.parameters = "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"}},"
                        "\"required\":[\"id\"]}";
    lookup.effect = REEVE_EFFECT_READ;
    lookup.start = lookup_start;
    lookup.arg = base;
    return reeve_toolbox_add(tools, &lookup);
}

int main(void)
{
    struct event_base *base = event_base_new();
    struct reeve_runtime *runtime = NULL;
    struct reeve_model *model = NULL;
    struct reeve_toolbox *tools = NULL;
    struct reeve_agent *agent = NULL;
    struct reeve_model_options mo;
    struct reeve_agent_options ao;
    int failed = 1, error;

    if (!base)
        return 1;
    error = reeve_runtime_new(base, NULL, &runtime);
    if (error)
        goto out;

    reeve_model_options_init(&mo);
    mo.name = "gpt-4o-mini";
    mo.api_key = getenv("OPENAI_API_KEY");
    if (getenv("OPENAI_BASE_URL"))
        mo.base_url = getenv("OPENAI_BASE_URL");
    error = reeve_model_new(runtime, &mo, &model);
    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error)
        error = add_lookup(tools, base);
    if (error)
        goto out;

    reeve_agent_options_init(&ao);
    ao.model = model;
    ao.tools = tools;
    ao.system = "You answer questions about orders.";
    ao.on_text = on_text;
    ao.on_done = on_done;
    ao.arg = &failed;
    error = reeve_agent_new(runtime, &ao, &agent);
    if (!error)
        error = reeve_agent_send(agent, "Who placed order 1734?");
    if (!error)
        event_base_dispatch(base); /* the program's own loop; it returns when the work is done */

out:
    if (error)
        fprintf(stderr, "embed: %s\n", reeve_error_text(error));
    reeve_agent_free(agent);
    reeve_toolbox_free(tools);
    reeve_model_free(model);
    reeve_runtime_free(runtime);
    event_base_free(base);
    return failed;
}
