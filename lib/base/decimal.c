/* SPDX-License-Identifier: MIT
 * Exact conversion between binary and decimal.  A number is held in fixed point with all its
 * digits; multiplying and dividing by powers of two is then exact, and rounding happens once, at
 * the end. Slow beside the table-driven algorithms (up to 20 microseconds), but short and evidently
 * right; headers of model files hold a handful of numbers. */
#include "base/decimal.h"

#include <math.h>
#include <string.h>

/* Base 10^9: words 0 .. POINT - 1 stand before the point, the others behind it.  The largest double
 * has 309 digits before the point and the smallest 1074 behind it. */
enum { BASE = 1000000000, BASE_DIGITS = 9, POINT = 35, WORDS = 160 };

struct fixed {
    uint32_t word[WORDS];
    int32_t first, last; /* words outside of these are 0 */
};

static const uint32_t powers_of_ten[BASE_DIGITS] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
};

/* Digit number `place` stands for 10^place. */
static int32_t word_of(int64_t place)
{
    return (int32_t)(POINT - 1 - (place - (place < 0 ? BASE_DIGITS - 1 : 0)) / BASE_DIGITS);
}

static uint32_t power_of(int64_t place)
{
    return powers_of_ten[(place % BASE_DIGITS + BASE_DIGITS) % BASE_DIGITS];
}

/* Times 2^bits; bits <= 29, so that the carry is below BASE.  There is room for the result. */
static void multiply(struct fixed *number, int32_t bits)
{
    uint64_t carry = 0;
    for (int32_t i = number->last; i >= number->first; i--) {
        uint64_t word = ((uint64_t)number->word[i] << bits) + carry;
        number->word[i] = (uint32_t)(word % BASE);
        carry = word / BASE;
    }
    if (carry > 0)
        number->word[--number->first] = (uint32_t)carry;
    while (number->last > number->first && number->word[number->last] == 0)
        number->last--;
}

/* Divided by 2^bits; bits <= 9, because 2^9 divides BASE and one more word then takes the
 * remainder. Where there is no further word the last digit becomes odd: it is only asked whether
 * anything is left. */
static void divide(struct fixed *number, int32_t bits)
{
    uint64_t remainder = 0;
    for (int32_t i = number->first; i <= number->last; i++) {
        uint64_t word = remainder * BASE + number->word[i];
        number->word[i] = (uint32_t)(word >> bits);
        remainder = word & ((1u << bits) - 1);
    }
    if (remainder > 0 && number->last + 1 < WORDS)
        number->word[++number->last] = (uint32_t)(remainder * BASE >> bits);
    else if (remainder > 0)
        number->word[number->last] |= 1;
    while (number->first < number->last && number->word[number->first] == 0)
        number->first++;
}

/* ---- Reading ------------------------------------------------------------------------------- */

enum { MANTISSA_BITS = 52, LEAST_EXPONENT = 1074, MOST_EXPONENT_DIGITS = 9 };

/* The number behind "e"; a longer one than makes a difference comes out as about 10^9. */
static int64_t read_exponent(const char *text, size_t size)
{
    int64_t exponent = 0;
    size_t i = size > 0 && (text[0] == '-' || text[0] == '+');
    for (; i < size; i++)
        if (exponent < powers_of_ten[MOST_EXPONENT_DIGITS - 1])
            exponent = exponent * 10 + (text[i] - '0');
    return size > 0 && text[0] == '-' ? -exponent : exponent;
}

/* Adds a digit in its place; false where a double cannot be that large. */
static bool add_digit(struct fixed *number, int64_t place, uint32_t digit)
{
    if (digit == 0)
        return true;
    if (place >= POINT * BASE_DIGITS)
        return false;
    int32_t i = WORDS - 1;
    if (place < -(WORDS - POINT) * BASE_DIGITS) {
        number->word[i] |= 1;
    } else {
        i = word_of(place);
        number->word[i] += digit * power_of(place);
    }
    number->first = CNNI_MIN(number->first, i);
    number->last = CNNI_MAX(number->last, i);
    return true;
}

/* Takes the digits of "123.45e6". */
static bool read_digits(struct fixed *number, const char *text, size_t size)
{
    const char *e = memchr(text, 'e', size);
    if (e == NULL)
        e = memchr(text, 'E', size);
    size_t mantissa = e == NULL ? size : (size_t)(e - text);
    const char *point = memchr(text, '.', mantissa);
    size_t whole = point == NULL ? mantissa : (size_t)(point - text);
    int64_t place = (int64_t)whole - 1;
    if (e != NULL)
        place += read_exponent(e + 1, size - mantissa - 1);
    for (size_t i = 0; i < mantissa; i++)
        if (i != whole && !add_digit(number, place--, (uint32_t)(text[i] - '0')))
            return false;
    return true;
}

/* The part before the point, which is below 10^18. */
static uint64_t whole_part(const struct fixed *number)
{
    return (uint64_t)number->word[POINT - 2] * BASE + number->word[POINT - 1];
}

static int32_t bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

/* Shifts the number until its whole part is a double's mantissa, of 53 bits, or fewer for the
 * smallest numbers.  Returns by how many bits, to the left. */
static int32_t normalize(struct fixed *number)
{
    int32_t shift = 0;
    for (; number->first < POINT - 2; shift -= 9)
        divide(number, 9);
    for (; bit_length(whole_part(number)) > MANTISSA_BITS + 1; shift--)
        divide(number, 1);
    for (;;) {
        int32_t bits = MANTISSA_BITS + 1 - bit_length(whole_part(number));
        bits = CNNI_MIN(CNNI_MIN(bits, 29), LEAST_EXPONENT - shift);
        if (bits <= 0)
            return shift;
        multiply(number, bits);
        shift += bits;
    }
}

/* -1, 0 or 1: the part behind the point is less than, equal to or more than a half. */
static int32_t compare_with_half(const struct fixed *number)
{
    if (number->word[POINT] != BASE / 2)
        return number->word[POINT] < BASE / 2 ? -1 : 1;
    for (int32_t i = POINT + 1; i <= number->last; i++)
        if (number->word[i] != 0)
            return 1;
    return 0;
}

bool cnni_decimal_read(double *value, const char *text, size_t size)
{
    struct fixed number = {.first = WORDS, .last = -1};
    bool negative = text[0] == '-';
    uint64_t bits = 0;
    if (!read_digits(&number, text + negative, size - negative))
        return false;
    if (number.last >= 0) {
        int32_t shift = normalize(&number);
        uint64_t mantissa = whole_part(&number);
        int32_t rest = compare_with_half(&number);
        mantissa += rest > 0 || (rest == 0 && mantissa % 2 == 1);
        /* The mantissa's highest bit adds one to the exponent, as does a carry from rounding. */
        bits = ((uint64_t)(LEAST_EXPONENT - shift) << MANTISSA_BITS) + mantissa;
    }
    if (bits >> MANTISSA_BITS >= 2047)
        return false;
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* ---- Writing ------------------------------------------------------------------------------- */

enum { MOST_DIGITS = 17 };

/* Sets `number` to a double without its sign. */
static void set_double(struct fixed *number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int32_t exponent = (int32_t)(bits >> MANTISSA_BITS & 2047);
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    if (exponent > 0)
        mantissa |= UINT64_C(1) << MANTISSA_BITS;
    else
        exponent = 1;
    *number = (struct fixed){.first = POINT - 2, .last = POINT - 1};
    number->word[POINT - 2] = (uint32_t)(mantissa / BASE);
    number->word[POINT - 1] = (uint32_t)(mantissa % BASE);
    int32_t shift = exponent - 1 - LEAST_EXPONENT;
    for (; shift > 0; shift -= CNNI_MIN(shift, 29))
        multiply(number, CNNI_MIN(shift, 29));
    for (; shift < 0; shift += CNNI_MIN(-shift, 9))
        divide(number, CNNI_MIN(-shift, 9));
}

/* The place of the highest digit that is not 0; 0 for zero. */
static int32_t highest_place(const struct fixed *number)
{
    for (int32_t i = number->first; i <= number->last; i++)
        for (int32_t j = BASE_DIGITS - 1; j >= 0; j--)
            if (number->word[i] >= powers_of_ten[j])
                return (POINT - 1 - i) * BASE_DIGITS + j;
    return 0;
}

static uint32_t digit_at(const struct fixed *number, int64_t place)
{
    int32_t i = word_of(place);
    return i < 0 || i >= WORDS ? 0 : number->word[i] / power_of(place) % 10;
}

/* The number rounded to `count` digits; `place` is that of the first. */
struct digits {
    char digit[MOST_DIGITS];
    int32_t count;
    int32_t place;
};

static void round_digits(struct digits *digits, const struct fixed *number, int32_t top,
                         int32_t count)
{
    digits->count = count;
    digits->place = top;
    for (int32_t i = 0; i < count; i++)
        digits->digit[i] = (char)('0' + digit_at(number, top - i));
    if (digit_at(number, top - count) < 5)
        return;
    int32_t i = count - 1;
    for (; i >= 0 && digits->digit[i] == '9'; i--)
        digits->digit[i] = '0';
    if (i >= 0) {
        digits->digit[i]++;
    } else { /* 999 became 1000 */
        digits->digit[0] = '1';
        digits->place++;
    }
}

static char *put_zeros(char *text, int32_t count)
{
    for (; count > 0; count--)
        *text++ = '0';
    return text;
}

/* 12345 as "0.0012345", "12.345" or "12345000", for places that are near the point. */
static char *put_plain(char *text, const struct digits *digits)
{
    int32_t whole = digits->place + 1;
    if (whole <= 0) {
        *text++ = '0';
        *text++ = '.';
        text = put_zeros(text, -whole);
    }
    for (int32_t i = 0; i < digits->count; i++) {
        if (i == whole && whole > 0)
            *text++ = '.';
        *text++ = digits->digit[i];
    }
    return put_zeros(text, whole - digits->count);
}

/* 12345 as "1.2345e67". */
static char *put_scientific(char *text, const struct digits *digits)
{
    uint32_t exponent = (uint32_t)(digits->place < 0 ? -digits->place : digits->place);
    *text++ = digits->digit[0];
    if (digits->count > 1)
        *text++ = '.';
    for (int32_t i = 1; i < digits->count; i++)
        *text++ = digits->digit[i];
    *text++ = 'e';
    if (digits->place < 0)
        *text++ = '-';
    if (exponent >= 100)
        *text++ = (char)('0' + exponent / 100);
    if (exponent >= 10)
        *text++ = (char)('0' + exponent / 10 % 10);
    *text++ = (char)('0' + exponent % 10);
    return text;
}

/* The number, rounded to `count` digits, as text that starts at `text`; returns its end. */
static char *put_number(char *text, const struct fixed *number, int32_t top, int32_t count)
{
    struct digits digits;
    round_digits(&digits, number, top, count);
    bool plain = digits.place >= -5 && digits.place < MOST_DIGITS;
    return plain ? put_plain(text, &digits) : put_scientific(text, &digits);
}

const char *cnni_decimal_write(char text[CNNI_DECIMAL_SIZE], double value)
{
    struct fixed number;
    double back;
    char *start = text, *end = text;
    set_double(&number, value);
    if (signbit(value))
        *start++ = '-';
    int32_t top = highest_place(&number);
    for (int32_t count = 1; count <= MOST_DIGITS; count++) {
        end = put_number(start, &number, top, count);
        if (cnni_decimal_read(&back, text, (size_t)(end - text)) && back == value)
            break;
    }
    *end = '\0';
    return text;
}
