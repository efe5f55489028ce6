/* SPDX-License-Identifier: MIT */
/*
 * A tool of one's own that must not hold the loop: queries to an SQLite database, run in slices of
 * a millisecond, row by row, on the same loop as everything else.
 *
 *   cc sql.c $(pkg-config --cflags --libs reeve sqlite3 libevent_core) -o sql
 *   ./sql 'SELECT name FROM customers' "INSERT INTO orders VALUES (4, 1, 'tea')" ...
 *
 * What a query touches is asked of SQLite itself (describe): its tables are the resources, so that
 * queries to different tables go side by side and the order between the others is kept. What is
 * neither a query nor a change of rows is refused by SQLite's authorizer.
 *
 * SQLite cannot pause inside a step. A query that works for long before it has its next row (a
 * sort, a count of a great table) is interrupted after STEP_MS; a host that needs those gives them
 * to a thread and finishes the call from there by reeve_runtime_post.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <reeve.h>
#include <sqlite3.h>

enum {
    SLICE_MS = 1,
    STEP_MS = 100,
    STEP_INSTRUCTIONS = 1000, /* of SQLite's machine, between two looks at the clock */
    MAX_CALLS = 32,
};

/* What the tool works with: its `arg`. */
struct database {
    sqlite3 *sqlite;
    struct event_base *base;
    double step_ends_ms;
    struct reeve_claims *claims; /* while a query is described */
    const char *denied;          /* the last thing that the authorizer has refused */
};

/* One call, while it runs. */
struct query {
    struct database *database;
    struct reeve_tool_call *call;
    sqlite3_stmt *statement;
    struct event *next_slice;
    int rows;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- what a query may do, and touches ----------------------------------------------------------
 */

static int on_access(void *arg, int action, const char *first, const char *second,
                     const char *schema, const char *trigger)
{
    struct database *database = arg;
    enum reeve_effect effect = REEVE_EFFECT_WRITE;

    (void)second, (void)schema, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        effect = REEVE_EFFECT_READ;
        break;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        break;
    default:
        database->denied = "only SELECT, INSERT, UPDATE and DELETE are allowed";
        return SQLITE_DENY;
    }
    if (!database->claims || !first || !*first)
        return SQLITE_OK;
    return reeve_claims_add(database->claims, effect, "table", first) ? SQLITE_DENY : SQLITE_OK;
}

static int prepare(struct database *database, const struct reeve_tool_call *call,
                   sqlite3_stmt **ret_statement)
{
    database->denied = NULL;
    return sqlite3_prepare_v2(database->sqlite, reeve_tool_call_arg_string(call, "sql"), -1,
                              ret_statement, NULL);
}

/* A query that cannot be prepared touches nothing; start says what is wrong with it. */
static int describe(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    struct database *database = arg;
    sqlite3_stmt *statement = NULL;

    database->claims = claims;
    (void)prepare(database, call, &statement);
    database->claims = NULL;
    sqlite3_finalize(statement);
    return 0;
}

/* ---- running one -------------------------------------------------------------------------------
 */

static void fail(struct reeve_tool_call *call, const char *text)
{
    reeve_tool_call_fail(call, 0, text, strlen(text));
}

static void free_query(struct query *query)
{
    sqlite3_finalize(query->statement);
    event_free(query->next_slice);
    free(query);
}

static void write_text(struct reeve_tool_call *call, const char *text)
{
    reeve_tool_call_write(call, text, strlen(text));
}

static void write_row(struct query *query)
{
    const int columns = sqlite3_column_count(query->statement);
    int i;

    for (i = 0; i < columns; i++) {
        const char *text = (const char *)sqlite3_column_text(query->statement, i);

        write_text(query->call, i ? "\t" : "");
        write_text(query->call, text ? text : "NULL");
    }
    write_text(query->call, "\n");
    query->rows++;
}

static void end_query(struct query *query, int status)
{
    struct database *database = query->database;
    struct reeve_tool_call *call = query->call;
    char text[256];

    if (status == SQLITE_INTERRUPT)
        snprintf(text, sizeof text, "The query works too long before its next row: ask for less.");
    else if (status != SQLITE_DONE)
        snprintf(text, sizeof text, "SQLite: %.200s.", sqlite3_errmsg(database->sqlite));
    else if (sqlite3_stmt_readonly(query->statement))
        snprintf(text, sizeof text, "rows: %d", query->rows);
    else
        snprintf(text, sizeof text, "rows changed: %d", sqlite3_changes(database->sqlite));
    free_query(query);
    if (status == SQLITE_DONE)
        reeve_tool_call_finish(call, text, strlen(text));
    else
        fail(call, text);
}

static int step(struct query *query)
{
    query->database->step_ends_ms = now_ms() + STEP_MS;
    return sqlite3_step(query->statement);
}

/* Rows, until the slice is over; the rest when the loop comes round again. */
static void on_slice(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval at_once = {0, 0};
    struct query *query = arg;
    const double ends_ms = now_ms() + SLICE_MS;
    int status;

    (void)fd, (void)what;
    while ((status = step(query)) == SQLITE_ROW) {
        write_row(query);
        if (now_ms() >= ends_ms) {
            event_add(query->next_slice, &at_once);
            return;
        }
    }
    end_query(query, status);
}

static int on_progress(void *arg)
{
    return now_ms() > ((struct database *)arg)->step_ends_ms;
}

static int start(struct reeve_tool_call *call, void *arg)
{
    static const struct timeval at_once = {0, 0};
    struct database *database = arg;
    struct query *query = calloc(1, sizeof *query);
    sqlite3_stmt *statement = NULL;
    char text[256];

    if (!query)
        return REEVE_ENOMEM;
    if (prepare(database, call, &statement) || !statement) {
        snprintf(text, sizeof text, "SQLite: %.200s.",
                 database->denied ? database->denied : sqlite3_errmsg(database->sqlite));
        free(query);
        fail(call, text);
        return 0;
    }
    *query = (struct query){.database = database,
                            .call = call,
                            .statement = statement,
                            .next_slice = event_new(database->base, -1, 0, on_slice, query)};
    if (!query->next_slice) {
        sqlite3_finalize(statement);
        free(query);
        return REEVE_ENOMEM;
    }
    reeve_tool_call_set_data(call, query);
    event_add(query->next_slice, &at_once);
    return 0;
}

static void cancel(struct reeve_tool_call *call, void *arg)
{
    (void)arg;
    free_query(reeve_tool_call_data(call));
    fail(call, "cancelled");
}

/* ---- the program -------------------------------------------------------------------------------
 */

static const char tables[] =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, what TEXT);"
    "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Barbara');"
    "INSERT INTO orders VALUES (1, 1, 'paper'), (2, 2, 'ink'), (3, 1, 'cards');";

static int open_database(struct database *database)
{
    if (sqlite3_open(":memory:", &database->sqlite) ||
        sqlite3_exec(database->sqlite, tables, NULL, NULL, NULL))
        return REEVE_ESYSTEM;
    sqlite3_set_authorizer(database->sqlite, on_access, database);
    sqlite3_progress_handler(database->sqlite, STEP_INSTRUCTIONS, on_progress, database);
    return 0;
}

static int add_query(struct reeve_toolbox *tools, struct database *database)
{
    struct reeve_tool tool;

    reeve_tool_init(&tool);
    tool.name = "query";
    tool.description = "Run one SELECT, INSERT, UPDATE or DELETE. Tables: customers (id, name), "
                       "orders (id, customer, what).";
    tool.parameters = "{\"type\":\"object\",\"properties\":{\"sql\":{\"type\":\"string\"}},"
                      "\"required\":[\"sql\"],\"additionalProperties\":false}";
    tool.start = start;
    tool.cancel = cancel;
    tool.describe = describe;
    tool.arg = database;
    return reeve_toolbox_add(tools, &tool);
}

static void on_start(struct reeve_batch *batch, size_t index, void *arg)
{
    (void)batch, (void)arg;
    printf("%zu begins\n", index + 1);
}

static void on_result(struct reeve_batch *batch, size_t index, void *arg)
{
    const struct reeve_result *result = reeve_batch_result(batch, index);

    (void)arg;
    printf("%zu %s:\n%s\n", index + 1, reeve_call_status_name(result->status), result->text);
}

static void on_done(struct reeve_batch *batch, int error, void *arg)
{
    struct reeve_batch_stats stats = {.size = sizeof stats};

    reeve_batch_stats(batch, &stats);
    *(int *)arg = error || stats.succeeded < stats.calls;
}

/* Each of the program's arguments as the call of a model. */
static int run_batch(struct reeve_toolbox *tools, int count, char **queries, int *ret_failed)
{
    static char arguments[MAX_CALLS][1024], ids[MAX_CALLS][16];
    struct reeve_call calls[MAX_CALLS];
    struct reeve_batch_options options;
    struct reeve_batch *batch;
    int i;

    for (i = 0; i < count && i < MAX_CALLS; i++) {
        int len = snprintf(arguments[i], sizeof arguments[i], "{\"sql\": \"%s\"}", queries[i]);

        if ((size_t)len >= sizeof arguments[i])
            return REEVE_ETOOBIG;
        snprintf(ids[i], sizeof ids[i], "%d", i + 1);
        calls[i] = (struct reeve_call){ids[i], "query", arguments[i], (size_t)len};
    }
    reeve_batch_options_init(&options);
    options.grouping = REEVE_GROUPING_HAZARDS;
    options.on_start = on_start;
    options.on_result = on_result;
    options.on_done = on_done;
    options.arg = ret_failed;
    return reeve_batch_run(tools, calls, (size_t)i, &options, &batch);
}

int main(int argc, char **argv)
{
    struct database database = {.base = event_base_new()};
    struct reeve_runtime *runtime = NULL;
    struct reeve_toolbox *tools = NULL;
    int failed = 1;
    int error = database.base ? open_database(&database) : REEVE_ENOMEM;

    if (!error)
        error = reeve_runtime_new(database.base, NULL, &runtime);
    if (!error)
        error = reeve_toolbox_new(runtime, &tools);
    if (!error)
        error = add_query(tools, &database);
    if (!error)
        error = run_batch(tools, argc - 1, argv + 1, &failed);
    if (!error)
        event_base_dispatch(database.base);
    else
        fprintf(stderr, "sql: %s\n", reeve_error_text(error));
    reeve_toolbox_free(tools);
    reeve_runtime_free(runtime);
    sqlite3_close(database.sqlite);
    if (database.base)
        event_base_free(database.base);
    return failed;
}
