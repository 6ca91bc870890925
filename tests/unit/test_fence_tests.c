/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fence agents are tested once a day, and what they did is kept. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define HOUR (3600 * USEC_PER_SEC)
#define DAY  (24 * HOUR)

static struct hypervisor_status host(const struct world *world, unsigned number)
{
    return coordinator_hypervisor(world->coordinator, number);
}

/* The agents of the three hosts are asked for a status. */
static void begin(struct world *world)
{
    world->config.fence.is_confirmed = true;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_add_three(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
}

static void test_each_host_is_tested_once_a_day(struct world *world)
{
    begin(world);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    assert_int_equal(host(world, LOCAL).fence_tests->count, 1);
    assert_true(host(world, LOCAL).fence_tests->all[0].has_succeeded);
    world_pass(world, DAY - HOUR);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    world_pass(world, 2 * HOUR);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 6);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(host(world, LOCAL).fence_log->count, 0); /* a test is no fencing */
}

/* Several at once would be too much for one switch. */
static void test_one_host_is_tested_at_a_time(struct world *world)
{
    world->holds = 1u << ACTION_TEST_FENCING;
    begin(world);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 1);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
}

static void test_an_agent_that_fails_is_asked_again_each_hour(struct world *world)
{
    world->fence_test_fails = true;
    begin(world);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    assert_false(host(world, LOCAL).fence_tests->all[0].has_succeeded);
    world_pass(world, HOUR + SETTLED);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 6);
    world->fence_test_fails = false;
    world_pass(world, HOUR + SETTLED);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 9);
    assert_true(host(world, LOCAL).fence_tests->all[0].has_succeeded);
    world_pass(world, 2 * HOUR);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 9);
}

/* As it is, any host for which this agent is asked would be taken for fenced. */
static void test_an_agent_that_says_off_of_a_host_that_answers_has_failed(struct world *world)
{
    world->fence_test_says = "off";
    begin(world);
    assert_false(host(world, LOCAL).fence_tests->all[0].has_succeeded);
    assert_non_null(strstr(host(world, LOCAL).fence_tests->all[0].answer, "and the host answers"));
    world->fence_test_says = NULL;
    world_pass(world, HOUR + SETTLED);
    assert_true(host(world, LOCAL).fence_tests->all[0].has_succeeded);
    world_disconnect(world, LOCAL);
    world->fence_test_says = "off"; /* as it may well be */
    world_pass(world, DAY + HOUR);
    assert_true(host(world, LOCAL).fence_tests->all[0].has_succeeded);
}

/* Its agents are asked enough, and they may be those of other hosts. All are tested when that is over. */
static void test_while_a_host_is_being_fenced_none_is_tested(struct world *world)
{
    begin(world);
    world->holds = 1u << ACTION_FENCE;
    world_disconnect(world, LOCAL);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    world_assert_host(world, LOCAL, HOST_FENCING);
    world_pass(world, DAY + HOUR);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    world_release(world);
    world_pass(world, HOUR);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 6);
}

static void test_without_a_status_or_an_agent_there_is_no_test(struct world *world)
{
    begin(world);
    world->config.fence.is_confirmed = false;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, 2 * DAY);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    world->config.fence.is_confirmed = true;
    world->config.fence.command = NULL;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, 2 * DAY);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 3);
    assert_int_equal(host(world, LOCAL).fence_tests->count, 0); /* there is no such agent any more */
    /* A new configuration is tested at once. */
    world->config.fence.command = (char *)"/nonexistent/fence";
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 6);
}

/* Its own host is never fenced. */
static void test_the_own_host_is_not_tested(struct world *world)
{
    world->config.fence = (struct config_fence){.command = (char *)"/nonexistent/fence", .is_confirmed = true};
    begin(world);
    world_pass(world, 2 * DAY);
    assert_int_equal(world->asked[ACTION_TEST_FENCING], 0);
    assert_false(host(world, LOCAL).can_be_fenced);
}

static void test_what_agents_did_is_kept_with_the_attempt(struct world *world)
{
    const struct fence_report report = {.call = FENCE_CALL_OFF, .level = 2, .agent = "fence", .answer = "no"};
    const struct fence_log *log;
    const char *name = NULL;

    begin(world);
    world->fence_error = -EIO;
    world_disconnect(world, LOCAL);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    assert_null(coordinator_next_changed_fence_log(world->coordinator, &name));
    coordinator_handle_fence_report(world->coordinator, world->hosts[LOCAL], &report, world->now);
    log = coordinator_next_changed_fence_log(world->coordinator, &name);
    assert_non_null(log);
    assert_string_equal(name, world->hosts[LOCAL]);
    assert_int_equal(log->count, 1);
    assert_int_equal(log->all[0].attempt, host(world, LOCAL).host->tries);
    assert_int_equal(log->all[0].level, 2);
    assert_null(coordinator_next_changed_fence_log(world->coordinator, &name));
    /* A new configuration leaves it. */
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    assert_int_equal(host(world, LOCAL).fence_log->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        remote_test(test_each_host_is_tested_once_a_day),
        remote_test(test_one_host_is_tested_at_a_time),
        remote_test(test_an_agent_that_fails_is_asked_again_each_hour),
        remote_test(test_an_agent_that_says_off_of_a_host_that_answers_has_failed),
        remote_test(test_while_a_host_is_being_fenced_none_is_tested),
        remote_test(test_without_a_status_or_an_agent_there_is_no_test),
        world_test(test_the_own_host_is_not_tested),
        remote_test(test_what_agents_did_is_kept_with_the_attempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
