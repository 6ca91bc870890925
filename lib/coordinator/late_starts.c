/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts that take effect when nobody counts on them any more: two machines must not serve for one
 * failure. No question to a hypervisor tells of a start that is still to come, as one is whose answer was
 * lost with the connection or with the daemon that asked. So every attempt keeps, on disk as well, what is
 * known of its start (enum start_fate), and a machine that comes up by one that was given up is ended.
 */
#include <errno.h>
#include <stdlib.h>

#include "coordinator/coordinator_internal.h"

/* libvirt gives a process 10 s to end and up to 5 s more to be gone. */
#define STOP_TIMEOUT_US (20 * USEC_PER_SEC)

static struct recovery_attempt *find_attempt(const struct recovery *recovery, const struct machine_ref *ref)
{
    for (size_t i = recovery->n_attempts; i-- > 0;)
        if (machine_ref_equal(&recovery->attempts[i].candidate, ref))
            return &recovery->attempts[i];
    return NULL;
}

/*
 * A recovery counts on this machine: the one that asked for it then, one under way, or one that chose it later. asker
 * NULL: forgotten.
 */
static bool is_wanted(const struct coordinator *coordinator, const struct recovery *asker,
                      const struct recovery_attempt *attempt, const struct machine_ref *ref)
{
    /* Restarted in vain, and up after all: that is what was wished. */
    if (asker != NULL && machine_ref_equal(&asker->failed, ref))
        return true;
    for (size_t i = 0; i < coordinator->n_records; i++) {
        const struct recovery *recovery = coordinator->records[i];

        if (recovery->replacement_name == NULL || !machine_ref_equal(&recovery->replacement, ref))
            continue;
        if (!recovery_state_is_final(recovery->state))
            return true;
        if (recovery->state == RECOVERY_RECOVERED && (recovery->stands_in || recovery->is_restarting) &&
            (attempt == NULL || recovery == asker || recovery->decided.mono_us > attempt->decided.mono_us))
            return true;
    }
    return false;
}

static void set_fate(struct recovery *recovery, struct recovery_attempt *attempt, enum start_fate fate)
{
    recovery->is_changed |= attempt->fate != fate;
    attempt->fate = fate;
}

static void settle_strays(struct coordinator *coordinator, const struct machine_ref *ref)
{
    for (size_t i = 0; i < coordinator->n_records; i++)
        for (size_t n = 0; n < coordinator->records[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &coordinator->records[i]->attempts[n];

            if (attempt->fate == START_STRAY && machine_ref_equal(&attempt->candidate, ref))
                set_fate(coordinator->records[i], attempt, START_SETTLED);
        }
}

static bool is_being_ended(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    for (const struct late *late = coordinator->late; late != NULL; late = late->next)
        if (machine_ref_equal(&late->action.target, ref))
            return true;
    return false;
}

static void end_stray(struct coordinator *coordinator, const struct machine_ref *ref, const char *recovery_id,
                      struct moment now)
{
    struct late *late;

    if (is_being_ended(coordinator, ref))
        return;
    late = calloc(1, sizeof(*late));
    if (late == NULL) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, pool_find(coordinator->pool, ref->hypervisor, ref->uuid),
                    "no memory to stop it");
        return;
    }
    late->action.kind = ACTION_DESTROY;
    late->action.target = *ref;
    strncpy(late->action.recovery_id, recovery_id, sizeof(late->action.recovery_id) - 1);
    late->is_due = true;
    late->retry_us = USEC_INFINITY;
    late->next = coordinator->late;
    coordinator->late = late;
}

static void announce(struct coordinator *coordinator, const struct machine_ref *ref, const char *recovery_id,
                     struct moment now)
{
    const struct machine *machine = pool_find(coordinator->pool, ref->hypervisor, ref->uuid);

    notices_add(coordinator, NOTICE_ATTEMPT_FAILED, now, machine,
                "%s came up after recovery %s had given it up; it is stopped again",
                machine != NULL ? machine->name : ref->uuid, recovery_id);
}

void coordinator_handle_late_result(struct coordinator *coordinator, const struct action *action,
                                    const struct action_result *result, struct moment now)
{
    struct recovery *recovery = NULL;
    struct recovery_attempt *attempt = NULL;
    bool has_come_up;

    if (keeper_handle_late_result(coordinator, action, now))
        return;
    if (action->kind != ACTION_START)
        return;
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (strcmp(coordinator->records[i]->id, action->recovery_id) == 0)
            recovery = coordinator->records[i];
    if (recovery != NULL)
        attempt = find_attempt(recovery, &action->target);
    /* A start that failed may have taken effect all the same; only one that somebody else came before has not. */
    has_come_up = result->error != -EALREADY && result->error != -ENOENT &&
                  !is_wanted(coordinator, recovery, attempt, &action->target);
    if (attempt != NULL)
        set_fate(recovery, attempt, has_come_up ? START_STRAY : START_SETTLED);
    if (!has_come_up)
        return;
    if (result->error == 0 && !is_being_ended(coordinator, &action->target))
        announce(coordinator, &action->target, action->recovery_id, now);
    end_stray(coordinator, &action->target, action->recovery_id, now);
}

/* After so long, whatever comes up is rather somebody's own doing. */
static bool is_over(const struct coordinator *coordinator, const struct recovery_attempt *attempt, struct moment now)
{
    const struct config_recovery *config = &coordinator->config->recovery;
    const struct link *link = link_find(coordinator, attempt->candidate.hypervisor);

    /* Nobody could see whether it came up. */
    if (link != NULL && !link->is_listed)
        return false;
    return now.mono_us - attempt->decided.mono_us > config->start_timeout_us + config->late_start_us;
}

/* True: this attempt is what brought the machine up, and it is ended. */
static bool explains(struct coordinator *coordinator, struct recovery *recovery, struct recovery_attempt *attempt,
                     struct moment now)
{
    if (is_wanted(coordinator, recovery, attempt, &attempt->candidate))
        return false;
    if (attempt->fate == START_LOOSE)
        announce(coordinator, &attempt->candidate, recovery->id, now);
    set_fate(recovery, attempt, START_STRAY);
    end_stray(coordinator, &attempt->candidate, recovery->id, now);
    return true;
}

/* One start takes effect once: of several of one fate, the oldest explains it. */
static bool find_explanation(struct coordinator *coordinator, const struct machine_ref *ref, enum start_fate fate,
                             struct moment now)
{
    for (size_t i = 0; i < coordinator->n_records; i++)
        for (size_t n = 0; n < coordinator->records[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &coordinator->records[i]->attempts[n];

            if (attempt->fate == fate && machine_ref_equal(&attempt->candidate, ref) &&
                explains(coordinator, coordinator->records[i], attempt, now))
                return true;
        }
    return false;
}

static void settle_old_ones(struct coordinator *coordinator, struct moment now)
{
    coordinator->has_loose = false;
    for (size_t i = 0; i < coordinator->n_records; i++)
        for (size_t n = 0; n < coordinator->records[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &coordinator->records[i]->attempts[n];

            if (attempt->fate == START_LOOSE && is_over(coordinator, attempt, now))
                set_fate(coordinator->records[i], attempt, START_SETTLED);
            coordinator->has_loose |= attempt->fate != START_SETTLED;
        }
}

void late_observe(struct coordinator *coordinator, const struct machine *machine, bool came_up, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);

    if (!coordinator->has_loose)
        return;
    settle_old_ones(coordinator, now);
    /* One that is to be ended explains that it is up, however long already. */
    if (machine->state == MACHINE_RUNNING && !find_explanation(coordinator, &ref, START_STRAY, now) && came_up)
        find_explanation(coordinator, &ref, START_LOOSE, now);
    if (machine->state == MACHINE_SHUT_OFF && !is_being_ended(coordinator, &ref))
        settle_strays(coordinator, &ref);
}

bool late_may_come_up(const struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);

    for (size_t i = 0; coordinator->has_loose && i < coordinator->n_records; i++) {
        const struct recovery *recovery = coordinator->records[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (recovery->attempts[n].fate != START_SETTLED && !is_over(coordinator, &recovery->attempts[n], now) &&
                machine_ref_equal(&recovery->attempts[n].candidate, &ref))
                return true;
    }
    return is_being_ended(coordinator, &ref);
}

bool late_is_possible(const struct coordinator *coordinator, const struct recovery *recovery, struct moment now)
{
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (recovery->attempts[i].fate != START_SETTLED && !is_over(coordinator, &recovery->attempts[i], now))
            return true;
    return false;
}

static bool is_needed(struct coordinator *coordinator, const struct action *action)
{
    const struct recovery *asker = coordinator_find_recovery(coordinator, action->recovery_id);
    const struct recovery_attempt *attempt = asker != NULL ? find_attempt(asker, &action->target) : NULL;

    return link_find(coordinator, action->target.hypervisor) == NULL ||
           is_wanted(coordinator, asker, attempt, &action->target);
}

static struct late **find_due(struct coordinator *coordinator)
{
    struct late **at = &coordinator->late;

    while (*at != NULL && !(*at)->is_due)
        at = &(*at)->next;
    return at;
}

bool late_next(struct coordinator *coordinator, struct action *ret)
{
    struct late **at;

    while (*(at = find_due(coordinator)) != NULL) {
        struct late *late = *at;

        late->is_due = false;
        /* Off in the meantime, and chosen anew; or nobody's business any more. */
        if (is_needed(coordinator, &late->action)) {
            settle_strays(coordinator, &late->action.target);
            *at = late->next;
            free(late);
            continue;
        }
        late->action.id = ++coordinator->last_action;
        late->action.as_of = coordinator->events;
        late->action.timeout_us = STOP_TIMEOUT_US;
        *ret = late->action;
        return true;
    }
    return false;
}

bool late_answer(struct coordinator *coordinator, const struct action_result *result, struct moment now)
{
    for (struct late **at = &coordinator->late; *at != NULL; at = &(*at)->next) {
        struct late *late = *at;

        if (late->action.id != result->id)
            continue;
        if (result->error == 0 || result->error == -ENOENT) {
            settle_strays(coordinator, &late->action.target);
            *at = late->next;
            free(late);
        } else {
            late->retry_us = now.mono_us + RETRY_US;
        }
        return true;
    }
    return false;
}

void late_tick(struct coordinator *coordinator, struct moment now)
{
    for (struct late *late = coordinator->late; late != NULL; late = late->next)
        if (late->retry_us <= now.mono_us) {
            late->retry_us = USEC_INFINITY;
            late->is_due = true;
        }
}

int64_t late_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (const struct late *late = coordinator->late; late != NULL; late = late->next)
        if (late->retry_us < deadline_us)
            deadline_us = late->retry_us;
    return deadline_us;
}
