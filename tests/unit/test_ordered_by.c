/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gave an order is on record, with the recovery or the hold that came of it, also when the daemon is started anew. */
#include <string.h>

#include "support.h"
#include "world.h"

static void order_by(struct world *world, enum order_kind kind, struct machine_ref machine, const char *by)
{
    struct order order = {.kind = kind, .machine = machine, .is_confirmed = true, .by = by};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
}

static void restart(struct world *world)
{
    world_restart_daemon(world);
    world_connect_all(world);
}

static const char *last_ordered_by(const struct world *world)
{
    size_t n = coordinator_recovery_count(world->coordinator);

    assert_true(n > 0);
    return coordinator_recovery(world->coordinator, n - 1)->ordered_by;
}

static void test_a_failure_was_ordered_by_none(struct world *world)
{
    unsigned a = world_add_three(world);

    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->ordered_by, "");
}

/* The machine crashes when the daemon that was asked is gone. */
static void test_who_ordered_a_drill(struct world *world)
{
    unsigned a = world_add_three(world);

    order_by(world, ORDER_DRILL, machine_ref_of(world_machine(world, a)), "alice");
    world_drive(world);
    restart(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->ordered_by, "alice");
    restart(world);
    assert_string_equal(last_ordered_by(world), "alice");
}

static void test_who_ordered_a_failover_and_its_way_back(struct world *world)
{
    struct machine_ref original;
    unsigned a = world_add_three(world);

    original = machine_ref_of(world_machine(world, a));
    world_pass(world, SETTLED);
    order_by(world, ORDER_FAILOVER, original, "bob");
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->ordered_by, "bob");
    order_by(world, ORDER_FAILBACK, original, "carol");
    world_pass(world, SETTLED);
    assert_string_equal(last_ordered_by(world), "carol");
}

static void test_who_ordered_a_recovery(struct world *world)
{
    static const struct machine_ref nothing;
    unsigned a = world_add_three(world);

    assert_int_equal(coordinator_hold(world->coordinator, HOLD_ALL, &nothing, "all", NULL, "dave", 0, world->now), 0);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_HELD)->ordered_by, "");
    restart(world);
    assert_string_equal(coordinator_hold_at(world->coordinator, 0)->by, "dave");
    assert_int_equal(coordinator_release(world->coordinator, HOLD_ALL, &nothing, world->now), 0);
    order_by(world, ORDER_RECOVER, machine_ref_of(world_machine(world, a)), "erin");
    world_pass(world, SETTLED);
    assert_string_equal(last_ordered_by(world), "erin");
}

/* Each failover of an evacuation is ordered by who ordered that. */
static void test_who_ordered_an_evacuation(struct world *world)
{
    unsigned a = world_add_three(world);
    struct machine_ref host = {0};

    world_pass(world, SETTLED);
    strcpy(host.hypervisor, world_machine(world, a)->hypervisor);
    order_by(world, ORDER_EVACUATE, host, "frank");
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->ordered_by, "frank");
    assert_string_equal(coordinator_hold_at(world->coordinator, 0)->by, "frank");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_failure_was_ordered_by_none),
        world_test(test_who_ordered_a_drill),
        world_test(test_who_ordered_a_failover_and_its_way_back),
        world_test(test_who_ordered_a_recovery),
        remote_test(test_who_ordered_an_evacuation),
    };

    return cmocka_run_group_tests_name("ordered_by", tests, NULL, NULL);
}
