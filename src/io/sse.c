/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events. A line that lies whole in what is fed is worked on where it lies; what is cut
 * by the end of a piece waits in `line`, but for the value of a data field, which goes straight to
 * where it belongs. So a data byte is copied once, however the stream was split.
 */
#include "io/sse.h"

#include <string.h>

#include <reeve/error.h>

/* `bom` once it is known whether the stream began with a byte order mark. */
enum { BOM_BYTES = 3, BOM_DECIDED = 4 };

static const char byte_order_mark[BOM_BYTES] = {'\xEF', '\xBB', '\xBF'};

/* "data:", and room for the one space that may follow: as much as decides where a value begins. */
enum { DATA_NAME_BYTES = 4, DATA_PREFIX_BYTES = 6 };

void rv_sse_init(struct rv_sse *sse, struct rv_mem *mem, size_t max_event_bytes,
                 int (*on_event)(const struct rv_sse_event *event, void *arg), void *arg)
{
    *sse = (struct rv_sse){.mem = mem, .retry_ms = -1, .on_event = on_event, .arg = arg};
    rv_buffer_init(&sse->line, mem, max_event_bytes);
    rv_buffer_init(&sse->data, mem, max_event_bytes);
    rv_buffer_init(&sse->type, mem, max_event_bytes);
    rv_buffer_init(&sse->id, mem, max_event_bytes);
    rv_buffer_init(&sse->last_id, mem, max_event_bytes);
}

void rv_sse_done(struct rv_sse *sse)
{
    rv_buffer_done(&sse->line);
    rv_buffer_done(&sse->data);
    rv_buffer_done(&sse->type);
    rv_buffer_done(&sse->id);
    rv_buffer_done(&sse->last_id);
}

static void forget_event(struct rv_sse *sse)
{
    rv_buffer_clear(&sse->data);
    rv_buffer_clear(&sse->type);
    sse->has_data = false;
}

static int keep_id(struct rv_sse *sse)
{
    int error;

    if (!sse->id_changed)
        return 0;
    rv_buffer_clear(&sse->last_id);
    error = rv_buffer_add(&sse->last_id, sse->id.data, sse->id.len);
    if (!error)
        sse->id_changed = false;
    return error;
}

static int dispatch(struct rv_sse *sse)
{
    struct rv_sse_event event;
    int error = keep_id(sse);

    if (error)
        return error;
    if (!sse->has_data) {
        forget_event(sse);
        return 0;
    }
    event.type = sse->type.len ? sse->type.data : "message";
    event.data = rv_buffer_text(&sse->data);
    event.data_len = sse->data.len;
    event.id = rv_buffer_text(&sse->last_id);
    error = sse->on_event(&event, sse->arg);
    forget_event(sse);
    return error;
}

/* The lines of an event's data are joined by line feeds; none follows the last. */
static int begin_data(struct rv_sse *sse)
{
    int error = sse->has_data ? rv_buffer_add_byte(&sse->data, '\n') : 0;

    if (!error)
        sse->has_data = true;
    return error;
}

static int add_data(struct rv_sse *sse, const char *value, size_t len)
{
    int error = begin_data(sse);

    return error ? error : rv_buffer_add(&sse->data, value, len);
}

static int set_text(struct rv_buffer *buffer, const char *value, size_t len)
{
    rv_buffer_clear(buffer);
    return rv_buffer_add(buffer, value, len);
}

static int set_id(struct rv_sse *sse, const char *value, size_t len)
{
    if (memchr(value, '\0', len))
        return 0;
    sse->id_changed = true;
    return set_text(&sse->id, value, len);
}

static void set_retry(struct rv_sse *sse, const char *value, size_t len)
{
    int64_t ms = 0;

    if (!len)
        return;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        ms = ms <= (INT64_MAX - 9) / 10 ? ms * 10 + (value[i] - '0') : INT64_MAX;
    }
    sse->retry_ms = ms;
}

static bool is_named(const char *line, size_t len, const char *name)
{
    return len == strlen(name) && !memcmp(line, name, len);
}

static int take_field(struct rv_sse *sse, const char *name, size_t name_len, const char *value,
                      size_t value_len)
{
    if (is_named(name, name_len, "event"))
        return set_text(&sse->type, value, value_len);
    if (is_named(name, name_len, "id"))
        return set_id(sse, value, value_len);
    if (is_named(name, name_len, "retry"))
        set_retry(sse, value, value_len);
    return 0;
}

/* The length of a field's name with its colon and the one space that may follow it. */
static size_t value_start(const char *line, size_t len, size_t name_len)
{
    size_t start = name_len + 1;

    if (start >= len)
        return len;
    return line[start] == ' ' ? start + 1 : start;
}

static bool is_data_line(const char *line, size_t len)
{
    return len > DATA_NAME_BYTES && !memcmp(line, "data:", DATA_NAME_BYTES + 1);
}

static int take_line(struct rv_sse *sse, const char *line, size_t len)
{
    const char *colon;
    size_t name_len, start;

    if (!len)
        return dispatch(sse);
    if (len > sse->line.max)
        return REEVE_ETOOBIG;
    if (is_data_line(line, len)) {
        start = value_start(line, len, DATA_NAME_BYTES);
        return add_data(sse, line + start, len - start);
    }
    if (is_named(line, len, "data"))
        return add_data(sse, "", 0);
    colon = memchr(line, ':', len);
    if (colon == line)
        return 0;
    name_len = colon ? (size_t)(colon - line) : len;
    start = value_start(line, len, name_len);
    return take_field(sse, line, name_len, line + start, len - start);
}

/* The end of a data line whose beginning is in `data` already. */
static int add_to_data(struct rv_sse *sse, const char *bytes, size_t len)
{
    if (len > sse->line.max - sse->data_line_len)
        return REEVE_ETOOBIG;
    sse->data_line_len += len;
    return rv_buffer_add(&sse->data, bytes, len);
}

static int end_line(struct rv_sse *sse, const char *bytes, size_t len)
{
    int error;

    if (sse->data_line_len) {
        error = add_to_data(sse, bytes, len);
        sse->data_line_len = 0;
        return error;
    }
    if (!sse->line.len)
        return take_line(sse, bytes, len);
    error = rv_buffer_add(&sse->line, bytes, len);
    if (error)
        return error;
    error = take_line(sse, sse->line.data, sse->line.len);
    rv_buffer_clear(&sse->line);
    return error;
}

/* What is held of a line turns out to be a data field: from now on it goes straight to `data`. */
static int hold_data(struct rv_sse *sse)
{
    const char *line = sse->line.data;
    size_t len = sse->line.len;
    size_t start = value_start(line, len, DATA_NAME_BYTES);
    int error = add_data(sse, line + start, len - start);

    if (error)
        return error;
    sse->data_line_len = len;
    rv_buffer_clear(&sse->line);
    return 0;
}

/* Keep the beginning of a line that ends in a later piece. */
static int hold(struct rv_sse *sse, const char *bytes, size_t len)
{
    size_t part;
    int error;

    if (sse->data_line_len)
        return add_to_data(sse, bytes, len);
    part = sse->line.len < DATA_PREFIX_BYTES ? DATA_PREFIX_BYTES - sse->line.len : len;
    if (part > len)
        part = len;
    error = rv_buffer_add(&sse->line, bytes, part);
    if (error)
        return error;
    if (sse->line.len == DATA_PREFIX_BYTES && is_data_line(sse->line.data, DATA_PREFIX_BYTES)) {
        error = hold_data(sse);
        return error ? error : add_to_data(sse, bytes + part, len - part);
    }
    return rv_buffer_add(&sse->line, bytes + part, len - part);
}

static const char *find(const char *from, const char *end, char byte)
{
    const char *found = memchr(from, byte, (size_t)(end - from));

    return found ? found : end;
}

/*
 * Both ends of line are looked for ahead and kept until passed, so that a stream which uses only
 * one of them is not searched to its end for the other at each line.
 */
static int feed_lines(struct rv_sse *sse, const char *at, const char *end)
{
    const char *lf = find(at, end, '\n');
    const char *cr = find(at, end, '\r');
    const char *stop;
    int error;

    while (at < end) {
        stop = lf < cr ? lf : cr;
        if (stop == end)
            return hold(sse, at, (size_t)(end - at));
        error = end_line(sse, at, (size_t)(stop - at));
        if (error)
            return error;
        at = stop + 1;
        if (stop == cr) {
            sse->after_cr = at == end;
            if (at < end && *at == '\n')
                at++;
            cr = find(at, end, '\r');
        }
        if (lf < at)
            lf = find(at, end, '\n');
    }
    return 0;
}

/* How many bytes are part of the byte order mark; a mark that was none is the first line's. */
static int skip_mark(struct rv_sse *sse, const char *bytes, size_t len, size_t *ret_skipped)
{
    size_t i = 0;
    unsigned seen;

    while (i < len && sse->bom < BOM_BYTES && bytes[i] == byte_order_mark[sse->bom]) {
        sse->bom++;
        i++;
    }
    *ret_skipped = i;
    if (sse->bom < BOM_BYTES && i == len)
        return 0;
    seen = sse->bom;
    sse->bom = BOM_DECIDED;
    return seen && seen < BOM_BYTES ? hold(sse, byte_order_mark, seen) : 0;
}

static int feed(struct rv_sse *sse, const char *bytes, size_t len)
{
    size_t skipped = 0;
    int error;

    if (sse->bom != BOM_DECIDED) {
        error = skip_mark(sse, bytes, len, &skipped);
        if (error)
            return error;
    }
    if (sse->after_cr && skipped < len) {
        sse->after_cr = false;
        if (bytes[skipped] == '\n')
            skipped++;
    }
    return feed_lines(sse, bytes + skipped, bytes + len);
}

/* Between two events a stream may wait for long: it keeps no memory for the next one's data. */
static void rest(struct rv_sse *sse)
{
    if (!sse->has_data && !sse->data_line_len)
        rv_buffer_done(&sse->data);
    if (!sse->line.len)
        rv_buffer_done(&sse->line);
}

int rv_sse_feed(struct rv_sse *sse, const char *bytes, size_t len)
{
    if (sse->error || !len)
        return sse->error;
    sse->error = feed(sse, bytes, len);
    rest(sse);
    return sse->error;
}

bool rv_sse_in_event(const struct rv_sse *sse)
{
    if (sse->has_data || sse->type.len)
        return true;
    return sse->line.len && sse->line.data[0] != ':';
}
