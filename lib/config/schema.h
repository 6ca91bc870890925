/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one table of configuration keys: name, type, range, default, unit and the sentences that document
 * it. The parser, the defaults, the sample file and the reference all come from it. A further key is a
 * row here and a member of its struct. Knows no YAML.
 */
#ifndef UNDERSTUDY_CONFIG_SCHEMA_H
#define UNDERSTUDY_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

/* What a key holds, and in which member. */
enum schema_type {
    SCHEMA_SECTION,             /* a map of further keys; no member */
    SCHEMA_BOOL,                /* bool */
    SCHEMA_CHOICE,              /* an enum, or a bool with a word for each value */
    SCHEMA_INTEGER,             /* uint32_t or int64_t */
    SCHEMA_DECIMAL,             /* uint32_t or int64_t, millionths */
    SCHEMA_DURATION,            /* int64_t, microseconds */
    SCHEMA_SIZE,                /* int64_t, bytes */
    SCHEMA_NAME,                /* char *: letters, digits, '-', '_' and '.' */
    SCHEMA_URI,                 /* char *: a libvirt connection URI */
    SCHEMA_PATH,                /* char *: absolute */
    SCHEMA_NAME_OR_NONE,        /* char *: as SCHEMA_NAME, or NULL, written none */
    SCHEMA_PATH_OR_NONE,        /* char *: absolute, or NULL, written none */
    SCHEMA_ENDPOINT_OR_NONE,    /* char *: as endpoint_parse reads it, or NULL, written none */
    SCHEMA_WINDOW,              /* char *: as window_parse reads it */
    SCHEMA_PATTERNS,            /* struct string_list, shell patterns */
    SCHEMA_DIRECTORIES,         /* struct string_list, absolute paths */
    SCHEMA_KINDS,               /* struct string_list, resource or environment kinds */
    SCHEMA_HYPERVISORS,         /* struct config_hypervisor * and a count */
    SCHEMA_ENVIRONMENT_WEIGHTS, /* uint32_t[ENVIRONMENT_COUNT], millionths */
    SCHEMA_RESOURCE_WEIGHTS,    /* struct config_weight * and a count */
    SCHEMA_MACHINES,            /* struct config_machine * and a count */
    SCHEMA_OPTIONS,             /* struct config_options */
    SCHEMA_AGENTS,              /* struct config_fence_agent * and a count; max as of SCHEMA_OPTIONS */
    SCHEMA_HOST_AGENTS,         /* the same, without commands */
    SCHEMA_LEVELS,              /* struct config_fence_turn * and a count */
    SCHEMA_VARIABLES,           /* struct config_options: environment variables */
    SCHEMA_SERVICES,            /* struct config_service * and a count */
    SCHEMA_TYPE_COUNT,
};

/*
 * path: "similarity.threshold"; "hypervisors[].name" is a key of each element of a list, its member in
 * the struct of the element. min and max are in the unit of the member; of a text, max is its longest
 * length in bytes; of weights, they bound each one.
 */
struct schema_key {
    const char *path;
    enum schema_type type;
    size_t offset;
    size_t size;
    size_t count_offset; /* of the size_t that counts a list's elements */
    int64_t min;
    int64_t max;
    const char *const *choices; /* the words of SCHEMA_CHOICE by value, NULL at the end */
    const char *default_text;   /* as written in a file; NULL: none */
    const char *default_from;   /* the key of the same section and type whose value is the default */
    const char *overrides;      /* of a key of an entry of services: the key that it stands for, of the same type */
    const char *unit;           /* what an integer counts, in the plural */
    const char *example;        /* for the sample, where the default would show nothing */
    bool is_required;
    bool needs_restart;       /* a change takes effect when the daemon is started anew; others on reload */
    const char *text;         /* sentences for an administrator */
    const char *shipped;      /* what the sample file sets and does not only show; NULL: it sets nothing */
    const char *shipped_text; /* why, and what to write instead */
};

/* All keys, in the order in which people should read them; a section stands before its keys. */
size_t schema_count(void);
const struct schema_key *schema_at(size_t index);

/* NULL: no such key. */
const struct schema_key *schema_find(const char *path);

/* The last part of the path: "threshold". */
const char *schema_name(const struct schema_key *key);

/* Keys directly in a section ("": the top; "hypervisors[]": an element): start with NULL; NULL ends it. */
const struct schema_key *schema_next_child(const char *section, const struct schema_key *after);

/* The key of the section with this name; NULL: none. */
const struct schema_key *schema_find_child(const char *section, const char *name);

/* What was probably meant by a name that is no key of the section: a key, or NULL. */
const struct schema_key *schema_suggest(const char *section, const char *name);

/* What is to be done about a key of the section that there was once; NULL: there was none of that name. */
const char *schema_removed(const char *section, const char *name);

/* The key's member of an object: the configuration, or the element of a list. */
static inline void *schema_member(const struct schema_key *key, void *object)
{
    return (char *)object + key->offset;
}

static inline const void *schema_member_const(const struct schema_key *key, const void *object)
{
    return (const char *)object + key->offset;
}

static inline size_t *schema_member_count(const struct schema_key *key, void *object)
{
    return (size_t *)(void *)((char *)object + key->count_offset);
}

static inline size_t schema_member_count_const(const struct schema_key *key, const void *object)
{
    return *(const size_t *)(const void *)((const char *)object + key->count_offset);
}

#define SCHEMA_EXPECTATION_SIZE 256

/* "a number from 0 to 1": what a value of the key must be, for messages and manuals. */
void schema_expectation(const struct schema_key *key, char buffer[static SCHEMA_EXPECTATION_SIZE]);

/* The reference of all keys, in scdoc(5) markup, without a title. Flushes; -EIO: the stream has an error. */
int schema_write_reference(FILE *f) _must_check_;

/* A commented file that sets up the local hypervisor and shows every key with its default. As above. */
int config_write_sample(FILE *f) _must_check_;

#endif
