/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recoveries that wait until there is room for their candidate: what changes meanwhile counts. */
#include <string.h>

#include "support.h"
#include "world.h"

struct waiting {
    unsigned a, b, x, y, other;
};

/* "x" is being started for "a"; "b" waits until there is room on that host, and would get "y" then. */
static struct waiting make_wait(struct world *world)
{
    struct waiting waiting = {
        .a = world_add(world, "a", WEB, MACHINE_RUNNING),
        .b = world_add(world, "b", WEB, MACHINE_RUNNING),
        .x = world_add(world, "x", WEB, MACHINE_SHUT_OFF),
        .y = world_add(world, "y", WEB, MACHINE_SHUT_OFF),
        .other = world_add(world, "other", "data/else", MACHINE_SHUT_OFF),
    };

    world->config.recovery.concurrency = 1;
    world->domains[waiting.a].priority = 1;
    world_connect_all(world);
    world->holds = 1u << ACTION_START | 1u << ACTION_GET_STATE;
    world_kill(world, waiting.a);
    world_kill(world, waiting.b);
    world_drive(world);
    for (unsigned i = 0; i < 2; i++)
        world_answer(world, world_find_pending(world, ACTION_GET_STATE), false);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 1);
    world_expect(world, waiting.b, RECOVERY_SELECTING);
    return waiting;
}

static void test_one_that_waits_gets_its_candidate(struct world *world)
{
    struct waiting waiting = make_wait(world);

    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, waiting.b, RECOVERY_RECOVERED)->replacement_name, "y");
}

static void test_a_candidate_that_loses_its_features_while_one_waits(struct world *world)
{
    struct waiting waiting = make_wait(world);

    world->domains[waiting.y].features = "data/else";
    world_tell(world, waiting.y, EVENT_CHANGED);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[waiting.y].starts, 0);
    assert_non_null(strstr(world_expect(world, waiting.b, RECOVERY_EXHAUSTED)->detail, "none of"));
}

static void test_a_candidate_that_may_stand_by_no_longer_while_one_waits(struct world *world)
{
    struct waiting waiting = make_wait(world);

    world->domains[waiting.y].role = "protected";
    world_tell(world, waiting.y, EVENT_CHANGED);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[waiting.y].starts, 0);
    world_expect(world, waiting.b, RECOVERY_EXHAUSTED);
}

/* The only one that it was ranked for is started by the operator. */
static void test_a_machine_that_becomes_a_candidate_while_one_waits(struct world *world)
{
    struct waiting waiting = make_wait(world);

    world->domains[waiting.other].features = WEB;
    world_tell(world, waiting.other, EVENT_CHANGED);
    world_drive(world);
    world_boot(world, waiting.y);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, waiting.b, RECOVERY_RECOVERED)->replacement_name, "other");
}

/* Whom it was ranked for is gone by then, and who is there was not. */
static void test_machines_go_and_come_while_one_waits(struct world *world)
{
    struct waiting waiting = make_wait(world);
    unsigned z = world_add(world, "z", WEB, MACHINE_SHUT_OFF);

    world_tell(world, z, EVENT_DEFINED);
    world_drive(world);
    world->domains[waiting.y].exists = false;
    world_tell(world, waiting.y, EVENT_UNDEFINED);
    world_drive(world);
    assert_null(world_machine(world, waiting.y));
    world_expect(world, waiting.b, RECOVERY_SELECTING);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, waiting.b, RECOVERY_RECOVERED)->replacement_name, "z");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_one_that_waits_gets_its_candidate),
        world_test(test_a_candidate_that_loses_its_features_while_one_waits),
        world_test(test_a_candidate_that_may_stand_by_no_longer_while_one_waits),
        world_test(test_a_machine_that_becomes_a_candidate_while_one_waits),
        world_test(test_machines_go_and_come_while_one_waits),
    };

    return cmocka_run_group_tests_name("coordinator_waiting", tests, NULL, NULL);
}
