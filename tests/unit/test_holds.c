/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds: what is on disk of them, when they end, and the clock. What comes out of the coordinator is in scenarios. */
#include <errno.h>
#include <string.h>

#include "report/record.h"
#include "support.h"
#include "world.h"

#define MINUTE (60 * USEC_PER_SEC)

static struct machine_ref nothing;

static void hold_all(struct world *world, int64_t time_us)
{
    assert_int_equal(
        coordinator_hold(world->coordinator, HOLD_ALL, &nothing, "all", "new disks", "alice", time_us, world->now), 0);
    world_drive(world);
}

static struct machine_ref ref_of(const struct world *world, unsigned domain)
{
    return machine_ref_of(world_machine(world, domain));
}

/* Those that are over are not counted. */
static size_t count(const struct world *world)
{
    size_t n = 0;

    for (size_t i = 0; i < coordinator_hold_count(world->coordinator); i++)
        n += !coordinator_hold_at(world->coordinator, i)->is_over;
    return n;
}

static void test_a_hold_is_read_back_as_it_was_written(struct world *world)
{
    static const struct machine_ref targets[HOLD_SCOPE_COUNT] = {
        [HOLD_HOST] = {.hypervisor = "far"},
        [HOLD_MACHINE] = {.hypervisor = "far", .uuid = "00000000-0000-4000-8000-000000000001"},
    };

    for (enum hold_scope scope = 0; scope < HOLD_SCOPE_COUNT; scope++) {
        struct hold *hold = NULL, *copy = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(hold_new(scope, &targets[scope], "\u00fcber", scope == HOLD_ALL ? NULL : "new\ndisks",
                                  scope == HOLD_ALL ? NULL : "alice", scope == HOLD_HOST ? 0 : MINUTE, world->now,
                                  &hold),
                         0);
        hold->is_evacuating = scope == HOLD_HOST;
        assert_int_equal(record_format_hold(hold, &text), 0);
        assert_int_equal(record_parse_hold(text, &copy), 0);
        assert_int_equal(copy->scope, scope);
        assert_true(machine_ref_equal(&copy->target, &targets[scope]));
        assert_string_equal(copy->name, hold->name);
        assert_true(scope == HOLD_ALL ? copy->reason == NULL : strcmp(copy->reason, hold->reason) == 0);
        assert_string_equal(copy->by, scope == HOLD_ALL ? "" : "alice");
        assert_int_equal(copy->since_us, hold->since_us);
        assert_int_equal(copy->time_us, hold->time_us);
        assert_int_equal(copy->is_evacuating, hold->is_evacuating);
        hold_free(hold);
        hold_free(copy);
    }
}

static void test_a_damaged_record_of_a_hold_is_refused(struct world *world)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"scope\":\"room\",\"hypervisor\":\"\",\"uuid\":\"\",\"name\":\"\",\"since_us\":1,\"time_us\":0}",
        "{\"scope\":\"all\",\"hypervisor\":\"\",\"uuid\":\"\",\"name\":\"all\",\"since_us\":1,\"time_us\":-1}",
        "{\"scope\":\"all\",\"hypervisor\":\"\",\"uuid\":\"\",\"since_us\":1,\"time_us\":0}",
    };

    (void)world;
    for (size_t i = 0; i < ELEMENTS_OF(texts); i++) {
        struct hold *hold = NULL;

        assert_int_equal(record_parse_hold(texts[i], &hold), -EINVAL);
        assert_null(hold);
    }
}

static void test_what_is_held_is_held_once(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    struct machine_ref ref;

    world_connect_all(world);
    ref = ref_of(world, a);
    for (int64_t minutes = 1; minutes <= 3; minutes++) {
        assert_int_equal(
            coordinator_hold(world->coordinator, HOLD_MACHINE, &ref, "a", "again", NULL, minutes * MINUTE, world->now),
            0);
        assert_int_equal(count(world), 1);
        world_drive(world);
    }
    assert_int_equal(coordinator_hold_count(world->coordinator), 1);
    assert_int_equal(coordinator_hold_at(world->coordinator, 0)->time_us, 3 * MINUTE);
    world_restart_daemon(world); /* what is on disk is the last one */
    assert_int_equal(coordinator_hold_at(world->coordinator, 0)->time_us, 3 * MINUTE);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_MACHINE, &ref, world->now), 0);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_MACHINE, &ref, world->now), -ENOENT);
    world_drive(world);
    world_restart_daemon(world);
    assert_int_equal(coordinator_hold_count(world->coordinator), 0);
}

/* The nearest is shown: the reason of the machine before that of its host. */
static void test_the_nearest_hold_is_shown(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    struct machine_ref ref, host = {0};

    world_connect_all(world);
    ref = ref_of(world, a);
    memcpy(host.hypervisor, ref.hypervisor, sizeof(host.hypervisor));
    assert_null(world_machine(world, a)->hold);
    hold_all(world, 0);
    assert_int_equal(world_machine(world, a)->hold->scope, HOLD_ALL);
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_MACHINE, &ref, "a", NULL, NULL, 0, world->now), 0);
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_HOST, &host, host.hypervisor, NULL, NULL, 0, world->now),
                     0);
    assert_int_equal(world_machine(world, a)->hold->scope, HOLD_MACHINE);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_MACHINE, &ref, world->now), 0);
    assert_int_equal(world_machine(world, a)->hold->scope, HOLD_HOST);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_HOST, &host, world->now), 0);
    assert_int_equal(world_machine(world, a)->hold->scope, HOLD_ALL);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_ALL, &nothing, world->now), 0);
    assert_null(world_machine(world, a)->hold);
}

static void test_a_machine_that_comes_to_a_held_host_is_held(struct world *world)
{
    unsigned a;

    world_connect_all(world);
    hold_all(world, 0);
    a = world_add(world, "a", WEB, MACHINE_RUNNING);
    world_tell(world, a, EVENT_DEFINED);
    world_drive(world);
    assert_non_null(world_machine(world, a)->hold);
}

/* The time of a hold is that of the clock on the wall. */
static void test_the_clock_is_set_while_a_hold_lasts(struct world *world)
{
    world_connect_all(world);
    hold_all(world, 60 * MINUTE);
    assert_int_equal(coordinator_deadline(world->coordinator) <= world->now.mono_us + 60 * MINUTE, true);
    world->now.real_us += 59 * MINUTE; /* the host slept */
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    world_pass(world, MINUTE / 2);
    assert_int_equal(count(world), 1);
    world_pass(world, MINUTE);
    assert_int_equal(count(world), 0);
}

/* It began in the future, by a clock that was wrong: as if it began now. */
static void test_a_hold_from_the_future_begins_now(struct world *world)
{
    world_connect_all(world);
    hold_all(world, 60 * MINUTE);
    world->now.real_us -= 24 * 60 * MINUTE;
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    assert_int_equal(coordinator_hold_at(world->coordinator, 0)->since_us, world->now.real_us);
    world_pass(world, 59 * MINUTE);
    assert_int_equal(count(world), 1);
    world_pass(world, 2 * MINUTE);
    assert_int_equal(count(world), 0);
}

/* Not heard yet, it may answer any moment: that is no hold that outlives its time. */
static void test_a_hold_that_ended_while_the_daemon_was_away(struct world *world)
{
    world_connect_all(world);
    hold_all(world, MINUTE);
    world_stop_daemon(world);
    world->now.mono_us += 10 * MINUTE;
    world->now.real_us += 10 * MINUTE;
    world_start_daemon(world);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(count(world), 1);
    world_connect_all(world);
    assert_int_equal(count(world), 0);
    assert_int_equal(world->told[NOTICE_HOLD_OVERDUE], 0);
    assert_int_equal(world->told[NOTICE_HOLD_ENDED], 1);
}

static void test_a_held_host_is_not_confirmed_to_be_off(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    hold_all(world, 0);
    world_disconnect(world, 0);
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, world->config.hypervisors[0].name, world->now),
                     -ECANCELED);
}

/* Failures of a planned outage are no reason for the brake. */
static void test_failures_while_held_do_not_brake(struct world *world)
{
    world_set_brake(world, 2, MILLIONTHS / 10);
    world_add_many(world, 3, 4);
    world_connect_all(world);
    hold_all(world, 0);
    for (unsigned i = 0; i < 3; i++)
        world_kill(world, i);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 3; i++)
        world_expect(world, i, RECOVERY_HELD);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_ALL, &nothing, world->now), 0);
    assert_false(coordinator_is_braked(world->coordinator));
}

/* It was chosen, and its hooks are asked, when its host is evacuated. */
static void test_a_candidate_chosen_before_its_host_is_evacuated_is_not_started(struct world *world)
{
    unsigned a = world_add_three(world);
    struct order order = {.kind = ORDER_EVACUATE};
    struct order_answer answer;

    world_pass(world, SETTLED);
    world->holds = 1u << ACTION_HOOK;
    world_kill(world, a);
    world_drive(world);
    assert_int_equal(world->asked[ACTION_HOOK], 1);
    strcpy(order.machine.hypervisor, world->hosts[1]);
    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    order_answer_done(&answer);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].starts, 0);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world_machine(world, a + 1)->hold != NULL, true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_hold_is_read_back_as_it_was_written),
        world_test(test_a_damaged_record_of_a_hold_is_refused),
        world_test(test_what_is_held_is_held_once),
        world_test(test_the_nearest_hold_is_shown),
        world_test(test_a_machine_that_comes_to_a_held_host_is_held),
        world_test(test_the_clock_is_set_while_a_hold_lasts),
        world_test(test_a_hold_from_the_future_begins_now),
        world_test(test_a_hold_that_ended_while_the_daemon_was_away),
        world_test(test_a_held_host_is_not_confirmed_to_be_off),
        world_test(test_failures_while_held_do_not_brake),
        remote_test(test_a_candidate_chosen_before_its_host_is_evacuated_is_not_started),
    };

    return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
