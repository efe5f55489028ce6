/* SPDX-License-Identifier: MIT */
/* The texts that more than one row works on. */
#ifndef REEVE_BENCH_DOCUMENTS_H
#define REEVE_BENCH_DOCUMENTS_H

#include <stddef.h>

/* The arguments of a call, of 24 bytes, and the data of a stream's event, of about 230. */
#define BENCH_ARGUMENTS "{\"path\":\"src/main.c.in\"}"
#define BENCH_CHUNK                                                                                \
    "{\"id\":\"chatcmpl-AbCdEfGh12\",\"object\":\"chat.completion.chunk\",\"created\":1717171717," \
    "\"model\":\"gpt-4o-mini\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":"  \
    "0,"                                                                                           \
    "\"delta\":{\"content\":\" world\"},\"finish_reason\":null}]}"

#endif
