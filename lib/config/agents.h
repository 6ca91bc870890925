/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fence agents, their levels and what hosts tell them are read. As value.h. */
#ifndef UNDERSTUDY_CONFIG_AGENTS_H
#define UNDERSTUDY_CONFIG_AGENTS_H

#include "config/value.h"

/* A map of names to maps with `command` and `options`. */
value_read_function agents_read;
/* A map of names to options. */
value_read_function agents_read_of_host;
value_release_function agents_release;
value_equal_function agents_equal;

/* A list of lists of names. */
value_read_function agents_read_levels;
value_release_function agents_release_levels;
value_equal_function agents_equal_levels;

/* That names which belong together do so: agents, levels and hosts; and that they are written one way. */
void agents_check(struct reader *reader, const struct node *root, const struct config *config);

#endif
