/* SPDX-License-Identifier: MIT */
/*
 * What a provider says of an error. The shapes are the same whatever the wire format, since
 * proxies translate them as they like: text, an object, a list, under "error", "errors" or
 * "detail", or spread over the top level.
 */
#ifndef RV_MODEL_PROVIDER_ERROR_H
#define RV_MODEL_PROVIDER_ERROR_H

#include <stddef.h>

#include <reeve/json.h>

/* Texts belong to the JSON value; NULL: not said. */
struct rv_provider_error {
    const char *message;
    size_t message_len;
    const char *type;
    const char *code;
    const char *request_id;
};

void rv_provider_error_read(const struct reeve_json *value, struct rv_provider_error *ret_error);

#endif
