/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metrics document: what is counted, that it is well-formed, and that labels cannot break out. */
#include "support.h"

#include <string.h>

#include "report/metrics.h"

struct fixture {
    struct config config;
    struct feature_table *features;
    struct pool *pool;
    struct hypervisor_status hypervisors[2];
    struct status status;
    struct metrics_counters counters;
    struct metrics_daemon daemon;
};

static struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->config = default_config();
    assert_int_equal(feature_table_new(&fixture->features), 0);
    assert_int_equal(pool_new(fixture->features, &fixture->pool), 0);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    fixture->hypervisors[0] = (struct hypervisor_status){.name = "local", .is_connected = true, .free_memory_kib = 2};
    fixture->hypervisors[1] = (struct hypervisor_status){.name = "other"};
    fixture->status = (struct status){
        .version = "1.2",
        .mode = "automatic",
        .config_file = "x",
        .uptime_us = 2500000,
        .is_ready = true,
        .hypervisors = fixture->hypervisors,
        .n_hypervisors = 2,
    };
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    pool_free(fixture->pool);
    feature_table_free(fixture->features);
    free(fixture);
}

static void check_has(const char *text, const char *line)
{
    char *whole = NULL;

    assert_true(asprintf(&whole, "\n%s\n", line) > 0);
    if (strstr(text, whole) == NULL)
        fail_msg("no line %s in\n%s", line, text);
    free(whole);
}

static char *format_in(const struct fixture *fixture, enum metrics_form form)
{
    char *text = NULL;

    assert_int_equal(metrics_format(form, &fixture->status, fixture->pool, &fixture->counters, &fixture->daemon, &text),
                     0);
    return text;
}

static char *format(const struct fixture *fixture)
{
    return format_in(fixture, METRICS_PROMETHEUS);
}

static void add(struct fixture *fixture, const char *hypervisor, unsigned number, enum machine_state state)
{
    const struct machine *machine = NULL;
    char name[16];

    snprintf(name, sizeof(name), "vm-%u", number % 1000);
    assert_int_equal(pool_apply(fixture->pool, hypervisor, describe(number, name), &machine), 0);
    pool_edit(fixture->pool, machine)->state = state;
}

static void test_gauges(void **state)
{
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    add(fixture, "local", 1, MACHINE_RUNNING);
    add(fixture, "local", 2, MACHINE_SHUT_OFF);
    add(fixture, "local", 3, MACHINE_SHUT_OFF);
    add(fixture, "other", 4, MACHINE_SHUT_OFF);
    fixture->status.recoveries[RECOVERY_STARTING] = 2;
    fixture->status.recoveries[RECOVERY_RECOVERED] = 9;
    fixture->status.services =
        (struct service_counts){.by_state = {[SERVICE_UP] = 3, [SERVICE_DOWN] = 1}, .diverted = 2};
    text = format(fixture);
    check_has(text, "understudy_build_info{version=\"1.2\"} 1");
    check_has(text, "understudy_observing 0");
    check_has(text, "understudy_ready 1");
    check_has(text, "understudy_braked 0");
    check_has(text, "understudy_uptime_seconds 2.500");
    check_has(text, "understudy_config_reload_good 1");
    check_has(text, "understudy_hypervisor_up{hypervisor=\"local\"} 1");
    check_has(text, "understudy_hypervisor_up{hypervisor=\"other\"} 0");
    check_has(text, "understudy_hypervisor_free_memory_bytes{hypervisor=\"local\"} 2048");
    check_has(text, "understudy_machines{hypervisor=\"local\",state=\"running\",role=\"protected, standby\"} 1");
    check_has(text, "understudy_machines{hypervisor=\"local\",state=\"shut off\",role=\"protected, standby\"} 2");
    check_has(text, "understudy_machines{hypervisor=\"other\",state=\"shut off\",role=\"protected, standby\"} 1");
    check_has(text, "understudy_recoveries_under_way 2");
    check_has(text, "understudy_services{state=\"up\"} 3");
    check_has(text, "understudy_services{state=\"down\"} 1");
    check_has(text, "understudy_services{state=\"recovering\"} 0");
    check_has(text, "understudy_services_diverted 2");
    assert_null(strstr(text, "\nunderstudy_last_recovery_duration_seconds")); /* there was none */
    free(text);
    fixture->status.reload_error = "bad";
    fixture->status.is_braked = true;
    fixture->status.mode = "observe";
    text = format(fixture);
    check_has(text, "understudy_observing 1");
    check_has(text, "understudy_braked 1");
    check_has(text, "understudy_config_reload_good 0");
    free(text);
    fixture_free(fixture);
}

/* What is wrong is told by kind; what would not be recovered, and what is not tried again for a while, by itself as well. */
static void test_problems(void **state)
{
    struct problem all[] = {{.kind = PROBLEM_BRAKE},
                            {.kind = PROBLEM_SERVICE_UNPROTECTED},
                            {.kind = PROBLEM_SERVICE_UNPROTECTED},
                            {.kind = PROBLEM_QUARANTINE}};
    const struct problems problems = {.all = all, .count = ELEMENTS_OF(all)};
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    fixture->status.problems = &problems;
    text = format(fixture);
    check_has(text, "understudy_problems{kind=\"brake\",severity=\"2\"} 1");
    check_has(text, "understudy_problems{kind=\"service-unprotected\",severity=\"1\"} 2");
    check_has(text, "understudy_problems{kind=\"hold\",severity=\"1\"} 0");
    check_has(text, "understudy_services_unprotected 2");
    check_has(text, "understudy_machines_quarantined 1");
    free(text);
    fixture_free(fixture);
}

static void test_what_the_daemon_says_of_itself(void **state)
{
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    fixture->daemon = (struct metrics_daemon){
        .queues = {[METRICS_ANSWERS] = 1, [METRICS_CALLS] = 2, [METRICS_PROGRAMS] = 3, [METRICS_ROWS] = 4},
        .followers = 5,
        .store_writes = true,
        .store_errors = 6,
        .plan_age_us = 7500000,
    };
    histogram_add(&fixture->counters.loop_lag, 20000);
    text = format(fixture);
    check_has(text, "understudy_queue_length{queue=\"answers\"} 1");
    check_has(text, "understudy_queue_length{queue=\"hypervisor-calls\"} 2");
    check_has(text, "understudy_queue_length{queue=\"programs\"} 3");
    check_has(text, "understudy_queue_length{queue=\"store-rows\"} 4");
    check_has(text, "understudy_event_stream_followers 5");
    check_has(text, "understudy_store_up 1");
    check_has(text, "understudy_store_errors_total 6");
    check_has(text, "understudy_plan_age_seconds 7.500000");
    check_has(text, "understudy_event_loop_lag_seconds_bucket{le=\"0.01\"} 0");
    check_has(text, "understudy_event_loop_lag_seconds_bucket{le=\"0.025\"} 1");
    free(text);
    fixture_free(fixture);
}

static void test_counters(void **state)
{
    static const struct notice notices[] = {
        {.kind = NOTICE_FAILURE_DETECTED, .cause = CAUSE_CRASHED, .duration_us = -1},
        {.kind = NOTICE_RECOVERED, .cause = CAUSE_CRASHED, .duration_us = 1500000},
        {.kind = NOTICE_RECOVERED, .cause = CAUSE_CRASHED, .duration_us = 500000},
        {.kind = NOTICE_EXHAUSTED, .cause = CAUSE_PANICKED, .duration_us = 9000000},
        {.kind = NOTICE_RECOVERED, .cause = CAUSE_FAILOVER, .duration_us = 9000000},
        {.kind = NOTICE_HOST_FENCED, .duration_us = -1},
        {.kind = NOTICE_BRAKE_ON, .duration_us = -1},
    };
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(notices); i++)
        metrics_count(&fixture->counters, &notices[i], NULL);
    text = format(fixture);
    check_has(text, "understudy_recoveries_total{outcome=\"recovered\",cause=\"crashed\"} 2");
    check_has(text, "understudy_recoveries_total{outcome=\"recovered\",cause=\"failover\"} 1");
    check_has(text, "understudy_recoveries_total{outcome=\"exhausted\",cause=\"guest-panicked\"} 1");
    check_has(text, "understudy_recoveries_total{outcome=\"exhausted\",cause=\"crashed\"} 0");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"0.25\"} 0");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"0.5\"} 1");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"1.0\"} 1");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"2.5\"} 2");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"3600.0\"} 2");
    check_has(text, "understudy_recovery_duration_seconds_bucket{le=\"+Inf\"} 2");
    check_has(text, "understudy_recovery_duration_seconds_sum 2.000000");
    check_has(text, "understudy_recovery_duration_seconds_count 2");
    check_has(text, "understudy_last_recovery_duration_seconds 0.500000");
    check_has(text, "understudy_fencings_total{outcome=\"fenced\"} 1");
    check_has(text, "understudy_fencings_total{outcome=\"failed\"} 0");
    check_has(text, "understudy_notices_total{kind=\"failure-detected\"} 1");
    check_has(text, "understudy_notices_total{kind=\"recovered\"} 3");
    check_has(text, "understudy_notices_total{kind=\"dismissed\"} 0");
    check_has(text, "understudy_notices_total{kind=\"brake-on\"} 1");
    free(text);
    fixture_free(fixture);
}

static struct moment at_ms(int64_t ms)
{
    return (struct moment){.mono_us = ms * USEC_PER_MSEC, .real_us = ms * USEC_PER_MSEC};
}

/* Hung for 30 s before it counted as failed; then as in life. */
static const struct recovery *recovery_of_a_second(void)
{
    static struct recovery recovery;

    recovery = (struct recovery){
        .state = RECOVERY_RECOVERED,
        .failed_at = at_ms(10000),
        .detected = at_ms(40000),
        .confirmed = at_ms(40004),
        .decided = at_ms(40005),
        .recorded = at_ms(40012),
        .started = at_ms(40200),
        .settled = at_ms(40700),
        .ended = at_ms(41000),
    };
    return &recovery;
}

static void check_phase(const char *text, const char *phase, const char *sum)
{
    char line[128];

    snprintf(line, sizeof(line), "understudy_recovery_phase_seconds_sum{phase=\"%s\"} %s", phase, sum);
    check_has(text, line);
    snprintf(line, sizeof(line), "understudy_recovery_phase_seconds_count{phase=\"%s\"} 1", phase);
    check_has(text, line);
}

static void test_phases_and_outage(void **state)
{
    const struct notice recovered = {
        .kind = NOTICE_RECOVERED, .cause = CAUSE_HUNG, .at = at_ms(41000), .duration_us = 1000000};
    struct fixture *fixture = fixture_new();
    struct recovery drill = *recovery_of_a_second();
    char *text;

    (void)state;
    metrics_count(&fixture->counters, &recovered, recovery_of_a_second());
    text = format(fixture);
    check_phase(text, "detect", "30.000000");
    check_phase(text, "confirm", "0.004000");
    check_phase(text, "decide", "0.001000");
    check_phase(text, "record", "0.007000");
    check_phase(text, "start", "0.188000");
    check_phase(text, "settle", "0.500000");
    check_phase(text, "verify", "0.300000");
    check_has(text, "understudy_recovery_phase_seconds_bucket{phase=\"decide\",le=\"0.001\"} 1");
    check_has(text, "understudy_recovery_phase_seconds_bucket{phase=\"record\",le=\"0.005\"} 0");
    check_has(text, "understudy_recovery_phase_seconds_bucket{phase=\"record\",le=\"0.01\"} 1");
    check_has(text, "understudy_outage_seconds_sum{reason=\"failure\"} 31.000000");
    check_has(text, "understudy_outage_seconds_count{reason=\"failure\"} 1");
    check_has(text, "understudy_outage_seconds_count{reason=\"drill\"} 0");
    free(text);
    drill.is_drill = true;
    metrics_count(&fixture->counters, &recovered, &drill);
    text = format(fixture);
    check_has(text, "understudy_outage_seconds_count{reason=\"failure\"} 1");
    check_has(text, "understudy_outage_seconds_count{reason=\"drill\"} 1");
    free(text);
    fixture_free(fixture);
}

/* The failure of a service that is tried again was detected long ago. */
static void test_nothing_is_detected_when_a_service_is_tried_again(void **state)
{
    struct recovery recovery = *recovery_of_a_second();

    (void)state;
    assert_int_equal(course_phase_us(&recovery, COURSE_DETECT), 30 * USEC_PER_SEC);
    recovery.down_since = at_ms(10000);
    assert_int_equal(course_phase_us(&recovery, COURSE_DETECT), -1);
}

/* An order takes as long as its machine takes to shut down: that is no outage by failure, nor how long a recovery takes. */
static void test_orders_are_told_apart(void **state)
{
    const struct notice recovered = {
        .kind = NOTICE_RECOVERED, .cause = CAUSE_FAILOVER, .at = at_ms(41000), .duration_us = 1000000};
    struct fixture *fixture = fixture_new();
    struct recovery order = *recovery_of_a_second();
    char *text;

    (void)state;
    order.relief = RELIEF_FIRST;
    metrics_count(&fixture->counters, &recovered, &order);
    text = format(fixture);
    check_has(text, "understudy_recovery_duration_seconds_count 0");
    check_has(text, "understudy_recovery_phase_seconds_count{phase=\"start\"} 0");
    check_has(text, "understudy_outage_seconds_count{reason=\"order\"} 1");
    check_has(text, "understudy_outage_seconds_sum{reason=\"order\"} 0.996000");
    assert_null(strstr(text, "\nunderstudy_last_recovery_duration_seconds"));
    free(text);
    fixture_free(fixture);
}

/* A family has the name of its samples without the suffix, and says its unit; the page has an end. */
static void test_openmetrics(void **state)
{
    static const char end[] = "\n# EOF\n";
    struct fixture *fixture = fixture_new();
    char *text = format_in(fixture, METRICS_OPENMETRICS), *older = format(fixture);

    (void)state;
    assert_string_equal(metrics_content_type(METRICS_OPENMETRICS),
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    check_has(text, "# TYPE understudy_recoveries counter");
    check_has(text, "# TYPE understudy_build info");
    check_has(text, "# TYPE understudy_outage_seconds histogram");
    check_has(text, "# UNIT understudy_outage_seconds seconds");
    check_has(text, "# UNIT understudy_warm_memory_bytes bytes");
    assert_string_equal(text + strlen(text) - strlen(end), end);
    check_has(older, "# TYPE understudy_recoveries_total counter");
    check_has(older, "# TYPE understudy_build_info gauge");
    assert_null(strstr(older, "# UNIT"));
    assert_null(strstr(older, "# EOF"));
    free(text);
    free(older);
    fixture_free(fixture);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void test_more_machines_make_no_more_series(void **state)
{
    struct fixture *fixture = fixture_new();
    char *few, *many;

    (void)state;
    add(fixture, "local", 1, MACHINE_RUNNING);
    few = format(fixture);
    for (unsigned i = 2; i < 500; i++)
        add(fixture, "local", i, MACHINE_RUNNING);
    many = format(fixture);
    check_has(many, "understudy_machines{hypervisor=\"local\",state=\"running\",role=\"protected, standby\"} 499");
    assert_int_equal(count_lines(many), count_lines(few));
    free(few);
    free(many);
    fixture_free(fixture);
}

static void test_labels_are_escaped(void **state)
{
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    fixture->hypervisors[0].name = "a\"b\\c\nd\xff";
    text = format(fixture);
    check_has(text, "understudy_hypervisor_up{hypervisor=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1");
    free(text);
    fixture_free(fixture);
}

/* Every sample belongs to the metric announced above it, and no series comes twice. */
static void check_form(const struct fixture *fixture, enum metrics_form form)
{
    char *text = format_in(fixture, form), *rest = text, *line;
    char name[128] = "";
    size_t samples = 0;

    assert_int_equal(text[strlen(text) - 1], '\n');
    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        char *series;

        if (sscanf(line, "# HELP %127s", name) == 1 || line[0] == '#')
            continue;
        samples++;
        assert_memory_equal(line, name, strlen(name));
        series = strndup(line, (size_t)(strrchr(line, ' ') - line + 1));
        assert_null(strstr(rest, series));
        free(series);
    }
    assert_true(samples > 40);
    free(text);
}

static void test_both_forms_are_well_formed(void **state)
{
    struct fixture *fixture = fixture_new();

    (void)state;
    for (enum metrics_form form = 0; form < METRICS_FORM_COUNT; form++)
        check_form(fixture, form);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_what_the_daemon_says_of_itself),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_phases_and_outage),
        cmocka_unit_test(test_nothing_is_detected_when_a_service_is_tried_again),
        cmocka_unit_test(test_orders_are_told_apart),
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_more_machines_make_no_more_series),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_both_forms_are_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
