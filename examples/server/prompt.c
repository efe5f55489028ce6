/* SPDX-License-Identifier: MIT */
/* Reading the user's message: directives, words, paths, quotes, intent. */
#include "prompt.h"

#include <string.h>

/* Bounds the search for a directive's end, which starts anew at each '['. */
#define MAX_DIRECTIVE_BYTES 16384

static const char *const stop_words[] = {
    "a",         "about",     "all",       "also",     "an",     "and",     "any",
    "are",       "as",        "at",        "be",       "been",   "by",      "can",
    "contain",   "contains",  "content",   "contents", "could",  "current", "directories",
    "directory", "display",   "do",        "does",     "file",   "files",   "find",
    "first",     "folder",    "folders",   "for",      "from",   "get",     "give",
    "had",       "has",       "have",      "here",     "how",    "i",       "if",
    "in",        "inside",    "into",      "is",       "it",     "its",     "just",
    "know",      "line",      "lines",     "list",     "look",   "me",      "mention",
    "mentioned", "mentions",  "my",        "now",      "of",     "on",      "open",
    "or",        "our",       "out",       "please",   "print",  "quote",   "read",
    "s",         "said",      "say",       "says",     "search", "see",     "show",
    "some",      "summarise", "summarize", "tell",     "text",   "than",    "that",
    "the",       "their",     "them",      "then",     "there",  "these",   "they",
    "this",      "those",     "through",   "to",       "up",     "us",      "was",
    "we",        "were",      "what",      "when",     "where",  "which",   "who",
    "whom",      "whose",     "why",       "will",     "with",   "would",   "write",
    "written",   "you",       "your",      "cat",      "ls",     NULL,
};

static const char *const file_words[] = {
    "config",  "contain",   "contains", "content",   "contents", "directories", "directory",
    "doc",     "docs",      "document", "documents", "file",     "files",       "find",
    "folder",  "folders",   "line",     "lines",     "log",      "logs",        "look",
    "mention", "mentioned", "mentions", "note",      "notes",    "open",        "read",
    "readme",  "search",    "secret",   "source",    "text",     "todo",        "word",
    "words",   "written",   NULL,
};

static const char *const read_words[] = {
    "cat", "display", "open", "print", "quote", "read", "show", "summarise", "summarize", NULL,
};

static const char *const abbreviations[] = {"e.g", "i.e", NULL};
static const char *const list_words[] = {"list", "ls", NULL};
static const char *const folder_words[] = {
    "directories", "directory", "files", "folder", "folders", NULL,
};

/* The end of the directive that starts at text.s[at] with '[': behind the bracket that closes it,
 * quotes and inner brackets respected. 0 when there is none. */
static size_t directive_end(struct ms_span text, size_t at)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = at; i < text.len && i - at < MAX_DIRECTIVE_BYTES; i++) {
        char c = text.s[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && c == '[')
            depth++;
        else if (!in_string && c == ']' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static bool starts_with(struct ms_span text, size_t at, const char *word)
{
    size_t len = strlen(word);

    return text.len - at >= len && memcmp(text.s + at, word, len) == 0;
}

/* Reads a [name:value] at `at`. Returns its end, or 0. */
static size_t read_directive(struct ms_span text, size_t at, const char *name,
                             struct ms_span *ret_value)
{
    size_t start = at + 1 + strlen(name) + 1;
    size_t end;

    if (text.s[at] != '[' || !starts_with(text, at + 1, name) || start > text.len ||
        text.s[start - 1] != ':')
        return 0;
    end = directive_end(text, at);
    if (end == 0)
        return 0;
    *ret_value = ms_span_trim((struct ms_span){text.s + start, end - 1 - start}, " ");
    return end;
}

static void add_call(struct ms_prompt *prompt, struct ms_span value)
{
    struct ms_directive *call = &prompt->calls[prompt->calls_count];
    size_t name_len = 0;

    if (prompt->calls_count == MS_MAX_DIRECTIVES)
        return;
    while (name_len < value.len && value.s[name_len] != ' ' && value.s[name_len] != '{')
        name_len++;
    call->name = (struct ms_span){value.s, name_len};
    call->arguments = ms_span_trim((struct ms_span){value.s + name_len, value.len - name_len}, " ");
    if (call->arguments.len == 0)
        call->arguments = ms_span_of("{}");
    prompt->calls_count++;
}

/* The first one counts. Returns its end, or 0. */
static size_t read_think(struct ms_prompt *prompt, struct ms_span text, size_t at)
{
    struct ms_span value;
    size_t end = read_directive(text, at, "think", &value);

    if (end > 0 && prompt->think.len == 0)
        prompt->think = value;
    return end;
}

/* Copies the message without its directives and keeps these. */
static void take_directives(struct ms_prompt *prompt, struct ms_span message)
{
    size_t copied = 0;
    size_t i = 0;

    while (i < message.len) {
        struct ms_span value = {NULL, 0};
        bool is_call = false;
        bool is_think = false;
        size_t end = 0;

        if (message.s[i] == '[') {
            end = read_directive(message, i, "call", &value);
            is_call = end > 0;
            if (!is_call)
                end = read_think(prompt, message, i);
            is_think = !is_call && end > 0;
            if (end == 0)
                end = read_directive(message, i, "fault", &value);
        }
        if (end == 0) {
            i++;
            continue;
        }
        if (is_call)
            add_call(prompt, value);
        else if (!is_think && prompt->fault.len == 0)
            prompt->fault = value;
        ms_text_add(&prompt->text, message.s + copied, i - copied);
        copied = i = end;
    }
    ms_text_add(&prompt->text, message.s + copied, message.len - copied);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           ((unsigned char)c & 0x80);
}

/* "notes.txt", "a.tar.gz", ".profile", but neither "3.14" nor "e.g". */
static bool has_extension(struct ms_span token)
{
    const char *slash = memrchr(token.s, '/', token.len);
    struct ms_span base =
        slash ? (struct ms_span){slash + 1, token.len - (size_t)(slash + 1 - token.s)} : token;
    const char *dot = base.len ? memrchr(base.s, '.', base.len) : NULL;
    size_t before;
    size_t after;

    if (!dot)
        return false;
    before = (size_t)(dot - base.s);
    after = base.len - before - 1;
    if (after < 1 || after > 8 || !is_letter(dot[1]) || ms_span_in(token, abbreviations))
        return false;
    return before == 0 ? after > 1 : is_name_byte(dot[-1]);
}

/* A token that names a file or a folder by its look alone. */
static bool is_path(struct ms_span token)
{
    const char *slash = memchr(token.s, '/', token.len);

    if (token.len == 0 || token.len > 1000 || memmem(token.s, token.len, "://", 3))
        return false;
    if (has_extension(token))
        return true;
    return slash && token.len > 1 &&
           (token.s[0] == '/' || token.s[0] == '.' || token.s[token.len - 1] == '/');
}

static void find_paths(struct ms_prompt *prompt)
{
    struct ms_span text = {ms_text_string(&prompt->text), prompt->text.len};
    size_t i = 0;

    while (i < text.len && prompt->paths_count < MS_MAX_PATHS) {
        struct ms_span token;
        size_t start;

        while (i < text.len && strchr(" \t\r\n", text.s[i]))
            i++;
        start = i;
        while (i < text.len && !strchr(" \t\r\n", text.s[i]))
            i++;
        token = ms_span_trim((struct ms_span){text.s + start, i - start}, "\"'`,;:!?()<>*");
        while (token.len > 1 && token.s[token.len - 1] == '.' && token.s[token.len - 2] != '.' &&
               token.s[token.len - 2] != '/')
            token.len--;
        if (is_path(token))
            prompt->paths[prompt->paths_count++] = token;
    }
}

/* An apostrophe inside a word opens nothing. */
static bool opens_quote(struct ms_span text, size_t i)
{
    if (text.s[i] == '"' || text.s[i] == '`')
        return true;
    return text.s[i] == '\'' && (i == 0 || !is_name_byte(text.s[i - 1]));
}

static void find_quotes(struct ms_prompt *prompt)
{
    struct ms_span text = {ms_text_string(&prompt->text), prompt->text.len};

    for (size_t i = 0; i < text.len && prompt->quotes_count < MS_MAX_QUOTES; i++) {
        const char *start = text.s + i + 1;
        const char *end;

        if (!opens_quote(text, i))
            continue;
        end = memchr(start, text.s[i], text.len - i - 1);
        if (!end)
            continue;
        if (end > start)
            prompt->quotes[prompt->quotes_count++] = (struct ms_span){start, (size_t)(end - start)};
        i = (size_t)(end - text.s);
    }
}

static bool is_inside_path(const struct ms_prompt *prompt, struct ms_span word)
{
    for (size_t i = 0; i < prompt->paths_count; i++) {
        const struct ms_span *path = &prompt->paths[i];

        if (word.s >= path->s && word.s < path->s + path->len)
            return true;
    }
    return false;
}

static void add_content(struct ms_prompt *prompt, struct ms_span word)
{
    if (prompt->content_count == MS_MAX_CONTENT || ms_span_in(word, stop_words) ||
        is_inside_path(prompt, word))
        return;
    for (size_t i = 0; i < prompt->content_count; i++)
        if (ms_word_matches(prompt->content[i], word))
            return;
    prompt->content[prompt->content_count++] = word;
    prompt->content_starts[(unsigned char)word.s[0]] = true;
    if (is_letter(word.s[0]))
        prompt->content_starts[(unsigned char)(word.s[0] ^ 0x20)] = true;
}

static void find_words(struct ms_prompt *prompt)
{
    struct ms_span text = {ms_text_string(&prompt->text), prompt->text.len};
    struct ms_span word;
    size_t offset = 0;

    while (prompt->words_count < MS_MAX_WORDS && ms_word_next(text, &offset, &word)) {
        prompt->words[prompt->words_count++] = word;
        add_content(prompt, word);
    }
}

static bool has_word(const struct ms_prompt *prompt, size_t first_words, const char *const *list)
{
    for (size_t i = 0; i < prompt->words_count && i < first_words; i++)
        if (ms_span_in(prompt->words[i], list))
            return true;
    return false;
}

static enum ms_intent read_intent(const struct ms_prompt *prompt)
{
    bool names_folder = has_word(prompt, MS_MAX_WORDS, folder_words);

    if (prompt->calls_count > 0)
        return MS_CALL;
    if (has_word(prompt, 3, list_words))
        return MS_LIST;
    if (prompt->content_count == 0 && prompt->paths_count == 0 && names_folder)
        return MS_LIST;
    if (has_word(prompt, 4, read_words) && prompt->paths_count > 0 && prompt->content_count == 0)
        return MS_READ;
    if (prompt->paths_count > 0 || has_word(prompt, MS_MAX_WORDS, file_words))
        return prompt->content_count > 0 ? MS_FIND : MS_READ;
    return MS_TALK;
}

int ms_prompt_read(struct ms_span message, struct ms_prompt *ret_prompt)
{
    struct ms_prompt *prompt = ret_prompt;

    memset(prompt, 0, sizeof(*prompt));
    ms_text_init(&prompt->text, MS_PROMPT_MAX_BYTES);
    if (message.len > MS_PROMPT_MAX_BYTES)
        message.len = ms_utf8_cut(message.s, message.len, MS_PROMPT_MAX_BYTES);
    take_directives(prompt, message);
    if (prompt->text.failed) {
        ms_prompt_done(prompt);
        return -1;
    }
    find_paths(prompt);
    find_quotes(prompt);
    find_words(prompt);
    prompt->intent = read_intent(prompt);
    return 0;
}

void ms_prompt_done(struct ms_prompt *prompt)
{
    ms_text_done(&prompt->text);
}
