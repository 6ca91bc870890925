/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the hooks of the event "test", each by itself, and says what came of each. */
#ifndef UNDERSTUDY_DAEMON_NOTIFY_TEST_H
#define UNDERSTUDY_DAEMON_NOTIFY_TEST_H

#include <stddef.h>

#include "base/cleanup.h"
#include "protocol/hook_test.h"

struct answers;
struct hooks;
struct settings;

/* tests: what came of each hook; borrowed. */
typedef void (*notify_test_done)(void *token, const struct hook_test *tests, size_t n);

/*
 * Runs the hook of this name, or with NULL all of them, as they are run for a notice. On 0, done(token, …) will be called
 * once, later or at once. -ENOENT: there is no such hook; -EBUSY: there is none, or none of them is run; *ret_message says
 * why. -ENOMEM.
 */
int notify_test_begin(struct hooks *hooks, struct answers *answers, const struct settings *settings, const char *name,
                      notify_test_done done, void *token, const char **ret_message) _must_check_;

#endif
