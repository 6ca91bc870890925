/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time passes from one deadline of the coordinator to the next, until nothing is left to do for the services concerned. */
#include "forecast/forecast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/imagined.h"

#define HORIZON_US (2 * 3600 * USEC_PER_SEC) /* what is left to do by then is said to be left */
#define QUIET_US                                                                                                       \
    (60 * USEC_PER_SEC) /* nothing was left to do for so long: recoveries wait for others, and begin late */

static const char *const fencing_names[FORECAST_FENCING_COUNT] = {
    [FORECAST_BY_AGENT] = "agent",
    [FORECAST_BY_OPERATOR] = "operator",
    [FORECAST_NEVER] = "never",
};

const char *forecast_fencing_name(enum forecast_fencing fencing)
{
    return fencing_names[fencing];
}

void forecast_done(struct forecast *forecast)
{
    free(forecast->services);
    free(forecast->why);
    *forecast = (struct forecast){0};
}

static int find_host(const struct coordinator *coordinator, const char *hypervisor, struct hypervisor_status *ret)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        *ret = coordinator_hypervisor(coordinator, i);
        if (strcmp(ret->name, hypervisor) == 0)
            return 0;
    }
    return -ENOENT;
}

/* Of those that are up there. */
static int note_services(const struct coordinator *coordinator, const char *hypervisor, struct forecast *forecast)
{
    struct pool *pool = coordinator_pool(coordinator);
    size_t count = 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        count++;
    forecast->services = calloc(count > 0 ? count : 1, sizeof(*forecast->services));
    if (forecast->services == NULL)
        return -ENOMEM;
    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        if (machine_is_up(machine) && machine_is_protected(machine) && strcmp(machine->hypervisor, hypervisor) == 0)
            forecast->services[forecast->n_services++] =
                machine->serves != NULL ? machine->serves->original : machine_ref_of(machine);
    return 0;
}

const struct recovery *forecast_recovery_of(const struct forecast *forecast, const struct coordinator *coordinator,
                                            const struct machine_ref *service)
{
    for (size_t i = coordinator_recovery_count(coordinator); i-- > 0;) {
        const struct recovery *recovery = coordinator_recovery(coordinator, i);

        if (recovery->detected.mono_us >= forecast->begun.mono_us && machine_ref_equal(&recovery->service, service))
            return recovery;
    }
    return NULL;
}

static bool is_anything_open(const struct forecast *forecast, const struct coordinator *coordinator)
{
    for (size_t i = 0; i < forecast->n_services; i++) {
        const struct recovery *recovery = forecast_recovery_of(forecast, coordinator, &forecast->services[i]);

        if (recovery != NULL && !recovery_state_is_final(recovery->state))
            return true;
    }
    return false;
}

/* Only an operator can know that the host is off: one says so. */
static void take_word(struct imagined *imagined, struct forecast *forecast)
{
    if (coordinator_confirm_fenced(imagined->coordinator, imagined->gone, imagined->now) < 0)
        return;
    forecast->fencing = FORECAST_BY_OPERATOR;
    forecast->why = steal_pointer(&imagined->why);
}

/* Lets time pass, at most until the next moment at which the coordinator has something to do. False: it is over. */
static bool pass(struct imagined *imagined, int64_t until_us)
{
    int64_t next_us = coordinator_deadline(imagined->coordinator), step_us;

    if (next_us > imagined->now.mono_us + QUIET_US)
        next_us = imagined->now.mono_us + QUIET_US;
    if (next_us > until_us)
        next_us = until_us;
    step_us = next_us - imagined->now.mono_us;
    if (step_us <= 0 && imagined->now.mono_us >= until_us)
        return false;
    step_us = step_us > 0 ? step_us : 1;
    imagined->now.mono_us += step_us;
    imagined->now.real_us += step_us;
    coordinator_tick(imagined->coordinator, imagined->now);
    return true;
}

/* Until it is certain that the host is off, and nothing was left to do for a while. */
static int live_through(struct imagined *imagined, int64_t until_us, struct forecast *forecast)
{
    int64_t quiet_since_us = 0;
    struct hypervisor_status host;
    int r;

    coordinator_set_severe_problems(imagined->coordinator, 1); /* so that nothing is rehearsed meanwhile */
    r = imagined_answer_all(imagined);
    while (r == 0 && find_host(imagined->coordinator, imagined->gone, &host) == 0) {
        enum host_state state = host.host->state;

        if (state == HOST_UNFENCED || state == HOST_ISOLATED) {
            take_word(imagined, forecast);
        } else if (state != HOST_LOST && (state != HOST_FENCED || is_anything_open(forecast, imagined->coordinator))) {
            quiet_since_us = 0;
        } else if (quiet_since_us == 0) {
            quiet_since_us = imagined->now.mono_us;
        } else if (imagined->now.mono_us - quiet_since_us >= QUIET_US) {
            forecast->is_settled = true;
            return 0;
        }
        if (state == HOST_FENCED && forecast->fencing == FORECAST_NEVER)
            forecast->fencing = FORECAST_BY_AGENT;
        r = imagined_answer_all(imagined);
        if (r == 0 && !pass(imagined, until_us))
            return 0;
        if (r == 0)
            r = imagined_answer_all(imagined);
    }
    return r;
}

static bool is_left_out(const struct machine *machine, enum hold_scope scope, const struct machine_ref *target)
{
    if (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED)
        return false;
    return scope == HOLD_ALL || (scope == HOLD_HOST ? strcmp(machine->hypervisor, target->hypervisor) == 0
                                                    : machine_is_ref(machine, target));
}

static void vanish(struct coordinator *coordinator, const struct machine_ref *ref, struct moment now)
{
    static const enum domain_event_kind course[] = {EVENT_STOPPED_DESTROYED, EVENT_UNDEFINED};
    struct domain_event event = {.name = "", .at = now};

    memcpy(event.uuid, ref->uuid, sizeof(event.uuid));
    for (size_t i = 0; i < ELEMENTS_OF(course); i++) {
        event.kind = course[i];
        coordinator_handle_event(coordinator, ref->hypervisor, &event);
    }
}

int forecast_leave_out(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                       struct moment now)
{
    struct pool *pool = coordinator_pool(coordinator);
    _cleanup_(freep) struct machine_ref *refs = NULL;
    _cleanup_(imagined_done) struct imagined imagined = {0};
    size_t n = 0, count = 0;
    int r;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        count++;
    refs = calloc(count > 0 ? count : 1, sizeof(*refs));
    if (refs == NULL)
        return -ENOMEM;
    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        if (is_left_out(machine, scope, target))
            refs[n++] = machine_ref_of(machine);
    for (size_t i = 0; i < n; i++)
        vanish(coordinator, &refs[i], now);
    imagined = (struct imagined){.coordinator = coordinator, .gone = "", .left_out = refs, .n_left_out = n, .now = now};
    r = imagined_begin(&imagined);
    return r == 0 ? imagined_answer_all(&imagined) : r;
}

int forecast_host_loss(struct coordinator *coordinator, const char *hypervisor, struct moment now, struct forecast *ret)
{
    _cleanup_(imagined_done) struct imagined imagined = {.coordinator = coordinator, .gone = hypervisor, .now = now};
    struct forecast forecast = {.fencing = FORECAST_NEVER, .begun = now};
    struct hypervisor_status host;
    int r = find_host(coordinator, hypervisor, &host);

    if (r < 0)
        return r;
    if (host.is_local)
        return -EADDRINUSE;
    if (!host.is_connected || host.same_as != NULL)
        return -EBUSY;
    r = imagined_begin(&imagined);
    if (r == 0)
        r = note_services(coordinator, hypervisor, &forecast);
    if (r == 0) {
        coordinator_handle_disconnected(coordinator, hypervisor, "it is supposed to be lost", now);
        r = live_through(&imagined, now.mono_us + HORIZON_US, &forecast);
    }
    if (r < 0) {
        forecast_done(&forecast);
        return r;
    }
    forecast.ended = imagined.now;
    if (forecast.fencing == FORECAST_NEVER)
        forecast.why = steal_pointer(&imagined.why);
    *ret = forecast;
    return 0;
}
