/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hypervisors that a reload removes while they are asked something, on libvirt's test driver. */
#include "nodes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "answers.h"
#include "coordinator/coordinator.h"
#include "hypervisor/hypervisor.h"
#include "loop.h"

struct world {
    struct event_base *base;
    struct config *config;
    struct coordinator *coordinator;
    struct answers *answers;
    struct nodes nodes;
};

struct told {
    int times;
    int error;
};

static void take(void *context, int error, const char *message)
{
    struct told *told = context;

    assert_string_not_equal(message, "");
    told->times++;
    told->error = error;
}

static void pump(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static struct config *read_config(const char *text)
{
    struct config *config = NULL;
    struct diags diags = {0};

    assert_int_equal(config_parse(text, strlen(text), "test", &diags, &config), 0);
    diags_done(&diags);
    return config;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->base = loop_new();
    assert_int_equal(hypervisor_library_init(world->base), 0);
    world->config =
        read_config("hypervisors: [{name: a, uri: \"test:///default\"}, {name: b, uri: \"test:///room\"}]\n");
    assert_int_equal(coordinator_new(world->config, NULL, &world->coordinator), 0);
    assert_int_equal(answers_new(world->coordinator, &world->answers), 0);
    world->nodes = (struct nodes){
        .base = world->base,
        .coordinator = world->coordinator,
        .answers = world->answers,
        .pump = event_new(world->base, -1, 0, pump, NULL),
    };
    assert_non_null(world->nodes.pump);
    assert_int_equal(nodes_add(&world->nodes, world->config), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    nodes_done(&world->nodes);
    answers_free(world->answers);
    coordinator_free(world->coordinator);
    event_free(world->nodes.pump);
    hypervisor_library_done();
    event_base_free(world->base);
    config_free(world->config);
    free(world);
    return 0;
}

static void ask(struct world *world, const char *hypervisor, struct told *told)
{
    struct action action = {
        .kind = ACTION_SET_METADATA, .id = answers_new_number(world->answers), .timeout_us = 60 * USEC_PER_SEC};

    snprintf(action.target.hypervisor, sizeof(action.target.hypervisor), "%s", hypervisor);
    snprintf(action.target.uuid, sizeof(action.target.uuid), "11111111-0000-4000-8000-000000000001");
    assert_int_equal(answers_expect(world->answers, &action, take, told), 0);
    assert_int_equal(nodes_submit(&world->nodes, &action), 0);
}

/* The same name with another URI is another one. */
static void what_is_asked_of_a_hypervisor_that_is_removed_is_answered(void **state)
{
    struct world *world = *state;
    struct told of_a = {0}, of_b = {0}, again = {0};
    struct config *config =
        read_config("hypervisors: [{name: a, uri: \"test:///default\"}, {name: b, uri: \"test:///other\"}]\n");

    ask(world, "a", &of_a);
    ask(world, "b", &of_b);
    nodes_keep(&world->nodes, config);
    config_free(config);
    assert_int_equal(of_b.times, 1);
    assert_int_equal(of_b.error, -ENOTCONN);
    assert_int_equal(of_a.times, 0);
    assert_null(nodes_find(&world->nodes, "b"));
    assert_int_equal(answers_count(world->answers), 1);
    ask(world, "a", &again);
    while (of_a.times == 0 || again.times == 0)
        assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
    assert_int_equal(of_a.times + again.times, 2);
    assert_int_equal(of_b.times, 1);
    assert_int_equal(answers_count(world->answers), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_asked_of_a_hypervisor_that_is_removed_is_answered, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
