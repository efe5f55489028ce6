/* SPDX-License-Identifier: MIT */
/*
 * A batch of calls that a person has to allow, of tools that work in threads: the bank's library
 * blocks, so that each transfer has a thread, and the loop is told when it is over. Transfers
 * between other accounts run side by side; those of one account follow each other.
 *
 *   cc approve.c $(pkg-config --cflags --libs reeve) -pthread -o approve
 *   ./approve                     and answer y, n or a (always)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <reeve.h>

struct account {
    const char *name;
    int64_t balance;
};

/*
 * Each tool claims the accounts that it touches, and two calls that claim the same do not run at
 * the same time if one of them writes it. So no thread needs a lock here.
 */
static struct account accounts[] = {{"ada", 100}, {"blaise", 50}, {"charles", 0}};

#define ACCOUNT "{\"enum\": [\"ada\", \"blaise\", \"charles\"]}"

struct transfer {
    struct reeve_post over;
    pthread_t thread;
    struct reeve_runtime *runtime;
    struct reeve_tool_call *call;
    struct account *from, *to;
    int64_t amount;
    int failed;
    char text[96];
};

struct person {
    struct reeve_batch *batch;
    size_t asked; /* the call that the question is about */
    struct event *key;
    int failed;
};

/* Reeve has checked the arguments against the schema: the name is there, and one of these. */
static struct account *account_of(struct reeve_tool_call *call, const char *argument)
{
    struct account *account = accounts;

    while (strcmp(account->name, reeve_tool_call_arg_string(call, argument)) != 0)
        account++;
    return account;
}

/* ---- the tool that blocks ---- */

/* In a thread of its own. Of all of Reeve it may call reeve_runtime_post, and nothing else. */
static void *transfer_work(void *arg)
{
    const struct timespec network = {0, 20000000};
    struct transfer *transfer = arg;

    nanosleep(&network, NULL);
    transfer->failed = transfer->from->balance < transfer->amount;
    if (transfer->failed) {
        snprintf(transfer->text, sizeof transfer->text, "%s has only %lld", transfer->from->name,
                 (long long)transfer->from->balance);
    } else {
        transfer->from->balance -= transfer->amount;
        transfer->to->balance += transfer->amount;
        snprintf(transfer->text, sizeof transfer->text, "%s has %lld now", transfer->to->name,
                 (long long)transfer->to->balance);
    }
    reeve_runtime_post(transfer->runtime, &transfer->over);
    return NULL;
}

/* Back in the loop's thread. The post was the last thing that the other one did. */
static void transfer_over(struct reeve_runtime *runtime, void *arg)
{
    struct transfer *transfer = arg;

    pthread_join(transfer->thread, NULL);
    if (transfer->failed)
        reeve_tool_call_fail(transfer->call, 0, transfer->text, strlen(transfer->text));
    else
        reeve_tool_call_finish(transfer->call, transfer->text, strlen(transfer->text));
    free(transfer);
    reeve_runtime_release(runtime);
}

static int transfer_start(struct reeve_tool_call *call, void *arg)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    int error;

    if (!transfer)
        return REEVE_ENOMEM;
    transfer->over.run = transfer_over;
    transfer->over.arg = transfer;
    transfer->runtime = arg;
    transfer->call = call;
    transfer->from = account_of(call, "from");
    transfer->to = account_of(call, "to");
    reeve_json_int64(reeve_json_get(reeve_tool_call_arguments(call), "amount"), &transfer->amount);

    error = reeve_runtime_hold(transfer->runtime); /* until transfer_over */
    if (!error && pthread_create(&transfer->thread, NULL, transfer_work, transfer)) {
        reeve_runtime_release(transfer->runtime);
        error = REEVE_ESYSTEM;
    }
    if (error)
        free(transfer);
    return error;
}

static int transfer_describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    int error = reeve_claims_add(claims, REEVE_EFFECT_WRITE, "account",
                                 reeve_tool_call_arg_string(call, "from"));

    (void)arg;
    if (!error)
        error = reeve_claims_add(claims, REEVE_EFFECT_WRITE, "account",
                                 reeve_tool_call_arg_string(call, "to"));
    return error;
}

/* ---- the tool that answers at once ---- */

static int balance_start(struct reeve_tool_call *call, void *arg)
{
    struct account *account = account_of(call, "account");
    char text[64];

    (void)arg;
    snprintf(text, sizeof text, "%s has %lld", account->name, (long long)account->balance);
    reeve_tool_call_finish(call, text, strlen(text));
    return 0;
}

static int balance_describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    (void)arg;
    return reeve_claims_add(claims, REEVE_EFFECT_READ, "account",
                            reeve_tool_call_arg_string(call, "account"));
}

static int add_tools(struct reeve_toolbox *tools, struct reeve_runtime *runtime)
{
    struct reeve_tool tool;
    int error;

    reeve_tool_init(&tool);
    tool.name = "balance";
    tool.parameters = "{\"type\": \"object\", \"properties\": {\"account\": " ACCOUNT "},"
                      " \"required\": [\"account\"]}";
    tool.effect = REEVE_EFFECT_READ;
    tool.start = balance_start;
    tool.describe = balance_describe;
    error = reeve_toolbox_add(tools, &tool);
    if (error)
        return error;

    reeve_tool_init(&tool);
    tool.name = "transfer";
    tool.parameters = "{\"type\": \"object\", \"properties\": {\"from\": " ACCOUNT ","
                      " \"to\": " ACCOUNT ", \"amount\": {\"type\": \"integer\", \"minimum\": 1}},"
                      " \"required\": [\"from\", \"to\", \"amount\"]}";
    tool.effect = REEVE_EFFECT_WRITE;
    tool.start = transfer_start;
    tool.describe = transfer_describe;
    tool.arg = runtime;
    return reeve_toolbox_add(tools, &tool);
}

/* ---- the person ---- */

/* The end of the input refuses, and so does everything that is no yes. */
static void on_key(evutil_socket_t fd, short what, void *arg)
{
    enum reeve_permission answer = REEVE_PERMISSION_REFUSE;
    struct person *person = arg;
    char key = 'n';

    (void)what;
    if (read(fd, &key, 1) == 1 && key == '\n')
        return;
    if (key == 'y')
        answer = REEVE_PERMISSION_ALLOW;
    else if (key == 'a')
        answer = REEVE_PERMISSION_ALWAYS;
    event_del(person->key);
    reeve_batch_permit(person->batch, person->asked, answer, "its owner said no");
}

/* Asks, and returns: the answer comes from on_key, and the loop goes on meanwhile. */
static void on_permission(struct reeve_batch *batch, size_t index,
                          const struct reeve_tool_call *call, void *arg)
{
    struct person *person = arg;
    const struct reeve_claim *claims;
    size_t count, i;

    if (reeve_tool_call_effect(call) == REEVE_EFFECT_READ) {
        reeve_batch_permit(batch, index, REEVE_PERMISSION_ALLOW, NULL);
        return;
    }
    printf("call %zu, %s, touches", index + 1, reeve_tool_call_name(call));
    claims = reeve_tool_call_claims(call, &count);
    for (i = 0; i < count; i++)
        printf(" %s:%s", claims[i].kind, claims[i].key);
    printf(". May it? y, n, a\n");
    person->batch = batch;
    person->asked = index;
    if (event_add(person->key, NULL)) /* a file, say: epoll has no use for one */
        reeve_batch_permit(batch, index, REEVE_PERMISSION_REFUSE, "nobody can be asked");
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct person *person = arg;
    size_t i;

    person->failed = error;
    for (i = 0; i < reeve_batch_count(batch); i++) {
        const struct reeve_result *result = reeve_batch_result(batch, i);

        printf("call %s, %s: %s: %s\n", result->call_id, result->tool,
               reeve_call_status_name(result->status), result->text);
    }
}

#define CALL(id, name, arguments)                                                                  \
    {                                                                                              \
        (id), (name), (arguments), sizeof(arguments) - 1                                           \
    }

/* What a model would ask for. */
static const struct reeve_call calls[] = {
    CALL("1", "transfer", "{\"from\": \"ada\", \"to\": \"blaise\", \"amount\": 30}"),
    CALL("2", "transfer", "{\"from\": \"blaise\", \"to\": \"ada\", \"amount\": 70}"),
    CALL("3", "balance", "{\"account\": \"blaise\"}"),
    CALL("4", "transfer", "{\"from\": \"ada\", \"to\": \"charles\", \"amount\": 5000}"),
    CALL("5", "transfer", "{\"from\": \"ada\", \"to\": \"dorothy\", \"amount\": 1}"),
};

static int run(struct reeve_runtime *runtime, struct reeve_toolbox *tools, struct person *person)
{
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    int error = add_tools(tools, runtime);

    if (error) {
        fprintf(stderr, "%s\n", reeve_toolbox_problem(tools));
        return error;
    }
    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.timeout_ms = 0; /* a thread cannot be stopped: wait for it, however long */
    options.on_permission = on_permission;
    options.on_done = on_done;
    options.arg = person;
    error = reeve_batch_run(tools, calls, sizeof calls / sizeof calls[0], &options, &batch);
    if (!error)
        error = reeve_runtime_run(runtime); /* until nothing is pending: no call, no hold */
    return error;
}

int main(void)
{
    struct person person = {.failed = 1};
    struct reeve_runtime *runtime = NULL;
    struct reeve_toolbox *tools = NULL;
    int error = reeve_runtime_new(NULL, NULL, &runtime); /* NULL: the runtime makes a loop */

    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error) {
        person.key = event_new(reeve_runtime_event_base(runtime), STDIN_FILENO,
                               EV_READ | EV_PERSIST, on_key, &person);
        error = person.key ? run(runtime, tools, &person) : REEVE_ENOMEM;
    }
    if (error)
        fprintf(stderr, "approve: %s\n", reeve_error_text(error));
    if (person.key)
        event_free(person.key);
    reeve_toolbox_free(tools);
    reeve_runtime_free(runtime);
    return error || person.failed;
}
