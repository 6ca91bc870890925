/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which agent of which level is asked what, and when the host counts as off. */
#include "workflow/fencing.h"

#include <string.h>

#include "support.h"

/* Agent 0 alone, then 1 and 2 together. */
static const struct fence_turn turns[] = {{0, 0}, {1, 1}, {1, 2}};

static struct fencing begin(enum fence_action action, bool is_confirmed)
{
    struct fencing fencing = {
        .turns = turns, .n_turns = ELEMENTS_OF(turns), .action = action, .is_confirmed = is_confirmed};

    fencing_begin(&fencing);
    return fencing;
}

/* The agent that is asked now gives this answer. */
static enum fencing_outcome ask(struct fencing *fencing, size_t agent, enum fence_call call, enum fencing_answer answer)
{
    assert_int_equal(fencing->state, FENCING_ASKING);
    assert_int_equal(fencing->turns[fencing->turn].agent, agent);
    assert_int_equal(fencing->call, call);
    return fencing_take(fencing, answer);
}

static void be_off(struct fencing *fencing, size_t agent)
{
    assert_int_equal(ask(fencing, agent, FENCE_CALL_OFF, FENCING_ANSWER_DONE), FENCING_OPEN);
    assert_int_equal(ask(fencing, agent, FENCE_CALL_STATUS, FENCING_ANSWER_OFF), FENCING_AGREED);
}

static void refuse(struct fencing *fencing, size_t agent)
{
    assert_int_equal(ask(fencing, agent, FENCE_CALL_OFF, FENCING_ANSWER_UNRUN), FENCING_REFUSED);
}

static void test_the_first_level_is_enough(void **state)
{
    struct fencing fencing = begin(FENCE_OFF, true);

    (void)state;
    be_off(&fencing, 0);
    assert_int_equal(fencing.state, FENCING_SUCCEEDED);
}

static void test_all_of_a_level_must_succeed(void **state)
{
    struct fencing fencing = begin(FENCE_OFF, true);

    (void)state;
    refuse(&fencing, 0);
    be_off(&fencing, 1);
    assert_int_equal(fencing.state, FENCING_ASKING);
    be_off(&fencing, 2);
    assert_int_equal(fencing.state, FENCING_SUCCEEDED);

    fencing = begin(FENCE_OFF, true);
    refuse(&fencing, 0);
    be_off(&fencing, 1);
    refuse(&fencing, 2);
    assert_int_equal(fencing.state, FENCING_FAILED);

    /* The rest of a level that failed is not asked. */
    fencing = begin(FENCE_OFF, true);
    refuse(&fencing, 0);
    refuse(&fencing, 1);
    assert_int_equal(fencing.state, FENCING_FAILED);
}

static void test_what_counts_is_the_status(void **state)
{
    static const struct {
        enum fencing_answer off, status;
        enum fencing_outcome outcome;
        enum fencing_state state;
    } cases[] = {
        {FENCING_ANSWER_DONE, FENCING_ANSWER_OFF, FENCING_AGREED, FENCING_SUCCEEDED},
        {FENCING_ANSWER_FAILED, FENCING_ANSWER_OFF, FENCING_OFF_ONLY, FENCING_SUCCEEDED},
        {FENCING_ANSWER_DONE, FENCING_ANSWER_DONE, FENCING_LIED, FENCING_FAILED},
        {FENCING_ANSWER_FAILED, FENCING_ANSWER_DONE, FENCING_REFUSED, FENCING_FAILED},
        {FENCING_ANSWER_DONE, FENCING_ANSWER_FAILED, FENCING_IN_DOUBT, FENCING_FAILED},
        {FENCING_ANSWER_DONE, FENCING_ANSWER_UNRUN, FENCING_IN_DOUBT, FENCING_FAILED},
        {FENCING_ANSWER_FAILED, FENCING_ANSWER_FAILED, FENCING_REFUSED, FENCING_FAILED},
        {FENCING_ANSWER_FAILED, FENCING_ANSWER_UNRUN, FENCING_REFUSED, FENCING_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct fencing fencing = begin(FENCE_OFF, true);

        fencing.n_turns = 1;
        assert_int_equal(ask(&fencing, 0, FENCE_CALL_OFF, cases[i].off), FENCING_OPEN);
        assert_int_equal(ask(&fencing, 0, FENCE_CALL_STATUS, cases[i].status), cases[i].outcome);
        assert_int_equal(fencing.state, cases[i].state);
    }
}

static void test_without_confirmation_the_word_of_an_agent_is_enough(void **state)
{
    struct fencing fencing = begin(FENCE_OFF, false);

    (void)state;
    assert_int_equal(ask(&fencing, 0, FENCE_CALL_OFF, FENCING_ANSWER_FAILED), FENCING_REFUSED);
    assert_int_equal(ask(&fencing, 1, FENCE_CALL_OFF, FENCING_ANSWER_DONE), FENCING_AGREED);
    assert_int_equal(ask(&fencing, 2, FENCE_CALL_OFF, FENCING_ANSWER_DONE), FENCING_AGREED);
    assert_int_equal(fencing.state, FENCING_SUCCEEDED);
}

/* Off for all of a level, and then on: between the two no supply may feed the host. */
static void test_a_reboot(void **state)
{
    struct fencing fencing = begin(FENCE_REBOOT, true);

    (void)state;
    refuse(&fencing, 0);
    be_off(&fencing, 1);
    be_off(&fencing, 2);
    assert_int_equal(ask(&fencing, 1, FENCE_CALL_ON, FENCING_ANSWER_FAILED), FENCING_REFUSED);
    assert_int_equal(ask(&fencing, 2, FENCE_CALL_ON, FENCING_ANSWER_DONE), FENCING_AGREED);
    assert_int_equal(fencing.state, FENCING_SUCCEEDED);

    fencing = begin(FENCE_REBOOT, true);
    be_off(&fencing, 0);
    /* It stays off, and what it ran may be started elsewhere. */
    assert_int_equal(ask(&fencing, 0, FENCE_CALL_ON, FENCING_ANSWER_FAILED), FENCING_REFUSED);
    assert_int_equal(fencing.state, FENCING_SUCCEEDED);
}

static void test_the_log_is_bounded(void **state)
{
    struct fence_report report = {.agent = "ipmi"};
    struct fence_log log = {0};

    (void)state;
    for (unsigned i = 1; i <= FENCE_LOG_MAX + 3; i++) {
        report.attempt = i;
        assert_int_equal(fence_log_add(&log, &report), 0);
    }
    assert_int_equal(log.count, FENCE_LOG_MAX);
    assert_int_equal(log.all[0].attempt, 4);
    assert_int_equal(log.all[FENCE_LOG_MAX - 1].attempt, FENCE_LOG_MAX + 3);
    fence_log_done(&log);
}

static void test_the_last_test_of_each_agent_is_kept(void **state)
{
    struct config_fence_agent agents[] = {{.name = (char *)"ipmi", .command = (char *)"/a"}};
    const struct config_fence fence = {.agents = agents, .n_agents = 1};
    struct fence_report ipmi = {.agent = "ipmi"}, pdu = {.agent = "pdu"};
    struct fence_log log = {0};

    (void)state;
    assert_int_equal(fence_log_put(&log, &pdu), 0);
    assert_int_equal(fence_log_put(&log, &ipmi), 0);
    ipmi.has_succeeded = true;
    assert_int_equal(fence_log_put(&log, &ipmi), 0);
    assert_int_equal(log.count, 2);
    assert_true(log.all[1].has_succeeded);
    fence_log_keep_agents(&log, &fence);
    assert_int_equal(log.count, 1);
    assert_string_equal(log.all[0].agent, "ipmi");
    fence_log_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_level_is_enough),
        cmocka_unit_test(test_all_of_a_level_must_succeed),
        cmocka_unit_test(test_what_counts_is_the_status),
        cmocka_unit_test(test_without_confirmation_the_word_of_an_agent_is_enough),
        cmocka_unit_test(test_a_reboot),
        cmocka_unit_test(test_the_log_is_bounded),
        cmocka_unit_test(test_the_last_test_of_each_agent_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
