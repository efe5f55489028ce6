/* SPDX-License-Identifier: MIT */
/*
 * A program of somebody else's, built with nothing but `pkg-config --cflags --libs reeve`: it runs
 * a batch of a tool of its own, and exits 0 if each call has its result, in order.
 */
#include <reeve.h>
#include <stdio.h>
#include <string.h>

static const struct reeve_call calls[] = {
    {.id = "1", .name = "echo", .arguments = "{\"text\":\"one\"}", .arguments_len = 14},
    {.id = "2", .name = "echo", .arguments = "{\"text\":\"two\"}", .arguments_len = 14},
    {.id = "3", .name = "nobody", .arguments = "{}", .arguments_len = 2},
};

static int echo_start(struct reeve_tool_call *call, void *arg)
{
    const char *text = reeve_tool_call_arg_string(call, "text");

    (void)arg;
    if (!text)
        return REEVE_EINVAL;
    reeve_tool_call_finish(call, text, strlen(text));
    return 0;
}

static int has(const struct reeve_batch *batch, size_t index, enum reeve_call_status status,
               const char *text)
{
    const struct reeve_result *result = reeve_batch_result(batch, index);

    printf("%s: %s: %s\n", result->call_id, reeve_call_status_name(result->status), result->text);
    return result->status == status && (!text || strcmp(result->text, text) == 0);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    int *status = arg;

    if (error == 0 && has(batch, 0, REEVE_CALL_SUCCEEDED, "one") &&
        has(batch, 1, REEVE_CALL_SUCCEEDED, "two") && has(batch, 2, REEVE_CALL_UNKNOWN, NULL))
        *status = 0;
}

static int add_echo(struct reeve_toolbox *tools)
{
    struct reeve_tool echo;

    reeve_tool_init(&echo);
    echo.name = "echo";
    echo.description = "Says it again";
    echo.parameters = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}}";
    echo.effect = REEVE_EFFECT_READ;
    echo.start = echo_start;
    return reeve_toolbox_add(tools, &echo);
}

int main(void)
{
    struct reeve_batch_options options;
    struct reeve_runtime *runtime;
    struct reeve_toolbox *tools;
    struct reeve_batch *batch;
    int status = 1;

    if (reeve_runtime_new(NULL, NULL, &runtime) != 0)
        return 2;
    if (reeve_toolbox_new(runtime, &tools) != 0 || add_echo(tools) != 0)
        return 2;
    reeve_batch_options_init(&options);
    options.on_done = on_done;
    options.arg = &status;
    if (reeve_batch_run(tools, calls, 3, &options, &batch) != 0)
        return 2;
    if (reeve_runtime_run(runtime) != 0)
        return 2;
    reeve_toolbox_free(tools);
    reeve_runtime_free(runtime);
    return status;
}
