/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One host as a state machine: every pair of state and event, and random courses. */
#include "detect/host.h"

#include <errno.h>
#include <string.h>

#include "support.h"

#define TIMEOUT_US (30 * USEC_PER_SEC)

struct fixture {
    struct config config;
    struct host_track host;
    struct host_event event; /* its circumstances */
    struct host_step step;
};

static void renew(struct fixture *fixture)
{
    host_done(&fixture->host);
    *fixture = (struct fixture){
        .config = default_config(),
        .host = {.deadline_us = USEC_INFINITY},
        .event = {.now = {.mono_us = 1000 * USEC_PER_SEC, .real_us = 1}, .is_needed = true, .can_be_fenced = true},
    };
    fixture->config.host_timeout_us = TIMEOUT_US;
    fixture->config.fence.retry_us = 20 * USEC_PER_SEC;
}

static int set_up(void **state)
{
    static struct fixture fixture;

    renew(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    host_done(&fixture->host);
    return 0;
}

static void say(struct fixture *fixture, enum host_event_kind kind)
{
    struct host_event event = fixture->event;

    event.kind = kind;
    event.message = "the power switch does not answer";
    fixture->step = host_handle(&fixture->host, &event, &fixture->config);
}

static void wait_for_deadline(struct fixture *fixture)
{
    assert_true(fixture->host.deadline_us != USEC_INFINITY);
    if (fixture->host.deadline_us > fixture->event.now.mono_us)
        fixture->event.now.mono_us = fixture->host.deadline_us;
    say(fixture, HOST_TICK);
}

static void assert_state(const struct fixture *fixture, enum host_state state)
{
    assert_string_equal(host_state_name(fixture->host.state), host_state_name(state));
}

static void until_doubted(struct fixture *fixture)
{
    say(fixture, HOST_CONNECTED);
    say(fixture, HOST_LISTED);
    say(fixture, HOST_DISCONNECTED);
    wait_for_deadline(fixture);
    assert_true(fixture->step.asks_others);
    assert_state(fixture, HOST_DOUBTED);
}

static void until_fencing(struct fixture *fixture)
{
    until_doubted(fixture);
    say(fixture, HOST_WITNESSED);
    assert_true(fixture->step.is_lost && fixture->step.fences);
    assert_state(fixture, HOST_FENCING);
}

static void until_unfenced(struct fixture *fixture)
{
    until_fencing(fixture);
    fixture->event.error = -EIO;
    say(fixture, HOST_ANSWER);
    fixture->event.error = 0;
    assert_true(fixture->step.has_failed);
    assert_state(fixture, HOST_UNFENCED);
}

static void bring_to(struct fixture *fixture, enum host_state state)
{
    renew(fixture);
    switch (state) {
    case HOST_REACHABLE:
        say(fixture, HOST_CONNECTED);
        break;
    case HOST_MISSING:
        say(fixture, HOST_DISCONNECTED);
        break;
    case HOST_DOUBTED:
        until_doubted(fixture);
        break;
    case HOST_ISOLATED:
        until_doubted(fixture);
        fixture->event.most_are_gone = true;
        say(fixture, HOST_WITNESSED);
        fixture->event.most_are_gone = false;
        break;
    case HOST_LOST:
        until_doubted(fixture);
        fixture->event.is_needed = false;
        say(fixture, HOST_WITNESSED);
        break;
    case HOST_FENCING:
        until_fencing(fixture);
        break;
    case HOST_UNFENCED:
        until_unfenced(fixture);
        break;
    case HOST_FENCED:
        until_fencing(fixture);
        say(fixture, HOST_ANSWER);
        break;
    case HOST_UNKNOWN:
    case HOST_STATE_COUNT:
    default:
        break;
    }
    assert_state(fixture, state);
}

#define IGNORED HOST_STATE_COUNT

/* Where each event leads before any deadline; IGNORED: it means nothing and changes nothing. */
static const enum host_state leads[HOST_STATE_COUNT][HOST_EVENT_COUNT] = {
    /* connected, listed, disconnected, tick, witnessed, answer, confirmed, hold (that ended) */
    [HOST_UNKNOWN] = {HOST_REACHABLE, HOST_REACHABLE, HOST_MISSING, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED},
    [HOST_REACHABLE] = {HOST_REACHABLE, HOST_REACHABLE, HOST_MISSING, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED},
    [HOST_MISSING] = {HOST_REACHABLE, HOST_REACHABLE, IGNORED, IGNORED, IGNORED, IGNORED, HOST_FENCED, HOST_MISSING},
    [HOST_DOUBTED] = {HOST_REACHABLE, HOST_REACHABLE, IGNORED, IGNORED, HOST_FENCING, IGNORED, HOST_FENCED,
                      HOST_MISSING},
    [HOST_ISOLATED] = {HOST_REACHABLE, HOST_REACHABLE, IGNORED, IGNORED, HOST_MISSING, IGNORED, HOST_FENCED, IGNORED},
    [HOST_LOST] = {HOST_REACHABLE, HOST_REACHABLE, IGNORED, IGNORED, IGNORED, IGNORED, HOST_FENCED, HOST_MISSING},
    [HOST_FENCING] = {HOST_FENCING, HOST_FENCING, IGNORED, IGNORED, IGNORED, HOST_FENCED, HOST_FENCED, IGNORED},
    [HOST_UNFENCED] = {HOST_REACHABLE, HOST_REACHABLE, IGNORED, IGNORED, IGNORED, IGNORED, HOST_FENCED, HOST_MISSING},
    [HOST_FENCED] = {HOST_FENCED, HOST_REACHABLE, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED},
};

static void test_every_event_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    for (int from = 0; from < HOST_STATE_COUNT; from++)
        for (int kind = 0; kind < HOST_EVENT_COUNT; kind++) {
            enum host_state to = leads[from][kind];

            bring_to(fixture, (enum host_state)from);
            unsigned long ignored = fixture->host.ignored;
            say(fixture, (enum host_event_kind)kind);
            assert_int_equal(fixture->host.ignored, ignored + (to == IGNORED));
            assert_state(fixture, to == IGNORED ? (enum host_state)from : to);
            assert_int_equal(fixture->step.is_fenced, to == HOST_FENCED && from != HOST_FENCED);
            assert_int_equal(fixture->step.is_back, to == HOST_REACHABLE && from >= HOST_LOST);
            assert_int_equal(fixture->step.fences, to == HOST_FENCING && from == HOST_DOUBTED);
        }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < HOST_STATE_COUNT; i++)
        for (int n = 0; n < i; n++)
            assert_string_not_equal(host_state_name((enum host_state)i), host_state_name((enum host_state)n));
    for (int i = 0; i < HOST_EVENT_COUNT; i++)
        for (int n = 0; n < i; n++)
            assert_string_not_equal(host_event_name((enum host_event_kind)i), host_event_name((enum host_event_kind)n));
}

/* From everywhere, for a day: a host that is held does not count as lost, and is not fenced. */
static void test_a_held_host_is_never_lost(void **state)
{
    struct fixture *fixture = *state;

    for (int from = 0; from < HOST_STATE_COUNT; from++) {
        bool was_lost = host_state_is_lost((enum host_state)from);

        bring_to(fixture, (enum host_state)from);
        fixture->event.is_held = true;
        say(fixture, HOST_HOLD);
        say(fixture, HOST_DISCONNECTED);
        for (int hour = 0; hour < 24; hour++) {
            fixture->event.now.mono_us += 3600 * USEC_PER_SEC;
            say(fixture, HOST_TICK);
            assert_false(fixture->step.fences || fixture->step.asks_others || fixture->step.is_lost);
            say(fixture, HOST_WITNESSED);
            assert_false(fixture->step.fences || fixture->step.asks_others || fixture->step.is_lost);
        }
        assert_true(was_lost || !host_state_is_lost(fixture->host.state));
        assert_int_equal(fixture->host.deadline_us, USEC_INFINITY);
    }
}

static void test_after_a_hold_its_time_begins_anew(void **state)
{
    static const enum host_state states[] = {HOST_MISSING, HOST_DOUBTED, HOST_LOST, HOST_UNFENCED};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(states); i++) {
        bring_to(fixture, states[i]);
        fixture->event.is_held = true;
        say(fixture, HOST_HOLD);
        fixture->event.now.mono_us += 3600 * USEC_PER_SEC;
        fixture->event.is_held = false;
        say(fixture, HOST_HOLD);
        assert_state(fixture, HOST_MISSING);
        assert_int_equal(fixture->host.deadline_us, fixture->event.now.mono_us + TIMEOUT_US);
    }
}

/* A fence agent that was started is followed to its end; one that was not is not started. */
static void test_a_hold_comes_while_it_is_to_be_fenced(void **state)
{
    struct fixture *fixture = *state;

    bring_to(fixture, HOST_FENCING);
    fixture->event.is_held = true;
    say(fixture, HOST_HOLD);
    assert_state(fixture, HOST_FENCING);
    say(fixture, HOST_ANSWER);
    assert_state(fixture, HOST_FENCED);

    bring_to(fixture, HOST_FENCING);
    fixture->event.is_held = fixture->event.is_unbegun = true;
    say(fixture, HOST_HOLD);
    assert_state(fixture, HOST_MISSING);
    assert_int_equal(fixture->host.tries, 0);
}

static void test_a_flapping_link_is_no_loss(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 20; i++) {
        say(fixture, HOST_CONNECTED);
        say(fixture, HOST_DISCONNECTED);
        fixture->event.now.mono_us += TIMEOUT_US - 1;
        say(fixture, HOST_TICK);
        assert_state(fixture, HOST_MISSING);
    }
    fixture->event.now.mono_us++;
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_DOUBTED);
}

static void test_the_daemons_own_host_is_never_lost(void **state)
{
    struct fixture *fixture = *state;

    fixture->event.is_here = true;
    say(fixture, HOST_DISCONNECTED);
    assert_true(fixture->host.deadline_us == USEC_INFINITY);
    fixture->event.now.mono_us += 100 * TIMEOUT_US;
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_MISSING);
}

static void test_without_an_agent_it_stays_unfenced_until_there_is_one(void **state)
{
    struct fixture *fixture = *state;

    until_doubted(fixture);
    fixture->event.can_be_fenced = false;
    say(fixture, HOST_WITNESSED);
    assert_true(fixture->step.is_lost && fixture->step.has_failed && !fixture->step.fences);
    assert_true(fixture->host.deadline_us == USEC_INFINITY);
    fixture->event.now.mono_us += 100 * TIMEOUT_US;
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_UNFENCED);
    fixture->event.can_be_fenced = true;
    say(fixture, HOST_TICK);
    assert_true(fixture->step.asks_others);
    say(fixture, HOST_WITNESSED);
    assert_true(fixture->step.fences && !fixture->step.is_lost);
}

static void test_the_pause_grows(void **state)
{
    struct fixture *fixture = *state;
    int64_t pause_us = 20 * USEC_PER_SEC;

    until_unfenced(fixture);
    for (unsigned i = 1; i < 20; i++) {
        assert_true(fixture->host.deadline_us - fixture->event.now.mono_us == pause_us);
        assert_string_equal(fixture->host.trouble, "the power switch does not answer");
        assert_int_equal(fixture->host.tries, i);
        wait_for_deadline(fixture);
        assert_true(fixture->step.asks_others);
        say(fixture, HOST_WITNESSED);
        assert_true(fixture->step.fences && !fixture->step.is_lost);
        fixture->event.error = -EIO;
        say(fixture, HOST_ANSWER);
        pause_us = pause_us * 2 < 3600 * USEC_PER_SEC ? pause_us * 2 : 3600 * USEC_PER_SEC;
    }
}

static void test_no_further_attempt_when_most_are_gone(void **state)
{
    struct fixture *fixture = *state;

    until_unfenced(fixture);
    wait_for_deadline(fixture);
    fixture->event.most_are_gone = true;
    say(fixture, HOST_WITNESSED);
    assert_true(fixture->step.is_isolated && !fixture->step.fences);
    say(fixture, HOST_CONNECTED);
    assert_true(fixture->step.is_back);
}

static void test_what_comes_to_be_needed_is_fenced_then(void **state)
{
    struct fixture *fixture = *state;

    bring_to(fixture, HOST_LOST);
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_LOST);
    fixture->event.is_needed = true;
    say(fixture, HOST_TICK);
    say(fixture, HOST_WITNESSED);
    assert_true(fixture->step.fences && !fixture->step.is_lost);
}

static void test_an_agent_taken_away_leaves_no_deadline_behind(void **state)
{
    struct fixture *fixture = *state;

    until_unfenced(fixture);
    fixture->event.can_be_fenced = false;
    wait_for_deadline(fixture);
    assert_state(fixture, HOST_UNFENCED);
    assert_true(fixture->host.deadline_us == USEC_INFINITY);
}

static void test_what_was_seen_meanwhile_outdates_the_agents_word(void **state)
{
    struct fixture *fixture = *state;

    until_fencing(fixture);
    say(fixture, HOST_CONNECTED);
    say(fixture, HOST_ANSWER);
    assert_state(fixture, HOST_REACHABLE);
    assert_true(fixture->step.wants_listing && !fixture->step.is_fenced);

    renew(fixture);
    until_fencing(fixture);
    say(fixture, HOST_CONNECTED);
    say(fixture, HOST_DISCONNECTED);
    say(fixture, HOST_ANSWER);
    assert_state(fixture, HOST_MISSING);
    assert_false(fixture->step.is_fenced);
}

/* The loop stood still, and heard nothing of any host meanwhile. */
static void test_a_timer_that_fires_late_begins_anew(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, HOST_CONNECTED);
    say(fixture, HOST_DISCONNECTED);
    fixture->event.now.mono_us = fixture->host.deadline_us + 40 * USEC_PER_SEC;
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_MISSING);
    assert_false(fixture->step.asks_others);
    fixture->event.now.mono_us = fixture->host.deadline_us;
    say(fixture, HOST_TICK);
    assert_state(fixture, HOST_DOUBTED);
    fixture->event.now.mono_us = fixture->host.deadline_us + 40 * USEC_PER_SEC;
    say(fixture, HOST_WITNESSED);
    assert_state(fixture, HOST_MISSING);
}

static void test_a_fenced_host_that_was_on_again_is_not_known_to_be_off(void **state)
{
    struct fixture *fixture = *state;

    until_fencing(fixture);
    say(fixture, HOST_ANSWER);
    say(fixture, HOST_DISCONNECTED); /* it was off already */
    assert_state(fixture, HOST_FENCED);
    say(fixture, HOST_CONNECTED);
    fixture->host.is_changed = false;
    say(fixture, HOST_DISCONNECTED);
    assert_state(fixture, HOST_MISSING);
    assert_true(fixture->host.was_lost);
    assert_true(fixture->host.is_changed); /* it must not stand as fenced on disk */
}

static void test_what_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    const struct moment then = {.mono_us = 5, .real_us = 5};

    host_restore(&fixture->host, HOST_FENCED, then, then);
    assert_state(fixture, HOST_FENCED);
    assert_int_equal(fixture->host.fenced.real_us, 5);
    renew(fixture);
    host_restore(&fixture->host, HOST_UNFENCED, then, (struct moment){0});
    assert_state(fixture, HOST_UNKNOWN);
    assert_true(fixture->host.was_lost);
    say(fixture, HOST_CONNECTED);
    assert_true(fixture->host.was_lost);
    say(fixture, HOST_LISTED);
    assert_false(fixture->host.was_lost);
}

/* Whatever happens: fenced only by the agent's success, with nothing seen since it began, or by the operator's word. */
static void test_random_courses(void **state)
{
    struct fixture *fixture = *state;
    unsigned fenced = 0, isolated = 0;
    uint64_t seed = 1;

    for (int course = 0; course < 3000; course++) {
        bool agent_works = false, was_seen = false;

        renew(fixture);
        for (int i = 0; i < 60; i++) {
            enum host_event_kind kind = (enum host_event_kind)random_below(&seed, HOST_CONFIRMED + (course % 4 == 0));
            enum host_state before = fixture->host.state;

            fixture->event.error = random_below(&seed, 2) == 0 ? 0 : -EIO;
            fixture->event.is_needed = random_below(&seed, 4) != 0;
            fixture->event.most_are_gone = random_below(&seed, 3) == 0;
            /* Time passes; often just up to the deadline, and now and then far beyond it. */
            if (fixture->host.deadline_us > fixture->event.now.mono_us && fixture->host.deadline_us != USEC_INFINITY &&
                random_below(&seed, 2) == 0)
                fixture->event.now.mono_us = fixture->host.deadline_us;
            else
                fixture->event.now.mono_us += (int64_t)random_below(&seed, TIMEOUT_US / 4);
            say(fixture, kind);
            if (fixture->step.fences) {
                agent_works = true;
                was_seen = false;
            }
            was_seen |= kind == HOST_CONNECTED || kind == HOST_LISTED;
            if (fixture->step.is_fenced && kind != HOST_CONFIRMED)
                assert_true(before == HOST_FENCING && agent_works && !was_seen && fixture->event.error == 0);
            if (fixture->step.fences)
                assert_false(fixture->host.is_connected);
            if (kind == HOST_ANSWER)
                agent_works = false;
            fenced += fixture->step.is_fenced;
            isolated += fixture->step.is_isolated;
        }
    }
    assert_true(fenced > 100 && isolated > 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_event_in_every_state, set_up, tear_down),
        cmocka_unit_test(test_words),
        cmocka_unit_test_setup_teardown(test_a_held_host_is_never_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_hold_its_time_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hold_comes_while_it_is_to_be_fenced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_flapping_link_is_no_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_daemons_own_host_is_never_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_an_agent_it_stays_unfenced_until_there_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_pause_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_further_attempt_when_most_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_comes_to_be_needed_is_fenced_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_agent_taken_away_leaves_no_deadline_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_seen_meanwhile_outdates_the_agents_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_timer_that_fires_late_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_fenced_host_that_was_on_again_is_not_known_to_be_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_courses, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
