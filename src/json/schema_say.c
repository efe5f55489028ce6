/* SPDX-License-Identifier: MIT */
/* Words about values and schemas, for a model to act on and fit for a terminal. */
#include "json/schema_say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
    KEY_BYTES = 48,
    VALUE_BYTES = 48,
    LISTED = 8,      /* of an enum, of names */
    LINKS = 4,       /* of references that are followed to say what is wanted */
    PATH_STEPS = 32, /* the last of them are shown */
};

void rv_saying_init(struct rv_saying *saying, char *text, size_t size)
{
    *saying = (struct rv_saying){.text = text, .size = size};
    text[0] = '\0';
}

void rv_say_bytes(struct rv_saying *saying, const char *text, size_t len)
{
    static const char dots[] = "...";
    const size_t room = saying->size - sizeof dots;

    if (saying->full || saying->len > room)
        return;
    if (len > room - saying->len) {
        len = rv_utf8_cut_head(text, len, room - saying->len);
        memcpy(saying->text + saying->len, text, len);
        memcpy(saying->text + saying->len + len, dots, sizeof dots);
        saying->len += len + sizeof dots - 1;
        saying->full = true;
        return;
    }
    memcpy(saying->text + saying->len, text, len);
    saying->len += len;
    saying->text[saying->len] = '\0';
}

void rv_say(struct rv_saying *saying, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        rv_say_bytes(saying, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static uint32_t code_point(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;

    switch (len) {
    case 1:
        return byte[0];
    case 2:
        return (byte[0] & 0x1FU) << 6 | (byte[1] & 0x3FU);
    case 3:
        return (byte[0] & 0x0FU) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU);
    default:
        return (byte[0] & 0x07U) << 18 | (byte[1] & 0x3FU) << 12 | (byte[2] & 0x3FU) << 6 |
               (byte[3] & 0x3FU);
    }
}

/* Controls, marks of direction and of no width, line ends of Unicode, private tags. */
static bool is_hidden(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
           code == 0x180E || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
           (code >= 0xE0000 && code <= 0xE0FFF);
}

static size_t character_bytes(char first)
{
    const unsigned char byte = (unsigned char)first;

    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

static void say_character(struct rv_saying *saying, const char *text, size_t len)
{
    static const char letters[] = "\nn\tt\rr\"\"\\\\";
    const uint32_t code = code_point(text, len);
    size_t i;

    for (i = 0; i + 1 < sizeof letters; i += 2)
        if (code == (unsigned char)letters[i]) {
            rv_say(saying, "\\%c", letters[i + 1]);
            return;
        }
    if (code > 0xFFFF && is_hidden(code))
        rv_say(saying, "\\u{%X}", code);
    else if (is_hidden(code))
        rv_say(saying, "\\u%04X", code);
    else
        rv_say_bytes(saying, text, len);
}

void rv_say_quoted(struct rv_saying *saying, const char *text, size_t len, size_t max)
{
    const size_t shown = rv_utf8_cut_head(text, len, max);
    size_t at = 0, bytes;

    rv_say_bytes(saying, "\"", 1);
    while (at < shown && !saying->full) {
        bytes = character_bytes(text[at]);
        if (bytes > shown - at)
            bytes = shown - at;
        say_character(saying, text + at, bytes);
        at += bytes;
    }
    rv_say(saying, "%s\"", shown < len ? "..." : "");
}

static bool is_plain_key(const char *key, size_t len)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$";
    size_t i;

    for (i = 0; i < len; i++)
        if (!key[i] || !strchr(allowed, key[i]))
            return false;
    return len > 0 && len <= KEY_BYTES;
}

static void say_step(struct rv_saying *saying, const struct rv_schema_step *step, bool first)
{
    if (!step->key) {
        rv_say(saying, "[%u]", step->index);
    } else if (is_plain_key(step->key, step->key_len)) {
        rv_say(saying, "%s%.*s", first ? "" : ".", (int)step->key_len, step->key);
    } else {
        rv_say(saying, "[");
        rv_say_quoted(saying, step->key, step->key_len, KEY_BYTES);
        rv_say(saying, "]");
    }
}

void rv_say_path(struct rv_saying *saying, const struct rv_schema_step *step)
{
    const struct rv_schema_step *steps[PATH_STEPS];
    size_t count = 0;
    bool first = true;

    if (!step)
        rv_say(saying, "the value itself");
    for (; step && count < PATH_STEPS; step = step->up)
        steps[count++] = step;
    if (step)
        rv_say(saying, "...");
    for (; count; first = false)
        say_step(saying, steps[--count], first && !step);
}

void rv_say_value(struct rv_saying *saying, const struct reeve_json *value)
{
    switch ((enum reeve_json_type)value->type) {
    case REEVE_JSON_STRING:
        rv_say_quoted(saying, value->as.text, value->count, VALUE_BYTES);
        break;
    case REEVE_JSON_NUMBER:
        rv_say(saying, "%.*s%s", VALUE_BYTES, value->as.text,
               value->count > VALUE_BYTES ? "..." : "");
        break;
    case REEVE_JSON_BOOL:
        rv_say(saying, "%s", value->count ? "true" : "false");
        break;
    case REEVE_JSON_ARRAY:
        rv_say(saying, value->count == 1 ? "an array of 1 element" : "an array of %u elements",
               value->count);
        break;
    case REEVE_JSON_OBJECT:
        rv_say(saying, value->count == 1 ? "an object of 1 member" : "an object of %u members",
               value->count);
        break;
    default:
        rv_say(saying, "null");
        break;
    }
}

void rv_say_given(struct rv_saying *saying, const struct reeve_json *value)
{
    if (!value) {
        rv_say(saying, "nothing");
        return;
    }
    if (value->type == REEVE_JSON_STRING || value->type == REEVE_JSON_NUMBER)
        rv_say(saying, "the %s ", value->type == REEVE_JSON_STRING ? "string" : "number");
    rv_say_value(saying, value);
}

void rv_say_types(struct rv_saying *saying, unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {
        {RV_SCHEMA_STRING, "a string"},    {RV_SCHEMA_NUMBER, "a number"},
        {RV_SCHEMA_INTEGER, "an integer"}, {RV_SCHEMA_BOOL, "true or false"},
        {RV_SCHEMA_ARRAY, "an array"},     {RV_SCHEMA_OBJECT, "an object"},
        {RV_SCHEMA_NULL, "null"},
    };
    const char *between = "";
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(types & names[i].type))
            continue;
        rv_say(saying, "%s%s", between, names[i].name);
        types &= ~names[i].type;
        between = types & (types - 1) ? ", " : " or ";
    }
}

void rv_say_one_of(struct rv_saying *saying, const struct reeve_json *values)
{
    uint32_t i;

    rv_say(saying, values->count > 1 ? "one of " : "");
    for (i = 0; i < values->count && i < LISTED; i++) {
        rv_say(saying, i ? ", " : "");
        rv_say_value(saying, &values->as.elements[i]);
    }
    if (i < values->count)
        rv_say(saying, " and %u more", values->count - i);
    if (!values->count)
        rv_say(saying, "nothing at all");
}

static void say_required(struct rv_saying *saying, const struct rv_schema_node *node)
{
    uint32_t i, listed = 0;

    for (i = 0; i < node->property_count && listed < LISTED; i++) {
        if (!node->properties[i].required)
            continue;
        rv_say(saying, listed++ ? ", " : " with ");
        rv_say_quoted(saying, node->properties[i].key, node->properties[i].key_len, KEY_BYTES);
    }
    if (listed < node->required_count)
        rv_say(saying, " and %u more", node->required_count - listed);
}

static const struct rv_schema_node *what_is_meant(const struct rv_schema_node *node)
{
    unsigned links;

    for (links = 0; links < LINKS && node->ref && node->types == RV_SCHEMA_ALL; links++)
        node = node->ref;
    return node;
}

static void say_alternatives(struct rv_saying *saying, const struct rv_schema_list *list)
{
    uint32_t i;

    for (i = 0; i < list->count && i < LISTED; i++) {
        const struct rv_schema_node *node = what_is_meant(list->nodes[i]);

        rv_say(saying, i ? ", or " : "");
        if (node->any_of.count || node->one_of.count)
            rv_say(saying, "one of others");
        else
            rv_say_wanted(saying, node);
    }
    if (i < list->count)
        rv_say(saying, ", or one of %u more", list->count - i);
}

void rv_say_wanted(struct rv_saying *saying, const struct rv_schema_node *node)
{
    node = what_is_meant(node);
    if (node->never) {
        rv_say(saying, "nothing");
    } else if (node->constant) {
        rv_say_value(saying, node->constant);
    } else if (node->allowed) {
        rv_say_one_of(saying, node->allowed);
    } else if (node->types != RV_SCHEMA_ALL) {
        rv_say_types(saying, node->types);
        if (node->types == RV_SCHEMA_OBJECT)
            say_required(saying, node);
        if (node->types == RV_SCHEMA_ARRAY && node->items && node->items->types != RV_SCHEMA_ALL) {
            rv_say(saying, " whose elements are each ");
            rv_say_types(saying, node->items->types);
        }
    } else if (node->any_of.count || node->one_of.count) {
        say_alternatives(saying, node->any_of.count ? &node->any_of : &node->one_of);
    } else if (node->required_count) {
        rv_say(saying, "an object");
        say_required(saying, node);
    } else {
        rv_say(saying, "another value");
    }
}
