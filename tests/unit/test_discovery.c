/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guests are asked what they offer, when, and that nothing that was known is lost by it. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define PAUSE (601 * USEC_PER_SEC)
#define DAY   (INT64_C(86400) * USEC_PER_SEC)

static unsigned add_guest(struct world *world, const char *name, const char *role)
{
    unsigned number = world_add(world, name, "", MACHINE_RUNNING);

    world->domains[number].has_agent = true;
    world->domains[number].role = role;
    world->domains[number].tells = "language/php";
    return number;
}

static bool is_known(const struct world *world, unsigned number)
{
    const struct machine *machine = world_machine(world, number);

    return machine != NULL && machine->spec->features.count == 1;
}

static void test_machines_that_take_part_are_asked_once_their_agent_is_connected(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected"), b = add_guest(world, "b", "standby"),
             c = add_guest(world, "c", "ignored");

    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    assert_true(is_known(world, a) && is_known(world, b));
    assert_false(is_known(world, c));
    world_pass(world, PAUSE); /* it is listed again meanwhile */
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
}

static void test_one_guest_at_a_time_on_each_host(struct world *world)
{
    world->holds = 1u << ACTION_DISCOVER;
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};

        add_guest(world, names[i], "protected");
    }
    world->domains[2].hypervisor = OTHER;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    world->holds = 0;
    world_answer(world, world_find_pending(world, ACTION_DISCOVER), true);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 3);
}

static void test_a_guest_that_did_not_tell_is_asked_again_after_a_pause(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world->domains[a].is_mute = true;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    world->domains[a].is_mute = false;
    world_pass(world, PAUSE);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    assert_true(is_known(world, a));
}

static void test_all_are_asked_once_a_day_and_a_bad_answer_erases_nothing(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_true(is_known(world, a));
    world->domains[a].is_mute = true;
    world_pass(world, DAY);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    assert_true(is_known(world, a));
}

static void test_what_was_learned_is_known_of_a_machine_that_is_off(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world_connect_all(world);
    world_pass(world, SETTLED);
    world_happen(world, a, EVENT_STOPPED_SHUTDOWN);
    world_pass(world, SETTLED);
    assert_true(is_known(world, a));
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
}

/* Of a kind that it says nothing of, since something failed, what was known stays. */
static void test_half_an_answer_erases_nothing(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world->domains[a].tells = "language/php webserver/nginx";
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_machine(world, a)->spec->features.count, 2);
    world->domains[a].tells = "language/ruby";
    world->domains[a].tells_part = true;
    world_pass(world, DAY);
    assert_int_equal(world_machine(world, a)->spec->features.count, 2);
    world->domains[a].tells_part = false;
    world_pass(world, DAY);
    assert_int_equal(world_machine(world, a)->spec->features.count, 1);
}

/* An agent that comes and goes all the time takes the time of no other guest. */
static void test_no_guest_is_asked_all_the_time(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world_connect_all(world);
    world_pass(world, SETTLED);
    for (int i = 0; i < 20; i++) {
        world->domains[a].has_agent = i % 2 != 0;
        world_tell(world, a, EVENT_CHANGED);
        world_pass(world, SETTLED);
    }
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    world_pass(world, PAUSE);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
}

static void test_a_held_guest_and_one_in_hand_are_left_alone(struct world *world)
{
    unsigned a;

    world->holds = 1u << ACTION_VERIFY;
    a = add_guest(world, "a", "protected");
    world->domains[a].features = WEB;
    world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].has_agent = true;
    world->config.recovery.verify.level = VERIFY_AGENT;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[1].state, MACHINE_RUNNING);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1); /* b is being verified */
    world->holds = 0;
    world_answer(world, world_find_pending(world, ACTION_VERIFY), true);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
}

/* Nothing of it is configured. What one of the two alone listens on is not asked for. */
static void test_a_replacement_is_asked_for_the_ports_that_both_guests_told(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected"), b = add_guest(world, "b", "standby");
    const struct action *asked;

    world->domains[a].tells = "language/php port/22 port/80 port/8000 reached-port/80 reached-port/8000";
    world->domains[b].tells = "language/php port/80 port/22 port/3306";
    world->config.recovery.verify.level = VERIFY_AUTO;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world_pass(world, SETTLED);
    world_happen(world, b, EVENT_STOPPED_SHUTDOWN);
    world_pass(world, SETTLED);
    world->holds = 1u << ACTION_VERIFY;
    world_kill(world, a);
    world_pass(world, SETTLED);
    asked = &world->pending[world_find_pending(world, ACTION_VERIFY)].action;
    assert_int_equal(asked->level, VERIFY_AGENT);
    assert_int_equal(asked->ports.listening.count, 2);
    assert_int_equal(asked->ports.listening.items[0], 22);
    assert_int_equal(asked->ports.listening.items[1], 80);
    assert_int_equal(asked->ports.reached.count, 1);
    assert_int_equal(asked->ports.reached.items[0], 80);
}

/* The ports of what comes up late were not known before the next day. */
static void test_a_guest_that_still_starts_is_asked_again_after_a_pause(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected");

    world->domains[a].still_starts = world->domains[a].tells_part = true;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    assert_true(is_known(world, a));
    world->domains[a].still_starts = world->domains[a].tells_part = false;
    world->domains[a].tells = "language/php port/80";
    world_pass(world, PAUSE);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    assert_int_equal(world_machine(world, a)->spec->features.count, 2);
    world_pass(world, PAUSE);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
}

/* Where a replacement must be reached is learned from what it is to stand in for. */
static void test_only_ports_of_protected_machines_are_connected_to(struct world *world)
{
    unsigned a, b;

    world->holds = 1u << ACTION_DISCOVER;
    a = add_guest(world, "a", "protected");
    b = add_guest(world, "b", "standby");
    world->domains[b].hypervisor = OTHER;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->n_pending, 2);
    for (size_t i = 0; i < world->n_pending; i++)
        assert_int_equal(world->pending[i].action.tries_ports,
                         world_number_of(world, &world->pending[i].action.target) == a);
}

static int order(struct world *world, unsigned number, const char *expected)
{
    const struct order refresh = {.kind = ORDER_REFRESH, .machine = machine_ref_of(world_machine(world, number))};
    struct order_answer answer = {0};
    int r = coordinator_order(world->coordinator, &refresh, world->now, &answer);

    assert_non_null(answer.words);
    assert_non_null(strstr(answer.words, expected));
    order_answer_done(&answer);
    return r;
}

static void test_an_operator_has_a_guest_asked_at_once(struct world *world)
{
    unsigned a = add_guest(world, "a", "protected"), b = add_guest(world, "b", "protected"),
             c = add_guest(world, "c", "ignored"), d = world_add(world, "d", "", MACHINE_SHUT_OFF);
    int64_t asked_us;

    world->domains[b].has_agent = false;
    world->domains[d].role = "standby";
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 1);
    asked_us = machine_rare(world_machine(world, a))->asked_us;
    assert_true(asked_us != 0 && machine_rare(world_machine(world, a))->learned_us == asked_us);

    world->domains[a].tells = NULL;
    assert_int_equal(order(world, a, "is being asked"), 0);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
    assert_true(is_known(world, a));
    assert_true(machine_rare(world_machine(world, a))->asked_us > asked_us);
    assert_int_equal(machine_rare(world_machine(world, a))->learned_us, asked_us);

    assert_int_equal(order(world, b, "guest agent"), -EBUSY);
    assert_int_equal(order(world, c, "neither protected nor standby"), -EBUSY);
    assert_int_equal(order(world, d, "does not run"), -EBUSY);
    assert_int_equal(world->asked[ACTION_DISCOVER], 2);
}

static void test_when_it_was_learned_is_known_after_a_restart(struct world *world)
{
    static struct config_hypervisor far = {.name = (char *)"local", .uri = (char *)"qemu+tls://far/system"};
    unsigned a = add_guest(world, "a", "protected");
    int64_t learned_us;

    world->config.hypervisors = &far; /* what is written of a machine is read again */
    world->config.n_hypervisors = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world_pass(world, SETTLED);
    learned_us = machine_rare(world_machine(world, a))->learned_us;
    world_restart_daemon(world);
    world->domains[a].tells = NULL;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_true(is_known(world, a));
    assert_int_equal(machine_rare(world_machine(world, a))->learned_us, learned_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_machines_that_take_part_are_asked_once_their_agent_is_connected),
        world_test(test_one_guest_at_a_time_on_each_host),
        world_test(test_a_guest_that_did_not_tell_is_asked_again_after_a_pause),
        world_test(test_all_are_asked_once_a_day_and_a_bad_answer_erases_nothing),
        world_test(test_what_was_learned_is_known_of_a_machine_that_is_off),
        world_test(test_half_an_answer_erases_nothing),
        world_test(test_no_guest_is_asked_all_the_time),
        world_test(test_a_held_guest_and_one_in_hand_are_left_alone),
        world_test(test_a_replacement_is_asked_for_the_ports_that_both_guests_told),
        world_test(test_an_operator_has_a_guest_asked_at_once),
        world_test(test_when_it_was_learned_is_known_after_a_restart),
        world_test(test_a_guest_that_still_starts_is_asked_again_after_a_pause),
        world_test(test_only_ports_of_protected_machines_are_connected_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
