/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text to amounts and back, in integers only. Knows no keys and no ranges but those of its types. */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/moment.h"

#define DECIMALS 6
#define MILLION  INT64_C(1000000)

/* The largest first, so that formatting finds the shortest text. */
static const struct {
    const char *name;
    int64_t us;
} duration_units[] = {
    {"d", 86400 * USEC_PER_SEC}, {"h", 3600 * USEC_PER_SEC}, {"m", 60 * USEC_PER_SEC},
    {"s", USEC_PER_SEC},         {"ms", USEC_PER_MSEC},
};

static const struct {
    const char *name;
    int64_t bytes;
} size_units[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"B", 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes a run of digits off the cursor; on -ERANGE all of them, so that the caller can look at what follows. */
static int digits_take(const char **cursor, int64_t *ret)
{
    const char *at = *cursor;
    int64_t value = 0;
    bool fits = true;

    if (!is_digit(at[0]) || (at[0] == '0' && is_digit(at[1])))
        return -EINVAL;
    for (; is_digit(*at); at++)
        fits = fits && !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, *at - '0', &value);
    *cursor = at;
    if (!fits)
        return -ERANGE;
    *ret = value;
    return 0;
}

int integer_parse(const char *text, int64_t *ret)
{
    bool is_negative = *text == '-';
    const char *cursor = text + is_negative;
    int64_t value = 0;
    int r = digits_take(&cursor, &value);

    if (*cursor != '\0')
        return -EINVAL;
    if (r < 0)
        return r;
    *ret = is_negative ? -value : value;
    return 0;
}

int decimal_parse(const char *text, int64_t *ret_millionths)
{
    bool is_negative = *text == '-';
    const char *cursor = text + is_negative;
    int64_t value = 0, fraction = 0;
    size_t decimals = 0;
    int r = digits_take(&cursor, &value);

    if (*cursor == '.') {
        cursor++;
        decimals = strspn(cursor, "0123456789");
        if (decimals == 0)
            return -EINVAL;
        for (size_t i = 0; i < DECIMALS; i++)
            fraction = fraction * 10 + (i < decimals ? cursor[i] - '0' : 0);
        cursor += decimals;
    }
    if (r == -EINVAL || *cursor != '\0')
        return -EINVAL;
    if (r < 0)
        return r;
    if (decimals > DECIMALS)
        return -EDOM;
    if (__builtin_mul_overflow(value, MILLION, &value) || __builtin_add_overflow(value, fraction, &value))
        return -ERANGE;
    *ret_millionths = is_negative ? -value : value;
    return 0;
}

int duration_parse(const char *text, int64_t *ret_us)
{
    const char *cursor = text;
    int64_t value = 0;
    int r = digits_take(&cursor, &value);

    if (r == -EINVAL)
        return r;
    for (size_t i = 0; i < ELEMENTS_OF(duration_units); i++) {
        if (strcmp(cursor, duration_units[i].name) != 0)
            continue;
        if (r < 0 || __builtin_mul_overflow(value, duration_units[i].us, &value))
            return -ERANGE;
        *ret_us = value;
        return 0;
    }
    return -EINVAL;
}

int size_parse(const char *text, int64_t *ret_bytes)
{
    const char *cursor = text;
    int64_t value = 0;
    int r = digits_take(&cursor, &value);

    if (r == -EINVAL)
        return r;
    if (r == 0 && value == 0 && *cursor == '\0') {
        *ret_bytes = 0;
        return 0;
    }
    for (size_t i = 0; i < ELEMENTS_OF(size_units); i++) {
        if (strcmp(cursor, size_units[i].name) != 0)
            continue;
        if (r < 0 || __builtin_mul_overflow(value, size_units[i].bytes, &value))
            return -ERANGE;
        *ret_bytes = value;
        return 0;
    }
    return -EINVAL;
}

void decimal_format(int64_t millionths, char buffer[static UNIT_TEXT_SIZE])
{
    int64_t fraction = millionths % MILLION;
    int length;

    length =
        snprintf(buffer, UNIT_TEXT_SIZE, "%s%" PRId64 ".%06" PRId64, millionths < 0 ? "-" : "",
                 millionths < 0 ? -(millionths / MILLION) : millionths / MILLION, fraction < 0 ? -fraction : fraction);
    while (buffer[length - 1] == '0')
        buffer[--length] = '\0';
    if (buffer[length - 1] == '.')
        buffer[length - 1] = '\0';
}

void duration_format(int64_t us, char buffer[static UNIT_TEXT_SIZE])
{
    if (us == 0) {
        snprintf(buffer, UNIT_TEXT_SIZE, "0s");
        return;
    }
    for (size_t i = 0; i < ELEMENTS_OF(duration_units); i++) {
        bool is_smallest = i + 1 == ELEMENTS_OF(duration_units);

        if (us % duration_units[i].us != 0 && !is_smallest)
            continue;
        snprintf(buffer, UNIT_TEXT_SIZE, "%" PRId64 "%s", us / duration_units[i].us, duration_units[i].name);
        return;
    }
}

void size_format(int64_t bytes, char buffer[static UNIT_TEXT_SIZE])
{
    size_t i = 0;

    while (bytes % size_units[i].bytes != 0)
        i++;
    if (bytes == 0)
        strcpy(buffer, "0");
    else
        snprintf(buffer, UNIT_TEXT_SIZE, "%" PRId64 "%s", bytes / size_units[i].bytes, size_units[i].name);
}
