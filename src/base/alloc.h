/* SPDX-License-Identifier: MIT */
/*
 * Memory. Every allocation goes through a `struct rv_mem`, the reference-counted core of a runtime:
 * it keeps the host's allocator and outlives the runtime for as long as somebody holds a piece of
 * it.
 */
#ifndef RV_BASE_ALLOC_H
#define RV_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include <reeve/allocator.h>

struct rv_mem;

/* NULL: malloc, realloc, free. Starts with one reference. Returns 0, REEVE_EINVAL or REEVE_ENOMEM.
 */
int rv_mem_new(const struct reeve_allocator *allocator, struct rv_mem **ret_mem);
struct rv_mem *rv_mem_ref(struct rv_mem *mem);
/* NULL is allowed. */
void rv_mem_unref(struct rv_mem *mem);

/* Blocks that were allocated and not yet freed, the core's own not counted. */
size_t rv_mem_live(const struct rv_mem *mem);

/* Each returns NULL when there is no memory; a size of 0 gives a block that may be freed. */
void *rv_alloc(struct rv_mem *mem, size_t size);
void *rv_zalloc(struct rv_mem *mem, size_t size);                    /* zeroed */
void *rv_alloc_array(struct rv_mem *mem, size_t count, size_t size); /* zeroed, overflow-checked */
void *rv_realloc(struct rv_mem *mem, void *ptr, size_t size);        /* ptr may be NULL */
void rv_free(struct rv_mem *mem, void *ptr);                         /* ptr may be NULL */

/* Copies; rv_memdup adds a NUL that `len` does not count. rv_strdup of NULL gives NULL. */
char *rv_strdup(struct rv_mem *mem, const char *text);
char *rv_memdup(struct rv_mem *mem, const void *bytes, size_t len);

/* a + b and a * b into *ret; false, with *ret untouched, if that does not fit. */
static inline bool rv_size_add(size_t a, size_t b, size_t *ret)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

static inline bool rv_size_mul(size_t a, size_t b, size_t *ret)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

/* The struct of which `ptr` is the member `member`. */
#define rv_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
