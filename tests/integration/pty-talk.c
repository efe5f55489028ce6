/* SPDX-License-Identifier: MIT */
/*
 * A conversation with a program on a terminal:
 *
 *   pty-talk [WAIT SEND]... -- PROGRAM [ARGUMENT]...
 *
 * Each SEND is typed once WAIT has been shown behind what was waited for before; \r is the return
 * key, \x03 Ctrl-C, \x04 Ctrl-D. Prints all that was shown, and ends with the program's status:
 * 125 if a WAIT never came within 20 seconds, 124 if the program does not end, 123 if it left the
 * terminal in another state than it found it.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h> /* login_tty */

enum { WAIT_MS = 20000, STEP_MS = 20, SHOWN_BYTES = 1 << 20 };

static char shown[SHOWN_BYTES + 1];
static size_t shown_len;
static struct termios before;
static pid_t child;
static bool ended;
static int how; /* it ended */

static bool has_ended(void)
{
    if (!ended)
        ended = waitpid(child, &how, WNOHANG) == child;
    return ended;
}

/*
 * More of what is shown: 1, or 0 at its end, or -1 if nothing comes. We have the other side of the
 * terminal open too, lest its settings go with the program: the program's end is seen by asking.
 */
static int hear(int terminal)
{
    struct pollfd poll_for = {.fd = terminal, .events = POLLIN};
    ssize_t got;
    int waited_ms = 0;

    while (shown_len < SHOWN_BYTES && poll(&poll_for, 1, STEP_MS) <= 0) {
        if (has_ended() && poll(&poll_for, 1, 0) <= 0)
            return 0;
        waited_ms += STEP_MS;
        if (waited_ms > WAIT_MS)
            return -1;
    }
    got = read(terminal, shown + shown_len, SHOWN_BYTES - shown_len);
    if (got <= 0)
        return -1;
    shown_len += (size_t)got;
    shown[shown_len] = '\0';
    return 1;
}

/* All of it at once: what is typed ahead is there before the program has read the first key. */
static void type(int terminal, const char *text)
{
    char keys[4096];
    size_t count = 0;

    for (; *text && count < sizeof keys; text++) {
        char key = *text;

        if (text[0] == '\\' && text[1] == 'r') {
            key = '\r';
            text++;
        } else if (text[0] == '\\' && text[1] == 'x' && text[2] && text[3]) {
            const char code[] = {text[2], text[3], '\0'};

            key = (char)strtol(code, NULL, 16);
            text += 3;
        }
        keys[count++] = key;
    }
    if (write(terminal, keys, count) != (ssize_t)count)
        perror("pty-talk: write");
}

/* Single keys or whole lines, echo, what Ctrl-C does; and no word that pastes are to be marked. */
static bool was_put_back(int keyboard)
{
    const char *on = NULL, *off = NULL, *at;
    struct termios after;

    for (at = shown; (at = strstr(at, "\033[?2004")); at++)
        *(at[7] == 'h' ? &on : &off) = at;
    return !tcgetattr(keyboard, &after) && after.c_lflag == before.c_lflag &&
           after.c_iflag == before.c_iflag && after.c_oflag == before.c_oflag && off >= on;
}

static int end(int keyboard, int status)
{
    fwrite(shown, 1, shown_len, stdout);
    if (status) {
        kill(child, SIGKILL);
        return status;
    }
    if (!was_put_back(keyboard))
        return 123;
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static int start(char **program, int *ret_keyboard)
{
    struct winsize size = {.ws_row = 50, .ws_col = 120};
    int terminal;

    if (openpty(&terminal, ret_keyboard, NULL, NULL, &size) || tcgetattr(*ret_keyboard, &before))
        return -1;
    child = fork();
    if (!child) {
        close(terminal);
        if (!login_tty(*ret_keyboard))
            execvp(program[0], program);
        _exit(127);
    }
    return child < 0 ? -1 : terminal;
}

int main(int argc, char **argv)
{
    size_t from = 0;
    int at = 1, terminal, keyboard, heard, i;

    while (at < argc && strcmp(argv[at], "--"))
        at += 2;
    if (at + 1 >= argc)
        return 2;
    terminal = start(argv + at + 1, &keyboard);
    if (terminal < 0)
        return 2;
    for (i = 1; i < at; i += 2) {
        const char *found;

        while (!(found = strstr(shown + from, argv[i])))
            if (hear(terminal) <= 0)
                return end(keyboard, 125);
        from = (size_t)(found - shown) + strlen(argv[i]);
        type(terminal, argv[i + 1]);
    }
    while ((heard = hear(terminal)) > 0)
        ;
    return end(keyboard, heard < 0 ? 124 : 0);
}
