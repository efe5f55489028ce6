/* SPDX-License-Identifier: MIT */
/*
 * Messages and transcripts. A transcript is the ordered list of the messages of one conversation. A
 * message is immutable: once added it never changes, and a completion in flight holds the messages
 * that it was started with, whatever happens to the transcript meanwhile.
 */
#ifndef REEVE_MESSAGE_H
#define REEVE_MESSAGE_H

#include <stddef.h>

#include <reeve/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_message;
struct reeve_transcript;
struct reeve_completion;

enum reeve_role {
    REEVE_ROLE_UNKNOWN = 0,
    REEVE_ROLE_SYSTEM,
    REEVE_ROLE_USER,
    REEVE_ROLE_ASSISTANT,
    REEVE_ROLE_TOOL,
};

/* "system", "user", "assistant", "tool"; "unknown" for everything else. Static text. */
const char *reeve_role_name(enum reeve_role role);

/*
 * One tool call that a model asked for: data, not a running call. Texts are NUL-terminated.
 * `arguments` is the text that the model wrote, which should be a JSON object and may be anything.
 */
struct reeve_call {
    const char *id;
    const char *name;
    const char *arguments;
    size_t arguments_len;
};

/*
 * An empty transcript, which allocates as `runtime` does but may outlive it.
 * Returns 0, REEVE_EINVAL or REEVE_ENOMEM.
 */
int reeve_transcript_new(struct reeve_runtime *runtime, struct reeve_transcript **ret_transcript);

/* A second transcript with the same messages (shared, not copied). Returns 0 or REEVE_ENOMEM. */
int reeve_transcript_copy(const struct reeve_transcript *transcript,
                          struct reeve_transcript **ret_transcript);

/* NULL is allowed. Completions in flight that were started with it go on. */
void reeve_transcript_free(struct reeve_transcript *transcript);

/*
 * Append a text message of the role system, user or assistant. The text is copied; invalid UTF-8 in
 * it is replaced by U+FFFD, since no provider takes it.
 * Returns 0; REEVE_EINVAL (another role); REEVE_ENOMEM. On failure nothing was added.
 */
int reeve_transcript_add(struct reeve_transcript *transcript, enum reeve_role role,
                         const char *text, size_t len);

enum reeve_part_kind {
    REEVE_PART_UNKNOWN = 0,
    REEVE_PART_TEXT,
    REEVE_PART_IMAGE_URL,    /* the text is where the provider fetches the image: http or https */
    REEVE_PART_IMAGE_BASE64, /* the text is the image, in base64 without white space */
};

/* A piece of a user message. Zero what is not set. */
struct reeve_part {
    enum reeve_part_kind kind;
    const char *text;
    size_t len;
    const char *media_type; /* of an image in base64: "image/png", … */
};

/*
 * Append a user message of texts and images, in this order. All is copied; reeve_message_text gives
 * the texts, joined. Returns 0; REEVE_EINVAL (no part; an unknown kind; a URL that is neither http
 * nor https; what is not base64; no media type, or none of an image); REEVE_ENOMEM. On failure
 * nothing was added.
 */
int reeve_transcript_add_parts(struct reeve_transcript *transcript, const struct reeve_part *parts,
                               size_t count);

/*
 * Append an assistant message with tool calls and, if len is not 0, text before them. All is
 * copied. Returns 0; REEVE_EINVAL (no call; an id or a name that is NULL, empty or not UTF-8; an id
 * twice); REEVE_ENOMEM.
 */
int reeve_transcript_add_calls(struct reeve_transcript *transcript, const char *text, size_t len,
                               const struct reeve_call *calls, size_t count);

/*
 * Append the result of a call. `is_error` tells the model that the text says what went wrong.
 * Returns 0; REEVE_ENOTFOUND (no call of that id waits for its result: calls do until another
 * message than a result follows them); REEVE_EINVAL; REEVE_ENOMEM.
 */
int reeve_transcript_add_result(struct reeve_transcript *transcript, const char *call_id,
                                const char *text, size_t len, int is_error);

/*
 * Append what a completion answered, as one assistant message: its text, its calls and the model's
 * reasoning with the provider's signatures, each where it stood. A completion that failed or was
 * cancelled adds the text that came and the reasoning that was signed, without calls; where there
 * is neither text nor call, nothing is added and 0 is returned. To be called in the completion's
 * done callback. Returns 0 or REEVE_ENOMEM.
 */
int reeve_transcript_add_completion(struct reeve_transcript *transcript,
                                    const struct reeve_completion *completion);

/* The number of messages. */
size_t reeve_transcript_count(const struct reeve_transcript *transcript);

/* The message at `index`, which lives as long as the transcript; NULL past the end. */
const struct reeve_message *reeve_transcript_at(const struct reeve_transcript *transcript,
                                                size_t index);

/*
 * Check what every provider demands: each call answered exactly once, after the message that asked
 * for it and before any other message; no result without its call; the first message after the
 * system messages is the user's. A transcript that ends with unanswered calls is not valid.
 * Constant time: it is kept as the transcript grows. Returns 0, or REEVE_EINVAL with the index of
 * the first message at fault in *ret_bad (may be NULL); of a call without its result that is the
 * message that asked for it.
 */
int reeve_transcript_check(const struct reeve_transcript *transcript, size_t *ret_bad);

/* Who says it. */
enum reeve_role reeve_message_role(const struct reeve_message *message);

/* The text, NUL-terminated, valid UTF-8, never NULL (""). ret_len may be NULL. */
const char *reeve_message_text(const struct reeve_message *message, size_t *ret_len);

/* The calls of an assistant message; NULL with *ret_count 0 if it has none. */
const struct reeve_call *reeve_message_calls(const struct reeve_message *message,
                                             size_t *ret_count);

/* The id of the call that a tool message answers; NULL for other roles. */
const char *reeve_message_call_id(const struct reeve_message *message);

/* 1 if a tool message is an error result. */
int reeve_message_is_error(const struct reeve_message *message);

#ifdef __cplusplus
}
#endif
#endif
