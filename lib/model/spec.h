/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine's specification: its environment set (amounts of hardware, the paper's Eset) and its
 * resource set (features, the paper's Rset), and how several sources of knowledge become one.
 */
#ifndef UNDERSTUDY_MODEL_SPEC_H
#define UNDERSTUDY_MODEL_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id_set.h"
#include "model/feature.h"

enum environment {
    ENVIRONMENT_CPU,    /* vCPUs */
    ENVIRONMENT_MEMORY, /* KiB */
    ENVIRONMENT_DISK,   /* bytes, all disks of the machine together */
    ENVIRONMENT_COUNT,
};

/* "cpu", "memory", "disk". */
const char *environment_name(enum environment environment);
/* -ENOENT: no such environment kind. */
int environment_from_name(const char *name, enum environment *ret) _must_check_;

/* A plain value: initialise with {0}, end with spec_done. An amount of 0 means absent or unknown. */
struct spec {
    uint64_t environment[ENVIRONMENT_COUNT];
    struct id_set features;
};

void spec_done(struct spec *spec);

/* Where knowledge of a machine's features comes from; README.md of this room has the order of trust. */
enum knowledge_source {
    KNOWLEDGE_CONFIG,
    KNOWLEDGE_METADATA,
    KNOWLEDGE_AGENT,
    KNOWLEDGE_OSINFO,
    KNOWLEDGE_COUNT,
};

/* "configuration", "metadata", "guest agent", "libosinfo". */
const char *knowledge_source_name(enum knowledge_source source);

/*
 * What one source says: features, and the kinds it speaks about. A kind that is spoken about with no
 * feature means "has none", which outranks what lesser sources say of that kind.
 * A plain value: initialise with {0}, end with knowledge_done.
 */
struct knowledge {
    struct id_set features;
    struct id_set kinds;
};

/* Records that the source speaks about kind, and with `value` not NULL that the machine has it. As
 * feature_table_intern. */
int knowledge_add(struct knowledge *knowledge, struct feature_table *table, const char *kind,
                  const char *value) _must_check_;
bool knowledge_equal(const struct knowledge *a, const struct knowledge *b);
void knowledge_done(struct knowledge *knowledge);

/*
 * For each kind the first source that says anything wins; the result replaces *ret, whose former
 * content is released. sources: KNOWLEDGE_COUNT elements, by source. -ENOMEM.
 */
int knowledge_resolve(const struct knowledge *sources, const struct feature_table *table,
                      struct id_set *ret) _must_check_;

#endif
