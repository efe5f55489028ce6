/* SPDX-License-Identifier: MIT */
/*
 * The host's memory functions. A runtime allocates through the ones that it was given and through
 * nothing else of its own; libevent's and libcurl's process-wide hooks are never touched.
 */
#ifndef REEVE_ALLOCATOR_H
#define REEVE_ALLOCATOR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Each function has the contract of its namesake in the C library; `arg` is passed through. `free`
 * and `realloc` take NULL. Returning NULL from `malloc` or `realloc` is legal at any time: the
 * operation under way then ends with REEVE_ENOMEM and nothing is lost. The functions are called
 * from the loop's thread only, and must not call into Reeve.
 */
struct reeve_allocator {
    void *(*malloc)(size_t size, void *arg);
    void *(*realloc)(void *ptr, size_t size, void *arg);
    void (*free)(void *ptr, void *arg);
    void *arg;
};

#ifdef __cplusplus
}
#endif
#endif
