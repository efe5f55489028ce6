/* SPDX-License-Identifier: MIT */
/* What calls of the file tools touch: what their "path" names. */
#include "tool/builtin/builtin.h"

#include <string.h>

#include "tool/claims.h"

/* A call whose path is none fails by itself, and touches nothing. */
static int claim_path(struct reeve_tool_call *call, struct reeve_claims *claims,
                      enum reeve_effect effect, struct rv_root *root)
{
    const struct reeve_json *value = reeve_json_get(reeve_tool_call_arguments(call), "path");
    enum reeve_json_type type = reeve_json_type(value);
    const char *path = ".";
    size_t len = 1;

    if (value && type != REEVE_JSON_NULL)
        path = reeve_json_string(value, &len);
    if (!path || !rv_arg_is_path(path, len))
        return 0;
    return rv_claims_add_path(claims, effect, root, path);
}

int rv_describe_read(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    const struct rv_file_tools *tools = arg;

    return claim_path(call, claims, REEVE_EFFECT_READ, tools->root);
}

int rv_describe_write(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg)
{
    const struct rv_file_tools *tools = arg;

    return claim_path(call, claims, REEVE_EFFECT_WRITE, tools->root);
}
