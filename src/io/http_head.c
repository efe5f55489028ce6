/* SPDX-License-Identifier: MIT */
/* The head of a response: the status line, the fields, and which of several heads counts. */
#include "io/http_head.h"

#include <string.h>
#include <strings.h>

#include <reeve/error.h>

/* What most heads fit into. */
enum { USUAL_BYTES = 500 };

void rv_http_head_init(struct rv_http_head *head, struct rv_mem *mem)
{
    *head = (struct rv_http_head){.status = 0};
    rv_buffer_init(&head->fields, mem, RV_HTTP_MAX_HEAD_BYTES);
}

void rv_http_head_done(struct rv_http_head *head)
{
    rv_buffer_done(&head->fields);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static int take_status(struct rv_http_head *head, const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    size_t rest = space ? len - (size_t)(space + 1 - line) : 0;

    if (rest < 3 || !is_digit(space[1]) || !is_digit(space[2]) || !is_digit(space[3]))
        return REEVE_EPROTOCOL;
    head->status = (space[1] - '0') * 100 + (space[2] - '0') * 10 + (space[3] - '0');
    rv_buffer_clear(&head->fields);
    return rv_buffer_reserve(&head->fields, USUAL_BYTES);
}

/* A CR that ends no line is a space (RFC 9112, 2.2). */
static int add_text(struct rv_http_head *head, const char *text, size_t len)
{
    int error = rv_buffer_reserve(&head->fields, len + 1);
    char *at;

    if (error)
        return error;
    rv_buffer_add(&head->fields, text, len);
    rv_buffer_add_byte(&head->fields, '\0');
    for (at = head->fields.data + head->fields.len - len - 1; (at = strchr(at, '\r'));)
        *at = ' ';
    return 0;
}

/* A line that begins with white space goes on with the value before (RFC 9112, 5.2). */
static int fold(struct rv_http_head *head, const char *line, size_t len)
{
    while (len && is_blank(*line)) {
        line++;
        len--;
    }
    if (!head->fields.len)
        return REEVE_EPROTOCOL;
    head->fields.data[head->fields.len - 1] = ' ';
    return add_text(head, line, len);
}

static int take_field(struct rv_http_head *head, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    const char *value = colon ? colon + 1 : line;
    const char *end = line + len;
    int error;

    /* libcurl lets such a line pass; nobody could ask for it. */
    if (!colon)
        return 0;
    while (value < end && is_blank(*value))
        value++;
    error = rv_buffer_reserve(&head->fields, len + 2);
    if (error)
        return error;
    add_text(head, line, (size_t)(colon - line));
    return add_text(head, value, (size_t)(end - value));
}

int rv_http_head_line(struct rv_http_head *head, const char *line, size_t len)
{
    if (head->complete)
        return 0;
    while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (!len) {
        /* 101 is the last head of a connection that goes on in another protocol. */
        head->complete = head->status >= 200 || head->status == 101;
        return 0;
    }
    /* libcurl lets a NUL pass; it would cut the list in two. */
    if (memchr(line, '\0', len))
        return REEVE_EPROTOCOL;
    while (len && is_blank(line[len - 1]))
        len--;
    if (len >= 5 && !memcmp(line, "HTTP/", 5))
        return take_status(head, line, len);
    if (!len || is_blank(line[0]))
        return fold(head, line, len);
    return take_field(head, line, len);
}

const char *rv_http_head_find(const struct rv_http_head *head, const char *name)
{
    const char *found = NULL;
    const char *at = rv_buffer_text(&head->fields);
    const char *end = at + head->fields.len;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (!strcasecmp(at, name))
            found = value;
        at = value + strlen(value) + 1;
    }
    return found;
}
