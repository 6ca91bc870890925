/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One host under two URIs: a machine there counts once, and its failure is recovered once. */
#include <string.h>

#include "coordinator/coordinator.h"
#include "support.h"

#define BOARD "11111111-2222-3333-4444-555555555555"

/* What each of two connections lists: "web" runs and "spare" stands by. */
struct room {
    struct config config;
    struct config_hypervisor hypervisors[2];
    struct coordinator *coordinator;
    struct moment now;
    const char *board[2];
    int id[2];     /* of "web" */
    bool moves[2]; /* "spare" is on its way to another host */
    unsigned told; /* of one host under two URIs */
    unsigned starts, fences;
};

static void begin(struct room *room)
{
    *room = (struct room){.now = {.mono_us = 1000 * USEC_PER_SEC, .real_us = 1795359240 * USEC_PER_SEC}};
    room->config = default_config();
    room->config.similarity = case_study_similarity();
    room->hypervisors[0] = (struct config_hypervisor){.name = (char *)"first", .uri = (char *)"qemu:///system"};
    room->hypervisors[1] = (struct config_hypervisor){.name = (char *)"second", .uri = (char *)"qemu+unix:///system"};
    room->config.hypervisors = room->hypervisors;
    room->config.n_hypervisors = 2;
    room->board[0] = room->board[1] = BOARD;
    room->id[0] = room->id[1] = 7;
}

static struct domain_report report_on(unsigned number, const char *name, bool runs)
{
    struct domain_description *description = describe(number, name);

    describe_features(description, WEB);
    describe_role(description, runs ? "protected" : "standby");
    return (struct domain_report){
        .description = description,
        .state = runs ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
        .reason = runs ? REASON_UNKNOWN : REASON_SHUTDOWN,
        .persistent = true,
    };
}

static void list(struct room *room, const struct action *action)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));
    unsigned which = strcmp(action->target.hypervisor, "second") == 0;

    assert_non_null(inventory);
    inventory->reports = calloc(2, sizeof(*inventory->reports));
    assert_non_null(inventory->reports);
    strcpy(inventory->host_uuid, room->board[which]);
    inventory->reports[0] = report_on(1, "web", true);
    inventory->reports[0].id = room->id[which];
    inventory->reports[1] = report_on(2, "spare", false);
    inventory->n_reports = 2;
    if (room->moves[which]) {
        inventory->reports[1].state = MACHINE_PAUSED;
        inventory->reports[1].reason = REASON_BUSY;
    }
    coordinator_handle_inventory(room->coordinator, action, inventory, room->now);
}

static void drive(struct room *room)
{
    struct action action;
    struct notice notice;

    while (coordinator_next_action(room->coordinator, &action)) {
        struct action_result result = {.id = action.id, .state = MACHINE_SHUT_OFF, .reason = REASON_CRASHED};

        room->starts += action.kind == ACTION_START;
        room->fences += action.kind == ACTION_FENCE;
        if (action.kind == ACTION_LIST)
            list(room, &action);
        else
            coordinator_handle_result(room->coordinator, &action, &result, room->now);
    }
    while (coordinator_next_notice(room->coordinator, &notice)) {
        room->told += notice.kind == NOTICE_SAME_HOST;
        notice_done(&notice);
    }
}

static void pass(struct room *room, int64_t duration_us)
{
    for (int64_t end_us = room->now.mono_us + duration_us; room->now.mono_us < end_us;) {
        room->now.mono_us += USEC_PER_SEC;
        room->now.real_us += USEC_PER_SEC;
        coordinator_tick(room->coordinator, room->now);
        drive(room);
    }
}

static void open_room(struct room *room)
{
    assert_int_equal(coordinator_new(&room->config, NULL, &room->coordinator), 0);
    coordinator_handle_connected(room->coordinator, "first", room->now);
    drive(room);
    coordinator_handle_connected(room->coordinator, "second", room->now);
    drive(room);
}

static size_t count_machines(const struct room *room)
{
    return pool_count(coordinator_pool(room->coordinator));
}

static void kill_web(struct room *room)
{
    struct domain_event event = {.kind = EVENT_STOPPED_FAILED, .name = "web", .at = room->now};

    uuid_from(1, event.uuid);
    coordinator_handle_event(room->coordinator, "first", &event);
    coordinator_handle_event(room->coordinator, "second", &event);
    drive(room);
}

static void test_one_host_under_two_uris(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    open_room(&room);
    assert_int_equal(count_machines(&room), 2); /* nothing of the second is taken in before it was looked at twice */
    pass(&room, 10 * USEC_PER_SEC);
    assert_int_equal(count_machines(&room), 2);
    assert_int_equal(room.told, 1);
    kill_web(&room);
    assert_int_equal(coordinator_recovery_count(room.coordinator), 1);
    assert_int_equal(room.starts, 1);
    coordinator_free(room.coordinator);
}

static void test_hosts_without_a_uuid(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    room.board[0] = room.board[1] = "";
    open_room(&room);
    pass(&room, 10 * USEC_PER_SEC);
    assert_int_equal(count_machines(&room), 2);
    assert_int_equal(room.told, 1);
    coordinator_free(room.coordinator);
}

/* Boards share it; what runs there differs. */
static void test_an_equal_uuid_alone_is_told_and_no_more(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    room.id[1] = 8;
    open_room(&room);
    pass(&room, 200 * USEC_PER_SEC);
    assert_int_equal(count_machines(&room), 4);
    assert_int_equal(room.told, 1);
    coordinator_free(room.coordinator);
}

static void test_other_uuids_are_other_hosts(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    room.board[1] = "";
    open_room(&room);
    pass(&room, 10 * USEC_PER_SEC);
    assert_int_equal(count_machines(&room), 4);
    assert_int_equal(room.told, 0);
    coordinator_free(room.coordinator);
}

static void test_nothing_is_concluded_while_a_machine_migrates(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    room.moves[1] = true;
    open_room(&room);
    pass(&room, 10 * USEC_PER_SEC);
    assert_int_equal(count_machines(&room), 4);
    coordinator_free(room.coordinator);
}

static void test_the_configuration_says_it(void **state)
{
    struct room room;

    (void)state;
    begin(&room);
    room.hypervisors[0].host = room.hypervisors[1].host = (char *)"node1";
    room.id[1] = 8;
    room.board[1] = "";
    open_room(&room);
    assert_int_equal(count_machines(&room), 2);
    assert_int_equal(room.told, 1);
    coordinator_free(room.coordinator);
}

static void begin_remote(struct room *room)
{
    begin(room);
    room->hypervisors[0].uri = (char *)"qemu+ssh://node1/system";
    room->hypervisors[1].uri = (char *)"qemu+tls://node1/system";
    room->config.fence.command = (char *)"/usr/sbin/fence";
    room->config.isolation_share = MILLIONTHS;
    room->config.host_timeout_us = 60 * USEC_PER_SEC;
}

/* An expired certificate, or a daemon of libvirt that hangs: the host is there all the same. */
static void test_a_host_is_not_fenced_for_the_loss_of_one_connection_of_two(void **state)
{
    struct room room;

    (void)state;
    for (unsigned lost = 0; lost < 2; lost++) {
        begin_remote(&room);
        open_room(&room);
        pass(&room, 10 * USEC_PER_SEC);
        assert_int_equal(room.told, 1);
        coordinator_handle_disconnected(room.coordinator, lost == 0 ? "first" : "second", "it broke", room.now);
        pass(&room, 2 * room.config.host_timeout_us);
        assert_int_equal(room.fences, 0);
        assert_int_equal(coordinator_recovery_count(room.coordinator), 0);
        /* Now the host itself is gone; its time begins now. */
        coordinator_handle_disconnected(room.coordinator, lost == 0 ? "second" : "first", "it broke", room.now);
        pass(&room, room.config.host_timeout_us - USEC_PER_SEC);
        assert_int_equal(room.fences, 0);
        pass(&room, 30 * USEC_PER_SEC);
        assert_int_equal(room.fences, 1);
        coordinator_free(room.coordinator);
    }
}

/* The other connection comes while the time of the one that is gone runs. */
static void test_another_connection_that_comes_in_time_keeps_a_host_from_being_fenced(void **state)
{
    struct room room;

    (void)state;
    begin_remote(&room);
    room.hypervisors[0].host = room.hypervisors[1].host = (char *)"node1";
    open_room(&room);
    coordinator_handle_disconnected(room.coordinator, "second", "it broke", room.now);
    coordinator_handle_disconnected(room.coordinator, "first", "it broke", room.now);
    pass(&room, room.config.host_timeout_us / 2);
    coordinator_handle_connected(room.coordinator, "second", room.now);
    drive(&room);
    pass(&room, 2 * room.config.host_timeout_us);
    assert_int_equal(room.fences, 0);
    coordinator_free(room.coordinator);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host_under_two_uris),
        cmocka_unit_test(test_hosts_without_a_uuid),
        cmocka_unit_test(test_an_equal_uuid_alone_is_told_and_no_more),
        cmocka_unit_test(test_other_uuids_are_other_hosts),
        cmocka_unit_test(test_nothing_is_concluded_while_a_machine_migrates),
        cmocka_unit_test(test_the_configuration_says_it),
        cmocka_unit_test(test_a_host_is_not_fenced_for_the_loss_of_one_connection_of_two),
        cmocka_unit_test(test_another_connection_that_comes_in_time_keeps_a_host_from_being_fenced),
    };

    return cmocka_run_group_tests_name("same_host", tests, NULL, NULL);
}
