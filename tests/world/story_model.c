/* SPDX-License-Identifier: MIT */
#include "tests/world/story_model.h"

#include "tests/world/speech.h"

#include <stdio.h>

int story_model_open(struct rv_test *t, const struct story *story, rv_world_serve_fn serve,
                     void *arg, struct rv_world **ret_world, struct reeve_model **ret_model)
{
    struct reeve_model_options options;
    char url[128];
    int error = rv_world_open(t, ret_world);

    if (error)
        return error;
    rv_world_serve(*ret_world, serve, arg);
    snprintf(url, sizeof url, "%s%s", rv_world_url(*ret_world), speech_base(story->provider));
    reeve_model_options_init(&options);
    options.provider = story->provider;
    options.base_url = url;
    options.name = "m";
    options.api_key = "sk-key";
    if (story->model_ms)
        options.timeout_ms = story->model_ms;
    return reeve_model_new(rv_world_runtime(*ret_world), &options, ret_model);
}
