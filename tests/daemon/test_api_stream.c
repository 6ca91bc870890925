/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream of events: a client that follows gets everything, in order, and slows down no other. */
#include "api_world.h"

#include <signal.h>

#include "api/stream.h"

static struct client *follow(struct world *world, const char *last_event_id)
{
    struct client *client = client_new(world);

    client_send(client, "GET /v1/events HTTP/1.1\r\nHost: x\r\n");
    if (last_event_id != NULL)
        client_send(client, "Last-Event-ID: %s\r\n", last_event_id);
    client_send(client, "\r\n");
    client_expect(client, ": following\n\n");
    return client;
}

static void publish(struct world *world, const char *text)
{
    struct notice notice = {.kind = NOTICE_EVENT_NOTED, .at = world->now, .duration_us = -1, .text = (char *)text};

    api_publish(world->api, &notice);
}

static void test_events_reach_followers(void **state)
{
    struct world *world = world_new(0);
    struct client *first = follow(world, NULL), *second = follow(world, NULL);

    (void)state;
    assert_true(client_has(first, "Content-Type: text/event-stream"));
    crash(world);
    client_expect(first, "event: failure-detected\n");
    client_expect(first, "event: recovered\n");
    client_expect(second, "\"replacement\":\"VM-005\"");
    client_free(second);
    publish(world, "after one has gone");
    client_expect(first, "after one has gone");
    client_free(first);
    world_free(world);
}

static int count_if_it_recurs(const struct event_base *base, const struct event *event, void *context)
{
    (void)base;
    if (event_get_fd(event) < 0 && (event_get_events(event) & EV_PERSIST) != 0 &&
        event_pending(event, EV_TIMEOUT, NULL) != 0)
        ++*(int *)context;
    return 0;
}

/* Timers that wake the daemon again and again. */
static int count_recurring(struct world *world)
{
    int count = 0;

    assert_int_equal(event_base_foreach_event(world->base, count_if_it_recurs, &count), 0);
    return count;
}

static void test_without_followers_nothing_is_kept_alive(void **state)
{
    struct world *world = world_new(0);
    int before = count_recurring(world);
    struct client *first = follow(world, NULL), *second = follow(world, NULL);

    (void)state;
    assert_int_equal(count_recurring(world), before + 1);
    client_free(first);
    publish(world, "one has gone");
    client_expect(second, "one has gone");
    assert_int_equal(count_recurring(world), before + 1);
    client_free(second);
    while (count_recurring(world) > before)
        turn(world);
    world_free(world);
}

/* The id of the message that holds this text. */
static void id_of(struct client *client, const char *text, char id[32])
{
    const char *all = client_text(client), *at = strstr(all, text);

    assert_non_null(at);
    while (at > all && strncmp(at, "id: ", 4) != 0)
        at--;
    assert_int_equal(sscanf(at, "id: %31[0-9]", id), 1);
}

static void test_events_are_replayed(void **state)
{
    struct world *world = world_new(0);
    struct client *client;
    char id[32];

    (void)state;
    publish(world, "the first");
    publish(world, "the second");
    publish(world, "the third");
    client = follow(world, "0");
    client_expect(client, "the third");
    assert_true(client_has(client, "the first"));
    id_of(client, "the second", id);
    client_free(client);

    client = follow(world, id);
    client_expect(client, "the third");
    assert_false(client_has(client, "the second"));
    client_free(client);

    client = follow(world, NULL);
    publish(world, "the fourth");
    client_expect(client, "the fourth");
    assert_false(client_has(client, "the third"));
    client_free(client);
    world_free(world);
}

static void test_replay_is_bounded(void **state)
{
    struct world *world = world_new(0);
    struct client *client;

    (void)state;
    publish(world, "too long ago");
    for (int i = 0; i < STREAM_REPLAY_MAX - 1; i++)
        publish(world, "in between");
    publish(world, "the last");
    client = follow(world, "0");
    client_expect(client, "the last");
    assert_true(client_has(client, "in between"));
    assert_false(client_has(client, "too long ago"));
    client_free(client);
    world_free(world);
}

static void test_slow_reader_is_cut_off(void **state)
{
    struct world *world = world_new(0);
    struct client *slow = follow(world, NULL), *quick = follow(world, NULL);
    static char text[8192];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    bufferevent_disable(slow->transport, EV_READ);
    for (int i = 0; i < 200; i++) {
        char mark[32];

        snprintf(mark, sizeof(mark), "mark %d.", i);
        publish(world, text);
        publish(world, mark);
        client_expect(quick, mark);
    }
    assert_false(quick->is_closed);
    bufferevent_enable(slow->transport, EV_READ);
    client_expect_close(slow);
    assert_false(client_has(slow, "mark 199."));
    client_free(slow);
    client_free(quick);
    world_free(world);
}

static void test_api_ends_with_followers(void **state)
{
    struct world *world = world_new(0);
    struct client *client = follow(world, NULL);

    (void)state;
    api_free(world->api);
    world->api = NULL;
    client_expect_close(client);
    client_free(client);
    world_free(world);
}

static void test_ended_connections_leave_nothing(void **state)
{
    struct world *world = world_new(0);
    int before = event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED);

    (void)state;
    client_free(follow(world, NULL));
    client_free(client_new(world));
    check(world, "GET", "/v1/status", "", 200, NULL);
    /*
     * What ended without a word is noticed when the loop comes round, and a look for changes ends. An event left on a closed
     * descriptor would read what belongs to the next who gets that number.
     */
    do {
        turn(world);
        event_del(world->patience);
    } while (event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED) != before);
    world_free(world);
}

static void test_what_changes_is_told(void **state)
{
    struct world *world = world_new(0);
    struct client *client = follow(world, NULL);

    (void)state;
    crash(world);
    client_expect(client, "event: plan\n");
    assert_true(client_has(client, "event: machine\ndata: {\"name\":\"VM-001\""));
    assert_true(client_has(client, "event: machine\ndata: {\"name\":\"VM-005\""));
    assert_true(client_has(client, "event: service\ndata: {\"name\":\"VM-001\""));
    assert_true(client_has(client, "\"served_by\":{\"name\":\"VM-005\""));
    assert_true(client_has(client, "event: recovery\ndata: {\"id\":\"20261122-145400-1\""));
    assert_false(client_has(client, "event: holds\n"));
    assert_false(client_has(client, "event: machine\ndata: {\"name\":\"VM-002\""));
    check(world, "POST", "/v1/holds", "{\"target\":\"VM-002\"}", 200, NULL);
    client_expect(client, "event: holds\ndata: {\"holds\":[{\"what\":\"VM-002\"");
    client_free(client);
    world_free(world);
}

/* There was no follower meanwhile. */
static void test_what_changed_while_nobody_followed_is_told_to_who_comes_back(void **state)
{
    struct world *world = world_new(0);
    struct client *client = follow(world, NULL);

    (void)state;
    check(world, "POST", "/v1/holds", "{\"target\":\"VM-002\"}", 200, NULL);
    client_expect(client, "event: holds\n");
    client_free(client);
    check(world, "POST", "/v1/release/VM-002", "", 200, NULL);
    client = follow(world, NULL);
    client_expect(client, "event: holds\ndata: {\"holds\":[]");
    client_free(client);
    world_free(world);
}

static void test_who_missed_something_is_told_so(void **state)
{
    struct world *world = world_new(0);
    struct client *client;
    char id[32];

    (void)state;
    publish(world, "the first");
    client = follow(world, "0");
    client_expect(client, "the first");
    assert_true(client_has(client, "event: missed\ndata: {}\n")); /* 0 is of no message of this daemon */
    id_of(client, "the first", id);
    client_free(client);
    publish(world, "the second");
    client = follow(world, id);
    client_expect(client, "the second");
    assert_false(client_has(client, "event: missed"));
    client_free(client);
    for (int i = 0; i < STREAM_REPLAY_MAX; i++)
        publish(world, "in between");
    client = follow(world, id);
    client_expect(client, "event: missed\n");
    client_free(client);
    world_free(world);
}

static void test_a_thousand_changes_are_one_event(void **state)
{
    struct world *world = world_new(1000);
    struct client *client = follow(world, NULL);

    (void)state;
    coordinator_handle_disconnected(world->coordinator, "far", "gone", world->now);
    settle(world, 0);
    client_expect(client, "event: machines\ndata: {\"changed\":1000}\n");
    assert_false(client_has(client, "event: machine\n"));
    client_free(client);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_reach_followers),
        cmocka_unit_test(test_without_followers_nothing_is_kept_alive),
        cmocka_unit_test(test_events_are_replayed),
        cmocka_unit_test(test_replay_is_bounded),
        cmocka_unit_test(test_slow_reader_is_cut_off),
        cmocka_unit_test(test_api_ends_with_followers),
        cmocka_unit_test(test_ended_connections_leave_nothing),
        cmocka_unit_test(test_what_changes_is_told),
        cmocka_unit_test(test_what_changed_while_nobody_followed_is_told_to_who_comes_back),
        cmocka_unit_test(test_who_missed_something_is_told_so),
        cmocka_unit_test(test_a_thousand_changes_are_one_event),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
