/* SPDX-License-Identifier: MIT */
/* Patterns for paths. See glob.h. */
#include "tool/builtin/glob.h"

#include <string.h>

#include "base/utf8.h"

#include <reeve/error.h>

/* ---- one name ----------------------------------------------------------------------------------
 */

enum { INVALID = 0x110000 /* and above: a byte that is of no character */ };

/* The first character of a text that is not empty; gives its length. */
static size_t take_character(const char *text, size_t len, uint32_t *ret_code)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t wanted = byte[0] < 0x80 ? 1 : byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4, i;
    uint32_t code;

    if (wanted == 1) {
        *ret_code = byte[0];
        return 1;
    }
    if (wanted > len || !rv_utf8_valid(text, wanted)) {
        *ret_code = INVALID + byte[0];
        return 1;
    }
    code = byte[0] & (0x7Fu >> wanted);
    for (i = 1; i < wanted; i++)
        code = code << 6 | (byte[i] & 0x3Fu);
    *ret_code = code;
    return wanted;
}

/* What is left of a pattern's name. */
struct rest {
    const char *at;
    const char *end;
};

static uint32_t next_character(struct rest *rest)
{
    uint32_t code;

    rest->at += take_character(rest->at, (size_t)(rest->end - rest->at), &code);
    return code;
}

/* One that a backslash may stand before. */
static uint32_t next_escaped(struct rest *rest)
{
    if (*rest->at == '\\' && rest->at + 1 < rest->end)
        rest->at++;
    return next_character(rest);
}

/* Behind a "[": whether `code` is of the set, which the rest moves behind. False if it is no set,
 * since nothing closes it: the rest stays. */
static bool match_set(struct rest *rest, uint32_t code, bool *ret_match)
{
    struct rest set = *rest;
    bool inverted = set.at < set.end && (*set.at == '!' || *set.at == '^'), found = false;
    const char *first;
    uint32_t low, high;

    set.at += inverted;
    for (first = set.at; set.at < set.end && (*set.at != ']' || set.at == first);) {
        low = high = next_escaped(&set);
        if (set.end - set.at > 1 && set.at[0] == '-' && set.at[1] != ']') {
            set.at++;
            high = next_escaped(&set);
        }
        found |= low <= code && code <= high;
    }
    if (set.at == set.end)
        return false;
    rest->at = set.at + 1;
    *ret_match = found != inverted;
    return true;
}

/* Whether the pattern's next item, which is no "*", is that character; moves behind it. */
static bool match_item(struct rest *rest, uint32_t code)
{
    bool match;

    if (*rest->at == '?') {
        rest->at++;
        return true;
    }
    if (*rest->at == '[') {
        rest->at++;
        return match_set(rest, code, &match) ? match : code == '[';
    }
    return next_escaped(rest) == code;
}

/*
 * The last "*" may be taken again with a character more; those before it need not, since what stood
 * between them was found as early as it could be.
 */
static bool match_name(const struct rv_glob_name *pattern, const char *name, size_t len,
                       size_t *steps)
{
    struct rest rest = {pattern->text, pattern->text + pattern->len}, behind_star = {0};
    size_t at = 0, star_at = 0;
    uint32_t code;

    for (;; (*steps)++) {
        if (rest.at < rest.end && *rest.at == '*') {
            rest.at++;
            behind_star = rest;
            star_at = at;
            continue;
        }
        if (at == len && rest.at == rest.end)
            return true;
        if (at < len && rest.at < rest.end) {
            size_t taken = take_character(name + at, len - at, &code);
            const char *item = rest.at;
            bool match = match_item(&rest, code);

            *steps += (size_t)(rest.at - item);
            if (match) {
                at += taken;
                continue;
            }
        }
        if (!behind_star.at || star_at == len)
            return false;
        star_at += take_character(name + star_at, len - star_at, &code);
        at = star_at;
        rest = behind_star;
    }
}

static bool is_literal(const struct rv_glob_name *pattern, const char *name, size_t len)
{
    return pattern->len == len && !memcmp(pattern->text, name, len);
}

/* ---- a path ------------------------------------------------------------------------------------
 */

static uint64_t bit(size_t place)
{
    return UINT64_C(1) << place;
}

/* A "**" may stand for no folder at all, but at the end it stands for something. */
static uint64_t skip_depths(const struct rv_glob *glob, uint64_t state)
{
    size_t i;

    for (i = 0; i + 1 < glob->count; i++)
        if ((state & bit(i)) && glob->names[i].any_depth)
            state |= bit(i + 1);
    return state;
}

uint64_t rv_glob_start(const struct rv_glob *glob)
{
    return skip_depths(glob, 1);
}

uint64_t rv_glob_step(const struct rv_glob *glob, uint64_t state, const char *name, size_t len,
                      bool literally, size_t *steps)
{
    uint64_t next = 0;
    size_t i;

    for (i = 0; i < glob->count; i++) {
        const struct rv_glob_name *pattern = &glob->names[i];

        if (!(state & bit(i)))
            continue;
        ++*steps;
        if (pattern->any_depth) {
            if (!literally)
                next |= bit(i) | (i + 1 == glob->count ? bit(i + 1) : 0);
        } else if (literally ? is_literal(pattern, name, len)
                             : match_name(pattern, name, len, steps)) {
            next |= bit(i + 1);
        }
    }
    return skip_depths(glob, next);
}

bool rv_glob_matches(const struct rv_glob *glob, uint64_t state)
{
    return state & bit(glob->count);
}

bool rv_glob_goes_on(const struct rv_glob *glob, uint64_t state)
{
    return state & (bit(glob->count) - 1);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* The end of the name at `at`. A slash in a set or behind a backslash is one too: no name has it.
 */
static size_t name_end(const char *text, size_t len, size_t at)
{
    const char *slash = memchr(text + at, '/', len - at);

    return slash ? (size_t)(slash - text) : len;
}

static int add_name(struct rv_glob *glob, const char *text, size_t len)
{
    bool any_depth = len == 2 && text[0] == '*' && text[1] == '*';

    if (!len || (len == 1 && text[0] == '.'))
        return 0;
    if (len == 2 && text[0] == '.' && text[1] == '.')
        return REEVE_EINVAL;
    if (any_depth && glob->count && glob->names[glob->count - 1].any_depth)
        return 0;
    if (glob->count == RV_GLOB_MAX_NAMES)
        return REEVE_ETOOBIG;
    glob->names[glob->count++] =
        (struct rv_glob_name){.text = text, .len = (uint16_t)len, .any_depth = any_depth};
    return 0;
}

static size_t count_slashes(const char *text, size_t len)
{
    size_t i, count = 0;

    for (i = 0; i < len; i++)
        count += text[i] == '/';
    return count;
}

int rv_glob_new(struct rv_arena *arena, const char *text, size_t len, struct rv_glob **ret_glob)
{
    size_t names = count_slashes(text, len) + 1, at, end;
    struct rv_glob *glob;
    char *own;
    int error;

    if (len > RV_GLOB_MAX_BYTES)
        return REEVE_ETOOBIG;
    if (names > RV_GLOB_MAX_NAMES)
        names = RV_GLOB_MAX_NAMES;
    glob = rv_arena_alloc(arena, sizeof *glob + names * sizeof glob->names[0]);
    own = rv_arena_alloc_bytes(arena, len + 1);
    if (!glob || !own)
        return REEVE_ENOMEM;
    memcpy(own, text, len);
    glob->count = 0;
    glob->folders_only = len && text[len - 1] == '/';
    for (at = 0; at < len; at = end + 1) {
        end = name_end(own, len, at);
        error = add_name(glob, own + at, end - at);
        if (error)
            return error;
    }
    if (!glob->count)
        return REEVE_EINVAL;
    *ret_glob = glob;
    return 0;
}

/* ---- braces ------------------------------------------------------------------------------------
 */

struct braces {
    size_t open; /* of the first pair that has a comma in it */
    size_t close;
};

static bool close_braces(const char *text, size_t len, size_t open, size_t *ret_close)
{
    size_t i, depth = 0;
    bool comma = false;

    for (i = open; i < len; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == ',' && depth == 1) {
            comma = true;
        } else if (text[i] == '}' && !--depth) {
            *ret_close = i;
            return comma;
        }
    }
    return false;
}

static bool find_braces(const char *text, size_t len, struct braces *braces)
{
    for (braces->open = 0; braces->open < len; braces->open++) {
        if (text[braces->open] == '\\')
            braces->open++;
        else if (text[braces->open] == '{' && close_braces(text, len, braces->open, &braces->close))
            return true;
    }
    return false;
}

/* Where the part of a pair of braces ends that begins at `at`. */
static size_t part_end(const char *text, size_t at, size_t close)
{
    size_t depth = 0;

    for (; at < close; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '{')
            depth++;
        else if (text[at] == '}')
            depth--;
        else if (text[at] == ',' && !depth)
            break;
    }
    return at < close ? at : close;
}

struct text {
    const char *text;
    size_t len;
};

/* What was not yet looked at for braces stands in a queue, which the texts without any leave. */
struct expansion {
    struct rv_arena *arena;
    struct text texts[RV_GLOBS_MAX];
    size_t count;
};

static int expand(struct expansion *expansion, const struct text *from, const struct braces *braces)
{
    size_t at = braces->open + 1, end, tail = from->len - braces->close - 1, len;
    char *made;

    for (; at <= braces->close; at = end + 1) {
        end = part_end(from->text, at, braces->close);
        len = braces->open + (end - at) + tail;
        if (expansion->count == RV_GLOBS_MAX)
            return REEVE_ETOOBIG;
        made = rv_arena_alloc_bytes(expansion->arena, len + 1);
        if (!made)
            return REEVE_ENOMEM;
        memcpy(made, from->text, braces->open);
        memcpy(made + braces->open, from->text + at, end - at);
        memcpy(made + braces->open + (end - at), from->text + braces->close + 1, tail);
        expansion->texts[expansion->count++] = (struct text){made, len};
    }
    return 0;
}

static int add_glob(struct rv_globs *globs, struct rv_arena *arena, const struct text *text,
                    bool anywhere)
{
    char deep[RV_GLOB_MAX_BYTES + 3] = "**/";

    if (globs->count == RV_GLOBS_MAX)
        return REEVE_ETOOBIG;
    if (!anywhere || memchr(text->text, '/', text->len))
        return rv_glob_new(arena, text->text, text->len, &globs->glob[globs->count++]);
    if (text->len > RV_GLOB_MAX_BYTES - 3)
        return REEVE_ETOOBIG;
    memcpy(deep + 3, text->text, text->len);
    return rv_glob_new(arena, deep, text->len + 3, &globs->glob[globs->count++]);
}

int rv_globs_parse(struct rv_globs *globs, struct rv_arena *arena, const char *text, size_t len,
                   bool anywhere)
{
    struct expansion expansion = {.arena = arena, .texts = {{text, len}}, .count = 1};
    struct braces braces;
    struct text next;
    int error = 0;

    globs->count = 0;
    if (!len)
        return REEVE_EINVAL;
    if (len > RV_GLOB_MAX_BYTES)
        return REEVE_ETOOBIG;
    while (expansion.count && !error) {
        next = expansion.texts[--expansion.count];
        if (find_braces(next.text, next.len, &braces))
            error = expand(&expansion, &next, &braces);
        else
            error = add_glob(globs, arena, &next, anywhere);
    }
    return error;
}

struct rv_globs_state rv_globs_start(const struct rv_globs *globs)
{
    struct rv_globs_state state = {0};
    size_t i;

    for (i = 0; i < globs->count; i++)
        state.state[i] = rv_glob_start(globs->glob[i]);
    return state;
}

/* What git keeps for itself is of no use to anybody who has not asked for it by name. */
static bool is_hidden_from_wildcards(const char *name, size_t len)
{
    return len == 4 && !memcmp(name, ".git", 4);
}

struct rv_globs_found rv_globs_step(const struct rv_globs *globs, struct rv_globs_state *state,
                                    const char *name, size_t len, bool is_folder, size_t *steps)
{
    bool literally = is_folder && is_hidden_from_wildcards(name, len);
    struct rv_globs_found found = {0};
    size_t i;

    for (i = 0; i < globs->count; i++) {
        const struct rv_glob *glob = globs->glob[i];

        if (!state->state[i])
            continue;
        state->state[i] = rv_glob_step(glob, state->state[i], name, len, literally, steps);
        found.matches |=
            rv_glob_matches(glob, state->state[i]) && (is_folder || !glob->folders_only);
        found.goes_on |= rv_glob_goes_on(glob, state->state[i]);
    }
    return found;
}
