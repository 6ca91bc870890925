/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of a hook that was run for a test. */
#ifndef UNDERSTUDY_PROTOCOL_HOOK_TEST_H
#define UNDERSTUDY_PROTOCOL_HOOK_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed by the receiver. */
struct hook_test {
    const char *hook;   /* the name of its file */
    const char *answer; /* what went wrong; "": nothing */
    int64_t took_us;
    bool has_succeeded;
};

#endif
