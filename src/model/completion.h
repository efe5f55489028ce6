/* SPDX-License-Identifier: MIT */
/* What the rooms above may do with a completion beside what hosts may. */
#ifndef RV_MODEL_COMPLETION_H
#define RV_MODEL_COMPLETION_H

#include <reeve/model.h>

/* No callback will come any more: it is cancelled, and ends in its own time. */
void rv_completion_disown(struct reeve_completion *completion);

/* End the first completion of a model that is being freed, callback included. */
void rv_completion_end_first(struct reeve_model *model);

#endif
