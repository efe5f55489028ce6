/* SPDX-License-Identifier: MIT */
/* The reference-counted core that all memory of a runtime comes from. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include <reeve/error.h>

struct rv_mem {
    struct reeve_allocator allocator;
    size_t refs;
    size_t live;
};

static void *system_malloc(size_t size, void *arg)
{
    (void)arg;
    return malloc(size);
}

static void *system_realloc(void *ptr, size_t size, void *arg)
{
    (void)arg;
    return realloc(ptr, size);
}

static void system_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static const struct reeve_allocator system_allocator = {
    .malloc = system_malloc,
    .realloc = system_realloc,
    .free = system_free,
};

int rv_mem_new(const struct reeve_allocator *allocator, struct rv_mem **ret_mem)
{
    struct rv_mem *mem;

    if (!allocator)
        allocator = &system_allocator;
    if (!allocator->malloc || !allocator->realloc || !allocator->free)
        return REEVE_EINVAL;
    mem = allocator->malloc(sizeof *mem, allocator->arg);
    if (!mem)
        return REEVE_ENOMEM;
    mem->allocator = *allocator;
    mem->refs = 1;
    mem->live = 0;
    *ret_mem = mem;
    return 0;
}

struct rv_mem *rv_mem_ref(struct rv_mem *mem)
{
    mem->refs++;
    return mem;
}

void rv_mem_unref(struct rv_mem *mem)
{
    struct reeve_allocator allocator;

    if (!mem || --mem->refs)
        return;
    allocator = mem->allocator;
    allocator.free(mem, allocator.arg);
}

size_t rv_mem_live(const struct rv_mem *mem)
{
    return mem->live;
}

void *rv_alloc(struct rv_mem *mem, size_t size)
{
    void *ptr = mem->allocator.malloc(size ? size : 1, mem->allocator.arg);

    if (ptr)
        mem->live++;
    return ptr;
}

void *rv_zalloc(struct rv_mem *mem, size_t size)
{
    void *ptr = rv_alloc(mem, size);

    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

void *rv_alloc_array(struct rv_mem *mem, size_t count, size_t size)
{
    size_t total;

    return rv_size_mul(count, size, &total) ? rv_zalloc(mem, total) : NULL;
}

void *rv_realloc(struct rv_mem *mem, void *ptr, size_t size)
{
    if (!ptr)
        return rv_alloc(mem, size);
    return mem->allocator.realloc(ptr, size ? size : 1, mem->allocator.arg);
}

void rv_free(struct rv_mem *mem, void *ptr)
{
    if (!ptr)
        return;
    mem->live--;
    mem->allocator.free(ptr, mem->allocator.arg);
}

char *rv_strdup(struct rv_mem *mem, const char *text)
{
    return text ? rv_memdup(mem, text, strlen(text)) : NULL;
}

char *rv_memdup(struct rv_mem *mem, const void *bytes, size_t len)
{
    size_t total;
    char *copy;

    if (!rv_size_add(len, 1, &total))
        return NULL;
    copy = rv_alloc(mem, total);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
