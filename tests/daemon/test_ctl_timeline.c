/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a recovery in the order of their times, after a failure and by order. */
#include "ctl/timeline.h"

#include "capture.h"

/* What is printed of a recovery. */
static const char *printed(const char *json)
{
    static char text[4096];
    json_t *document = json_loads(json, 0, NULL);
    struct capture capture;

    assert_non_null(document);
    capture_begin(&capture);
    timeline_print(document);
    capture_end(&capture, text, sizeof(text));
    json_decref(document);
    return text;
}

#define AT(second) "\"2026-11-22T14:54:" second "Z\""
#define TIMES(decided, confirmed)                                                                                      \
    "\"detected_at\": " AT("00.000001") ", \"decided_at\": " AT(decided) ", \"confirmed_at\": " AT(                    \
        confirmed) ", \"started_at\": " AT("03.000000") ", \"ended_at\": " AT("04.500000") ", \"outcome\": "           \
                                                                                           "\"recovered\""             \
                                                                                           ", \"times_ms\": "          \
                                                                                           "{\"total\": 4499.999}"

static void test_a_failure_is_confirmed_before_it_is_decided(void **state)
{
    const char *text = printed("{\"cause\": \"process-died\", " TIMES("02.000000", "01.000000") "}");

    (void)state;
    has(text, "STEP       UTC 2026-11-22         TOOK  WHAT\n"
              "detected   14:54:00.000001              the hypervisor reported the failure\n");
    has(text, "confirmed  14:54:01.000000  0.999999 s  the failed machine is surely off\n");
    has(text, "recovered  14:54:04.500000  1.500000 s  4.499999 s in all\n");
    has_order(text, "confirmed", "decided");
    assert_false(timeline_is_of_an_order(NULL));
}

static void test_a_step_of_another_day_says_which(void **state)
{
    const char *text = printed("{\"detected_at\": \"2026-11-22T23:59:59.000000Z\", \"confirmed_at\": "
                               "\"2026-11-23T00:00:01.000000Z\", \"outcome\": \"confirming\", \"times_ms\": {}}");

    (void)state;
    has(text, "detected   23:59:59.000000");
    has(text, "confirmed  2026-11-23T00:00:01.000000  2.000000 s");
}

/* The other machine was chosen first, which was shown as a step that took less than no time. */
static void test_an_order_is_decided_before_the_machine_is_off(void **state)
{
    const char *text = printed("{\"cause\": \"failover\", " TIMES("01.000000", "02.000000") "}");

    (void)state;
    has(text, "ordered    14:54:00.000001              an operator ordered it\n");
    has(text, "confirmed  14:54:02.000000  1.000000 s  the machine that served is off\n");
    has_order(text, "decided", "confirmed");
    has_not(text, "failure");
    has_not(text, " -");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_is_confirmed_before_it_is_decided),
        cmocka_unit_test(test_a_step_of_another_day_says_which),
        cmocka_unit_test(test_an_order_is_decided_before_the_machine_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
