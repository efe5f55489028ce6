/* SPDX-License-Identifier: MIT */
/*
 * Batches in which calls are kept, looked at, shared, tried again, streamed, started together and
 * asked about, and what a host may do to them at each event.
 */
#include "tests/sim/rig.h"

#include <reeve/error.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;

/* In no order a command is no barrier: what is known of the resources of others must outlive it.
 */
RV_TEST(reuse_life, names_outlive_a_command_beside_them)
{
    size_t i;

    rig_open(&rig, t);
    rig.options.grouping = REEVE_GROUPING_NONE;
    rig.options.max_concurrency = 1;
    rig_call(&rig, "shell", "{\"ms\": 5}");
    rig_call(&rig, "plain", "{\"ms\": 5}");
    rig_call(&rig, "read", "{\"db\": \"a\", \"ms\": 50}");
    for (i = 0; i < 100; i++)
        rig_call(&rig, "plain", "{\"db\": \"%zu\", \"ms\": 1}", i);
    rig_run(&rig);
    for (i = 0; i < 103; i++)
        cr_assert_eq(rig.calls[i].status, REEVE_CALL_SUCCEEDED);
    rig.options.grouping = REEVE_GROUPING_HAZARDS;
    RIG_HITS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 3");
    for (i = 30; i < 50; i++)
        rig_call(&rig, "write", "{\"wdb\": \"%zu\"}", i);
    rig_run(&rig);
    RIG_HITS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 3");
    RIG_RUNS(&rig, "write", "{\"wdb\": \"a\"}", "run 124");
    RIG_RUNS(&rig, "read", "{\"db\": \"a\", \"ms\": 50}", "run 125");
    rig_close(&rig);
}
