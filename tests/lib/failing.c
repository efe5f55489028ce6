/* SPDX-License-Identifier: MIT */
/* The allocator of the tests: counting, guarding, failing on demand. See failing.h. */
#include "tests/lib/failing.h"

#include <execinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GUARD_BYTES 16
#define GUARD_FILL 0xE7
#define FRESH_FILL 0xA5
#define STALE_FILL 0x5A
#define SITE_DEPTH 8

/* Under AddressSanitizer a block ends with the caller's bytes, so that the first byte beyond them
 * is caught in the act; elsewhere the rear guard tells when the block is freed. */
#if defined(__SANITIZE_ADDRESS__)
#define REAR_BYTES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REAR_BYTES 0
#endif
#endif
#ifndef REAR_BYTES
#define REAR_BYTES GUARD_BYTES
#endif

/* In front of each block. The front guard is the last member, next to the caller's bytes. */
struct rv_failing_block {
    struct rv_failing_block *prev;
    struct rv_failing_block *next;
    struct rv_failing *owner;
    size_t size;
    size_t number; /* which allocation it was, counted from 1 */
    int sites;
    void *site[SITE_DEPTH];
    _Alignas(max_align_t) unsigned char guard[GUARD_BYTES];
};

static unsigned char *block_bytes(struct rv_failing_block *block)
{
    return (unsigned char *)(block + 1);
}

static void guard_set(unsigned char *guard, size_t len)
{
    for (size_t i = 0; i < len; i++)
        guard[i] = GUARD_FILL;
}

static bool guard_holds(const unsigned char *guard, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (guard[i] != GUARD_FILL)
            return false;
    }
    return true;
}

static void die(const struct rv_failing_block *block, const char *what)
{
    fprintf(stderr, "test allocator: %s (block of %zu bytes, allocation %zu)\n", what, block->size,
            block->number);
    abort();
}

static struct rv_failing_block *block_of(struct rv_failing *failing, void *ptr)
{
    struct rv_failing_block *block = (struct rv_failing_block *)ptr - 1;

    if (block->owner != failing || !guard_holds(block->guard, GUARD_BYTES))
        die(block, "freed twice, not its own, or written in front of");
    if (!guard_holds(block_bytes(block) + block->size, REAR_BYTES))
        die(block, "written behind its end");
    return block;
}

static bool refuse(struct rv_failing *failing)
{
    failing->asked++;
    if (failing->fail_at == 0 || failing->asked < failing->fail_at)
        return false;
    if (failing->asked > failing->fail_at && !failing->fail_rest)
        return false;
    failing->refused++;
    return true;
}

static void link_block(struct rv_failing *failing, struct rv_failing_block *block)
{
    block->prev = NULL;
    block->next = failing->blocks;
    if (block->next)
        block->next->prev = block;
    failing->blocks = block;
    failing->live++;
    failing->live_bytes += block->size;
    if (failing->live_bytes > failing->peak_bytes)
        failing->peak_bytes = failing->live_bytes;
}

static void unlink_block(struct rv_failing *failing, struct rv_failing_block *block)
{
    if (block->prev)
        block->prev->next = block->next;
    else
        failing->blocks = block->next;
    if (block->next)
        block->next->prev = block->prev;
    failing->live--;
    failing->live_bytes -= block->size;
}

static void *block_new(struct rv_failing *failing, size_t size)
{
    struct rv_failing_block *block;

    if (size > SIZE_MAX - sizeof *block - GUARD_BYTES)
        return NULL;
    block = malloc(sizeof *block + size + REAR_BYTES);
    if (!block)
        return NULL;
    block->owner = failing;
    block->size = size;
    block->number = failing->asked;
    block->sites = getenv("RV_TEST_SITES") ? backtrace(block->site, SITE_DEPTH) : 0;
    guard_set(block->guard, GUARD_BYTES);
    memset(block_bytes(block), FRESH_FILL, size);
    guard_set(block_bytes(block) + size, REAR_BYTES);
    link_block(failing, block);
    return block_bytes(block);
}

static void block_free(struct rv_failing *failing, struct rv_failing_block *block)
{
    unlink_block(failing, block);
    block->owner = NULL;
    memset(block_bytes(block), STALE_FILL, block->size);
    /* Or the compiler leaves out what nobody may read any more: that somebody does is the point. */
    __asm__ volatile("" : : "r"(block) : "memory");
    free(block);
}

static void *failing_malloc(size_t size, void *arg)
{
    struct rv_failing *failing = arg;

    return refuse(failing) ? NULL : block_new(failing, size);
}

/* Always moves, so that a pointer kept across a realloc is stale every time. */
static void *failing_realloc(void *ptr, size_t size, void *arg)
{
    struct rv_failing *failing = arg;
    struct rv_failing_block *old;
    void *moved;

    if (!ptr)
        return failing_malloc(size, arg);
    old = block_of(failing, ptr);
    if (refuse(failing))
        return NULL;
    moved = block_new(failing, size);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, size < old->size ? size : old->size);
    block_free(failing, old);
    return moved;
}

static void failing_free(void *ptr, void *arg)
{
    struct rv_failing *failing = arg;

    if (ptr)
        block_free(failing, block_of(failing, ptr));
}

void rv_failing_init(struct rv_failing *failing)
{
    memset(failing, 0, sizeof *failing);
    failing->allocator.malloc = failing_malloc;
    failing->allocator.realloc = failing_realloc;
    failing->allocator.free = failing_free;
    failing->allocator.arg = failing;
}

void rv_failing_arm(struct rv_failing *failing, size_t n, bool rest)
{
    failing->fail_at = failing->asked + n;
    failing->fail_rest = rest;
    failing->refused = 0;
}

void rv_failing_disarm(struct rv_failing *failing)
{
    failing->fail_at = 0;
}

void rv_failing_print_live(const struct rv_failing *failing)
{
    const struct rv_failing_block *block;

    for (block = failing->blocks; block != NULL; block = block->next) {
        fprintf(stderr, "  left: %zu bytes, allocation %zu\n", block->size, block->number);
        if (block->sites > 0)
            backtrace_symbols_fd(block->site, block->sites, STDERR_FILENO);
    }
    if (failing->blocks && failing->blocks->sites == 0)
        fprintf(stderr, "  (RV_TEST_SITES=1 in the environment tells where from)\n");
}

void rv_failing_done(struct rv_failing *failing)
{
    while (failing->blocks)
        block_free(failing, failing->blocks);
}
