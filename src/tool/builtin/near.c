/* SPDX-License-Identifier: MIT */
/* The search for what is nearly right. See near.h. */
#include "tool/builtin/near.h"

#include <string.h>

#include "base/utf8.h"

#include <reeve/error.h>

enum {
    SLICE_BYTES = 16 * 1024,
    LINE_COST = 32,       /* a line costs as much as so many bytes more */
    LINE_BYTES = 512,     /* of a line that are compared */
    LEAST_LINE_BYTES = 3, /* "}" is everywhere */
    LEAST_SCORE = 500,
    SHOWN_BYTES = 2000,
    LEAD_BYTES = 200, /* of a line before what is shown of it */
};

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;
    size_t i;

    for (i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

static unsigned gram_of(const char *text)
{
    unsigned pair = (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];

    return (pair * 40503u >> 7) % RV_NEAR_GRAMS;
}

static size_t line_len(const char *text, size_t len)
{
    const char *end = len ? memchr(text, '\n', len) : NULL;

    return end ? (size_t)(end - text) : len;
}

static struct rv_near_line trimmed(const char *text, size_t len)
{
    while (len && is_space(text[0])) {
        text++;
        len--;
    }
    while (len && is_space(text[len - 1]))
        len--;
    if (len > LINE_BYTES)
        len = LINE_BYTES;
    return (struct rv_near_line){text, len, 0};
}

/* ---- white space -------------------------------------------------------------------------------
 */

static int init_squeezed(struct rv_near *near)
{
    size_t len = 0, i;

    near->squeezed = rv_alloc(near->mem, near->wanted_len);
    if (!near->squeezed)
        return REEVE_ENOMEM;
    for (i = 0; i < near->wanted_len; i++)
        if (!is_space(near->wanted[i]))
            near->squeezed[len++] = near->wanted[i];
    if (!len) { /* nothing but white space is near to everything */
        near->state = RV_NEAR_OVER;
        return 0;
    }
    near->seen = rv_alloc_array(near->mem, len, sizeof near->seen[0]);
    if (!near->seen || rv_needle_init(&near->needle, near->mem, near->squeezed, len) != 0)
        return REEVE_ENOMEM;
    rv_needle_build(&near->needle, len);
    return 0;
}

/* True if that was the last byte of what differs in white space only. */
static bool feed_space(struct rv_near *near)
{
    char byte = near->text[near->at];
    size_t len = near->needle.len;

    if (is_space(byte)) {
        near->line += byte == '\n';
        return false;
    }
    near->seen[near->fed % len] = (struct rv_near_spot){near->at, near->line + 1};
    near->fed++;
    if (!rv_needle_feed(&near->needle, byte))
        return false;
    near->has_space = true;
    near->first = near->seen[near->fed % len];
    near->end = near->at + 1;
    return true;
}

static void step_space(struct rv_near *near)
{
    size_t end = near->len - near->at > SLICE_BYTES ? near->at + SLICE_BYTES : near->len;

    for (; near->at < end; near->at++) {
        if (feed_space(near)) {
            near->state = RV_NEAR_OVER;
            return;
        }
    }
    if (near->at == near->len) {
        near->state = RV_NEAR_ALIKE;
        near->at = 0;
        near->line = 0;
    }
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void init_lines(struct rv_near *near)
{
    const char *text = near->wanted;
    size_t left = near->wanted_len, len, i;
    struct rv_near_line *line;

    while (left && near->line_count < RV_NEAR_LINES) {
        len = line_len(text, left);
        line = &near->lines[near->line_count++];
        *line = trimmed(text, len);
        line->hash = hash_of(line->text, line->len);
        if (!near->key || line->len > near->key->len)
            near->key = line;
        len += len < left;
        text += len;
        left -= len;
    }
    for (i = 0; i + 1 < near->key->len; i++)
        near->grams[gram_of(near->key->text + i)]++;
    near->key_grams = i;
}

/* Like one of the lines that are wanted: that speaks for the place at which their first would be.
 */
static void vote(struct rv_near *near, const struct rv_near_line *line)
{
    size_t number = near->line, i;
    unsigned *votes;

    for (i = 0; i < near->line_count && i <= number; i++) {
        const struct rv_near_line *wanted = &near->lines[i];

        if (wanted->hash != line->hash || wanted->len != line->len ||
            memcmp(wanted->text, line->text, line->len) != 0)
            continue;
        votes = &near->votes[(number - i) % RV_NEAR_LINES];
        if (++*votes > near->best_votes) {
            near->best_votes = *votes;
            near->best = near->starts[(number - i) % RV_NEAR_LINES];
        }
    }
}

/* Dice's coefficient of the pairs of bytes. */
static void score(struct rv_near *near, const struct rv_near_line *line)
{
    size_t common = 0, grams = line->len - 1, i;
    unsigned score;

    for (i = 0; i < grams; i++) {
        uint16_t *left = &near->grams[gram_of(line->text + i)];

        if (*left && (*left & 0x8000) == 0)
            common++;
        (*left)--; /* below zero: 0xFFFF and less */
    }
    for (i = 0; i < grams; i++)
        near->grams[gram_of(line->text + i)]++;
    score = (unsigned)(2000 * common / (grams + near->key_grams));
    if (score > near->best_score) {
        near->best_score = score;
        near->like = near->starts[near->line % RV_NEAR_LINES];
    }
}

static size_t take_line(struct rv_near *near)
{
    const char *text = near->text + near->at;
    size_t len = line_len(text, near->len - near->at);
    struct rv_near_line line = trimmed(text, len);

    near->votes[near->line % RV_NEAR_LINES] = 0;
    near->starts[near->line % RV_NEAR_LINES] = (struct rv_near_spot){near->at, near->line + 1};
    if (line.len >= LEAST_LINE_BYTES) {
        line.hash = hash_of(line.text, line.len);
        vote(near, &line);
        if (near->key_grams)
            score(near, &line);
    }
    near->line++;
    near->at += len + (near->at + len < near->len);
    return len + LINE_COST;
}

static void step_lines(struct rv_near *near)
{
    size_t cost = 0;

    while (cost < SLICE_BYTES && near->at < near->len)
        cost += take_line(near);
    if (near->at == near->len)
        near->state = RV_NEAR_OVER;
}

/* ---- both --------------------------------------------------------------------------------------
 */

int rv_near_init(struct rv_near *near, struct rv_mem *mem, const char *text, size_t len,
                 const char *wanted, size_t wanted_len)
{
    int error;

    memset(near, 0, sizeof *near);
    near->mem = mem;
    near->text = text;
    near->len = len;
    near->wanted = wanted;
    near->wanted_len = wanted_len;
    error = init_squeezed(near);
    if (error)
        rv_near_done(near);
    else
        init_lines(near);
    return error;
}

void rv_near_done(struct rv_near *near)
{
    rv_needle_done(&near->needle, near->mem);
    rv_free(near->mem, near->squeezed);
    rv_free(near->mem, near->seen);
    near->squeezed = NULL;
    near->seen = NULL;
}

bool rv_near_step(struct rv_near *near)
{
    if (near->state == RV_NEAR_SPACE)
        step_space(near);
    else if (near->state == RV_NEAR_ALIKE)
        step_lines(near);
    return near->state == RV_NEAR_OVER;
}

/* ---- what to say of it -------------------------------------------------------------------------
 */

static size_t count_breaks(const char *text, size_t len)
{
    size_t count = 0, i;

    for (i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

/* Lines as they stand, with the whole of the first and the last, as far as they are not too long.
 */
static int add_lines(const struct rv_near *near, struct rv_buffer *out, size_t start, size_t end)
{
    size_t lead = 0, len, kept;
    int error;

    while (start && lead < LEAD_BYTES && near->text[start - 1] != '\n') {
        start--;
        lead++;
    }
    while (start < end && ((unsigned char)near->text[start] & 0xC0) == 0x80)
        start++;
    len = end - start;
    if (len < SHOWN_BYTES)
        len += line_len(near->text + end,
                        near->len - end > SHOWN_BYTES ? SHOWN_BYTES : near->len - end);
    kept = rv_utf8_cut_head(near->text + start, len, SHOWN_BYTES);
    error = rv_buffer_add(out, near->text + start, kept);
    if (!error && kept < len)
        error = rv_buffer_add_text(out, " [...]");
    return error ? error : rv_buffer_add_byte(out, '\n');
}

/* Whether there is no difference but "\r" before "\n". */
static bool differs_in_line_ends(const struct rv_near *near)
{
    struct rv_near_line wanted = {near->wanted, near->wanted_len, 0};
    size_t at = near->first.start, i = 0;

    while (is_space(wanted.text[i]))
        i++;
    for (; i < wanted.len && at < near->end; i++, at++) {
        if (near->text[at] == '\r' && wanted.text[i] == '\n')
            at++;
        else if (near->text[at] == '\n' && wanted.text[i] == '\r')
            i++;
        if (i == wanted.len || near->text[at] != wanted.text[i])
            return false;
    }
    return true;
}

static int add_line_numbers(struct rv_buffer *out, size_t first, size_t last)
{
    if (first == last)
        return rv_buffer_printf(out, "line %zu", first);
    return rv_buffer_printf(out, "lines %zu to %zu", first, last);
}

static int describe_space(const struct rv_near *near, struct rv_buffer *out)
{
    size_t first = near->first.line;
    bool by_ends = memchr(near->text + near->first.start, '\r', near->end - near->first.start) ||
                   memchr(near->wanted, '\r', near->wanted_len);
    int error = rv_buffer_add_text(out, "What stands in ");

    by_ends = by_ends && differs_in_line_ends(near);
    if (!error)
        error = add_line_numbers(out, first, near->line + 1);
    if (!error)
        error = rv_buffer_add_text(
            out, by_ends
                     ? " differs from it only in the ends of the lines, which are \\r\\n in one "
                       "and \\n in the other; give them as they stand there:\n"
                     : " differs from it only in white space; give it as it stands there:\n");
    return error ? error : add_lines(near, out, near->first.start, near->end);
}

static size_t end_of_lines(const struct rv_near *near, size_t start, size_t count)
{
    size_t end = start;

    while (count-- && end < near->len && end - start < SHOWN_BYTES)
        end += line_len(near->text + end, near->len - end) + (count && end < near->len);
    return end < near->len ? end : near->len;
}

static int describe_lines(const struct rv_near *near, struct rv_buffer *out)
{
    size_t count = near->line_count;
    size_t end = end_of_lines(near, near->best.start, count);
    size_t breaks =
        count_breaks(near->text + near->best.start,
                     end - near->best.start > SHOWN_BYTES ? SHOWN_BYTES : end - near->best.start);
    int error = rv_buffer_add_text(out, "Nearest to it comes what stands in ");

    if (!error)
        error = add_line_numbers(out, near->best.line, near->best.line + breaks);
    if (!error)
        error = rv_buffer_printf(out, ", where %u of its %zu line%s stand%s:\n", near->best_votes,
                                 count, count == 1 ? "" : "s", near->best_votes == 1 ? "s" : "");
    return error ? error : add_lines(near, out, near->best.start, end);
}

static int describe_like(const struct rv_near *near, struct rv_buffer *out)
{
    size_t len = line_len(near->text + near->like.start, near->len - near->like.start);
    int error = rv_buffer_printf(out, "Most like it is line %zu:\n", near->like.line);

    return error ? error : add_lines(near, out, near->like.start, near->like.start + len);
}

int rv_near_describe(const struct rv_near *near, struct rv_buffer *out)
{
    if (near->has_space)
        return describe_space(near, out);
    if (near->best_votes)
        return describe_lines(near, out);
    if (near->best_score >= LEAST_SCORE)
        return describe_like(near, out);
    return rv_buffer_add_text(out, "Nothing in the file is like it: read the file again.\n");
}
