/* SPDX-License-Identifier: MIT */
/* The targets under libFuzzer: RV_FUZZ_TARGET in the environment says which one. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("RV_FUZZ_TARGET");

    (void)argc;
    (void)argv;
    target = name ? fuzz_target_find(name) : NULL;
    if (!target) {
        fprintf(stderr, "fuzz: RV_FUZZ_TARGET=%s names no target; there are:\n", name ? name : "");
        for (target = fuzz_targets; target->name; target++)
            fprintf(stderr, "    %s\n", target->name);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    target->run(target, (const char *)bytes, len);
    return 0;
}
