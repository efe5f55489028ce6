/* SPDX-License-Identifier: MIT */
/*
 * The body that a request pulls from its owner. The wire asks from inside libcurl, where no owner
 * may be called: it is told to wait, the owner is asked from the ready queue, and the wire goes on
 * with what was given. No more than one such piece is kept.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "io/http_problem.h"
#include "io/http_wire.h"
#include "loop/clock.h"
#include "loop/runtime.h"

bool rv_http_pull_waits(const struct rv_http *http)
{
    return http->wire_hungry;
}

size_t rv_http_body_next(struct rv_http *http, char *room, size_t size, bool *ret_later)
{
    size_t len = http->pulled.len - http->pulled_at;

    *ret_later = false;
    if (http->rewind_due || (!len && !http->body_over)) {
        *ret_later = http->wire_hungry = true;
        rv_ready_push(http->runtime, &http->task);
        return 0;
    }
    if (len > size)
        len = size;
    if (len)
        memcpy(room, http->pulled.data + http->pulled_at, len);
    http->pulled_at += len;
    http->last_byte_ns = rv_turn_now_ns(http->runtime);
    return len;
}

bool rv_http_body_rewind(struct rv_http *http)
{
    if (!http->given_bytes)
        return true;
    if (!http->options.on_rewind)
        return false;
    http->rewind_due = true;
    http->given_bytes = 0;
    http->body_over = false;
    http->owner_late = false;
    http->pulled_at = 0;
    rv_buffer_clear(&http->pulled);
    return true;
}

static int rewind_owner(struct rv_http *http)
{
    bool can;

    http->rewind_due = false;
    http->in_callback = true;
    can = http->options.on_rewind(http, http->options.arg);
    http->in_callback = false;
    if (can || http->canceled)
        return 0;
    rv_http_describe(http, REEVE_ECONNLOST, "after a part of the body that cannot be given again");
    return REEVE_ECONNLOST;
}

static int check_length(struct rv_http *http, bool last)
{
    uint64_t whole = (uint64_t)http->options.body_bytes;

    if (http->options.body_bytes < 0)
        return 0;
    if (http->given_bytes <= whole && (!last || http->given_bytes == whole)) {
        http->body_over = http->given_bytes == whole;
        return 0;
    }
    rv_http_describe(http, REEVE_EINVAL, "its body is not as long as was said");
    return REEVE_EINVAL;
}

static int ask_owner(struct rv_http *http)
{
    enum rv_http_give give;
    size_t len = 0;

    http->pulled_at = 0;
    rv_buffer_clear(&http->pulled);
    if (rv_buffer_reserve(&http->pulled, RV_HTTP_PULL_BYTES)) {
        rv_http_describe(http, REEVE_ENOMEM, NULL);
        return REEVE_ENOMEM;
    }
    http->owner_late = true; /* rv_http_body_ready may be called inside */
    http->in_callback = true;
    give =
        http->options.on_body(http, http->pulled.data, RV_HTTP_PULL_BYTES, &len, http->options.arg);
    http->in_callback = false;
    assert(len <= RV_HTTP_PULL_BYTES);
    assert((len || give != RV_HTTP_GIVE_MORE || http->canceled) && "more is at least a byte");
    http->pulled.len = len;
    http->given_bytes += len;
    if (give != RV_HTTP_GIVE_LATER)
        http->owner_late = false;
    http->body_over = give == RV_HTTP_GIVE_LAST;
    return http->canceled ? 0 : check_length(http, http->body_over);
}

int rv_http_pull(struct rv_http *http)
{
    int error = 0;

    if (!http->wire_hungry)
        return 0;
    if (http->rewind_due)
        error = rewind_owner(http);
    if (!error && !http->canceled && !http->owner_late)
        error = ask_owner(http);
    if (error || http->canceled || (!http->pulled.len && !http->body_over))
        return error;
    http->wire_hungry = false;
    http->last_byte_ns = rv_turn_now_ns(http->runtime);
    rv_wire_unpause(http);
    return 0;
}

void rv_http_body_ready(struct rv_http *http)
{
    http->owner_late = false;
    if (http->state != RV_HTTP_ENDED && http->wire_hungry)
        rv_ready_push(http->runtime, &http->task);
}
