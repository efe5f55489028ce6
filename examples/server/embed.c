/* SPDX-License-Identifier: MIT */
/*
 * A text's vector: each of its words points somewhere (to where its hash says) and the vector is
 * their sum, of length one. So equal texts have equal vectors, and texts that share words are near.
 */
#include "embed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DIMENSIONS 64
#define MAX_DIMENSIONS 3072
#define MAX_INPUTS 2048

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct job {
    yajl_val input; /* a string, or an array of strings */
    const char *model;
    size_t count;
    size_t dimensions;
    size_t tokens;
    bool base64;
};

static void add_word(struct ms_span word, float *vector, size_t dimensions)
{
    uint64_t hash = ms_hash(MS_HASH_START, word.s, word.len);

    for (size_t i = 0; i < dimensions; i++) {
        hash = hash * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
        vector[i] += (float)(int32_t)(hash >> 32) / 2147483648.0f;
    }
}

static void embed_text(const char *text, float *vector, size_t dimensions)
{
    struct ms_span span = ms_span_of(text);
    struct ms_span word;
    size_t offset = 0;
    double square = 0;

    memset(vector, 0, dimensions * sizeof(*vector));
    while (ms_word_next(span, &offset, &word))
        add_word(word, vector, dimensions);
    for (size_t i = 0; i < dimensions; i++)
        square += (double)vector[i] * (double)vector[i];
    if (square <= 0)
        vector[0] = 1;
    for (size_t i = 0; square > 0 && i < dimensions; i++)
        vector[i] = (float)((double)vector[i] / sqrt(square));
}

/* Floats as the machine has them, which is little-endian wherever this runs. */
static void write_base64(const float *vector, size_t dimensions, yajl_gen gen)
{
    const unsigned char *bytes = (const unsigned char *)vector;
    const size_t len = dimensions * sizeof(*vector);
    struct ms_text text;

    ms_text_init(&text, len * 2);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        char letters[4];

        if (i + 1 < len)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < len)
            group |= bytes[i + 2];
        for (size_t k = 0; k < 4; k++)
            letters[k] = i + k > len ? '=' : base64_letters[(group >> (18 - 6 * k)) & 63];
        ms_text_add(&text, letters, 4);
    }
    ms_json_member_span(gen, "embedding", (struct ms_span){ms_text_string(&text), text.len});
    ms_text_done(&text);
}

static void write_floats(const float *vector, size_t dimensions, yajl_gen gen)
{
    ms_json_open_array(gen, "embedding");
    for (size_t i = 0; i < dimensions; i++)
        yajl_gen_double(gen, (double)vector[i]);
    yajl_gen_array_close(gen);
}

static const char *input_at(const struct job *job, size_t i)
{
    return YAJL_IS_ARRAY(job->input) ? YAJL_GET_STRING(job->input->u.array.values[i])
                                     : YAJL_GET_STRING(job->input);
}

static void write_answer(struct job *job, float *vector, yajl_gen gen)
{
    ms_json_open(gen, NULL);
    ms_json_member(gen, "object", "list");
    ms_json_open_array(gen, "data");
    for (size_t i = 0; i < job->count; i++) {
        embed_text(input_at(job, i), vector, job->dimensions);
        job->tokens += strlen(input_at(job, i)) / 4 + 1;
        ms_json_open(gen, NULL);
        ms_json_member(gen, "object", "embedding");
        ms_json_member_int(gen, "index", (long long)i);
        if (job->base64)
            write_base64(vector, job->dimensions, gen);
        else
            write_floats(vector, job->dimensions, gen);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
    ms_json_member(gen, "model", job->model);
    ms_json_open(gen, "usage");
    ms_json_member_int(gen, "prompt_tokens", (long long)job->tokens);
    ms_json_member_int(gen, "total_tokens", (long long)job->tokens);
    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);
}

static int read_input(yajl_val tree, struct job *job, struct ms_error *error)
{
    job->input = ms_json_get(tree, "input");
    if (!job->input)
        return ms_error_missing(error, "input");
    job->count = YAJL_IS_ARRAY(job->input) ? job->input->u.array.len : 1;
    if (job->count == 0)
        return ms_error_empty(error, "input");
    if (job->count > MAX_INPUTS)
        return ms_error_set(error, "array_above_max_length", "input", "Too many inputs.");
    for (size_t i = 0; i < job->count; i++)
        if (!input_at(job, i) || !*input_at(job, i))
            return ms_error_set(error, NULL, "input", "'$.input' is invalid.");
    return 0;
}

static int read_job(yajl_val tree, struct job *job, struct ms_error *error)
{
    const char *format = ms_json_string(tree, "encoding_format");
    yajl_val dimensions = ms_json_get_some(tree, "dimensions");

    job->model = ms_json_string(tree, "model");
    if (!job->model)
        return ms_error_set(error, NULL, NULL, "you must provide a model parameter");
    job->dimensions = DEFAULT_DIMENSIONS;
    if (dimensions) {
        if (!YAJL_IS_INTEGER(dimensions) || YAJL_GET_INTEGER(dimensions) < 1 ||
            YAJL_GET_INTEGER(dimensions) > MAX_DIMENSIONS)
            return ms_error_set(error, "invalid_value", "dimensions", "Invalid 'dimensions'.");
        job->dimensions = (size_t)YAJL_GET_INTEGER(dimensions);
    }
    if (format && strcmp(format, "float") != 0 && strcmp(format, "base64") != 0)
        return ms_error_set(error, "invalid_value", "encoding_format",
                            "Invalid 'encoding_format': expected 'float' or 'base64'.");
    job->base64 = format && strcmp(format, "base64") == 0;
    return read_input(tree, job, error);
}

static void answer(struct job *job, struct ms_text *out)
{
    float *vector = calloc(job->dimensions, sizeof(*vector));
    yajl_gen gen = vector ? yajl_gen_alloc(NULL) : NULL;

    if (gen) {
        write_answer(job, vector, gen);
        ms_json_finish(gen, out);
    } else {
        out->failed = true;
    }
    free(vector);
}

int ms_embed(const char *body, size_t len, struct ms_text *out, struct ms_error *ret_error)
{
    struct job job = {.count = 0};
    yajl_val tree;
    int status;

    if (ms_json_parse(body, len, &tree))
        return ms_error_set(ret_error, NULL, NULL,
                            "We could not parse the JSON body of your request.");
    status = read_job(tree, &job, ret_error);
    if (!status)
        answer(&job, out);
    yajl_tree_free(tree);
    return status;
}
