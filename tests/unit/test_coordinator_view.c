/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The coordinator and what it knows of the world: machines that come and go, listings that are older
 * than events, connections that break, configurations that change.
 */
#include "coordinator/coordinator.h"

#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* ---- machines that come and go ---- */

static void test_an_event_of_an_unknown_machine_makes_it_known(struct world *world)
{
    unsigned a = world_add_three(world), d = world_add(world, "d", WEB, MACHINE_RUNNING);

    (void)a;
    assert_null(world_machine(world, d));
    world_tell(world, d, EVENT_DEFINED);
    world_drive(world);
    assert_non_null(world_machine(world, d));
    assert_int_equal(world_machine(world, d)->state, MACHINE_RUNNING);
}

static void test_an_unknown_machine_that_crashes_is_recovered_once_it_is_known(struct world *world)
{
    unsigned d;

    world_add_three(world);
    d = world_add(world, "d", WEB, MACHINE_RUNNING);
    world_kill(world, d);
    world_pass(world, SETTLED);
    world_expect(world, d, RECOVERY_RECOVERED);
}

static void test_an_event_of_what_no_longer_exists_is_harmless(struct world *world)
{
    unsigned d;

    world_add_three(world);
    d = world_add(world, "d", WEB, MACHINE_RUNNING);
    world->domains[d].exists = false;
    world_tell(world, d, EVENT_STOPPED_DESTROYED);
    world_tell(world, d, EVENT_UNDEFINED);
    world_pass(world, SETTLED);
    assert_null(world_machine(world, d));
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_an_event_of_an_unknown_hypervisor_is_harmless(struct world *world)
{
    struct domain_event event = {.kind = EVENT_STOPPED_FAILED, .name = "x", .at = world->now};

    world_add_three(world);
    uuid_from(0, event.uuid);
    coordinator_handle_event(world->coordinator, "nowhere", &event);
    coordinator_handle_connected(world->coordinator, "nowhere", world->now);
    coordinator_handle_disconnected(world->coordinator, "nowhere", "why", world->now);
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_transient_machine_is_recovered_although_it_is_gone(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].is_transient = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->failed_name, "a");
    assert_null(world_machine(world, a));
}

/* The failed machine is only held any more when it is created anew: its recovery ends inside the event. */
static void test_a_transient_machine_that_comes_back_in_its_recovery(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].is_transient = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    assert_false(world_machine(world, a)->is_present);
    world_boot(world, a);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_DISMISSED);
    assert_true(world_machine(world, a)->is_present);
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
}

static void test_a_machine_that_is_undefined_goes(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a + 1].exists = false;
    world_tell(world, a + 1, EVENT_UNDEFINED);
    world_drive(world);
    assert_null(world_machine(world, a + 1));
}

/* ---- listings ---- */

static void test_a_crash_while_disconnected_is_found_once(struct world *world)
{
    unsigned a = world_add_three(world);

    world_disconnect(world, 0);
    assert_int_equal(world->told[NOTICE_HYPERVISOR_DOWN], 1);
    world_kill_silently(world, a);
    world_connect(world, 0);
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_FOUND_CRASHED);
    world_tell(world, a, EVENT_STOPPED_FAILED); /* and told late */
    world_disconnect(world, 0);
    world_connect(world, 0);
    world_pass(world, 3 * world->config.discovery.resync_interval_us);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 1);
}

static void test_a_crash_before_the_first_listing_is_not_known_to_be_one(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world->domains[a].reason = REASON_CRASHED; /* years ago, for all that is known */
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_listing_older_than_an_event_does_not_overwrite_it(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_LIST;
    world_pass(world, world->config.discovery.resync_interval_us);
    world_kill(world, a); /* the listing saw it running */
    world_drive(world);
    world_expect(world, a, RECOVERY_SETTLING);
    world_answer(world, world_find_pending(world, ACTION_LIST), true);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
    assert_int_equal(world_machine(world, a + 1)->state, MACHINE_RUNNING); /* and b off */
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_an_inspection_older_than_an_event_does_not_overwrite_it(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_DESCRIBE;
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    world_kill(world, a);
    world_drive(world);
    world_answer(world, world_find_pending(world, ACTION_DESCRIBE), true);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_an_end_that_the_kernel_tells_is_not_asked_for(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_tell(world, a, EVENT_ENDED_KILLED);
    world_drive(world);
    assert_int_equal(world->asked[ACTION_START], 1);
    assert_int_equal(world->asked[ACTION_GET_STATE], 0);
}

/* libvirt was asked before it noticed the end, and answers what it knew then only after it has told the stop. */
static void test_an_answer_from_before_libvirt_noticed_an_end_does_not_overwrite_it(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_connect_all(world);
    world_tell(world, a, EVENT_ENDED_KILLED);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world->holds = 1u << ACTION_DESCRIBE;
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    world->domains[a].state = MACHINE_SHUT_OFF;
    world->domains[a].reason = REASON_CRASHED;
    world_tell(world, a, EVENT_STOPPED_FAILED);
    world_drive(world);
    world_answer(world, world_find_pending(world, ACTION_DESCRIBE), true);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
    world->holds = 0;
    world_release(world);
    world_pass(world, world->config.discovery.resync_interval_us + SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* It was started and panicked, and is found so before that is told. */
static void test_a_panic_that_is_found_before_it_is_told_is_one(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world->domains[a].on_crash = ON_CRASH_PRESERVE;
    world_connect_all(world);
    world->config.mode = MODE_OBSERVE;
    world->domains[a].state = MACHINE_CRASHED;
    world->domains[a].reason = REASON_PANICKED;
    world_tell(world, a, EVENT_STARTED_BOOTED);
    world_drive(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    world_tell(world, a, EVENT_RESUMED);
    world_tell(world, a, EVENT_CRASHED_PANICKED);
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    assert_int_equal(world_machine(world, a)->state, MACHINE_CRASHED);
}

/* It lived as long as it ran, and was found gone by a faster question. */
static void test_a_listing_older_than_its_end_does_not_bring_a_machine_back(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a].is_transient = true;
    world->holds = 1u << ACTION_LIST;
    world_pass(world, world->config.discovery.resync_interval_us);
    world_kill(world, a);
    world_pass(world, SETTLED); /* its recovery holds it no longer */
    assert_null(world_machine(world, a));
    world_answer(world, world_find_pending(world, ACTION_LIST), true);
    assert_null(world_machine(world, a));
    world->holds = 0;
    world_pass(world, SETTLED);
    assert_null(world_machine(world, a));
}

static void test_a_machine_missing_from_an_older_listing_stays(struct world *world)
{
    unsigned a = world_add_three(world), d;

    (void)a;
    world->holds = 1u << ACTION_LIST;
    world_connect(world, 0);
    d = world_add(world, "d", WEB, MACHINE_SHUT_OFF);
    world_boot(world, d);
    world_drive(world);
    assert_non_null(world_machine(world, d));
    world_answer(world, world_find_pending(world, ACTION_LIST), true);
    assert_non_null(world_machine(world, d));
    assert_int_equal(world_machine(world, d)->state, MACHINE_RUNNING);
}

static void test_everything_is_listed_anew_from_time_to_time(struct world *world)
{
    unsigned a = world_add_three(world), before = world->asked[ACTION_LIST];

    world_kill_silently(world, a); /* an event that never came */
    world_pass(world, world->config.discovery.resync_interval_us + SETTLED);
    assert_true(world->asked[ACTION_LIST] >= before + 2);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_listing_that_fails_is_asked_for_again(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_RUNNING);
    world->holds = 1u << ACTION_LIST;
    world_connect_all(world);
    assert_false(coordinator_is_ready(world->coordinator));
    world_answer_error(world, 0, -ETIMEDOUT);
    world_answer_error(world, 0, -EIO);
    world->holds = 0;
    world_pass(world, 60 * USEC_PER_SEC);
    assert_true(coordinator_is_ready(world->coordinator));
}

/* ---- connections ---- */

static void test_the_connection_breaks_while_a_candidate_is_started(struct world *world)
{
    unsigned a = world_add_three(world);

    for (int came_up = 1; came_up >= 0; came_up--) {
        world->holds = 1u << ACTION_START;
        world_kill(world, a);
        world_drive(world);
        world->is_connected[0] = false;
        coordinator_handle_disconnected(world->coordinator, "local", "the connection broke", world->now);
        world_answer_error(world, world_find_pending(world, ACTION_START), -ENOTCONN);
        world->domains[a + 1].state = came_up ? MACHINE_RUNNING : MACHINE_SHUT_OFF;
        world->holds = 0;
        world_connect(world, 0);
        world_pass(world, SETTLED);

        const struct recovery *recovery = NULL;
        assert_int_equal(world_recoveries(world, a, &recovery), came_up ? 1 : 2);
        assert_int_equal(recovery->state, RECOVERY_RECOVERED);
        assert_string_equal(recovery->replacement_name, came_up ? "b" : "c");
        world->domains[a + 1].state = MACHINE_SHUT_OFF;
        world->domains[a + 1].reason = REASON_DESTROYED;
        world_tell(world, a + 1, EVENT_STOPPED_DESTROYED);
        world_boot(world, a);
        world_drive(world);
    }
}

static void test_the_connection_breaks_while_asking_whether_it_is_dead(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world_disconnect(world, 0);
    world_answer_error(world, world_find_pending(world, ACTION_GET_STATE), -ENOTCONN);
    world_pass(world, 600 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_CONFIRMING); /* nothing is started while that is not known */
    world->holds = 0;
    world_connect(world, 0);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_an_overdue_start_that_comes_up_late_is_stopped_again(struct world *world)
{
    unsigned a = world_add_three(world);
    struct action late;
    struct action_result success = {0};

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    late = world->pending[world_find_pending(world, ACTION_START)].action;
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");

    world->domains[a + 1].state = MACHINE_RUNNING;
    success.id = late.id;
    coordinator_handle_late_result(world->coordinator, &late, &success, world->now);
    world_drive(world);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a + 2].state, MACHINE_RUNNING);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_an_overdue_start_that_came_up_is_the_replacement(struct world *world)
{
    unsigned a = world_add_three(world);
    struct action late;
    struct action_result success = {0};

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    late = world->pending[world_find_pending(world, ACTION_START)].action;
    world_boot(world, a + 1);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    success.id = late.id;
    coordinator_handle_late_result(world->coordinator, &late, &success, world->now);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    assert_int_equal(world->domains[a + 1].destroys, 0);
}

/* ---- configuration ---- */

static void test_a_new_configuration_in_the_middle_of_a_recovery(struct world *world)
{
    unsigned a = world_add_three(world);
    struct config *fresh = malloc(sizeof(*fresh));

    assert_non_null(fresh);
    *fresh = world->config;
    fresh->recovery.settle_us = 60 * USEC_PER_SEC;
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    assert_int_equal(coordinator_configure(world->coordinator, fresh), 0);
    memset(&world->config, 0x5a, sizeof(world->config)); /* the old one must not be read any more */
    world->config.mode = MODE_AUTOMATIC;
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_SETTLING);
    world_pass(world, 60 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
    world->config = *fresh;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    free(fresh);
}

static void test_a_bad_configuration_changes_nothing(struct world *world)
{
    struct config_weight bad[] = {{.kind = (char *)"no kind", .millionths = 1}};
    struct config config = world->config;
    unsigned a = world_add_three(world);

    config.similarity.resource_weights = bad;
    config.similarity.n_resource_weights = 1;
    config.pool.ignore = LIST("*");
    assert_int_equal(coordinator_configure(world->coordinator, &config), -EINVAL);
    assert_int_equal(world_machine(world, a)->roles, ROLE_PROTECTED | ROLE_STANDBY);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_hypervisor_is_removed_in_the_middle_of_a_recovery(struct world *world)
{
    static const enum action_kind moments[] = {ACTION_GET_STATE, ACTION_START};

    for (size_t i = 0; i < ELEMENTS_OF(moments); i++) {
        unsigned a;

        world_end(world);
        world_begin(world);
        a = world_add(world, "a", WEB, MACHINE_RUNNING);
        world->domains[a].hypervisor = 1;
        world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
        world_connect_all(world);
        world->holds = 1u << moments[i];
        world_kill(world, a);
        world_drive(world);
        world->config.n_hypervisors = 1;
        assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
        world_pass(world, USEC_PER_SEC);
        world_expect(world, a, RECOVERY_EXHAUSTED);
        world_release(world); /* the answer comes after all */
        world_pass(world, SETTLED);
        assert_null(world_machine(world, a));
        assert_int_equal(coordinator_hypervisor_count(world->coordinator), 1);
    }
}

static void test_a_hypervisor_is_added(struct world *world)
{
    world->config.n_hypervisors = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect(world, 0);
    assert_true(coordinator_is_ready(world->coordinator));
    world->config.n_hypervisors = 2;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    assert_false(coordinator_is_ready(world->coordinator));
    world_connect(world, 1);
    assert_true(coordinator_is_ready(world->coordinator));
}

/* ---- what it knows ---- */

static void test_hypervisors_are_told_of(struct world *world)
{
    struct hypervisor_status status;

    world_add_three(world);
    world_disconnect(world, 1);
    assert_int_equal(coordinator_hypervisor_count(world->coordinator), 2);
    status = coordinator_hypervisor(world->coordinator, 0);
    assert_string_equal(status.name, "local");
    assert_string_equal(status.uri, "test:///default");
    assert_true(status.is_connected && status.is_listed);
    assert_int_equal(status.machines, 3);
    assert_int_equal(status.free_memory_kib, 1000000);
    assert_null(status.trouble);
    status = coordinator_hypervisor(world->coordinator, 1);
    assert_false(status.is_connected || status.is_listed);
    assert_string_equal(status.trouble, "the connection broke");
}

static void test_a_trouble_line_does_not_keep_its_first_cause(struct world *world)
{
    world_add_three(world);
    world_disconnect(world, 1);
    assert_string_equal(coordinator_hypervisor(world->coordinator, 1).trouble, "the connection broke");
    world->holds = 1u << ACTION_LIST;
    world_connect(world, 1);
    assert_null(coordinator_hypervisor(world->coordinator, 1).trouble);
    world_answer_error(world, world_find_pending(world, ACTION_LIST), -EIO);
    assert_non_null(strstr(coordinator_hypervisor(world->coordinator, 1).trouble, "its machines cannot be listed: "));
    world->holds = 0;
    world_pass(world, 5 * USEC_PER_SEC);
    assert_null(coordinator_hypervisor(world->coordinator, 1).trouble);
}

static void test_explaining_changes_nothing_and_says_what_would_be_done(struct world *world)
{
    unsigned a = world_add_three(world);
    struct explanation *explanation = NULL;

    assert_int_equal(coordinator_explain(world->coordinator, world_machine(world, a), 10, world->now, &explanation), 0);
    assert_string_equal(explanation_chosen(explanation)->name, "b");
    explanation_free(explanation);
    assert_null(machine_rare(world_machine(world, a + 1))->claimed_by);
    world_drive(world);
    assert_int_equal(world->asked[ACTION_START], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_drill_is_recorded_as_one(struct world *world)
{
    unsigned a = world_add_three(world);
    const struct recovery *recovery = NULL;

    world_order_drill(world, a);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_true(world_expect(world, a, RECOVERY_RECOVERED)->is_drill);
    world_shut_down(world, a + 1);
    world_boot(world, a);
    world_pass(world, SETTLED);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &recovery), 2);
    assert_false(recovery->is_drill);
}

/* It was trimmed by their number alone: a busy night drove out what an auditor asks for. */
static void test_history_is_as_old_as_asked_for_and_ids_are_distinct(struct world *world)
{
    const int64_t day_us = INT64_C(86400) * USEC_PER_SEC;
    unsigned a;

    world->config.recovery.history_days = 2;
    a = world_add(world, "a", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    for (int i = 0; i < 10; i++) {
        world_kill(world, a);
        world_drive(world);
        world_boot(world, a);
        world_drive(world);
    }
    assert_int_equal(world->told[NOTICE_EXHAUSTED], 10);
    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++)
        for (size_t n = 0; n < i; n++)
            assert_string_not_equal(coordinator_recovery(world->coordinator, i)->id,
                                    coordinator_recovery(world->coordinator, n)->id);
    world_pass(world, day_us); /* they count for nothing any more */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 10);
    world_pass(world, day_us + 2 * SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_an_event_of_an_unknown_machine_makes_it_known),
        world_test(test_an_unknown_machine_that_crashes_is_recovered_once_it_is_known),
        world_test(test_an_event_of_what_no_longer_exists_is_harmless),
        world_test(test_an_event_of_an_unknown_hypervisor_is_harmless),
        world_test(test_a_transient_machine_is_recovered_although_it_is_gone),
        world_test(test_a_transient_machine_that_comes_back_in_its_recovery),
        world_test(test_a_machine_that_is_undefined_goes),
        world_test(test_a_crash_while_disconnected_is_found_once),
        world_test(test_a_crash_before_the_first_listing_is_not_known_to_be_one),
        world_test(test_a_listing_older_than_an_event_does_not_overwrite_it),
        world_test(test_an_inspection_older_than_an_event_does_not_overwrite_it),
        world_test(test_a_listing_older_than_its_end_does_not_bring_a_machine_back),
        world_test(test_an_end_that_the_kernel_tells_is_not_asked_for),
        world_test(test_an_answer_from_before_libvirt_noticed_an_end_does_not_overwrite_it),
        world_test(test_a_panic_that_is_found_before_it_is_told_is_one),
        world_test(test_a_machine_missing_from_an_older_listing_stays),
        world_test(test_everything_is_listed_anew_from_time_to_time),
        world_test(test_a_listing_that_fails_is_asked_for_again),
        world_test(test_the_connection_breaks_while_a_candidate_is_started),
        world_test(test_the_connection_breaks_while_asking_whether_it_is_dead),
        world_test(test_an_overdue_start_that_comes_up_late_is_stopped_again),
        world_test(test_an_overdue_start_that_came_up_is_the_replacement),
        world_test(test_a_new_configuration_in_the_middle_of_a_recovery),
        world_test(test_a_bad_configuration_changes_nothing),
        world_test(test_a_hypervisor_is_removed_in_the_middle_of_a_recovery),
        world_test(test_a_hypervisor_is_added),
        world_test(test_hypervisors_are_told_of),
        world_test(test_a_trouble_line_does_not_keep_its_first_cause),
        world_test(test_explaining_changes_nothing_and_says_what_would_be_done),
        world_test(test_a_drill_is_recorded_as_one),
        world_test(test_history_is_as_old_as_asked_for_and_ids_are_distinct),
    };

    return cmocka_run_group_tests_name("coordinator_view", tests, NULL, NULL);
}
