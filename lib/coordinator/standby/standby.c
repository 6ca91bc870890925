/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that are kept warm by a plan: the component. */
#include "coordinator/standby/standby.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "choose/choose.h"
#include "coordinator/machines.h"
#include "coordinator/standby/choose.h"
#include "coordinator/standby/restore.h"
#include "coordinator/standby/warm_standby.h"

/* The plan is settled in steps, and so long is waited until the next. */
#define COMPARISONS_AT_ONCE 200000
#define PLAN_PAUSE_US       (10 * USEC_PER_MSEC)
/* Memory comes back without any event. */
#define LOOK_AGAIN_US (60 * USEC_PER_SEC)

void standby_done(struct standby *standby)
{
    for (size_t i = 0; i < standby->count; i++)
        warm_standby_free(standby->all[i]);
    free(standby->all);
}

void standby_configure(struct standby *standby)
{
    standby->wake_us = standby->choose_us = 0;
}

static bool is_in_use(const struct standby *standby)
{
    return standby->registry->config->standby.warm > 0 || standby->count > 0;
}

static struct warm_standby *find(const struct standby *standby, const struct machine *machine)
{
    for (size_t i = 0; i < standby->count; i++)
        if (standby->all[i]->machine == machine && !standby->all[i]->is_let_go)
            return standby->all[i];
    return NULL;
}

bool standby_can_yield(const struct standby *standby, const struct machine *machine)
{
    const struct warm_standby *warm = machine->keeping != KEEPING_NONE ? find(standby, machine) : NULL;

    return warm == NULL || warming_can_yield(&warm->warming);
}

bool standby_yield(struct standby *standby, const struct machine *machine, struct moment now)
{
    struct warm_standby *warm = machine->keeping != KEEPING_NONE ? find(standby, machine) : NULL;
    bool is_untouched;

    if (warm == NULL || !warming_can_yield(&warm->warming))
        return false;
    is_untouched = warm->warming.state == WARMING_RECORDING && !warm->warming.was_warm;
    warm_standby_let_go(standby, warm);
    standby_touch(standby, now);
    return !is_untouched;
}

void standby_put_off(struct watch *watch, int64_t until_us)
{
    struct watch_rare *rare = watch_get_rare(watch);

    if (rare != NULL)
        rare->warm.not_before_us = until_us;
}

/* ---- facts ---- */

/* Lets go of those whose course is over. True: there were some. */
static bool sweep(struct standby *standby, struct moment now)
{
    size_t n_left = 0, n_before = standby->count;

    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];
        const struct machine *machine = warm->machine;

        if (warm->warming.state != WARMING_OVER && !warm->is_let_go &&
            host_find(standby->registry, machine->hypervisor) != NULL) {
            standby->all[n_left++] = warm;
            continue;
        }
        if (!warm->is_let_go)
            warm_standby_let_go(standby, warm);
        machines_let_go(standby->registry, machine);
        warm_standby_free(warm);
        standby_touch(standby, now);
    }
    standby->count = n_left;
    return n_left < n_before;
}

static void handle_state(struct standby *standby, struct warm_standby *warm, enum machine_state state,
                         struct moment now)
{
    if (state == MACHINE_RUNNING)
        warm_standby_handle(standby, warm, WARMING_UP, NULL, NULL, now);
    else if (state == MACHINE_SHUT_OFF || state == MACHINE_GONE)
        warm_standby_handle(standby, warm, WARMING_OFF, NULL, NULL, now);
    else if (state == MACHINE_CRASHED)
        warm_standby_handle(standby, warm, WARMING_FAILED, NULL, "its guest crashed", now);
}

static void handle_machine(struct standby *standby, struct watch *watch, unsigned facts, struct moment now)
{
    const struct machine *machine = watch_machine(standby->registry, watch);

    if ((facts & MACHINE_FACT_STATE) != 0 && watch_rare(watch)->warms != NULL)
        handle_state(standby, watch_rare(watch)->warms, watch->told_state, now);
    if ((facts & MACHINE_FACT_FAILED) != 0 && watch_rare(watch)->warms != NULL)
        warm_standby_handle(standby, watch_rare(watch)->warms, WARMING_FAILED, NULL, watch_failed_why(watch), now);
    if ((facts & MACHINE_FACT_REPORTED) != 0 && machine != NULL)
        standby_adopt(standby, watch, machine, now);
}

/* Nothing there is warm any more. */
static void handle_host_off(struct standby *standby, const char *hypervisor, struct moment now)
{
    for (size_t i = standby->count; i-- > 0;) {
        struct warm_standby *warm = standby->all[i];

        if (warm->is_let_go || strcmp(warm->machine->hypervisor, hypervisor) != 0)
            continue;
        warm_standby_note_loss(standby, warm);
        warm_standby_handle(standby, warm, WARMING_HOST_OFF, NULL, NULL, now);
    }
}

static void handle_disconnected(struct standby *standby, const char *hypervisor)
{
    for (size_t i = 0; i < standby->count; i++)
        if (strcmp(standby->all[i]->warming.ref.hypervisor, hypervisor) == 0)
            standby->all[i]->was_cut = true;
}

static bool handle_hosts(struct standby *standby, struct moment now)
{
    struct registry *registry = standby->registry;
    bool has_any = false;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        const char *hypervisor = registry->hosts[i].name;
        unsigned facts = host_take(&registry->hosts[i], HOST_READER_STANDBY);

        if ((facts & HOST_FACT_DISCONNECTED) != 0)
            handle_disconnected(standby, hypervisor);
        if ((facts & HOST_FACT_OFF) != 0)
            handle_host_off(standby, hypervisor, now);
        if ((facts & HOST_FACT_LISTED) != 0)
            standby_relist(standby, hypervisor, now);
        has_any |= facts != 0;
    }
    return has_any;
}

bool standby_handle(void *self, struct moment now)
{
    struct standby *standby = self;
    bool has_changed = registry_take(standby->registry, FACT_POOL_CHANGED);
    bool has_any = handle_hosts(standby, now);
    struct watch *watch;
    unsigned facts;

    while ((watch = watch_take(standby->registry, QUEUE_STANDBY, &facts)) != NULL) {
        handle_machine(standby, watch, facts, now);
        has_any = true;
    }
    if (has_changed)
        standby_touch(standby, now);
    has_any |= sweep(standby, now);
    return has_any || has_changed;
}

/* ---- answers and actions ---- */

/* What it needs is in use by another machine: says which. NULL: it is not. */
static char *find_conflict(const struct standby *standby, const struct warm_standby *warm)
{
    struct pool *pool = standby->registry->pool;
    struct choice_request request = {.pool = pool};
    struct candidate candidate = {.machine = warm->machine};
    char name[USE_NAME_SIZE];

    if (pool_settle(pool, warm->begun.mono_us) < 0)
        return strdup("out of memory");
    if (!choose_find_conflict(&request, &candidate))
        return NULL;
    return text_print("%s is in use by %s", use_name(&candidate.conflict, name), candidate.conflict_with->name);
}

static void take_measure(struct standby *standby, struct warm_standby *warm, const struct action_result *result)
{
    warm->measure_id = 0;
    if (result->error == 0 && warm->warming.state == WARMING_STANDING)
        pool_set_resident(standby->registry->pool, warm->machine, result->resident_kib);
}

static bool is_up(const struct warm_standby *warm)
{
    return warm->warming.state == WARMING_SETTLING || warm->warming.state == WARMING_VERIFYING;
}

/* What its start has opened is known when the definition of the running machine was read. */
static void take_reading(struct standby *standby, struct warm_standby *warm, const struct action_result *result,
                         struct moment now)
{
    _cleanup_(freep) char *why = NULL;

    reading_answer(&warm->reading, result, is_up(warm) ? READ_TRIES : 1, now);
    if (!is_up(warm) || warm->reading.is_pending)
        return;
    why = find_conflict(standby, warm);
    warm->is_unfit = why != NULL;
    if (why != NULL)
        warm_standby_handle(standby, warm, WARMING_FAILED, NULL, why, now);
}

void standby_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct standby *standby = self;

    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (warm->is_let_go)
            continue;
        if (warm->measure_id == action->id) {
            take_measure(standby, warm, result);
            return;
        }
        if (warm->reading.question.action_id == action->id) {
            take_reading(standby, warm, result, now);
            return;
        }
        if (warm->warming.question.action_id == action->id) {
            warm->warming.question.action_id = 0;
            warm_standby_handle(standby, warm, WARMING_ANSWER, result, NULL, now);
            return;
        }
    }
}

bool standby_handle_late_result(struct standby *standby, const struct action *action, struct moment now)
{
    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];
        _cleanup_(freep) char *why = NULL;

        if (warm->warming.state != WARMING_STUCK || warm->warming.last != action->kind ||
            strcmp(warm->warming.id, action->recovery_id) != 0)
            continue;
        why = find_conflict(standby, warm);
        warm->is_unfit = why != NULL;
        warm_standby_handle(standby, warm, WARMING_CAME_BACK, NULL, NULL, now);
        return true;
    }
    return false;
}

/*
 * Nothing is begun while the brake is on, or where the view of the hypervisor is old; while the machine is held, nothing
 * is done with it at all, unless it has opened what is in use.
 */
static bool is_withheld(const struct standby *standby, const struct warm_standby *warm)
{
    const struct host *host = host_find(standby->registry, warm->action.target.hypervisor);

    switch ((int)warm->action.kind) {
    case ACTION_START:
        return brake_withholds(standby->brake, warm->machine) || (host != NULL && !host->is_listed) ||
               machine_awaits_end(standby->registry, warm->machine);
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_DESTROY:
        return warm->machine->hold != NULL && !warm->is_unfit;
    default:
        return false;
    }
}

static struct action measure(struct standby *standby, struct warm_standby *warm)
{
    struct registry *registry = standby->registry;
    struct action action = registry_new_action(registry, PART_STANDBY, ACTION_MEASURE_MEMORY, &warm->warming.ref,
                                               registry->config->recovery.call_timeout_us);

    warm->wants_measuring = false;
    warm->measure_id = action.id;
    return action;
}

/* Its definition was changed, what it needs is in use by now, or a standby that a recovery handed back has its memory.
 * Says why. */
static char *find_obstacle(const struct standby *standby, const struct warm_standby *warm)
{
    const struct watch *watch = watch_of(standby->registry, warm->machine);
    char *why;

    if (warm->reading.has_failed)
        return text_print("its definition cannot be read: %s", warm->reading.why);
    if (watch != NULL && watch->is_redefined)
        return text_print("its definition was changed just before it was started");
    why = find_conflict(standby, warm);
    if (why == NULL && warm->needs_memory && !standby_is_within_limit(standby))
        why = text_print("standby.memory_limit no longer leaves room for it");
    return why;
}

/* At the last moment before it is started. */
static bool is_blocked(struct standby *standby, struct warm_standby *warm)
{
    _cleanup_(freep) char *why = NULL;

    if (!warm->has_action || warm->action.kind != ACTION_START || warm->reading.is_pending)
        return false;
    why = find_obstacle(standby, warm);
    if (why != NULL)
        warm_standby_handle(standby, warm, WARMING_BLOCKED, NULL, why, warm->begun);
    return why != NULL;
}

/* It is not started, and is not said to stay up, before its definition was read. */
static bool waits_for_reading(const struct warm_standby *warm)
{
    return warm->reading.is_pending && (warm->action.kind == ACTION_START || is_up(warm));
}

/* While its host is not listed nothing is read of it, nor is it started. */
static bool next_reading(struct standby *standby, struct warm_standby *warm, struct action *ret)
{
    struct registry *registry = standby->registry;
    const struct host *host = host_find(registry, warm->machine->hypervisor);

    bool is_withheld_now = warm->has_action && warm->action.kind == ACTION_START && is_withheld(standby, warm);

    /* A start that was withheld for long rests on an old definition. */
    if (is_withheld_now && !warm->reading.is_pending)
        reading_begin(&warm->reading);
    if (!warm->reading.is_due || warm->is_let_go || host == NULL || !host->is_listed || is_withheld_now)
        return false;
    *ret = reading_ask(&warm->reading, &warm->warming.ref, warm->warming.id, registry->config);
    ret->id = warm->reading.question.action_id = outbox_new_id(&registry->outbox, PART_STANDBY);
    ret->as_of = registry->events;
    return true;
}

/* Its service has not failed: another one may take it. */
static void say_what_is_made(const struct warm_standby *warm, struct action *action)
{
    const char *service = warm->service != NULL ? warm->service : "";

    action->metadata.roles = ROLE_STANDBY;
    snprintf(action->metadata.service, sizeof(action->metadata.service), "%.*s",
             (int)text_fit(service, sizeof(action->metadata.service) - 1), service);
}

bool standby_next(void *self, struct action *ret)
{
    struct standby *standby = self;

    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (next_reading(standby, warm, ret))
            return true;
        if (is_blocked(standby, warm))
            continue;
        if (warm->has_action && !waits_for_reading(warm) && !is_withheld(standby, warm)) {
            warm->has_action = false;
            warm->warming.question.is_handed_out = true;
            *ret = warm->action;
            if (ret->kind == ACTION_START && warm->machine->state == MACHINE_TEMPLATE)
                say_what_is_made(warm, ret);
            ret->may_drop_image = ret->kind == ACTION_START && machine_has_own_image(warm->machine);
            return true;
        }
        if (warm->wants_measuring && warm->warming.state == WARMING_STANDING && !warm->is_let_go) {
            *ret = measure(standby, warm);
            return true;
        }
    }
    return false;
}

/* ---- time ---- */

/* So that a choice among many machines takes some hundredths of one processor at the most. */
static int64_t pause_us(const struct standby *standby)
{
    return (int64_t)(pool_count(standby->registry->pool) / 100) * 2 * USEC_PER_MSEC;
}

/* Goes on with the plan, and once it is complete, with the choice. Returns when to go on next. */
static int64_t go_on(struct standby *standby, struct moment now)
{
    int r;

    if (standby->choose_us > now.mono_us)
        return standby->choose_us;
    r = plan_settle(standby->registry->plan, now.mono_us, COMPARISONS_AT_ONCE);
    if (r <= 0)
        return now.mono_us + (r == 0 ? PLAN_PAUSE_US : RETRY_US);
    standby->choose_us = now.mono_us + pause_us(standby);
    return standby_choose(standby, now);
}

void standby_tick(void *self, struct moment now)
{
    struct standby *standby = self;

    for (size_t i = 0; i < standby->count; i++)
        reading_tick(&standby->all[i]->reading, now);
    for (size_t i = standby->count; i-- > 0;)
        if (standby->all[i]->warming.question.deadline_us <= now.mono_us)
            warm_standby_handle(standby, standby->all[i], WARMING_TICK, NULL, NULL, now);
    if (standby->wake_us > now.mono_us)
        return;
    standby->wake_us = USEC_INFINITY;
    if (!is_in_use(standby))
        return;
    standby_wake(standby, go_on(standby, now));
    standby_wake(standby, pool_deadline(standby->registry->pool));
    standby_wake(standby, now.mono_us + LOOK_AGAIN_US);
}

int64_t standby_deadline(const void *self)
{
    const struct standby *standby = self;
    int64_t deadline_us = is_in_use(standby) ? standby->wake_us : USEC_INFINITY;

    for (size_t i = 0; i < standby->count; i++) {
        deadline_us = earlier_us(deadline_us, standby->all[i]->warming.question.deadline_us);
        deadline_us = earlier_us(deadline_us, reading_deadline(&standby->all[i]->reading));
    }
    return deadline_us;
}
