/* SPDX-License-Identifier: MIT */
/* Models: what a host says of an endpoint, checked and kept. */
#include "model/model.h"

#include <math.h>
#include <string.h>

#include <reeve/error.h>

#include "base/export.h"
#include "base/options.h"
#include "loop/runtime.h"
#include "model/base_url.h"
#include "model/completion.h"

enum { MAX_KEY_BYTES = 8192 };

struct provider {
    const struct rv_codec *codec;
    const char *base_url;
    const char *host; /* of its own servers */
};

static const struct provider providers[] = {
    [REEVE_PROVIDER_OPENAI] = {&rv_codec_openai, "https://api.openai.com/v1", "api.openai.com"},
    [REEVE_PROVIDER_ANTHROPIC] = {&rv_codec_anthropic, "https://api.anthropic.com",
                                  "api.anthropic.com"},
};

RV_EXPORT void reeve_model_options_init_size(struct reeve_model_options *options, size_t size)
{
    const struct reeve_model_options defaults = {
        .size = size,
        .provider = REEVE_PROVIDER_OPENAI,
        .temperature = (double)NAN,
        .connect_timeout_ms = 10000,
        .first_byte_timeout_ms = 120000,
        .idle_timeout_ms = 120000,
        .timeout_ms = 600000,
        .max_response_bytes = (size_t)64 << 20,
    };

    rv_options_fill(options, size, &defaults, sizeof defaults);
}

/* What can stand in a header field, and no space: those come from careless copying. */
static bool key_valid(const char *key)
{
    size_t i;

    for (i = 0; key[i]; i++)
        if (i == MAX_KEY_BYTES || (unsigned char)key[i] <= ' ' || key[i] == 0x7F)
            return false;
    return true;
}

static int check_options(const struct reeve_model_options *options)
{
    if (!options->name || !*options->name)
        return REEVE_EINVAL;
    if ((size_t)options->provider >= sizeof providers / sizeof *providers)
        return REEVE_EINVAL;
    if (options->api_key && !key_valid(options->api_key))
        return REEVE_EINVAL;
    if (isinf(options->temperature) || !options->max_response_bytes)
        return REEVE_EINVAL;
    return 0;
}

static char *join(struct rv_mem *mem, const char *a, size_t a_len, const char *b)
{
    const size_t b_len = strlen(b);
    char *joined = rv_alloc(mem, a_len + b_len + 1);

    if (!joined)
        return NULL;
    memcpy(joined, a, a_len);
    memcpy(joined + a_len, b, b_len + 1);
    return joined;
}

static int keep_url(struct reeve_model *model, const char *base_url,
                    const struct provider *provider)
{
    size_t len;
    int error = rv_base_url_check(base_url, &len);

    if (error)
        return error;
    model->own_host = rv_base_url_host_is(base_url, provider->host);
    model->base_url = rv_memdup(model->mem, base_url, len);
    model->url = join(model->mem, base_url, len, model->codec->path);
    return model->base_url && model->url ? 0 : REEVE_ENOMEM;
}

static int keep_key(struct reeve_model *model, const char *key)
{
    const char *prefix = model->codec->key_prefix;
    const size_t prefix_len = strlen(prefix);

    if (!key || !*key)
        return 0;
    model->key_field = join(model->mem, prefix, prefix_len, key);
    if (!model->key_field)
        return REEVE_ENOMEM;
    model->key_field_len = strlen(model->key_field);
    model->place.secret.bytes = model->key_field + prefix_len;
    model->place.secret.len = model->key_field_len - prefix_len;
    return 0;
}

static bool extra_valid(const struct reeve_json *extra)
{
    static const char *const ours[] = {"messages", "model", "stream", "system", "tools"};
    size_t i;

    for (i = 0; i < sizeof ours / sizeof *ours; i++)
        if (reeve_json_get(extra, ours[i]))
            return false;
    return reeve_json_type(extra) == REEVE_JSON_OBJECT;
}

/* Behind a comma, without its braces. An object without members is none. */
static int keep_extra(struct reeve_model *model, const char *extra)
{
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    const char *begin, *end;
    int error;

    if (!extra)
        return 0;
    error = rv_json_reader_new(model->mem, NULL, &reader);
    if (error)
        return error;
    error = rv_json_reader_parse(reader, extra, strlen(extra), &value);
    if (error)
        error = error == REEVE_ENOMEM ? error : REEVE_EINVAL;
    else if (!extra_valid(value))
        error = REEVE_EINVAL;
    else if (reeve_json_count(value)) {
        begin = strchr(extra, '{') + 1;
        end = strrchr(extra, '}');
        model->extra = rv_alloc(model->mem, (size_t)(end - begin) + 2);
        error = model->extra ? 0 : REEVE_ENOMEM;
        if (!error) {
            model->extra[0] = ',';
            memcpy(model->extra + 1, begin, (size_t)(end - begin));
            model->extra[1 + (end - begin)] = '\0';
        }
    }
    rv_json_reader_free(reader);
    return error;
}

static int keep_options(struct reeve_model *model, const struct reeve_model_options *options)
{
    const struct provider *provider;
    const char *base_url;
    int error;

    reeve_model_options_init(&model->options);
    error = rv_options_copy(&model->options, sizeof model->options, options);
    if (!error)
        error = check_options(&model->options);
    if (error)
        return error;
    provider = &providers[model->options.provider];
    base_url = model->options.base_url;
    model->codec = provider->codec;
    error = keep_url(model, base_url && *base_url ? base_url : provider->base_url, provider);
    if (!error)
        error = keep_key(model, model->options.api_key);
    if (!error)
        error = keep_extra(model, model->options.extra);
    if (error)
        return error;
    model->place.url = model->url;
    model->name = rv_strdup(model->mem, model->options.name);
    model->options.name = NULL;
    model->options.base_url = NULL;
    model->options.api_key = NULL;
    model->options.extra = NULL;
    return model->name ? 0 : REEVE_ENOMEM;
}

static void model_destroy(struct reeve_model *model)
{
    struct rv_mem *mem = model->mem;

    if (model->key_field)
        explicit_bzero(model->key_field, model->key_field_len);
    rv_free(mem, model->key_field);
    rv_free(mem, model->name);
    rv_free(mem, model->base_url);
    rv_free(mem, model->url);
    rv_free(mem, model->extra);
    rv_tools_cache_done(&model->tools);
    rv_free(mem, model);
}

RV_EXPORT int reeve_model_new(struct reeve_runtime *runtime,
                              const struct reeve_model_options *options,
                              struct reeve_model **ret_model)
{
    struct reeve_model *model;
    int error;

    if (!runtime || !options || !ret_model)
        return REEVE_EINVAL;
    if (rv_runtime_closing(runtime))
        return REEVE_ECLOSING;
    model = rv_zalloc(rv_runtime_mem(runtime), sizeof *model);
    if (!model)
        return REEVE_ENOMEM;
    model->runtime = runtime;
    model->mem = rv_runtime_mem(runtime);
    rv_list_init(&model->completions);
    rv_tools_cache_init(&model->tools, model->mem, RV_MAX_REQUEST_BYTES);
    error = keep_options(model, options);
    if (error) {
        model_destroy(model);
        return error;
    }
    rv_runtime_child_add(runtime);
    *ret_model = model;
    return 0;
}

RV_EXPORT void reeve_model_free(struct reeve_model *model)
{
    if (!model || model->closing)
        return;
    model->closing = true;
    while (!rv_list_empty(&model->completions))
        rv_completion_end_first(model);
    rv_runtime_child_remove(model->runtime);
    model_destroy(model);
}

RV_EXPORT const char *reeve_model_name(const struct reeve_model *model)
{
    return model->name;
}

RV_EXPORT const char *reeve_model_base_url(const struct reeve_model *model)
{
    return model->base_url;
}
