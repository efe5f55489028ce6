/* SPDX-License-Identifier: MIT */
/* The order of the calls of one batch, as steps of a chain. */
#include "tool/hazards.h"

void rv_hazards_init(struct rv_hazards *hazards, struct reeve_runtime *runtime,
                     enum reeve_grouping grouping)
{
    *hazards = (struct rv_hazards){.runtime = runtime, .grouping = grouping};
    rv_list_init(&hazards->reads);
}

unsigned rv_hazards_passes(const struct rv_hazards *hazards)
{
    return hazards->grouping == REEVE_GROUPING_WRITES_FIRST ? 2 : 1;
}

bool rv_hazards_pass(const struct rv_hazards *hazards, unsigned pass, enum reeve_effect effect)
{
    if (hazards->grouping != REEVE_GROUPING_WRITES_FIRST)
        return true;
    return (pass == 1) == (effect == REEVE_EFFECT_READ);
}

static void put_behind_barrier(struct rv_hazards *hazards, struct rv_place *place)
{
    if (hazards->barrier)
        rv_step_put_after(&place->step, &hazards->barrier->step, &place->behind);
}

static void add_read(struct rv_hazards *hazards, struct rv_place *place)
{
    put_behind_barrier(hazards, place);
    rv_list_append(&hazards->reads, &place->read);
}

/* It waits for the reads since the last barrier, which wait for that one. */
static void add_barrier(struct rv_hazards *hazards, struct rv_place *place)
{
    struct rv_list *node;

    if (rv_list_empty(&hazards->reads))
        put_behind_barrier(hazards, place);
    while ((node = rv_list_shift(&hazards->reads)) != NULL) {
        struct rv_place *read = rv_list_entry(node, struct rv_place, read);

        rv_step_put_after(&place->step, &read->step, &read->ahead);
    }
    hazards->barrier = place;
}

void rv_hazards_add(struct rv_hazards *hazards, struct rv_place *place, enum reeve_effect effect,
                    void (*turn)(struct rv_step *step))
{
    rv_step_init(&place->step, hazards->runtime, turn);
    rv_list_init(&place->read);
    if (hazards->grouping == REEVE_GROUPING_NONE)
        ;
    else if (effect == REEVE_EFFECT_READ)
        add_read(hazards, place);
    else
        add_barrier(hazards, place);
    rv_step_start(&place->step);
}

void rv_hazards_leave(struct rv_hazards *hazards, struct rv_place *place)
{
    rv_list_remove(&place->read);
    if (hazards->barrier == place)
        hazards->barrier = NULL;
    rv_step_finish(&place->step);
}

bool rv_hazards_blocked(const struct rv_hazards *hazards)
{
    return hazards->barrier != NULL;
}
