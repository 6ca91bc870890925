/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a configuration says that is valid, and surely not meant. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "discovery/catalog.h"
#include "model/ports.h"
#include "pool/facts.h"
#include "report/problem_search.h"

/* ---- kinds ---- */

/* The nearest so far to a kind that may be mistyped. */
struct nearest {
    const char *kind; /* that is looked for */
    const char *name; /* NULL: none is near */
    size_t distance;
};

static void consider(struct nearest *nearest, const char *name)
{
    size_t distance = text_distance(nearest->kind, name);

    if (distance > 1 + strlen(nearest->kind) / 4 || (nearest->name != NULL && distance >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = distance;
}

/* Kinds that mean something by themselves, and those that the catalog or the configuration gives a meaning. */
static struct nearest find_nearest(const struct config *config, const struct catalog *catalog, const char *kind)
{
    static const char *const own[] = {"os", "os-family", "data", PORTS_KIND, PORTS_REACHED_KIND};
    struct nearest nearest = {.kind = kind};
    const char *last = NULL; /* those of one kind stand together */

    for (size_t i = 0; i < ELEMENTS_OF(own); i++)
        consider(&nearest, own[i]);
    for (const struct catalog_feature *at = NULL; catalog != NULL && (at = catalog_next(catalog, at)) != NULL;)
        if (last == NULL || strcmp(last, at->kind) != 0)
            consider(&nearest, last = at->kind);
    for (size_t i = 0; config != NULL && i < config->similarity.n_resource_weights; i++)
        if (strcmp(config->similarity.resource_weights[i].kind, CONFIG_WEIGHT_OTHER) != 0)
            consider(&nearest, config->similarity.resource_weights[i].kind);
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        consider(&nearest, environment_name(e));
    return nearest;
}

char *problems_object_to_kind(const struct config *config, const struct catalog *catalog, const char *kind)
{
    static const char *const attributes[] = {"role", "priority"};
    struct nearest nearest = find_nearest(config, catalog, kind);

    if (nearest.name != NULL && nearest.distance == 0)
        return NULL;
    for (size_t i = 0; i < ELEMENTS_OF(attributes); i++)
        if (strcasecmp(kind, attributes[i]) == 0)
            return text_print(
                "%s is taken for a kind of resource here; to give a machine a %s: understudyctl tag MACHINE --%s …",
                attributes[i], attributes[i], attributes[i]);
    return nearest.name != NULL ? text_print("the kind %s is not known; %s may be meant", kind, nearest.name) : NULL;
}

/* ---- patterns ---- */

static bool matches_some(const struct pool *pool, const char *pattern, bool is_of_service)
{
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if (facts_match_pattern(pattern, machine, is_of_service))
            return true;
    return false;
}

/* As regular expressions and the braces of shells have it, and fnmatch(3) does not. */
static bool looks_foreign(const char *pattern)
{
    return pattern[strcspn(pattern, "{}^$|()\\")] != '\0' || strstr(pattern, ".*") != NULL;
}

/* is_of_service: the names of services, too. */
static void look_at_patterns(struct problem_search *search, const char *key, const struct string_list *patterns,
                             const struct pool *pool, bool is_of_service)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        bool is_foreign = looks_foreign(pattern);
        _cleanup_(freep) char *subject = NULL;

        if (pool != NULL ? matches_some(pool, pattern, is_of_service) : !is_foreign)
            continue;
        subject = text_print("%s: %s", key, pattern);
        problems_add(
            search, PROBLEM_PATTERN_UNMATCHED, subject,
            text_print("%s names %s, %s%s", key, pattern,
                       pool != NULL ? "which matches no machine" : "which is no valid pattern",
                       is_foreign ? ": only *, ? and [a-z] work, and a list has one item for each pattern" : ""),
            text_print("correct or remove it in %s; then: understudyctl reload", search->outside->config_file));
    }
}

/* ---- facts ---- */

static bool is_known(const struct pool *pool, const char *name)
{
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if (facts_name_machine(name, machine))
            return true;
    return false;
}

static void look_at_facts(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                          const struct config_machine *entry)
{
    for (size_t i = 0; i < entry->n_facts; i++) {
        const char *kind = entry->facts[i].kind;
        bool is_repeated = i > 0 && strcmp(kind, entry->facts[i - 1].kind) == 0;
        _cleanup_(freep) char *objection = is_repeated ? NULL : problems_object_to_kind(config, catalog, kind);
        _cleanup_(freep) char *subject = text_print("machines: %s: %s", entry->name, kind);

        if (objection != NULL)
            problems_add(search, PROBLEM_KIND_DOUBTFUL, subject,
                         text_print("of %s, the configuration names %s: %s", entry->name, kind, objection),
                         text_print("correct it below machines in %s; then: understudyctl reload",
                                    search->outside->config_file));
    }
}

static void look_at_entries(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                            const struct pool *pool)
{
    for (size_t i = 0; i < config->n_machines; i++) {
        const struct config_machine *entry = &config->machines[i];

        look_at_facts(search, config, catalog, entry);
        if (pool != NULL && !is_known(pool, entry->name))
            problems_add(search, PROBLEM_FACTS_UNMATCHED, entry->name,
                         text_print("the configuration says what %s offers, and no machine has that name", entry->name),
                         text_print("correct or remove it below machines in %s; then: understudyctl reload",
                                    search->outside->config_file));
    }
}

/* ---- what must be covered ---- */

static bool is_offered_by(const struct machine *machine, const char *kind, const struct feature_table *table)
{
    const struct id_set *features = &machine->spec->features;

    for (size_t i = 0; i < features->count; i++)
        if (strcasecmp(feature_kind_name(table, feature_kind(table, features->ids[i])), kind) == 0)
            return true;
    return false;
}

static bool is_offered(const struct config *config, const struct pool *pool, const char *kind,
                       const struct feature_table *table)
{
    for (size_t i = 0; i < config->n_machines; i++)
        for (size_t j = 0; j < config->machines[i].n_facts; j++)
            if (strcasecmp(config->machines[i].facts[j].kind, kind) == 0)
                return true;
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if (is_offered_by(machine, kind, table))
            return true;
    return false;
}

/* Of all, or of the services of an entry. */
static void look_at_must_cover(struct problem_search *search, const char *key, const struct string_list *kinds,
                               const struct config *config, const struct catalog *catalog, const struct pool *pool,
                               const struct feature_table *table)
{
    for (size_t i = 0; i < kinds->count; i++) {
        _cleanup_(freep) char *objection = problems_object_to_kind(config, catalog, kinds->items[i]);
        _cleanup_(freep) char *subject = text_print("%s: %s", key, kinds->items[i]);
        enum environment environment;
        bool is_for_nothing = pool != NULL && pool_count(pool) > 0 &&
                              environment_from_name(kinds->items[i], &environment) < 0 &&
                              !is_offered(config, pool, kinds->items[i], table);

        if (objection == NULL && !is_for_nothing)
            continue;
        problems_add(
            search, PROBLEM_KIND_DOUBTFUL, subject,
            text_print("%s names %s%s%s%s", key, kinds->items[i],
                       is_for_nothing ? ", which no machine is known to offer, so that it demands nothing" : "",
                       objection != NULL ? ": " : "", objection != NULL ? objection : ""),
            text_print("correct or remove it in %s; then: understudyctl reload", search->outside->config_file));
    }
}

/* One that a machine offers is meant, however it is spelt. */
static void look_at_weights(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                            const struct pool *pool, const struct feature_table *table)
{
    for (size_t i = 0; i < config->similarity.n_resource_weights; i++) {
        const char *kind = config->similarity.resource_weights[i].kind;
        bool is_meant =
            strcmp(kind, CONFIG_WEIGHT_OTHER) == 0 || (pool != NULL && is_offered(config, pool, kind, table));
        _cleanup_(freep) char *objection = is_meant ? NULL : problems_object_to_kind(NULL, catalog, kind);
        _cleanup_(freep) char *subject = text_print("weights: %s", kind);

        if (objection != NULL)
            problems_add(
                search, PROBLEM_KIND_DOUBTFUL, subject,
                text_print("similarity.weights.resource names %s: %s", kind, objection),
                text_print("correct or remove it in %s; then: understudyctl reload", search->outside->config_file));
    }
}

/* Entries of services that are for none, or name what there is not. */
static void look_at_policies(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                             const struct pool *pool, const struct feature_table *table)
{
    for (size_t i = 0; i < config->n_services; i++) {
        const struct config_service *entry = &config->services[i];
        char match[64], after[64], must_cover[64];

        snprintf(match, sizeof(match), "services[%zu].match", i);
        snprintf(after, sizeof(after), "services[%zu].after", i);
        snprintf(must_cover, sizeof(must_cover), "services[%zu].must_cover", i);
        look_at_patterns(search, match, &entry->match, pool, true);
        look_at_patterns(search, after, &entry->after, pool, true);
        look_at_must_cover(search, must_cover, &entry->must_cover, config, catalog, pool, table);
    }
}

void problems_look_at_config(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                             const struct pool *pool, const struct feature_table *table)
{
    look_at_patterns(search, "pool.protect", &config->pool.protect, pool, true);
    look_at_patterns(search, "pool.standby", &config->pool.standby, pool, false);
    look_at_patterns(search, "pool.ignore", &config->pool.ignore, pool, false);
    look_at_entries(search, config, catalog, pool);
    look_at_must_cover(search, "similarity.must_cover", &config->similarity.must_cover, config, catalog, pool, table);
    look_at_policies(search, config, catalog, pool, table);
    look_at_weights(search, config, catalog, pool, table);
}
