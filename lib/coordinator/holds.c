/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds.
 *
 *     begin, end, expiry ─▶ the mark on machines and hosts ─▶ hosts: no time runs, nothing is fenced
 *                                                          ─▶ recoveries: nothing further is begun
 *                                                          ─▶ the choice: no candidate
 */
#include "coordinator/holds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "coordinator/moves.h"

/* Machines and hosts show it, and who acts on them looks again. */
static void show(struct registry *registry)
{
    hold_marks_show_all(&registry->holds, registry->pool);
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];
        const struct hold *hold = registry_hold_on_host(registry, host->name);
        bool has_turned = (host->hold != NULL) != (hold != NULL);

        host->hold = hold;
        if (has_turned)
            host_tell(host, HOST_READER_HOSTS, HOST_FACT_HOLD);
    }
    registry_tell(registry, FACT_HOLDS_CHANGED);
    registry_tell(registry, FACT_POOL_CHANGED);
}

static void tell(struct registry *registry, enum notice_kind kind, const struct hold *hold, struct moment now,
                 const char *text)
{
    if (hold->scope == HOLD_HOST)
        outbox_tell_host(&registry->outbox, kind, now, hold->name, "%s", text);
    else
        outbox_tell(&registry->outbox, kind, now, pool_find(registry->pool, hold->target.hypervisor, hold->target.uuid),
                    "%s", text);
}

static const char *subject_of(const struct hold *hold)
{
    return hold->scope == HOLD_ALL ? "everything" : hold->name;
}

/* what_stays: of the services of a host that was evacuated; NULL: it was not. */
static void tell_begin(struct registry *registry, const struct hold *hold, const char *what_stays, struct moment now)
{
    _cleanup_(freep) char *text = NULL;
    char time[UNIT_TEXT_SIZE] = "";

    if (hold->time_us > 0)
        duration_format(hold->time_us, time);
    text = text_print("%s is held%s%s and not acted on%s%s%s%s", subject_of(hold), time[0] != '\0' ? " for " : "", time,
                      what_stays != NULL ? "; " : "", what_stays != NULL ? what_stays : "",
                      hold->reason != NULL ? ": " : "", hold->reason != NULL ? hold->reason : "");
    if (text != NULL)
        tell(registry, NOTICE_HOLD_BEGUN, hold, now, text);
}

/* Services that are down, whose machine it covers and nothing else does. The hold is over. */
static size_t count_down(const struct registry *registry, const struct hold *hold)
{
    size_t count = 0;

    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
        struct machine_ref ref = machine_ref_of(machine);

        count += machine->failed_unrecovered && machine_is_protected(machine) && machine->hold == NULL &&
                 hold_covers(hold, &ref);
    }
    return count;
}

/* What failed meanwhile is not made good by itself: the operator hears of it. */
static void end(struct registry *registry, struct hold *hold, const char *why, struct moment now)
{
    _cleanup_(freep) char *down = NULL, *text = NULL;
    bool was_evacuating = hold->is_evacuating;
    size_t n_down;

    hold->is_over = true;
    hold->is_changed = true;
    show(registry);
    n_down = count_down(registry, hold);
    if (n_down > 0)
        down = text_print("; %zu service%s of it %s down and %s so until the operator recovers or starts %s", n_down,
                          PLURAL(n_down), n_down == 1 ? "is" : "are", n_down == 1 ? "stays" : "stay",
                          n_down == 1 ? "it" : "them");
    text = was_evacuating ? text_print("%s is evacuated no longer, and takes starts again: %s", subject_of(hold), why)
                          : text_print("%s is held no longer: %s%s", subject_of(hold), why, down != NULL ? down : "");
    if (text != NULL)
        tell(registry, NOTICE_HOLD_ENDED, hold, now, text);
}

/* In the place of one that is there. */
static int replace(struct registry *registry, enum hold_scope scope, const struct machine_ref *target, const char *name,
                   const char *reason, const char *by, int64_t time_us, struct moment now, struct hold **ret)
{
    struct hold *before = hold_marks_find(&registry->holds, scope, target), *hold = NULL;
    int r = hold_new(scope, target, name, reason, by, time_us, now, &hold);

    if (r == 0)
        r = hold_marks_add(&registry->holds, hold);
    if (r < 0)
        return r;
    /* The new one is written after the old one is forgotten, under the same key. */
    if (before != NULL) {
        before->is_over = true;
        before->is_changed = true;
    }
    *ret = hold;
    return 0;
}

int holds_begin(struct holds *holds, enum hold_scope scope, const struct machine_ref *target, const char *name,
                const char *reason, const char *by, int64_t time_us, struct moment now)
{
    struct registry *registry = holds->registry;
    struct hold *hold;
    int r = replace(registry, scope, target, name, reason, by, time_us, now, &hold);

    if (r < 0)
        return r;
    show(registry);
    tell_begin(registry, hold, NULL, now);
    return 0;
}

int holds_evacuate(struct holds *holds, const struct machine_ref *host, const char *reason, const char *by,
                   int64_t time_us, struct moment now)
{
    struct registry *registry = holds->registry;
    struct hold *hold;
    int r = replace(registry, HOLD_HOST, host, host->hypervisor, reason, by, time_us, now, &hold);

    if (r < 0)
        return r;
    hold->is_evacuating = true;
    show(registry);
    outbox_tell_host(&registry->outbox, NOTICE_CHANGED, now, host->hypervisor,
                     "%s is being evacuated: no machine is started there, its services are failed over one by one, and "
                     "then it is held",
                     host->hypervisor);
    return 0;
}

void holds_have_evacuated(struct holds *holds, struct hold *hold, const char *what_stays, struct moment now)
{
    hold->is_evacuating = false;
    hold->since_us = now.real_us;
    hold->is_changed = true;
    show(holds->registry);
    tell_begin(holds->registry, hold, what_stays, now);
}

int holds_end(struct holds *holds, enum hold_scope scope, const struct machine_ref *target, struct moment now)
{
    struct hold *hold = hold_marks_find(&holds->registry->holds, scope, target);

    if (hold == NULL)
        return -ENOENT;
    end(holds->registry, hold, "released by the operator", now);
    return 0;
}

int holds_restore(struct holds *holds, struct hold *hold)
{
    int r = hold_marks_add(&holds->registry->holds, hold);

    if (r == 0)
        show(holds->registry);
    return r;
}

/* ---- migrations ---- */

/* One like it on the machine where that runs now, unless it is held there already. -ENOMEM: all is as it was. */
static int follow(struct registry *registry, struct hold *hold, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    /* Until the one that was left is gone, two have its name. */
    const char *name = strcmp(hold->name, machine->name) == 0 ? hold->name : pool_display_name(registry->pool, machine);
    struct hold *after = NULL;
    int r = 0;

    if (hold_marks_find(&registry->holds, HOLD_MACHINE, &ref) == NULL)
        r = hold_new(HOLD_MACHINE, &ref, name, hold->reason, hold->by, hold->time_us, now, &after);
    if (r == 0 && after != NULL) {
        after->since_us = hold->since_us;
        r = hold_marks_add(&registry->holds, after);
    }
    if (r < 0)
        return r;
    hold->is_over = true;
    hold->is_changed = true;
    outbox_tell(&registry->outbox, NOTICE_CHANGED, now, machine, "%s was migrated to %s, and is held there",
                machine->name, machine->hypervisor);
    return 0;
}

/* A machine that is held stays so. Holds on hosts do not move: what leaves such a host is held no longer. */
static bool follow_all(struct registry *registry, struct moment now)
{
    size_t count = registry->holds.count;
    bool has_followed = false;

    for (size_t i = 0; i < count; i++) {
        struct hold *hold = registry->holds.all[i];
        const struct machine *machine =
            !hold->is_over && hold->scope == HOLD_MACHINE ? moves_trace(registry, &hold->target) : NULL;

        has_followed |= machine != NULL && follow(registry, hold, machine, now) == 0;
    }
    if (has_followed)
        show(registry);
    return has_followed;
}

/* ---- time ---- */

/* A host that cannot be reached would count as lost, and be fenced. One that is off is not, as far as this daemon knows. */
static const struct host *find_out_of_reach(const struct registry *registry, const struct hold *hold)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        bool is_off = host->track.state == HOST_FENCED && !host->track.was_seen && !host->was_off;

        if (!host->is_listed && !is_off &&
            (hold->scope == HOLD_ALL || strcmp(hold->target.hypervisor, host->name) == 0))
            return host;
    }
    return NULL;
}

static void keep(struct registry *registry, struct hold *hold, const struct host *host, struct moment now)
{
    _cleanup_(freep) char *text = NULL;

    /* Not heard since the start, or not listed yet: it may answer any moment. */
    if (hold->is_overdue || host->track.state == HOST_UNKNOWN || host->track.is_connected)
        return;
    hold->is_overdue = true;
    text =
        text_print("%s is held on although the time of the hold is over, because %s cannot be reached and would count "
                   "as lost; the hold ends when %s is back, or by: understudyctl release %s",
                   subject_of(hold), host->name, host->name, hold->name);
    if (text != NULL)
        tell(registry, NOTICE_HOLD_OVERDUE, hold, now, text);
}

/* What is left of its time; 0: it is over. A beginning in the future was taken from a wrong clock: it counts as now. */
static int64_t time_left_us(struct hold *hold, struct moment now)
{
    if (hold->since_us > now.real_us) {
        hold->since_us = now.real_us;
        hold->is_changed = true;
    }
    return now.real_us - hold->since_us < hold->time_us ? hold->time_us - (now.real_us - hold->since_us) : 0;
}

bool holds_handle(void *self, struct moment now)
{
    struct holds *holds = self;
    struct registry *registry = holds->registry;
    bool has_any = follow_all(registry, now);

    holds->due_us = USEC_INFINITY;
    for (size_t i = 0; i < registry->holds.count; i++) {
        struct hold *hold = registry->holds.all[i];
        const struct host *host;
        int64_t left_us;

        if (hold->is_over || hold->is_evacuating || hold->time_us == 0)
            continue;
        left_us = time_left_us(hold, now);
        if (left_us > 0) {
            holds->due_us = earlier_us(holds->due_us, now.mono_us + left_us);
            continue;
        }
        host = find_out_of_reach(registry, hold);
        if (host != NULL) {
            keep(registry, hold, host, now);
            continue;
        }
        end(registry, hold, "its time is over", now);
        has_any = true;
    }
    return has_any;
}

int64_t holds_deadline(const void *self)
{
    const struct holds *holds = self;

    return holds->due_us;
}
