/* SPDX-License-Identifier: MIT */
/*
 * A conversation with a program on a terminal:
 *
 *   pty-talk [WAIT SEND]... -- PROGRAM [ARGUMENT]...
 *
 * Each SEND is typed once WAIT has been shown behind what was waited for before; \r is the return
 * key, \x03 Ctrl-C, \x04 Ctrl-D. Prints all that was shown, and ends with the program's status:
 * 125 if a WAIT never came within 20 seconds, 124 if the program does not end.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 20000, SHOWN_BYTES = 1 << 20 };

static char shown[SHOWN_BYTES + 1];
static size_t shown_len;

/* More of what is shown: 1, or 0 at its end, or -1 if nothing comes. */
static int hear(int terminal)
{
    struct pollfd poll_for = {.fd = terminal, .events = POLLIN};
    ssize_t got;

    if (shown_len == SHOWN_BYTES || poll(&poll_for, 1, WAIT_MS) <= 0)
        return -1;
    got = read(terminal, shown + shown_len, SHOWN_BYTES - shown_len);
    if (got <= 0)
        return 0; /* EIO: nobody has the terminal any more */
    shown_len += (size_t)got;
    shown[shown_len] = '\0';
    return 1;
}

static void type(int terminal, const char *text)
{
    for (; *text; text++) {
        char key = *text;

        if (text[0] == '\\' && text[1] == 'r') {
            key = '\r';
            text++;
        } else if (text[0] == '\\' && text[1] == 'x' && text[2] && text[3]) {
            const char code[] = {text[2], text[3], '\0'};

            key = (char)strtol(code, NULL, 16);
            text += 3;
        }
        if (write(terminal, &key, 1) != 1)
            return;
    }
}

static int end(pid_t child, int status)
{
    int how = 0;

    fwrite(shown, 1, shown_len, stdout);
    if (status)
        kill(child, SIGKILL);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        ;
    if (status)
        return status;
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

int main(int argc, char **argv)
{
    struct winsize size = {.ws_row = 50, .ws_col = 120};
    size_t from = 0;
    int at = 1, terminal, heard;
    pid_t child;

    while (at < argc && strcmp(argv[at], "--"))
        at += 2;
    if (at + 1 >= argc)
        return 2;
    child = forkpty(&terminal, NULL, NULL, &size);
    if (child < 0)
        return 2;
    if (!child) {
        execvp(argv[at + 1], argv + at + 1);
        _exit(127);
    }
    for (int i = 1; i < at; i += 2) {
        const char *found;

        while (!(found = strstr(shown + from, argv[i])))
            if (hear(terminal) <= 0)
                return end(child, 125);
        from = (size_t)(found - shown) + strlen(argv[i]);
        type(terminal, argv[i + 1]);
    }
    while ((heard = hear(terminal)) > 0)
        ;
    return end(child, heard < 0 ? 124 : 0);
}
