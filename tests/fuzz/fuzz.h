/* SPDX-License-Identifier: MIT */
/*
 * Fuzz targets. A target takes any bytes and checks what must hold for all of them: a check that
 * does not hold ends the program, so that libFuzzer (tests/fuzz/engine.c) and the replay of the
 * corpus (tests/fuzz/replay.c) both see it.
 *
 * Where an input is cut, which caps it meets and the like is drawn from a number that is made of
 * the input itself, so that inputs are plain text and each gives the same run every time.
 */
#ifndef RV_TESTS_FUZZ_FUZZ_H
#define RV_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct fuzz_target {
    const char *name; /* of its folder in corpus/ as well */
    void (*run)(const struct fuzz_target *target, const char *bytes, size_t len);
    int provider; /* of a completion's target: enum reeve_provider */
};

/* Ends with one whose name is NULL. */
extern const struct fuzz_target fuzz_targets[];

/* Every check for each input, as when a corpus is replayed. Under the engine the dear ones are made
 * only for some inputs, which the inputs themselves choose. */
extern bool fuzz_thorough;

const struct fuzz_target *fuzz_target_find(const char *name);

void fuzz_sse(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_json(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_schema(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_repair(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_pattern(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_head(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_url(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_codec(const struct fuzz_target *target, const char *bytes, size_t len);
/* The parts of fuzz_codec that need no world (response.c). */
void fuzz_response(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_calls(const struct fuzz_target *target, const char *bytes, size_t len);
void fuzz_http(const struct fuzz_target *target, const char *bytes, size_t len);

/* What does not hold is told and ends the program. */
#define FUZZ_CHECK(holds, ...)                                                                     \
    do {                                                                                           \
        if (!(holds))                                                                              \
            fuzz_fail(__FILE__, __LINE__, #holds, " " __VA_ARGS__);                                \
    } while (0)

__attribute__((noreturn)) void fuzz_fail(const char *file, int line, const char *what,
                                         const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A row of numbers that the input determines. */
struct fuzz_random {
    uint64_t state;
};

struct fuzz_random fuzz_random_of(const char *bytes, size_t len);
/* Below `bound`, which is not 0. */
size_t fuzz_random_below(struct fuzz_random *random, size_t bound);

/* Whether a check that only one input in `many` gets is made for this one. */
bool fuzz_chosen(struct fuzz_random *random, size_t many);

/* How an input is cut into pieces; the last is one piece for each byte. */
enum fuzz_cut { FUZZ_WHOLE, FUZZ_RANDOM_PIECES, FUZZ_BYTES, FUZZ_CUT_COUNT };

/* The length of the next piece of what is left, `left` not 0. */
size_t fuzz_piece(enum fuzz_cut cut, struct fuzz_random *random, size_t left);

/* An allocator that counts, and can be told to refuse. */
struct fuzz_memory {
    struct reeve_allocator allocator;
    size_t live;
    size_t live_bytes;
    size_t peak_bytes;
    size_t asked;
    size_t fail_at; /* refuse this allocation and all after it; 0: none */
};

void fuzz_memory_init(struct fuzz_memory *memory);
/* Nothing may be live. */
void fuzz_memory_done(const struct fuzz_memory *memory);

/* For what a target notes down: not the library's memory under test, without a cap, never
 * refused. */
void fuzz_note_init(struct rv_buffer *note);
void fuzz_note_done(struct rv_buffer *note);
void fuzz_note(struct rv_buffer *note, const void *bytes, size_t len);
void fuzz_note_printf(struct rv_buffer *note, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fuzz_note_equal(const struct rv_buffer *a, const struct rv_buffer *b);

#endif
