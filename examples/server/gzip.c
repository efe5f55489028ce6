/* SPDX-License-Identifier: MIT */
/* Writing gzip without a compressor. */
#include "gzip.h"

#define MAX_STORED_BYTES 65535u

static uint32_t crc32_of(const char *bytes, size_t len)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void add_little_endian(struct ms_text *out, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const char byte = (char)(number >> (8 * i));

        ms_text_add(out, &byte, 1);
    }
}

static void add_stored_block(struct ms_text *out, const char *bytes, size_t len, bool last)
{
    ms_text_add(out, last ? "\1" : "\0", 1);
    add_little_endian(out, (uint32_t)len, 2);
    add_little_endian(out, ~(uint32_t)len, 2);
    ms_text_add(out, bytes, len);
}

void ms_gzip(struct ms_text *text)
{
    static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
    struct ms_text out;
    size_t at = 0;

    ms_text_init(&out, text->cap_bytes + text->cap_bytes / 1000 + 1024);
    ms_text_add(&out, head, sizeof(head) - 1);
    do {
        size_t len = text->len - at < MAX_STORED_BYTES ? text->len - at : MAX_STORED_BYTES;

        add_stored_block(&out, ms_text_string(text) + at, len, at + len == text->len);
        at += len;
    } while (at < text->len);
    add_little_endian(&out, crc32_of(ms_text_string(text), text->len), 4);
    add_little_endian(&out, (uint32_t)text->len, 4);
    out.failed = out.failed || text->failed;
    ms_text_done(text);
    *text = out;
}
