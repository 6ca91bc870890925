/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs between bytes and text. Knows nothing of what has them. */
#include "model/uuid.h"

#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* A dash stands before this byte. */
static bool is_after_dash(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

/* -1: it is no digit. */
static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool uuid_parse(const char *text, uint8_t ret[static UUID_SIZE])
{
    uint8_t uuid[UUID_SIZE];

    for (size_t i = 0; i < UUID_SIZE; i++) {
        int high, low;

        if (is_after_dash(i) && *text++ != '-')
            return false;
        high = value_of(text[0]);
        low = high >= 0 ? value_of(text[1]) : -1;
        if (low < 0)
            return false;
        uuid[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0')
        return false;
    memcpy(ret, uuid, sizeof(uuid));
    return true;
}

bool uuid_equal(const uint8_t a[static UUID_SIZE], const uint8_t b[static UUID_SIZE])
{
    return memcmp(a, b, UUID_SIZE) == 0;
}

void uuid_format(const uint8_t uuid[static UUID_SIZE], char ret[static UUID_TEXT_SIZE])
{
    char *end = ret;

    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (is_after_dash(i))
            *end++ = '-';
        *end++ = digits[uuid[i] >> 4];
        *end++ = digits[uuid[i] & 15];
    }
    *end = '\0';
}
