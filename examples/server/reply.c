/* SPDX-License-Identifier: MIT */
/*
 * Writing a completion.
 *
 * A stream walks through the phases of ms_reply_phase, one event a step. Text and arguments are cut
 * into pieces of chunk_bytes, between UTF-8 characters; arguments, which hold JSON, between that
 * JSON's escapes too. Faults of the body come in at the first piece behind the middle.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "reply_parts.h"

#define HUGE_PIECE_BYTES 4096
#define FINGERPRINT "fp_scripted"

static void make_id(char id[MS_ID_BYTES], const char *prefix, uint64_t (*random)(void *arg),
                    void *arg)
{
    snprintf(id, MS_ID_BYTES, "%s%016llx", prefix, (unsigned long long)random(arg));
}

static size_t total_bytes(const struct ms_plan *plan)
{
    size_t bytes = plan->text.len;

    for (size_t i = 0; i < plan->calls_count; i++)
        bytes += strlen(plan->calls[i].arguments);
    return bytes;
}

static void cut_text(struct ms_text *text, size_t len)
{
    if (len >= text->len)
        return;
    text->len = len;
    text->data[len] = '\0';
}

static void drop_call(struct ms_plan *plan)
{
    plan->calls_count--;
    free(plan->calls[plan->calls_count].name);
    free(plan->calls[plan->calls_count].arguments);
}

/* A model that runs out of tokens stops anywhere, in the arguments of a call too. */
static void cut_to_limit(struct ms_reply *reply, size_t max_tokens)
{
    struct ms_plan *plan = &reply->plan;
    size_t left = max_tokens < MS_MAX_ANSWER_BYTES ? max_tokens * MS_TOKEN_BYTES : (size_t)-1;

    if (max_tokens == 0)
        return;
    if (plan->text.len > left) {
        cut_text(&plan->text, ms_utf8_cut(plan->text.data, plan->text.len, left));
        reply->finish_reason = "length";
    }
    for (size_t i = 0; i < plan->calls_count; i++) {
        char *arguments = plan->calls[i].arguments;
        size_t len = strlen(arguments);

        if (len > left) {
            arguments[left ? ms_utf8_cut(arguments, len, left) : 0] = '\0';
            while (plan->calls_count > i + 1)
                drop_call(plan);
            reply->finish_reason = "length";
            return;
        }
        left -= len;
    }
}

static void cut_at(struct ms_reply *reply, const char *stop)
{
    struct ms_text *text = &reply->plan.text;
    char *found = text->len && stop && *stop ? strstr(text->data, stop) : NULL;

    if (!found)
        return;
    cut_text(text, (size_t)(found - text->data));
    snprintf(reply->stop_sequence, sizeof(reply->stop_sequence), "%s", stop);
}

static void cut_at_stop(struct ms_reply *reply, yajl_val stop)
{
    cut_at(reply, YAJL_GET_STRING(stop));
    for (size_t i = 0; YAJL_IS_ARRAY(stop) && i < stop->u.array.len; i++)
        cut_at(reply, YAJL_GET_STRING(stop->u.array.values[i]));
}

int ms_reply_init(struct ms_reply *reply, const struct ms_request *request, struct ms_plan *plan,
                  const struct ms_fault *fault, size_t chunk_bytes, uint64_t (*random)(void *arg),
                  void *arg)
{
    *reply = (struct ms_reply){.plan = *plan,
                               .fault = *fault,
                               .chunk_bytes = chunk_bytes ? chunk_bytes : 1,
                               .wire = request->wire,
                               .caches = request->caches,
                               .stream = request->stream,
                               .include_usage = request->include_usage};
    reply->model = ms_span_copy(ms_span_of(request->model));
    if (!reply->model) {
        ms_reply_done(reply);
        return -1;
    }
    while (fault->kind == MS_FAULT_HUGE && reply->plan.calls_count > 0)
        drop_call(&reply->plan);
    reply->finish_reason = reply->plan.calls_count > 0 ? "tool_calls" : "stop";
    cut_at_stop(reply, request->stop);
    cut_to_limit(reply, request->max_tokens);
    make_id(reply->id, request->wire == MS_WIRE_ANTHROPIC ? "msg_" : "chatcmpl-", random, arg);
    for (size_t i = 0; i < reply->plan.calls_count; i++)
        make_id(reply->call_ids[i], request->wire == MS_WIRE_ANTHROPIC ? "toolu_" : "call_", random,
                arg);
    return 0;
}

void ms_reply_done(struct ms_reply *reply)
{
    ms_plan_done(&reply->plan);
    free(reply->model);
    reply->model = NULL;
}

/* With `more` bytes sent, the middle is reached. */
static bool reaches_half(const struct ms_reply *reply, size_t more)
{
    size_t sent = reply->body_bytes + more;

    return reply->phase > MS_PHASE_BODY ||
           (reply->phase == MS_PHASE_BODY && sent * 2 >= total_bytes(&reply->plan));
}

bool ms_reply_is_past_half(const struct ms_reply *reply)
{
    return reaches_half(reply, 0);
}

bool ms_reply_fault_now(struct ms_reply *reply, enum ms_fault_kind kind, size_t len)
{
    if (reply->fault.kind != kind || reply->fault_done || !reaches_half(reply, len))
        return false;
    reply->fault_done = true;
    return true;
}

size_t ms_reply_tokens(const struct ms_reply *reply)
{
    size_t bytes = total_bytes(&reply->plan);

    for (size_t i = 0; i < reply->plan.calls_count; i++)
        bytes += strlen(reply->plan.calls[i].name);
    return bytes / MS_TOKEN_BYTES + 1;
}

static void write_usage(const struct ms_reply *reply, yajl_gen gen)
{
    size_t completion = ms_reply_tokens(reply);

    ms_json_open(gen, "usage");
    ms_json_member_int(gen, "prompt_tokens", (long long)reply->prompt_tokens);
    ms_json_member_int(gen, "completion_tokens", (long long)completion);
    ms_json_member_int(gen, "total_tokens", (long long)(reply->prompt_tokens + completion));
    ms_json_open(gen, "prompt_tokens_details");
    ms_json_member_int(gen, "cached_tokens", (long long)reply->cached_tokens);
    ms_json_member_int(gen, "cache_write_tokens", (long long)reply->written_tokens);
    yajl_gen_map_close(gen);
    ms_json_open(gen, "completion_tokens_details");
    ms_json_member_int(gen, "reasoning_tokens", 0);
    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);
}

static void write_head(const struct ms_reply *reply, yajl_gen gen, const char *object)
{
    ms_json_open(gen, NULL);
    ms_json_member(gen, "id", reply->id);
    ms_json_member(gen, "object", object);
    ms_json_member_int(gen, "created", reply->created_s);
    ms_json_member(gen, "model", reply->model);
    ms_json_member(gen, "system_fingerprint", FINGERPRINT);
}

/* Everything up to the members of delta. */
static yajl_gen begin_chunk(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return NULL;
    }
    write_head(reply, gen, "chat.completion.chunk");
    ms_json_open_array(gen, "choices");
    ms_json_open(gen, NULL);
    ms_json_member_int(gen, "index", 0);
    ms_json_open(gen, "delta");
    return gen;
}

const char *ms_reply_line_end(const struct ms_reply *reply)
{
    return reply->fault.kind == MS_FAULT_CRLF ? "\r\n" : "\n";
}

static void begin_event(const struct ms_reply *reply, struct ms_text *out)
{
    if (reply->fault.kind == MS_FAULT_COMMENTS)
        ms_text_add_string(out, ": keep-alive\n\n");
    ms_text_add_string(out, "data: ");
}

static void end_event(const struct ms_reply *reply, struct ms_text *out)
{
    ms_text_add_string(out, ms_reply_line_end(reply));
    ms_text_add_string(out, ms_reply_line_end(reply));
}

static void end_chunk(struct ms_reply *reply, yajl_gen gen, const char *finish_reason,
                      struct ms_text *out)
{
    yajl_gen_map_close(gen);
    ms_json_member_null(gen, "logprobs");
    ms_json_member(gen, "finish_reason", finish_reason);
    yajl_gen_map_close(gen);
    yajl_gen_array_close(gen);
    if (reply->include_usage)
        ms_json_member_null(gen, "usage");
    yajl_gen_map_close(gen);
    begin_event(reply, out);
    ms_json_finish(gen, out);
    end_event(reply, out);
}

static void send_role(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_chunk(reply, out);

    if (!gen)
        return;
    ms_json_member(gen, "role", "assistant");
    ms_json_member(gen, "content", reply->plan.calls_count > 0 ? NULL : "");
    ms_json_member_null(gen, "refusal");
    end_chunk(reply, gen, NULL, out);
    reply->phase = MS_PHASE_BODY;
}

void ms_reply_write_piece(struct ms_reply *reply, yajl_gen gen, const char *key, const char *bytes,
                          size_t len)
{
    struct ms_text piece;

    if (!ms_reply_fault_now(reply, MS_FAULT_BAD_UTF8, len)) {
        ms_json_member_span(gen, key, (struct ms_span){bytes, len});
    } else {
        ms_text_init(&piece, len + 2);
        ms_text_add(&piece, "\xff\xfe", 2);
        ms_text_add(&piece, bytes, len);
        ms_json_member_span(gen, key, (struct ms_span){ms_text_string(&piece), piece.len});
        ms_text_done(&piece);
    }
    reply->offset += len;
    reply->body_bytes += len;
}

static void send_text(struct ms_reply *reply, struct ms_text *out)
{
    const struct ms_text *text = &reply->plan.text;
    size_t left = text->len - reply->offset;
    yajl_gen gen;

    if (left == 0) {
        reply->phase = MS_PHASE_FINISH;
        return;
    }
    gen = begin_chunk(reply, out);
    if (!gen)
        return;
    ms_reply_write_piece(reply, gen, "content", text->data + reply->offset,
                         ms_utf8_cut(text->data + reply->offset, left, reply->chunk_bytes));
    end_chunk(reply, gen, NULL, out);
}

size_t ms_arguments_cut(const char *s, size_t len, size_t max_bytes)
{
    size_t cut = 0;

    while (cut < len) {
        size_t step = ms_utf8_cut(s + cut, len - cut, 1);

        if (s[cut] == '\\' && cut + 1 < len)
            step = s[cut + 1] == 'u' ? 6 : 2;
        if (cut > 0 && cut + step > max_bytes)
            return cut;
        cut += step;
    }
    return len;
}

static void begin_call(struct ms_reply *reply, yajl_gen gen)
{
    const struct ms_planned_call *call = &reply->plan.calls[reply->call];

    ms_json_member(gen, "id", reply->call_ids[reply->call]);
    ms_json_member(gen, "type", "function");
    ms_json_open(gen, "function");
    ms_json_member(gen, "name", call->name);
    ms_json_member(gen, "arguments", "");
    reply->call_begun = true;
    reply->offset = 0;
}

static void continue_call(struct ms_reply *reply, yajl_gen gen)
{
    const char *rest = reply->plan.calls[reply->call].arguments + reply->offset;
    size_t left = strlen(rest);

    ms_json_open(gen, "function");
    ms_reply_write_piece(reply, gen, "arguments", rest,
                         ms_arguments_cut(rest, left, reply->chunk_bytes));
}

static void send_calls(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen;

    if (reply->call_begun && !reply->plan.calls[reply->call].arguments[reply->offset]) {
        reply->call++;
        reply->call_begun = false;
    }
    if (reply->call == reply->plan.calls_count) {
        reply->phase = MS_PHASE_FINISH;
        return;
    }
    gen = begin_chunk(reply, out);
    if (!gen)
        return;
    ms_json_open_array(gen, "tool_calls");
    ms_json_open(gen, NULL);
    ms_json_member_int(gen, "index", (long long)reply->call);
    if (reply->call_begun)
        continue_call(reply, gen);
    else
        begin_call(reply, gen);
    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);
    yajl_gen_array_close(gen);
    end_chunk(reply, gen, NULL, out);
}

static void send_huge(struct ms_reply *reply, struct ms_text *out)
{
    char piece[HUGE_PIECE_BYTES];
    yajl_gen gen;

    if (reply->body_bytes >= MS_HUGE_BYTES) {
        reply->phase = MS_PHASE_FINISH;
        return;
    }
    gen = begin_chunk(reply, out);
    if (!gen)
        return;
    memset(piece, 'x', sizeof(piece));
    ms_json_member_span(gen, "content", (struct ms_span){piece, sizeof(piece)});
    reply->body_bytes += sizeof(piece);
    end_chunk(reply, gen, NULL, out);
}

static void send_finish(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_chunk(reply, out);

    if (!gen)
        return;
    end_chunk(reply, gen, reply->finish_reason, out);
    reply->phase = reply->include_usage ? MS_PHASE_USAGE : MS_PHASE_DONE;
}

static void send_usage(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    write_head(reply, gen, "chat.completion.chunk");
    ms_json_open_array(gen, "choices");
    yajl_gen_array_close(gen);
    write_usage(reply, gen);
    yajl_gen_map_close(gen);
    begin_event(reply, out);
    ms_json_finish(gen, out);
    end_event(reply, out);
    reply->phase = MS_PHASE_DONE;
}

static void send_done(struct ms_reply *reply, struct ms_text *out)
{
    reply->phase = MS_PHASE_END;
    if (reply->fault.kind == MS_FAULT_NO_DONE)
        return;
    begin_event(reply, out);
    ms_text_add_string(out, "[DONE]");
    end_event(reply, out);
}

static void send_garbage(struct ms_reply *reply, struct ms_text *out)
{
    begin_event(reply, out);
    ms_text_addf(out,
                 "{\"id\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":", reply->id);
    end_event(reply, out);
}

static void send_error(struct ms_reply *reply, struct ms_text *out)
{
    struct ms_error error;

    ms_error_set(&error, NULL, NULL,
                 "The server had an error while processing your request. Sorry about that! %s",
                 reply->echo);
    error.type = "server_error";
    begin_event(reply, out);
    ms_error_write(reply->wire, &error, out);
    end_event(reply, out);
    reply->phase = MS_PHASE_END;
}

static void stream_step(struct ms_reply *reply, struct ms_text *out)
{
    switch (reply->phase) {
    case MS_PHASE_ROLE:
        send_role(reply, out);
        break;
    case MS_PHASE_BODY:
        if (ms_reply_fault_now(reply, MS_FAULT_GARBAGE, 0))
            send_garbage(reply, out);
        else if (ms_reply_fault_now(reply, MS_FAULT_ERROR_IN_STREAM, 0))
            send_error(reply, out);
        else if (reply->fault.kind == MS_FAULT_HUGE)
            send_huge(reply, out);
        else if (reply->plan.calls_count > 0)
            send_calls(reply, out);
        else
            send_text(reply, out);
        break;
    case MS_PHASE_FINISH:
        send_finish(reply, out);
        break;
    case MS_PHASE_USAGE:
        send_usage(reply, out);
        break;
    case MS_PHASE_DONE:
        send_done(reply, out);
        break;
    case MS_PHASE_END:
        break;
    }
}

static void write_calls(struct ms_reply *reply, yajl_gen gen)
{
    ms_json_open_array(gen, "tool_calls");
    for (size_t i = 0; i < reply->plan.calls_count; i++) {
        const char *arguments = reply->plan.calls[i].arguments;

        ms_json_open(gen, NULL);
        ms_json_member(gen, "id", reply->call_ids[i]);
        ms_json_member(gen, "type", "function");
        ms_json_open(gen, "function");
        ms_json_member(gen, "name", reply->plan.calls[i].name);
        ms_reply_write_piece(reply, gen, "arguments", arguments, strlen(arguments));
        yajl_gen_map_close(gen);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void write_message(struct ms_reply *reply, yajl_gen gen)
{
    const struct ms_text *text = &reply->plan.text;

    ms_json_open(gen, "message");
    ms_json_member(gen, "role", "assistant");
    if (reply->plan.calls_count > 0) {
        ms_json_member_null(gen, "content");
        write_calls(reply, gen);
    } else {
        ms_reply_write_piece(reply, gen, "content", ms_text_string(text), text->len);
    }
    ms_json_member_null(gen, "refusal");
    yajl_gen_map_close(gen);
}

static void write_whole(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    write_head(reply, gen, "chat.completion");
    ms_json_open_array(gen, "choices");
    ms_json_open(gen, NULL);
    ms_json_member_int(gen, "index", 0);
    write_message(reply, gen);
    ms_json_member_null(gen, "logprobs");
    ms_json_member(gen, "finish_reason", reply->finish_reason);
    yajl_gen_map_close(gen);
    yajl_gen_array_close(gen);
    write_usage(reply, gen);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

/* The body under `huge`, in pieces, since 64 MiB are not to stand in memory. */
static void huge_step(struct ms_reply *reply, struct ms_text *out)
{
    char piece[HUGE_PIECE_BYTES];

    if (reply->phase == MS_PHASE_ROLE) {
        ms_text_addf(
            out,
            reply->wire == MS_WIRE_ANTHROPIC
                ? "{\"id\":\"%s\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{"
                  "\"type\":\"text\",\"text\":\""
                : "{\"id\":\"%s\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                  "\"message\":{\"role\":\"assistant\",\"content\":\"",
            reply->id);
        reply->phase = MS_PHASE_BODY;
    } else if (reply->body_bytes < MS_HUGE_BYTES) {
        memset(piece, 'x', sizeof(piece));
        ms_text_add(out, piece, sizeof(piece));
        reply->body_bytes += sizeof(piece);
    } else {
        ms_text_add_string(out, reply->wire == MS_WIRE_ANTHROPIC
                                    ? "\"}],\"stop_reason\":\"end_turn\",\"usage\":{"
                                      "\"input_tokens\":1,\"output_tokens\":1}}"
                                    : "\"},\"finish_reason\":\"stop\"}]}");
        reply->phase = MS_PHASE_END;
    }
}

static void whole_step(struct ms_reply *reply, struct ms_text *out)
{
    if (reply->fault.kind == MS_FAULT_HUGE) {
        huge_step(reply, out);
        return;
    }
    reply->phase = MS_PHASE_END;
    if (ms_reply_fault_now(reply, MS_FAULT_ERROR_IN_STREAM, 0)) {
        struct ms_error error;

        ms_error_set(&error, NULL, NULL,
                     "The server had an error while processing your request. %s", reply->echo);
        error.type = "server_error";
        error.status = 500;
        ms_error_write(reply->wire, &error, out);
        return;
    }
    if (reply->wire == MS_WIRE_ANTHROPIC)
        ms_anthropic_whole(reply, out);
    else
        write_whole(reply, out);
    if (ms_reply_fault_now(reply, MS_FAULT_GARBAGE, 0) && out->len > 0)
        cut_text(out, out->len / 2);
}

bool ms_reply_next(struct ms_reply *reply, struct ms_text *out)
{
    size_t before = out->len;

    while (reply->phase != MS_PHASE_END && !out->failed && out->len == before) {
        if (reply->stream && reply->wire == MS_WIRE_ANTHROPIC)
            ms_anthropic_stream_step(reply, out);
        else if (reply->stream)
            stream_step(reply, out);
        else
            whole_step(reply, out);
    }
    return out->len > before;
}

void ms_error_write(enum ms_wire wire, const struct ms_error *error, struct ms_text *out)
{
    yajl_gen gen;

    if (wire == MS_WIRE_ANTHROPIC) {
        ms_anthropic_error(error, out);
        return;
    }
    gen = yajl_gen_alloc(NULL);
    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    ms_json_open(gen, "error");
    ms_json_member(gen, "message", error->message);
    ms_json_member(gen, "type", error->type);
    ms_json_member(gen, "param", error->param[0] ? error->param : NULL);
    ms_json_member(gen, "code", error->code);
    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

void ms_models_write(const char *model, long long created_s, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    ms_json_member(gen, "object", "list");
    ms_json_open_array(gen, "data");
    ms_json_open(gen, NULL);
    ms_json_member(gen, "id", model);
    ms_json_member(gen, "object", "model");
    ms_json_member_int(gen, "created", created_s);
    ms_json_member(gen, "owned_by", "reeve");
    yajl_gen_map_close(gen);
    yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

void ms_html_write(int status, struct ms_text *out)
{
    ms_text_addf(out,
                 "<!DOCTYPE html>\n<html><head><title>%d</title></head>\n<body><center><h1>%d "
                 "</h1></center><hr><center>gateway</center></body></html>\n",
                 status, status);
}
