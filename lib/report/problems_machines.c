/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that are of no use as they are, or whose metadata says what cannot be read. */
#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "report/problem_search.h"

/* What is to be said of each kind, by its number: it is the same for all machines. */
struct judged_kinds {
    char **objections; /* NULL: none, or not judged */
    bool *is_judged;
    size_t count;
};

static void judged_kinds_done(struct judged_kinds *kinds)
{
    for (size_t i = 0; i < kinds->count; i++)
        free(kinds->objections[i]);
    free(kinds->objections);
    free(kinds->is_judged);
}

static int judged_kinds_init(struct judged_kinds *kinds, const struct feature_table *table)
{
    size_t count = feature_table_kind_count(table);

    kinds->objections = calloc(count + 1, sizeof(*kinds->objections));
    kinds->is_judged = calloc(count + 1, sizeof(*kinds->is_judged));
    if (kinds->objections == NULL || kinds->is_judged == NULL)
        return -ENOMEM;
    kinds->count = count;
    return 0;
}

static const char *judge_kind(const struct problem_search *search, struct judged_kinds *kinds, uint32_t kind)
{
    const struct coordinator *coordinator = search->coordinator;

    if (!kinds->is_judged[kind])
        kinds->objections[kind] =
            problems_object_to_kind(search->outside->config, pool_catalog(coordinator_pool(coordinator)),
                                    feature_kind_name(coordinator_features(coordinator), kind));
    kinds->is_judged[kind] = true;
    return kinds->objections[kind];
}

/* What is to be said of its metadata; NULL: nothing, or no memory. Caller frees. */
static char *object_to_metadata(const struct problem_search *search, struct judged_kinds *judged,
                                const struct machine *machine)
{
    const struct id_set *kinds = &pool_knowledge(machine)[KNOWLEDGE_METADATA].kinds;
    char *text = text_copy(machine->description->metadata_faults);

    for (size_t i = 0; search->outside->config != NULL && i < kinds->count; i++) {
        const char *objection = judge_kind(search, judged, kinds->ids[i]);
        char *before = text;

        if (objection == NULL)
            continue;
        text = text_print("%s%s%s", before != NULL ? before : "", before != NULL ? "; " : "", objection);
        free(before);
    }
    return text;
}

static void look_at_metadata(struct problem_search *search, struct judged_kinds *judged, const struct machine *machine)
{
    const char *name = pool_display_name(coordinator_pool(search->coordinator), machine);
    _cleanup_(freep) char *faults = object_to_metadata(search, judged, machine);
    bool takes_no_part = machine->roles == ROLE_UNREADABLE;

    if (faults != NULL || takes_no_part)
        problems_add(search, PROBLEM_METADATA_UNREAD, name,
                     text_print("%s %s: %s", name,
                                takes_no_part ? "takes no part until the role in its metadata can be read"
                                              : "has metadata of which not all is understood",
                                faults != NULL ? faults : "it could not be read when its host was last reached"),
                     text_print("mend it: understudyctl tag %s, or virsh edit %s", name, machine->name));
}

static void look_at_quarantine(struct problem_search *search, const struct machine *machine)
{
    const struct machine_rare *rare = machine_rare(machine);
    const char *name;

    if (rare->quarantined_until_us <= search->now.mono_us)
        return;
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(
        search, PROBLEM_QUARANTINE, name,
        text_print("%s is in quarantine and replaces no machine: %s", name,
                   rare->quarantine_why != NULL ? rare->quarantine_why : "it did not come up as a replacement"),
        text_print("mend it; then: understudyctl clear %s", name));
}

static void look_at_roles(struct problem_search *search, bool has_protected, bool has_standby)
{
    if (has_protected && has_standby)
        return;
    problems_add(search, PROBLEM_NO_ROLES, "",
                 text_print("%s", has_protected ? "no machine is standby, so that none may be started as a replacement"
                                  : has_standby ? "no machine is protected, so that none is replaced when it fails"
                                                : "no machine is protected and none is standby, so that nothing "
                                                  "happens when one fails"),
                 text_print("name machines in %s of %s, or understudyctl tag --role; then: understudyctl reload",
                            has_protected ? "pool.standby"
                            : has_standby ? "pool.protect"
                                          : "pool.protect and pool.standby",
                            search->outside->config_file));
}

void problems_look_at_machines(struct problem_search *search)
{
    const struct pool *pool = coordinator_pool(search->coordinator);
    _cleanup_(judged_kinds_done) struct judged_kinds judged = {0};
    unsigned roles = 0;

    if (judged_kinds_init(&judged, coordinator_features(search->coordinator)) < 0) {
        search->error = -ENOMEM;
        return;
    }
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        roles |= machine->roles;
        look_at_quarantine(search, machine);
        look_at_metadata(search, &judged, machine);
    }
    if (pool_count(pool) > 0)
        look_at_roles(search, (roles & ROLE_PROTECTED) != 0, (roles & ROLE_STANDBY) != 0);
}
