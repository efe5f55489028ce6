/* SPDX-License-Identifier: MIT */
/* The rules of a valid conversation. */
#include "chat/check.h"

#include <string.h>

#include <reeve/error.h>

enum { WORD_BITS = 64 };

void rv_check_init(struct rv_check *check, struct rv_mem *mem)
{
    *check = (struct rv_check){.mem = mem, .bad = SIZE_MAX, .asked = SIZE_MAX};
}

void rv_check_done(struct rv_check *check)
{
    rv_free(check->mem, check->more);
    check->more = NULL;
    check->more_words = 0;
}

/* How many words beside the first one the calls take. */
static size_t more_words_for(size_t calls)
{
    return calls <= WORD_BITS ? 0 : (calls - 1) / WORD_BITS;
}

int rv_check_reserve(struct rv_check *check, const struct reeve_message *message)
{
    size_t words = more_words_for(message->call_count);
    uint64_t *more;

    if (words <= check->more_words)
        return 0;
    more = rv_realloc(check->mem, check->more, words * sizeof *more);
    if (!more)
        return REEVE_ENOMEM;
    check->more = more;
    check->more_words = words;
    return 0;
}

static const uint64_t *word_of(const struct rv_check *check, size_t index)
{
    return index < WORD_BITS ? &check->answered : &check->more[index / WORD_BITS - 1];
}

bool rv_check_waits(const struct rv_check *check, size_t index)
{
    return !(*word_of(check, index) >> (index % WORD_BITS) & 1);
}

static void mark_answered(struct rv_check *check, size_t index)
{
    uint64_t *word = index < WORD_BITS ? &check->answered : &check->more[index / WORD_BITS - 1];

    *word |= UINT64_C(1) << (index % WORD_BITS);
}

static void fault(struct rv_check *check, size_t index)
{
    if (index < check->bad)
        check->bad = index;
}

static void add_result(struct rv_check *check, const struct reeve_message *message,
                       const struct reeve_message *asked_message)
{
    size_t index = SIZE_MAX;

    if (asked_message && message->call_id)
        index = rv_message_find_call(asked_message, message->call_id);
    if (index == SIZE_MAX || !rv_check_waits(check, index)) {
        fault(check, check->count);
        return;
    }
    mark_answered(check, index);
    if (!--check->unanswered)
        check->asked = SIZE_MAX;
}

static void add_other(struct rv_check *check, const struct reeve_message *message)
{
    if (check->asked != SIZE_MAX) {
        fault(check, check->asked);
        check->asked = SIZE_MAX;
    }
    if (message->role != REEVE_ROLE_SYSTEM) {
        if (!check->begun && message->role != REEVE_ROLE_USER)
            fault(check, check->count);
        check->begun = true;
    }
    if (!message->call_count)
        return;
    check->asked = check->count;
    check->unanswered = message->call_count;
    check->answered = 0;
    if (check->more)
        memset(check->more, 0, check->more_words * sizeof *check->more);
}

void rv_check_add(struct rv_check *check, const struct reeve_message *message,
                  const struct reeve_message *asked_message)
{
    if (message->role == REEVE_ROLE_TOOL)
        add_result(check, message, asked_message);
    else
        add_other(check, message);
    check->count++;
}

int rv_check_verdict(const struct rv_check *check, size_t *ret_bad)
{
    size_t bad = check->bad < check->asked ? check->bad : check->asked;

    if (bad == SIZE_MAX)
        return 0;
    if (ret_bad)
        *ret_bad = bad;
    return REEVE_EINVAL;
}
