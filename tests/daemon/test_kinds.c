/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the kinds of action: every kind has a row that makes sense. */
#include "hypervisor/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_every_kind_is_performed(void **state)
{
    (void)state;
    for (enum action_kind kind = 0; kind < ACTION_COUNT; kind++) {
        struct action action = {.kind = kind, .level = VERIFY_AGENT};
        bool answers_more =
            kind == ACTION_LIST || kind == ACTION_DESCRIBE || kind == ACTION_READ || kind == ACTION_DISCOVER;
        bool needs_more = kind == ACTION_UNMAKE; /* the time by which it must be done */
        bool by_hypervisor = kind_performer(&action) == PERFORMER_HYPERVISOR;

        assert_non_null(action_kind_name(kind));
        assert_in_range(kind_performer(&action), 0, PERFORMER_COUNT - 1);
        if ((kind_function(kind) != NULL) != (by_hypervisor && !answers_more && !needs_more))
            fail_msg("%s: no row, or one that makes no sense", action_kind_name(kind));
        if (by_hypervisor)
            assert_in_range(kind_job_class(kind), JOB_PROBE, JOB_URGENT);
        else
            assert_false(kind_asks_agent(kind));
    }
}

static void test_only_a_command_takes_verification_from_the_hypervisor(void **state)
{
    const struct action by_agent = {.kind = ACTION_VERIFY, .level = VERIFY_AGENT};
    const struct action by_port = {.kind = ACTION_VERIFY, .level = VERIFY_TCP};
    const struct action by_command = {.kind = ACTION_VERIFY, .level = VERIFY_COMMAND};

    (void)state;
    assert_int_equal(kind_performer(&by_agent), PERFORMER_HYPERVISOR);
    assert_int_equal(kind_performer(&by_port), PERFORMER_HYPERVISOR);
    assert_int_equal(kind_performer(&by_command), PERFORMER_PROGRAM);
}

static void test_what_a_recovery_waits_for_is_urgent(void **state)
{
    (void)state;
    assert_int_equal(kind_job_class(ACTION_GET_STATE), JOB_URGENT);
    assert_int_equal(kind_job_class(ACTION_DESTROY), JOB_URGENT);
    assert_int_equal(kind_job_class(ACTION_START), JOB_URGENT);
    assert_int_equal(kind_job_class(ACTION_VERIFY), JOB_NORMAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_performed),
        cmocka_unit_test(test_only_a_command_takes_verification_from_the_hypervisor),
        cmocka_unit_test(test_what_a_recovery_waits_for_is_urgent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
