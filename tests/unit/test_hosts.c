/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are lost, fenced and come back, seen from the coordinator. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define LONG (60 * USEC_PER_SEC)

static void lose(struct world *world, unsigned hypervisor)
{
    world_disconnect(world, hypervisor);
    world_pass(world, LONG);
}

static void test_nothing_is_started_before_the_fencing_has_succeeded(struct world *world)
{
    world_add_three(world);
    world->holds = 1u << ACTION_FENCE;
    lose(world, LOCAL);
    world_assert_host(world, LOCAL, HOST_FENCING);
    assert_int_equal(world_count_starts(world), 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_count_starts(world), 1);
}

static void test_fencing_that_fails_starts_nothing_and_is_tried_again(struct world *world)
{
    unsigned a = world_add_three(world);

    world->fence_error = -EIO;
    lose(world, LOCAL);
    world_assert_host(world, LOCAL, HOST_UNFENCED);
    assert_true(world->told[NOTICE_FENCE_FAILED] >= 1);
    assert_non_null(strstr(world->last_text[NOTICE_FENCE_FAILED], "no power switch"));
    assert_int_equal(world_count_starts(world), 0);
    world_pass(world, LONG);
    assert_true(world->asked[ACTION_FENCE] >= 3);
    assert_int_equal(world_count_starts(world), 0);
    world->fence_error = 0;
    world_pass(world, 10 * LONG);
    world_assert_host(world, LOCAL, HOST_FENCED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_without_an_agent_nothing_is_started_until_the_operator_confirms(struct world *world)
{
    unsigned a = world_add_three(world);

    world->config.fence.command = NULL;
    lose(world, LOCAL);
    world_pass(world, 10 * LONG);
    assert_int_equal(world->told[NOTICE_FENCE_FAILED], 1);
    assert_int_equal(world_count_starts(world), 0);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "nowhere", world->now), -ENOENT);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "other", world->now), -EBUSY);
    world->domains[a].state = MACHINE_SHUT_OFF;
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "local", world->now), 0);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, "local", world->now), -EALREADY);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_true(coordinator_hypervisor(world->coordinator, LOCAL).host->was_by_hand);
}

static void test_observing_fences_nothing(struct world *world)
{
    world_add_three(world);
    world->config.mode = MODE_OBSERVE;
    lose(world, LOCAL);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_non_null(strstr(world->last_text[NOTICE_FENCE_FAILED], "observe"));
}

static void test_a_flapping_link_starts_nothing(struct world *world)
{
    world_add_three(world);
    for (int i = 0; i < 10; i++) {
        world_disconnect(world, LOCAL);
        world_pass(world, 29 * USEC_PER_SEC);
        world_connect(world, LOCAL);
    }
    world_pass(world, LONG);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(world_count_starts(world), 0);
    world_assert_host(world, LOCAL, HOST_REACHABLE);
}

static void test_most_gone_at_once_is_our_own_network(struct world *world)
{
    world_add_three(world);
    world_disconnect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_pass(world, 10 * LONG);
    world_assert_host(world, LOCAL, HOST_ISOLATED);
    world_assert_host(world, OTHER, HOST_ISOLATED);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_true(world->told[NOTICE_HOSTS_ISOLATED] > 0);
    /* One is back: the time of the other begins anew. */
    world_connect(world, OTHER);
    world_assert_host(world, LOCAL, HOST_MISSING);
    assert_true(world->told[NOTICE_HOSTS_REJOINED] > 0);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_pass(world, LONG);
    world_assert_host(world, LOCAL, HOST_FENCED);
}

/* Their connections seem up, because no break was noticed yet; but none of them answers. */
static void test_others_that_do_not_answer_are_no_witnesses(struct world *world)
{
    world_add_three(world);
    world->holds = 1u << ACTION_LIST;
    lose(world, LOCAL);
    world_assert_host(world, LOCAL, HOST_ISOLATED);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_release(world);
    world_pass(world, LONG);
    world_assert_host(world, LOCAL, HOST_FENCED);
}

static void test_one_of_two_is_not_most(struct world *world)
{
    unsigned a;

    world->config.n_hypervisors = 2;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    lose(world, LOCAL);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* As clones and migrations leave them: two machines of one name, each on its host. */
static void test_a_recovery_between_machines_of_one_name_says_the_hosts(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "web", MACHINE_RUNNING);
    struct order failback = {.kind = ORDER_FAILBACK, .is_confirmed = true};
    struct order_answer answer = {0};

    world_add_on(world, OTHER, "web", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_non_null(strstr(world->last_text[NOTICE_FAILURE_DETECTED], "local/web failed"));
    assert_non_null(strstr(world->last_text[NOTICE_DECIDED], "other/web for local/web"));
    assert_string_equal(world->last_text[NOTICE_STARTED], "other/web runs for local/web; not verified yet");
    assert_string_equal(world->last_text[NOTICE_RECOVERED], "local/web is recovered: web on other runs in its place");

    /* And an operator's order. */
    failback.machine = machine_ref_of(world_machine(world, a));
    assert_int_equal(coordinator_order(world->coordinator, &failback, world->now, &answer), 0);
    order_answer_done(&answer);
    world_pass(world, 1);
    assert_non_null(strstr(world->last_text[NOTICE_CHANGED], "local/web is to take over the service "));
    assert_non_null(strstr(world->last_text[NOTICE_CHANGED], " from other/web: "));
}

/* What was made is kept when the original serves again, and the order says so. */
static void test_a_failback_names_what_was_made(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING),
             b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    struct order failback = {.kind = ORDER_FAILBACK, .is_confirmed = true};
    struct order_answer answer = {0};

    world->domains[b].template = "base";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    failback.machine = machine_ref_of(world_machine(world, a));
    assert_int_equal(coordinator_order(world->coordinator, &failback, world->now, &answer), 0);
    assert_non_null(strstr(answer.words, "a takes over the service a from b: understudyctl history "));
    assert_non_null(strstr(answer.words, "; b was made for a, and is shut off and kept when that succeeds"));
    order_answer_done(&answer);
}

/* It would be broken without the base image; what makes it independent is offered, and not done. */
static void test_keep_offers_what_makes_it_independent_of_its_base_image(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING),
             b = world_add_on(world, LOCAL, "b", MACHINE_SHUT_OFF);
    struct order keep = {.kind = ORDER_KEEP, .is_confirmed = true};
    struct order_answer answer = {0};

    world->domains[b].template = "base";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    keep.machine = machine_ref_of(world_machine(world, a));
    assert_int_equal(coordinator_order(world->coordinator, &keep, world->now, &answer), 0);
    assert_non_null(strstr(answer.words, "the base images of the template base, which must stay"));
    assert_non_null(strstr(answer.words, "virsh blockpull b TARGET --wait"));
    order_answer_done(&answer);
}

static void test_the_only_one_is_most(struct world *world)
{
    world->config.n_hypervisors = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    world_connect_all(world);
    lose(world, LOCAL);
    world_assert_host(world, LOCAL, HOST_ISOLATED);
}

static void test_many_are_spread_over_the_hosts_that_are_left(struct world *world)
{
    unsigned on[WORLD_HYPERVISORS] = {0};

    world_set_brake(world, 2, MILLIONTHS / 10);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"a1", "a2", "a3", "a4"};

        world_add_on(world, LOCAL, names[i], MACHINE_RUNNING);
    }
    for (int i = 0; i < 8; i++) {
        static const char *const names[] = {"b1", "b2", "b3", "b4", "c1", "c2", "c3", "c4"};

        world_add_on(world, i < 4 ? OTHER : THIRD, names[i], MACHINE_SHUT_OFF);
    }
    world->free_memory_kib[OTHER] = 100 * GIB_KIB + 1;
    world_connect_all(world);
    lose(world, LOCAL);
    for (unsigned i = 0; i < world->n_domains; i++)
        on[world->domains[i].hypervisor] += world->domains[i].state == MACHINE_RUNNING;
    assert_int_equal(on[LOCAL], 0);
    assert_int_equal(on[OTHER], 2);
    assert_int_equal(on[THIRD], 2);
    assert_false(coordinator_is_braked(world->coordinator)); /* a host is one failure, and has a brake of its own */
}

static void test_disks_of_a_lost_host_are_in_use_until_it_is_fenced(struct world *world)
{
    unsigned a = world_add_three(world), d = world_add_on(world, OTHER, "d", MACHINE_RUNNING);

    world->domains[a].disk = world->domains[a + 1].disk = world->domains[a + 2].disk = "nbd:shared";
    world->fence_error = -EIO;
    for (unsigned i = 0; i < world->n_hosts; i++)
        world_connect(world, i);
    lose(world, LOCAL);
    world_kill(world, d);
    world_pass(world, SETTLED);
    assert_int_equal(world_count_starts(world), 0);
    world_expect(world, d, RECOVERY_EXHAUSTED);
    world->fence_error = 0;
    world_pass(world, 10 * LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_recovery_whose_candidate_is_lost_takes_the_next_one(struct world *world)
{
    unsigned a = world_add_three(world);
    const struct recovery *recovery;

    world_kill(world, a);
    world_drive(world);
    assert_int_equal(world->domains[a + 1].starts, 1);
    world_disconnect(world, OTHER);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(world_count_starts(world), 1);
    world_pass(world, LONG);
    world_assert_host(world, OTHER, HOST_FENCED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "c");
    assert_non_null(strstr(recovery->attempts[0].error, "host was lost"));
    /* Its end as a candidate is no failure of its own. */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_a_candidate_that_was_not_touched_needs_no_fencing(struct world *world)
{
    unsigned a = world_add_three(world);

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

static void test_a_crash_whose_host_is_lost_while_it_is_confirmed(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world_disconnect(world, LOCAL);
    world_answer_error(world, 0, -ENOTCONN);
    world->holds = 0;
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(world_count_starts(world), 0);
    world_pass(world, LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* ---- what comes back ---- */

static void test_a_fenced_host_comes_back_with_its_machines_off(struct world *world)
{
    unsigned a = world_add_three(world);

    lose(world, LOCAL);
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    world_assert_host(world, LOCAL, HOST_REACHABLE);
    assert_int_equal(world->told[NOTICE_HOST_BACK], 1);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
}

/* The agent lied, and the original comes back running. */
static unsigned let_both_run(struct world *world, enum when_both_run when)
{
    unsigned a = world_add_three(world);

    world->config.when_both_run = when;
    world->fence_lies = true;
    lose(world, LOCAL);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    return a;
}

static void test_what_runs_twice_is_told(struct world *world)
{
    unsigned a = let_both_run(world, BOTH_RUN_ALERT);

    world_pass(world, 20 * LONG);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    assert_int_equal(world->asked[ACTION_DESTROY] + world->asked[ACTION_SHUTDOWN], 0);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    /* Stopped by hand and started again it is told again. */
    world_happen(world, a, EVENT_STOPPED_DESTROYED);
    world_boot(world, a);
    world_drive(world);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 2);
}

/* The answer to its end comes before the news of it. */
static void test_what_runs_twice_is_told_to_be_resolved(struct world *world)
{
    world->answers_first = true;
    let_both_run(world, BOTH_RUN_STOP_REPLACEMENT);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
}

static void test_what_runs_twice_is_resolved(struct world *world)
{
    unsigned a = let_both_run(world, BOTH_RUN_STOP_REPLACEMENT);

    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);

    world_end(world);
    world_begin_remote(world);
    a = let_both_run(world, BOTH_RUN_STOP_ORIGINAL);
    assert_int_equal(world->domains[a].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* The one that is to stay dies before the other is stopped: the last one stays. */
static void test_the_last_of_two_is_not_stopped(struct world *world)
{
    unsigned a = world_add_three(world);

    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    world->fence_lies = true;
    lose(world, LOCAL);
    world->holds = 1u << ACTION_SHUTDOWN;
    world_connect(world, LOCAL);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    world_answer_error(world, world_find_pending(world, ACTION_SHUTDOWN), -EIO);
    world_happen(world, a, EVENT_STOPPED_DESTROYED);
    world->holds = 0;
    world_pass(world, LONG);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].destroys + world->domains[a + 1].shutdowns, 0);
}

/* The original stands in for another by now: it is not the one that failed, come back. */
static void test_an_original_whose_service_is_diverted_serves_no_other(struct world *world)
{
    unsigned a = world_add_three(world), d = world_add_on(world, OTHER, "d", MACHINE_RUNNING);

    world->domains[a + 2].role = "protected";
    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    for (unsigned i = 0; i < world->n_hosts; i++)
        world_connect(world, i);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    world_kill(world, d);
    world_pass(world, SETTLED);
    world_expect(world, d, RECOVERY_EXHAUSTED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    assert_int_equal(world->asked[ACTION_DESTROY] + world->asked[ACTION_SHUTDOWN], 0);
}

/* The operator shut it down and started the original while its host was out of reach: what is known of it is old. */
static void test_a_replacement_out_of_reach_does_not_run_twice(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING),
             b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);

    world->config.when_both_run = BOTH_RUN_STOP_ORIGINAL;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    world_disconnect(world, OTHER);
    world->domains[b].state = MACHINE_SHUT_OFF;
    world->domains[b].reason = REASON_SHUTDOWN;
    world_boot(world, a);
    world_drive(world);
    world_connect(world, OTHER);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
}

/* The connection breaks before it is answered: told and resolved when it is back. */
static void test_a_stop_that_was_cut_off_is_asked_for_again(struct world *world)
{
    unsigned a = world_add_three(world);

    world->config.when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    world->fence_lies = true;
    lose(world, LOCAL);
    world->holds = 1u << ACTION_SHUTDOWN;
    world_connect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_answer_error(world, world_find_pending(world, ACTION_SHUTDOWN), -ENOTCONN);
    world_pass(world, 4 * USEC_PER_SEC); /* no further listing is due by then */
    world->holds = 0;
    world_connect(world, OTHER);
    world_pass(world, 4 * USEC_PER_SEC);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
}

/* Never fenced; it was rebooted, and its machines did not come up again. */
static void test_a_lost_host_that_comes_back_without_its_machines(struct world *world)
{
    unsigned a = world_add_three(world);
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

static void test_a_host_that_was_only_cut_off_comes_back_as_it_was(struct world *world)
{
    world_add_three(world);
    world->config.fence.command = NULL;
    lose(world, LOCAL);
    world_connect(world, LOCAL);
    world_pass(world, LONG);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_assert_host(world, LOCAL, HOST_REACHABLE);
}

/* ---- the daemon dies ---- */

static void test_a_daemon_that_died_after_fencing_goes_on(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_RECORD;
    lose(world, LOCAL);
    world_assert_host(world, LOCAL, HOST_FENCED);
    assert_int_equal(world_count_starts(world), 0);
    world_restart_daemon(world);
    world_assert_host(world, LOCAL, HOST_FENCED);
    world_connect(world, OTHER);
    world_connect(world, THIRD);
    world_disconnect(world, LOCAL);
    world_pass(world, LONG);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->asked[ACTION_FENCE], 1);
}

/* The word that it is fenced reached the disk, and nothing after it. */
static void test_recoveries_that_were_never_written_are_opened_anew(struct world *world)
{
    unsigned a = world_add_three(world);

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
static void test_a_host_that_is_gone_when_the_daemon_starts(struct world *world)
{
    unsigned a = world_add_three(world);

    world_restart_daemon(world);
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
    assert_false(world_machine(world, a)->is_reachable);
    world_connect(world, OTHER);
    world_connect(world, THIRD);
    world_disconnect(world, LOCAL);
    world_pass(world, 29 * USEC_PER_SEC);
    assert_int_equal(world_count_starts(world), 0);
    world_pass(world, LONG);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->failed_name, "a");
}

static void test_what_runs_twice_is_told_after_a_restart(struct world *world)
{
    world_add_three(world);
    world->fence_lies = true;
    lose(world, LOCAL);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
}

static void test_machines_that_are_gone_are_forgotten_on_disk(struct world *world)
{
    unsigned a = world_add_three(world);

    assert_true(world->remembered[a].is_known);
    world->domains[a].exists = false;
    world_connect(world, LOCAL);
    world_pass(world, LONG);
    assert_false(world->remembered[a].is_known);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        remote_test(test_nothing_is_started_before_the_fencing_has_succeeded),
        remote_test(test_fencing_that_fails_starts_nothing_and_is_tried_again),
        remote_test(test_without_an_agent_nothing_is_started_until_the_operator_confirms),
        remote_test(test_observing_fences_nothing),
        remote_test(test_a_flapping_link_starts_nothing),
        remote_test(test_most_gone_at_once_is_our_own_network),
        remote_test(test_others_that_do_not_answer_are_no_witnesses),
        remote_test(test_one_of_two_is_not_most),
        world_test(test_a_recovery_between_machines_of_one_name_says_the_hosts),
        world_test(test_a_failback_names_what_was_made),
        world_test(test_keep_offers_what_makes_it_independent_of_its_base_image),
        remote_test(test_the_only_one_is_most),
        remote_test(test_many_are_spread_over_the_hosts_that_are_left),
        remote_test(test_disks_of_a_lost_host_are_in_use_until_it_is_fenced),
        remote_test(test_a_recovery_whose_candidate_is_lost_takes_the_next_one),
        remote_test(test_a_candidate_that_was_not_touched_needs_no_fencing),
        remote_test(test_a_crash_whose_host_is_lost_while_it_is_confirmed),
        remote_test(test_a_fenced_host_comes_back_with_its_machines_off),
        remote_test(test_what_runs_twice_is_told),
        remote_test(test_what_runs_twice_is_told_to_be_resolved),
        remote_test(test_what_runs_twice_is_resolved),
        remote_test(test_the_last_of_two_is_not_stopped),
        remote_test(test_an_original_whose_service_is_diverted_serves_no_other),
        remote_test(test_a_replacement_out_of_reach_does_not_run_twice),
        remote_test(test_a_stop_that_was_cut_off_is_asked_for_again),
        remote_test(test_a_lost_host_that_comes_back_without_its_machines),
        remote_test(test_a_host_that_was_only_cut_off_comes_back_as_it_was),
        remote_test(test_a_daemon_that_died_after_fencing_goes_on),
        remote_test(test_recoveries_that_were_never_written_are_opened_anew),
        remote_test(test_a_host_that_is_gone_when_the_daemon_starts),
        remote_test(test_what_runs_twice_is_told_after_a_restart),
        remote_test(test_machines_that_are_gone_are_forgotten_on_disk),
    };

    return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
