/* SPDX-License-Identifier: MIT */
/*
 * What the scripted model says.
 *
 * A question about files is answered by the line that has most of the question's content words;
 * rare words weigh more, so do a line of the form "words: value" and a file whose own name the
 * question mentions. Everything quoted comes from a tool's result in the request.
 */
#include <string.h>

#include "mind.h"

#define MAX_LINE_BYTES 4096  /* of a line, what is looked at */
#define MAX_QUOTE_BYTES 400  /* of a line, what is quoted */
#define MAX_SHOWN_BYTES 2000 /* of a listing or another tool's result */
#define MAX_NAMED_FILES 8
#define MAX_TOLD_ERRORS 8
#define FIRST_LINES 5

/* A line of a file, and how well it answers. */
struct finding {
    const struct ms_item *item;
    struct ms_span line;
    size_t number;
    size_t hits; /* content words in the line */
    size_t score;
};

/* In how many lines each content word stands. */
struct rarity {
    size_t lines[MS_MAX_CONTENT];
};

static void say(struct ms_mind *mind, const char *text)
{
    ms_text_add_string(&mind->plan.text, text);
}

static bool is_under(const char *path, struct ms_span folder)
{
    char normal[MS_MAX_PATH_BYTES];
    size_t len;

    if (!ms_path_normal(folder, normal))
        return false;
    len = strlen(normal);
    return strcmp(normal, ".") == 0 || (strncmp(path, normal, len) == 0 && path[len] == '/');
}

/* A bare name stands for the file wherever it was found. */
static bool is_same_file(const char *path, struct ms_span named)
{
    const char *slash = strrchr(path, '/');
    char normal[MS_MAX_PATH_BYTES];

    if (!ms_path_normal(named, normal))
        return false;
    return strcmp(path, normal) == 0 || (slash && strcmp(slash + 1, normal) == 0);
}

bool ms_mind_is_asked_about(const struct ms_mind *mind, const char *path)
{
    const struct ms_prompt *prompt = &mind->prompt;

    for (size_t i = 0; i < prompt->paths_count; i++)
        if (is_same_file(path, prompt->paths[i]) || is_under(path, prompt->paths[i]))
            return true;
    return prompt->paths_count == 0;
}

/* Which content words stand in the text, as bits. Tells where the last of them ends. */
static unsigned words_in(const struct ms_mind *mind, struct ms_span text, size_t *ret_end)
{
    const struct ms_prompt *prompt = &mind->prompt;
    struct ms_span word;
    size_t offset = 0;
    unsigned found = 0;

    *ret_end = 0;
    if (text.len > MAX_LINE_BYTES)
        text.len = ms_utf8_cut(text.s, text.len, MAX_LINE_BYTES);
    while (ms_word_next(text, &offset, &word)) {
        if (!prompt->content_starts[(unsigned char)word.s[0]])
            continue;
        for (size_t i = 0; i < prompt->content_count; i++) {
            if (ms_word_matches(word, prompt->content[i])) {
                found |= 1u << i;
                *ret_end = offset;
            }
        }
    }
    return found;
}

static size_t word_hits(const struct ms_mind *mind, const char *path)
{
    size_t end;

    return (size_t)__builtin_popcount(words_in(mind, ms_span_of(path), &end));
}

size_t ms_mind_name_hits(const struct ms_mind *mind, const char *path)
{
    bool is_named = mind->prompt.paths_count > 0 && ms_mind_is_asked_about(mind, path);

    return word_hits(mind, path) + (is_named ? MS_MAX_CONTENT : 0);
}

static bool may_speak(const struct ms_mind *mind, const struct ms_item *item)
{
    return item->kind == MS_FILE && !item->error && ms_mind_is_asked_about(mind, item->path);
}

static void count_words(const struct ms_mind *mind, struct rarity *rarity)
{
    memset(rarity, 0, sizeof(*rarity));
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];
        struct ms_span line;
        size_t offset = 0;
        size_t end;

        while (may_speak(mind, item) && ms_line_next(item->text, &offset, &line)) {
            unsigned found = words_in(mind, line, &end);

            for (size_t k = 0; k < mind->prompt.content_count; k++)
                rarity->lines[k] += (found >> k) & 1;
        }
    }
}

static size_t log2_of(size_t n)
{
    size_t log = 0;

    while (n >>= 1)
        log++;
    return log;
}

/* Behind the words something is said: "the word is: heron", "port = 80", "the owner is Ann". */
static bool gives_value(struct ms_span line, size_t end)
{
    struct ms_span rest = ms_span_trim((struct ms_span){line.s + end, line.len - end}, " \t\"'`*");

    if (rest.len < 2)
        return false;
    if (rest.s[0] == ':' || rest.s[0] == '=')
        return true;
    return rest.len > 3 && memcmp(rest.s, "is", 2) == 0 && (rest.s[2] == ' ' || rest.s[2] == ':');
}

static void weigh(const struct ms_mind *mind, const struct rarity *rarity, struct finding *finding)
{
    size_t end;
    unsigned found = words_in(mind, finding->line, &end);

    finding->hits = 0;
    finding->score = 0;
    for (size_t i = 0; i < mind->prompt.content_count; i++) {
        if (found >> i & 1) {
            finding->hits++;
            finding->score += 1000 + 1000 / (1 + log2_of(rarity->lines[i]));
        }
    }
    if (found == 0)
        return;
    if (gives_value(finding->line, end))
        finding->score += 900;
    if (ms_mind_name_hits(mind, finding->item->path) > 0)
        finding->score += 500;
}

/* The best line outside the file `except`; false when none has a content word in it. Equals: the
 * first. */
static bool find_best(const struct ms_mind *mind, const struct rarity *rarity,
                      const struct ms_item *except, struct finding *ret_best)
{
    struct finding best = {.score = 0};

    for (size_t i = 0; i < mind->evidence.count; i++) {
        struct finding finding = {.item = &mind->evidence.items[i]};
        size_t offset = 0;

        if (finding.item == except || !may_speak(mind, finding.item))
            continue;
        while (ms_line_next(finding.item->text, &offset, &finding.line)) {
            finding.number++;
            weigh(mind, rarity, &finding);
            if (finding.score > best.score)
                best = finding;
        }
    }
    if (best.score == 0)
        return false;
    *ret_best = best;
    return true;
}

/* Half of the content words in one line make an answer; two at least, unless there is only one. */
static bool is_enough(const struct ms_mind *mind, const struct finding *finding)
{
    size_t count = mind->prompt.content_count;

    return finding->hits * 2 >= count && (finding->hits >= 2 || count == 1);
}

static size_t count_read(const struct ms_mind *mind)
{
    size_t count = 0;

    for (size_t i = 0; i < mind->evidence.count; i++)
        count += may_speak(mind, &mind->evidence.items[i]);
    return count;
}

/* The question is nothing but the names of what was read: it wants to see it. */
static bool wants_to_see(const struct ms_mind *mind)
{
    const struct ms_prompt *prompt = &mind->prompt;

    if (prompt->intent == MS_READ || prompt->content_count == 0)
        return true;
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (may_speak(mind, item) && word_hits(mind, item->path) >= prompt->content_count)
            return true;
    }
    return false;
}

bool ms_answer_is_known(const struct ms_mind *mind)
{
    struct finding best;
    struct rarity rarity;

    if (wants_to_see(mind))
        return mind->prompt.paths_count == 0 && count_read(mind) > 0;
    count_words(mind, &rarity);
    return find_best(mind, &rarity, NULL, &best) && is_enough(mind, &best);
}

/* At most `max` bytes, never cut inside a character. */
static void say_cut(struct ms_mind *mind, struct ms_span span, size_t max)
{
    size_t len = span.len ? ms_utf8_cut(span.s, span.len, max) : 0;

    ms_text_add(&mind->plan.text, span.s, len);
    if (len < span.len)
        say(mind, " …");
}

static struct ms_span first_line(struct ms_span text)
{
    struct ms_span line = {"", 0};
    size_t offset = 0;

    while (ms_line_next(text, &offset, &line))
        if (ms_span_trim(line, " \t").len > 0)
            break;
    return line;
}

/* The first line of an error, without the word that marks it. */
static struct ms_span error_line(struct ms_span text)
{
    struct ms_span line = ms_span_trim(first_line(text), " \t");

    if (line.len > 6 && ms_span_is_nocase((struct ms_span){line.s, 6}, "error:"))
        line = ms_span_trim((struct ms_span){line.s + 6, line.len - 6}, " \t");
    return line;
}

static void say_errors(struct ms_mind *mind)
{
    size_t told = 0;

    for (size_t i = 0; i < mind->evidence.count && told < MAX_TOLD_ERRORS; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (!item->error || !item->current)
            continue;
        if (item->kind == MS_FILE)
            ms_text_addf(&mind->plan.text, "\nI could not read %s: ", item->path);
        else if (item->kind == MS_LISTING)
            ms_text_addf(&mind->plan.text, "\nI could not list %s: ", item->path);
        else
            ms_text_addf(&mind->plan.text, "\nMy call of %s failed: ", item->tool);
        say_cut(mind, error_line(item->text), MAX_QUOTE_BYTES);
        told++;
    }
}

static void say_files_read(struct ms_mind *mind)
{
    size_t count = count_read(mind);
    size_t named = 0;

    ms_text_addf(&mind->plan.text, "I read %zu file%s", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < mind->evidence.count && named < MAX_NAMED_FILES; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (!may_speak(mind, item))
            continue;
        say(mind, named == 0 ? " (" : ", ");
        say(mind, item->path);
        named++;
    }
    if (named > 0)
        say(mind, named < count ? ", …)" : ")");
    say(mind, ".");
}

static void say_finding(struct ms_mind *mind, const struct finding *finding)
{
    ms_text_addf(&mind->plan.text, "%s, line %zu, says: \"", finding->item->path, finding->number);
    say_cut(mind, ms_span_trim(finding->line, " \t"), MAX_QUOTE_BYTES);
    say(mind, "\"");
}

static void answer_question(struct ms_mind *mind)
{
    struct finding best;
    struct finding other;
    struct rarity rarity;

    count_words(mind, &rarity);
    say_files_read(mind);
    if (!find_best(mind, &rarity, NULL, &best)) {
        say(mind, " No line of them has anything to do with the question.");
        return;
    }
    say(mind, is_enough(mind, &best) ? " " : " No line answers that; the nearest: ");
    say_finding(mind, &best);
    if (find_best(mind, &rarity, best.item, &other) && other.score == best.score) {
        say(mind, "\nJust as well: ");
        say_finding(mind, &other);
    }
}

static void show_start(struct ms_mind *mind, const struct ms_item *item)
{
    struct ms_span line;
    size_t offset = 0;

    if (item->text.len == 0) {
        ms_text_addf(&mind->plan.text, "%s is empty.\n", item->path);
        return;
    }
    ms_text_addf(&mind->plan.text, "%s begins:\n", item->path);
    for (int i = 0; i < FIRST_LINES && ms_line_next(item->text, &offset, &line); i++) {
        say(mind, "  ");
        say_cut(mind, line, MAX_QUOTE_BYTES);
        say(mind, "\n");
    }
    if (offset < item->text.len)
        say(mind, "  …\n");
}

/* Files that only fit are shown alone when some fit: "read the notes" does not show the rest. */
static void show_starts(struct ms_mind *mind)
{
    bool only_fitting = mind->prompt.content_count > 0 && mind->prompt.paths_count == 0;
    size_t shown = 0;

    for (size_t i = 0; i < mind->evidence.count && shown < MAX_NAMED_FILES; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (!may_speak(mind, item) || (only_fitting && ms_mind_name_hits(mind, item->path) == 0))
            continue;
        show_start(mind, item);
        shown++;
    }
    if (shown == 0)
        say(mind, "I have read no such file.");
}

static const struct ms_item *last_listing(const struct ms_mind *mind)
{
    const struct ms_item *root = NULL;

    for (size_t i = mind->evidence.count; i-- > 0;) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (item->kind != MS_LISTING || item->error)
            continue;
        if (mind->prompt.paths_count > 0 ? ms_mind_is_asked_about(mind, item->path)
                                         : ms_mind_name_hits(mind, item->path) > 0)
            return item;
        if (strcmp(item->path, ".") == 0 && !root)
            root = item;
    }
    return mind->prompt.paths_count > 0 ? NULL : root;
}

static void answer_list(struct ms_mind *mind)
{
    const struct ms_item *listing = last_listing(mind);

    if (!listing) {
        say(mind, "I have no listing to show.");
        return;
    }
    if (listing->text.len == 0) {
        ms_text_addf(&mind->plan.text, "The folder %s is empty.", listing->path);
        return;
    }
    ms_text_addf(&mind->plan.text, "The folder %s holds:\n", listing->path);
    say_cut(mind, ms_span_trim(listing->text, "\n"), MAX_SHOWN_BYTES);
}

static bool answer_results(struct ms_mind *mind)
{
    size_t told = 0;

    for (size_t i = 0; i < mind->evidence.count && told < MAX_TOLD_ERRORS; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (!item->current || item->error)
            continue;
        ms_text_addf(&mind->plan.text, "%s%s returned: ", told ? "\n" : "", item->tool);
        say_cut(mind, ms_span_trim(item->text, "\n"), MAX_SHOWN_BYTES / 2);
        told++;
    }
    return told > 0;
}

static void answer_plainly(struct ms_mind *mind)
{
    struct ms_span asked = {ms_text_string(&mind->prompt.text), mind->prompt.text.len};

    asked = ms_span_trim(asked, " \t\r\n");
    if (asked.len > 0) {
        say(mind, "You said: \"");
        say_cut(mind, asked, MAX_QUOTE_BYTES / 2);
        say(mind, "\". ");
    }
    say(mind, "I am a small scripted model without knowledge of my own: I look into files with the "
              "tools that I am offered and quote what I find.");
}

static void explain_no_tools(struct ms_mind *mind)
{
    struct ms_span asked = {ms_text_string(&mind->prompt.text), mind->prompt.text.len};

    say(mind, "You said: \"");
    say_cut(mind, ms_span_trim(asked, " \t\r\n"), MAX_QUOTE_BYTES / 2);
    say(mind, "\". I am a small scripted model and would have to look into files for that, but I "
              "was offered no tool that I can use to do so.");
}

static bool has_other_results(const struct ms_mind *mind)
{
    for (size_t i = 0; i < mind->evidence.count; i++) {
        const struct ms_item *item = &mind->evidence.items[i];

        if (item->kind == MS_OTHER && item->current && !item->error)
            return true;
    }
    return false;
}

static void answer_about_files(struct ms_mind *mind)
{
    if (count_read(mind) == 0 && last_listing(mind)) {
        say(mind, "I found no file to read. ");
        answer_list(mind);
    } else if (count_read(mind) == 0 && mind->evidence.count == 0) {
        explain_no_tools(mind);
    } else if (count_read(mind) == 0) {
        say(mind, "I found nothing to read.");
    } else if (wants_to_see(mind)) {
        show_starts(mind);
    } else {
        answer_question(mind);
    }
}

static void answer_by_intent(struct ms_mind *mind)
{
    enum ms_intent intent = mind->prompt.intent;

    if (intent == MS_CALL || has_other_results(mind)) {
        if (!answer_results(mind) && mind->evidence.rounds == 0)
            say(mind, "None of the tools that I was told to call is offered.");
        else if (mind->plan.text.len == 0)
            say(mind, "None of my calls succeeded.");
    } else if (intent == MS_LIST) {
        if (mind->evidence.count == 0)
            explain_no_tools(mind);
        else
            answer_list(mind);
    } else if (intent == MS_TALK) {
        answer_plainly(mind);
    } else {
        answer_about_files(mind);
    }
}

void ms_answer_write(struct ms_mind *mind)
{
    struct ms_text *text = &mind->plan.text;

    answer_by_intent(mind);
    while (text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
    say_errors(mind);
}
