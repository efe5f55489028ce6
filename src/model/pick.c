/* SPDX-License-Identifier: MIT */
/* What is wanted of JSON objects. */
#include "model/pick.h"

#include <string.h>

#include "json/value.h"

/* The walk is over memory, not through the public accessors: it is done for each delta, at each
 * level. */
void rv_pick(const struct reeve_json *value, const struct rv_key *keys, size_t count,
             const struct reeve_json **ret_members)
{
    const struct rv_json_member *member, *end;
    size_t k;

    memset(ret_members, 0, count * sizeof *ret_members);
    if (!rv_if_object(value) || !value->count)
        return;
    member = value->as.object->members;
    for (end = member + value->count; member < end; member++)
        for (k = 0; k < count; k++)
            if (keys[k].len == member->key_len && keys[k].text[0] == member->key[0] &&
                !memcmp(keys[k].text, member->key, member->key_len)) {
                ret_members[k] = &member->value;
                break;
            }
}

const struct reeve_json *rv_if_object(const struct reeve_json *value)
{
    return reeve_json_type(value) == REEVE_JSON_OBJECT ? value : NULL;
}

const char *rv_get_text(const struct reeve_json *value, const char *key, size_t *ret_len)
{
    size_t len = 0;
    const char *text = reeve_json_string(reeve_json_get(value, key), &len);

    if (!text || !len)
        return NULL;
    if (ret_len)
        *ret_len = len;
    return text;
}

uint64_t rv_get_count(const struct reeve_json *value, const char *key)
{
    int64_t count = 0;

    if (reeve_json_int64(reeve_json_get(value, key), &count) || count < 0)
        return 0;
    return (uint64_t)count;
}
