/* SPDX-License-Identifier: MIT */
/* A model as completions see it. */
#ifndef RV_MODEL_MODEL_H
#define RV_MODEL_MODEL_H

#include <stdbool.h>

#include "base/list.h"
#include "model/codec.h"
#include "model/problem.h"
#include "model/tools_cache.h"

#include <reeve/model.h>

struct reeve_model {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct reeve_model_options options; /* its texts are NULL: they stand below */
    const struct rv_codec *codec;
    char *name;
    char *base_url;  /* no slash at its end */
    char *url;       /* where requests go */
    char *key_field; /* the header field that carries the key; NULL: no key */
    size_t key_field_len;
    struct rv_problem_place place; /* its secret lies in key_field */
    char *extra;                   /* members for each request, each behind a comma; NULL: none */
    bool own_host;                 /* the base URL is the provider's own */
    struct rv_tools_cache tools;
    bool closing;
    struct rv_list completions; /* not over yet */
};

#endif
