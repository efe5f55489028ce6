/* SPDX-License-Identifier: MIT */
/*
 * JSON numbers between text and value, whatever the locale. Most numbers on the wire are short: for
 * them exact arithmetic on integers and one division or multiplication of doubles give the right
 * answer (a quotient of two exact doubles is correctly rounded). The rest goes through the C
 * library under the C locale, which every libc keeps as a constant, so that asking for it
 * allocates nothing.
 */
#include "json/number.h"

#include <assert.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reeve/error.h>

#include "base/hash.h"

enum {
    DOUBLE_TEXT_BYTES = 40, /* "-d.dddddddddddddddde-324" and some room */
    MOST_DIGITS = 17,       /* that a double can need */
    PLAIN_DIGITS = 21,      /* longer integers are written with an exponent */
    PLAIN_ZEROS = 6,        /* the same for leading zeros behind the point */
};

static const int64_t exponent_limit = INT64_C(1000000000000000);

/* Every power of ten that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { MOST_POWER = sizeof powers / sizeof *powers - 1 };

static const double exact_integers = 9007199254740992.0; /* 2^53 */

/* A decimal number: 0.DIGITS * 10^point. The digits lie in the text; a point may stand among them.
 */
struct decimal {
    bool negative;
    bool saturated;    /* the exponent is past the limit; `point` tells its direction only */
    const char *first; /* the first digit that is not 0 */
    const char *end;   /* behind the last one that is not 0 */
    size_t count;      /* of digits between; 0: the number is zero */
    int64_t point;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The text behind the "e". */
static int64_t read_exponent(const char *text, const char *end)
{
    const bool negative = *text == '-';
    int64_t exponent = 0;

    if (*text == '-' || *text == '+')
        text++;
    for (; text < end && exponent <= exponent_limit; text++)
        exponent = exponent * 10 + (*text - '0');
    return negative ? -exponent : exponent;
}

/* Takes a number apart, zeros at both ends off. */
static struct decimal dissect(const char *text, size_t len)
{
    const char *end = text + len;
    struct decimal number = {.negative = *text == '-'};
    int64_t before = 0; /* digits before the point, counted from the first that is not 0 */
    bool fraction = false;

    for (text += number.negative; text < end && (is_digit(*text) || *text == '.'); text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        if (number.first || *text != '0') {
            if (!number.first)
                number.first = text;
            if (*text != '0')
                number.end = text + 1;
            before += !fraction;
        } else {
            before -= fraction;
        }
    }
    if (!number.first)
        return number;
    number.count = (size_t)(number.end - number.first);
    if (memchr(number.first, '.', number.count))
        number.count--;
    if (text < end)
        number.point = read_exponent(text + 1, end);
    number.saturated = number.point > exponent_limit || number.point < -exponent_limit;
    number.point += before;
    return number;
}

/* The digits as an integer, if they are at most 19. */
static bool mantissa_of(const struct decimal *number, uint64_t *ret)
{
    const char *at;
    uint64_t mantissa = 0;

    if (number->count > 19)
        return false;
    for (at = number->first; at < number->end; at++)
        if (*at != '.')
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    *ret = mantissa;
    return true;
}

static int to_int64(uint64_t magnitude, bool negative, int64_t *ret)
{
    const uint64_t limit = (uint64_t)INT64_MAX + negative;

    if (magnitude > limit)
        return REEVE_EINVAL;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return 0;
}

int rv_number_int64(const char *text, size_t len, int64_t *ret)
{
    const struct decimal number = dissect(text, len);
    uint64_t magnitude = 0;
    int64_t zeros;

    if (!number.count)
        return to_int64(0, false, ret);
    zeros = number.point - (int64_t)number.count;
    if (number.saturated || zeros < 0 || number.point > 19 || !mantissa_of(&number, &magnitude))
        return REEVE_EINVAL;
    for (; zeros; zeros--)
        if (__builtin_mul_overflow(magnitude, 10, &magnitude))
            return REEVE_EINVAL;
    return to_int64(magnitude, number.negative, ret);
}

/* The C library's way of reading, under the C locale. */
static int read_double(const char *text, double *ret)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!c_locale)
        return REEVE_ENOMEM;
    *ret = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return 0;
}

/* One operation on two exact doubles; false if this number is not of that kind. */
static bool easy_double(const struct decimal *number, double *ret)
{
    uint64_t mantissa;
    int64_t power = number->point - (int64_t)number->count;

    if (FLT_EVAL_METHOD != 0 || number->saturated || power > MOST_POWER || power < -MOST_POWER)
        return false;
    if (!mantissa_of(number, &mantissa) || mantissa > (uint64_t)exact_integers)
        return false;
    *ret = power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
    return true;
}

int rv_number_double(const char *text, size_t len, double *ret)
{
    const struct decimal number = dissect(text, len);
    double value = 0;
    int error;

    if (number.count && !easy_double(&number, &value)) {
        error = read_double(text + number.negative, &value);
        if (error)
            return error;
        if (isinf(value))
            return REEVE_EINVAL;
    }
    *ret = number.negative ? -value : value;
    return 0;
}

/* `count` digits from *at on, the point skipped; zeros where they have ended. */
static int add_digits(struct rv_buffer *out, const char **at, const char *end, size_t count)
{
    int error = rv_buffer_reserve(out, count);

    for (; !error && count; count--) {
        if (*at < end && **at == '.')
            (*at)++;
        error = rv_buffer_add_byte(out, *at < end ? *(*at)++ : '0');
    }
    return error;
}

/* The form with an exponent: d.ddde+21. */
static int add_scientific(struct rv_buffer *out, const struct decimal *number)
{
    const char *at = number->first;
    int error = add_digits(out, &at, number->end, 1);

    if (!error && number->count > 1)
        error = rv_buffer_add_byte(out, '.');
    if (!error)
        error = add_digits(out, &at, number->end, number->count - 1);
    if (!error)
        error = rv_buffer_add_byte(out, 'e');
    if (!error && number->point > 0)
        error = rv_buffer_add_byte(out, '+');
    return error ? error : rv_number_add_int64(out, number->point - 1);
}

static int add_plain(struct rv_buffer *out, const struct decimal *number)
{
    const size_t whole = number->point > 0 ? (size_t)number->point : 0;
    const char *at = number->first;
    const char *nothing = at;
    int error;

    error = whole ? add_digits(out, &at, number->end, whole) : rv_buffer_add_byte(out, '0');
    if (error || number->count <= whole)
        return error;
    error = rv_buffer_add_byte(out, '.');
    if (!error && number->point < 0)
        error = add_digits(out, &nothing, nothing, (size_t)-number->point);
    return error ? error : add_digits(out, &at, number->end, number->count - whole);
}

static int add_decimal(struct rv_buffer *out, const struct decimal *number)
{
    const size_t start = out->len;
    int error = 0;

    if (number->negative)
        error = rv_buffer_add_byte(out, '-');
    if (error)
        return error;
    if (!number->count)
        error = rv_buffer_add_byte(out, '0');
    else if (number->point > PLAIN_DIGITS || number->point <= -PLAIN_ZEROS)
        error = add_scientific(out, number);
    else
        error = add_plain(out, number);
    if (error)
        rv_buffer_truncate(out, start);
    return error;
}

int rv_number_add_canonical(struct rv_buffer *out, const char *text, size_t len)
{
    struct decimal number = dissect(text, len);

    if (number.saturated)
        return rv_buffer_add(out, text, len);
    if (!number.count)
        number.negative = false;
    return add_decimal(out, &number);
}

/* Writes the digits of `number` so that they end at `end`; returns where they begin. */
static char *write_digits(uint64_t number, char *end)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return end;
}

int rv_number_add_int64(struct rv_buffer *out, int64_t number)
{
    char text[24];
    char *const end = text + sizeof text;
    char *at = write_digits(number < 0 ? 0 - (uint64_t)number : (uint64_t)number, end);

    if (number < 0)
        *--at = '-';
    return rv_buffer_add(out, at, (size_t)(end - at));
}

/*
 * Numbers with few digits behind the point: n / 10^k is correctly rounded, so if it gives the
 * number back, then n with its point k places in reads back the same. With at most 15 digits no
 * other decimal of that length can, and the smallest k is the shortest.
 */
static bool short_decimal(double number, char *text, struct decimal *ret)
{
    const double limit = 1e15;
    char *const end = text + DOUBLE_TEXT_BYTES;
    uint64_t scaled;
    int k;

    for (k = 0; k <= 6; k++) {
        if (FLT_EVAL_METHOD != 0 || number * powers[k] >= limit)
            return false;
        scaled = (uint64_t)(number * powers[k] + 0.5);
        if ((double)scaled / powers[k] == number) {
            *ret = (struct decimal){.first = write_digits(scaled, end), .end = end};
            ret->count = (size_t)(end - ret->first);
            ret->point = (int64_t)ret->count - k;
            return true;
        }
    }
    return false;
}

static bool reads_back(const char *text, double number, locale_t c_locale)
{
    return !(strtod_l(text, NULL, c_locale) != number);
}

/* Adds one to the last digit of "d.ddde+xx"; false if it is a 9. */
static bool next_decimal(char *text)
{
    char *exponent = strchr(text, 'e');

    if (exponent[-1] == '9')
        return false;
    exponent[-1]++;
    return true;
}

/*
 * Asks the C library for ever more digits until they read back the same. A double in the usual
 * range with fewer than 15 gets them with zeros at the end, which `dissect` takes off. Next to a
 * power of two the doubles below stand closer than those above: there the nearest decimal can
 * fail while the next one up, farther away, reads back.
 */
static void long_decimal(double number, char *text, locale_t c_locale)
{
    const int usual = 15;
    int digits;

    for (digits = number < DBL_MIN ? 1 : usual; digits <= MOST_DIGITS; digits++) {
        snprintf(text, DOUBLE_TEXT_BYTES, "%.*e", digits - 1, number);
        if (reads_back(text, number, c_locale))
            return;
        if (digits < MOST_DIGITS && next_decimal(text) && reads_back(text, number, c_locale))
            return;
    }
}

static int long_decimal_of(double number, char *text, struct decimal *ret)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t host_locale;

    if (!c_locale)
        return REEVE_ENOMEM;
    host_locale = uselocale(c_locale);
    long_decimal(number, text, c_locale);
    uselocale(host_locale);
    freelocale(c_locale);
    *ret = dissect(text, strlen(text));
    return 0;
}

int rv_number_add_double(struct rv_buffer *out, double number)
{
    const double magnitude = fabs(number);
    char text[DOUBLE_TEXT_BYTES];
    struct decimal decimal;
    int error;

    if (!isfinite(number))
        return REEVE_EINVAL;
    if (!short_decimal(magnitude, text, &decimal)) {
        error = long_decimal_of(magnitude, text, &decimal);
        if (error)
            return error;
    }
    decimal.negative = signbit(number) != 0;
    return add_decimal(out, &decimal);
}

/* The next digit from *at on, the point skipped; 0 where they have ended. */
static char next_digit(const char **at, const char *end)
{
    if (*at < end && **at == '.')
        (*at)++;
    return *at < end ? *(*at)++ : '0';
}

/* Of two numbers that are not zero, whatever their signs. */
static int compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
    const char *a_at = a->first, *b_at = b->first;

    if (a->saturated && b->saturated)
        return (a->point > 0) - (b->point > 0);
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    while (a_at < a->end || b_at < b->end) {
        const char a_digit = next_digit(&a_at, a->end), b_digit = next_digit(&b_at, b->end);

        if (a_digit != b_digit)
            return a_digit < b_digit ? -1 : 1;
    }
    return 0;
}

static int sign_of(const struct decimal *number)
{
    return !number->count ? 0 : number->negative ? -1 : 1;
}

int rv_number_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const struct decimal left = dissect(a, a_len), right = dissect(b, b_len);
    const int a_sign = sign_of(&left), b_sign = sign_of(&right);

    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    return a_sign ? a_sign * compare_magnitudes(&left, &right) : 0;
}

bool rv_number_is_integer(const char *text, size_t len)
{
    const struct decimal number = dissect(text, len);

    if (!number.count)
        return true;
    return number.saturated ? number.point > 0 : number.point >= (int64_t)number.count;
}

bool rv_number_is_zero(const char *text, size_t len)
{
    return !dissect(text, len).count;
}

size_t rv_number_digits(const char *text, size_t len)
{
    return dissect(text, len).count;
}

uint64_t rv_number_hash(uint64_t seed, const char *text, size_t len)
{
    const struct decimal number = dissect(text, len);
    const char *at = number.first;
    uint64_t hash = seed ^ (uint64_t)(sign_of(&number) + 1);

    if (!number.count)
        return rv_hash(hash, "0", 1);
    if (number.saturated)
        return rv_hash(hash, number.point > 0 ? "+" : "-", 1);
    while (at < number.end)
        hash = hash * UINT64_C(0x100000001B3) + (unsigned char)next_digit(&at, number.end);
    return rv_hash(hash, &number.point, sizeof number.point);
}

static uint64_t times_modulo(uint64_t a, uint64_t b, uint64_t modulus)
{
    uint64_t product = 0;

    for (a %= modulus; b; b >>= 1) {
        if (b & 1)
            product = product >= modulus - a ? product - (modulus - a) : product + a;
        a = a >= modulus - a ? a - (modulus - a) : a + a;
    }
    return product;
}

/* The digits of a number, taken as an integer, modulo another (below 10^18). */
static uint64_t digits_modulo(const struct decimal *number, uint64_t modulus)
{
    const char *at = number->first;
    uint64_t rest = 0;

    assert(modulus);
    while (at < number->end)
        rest = (rest * 10 + (uint64_t)(next_digit(&at, number->end) - '0')) % modulus;
    return rest;
}

static uint64_t power_of_ten_modulo(uint64_t exponent, uint64_t modulus)
{
    uint64_t power, base;

    assert(modulus);
    power = 1 % modulus;
    base = 10 % modulus;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            power = times_modulo(power, base, modulus);
        base = times_modulo(base, base, modulus);
    }
    return power;
}

bool rv_number_is_multiple(const char *text, size_t len, const char *of, size_t of_len)
{
    const struct decimal number = dissect(text, len), divisor = dissect(of, of_len);
    uint64_t modulus = 0, rest;
    int64_t zeros;

    if (!number.count || !divisor.count)
        return !number.count;
    if (number.saturated || divisor.saturated || divisor.count > RV_NUMBER_DIVISOR_DIGITS ||
        !mantissa_of(&divisor, &modulus))
        return false;
    /* Both without the zeros at their ends; so a divisor that has more of them does not divide. */
    zeros = (number.point - (int64_t)number.count) - (divisor.point - (int64_t)divisor.count);
    if (zeros < 0)
        return false;
    rest = digits_modulo(&number, modulus);
    return !times_modulo(rest, power_of_ten_modulo((uint64_t)zeros, modulus), modulus);
}
