/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single values and lists of texts: node → member of an object, checked against the key's row. Each
 * read function replaces the member, releasing what was there, or reports and leaves it alone.
 */
#ifndef UNDERSTUDY_CONFIG_VALUE_H
#define UNDERSTUDY_CONFIG_VALUE_H

#include <stdbool.h>

#include "config/config.h"
#include "config/reader.h"
#include "config/schema.h"

typedef void value_read_function(struct reader *reader, const struct place *place, const struct schema_key *key,
                                 const struct node *node, void *object);
typedef void value_release_function(const struct schema_key *key, void *object);
typedef bool value_equal_function(const struct schema_key *key, const void *a, const void *b);

value_read_function value_read_bool;
value_read_function value_read_choice;
value_read_function value_read_integer;
value_read_function value_read_decimal;
value_read_function value_read_duration;
value_read_function value_read_size;
value_equal_function value_equal_bytes;

value_read_function value_read_name;
value_read_function value_read_uri;
value_read_function value_read_path;
value_read_function value_read_name_or_none;
value_read_function value_read_path_or_none;
value_read_function value_read_endpoint_or_none;
value_read_function value_read_window;
value_release_function value_release_text;
value_equal_function value_equal_text;

value_read_function value_read_patterns;
value_read_function value_read_directories;
value_read_function value_read_kinds;
value_release_function value_release_list;
value_equal_function value_equal_list;

/* The text of a scalar; NULL: something else, or nothing. */
const char *node_text(const struct node *node);

/*
 * The name of a kind as features have it, borrowed from the reader's table; NULL: none can have it, or
 * no memory, and the reader knows.
 */
const char *value_check_kind(struct reader *reader, const struct place *place, const struct node *node,
                             const char *kind);

#endif
