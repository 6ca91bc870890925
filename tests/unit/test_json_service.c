/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of services while machines crash, are stopped and take over, from a coordinator in a make-believe world. */
#include "report/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "support.h"
#include "world.h"

static json_t *load(int error, char *text)
{
    json_t *document;

    assert_int_equal(error, 0);
    document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    free(text);
    return document;
}

static json_t *services_of(const struct world *world)
{
    struct service_list services;
    json_t *document, *array;
    char *text = NULL;
    int r;

    assert_int_equal(service_list_collect(world->coordinator, &services), 0);
    r = json_format_services(&services, coordinator_pool(world->coordinator),
                             coordinator_plan(world->coordinator, world->now), &text);
    service_list_done(&services);
    document = load(r, text);
    array = json_incref(json_object_get(document, "services"));
    assert_true(json_is_array(array) && json_is_null(json_object_get(document, "next_page")));
    json_decref(document);
    return array;
}

static json_t *machine_of(const struct world *world, unsigned number)
{
    char *text = NULL;
    int r =
        json_format_machine(coordinator_pool(world->coordinator), coordinator_plan(world->coordinator, world->now),
                            coordinator_features(world->coordinator), world_machine(world, number), world->now, &text);

    return load(r, text);
}

static const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void check_text(const json_t *object, const char *name, const char *expected)
{
    const json_t *value = json_object_get(object, name);

    assert_non_null(value);
    if (expected == NULL)
        assert_true(json_is_null(value));
    else
        assert_string_equal(json_string_value(value), expected);
}

/* The name in a member that is an object, or null. */
static void check_name(const json_t *object, const char *member, const char *expected)
{
    const json_t *value = json_object_get(object, member);

    if (expected == NULL)
        assert_true(json_is_null(value));
    else
        check_text(value, "name", expected);
}

/* Which replacement serves it; NULL: its original does. */
static void check_server(const json_t *service, const char *replacement)
{
    check_name(service, "served_by", replacement != NULL ? replacement : text_at(service, "original"));
    assert_true(json_is_true(json_object_get(service, "diverted")) == (replacement != NULL));
}

/* The one service that there is: its state, and which replacement serves it (NULL: itself). */
static void check_one(const struct world *world, const char *state, const char *served_by, const char *next)
{
    json_t *services = services_of(world);
    const json_t *service = json_array_get(services, 0);

    assert_int_equal(json_array_size(services), 1);
    check_text(service, "name", "a");
    check_text(service, "state", state);
    check_server(service, served_by);
    check_name(service, "next", next);
    json_decref(services);
}

static size_t count(const struct world *world, enum service_state state, size_t *ret_diverted)
{
    struct status status;
    size_t n;

    assert_int_equal(status_collect(world->coordinator, NULL, &status), 0);
    n = status.services.by_state[state];
    *ret_diverted = status.services.diverted;
    status_done(&status);
    return n;
}

/* "a" is protected and runs; "b" and "c" stand by, and are not protected themselves. */
static unsigned add_three(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].role = "protected";
    world->domains[a].priority = 7;
    world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].role = "standby";
    world->domains[world_add(world, "c", WEB, MACHINE_SHUT_OFF)].role = "standby";
    world_connect_all(world);
    return a;
}

static void test_a_service_that_serves_itself(struct world *world)
{
    json_t *services;
    const json_t *service;

    add_three(world);
    services = services_of(world);
    service = json_array_get(services, 0);
    assert_int_equal(json_array_size(services), 1);
    check_text(service, "name", "a");
    check_text(service, "hypervisor", "local");
    check_text(service, "uuid", machine_ref_of(world_machine(world, 0)).uuid);
    check_text(service, "state", "up");
    check_text(service, "since", NULL);
    check_text(service, "recovery", NULL);
    check_server(service, NULL);
    check_name(service, "next", "b");
    assert_true(json_number_value(json_object_get(json_object_get(service, "next"), "overlap")) == 1);
    assert_int_equal(json_integer_value(json_object_get(service, "priority")), 7);
    assert_int_equal(json_integer_value(json_object_get(service, "shared_by")), 1);
    json_decref(services);
}

static void test_a_service_keeps_its_name_and_its_priority_over_two_replacements(struct world *world)
{
    unsigned a = add_three(world);
    size_t diverted;
    json_t *services, *machine;
    const json_t *service;

    world_kill(world, a);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", "c");
    world_kill(world, a + 1);
    world_pass(world, SETTLED);

    services = services_of(world);
    service = json_array_get(services, 0);
    assert_int_equal(json_array_size(services), 1);
    check_text(service, "name", "a");
    check_text(service, "state", "up");
    check_server(service, "c");
    check_text(json_object_get(service, "served_by"), "uuid", machine_ref_of(world_machine(world, a + 2)).uuid);
    assert_int_equal(json_integer_value(json_object_get(service, "priority")), 7);
    check_text(service, "recovery", world_expect(world, a + 1, RECOVERY_RECOVERED)->id);
    assert_non_null(text_at(service, "since"));
    check_name(service, "next", "b"); /* it has failed, was replaced, and stands by again */
    json_decref(services);
    assert_int_equal(count(world, SERVICE_UP, &diverted), 1);
    assert_int_equal(diverted, 1);

    machine = machine_of(world, a);
    check_text(machine, "serves", NULL);
    check_name(machine, "served_by", "c");
    json_decref(machine);
    machine = machine_of(world, a + 2);
    check_text(machine, "serves", "a");
    check_name(machine, "served_by", NULL);
    json_decref(machine);
    machine = machine_of(world, a + 1);
    check_text(machine, "serves", NULL);
    check_name(machine, "served_by", NULL);
    json_decref(machine);
}

static void test_a_service_is_shown_by_its_stored_name(struct world *world)
{
    unsigned a = add_three(world);
    json_t *services, *machine;

    strcpy(world->domains[a].service, "shop");
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    services = services_of(world);
    check_text(json_array_get(services, 0), "name", "shop");
    check_text(json_array_get(services, 0), "uuid", machine_ref_of(world_machine(world, a)).uuid);
    check_text(json_array_get(services, 0), "original", "a");
    json_decref(services);
    machine = machine_of(world, a + 1);
    check_text(machine, "planned_for", "shop");
    check_text(machine, "service", NULL);
    json_decref(machine);
    machine = machine_of(world, a);
    check_text(machine, "service", "shop");
    json_decref(machine);
    world_kill(world, a);
    world_pass(world, SETTLED);
    services = services_of(world);
    check_text(json_array_get(services, 0), "name", "shop");
    check_server(json_array_get(services, 0), "b");
    json_decref(services);
    machine = machine_of(world, a + 1);
    check_text(machine, "serves", "shop");
    json_decref(machine);
}

/* An operator gives the order to keep "b", and it is called off by the metadata of "a". */
static void keep_by_half(struct world *world, unsigned a)
{
    struct order order = {.kind = ORDER_KEEP, .machine = machine_ref_of(world_machine(world, a))};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    world->domains[a].metadata_error = -EIO;
    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    world_pass(world, 5 * 60 * USEC_PER_SEC);
}

static void check_half_kept(const struct world *world, bool expected)
{
    json_t *services = services_of(world);

    assert_int_equal(json_array_size(services), 1);
    assert_int_equal(json_is_true(json_object_get(json_array_get(services, 0), "half_kept")), expected);
    json_decref(services);
}

static void test_an_order_to_keep_that_was_carried_out_by_half_is_told_until_it_is_mended(struct world *world)
{
    unsigned a = add_three(world);

    world_kill(world, a);
    world_pass(world, SETTLED);
    check_half_kept(world, false);
    keep_by_half(world, a);
    check_half_kept(world, true);
    world->domains[a + 1].service[0] = '\0';
    world_tell(world, a + 1, EVENT_CHANGED);
    world_drive(world);
    check_half_kept(world, false);
}

static size_t count_without_next(const struct world *world)
{
    struct status status;
    size_t n;

    assert_int_equal(status_collect(world->coordinator, coordinator_plan(world->coordinator, world->now), &status), 0);
    n = status.services.without_next;
    status_done(&status);
    return n;
}

static void test_services_that_no_machine_would_take_over_are_counted(struct world *world)
{
    unsigned a = add_three(world);

    assert_int_equal(count_without_next(world), 0);
    for (unsigned i = 1; i < 3; i++) {
        world->domains[a + i].role = "ignored";
        world_tell(world, a + i, EVENT_CHANGED);
    }
    world_drive(world);
    assert_int_equal(count_without_next(world), 1);
    /* The failed machine itself is started, and no other is missing. */
    world->config.recovery.order = ORDER_ORIGINAL_ONLY;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    assert_int_equal(count_without_next(world), 0);
    world->config.recovery.order = ORDER_REPLACEMENT;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_kill(world, a);
    world_drive(world);
    assert_int_equal(count_without_next(world), 0); /* it is down, which is counted as such */
}

/* Nothing but the machine itself would be started. */
static void test_a_service_whose_machine_alone_is_started_again(struct world *world)
{
    json_t *services;
    const json_t *service;

    add_three(world);
    world->config.recovery.order = ORDER_ORIGINAL_ONLY;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    services = services_of(world);
    service = json_array_get(services, 0);
    check_name(service, "next", NULL);
    assert_true(json_is_true(json_object_get(service, "restarts_itself")));
    json_decref(services);
}

static void test_a_service_that_is_being_recovered(struct world *world)
{
    unsigned a = add_three(world);
    json_t *services;

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    services = services_of(world);
    check_text(json_array_get(services, 0), "state", "recovering");
    check_text(json_array_get(services, 0), "recovery", world_expect(world, a, RECOVERY_STARTING)->id);
    check_name(json_array_get(services, 0), "next", NULL);
    json_decref(services);
    world_release(world);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", "c");
}

static void test_a_service_that_no_machine_can_take_over_is_down(struct world *world)
{
    unsigned a = add_three(world);
    size_t diverted;
    json_t *services;

    for (unsigned i = a; i < a + 3; i++) {
        world->domains[i].start_error = -EIO;
        if (i > a)
            world->domains[i].role = "ignored";
        world_tell(world, i, EVENT_DEFINED);
    }
    world_drive(world);
    check_one(world, "up", NULL, NULL);
    world_kill(world, a);
    world_pass(world, SETTLED);
    services = services_of(world);
    check_text(json_array_get(services, 0), "state", "down");
    check_text(json_array_get(services, 0), "recovery", world_expect(world, a, RECOVERY_EXHAUSTED)->id);
    check_server(json_array_get(services, 0), NULL);
    json_decref(services);
    assert_int_equal(count(world, SERVICE_DOWN, &diverted), 1);
    assert_int_equal(diverted, 0);
}

static void test_a_replacement_that_fails_and_has_none_leaves_its_service_down(struct world *world)
{
    unsigned a = add_three(world);

    world->domains[a + 2].role = "ignored";
    world->domains[a].start_error = -EIO;
    world_tell(world, a + 2, EVENT_DEFINED);
    world_kill(world, a);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", NULL);
    world_kill(world, a + 1);
    world_pass(world, SETTLED);
    check_one(world, "down", "b", NULL);
    world->domains[a].start_error = 0;
    world_boot(world, a);
    world_pass(world, SETTLED);
    check_one(world, "up", NULL, NULL);
}

static void test_a_stop_on_purpose_is_no_failure(struct world *world)
{
    unsigned a = add_three(world);

    world_shut_down(world, a);
    world_pass(world, SETTLED);
    check_one(world, "stopped", NULL, NULL);
    world_boot(world, a);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_shut_down(world, a + 1); /* the replacement */
    world_pass(world, SETTLED);
    check_one(world, "stopped", "b", NULL);
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", "c");
}

static void test_a_service_whose_host_is_not_connected_is_unknown(struct world *world)
{
    add_three(world);
    world_disconnect(world, LOCAL);
    check_one(world, "unknown", NULL, NULL);
    world_connect(world, LOCAL);
    check_one(world, "up", NULL, "b");
}

static void test_a_service_that_is_migrated_is_shown_once(struct world *world)
{
    unsigned a = add_three(world), moved = world_add_on(world, 1, "a", MACHINE_SHUT_OFF);

    world->domains[moved].uuid_of = a + 1;
    world->domains[moved].role = "protected";
    world_connect_all(world);
    check_one(world, "up", NULL, "b"); /* it is still defined on the other host */
    world_happen(world, moved, EVENT_STARTED_MIGRATED);
    world_drive(world);
    check_one(world, "up", NULL, "b");
    world_happen(world, moved, EVENT_RESUMED);
    world_happen(world, a, EVENT_STOPPED_MIGRATED);
    world_drive(world);
    check_one(world, "up", NULL, "b");
    world_kill(world, moved);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", "c");
}

static void test_a_replacement_that_was_stopped_and_undefined_leaves_its_service_stopped(struct world *world)
{
    unsigned a = add_three(world);

    world_kill(world, a);
    world_pass(world, SETTLED);
    world_shut_down(world, a + 1);
    world->domains[a + 1].exists = false;
    world_tell(world, a + 1, EVENT_UNDEFINED);
    world_pass(world, SETTLED);
    assert_null(world_machine(world, a + 1));
    check_one(world, "stopped", "b", NULL);
}

/* Its role says protected, and while it is started for another service it does not serve its own. */
static void test_a_candidate_that_comes_up_for_another_service_is_not_up_itself(struct world *world)
{
    json_t *services;

    world_add_three(world); /* each protected and standby */
    world_kill(world, 0);
    world_drive(world);
    world_expect(world, 0, RECOVERY_SETTLING);
    assert_int_equal(world_machine(world, 1)->state, MACHINE_RUNNING);
    services = services_of(world);
    assert_int_equal(json_array_size(services), 3);
    check_text(json_array_get(services, 0), "state", "recovering");
    check_text(json_array_get(services, 1), "name", "b");
    check_text(json_array_get(services, 1), "state", "stopped");
    json_decref(services);
    world_pass(world, SETTLED);

    /* And then it has none of its own until it is free again. */
    services = services_of(world);
    assert_int_equal(json_array_size(services), 2);
    check_text(json_array_get(services, 0), "name", "a");
    check_server(json_array_get(services, 0), "b");
    check_text(json_array_get(services, 1), "name", "c");
    json_decref(services);
}

static void test_the_most_important_come_first_and_then_the_names(struct world *world)
{
    static const char *const expected[] = {"z", "vm-2", "vm-10"};
    static const char *const names[] = {"vm-10", "z", "vm-2"};
    json_t *services;

    for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
        unsigned number = world_add(world, names[i], WEB, MACHINE_RUNNING);

        world->domains[number].role = "protected";
        world->domains[number].priority = strcmp(names[i], "z") == 0 ? 1 : 0;
    }
    world->domains[world_add(world, "spare", WEB, MACHINE_SHUT_OFF)].role = "standby";
    world_connect_all(world);
    services = services_of(world);
    assert_int_equal(json_array_size(services), ELEMENTS_OF(expected));
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        const struct machine *first;

        check_text(json_array_get(services, i), "name", expected[i]);
        check_name(json_array_get(services, i), "next", "spare");
        assert_int_equal(
            json_integer_value(json_object_get(json_array_get(services, i), "shared_by")),
            plan_count_served_by(coordinator_plan(world->coordinator, world->now), world_machine(world, 3), &first));
    }
    json_decref(services);
}

/* A replacement counted by its own name and its own priority, which mean nothing to the service that it serves. */
static void test_a_standby_is_planned_for_the_most_important_service_whichever_machine_serves_it(struct world *world)
{
    unsigned a = add_three(world); /* of priority 7 */
    unsigned e = world_add(world, "aa", WEB, MACHINE_RUNNING);
    json_t *machine;

    world->domains[e].role = "protected";
    world->domains[e].priority = 5;
    world_tell(world, e, EVENT_DEFINED);
    world_kill(world, a);
    world_pass(world, SETTLED);
    machine = machine_of(world, a + 2);
    check_text(machine, "planned_for", "a");
    assert_int_equal(json_integer_value(json_object_get(machine, "planned_for_count")), 2);
    json_decref(machine);
}

/* Recoveries, diversions and what the plan says hang on what the disk tells. */
static void test_a_diverted_service_is_told_after_a_restart_of_the_daemon(struct world *world)
{
    unsigned a = add_three(world);

    world_kill(world, a);
    world_pass(world, SETTLED);
    world_stop_daemon(world);
    world_start_daemon(world);
    check_one(world, "unknown", "b", NULL);
    world_connect_all(world);
    world_pass(world, SETTLED);
    check_one(world, "up", "b", "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_a_service_that_serves_itself),
        world_test(test_a_service_keeps_its_name_and_its_priority_over_two_replacements),
        world_test(test_a_service_is_shown_by_its_stored_name),
        world_test(test_an_order_to_keep_that_was_carried_out_by_half_is_told_until_it_is_mended),
        world_test(test_services_that_no_machine_would_take_over_are_counted),
        world_test(test_a_service_whose_machine_alone_is_started_again),
        world_test(test_a_service_that_is_being_recovered),
        world_test(test_a_service_that_no_machine_can_take_over_is_down),
        world_test(test_a_replacement_that_fails_and_has_none_leaves_its_service_down),
        world_test(test_a_stop_on_purpose_is_no_failure),
        world_test(test_a_service_whose_host_is_not_connected_is_unknown),
        world_test(test_a_service_that_is_migrated_is_shown_once),
        world_test(test_a_replacement_that_was_stopped_and_undefined_leaves_its_service_stopped),
        world_test(test_a_candidate_that_comes_up_for_another_service_is_not_up_itself),
        world_test(test_the_most_important_come_first_and_then_the_names),
        world_test(test_a_standby_is_planned_for_the_most_important_service_whichever_machine_serves_it),
        world_test(test_a_diverted_service_is_told_after_a_restart_of_the_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
