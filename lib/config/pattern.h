/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of machines as the configuration writes them: "NAME" or "HYPERVISOR/NAME", as shell patterns (fnmatch(3)). */
#ifndef UNDERSTUDY_CONFIG_PATTERN_H
#define UNDERSTUDY_CONFIG_PATTERN_H

#include <stdbool.h>

#include "config/config.h"

bool pattern_matches(const char *pattern, const char *hypervisor, const char *name);
/* Any of them. */
bool patterns_match(const struct string_list *patterns, const char *hypervisor, const char *name);

/* As pattern_matches, but the text is no pattern. */
bool name_matches(const char *text, const char *hypervisor, const char *name);

/*
 * There may be a machine that both match. Bracket expressions count as any character, so that of two patterns with such
 * ones this may be true where there can be none.
 */
bool patterns_can_meet(const char *a, const char *b);

#endif
