/* SPDX-License-Identifier: MIT */
/*
 * Lines from standard input, on the loop. A terminal, a pipe or a socket is watched; a regular file
 * or /dev/null, which epoll refuses, is always ready and is read directly, one piece a turn.
 */
#include "agent/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include <event2/event.h>

#include "agent/typing.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

struct input {
    struct typing *typing;  /* NULL: the terminal, if there is one, edits the lines */
    struct event *readable; /* NULL: read directly */
    struct event *turn;     /* a zero-timeout timer: gives what is there already, from the loop */
    input_line_fn on_line;
    void *arg;
    bool asked;
    bool ended;
    size_t len;
    char bytes[LINE_MAX_BYTES + 1];
};

static void give(struct input *input, const char *line, const char *problem)
{
    input_stop(input);
    input->on_line(line, problem, input->arg);
}

/* Keys become a line, perhaps. */
static bool give_typed(struct input *input)
{
    size_t taken;
    const enum typing_result result = typing_feed(input->typing, input->bytes, input->len, &taken);

    input->len -= taken;
    memmove(input->bytes, input->bytes + taken, input->len);
    if (result == TYPING_MORE)
        return false;
    give(input, result == TYPING_LINE ? typing_line(input->typing) : NULL, NULL);
    return true;
}

/* Hand out the first line if a whole one is there. */
static bool give_line(struct input *input)
{
    char line[LINE_MAX_BYTES + 1];
    char *end;
    size_t len;

    if (input->typing)
        return give_typed(input);
    end = memchr(input->bytes, '\n', input->len);
    if (!end && !(input->ended && input->len))
        return false;
    len = end ? (size_t)(end - input->bytes) : input->len;
    memcpy(line, input->bytes, len);
    line[len] = '\0';
    if (end)
        len++;
    input->len -= len;
    memmove(input->bytes, input->bytes + len, input->len);
    len = strlen(line);
    if (len && line[len - 1] == '\r')
        line[len - 1] = '\0';
    give(input, line, NULL);
    return true;
}

static void wait_for_more(struct input *input)
{
    const struct timeval now = {0, 0};

    if (input->readable && !input->ended)
        event_add(input->readable, NULL);
    else
        event_add(input->turn, &now);
}

static void read_more(struct input *input)
{
    ssize_t got;

    if (input->len == LINE_MAX_BYTES) {
        input->len = 0;
        give(input, NULL, "a line of standard input is longer than 64 KiB");
        return;
    }
    got = read(STDIN_FILENO, input->bytes + input->len, LINE_MAX_BYTES - input->len);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        wait_for_more(input);
        return;
    }
    if (got < 0) {
        give(input, NULL, strerror(errno));
        return;
    }
    input->ended = got == 0;
    input->len += (size_t)got;
    if (give_line(input))
        return;
    if (input->ended)
        give(input, NULL, NULL);
    else
        wait_for_more(input);
}

static void ready(evutil_socket_t fd, short what, void *arg)
{
    struct input *input = arg;

    (void)fd;
    if (!input->asked || give_line(input))
        return;
    if (what & EV_READ || !input->readable || input->ended)
        read_more(input);
    else
        wait_for_more(input);
}

/* Asked of the kernel: libevent would complain on standard error of what it may not watch. */
static bool can_be_watched(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    const int probe = epoll_create1(EPOLL_CLOEXEC);
    bool can;

    if (probe < 0)
        return true;
    can = epoll_ctl(probe, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0;
    close(probe);
    return can;
}

struct input *input_new(struct event_base *base, struct typing *typing, input_line_fn on_line,
                        void *arg)
{
    struct input *input = calloc(1, sizeof *input);
    const bool watched = can_be_watched();

    if (!input) {
        typing_free(typing);
        return NULL;
    }
    input->typing = typing;
    input->on_line = on_line;
    input->arg = arg;
    if (watched)
        input->readable = event_new(base, STDIN_FILENO, EV_READ, ready, input);
    input->turn = event_new(base, -1, 0, ready, input);
    if ((watched && !input->readable) || !input->turn) {
        input_free(input);
        return NULL;
    }
    return input;
}

void input_ask(struct input *input, const char *prompt, bool remembered)
{
    const struct timeval now = {0, 0};

    input->asked = true;
    if (input->typing) {
        typing_ask(input->typing, prompt, remembered);
    } else if (prompt && isatty(STDIN_FILENO)) {
        fputs(prompt, stderr);
        fflush(stderr);
    }
    if (input->typing ? input->len > 0 : memchr(input->bytes, '\n', input->len) != NULL)
        event_add(input->turn, &now);
    else
        wait_for_more(input);
}

bool input_forget(struct input *input)
{
    input->len = 0;
    tcflush(STDIN_FILENO, TCIFLUSH);
    return input->typing && typing_forget(input->typing);
}

void input_end_row(struct input *input)
{
    if (!input->typing && isatty(STDIN_FILENO))
        fputc('\n', stderr);
}

void input_pause(struct input *input)
{
    if (input->typing)
        typing_pause(input->typing);
}

void input_resume(struct input *input)
{
    if (input->typing)
        typing_resume(input->typing);
}

void input_stop(struct input *input)
{
    input->asked = false;
    if (input->readable)
        event_del(input->readable);
    event_del(input->turn);
}

void input_free(struct input *input)
{
    if (!input)
        return;
    if (input->readable)
        event_free(input->readable);
    if (input->turn)
        event_free(input->turn);
    typing_free(input->typing);
    free(input);
}
