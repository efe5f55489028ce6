/* SPDX-License-Identifier: MIT */
/*
 * How long a server asks to be left alone: "retry-after-ms" in milliseconds, "retry-after" in
 * seconds or as a date. The C library's date functions follow the locale and the time zone; HTTP
 * dates are in English and in GMT.
 */
#include "model/retry_after.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { MS_PER_SECOND = 1000 };

/* A year is the longest wait that is believed to be meant. */
static const int64_t longest_ms = INT64_C(366) * 24 * 3600 * MS_PER_SECOND;

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static const char *skip_spaces(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* A decimal number, with a fraction or without, times `unit`; -1: it is none. */
static int64_t parse_number(const char *text, int64_t unit)
{
    int64_t whole = 0, fraction = 0, scale = 1;

    text = skip_spaces(text);
    if (!is_digit(*text))
        return -1;
    for (; is_digit(*text); text++)
        whole = whole < longest_ms ? whole * 10 + (*text - '0') : longest_ms;
    if (*text == '.')
        for (text++; is_digit(*text); text++)
            if (scale < 1000000) {
                fraction = fraction * 10 + (*text - '0');
                scale *= 10;
            }
    if (*skip_spaces(text))
        return -1;
    if (whole > longest_ms / unit)
        return longest_ms;
    /* Rounded up: never earlier than asked. */
    return whole * unit + (fraction * unit + scale - 1) / scale;
}

struct date {
    int64_t year, month, day, hour, minute, second; /* -1: not seen yet */
};

static int64_t parse_digits(const char *text, size_t len)
{
    int64_t number = 0;
    size_t i;

    if (!len || len > 4)
        return -1;
    for (i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static bool take_time(const char *word, size_t len, struct date *date)
{
    if (len != 8 || word[2] != ':' || word[5] != ':')
        return false;
    date->hour = parse_digits(word, 2);
    date->minute = parse_digits(word + 3, 2);
    date->second = parse_digits(word + 6, 2);
    return true;
}

static bool take_month(const char *word, size_t len, struct date *date)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    size_t i;

    if (len != 3)
        return false;
    for (i = 0; i < 12; i++)
        if (!strncasecmp(word, names + 3 * i, 3)) {
            date->month = (int64_t)i + 1;
            return true;
        }
    return false;
}

static void take_number(const char *word, size_t len, struct date *date)
{
    const int64_t number = parse_digits(word, len);

    if (number < 0)
        return;
    if (date->day < 0 && len <= 2)
        date->day = number;
    else if (len == 4)
        date->year = number;
    else if (len == 2) /* RFC 850: the two digits are of the past, but for the next 50 years */
        date->year = number < 70 ? 2000 + number : 1900 + number;
}

/* The words of a date tell by their form what they are: the three forms only order them apart. */
static void parse_words(const char *text, struct date *date)
{
    size_t len;

    while (*text) {
        text += strspn(text, " ,-\t");
        len = strcspn(text, " ,-\t");
        if (!take_time(text, len, date) && !take_month(text, len, date))
            take_number(text, len, date);
        text += len;
    }
}

/* Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "days from civil"). */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool plausible(const struct date *date)
{
    return date->year >= 1970 && date->month >= 1 && date->day >= 1 && date->day <= 31 &&
           date->hour >= 0 && date->hour <= 23 && date->minute >= 0 && date->minute <= 59 &&
           date->second >= 0 && date->second <= 60;
}

int64_t rv_http_date_ms(const char *text)
{
    struct date date = {-1, -1, -1, -1, -1, -1};

    parse_words(text, &date);
    if (!plausible(&date))
        return -1;
    return (((days_since_1970(date.year, date.month, date.day) * 24 + date.hour) * 60 +
             date.minute) *
                60 +
            date.second) *
           MS_PER_SECOND;
}

int64_t rv_retry_after_ms(const char *retry_after_ms, const char *retry_after, int64_t wall_now_ms)
{
    int64_t wait_ms = -1;
    int64_t date_ms;

    if (retry_after_ms)
        wait_ms = parse_number(retry_after_ms, 1);
    if (wait_ms < 0 && retry_after)
        wait_ms = parse_number(retry_after, MS_PER_SECOND);
    if (wait_ms >= 0 || !retry_after)
        return wait_ms;
    date_ms = rv_http_date_ms(retry_after);
    if (date_ms < 0)
        return -1;
    return date_ms > wall_now_ms ? date_ms - wall_now_ms : 0;
}
