/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan, and what would be otherwise: made in a copy, which changes nothing here. */
#include "api_world.h"

static void test_the_plan_of_the_case_study(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/plan", "", 200, "{\"services\":[{\"name\":\"VM-001\",\"hypervisor\":\"room\",",
          "\"served_by\":{\"name\":\"VM-001\",", "\"next\":{\"name\":\"VM-005\",\"hypervisor\":\"room\",",
          "\"similarity\":0.666666666667", "\"coverage\":1.0", "\"warmth\":\"cold\"", "\"shared_by\":1",
          "\"nearest\":null", "\"rehearsed\":null", NULL);
    world_free(world);
}

static void test_the_plan_says_what_the_nearest_lacks(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/plan?threshold=0.9&without=VM-005", "", 200, "\"next\":null",
          "\"why\":\"none of 3 can take the place of VM-001;", "\"nearest\":{\"name\":\"VM-002\"",
          "\"missing\":[\"database/mysql\",\"webserver/nginx\"]", NULL);
    world_free(world);
}

static void test_a_drill_is_a_rehearsal(void **state)
{
    struct world *world = world_new(0);
    struct order order = {.kind = ORDER_DRILL, .is_confirmed = true};
    struct order_answer answered = {0};

    (void)state;
    strcpy(order.machine.hypervisor, "room");
    strcpy(order.machine.uuid, "00000000-0000-4000-8000-000000000001");
    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answered), 0);
    order_answer_done(&answered);
    crash(world);
    check(world, "GET", "/v1/plan", "", 200, "\"served_by\":{\"name\":\"VM-005\",", "\"rehearsed\":{\"recovery\":\"",
          "\"by\":\"drill\"", "\"outage_ms\":", NULL);
    world_free(world);
}

static void test_an_explanation_of_what_if(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001/explain?threshold=0.7", "", 200, "\"threshold\":0.7", "\"chosen\":null",
          "similarity 0.6667 is below the threshold 0.7", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?without=VM-005", "", 200, "\"chosen\":\"VM-002\"",
          "the only one eligible", NULL);
    /* Two databases and two web servers weigh nothing then: VM-005 is the same machine. */
    check(world, "GET", "/v1/machines/VM-001/explain?weight=database=0&weight=webserver=0", "", 200,
          "\"similarity\":1.0,\"coverage\":1.0", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?weight=database/mysql=0.9&limit=1", "", 200,
          "\"chosen\":\"VM-005\"", "\"left_out\":2", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?min_coverage=0.4", "", 200, "\"min_coverage\":0.4", NULL);
    world_free(world);
}

static void test_nothing_of_it_is_true_afterwards(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001/explain?threshold=0.9&without=VM-005", "", 200, "\"chosen\":null", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain", "", 200, "\"threshold\":0.5", "\"chosen\":\"VM-005\"", NULL);
    check(world, "GET", "/v1/holds", "", 200, "[]", NULL);
    world_free(world);
}

static void test_what_cannot_be_supposed(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/plan?threshold=1.5", "", 400, "threshold: '1.5' is not a number from 0 to 1", NULL);
    check(world, "GET", "/v1/plan?min_coverage=half", "", 400, "min_coverage: 'half' is not a number from 0 to 1",
          NULL);
    check(world, "GET", "/v1/plan?weight=os", "", 400, "weight: 'os' is not KIND=WEIGHT or KIND/VALUE=WEIGHT", NULL);
    check(world, "GET", "/v1/plan?weight=os=1001", "", 400, "a weight from 0 to 1000", NULL);
    check(world, "GET", "/v1/plan?weight=/x=1", "", 400, "weight: '/x=1'", NULL);
    check(world, "GET", "/v1/plan?without=VM-9", "", 404, "neither a host nor a machine is called VM-9", NULL);
    check(world, "GET", "/v1/plan?hots=room", "", 400,
          "hots is unknown; host, threshold, min_coverage, weight and without may stand here", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?threshold=0.5&host=room", "", 400, "host is unknown; limit,",
          NULL);
    check(world, "GET", "/v1/plan?host=nowhere", "", 404, "no host is called nowhere", NULL);
    check(world, "GET", "/v1/plan?host=room", "", 409, "understudyd itself runs on room", NULL);
    world_free(world);
}

/* Asks for what takes long, and waits until that is being worked out. */
static struct client *ask_for_long(struct world *world)
{
    struct client *client;

    world->supposing_takes_long = true;
    client = client_new(world);
    client_send(client, "GET /v1/plan HTTP/1.1\r\nHost: x\r\n\r\n");
    check(world, "GET", "/v1/status", "", 200, NULL);
    return client;
}

static void test_no_more_than_so_many_are_worked_out_at_once(void **state)
{
    struct world *world = world_new(0);
    struct client *clients[COPIES_MAX];

    (void)state;
    for (size_t i = 0; i < COPIES_MAX; i++)
        clients[i] = ask_for_long(world);
    check(world, "GET", "/v1/plan", "", 503, "others are being worked out already", "ask again in a moment", NULL);
    check(world, "GET", "/v1/services", "", 200, "VM-001", NULL);
    for (size_t i = 0; i < COPIES_MAX; i++)
        client_free(clients[i]);
    world_free(world);
}

static void test_readers_leave_one_for_those_who_may_act(void **state)
{
    struct world *world = world_new(0);
    struct client *clients[COPIES_MAX - 1];

    (void)state;
    world->asks_read_only = true;
    for (size_t i = 0; i < ELEMENTS_OF(clients); i++)
        clients[i] = ask_for_long(world);
    check(world, "GET", "/v1/plan", "", 503, "others are being worked out already", NULL);
    world->asks_read_only = world->supposing_takes_long = false;
    check(world, "GET", "/v1/plan", "", 200, "VM-001", NULL);
    for (size_t i = 0; i < ELEMENTS_OF(clients); i++)
        client_free(clients[i]);
    world_free(world);
}

/* Patterns can be made that take minutes to be compared. */
static void test_a_check_that_takes_long_keeps_nobody_waiting(void **state)
{
    struct world *world = world_new(0);
    struct client *client;

    (void)state;
    world->supposing_takes_long = true;
    client = client_new(world);
    client_send(client, "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    check(world, "GET", "/v1/services", "", 200, "VM-001", NULL);
    client_free(client);
    world_free(world);
}

static void test_a_copy_outlives_its_client_and_not_the_api(void **state)
{
    struct world *world = world_new(0);
    struct client *client = ask_for_long(world);

    (void)state;
    client_free(client);
    check(world, "GET", "/v1/status", "", 200, NULL);
    client = ask_for_long(world);
    api_free(world->api);
    world->api = NULL;
    client_expect_close(client);
    client_free(client);
    world_free(world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_plan_of_the_case_study),
        cmocka_unit_test(test_the_plan_says_what_the_nearest_lacks),
        cmocka_unit_test(test_a_drill_is_a_rehearsal),
        cmocka_unit_test(test_an_explanation_of_what_if),
        cmocka_unit_test(test_nothing_of_it_is_true_afterwards),
        cmocka_unit_test(test_what_cannot_be_supposed),
        cmocka_unit_test(test_no_more_than_so_many_are_worked_out_at_once),
        cmocka_unit_test(test_readers_leave_one_for_those_who_may_act),
        cmocka_unit_test(test_a_check_that_takes_long_keeps_nobody_waiting),
        cmocka_unit_test(test_a_copy_outlives_its_client_and_not_the_api),
    };

    return cmocka_run_group_tests_name("api_what_if", tests, NULL, NULL);
}
