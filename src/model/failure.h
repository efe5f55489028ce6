/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, kept until it can be told. A reeve_error_detail is large, and of thousands of
 * open streams hardly one fails: it is allocated when something went wrong. What a program decides
 * by needs no memory, so that it is never lost; the texts may be, and then are made anew, of what
 * is known without them, by who tells it.
 */
#ifndef RV_MODEL_FAILURE_H
#define RV_MODEL_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "model/problem.h"

struct rv_failure {
    struct reeve_error_detail *whole; /* NULL: nothing went wrong, or there was no memory for it */
    int code;                         /* 0: nothing went wrong. As in a reeve_error_detail: */
    int http_status;
    int os_errno;
    bool retryable;
    bool context_full;
    int64_t retry_after_ms;
};

/* Zeroed is "nothing went wrong". */
void rv_failure_done(struct rv_failure *failure, struct rv_mem *mem);

/* Keep this one, in the place of an earlier. */
void rv_failure_keep(struct rv_failure *failure, struct rv_mem *mem,
                     const struct reeve_error_detail *detail);

/*
 * NULL if nothing went wrong. What is told lives as long as the failure and, where its texts were
 * lost, as `room`, into which it is put then.
 */
const struct reeve_error_detail *rv_failure_tell(const struct rv_failure *failure,
                                                 const struct rv_problem_place *place,
                                                 struct reeve_error_detail *room);

#endif
