/* SPDX-License-Identifier: MIT */
/*
 * May a call run? Reads below the root may. With a terminal the person is asked about the rest, and
 * sees exactly what would happen; without one writes below the root may run as well, and commands
 * if an option of the command line allows them.
 */
#ifndef AGENT_CONSENT_H
#define AGENT_CONSENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <reeve.h>

#include "agent/view.h"

struct consent {
    struct view *view;
    bool terminal;
    bool commands;                                  /* may run where nobody can be asked */
    bool cut;                                       /* not all of the open question was shown */
    uint64_t question;                              /* 0: none is open */
    const struct reeve_permission_request *request; /* of the open question */
    char root[PATH_MAX];                            /* where commands start */
};

/* `commands`: they may run where nobody can be asked. `root`: the folder in which they start. */
void consent_init(struct consent *consent, struct view *view, bool commands, const char *root);

enum consent_verdict { CONSENT_REFUSE, CONSENT_ALLOW, CONSENT_ASK };

/* What is to be done about a question: nobody need be asked, or nobody can be, or it is shown. */
enum consent_verdict consent_decide(const struct consent *consent,
                                    const struct reeve_permission_request *request);

/* Show the question; its prompt then wants a line. */
void consent_show(struct consent *consent, const struct reeve_permission_request *request);

/* What to show before the answer; NULL: no question is open. */
const char *consent_prompt(const struct consent *consent);

/* The open question is open no more. */
void consent_void(struct consent *consent);

/* A line has come while a question is open. NULL: none will. True: it was an answer. */
bool consent_answer(struct consent *consent, struct reeve_agent *agent, const char *line);

#endif
