/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs: sixteen bytes where many are kept, a text everywhere else. */
#ifndef UNDERSTUDY_MODEL_UUID_H
#define UNDERSTUDY_MODEL_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_SIZE      16
#define UUID_TEXT_SIZE 37 /* 36 characters and the terminating NUL, as VIR_UUID_STRING_BUFLEN */

/* 8-4-4-4-12 hexadecimal digits. False: it is none. */
bool uuid_parse(const char *text, uint8_t ret[static UUID_SIZE]);

bool uuid_equal(const uint8_t a[static UUID_SIZE], const uint8_t b[static UUID_SIZE]);

/* In lower case. */
void uuid_format(const uint8_t uuid[static UUID_SIZE], char ret[static UUID_TEXT_SIZE]);

#endif
