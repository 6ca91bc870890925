/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole objects by the schema: the configuration itself, and each element of a list of objects. section
 * names the rows that describe the object: "" is the configuration, "hypervisors[]" one hypervisor.
 */
#ifndef UNDERSTUDY_CONFIG_OBJECT_H
#define UNDERSTUDY_CONFIG_OBJECT_H

#include <stdbool.h>

#include "config/reader.h"
#include "config/schema.h"

/* Sets each member that has a default to it. The object is all zeros before. */
void object_set_defaults(struct reader *reader, const char *section, void *object);

/* Sets what the map gives; what it leaves out keeps its default. A node of nothing is an empty map. */
void object_read(struct reader *reader, const struct place *place, const char *section, const struct node *node,
                 void *object);

/* Releases what the members own, not the object. */
void object_done(const char *section, void *object);

/* True if the two objects have the same value of the key; sections are always equal. */
bool object_equal_key(const struct schema_key *key, const void *a, const void *b);

#endif
