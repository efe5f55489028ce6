/* SPDX-License-Identifier: MIT */
/* The file of what was said. */
#include "agent/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1024 * 1024, PATH_BYTES = 4096 };

/* ---- where it is ---- */

static bool make_folders(char *path)
{
    char *slash;

    for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

static bool find_path(char *path)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len = -1;

    if (state && *state == '/')
        len = snprintf(path, PATH_BYTES, "%s/reeve/history", state);
    else if (home && *home == '/')
        len = snprintf(path, PATH_BYTES, "%s/.local/state/reeve/history", home);
    return len > 0 && len + 8 < PATH_BYTES && make_folders(path);
}

/* A file of ours, which is nobody else's to read: not a link, not a pipe. */
static int open_file(const char *path, int flags)
{
    struct stat found;
    const int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (fd < 0)
        return -1;
    if (fstat(fd, &found) || !S_ISREG(found.st_mode) ||
        ((found.st_mode & 077) && fchmod(fd, 0600))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- reading it ---- */

static char *read_all(int fd, size_t *ret_len)
{
    struct stat found;
    char *text;
    ssize_t got = 0;
    off_t from = 0;

    if (fstat(fd, &found))
        return NULL;
    if (found.st_size > MOST_BYTES)
        from = found.st_size - MOST_BYTES;
    text = malloc(MOST_BYTES + 1);
    if (!text)
        return NULL;
    for (*ret_len = 0; *ret_len < MOST_BYTES; *ret_len += (size_t)got) {
        got = pread(fd, text + *ret_len, MOST_BYTES - *ret_len, from + (off_t)*ret_len);
        if (got <= 0)
            break;
    }
    text[*ret_len] = '\0';
    return text;
}

/* The last entries of the text, and how many there are in all. */
static const char *last_entries(const char *text, size_t len, size_t *ret_count)
{
    const char *at = text + len;
    const char *from = text;

    *ret_count = 0;
    while (at > text) {
        const char *before = at - 1 > text ? memrchr(text, '\n', (size_t)(at - 1 - text)) : NULL;

        at = before ? before + 1 : text;
        if (++*ret_count <= HISTORY_MOST_LINES)
            from = at;
    }
    return from;
}

static void unescape(char *line)
{
    char *to = line;

    for (; *line; line++) {
        if (*line == '\\' && line[1])
            *to++ = *++line == 'n' ? '\n' : *line;
        else
            *to++ = *line;
    }
    *to = '\0';
}

static void tell_entries(char *from, history_line_fn on_line, void *arg)
{
    while (*from) {
        char *end = from + strcspn(from, "\n");
        const bool more = *end;

        *end = '\0';
        unescape(from);
        if (*from)
            on_line(from, arg);
        from = end + more;
    }
}

/* ---- writing it ---- */

static bool write_all(int fd, const char *text, size_t len)
{
    while (len) {
        const ssize_t done = write(fd, text, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text += done;
        len -= (size_t)done;
    }
    return true;
}

/* In place of the old file. Should it fail, that one stays. */
static void replace(const char *path, const char *text)
{
    char new_path[PATH_BYTES + 8];
    int fd;
    bool good;

    snprintf(new_path, sizeof new_path, "%s.new", path);
    unlink(new_path);
    fd = open_file(new_path, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return;
    good = write_all(fd, text, strlen(text));
    if (close(fd) || !good || rename(new_path, path))
        unlink(new_path);
}

void history_open(struct history *history, history_line_fn on_line, void *arg)
{
    char path[PATH_BYTES];
    const char *from;
    char *text;
    size_t len, count;

    *history = (struct history){.fd = -1};
    if (!find_path(path))
        return;
    history->fd = open_file(path, O_RDWR | O_CREAT | O_APPEND);
    if (history->fd < 0)
        return;
    text = read_all(history->fd, &len);
    if (!text)
        return;
    from = last_entries(text, len, &count);
    if (count > 2 * HISTORY_MOST_LINES || len == MOST_BYTES) {
        replace(path, from);
        close(history->fd);
        history->fd = open_file(path, O_RDWR | O_CREAT | O_APPEND);
    }
    tell_entries(text + (from - text), on_line, arg);
    free(text);
}

static void add_escaped(FILE *out, const char *line)
{
    for (; *line; line++) {
        if (*line == '\n' || *line == '\\')
            fputs(*line == '\n' ? "\\n" : "\\\\", out);
        else
            putc(*line, out);
    }
    putc('\n', out);
}

static void append(const struct history *history, const char *line)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return;
    add_escaped(out, line);
    if (!fclose(out))
        (void)write_all(history->fd, text, len);
    free(text);
}

bool history_add(struct history *history, const char *line)
{
    if (*line == ' ' || (history->last && !strcmp(history->last, line)))
        return false;
    free(history->last);
    history->last = strdup(line);
    if (history->fd >= 0)
        append(history, line);
    return true;
}

void history_close(struct history *history)
{
    if (history->fd >= 0)
        close(history->fd);
    free(history->last);
    *history = (struct history){.fd = -1};
}
