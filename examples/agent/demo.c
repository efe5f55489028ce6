/* SPDX-License-Identifier: MIT */
/* The demo's folder. */
#include "agent/demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct note {
    const char *name;
    const char *text;
};

static const struct note notes[] = {
    {"bees.txt", "The hive by the wall has swarmed twice. Leave the lid open on warm days.\n"},
    {"garden.txt", "Sow the peas before the rain. The quince wants its wall back.\n"},
    {"harbour.txt",
     "High water at six. The ferry to the island leaves a quarter of an hour before.\n"},
    {"kitchen.txt", "Two cups of flour, one of milk. The oven runs hotter than its dial says.\n"},
    {"tools.txt", "The plane is sharpened; the saw is lent to the neighbour until Friday.\n"},
};

enum { NOTE_COUNT = sizeof notes / sizeof notes[0], WORD_LETTERS = 10 };

/* A word that can be said and that nobody has seen before. */
static bool make_word(char *word)
{
    static const char consonants[] = "bdfgklmnprstvz";
    static const char vowels[] = "aeiou";
    unsigned char random[WORD_LETTERS];
    size_t i;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    for (i = 0; i < WORD_LETTERS; i++)
        word[i] = i % 2 ? vowels[random[i] % (sizeof vowels - 1)]
                        : consonants[random[i] % (sizeof consonants - 1)];
    word[WORD_LETTERS] = '\0';
    return true;
}

static bool note_path(const struct demo *demo, const char *name, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/%s", demo->root, name);

    return len > 0 && (size_t)len < size;
}

static bool write_note(const struct demo *demo, const struct note *note)
{
    char path[4200];
    FILE *file;
    bool good;

    if (!note_path(demo, note->name, path, sizeof path))
        return false;
    file = fopen(path, "w");
    if (!file)
        return false;
    good = fputs(note->text, file) >= 0;
    if (note->name == demo->hidden_in)
        good = good && fprintf(file, "The secret word is: %s\n", demo->word) > 0;
    return fclose(file) == 0 && good;
}

bool demo_make(struct demo *demo)
{
    const char *folder = getenv("TMPDIR");
    unsigned char choice;
    size_t i;

    *demo = (struct demo){.hidden_in = NULL};
    if (!folder || !*folder)
        folder = "/tmp";
    if (snprintf(demo->root, sizeof demo->root, "%s/reeve-demo-XXXXXX", folder) >=
        (int)sizeof demo->root) {
        fputs("reeve-agent: TMPDIR is too long\n", stderr);
        demo->root[0] = '\0';
        return false;
    }
    if (!mkdtemp(demo->root)) {
        fprintf(stderr, "reeve-agent: no temporary folder in %s: %s\n", folder, strerror(errno));
        demo->root[0] = '\0';
        return false;
    }
    if (!make_word(demo->word) || getrandom(&choice, 1, 0) != 1)
        goto fail;
    demo->hidden_in = notes[choice % NOTE_COUNT].name;
    for (i = 0; i < NOTE_COUNT; i++)
        if (!write_note(demo, &notes[i]))
            goto fail;
    return true;

fail:
    fprintf(stderr, "reeve-agent: the demo's files in %s could not be written: %s\n", demo->root,
            strerror(errno));
    demo_remove(demo);
    return false;
}

const char *demo_prompt(void)
{
    return "Read the notes in this folder and tell me: what is the secret word?";
}

bool demo_found(const struct demo *demo, const struct reeve_transcript *transcript)
{
    size_t count = reeve_transcript_count(transcript);
    const struct reeve_message *last = reeve_transcript_at(transcript, count - 1);

    return last && reeve_message_role(last) == REEVE_ROLE_ASSISTANT &&
           strstr(reeve_message_text(last, NULL), demo->word);
}

void demo_remove(struct demo *demo)
{
    char path[4200];
    size_t i;

    if (!demo->root[0])
        return;
    for (i = 0; i < NOTE_COUNT; i++)
        if (note_path(demo, notes[i].name, path, sizeof path))
            unlink(path);
    if (rmdir(demo->root))
        fprintf(stderr, "reeve-agent: the folder %s could not be removed: %s\n", demo->root,
                strerror(errno));
    demo->root[0] = '\0';
}
