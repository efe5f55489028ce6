/* SPDX-License-Identifier: MIT */
/* Numbers between text and value, under a locale with a decimal comma too. */
#include "tests/lib/test.h"

#include "base/buffer.h"
#include "json/number.h"
#include "json/reader.h"
#include "json/writer.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <reeve/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(struct rv_buffer *out, double number)
{
    rv_buffer_clear(out);
    cr_assert_eq(rv_number_add_double(out, number), 0);
    return rv_buffer_text(out);
}

RV_TEST(number, writes_doubles_as_short_as_they_can_be)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {-1.0, "-1"},
        {0.1, "0.1"},
        {0.2, "0.2"},
        {0.1 + 0.2, "0.30000000000000004"},
        {0.7, "0.7"},
        {-17.125, "-17.125"},
        {100.0, "100"},
        {0.000001, "0.000001"},
        {0.0000012, "0.0000012"},
        {1e-7, "1e-7"},
        {1.5e-10, "1.5e-10"},
        {1e15, "1000000000000000"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {9007199254740994.0, "9007199254740994"},
        {1.0 / 3.0, "0.3333333333333333"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {2.225073858507201e-308, "2.225073858507201e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {DBL_EPSILON, "2.220446049250313e-16"},
        {0x1p-44, "5.684341886080802e-14"},
        {0x1p89, "6.189700196426902e+26"}, /* the nearest 16 digits read back as another number */
        {9.5, "9.5"},
        {999999.9999999999, "999999.9999999999"},
    };
    struct rv_buffer out;
    size_t i;

    rv_buffer_init(&out, t->mem, 100);
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_str_eq(text_of(&out, cases[i].number), cases[i].text);
    rv_buffer_done(&out);
}

RV_TEST(number, has_no_text_for_nan_and_the_infinities)
{
    struct rv_buffer out;

    rv_buffer_init(&out, t->mem, 100);
    cr_assert_eq(rv_number_add_double(&out, (double)NAN), REEVE_EINVAL);
    cr_assert_eq(rv_number_add_double(&out, (double)INFINITY), REEVE_EINVAL);
    cr_assert_eq(rv_number_add_double(&out, -(double)INFINITY), REEVE_EINVAL);
    cr_assert_eq(out.len, 0);
    rv_buffer_done(&out);
}

static unsigned digits_in(const char *text)
{
    unsigned count = 0;
    const char *last = text;

    for (; *text && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count || *text != '0')) {
            count++;
            if (*text != '0')
                last = text;
        }
    }
    for (last++; last < text; last++)
        count -= *last == '0';
    return count ? count : 1;
}

/*
 * Reads back the same, bit by bit, and no decimal with one digit fewer does: the two around the
 * number are its roundings down and up to that many digits.
 */
static void expect_shortest(struct rv_buffer *out, double number)
{
    const char *text = text_of(out, number);
    const unsigned digits = digits_in(text);
    double back, neighbour;
    char shorter[40];

    cr_assert_eq(rv_number_double(text, strlen(text), &back), 0);
    cr_assert(!memcmp(&back, &number, sizeof back), "%a gave %s, which is %a", number, text, back);
    back = strtod(text, NULL);
    cr_assert(!memcmp(&back, &number, sizeof back));
    if (digits < 2)
        return;
    snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, number);
    cr_assert(strtod(shorter, NULL) != number, "%s could be %s", text, shorter);
    neighbour = fabs(strtod(shorter, NULL)) < fabs(number) ? 1 : -1;
    if (neighbour > 0 && strchr(shorter, 'e')[-1] != '9') {
        strchr(shorter, 'e')[-1]++;
        cr_assert(strtod(shorter, NULL) != number, "%s could be %s", text, shorter);
    }
}

RV_TEST(number, reads_back_any_bits_and_is_never_too_long, .timeout = 60)
{
    struct rv_buffer out;
    double number;
    uint64_t bits;
    unsigned i;

    rv_buffer_init(&out, t->mem, 100);
    for (i = 0; i < 60000; i++) {
        bits = rv_test_random(t);
        if (i % 8 == 0)
            bits &= UINT64_C(0x800FFFFFFFFFFFFF) >> (bits % 52); /* no exponent: the subnormal */
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number))
            expect_shortest(&out, number);
    }
    rv_buffer_done(&out);
}

RV_TEST(number, is_right_beside_every_power_of_two)
{
    struct rv_buffer out;
    uint64_t power, bits;
    double number;
    int exponent;

    rv_buffer_init(&out, t->mem, 100);
    for (exponent = -1074; exponent < 1024; exponent++) {
        power =
            exponent < -1022 ? UINT64_C(1) << (exponent + 1074) : (uint64_t)(exponent + 1023) << 52;
        for (bits = power - 1; bits <= power + 1; bits++) {
            memcpy(&number, &bits, sizeof number);
            expect_shortest(&out, number);
        }
    }
    rv_buffer_done(&out);
}

/* What hosts write: prices, ratios, temperatures. */
RV_TEST(number, writes_decimals_as_they_were_meant)
{
    struct rv_buffer out;
    char wanted[40];
    unsigned i, places;

    rv_buffer_init(&out, t->mem, 100);
    for (i = 1; i < 20000; i++) {
        for (places = 1; places <= 4; places++) {
            const unsigned scale = places == 1   ? 10
                                   : places == 2 ? 100
                                   : places == 3 ? 1000
                                                 : 10000;

            if (i % 10 == 0)
                continue;
            snprintf(wanted, sizeof wanted, "%u.%0*u", i / scale, (int)places, i % scale);
            cr_assert_str_eq(text_of(&out, (double)i / (double)scale), wanted);
        }
    }
    rv_buffer_done(&out);
}

RV_TEST(number, writes_integers)
{
    static const int64_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN};
    struct rv_buffer out;
    char wanted[40];
    int64_t back;
    size_t i;

    rv_buffer_init(&out, t->mem, 100);
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        rv_buffer_clear(&out);
        cr_assert_eq(rv_number_add_int64(&out, numbers[i]), 0);
        snprintf(wanted, sizeof wanted, "%lld", (long long)numbers[i]);
        cr_assert_str_eq(rv_buffer_text(&out), wanted);
        cr_assert_eq(rv_number_int64(out.data, out.len, &back), 0);
        cr_assert_eq(back, numbers[i]);
    }
    rv_buffer_done(&out);
}

RV_TEST(number, reads_integers_in_any_spelling)
{
    static const struct {
        const char *text;
        int64_t number;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0", 0},
        {"0e999999999999999999999", 0},
        {"5", 5},
        {"5.0", 5},
        {"5.000e0", 5},
        {"50e-1", 5},
        {"0.5e1", 5},
        {"1.5e1", 15},
        {"-12E+2", -1200},
        {"9007199254740993", INT64_C(9007199254740993)},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775807.00", INT64_MAX},
        {"92233720368547758.07e2", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"1e18", INT64_C(1000000000000000000)},
        {"1000000000000000000000000000000e-30", 1},
    };
    int64_t number;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        number = -99;
        cr_assert_eq(rv_number_int64(cases[i].text, strlen(cases[i].text), &number), 0, "%s",
                     cases[i].text);
        cr_assert_eq(number, cases[i].number, "%s", cases[i].text);
    }
}

RV_TEST(number, refuses_what_is_no_integer_or_does_not_fit)
{
    static const char *const texts[] = {
        "0.5",
        "5.5",
        "-1e-1",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "1e400",
        "1e-400",
        "10000000000000000000",
        "18446744073709551616",
        "1e9999999999999999999999999",
        "1.0000000000000000000001",
        "99999999999999999999",
    };
    int64_t number = 77;
    size_t i;

    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_eq(rv_number_int64(texts[i], strlen(texts[i]), &number), REEVE_EINVAL, "%s",
                     texts[i]);
    cr_assert_eq(number, 77);
}

RV_TEST(number, reads_doubles_correctly_rounded)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"-0.0e5", -0.0},
        {"0.1", 0.1},
        {"3.14159", 3.14159},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"123456789e-22", 123456789e-22},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.00000000000000000000000001", 9007199254740994.0},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"4.9e-324", 5e-324},
        {"1e-400", 0.0},
        {"-1e-99999999999999999999", -0.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"0.3e1", 3.0},
        {"17976931348623157e292", DBL_MAX},
    };
    double number;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        number = 99;
        cr_assert_eq(rv_number_double(cases[i].text, strlen(cases[i].text), &number), 0);
        cr_assert(!memcmp(&number, &cases[i].number, sizeof number), "%s gave %a", cases[i].text,
                  number);
    }
    number = 77;
    cr_assert_eq(rv_number_double("1e309", 5, &number), REEVE_EINVAL);
    cr_assert_eq(rv_number_double("-1.8e308", 8, &number), REEVE_EINVAL);
    cr_assert(number > 76 && number < 78);
}

/* The two ways of reading, ours for easy numbers and the C library's, against the latter. */
RV_TEST(number, reads_as_the_c_library_does)
{
    char text[40];
    double number;
    unsigned i;

    for (i = 0; i < 200000; i++) {
        const uint64_t random = rv_test_random(t);
        const int digits = (int)(random % 19) + 1;

        snprintf(text, sizeof text, "%s%.*s.%llue%d", random & 64 ? "-" : "", 1, "1234567890",
                 (unsigned long long)(rv_test_random(t) >> (64 - 3 * digits)),
                 (int)(random >> 8 & 63) - 32);
        cr_assert_eq(rv_number_double(text, strlen(text), &number), 0);
        cr_assert(number == strtod(text, NULL), "%s gave %a", text, number);
    }
}

/*
 * A locale with a decimal comma, made on the spot: whether the machine has one is its owner's
 * business. Returns false where there is no localedef.
 */
static bool write_locale_sources(const char *folder)
{
    char path[200];
    FILE *file;
    int i;

    snprintf(path, sizeof path, "%s/source", folder);
    file = fopen(path, "w");
    if (!file)
        return false;
    fputs("LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n",
          file);
    fclose(file);
    snprintf(path, sizeof path, "%s/charmap", folder);
    file = fopen(path, "w");
    if (!file)
        return false;
    fputs("<code_set_name> TINY\n<mb_cur_max> 1\n<escape_char> /\n<comment_char> %\nCHARMAP\n",
          file);
    for (i = 0; i < 128; i++)
        fprintf(file, "<U%04X> /x%02x C%d\n", (unsigned)i, (unsigned)i, i);
    fputs("END CHARMAP\n", file);
    fclose(file);
    return true;
}

static bool switch_to_comma(char *folder)
{
    char command[600];
    bool made;

    if (!mkdtemp(folder))
        return false;
    made = write_locale_sources(folder);
    snprintf(command, sizeof command,
             "localedef -c --no-archive -f %s/charmap -i %s/source %s/comma >/dev/null 2>&1",
             folder, folder, folder);
    made = made && system(command) != -1; /* it exits 1 for the categories that are missing */
    setenv("LOCPATH", folder, 1);
    made = made && setlocale(LC_NUMERIC, "comma");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 && made;
}

static void check_under_comma(struct rv_test *t)
{
    static const char json[] = "[0.5,1.25e-3,123456789.123456789012345,-1e300]";
    static const double numbers[] = {0.5, 0.00125, 123456789.12345679, -1e300};
    const struct reeve_json *value;
    struct rv_json_reader *reader;
    struct rv_json_writer *writer;
    struct rv_buffer out;
    double number;
    size_t i;

    rv_buffer_init(&out, t->mem, 1000);
    cr_assert_eq(rv_json_reader_new(t->mem, NULL, &reader), 0);
    cr_assert_eq(rv_json_reader_parse(reader, json, sizeof json - 1, &value), 0);
    cr_assert_eq(rv_json_writer_new(&out, &writer), 0);
    rv_json_array_begin(writer);
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cr_assert_eq(reeve_json_double(reeve_json_at(value, i), &number), 0);
        cr_assert(number == numbers[i], "%a", number);
        rv_json_double(writer, numbers[i]);
    }
    rv_json_double(writer, 1.0 / 3.0);
    rv_json_int64(writer, 1234567);
    rv_json_array_end(writer);
    cr_assert_eq(rv_json_writer_finish(writer), 0);
    cr_assert_str_eq(rv_buffer_text(&out), "[0.5,0.00125,123456789.12345679,-1e+300,"
                                           "0.3333333333333333,1234567]");
    rv_json_writer_free(writer);
    rv_json_reader_free(reader);
    rv_buffer_done(&out);
}

RV_TEST(number, does_not_follow_the_locale)
{
    char folder[] = "/tmp/reeve-locale-XXXXXX";
    char text[20];

    if (!switch_to_comma(folder)) {
        fprintf(stderr, "number::does_not_follow_the_locale: no localedef here, not tested\n");
        return;
    }
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_assert_str_eq(text, "1,5"); /* the locale is in force, so that the test can fail */
    check_under_comma(t);
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_assert_str_eq(text, "1,5"); /* and still the host's */
}
