/* SPDX-License-Identifier: MIT */
/*
 * The members that are wanted of a JSON object, in one walk over it: of an event there are more
 * keys to ask for than members.
 */
#ifndef RV_MODEL_PICK_H
#define RV_MODEL_PICK_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/json.h>

struct rv_key {
    const char *text;
    size_t len;
};

#define RV_KEY(text)                                                                               \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

/*
 * ret_members[i] becomes the member with the key keys[i], or NULL: all are NULL if the value is not
 * an object. Of duplicate keys the last one counts.
 */
void rv_pick(const struct reeve_json *value, const struct rv_key *keys, size_t count,
             const struct reeve_json **ret_members);

/* The value if it is an object, or NULL. */
const struct reeve_json *rv_if_object(const struct reeve_json *value);

/* A text that is not empty, or NULL; ret_len may be NULL. */
const char *rv_get_text(const struct reeve_json *value, const char *key, size_t *ret_len);

/* A member as a count: what is none, or below 0, is 0. */
uint64_t rv_get_count(const struct reeve_json *value, const char *key);

#endif
