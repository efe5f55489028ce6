/* SPDX-License-Identifier: MIT */
/* The small parsers under an HTTP request: the lines of a head, URLs, dates and waits. */
#include "tests/fuzz/fuzz.h"

#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/http_head.h"
#include "io/http_url.h"
#include "model/base_url.h"
#include "model/retry_after.h"

static char *copy_text(const char *bytes, size_t len)
{
    char *text = malloc(len + 1);

    FUZZ_CHECK(text);
    if (len)
        memcpy(text, bytes, len);
    text[len] = '\0';
    return text;
}

/* ---- a head -------------------------------------------------------------------------------------
 */

static void check_waits(const char *value)
{
    const int64_t now_ms = INT64_C(1767225600000);
    int64_t ms = rv_retry_after_ms(value, NULL, now_ms);

    FUZZ_CHECK(ms >= -1);
    FUZZ_CHECK(rv_retry_after_ms(NULL, value, now_ms) >= -1);
    FUZZ_CHECK(rv_http_date_ms(value) >= -1);
}

/* Every field is found by its name, and the last one of a name counts. */
static void check_fields(const struct rv_http_head *head)
{
    const char *at = rv_buffer_text(&head->fields);
    const char *end = at + head->fields.len;

    FUZZ_CHECK(head->fields.len <= RV_HTTP_MAX_HEAD_BYTES);
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        const char *found = rv_http_head_find(head, at);

        FUZZ_CHECK(value <= end - 1, "a name without a value");
        FUZZ_CHECK(found && found >= value && found < end);
        FUZZ_CHECK(!strpbrk(value, "\r\n"), "an end of line within a value");
        check_waits(value);
        at = value + strlen(value) + 1;
    }
    FUZZ_CHECK(at == end);
}

static int feed_lines(struct rv_http_head *head, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    int error = 0;

    while (bytes < end && !error) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *after = newline ? newline + 1 : end;
        const bool complete = head->complete;
        const int status = head->status;

        error = rv_http_head_line(head, bytes, (size_t)(after - bytes));
        FUZZ_CHECK(!complete || (head->complete && head->status == status && !error));
        bytes = after;
    }
    return error;
}

static void run_head(const char *bytes, size_t len, size_t fail_at)
{
    struct fuzz_memory memory;
    struct rv_http_head head;
    struct rv_mem *mem;
    int error;

    fuzz_memory_init(&memory);
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    memory.fail_at = fail_at ? memory.asked + fail_at : 0;
    rv_http_head_init(&head, mem);
    error = feed_lines(&head, bytes, len);
    FUZZ_CHECK(!error || error == REEVE_EPROTOCOL || error == REEVE_ETOOBIG ||
               (fail_at && error == REEVE_ENOMEM));
    FUZZ_CHECK(head.status >= 0 && head.status <= 999);
    FUZZ_CHECK(!head.complete || head.status >= 200 || head.status == 101);
    if (!error)
        check_fields(&head);
    (void)rv_http_head_find(&head, "content-type");
    rv_http_head_done(&head);
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
}

void fuzz_head(const struct fuzz_target *target, const char *bytes, size_t len)
{
    struct fuzz_random random = fuzz_random_of(bytes, len);
    char *text = copy_text(bytes, len);

    (void)target;
    run_head(bytes, len, 0);
    run_head(bytes, len, 1 + fuzz_random_below(&random, 8));
    check_waits(text);
    free(text);
}

/* ---- a URL --------------------------------------------------------------------------------------
 */

static void check_label(const char *text, const struct rv_http_url *url)
{
    const char *rest = strstr(url->label, "://") + 3;

    FUZZ_CHECK(!strncmp(url->label, url->secure ? "https://" : "http://", url->secure ? 8 : 7));
    FUZZ_CHECK(*rest && *rest != '/', "no host: %s", url->label);
    FUZZ_CHECK(!strpbrk(rest, "?#\\ \t\r\n"), "%s", url->label);
    FUZZ_CHECK(strcspn(rest, "@") >= strcspn(rest, "/"), "user info is told: %s", url->label);
    FUZZ_CHECK(strlen(url->label) <= strlen(text) + 8);
}

static void run_url(const char *text, size_t fail_at)
{
    struct rv_http_url url = {.label = NULL};
    struct fuzz_memory memory;
    struct rv_mem *mem;
    int error;

    fuzz_memory_init(&memory);
    FUZZ_CHECK(!rv_mem_new(&memory.allocator, &mem));
    memory.fail_at = fail_at ? memory.asked + fail_at : 0;
    error = rv_http_url_parse(mem, text, &url);
    FUZZ_CHECK(!error || error == REEVE_EINVAL || (fail_at && error == REEVE_ENOMEM));
    if (!error)
        check_label(text, &url);
    rv_http_url_done(mem, &url);
    rv_mem_unref(mem);
    fuzz_memory_done(&memory);
}

static void check_base_url(const char *text)
{
    size_t len;

    if (rv_base_url_check(text, &len))
        return;
    FUZZ_CHECK(len <= strlen(text) && len > 7 && text[len - 1] != '/');
    FUZZ_CHECK(!strpbrk(text, "?# \t\r\n"), "%s", text);
    /* In the authority `@` ends user info; behind it, it is a character of the path as any other
     * (RFC 3986, 3.3), and some gateways have it in theirs. */
    FUZZ_CHECK(!memchr(text + 8, '@', strcspn(text + 8, "/")), "%s", text);
    (void)rv_base_url_host_is(text, "api.openai.com");
}

void fuzz_url(const struct fuzz_target *target, const char *bytes, size_t len)
{
    char *text = copy_text(bytes, len);

    (void)target;
    run_url(text, 0);
    run_url(text, 1);
    check_base_url(text);
    free(text);
}
