/* SPDX-License-Identifier: MIT */
/*
 * Structs that a caller allocates and the library fills or reads: they carry their size first, so
 * that fields can be appended later and a program compiled against an older, smaller struct still
 * works.
 */
#ifndef RV_BASE_OPTIONS_H
#define RV_BASE_OPTIONS_H

#include <stddef.h>
#include <string.h>

#include <reeve/error.h>

/* For reeve_NOUN_options_init_size: the part of `defaults` that the caller's struct has room for.
 */
static inline void rv_options_fill(void *options, size_t size, const void *defaults,
                                   size_t defaults_size)
{
    memset(options, 0, size);
    memcpy(options, defaults, size < defaults_size ? size : defaults_size);
}

/*
 * Lay what a caller gave over `own`, which holds the defaults: fields that the caller does not know
 * keep theirs, fields that we do not know must be unset. `given` begins with its size. 0, or
 * REEVE_EINVAL: it was not initialised, or asks for something of a later version.
 */
static inline int rv_options_copy(void *own, size_t own_size, const void *given)
{
    const char *bytes = given;
    size_t size, i;

    memcpy(&size, given, sizeof size);
    if (size < sizeof size)
        return REEVE_EINVAL;
    for (i = own_size; i < size; i++)
        if (bytes[i])
            return REEVE_EINVAL;
    memcpy(own, given, size < own_size ? size : own_size);
    memcpy(own, &own_size, sizeof own_size);
    return 0;
}

#endif
