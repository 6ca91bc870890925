/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the control interface says, from structs made by hand; each document is read back before it is looked at. */
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report/json.h"
#include "report/time.h"
#include "base/utf8.h"

/* A member that its owner would free, in a struct that is never freed. */
#define TEXT(literal) ((char *)(literal))

static json_t *load(char *text)
{
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    if (document == NULL)
        fail_msg("no JSON: %s", text);
    free(text);
    return document;
}

static const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool is_null_at(const json_t *object, const char *name)
{
    return json_is_null(json_object_get(object, name));
}

static double number_at(const json_t *object, const char *name)
{
    assert_true(json_is_number(json_object_get(object, name)));
    return json_number_value(json_object_get(object, name));
}

static void test_utf8_is_made_valid(void **state)
{
    static const struct {
        const char *given;
        const char *expected;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"가상머신", "가상머신"},
        {"\xf0\x9f\x96\xa5", "\xf0\x9f\x96\xa5"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3", "\xef\xbf\xbd"},                                                 /* cut off by the end */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* the same, after two */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* '/' in a longer form than needed */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond Unicode */
        {"\x80", "\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        char *valid = NULL;

        assert_int_equal(utf8_make_valid(cases[i].given, &valid), 0);
        assert_string_equal(valid, cases[i].expected);
        free(valid);
    }
}

static void test_instants(void **state)
{
    static const struct {
        int64_t real_us;
        const char *expected;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {INT64_C(1795359240000001), "2026-11-22T14:54:00.000001Z"},
        {INT64_C(951782400123456), "2000-02-29T00:00:00.123456Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800000000), "0001-01-01T00:00:00.000000Z"},
    };
    char text[TIME_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        time_format(cases[i].real_us, text);
        assert_string_equal(text, cases[i].expected);
    }
    time_format(INT64_MAX, text);
    assert_memory_equal(text, "9999-12-31T23:59:59.", 20);
    time_format(INT64_MIN, text);
    assert_memory_equal(text, "0000-01-01T00:00:00.", 20);
}

static void test_instants_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t real_us;
    } cases[] = {
        {"2026-11-22", INT64_C(1795305600000000)},
        {"2026-11-22 14:54", INT64_C(1795359240000000)},
        {"2026-11-22T14:54:01", INT64_C(1795359241000000)},
        {"2026-11-22T14:54:00.000001Z", INT64_C(1795359240000001)},
        {"2026-11-22T14:54:00.5Z", INT64_C(1795359240500000)},
        {"2000-02-29Z", INT64_C(951782400000000)},
        {"1969-12-31T23:59:59.999999Z", -1},
    };
    static const char *const wrong[] = {
        "",
        "yesterday",
        "2026",
        "2026-11",
        "2026-11-31",
        "2026-02-30",
        "2026-13-01",
        "2026-1-1",
        "2026-11-22 ",
        "2026-11-22T",
        "2026-11-22 14",
        "2026-11-22 25:00",
        "2026-11-22 14:60",
        "2026-11-22 14:54:61",
        "2026-11-22 14:54:00+01:00",
        "2026-11-22 14:54 ",
        " 2026-11-22",
        "+026-11-22",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        int64_t real_us = 7;

        assert_int_equal(time_parse(cases[i].text, &real_us), 0);
        assert_int_equal(real_us, cases[i].real_us);
    }
    for (size_t i = 0; i < ELEMENTS_OF(wrong); i++) {
        int64_t real_us = 7;

        assert_int_equal(time_parse(wrong[i], &real_us), -EINVAL);
        assert_int_equal(real_us, 7);
    }
}

static void test_status(void **state)
{
    struct hypervisor_status hypervisors[] = {
        {.name = "local",
         .uri = "qemu:///system",
         .is_connected = true,
         .is_listed = true,
         .machines = 3,
         .free_memory_kib = 1024},
        {.name = "far", .uri = "qemu+ssh://far/system", .trouble = "no route to host"},
    };
    struct status status = {
        .version = "1.2",
        .mode = "observe",
        .is_braked = true,
        .config_file = "/etc/understudy/understudy.yaml",
        .uptime_us = 1500000,
        .hypervisors = hypervisors,
        .n_hypervisors = 2,
        .machines = {.total = 3, .running = 1, .standing_by = 2, .protected = 3},
        .services = {.by_state = {[SERVICE_UP] = 2, [SERVICE_UNKNOWN] = 1}, .diverted = 1, .without_next = 2},
        .recoveries =
            {[RECOVERY_CONFIRMING] = 1, [RECOVERY_SETTLING] = 2, [RECOVERY_RECOVERED] = 4, [RECOVERY_OBSERVED] = 8},
    };
    json_t *document, *services, *recoveries;
    char *text = NULL;

    (void)state;
    assert_int_equal(json_format_status(&status, &text), 0);
    document = load(text);
    assert_string_equal(text_at(document, "mode"), "observe");
    assert_true(json_is_false(json_object_get(document, "ready")));
    assert_true(json_is_true(json_object_get(document, "braked")));
    assert_true(is_null_at(document, "reload_error"));
    assert_true(number_at(document, "uptime_ms") == 1500);
    assert_string_equal(text_at(json_array_get(json_object_get(document, "hypervisors"), 1), "trouble"),
                        "no route to host");
    assert_true(is_null_at(json_array_get(json_object_get(document, "hypervisors"), 0), "trouble"));
    services = json_object_get(document, "services");
    assert_true(number_at(services, "up") == 2);
    assert_true(number_at(services, "down") == 0);
    assert_true(number_at(services, "unknown") == 1);
    assert_true(number_at(services, "diverted") == 1);
    assert_true(number_at(services, "without_next") == 2);
    recoveries = json_object_get(document, "recoveries");
    assert_true(number_at(recoveries, "under_way") == 3);
    assert_true(number_at(recoveries, "recovered") == 4);
    assert_true(number_at(recoveries, "exhausted") == 0);
    assert_true(number_at(recoveries, "observed") == 8);
    assert_true(number_at(recoveries, "failed-while-held") == 0);
    assert_int_equal(json_object_size(recoveries), 7);
    json_decref(document);
}

/* A pool whose machines come from domains described by hand. */
struct room {
    struct config config;
    struct feature_table *features;
    struct pool *pool;
};

static void room_begin(struct room *room)
{
    room->config = default_config();
    assert_int_equal(feature_table_new(&room->features), 0);
    assert_int_equal(pool_new(room->features, &room->pool), 0);
    assert_int_equal(pool_configure(room->pool, &room->config), 0);
}

static void room_end(struct room *room)
{
    pool_free(room->pool);
    feature_table_free(room->features);
}

static void test_machines(void **state)
{
    struct room room;
    struct domain_description *description = describe(2, "web-2");
    const struct machine *machine = NULL;
    json_t *document, *second;
    const json_t *list;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(pool_apply(room.pool, "local", describe(10, "web-10"), NULL), 0);
    describe_feature(description, "webserver", "nginx");
    describe_feature(description, "database", "mysql");
    assert_int_equal(pool_apply(room.pool, "local", description, &machine), 0);
    pool_edit(room.pool, machine)->state = MACHINE_SHUT_OFF;
    pool_edit(room.pool, machine)->has_managed_save = true;

    assert_int_equal(json_format_machines(room.pool, NULL, room.features, &text), 0);
    document = load(text);
    assert_true(is_null_at(document, "next_page"));
    list = json_object_get(document, "machines");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_at(json_array_get(list, 0), "name"), "web-2");
    second = json_array_get(list, 1);
    assert_string_equal(text_at(second, "name"), "web-10");
    assert_string_equal(text_at(second, "state"), "unknown");
    assert_true(is_null_at(second, "warmth"));
    assert_true(is_null_at(second, "claimed_by"));
    assert_true(number_at(json_object_get(second, "environment"), "cpu") == 2);
    assert_true(number_at(json_object_get(second, "environment"), "memory_bytes") == 1024. * 1024 * 1024);
    json_decref(document);

    assert_int_equal(pool_claim(room.pool, machine, "20261122-145400-1"), 0);
    assert_int_equal(json_format_machine(room.pool, NULL, room.features, machine, (struct moment){0}, &text), 0);
    document = load(text);
    assert_string_equal(text_at(document, "warmth"), "saved");
    assert_string_equal(text_at(document, "claimed_by"), "20261122-145400-1");
    assert_string_equal(json_string_value(json_array_get(json_object_get(document, "features"), 0)), "database/mysql");
    assert_string_equal(text_at(json_object_get(document, "sources"), "webserver"), "metadata");
    assert_int_equal(json_array_size(json_object_get(document, "roles")), 2);
    assert_string_equal(text_at(document, "on_crash"), "destroy");
    json_decref(document);
    pool_release(room.pool, machine, "20261122-145400-1");
    room_end(&room);
}

static void test_what_a_machine_uses_alone(void **state)
{
    struct room room;
    struct domain_description *description = describe(1, "web");
    const char *const hostdevs[] = {"pci 0000:65:00.0", "usb 046d:c52b"};
    const struct machine *machine = NULL;
    json_t *document, *array;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(domain_description_add_mac(description, "52:54:0:AB:0:1"), 0);
    for (size_t i = 0; i < ELEMENTS_OF(hostdevs); i++)
        assert_int_equal(domain_description_add_hostdev(description, hostdevs[i]), 0);
    assert_int_equal(pool_apply(room.pool, "local", description, &machine), 0);
    assert_int_equal(json_format_machine(room.pool, NULL, room.features, machine, (struct moment){0}, &text), 0);
    document = load(text);
    assert_string_equal(json_string_value(json_array_get(json_object_get(document, "macs"), 0)), "52:54:00:ab:00:01");
    array = json_object_get(document, "hostdevs");
    assert_int_equal(json_array_size(array), ELEMENTS_OF(hostdevs));
    for (size_t i = 0; i < ELEMENTS_OF(hostdevs); i++)
        assert_string_equal(json_string_value(json_array_get(array, i)), hostdevs[i]);
    json_decref(document);
    room_end(&room);
}

static void test_machine_that_failed_to_come_up(void **state)
{
    static const struct {
        int64_t until_us, now_us, left_ms; /* left_ms 0: null */
    } cases[] = {
        {0, 5, 0}, {9000000, 9000000, 0}, {9000000, 8999999, 1}, {9000000, 7999999, 1001}, {9000000, 9000001, 0},
    };
    struct room room;
    const struct machine *machine = NULL;
    json_t *document;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(pool_apply(room.pool, "local", describe(1, "web"), &machine), 0);
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct moment now = {.mono_us = cases[i].now_us};
        struct machine *edited = pool_edit(room.pool, machine);

        pool_set_quarantine(room.pool, machine, cases[i].until_us, "no such device");
        edited->is_starting = edited->failed_unrecovered = i % 2 == 0;
        assert_int_equal(json_format_machine(room.pool, NULL, room.features, machine, now, &text), 0);
        document = load(text);
        if (cases[i].left_ms == 0)
            assert_true(is_null_at(document, "quarantine_ms"));
        else
            assert_true(number_at(document, "quarantine_ms") == (double)cases[i].left_ms);
        assert_true(is_null_at(document, "quarantine_why") == (cases[i].left_ms == 0));
        assert_true(json_is_true(json_object_get(document, "starting")) == (i % 2 == 0));
        assert_true(json_is_true(json_object_get(document, "failed_unrecovered")) == (i % 2 == 0));
        json_decref(document);
    }
    room_end(&room);
}

static struct explained_candidate candidates[] = {
    {.hypervisor = TEXT("local"),
     .name = TEXT("VM-005"),
     .uuid = "00000000-0000-4000-8000-000000000005",
     .similarity = 2.0 / 3,
     .coverage = 1,
     .resource_coverage = 1,
     .overlap = 2.0 / 3,
     .eligible = true,
     .is_chosen = true,
     .warmth = "cold",
     .state = "shut off",
     .reason = TEXT("chosen: \"best\"")},
    {.hypervisor = TEXT("local"),
     .name = TEXT("VM-\xff"),
     .warmth = "cold",
     .state = "running",
     .reason = TEXT("it runs")},
};

static struct explanation explanation(void)
{
    return (struct explanation){
        .hypervisor = TEXT("local"),
        .failed = TEXT("VM-001"),
        .uuid = "00000000-0000-4000-8000-000000000001",
        .threshold = 0.5,
        .min_coverage = 0.5,
        .rank_by = "overlap",
        .candidates = candidates,
        .n_candidates = 2,
        .n_left_out = 9,
        .left_out = {[CANDIDATE_CLAIMED] = 1, [CANDIDATE_NOT_SIMILAR] = 6},
        .n_unjudged = 2,
        .summary = TEXT("VM-005 for VM-001"),
        .level = VERIFY_AGENT,
        .ports = {.listening = {.items = {80, 443}, .count = 2}, .reached = {.items = {443}, .count = 1}},
    };
}

static void assert_ports(const json_t *document, const char *listening, const char *reached)
{
    _cleanup_(freep) char *first = json_dumps(json_object_get(document, "verify_ports"), JSON_COMPACT);
    _cleanup_(freep) char *second = json_dumps(json_object_get(document, "verify_reached_ports"), JSON_COMPACT);

    assert_string_equal(first, listening);
    assert_string_equal(second, reached);
}

static void test_explanation(void **state)
{
    static char *surplus[] = {TEXT("database/postgresql"), TEXT("webserver/apache")};
    struct explanation given = explanation();
    json_t *document, *list, *first, *reasons;
    char *text = NULL;

    (void)state;
    candidates[0].surplus = (struct string_list){.items = surplus, .count = 2};
    assert_int_equal(json_format_explanation(&given, &text), 0);
    document = load(text);
    assert_string_equal(text_at(document, "failed"), "VM-001");
    assert_string_equal(text_at(document, "chosen"), "VM-005");
    assert_string_equal(text_at(document, "verify"), "agent");
    assert_ports(document, "[80,443]", "[443]");
    assert_true(number_at(document, "left_out") == 9);
    reasons = json_object_get(document, "left_out_by_reason");
    assert_int_equal(json_object_size(reasons), 3);
    assert_true(number_at(reasons, "claimed") == 1);
    assert_true(number_at(reasons, "not similar enough") == 6);
    assert_true(number_at(reasons, "not looked at") == 2);
    list = json_object_get(document, "candidates");
    first = json_array_get(list, 0);
    assert_true(fabs(number_at(first, "similarity") - 2.0 / 3) < 1e-9);
    assert_true(number_at(first, "coverage") == 1.0);
    assert_string_equal(text_at(first, "reason"), "chosen: \"best\"");
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "surplus"), 1)), "webserver/apache");
    assert_int_equal(json_array_size(json_object_get(first, "missing")), 0);
    assert_string_equal(text_at(json_array_get(list, 1), "name"), "VM-\xef\xbf\xbd");
    json_decref(document);

    candidates[0].is_chosen = false;
    assert_int_equal(json_format_explanation(&given, &text), 0);
    candidates[0].is_chosen = true;
    document = load(text);
    assert_true(is_null_at(document, "chosen"));
    json_decref(document);
}

static void test_recovery_that_ended(void **state)
{
    struct recovery_attempt attempts[] = {
        {.candidate = {.hypervisor = "local"},
         .name = TEXT("VM-002"),
         .error = TEXT("no boot device"),
         .is_void = true},
        {.candidate = {.hypervisor = "local"}, .name = TEXT("VM-005")},
    };
    struct recovery recovery = {
        .id = "20261122-145400-1",
        .state = RECOVERY_RECOVERED,
        .failed = {.hypervisor = "local", .uuid = "00000000-0000-4000-8000-000000000001"},
        .service_name = TEXT("VM-000"),
        .service = {.hypervisor = "local", .uuid = "00000000-0000-4000-8000-000000000007"},
        .failed_name = TEXT("VM-001"),
        .cause = CAUSE_HUNG,
        .is_drill = true,
        .ordered_by = "alice",
        .replacement = {.hypervisor = "far"},
        .replacement_name = TEXT("VM-005"),
        .similarity = 0.75,
        .coverage = 0.5,
        .overlap = 0.375,
        .attempts = attempts,
        .n_attempts = 2,
        .detected = {.mono_us = 1000, .real_us = INT64_C(1795359240000000)},
        .confirmed = {.mono_us = 3000, .real_us = INT64_C(1795359240002000)},
        .decided = {.mono_us = 3500, .real_us = INT64_C(1795359240002500)},
        .recorded = {.mono_us = 4500, .real_us = INT64_C(1795359240003500)},
        .started = {.mono_us = 9500, .real_us = INT64_C(1795359240008500)},
        .settled = {.mono_us = 11000, .real_us = INT64_C(1795359240010000)},
        .ended = {.mono_us = 11500, .real_us = INT64_C(1795359240010500)},
        .restarts = 3,
        .is_unrecorded = true,
        .level = VERIFY_TCP,
        .detail = TEXT("VM-005 runs"),
    };
    struct room room;
    json_t *document, *times;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(pool_apply(room.pool, "local", describe(7, "VM-007"), NULL), 0);
    assert_int_equal(json_format_recovery(&recovery, (struct moment){.mono_us = 99999999}, &text), 0);
    document = load(text);
    assert_string_equal(text_at(document, "outcome"), "recovered");
    assert_string_equal(text_at(document, "cause"), "guest-hung");
    assert_string_equal(text_at(document, "replacement"), "VM-005");
    assert_string_equal(text_at(document, "replacement_hypervisor"), "far");
    assert_true(number_at(document, "overlap") == 0.375);
    assert_string_equal(text_at(document, "detected_at"), "2026-11-22T14:54:00.000000Z");
    assert_string_equal(text_at(document, "ended_at"), "2026-11-22T14:54:00.010500Z");
    assert_true(number_at(document, "duration_ms") == 10.5);
    times = json_object_get(document, "times_ms");
    assert_true(number_at(times, "confirm") == 2 && number_at(times, "decide") == 0.5);
    assert_true(number_at(times, "record") == 1 && number_at(times, "start") == 5);
    assert_true(number_at(times, "settle") == 1.5 && number_at(times, "verify") == 0.5);
    assert_true(number_at(times, "total") == 10.5);
    assert_string_equal(text_at(document, "recorded_at"), "2026-11-22T14:54:00.003500Z");
    assert_string_equal(text_at(document, "settled_at"), "2026-11-22T14:54:00.010000Z");
    assert_string_equal(text_at(document, "verify"), "tcp");
    assert_ports(document, "[]", "[]");
    assert_true(number_at(document, "restarts") == 3);
    assert_true(json_is_true(json_object_get(document, "unrecorded")));
    assert_string_equal(text_at(json_object_get(document, "service"), "name"), "VM-000");
    assert_string_equal(text_at(json_object_get(document, "service"), "uuid"), "00000000-0000-4000-8000-000000000007");
    for (size_t i = 0; i < 2; i++)
        assert_true(json_is_true(json_object_get(json_array_get(json_object_get(document, "attempts"), i), "void")) ==
                    (i == 0));
    assert_string_equal(text_at(json_array_get(json_object_get(document, "attempts"), 0), "error"), "no boot device");
    assert_true(is_null_at(json_array_get(json_object_get(document, "attempts"), 1), "error"));
    assert_int_equal(json_array_size(json_object_get(document, "candidates")), 0);
    json_decref(document);

    /* It served its own service. */
    recovery.service = recovery.failed;
    assert_int_equal(json_format_recovery(&recovery, (struct moment){0}, &text), 0);
    document = load(text);
    assert_true(is_null_at(document, "service"));
    json_decref(document);
    room_end(&room);
}

/* What the first candidate has reached is nothing that the second one has reached. */
static void test_recovery_on_its_second_candidate(void **state)
{
    struct recovery recovery = {
        .id = "20261122-145400-1",
        .state = RECOVERY_STARTING,
        .failed_name = TEXT("VM-001"),
        .cause = CAUSE_CRASHED,
        .replacement_name = TEXT("VM-005"),
        .level = VERIFY_AGENT,
        .ports = {.listening = {.items = {22}, .count = 1}},
        .ports_unasked = TEXT("its guest does not tell"),
        .detected = {.mono_us = 1000, .real_us = 1000},
        .confirmed = {.mono_us = 2000, .real_us = 2000},
        .recorded = {.mono_us = 4000, .real_us = 4000},
        .started = {.mono_us = 5000, .real_us = 5000},
        .settled = {.mono_us = 6000, .real_us = 6000},
        .decided = {.mono_us = 9000, .real_us = 9000},
    };
    static const char *const stale[] = {"recorded_at", "started_at", "settled_at", "ended_at"};
    static const char *const unknown[] = {"record", "start", "settle", "verify", "total"};
    struct room room;
    json_t *document;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(json_format_recovery(&recovery, (struct moment){.mono_us = 9500}, &text), 0);
    document = load(text);
    assert_true(number_at(json_object_get(document, "times_ms"), "decide") == 7);
    assert_string_equal(text_at(document, "verify"), "agent");
    assert_ports(document, "[22]", "[]");
    assert_string_equal(text_at(document, "ports_unasked"), "its guest does not tell");
    for (size_t i = 0; i < ELEMENTS_OF(stale); i++)
        assert_true(is_null_at(document, stale[i]));
    for (size_t i = 0; i < ELEMENTS_OF(unknown); i++)
        assert_true(is_null_at(json_object_get(document, "times_ms"), unknown[i]));
    json_decref(document);

    /* Started without an intent on disk: the time to the start counts from the decision. */
    recovery.started.mono_us = 9400;
    assert_int_equal(json_format_recovery(&recovery, (struct moment){.mono_us = 9500}, &text), 0);
    document = load(text);
    assert_true(number_at(json_object_get(document, "times_ms"), "start") == 0.4);
    json_decref(document);
    room_end(&room);
}

/* The other machine is chosen before this one is shut down: that took no negative time. */
static void test_an_order_is_decided_before_the_machine_is_off(void **state)
{
    struct recovery recovery = {
        .id = "20261122-145400-1",
        .state = RECOVERY_RECOVERED,
        .failed_name = TEXT("VM-001"),
        .cause = CAUSE_FAILOVER,
        .replacement_name = TEXT("VM-005"),
        .detected = {.mono_us = 1000, .real_us = 1000},
        .decided = {.mono_us = 2000, .real_us = 2000},
        .confirmed = {.mono_us = 8000, .real_us = 8000},
        .started = {.mono_us = 9000, .real_us = 9000},
        .ended = {.mono_us = 9500, .real_us = 9500},
    };
    struct room room;
    json_t *document;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(json_format_recovery(&recovery, (struct moment){.mono_us = 9500}, &text), 0);
    document = load(text);
    assert_true(is_null_at(json_object_get(document, "times_ms"), "decide"));
    assert_true(number_at(json_object_get(document, "times_ms"), "confirm") == 7);
    assert_true(number_at(json_object_get(document, "times_ms"), "start") == 7);
    json_decref(document);
    room_end(&room);
}

static void test_recovery_under_way(void **state)
{
    struct recovery recovery = {
        .id = "20261122-145400-1",
        .state = RECOVERY_CONFIRMING,
        .failed_name = TEXT("VM-001"),
        .cause = CAUSE_PANICKED,
        .detected = {.mono_us = 1000, .real_us = 1000},
    };
    struct room room;
    json_t *first;
    char *text = NULL;

    (void)state;
    room_begin(&room);
    assert_int_equal(json_format_recovery(&recovery, (struct moment){.mono_us = 4000, .real_us = 4000}, &text), 0);
    first = load(text);
    assert_string_equal(text_at(first, "outcome"), "confirming");
    assert_true(json_is_true(json_object_get(first, "under_way")));
    assert_true(number_at(first, "duration_ms") == 3.0);
    for (size_t i = 0; i < 8; i++)
        assert_true(
            is_null_at(first, ((const char *[]){"replacement", "replacement_hypervisor", "similarity", "confirmed_at",
                                                "ended_at", "detail", "verify", "service"})[i]));
    assert_true(is_null_at(json_object_get(first, "times_ms"), "confirm"));
    json_decref(first);
    room_end(&room);
}

static void test_notice(void **state)
{
    struct notice notice = {
        .kind = NOTICE_RECOVERED,
        .at = {.mono_us = 1, .real_us = INT64_C(1795359240000000)},
        .machine = {.hypervisor = "local", .uuid = "00000000-0000-4000-8000-000000000001"},
        .machine_name = TEXT("VM-001"),
        .recovery_id = "20261122-145400-1",
        .cause = CAUSE_CRASHED,
        .replacement = TEXT("VM-005"),
        .similarity = NAN,
        .overlap = 0.5,
        .duration_us = 1500,
        .text = TEXT("VM-001 is recovered"),
    };
    struct notice bare = {.kind = NOTICE_HYPERVISOR_UP, .duration_us = -1, .text = TEXT("up")};
    json_t *document;
    char *text = NULL;

    (void)state;
    assert_int_equal(json_format_notice(&notice, &text), 0);
    assert_null(strchr(text, '\n'));
    document = load(text);
    assert_string_equal(text_at(document, "kind"), "recovered");
    assert_string_equal(text_at(document, "recovery"), "20261122-145400-1");
    assert_true(number_at(document, "duration_ms") == 1.5);
    assert_true(is_null_at(document, "similarity"));
    assert_true(number_at(document, "overlap") == 0.5);
    json_decref(document);

    assert_int_equal(json_format_notice(&bare, &text), 0);
    document = load(text);
    for (size_t i = 0; i < 8; i++)
        assert_true(is_null_at(document, ((const char *[]){"machine", "hypervisor", "uuid", "recovery", "cause",
                                                           "replacement", "overlap", "duration_ms"})[i]));
    assert_string_equal(text_at(document, "text"), "up");
    json_decref(document);
}

static void test_error(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(json_format_error("no \"x\"", NULL, &text), 0);
    assert_string_equal(text, "{\"error\":\"no \\\"x\\\"\"}");
    free(text);
    assert_int_equal(json_format_error("no", "try y", &text), 0);
    assert_string_equal(text, "{\"error\":\"no\",\"hint\":\"try y\"}");
    free(text);
}

static void test_release(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(json_format_released(true, &text), 0);
    assert_string_equal(text, "{\"released\":true}");
    free(text);
    assert_int_equal(json_format_released(false, &text), 0);
    assert_string_equal(text, "{\"released\":false}");
    free(text);
}

static void test_order_request(void **state)
{
    static const struct {
        const char *text;
        int result;
        bool ignores_limit, ignores_quarantine, names_machine;
    } cases[] = {
        {"{\"to\": \"spare-1\", \"force\": true}", 0, false, false, true},
        {"{\"to\": 1}", -EINVAL, false, false, false},
        {"", 0, false, false, false},
        {"{}", 0, false, false, false},
        {"{\"ignore_limit\": true}", 0, true, false, false},
        {"{\"ignore_quarantine\": true, \"ignore_limit\": false}", 0, false, true, false},
        {"{\"other\": true}", -EINVAL, false, false, false},
        {"{\"ignore_limit\": null}", -EINVAL, false, false, false},
        {"[]", -EINVAL, false, false, false},
        {"{\"ignore_limit\": true", -EINVAL, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct order order = {0};
        _cleanup_(freep) char *problem = NULL;
        char *to = NULL;

        assert_int_equal(json_parse_order(cases[i].text, strlen(cases[i].text), &order, &to, &problem),
                         cases[i].result);
        assert_int_equal(to != NULL, cases[i].names_machine);
        free(to);
        assert_int_equal(problem != NULL, cases[i].result < 0);
        if (cases[i].result < 0)
            continue;
        assert_int_equal(order.ignores_limit, cases[i].ignores_limit);
        assert_int_equal(order.ignores_quarantine, cases[i].ignores_quarantine);
    }
}

/* What is wrong was told without the name of the member that it is wrong with. */
static void test_what_is_wrong_with_a_body_names_the_member(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"force\": true, \"forec\": true}", "\"forec\" is unknown; an order has \"to\", \"ignore_limit\", "
                                               "\"ignore_quarantine\", \"force\", \"anyway\" and \"confirmed\""},
        {"{\"force\": 1, \"forec\": true}", "\"force\" is neither true nor false"},
        {"{\"to\": 1}", "\"to\" is no name of a machine"},
        {"{\"\": 1}", "\"\" is unknown; an order has \"to\", \"ignore_limit\", "
                      "\"ignore_quarantine\", \"force\", \"anyway\" and \"confirmed\""},
        {"[]", "the body is no JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct order order = {0};
        _cleanup_(freep) char *problem = NULL;
        _cleanup_(freep) char *to = NULL;

        assert_int_equal(json_parse_order(cases[i].text, strlen(cases[i].text), &order, &to, &problem), -EINVAL);
        assert_string_equal(problem, cases[i].expected);
    }
}

static void test_confirmation(void **state)
{
    static const struct {
        const char *text;
        int result;
        bool confirmed;
    } cases[] = {
        {"", 0, false},
        {"{}", 0, false},
        {"{\"confirmed\": true}", 0, true},
        {"{\"confirmed\": false}", 0, false},
        {"{\"other\": 1}", -EINVAL, false},
        {"{\"confirmed\": 1}", -EINVAL, false},
        {"{\"confirmed\": null}", -EINVAL, false},
        {"[true]", -EINVAL, false},
        {"true", -EINVAL, false},
        {"{\"confirmed\": true", -EINVAL, false},
        {"{\"confirmed\": false, \"confirmed\": true}", -EINVAL, false},
        {" ", -EINVAL, false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        bool confirmed = !cases[i].confirmed;
        _cleanup_(freep) char *problem = NULL;

        assert_int_equal(json_parse_confirmation(cases[i].text, strlen(cases[i].text), &confirmed, &problem),
                         cases[i].result);
        if (cases[i].result == 0)
            assert_true(confirmed == cases[i].confirmed);
        else
            assert_non_null(problem);
    }
}

static void test_problems_are_read_back_as_sentences(void **state)
{
    struct problem all[] = {{.kind = PROBLEM_HOLD,
                             .subject = (char *)"a",
                             .text = (char *)"a is held",
                             .remedy = (char *)"understudyctl release a"}};
    const struct problems problems = {.all = all, .count = 1};
    _cleanup_(string_list_done) struct string_list read = {0};
    _cleanup_(freep) char *json = NULL;

    (void)state;
    assert_int_equal(json_format_problems(&problems, &json), 0);
    assert_int_equal(json_parse_problems(json, strlen(json), &read), 0);
    assert_int_equal(read.count, 1);
    assert_string_equal(read.items[0], "a is held; understudyctl release a");
    for (size_t i = 0; i < strlen(json); i++)
        assert_int_equal(json_parse_problems(json, i, &read), -EINVAL);
    assert_int_equal(json_parse_problems("{}", 2, &read), -EINVAL);
    assert_int_equal(json_parse_problems("{\"problems\": [{\"text\": \"x\"}]}", 29, &read), -EINVAL);
    assert_int_equal(json_parse_problems("{\"problems\": []}", 16, &read), 0);
    assert_int_equal(read.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems_are_read_back_as_sentences),
        cmocka_unit_test(test_utf8_is_made_valid),
        cmocka_unit_test(test_instants),
        cmocka_unit_test(test_instants_are_read),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_what_a_machine_uses_alone),
        cmocka_unit_test(test_machine_that_failed_to_come_up),
        cmocka_unit_test(test_explanation),
        cmocka_unit_test(test_recovery_that_ended),
        cmocka_unit_test(test_recovery_on_its_second_candidate),
        cmocka_unit_test(test_an_order_is_decided_before_the_machine_is_off),
        cmocka_unit_test(test_recovery_under_way),
        cmocka_unit_test(test_notice),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_order_request),
        cmocka_unit_test(test_what_is_wrong_with_a_body_names_the_member),
        cmocka_unit_test(test_confirmation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
