/* SPDX-License-Identifier: MIT */
/*
 * Replays the corpora: replay [TARGET FILE...]. Without arguments every file of each target's
 * folder in $srcdir/tests/fuzz/corpus, and a target without any file is a failure.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly as long as the file, so that a read past its end is found. */
static char *read_whole(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long len;

    FUZZ_CHECK(file, "%s", path);
    FUZZ_CHECK(!fseek(file, 0, SEEK_END));
    len = ftell(file);
    FUZZ_CHECK(len >= 0 && !fseek(file, 0, SEEK_SET));
    bytes = malloc(len ? (size_t)len : 1);
    FUZZ_CHECK(bytes && fread(bytes, 1, (size_t)len, file) == (size_t)len, "%s", path);
    fclose(file);
    *ret_len = (size_t)len;
    return bytes;
}

static void replay_file(const struct fuzz_target *target, const char *path)
{
    size_t len;
    char *bytes = read_whole(path, &len);

    target->run(target, bytes, len);
    free(bytes);
}

static size_t replay_folder(const struct fuzz_target *target, const char *srcdir)
{
    char folder[2048], path[4096];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir, target->name);
    dir = opendir(folder);
    FUZZ_CHECK(dir, "%s", folder);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay_file(target, path);
        count++;
    }
    closedir(dir);
    return count;
}

static int replay_all(void)
{
    const char *srcdir = getenv("srcdir");
    const struct fuzz_target *target;
    size_t total = 0;

    for (target = fuzz_targets; target->name; target++) {
        size_t count = replay_folder(target, srcdir ? srcdir : ".");

        printf("%s: %zu inputs replayed\n", target->name, count);
        if (!count)
            return 1;
        total += count;
    }
    printf("%zu inputs replayed in all\n", total);
    return 0;
}

int main(int argc, char **argv)
{
    const struct fuzz_target *target;
    int i;

    fuzz_thorough = true;
    if (argc == 1)
        return replay_all();
    target = fuzz_target_find(argv[1]);
    FUZZ_CHECK(target, "%s is no target", argv[1]);
    for (i = 2; i < argc; i++)
        replay_file(target, argv[i]);
    printf("%s: %d inputs replayed\n", target->name, argc - 2);
    return 0;
}
