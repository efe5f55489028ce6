/* SPDX-License-Identifier: MIT */
/* Messages: the block and what stands in it. */
#include "chat/message.h"

#include <assert.h>
#include <string.h>

#include <reeve/error.h>

#include "base/buffer.h"
#include "base/export.h"
#include "base/hash.h"
#include "base/utf8.h"

/* Up to here comparing id by id is no slower than hashing. */
enum { UNINDEXED_CALLS = 8 };

RV_EXPORT const char *reeve_role_name(enum reeve_role role)
{
    switch (role) {
    case REEVE_ROLE_SYSTEM:
        return "system";
    case REEVE_ROLE_USER:
        return "user";
    case REEVE_ROLE_ASSISTANT:
        return "assistant";
    case REEVE_ROLE_TOOL:
        return "tool";
    case REEVE_ROLE_UNKNOWN:
        break;
    }
    return "unknown";
}

static bool usable_name(const char *text)
{
    return text && *text && rv_utf8_valid(text, strlen(text));
}

static bool usable_call(const struct reeve_call *call)
{
    return usable_name(call->id) && usable_name(call->name) &&
           (call->arguments || !call->arguments_len);
}

/* Whether the parts are all of the text and all of the calls. */
static bool layout_fits(const struct rv_message_parts *parts)
{
    size_t text_left = parts->text_len, calls_left = parts->call_count;
    size_t i;

    for (i = 0; i < parts->part_count; i++) {
        const struct rv_part *part = &parts->parts[i];

        if (part->kind == RV_PART_TEXT) {
            if (part->len > text_left)
                return false;
            text_left -= part->len;
        } else if (part->kind == RV_PART_CALL) {
            if (!calls_left--)
                return false;
        } else if ((!part->text && part->len) || (!part->mark && part->mark_len)) {
            return false;
        }
    }
    return !parts->part_count || (!text_left && !calls_left);
}

static int check_parts(const struct rv_message_parts *parts)
{
    size_t i;

    if (!parts->text && parts->text_len)
        return REEVE_EINVAL;
    if (parts->call_id && !usable_name(parts->call_id))
        return REEVE_EINVAL;
    if (parts->call_count && !parts->calls)
        return REEVE_EINVAL;
    if (parts->call_count > UINT32_MAX / 4)
        return REEVE_EINVAL;
    for (i = 0; i < parts->call_count; i++)
        if (!usable_call(&parts->calls[i]))
            return REEVE_EINVAL;
    if (parts->part_count && !rv_utf8_valid(parts->text, parts->text_len))
        return REEVE_EINVAL;
    if (!layout_fits(parts))
        return REEVE_EINVAL;
    return 0;
}

/* A power of two, at least twice the number of calls; 0: no index is needed. */
static uint32_t slots_for(size_t call_count)
{
    uint32_t slots = 2 * UNINDEXED_CALLS;

    if (call_count <= UNINDEXED_CALLS)
        return 0;
    while (slots < 2 * call_count)
        slots *= 2;
    return slots;
}

static bool add_text_size(size_t *total, size_t len)
{
    return rv_size_add(*total, len, total) && rv_size_add(*total, 1, total);
}

/* Texts that stand nowhere else: those of a text or a call are the message's own. */
static bool has_own_text(const struct rv_part *part)
{
    return part->kind != RV_PART_TEXT && part->kind != RV_PART_CALL;
}

static bool measure_layout(const struct rv_message_parts *parts, size_t *total)
{
    size_t bytes, i;

    if (!rv_size_mul(parts->part_count, sizeof(struct rv_part), &bytes) ||
        !rv_size_add(*total, bytes, total))
        return false;
    for (i = 0; i < parts->part_count; i++)
        if (has_own_text(&parts->parts[i]) && (!add_text_size(total, parts->parts[i].len) ||
                                               !add_text_size(total, parts->parts[i].mark_len)))
            return false;
    return true;
}

/* The size of the block: the message, its calls, its parts, the index of the calls, then the texts
 * with their NULs. */
static bool measure(const struct rv_message_parts *parts, size_t *ret_total)
{
    size_t total = sizeof(struct reeve_message);
    size_t calls, i;

    if (!rv_size_mul(parts->call_count, sizeof(struct reeve_call), &calls) ||
        !rv_size_add(total, calls, &total) || !measure_layout(parts, &total) ||
        !rv_size_add(total, slots_for(parts->call_count) * sizeof(uint32_t), &total) ||
        !add_text_size(&total, parts->text_len))
        return false;
    if (parts->call_id && !add_text_size(&total, strlen(parts->call_id)))
        return false;
    for (i = 0; i < parts->call_count; i++) {
        const struct reeve_call *call = &parts->calls[i];

        if (!add_text_size(&total, strlen(call->id)) ||
            !add_text_size(&total, strlen(call->name)) ||
            !add_text_size(&total, call->arguments_len))
            return false;
    }
    *ret_total = total;
    return true;
}

/* Copy a text to *at and move *at behind its NUL. */
static const char *place(char **at, const char *text, size_t len)
{
    char *copy = *at;

    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    *at = copy + len + 1;
    return copy;
}

static void place_call(char **at, const struct reeve_call *from, struct reeve_call *to)
{
    to->id = place(at, from->id, strlen(from->id));
    to->name = place(at, from->name, strlen(from->name));
    to->arguments = place(at, from->arguments, from->arguments_len);
    to->arguments_len = from->arguments_len;
}

/* The slot where the id stands or, holding 0, where it would. */
static uint32_t find_slot(const struct reeve_message *message, const char *id)
{
    uint32_t slot = (uint32_t)rv_hash(message->slot_seed, id, strlen(id)) & message->slot_mask;

    while (message->slots[slot] && strcmp(message->calls[message->slots[slot] - 1].id, id))
        slot = (slot + 1) & message->slot_mask;
    return slot;
}

/* Only the first `count` calls are looked at: while the message is made, those that stand. */
static size_t find_call(const struct reeve_message *message, size_t count, const char *id)
{
    uint32_t found;
    size_t i;

    if (message->slots) {
        found = message->slots[find_slot(message, id)];
        return found ? found - 1 : SIZE_MAX;
    }
    for (i = 0; i < count; i++)
        if (!strcmp(message->calls[i].id, id))
            return i;
    return SIZE_MAX;
}

size_t rv_message_find_call(const struct reeve_message *message, const char *id)
{
    return find_call(message, message->call_count, id);
}

static int place_calls(struct reeve_message *message, char **at,
                       const struct rv_message_parts *parts)
{
    size_t i;

    for (i = 0; i < parts->call_count; i++) {
        if (find_call(message, i, parts->calls[i].id) != SIZE_MAX)
            return REEVE_EINVAL;
        place_call(at, &parts->calls[i], &message->calls[i]);
        if (message->slots)
            message->slots[find_slot(message, message->calls[i].id)] = (uint32_t)i + 1;
    }
    message->call_count = parts->call_count;
    return 0;
}

static void place_layout(struct reeve_message *message, char **at,
                         const struct rv_message_parts *parts)
{
    const char *text = message->text;
    size_t i;

    for (i = 0; i < parts->part_count; i++) {
        const struct rv_part *from = &parts->parts[i];
        struct rv_part *to = &message->parts[i];

        *to = (struct rv_part){.kind = from->kind, .len = from->len, .mark_len = from->mark_len};
        if (from->kind == RV_PART_TEXT) {
            to->text = text;
            text += from->len;
        } else if (has_own_text(from)) {
            to->text = place(at, from->text, from->len);
            to->mark = place(at, from->mark, from->mark_len);
        }
    }
    message->part_count = parts->part_count;
}

/* The parts have been checked, and their text is valid UTF-8. */
static int build(struct rv_mem *mem, const struct rv_message_parts *parts,
                 struct reeve_message **ret_message)
{
    const uint32_t slots = slots_for(parts->call_count);
    struct reeve_message *message;
    size_t total;
    char *at;
    int error;

    if (!measure(parts, &total))
        return REEVE_ENOMEM;
    message = rv_alloc(mem, total);
    if (!message)
        return REEVE_ENOMEM;
    *message = (struct reeve_message){
        .mem = mem, .refs = 1, .role = parts->role, .is_error = parts->is_error};
    message->calls = (struct reeve_call *)(message + 1);
    message->parts = (struct rv_part *)(void *)(message->calls + parts->call_count);
    at = (char *)(message->parts + parts->part_count);
    if (slots) {
        message->slots = (uint32_t *)(void *)at;
        message->slot_mask = slots - 1;
        message->slot_seed = rv_hash_seed(message);
        memset(at, 0, slots * sizeof(uint32_t));
        at += slots * sizeof(uint32_t);
    }
    message->text = place(&at, parts->text, parts->text_len);
    message->text_len = parts->text_len;
    place_layout(message, &at, parts);
    if (parts->call_id)
        message->call_id = place(&at, parts->call_id, strlen(parts->call_id));
    error = place_calls(message, &at, parts);
    if (error) {
        rv_free(mem, message);
        return error;
    }
    assert(at == (char *)message + total);
    rv_mem_ref(mem);
    *ret_message = message;
    return 0;
}

static int build_repaired(struct rv_mem *mem, const struct rv_message_parts *parts,
                          struct reeve_message **ret_message)
{
    struct rv_message_parts repaired = *parts;
    struct rv_buffer text;
    int error;

    rv_buffer_init(&text, mem, SIZE_MAX / 2);
    error = rv_utf8_add_repaired(&text, parts->text, parts->text_len);
    if (!error) {
        repaired.text = text.data;
        repaired.text_len = text.len;
        error = build(mem, &repaired, ret_message);
    }
    rv_buffer_done(&text);
    return error == REEVE_ETOOBIG ? REEVE_ENOMEM : error;
}

int rv_message_new(struct rv_mem *mem, const struct rv_message_parts *parts,
                   struct reeve_message **ret_message)
{
    int error = check_parts(parts);

    if (error)
        return error;
    if (parts->text_len && !rv_utf8_valid(parts->text, parts->text_len))
        return build_repaired(mem, parts, ret_message);
    return build(mem, parts, ret_message);
}

struct reeve_message *rv_message_ref(struct reeve_message *message)
{
    message->refs++;
    return message;
}

void rv_message_unref(struct reeve_message *message)
{
    struct rv_mem *mem;
    size_t i;

    if (!message || --message->refs)
        return;
    mem = message->mem;
    for (i = 0; i < RV_WIRE_COUNT; i++)
        rv_free(mem, message->wire[i].bytes);
    rv_free(mem, message);
    rv_mem_unref(mem);
}

int rv_message_keep_wire(struct reeve_message *message, enum rv_wire wire, const char *bytes,
                         size_t len)
{
    struct rv_wire_bytes *kept = &message->wire[wire];

    if (kept->bytes)
        return 0;
    kept->bytes = rv_memdup(message->mem, bytes, len);
    if (!kept->bytes)
        return REEVE_ENOMEM;
    kept->len = len;
    return 0;
}

RV_EXPORT enum reeve_role reeve_message_role(const struct reeve_message *message)
{
    return message ? message->role : REEVE_ROLE_UNKNOWN;
}

RV_EXPORT const char *reeve_message_text(const struct reeve_message *message, size_t *ret_len)
{
    if (ret_len)
        *ret_len = message ? message->text_len : 0;
    return message ? message->text : "";
}

RV_EXPORT const struct reeve_call *reeve_message_calls(const struct reeve_message *message,
                                                       size_t *ret_count)
{
    const size_t count = message ? message->call_count : 0;

    if (ret_count)
        *ret_count = count;
    return count ? message->calls : NULL;
}

RV_EXPORT const char *reeve_message_call_id(const struct reeve_message *message)
{
    return message ? message->call_id : NULL;
}

RV_EXPORT int reeve_message_is_error(const struct reeve_message *message)
{
    return message && message->is_error;
}
