/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How every workflow asks the world. */
#include "workflow/question.h"

#include <errno.h>
#include <string.h>

#include "support.h"

static const struct machine_ref ref = {.hypervisor = "local", .uuid = "00000000-0000-4000-8000-000000000001"};
static const struct moment now = {.mono_us = 1000 * USEC_PER_SEC};

static void test_an_action_carries_what_was_asked(void **state)
{
    struct config config = default_config();
    struct question question;
    struct action action;

    (void)state;
    question_clear(&question);
    config.recovery.verify.port = 80;
    action = question_ask(&question, ACTION_VERIFY, &ref, VERIFY_TCP, "warm-1", &config);
    assert_int_equal(action.kind, ACTION_VERIFY);
    assert_true(machine_ref_equal(&action.target, &ref));
    assert_string_equal(action.recovery_id, "warm-1");
    assert_int_equal(action.level, VERIFY_TCP);
    assert_int_equal(action.port, 80);
    assert_int_equal(action.timeout_us, config.recovery.call_timeout_us);
}

static void test_pauses_grow_up_to_a_limit(void **state)
{
    const struct action_result result = {.error = -EIO};
    struct question question;
    int64_t pause_us = 0;

    (void)state;
    question_clear(&question);
    for (int i = 0; i < 100; i++) {
        question_ask_later(&question, &result, QUESTION_PAUSE_US, now);
        assert_true(question.deadline_us - now.mono_us >= pause_us);
        pause_us = question.deadline_us - now.mono_us;
        assert_false(question_is_to_be_repeated(&question, true, false, now));
        assert_true(question_is_to_be_repeated(&question, true, false, (struct moment){question.deadline_us, 0}));
    }
    assert_true(pause_us > QUESTION_PAUSE_US && pause_us <= 60 * USEC_PER_SEC);
}

static void test_a_lost_connection_is_waited_for(void **state)
{
    const struct action_result result = {.error = -ENOTCONN};
    struct question question;

    (void)state;
    question_clear(&question);
    question_ask_later(&question, &result, QUESTION_PAUSE_US, now);
    assert_int_equal(question.deadline_us, USEC_INFINITY);
    assert_false(question_is_to_be_repeated(&question, true, false, now));
    assert_true(question_is_to_be_repeated(&question, false, true, now));
}

static void test_verifying_goes_on_until_it_is_too_late(void **state)
{
    const struct action_result result = {.error = -EIO}, lost = {.error = -ENOTCONN};
    struct config config = default_config();
    struct moment started = now, late = now;
    struct question question;

    (void)state;
    question_clear(&question);
    assert_true(question_verify_later(&question, &result, started, &config, now));
    assert_int_equal(question.deadline_us, now.mono_us + config.recovery.verify.interval_us);
    late.mono_us += config.recovery.verify.timeout_us;
    assert_false(question_verify_later(&question, &result, started, &config, late));
    assert_true(question_verify_later(&question, &lost, started, &config, late));
    assert_true(question.waits_for_connection);
}

static void test_a_stop_gets_the_time_that_libvirt_takes_for_it(void **state)
{
    struct config config = default_config();

    (void)state;
    config.recovery.call_timeout_us = USEC_PER_SEC;
    assert_int_equal(question_time_us(ACTION_DESTROY, VERIFY_RUNNING, &config), QUESTION_STOP_US);
    config.recovery.call_timeout_us = 2 * QUESTION_STOP_US;
    assert_int_equal(question_time_us(ACTION_DESTROY, VERIFY_RUNNING, &config), 2 * QUESTION_STOP_US);
    assert_int_equal(question_time_us(ACTION_START, VERIFY_RUNNING, &config), config.recovery.start_timeout_us);
    /* Its answer says that the guest was asked, which takes no longer than any other call. */
    assert_int_equal(question_time_us(ACTION_SHUTDOWN, VERIFY_RUNNING, &config), config.recovery.call_timeout_us);
    assert_int_equal(question_time_us(ACTION_REMEMBER, VERIFY_RUNNING, &config), config.recovery.intent_timeout_us);
    assert_int_equal(question_time_us(ACTION_VERIFY, VERIFY_COMMAND, &config), config.hooks.timeout_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_action_carries_what_was_asked),
        cmocka_unit_test(test_pauses_grow_up_to_a_limit),
        cmocka_unit_test(test_a_lost_connection_is_waited_for),
        cmocka_unit_test(test_verifying_goes_on_until_it_is_too_late),
        cmocka_unit_test(test_a_stop_gets_the_time_that_libvirt_takes_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
