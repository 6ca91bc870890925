/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of open answers: each goes to who asked, once. */
#include "answers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "coordinator/coordinator.h"

struct told {
    int times;
    int error;
    char message[64];
};

struct world {
    struct config *config;
    struct coordinator *coordinator;
    struct answers *answers;
};

static void take(void *context, int error, const char *message)
{
    struct told *told = context;

    told->times++;
    told->error = error;
    snprintf(told->message, sizeof(told->message), "%s", message);
}

static int set_up(void **state)
{
    static const char text[] = "hypervisors: [{name: a, uri: \"test:///default\"}]\n";
    static struct world world;
    struct diags diags = {0};

    world = (struct world){0};
    assert_int_equal(config_parse(text, strlen(text), "test", &diags, &world.config), 0);
    diags_done(&diags);
    assert_int_equal(coordinator_new(world.config, NULL, &world.coordinator), 0);
    assert_int_equal(answers_new(world.coordinator, &world.answers), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    answers_free(world->answers);
    coordinator_free(world->coordinator);
    config_free(world->config);
    return 0;
}

static struct action new_action(struct answers *answers, const char *recovery)
{
    struct action action = {.id = answers_new_number(answers), .kind = ACTION_HOOK};

    snprintf(action.recovery_id, sizeof(action.recovery_id), "%s", recovery);
    return action;
}

static void test_an_answer_goes_to_its_taker_once(void **state)
{
    struct answers *answers = ((struct world *)*state)->answers;
    struct told first = {0}, second = {0};
    struct action a = new_action(answers, "r1"), b = new_action(answers, "r2");

    assert_int_not_equal(a.id, b.id);
    assert_int_equal(answers_expect(answers, &a, take, &first), 0);
    assert_int_equal(answers_expect(answers, &b, take, &second), 0);
    assert_string_equal(answers_find(answers, a.id)->recovery_id, "r1");
    assert_string_equal(answers_find(answers, b.id)->recovery_id, "r2");
    assert_true(answers_give(answers, a.id, -EIO, "no"));
    assert_int_equal(first.error, -EIO);
    assert_string_equal(first.message, "no");
    assert_int_equal(second.times, 0);
    assert_null(answers_find(answers, a.id));
    assert_false(answers_give(answers, a.id, 0, NULL));
    assert_int_equal(first.times, 1);
    assert_true(answers_give(answers, b.id, 0, NULL));
    assert_string_equal(second.message, "");
}

static void test_what_the_coordinator_asked_for_is_no_number_of_the_daemon(void **state)
{
    struct answers *answers = ((struct world *)*state)->answers;
    const struct action action = {.id = 7, .kind = ACTION_RECORD, .recovery_id = "r"};

    assert_int_equal(answers_expect(answers, &action, NULL, NULL), 0);
    for (int i = 0; i < 10; i++)
        assert_false(answers_give(answers, answers_new_number(answers), 0, NULL));
    /* The coordinator knows no such recovery and drops it. */
    assert_true(answers_give(answers, 7, 0, NULL));
    assert_false(answers_give(answers, 7, 0, NULL));
}

static void test_an_action_that_was_not_begun_is_not_answered(void **state)
{
    struct answers *answers = ((struct world *)*state)->answers;
    struct told told = {0};
    struct action action = new_action(answers, "r");

    assert_int_equal(answers_expect(answers, &action, take, &told), 0);
    answers_forget(answers, action.id);
    assert_false(answers_give(answers, action.id, 0, NULL));
    assert_int_equal(told.times, 0);
}

static void test_the_end_answers_every_taker(void **state)
{
    struct answers *answers = ((struct world *)*state)->answers;
    const struct action action = {.id = 7, .kind = ACTION_RECORD};
    struct told first = {0}, second = {0};
    struct action a = new_action(answers, ""), b = new_action(answers, "");

    assert_int_equal(answers_expect(answers, &a, take, &first), 0);
    assert_int_equal(answers_expect(answers, &action, NULL, NULL), 0);
    assert_int_equal(answers_expect(answers, &b, take, &second), 0);
    answers_cancel(answers, "stopping");
    assert_int_equal(first.times + second.times, 2);
    assert_int_equal(first.error, -ECANCELED);
    assert_string_equal(second.message, "stopping");
    assert_non_null(answers_find(answers, 7));
}

static void test_a_hypervisor_that_is_not_watched_any_more_answers_no_more(void **state)
{
    struct answers *answers = ((struct world *)*state)->answers;
    struct told tag = {0}, trial = {0}, other = {0}, fencing = {0};
    struct action actions[] = {
        {.kind = ACTION_SET_METADATA, .target.hypervisor = "a"},
        {.kind = ACTION_DESCRIBE, .target.hypervisor = "a"},
        {.kind = ACTION_DESTROY, .target.hypervisor = "ab"},
        {.kind = ACTION_TEST_FENCING, .target.hypervisor = "a"},
    };
    struct told *told[] = {&tag, &trial, &other, &fencing};

    for (size_t i = 0; i < ELEMENTS_OF(actions); i++) {
        actions[i].id = answers_new_number(answers);
        assert_int_equal(answers_expect(answers, &actions[i], take, told[i]), 0);
    }
    answers_disconnect(answers, "a", "gone");
    assert_int_equal(tag.times, 1);
    assert_int_equal(tag.error, -ENOTCONN);
    assert_string_equal(tag.message, "gone");
    assert_int_equal(trial.times, 1);
    assert_false(answers_give(answers, actions[0].id, 0, NULL));
    assert_int_equal(other.times + fencing.times, 0);
    assert_true(answers_give(answers, actions[2].id, 0, NULL));
    assert_true(answers_give(answers, actions[3].id, 0, NULL));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_goes_to_its_taker_once),
        TEST(test_what_the_coordinator_asked_for_is_no_number_of_the_daemon),
        TEST(test_an_action_that_was_not_begun_is_not_answered),
        TEST(test_the_end_answers_every_taker),
        TEST(test_a_hypervisor_that_is_not_watched_any_more_answers_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
