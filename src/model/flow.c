/* SPDX-License-Identifier: MIT */
/* Text that comes in pieces. */
#include "model/flow.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "model/torn.h"

void rv_flow_init(struct rv_flow *flow, struct rv_mem *mem, size_t max_bytes)
{
    flow->held_len = 0;
    rv_buffer_init(&flow->text, mem, max_bytes);
}

void rv_flow_done(struct rv_flow *flow)
{
    rv_buffer_done(&flow->text);
}

/* The slow way: the piece begins or ends inside a character, or is not UTF-8 at all. */
static int add_broken(struct rv_flow *flow, const char *text, size_t len)
{
    struct rv_buffer joined;
    size_t rest;
    int error;

    rv_buffer_init(&joined, flow->text.mem, SIZE_MAX - 1);
    error = rv_buffer_add(&joined, flow->held, flow->held_len);
    if (!error)
        error = rv_buffer_add(&joined, text, len);
    if (!error) {
        rest = rv_torn_unfinished(joined.data, joined.len);
        error = rv_torn_mend(&flow->text, joined.data, joined.len - rest);
        if (!error) {
            memcpy(flow->held, joined.data + joined.len - rest, rest);
            flow->held_len = rest;
        }
    }
    rv_buffer_done(&joined);
    return error;
}

int rv_flow_add(struct rv_flow *flow, const char *text, size_t len)
{
    if (flow->held_len || !rv_utf8_valid(text, len))
        return add_broken(flow, text, len);
    return rv_buffer_add(&flow->text, text, len);
}

int rv_flow_end(struct rv_flow *flow)
{
    int error;

    if (!flow->held_len)
        return 0;
    error = rv_torn_mend(&flow->text, flow->held, flow->held_len);
    if (!error)
        flow->held_len = 0;
    return error;
}
