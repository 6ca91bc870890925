/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standbys that are kept warm: holds and claims what their courses need, turns their steps into actions
 * and notices, and leaves them to recoveries. Which ones, is keeper_choose.c's business.
 *
 * A claim is the keeper's or a recovery's, never both: one that stands is claimed by nobody, and one on its
 * way is handed over between two calls, with everything that the keeper holds of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose/conflict.h"
#include "coordinator/coordinator_internal.h"

/* So many pairs of machines are compared at a time, and so long is waited until the next. */
#define PAIRS_AT_ONCE 20000
#define PLAN_PAUSE_US (50 * USEC_PER_MSEC)
#define PLAN_MIN_US   USEC_PER_SEC
#define WAKE_SOON_US  (100 * USEC_PER_MSEC)
#define WAKE_MANY_US  USEC_PER_SEC
#define MANY_MACHINES 1000
/* Quarantines end and memory comes back without anybody saying so. */
#define LOOK_AGAIN_US   (60 * USEC_PER_SEC)
#define CALM_US         (300 * USEC_PER_SEC)
#define BACKOFF_US      (30 * USEC_PER_SEC)
#define BACKOFF_DOUBLES 7

int keeper_init(struct coordinator *coordinator)
{
    coordinator->keeper = (struct keeper){.is_stale = true};
    return plan_new(&coordinator->keeper.plan);
}

static void kept_free(struct kept *kept)
{
    warming_done(&kept->warming);
    free(kept);
}

void keeper_free(struct coordinator *coordinator)
{
    struct keeper *keeper = &coordinator->keeper;

    for (size_t i = 0; i < keeper->n_kept; i++)
        kept_free(keeper->kept[i]);
    free(keeper->kept);
    plan_free(keeper->plan);
}

static bool is_in_use(const struct coordinator *coordinator)
{
    return coordinator->config->standby.warm > 0 || coordinator->keeper.n_kept > 0;
}

static void wake(struct coordinator *coordinator, int64_t at_us)
{
    if (at_us < coordinator->keeper.wake_us)
        coordinator->keeper.wake_us = at_us;
}

void keeper_touch(struct coordinator *coordinator, struct moment now)
{
    bool has_many = pool_count(coordinator->pool) > MANY_MACHINES;

    coordinator->keeper.is_stale = true;
    wake(coordinator, now.mono_us + (has_many ? WAKE_MANY_US : WAKE_SOON_US));
}

static struct watch *watch_of(const struct coordinator *coordinator, const struct kept *kept)
{
    return watch_find(coordinator, &kept->warming.ref);
}

static enum keeping keeping_of(const struct kept *kept)
{
    if (kept->warming.state == WARMING_STANDING || kept->warming.state == WARMING_CHECKING)
        return KEEPING_WARM;
    return warming_may_yield(&kept->warming) ? KEEPING_WARMING : KEEPING_ENDING;
}

bool kept_has_memory(const struct kept *kept)
{
    if (kept->warming.state == WARMING_STANDING || kept->warming.state == WARMING_CHECKING)
        return kept->warming.form == KEEP_PAUSED;
    return kept->warming.state != WARMING_OVER && kept->warming.state != WARMING_LURKING;
}

void kept_show(struct coordinator *coordinator, struct kept *kept)
{
    struct machine *machine = kept->machine;
    struct watch *watch = watch_of(coordinator, kept);
    enum keeping keeping = keeping_of(kept);
    bool is_starting = kept->warming.state == WARMING_RECORDING || kept->warming.state == WARMING_STARTING;

    if (keeping != machine->keeping && watch != NULL)
        watch_mark_changed(coordinator, watch);
    machine->keeping = keeping;
    if (keeping == KEEPING_WARM)
        pool_release(coordinator->pool, machine, kept->warming.id);
    else if (pool_claim(coordinator->pool, machine, kept->warming.id) == -ENOMEM)
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, kept->begun, machine, "no memory to claim %s", machine->name);
    if (machine->is_starting != is_starting)
        pool_set_starting(coordinator->pool, machine, is_starting);
}

static void tell_standing(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    const char *form = kept->warming.form == KEEP_PAUSED ? "suspended" : "saved";
    struct watch *watch = watch_of(coordinator, kept);

    if (watch != NULL)
        watch->warm_failures = 0;
    kept->wants_weighing = kept->warming.form == KEEP_PAUSED;
    kept->machine->has_managed_save |= kept->warming.form == KEEP_SAVED;
    if (kept->warming.form == KEEP_SAVED)
        kept->machine->resident_kib = 0;
    pool_set_not_warm(coordinator->pool, kept->machine, NULL);
    notices_add(coordinator, kept->warming.was_warm ? NOTICE_REFRESHED : NOTICE_WARMED, now, kept->machine,
                "%s is warm: booted, verified and %s in %.1f s", kept->machine->name, form,
                (double)(now.mono_us - kept->begun.mono_us) / (double)USEC_PER_SEC);
}

static void back_off(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    struct watch *watch = watch_of(coordinator, kept);
    unsigned doubles;

    if (watch == NULL)
        return;
    doubles = watch->warm_failures < BACKOFF_DOUBLES ? watch->warm_failures : BACKOFF_DOUBLES;
    watch->warm_failures++;
    watch->warm_after_us = now.mono_us + (BACKOFF_US << doubles);
}

static void quarantine(struct coordinator *coordinator, struct machine *machine, struct moment now)
{
    int64_t until_us = now.mono_us + coordinator->config->recovery.quarantine_us;

    if (until_us > machine->quarantined_until_us)
        machine->quarantined_until_us = until_us;
}

/* It is off; what is still told of its stop, late, is no failure of its own. */
static void write_off(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    struct watch *watch = watch_of(coordinator, kept);

    if (watch != NULL)
        watch_write_off(coordinator, watch, kept->machine, now);
}

/* Given back soon after it was warmed: should the plan waver, machines must not be booted every half minute. */
static void calm_down(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    struct watch *watch = watch_of(coordinator, kept);

    if (watch != NULL && now.mono_us - kept->begun.mono_us < CALM_US)
        watch->warm_after_us = now.mono_us + CALM_US;
}

static void tell_end(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    const struct warming *warming = &kept->warming;
    struct machine *machine = kept->machine;

    switch (warming->end) {
    case WARMING_END_FAILED:
        notices_add(coordinator, NOTICE_WARM_FAILED, now, machine, "%s is not warm: %s", machine->name,
                    warming->detail != NULL ? warming->detail : "it did not come up");
        if (warming->is_failing)
            quarantine(coordinator, machine, now);
        back_off(coordinator, kept, now);
        if (!kept->is_untouched)
            write_off(coordinator, kept, now);
        break;
    case WARMING_END_RELEASED:
        notices_add(coordinator, NOTICE_WARM_ENDED, now, machine, "%s is kept warm no longer", machine->name);
        calm_down(coordinator, kept, now);
        write_off(coordinator, kept, now);
        break;
    case WARMING_END_DISOWNED:
        notices_add(coordinator, NOTICE_WARM_ENDED, now, machine,
                    "%s is kept warm no longer: somebody else runs it, or paused it", machine->name);
        break;
    case WARMING_GOES_ON:
    default:
        break;
    }
}

void kept_handle(struct coordinator *coordinator, struct kept *kept, enum warming_event_kind kind,
                 const struct action_result *result, const char *detail, struct moment now)
{
    struct warming_event event = {.kind = kind, .now = now, .result = result, .detail = detail};
    enum warming_state before = kept->warming.state;
    struct warming_step step;

    if (kept->is_let_go || before == WARMING_OVER)
        return;
    if (kind == WARMING_BEGIN)
        kept->begun = now;
    warming_handle(&kept->warming, &event, coordinator->config, &step);
    if (kept->warming.state != before)
        kept->has_action = false;
    if (step.has_action) {
        kept->has_action = true;
        kept->action = step.action;
        kept->action.id = ++coordinator->last_action;
        kept->action.as_of = coordinator->events;
        kept->warming.action_id = kept->action.id;
        if (step.action.kind == ACTION_START) {
            kept->is_untouched = false;
            kept->spends = kept->machine->state != MACHINE_PAUSED;
        }
    }
    if (step.has_started && kept->spends)
        run_count_memory(coordinator, kept->machine);
    if (step.has_started && kept->warming.was_warm)
        guest_clock_want(coordinator, kept->machine, now);
    kept_show(coordinator, kept);
    if (step.stands)
        tell_standing(coordinator, kept, now);
    if (kept->warming.state == WARMING_OVER)
        tell_end(coordinator, kept, now);
    if (kept->warming.state != before)
        keeper_touch(coordinator, now);
}

int kept_add(struct coordinator *coordinator, struct machine *machine, struct kept **ret)
{
    struct keeper *keeper = &coordinator->keeper;
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);
    _cleanup_(freep) struct kept *kept = calloc(1, sizeof(*kept));
    struct kept **all = reallocarray(keeper->kept, keeper->n_kept + 1, sizeof(*all));
    char id[RECOVERY_ID_SIZE];

    if (all != NULL)
        keeper->kept = all;
    if (kept == NULL || watch == NULL || all == NULL)
        return -ENOMEM;
    snprintf(id, sizeof(id), WARM_ID_PREFIX "%" PRIu64, ++keeper->last_id);
    warming_init(&kept->warming, id, machine, coordinator->config);
    kept->warming.loose_until_us = watch->loose_until_us;
    kept->machine = machine;
    kept->rank = SIZE_MAX;
    kept->unwanted_us = USEC_INFINITY;
    pool_hold(coordinator->pool, machine);
    watch->warms = kept;
    *ret = keeper->kept[keeper->n_kept++] = kept;
    kept = NULL;
    return 0;
}

int kept_begin(struct coordinator *coordinator, struct machine *machine, struct moment now)
{
    struct kept *kept = NULL;
    int r = machine->claimed_by != NULL ? -EBUSY : kept_add(coordinator, machine, &kept);

    if (r < 0)
        return r;
    kept->is_wanted = true; /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    kept->is_untouched = true;
    kept_handle(coordinator, kept, WARMING_BEGIN, NULL, NULL, now);
    return 0;
}

/* Nothing of the machine is the keeper's any more but the hold, which the sweep lets go of. */
static void let_go(struct coordinator *coordinator, struct kept *kept)
{
    struct machine *machine = kept->machine;
    struct watch *watch = watch_of(coordinator, kept);

    kept->is_let_go = true;
    kept->has_action = false;
    if (watch != NULL)
        watch->loose_until_us = kept->warming.loose_until_us;
    machine->keeping = KEEPING_NONE;
    coordinator->is_both_due = true; /* if it runs, it does so for somebody from now on */
    machine->resident_kib = 0;
    if (machine->is_starting)
        pool_set_starting(coordinator->pool, machine, false);
    pool_release(coordinator->pool, machine, kept->warming.id);
    if (watch != NULL) {
        watch->warms = NULL;
        watch_mark_changed(coordinator, watch);
    }
}

void keeper_sweep(struct coordinator *coordinator, struct moment now)
{
    struct keeper *keeper = &coordinator->keeper;
    size_t n_left = 0;

    for (size_t i = 0; i < keeper->n_kept; i++) {
        struct kept *kept = keeper->kept[i];
        struct machine *machine = kept->machine;

        if (kept->warming.state != WARMING_OVER && !kept->is_let_go && link_find(coordinator, machine->hypervisor)) {
            keeper->kept[n_left++] = kept;
            continue;
        }
        if (!kept->is_let_go)
            let_go(coordinator, kept);
        if (!machine->is_present)
            watch_forget(coordinator, machine);
        pool_let_go(coordinator->pool, machine);
        kept_free(kept);
        keeper_touch(coordinator, now);
    }
    keeper->n_kept = n_left;
}

static struct kept *find(const struct coordinator *coordinator, const struct machine *machine)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++)
        if (coordinator->keeper.kept[i]->machine == machine && !coordinator->keeper.kept[i]->is_let_go)
            return coordinator->keeper.kept[i];
    return NULL;
}

bool keeper_can_yield(const struct coordinator *coordinator, const struct machine *machine)
{
    const struct kept *kept = machine->keeping != KEEPING_NONE ? find(coordinator, machine) : NULL;

    return kept == NULL || warming_can_yield(&kept->warming);
}

bool keeper_yield(struct coordinator *coordinator, struct machine *machine, struct moment now)
{
    struct kept *kept = machine->keeping != KEEPING_NONE ? find(coordinator, machine) : NULL;
    bool is_untouched;

    if (kept == NULL || !warming_can_yield(&kept->warming))
        return false;
    is_untouched = kept->warming.state == WARMING_RECORDING && !kept->warming.was_warm;
    let_go(coordinator, kept);
    keeper_touch(coordinator, now);
    return !is_untouched;
}

void keeper_tell_state(struct coordinator *coordinator, struct kept *kept, enum machine_state state, struct moment now)
{
    if (state == MACHINE_RUNNING)
        kept_handle(coordinator, kept, WARMING_UP, NULL, NULL, now);
    else if (state == MACHINE_SHUT_OFF || state == MACHINE_GONE)
        kept_handle(coordinator, kept, WARMING_OFF, NULL, NULL, now);
    else if (state == MACHINE_CRASHED)
        kept_handle(coordinator, kept, WARMING_FAILED, NULL, "its guest crashed", now);
}

void keeper_lose_host(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    for (size_t i = coordinator->keeper.n_kept; i-- > 0;) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (!kept->is_let_go && strcmp(kept->machine->hypervisor, hypervisor) == 0)
            kept_handle(coordinator, kept, WARMING_HOST_OFF, NULL, NULL, now);
    }
    for (struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next)
        if (strcmp(watch->ref.hypervisor, hypervisor) == 0)
            watch->remembered.keeping = KEEPING_NONE;
}

void keeper_tell_failure(struct coordinator *coordinator, struct kept *kept, const char *why, struct moment now)
{
    kept_handle(coordinator, kept, WARMING_FAILED, NULL, why, now);
}

/* ---- answers and actions ---- */

static void take_weight(struct kept *kept, const struct action_result *result)
{
    kept->weigh_action = 0;
    if (result->error == 0 && kept->warming.state == WARMING_STANDING)
        kept->machine->resident_kib = result->resident_kib;
}

bool keeper_handle_result(struct coordinator *coordinator, const struct action *action,
                          const struct action_result *result, struct moment now)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (kept->is_let_go)
            continue;
        if (kept->weigh_action == action->id) {
            take_weight(kept, result);
            return true;
        }
        if (kept->warming.action_id == action->id) {
            kept->warming.action_id = 0;
            kept_handle(coordinator, kept, WARMING_ANSWER, result, NULL, now);
            return true;
        }
    }
    return action->kind == ACTION_WEIGH || action->kind == ACTION_REMEMBER;
}

bool keeper_handle_late_result(struct coordinator *coordinator, const struct action *action, struct moment now)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (kept->warming.state != WARMING_STUCK || strcmp(kept->warming.id, action->recovery_id) != 0)
            continue;
        kept_handle(coordinator, kept, WARMING_CAME_BACK, NULL, NULL, now);
        keeper_sweep(coordinator, now);
        return true;
    }
    return false;
}

/* Nothing is begun while the brake is on, or where the view of the hypervisor is old. */
static bool is_withheld(const struct coordinator *coordinator, const struct action *action)
{
    const struct link *link = link_find(coordinator, action->target.hypervisor);

    return action->kind == ACTION_START && (coordinator->is_held || (link != NULL && !link->is_listed));
}

static struct action weighing(struct coordinator *coordinator, struct kept *kept)
{
    kept->wants_weighing = false;
    kept->weigh_action = ++coordinator->last_action;
    return (struct action){
        .id = kept->weigh_action,
        .kind = ACTION_WEIGH,
        .target = kept->warming.ref,
        .timeout_us = coordinator->config->recovery.call_timeout_us,
    };
}

/* Somebody uses by now what it needs, or what a recovery handed back has its memory. Says why. */
static char *find_obstacle(const struct coordinator *coordinator, const struct kept *kept)
{
    struct candidate candidate = {.machine = kept->machine, .verdict = CANDIDATE_ELIGIBLE};
    char *why = NULL;

    if (conflict_find(coordinator->pool, NULL, &candidate, 1) < 0)
        return strdup("out of memory");
    if (candidate.verdict != CANDIDATE_ELIGIBLE &&
        asprintf(&why, "%s is in use by %s", candidate.conflict, candidate.conflict_with->name) < 0)
        return NULL;
    if (candidate.verdict == CANDIDATE_ELIGIBLE && kept->spends && !keeper_is_within_limit(coordinator))
        return strdup("standby.memory_limit leaves no room for it any more");
    return why;
}

/* At the last moment before it is started. */
static bool is_blocked(struct coordinator *coordinator, struct kept *kept)
{
    _cleanup_(freep) char *why = NULL;

    if (!kept->has_action || kept->action.kind != ACTION_START)
        return false;
    why = find_obstacle(coordinator, kept);
    if (why != NULL)
        kept_handle(coordinator, kept, WARMING_BLOCKED, NULL, why, kept->begun);
    return why != NULL;
}

bool keeper_next(struct coordinator *coordinator, struct action *ret)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (is_blocked(coordinator, kept))
            continue;
        if (kept->has_action && !is_withheld(coordinator, &kept->action)) {
            kept->has_action = false;
            *ret = kept->action;
            return true;
        }
        if (kept->wants_weighing && kept->warming.state == WARMING_STANDING && !kept->is_let_go) {
            *ret = weighing(coordinator, kept);
            return true;
        }
    }
    return false;
}

/* ---- time ---- */

/* Goes on with the plan, if it is time. Returns when to go on next. */
static int64_t plan_on(struct coordinator *coordinator, struct moment now)
{
    struct keeper *keeper = &coordinator->keeper;
    struct plan_view view = {
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .rank_by = coordinator->config->similarity.rank_by,
        .now_us = now.mono_us,
    };
    int r;

    if (!keeper->is_planning && (!keeper->is_stale || keeper->plan_us > now.mono_us))
        return keeper->is_stale ? keeper->plan_us : USEC_INFINITY;
    if (!keeper->is_planning) {
        keeper->is_planning = true;
        keeper->is_stale = false;
        plan_begin(keeper->plan);
    }
    r = plan_work(keeper->plan, &view, PAIRS_AT_ONCE);
    if (r == 0)
        return now.mono_us + PLAN_PAUSE_US;
    keeper->is_planning = false;
    keeper->is_stale |= r < 0;
    keeper->has_plan |= r > 0;
    /* A pair takes about 0.3 us: some hundredths of one processor at the most, however many machines there are. */
    keeper->plan_us = now.mono_us + PLAN_MIN_US + (int64_t)plan_cost(keeper->plan) * 10;
    return keeper->is_stale ? keeper->plan_us : USEC_INFINITY;
}

void keeper_tick(struct coordinator *coordinator, struct moment now)
{
    struct keeper *keeper = &coordinator->keeper;
    int64_t next_us, choose_us;

    for (size_t i = keeper->n_kept; i-- > 0;)
        if (keeper->kept[i]->warming.deadline_us <= now.mono_us)
            kept_handle(coordinator, keeper->kept[i], WARMING_TICK, NULL, NULL, now);
    if (keeper->wake_us > now.mono_us)
        return;
    keeper->wake_us = USEC_INFINITY;
    if (!is_in_use(coordinator))
        return;
    next_us = plan_on(coordinator, now);
    choose_us = keeper_choose(coordinator, now);
    wake(coordinator, next_us < choose_us ? next_us : choose_us);
    wake(coordinator, now.mono_us + LOOK_AGAIN_US);
    if (next_us == USEC_INFINITY && now.mono_us - keeper->plan_us >= LOOK_AGAIN_US)
        keeper->is_stale = true;
}

int64_t keeper_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = is_in_use(coordinator) ? coordinator->keeper.wake_us : USEC_INFINITY;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++)
        if (coordinator->keeper.kept[i]->warming.deadline_us < deadline_us)
            deadline_us = coordinator->keeper.kept[i]->warming.deadline_us;
    return deadline_us;
}
