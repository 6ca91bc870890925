/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are lost, fenced and come back, seen from the coordinator. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define WEB     "language/nodejs database/mysql webserver/nginx"
#define SETTLED (10 * USEC_PER_SEC)
#define LONG    (60 * USEC_PER_SEC)
#define LOCAL   0
#define OTHER   1
#define THIRD   2
#define GIB     (UINT64_C(1024) * 1024)

#define hosts_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int set_up(void **state)
{
    static struct world world;

    world_begin(&world);
    world_make_remote(&world);
    for (unsigned i = 0; i < WORLD_HYPERVISORS; i++)
        world.free_memory_kib[i] = 100 * GIB;
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_end(*state);
    return 0;
}

static unsigned add(struct world *world, unsigned hypervisor, const char *name, enum machine_state state)
{
    unsigned number = world_add(world, name, WEB, state);

    world->domains[number].hypervisor = hypervisor;
    return number;
}

/* "a" runs on local; "b" and "c" stand by on other and third. */
static unsigned add_three(struct world *world)
{
    unsigned a = add(world, LOCAL, "a", MACHINE_RUNNING);

    add(world, OTHER, "b", MACHINE_SHUT_OFF);
    add(world, THIRD, "c", MACHINE_SHUT_OFF);
    world_connect_all(world);
    return a;
}

static const struct host_track *host(const struct world *world, unsigned hypervisor)
{
    return coordinator_hypervisor(world->coordinator, hypervisor).host;
}

static void assert_host(const struct world *world, unsigned hypervisor, enum host_state state)
{
    assert_string_equal(host_state_name(host(world, hypervisor)->state), host_state_name(state));
}

static unsigned count_starts(const struct world *world)
{
    unsigned starts = 0;

    for (unsigned i = 0; i < world->n_domains; i++)
        starts += world->domains[i].starts;
    return starts;
}

static void lose(struct world *world, unsigned hypervisor)
{
    world_disconnect(world, hypervisor);
    world_pass(world, LONG);
}

static void test_a_lost_host_is_fenced_and_its_machine_recovered(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);
    const struct recovery *recovery;

    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_FENCED);
    assert_int_equal(world->asked[ACTION_FENCE], 1);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(recovery->cause, CAUSE_HOST_LOST);
    assert_string_equal(recovery->replacement_name, "b");
    assert_int_equal(world->told[NOTICE_HOST_LOST], 1);
    assert_int_equal(world->told[NOTICE_HOST_FENCED], 1);
    assert_int_equal(world->told[NOTICE_FENCE_FAILED], 0);
    assert_int_equal(world->asked[ACTION_GET_STATE], 1); /* of the replacement; the dead are not asked */
    assert_int_equal(world->asked[ACTION_DESTROY], 0);
}

static void test_nothing_is_started_before_the_fencing_has_succeeded(void **state)
{
    struct world *world = *state;

    add_three(world);
    world->holds = 1u << ACTION_FENCE;
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_FENCING);
    assert_int_equal(count_starts(world), 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(count_starts(world), 1);
}

static void test_fencing_that_fails_starts_nothing_and_is_tried_again(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->fence_error = -EIO;
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_UNFENCED);
    assert_true(world->told[NOTICE_FENCE_FAILED] >= 1);
    assert_non_null(strstr(world->last_text[NOTICE_FENCE_FAILED], "no power switch"));
    assert_int_equal(count_starts(world), 0);
    world_pass(world, LONG);
    assert_true(world->asked[ACTION_FENCE] >= 3);
    assert_int_equal(count_starts(world), 0);
    world->fence_error = 0;
    world_pass(world, 10 * LONG);
    assert_host(world, LOCAL, HOST_FENCED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_without_an_agent_nothing_is_started_until_somebody_confirms(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->config.fence.command = NULL;
    lose(world, LOCAL);
    world_pass(world, 10 * LONG);
    assert_int_equal(world->told[NOTICE_FENCE_FAILED], 1);
    assert_int_equal(count_starts(world), 0);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "nowhere", world->now), -ENOENT);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "other", world->now), -EBUSY);
    world->domains[a].state = MACHINE_SHUT_OFF;
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "local", world->now), 0);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "local", world->now), -EALREADY);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_true(host(world, LOCAL)->was_by_hand);
}

static void test_observing_fences_nothing(void **state)
{
    struct world *world = *state;

    add_three(world);
    world->config.mode = MODE_OBSERVE;
    lose(world, LOCAL);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_non_null(strstr(world->last_text[NOTICE_FENCE_FAILED], "observe"));
}

static void test_a_flapping_link_starts_nothing(void **state)
{
    struct world *world = *state;

    add_three(world);
    for (int i = 0; i < 10; i++) {
        world_disconnect(world, LOCAL);
        world_pass(world, 29 * USEC_PER_SEC);
        world_connect(world, LOCAL);
    }
    world_pass(world, LONG);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(count_starts(world), 0);
    assert_host(world, LOCAL, HOST_REACHABLE);
}

static void test_most_gone_at_once_is_our_own_network(void **state)
{
    struct world *world = *state;

    add_three(world);
    world_disconnect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_pass(world, 10 * LONG);
    assert_host(world, LOCAL, HOST_HELD);
    assert_host(world, OTHER, HOST_HELD);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_true(world->told[NOTICE_HOSTS_HELD] > 0);
    /* One is back: the time of the other begins anew. */
    world_connect(world, OTHER);
    assert_host(world, LOCAL, HOST_MISSING);
    assert_true(world->told[NOTICE_HOSTS_RELEASED] > 0);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_pass(world, LONG);
    assert_host(world, LOCAL, HOST_FENCED);
}

/* Their connections seem up, because nobody has noticed yet; but none of them answers. */
static void test_others_that_do_not_answer_are_no_witnesses(void **state)
{
    struct world *world = *state;

    add_three(world);
    world->holds = 1u << ACTION_LIST;
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_HELD);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_release(world);
    world_pass(world, LONG);
    assert_host(world, LOCAL, HOST_FENCED);
}

static void test_one_of_two_is_not_most(void **state)
{
    struct world *world = *state;
    unsigned a;

    world->config.n_hypervisors = 2;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    a = add(world, LOCAL, "a", MACHINE_RUNNING);
    add(world, OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    lose(world, LOCAL);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_the_only_one_is_most(void **state)
{
    struct world *world = *state;

    world->config.n_hypervisors = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    add(world, LOCAL, "a", MACHINE_RUNNING);
    world_connect_all(world);
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_HELD);
}

static void test_nothing_to_recover_is_no_reason_to_fence(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->domains[a].role = "standby";
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_LOST);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(world->told[NOTICE_HOST_LOST], 1);
}

static void test_many_are_spread_over_the_hosts_that_are_left(void **state)
{
    struct world *world = *state;
    unsigned on[WORLD_HYPERVISORS] = {0};

    world->config.recovery.brake = (struct config_brake){.share = 100000, .minimum = 2, .window_us = LONG};
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"a1", "a2", "a3", "a4"};

        add(world, LOCAL, names[i], MACHINE_RUNNING);
    }
    for (int i = 0; i < 8; i++) {
        static const char *const names[] = {"b1", "b2", "b3", "b4", "c1", "c2", "c3", "c4"};

        add(world, i < 4 ? OTHER : THIRD, names[i], MACHINE_SHUT_OFF);
    }
    world->free_memory_kib[OTHER] = 100 * GIB + 1;
    world_connect_all(world);
    lose(world, LOCAL);
    for (unsigned i = 0; i < world->n_domains; i++)
        on[world->domains[i].hypervisor] += world->domains[i].state == MACHINE_RUNNING;
    assert_int_equal(on[LOCAL], 0);
    assert_int_equal(on[OTHER], 2);
    assert_int_equal(on[THIRD], 2);
    assert_false(coordinator_is_held(world->coordinator)); /* a host is one failure, and has a brake of its own */
}

static void test_disks_of_a_lost_host_are_in_use_until_it_is_fenced(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world), d = add(world, OTHER, "d", MACHINE_RUNNING);

    world->domains[a].disk = world->domains[a + 1].disk = world->domains[a + 2].disk = "nbd:shared";
    world->fence_error = -EIO;
    for (unsigned i = 0; i < WORLD_HYPERVISORS; i++)
        world_connect(world, i);
    lose(world, LOCAL);
    world_kill(world, d);
    world_pass(world, SETTLED);
    assert_int_equal(count_starts(world), 0);
    world_expect(world, d, RECOVERY_EXHAUSTED);
    world->fence_error = 0;
    world_pass(world, 10 * LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_recovery_whose_candidate_is_lost_takes_the_next_one(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);
    const struct recovery *recovery;

    world_kill(world, a);
    world_drive(world);
    assert_int_equal(world->domains[a + 1].starts, 1);
    world_disconnect(world, OTHER);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(count_starts(world), 1);
    world_pass(world, LONG);
    assert_host(world, OTHER, HOST_FENCED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "c");
    assert_non_null(strstr(recovery->attempts[0].error, "host was lost"));
    /* Its end as a candidate is no failure of its own. */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_a_candidate_that_was_not_touched_needs_no_fencing(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->fence_error = -EIO;
    world->holds = 1u << ACTION_HOOK;
    world_kill(world, a);
    world_drive(world);
    world_disconnect(world, OTHER);
    world->holds = 0;
    world->n_pending = 0;
    world_pass(world, LONG);
    assert_int_equal(world->domains[a + 1].starts, 0);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
}

static void test_a_crash_whose_host_is_lost_while_it_is_confirmed(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world_disconnect(world, LOCAL);
    world_answer_error(world, 0, -ENOTCONN);
    world->holds = 0;
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(count_starts(world), 0);
    world_pass(world, LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* ---- what comes back ---- */

static void test_a_fenced_host_comes_back_with_its_machines_off(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    lose(world, LOCAL);
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    assert_host(world, LOCAL, HOST_REACHABLE);
    assert_int_equal(world->told[NOTICE_HOST_BACK], 1);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
}

/* The agent lied, and the original comes back running. */
static unsigned let_both_run(struct world *world, enum when_both_run when)
{
    unsigned a = add_three(world);

    world->config.when_both_run = when;
    world->fence_lies = true;
    lose(world, LOCAL);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    return a;
}

static void test_what_runs_twice_is_told(void **state)
{
    struct world *world = *state;
    unsigned a = let_both_run(world, BOTH_RUN_ALERT);

    world_pass(world, 20 * LONG);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    assert_int_equal(world->asked[ACTION_DESTROY], 0);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    /* Stopped by hand and started again it is told again. */
    world->domains[a].state = MACHINE_SHUT_OFF;
    world_tell(world, a, EVENT_STOPPED_DESTROYED);
    world_boot(world, a);
    world_drive(world);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 2);
}

/* The answer to its end comes before the news of it. */
static void test_what_runs_twice_is_told_to_be_resolved(void **state)
{
    struct world *world = *state;

    world->answers_first = true;
    let_both_run(world, BOTH_RUN_STOP_REPLACEMENT);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
}

static void test_what_runs_twice_is_resolved(void **state)
{
    struct world *world = *state;
    unsigned a = let_both_run(world, BOTH_RUN_STOP_REPLACEMENT);

    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);

    world_end(world);
    set_up(state);
    a = let_both_run(world, BOTH_RUN_STOP_ORIGINAL);
    assert_int_equal(world->domains[a].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* The one that is to stay dies before the other is stopped: the last one stays. */
static void test_the_last_of_two_is_not_stopped(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    world->fence_lies = true;
    lose(world, LOCAL);
    world->holds = 1u << ACTION_DESTROY;
    world_connect(world, LOCAL);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -EIO);
    world->domains[a].state = MACHINE_SHUT_OFF;
    world_tell(world, a, EVENT_STOPPED_DESTROYED);
    world->holds = 0;
    world_pass(world, LONG);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].destroys, 0);
}

/* The original stands in for another by now: it is not the one that failed, come back. */
static void test_an_original_with_another_duty_does_not_run_twice(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world), d = add(world, OTHER, "d", MACHINE_RUNNING);

    world->domains[a + 2].role = "protected";
    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    for (unsigned i = 0; i < WORLD_HYPERVISORS; i++)
        world_connect(world, i);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    world_kill(world, d);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, d, RECOVERY_RECOVERED)->replacement_name, "a");
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    assert_int_equal(world->asked[ACTION_DESTROY], 0);
}

/* The connection breaks before it is answered: told and resolved when it is back. */
static void test_a_stop_that_was_cut_off_is_asked_for_again(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    world->fence_lies = true;
    lose(world, LOCAL);
    world->holds = 1u << ACTION_DESTROY;
    world_connect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -ENOTCONN);
    world_pass(world, SETTLED);
    world->holds = 0;
    world_connect(world, OTHER);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
}

/* Never fenced; it was rebooted, and its machines did not come up again. */
static void test_a_lost_host_that_comes_back_without_its_machines(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);
    const struct recovery *recovery;

    world->config.fence.command = NULL;
    lose(world, LOCAL);
    world->domains[a].state = MACHINE_SHUT_OFF;
    world->domains[a].reason = REASON_UNKNOWN;
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(recovery->cause, CAUSE_HOST_LOST);
}

static void test_a_host_that_was_only_cut_off_comes_back_as_it_was(void **state)
{
    struct world *world = *state;

    add_three(world);
    world->config.fence.command = NULL;
    lose(world, LOCAL);
    world_connect(world, LOCAL);
    world_pass(world, LONG);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_host(world, LOCAL, HOST_REACHABLE);
}

/* ---- the daemon dies ---- */

static void test_a_daemon_that_died_after_fencing_goes_on(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->holds = 1u << ACTION_RECORD;
    lose(world, LOCAL);
    assert_host(world, LOCAL, HOST_FENCED);
    assert_int_equal(count_starts(world), 0);
    world_restart_daemon(world);
    assert_host(world, LOCAL, HOST_FENCED);
    world_connect(world, OTHER);
    world_connect(world, THIRD);
    world_disconnect(world, LOCAL);
    world_pass(world, LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->asked[ACTION_FENCE], 1);
}

/* The word that it is fenced reached the disk, and nothing after it. */
static void test_recoveries_that_were_never_written_are_opened_anew(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->fence_error = -EIO;
    lose(world, LOCAL);
    world->domains[a].state = MACHINE_SHUT_OFF;
    world->kept[LOCAL].state = HOST_FENCED;
    world_restart_daemon(world);
    world_disconnect(world, LOCAL);
    world_connect(world, OTHER);
    world_connect(world, THIRD);
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_HOST_LOST);
}

/* It was never listed in this life of the daemon; what it had is remembered. */
static void test_a_host_that_is_gone_when_the_daemon_starts(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world_restart_daemon(world);
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
    assert_false(world_machine(world, a)->is_reachable);
    world_connect(world, OTHER);
    world_connect(world, THIRD);
    world_disconnect(world, LOCAL);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(count_starts(world), 0);
    world_pass(world, LONG);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->failed_name, "a");
}

static void test_what_runs_twice_is_told_after_a_restart(void **state)
{
    struct world *world = *state;

    add_three(world);
    world->fence_lies = true;
    lose(world, LOCAL);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
}

static void test_machines_that_are_gone_are_forgotten_on_disk(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    assert_true(world->remembered[a].is_known);
    world->domains[a].exists = false;
    world_connect(world, LOCAL);
    world_pass(world, LONG);
    assert_false(world->remembered[a].is_known);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        hosts_test(test_a_lost_host_is_fenced_and_its_machine_recovered),
        hosts_test(test_nothing_is_started_before_the_fencing_has_succeeded),
        hosts_test(test_fencing_that_fails_starts_nothing_and_is_tried_again),
        hosts_test(test_without_an_agent_nothing_is_started_until_somebody_confirms),
        hosts_test(test_observing_fences_nothing),
        hosts_test(test_a_flapping_link_starts_nothing),
        hosts_test(test_most_gone_at_once_is_our_own_network),
        hosts_test(test_others_that_do_not_answer_are_no_witnesses),
        hosts_test(test_one_of_two_is_not_most),
        hosts_test(test_the_only_one_is_most),
        hosts_test(test_nothing_to_recover_is_no_reason_to_fence),
        hosts_test(test_many_are_spread_over_the_hosts_that_are_left),
        hosts_test(test_disks_of_a_lost_host_are_in_use_until_it_is_fenced),
        hosts_test(test_a_recovery_whose_candidate_is_lost_takes_the_next_one),
        hosts_test(test_a_candidate_that_was_not_touched_needs_no_fencing),
        hosts_test(test_a_crash_whose_host_is_lost_while_it_is_confirmed),
        hosts_test(test_a_fenced_host_comes_back_with_its_machines_off),
        hosts_test(test_what_runs_twice_is_told),
        hosts_test(test_what_runs_twice_is_told_to_be_resolved),
        hosts_test(test_what_runs_twice_is_resolved),
        hosts_test(test_the_last_of_two_is_not_stopped),
        hosts_test(test_an_original_with_another_duty_does_not_run_twice),
        hosts_test(test_a_stop_that_was_cut_off_is_asked_for_again),
        hosts_test(test_a_lost_host_that_comes_back_without_its_machines),
        hosts_test(test_a_host_that_was_only_cut_off_comes_back_as_it_was),
        hosts_test(test_a_daemon_that_died_after_fencing_goes_on),
        hosts_test(test_recoveries_that_were_never_written_are_opened_anew),
        hosts_test(test_a_host_that_is_gone_when_the_daemon_starts),
        hosts_test(test_what_runs_twice_is_told_after_a_restart),
        hosts_test(test_machines_that_are_gone_are_forgotten_on_disk),
    };

    return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
