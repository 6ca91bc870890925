/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines are looked at now and then, and not by events: what is waited for takes days. */
#include "coordinator/expiry.h"

#include <string.h>

#include "base/units.h"
#include "workflow/question.h"

#define LOOK_MOST_US   (3600 * USEC_PER_SEC)
#define LOOK_LEAST_US  USEC_PER_SEC
#define RETRY_PAUSE_US (3600 * USEC_PER_SEC)

/* It may be the one that runs, or another host may have the disks that this one has left. */
static bool is_known_elsewhere(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    if (machine->reason == REASON_MIGRATED || registry_knows_migration(registry, ref.uuid))
        return true;
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (strcmp(registry->hosts[i].name, ref.hypervisor) != 0 &&
            pool_find(registry->pool, registry->hosts[i].name, ref.uuid) != NULL)
            return true;
    return false;
}

/* What it served has another machine by now, or it did not work; and nothing says that an operator wants it. */
static bool is_idle(const struct registry *registry, const struct machine *machine, const struct watch *watch)
{
    const struct domain_description *description = machine->description;
    struct machine_ref ref = machine_ref_of(machine);

    return description->roles == ROLE_IGNORED && !description->is_unfinished && machine->state == MACHINE_SHUT_OFF &&
           !machine->has_managed_save && machine->serves == NULL && machine->diverted == NULL &&
           machine->hold == NULL && !watch_is_taken(watch) && !records_may_have_parts(&registry->records, &ref) &&
           !watch_remembered(watch)->has_left;
}

static int64_t notice_us(const struct registry *registry)
{
    int64_t keep_us = registry->config->recovery.keep_made_us;

    return keep_us < EXPIRY_NOTICE_US ? keep_us : EXPIRY_NOTICE_US;
}

static void set(struct registry *registry, struct watch *watch, const struct machine *machine, int64_t since_us,
                int64_t removal_us)
{
    struct watch_memory *memory;

    pool_set_removal(registry->pool, machine, removal_us);
    if (watch_remembered(watch)->idle_since_us == since_us && watch_remembered(watch)->removal_us == removal_us)
        return;
    memory = watch_get_memory(watch);
    if (memory == NULL)
        return; /* it is looked at again */
    memory->state.idle_since_us = since_us;
    memory->state.removal_us = removal_us;
    watch_tidy_memory(watch);
    watch_mark_changed(registry, watch);
}

/* For good: libvirt forgets why it went off. */
static void note_departure(struct registry *registry, struct watch *watch)
{
    struct watch_memory *memory = watch_get_memory(watch);

    if (memory == NULL || memory->state.has_left)
        return;
    memory->state.has_left = true;
    watch_mark_changed(registry, watch);
}

static void announce(struct registry *registry, const struct machine *machine, int64_t removal_us, struct moment now)
{
    int64_t left_us = removal_us - now.real_us;
    char left[UNIT_TEXT_SIZE];

    duration_format(left_us < USEC_PER_SEC ? left_us : left_us / USEC_PER_SEC * USEC_PER_SEC, left);
    outbox_tell(
        &registry->outbox, NOTICE_EVENT_NOTED, now, machine,
        "%s, which was made from the template %s and serves nothing, is deleted in %s with the overlays and the seed "
        "that were made for it (recovery.keep_made); to keep it: understudyctl hold %s",
        pool_display_name(registry->pool, machine), machine->description->template, left,
        pool_display_name(registry->pool, machine));
}

/* When the machine, idle since then, is to be removed; 0: that is not to be announced yet. */
static int64_t find_removal(const struct registry *registry, int64_t since_us, int64_t announced_for_us,
                            struct moment now)
{
    int64_t end_us = since_us + registry->config->recovery.keep_made_us;

    if (end_us - notice_us(registry) > now.real_us)
        return 0;
    if (announced_for_us >= end_us)
        return announced_for_us;
    return end_us > now.real_us + notice_us(registry) ? end_us : now.real_us + notice_us(registry);
}

/* A clock that is wrong when the host boots is set soon after. */
static int64_t first_wait_us(const struct registry *registry)
{
    return notice_us(registry) < LOOK_MOST_US ? notice_us(registry) : LOOK_MOST_US;
}

static void look_at(struct expiry *expiry, struct watch *watch, const struct machine *machine, struct moment now)
{
    struct registry *registry = expiry->registry;
    const struct machine_memory *known = watch_remembered(watch);
    struct machine_ref ref = machine_ref_of(machine);
    int64_t since_us = known->idle_since_us, removal_us = 0, announced_for_us = known->removal_us;

    if (is_known_elsewhere(registry, machine))
        note_departure(registry, watch);
    if (registry->config->recovery.keep_made_us == 0 || !is_idle(registry, machine, watch)) {
        if (since_us != 0 || announced_for_us != 0)
            set(registry, watch, machine, 0, 0);
        return;
    }
    if (since_us == 0 || since_us > now.real_us)
        since_us = now.real_us;
    removal_us = find_removal(registry, since_us, announced_for_us, now);
    set(registry, watch, machine, since_us, removal_us);
    if (removal_us != 0 && removal_us != announced_for_us)
        announce(registry, machine, removal_us, now);
    if (removal_us != 0 && removal_us <= now.real_us && now.mono_us - expiry->begun_us >= first_wait_us(registry) &&
        *tasks_find_target(&expiry->tasks, &ref) == NULL)
        (void)!tasks_add(&expiry->tasks, ACTION_UNMAKE, &ref, ""); /* without memory the next look does it */
}

static int64_t pause_us(const struct registry *registry)
{
    int64_t tenth_us = registry->config->recovery.keep_made_us / 10;

    if (tenth_us == 0 || tenth_us > LOOK_MOST_US) /* 0: nothing is to be removed */
        return LOOK_MOST_US;
    return tenth_us > LOOK_LEAST_US ? tenth_us : LOOK_LEAST_US;
}

/* Only what its host has just told counts. */
static bool is_known(const struct registry *registry, const struct machine *machine)
{
    const struct host *host = host_find(registry, machine->hypervisor);

    return host != NULL && host->is_listed && machine->is_present;
}

void expiry_forget_announcements(struct expiry *expiry)
{
    struct registry *registry = expiry->registry;

    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;) {
        const struct machine *machine = watch_machine(registry, watch);

        if (machine != NULL && watch_remembered(watch)->removal_us != 0)
            set(registry, watch, machine, watch_remembered(watch)->idle_since_us, 0);
    }
    tasks_drop_all(&expiry->tasks);
    expiry->look_us = 0;
}

void expiry_tick(void *self, struct moment now)
{
    struct expiry *expiry = self;
    struct registry *registry = expiry->registry;

    expiry->now = now;
    if (expiry->look_us > now.mono_us)
        return;
    if (expiry->begun_us == 0)
        expiry->begun_us = now.mono_us;
    expiry->look_us = now.mono_us + pause_us(registry);
    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
        struct watch *watch = machine->description->template != NULL ? watch_of(registry, machine) : NULL;

        if (watch != NULL && machine->state != MACHINE_TEMPLATE && is_known(registry, machine))
            look_at(expiry, watch, machine, now);
    }
}

int64_t expiry_deadline(const void *self)
{
    const struct expiry *expiry = self;

    return expiry->registry->config->recovery.keep_made_us > 0 ? expiry->look_us : USEC_INFINITY;
}

/* It was announced for now, and is still as it was then. */
static bool is_to_go(const struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;

    return watch != NULL && registry->config->recovery.keep_made_us > 0 && is_known(registry, machine) &&
           is_idle(registry, machine, watch) && !is_known_elsewhere(registry, machine) &&
           watch_remembered(watch)->removal_us != 0 && watch_remembered(watch)->removal_us <= now.real_us;
}

bool expiry_next(void *self, struct action *ret)
{
    struct expiry *expiry = self;
    struct registry *registry = expiry->registry;
    struct task **at;

    if (registry->config->mode != MODE_AUTOMATIC)
        return false;
    while (*(at = tasks_find_due(&expiry->tasks, registry)) != NULL) {
        if (!is_to_go(registry, &(*at)->action.target, expiry->now)) {
            tasks_drop(at);
            continue;
        }
        *ret = task_ask(*at, registry, PART_EXPIRY, question_time_us(ACTION_UNMAKE, VERIFY_RUNNING, registry->config));
        ret->removes_data = true;
        return true;
    }
    return false;
}

static void tell_removed(struct registry *registry, const struct machine *machine, struct moment now)
{
    if (machine != NULL)
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, machine,
                    "%s, which was made from the template %s and served nothing any more, was deleted with the "
                    "overlays and the seed that were made for it (recovery.keep_made)",
                    pool_display_name(registry->pool, machine), machine->description->template);
}

void expiry_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct expiry *expiry = self;
    struct registry *registry = expiry->registry;
    struct task **at = tasks_find_action(&expiry->tasks, action->id);
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);

    if (*at == NULL)
        return;
    if (result->error == 0) {
        tell_removed(registry, machine, now);
        tasks_drop(at);
        return;
    }
    (*at)->retry_us = now.mono_us + RETRY_PAUSE_US;
    if ((*at)->tries++ == 0 && machine != NULL)
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, machine,
                    "%s could not be removed: %s; it is tried again once an hour",
                    pool_display_name(registry->pool, machine),
                    result->message[0] != '\0' ? result->message : strerror(-result->error));
}

void expiry_done(struct expiry *expiry)
{
    tasks_drop_all(&expiry->tasks);
}
