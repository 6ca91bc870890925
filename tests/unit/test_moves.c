/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that are migrated while something was asked of them, or renamed while one of them serves for the other. */
#include "support.h"
#include "world.h"

/* "a" runs, "b" could take over, and "moved" is where it is migrated to. Each is on a host of its own. */
static unsigned add_three(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING),
             b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    unsigned moved = world_add_on(world, THIRD, "moved", MACHINE_SHUT_OFF);

    world->domains[moved].exists = false;
    world->domains[moved].uuid_of = b + 1;
    world_connect_all(world);
    return a;
}

/* The question was put to its former host, and the answer means nothing. */
static void test_a_candidate_that_is_migrated_while_it_is_asked_about(struct world *world)
{
    unsigned a = add_three(world);
    const struct recovery *recovery;

    world_kill(world, a);
    world_drive(world);
    world->holds = 1u << ACTION_GET_STATE; /* of the replacement, once it was up for a while */
    world_pass(world, world->config.recovery.settle_us + 1);
    world_find_pending(world, ACTION_GET_STATE);
    world_migrate(world, a + 1, a + 2);
    world_release(world);
    world_pass(world, SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement.hypervisor, world->hosts[THIRD]);
    assert_int_equal(world->domains[a + 2].state, MACHINE_RUNNING);
}

/* Its start was given up, and took effect: it is ended where it is by now. */
static void test_a_machine_that_is_to_be_ended_is_migrated(struct world *world)
{
    unsigned a = add_three(world);

    world->domains[a + 1].start_us = world->config.recovery.start_timeout_us + 20 * USEC_PER_SEC;
    world_kill(world, a);
    world_pass(world, world->config.recovery.start_timeout_us + 10 * USEC_PER_SEC);
    world->holds = 1u << ACTION_DESTROY;
    world_pass(world, 15 * USEC_PER_SEC);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    world_find_pending(world, ACTION_DESTROY);
    world_migrate(world, a + 1, a + 2);
    world->domains[a + 1].exists = false;
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 2].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a + 2].destroys, 1);
}

/* Nothing but the host is another: a daemon that is started before any host is listed knows it from its disk. */
static void test_where_an_original_went_is_on_disk(struct world *world)
{
    unsigned a = add_three(world);
    const struct diversion *diversion;

    world->config.when_both_run = BOTH_RUN_ALERT;
    world->domains[a + 2].name = world->domains[a].name;
    world->domains[a + 2].uuid_of = a + 1;
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_boot(world, a);
    world_drive(world);
    world_migrate(world, a, a + 2);
    world_drive(world);
    diversion = coordinator_diversion(world->coordinator, 0);
    assert_string_equal(diversion->service.original.hypervisor, world->hosts[THIRD]);
    world_stop_daemon(world);
    world_start_daemon(world);
    diversion = coordinator_diversion(world->coordinator, 0);
    assert_string_equal(diversion->service.original.hypervisor, world->hosts[THIRD]);
}

static void test_what_is_on_record_has_the_new_names(struct world *world)
{
    unsigned a = add_three(world);
    const struct recovery *recovery;

    world_kill(world, a);
    world_pass(world, SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    world->domains[a].name = "new-a";
    world_tell(world, a, EVENT_DEFINED);
    world->domains[a + 1].name = "new-b";
    world_tell(world, a + 1, EVENT_DEFINED);
    world_drive(world);
    assert_string_equal(recovery->service_name, "new-a");
    assert_string_equal(world_read_recovery(world, recovery->id)->service_name, "new-a");
    assert_string_equal(coordinator_diversion(world->coordinator, 0)->service.name, "new-a");
    assert_string_equal(coordinator_diversion(world->coordinator, 0)->service.replacement_name, "new-b");
}

/* The definition of the original says so while its replacement serves; it is on disk. */
static void test_the_priority_is_that_of_the_original_by_now(struct world *world)
{
    unsigned a = add_three(world);

    world_kill(world, a);
    world_pass(world, SETTLED);
    world->domains[a].priority = 7;
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    assert_int_equal(machine_priority(world_machine(world, a + 1)), 7);
    world_restart_daemon(world);
    assert_int_equal(coordinator_diversion(world->coordinator, 0)->service.priority, 7);
}

/* It is told to have ended where it was to arrive, before the daemon has learned what that was. */
static void test_a_migration_that_fails_before_its_machine_is_known(struct world *world)
{
    unsigned a = add_three(world);

    world->domains[a + 2].uuid_of = a + 1;
    world->holds = 1u << ACTION_DESCRIBE;
    world_happen(world, a + 2, EVENT_STARTED_MIGRATED);
    world_drive(world);
    world_happen(world, a + 2, EVENT_STOPPED_FAILED);
    world_drive(world);
    world->domains[a + 2].exists = true; /* a definition of it is there */
    world_release(world);
    world_pass(world, SETTLED);
    assert_non_null(world_machine(world, a + 2));
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 0);
}

/* It is known when a second one has brought it there, and it was stopped: that the first one failed says nothing of it. */
static void test_a_migration_that_fails_before_one_that_does_not(struct world *world)
{
    unsigned a = add_three(world);

    world->domains[a + 2].uuid_of = a + 1;
    world->domains[a + 2].role = "protected";
    world_happen(world, a + 2, EVENT_STARTED_MIGRATED);
    world->domains[a + 2].exists = false;
    world_drive(world); /* it is not found there, and forgotten */
    world->holds = 1u << ACTION_DESCRIBE;
    world_happen(world, a + 2, EVENT_STOPPED_FAILED);
    world_drive(world);
    world->domains[a + 2].exists = true;
    world_happen(world, a + 2, EVENT_STARTED_MIGRATED);
    world_happen(world, a + 2, EVENT_RESUMED);
    world_happen(world, a + 2, EVENT_STOPPED_DESTROYED);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_machine(world, a + 2)->state, MACHINE_SHUT_OFF);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* That it was coming in was not told either: it is listed so, by an answer older than the news of its end. */
static void test_a_migration_that_fails_unannounced_before_its_machine_is_known(struct world *world)
{
    unsigned a = add_three(world);
    struct world_domain *incoming = &world->domains[a + 2];

    incoming->uuid_of = a + 1;
    incoming->exists = true;
    incoming->state = MACHINE_PAUSED;
    incoming->reason = REASON_BUSY;
    world->holds = 1u << ACTION_DESCRIBE;
    world_tell(world, a + 2, EVENT_STOPPED_FAILED);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_non_null(world_machine(world, a + 2));
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 0);
}

/* Its former host is out of reach, and is fenced when its new one has told that it came up, and not described it yet. */
static void arrive_undescribed(struct world *world, unsigned number)
{
    world->holds = 1u << ACTION_FENCE | 1u << ACTION_DESCRIBE;
    world_pass(world, world->config.host_timeout_us + 2 * USEC_PER_SEC);
    world_happen(world, number, EVENT_STARTED_MIGRATED);
    world_happen(world, number, EVENT_RESUMED);
    world_drive(world);
    world_answer(world, world_find_pending(world, ACTION_FENCE), true);
    world_pass(world, USEC_PER_SEC);
}

/* Out of sight, it was migrated to a host that has told so, and is still to describe it when its former host was fenced. */
static void test_a_host_is_fenced_before_a_machine_is_known_where_it_was_migrated_to(struct world *world)
{
    unsigned a = add_three(world);

    world->domains[a + 2].uuid_of = a + 1;
    world_disconnect(world, LOCAL);
    arrive_undescribed(world, a + 2);
    world_assert_host(world, LOCAL, HOST_FENCED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_machine(world, a + 2)->state, MACHINE_RUNNING);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
}

/* It has failed there since: that is one failure, and one machine takes over. */
static void test_a_machine_fails_before_it_is_known_where_it_was_migrated_to(struct world *world)
{
    unsigned a = add_three(world);

    world_add_on(world, THIRD, "c", MACHINE_SHUT_OFF);
    world->domains[a + 2].uuid_of = a + 1;
    world->domains[a + 2].role = "protected";
    world_connect(world, THIRD);
    world_disconnect(world, LOCAL);
    arrive_undescribed(world, a + 2);
    world_happen(world, a + 2, EVENT_STOPPED_FAILED);
    world_drive(world);
    world->domains[a + 2].exists = true;
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    world_expect(world, a + 2, RECOVERY_RECOVERED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        remote_test(test_a_candidate_that_is_migrated_while_it_is_asked_about),
        remote_test(test_a_machine_that_is_to_be_ended_is_migrated),
        remote_test(test_where_an_original_went_is_on_disk),
        remote_test(test_what_is_on_record_has_the_new_names),
        remote_test(test_a_migration_that_fails_before_its_machine_is_known),
        remote_test(test_a_migration_that_fails_before_one_that_does_not),
        remote_test(test_a_migration_that_fails_unannounced_before_its_machine_is_known),
        remote_test(test_a_host_is_fenced_before_a_machine_is_known_where_it_was_migrated_to),
        remote_test(test_a_machine_fails_before_it_is_known_where_it_was_migrated_to),
        remote_test(test_the_priority_is_that_of_the_original_by_now),
    };

    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
