/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles by pattern and metadata; features by source. Knows one machine at a time, and no pool. */
#include "pool/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/pattern.h"

#define KIND_OS     "os"
#define KIND_FAMILY "os-family"

bool facts_name_machine(const char *text, const struct machine *machine)
{
    return name_matches(text, machine->hypervisor, machine->description->name);
}

bool facts_match_pattern(const char *pattern, const struct machine *machine, bool is_of_service)
{
    const char *service = is_of_service ? machine->description->service : NULL;

    return pattern_matches(pattern, machine->hypervisor, machine->description->name) ||
           (service != NULL && pattern_matches(pattern, machine->hypervisor, service));
}

static bool matches_any(const struct string_list *patterns, const struct machine *machine, bool is_of_service)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (facts_match_pattern(patterns->items[i], machine, is_of_service))
            return true;
    return false;
}

unsigned facts_roles(const struct config *config, const struct machine *machine)
{
    unsigned roles = 0;

    if (config != NULL && matches_any(&config->pool.ignore, machine, false))
        return ROLE_IGNORED;
    if (machine->description->roles != 0)
        return machine->description->roles;
    if (config == NULL)
        return 0;
    /* A service is protected by its name, whichever machine has become its original. */
    if (matches_any(&config->pool.protect, machine, true))
        roles |= ROLE_PROTECTED;
    if (matches_any(&config->pool.standby, machine, false))
        roles |= ROLE_STANDBY;
    return roles;
}

/* A word that no feature can have is left out here: its reader has told about it already. */
static int learn(const struct facts_context *context, struct knowledge *knowledge, const char *kind, const char *value)
{
    int r = knowledge_add(knowledge, context->table, kind, value);

    return r == -EINVAL ? 0 : r;
}

/* What people have written, as the catalog spells it. */
static int learn_declared(const struct facts_context *context, struct knowledge *knowledge, const char *kind,
                          const char *value)
{
    char spelled[FEATURE_VALUE_MAX + 1];

    if (value == NULL)
        return learn(context, knowledge, kind, NULL);
    catalog_spell(context->catalog, kind, value, spelled);
    return learn(context, knowledge, kind, spelled);
}

/* Of the systems that this source names, unless it names the family itself. */
static int learn_family(const struct facts_context *context, struct knowledge *knowledge)
{
    uint32_t os = 0, kind = 0;
    int r = feature_table_intern_kind(context->table, KIND_OS, &os);

    if (r == 0)
        r = feature_table_intern_kind(context->table, KIND_FAMILY, &kind);
    if (context->catalog == NULL || r < 0 || id_set_contains(&knowledge->kinds, kind))
        return r;
    for (size_t i = 0, n = knowledge->features.count; i < n && r == 0; i++) {
        char spelled[FEATURE_VALUE_MAX + 1];
        uint32_t feature = knowledge->features.ids[i];
        const char *family =
            feature_kind(context->table, feature) != os
                ? NULL
                : catalog_find_system(context->catalog, feature_value(context->table, feature), NULL, spelled);

        if (family != NULL)
            r = learn(context, knowledge, KIND_FAMILY, family);
    }
    return r;
}

/* Of the kinds that the knowledge says nothing of; one without a feature is a kind as well. */
static int add_kinds(const struct knowledge *more, const struct feature_table *table, struct knowledge *knowledge)
{
    _cleanup_(id_set_done) struct id_set spoken_of = {0};
    int r = id_set_copy(&spoken_of, &knowledge->kinds);

    for (size_t i = 0; r >= 0 && i < more->features.count; i++) {
        uint32_t feature = more->features.ids[i], kind = feature_kind(table, feature);

        if (!id_set_contains(&spoken_of, kind))
            r = id_set_add(&knowledge->features, feature);
    }
    for (size_t i = 0; r >= 0 && i < more->kinds.count; i++)
        r = id_set_add(&knowledge->kinds, more->kinds.ids[i]);
    return r < 0 ? r : 0;
}

/* Of the entries that name the hypervisor as well, or of those that name the machine alone. */
static int learn_from_entries(const struct facts_context *context, const struct machine *machine, bool is_specific,
                              struct knowledge *knowledge)
{
    const struct config *config = context->config;

    for (size_t i = 0; config != NULL && i < config->n_machines; i++) {
        const struct config_machine *entry = &config->machines[i];

        if ((strchr(entry->name, '/') != NULL) != is_specific || !facts_name_machine(entry->name, machine))
            continue;
        for (size_t j = 0; j < entry->n_facts; j++) {
            int r = learn_declared(context, knowledge, entry->facts[j].kind, entry->facts[j].value);

            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* Kind by kind, HYPERVISOR/NAME comes before NAME. */
static int learn_from_config(const struct facts_context *context, const struct machine *machine,
                             struct knowledge *knowledge)
{
    _cleanup_(knowledge_done) struct knowledge general = {0};
    int r = learn_from_entries(context, machine, true, knowledge);

    if (r == 0)
        r = learn_from_entries(context, machine, false, &general);
    if (r == 0)
        r = add_kinds(&general, context->table, knowledge);
    return r == 0 ? learn_family(context, knowledge) : r;
}

static int learn_from_metadata(const struct facts_context *context, const struct feature_texts *features,
                               struct knowledge *knowledge)
{
    struct feature_text feature;

    for (size_t place = 0; feature_texts_next(features, &place, &feature);) {
        int r = learn_declared(context, knowledge, feature.kind, feature.value);

        if (r < 0)
            return r;
    }
    return learn_family(context, knowledge);
}

/* "http://ubuntu.com/ubuntu/20.04" → os/ubuntu-20.04 (https://gitlab.com/libosinfo/osinfo-db). */
static int learn_from_osinfo(const struct facts_context *context, const struct domain_description *description,
                             struct knowledge *knowledge)
{
    const char *id = description->osinfo_id, *version, *product;
    char os[FEATURE_VALUE_MAX + 1];
    int length, r;

    if (id == NULL)
        return 0;
    version = strrchr(id, '/');
    if (version == NULL || version == id || version[1] == '\0')
        return 0;
    for (product = version; product > id && product[-1] != '/'; product--)
        ;
    if (product == version)
        return 0;
    length = snprintf(os, sizeof(os), "%.*s-%s", (int)(version - product), product, version + 1);
    if (length < 0 || (size_t)length >= sizeof(os))
        return 0;
    r = learn_declared(context, knowledge, KIND_OS, os);
    return r < 0 ? r : learn_family(context, knowledge);
}

/* What the agent told last stays true until it tells something else: a machine that is off cannot be asked. */
static int learn_from_agent(const struct facts_context *context, const struct domain_description *description,
                            const struct knowledge *told, struct knowledge *knowledge)
{
    struct feature_text feature;
    int r = 0;

    if (description->has_learned && !feature_texts_are_none(&description->learned)) {
        for (size_t place = 0; r == 0 && feature_texts_next(&description->learned, &place, &feature);)
            r = learn(context, knowledge, feature.kind, feature.value);
        return r == 0 && description->has_learned_part && told != NULL ? add_kinds(told, context->table, knowledge) : r;
    }
    if (told == NULL)
        return 0;
    r = id_set_copy(&knowledge->features, &told->features);
    return r < 0 ? r : id_set_copy(&knowledge->kinds, &told->kinds);
}

int facts_gather(const struct facts_context *context, const struct machine *machine, const struct knowledge *told,
                 struct facts *ret)
{
    _cleanup_(facts_done) struct facts facts = {.metadata = machine->description->features};
    int r;

    r = learn_from_config(context, machine, &facts.knowledge[KNOWLEDGE_CONFIG]);
    if (r == 0)
        r = learn_from_metadata(context, &facts.metadata, &facts.knowledge[KNOWLEDGE_METADATA]);
    if (r == 0)
        r = learn_from_osinfo(context, machine->description, &facts.knowledge[KNOWLEDGE_OSINFO]);
    if (r == 0)
        r = learn_from_agent(context, machine->description, told, &facts.knowledge[KNOWLEDGE_AGENT]);
    if (r == 0)
        r = knowledge_resolve(facts.knowledge, context->table, &facts.spec.features);
    if (r < 0)
        return r;
    facts.spec.environment[ENVIRONMENT_CPU] = machine->description->vcpus;
    facts.spec.environment[ENVIRONMENT_MEMORY] = machine->description->memory_kib;
    facts.spec.environment[ENVIRONMENT_DISK] = domain_description_disk_bytes(machine->description);
    *ret = facts;
    facts = (struct facts){0};
    return 0;
}
