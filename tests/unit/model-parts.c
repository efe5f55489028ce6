/* SPDX-License-Identifier: MIT */
/* The small parts of a model: base URLs, waits, sentences, torn characters. */
#include "tests/lib/test.h"

#include "base/utf8.h"
#include "model/base_url.h"
#include "model/retry_after.h"
#include "model/sentence.h"
#include "model/torn.h"

#include <reeve/error.h>
#include <string.h>

RV_TEST(base_url, is_checked)
{
    static const struct {
        const char *url;
        long len; /* -1: refused */
    } cases[] = {
        {"http://a", 8},
        {"https://a/v1", 12},
        {"https://a/v1///", 12},
        {"http://a/", 8},
        {"HTTPS://A.b:8080/x/y", 20},
        {"http://[::1]:80/v1", 18},
        {"http://[::1]", 12},
        {"http://a:65535", 14},
        {"", -1},
        {"a/v1", -1},
        {"ftp://a", -1},
        {"file:///etc", -1},
        {"http://", -1},
        {"http:///v1", -1},
        {"http://:80", -1},
        {"http://a:", -1},
        {"http://a:0", -1},
        {"http://a:65536", -1},
        {"http://a:8o", -1},
        {"http://[::1", -1},
        {"http://[::1]x", -1},
        {"http://u@a", -1},
        {"http://u:p@a/v1", -1},
        {"http://a/v1?x=1", -1},
        {"http://a/v1#x", -1},
        {"http://a/v 1", -1},
        {"http://a/v1\n", -1},
        {" http://a", -1},
        {"http://a\\b", -1},
        {"http://a%62", -1},
        {"http://a[b", -1},
        {"http://a/%62", 12},
    };
    size_t i, len;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        len = 999;
        cr_assert_eq(rv_base_url_check(cases[i].url, &len), cases[i].len < 0 ? REEVE_EINVAL : 0,
                     "%s", cases[i].url);
        cr_assert_eq(len, cases[i].len < 0 ? 999 : (size_t)cases[i].len, "%s", cases[i].url);
    }
    cr_assert(rv_base_url_host_is("https://API.openai.com/v1", "api.openai.com"));
    cr_assert(rv_base_url_host_is("https://api.openai.com:443/v1", "api.openai.com"));
    cr_assert(!rv_base_url_host_is("https://api.openai.com.evil.test/v1", "api.openai.com"));
    cr_assert(!rv_base_url_host_is("https://x/api.openai.com", "api.openai.com"));
}

RV_TEST(retry_after, is_understood)
{
    static const int64_t now_ms = INT64_C(784111777000); /* 1994-11-06 08:49:37 */
    static const struct {
        const char *ms, *value;
        int64_t wait_ms;
    } cases[] = {
        {NULL, NULL, -1},
        {NULL, "0", 0},
        {NULL, "7", 7000},
        {NULL, " 7 ", 7000},
        {NULL, "1.5", 1500},
        {NULL, "0.0001", 1},
        {"250", "7", 250},
        {"0.5", "7", 1},
        {"x", "7", 7000},
        {"", "", -1},
        {NULL, "-1", -1},
        {NULL, "7s", -1},
        {NULL, "soon", -1},
        {NULL, "99999999999999999999999", INT64_C(366) * 24 * 3600 * 1000},
        {NULL, "Sun, 06 Nov 1994 08:49:47 GMT", 10000},
        {NULL, "Sunday, 06-Nov-94 08:49:47 GMT", 10000},
        {NULL, "Sun Nov  6 08:49:47 1994", 10000},
        {NULL, "Sun, 06 Nov 1994 08:49:27 GMT", 0},
        {NULL, "Sun, 06 Now 1994 08:49:47 GMT", -1},
        {NULL, "Sun, 36 Nov 1994 08:49:47 GMT", -1},
        {NULL, "Sun, 06 Nov 1994", -1},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(rv_retry_after_ms(cases[i].ms, cases[i].value, now_ms), cases[i].wait_ms,
                     "%s: %lld", cases[i].value,
                     (long long)rv_retry_after_ms(cases[i].ms, cases[i].value, now_ms));
    cr_assert_eq(rv_http_date_ms("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    cr_assert_eq(rv_http_date_ms("Thu, 29 Feb 2024 23:59:60 GMT"), INT64_C(1709251200000));
    cr_assert_eq(rv_http_date_ms("Fri, 31 Dec 2100 12:00:00 GMT"), INT64_C(4133937600000));
}

static void expect_sentence(size_t size, size_t max, const char *given, const char *wanted)
{
    static const struct rv_secret secret = {"SECRET", 6};
    struct rv_sentence sentence;
    char text[64];

    memset(text, '#', sizeof text);
    rv_sentence_begin(&sentence, text, size, &secret);
    rv_sentence_add_bytes(&sentence, given, strlen(given), max);
    cr_assert_str_eq(text, wanted, "%s: %s", given, text);
    cr_assert_eq(sentence.len, strlen(text));
    cr_assert(size == sizeof text || text[size] == '#', "written past the end");
}

/* With a secret that is long enough to be known by its beginning. */
static void expect_long_secret(const char *given, const char *wanted)
{
    static const struct rv_secret secret = {"a-long-secret", 13};
    struct rv_sentence sentence;
    char text[64];

    rv_sentence_begin(&sentence, text, sizeof text, &secret);
    rv_sentence_add(&sentence, given);
    cr_assert_str_eq(text, wanted, "%s: %s", given, text);
}

RV_TEST(sentence, is_cut_scrubbed_and_on_one_line)
{
    expect_sentence(64, 64, "plain", "plain");
    expect_sentence(64, 64, "\na\r\n\tb\x7F\x1B", "a b ");
    expect_sentence(64, 64, "SECRET", "***");
    expect_sentence(64, 64, "xSECRETySECRETSECRETz", "x***y******z");
    expect_sentence(64, 64, "xSECRE", "x***");
    expect_sentence(64, 64, "xSEC", "xSEC");
    expect_sentence(64, 64, "SECREt", "SECREt");
    expect_long_secret("x a-long-secret y", "x *** y");
    expect_long_secret("x a-long-secr... y", "x ***... y");
    expect_long_secret("x a-long-s****cret y", "x *******cret y");
    expect_long_secret("x a-long- y", "x a-long- y");
    expect_long_secret("x a-long", "x ***");
    expect_sentence(6, 64, "12345", "12345");
    expect_sentence(6, 64, "123456", "12\xE2\x80\xA6");
    expect_sentence(64, 5, "123456", "12\xE2\x80\xA6");
    expect_sentence(6, 64, "1\xC3\xA9\xC3\xA9\xC3\xA9", "1\xE2\x80\xA6");
    expect_sentence(3, 64, "123", "12");
    expect_sentence(1, 64, "123", "");
    expect_sentence(64, 64, "a\xFF\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    /* The cut never uncovers a part of the secret. */
    expect_sentence(9, 64, "12345SECRET", "12345***");
    expect_sentence(8, 64, "12345SECRET", "1234\xE2\x80\xA6");
}

static void torn(struct rv_test *t, const char *json, size_t json_len, bool found,
                 const char *mended)
{
    struct rv_buffer hidden, shown, out;

    rv_buffer_init(&hidden, t->mem, 1000);
    rv_buffer_init(&shown, t->mem, 1000);
    rv_buffer_init(&out, t->mem, 1000);
    cr_assert_eq(rv_torn_found(json, json_len), found, "%s", json);
    cr_assert_eq(rv_torn_hide(&hidden, json, json_len), 0);
    cr_assert(rv_utf8_valid(hidden.data, hidden.len));
    cr_assert_eq(rv_torn_found(hidden.data, hidden.len), false);
    cr_assert_eq(rv_torn_show(&shown, hidden.data, hidden.len), 0);
    cr_assert_eq(rv_torn_mend(&out, rv_buffer_text(&shown), shown.len), 0);
    cr_assert_str_eq(rv_buffer_text(&out), mended, "%s: %s", json, out.data);
    rv_buffer_done(&hidden);
    rv_buffer_done(&shown);
    rv_buffer_done(&out);
}

#define TORN(json, found, mended) torn(t, json, sizeof json - 1, found, mended)

RV_TEST(torn, hides_shows_and_mends)
{
    TORN("", false, "");
    TORN("plain \xC3\xA9 \\n \\\\ \\u00e4", false, "plain \xC3\xA9 \\n \\\\ \\u00e4");
    TORN("\\ud83d\\ude00", false, "\\ud83d\\ude00");
    TORN("\\\\ud83d", false, "\\\\ud83d");
    TORN("\\ud83", false, "\\ud83");
    TORN("\\", false, "\\");
    TORN("a\xC3", true, "a\xEF\xBF\xBD");
    TORN("\xA9z", true, "\xEF\xBF\xBDz");
    TORN("\\ud83d", true, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    TORN("\\\\\\uD83dx", true, "\\\\\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");
    TORN("\\ud83d\\n\\ude00", true,
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\n\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    /* Private code points of a text's own stay, where nothing is torn and where something is. */
    TORN("\xF4\x8F\xBF\xBF", false, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    TORN("\xF4\x8F\x80\x80\xC3", true, "\xF4\x8F\x80\x80\xEF\xBF\xBD");
}

RV_TEST(torn, knows_first_halves)
{
    cr_assert_eq(rv_torn_unfinished("", 0), 0);
    cr_assert_eq(rv_torn_unfinished("a\xC3", 2), 1);
    cr_assert_eq(rv_torn_unfinished("a\xF0\x9F\x98", 4), 3);
    cr_assert_eq(rv_torn_unfinished("\xED\xA0\xBD", 3), 3);
    cr_assert_eq(rv_torn_unfinished("\xED\xB8\x80", 3), 0);
    cr_assert_eq(rv_torn_unfinished("\xED\x9F\xBF", 3), 0);
}
