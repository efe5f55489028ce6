/* SPDX-License-Identifier: MIT */
/* What went wrong with a completion, for people and for programs: filling a reeve_error_detail. */
#ifndef RV_MODEL_PROBLEM_H
#define RV_MODEL_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "model/provider_error.h"
#include "model/sentence.h"

#include <reeve/error.h>

/* Whom was asked, and what must not be told. */
struct rv_problem_place {
    const char *url;
    struct rv_secret secret;
};

/* What a response with an error status said beside its body. NULL: not said. */
struct rv_problem_head {
    int status;
    const char *content_type;
    const char *location;
    const char *request_id;
    const char *should_retry;
    int64_t retry_after_ms; /* -1: nothing */
};

/* A failure that only its code and a sentence tell of. */
void rv_problem_plain(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                      int code, const char *sentence);

/* No whole response came; `sentence` is the transport's. */
void rv_problem_transport(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                          int code, const char *sentence);

/* An error status, whose body is understood (`error`) or begins with these bytes. */
void rv_problem_status(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                       const struct rv_problem_head *head, const struct rv_provider_error *error,
                       const char *body, size_t body_len);

/* The provider gave up in an answer that began well. */
void rv_problem_provider(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                         const struct rv_problem_head *head, const struct rv_provider_error *error);

/* Something came that is no answer: `what` says why, the rest what it looks like. */
void rv_problem_format(struct reeve_error_detail *detail, const struct rv_problem_place *place,
                       const char *what, const char *content_type, const char *body,
                       size_t body_len);

#endif
