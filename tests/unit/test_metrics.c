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

static char *format(const struct fixture *fixture)
{
    char *text = NULL;

    assert_int_equal(metrics_format(&fixture->status, fixture->pool, &fixture->counters, &text), 0);
    return text;
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
    check_has(text, "understudy_info{version=\"1.2\",mode=\"automatic\"} 1");
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
    text = format(fixture);
    check_has(text, "understudy_braked 1");
    check_has(text, "understudy_config_reload_good 0");
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
        {.kind = NOTICE_BRAKE_ON, .duration_us = -1},
    };
    struct fixture *fixture = fixture_new();
    char *text;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(notices); i++)
        metrics_count(&fixture->counters, &notices[i]);
    text = format(fixture);
    check_has(text, "understudy_recoveries_total{outcome=\"recovered\",cause=\"crashed\"} 2");
    check_has(text, "understudy_recoveries_total{outcome=\"exhausted\",cause=\"guest-panicked\"} 1");
    check_has(text, "understudy_recoveries_total{outcome=\"exhausted\",cause=\"crashed\"} 0");
    check_has(text, "understudy_recovery_duration_seconds_sum 2.000000");
    check_has(text, "understudy_recovery_duration_seconds_count 2");
    check_has(text, "understudy_last_recovery_duration_seconds 0.500000");
    check_has(text, "understudy_notices_total{kind=\"failure-detected\"} 1");
    check_has(text, "understudy_notices_total{kind=\"recovered\"} 2");
    check_has(text, "understudy_notices_total{kind=\"dismissed\"} 0");
    check_has(text, "understudy_notices_total{kind=\"brake-on\"} 1");
    free(text);
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
static void test_document_is_well_formed(void **state)
{
    struct fixture *fixture = fixture_new();
    char *text = format(fixture), *rest = text, *line;
    char name[128] = "";
    size_t samples = 0;

    (void)state;
    assert_int_equal(text[strlen(text) - 1], '\n');
    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        char *series;

        if (sscanf(line, "# HELP %127s", name) == 1 || strncmp(line, "# TYPE ", 7) == 0)
            continue;
        samples++;
        assert_memory_equal(line, name, strlen(name));
        series = strndup(line, (size_t)(strrchr(line, ' ') - line + 1));
        assert_null(strstr(rest, series));
        free(series);
    }
    assert_true(samples > 40);
    free(text);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_document_is_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
