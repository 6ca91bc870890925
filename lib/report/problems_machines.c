/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that are of no use as they are, or whose metadata says what cannot be read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/problem_search.h"
#include "report/time.h"

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
    _cleanup_(freep) char *faults = object_to_metadata(search, judged, machine);
    bool takes_no_part = machine->roles == ROLE_UNREADABLE;
    const char *name;

    if (faults == NULL && !takes_no_part)
        return;
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(search, PROBLEM_METADATA_UNREAD, name,
                 text_print("%s %s: %s", name,
                            takes_no_part ? "takes no part until the role in its metadata can be read"
                                          : "has metadata of which not all is understood",
                            faults != NULL ? faults : "it could not be read when its host was last reached"),
                 takes_no_part
                     ? text_print("understudyctl tag %s --role ROLE, or virsh edit %s", name, machine->name)
                     : text_print("understudyctl untag %s KIND/VALUE, or virsh edit %s", name, machine->name));
}

static void look_at_quarantine(struct problem_search *search, const struct machine *machine)
{
    const struct machine_rare *rare = machine_rare(machine);
    const int64_t left_us = rare->quarantined_until_us - search->now.mono_us;
    char until[TIME_TEXT_SIZE];
    const char *name;

    if (left_us <= 0)
        return;
    time_format(search->now.real_us + left_us, until);
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(
        search, PROBLEM_QUARANTINE, name,
        text_print("%s is in quarantine until %.10s %.8s UTC and replaces no machine: %s", name, until,
                   until + strlen("2026-11-22T"),
                   rare->quarantine_why != NULL ? rare->quarantine_why : "it did not come up as a replacement"),
        text_print("to end it at once, when it is mended: understudyctl clear %s", name));
}

static void look_at_resets(struct problem_search *search, const struct machine *machine)
{
    const char *name;

    if (machine_rare(machine)->resets_until_us <= search->now.mono_us)
        return;
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(
        search, PROBLEM_GUEST_RESETS, name,
        text_print("the guest of %s is reset again and again; this alone is no failure", name),
        text_print("look at its console: virsh console %s; to have such a machine replaced, set failure.reboot_limit",
                   machine->name));
}

static void look_at_removal(struct problem_search *search, const struct machine *machine)
{
    const int64_t removal_us = machine_rare(machine)->removal_us;
    char when[TIME_TEXT_SIZE];
    const char *name;

    if (removal_us == 0)
        return;
    time_format(removal_us, when);
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(
        search, PROBLEM_REMOVAL, name,
        text_print("%s was made from the template %s, serves nothing, and is deleted after %.10s %.8s UTC with the "
                   "overlays and the seed that were made for it (recovery.keep_made)",
                   name, machine->description->template, when, when + strlen("2026-11-22T")),
        text_print(
            "what is on them is lost then; to keep it for now: understudyctl hold %s; for good: another role, or "
            "recovery.keep_made: 0s",
            name));
}

static void look_at_disks(struct problem_search *search, const struct machine *machine)
{
    const struct domain_description *description = machine->description;
    const char *missing = NULL, *name;

    /* Of a template, a base image is missing, and that is its obstacle. */
    for (uint32_t i = 0; i < description->n_disks && missing == NULL && machine->state != MACHINE_TEMPLATE; i++)
        if (description->disks[i].is_missing)
            missing = description->disks[i].source;
    if (missing == NULL)
        return;
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(search, PROBLEM_DISK_MISSING, name,
                 text_print("%s cannot be started: its disk %s is not there", name, missing),
                 text_print("restore the disk, or correct the definition; it is looked for again some minutes later"));
}

/* One of several that could be made from the template on this host was named already. */
static bool is_told_of_another(const struct pool *pool, const struct machine *machine)
{
    for (const struct machine *other = NULL; (other = pool_next(pool, other)) != machine;)
        if (other->description->obstacle != NULL && machine_is_from_template_of(other, machine))
            return true;
    return false;
}

static void look_at_template(struct problem_search *search, const struct machine *machine)
{
    const struct pool *pool = coordinator_pool(search->coordinator);
    const char *obstacle = machine->description->obstacle, *name;

    if (obstacle == NULL || is_told_of_another(pool, machine))
        return;
    name = pool_display_name(pool, machine);
    problems_add(
        search, PROBLEM_TEMPLATE_UNUSABLE, name,
        text_print("no machine can be made from template %s on %s: %s", machine->description->template,
                   machine->hypervisor, obstacle),
        text_print(
            "mend that; a storage pool that is started is noticed at once, all else after virsh pool-refresh POOL and "
            "understudyctl reload"));
}

/* As far as its definition tells; NULL: nothing. */
static const char *find_obstacle_to_verifying(const struct domain_description *description, enum verify_level level)
{
    if (level == VERIFY_AGENT && !description->has_agent_channel)
        return "it has no channel for a guest agent";
    if (level == VERIFY_TCP && !description->has_agent_channel && description->n_macs == 0)
        return "it has neither a network interface nor a channel for a guest agent to tell its address";
    return NULL;
}

/* It would be started, and never count as recovered. */
static void look_at_verification(struct problem_search *search, const struct machine *machine)
{
    const struct config *config = search->outside->config;
    const char *obstacle = config != NULL && (machine->roles & ROLE_STANDBY) != 0
                               ? find_obstacle_to_verifying(machine->description, config->recovery.verify.level)
                               : NULL;
    const char *name;

    if (obstacle == NULL)
        return;
    name = pool_display_name(coordinator_pool(search->coordinator), machine);
    problems_add(search, PROBLEM_NOT_VERIFIABLE, name,
                 text_print("%s cannot be verified as a replacement: recovery.verify.level is %s, and %s", name,
                            verify_level_name(config->recovery.verify.level), obstacle),
                 text_print("add it (the channel is org.qemu.guest_agent.0), or choose another level"));
}

/* The same file, by two definitions of one machine, as a migration leaves them behind. */
static const char *find_shared(const struct machine *machine, const struct machine *twin)
{
    for (uint32_t i = 0; i < machine->description->n_disks; i++) {
        const struct disk *disk = &machine->description->disks[i];

        if (!disk->writable || disk->source[0] != '/' || disk->is_networked || disk->is_declared)
            continue;
        for (uint32_t k = 0; k < twin->description->n_disks; k++)
            if (strcmp(disk->source, twin->description->disks[k].source) == 0)
                return disk->source;
    }
    return NULL;
}

static void look_at_twin(struct problem_search *search, const struct machine *machine, const struct machine *twin)
{
    const char *shared = machine->number < twin->number ? find_shared(machine, twin) : NULL;

    if (shared != NULL)
        problems_add(
            search, PROBLEM_DISKS_LOOK_SHARED, machine->name,
            text_print("%s is defined on %s and on %s with the disk %s, which looks shared, and counts as two",
                       machine->name, machine->hypervisor, twin->hypervisor, shared),
            text_print("if it is one, name its directory in storage.shared of %s; else undefine %s where it does "
                       "not belong",
                       search->outside->config_file, machine->name));
}

/* Those of the same UUID on other hosts. */
static void look_at_twins(struct problem_search *search, const struct machine *machine)
{
    const struct pool *pool = coordinator_pool(search->coordinator);

    for (struct use own = {0}; use_next(machine, &own);)
        if (use_kind(&own) == EXCLUSIVE_IDENTITY)
            for (struct use use = {0}; pool_sharer_next(pool, &own, USERS_OWNING, &use);)
                look_at_twin(search, machine, use.machine);
}

static void look_at_roles(struct problem_search *search, bool has_protected, bool has_standby)
{
    if (has_protected && has_standby)
        return;
    problems_add(
        search, PROBLEM_NO_ROLES, "",
        text_print("%s", has_protected ? "no machine is standby, so that none may be started as a replacement"
                         : has_standby ? "no machine is protected, so that none is replaced when it fails"
                                       : "no machine is protected and none is standby, so that nothing "
                                         "happens when one fails"),
        text_print(
            "name machines in %s of %s, and then: understudyctl reload; or: understudyctl tag MACHINE --role ROLE",
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
        /* While it runs there may be no room for another one; its template stands by all the same. */
        roles |= machine->description->template != NULL ? ROLE_STANDBY : 0;
        look_at_quarantine(search, machine);
        look_at_resets(search, machine);
        look_at_removal(search, machine);
        look_at_disks(search, machine);
        look_at_template(search, machine);
        look_at_verification(search, machine);
        look_at_twins(search, machine);
        look_at_metadata(search, &judged, machine);
    }
    if (pool_count(pool) > 0)
        look_at_roles(search, (roles & ROLE_PROTECTED) != 0, (roles & ROLE_STANDBY) != 0);
}
