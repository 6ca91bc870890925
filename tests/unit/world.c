/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A make-believe world around the coordinator. Answers as a well-behaved hypervisor would, unless told otherwise. */
#include "world.h"

#include <errno.h>
#include <string.h>

#include "detect/failure.h"
#include "support.h"
#include "world_answers.h"

static struct config_hypervisor remote[] = {
    {.name = (char *)"local", .uri = (char *)"qemu+tcp://local/system"},
    {.name = (char *)"other", .uri = (char *)"qemu+tcp://other/system"},
    {.name = (char *)"third", .uri = (char *)"qemu+tcp://third/system"},
};

static void name_hosts(struct world *world)
{
    assert_true(world->config.n_hypervisors <= WORLD_HYPERVISORS);
    world->n_hosts = (unsigned)world->config.n_hypervisors;
    for (unsigned i = 0; i < world->n_hosts; i++)
        world->hosts[i] = world->config.hypervisors[i].name;
}

void world_begin_with(struct world *world, const struct config *config)
{
    *world = (struct world){
        .config = *config,
        .free_memory_kib = {1000000, 1000000, 1000000},
        .now = {.mono_us = 1000 * USEC_PER_SEC, .real_us = 1795359240 * USEC_PER_SEC},
    };
    name_hosts(world);
    assert_int_equal(coordinator_new(&world->config, NULL, &world->coordinator), 0);
}

void world_begin(struct world *world)
{
    struct config config = default_config();

    config.similarity = case_study_similarity();
    world_begin_with(world, &config);
}

void world_end(struct world *world)
{
    coordinator_free(world->coordinator);
    world->coordinator = NULL;
    world_free_store(world);
}

unsigned world_add(struct world *world, const char *name, const char *features, enum machine_state state)
{
    assert_true(world->n_domains < WORLD_DOMAINS);
    world->domains[world->n_domains] = (struct world_domain){
        .exists = true,
        .name = name,
        .features = features,
        .state = state,
        .reason = state == MACHINE_SHUT_OFF ? REASON_SHUTDOWN : REASON_UNKNOWN,
    };
    return world->n_domains++;
}

void world_make_remote(struct world *world)
{
    world->config.hypervisors = remote;
    world->config.n_hypervisors = ELEMENTS_OF(remote);
    name_hosts(world);
    world->config.host_timeout_us = 30 * USEC_PER_SEC;
    world->config.isolation_share = 500000;
    world->config.fence = (struct config_fence){
        .command = (char *)"/nonexistent/fence", .timeout_us = 60 * USEC_PER_SEC, .retry_us = 20 * USEC_PER_SEC};
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

/* What the driver writes to disk, unless it is lost on the way. */
static void take_changes(struct world *world)
{
    const struct recovery *recovery;
    struct machine_ref machine;
    struct machine_memory memory;
    const char *hypervisor;
    const struct host_track *host;
    const struct diversion *diversion;
    const struct hold *hold;

    while ((recovery = coordinator_next_changed_recovery(world->coordinator)) != NULL)
        if (!world->loses_writes)
            world_write_recovery(world, recovery);
    while ((diversion = coordinator_next_changed_diversion(world->coordinator)) != NULL)
        if (!world->loses_writes)
            world_write_diversion(world, diversion);
    while ((hold = coordinator_next_changed_hold(world->coordinator)) != NULL)
        if (!world->loses_writes)
            world_write_hold(world, hold);
    while ((host = coordinator_next_changed_host(world->coordinator, &hypervisor)) != NULL)
        for (unsigned i = 0; i < world->n_hosts && !world->loses_writes; i++)
            if (strcmp(hypervisor, world->hosts[i]) == 0) {
                world->kept[i] = *host;
                world->kept[i].trouble = NULL;
            }
    while (coordinator_next_changed_machine(world->coordinator, &machine, &memory))
        if (!world->loses_writes)
            world_write_machine(world, &machine, &memory);
}

static void take_notices(struct world *world)
{
    struct notice notice;

    while (coordinator_next_notice(world->coordinator, &notice)) {
        assert_non_null(notice.text);
        if (world->see_notice != NULL)
            world->see_notice(world->observer, &notice);
        world->told[notice.kind]++;
        snprintf(world->last_text[notice.kind], sizeof(world->last_text[0]), "%s", notice.text);
        notice_done(&notice);
    }
}

/* Promise 1: the intent is on disk, and what this recovery started before does not live any more. */
static void assert_may_warm(const struct world *world, const struct action *action)
{
    const struct world_remembered *remembered = &world->remembered[world_number_of(world, &action->target)];

    assert_true(remembered->is_known && remembered->memory.keeping == KEEPING_WARMING);
    assert_int_equal(world->config.mode, MODE_AUTOMATIC);
    assert_false(coordinator_is_braked(world->coordinator));
}

static void assert_may_start(const struct world *world, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(world->coordinator, action->recovery_id);
    const struct recovery *written = world_read_recovery(world, action->recovery_id);

    if (strncmp(action->recovery_id, WARM_ID_PREFIX, strlen(WARM_ID_PREFIX)) == 0) {
        assert_may_warm(world, action);
        return;
    }
    assert_non_null(recovery);
    if (recovery->is_unrecorded) {
        assert_true(world->config.recovery.without_intent);
    } else {
        assert_non_null(written);
        assert_true(machine_ref_equal(&written->replacement, &action->target));
        assert_true(written->n_attempts == recovery->n_attempts);
    }
    assert_int_equal(world->config.mode, MODE_AUTOMATIC);
    assert_true(action->recovery_id[0] != '\0');
    /* Promise 8. */
    if (recovery->cause == CAUSE_HOST_LOST && !world->fence_lies)
        assert_int_not_equal(world->domains[world_number_of(world, &recovery->failed)].state, MACHINE_RUNNING);
    assert_false(coordinator_is_braked(world->coordinator));
    for (unsigned i = 0; i < world->n_domains; i++)
        assert_string_not_equal(world->domains[i].started_for, action->recovery_id);
}

static void note_action(struct world *world, const struct action *action)
{
    assert_int_not_equal(action->id, 0);
    for (size_t i = 0; i < world->n_pending; i++)
        assert_true(world->pending[i].is_orphaned || world->pending[i].action.id != action->id);
    if (world->see_action != NULL)
        world->see_action(world->observer, action);
    world->asked[action->kind]++;
    if (action->kind == ACTION_START) {
        assert_may_start(world, action);
        world->domains[world_number_of(world, &action->target)].starts++;
    }
}

static void put_off(struct world *world, const struct action *action, int64_t due_us)
{
    struct world_pending *pending = &world->pending[world->n_pending++];

    assert_true(world->n_pending <= WORLD_PENDING);
    pending->action = *action;
    pending->due_us = due_us;
    pending->late_us = due_us == USEC_INFINITY ? USEC_INFINITY : world->now.mono_us + action->timeout_us;
    pending->is_late = pending->is_orphaned = false;
    memcpy(pending->then, world->domains, sizeof(pending->then));
}

static int64_t time_for(const struct world *world, const struct action *action)
{
    if (action->kind == ACTION_RECORD)
        return world->record_us;
    if (action->kind == ACTION_SET_METADATA)
        return world->domains[world_number_of(world, &action->target)].metadata_us;
    if (action->kind == ACTION_SHUTDOWN)
        return world->domains[world_number_of(world, &action->target)].asking_us;
    if (action->kind == ACTION_GET_AUTOSTART || action->kind == ACTION_SET_AUTOSTART)
        return world->domains[world_number_of(world, &action->target)].autostart_us;
    return action->kind == ACTION_START ? world->domains[world_number_of(world, &action->target)].start_us : 0;
}

/* The daemon does these by itself. */
static bool needs_connection(enum action_kind kind)
{
    return kind != ACTION_RECORD && kind != ACTION_HOOK && kind != ACTION_REMEMBER && kind != ACTION_FENCE &&
           kind != ACTION_TEST_FENCING;
}

/* As the daemon does it: QEMU dies, or on another host the machine is destroyed. */
static void carry_out(struct world *world, const struct order *order)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    unsigned number = world_number_of(world, &order->machine);

    assert_int_equal(coordinator_order(world->coordinator, order, world->now, &answer), 0);
    if (world->domains[number].hypervisor == LOCAL)
        world_kill(world, number);
    else
        world_happen(world, number, EVENT_STOPPED_DESTROYED);
}

static bool drive_once(struct world *world)
{
    struct action action;
    struct order drill;

    take_notices(world);
    take_changes(world);
    if (coordinator_next_drill(world->coordinator, world->now, &drill)) {
        carry_out(world, &drill);
        return true;
    }
    if (!coordinator_next_action(world->coordinator, &action))
        return false;
    note_action(world, &action);
    if ((world->holds & 1u << action.kind) != 0) {
        put_off(world, &action, USEC_INFINITY);
    } else if (needs_connection(action.kind) && !world->is_connected[world_host_of(world, &action.target)]) {
        struct action_result lost = {.id = action.id, .error = -ENOTCONN};

        world_deliver(world, &action, &lost);
    } else if (time_for(world, &action) > 0) {
        put_off(world, &action, world->now.mono_us + time_for(world, &action));
    } else {
        world_do(world, &action, world->domains);
    }
    return true;
}

void world_drive(struct world *world)
{
    unsigned steps = 0;

    while (world->coordinator != NULL && drive_once(world))
        assert_true(++steps < 10000); /* a question that is asked at once again for ever */
}

static struct world_pending take_pending(struct world *world, size_t place)
{
    struct world_pending pending = world->pending[place];

    assert_true(place < world->n_pending);
    memmove(&world->pending[place], &world->pending[place + 1],
            (--world->n_pending - place) * sizeof(world->pending[0]));
    return pending;
}

static bool is_overdue(const struct world_pending *pending)
{
    return !pending->is_orphaned && !pending->is_late && pending->late_us < pending->due_us;
}

static int64_t time_of(const struct world_pending *pending)
{
    return is_overdue(pending) ? pending->late_us : pending->due_us;
}

static void finish(struct world *world, size_t place)
{
    struct world_pending pending;

    if (is_overdue(&world->pending[place])) {
        struct action_result overdue = {.id = world->pending[place].action.id, .error = -ETIMEDOUT};

        world->pending[place].is_late = true;
        pending = world->pending[place];
        world_deliver(world, &pending.action, &overdue);
        return;
    }
    pending = take_pending(world, place);
    world->is_orphaned = pending.is_orphaned;
    world->is_late = pending.is_late;
    world_do(world, &pending.action, world->domains);
    world->is_orphaned = world->is_late = false;
}

/* Guests that were asked to. */
static void power_off_due(struct world *world)
{
    for (unsigned i = 0; i < world->n_domains; i++)
        if (world->domains[i].powers_off_us != 0 && world->domains[i].powers_off_us <= world->now.mono_us) {
            world->domains[i].powers_off_us = 0;
            if (world->domains[i].state == MACHINE_RUNNING)
                world_shut_down(world, i);
            world_drive(world);
        }
}

/* What takes its time and is due. */
static void finish_due(struct world *world)
{
    power_off_due(world);
    for (size_t i = 0; i < world->n_pending;)
        if (time_of(&world->pending[i]) <= world->now.mono_us) {
            finish(world, i);
            world_drive(world);
            i = 0;
        } else {
            i++;
        }
}

static int64_t next_deadline(const struct world *world)
{
    int64_t next_us = world->coordinator != NULL ? coordinator_deadline(world->coordinator) : USEC_INFINITY;

    for (size_t i = 0; i < world->n_pending; i++)
        if (time_of(&world->pending[i]) < next_us)
            next_us = time_of(&world->pending[i]);
    for (unsigned i = 0; i < world->n_domains; i++)
        if (world->domains[i].powers_off_us != 0 && world->domains[i].powers_off_us < next_us)
            next_us = world->domains[i].powers_off_us;
    return next_us;
}

void world_pass(struct world *world, int64_t duration_us)
{
    int64_t end_us = world->now.mono_us + duration_us;
    unsigned ticks = 0;

    world_drive(world);
    for (;;) {
        int64_t next_us = next_deadline(world);

        if (next_us > end_us)
            next_us = end_us;
        if (next_us > world->now.mono_us) {
            world->now.real_us += next_us - world->now.mono_us;
            world->now.mono_us = next_us;
        }
        finish_due(world);
        if (world->coordinator != NULL)
            coordinator_tick(world->coordinator, world->now);
        world_drive(world);
        if (world->now.mono_us >= end_us && next_deadline(world) > end_us)
            return;
        assert_true(++ticks < 10000); /* a deadline that a tick does not move */
    }
}

void world_answer(struct world *world, size_t place, bool as_then)
{
    struct world_pending pending = take_pending(world, place);

    world_do(world, &pending.action, as_then ? pending.then : world->domains);
    world_drive(world);
}

void world_answer_error(struct world *world, size_t place, int error)
{
    struct world_pending pending = take_pending(world, place);
    struct action_result result = {.id = pending.action.id, .error = error, .message = "an error"};

    world_deliver(world, &pending.action, &result);
    world_drive(world);
}

size_t world_find_pending(const struct world *world, enum action_kind kind)
{
    size_t place = 0;

    while (place < world->n_pending && world->pending[place].action.kind != kind)
        place++;
    assert_true(place < world->n_pending);
    return place;
}

void world_release(struct world *world)
{
    world->holds = 0;
    while (world->n_pending > 0)
        world_answer(world, 0, false);
    world_drive(world);
}

void world_connect(struct world *world, unsigned hypervisor)
{
    assert_true(hypervisor < world->n_hosts);
    world->is_connected[hypervisor] = true;
    coordinator_handle_connected(world->coordinator, world->hosts[hypervisor], world->now);
    world_drive(world);
}

void world_connect_all(struct world *world)
{
    for (unsigned i = 0; i < world->n_hosts; i++)
        world_connect(world, i);
}

void world_disconnect(struct world *world, unsigned hypervisor)
{
    world->is_connected[hypervisor] = false;
    coordinator_handle_disconnected(world->coordinator, world->hosts[hypervisor], "the connection broke", world->now);
    world_drive(world);
}

void world_happen(struct world *world, unsigned number, enum domain_event_kind event)
{
    struct world_domain *domain = &world->domains[number];
    enum machine_state state;
    enum machine_reason reason;

    /* libvirt restarts it by itself: it is not seen in between. */
    if (event == EVENT_CRASHED_PANICKED && domain->on_crash == ON_CRASH_RESTART) {
        world_tell(world, number, event);
        return;
    }
    if (domain_event_state(event, &state, &reason)) {
        if (state == MACHINE_SHUT_OFF)
            world_stop(world, number, reason);
        domain->exists |= state != MACHINE_SHUT_OFF;
        domain->state = state;
        domain->reason = reason == REASON_INCOMING ? REASON_BUSY : reason; /* as libvirt lists it */
        domain->has_saved = event == EVENT_STOPPED_SAVED || (domain->has_saved && state == MACHINE_SHUT_OFF);
    }
    domain->exists |= event == EVENT_DEFINED;
    domain->exists &= event != EVENT_UNDEFINED || machine_state_is_active(domain->state);
    world_tell(world, number, event);
}

void world_kill_silently(struct world *world, unsigned number)
{
    world_stop(world, number, REASON_CRASHED);
}

void world_kill(struct world *world, unsigned number)
{
    world_stop(world, number, REASON_CRASHED);
    world_tell(world, number, EVENT_STOPPED_FAILED);
}

void world_order_drill(struct world *world, unsigned number)
{
    struct order order = {
        .kind = ORDER_DRILL,
        .machine = machine_ref_of(world_machine(world, number)),
        .is_confirmed = true,
    };
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
}

void world_shut_down(struct world *world, unsigned number)
{
    world_happen(world, number, EVENT_STOPPED_SHUTDOWN);
}

void world_migrate(struct world *world, unsigned number, unsigned to)
{
    world_happen(world, to, EVENT_STARTED_MIGRATED);
    world_happen(world, to, EVENT_RESUMED);
    world_drive(world);
    world_happen(world, number, EVENT_STOPPED_MIGRATED);
}

void world_boot(struct world *world, unsigned number)
{
    struct world_domain *domain = &world->domains[number];

    domain->exists = true;
    domain->state = MACHINE_RUNNING;
    domain->reason = REASON_UNKNOWN;
    world_tell(world, number, EVENT_STARTED_BOOTED);
    world_tell(world, number, EVENT_RESUMED);
}
