/* SPDX-License-Identifier: MIT */
/* What went wrong, kept until it can be told. */
#include "model/failure.h"

#include <reeve/error.h>

void rv_failure_done(struct rv_failure *failure, struct rv_mem *mem)
{
    rv_free(mem, failure->whole);
    *failure = (struct rv_failure){.code = 0};
}

void rv_failure_keep(struct rv_failure *failure, struct rv_mem *mem,
                     const struct reeve_error_detail *detail)
{
    failure->code = detail->code;
    failure->http_status = detail->http_status;
    failure->os_errno = detail->os_errno;
    failure->retryable = detail->retryable != 0;
    failure->context_full = detail->context_full != 0;
    failure->retry_after_ms = detail->retry_after_ms;
    if (!failure->whole)
        failure->whole = rv_alloc(mem, sizeof *failure->whole);
    if (failure->whole)
        *failure->whole = *detail;
}

const struct reeve_error_detail *rv_failure_tell(const struct rv_failure *failure,
                                                 const struct rv_problem_place *place,
                                                 struct reeve_error_detail *room)
{
    if (!failure->code || failure->whole)
        return failure->whole;
    rv_problem_plain(room, place, failure->code, reeve_error_text(failure->code));
    room->http_status = failure->http_status;
    room->os_errno = failure->os_errno;
    room->retryable = failure->retryable;
    room->context_full = failure->context_full;
    room->retry_after_ms = failure->retry_after_ms;
    return room;
}
