/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 as RFC 3629 has it: telling the valid from the rest, and replacing the rest. */
#ifndef UNDERSTUDY_BASE_UTF8_H
#define UNDERSTUDY_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define UTF8_REPLACEMENT UINT32_C(0xfffd)

/*
 * Reads the character at the start of a NUL-terminated text that is not empty; returns how many bytes
 * it takes. A byte that begins no valid character counts as one byte and reads as UTF8_REPLACEMENT.
 */
size_t utf8_decode(const char *text, uint32_t *ret_character);

/* A copy in which every invalid byte is U+FFFD. Caller frees *ret. -ENOMEM. */
int utf8_make_valid(const char *text, char **ret) _must_check_;

#endif
