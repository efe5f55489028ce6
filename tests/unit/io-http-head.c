/* SPDX-License-Identifier: MIT */
/* The head of a response, line by line, and the little that is read of a URL. */
#include "tests/lib/test.h"

#include "io/http_head.h"
#include "io/http_url.h"

#include <reeve/error.h>

#include <string.h>

static int feed(struct rv_http_head *head, const char *const *lines)
{
    int error = 0;

    for (; *lines && !error; lines++)
        error = rv_http_head_line(head, *lines, strlen(*lines));
    return error;
}

#define FEED(head, ...) feed((head), (const char *const[]){__VA_ARGS__, NULL})

RV_TEST(http_head, fields)
{
    struct rv_http_head head;

    rv_http_head_init(&head, t->mem);
    cr_assert_null(rv_http_head_find(&head, "a"));
    cr_assert_eq(FEED(&head, "HTTP/1.1 429 Too Many\r\n", "Retry-After: 5\r\n",
                      "X-Two:  b c \t\r\n", "retry-after:\t7\r\n", "Empty:\r\n", "X: :y\r\n"),
                 0);
    cr_assert_not(head.complete);
    cr_assert_eq(FEED(&head, "\r\n"), 0);
    cr_assert(head.complete);
    cr_assert_eq(head.status, 429);
    cr_assert_str_eq(rv_http_head_find(&head, "RETRY-AFTER"), "7", "the last of several");
    cr_assert_str_eq(rv_http_head_find(&head, "x-two"), "b c");
    cr_assert_str_eq(rv_http_head_find(&head, "empty"), "");
    cr_assert_str_eq(rv_http_head_find(&head, "x"), ":y");
    cr_assert_null(rv_http_head_find(&head, "5"), "a value is not a name");
    cr_assert_null(rv_http_head_find(&head, "retry"));
    rv_http_head_done(&head);
}

RV_TEST(http_head, informational_heads_are_passed_over)
{
    struct rv_http_head head;

    rv_http_head_init(&head, t->mem);
    cr_assert_eq(FEED(&head, "HTTP/1.1 100 Continue\r\n", "X: early\r\n", "\r\n"), 0);
    cr_assert_not(head.complete);
    cr_assert_eq(FEED(&head, "HTTP/1.1 103 Early Hints\r\n", "X: hint\r\n", "\r\n"), 0);
    cr_assert_not(head.complete);
    cr_assert_eq(FEED(&head, "HTTP/2 200 \r\n", "Y: real\r\n", "\r\n", "Y: trailer\r\n", "\r\n"),
                 0);
    cr_assert(head.complete);
    cr_assert_eq(head.status, 200);
    cr_assert_null(rv_http_head_find(&head, "x"));
    cr_assert_str_eq(rv_http_head_find(&head, "y"), "real");
    rv_http_head_done(&head);
}

RV_TEST(http_head, switching_protocols_is_the_last_head)
{
    struct rv_http_head head;

    rv_http_head_init(&head, t->mem);
    cr_assert_eq(FEED(&head, "HTTP/1.1 101 Switching\r\n", "\r\n"), 0);
    cr_assert(head.complete);
    rv_http_head_done(&head);
}

RV_TEST(http_head, folded_lines)
{
    struct rv_http_head head;

    rv_http_head_init(&head, t->mem);
    cr_assert_eq(FEED(&head, "HTTP/1.1 200 OK\n", "A: one\n", " \t two\n", "\tthree\n", "B: x\n",
                      " \n", "\n"),
                 0);
    cr_assert(head.complete);
    cr_assert_str_eq(rv_http_head_find(&head, "a"), "one two three");
    cr_assert_str_eq(rv_http_head_find(&head, "b"), "x ");
    rv_http_head_done(&head);
}

RV_TEST(http_head, a_bare_cr_is_a_space)
{
    struct rv_http_head head;

    rv_http_head_init(&head, t->mem);
    cr_assert_eq(
        FEED(&head, "HTTP/1.1 200 OK\r\n", "A: one\rB: two\r\n", "C: \r\rthree\r\r\n", "\r\n"), 0);
    cr_assert_str_eq(rv_http_head_find(&head, "a"), "one B: two");
    cr_assert_str_eq(rv_http_head_find(&head, "c"), "  three");
    cr_assert_null(rv_http_head_find(&head, "b"));
    rv_http_head_done(&head);
}

static int first_line(struct rv_test *t, const char *line, size_t len)
{
    struct rv_http_head head;
    int error;

    rv_http_head_init(&head, t->mem);
    error = rv_http_head_line(&head, line, len);
    rv_http_head_done(&head);
    return error;
}

RV_TEST(http_head, bad_lines)
{
    static const char zero[] = "HTTP/1.1 200 O\0K\r\n";

    cr_assert_eq(first_line(t, "HTTP/1.1\r\n", 10), REEVE_EPROTOCOL);
    cr_assert_eq(first_line(t, "HTTP/1.1 20\r\n", 13), REEVE_EPROTOCOL);
    cr_assert_eq(first_line(t, "HTTP/1.1 abc\r\n", 14), REEVE_EPROTOCOL);
    cr_assert_eq(first_line(t, " folded\r\n", 9), REEVE_EPROTOCOL);
    cr_assert_eq(first_line(t, zero, sizeof zero - 1), REEVE_EPROTOCOL);
    cr_assert_eq(first_line(t, "HTTP/1.1 200 OK\r\n", 17), 0);
    cr_assert_eq(first_line(t, "no colon\r\n", 10), 0);
}

RV_TEST(http_head, it_is_capped)
{
    struct rv_http_head head;
    size_t lines = 0;
    int error = 0;

    rv_http_head_init(&head, t->mem);
    cr_assert_eq(FEED(&head, "HTTP/1.1 200 OK\r\n"), 0);
    while (!error && lines < RV_HTTP_MAX_HEAD_BYTES) {
        error = FEED(&head, "Name: 0123456789\r\n");
        lines++;
    }
    cr_assert_eq(error, REEVE_ETOOBIG);
    cr_assert_leq(head.fields.len, (size_t)RV_HTTP_MAX_HEAD_BYTES);
    cr_assert_gt(lines * 16, RV_HTTP_MAX_HEAD_BYTES - 32);
    rv_http_head_done(&head);
}

static int feed_head(struct rv_test *run, void *arg)
{
    static char lengthy[1000] = "Lengthy: ";
    struct rv_http_head head;
    int error;

    (void)arg;
    memset(lengthy + 9, 'x', sizeof lengthy - 10);
    rv_http_head_init(&head, run->mem);
    error = FEED(&head, "HTTP/1.1 200 OK\r\n", "Name: 0123456789012345678901234567890123456789\r\n",
                 " and on and on and on and on and on and on and on\r\n", "Other: x\r\n", lengthy,
                 "\r\n");
    cr_assert_eq(head.complete, !error);
    rv_http_head_done(&head);
    return error;
}

RV_TEST(http_head, memory_runs_out)
{
    RV_SWEEP_ALLOCATIONS(t, feed_head, NULL, 2);
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static void expect_url(struct rv_test *t, const char *text, bool secure, bool loopback,
                       const char *label)
{
    struct rv_http_url url;

    cr_assert_eq(rv_http_url_parse(t->mem, text, &url), 0, "%s", text);
    cr_assert_eq(url.secure, secure, "%s", text);
    cr_assert_eq(url.loopback, loopback, "%s", text);
    cr_assert_str_eq(url.label, label);
    rv_http_url_done(t->mem, &url);
}

RV_TEST(http_url, labels_hold_no_secret)
{
    expect_url(t, "https://api.example.com/v1/chat?key=secret#frag", true, false,
               "https://api.example.com/v1/chat");
    expect_url(t, "HTTPS://user:secret@Example.com:8443", true, false, "https://Example.com:8443");
    expect_url(t, "http://example.com?key=a@b", false, false, "http://example.com");
    expect_url(t, "http://secret@example.com:80/a@b/c", false, false,
               "http://example.com:80/a@b/c");
}

RV_TEST(http_url, loopback)
{
    static const char *const near[] = {
        "http://127.0.0.1/",          "http://127.255.0.9:80/", "http://localhost",
        "http://LOCALHOST:1/",        "http://localhost./",     "http://api.localhost:8/",
        "http://[::1]:8080/",         "http://[::1]",           "http://127.1/",
        "http://2130706433/",         "http://0x7f.1/",         "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/", "http://u:p@127.0.0.1/"};
    static const char *const far[] = {"http://128.0.0.1/",
                                      "http://localhost.example/",
                                      "http://mylocalhost/",
                                      "http://[::2]/",
                                      "http://127.0.0.1.example/",
                                      "http://example.com/localhost",
                                      "http://localhost@example.com/",
                                      "http://0.0.0.0/"};
    struct rv_http_url url;

    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        cr_assert_eq(rv_http_url_parse(t->mem, near[i], &url), 0, "%s", near[i]);
        cr_assert(url.loopback, "%s", near[i]);
        rv_http_url_done(t->mem, &url);
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        cr_assert_eq(rv_http_url_parse(t->mem, far[i], &url), 0, "%s", far[i]);
        cr_assert_not(url.loopback, "%s", far[i]);
        rv_http_url_done(t->mem, &url);
    }
}

RV_TEST(http_url, refused)
{
    static const char *const bad[] = {"",
                                      "example.com",
                                      "ftp://example.com/",
                                      "file:///etc/passwd",
                                      "http:/example.com",
                                      "http://",
                                      "http:///path",
                                      "http://:80/",
                                      "http://host:/",
                                      "http://host:123456/",
                                      "http://host:8a/",
                                      "http://a b/",
                                      "http://host/a\nb",
                                      "http://host/a\tb",
                                      "http://host\\@evil/",
                                      "http://a@b@c/",
                                      "http://[::1/",
                                      "http://[]/",
                                      "http://[::1]x/",
                                      "http://ho%73t/",
                                      "http://user@/",
                                      "httpx://host/"};
    struct rv_http_url url;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(rv_http_url_parse(t->mem, bad[i], &url), REEVE_EINVAL, "%s", bad[i]);
}

RV_TEST(http_url, a_long_path_is_cut_in_the_label)
{
    char text[4000] = "http://example.com/";
    struct rv_http_url url;

    memset(text + 19, 'a', sizeof text - 20);
    cr_assert_eq(rv_http_url_parse(t->mem, text, &url), 0);
    cr_assert_leq(strlen(url.label), 512u);
    cr_assert_gt(strlen(url.label), 200u);
    rv_http_url_done(t->mem, &url);
}
