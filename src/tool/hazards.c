/* SPDX-License-Identifier: MIT */
/* The order of the calls of one batch, as steps of a chain. */
#include "tool/hazards.h"

static void open_gate(struct rv_step *gate)
{
    rv_step_finish(gate);
}

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime,
                     enum reeve_grouping grouping)
{
    *hazards = (struct rv_hazards){.grouping = grouping};
    rv_step_init(&hazards->reads_gate, runtime, open_gate);
}

/* Behind the write before it, if there is one. */
static void put_behind_barrier(struct rv_hazards *hazards, struct rv_place *place)
{
    if (hazards->barrier)
        rv_step_put_after(&place->step, &hazards->barrier->step, &place->behind);
}

static void add_in_writes_first(struct rv_hazards *hazards, struct rv_place *place, bool is_read)
{
    if (is_read) {
        rv_step_put_after(&place->step, &hazards->reads_gate, &place->behind);
        return;
    }
    put_behind_barrier(hazards, place);
    hazards->barrier = place;
}

/* The barrier waits for the reads since the last one, which wait for that one. */
static void put_behind_reads(struct rv_hazards *hazards, struct rv_place *barrier)
{
    struct rv_place *read;

    for (read = hazards->last_read; read; read = read->earlier_read)
        rv_step_put_after(&barrier->step, &read->step, &read->ahead);
}

static void add_in_hazards(struct rv_hazards *hazards, struct rv_place *place, bool is_read)
{
    if (is_read) {
        put_behind_barrier(hazards, place);
        place->earlier_read = hazards->last_read;
        hazards->last_read = place;
        return;
    }
    if (hazards->last_read)
        put_behind_reads(hazards, place);
    else
        put_behind_barrier(hazards, place);
    hazards->barrier = place;
    hazards->last_read = NULL;
}

void rv_hazards_add(struct rv_hazards *hazards, struct rv_place *place, enum reeve_effect effect,
                    void (*turn)(struct rv_step *step))
{
    bool is_read = effect == REEVE_EFFECT_READ;

    rv_step_init(&place->step, hazards->reads_gate.runtime, turn);
    switch (hazards->grouping) {
    case REEVE_GROUPING_WRITES_FIRST:
        add_in_writes_first(hazards, place, is_read);
        break;
    case REEVE_GROUPING_HAZARDS:
        add_in_hazards(hazards, place, is_read);
        break;
    case REEVE_GROUPING_NONE:
        break;
    }
    rv_step_start(&place->step);
}

void rv_hazards_close(struct rv_hazards *hazards)
{
    if (hazards->barrier && hazards->grouping == REEVE_GROUPING_WRITES_FIRST)
        rv_step_put_after(&hazards->reads_gate, &hazards->barrier->step, &hazards->behind);
    rv_step_start(&hazards->reads_gate);
}

void rv_hazards_done(struct rv_hazards *hazards)
{
    if (!hazards->reads_gate.over)
        rv_step_finish(&hazards->reads_gate);
}
