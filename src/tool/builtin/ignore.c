/* SPDX-License-Identifier: MIT */
/* The rules of .gitignore files, as gitignore(5) has them. See ignore.h. */
#include "tool/builtin/ignore.h"

#include <stdint.h>
#include <string.h>

#include "tool/builtin/glob.h"

#include <reeve/error.h>

struct rule {
    const struct rv_glob *glob;
    uint64_t state; /* before the next name */
    bool negated;
};

struct rv_ignore {
    size_t count;
    struct rule rules[];
};

struct line {
    const char *text;
    size_t len;
};

/* Without what stands at its end and means nothing: "\r", and spaces but for one behind a "\". */
static struct line trim(const char *text, size_t len)
{
    if (len && text[len - 1] == '\r')
        len--;
    while (len && text[len - 1] == ' ' && (len < 2 || text[len - 2] != '\\'))
        len--;
    return (struct line){text, len};
}

static bool take_line(const char **at, size_t *left, struct line *line)
{
    const char *end;
    size_t len;

    if (!*left)
        return false;
    end = memchr(*at, '\n', *left);
    len = end ? (size_t)(end - *at) : *left;
    *line = trim(*at, len);
    *at += len + (end != NULL);
    *left -= len + (end != NULL);
    return true;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t i, count = 1;

    for (i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

/* A line without a slash, but at its end, is for names in any folder below. */
static bool is_anywhere(const struct line *line)
{
    const char *slash = memchr(line->text, '/', line->len);

    return !slash || slash == line->text + line->len - 1;
}

/* One that is no pattern is no rule. */
static int add_rule(struct rv_ignore *ignore, struct rv_arena *arena, struct line line)
{
    char deep[RV_GLOB_MAX_BYTES + 3] = "**/";
    struct rv_glob *glob;
    bool negated;
    int error;

    if (!line.len || line.text[0] == '#')
        return 0;
    negated = line.text[0] == '!';
    line.text += negated;
    line.len -= negated;
    if (line.len > RV_GLOB_MAX_BYTES - 3)
        return 0;
    if (is_anywhere(&line)) {
        memcpy(deep + 3, line.text, line.len);
        line = (struct line){deep, line.len + 3};
    }
    error = rv_glob_new(arena, line.text, line.len, &glob);
    if (error)
        return error == REEVE_ENOMEM ? error : 0;
    ignore->rules[ignore->count++] =
        (struct rule){.glob = glob, .state = rv_glob_start(glob), .negated = negated};
    return 0;
}

/* Those that can still match something. */
static void take_down(struct rv_ignore *ignore, const struct rv_ignore *up, const char *name)
{
    size_t i, steps = 0;

    for (i = 0; i < up->count; i++) {
        struct rule rule = up->rules[i];

        if (name)
            rule.state = rv_glob_step(rule.glob, rule.state, name, strlen(name), false, &steps);
        if (rv_glob_goes_on(rule.glob, rule.state))
            ignore->rules[ignore->count++] = rule;
    }
}

int rv_ignore_new(struct rv_arena *arena, const struct rv_ignore *up, const char *name,
                  const char *text, size_t len, struct rv_ignore **ret_ignore)
{
    size_t count = (up ? up->count : 0) + (text ? count_lines(text, len) : 0);
    struct rv_ignore *ignore;
    struct line line;
    int error = 0;

    if (count > RV_IGNORE_MAX_RULES)
        count = RV_IGNORE_MAX_RULES;
    ignore = rv_arena_alloc(arena, sizeof *ignore + count * sizeof ignore->rules[0]);
    if (!ignore)
        return REEVE_ENOMEM;
    ignore->count = 0;
    if (up)
        take_down(ignore, up, name);
    while (!error && text && ignore->count < count && take_line(&text, &len, &line))
        error = add_rule(ignore, arena, line);
    if (!error)
        *ret_ignore = ignore;
    return error;
}

bool rv_ignore_has(const struct rv_ignore *ignore, const char *name, size_t len, bool is_folder,
                   size_t *steps)
{
    size_t i = ignore ? ignore->count : 0;

    while (i--) {
        const struct rule *rule = &ignore->rules[i];
        uint64_t state;

        if (rule->glob->folders_only && !is_folder)
            continue;
        state = rv_glob_step(rule->glob, rule->state, name, len, false, steps);
        if (rv_glob_matches(rule->glob, state))
            return !rule->negated;
    }
    return false;
}
