/* SPDX-License-Identifier: MIT */
/* Text for people. */
#include "model/sentence.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char ellipsis[] = "\xE2\x80\xA6";
static const char replacement[] = "\xEF\xBF\xBD";
static const char scrubbed[] = "***";

void rv_sentence_begin(struct rv_sentence *sentence, char *text, size_t size,
                       const struct rv_secret *secret)
{
    *sentence = (struct rv_sentence){.text = text, .size = size, .secret = secret};
    text[0] = '\0';
}

/* All of `len` bytes below `end`, or nothing. */
static bool put(struct rv_sentence *sentence, size_t end, const char *bytes, size_t len)
{
    if (len > end - sentence->len)
        return false;
    memcpy(sentence->text + sentence->len, bytes, len);
    sentence->len += len;
    sentence->text[sentence->len] = '\0';
    return true;
}

/* Put "…" at the end, in the place of whole characters if there is no room. */
static void mark_cut(struct rv_sentence *sentence, size_t start, size_t end)
{
    const size_t len = sizeof ellipsis - 1;
    size_t keep = sentence->len - start;

    if (end - start < len)
        return;
    if (keep > end - start - len)
        keep = rv_utf8_cut_head(sentence->text + start, keep, end - start - len);
    sentence->len = start + keep;
    put(sentence, end, ellipsis, len);
}

/* How many bytes of the input the next thing to be written takes, and what is written for it. */
static size_t next_thing(const struct rv_sentence *sentence, const char *bytes, size_t len,
                         const char **ret_text, size_t *ret_len)
{
    const unsigned char byte = (unsigned char)bytes[0];
    const size_t secret = sentence->secret ? rv_secret_here(sentence->secret, bytes, len) : 0;
    size_t width = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;

    *ret_text = bytes;
    if (secret) {
        *ret_text = scrubbed;
        *ret_len = sizeof scrubbed - 1;
        return secret;
    }
    if (byte < 0x20 || byte == 0x7F) {
        *ret_text = " ";
        *ret_len = 1;
        return 1;
    }
    if (width <= len && rv_utf8_valid(bytes, width)) {
        *ret_len = width;
        return width;
    }
    *ret_text = replacement;
    *ret_len = sizeof replacement - 1;
    return 1;
}

void rv_sentence_add_bytes(struct rv_sentence *sentence, const char *bytes, size_t len, size_t max)
{
    const size_t start = sentence->len;
    size_t end = sentence->size - 1;
    const char *text;
    size_t text_len, taken;

    if (max < end - start)
        end = start + max;
    while (len) {
        taken = next_thing(sentence, bytes, len, &text, &text_len);
        if (*text == ' ' && (!sentence->len || sentence->text[sentence->len - 1] == ' ')) {
            bytes += taken;
            len -= taken;
            continue;
        }
        if (!put(sentence, end, text, text_len)) {
            mark_cut(sentence, start, end);
            return;
        }
        bytes += taken;
        len -= taken;
    }
}

void rv_sentence_add(struct rv_sentence *sentence, const char *text)
{
    rv_sentence_add_bytes(sentence, text, strlen(text), sentence->size);
}

void rv_sentence_add_number(struct rv_sentence *sentence, long long number)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", number);
    rv_sentence_add(sentence, digits);
}
