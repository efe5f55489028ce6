/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an answer: a chat completion as a sequence of SSE events or as one JSON object, an
 * error body, the list of models. Pure: no clock, no network.
 */
#ifndef MS_SERVER_REPLY_H
#define MS_SERVER_REPLY_H

#include "fault.h"
#include "prefix.h"
#include "script.h"

#define MS_ID_BYTES 40

enum ms_reply_phase {
    MS_PHASE_ROLE,   /* the first delta */
    MS_PHASE_BODY,   /* text, or calls one after another */
    MS_PHASE_FINISH, /* finish_reason */
    MS_PHASE_USAGE,  /* when asked for */
    MS_PHASE_DONE,   /* [DONE] */
    MS_PHASE_END,
};

struct ms_reply {
    struct ms_plan plan;
    struct ms_fault fault;
    char *model;
    char id[MS_ID_BYTES];
    char call_ids[MS_MAX_PLANNED_CALLS][MS_ID_BYTES];
    const char *finish_reason;
    long long created_s;
    size_t prompt_tokens;
    size_t cached_tokens;
    size_t written_tokens; /* to the prompt cache */
    size_t chunk_bytes;
    char stop_sequence[64]; /* that cut the text; empty: none did */
    char echo[256];         /* the key that an error in the stream repeats; empty: none does */
    enum ms_wire wire;
    bool caches; /* the prompt may be cached */
    bool stream;
    bool include_usage;

    /* How far it has come. */
    enum ms_reply_phase phase;
    size_t call; /* the call being sent */
    bool thought_begun, thought_signed, thought_done;
    size_t thought_offset;
    bool call_begun;   /* its id and name are out */
    size_t offset;     /* in the text or in the call's arguments */
    size_t body_bytes; /* of text and arguments sent so far, the clock of the pace */
    bool ping_sent;
    bool fault_done; /* a fault that happens once has happened */
};

/* Takes the plan over, also on failure. Cuts it to the request's max_tokens and stop. `random`
 * gives 64 bits for ids. 0, or -1 without memory. After 0, end it with ms_reply_done. */
int ms_reply_init(struct ms_reply *reply, const struct ms_request *request, struct ms_plan *plan,
                  const struct ms_fault *fault, size_t chunk_bytes, uint64_t (*random)(void *arg),
                  void *arg);
void ms_reply_done(struct ms_reply *reply);

/* Appends what comes next: one event of a stream; of an answer that is not streamed the whole body,
 * in pieces only under the fault `huge`. False, with nothing appended, behind the end. */
bool ms_reply_next(struct ms_reply *reply, struct ms_text *out);

/* True from the middle of the text or calls on: where faults happen. */
bool ms_reply_is_past_half(const struct ms_reply *reply);

/* In the words of that format. */
void ms_error_write(enum ms_wire wire, const struct ms_error *error, struct ms_text *out);
void ms_models_write(const char *model, long long created_s, struct ms_text *out);
void ms_html_write(int status, struct ms_text *out);

#endif
