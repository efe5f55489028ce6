/* SPDX-License-Identifier: MIT */
/*
 * Writing an answer as Anthropic's Messages.
 *
 * A stream: message_start with the usage of the prompt, a ping, then for each block its start, its
 * deltas and its stop, message_delta with the reason and the usage in all, message_stop. One event
 * a step, as of the other format.
 */
#include <stdio.h>
#include <string.h>

#include "anthropic.h"
#include "reply_parts.h"

static const struct {
    int status;
    const char *type;
} error_types[] = {
    {400, "invalid_request_error"}, {401, "authentication_error"}, {403, "permission_error"},
    {404, "not_found_error"},       {413, "request_too_large"},    {429, "rate_limit_error"},
    {503, "overloaded_error"},      {529, "overloaded_error"},
};

static const char *error_type(int status)
{
    size_t i;

    for (i = 0; i < sizeof(error_types) / sizeof(error_types[0]); i++)
        if (error_types[i].status == status)
            return error_types[i].type;
    return status < 500 ? "invalid_request_error" : "api_error";
}

void ms_anthropic_error(const struct ms_error *error, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    ms_json_member(gen, "type", "error");
    ms_json_open(gen, "error");
    ms_json_member(gen, "type", error_type(error->status));
    ms_json_member(gen, "message", error->message);
    yajl_gen_map_close(gen);
    ms_json_member(gen, "request_id", "req_scripted");
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}

/* ---- parts -------------------------------------------------------------------------------------
 */

static const char *stop_reason(const struct ms_reply *reply)
{
    if (strcmp(reply->finish_reason, "tool_calls") == 0)
        return "tool_use";
    if (strcmp(reply->finish_reason, "length") == 0)
        return "max_tokens";
    return reply->stop_sequence[0] ? "stop_sequence" : "end_turn";
}

static void write_stop(const struct ms_reply *reply, yajl_gen gen)
{
    const bool by_sequence = strcmp(stop_reason(reply), "stop_sequence") == 0;

    ms_json_member(gen, "stop_reason", stop_reason(reply));
    ms_json_member(gen, "stop_sequence", by_sequence ? reply->stop_sequence : NULL);
}

/* What the cache served and what it took is not counted into input_tokens. */
static void write_usage(const struct ms_reply *reply, size_t output_tokens, yajl_gen gen)
{
    const size_t uncached = reply->prompt_tokens - reply->cached_tokens - reply->written_tokens;

    ms_json_open(gen, "usage");
    ms_json_member_int(gen, "input_tokens", (long long)uncached);
    ms_json_member_int(gen, "cache_creation_input_tokens", (long long)reply->written_tokens);
    ms_json_member_int(gen, "cache_read_input_tokens", (long long)reply->cached_tokens);
    ms_json_open(gen, "cache_creation");
    ms_json_member_int(gen, "ephemeral_5m_input_tokens", (long long)reply->written_tokens);
    ms_json_member_int(gen, "ephemeral_1h_input_tokens", 0);
    yajl_gen_map_close(gen);
    ms_json_member_int(gen, "output_tokens", (long long)output_tokens);
    yajl_gen_map_close(gen);
}

static void write_head(const struct ms_reply *reply, yajl_gen gen)
{
    ms_json_member(gen, "id", reply->id);
    ms_json_member(gen, "type", "message");
    ms_json_member(gen, "role", "assistant");
    ms_json_member(gen, "model", reply->model);
}

void ms_anthropic_sign(const char *thinking, char ret_signature[MS_SIGNATURE_BYTES])
{
    const uint64_t hash = ms_hash(MS_HASH_START, "signed", 6);

    snprintf(ret_signature, MS_SIGNATURE_BYTES, "sig_%016llx",
             (unsigned long long)ms_hash(hash, thinking, strlen(thinking)));
}

/* ---- a stream ----------------------------------------------------------------------------------
 */

static yajl_gen begin_event(const char *type, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return NULL;
    }
    ms_json_open(gen, NULL);
    ms_json_member(gen, "type", type);
    return gen;
}

static void add_line(const struct ms_reply *reply, const char *field, const char *value,
                     struct ms_text *out)
{
    ms_text_addf(out, "%s: %s%s", field, value, ms_reply_line_end(reply));
}

static void end_event(const struct ms_reply *reply, const char *type, yajl_gen gen,
                      struct ms_text *out)
{
    if (reply->fault.kind == MS_FAULT_COMMENTS)
        ms_text_add_string(out, ": keep-alive\n\n");
    yajl_gen_map_close(gen);
    add_line(reply, "event", type, out);
    ms_text_add_string(out, "data: ");
    ms_json_finish(gen, out);
    ms_text_add_string(out, ms_reply_line_end(reply));
    ms_text_add_string(out, ms_reply_line_end(reply));
}

static void send_start(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_event("message_start", out);

    if (!gen)
        return;
    ms_json_open(gen, "message");
    write_head(reply, gen);
    ms_json_open_array(gen, "content");
    yajl_gen_array_close(gen);
    ms_json_member_null(gen, "stop_reason");
    ms_json_member_null(gen, "stop_sequence");
    write_usage(reply, 1, gen);
    yajl_gen_map_close(gen);
    end_event(reply, "message_start", gen, out);
    reply->phase = MS_PHASE_BODY;
}

static void send_ping(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_event("ping", out);

    if (gen)
        end_event(reply, "ping", gen, out);
    reply->ping_sent = true;
}

static void send_thought_start(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_event("content_block_start", out);

    reply->thought_begun = true;
    if (!gen)
        return;
    ms_json_member_int(gen, "index", 0);
    ms_json_open(gen, "content_block");
    ms_json_member(gen, "type", "thinking");
    ms_json_member(gen, "thinking", "");
    ms_json_member(gen, "signature", "");
    yajl_gen_map_close(gen);
    end_event(reply, "content_block_start", gen, out);
}

static void send_thought_delta(const struct ms_reply *reply, const char *type, const char *key,
                               struct ms_span value, struct ms_text *out)
{
    yajl_gen gen = begin_event("content_block_delta", out);

    if (!gen)
        return;
    ms_json_member_int(gen, "index", 0);
    ms_json_open(gen, "delta");
    ms_json_member(gen, "type", type);
    ms_json_member_span(gen, key, value);
    yajl_gen_map_close(gen);
    end_event(reply, "content_block_delta", gen, out);
}

/* The block before all others: its words, its signature, its end. */
static void send_thought(struct ms_reply *reply, struct ms_text *out)
{
    const char *rest = reply->plan.thinking + reply->thought_offset;
    struct ms_span piece = {rest, ms_utf8_cut(rest, strlen(rest), reply->chunk_bytes)};
    char signature[MS_SIGNATURE_BYTES];
    yajl_gen gen;

    if (!reply->thought_begun) {
        send_thought_start(reply, out);
    } else if (*rest) {
        send_thought_delta(reply, "thinking_delta", "thinking", piece, out);
        reply->thought_offset += piece.len;
    } else if (!reply->thought_signed) {
        ms_anthropic_sign(reply->plan.thinking, signature);
        send_thought_delta(reply, "signature_delta", "signature", ms_span_of(signature), out);
        reply->thought_signed = true;
    } else {
        reply->thought_done = true;
        gen = begin_event("content_block_stop", out);
        if (!gen)
            return;
        ms_json_member_int(gen, "index", 0);
        end_event(reply, "content_block_stop", gen, out);
    }
}

static long long block_index(const struct ms_reply *reply)
{
    return (long long)reply->call + (reply->plan.thinking ? 1 : 0);
}

static void send_block_start(struct ms_reply *reply, struct ms_text *out)
{
    const bool is_call = reply->plan.calls_count > 0;
    yajl_gen gen = begin_event("content_block_start", out);

    if (!gen)
        return;
    ms_json_member_int(gen, "index", block_index(reply));
    ms_json_open(gen, "content_block");
    ms_json_member(gen, "type", is_call ? "tool_use" : "text");
    if (is_call) {
        ms_json_member(gen, "id", reply->call_ids[reply->call]);
        ms_json_member(gen, "name", reply->plan.calls[reply->call].name);
        ms_json_open(gen, "input");
        yajl_gen_map_close(gen);
    } else {
        ms_json_member(gen, "text", "");
    }
    yajl_gen_map_close(gen);
    end_event(reply, "content_block_start", gen, out);
    reply->call_begun = true;
    reply->offset = 0;
}

static void send_delta(struct ms_reply *reply, const char *rest, size_t len, struct ms_text *out)
{
    const bool is_call = reply->plan.calls_count > 0;
    yajl_gen gen = begin_event("content_block_delta", out);

    if (!gen)
        return;
    ms_json_member_int(gen, "index", block_index(reply));
    ms_json_open(gen, "delta");
    ms_json_member(gen, "type", is_call ? "input_json_delta" : "text_delta");
    ms_reply_write_piece(reply, gen, is_call ? "partial_json" : "text", rest, len);
    yajl_gen_map_close(gen);
    end_event(reply, "content_block_delta", gen, out);
}

static void send_block_stop(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_event("content_block_stop", out);

    if (!gen)
        return;
    ms_json_member_int(gen, "index", block_index(reply));
    end_event(reply, "content_block_stop", gen, out);
    reply->call++;
    reply->call_begun = false;
    if (reply->call >= reply->plan.calls_count)
        reply->phase = MS_PHASE_FINISH;
}

static void send_huge(struct ms_reply *reply, struct ms_text *out)
{
    char piece[4096];

    if (reply->body_bytes >= MS_HUGE_BYTES) {
        send_block_stop(reply, out);
        return;
    }
    memset(piece, 'x', sizeof(piece));
    send_delta(reply, piece, sizeof(piece), out);
}

static void send_piece(struct ms_reply *reply, struct ms_text *out)
{
    const bool is_call = reply->plan.calls_count > 0;
    const char *all =
        is_call ? reply->plan.calls[reply->call].arguments : ms_text_string(&reply->plan.text);
    const char *rest = all + reply->offset;
    const size_t left = strlen(rest);

    if (left == 0)
        send_block_stop(reply, out);
    else if (is_call)
        send_delta(reply, rest, ms_arguments_cut(rest, left, reply->chunk_bytes), out);
    else
        send_delta(reply, rest, ms_utf8_cut(rest, left, reply->chunk_bytes), out);
}

/* Under the fault `huge` the offset counts what is in no text: it must not be followed. */
static void send_block(struct ms_reply *reply, struct ms_text *out)
{
    if (!reply->call_begun)
        send_block_start(reply, out);
    else if (reply->fault.kind == MS_FAULT_HUGE)
        send_huge(reply, out);
    else
        send_piece(reply, out);
}

static void send_finish(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = begin_event("message_delta", out);

    if (!gen)
        return;
    ms_json_open(gen, "delta");
    write_stop(reply, gen);
    yajl_gen_map_close(gen);
    write_usage(reply, ms_reply_tokens(reply), gen);
    end_event(reply, "message_delta", gen, out);
    reply->phase = MS_PHASE_DONE;
}

static void send_stop(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen;

    reply->phase = MS_PHASE_END;
    if (reply->fault.kind == MS_FAULT_NO_DONE)
        return;
    gen = begin_event("message_stop", out);
    if (gen)
        end_event(reply, "message_stop", gen, out);
}

static void send_garbage(struct ms_reply *reply, struct ms_text *out)
{
    add_line(reply, "event", "content_block_delta", out);
    add_line(reply, "data",
             "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"text\":", out);
    ms_text_add_string(out, ms_reply_line_end(reply));
}

static void send_error(struct ms_reply *reply, struct ms_text *out)
{
    struct ms_error error;

    ms_error_set(&error, NULL, NULL, "Overloaded %s", reply->echo);
    error.status = 529;
    add_line(reply, "event", "error", out);
    ms_text_add_string(out, "data: ");
    ms_anthropic_error(&error, out);
    ms_text_add_string(out, ms_reply_line_end(reply));
    ms_text_add_string(out, ms_reply_line_end(reply));
    reply->phase = MS_PHASE_END;
}

static void send_body(struct ms_reply *reply, struct ms_text *out)
{
    if (!reply->ping_sent)
        send_ping(reply, out);
    else if (reply->plan.thinking && !reply->thought_done)
        send_thought(reply, out);
    else if (ms_reply_fault_now(reply, MS_FAULT_GARBAGE, 0))
        send_garbage(reply, out);
    else if (ms_reply_fault_now(reply, MS_FAULT_ERROR_IN_STREAM, 0))
        send_error(reply, out);
    else
        send_block(reply, out);
}

void ms_anthropic_stream_step(struct ms_reply *reply, struct ms_text *out)
{
    switch (reply->phase) {
    case MS_PHASE_ROLE:
        send_start(reply, out);
        break;
    case MS_PHASE_BODY:
        send_body(reply, out);
        break;
    case MS_PHASE_FINISH:
    case MS_PHASE_USAGE:
        send_finish(reply, out);
        break;
    case MS_PHASE_DONE:
        send_stop(reply, out);
        break;
    case MS_PHASE_END:
        break;
    }
}

/* ---- one body ----------------------------------------------------------------------------------
 */

/* The arguments as the object that they are; what a fault or a limit broke off is none, and an
 * object here cannot be broken: it is empty then. */
static void write_input(const char *arguments, yajl_gen gen)
{
    yajl_val input;

    if (!ms_json_parse(arguments, strlen(arguments), &input)) {
        ms_json_key(gen, "input");
        ms_json_value(gen, input);
        yajl_tree_free(input);
        return;
    }
    ms_json_open(gen, "input");
    yajl_gen_map_close(gen);
}

static void write_calls(struct ms_reply *reply, yajl_gen gen)
{
    size_t i;

    for (i = 0; i < reply->plan.calls_count; i++) {
        ms_json_open(gen, NULL);
        ms_json_member(gen, "type", "tool_use");
        ms_json_member(gen, "id", reply->call_ids[i]);
        ms_json_member(gen, "name", reply->plan.calls[i].name);
        write_input(reply->plan.calls[i].arguments, gen);
        yajl_gen_map_close(gen);
        reply->body_bytes += strlen(reply->plan.calls[i].arguments);
    }
}

static void write_text(struct ms_reply *reply, yajl_gen gen)
{
    const struct ms_text *text = &reply->plan.text;

    ms_json_open(gen, NULL);
    ms_json_member(gen, "type", "text");
    ms_reply_write_piece(reply, gen, "text", ms_text_string(text), text->len);
    yajl_gen_map_close(gen);
}

static void write_thought(const struct ms_reply *reply, yajl_gen gen)
{
    char signature[MS_SIGNATURE_BYTES];

    if (!reply->plan.thinking)
        return;
    ms_anthropic_sign(reply->plan.thinking, signature);
    ms_json_open(gen, NULL);
    ms_json_member(gen, "type", "thinking");
    ms_json_member(gen, "thinking", reply->plan.thinking);
    ms_json_member(gen, "signature", signature);
    yajl_gen_map_close(gen);
}

void ms_anthropic_whole(struct ms_reply *reply, struct ms_text *out)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (!gen) {
        out->failed = true;
        return;
    }
    ms_json_open(gen, NULL);
    write_head(reply, gen);
    ms_json_open_array(gen, "content");
    write_thought(reply, gen);
    if (reply->plan.calls_count > 0)
        write_calls(reply, gen);
    else
        write_text(reply, gen);
    yajl_gen_array_close(gen);
    write_stop(reply, gen);
    write_usage(reply, ms_reply_tokens(reply), gen);
    yajl_gen_map_close(gen);
    ms_json_finish(gen, out);
}
