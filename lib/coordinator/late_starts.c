/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts that take effect when no recovery counts on them any more. */
#include "coordinator/late_starts.h"

#include <errno.h>

#include "coordinator/machines.h"
#include "workflow/question.h"

static struct recovery_attempt *find_attempt(const struct recovery *recovery, const struct machine_ref *ref)
{
    for (size_t i = recovery->n_attempts; i-- > 0;)
        if (machine_ref_equal(&recovery->attempts[i].candidate, ref))
            return &recovery->attempts[i];
    return NULL;
}

static bool went_on_with_another(const struct recovery *recovery)
{
    return recovery->replacement_name != NULL && !machine_ref_equal(&recovery->replacement, &recovery->failed) &&
           (recovery->state == RECOVERY_RECOVERED || recovery_state_has_candidate(recovery->state));
}

/*
 * A recovery counts on this machine: the one that asked for it then, one under way, or one that chose it later. asker
 * NULL: forgotten.
 */
static bool is_wanted(const struct registry *registry, const struct recovery *asker,
                      const struct recovery_attempt *attempt, const struct machine_ref *ref)
{
    const struct diversion *diversion = diversions_served_by(&registry->diversions, ref);

    /* Restarted in vain, and up after all: that is what was wished, unless another machine was started since. */
    if (asker != NULL && machine_ref_equal(&asker->failed, ref) && !went_on_with_another(asker))
        return true;
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        if (recovery->replacement_name == NULL || !machine_ref_equal(&recovery->replacement, ref))
            continue;
        /* What ends it, once begun, may have found it off, before it came up. */
        if (!recovery_state_is_final(recovery->state))
            return recovery->state != RECOVERY_STOPPING || !recovery->question.is_handed_out;
        if (recovery->state == RECOVERY_RECOVERED &&
            (recovery->is_restarting || machine_ref_equal(ref, &recovery->service)) &&
            (attempt == NULL || recovery == asker || recovery->decided.mono_us > attempt->decided.mono_us))
            return true;
    }
    return diversion != NULL && (attempt == NULL || diversion->since.mono_us > attempt->decided.mono_us);
}

static void set_fate(struct registry *registry, struct recovery *recovery, struct recovery_attempt *attempt,
                     enum start_fate fate)
{
    if (attempt->may_leave_parts)
        registry_tell(registry, FACT_LEFTOVERS);
    recovery->is_changed |= attempt->fate != fate;
    attempt->fate = fate;
}

/*
 * The machine is off, and its start is settled. If the call still hangs, the start is unanswered instead: an operator may
 * have started the machine that was ended, and the call may start it later.
 */
static void settle_late_ones(struct registry *registry, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->records.count; i++)
        for (size_t n = 0; n < registry->records.all[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &registry->records.all[i]->attempts[n];

            if (attempt->fate == START_CAME_LATE && machine_ref_equal(&attempt->candidate, ref))
                set_fate(registry, registry->records.all[i], attempt,
                         attempt->hangs ? START_UNANSWERED : START_SETTLED);
        }
}

static bool is_being_ended(const struct late_starts *late_starts, const struct machine_ref *ref)
{
    for (const struct task *task = late_starts->came_late; task != NULL; task = task->next)
        if (machine_ref_equal(&task->action.target, ref))
            return true;
    return false;
}

static void end_late_one(struct late_starts *late_starts, const struct machine_ref *ref, const char *recovery_id,
                         struct moment now)
{
    struct registry *registry = late_starts->registry;

    task_hurry(*tasks_find_target(&late_starts->came_late, ref));
    if (!is_being_ended(late_starts, ref) &&
        tasks_add(&late_starts->came_late, ACTION_DESTROY, ref, recovery_id) == NULL)
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, pool_find(registry->pool, ref->hypervisor, ref->uuid),
                    "no memory to stop a machine that came up too late");
}

static void announce(struct registry *registry, const struct machine_ref *ref, const char *recovery_id,
                     struct moment now)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    outbox_tell(&registry->outbox, NOTICE_ATTEMPT_FAILED, now, machine,
                "%s came up after recovery %s had given it up; it is being stopped",
                machine != NULL ? pool_display_name(registry->pool, machine) : ref->uuid, recovery_id);
}

/* Another recovery has the machine in hand, and may let it go again. */
static bool is_in_hand(const struct registry *registry, const struct recovery *asker, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        if (recovery != asker && !recovery_state_is_final(recovery->state) && recovery->replacement_name != NULL &&
            machine_ref_equal(&recovery->replacement, ref))
            return true;
    }
    return false;
}

void late_starts_handle_late_result(struct late_starts *late_starts, const struct action *action,
                                    const struct action_result *result, struct moment now)
{
    struct registry *registry = late_starts->registry;
    struct recovery *recovery = records_find(&registry->records, action->recovery_id);
    struct recovery_attempt *attempt = recovery != NULL ? find_attempt(recovery, &action->target) : NULL;
    bool may_run, has_come_up;

    if (action->kind != ACTION_START)
        return;
    /* A start that failed may have taken effect all the same; only one that another start came before has not. */
    may_run = result->error != -EALREADY && result->error != -ENOENT;
    has_come_up = may_run && !is_wanted(registry, recovery, attempt, &action->target);
    if (attempt != NULL) {
        attempt->hangs = false;
        set_fate(registry, recovery, attempt,
                 has_come_up                                                  ? START_CAME_LATE
                 : may_run && is_in_hand(registry, recovery, &action->target) ? START_UNANSWERED
                                                                              : START_SETTLED);
    }
    if (!has_come_up)
        return;
    if (result->error == 0 && !is_being_ended(late_starts, &action->target))
        announce(registry, &action->target, action->recovery_id, now);
    end_late_one(late_starts, &action->target, action->recovery_id, now);
}

int64_t late_starts_end_us(const struct registry *registry, const struct recovery_attempt *attempt)
{
    const struct config_recovery *config = &registry->config->recovery;

    return attempt->decided.mono_us + config->start_timeout_us + config->late_start_us;
}

static bool is_over(const struct registry *registry, const struct recovery_attempt *attempt, struct moment now)
{
    const struct host *host = host_find(registry, attempt->candidate.hypervisor);

    /* While its host is not listed, it cannot be seen whether it came up. */
    if (host != NULL && !host->is_listed)
        return false;
    return now.mono_us > late_starts_end_us(registry, attempt);
}

/* True: this attempt brought the machine up, and the machine is ended. */
static bool explains(struct late_starts *late_starts, struct recovery *recovery, struct recovery_attempt *attempt,
                     struct moment now)
{
    if (is_wanted(late_starts->registry, recovery, attempt, &attempt->candidate))
        return false;
    if (attempt->fate == START_UNANSWERED)
        announce(late_starts->registry, &attempt->candidate, recovery->id, now);
    set_fate(late_starts->registry, recovery, attempt, START_CAME_LATE);
    end_late_one(late_starts, &attempt->candidate, recovery->id, now);
    return true;
}

/* One start takes effect once: of several of one fate, the oldest explains it. */
static bool find_explanation(struct late_starts *late_starts, const struct machine_ref *ref, enum start_fate fate,
                             struct moment now)
{
    const struct records *records = &late_starts->registry->records;

    for (size_t i = 0; i < records->count; i++)
        for (size_t n = 0; n < records->all[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &records->all[i]->attempts[n];

            if (attempt->fate == fate && machine_ref_equal(&attempt->candidate, ref) &&
                explains(late_starts, records->all[i], attempt, now))
                return true;
        }
    return false;
}

/* False: no start is left that may take effect late. */
static bool settle_old_ones(struct registry *registry, struct moment now)
{
    const struct records *records = &registry->records;
    bool is_any_left = false;

    for (size_t i = 0; i < records->count; i++)
        for (size_t n = 0; n < records->all[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &records->all[i]->attempts[n];

            if (attempt->fate == START_UNANSWERED && is_over(registry, attempt, now))
                set_fate(registry, records->all[i], attempt, START_SETTLED);
            is_any_left |= attempt->fate != START_SETTLED;
        }
    return is_any_left;
}

/* A machine's state was learned. If it came up, a start that was given up may have taken effect: it is ended then. */
static void observe(struct late_starts *late_starts, const struct machine *machine, bool came_up, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);

    /* One that is to be ended explains that it is up, however long already. */
    if (machine->state == MACHINE_RUNNING && !find_explanation(late_starts, &ref, START_CAME_LATE, now) && came_up)
        find_explanation(late_starts, &ref, START_UNANSWERED, now);
    if (machine_state_is_startable(machine->state) && !is_being_ended(late_starts, &ref))
        settle_late_ones(late_starts->registry, &ref);
}

bool late_starts_handle(void *self, struct moment now)
{
    struct late_starts *late_starts = self;
    struct registry *registry = late_starts->registry;
    struct watch *watch;
    unsigned facts;
    bool is_any_left;

    if (!watch_is_any(registry, QUEUE_LATE_STARTS))
        return false;
    is_any_left = settle_old_ones(registry, now);
    while ((watch = watch_take(registry, QUEUE_LATE_STARTS, &facts)) != NULL) {
        const struct machine *machine = is_any_left ? watch_machine(registry, watch) : NULL;

        if (machine != NULL)
            observe(late_starts, machine, (facts & MACHINE_FACT_CAME_UP) != 0, now);
    }
    /* Whether it runs twice depends on whether it is ended here. */
    registry_tell(registry, FACT_SERVING_CHANGED);
    return true;
}

bool late_starts_may_bring_up(const struct late_starts *late_starts, const struct machine *machine, struct moment now)
{
    const struct registry *registry = late_starts->registry;
    struct machine_ref ref = machine_ref_of(machine);

    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (recovery->attempts[n].fate != START_SETTLED &&
                machine_ref_equal(&recovery->attempts[n].candidate, &ref) &&
                !is_over(registry, &recovery->attempts[n], now))
                return true;
    }
    return is_being_ended(late_starts, &ref);
}

bool late_starts_are_possible(const struct registry *registry, const struct recovery *recovery, struct moment now)
{
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (recovery->attempts[i].fate != START_SETTLED && !is_over(registry, &recovery->attempts[i], now))
            return true;
    return false;
}

/* Off in the meantime, and chosen anew; or its hypervisor is not configured any more. */
static bool is_to_stay(const struct registry *registry, const struct action *action)
{
    const struct recovery *asker = records_find(&registry->records, action->recovery_id);
    const struct recovery_attempt *attempt = asker != NULL ? find_attempt(asker, &action->target) : NULL;

    return host_find(registry, action->target.hypervisor) == NULL ||
           is_wanted(registry, asker, attempt, &action->target);
}

bool late_starts_next(void *self, struct action *ret)
{
    struct late_starts *late_starts = self;
    struct registry *registry = late_starts->registry;
    struct task **at;

    while (*(at = tasks_find_due(&late_starts->came_late, registry)) != NULL) {
        if (is_to_stay(registry, &(*at)->action)) {
            settle_late_ones(registry, &(*at)->action.target);
            tasks_drop(at);
            continue;
        }
        *ret = task_ask(*at, registry, PART_LATE_STARTS, QUESTION_STOP_US);
        return true;
    }
    return false;
}

/* News that it came up may be on its way. */
static void write_off(struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    struct watch *watch = watch_find(registry, ref);

    if (machine != NULL && watch != NULL)
        machines_write_off(registry, watch, machine, now);
}

void late_starts_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct late_starts *late_starts = self;
    struct task **at = tasks_find_action(&late_starts->came_late, action->id);

    if (*at == NULL)
        return;
    if (result->error == 0)
        write_off(late_starts->registry, &action->target, now);
    if (result->error == 0 || result->error == -ENOENT) {
        settle_late_ones(late_starts->registry, &action->target);
        tasks_drop(at);
    } else {
        (*at)->retry_us = now.mono_us + RETRY_US;
    }
}

void late_starts_done(struct late_starts *late_starts)
{
    tasks_drop_all(&late_starts->came_late);
}
