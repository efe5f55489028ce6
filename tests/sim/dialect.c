/* SPDX-License-Identifier: MIT */
/* What a model says, in either provider's words. */
#include "tests/sim/dialect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

enum { MOST_FIELDS = 4, MOST_PIECE = 2048 };

struct piece {
    char kind;
    const char *field[MOST_FIELDS];
    char text[MOST_PIECE];
};

/* The next piece of the script, or false. */
static bool next_piece(const char **script, struct piece *piece)
{
    size_t len, i;
    char *at;

    if (!**script)
        return false;
    cr_assert_eq(**script, '\1', "not a script");
    piece->kind = (*script)[1];
    *script += 2;
    len = strcspn(*script, "\1");
    cr_assert_lt(len, sizeof piece->text);
    memcpy(piece->text, *script, len);
    piece->text[len] = '\0';
    *script += len;
    at = piece->text;
    for (i = 0; i < MOST_FIELDS; i++) {
        piece->field[i] = at;
        at += strcspn(at, "\2");
        if (*at)
            *at++ = '\0';
    }
    return true;
}

static const char *stop_reason(const char *finish)
{
    static const char *const words[][2] = {{"stop", "end_turn"},
                                           {"tool_calls", "tool_use"},
                                           {"length", "max_tokens"},
                                           {"content_filter", "refusal"}};
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i][0], finish))
            return words[i][1];
    return finish;
}

/* ---- streams --------------------------------------------------------------------------------- */

#define DELTA "data: {\"choices\":[{\"index\":0,\"delta\":{"
#define DELTA_END "}}]}\n\n"

static void stream_openai(FILE *out, const struct piece *piece)
{
    const char *const *field = piece->field;

    switch (piece->kind) {
    case 'T':
        fprintf(out, DELTA "\"content\":\"%s\"" DELTA_END, field[0]);
        return;
    case 'R':
        fprintf(out, DELTA "\"reasoning_content\":\"%s\"" DELTA_END, field[0]);
        return;
    case 'C':
        fprintf(out,
                DELTA "\"tool_calls\":[{\"index\":%s,\"id\":\"%s\",\"type\":\"function\","
                      "\"function\":{\"name\":\"%s\",\"arguments\":\"%s\"}}]" DELTA_END,
                field[0], field[1], field[2], field[3]);
        return;
    case 'F':
        fprintf(out,
                "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n",
                field[0]);
        return;
    case 'U':
        fprintf(out,
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%s,\"completion_tokens\":%s}}"
                "\n\n",
                field[0], field[1]);
        return;
    case 'E':
        fprintf(out, "data: {\"error\":{\"type\":\"%s\",\"message\":\"%s\"}}\n\n", field[0],
                field[1]);
        return;
    default:
        fputs("data: [DONE]\n\n", out);
    }
}

static void event(FILE *out, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void event(FILE *out, const char *type, const char *format, ...)
{
    va_list args;

    fprintf(out, "event: %s\ndata: {\"type\":\"%s\"", type, type);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputs("}\n\n", out);
}

/* Call n is block n + 1; before it stands the text or the reasoning. */
static void stream_anthropic(FILE *out, const struct piece *piece)
{
    const char *const *field = piece->field;
    const int index = atoi(field[0]) + 1;

    switch (piece->kind) {
    case 'T':
        event(out, "content_block_delta",
              ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}", field[0]);
        return;
    case 'R':
        event(out, "content_block_start",
              ",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}");
        event(out, "content_block_delta",
              ",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"%s\"}", field[0]);
        event(out, "content_block_delta",
              ",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"%s\"}",
              field[1]);
        event(out, "content_block_stop", ",\"index\":0");
        return;
    case 'C':
        event(out, "content_block_start",
              ",\"index\":%d,\"content_block\":{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"%s\""
              ",\"input\":{}}",
              index, field[1], field[2]);
        event(out, "content_block_delta",
              ",\"index\":%d,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"%s\"}",
              index, field[3]);
        return;
    case 'F':
        event(out, "message_delta", ",\"delta\":{\"stop_reason\":\"%s\"}", stop_reason(field[0]));
        return;
    case 'U':
        event(out, "message_delta",
              ",\"delta\":{},\"usage\":{\"input_tokens\":%s,\"output_tokens\":%s}", field[0],
              field[1]);
        return;
    case 'E':
        event(out, "error", ",\"error\":{\"type\":\"%s\",\"message\":\"%s\"}", field[0], field[1]);
        return;
    default:
        event(out, "message_stop", "%s", "");
    }
}

char *dialect_stream(enum reeve_provider provider, const char *script)
{
    struct piece piece;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    cr_assert(out);
    while (next_piece(&script, &piece))
        (provider == REEVE_PROVIDER_ANTHROPIC ? stream_anthropic : stream_openai)(out, &piece);
    fclose(out);
    return text;
}

/* ---- whole ----------------------------------------------------------------------------------- */

struct whole {
    char text[MOST_PIECE], calls[MOST_PIECE], reasoning[MOST_PIECE];
    char finish[64], usage[128];
};

static void add(char *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *to, const char *format, ...)
{
    const size_t len = strlen(to);
    va_list args;
    int added;

    va_start(args, format);
    added = vsnprintf(to + len, MOST_PIECE - len, format, args);
    va_end(args);
    cr_assert_lt(added, (int)(MOST_PIECE - len));
}

static void gather(struct whole *whole, const struct piece *piece, bool anthropic)
{
    const char *const *field = piece->field;

    switch (piece->kind) {
    case 'T':
        add(whole->text, "%s", field[0]);
        return;
    case 'R':
        add(whole->reasoning, "{\"type\":\"thinking\",\"thinking\":\"%s\",\"signature\":\"%s\"},",
            field[0], field[1]);
        return;
    case 'C':
        add(whole->calls,
            anthropic ? ",{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"%s\",\"input\":\"%s\"}"
                      : ",{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\","
                        "\"arguments\":\"%s\"}}",
            field[1], field[2], field[3]);
        return;
    case 'F':
        snprintf(whole->finish, sizeof whole->finish, "%s",
                 anthropic ? stop_reason(field[0]) : field[0]);
        return;
    case 'U':
        snprintf(whole->usage, sizeof whole->usage,
                 anthropic ? "\"input_tokens\":%s,\"output_tokens\":%s"
                           : "\"prompt_tokens\":%s,\"completion_tokens\":%s",
                 field[0], field[1]);
        return;
    default:
        return;
    }
}

char *dialect_body(enum reeve_provider provider, const char *script)
{
    const bool anthropic = provider == REEVE_PROVIDER_ANTHROPIC;
    struct whole whole = {0};
    struct piece piece;
    char *text = NULL;

    while (next_piece(&script, &piece))
        gather(&whole, &piece, anthropic);
    if (anthropic)
        cr_assert_geq(asprintf(&text,
                               "{\"type\":\"message\",\"content\":[%s{\"type\":\"text\",\"text\":"
                               "\"%s\"}%s],\"stop_reason\":\"%s\",\"usage\":{%s}}",
                               whole.reasoning, whole.text, whole.calls, whole.finish, whole.usage),
                      0);
    else
        cr_assert_geq(asprintf(&text,
                               "{\"choices\":[{\"message\":{\"content\":\"%s\",\"tool_calls\":[%s]}"
                               ",\"finish_reason\":\"%s\"}],\"usage\":{%s}}",
                               whole.text, *whole.calls ? whole.calls + 1 : "", whole.finish,
                               whole.usage),
                      0);
    return text;
}

char *dialect_error(enum reeve_provider provider, const char *type, const char *message)
{
    char *text = NULL;

    cr_assert_geq(asprintf(&text,
                           provider == REEVE_PROVIDER_ANTHROPIC
                               ? "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%s\""
                                 "},\"request_id\":\"req_body\"}"
                               : "{\"error\":{\"type\":\"%s\",\"message\":\"%s\"},\"request_id\":"
                                 "\"req_body\"}",
                           type, message),
                  0);
    return text;
}

/* ---- over the network ------------------------------------------------------------------------ */

const char *dialect_base_url(enum reeve_provider provider)
{
    return provider == REEVE_PROVIDER_ANTHROPIC ? "http://model.test" : "http://model.test/v1";
}

const char *dialect_url(enum reeve_provider provider)
{
    return provider == REEVE_PROVIDER_ANTHROPIC ? "http://model.test/v1/messages"
                                                : "http://model.test/v1/chat/completions";
}

enum reeve_provider dialect_of(const struct rv_sim_http_exchange *exchange)
{
    return strstr(rv_sim_http_request_of(exchange)->url, "/v1/messages") ? REEVE_PROVIDER_ANTHROPIC
                                                                         : REEVE_PROVIDER_OPENAI;
}

void dialect_say(struct rv_sim_http_exchange *exchange, const char *script)
{
    char *text = dialect_stream(dialect_of(exchange), script);

    rv_sim_http_text(exchange, text);
    free(text);
}
