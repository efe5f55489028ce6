/* SPDX-License-Identifier: MIT */
/* What a provider says of an error, in whichever of the known shapes. */
#include "model/provider_error.h"

#include <stdbool.h>

#include "model/pick.h"

/* A text, or a number as its text. */
static const char *get_word(const struct reeve_json *value, const char *key)
{
    const char *text = rv_get_text(value, key, NULL);

    return text ? text : reeve_json_number_text(reeve_json_get(value, key), NULL);
}

static bool take_message(const struct reeve_json *value, const char *key,
                         struct rv_provider_error *ret_error)
{
    const char *text = rv_get_text(value, key, &ret_error->message_len);

    if (text)
        ret_error->message = text;
    return text != NULL;
}

/* The object that tells of the error, however deep it was packed. */
static const struct reeve_json *unpack(const struct reeve_json *value)
{
    static const char *const keys[] = {"error", "errors", "detail"};
    unsigned depth;
    size_t i;

    for (depth = 0; depth < 4; depth++) {
        if (reeve_json_type(value) == REEVE_JSON_ARRAY)
            value = reeve_json_at(value, 0);
        for (i = 0; i < sizeof keys / sizeof *keys; i++)
            if (reeve_json_count(reeve_json_get(value, keys[i])))
                break;
        if (i == sizeof keys / sizeof *keys)
            break;
        value = reeve_json_get(value, keys[i]);
    }
    return reeve_json_type(value) == REEVE_JSON_ARRAY ? reeve_json_at(value, 0) : value;
}

void rv_provider_error_read(const struct reeve_json *value, struct rv_provider_error *ret_error)
{
    static const char *const names[] = {"message",       "error", "detail", "msg",
                                        "error_message", "title", "reason"};
    const struct reeve_json *error = unpack(value);
    size_t i;

    *ret_error = (struct rv_provider_error){0};
    ret_error->message = reeve_json_string(error, &ret_error->message_len);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (take_message(error, names[i], ret_error))
            break;
    ret_error->type = get_word(error, "type");
    if (!ret_error->type)
        ret_error->type = rv_get_text(error, "status", NULL);
    ret_error->code = get_word(error, "code");
    ret_error->request_id = rv_get_text(value, "request_id", NULL);
}
