/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How recoveries begin. */
#include "coordinator/opening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drills.h"
#include "coordinator/failures.h"
#include "coordinator/machines.h"
#include "coordinator/open_recovery.h"
#include "coordinator/services.h"

static int make_room(struct recoveries *recoveries)
{
    struct open_recovery **open = reallocarray(recoveries->open, recoveries->n_open + 1, sizeof(*open));

    if (open == NULL)
        return -ENOMEM;
    recoveries->open = open;
    return records_make_room(&recoveries->registry->records);
}

/* Claims, holds and enters into the books. Takes the recovery on success; it must be among the records. */
static int enter(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                 struct open_recovery **ret)
{
    struct watch *watch = watch_get_of(recoveries->registry, failed);
    struct watch_rare *rare = watch != NULL ? watch_get_rare(watch) : NULL;
    _cleanup_(freep) struct open_recovery *open = calloc(1, sizeof(*open));
    int r;

    if (open == NULL || rare == NULL)
        return -ENOMEM;
    r = pool_claim(recoveries->registry->pool, failed, recovery->id);
    if (r < 0)
        return r;
    pool_hold(recoveries->registry->pool, failed);
    open->failed = failed;
    open->retry_us = USEC_INFINITY;
    open->recovery = recovery;
    rare->recovers = open;
    recoveries->open[recoveries->n_open++] = open;
    *ret = open;
    open = NULL;
    return 0;
}

/* What earlier recoveries leave to this one. */
static void count_spent(const struct recoveries *recoveries, struct recovery *recovery, struct moment at)
{
    const struct registry *registry = recoveries->registry;
    unsigned limit = registry->config->recovery.limit;

    recovery->is_beyond_limit = limit != 0 && brake_budget_spent(registry, &recovery->service, recovery, at) >= limit;
    recovery->restarts_before = brake_restarts_spent(registry, &recovery->failed, recovery, at);
}

static void set_operator(struct recovery *recovery, const char *by)
{
    snprintf(recovery->ordered_by, sizeof(recovery->ordered_by), "%s", by != NULL ? by : "");
}

/* Without a word. -ENOMEM. */
static int open_one(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                    enum failure_cause cause, struct moment at, struct open_recovery **ret)
{
    _cleanup_(recovery_freep) struct recovery *recovery = NULL;
    struct registry *registry = recoveries->registry;
    char id[RECOVERY_ID_SIZE];
    int r = make_room(recoveries);

    if (r < 0)
        return r;
    records_make_id(&registry->records, at, id);
    r = recovery_new(id, machine, cause, at, &recovery);
    if (r >= 0)
        r = enter(recoveries, recovery, machine, ret);
    if (r < 0)
        return r;
    recovery->is_drill = drills_is_due(registry, watch, at);
    recovery->is_rehearsal = recovery->is_drill && watch_remembered(watch)->drill.is_rehearsal;
    set_operator(recovery, recovery->is_drill ? watch_remembered(watch)->drill.by : NULL);
    recovery->service = services_original_of(registry, machine);
    drills_end(registry, watch);
    records_add(&registry->records, steal_pointer(&recovery));
    return 0;
}

/* By another machine than the one that failed then, as its original that was started by hand. */
static bool was_served_since(const struct registry *registry, const struct recovery *earlier)
{
    const struct diversion *diversion = diversions_of(&registry->diversions, &earlier->service);

    return !machine_ref_equal(&earlier->failed, &earlier->service) &&
           (diversion == NULL || !machine_ref_equal(&diversion->service.replacement, &earlier->failed));
}

/* Its service failed while it was held, and is down since: it is the operator's, whichever of its machines fails now. */
static bool is_operators(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct registry *registry = recoveries->registry;
    const struct records *records = &registry->records;

    for (size_t i = records->count; i-- > 0;) {
        const struct recovery *earlier = records->all[i];
        const struct machine *failed;

        if (earlier == open->recovery || !machine_ref_equal(&earlier->service, &open->recovery->service))
            continue;
        failed = pool_find(registry->pool, earlier->failed.hypervisor, earlier->failed.uuid);
        return earlier->state == RECOVERY_HELD && failed != NULL && failed->failed_unrecovered &&
               !was_served_since(registry, earlier);
    }
    return false;
}

static void begin(struct recoveries *recoveries, struct open_recovery *open, struct moment at)
{
    struct recovery_event hold = {
        .kind = RECOVERY_HOLD,
        .now = at,
        .detail = "its service failed while it was held, and was not recovered since",
    };

    open_recovery_heed_hold(recoveries, open, at);
    if (!open->recovery->is_held && is_operators(recoveries, open))
        open_recovery_handle(recoveries, open, &hold);
    if (!open->recovery->is_held)
        count_spent(recoveries, open->recovery, at);
    open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_BEGIN, .now = at});
    if (!recovery_state_is_final(open->recovery->state))
        registry_tell(recoveries->registry, FACT_FAILURES);
}

/* When it went down: when its host was heard of last, or when it began to be waited for. */
static struct moment went_down(const struct registry *registry, const struct watch *watch,
                               const struct recovery *recovery)
{
    const struct host *host = host_find(registry, recovery->failed.hypervisor);
    struct moment since = watch_rare(watch)->track.pending_since;

    if (recovery->cause == CAUSE_HOST_LOST && host != NULL && moment_has_come(host->track.missing))
        since = host->track.missing;
    return moment_has_come(since) && since.mono_us < recovery->detected.mono_us ? since : recovery->detected;
}

int opening_begin(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  enum failure_cause cause, const char *why, struct moment at)
{
    struct open_recovery *open = NULL;
    int r = open_one(recoveries, watch, machine, cause, at, &open);

    if (r < 0)
        return r;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    open->recovery->failed_at = went_down(recoveries->registry, watch, open->recovery);
    open->recovery->was_seen_dead = watch_is_unnoticed(recoveries->registry, watch); /* libvirt cannot be asked yet */
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_FAILURE_DETECTED, at, open->recovery, "%s failed: %s",
                         pool_display_name(recoveries->registry->pool, machine), why);
    begin(recoveries, open, at);
    return 0;
}

int opening_retry(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  const struct recovery *earlier, const char *why, struct moment at)
{
    struct moment down_since = recovery_down_since(earlier), failed_at = earlier->failed_at;
    struct open_recovery *open = NULL;
    int r = open_one(recoveries, watch, machine, earlier->cause, at, &open); /* the earlier one may be forgotten now */

    if (r < 0)
        return r;
    open->recovery->down_since = down_since; /* NOLINT(clang-analyzer-core.NullDereference): there is one */
    open->recovery->failed_at = failed_at;
    open->is_retry = true;
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_EVENT_NOTED, at, open->recovery,
                         "%s is still down, and is tried again: %s", open->recovery->service_name, why);
    begin(recoveries, open, at);
    return 0;
}

int opening_order(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  const struct recovery *earlier, const char *by, struct moment at)
{
    bool has_failed_since =
        earlier != NULL && (earlier->state == RECOVERY_EXHAUSTED || earlier->state == RECOVERY_HELD);
    struct moment down_since = has_failed_since ? recovery_down_since(earlier) : at;
    struct moment failed_at = has_failed_since ? earlier->failed_at : at;
    struct open_recovery *open = NULL;
    int r = open_one(recoveries, watch, machine, has_failed_since ? earlier->cause : CAUSE_FOUND_CRASHED, at, &open);

    if (r < 0)
        return r;
    open->recovery->down_since = down_since; /* NOLINT(clang-analyzer-core.NullDereference): there is one */
    open->recovery->failed_at = failed_at;
    set_operator(open->recovery, by);
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_CHANGED, at, open->recovery,
                         "%s is recovered now, as %s ordered", open->recovery->service_name,
                         by != NULL && by[0] != '\0' ? by : "an operator");
    open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_BEGIN, .now = at});
    return 0;
}

int opening_relieve(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                    const struct relief_order *order, struct moment at)
{
    _cleanup_(freep) char *to_name = strdup(order->to->name);
    struct open_recovery *open = NULL;
    struct recovery *recovery;
    int r = to_name != NULL ? open_one(recoveries, watch, machine, order->cause, at, &open) : -ENOMEM;

    if (r < 0)
        return r;
    recovery = open->recovery; /* NOLINT(clang-analyzer-core.NullDereference): there is one */
    recovery->is_drill = false;
    recovery->is_rehearsal = order->is_rehearsal;
    recovery->relief = order->when;
    recovery->to = machine_ref_of(order->to);
    recovery->to_name = steal_pointer(&to_name);
    set_operator(recovery, order->by);
    recovery->is_forced = order->is_forced;
    recovery->is_anyway = order->is_anyway;
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_CHANGED, at, recovery,
                         "%s is to take over the service %s from %s: %s",
                         pool_display_name(recoveries->registry->pool, order->to), recovery->service_name,
                         pool_display_name(recoveries->registry->pool, machine),
                         order->is_rehearsal ? "it is a rehearsal" : failure_cause_sentence(order->cause));
    open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_BEGIN, .now = at});
    return 0;
}

int opening_adopt(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                  const struct machine *candidate, struct moment now)
{
    struct recovery_event back = {.kind = RECOVERY_RECONNECTED, .now = now};
    struct open_recovery *open = NULL;
    int r = make_room(recoveries);

    if (r >= 0)
        r = enter(recoveries, recovery, failed, &open);
    if (r < 0)
        return r;
    machines_resume_recovery(watch_of(recoveries->registry, failed), failed);
    if (candidate != NULL)
        (void)!open_recovery_claim(recoveries, open, candidate); /* one that is another recovery's is not its own */
    /* What was fenced in the meantime gives no answer; that it is off is known. */
    if (recovery->replacement_name != NULL && host_is_fenced(recoveries->registry, recovery->replacement.hypervisor))
        back.kind = RECOVERY_CANDIDATE_FENCED;
    open_recovery_heed_hold(recoveries, open, now);
    open_recovery_handle(recoveries, open, &back);
    return 0;
}
