/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One standby that is kept warm. */
#include "coordinator/standby/warm_standby.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/machines.h"
#include "coordinator/quarantine.h"
#include "coordinator/services.h"

#define WAKE_SOON_US    (100 * USEC_PER_MSEC)
#define WAKE_MANY_US    USEC_PER_SEC
#define MANY_MACHINES   1000
#define CALM_US         (300 * USEC_PER_SEC)
#define BACKOFF_US      (30 * USEC_PER_SEC)
#define BACKOFF_DOUBLES 7

void standby_wake(struct standby *standby, int64_t at_us)
{
    standby->wake_us = earlier_us(standby->wake_us, at_us);
}

void standby_touch(struct standby *standby, struct moment now)
{
    bool has_many = pool_count(standby->registry->pool) > MANY_MACHINES;

    standby_wake(standby, now.mono_us + (has_many ? WAKE_MANY_US : WAKE_SOON_US));
}

void warm_standby_free(struct warm_standby *warm)
{
    warming_done(&warm->warming);
    free(warm->service);
    free(warm);
}

static struct watch *own_watch(const struct standby *standby, const struct warm_standby *warm)
{
    return watch_find(standby->registry, &warm->warming.ref);
}

/* What the watch remembers; it has that while it warms. NULL: there is no watch. */
static struct warm_past *own_past(const struct standby *standby, const struct warm_standby *warm)
{
    struct watch *watch = own_watch(standby, warm);

    return watch != NULL && watch->rare != NULL ? &watch->rare->warm : NULL;
}

static enum keeping keeping_of(const struct warm_standby *warm)
{
    if (warm->warming.state == WARMING_STANDING || warm->warming.state == WARMING_CHECKING)
        return KEEPING_WARM;
    return warming_may_yield(&warm->warming) ? KEEPING_WARMING : KEEPING_ENDING;
}

bool warm_standby_has_memory(const struct warm_standby *warm)
{
    if (warm->warming.state == WARMING_STANDING || warm->warming.state == WARMING_CHECKING)
        return warm->warming.form == KEEP_PAUSED;
    return warm->warming.state != WARMING_OVER && warm->warming.state != WARMING_MAY_COME_UP;
}

static bool is_up(const struct warm_standby *warm)
{
    return warm->warming.state == WARMING_SETTLING || warm->warming.state == WARMING_VERIFYING ||
           warm->warming.state == WARMING_SUSPENDING;
}

void warm_standby_show(struct standby *standby, struct warm_standby *warm)
{
    const struct machine *machine = warm->machine;
    struct watch *watch = own_watch(standby, warm);
    enum keeping keeping = keeping_of(warm);
    bool is_starting = warm->warming.state == WARMING_RECORDING || warm->warming.state == WARMING_STARTING;

    if (keeping != machine->keeping && watch != NULL) {
        watch_mark_changed(standby->registry, watch);
        watch_tell(standby->registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    }
    pool_edit(standby->registry->pool, machine)->keeping = keeping;
    pool_edit(standby->registry->pool, machine)->warm_proof = warm->warming.proof;
    warm->kept_since_us = keeping == KEEPING_WARM ? warm->warming.standing.real_us : warm->begun.real_us;
    if (keeping == KEEPING_WARM)
        pool_release(standby->registry->pool, machine, warm->warming.id);
    else if (pool_claim(standby->registry->pool, machine, warm->warming.id) == -ENOMEM)
        outbox_tell(&standby->registry->outbox, NOTICE_OUT_OF_MEMORY, warm->begun, machine, "no memory to claim %s",
                    machine->name);
    pool_edit(standby->registry->pool, machine)->has_come_up = is_up(warm);
    if (machine->is_starting != is_starting)
        pool_edit(standby->registry->pool, machine)->is_starting = is_starting;
}

static const char *say_proof(enum warm_proof proof)
{
    switch (proof) {
    case PROOF_AGENT:
        return "its guest agent answered";
    case PROOF_PORTS:
        return "it serves on its ports";
    case PROOF_COMMAND:
        return "recovery.verify.command says that it works";
    case PROOF_QUIET:
        return "its CPU time became quiet";
    case PROOF_NONE:
    case PROOF_COUNT:
    default:
        return "that its guest is up was not proved";
    }
}

static void tell_standing(struct standby *standby, struct warm_standby *warm, struct moment now)
{
    const char *form = warm->warming.form == KEEP_PAUSED ? "suspended" : "saved";
    struct warm_past *past = own_past(standby, warm);

    if (past != NULL)
        past->failures = 0;
    warm->wants_measuring = warm->warming.form == KEEP_PAUSED;
    if (warm->warming.form == KEEP_SAVED) {
        struct machine *edited = pool_edit(standby->registry->pool, warm->machine);

        edited->has_managed_save = true;
        edited->has_foreign_image = false;
        pool_set_resident(standby->registry->pool, warm->machine, 0);
    }
    pool_set_not_warm(standby->registry->pool, warm->machine, NULL);
    outbox_tell(&standby->registry->outbox, warm->warming.was_warm ? NOTICE_REFRESHED : NOTICE_WARMED, now,
                warm->machine, "%s is warm: booted and %s in %.1f s; %s",
                pool_display_name(standby->registry->pool, warm->machine), form,
                (double)(now.mono_us - warm->begun.mono_us) / (double)USEC_PER_SEC, say_proof(warm->warming.proof));
}

static void back_off(struct standby *standby, struct warm_standby *warm, struct moment now)
{
    struct warm_past *past = own_past(standby, warm);
    unsigned doubles;

    if (past == NULL)
        return;
    doubles = past->failures < BACKOFF_DOUBLES ? past->failures : BACKOFF_DOUBLES;
    past->failures++;
    past->not_before_us = now.mono_us + (BACKOFF_US << doubles);
}

/* The machine is off; late news of its stop is no failure. */
static void write_off(struct standby *standby, struct warm_standby *warm, struct moment now)
{
    struct watch *watch = own_watch(standby, warm);

    if (watch != NULL)
        machines_write_off(standby->registry, watch, warm->machine, now);
}

/* Given back soon after it was warmed: should the plan waver, machines must not be booted every half minute. */
static void calm_down(struct standby *standby, struct warm_standby *warm, struct moment now)
{
    struct warm_past *past = own_past(standby, warm);

    if (past != NULL && !warm->was_switched_off && now.mono_us - warm->begun.mono_us < CALM_US)
        past->not_before_us = now.mono_us + CALM_US;
}

/* was_off: nothing was done to end it, and what is told of it now is news. */
static void tell_end(struct standby *standby, struct warm_standby *warm, bool was_off, struct moment now)
{
    const struct warming *warming = &warm->warming;
    const struct machine *machine = warm->machine;

    switch (warming->end) {
    case WARMING_END_FAILED:
        outbox_tell(&standby->registry->outbox, NOTICE_WARM_FAILED, now, machine, "%s is not warm: %s",
                    pool_display_name(standby->registry->pool, machine),
                    warming->detail != NULL ? warming->detail : "it did not come up");
        if (warming->is_failing)
            quarantine_begin(standby->registry, machine, 0, warming->detail, now);
        back_off(standby, warm, now);
        if (!warm->is_untouched)
            write_off(standby, warm, now);
        break;
    case WARMING_END_RELEASED:
        outbox_tell(&standby->registry->outbox, NOTICE_WARM_ENDED, now, machine, "%s is no longer kept warm",
                    pool_display_name(standby->registry->pool, machine));
        calm_down(standby, warm, now);
        if (!was_off)
            write_off(standby, warm, now);
        break;
    case WARMING_END_DISOWNED:
        outbox_tell(&standby->registry->outbox, NOTICE_WARM_ENDED, now, machine,
                    "%s is no longer kept warm: an operator started or paused it",
                    pool_display_name(standby->registry->pool, machine));
        break;
    case WARMING_END_LEFT:
        outbox_tell(&standby->registry->outbox, NOTICE_WARM_ENDED, now, machine,
                    "%s is no longer kept warm, and left as it is: that understudyd warmed it is known by its metadata "
                    "alone; end it, if nothing else needs it: virsh destroy %s",
                    pool_display_name(standby->registry->pool, machine), machine->name);
        break;
    case WARMING_GOES_ON:
    default:
        break;
    }
}

void warm_standby_note_loss(struct standby *standby, const struct warm_standby *warm)
{
    struct watch *watch = own_watch(standby, warm);

    if (watch != NULL && warm->warming.state != WARMING_STANDING && warm_standby_has_memory(warm))
        watch->was_lost_warming = true;
}

/* No event tells of each change of a definition. */
static void begin_reading(struct standby *standby, struct warm_standby *warm)
{
    struct watch *watch = own_watch(standby, warm);

    if (watch != NULL)
        watch->is_redefined = false;
    reading_begin(&warm->reading);
}

/* The daemon starts it itself, or has. */
static void own_warmth(struct standby *standby, struct warm_standby *warm)
{
    struct watch *watch = own_watch(standby, warm);

    warm->warming.is_by_mark = false;
    if (watch != NULL)
        watch_own_warmth(watch);
}

/* It must serve on the ports of the machine in whose place it would serve, as a replacement would. */
static void ask_for_ports(const struct standby *standby, struct warm_standby *warm)
{
    const struct registry *registry = standby->registry;
    const struct machine *served = pool_find(registry->pool, warm->served.hypervisor, warm->served.uuid);

    warm->action.ports = served != NULL ? services_ports_of(registry, served, warm->machine, registry->config)
                                        : (struct wanted_ports){0};
    warm->warming.has_ports = warm->action.ports.listening.count > 0;
}

void warm_standby_handle(struct standby *standby, struct warm_standby *warm, enum warming_event_kind kind,
                         const struct action_result *result, const char *detail, struct moment now)
{
    struct warming_event event = {.kind = kind, .now = now, .result = result, .detail = detail};
    enum warming_state before = warm->warming.state;
    bool is_unasked = before == WARMING_STANDING || before == WARMING_RECORDING ||
                      (before == WARMING_STARTING && !warm->warming.question.is_handed_out);
    struct warming_step step;

    if (warm->is_let_go || before == WARMING_OVER)
        return;
    if (kind == WARMING_BEGIN)
        warm->begun = now;
    if (kind == WARMING_OFF)
        warm->is_unfit = false; /* it has nothing open any more */
    warming_handle(&warm->warming, &event, standby->registry->config, &step);
    if (warm->warming.state != before)
        warm->has_action = false;
    if (step.has_action) {
        warm->has_action = true;
        warm->action = step.action;
        warm->action.id = outbox_new_id(&standby->registry->outbox, PART_STANDBY);
        warm->action.as_of = standby->registry->events;
        warm->warming.question.action_id = warm->action.id;
        if (step.action.kind == ACTION_REMEMBER)
            begin_reading(standby, warm);
        if (step.action.kind == ACTION_VERIFY)
            ask_for_ports(standby, warm);
        if (step.action.kind == ACTION_START) {
            warm->is_untouched = false;
            warm->needs_memory = warm->machine->state != MACHINE_PAUSED;
        }
    }
    if (step.has_started) {
        own_warmth(standby, warm);
        reading_begin(&warm->reading);
    }
    if (step.has_started && warm->needs_memory)
        machines_come_up(standby->registry, warm->machine);
    if (step.has_started && warm->warming.was_warm)
        guest_clock_want(standby->guest_clock, warm->machine, now);
    warm_standby_show(standby, warm);
    /* A listing that is older than its image said otherwise. */
    if (before == WARMING_CHECKING && warm->warming.state == WARMING_STANDING && warm->warming.form == KEEP_SAVED)
        pool_edit(standby->registry->pool, warm->machine)->has_managed_save = true;
    if (step.stands)
        tell_standing(standby, warm, now);
    if (warm->warming.state == WARMING_OVER)
        tell_end(standby, warm, is_unasked, now);
    if (warm->warming.state != before)
        standby_touch(standby, now);
}

int warm_standby_add(struct standby *standby, const struct machine *machine, struct warm_standby **ret)
{
    struct watch *watch = watch_get_of(standby->registry, machine);
    struct watch_rare *rare = watch != NULL ? watch_get_rare(watch) : NULL;
    _cleanup_(freep) struct warm_standby *warm = calloc(1, sizeof(*warm));
    struct warm_standby **all = reallocarray(standby->all, standby->count + 1, sizeof(*all));
    char id[RECOVERY_ID_SIZE];

    if (all != NULL)
        standby->all = all;
    if (warm == NULL || rare == NULL || all == NULL)
        return -ENOMEM;
    snprintf(id, sizeof(id), WARM_ID_PREFIX "%" PRIu64, ++standby->last_id);
    warming_init(&warm->warming, id, machine, standby->registry->config);
    warm->warming.may_start_until_us = rare->warm.may_start_until_us;
    warm->warming.is_by_mark = watch_remembered(watch)->is_warm_by_mark;
    warm->machine = machine;
    warm->rank = SIZE_MAX;
    warm->unwanted_us = USEC_INFINITY;
    pool_hold(standby->registry->pool, machine);
    rare->warms = warm;
    *ret = standby->all[standby->count++] = warm;
    warm = NULL;
    return 0;
}

int warm_standby_begin(struct standby *standby, const struct machine *machine, const struct machine *served,
                       struct moment now)
{
    _cleanup_(freep) char *copy = strdup(machine_service_name(served));
    struct warm_standby *warm = NULL;
    int r = machine_rare(machine)->claimed_by != NULL ? -EBUSY : copy != NULL ? 0 : -ENOMEM;

    if (r == 0)
        r = warm_standby_add(standby, machine, &warm);
    if (r < 0)
        return r;
    warm->service = steal_pointer(&copy); /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    warm->served = machine_ref_of(served);
    warm->is_wanted = true;
    warm->is_untouched = true;
    own_warmth(standby, warm);
    warm_standby_handle(standby, warm, WARMING_BEGIN, NULL, NULL, now);
    return 0;
}

void warm_standby_let_go(struct standby *standby, struct warm_standby *warm)
{
    const struct machine *machine = warm->machine;
    struct watch *watch = own_watch(standby, warm);
    struct machine *edited;

    warm->is_let_go = true;
    warm->has_action = false;
    registry_tell(standby->registry, FACT_LEFTOVERS);
    edited = pool_edit(standby->registry->pool, machine);
    edited->keeping = KEEPING_NONE;
    edited->has_come_up = false;
    pool_set_resident(standby->registry->pool, machine, 0);
    registry_tell(standby->registry, FACT_SERVING_CHANGED); /* if it runs, it serves from now on */
    if (machine->is_starting)
        pool_edit(standby->registry->pool, machine)->is_starting = false;
    pool_release(standby->registry->pool, machine, warm->warming.id);
    if (watch != NULL) {
        watch->rare->warm.may_start_until_us = warm->warming.may_start_until_us;
        watch->rare->warms = NULL;
        watch_tidy(watch);
        watch_mark_changed(standby->registry, watch);
        watch_tell(standby->registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    }
}
