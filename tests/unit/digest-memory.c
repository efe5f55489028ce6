/* SPDX-License-Identifier: MIT */
/*
 * A digest while libcrypto gets no memory. libcrypto takes other allocation functions only before
 * its first allocation, and Criterion brings it into the process, used: so this is a program
 * without. It says what it did and exits 1 at the first wrong answer. libcrypto's own start in a
 * process is left out: version 3.0 reads through a null pointer when memory lacks there.
 */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <reeve/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const unsigned char of_abc[RV_DIGEST_BYTES] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

static size_t asked;
static size_t fail_at; /* 0: never */
static bool fail_rest;

static bool refused(void)
{
    asked++;
    return fail_at && (fail_rest ? asked >= fail_at : asked == fail_at);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return refused() ? NULL : malloc(size);
}

static void *retake(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return refused() ? NULL : realloc(ptr, size);
}

static void drop(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    free(ptr);
}

static void arm(size_t n, bool rest)
{
    asked = 0;
    fail_at = n;
    fail_rest = rest;
}

static void fail(const char *what)
{
    fprintf(stderr, "digest-memory: %s (failing: %s %zu)\n", what, fail_rest ? "from" : "at",
            fail_at);
    _exit(1);
}

/* Either the right digest or REEVE_ENOMEM with nothing written. True if it was refused. */
static bool judge(int error, const unsigned char out[RV_DIGEST_BYTES])
{
    static const unsigned char untouched[RV_DIGEST_BYTES];

    if (error && (error != REEVE_ENOMEM || memcmp(out, untouched, sizeof untouched) != 0))
        fail("a wrong refusal");
    if (!error && memcmp(out, of_abc, sizeof of_abc) != 0)
        fail("a wrong digest");
    return error != 0;
}

/* Uses a digest in every way. True if anything was refused. */
static bool use(struct rv_mem *mem)
{
    unsigned char out[RV_DIGEST_BYTES] = {0};
    struct rv_digest *digest;
    bool short_of_memory;
    int error = rv_digest_new(mem, &digest);

    if (ERR_peek_error())
        fail("an error was left in libcrypto's queue");
    if (error) {
        if (error != REEVE_ENOMEM && error != REEVE_EUNSUPPORTED)
            fail("a wrong error");
        return true;
    }
    rv_digest_add(digest, "abc", 3);
    short_of_memory = judge(rv_digest_peek(digest, out), out);
    memset(out, 0, sizeof out);
    short_of_memory |= judge(rv_digest_end(digest, out), out);
    rv_digest_free(digest);
    if (ERR_peek_error())
        fail("an error was left in libcrypto's queue");
    return short_of_memory;
}

/* libcrypto can do without some of its allocations; each use is right or refused all the same. */
static void sweep(struct rv_mem *mem)
{
    size_t count, n;
    unsigned refusals = 0;
    int rest;

    use(mem);
    arm(0, false);
    if (use(mem))
        fail("refused without a reason");
    count = asked;
    for (rest = 0; rest < 2; rest++) {
        for (n = 1; n <= count; n++) {
            arm(n, rest);
            refusals += use(mem);
        }
    }
    arm(0, false);
    if (use(mem))
        fail("refused without a reason");
    fprintf(stderr, "digest-memory: swept %zu allocations of libcrypto, %u refusals\n", count,
            refusals);
    if (refusals < count)
        fail("too few refusals to mean anything");
}

int main(void)
{
    struct rv_mem *mem;

    if (!CRYPTO_set_mem_functions(take, retake, drop))
        fail("libcrypto has been used before");
    if (rv_mem_new(NULL, &mem))
        fail("no memory");
    sweep(mem);
    if (rv_mem_live(mem))
        fail("memory was left");
    rv_mem_unref(mem);
    return 0;
}
