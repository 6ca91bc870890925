/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries laid over the configuration, key by key. Knows the keys by the schema alone, but for those that have no like
 * in the rest of the configuration. */
#include "config/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "config/pattern.h"
#include "config/schema.h"

#define PREFIX "services[]."

static bool is_key_of_entry(const struct schema_key *key)
{
    return strncmp(key->path, PREFIX, strlen(PREFIX)) == 0 && key->type != SCHEMA_SECTION &&
           strcmp(key->path, PREFIX "match") != 0;
}

const struct schema_key *policy_key(size_t place)
{
    for (size_t i = 0; i < schema_count(); i++)
        if (is_key_of_entry(schema_at(i)) && place-- == 0)
            return schema_at(i);
    return NULL;
}

/* What no entry before it gives. */
static void take_from(const struct config *config, size_t entry, struct policy_sources *sources)
{
    for (size_t place = 0; place < POLICY_KEYS; place++)
        if (sources->entries[place] == 0 && (config->services[entry].given & UINT32_C(1) << place) != 0)
            sources->entries[place] = (uint16_t)(entry + 1);
}

struct policy_sources policy_find_sources(const struct config *config, const char *hypervisor, const char *name)
{
    struct policy_sources sources = {{0}};

    for (size_t i = 0; i < config->n_services; i++)
        if (patterns_match(&config->services[i].match, hypervisor, name))
            take_from(config, i, &sources);
    return sources;
}

struct policy_sources policy_sources_of_entry(const struct config *config, size_t entry)
{
    struct policy_sources sources = {{0}};

    take_from(config, entry, &sources);
    return sources;
}

bool policy_is_general(const struct policy_sources *sources)
{
    static const struct policy_sources general = {{0}};

    return memcmp(sources, &general, sizeof(general)) == 0;
}

/* The entry that gives the key; NULL: none does. */
static const struct config_service *source_of(const struct config *config, const struct policy_sources *sources,
                                              const char *path, unsigned *ret_number)
{
    const struct schema_key *key;

    *ret_number = 0;
    for (size_t place = 0; (key = policy_key(place)) != NULL; place++)
        if (strcmp(key->path, path) == 0)
            *ret_number = sources->entries[place];
    return *ret_number > 0 ? &config->services[*ret_number - 1] : NULL;
}

/* What no other part of the configuration has. */
static struct config_policy policy_of(const struct config *config, const struct policy_sources *sources)
{
    const struct config_service *entry;
    struct config_policy policy = {.priority = 0};
    unsigned number;

    if ((entry = source_of(config, sources, PREFIX "priority", &number)) != NULL)
        policy.priority = entry->priority;
    if ((entry = source_of(config, sources, PREFIX "after", &number)) != NULL) {
        policy.after = entry->after;
        policy.after_entry = number;
    }
    if ((entry = source_of(config, sources, PREFIX "apart", &number)) != NULL)
        policy.apart = entry->apart ? number : 0;
    if ((entry = source_of(config, sources, PREFIX "hosts", &number)) != NULL)
        policy.hosts = entry->hosts;
    if ((entry = source_of(config, sources, PREFIX "hook_env", &number)) != NULL)
        policy.hook_env = entry->hook_env;
    return policy;
}

struct config policy_apply(const struct config *config, const struct policy_sources *sources)
{
    struct config applied = *config;
    const struct schema_key *key;
    unsigned threshold, coverage;

    for (size_t place = 0; (key = policy_key(place)) != NULL; place++)
        if (key->overrides != NULL && sources->entries[place] > 0)
            memcpy(schema_member(schema_find(key->overrides), &applied),
                   schema_member_const(key, &config->services[sources->entries[place] - 1]), key->size);
    /* The default of the one is the other. */
    source_of(config, sources, PREFIX "threshold", &threshold);
    source_of(config, sources, PREFIX "min_coverage", &coverage);
    if (threshold > 0 && coverage == 0 && !config->similarity.has_min_coverage)
        applied.similarity.min_coverage = applied.similarity.threshold;
    applied.policy = policy_of(config, sources);
    return applied;
}

/* ---- in words ---- */

static void print_list(FILE *f, const struct string_list *list)
{
    fputc('[', f);
    for (size_t i = 0; i < list->count; i++)
        fprintf(f, "%s%s", i == 0 ? "" : ", ", list->items[i]);
    fputc(']', f);
}

/* The names alone: a value may be a secret. */
static void print_names(FILE *f, const struct config_options *options)
{
    fputc('{', f);
    for (size_t i = 0; i < options->count; i++)
        fprintf(f, "%s%s", i == 0 ? "" : ", ", options->items[i].name);
    fputc('}', f);
}

static void print_number(FILE *f, const struct schema_key *key, const struct config_service *entry)
{
    char text[UNIT_TEXT_SIZE];
    int64_t wide;
    int32_t narrow;
    bool truth;

    if (key->size == sizeof(wide)) {
        memcpy(&wide, schema_member_const(key, entry), sizeof(wide));
    } else if (key->size == sizeof(truth)) {
        memcpy(&truth, schema_member_const(key, entry), sizeof(truth));
        wide = truth;
    } else {
        memcpy(&narrow, schema_member_const(key, entry), sizeof(narrow));
        wide = narrow;
    }
    if (key->type == SCHEMA_CHOICE)
        fputs(key->choices[wide], f);
    else if (key->type == SCHEMA_BOOL)
        fputs(wide != 0 ? "true" : "false", f);
    else if (key->type == SCHEMA_DURATION)
        duration_format(wide, text), fputs(text, f);
    else if (key->type == SCHEMA_DECIMAL)
        decimal_format(wide, text), fputs(text, f);
    else
        fprintf(f, "%" PRId64, wide);
}

static void print_value(FILE *f, const struct schema_key *key, const struct config_service *entry)
{
    if (key->type == SCHEMA_PATTERNS || key->type == SCHEMA_KINDS)
        print_list(f, schema_member_const(key, entry));
    else if (key->type == SCHEMA_VARIABLES)
        print_names(f, schema_member_const(key, entry));
    else if (key->type == SCHEMA_PATH)
        fputs(*(char *const *)schema_member_const(key, entry), f);
    else
        print_number(f, key, entry);
}

/* What is given by one entry. */
static void print_entry(FILE *f, const struct config *config, const struct policy_sources *sources, unsigned number)
{
    const struct config_service *entry = &config->services[number - 1];
    const struct schema_key *key;
    const char *joint = ftell(f) > 0 ? "; " : "";
    bool is_any = false;

    for (size_t place = 0; (key = policy_key(place)) != NULL; place++) {
        if (sources->entries[place] != number)
            continue;
        fprintf(f, "%s%s ", joint, key->path + strlen(PREFIX));
        print_value(f, key, entry);
        joint = ", ";
        is_any = true;
    }
    if (is_any)
        fprintf(f, " (services[%u], line %u)", number - 1, entry->line);
}

int policy_describe(const struct config *config, const struct policy_sources *sources, char **ret)
{
    _cleanup_(freep) char *text = NULL;
    size_t length = 0;
    FILE *f;
    bool has_failed;

    *ret = NULL;
    if (policy_is_general(sources))
        return 0;
    f = open_memstream(&text, &length);
    if (f == NULL)
        return -ENOMEM;
    for (unsigned number = 1; number <= config->n_services; number++)
        print_entry(f, config, sources, number);
    has_failed = ferror(f) != 0;
    if (fclose(f) != 0 || has_failed)
        return -ENOMEM;
    *ret = steal_pointer(&text);
    return 0;
}
