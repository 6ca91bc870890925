/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two sockets of the control interface: what can be done on each, and that the clients of one keep none out of the other. */
#include "api_world.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "api/stream.h"

/* Every request that changes something, with a body that would be taken. */
static const struct {
    const char *path, *body;
} acting[] = {
    {"/v1/services/VM-001/recover", ""},
    {"/v1/services/VM-001/failover", "{\"to\":\"no-such-machine\"}"},
    {"/v1/services/VM-001/failback", "{\"confirmed\":true}"},
    {"/v1/services/VM-001/rehearse", "{\"confirmed\":false}"},
    {"/v1/services/VM-001/keep", ""},
    {"/v1/machines/VM-002/drill", "{\"confirmed\":true}"},
    {"/v1/machines/VM-002/clear", ""},
    {"/v1/machines/VM-002/refresh", ""},
    {"/v1/machines/VM-002/tag", "{\"add\":[\"database/mysql\"]}"},
    {"/v1/machines/VM-002/template", "{\"name\":\"web\"}"},
    {"/v1/templates/check", ""},
    {"/v1/holds", "{\"target\":\"all\"}"},
    {"/v1/release/brake", ""},
    {"/v1/hypervisors/far/fenced", "{\"confirmed\":true}"},
    {"/v1/hypervisors/far/fence-test", ""},
    {"/v1/hooks/test", ""},
    {"/v1/reload", ""},
};

static void test_nothing_can_be_done_on_the_socket_that_reads(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    world->asks_read_only = true;
    for (size_t i = 0; i < ELEMENTS_OF(acting); i++)
        check(world, "POST", acting[i].path, acting[i].body, 403, "application/json",
              "\"error\":\"nothing can be done on this socket, which only reads\"",
              "\"hint\":\"use api.sock, which is for the group understudy-admin\"", NULL);
    assert_null(world->drill_done);
    assert_string_equal(world->tagged.uuid, "");
    assert_string_equal(world->drafted.uuid, "");
    assert_false(world->has_checked_templates);
    check(world, "GET", "/v1/holds", "", 200, ":[],\"next_page\":null}", NULL);
    /* The same is not refused for want of rights where everything can be done. */
    world->asks_read_only = false;
    for (size_t i = 0; i < ELEMENTS_OF(acting); i++) {
        struct client *client = client_new(world);

        client_send(client, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", acting[i].path,
                    strlen(acting[i].body), acting[i].body);
        while (!client_has(client, "HTTP/1.1") && world->drill_done == NULL)
            turn(world);
        if (world->drill_done != NULL)
            world->drill_done(world->drill_token, 0, "it is down");
        world->drill_done = NULL;
        client_expect(client, "HTTP/1.1");
        assert_false(client_has(client, "only reads"));
        client_free(client);
    }
    metadata_tags_done(&world->tags);
    feature_texts_done(&world->drafted_features);
    world_free(world);
}

static void test_everything_can_be_read_there(void **state)
{
    static const char *const paths[] = {
        "/v1/status", "/v1/problems",   "/v1/services", "/v1/machines", "/v1/machines/VM-001",
        "/v1/holds",  "/v1/recoveries", "/v1/fencing",  "/metrics",     "/v1/machines/VM-001/explain",
    };
    struct world *world = world_new(0);
    struct client *follower;

    (void)state;
    world->asks_read_only = true;
    for (size_t i = 0; i < ELEMENTS_OF(paths); i++)
        check(world, "GET", paths[i], "", 200, NULL);
    /* It asks by POST, since it brings a text along. */
    check(world, "POST", "/v1/check", "hypervisors: [{name: a, uri: \"test:///default\"}]\npool: {protect: [nosuch]}\n",
          200, "nosuch", NULL);
    check(world, "PUT", "/v1/status", "", 405, NULL);
    check(world, "POST", "/v1/nowhere", "", 404, NULL);
    follower = client_new(world);
    client_send(follower, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(follower, ": following");
    crash(world);
    client_expect(follower, "event: recovered\n");
    client_free(follower);
    world_free(world);
}

/* What a client says of its user is a word for people: what it may not be, it is not. */
static void test_who_gives_an_order_is_on_record(void **state)
{
    static const struct {
        const char *header, *expected; /* NULL: it names nobody */
    } cases[] = {
        {"Understudy-User: alice\r\n", "\"by\":\"alice"},
        {"", NULL},
        {"Understudy-User: a\033[2Jb\r\n", NULL},
        {"Understudy-User: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", NULL},
    };
    const char *unnamed = geteuid() == 0 ? "\"by\":\"root\"" : "\"by\":\"uid ";
    struct world *world = world_new(0);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct client *client = client_new(world);

        client_send(client, "POST /v1/holds HTTP/1.1\r\nHost: x\r\n%sContent-Length: 16\r\n\r\n{\"target\":\"all\"}",
                    cases[i].header);
        client_expect(client, cases[i].expected != NULL ? cases[i].expected : unnamed);
        client_free(client);
    }
    /* The kernel knows more than the client says, but in the sandbox of the service. */
    if (geteuid() != 0) {
        char expected[64];
        struct client *client = client_new(world);

        snprintf(expected, sizeof(expected), "\"by\":\"alice (uid %u)\"", (unsigned)geteuid());
        client_send(client, "POST /v1/holds HTTP/1.1\r\nHost: x\r\n%sContent-Length: 16\r\n\r\n{\"target\":\"all\"}",
                    cases[0].header);
        client_expect(client, expected);
        client_free(client);
    }
    world_free(world);
}

/* Opens clients of the socket that reads, each with this request; the caller frees them. */
static void open_readers(struct world *world, struct client **readers, size_t n, const char *asks, const char *answer)
{
    world->asks_read_only = true;
    for (size_t i = 0; i < n; i++) {
        readers[i] = client_new(world);
        client_send(readers[i], "%s", asks);
        if (answer[0] != '\0')
            client_expect(readers[i], answer);
    }
    world->asks_read_only = false;
}

static void free_clients(struct client **clients, size_t n)
{
    for (size_t i = 0; i < n; i++)
        client_free(clients[i]);
}

static void test_idle_readers_delay_no_request(void **state)
{
    enum { IDLE = 200 };
    struct world *world = world_new(0);
    struct client *idle[IDLE];

    (void)state;
    open_readers(world, idle, IDLE, "", "");
    check(world, "GET", "/v1/status", "", 200, "\"ready\":true", NULL);
    world->asks_read_only = true;
    check(world, "GET", "/v1/status", "", 200, "\"ready\":true", NULL);
    client_expect_close(idle[0]);
    assert_false(idle[IDLE - 1]->is_closed);
    free_clients(idle, IDLE);
    world_free(world);
}

/* An order is followed to its end, however many only look. */
static void test_readers_leave_room_for_those_that_follow_an_order(void **state)
{
    static const char follows[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
    struct world *world = world_new(0);
    struct client *readers[STREAM_READERS_MAX], *acting_one, *late;

    (void)state;
    open_readers(world, readers, STREAM_READERS_MAX, follows, ": following");
    world->asks_read_only = true;
    late = client_new(world);
    client_send(late, "%s", follows);
    client_expect(late, "HTTP/1.1 ");
    assert_true(client_has(late, "503") && client_has(late, "too many clients follow the events already"));
    client_free(late);
    world->asks_read_only = false;
    acting_one = client_new(world);
    client_send(acting_one, "%s", follows);
    client_expect(acting_one, ": following");
    client_free(acting_one);
    free_clients(readers, STREAM_READERS_MAX);
    world_free(world);
}

/* The descriptors are all taken by readers, and the next client comes to the other socket. */
static void test_an_idle_reader_makes_room_when_no_descriptor_is_left(void **state)
{
    enum { LIMIT = 64, READERS = 2, TURNS_MAX = 40 };
    struct rlimit before, low = {.rlim_cur = LIMIT};
    struct world *world = world_new(0);
    struct client *readers[READERS], *client;
    int taken[LIMIT];
    size_t n = 0, turns = 0;

    (void)state;
    open_readers(world, readers, READERS, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n", "[]");
    client = client_new(world);
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (n < LIMIT && (taken[n] = dup(STDERR_FILENO)) >= 0)
        n++;
    assert_true(n < LIMIT);
    while (!client_has(client, "[]")) {
        assert_true(turns++ < TURNS_MAX); /* or it waits until they have been silent for too long */
        turn(world);
    }
    client_expect_close(readers[0]);
    assert_false(readers[1]->is_closed);
    while (n > 0)
        close(taken[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    free_clients(readers, READERS);
    client_free(client);
    world_free(world);
}

static void leave_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
}

/* rights: of the listener of the world at `path`, which goes with it. */
static void check_socket_file(enum api_rights rights)
{
    struct world *world = world_new(0);
    const char *path = rights == API_ACT ? world->path : world->read_only_path;
    struct api *second;
    struct diags diags = {0};
    struct stat status;

    world->asks_read_only = rights == API_READ;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    assert_int_equal(api_new(world->base, &backend, world, &second), 0);
    assert_int_equal(api_listen(second, rights, path, &diags), -EADDRINUSE);
    assert_int_equal(diags.count, 1);
    assert_non_null(strstr(diags.items[0].message, path));
    diags_done(&diags);
    api_free(second);
    check(world, "GET", "/v1/status", "", 200, NULL);
    api_free(world->api);
    assert_int_equal(access(path, F_OK), -1);

    /* What a killed daemon leaves behind. */
    leave_stale_socket(path);
    assert_int_equal(api_new(world->base, &backend, world, &world->api), 0);
    assert_int_equal(api_listen(world->api, rights, path, &diags), 0);
    check(world, "GET", "/v1/status", "", 200, NULL);
    check(world, "POST", "/v1/release/brake", "", rights == API_ACT ? 200 : 403, NULL);
    world_free(world);
}

static void test_socket_files(void **state)
{
    (void)state;
    check_socket_file(API_ACT);
    check_socket_file(API_READ);
}

static void test_socket_path_of_something_else(void **state)
{
    struct world *world = world_new(0);
    struct api *api;
    struct diags diags = {0};

    (void)state;
    assert_int_equal(api_new(world->base, &backend, world, &api), 0);
    assert_int_equal(api_listen(api, API_ACT, world->directory, &diags), -EEXIST);
    api_free(api);
    assert_int_equal(access(world->directory, F_OK), 0);
    diags_done(&diags);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_can_be_done_on_the_socket_that_reads),
        cmocka_unit_test(test_everything_can_be_read_there),
        cmocka_unit_test(test_who_gives_an_order_is_on_record),
        cmocka_unit_test(test_idle_readers_delay_no_request),
        cmocka_unit_test(test_readers_leave_room_for_those_that_follow_an_order),
        cmocka_unit_test(test_an_idle_reader_makes_room_when_no_descriptor_is_left),
        cmocka_unit_test(test_socket_files),
        cmocka_unit_test(test_socket_path_of_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
