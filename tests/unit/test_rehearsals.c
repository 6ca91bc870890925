/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which service is rehearsed, when, and why not: what the scenarios do not show. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define DAY  (86400 * USEC_PER_SEC)
#define HOUR (3600 * USEC_PER_SEC)

static char every_hour[] = "daily 00:00-24:00";
static char *all[] = {(char[]){"*"}};

static void rehearse_every(struct world *world, int64_t every_us)
{
    world->config.rehearsals =
        (struct config_rehearsals){.every_us = every_us, .window = every_hour, .match = {.items = all, .count = 1}};
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

/* "a" and "b" run, "c" stands by. */
static void add_two(struct world *world)
{
    world_add_many(world, 2, 3);
    for (unsigned i = 0; i < 2; i++)
        world->domains[i].role = "protected";
    world->domains[2].role = "standby";
    world_connect_all(world);
    world_pass(world, SETTLED);
}

static int order(struct world *world, enum order_kind kind, unsigned number, const char *words)
{
    struct order order = {
        .kind = kind, .machine = machine_ref_of(world_machine(world, number)), .is_confirmed = true, .by = "ann"};
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    int r = coordinator_order(world->coordinator, &order, world->now, &answer);

    assert_non_null(answer.words);
    assert_true(words == NULL || strstr(answer.words, words) != NULL);
    return r;
}

static void check_outlook(struct world *world, unsigned number, const char *words, bool has_next)
{
    struct machine_ref ref = machine_ref_of(world_machine(world, number));
    struct rehearsal rehearsal = {0};

    assert_int_equal(coordinator_rehearsal(world->coordinator, &ref, world->now, &rehearsal), 0);
    if (words == NULL)
        assert_null(rehearsal.why_not);
    else
        assert_true(rehearsal.why_not != NULL && strstr(rehearsal.why_not, words) != NULL);
    assert_int_equal(rehearsal.next_us >= 0, has_next);
    rehearsal_done(&rehearsal);
}

static size_t n_rehearsals(const struct world *world)
{
    size_t n = 0;

    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++)
        n += coordinator_recovery(world->coordinator, i)->is_rehearsal;
    return n;
}

static void test_nothing_is_rehearsed_by_default(struct world *world)
{
    add_two(world);
    world_pass(world, 10 * DAY);
    assert_int_equal(n_rehearsals(world), 0);
    check_outlook(world, 0, "rehearsals.every is 0s", false);
}

static void test_what_an_operator_tried_counts(struct world *world)
{
    const struct recovery *last;

    add_two(world);
    assert_int_equal(order(world, ORDER_FAILOVER, 0, NULL), 0);
    world_pass(world, HOUR);
    assert_int_equal(order(world, ORDER_FAILBACK, 0, NULL), 0);
    world_pass(world, HOUR);
    rehearse_every(world, DAY);
    world_pass(world, HOUR);
    assert_int_equal(n_rehearsals(world), 2);
    assert_int_equal(world_recoveries(world, 1, &last), 1); /* there and back is of "c" */
    assert_true(last->is_rehearsal);
    assert_string_equal(last->ordered_by, "rehearsal");
    check_outlook(world, 0, NULL, true);
    world_pass(world, 2 * DAY);
    assert_true(n_rehearsals(world) > 4);
    world_recoveries(world, 0, &last);
    assert_true(last->is_rehearsal);
}

static void test_the_one_that_was_rehearsed_longest_ago_comes_first(struct world *world)
{
    const struct recovery *recovery;
    size_t n;

    add_two(world);
    assert_int_equal(order(world, ORDER_REHEARSE, 0, "takes over"), 0);
    world_pass(world, HOUR);
    n = coordinator_recovery_count(world->coordinator);
    assert_int_equal(n, 2);
    recovery = coordinator_recovery(world->coordinator, 0);
    assert_true(recovery->is_rehearsal);
    assert_string_equal(recovery->ordered_by, "ann");
    assert_string_equal(coordinator_recovery(world->coordinator, 1)->ordered_by, "ann");
    rehearse_every(world, HOUR / 2);
    world_pass(world, HOUR / 4);
    assert_string_equal(coordinator_recovery(world->coordinator, n)->failed_name, "b");
}

static void test_a_failed_one_is_cleared(struct world *world)
{
    const struct recovery *recovery;

    add_two(world);
    world->domains[2].dies_at_once = true;
    assert_int_equal(order(world, ORDER_REHEARSE, 0, NULL), 0);
    world_pass(world, HOUR);
    recovery = world_expect(world, 0, RECOVERY_CALLED_OFF);
    assert_true(recovery_is_failed_rehearsal(recovery));
    assert_int_equal(order(world, ORDER_CLEAR, 1, "neither failed"), 0);
    assert_true(recovery_is_failed_rehearsal(recovery));
    assert_int_equal(order(world, ORDER_CLEAR, 0, "is forgotten"), 0);
    assert_false(recovery_is_failed_rehearsal(recovery));
    assert_int_equal(order(world, ORDER_CLEAR, 0, "neither failed"), 0);
    world_pass(world, SETTLED);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_false(recovery_is_failed_rehearsal(world_expect(world, 0, RECOVERY_CALLED_OFF)));
}

static void test_why_not(struct world *world)
{
    add_two(world);
    rehearse_every(world, DAY);
    check_outlook(world, 0, NULL, true);
    coordinator_set_severe_problems(world->coordinator, 1);
    check_outlook(world, 0, "a severe problem", true);
    coordinator_set_severe_problems(world->coordinator, 0);
    world->config.rehearsals.match = LIST("b");
    check_outlook(world, 0, "rehearsals.match", false);
    check_outlook(world, 1, NULL, true);
    world->config.rehearsals.match = LIST("*");
    world->config.mode = MODE_OBSERVE;
    check_outlook(world, 0, "mode is observe", true);
    world->config.mode = MODE_AUTOMATIC;
    world->config.rehearsals.window = (char *)"daily 03:00-03:05";
    check_outlook(world, 0, "longer than rehearsals.window", false);
    world->config.rehearsals.window = every_hour;
    world_kill(world, 0);
    check_outlook(world, 1, "a recovery is under way", true);
    world_pass(world, 10 * USEC_PER_SEC);
    check_outlook(world, 0, "another machine than its original", true);
    check_outlook(world, 1, "no machine can take over", true);
}

static void test_a_crash_on_another_host_is_a_drill_as_well(struct world *world)
{
    const struct recovery *recovery;

    world_add_three(world);
    world->domains[0].role = "protected";
    world->config.rehearsals.crash = true;
    world->config.rehearsals.window = every_hour;
    world_pass(world, SETTLED);
    assert_int_equal(order(world, ORDER_REHEARSE, 0, "crashed for a rehearsal"), 0);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(world_recoveries(world, 0, &recovery), 1);
    assert_true(recovery->is_rehearsal && recovery->is_drill);
    assert_int_equal(recovery->state, RECOVERY_RECOVERED);
    assert_string_equal(recovery->ordered_by, "ann");
    assert_int_equal(world_machine(world, 0)->state, MACHINE_RUNNING); /* it serves again */
    assert_int_equal(n_rehearsals(world), 2);
}

static struct order next_drill(struct world *world)
{
    struct order drill;

    assert_true(coordinator_next_drill(world->coordinator, world->now, &drill));
    return drill;
}

static void announce(struct world *world, unsigned number)
{
    struct order order = {.kind = ORDER_DRILL,
                          .machine = machine_ref_of(world_machine(world, number)),
                          .is_rehearsal = true,
                          .is_confirmed = true,
                          .by = "ann"};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
}

static void call_off(struct world *world, unsigned number)
{
    struct machine_ref ref = machine_ref_of(world_machine(world, number));

    coordinator_call_off_drill(world->coordinator, &ref, "no such process", world->now);
}

static void test_a_crash_is_under_way_before_it_is_seen(struct world *world)
{
    add_two(world);
    world->config.rehearsals.crash = true;
    assert_int_equal(order(world, ORDER_REHEARSE, 0, "crashed for a rehearsal"), 0);
    assert_int_equal(order(world, ORDER_REHEARSE, 1, "a recovery is under way"), -EBUSY);
    next_drill(world);
    announce(world, 0);
    assert_int_equal(order(world, ORDER_REHEARSE, 1, "a recovery is under way"), -EBUSY);
    call_off(world, 0);
    assert_int_equal(order(world, ORDER_REHEARSE, 1, "crashed for a rehearsal"), 0);
}

static void test_a_crash_is_not_handed_out_when_something_has_come_up(struct world *world)
{
    struct order drill;

    add_two(world);
    world->config.rehearsals.crash = true;
    assert_int_equal(order(world, ORDER_REHEARSE, 0, NULL), 0);
    coordinator_set_severe_problems(world->coordinator, 1);
    assert_false(coordinator_next_drill(world->coordinator, world->now, &drill));
}

static void test_a_crash_that_could_not_be_made_is_a_rehearsal_that_failed(struct world *world)
{
    const struct recovery *recovery;

    add_two(world);
    rehearse_every(world, DAY);
    world->config.rehearsals.crash = true;
    assert_int_equal(order(world, ORDER_REHEARSE, 0, NULL), 0);
    next_drill(world);
    announce(world, 0);
    call_off(world, 0);
    call_off(world, 0); /* nothing is announced any more */
    recovery = world_expect(world, 0, RECOVERY_CALLED_OFF);
    assert_true(recovery_is_failed_rehearsal(recovery));
    assert_string_equal(recovery->detail, "a could not be crashed: no such process");
    assert_string_equal(recovery->ordered_by, "ann");
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    world_pass(world, DAY / 2);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    check_outlook(world, 1, "the last rehearsal of a has failed", true);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, DAY / 4);
    assert_true(recovery_is_failed_rehearsal(world_expect(world, 0, RECOVERY_CALLED_OFF)));
    assert_int_equal(order(world, ORDER_CLEAR, 0, "is forgotten"), 0);
    check_outlook(world, 1, NULL, true);
}

static void test_a_crash_that_does_not_come_has_failed(struct world *world)
{
    add_two(world);
    world->config.rehearsals.crash = true;
    assert_int_equal(order(world, ORDER_REHEARSE, 0, NULL), 0);
    next_drill(world);
    announce(world, 0);
    world_pass(world, HOUR);
    assert_true(recovery_is_failed_rehearsal(world_expect(world, 0, RECOVERY_CALLED_OFF)));
    world_kill(world, 0);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(n_rehearsals(world), 1); /* this was no drill any more */
}

static void test_what_is_older_than_all_records_counts_as_rehearsed_then(struct world *world)
{
    struct machine_ref ref;
    struct rehearsal rehearsal = {0};
    int64_t first_us;

    add_two(world);
    rehearse_every(world, 2 * HOUR);
    ref = machine_ref_of(world_machine(world, 1));
    first_us = world->now.real_us;
    for (size_t i = 0; i < CONFIG_HISTORY_MAX; i++) {
        announce(world, 0);
        call_off(world, 0);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), CONFIG_HISTORY_MAX);
    assert_int_equal(coordinator_rehearsal(world->coordinator, &ref, world->now, &rehearsal), 0);
    assert_int_equal(rehearsal.last_us, 0);
    assert_true(rehearsal.due_us == first_us + 2 * HOUR);
    rehearsal_done(&rehearsal);
    assert_int_equal(order(world, ORDER_CLEAR, 0, "is forgotten"), 0);
    world_pass(world, HOUR);
    assert_int_equal(coordinator_recovery(world->coordinator, CONFIG_HISTORY_MAX - 1)->state, RECOVERY_CALLED_OFF);
    world_pass(world, 2 * HOUR);
    assert_int_equal(coordinator_recovery(world->coordinator, CONFIG_HISTORY_MAX - 1)->state, RECOVERY_RECOVERED);
}

static void test_one_that_is_unfinished_is_told(struct world *world)
{
    add_two(world);
    rehearse_every(world, DAY);
    assert_int_equal(order(world, ORDER_REHEARSE, 0, NULL), 0);
    coordinator_set_severe_problems(world->coordinator, 1);
    world_pass(world, HOUR);
    coordinator_set_severe_problems(world->coordinator, 0);
    assert_int_equal(coordinator_rehearsal_trouble(world->coordinator, world_expect(world, 0, RECOVERY_RECOVERED)),
                     REHEARSAL_UNFINISHED);
    check_outlook(world, 0, "understudyctl failback a, or understudyctl keep a", true);
    check_outlook(world, 1, "its original does not serve again", true);
    assert_int_equal(order(world, ORDER_FAILBACK, 0, NULL), 0);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(coordinator_rehearsal_trouble(world->coordinator, world_expect(world, 0, RECOVERY_RECOVERED)),
                     REHEARSAL_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_nothing_is_rehearsed_by_default),
        world_test(test_what_an_operator_tried_counts),
        world_test(test_the_one_that_was_rehearsed_longest_ago_comes_first),
        world_test(test_a_failed_one_is_cleared),
        world_test(test_why_not),
        world_test(test_a_crash_on_another_host_is_a_drill_as_well),
        world_test(test_a_crash_is_under_way_before_it_is_seen),
        world_test(test_a_crash_is_not_handed_out_when_something_has_come_up),
        world_test(test_a_crash_that_could_not_be_made_is_a_rehearsal_that_failed),
        world_test(test_a_crash_that_does_not_come_has_failed),
        world_test(test_what_is_older_than_all_records_counts_as_rehearsed_then),
        world_test(test_one_that_is_unfinished_is_told),
        remote_test(test_a_crash_on_another_host_is_a_drill_as_well),
    };

    return cmocka_run_group_tests_name("rehearsals", tests, NULL, NULL);
}
