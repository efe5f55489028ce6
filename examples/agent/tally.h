/* SPDX-License-Identifier: MIT */
/* Which tool calls of a run are under way, and what they have taken side by side and in all. */
#ifndef AGENT_TALLY_H
#define AGENT_TALLY_H

#include <stdint.h>

#include <reeve.h>

enum { TALLY_MOST_RUNNING = 1024 }; /* are told apart; more count as that many */

struct tally {
    uint32_t running;
    struct tally_call {
        const struct reeve_call *call;
        uint64_t started_us;
    } calls[TALLY_MOST_RUNNING]; /* that run, in the order of their starts */
    uint32_t peak;               /* the most that ran at one moment */
    uint32_t canceled;           /* also those that had not begun */
    uint32_t ended;              /* that had begun */
    uint64_t busy_since_us;      /* if any runs */
    uint64_t busy_us;            /* in which at least one ran */
    uint64_t sum_us;             /* of their times */
};

void tally_begin_run(struct tally *tally);
void tally_add(struct tally *tally, const struct reeve_tool_event *event);

/* The call, if it runs; else NULL. */
const struct tally_call *tally_find(const struct tally *tally, const struct reeve_call *call);

#endif
