/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way in and out. An input changes the registry and leaves facts; then coordinator_settle lets the
 * components act on the facts until none is left. What an event means is the business of machines.c, what
 * a recovery does that of recoveries.c.
 *
 *     input ─▶ registry, facts ─▶ settle: machines … assignment ─▶ outbox ─▶ driver
 *                                   ▲                │
 *                                   └── new facts ◀──┘
 */
#include "coordinator/coordinator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drills.h"
#include "coordinator/failures.h"
#include "coordinator/hosts.h"
#include "coordinator/machines.h"
#include "coordinator/reports.h"
#include "coordinator/orders.h"
#include "coordinator/parts.h"
#include "coordinator/same_host.h"

/* So often a component may leave work for one before it, after one input. */
#define STEPS_MAX 1000

/*
 * The components, in the order in which they settle: one acts only when those before it have nothing left
 * to do. So the brake judges new recoveries before any of them is given a candidate, and what runs twice is
 * looked at when it is known which machines serve.
 */
static const struct {
    const char *name;
    size_t offset; /* of its struct */
    component_handle *handle;
    component_answer *answer;
    component_tick *tick;
    component_deadline *deadline;
    size_t tasks; /* offset of its list of tasks, whose time is told here; 0: it has none */
} parts[PART_COUNT] = {
#define PART(member)  #member, offsetof(struct coordinator, member)
#define TASKS(member) .tasks = offsetof(struct coordinator, member)
    [PART_MACHINES] = {PART(registry), NULL, machines_answer, machines_tick, machines_deadline},
    [PART_HOLDS] = {PART(holds), holds_handle, NULL, NULL, holds_deadline},
    [PART_SERVICES] = {PART(services), services_handle, services_answer, TASKS(services.stops)},
    [PART_AUTOSTART] = {PART(autostart), autostart_handle, autostart_answer, TASKS(autostart.tasks)},
    [PART_MARKS] = {PART(marks), marks_handle, marks_answer, TASKS(marks.tasks)},
    [PART_BRAKE] = {PART(brake), brake_handle, NULL, NULL, NULL},
    [PART_LATE_STARTS] = {PART(late_starts), late_starts_handle, late_starts_answer, TASKS(late_starts.came_late)},
    [PART_HEARTBEAT] = {PART(heartbeat), NULL, heartbeat_answer, heartbeat_tick, heartbeat_deadline},
    [PART_DISCOVERY] = {PART(discovery), NULL, discovery_answer, discovery_tick, discovery_deadline},
    [PART_GUEST_CLOCK] = {PART(guest_clock), NULL, guest_clock_answer, TASKS(guest_clock.sleepers)},
    [PART_HOSTS] = {PART(registry), hosts_handle, hosts_answer, hosts_tick, hosts_deadline},
    [PART_FENCE_TESTS] = {PART(registry), NULL, fence_tests_answer, fence_tests_tick, fence_tests_deadline},
    [PART_STANDBY] = {PART(standby), standby_handle, standby_answer, standby_tick, standby_deadline},
    [PART_RECOVERIES] = {PART(recoveries), recoveries_handle, recoveries_answer, recoveries_tick, recoveries_deadline},
    [PART_LEFTOVERS] = {PART(leftovers), leftovers_handle, leftovers_answer, NULL, leftovers_deadline,
                        TASKS(leftovers.tasks)},
    [PART_EXPIRY] = {PART(expiry), NULL, expiry_answer, expiry_tick, expiry_deadline, TASKS(expiry.tasks)},
    [PART_RETRIES] = {PART(retries), retries_handle, NULL, NULL, retries_deadline},
    [PART_EVACUATION] = {PART(evacuation), evacuation_handle, NULL, NULL, NULL},
    [PART_REHEARSALS] = {PART(rehearsals), rehearsals_handle, NULL, NULL, rehearsals_deadline},
    [PART_ASSIGNMENT] = {PART(assignment), assignment_handle, NULL, NULL, assignment_deadline},
#undef PART
#undef TASKS
};

/*
 * What the components ask for, what must not wait first: machines that are to be ended, hosts that are to
 * be fenced, then recoveries, then warmth, and last what is only looked at.
 */
static const struct {
    enum part part;
    component_next *next;
} asking[] = {
    {PART_LATE_STARTS, late_starts_next}, {PART_HOSTS, hosts_next},
    {PART_SERVICES, services_next},       {PART_RECOVERIES, recoveries_next},
    {PART_STANDBY, standby_next},         {PART_GUEST_CLOCK, guest_clock_next},
    {PART_AUTOSTART, autostart_next},     {PART_MARKS, marks_next},
    {PART_HOSTS, hosts_next_listing},     {PART_LEFTOVERS, leftovers_next},
    {PART_MACHINES, machines_next},       {PART_HEARTBEAT, heartbeat_next},
    {PART_DISCOVERY, discovery_next},     {PART_FENCE_TESTS, fence_tests_next},
    {PART_EXPIRY, expiry_next},
};

static void *self_of(struct coordinator *coordinator, enum part part)
{
    return (char *)coordinator + parts[part].offset;
}

/* After each input: the components act on what it left, until nothing is left. */
static void coordinator_settle(struct coordinator *coordinator, struct moment now)
{
    unsigned steps = 0;

    registry_tell(&coordinator->registry, FACT_INPUT);
    registry_tell(&coordinator->registry, FACT_HELP);
    for (enum part part = 0; part < PART_COUNT; part++)
        while (parts[part].handle != NULL && parts[part].handle(self_of(coordinator, part), now)) {
            if (++steps > STEPS_MAX) {
                coordinator->overruns++;
                outbox_tell(&coordinator->registry.outbox, NOTICE_EVENT_NOTED, now, NULL,
                            "a fault of understudyd: %s finds work without end; please report it", parts[part].name);
                return;
            }
            part = 0;
        }
}

/* ---- its life ---- */

int coordinator_new(const struct config *config, struct catalog *catalog, struct coordinator **ret)
{
    _cleanup_(coordinator_freep) struct coordinator *coordinator = calloc(1, sizeof(*coordinator));
    struct registry *registry;
    int r;

    if (coordinator == NULL)
        return -ENOMEM;
    registry = &coordinator->registry;
    coordinator->holds = (struct holds){.registry = registry, .due_us = USEC_INFINITY};
    coordinator->brake.registry = registry;
    coordinator->late_starts.registry = registry;
    coordinator->heartbeat = (struct heartbeat){.registry = registry, .next_us = USEC_INFINITY};
    coordinator->discovery.registry = registry;
    coordinator->guest_clock.registry = registry;
    coordinator->services.registry = registry;
    coordinator->autostart.registry = registry;
    coordinator->marks.registry = registry;
    coordinator->standby = (struct standby){
        .registry = registry,
        .brake = &coordinator->brake,
        .late_starts = &coordinator->late_starts,
        .guest_clock = &coordinator->guest_clock,
    };
    coordinator->recoveries = (struct recoveries){
        .registry = registry,
        .brake = &coordinator->brake,
        .guest_clock = &coordinator->guest_clock,
        .standby = &coordinator->standby,
    };
    coordinator->leftovers = (struct leftovers){.registry = registry, .due_us = USEC_INFINITY};
    coordinator->expiry.registry = registry;
    coordinator->retries =
        (struct retries){.recoveries = &coordinator->recoveries, .looked_us = INT64_MIN / 2, .due_us = USEC_INFINITY};
    coordinator->evacuation = (struct evacuation){.recoveries = &coordinator->recoveries, .holds = &coordinator->holds};
    coordinator->rehearsals =
        (struct rehearsals){.recoveries = &coordinator->recoveries, .clock = wall_clock_utc, .drill.kind = ORDER_COUNT};
    coordinator->assignment = (struct assignment){.recoveries = &coordinator->recoveries, .due_us = USEC_INFINITY};
    r = registry_init(registry);
    if (r == 0) {
        coordinator_set_catalog(coordinator, catalog);
        r = coordinator_configure(coordinator, config);
    }
    if (r < 0)
        return r;
    coordinator->retries.is_reconfigured = false;
    *ret = steal_pointer(&coordinator);
    return 0;
}

void coordinator_free(struct coordinator *coordinator)
{
    if (coordinator == NULL)
        return;
    recoveries_done(&coordinator->recoveries);
    leftovers_done(&coordinator->leftovers);
    expiry_done(&coordinator->expiry);
    standby_done(&coordinator->standby);
    autostart_done(&coordinator->autostart);
    marks_done(&coordinator->marks);
    services_done(&coordinator->services);
    guest_clock_done(&coordinator->guest_clock);
    late_starts_done(&coordinator->late_starts);
    registry_done(&coordinator->registry);
    free(coordinator);
}

void coordinator_set_catalog(struct coordinator *coordinator, struct catalog *catalog)
{
    pool_set_catalog(coordinator->registry.pool, catalog);
}

int coordinator_configure(struct coordinator *coordinator, const struct config *config)
{
    int r = registry_configure(&coordinator->registry, config);

    if (r < 0)
        return r;
    machines_forget_unconfigured(&coordinator->registry);
    heartbeat_configure(&coordinator->heartbeat);
    discovery_configure(&coordinator->discovery);
    hosts_configure(&coordinator->registry);
    fence_tests_configure(&coordinator->registry);
    same_host_configure(&coordinator->registry);
    standby_configure(&coordinator->standby);
    retries_configure(&coordinator->retries);
    rehearsals_configure(&coordinator->rehearsals);
    coordinator->expiry.look_us = 0;
    registry_tell(&coordinator->registry, FACT_SERVING_CHANGED); /* by roles, priorities and facts */
    return 0;
}

/* ---- what the world tells ---- */

void coordinator_handle_connected(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host == NULL)
        return;
    hosts_connect(host, now);
    coordinator_settle(coordinator, now);
}

void coordinator_handle_disconnected(struct coordinator *coordinator, const char *hypervisor, const char *why,
                                     struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host == NULL)
        return;
    hosts_disconnect(&coordinator->registry, host, why, now);
    coordinator_settle(coordinator, now);
}

void coordinator_handle_refused(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host != NULL)
        hosts_restart_timer(&coordinator->registry, host, now);
}

void coordinator_handle_event(struct coordinator *coordinator, const char *hypervisor, const struct domain_event *event)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host == NULL || host->same_as[0] != '\0')
        return;
    machines_handle_event(&coordinator->registry, host, event);
    coordinator_settle(coordinator, event->at);
}

void coordinator_handle_inventory(struct coordinator *coordinator, const struct action *action,
                                  struct inventory *inventory, struct moment now)
{
    struct registry *registry = &coordinator->registry;
    struct host *host = host_find(registry, action->target.hypervisor);

    if (host != NULL && hosts_begin_listing(registry, host, action, inventory, now)) {
        if (same_host_look(registry, host, inventory, now))
            inventory_empty(inventory);
        if (reports_handle_inventory(registry, host, inventory, action->as_of, now) < 0)
            hosts_drop_listing(host);
        else
            hosts_end_listing(registry, host, inventory, now);
        coordinator_settle(coordinator, now);
    }
    inventory_free(inventory);
}

void coordinator_handle_description(struct coordinator *coordinator, const struct action *action,
                                    struct domain_report *report, struct moment now)
{
    struct registry *registry = &coordinator->registry;
    const struct host *host = host_find(registry, action->target.hypervisor);
    struct action_result result = {.id = action->id, .error = report != NULL ? 0 : -ENOENT};
    enum part owner = outbox_owner_of(action->id);

    if (action->kind == ACTION_DISCOVER && report != NULL &&
        (!report->description->has_learned || report->description->is_starting))
        result.error = -EAGAIN;
    reports_handle_description(registry, action, report, now);
    if (action->kind != ACTION_DESCRIBE) {
        if (host == NULL || !host->is_listed)
            result.error = -ENOTCONN; /* what it says was not taken */
        parts[owner].answer(self_of(coordinator, owner), action, &result, now);
    }
    coordinator_settle(coordinator, now);
}

/* News came since it was asked that says something else: it may be older than the news. */
static bool is_overtaken(const struct registry *registry, const struct action *action,
                         const struct action_result *result)
{
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);

    if (result->error != 0 || machine == NULL || machine->event_sequence <= action->as_of)
        return false;
    /* A start that was long overdue may have come after the end that was asked for. */
    return action->kind == ACTION_DESTROY ? machine->state == MACHINE_RUNNING
                                          : action->kind == ACTION_GET_STATE && machine->state != result->state;
}

/* libvirt has not noticed yet that its QEMU has ended, and says how it was before. */
static bool is_outdated(const struct registry *registry, const struct action *action,
                        const struct action_result *result)
{
    const struct watch *watch = watch_find(registry, &action->target);

    return action->kind == ACTION_GET_STATE && result->error == 0 && machine_state_is_active(result->state) &&
           watch != NULL && watch_is_unnoticed(registry, watch);
}

static void tell_dropped_image(struct registry *registry, const struct action *action,
                               const struct action_result *result, struct moment now)
{
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);

    if (machine != NULL)
        outbox_tell(
            &registry->outbox, NOTICE_EVENT_NOTED, now, machine,
            "the saved image of %s, which understudyd had made, cannot be restored (%s): it was removed, and %s "
            "booted anew",
            pool_display_name(registry->pool, machine), result->message, machine->name);
}

void coordinator_handle_result(struct coordinator *coordinator, const struct action *action,
                               const struct action_result *result, struct moment now)
{
    const struct action_result overtaken = {
        .id = result->id,
        .error = -EAGAIN,
        .message = "news overtook the answer",
    };
    const struct action_result ended = {.id = result->id, .state = MACHINE_SHUT_OFF, .reason = REASON_CRASHED};
    struct registry *registry = &coordinator->registry;
    enum part owner = outbox_owner_of(action->id);

    if (parts[owner].answer == NULL)
        return;
    if (action->kind == ACTION_GET_STATE && result->free_memory_kib != 0)
        pool_set_free_memory(registry->pool, action->target.hypervisor, result->free_memory_kib);
    if (is_outdated(registry, action, result))
        result = &ended;
    else if (is_overtaken(registry, action, result))
        result = &overtaken;
    if (result->error == 0 && result->dropped_image)
        tell_dropped_image(registry, action, result, now);
    parts[owner].answer(self_of(coordinator, owner), action, result, now);
    coordinator_settle(coordinator, now);
}

void coordinator_handle_late_result(struct coordinator *coordinator, const struct action *action,
                                    const struct action_result *result, struct moment now)
{
    if (action->kind == ACTION_SHUTDOWN && result->error != -ENOENT)
        failures_expect_late_stop(&coordinator->registry, &action->target, now);
    else if (outbox_owner_of(action->id) == PART_AUTOSTART)
        autostart_handle_late_result(&coordinator->autostart, action, result);
    else if (!standby_handle_late_result(&coordinator->standby, action, now))
        late_starts_handle_late_result(&coordinator->late_starts, action, result, now);
    coordinator_settle(coordinator, now);
}

void coordinator_note(struct coordinator *coordinator, enum notice_kind kind, const struct machine_ref *machine,
                      const char *text, struct moment now)
{
    const struct machine *found =
        machine != NULL ? pool_find(coordinator->registry.pool, machine->hypervisor, machine->uuid) : NULL;

    outbox_tell(&coordinator->registry.outbox, kind, now, found, "%s", text);
}

void coordinator_handle_fence_report(struct coordinator *coordinator, const char *hypervisor,
                                     const struct fence_report *report, struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host != NULL)
        fence_tests_take(&coordinator->registry, host, report, now);
}

void coordinator_handle_capacity(struct coordinator *coordinator, const struct machine_ref *ref, const char *source,
                                 uint64_t capacity_bytes)
{
    struct registry *registry = &coordinator->registry;
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    struct watch *watch = watch_find(registry, ref);

    if (machine == NULL)
        return;
    if (watch != NULL)
        watch_mark_changed(registry, watch);
    for (size_t i = 0; i < machine->description->n_disks; i++)
        if (strcmp(machine->description->disks[i].source, source) == 0)
            pool_edit(registry->pool, machine)->description->disks[i].capacity_bytes = capacity_bytes;
    /* Without memory the amount becomes known with the next listing. */
    (void)!pool_refresh_environment(registry->pool, machine);
    registry_tell(registry, FACT_SERVING_CHANGED);
}

void coordinator_handle_recognised(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host != NULL && host->is_listed)
        host_list_at(host, now.mono_us);
    coordinator_settle(coordinator, now);
}

void coordinator_handle_clock_jump(struct coordinator *coordinator, struct moment now)
{
    outbox_tell(&coordinator->registry.outbox, NOTICE_CLOCK_JUMPED, now, NULL,
                "the host was suspended or its clock jumped; nothing is started until all machines are listed again");
    hosts_list_anew(&coordinator->registry, now);
    expiry_forget_announcements(&coordinator->expiry);
    coordinator_settle(coordinator, now); /* holds end by the clock */
}

void coordinator_set_clock(struct coordinator *coordinator, struct moment (*clock)(void))
{
    coordinator->assignment.clock = clock;
}

void coordinator_set_wall_clock(struct coordinator *coordinator, wall_clock *clock)
{
    coordinator->rehearsals.clock = clock;
}

void coordinator_set_severe_problems(struct coordinator *coordinator, size_t n)
{
    coordinator->rehearsals.n_severe = n;
}

bool coordinator_next_drill(struct coordinator *coordinator, struct moment now, struct order *ret)
{
    return rehearsals_next_drill(&coordinator->rehearsals, now, ret);
}

void coordinator_set_host_shutdown(struct coordinator *coordinator, bool is_shutting_down)
{
    coordinator->registry.host_is_shutting_down = is_shutting_down;
}

/* ---- what an operator says ---- */

int coordinator_order(struct coordinator *coordinator, const struct order *order, struct moment now,
                      struct order_answer *ret)
{
    int r;

    *ret = (struct order_answer){0};
    if (order->kind == ORDER_EVACUATE)
        r = evacuation_order(&coordinator->evacuation, order, now, ret);
    else if (order->kind == ORDER_REFRESH)
        r = discovery_order(&coordinator->discovery, order, ret);
    else if (order->kind == ORDER_REHEARSE)
        r = rehearsals_order(&coordinator->rehearsals, order, now, ret);
    else
        r = orders_take(&coordinator->recoveries, order, now, ret);
    if (r < 0)
        return r;
    coordinator_settle(coordinator, now);
    return 0;
}

void coordinator_call_off_drill(struct coordinator *coordinator, const struct machine_ref *machine, const char *why,
                                struct moment now)
{
    struct watch *watch = watch_find(&coordinator->registry, machine);

    if (watch == NULL)
        return;
    rehearsals_fail_drill(&coordinator->rehearsals, machine, why, now);
    drills_end(&coordinator->registry, watch);
}

bool coordinator_release_brake(struct coordinator *coordinator, struct moment now)
{
    bool was_on = brake_release(&coordinator->brake, now);

    if (was_on)
        coordinator_settle(coordinator, now);
    return was_on;
}

int coordinator_hold(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                     const char *name, const char *reason, const char *by, int64_t time_us, struct moment now)
{
    int r = holds_begin(&coordinator->holds, scope, target, name, reason, by, time_us, now);

    if (r == 0)
        coordinator_settle(coordinator, now);
    return r;
}

int coordinator_release(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                        struct moment now)
{
    int r = holds_end(&coordinator->holds, scope, target, now);

    if (r == 0)
        coordinator_settle(coordinator, now);
    return r;
}

int coordinator_confirm_fenced(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host == NULL)
        return -ENOENT;
    if (host->track.state == HOST_FENCED)
        return -EALREADY;
    if (host->hold != NULL)
        return -ECANCELED;
    if (host->track.is_connected || !host_state_is_gone(host->track.state))
        return -EBUSY;
    host_tell(host, HOST_READER_HOSTS, HOST_FACT_CONFIRMED);
    coordinator_settle(coordinator, now);
    return 0;
}

/* ---- time ---- */

static struct task *tasks_of(const struct coordinator *coordinator, enum part part)
{
    size_t offset = parts[part].tasks;

    return offset != 0 ? *(struct task *const *)((const char *)coordinator + offset) : NULL;
}

void coordinator_tick(struct coordinator *coordinator, struct moment now)
{
    for (enum part part = 0; part < PART_COUNT; part++) {
        tasks_tick(tasks_of(coordinator, part), now.mono_us);
        if (parts[part].tick != NULL)
            parts[part].tick(self_of(coordinator, part), now);
    }
    coordinator_settle(coordinator, now);
}

int64_t coordinator_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (enum part part = 0; part < PART_COUNT; part++) {
        deadline_us = earlier_us(deadline_us, tasks_deadline(tasks_of(coordinator, part)));
        if (parts[part].deadline != NULL)
            deadline_us = earlier_us(deadline_us, parts[part].deadline((const char *)coordinator + parts[part].offset));
    }
    return deadline_us;
}

/* ---- what goes out ---- */

bool coordinator_next_action(struct coordinator *coordinator, struct action *ret)
{
    for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
        if (asking[i].next(self_of(coordinator, asking[i].part), ret))
            return true;
    return false;
}

bool coordinator_next_notice(struct coordinator *coordinator, struct notice *ret)
{
    return outbox_next_notice(&coordinator->registry.outbox, ret);
}
