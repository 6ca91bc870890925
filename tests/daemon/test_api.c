/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control interface over its real socket, with the real coordinator behind it and a hypervisor
 * that does at once what it is asked. Client and server share one event loop, so nothing ever waits
 * for anything but an event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api.h"
#include "api/gate.h"
#include "api/stream.h"
#include "failover/coordinator.h"
#include "model/domain_xml.h"

#define PATIENCE_SECONDS 20

static const char config_text[] = "hypervisors: [{name: room, uri: 'test:///default'}, {name: far, uri: 'test:///x'}]\n"
                                  "similarity:\n"
                                  "  threshold: 0.5\n"
                                  "  weights:\n"
                                  "    environment: {}\n"
                                  "    resource: {language: 0.3, database: 0.2, webserver: 0.1}\n";

static const struct domain {
    const char *name;
    const char *resources[12]; /* kind, value, … */
    bool runs;
} case_study[] = {
    {"VM-001", {"language", "nodejs", "database", "mysql", "webserver", "nginx"}, true},
    {"VM-002", {"language", "nodejs", "database", "postgresql", "webserver", "apache"}, false},
    {"VM-003", {"database", "postgresql"}, false},
    {"VM-004", {"webserver", "nginx"}, false},
    {"VM-005",
     {"language", "nodejs", "database", "mysql", "webserver", "nginx", "database", "postgresql", "webserver", "apache"},
     false},
};

/* Everything that one test needs, and what the fake daemon was asked. */
struct world {
    struct event_base *base;
    struct event *patience;
    struct config *config;
    struct coordinator *coordinator;
    struct api *api;
    struct moment now;
    char directory[32];
    char path[64];

    int drill_refusal;
    api_drill_done drill_done;
    void *drill_token;
    bool drill_confirmed;
};

static const struct coordinator *world_coordinator(void *context)
{
    return ((struct world *)context)->coordinator;
}

static struct moment world_now(void *context)
{
    return ((struct world *)context)->now;
}

static const char *world_mode(void *context)
{
    (void)context;
    return "automatic";
}

static const char *world_config_file(void *context)
{
    (void)context;
    return "understudy.yaml";
}

static const char *world_reload_error(void *context)
{
    (void)context;
    return NULL;
}

static struct moment world_started(void *context)
{
    (void)context;
    return (struct moment){.mono_us = 1, .real_us = 1};
}

static int world_drill(void *context, const struct machine *machine, bool confirmed, api_drill_done done, void *token,
                       const char **ret_message)
{
    struct world *world = context;

    (void)machine;
    world->drill_confirmed = confirmed;
    if (world->drill_refusal < 0) {
        *ret_message = "refused by the test";
        return world->drill_refusal;
    }
    world->drill_done = done;
    world->drill_token = token;
    return 0;
}

static const struct api_backend backend = {
    .coordinator = world_coordinator,
    .now = world_now,
    .mode = world_mode,
    .config_file = world_config_file,
    .reload_error = world_reload_error,
    .started = world_started,
    .drill = world_drill,
};

static struct domain_description *describe(const char *name, unsigned number, const char *const *resources)
{
    struct domain_description *description = NULL;
    struct diags diags = {0};
    char *xml = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&xml, &size);

    fprintf(out, "<domain type='test'><name>%s</name><uuid>00000000-0000-4000-8000-%012x</uuid>", name, number);
    fprintf(out, "<memory>1048576</memory><vcpu>2</vcpu><metadata>"
                 "<u:machine xmlns:u='urn:understudy:domain:1.0'>");
    for (size_t i = 0; resources[i] != NULL; i += 2)
        fprintf(out, "<u:resource kind='%s'>%s</u:resource>", resources[i], resources[i + 1]);
    fprintf(out, "</u:machine></metadata></domain>");
    fclose(out);
    assert_int_equal(domain_xml_parse(xml, size, name, &diags, &description), 0);
    diags_done(&diags);
    free(xml);
    return description;
}

static struct domain_report report_on(const struct domain *domain, const char *name, unsigned number)
{
    return (struct domain_report){
        .description = describe(name, number, domain->resources),
        .state = domain->runs ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
        .reason = REASON_UNKNOWN,
        .persistent = true,
    };
}

/* "room" has the case study; "far" has n_far machines, the first of which is a second VM-004. */
static struct inventory *make_inventory(const char *hypervisor, size_t n_far)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));
    bool is_far = strcmp(hypervisor, "far") == 0;

    assert_non_null(inventory);
    inventory->n_reports = is_far ? n_far : ELEMENTS_OF(case_study);
    inventory->free_memory_kib = 4096;
    inventory->reports = calloc(inventory->n_reports + 1, sizeof(*inventory->reports));
    assert_non_null(inventory->reports);
    for (size_t i = 0; i < inventory->n_reports; i++) {
        char name[32];

        snprintf(name, sizeof(name), i == 0 ? "VM-004" : "far-%zu", i);
        inventory->reports[i] = is_far ? report_on(&case_study[3], name, (unsigned)i + 0x1000)
                                       : report_on(&case_study[i], case_study[i].name, (unsigned)i + 1);
    }
    return inventory;
}

static void answer(struct world *world, const struct action *action, size_t n_far)
{
    bool is_failed = strcmp(action->target.uuid, "00000000-0000-4000-8000-000000000001") == 0;
    struct action_result result = {
        .id = action->id,
        .state = is_failed ? MACHINE_SHUT_OFF : MACHINE_RUNNING,
        .reason = is_failed ? REASON_CRASHED : REASON_UNKNOWN,
    };

    switch (action->kind) {
    case ACTION_LIST:
        coordinator_handle_inventory(world->coordinator, action, make_inventory(action->target.hypervisor, n_far),
                                     world->now);
        break;
    case ACTION_INSPECT:
    case ACTION_INQUIRE:
    case ACTION_DESTROY:
    case ACTION_START:
        coordinator_handle_result(world->coordinator, action, &result, world->now);
        break;
    case ACTION_COUNT:
    default:
        fail();
    }
}

/* Does what the coordinator asks for, publishes what it tells. */
static void settle(struct world *world, size_t n_far)
{
    struct action action;
    struct notice notice;

    while (coordinator_next_action(world->coordinator, &action)) {
        world->now.mono_us += 1000;
        world->now.real_us += 1000;
        answer(world, &action, n_far);
    }
    while (coordinator_next_notice(world->coordinator, &notice)) {
        api_publish(world->api, &notice);
        notice_done(&notice);
    }
}

static void on_patience(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    fail_msg("nothing happened for %d s", PATIENCE_SECONDS);
}

/* Lets the server work until something happens; fails where nothing does. */
static void turn(struct world *world)
{
    static const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};

    event_add(world->patience, &limit);
    assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

static struct world *world_new(size_t n_far)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diags diags = {0};

    assert_non_null(world);
    world->now = (struct moment){.mono_us = 5000000, .real_us = INT64_C(1795359240000000)};
    world->base = event_base_new();
    assert_non_null(world->base);
    world->patience = evtimer_new(world->base, on_patience, NULL);
    assert_int_equal(config_parse(config_text, strlen(config_text), "test", &diags, &world->config), 0);
    assert_int_equal(coordinator_new(world->config, &world->coordinator), 0);
    strcpy(world->directory, "/tmp/understudy-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->path, sizeof(world->path), "%s/api.sock", world->directory);
    assert_int_equal(api_new(world->base, world->path, 0640, &backend, world, &diags, &world->api), 0);
    coordinator_handle_connected(world->coordinator, "room", world->now);
    coordinator_handle_connected(world->coordinator, "far", world->now);
    settle(world, n_far);
    diags_done(&diags);
    return world;
}

static void world_free(struct world *world)
{
    api_free(world->api);
    coordinator_free(world->coordinator);
    config_free(world->config);
    event_free(world->patience);
    event_base_free(world->base);
    unlink(world->path);
    assert_int_equal(rmdir(world->directory), 0);
    free(world);
}

/* One connection, and everything that came over it so far. */
struct client {
    struct world *world;
    struct bufferevent *transport;
    struct evbuffer *received;
    bool is_closed;
};

static void on_readable(struct bufferevent *transport, void *context)
{
    struct client *client = context;

    bufferevent_read_buffer(transport, client->received);
}

static void on_event(struct bufferevent *transport, short what, void *context)
{
    struct client *client = context;

    (void)transport;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        client->is_closed = true;
}

static struct client *client_new(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct client *client = calloc(1, sizeof(*client));

    assert_non_null(client);
    client->world = world;
    client->received = evbuffer_new();
    client->transport = bufferevent_socket_new(world->base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(client->transport, on_readable, NULL, on_event, client);
    bufferevent_enable(client->transport, EV_READ | EV_WRITE);
    strcpy(address.sun_path, world->path);
    assert_int_equal(bufferevent_socket_connect(client->transport, (struct sockaddr *)&address, (int)sizeof(address)),
                     0);
    return client;
}

static void client_free(struct client *client)
{
    bufferevent_free(client->transport);
    evbuffer_free(client->received);
    free(client);
}

static void client_send(struct client *client, const char *format, ...) _printf_(2, 3);

static void client_send(struct client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    evbuffer_add_vprintf(bufferevent_get_output(client->transport), format, arguments);
    va_end(arguments);
}

/* Everything that came in, as text; for the end of a conversation. Borrowed. */
static const char *client_text(struct client *client)
{
    evbuffer_add(client->received, "", 1);
    return (const char *)evbuffer_pullup(client->received, -1);
}

static bool client_has(struct client *client, const char *expected)
{
    return evbuffer_search(client->received, expected, strlen(expected), NULL).pos >= 0;
}

static void client_expect(struct client *client, const char *expected)
{
    while (!client_has(client, expected)) {
        if (client->is_closed)
            fail_msg("\"%s\" did not come, but: %s", expected, client_text(client));
        turn(client->world);
    }
}

static void client_expect_close(struct client *client)
{
    while (!client->is_closed)
        turn(client->world);
}

/* One request on a connection of its own, and the whole answer with its head. */
static struct client *request(struct world *world, const char *method, const char *path, const char *body)
{
    struct client *client = client_new(world);

    client_send(client, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path,
                strlen(body), body);
    client_expect_close(client);
    return client;
}

/* Asks, and checks the status and that each of the texts (up to NULL) is in the answer. */
static void check(struct world *world, const char *method, const char *path, const char *body, int status, ...)
{
    struct client *client = request(world, method, path, body);
    char head[32];
    const char *expected;
    va_list texts;

    snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
    if (!client_has(client, head))
        fail_msg("%s %s: expected %d, got %s", method, path, status, client_text(client));
    va_start(texts, status);
    while ((expected = va_arg(texts, const char *)) != NULL)
        if (!client_has(client, expected))
            fail_msg("%s %s: no %s in %s", method, path, expected, client_text(client));
    va_end(texts);
    client_free(client);
}

static void test_status(void **state)
{
    struct world *world = world_new(1);

    (void)state;
    check(world, "GET", "/v1/status", "", 200, "application/json", "\"mode\":\"automatic\"", "\"ready\":true",
          "\"name\":\"room\",\"uri\":\"test:///default\",\"connected\":true,\"listed\":true,\"machines\":5",
          "\"machines\":{\"total\":6,\"running\":1,\"standing_by\":5,\"protected\":6}", "\"under_way\":0", NULL);
    world_free(world);
}

static void test_machines_by_every_name(void **state)
{
    struct world *world = world_new(1);

    (void)state;
    check(world, "GET", "/v1/machines", "", 200, "\"name\":\"VM-001\"", "\"name\":\"far/VM-004\"", NULL);
    check(world, "GET", "/v1/machines/VM-001", "", 200, "\"state\":\"running\"", "\"warmth\":null",
          "\"sources\":{\"language\":\"metadata\"", NULL);
    check(world, "GET", "/v1/machines/room%2FVM-004", "", 200, "\"hypervisor\":\"room\"", NULL);
    check(world, "GET", "/v1/machines/00000000-0000-4000-8000-000000001000", "", 200, "\"hypervisor\":\"far\"", NULL);
    check(world, "GET", "/v1/machines/VM-004", "", 409, "several", "room/VM-004", "far/VM-004", NULL);
    check(world, "GET", "/v1/machines/vm-01", "", 404, "vm-01", "did you mean VM-001", NULL);
    check(world, "GET", "/v1/machines/%00", "", 400, NULL);
    world_free(world);
}

static void test_explain_the_case_study(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001/explain", "", 200, "\"failed\":\"VM-001\"", "\"chosen\":\"VM-005\"",
          "\"similarity\":0.75,", "\"overlap\":0.333333333333", "\"overlap\":0.666666666667", "\"left_out\":0", NULL);
    world_free(world);
}

static void test_ten_thousand_machines_are_listed(void **state)
{
    struct world *world = world_new(10000);

    (void)state;
    check(world, "GET", "/v1/machines", "", 200, "\"far-9999\"", "\"far-1\"", "\"VM-005\"", NULL);
    check(world, "GET", "/v1/machines/far-10000", "", 404, "did you mean", NULL);
    world_free(world);
}

static void test_what_is_not_there_or_not_allowed(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/", "", 404, "\"error\"", NULL);
    check(world, "GET", "/v1/machines/", "", 404, NULL);
    check(world, "GET", "/v1/machines/VM-001/explain/more", "", 404, NULL);
    check(world, "GET", "/v1/recoveries/20000101-000000-1", "", 404, "understudyctl history", NULL);
    check(world, "DELETE", "/v1/machines/VM-001", "", 405, "Allow: GET", NULL);
    check(world, "GET", "/v1/machines/VM-001/drill", "", 405, "Allow: POST", NULL);
    check(world, "GET", "/v1/recoveries?limit=x", "", 400, NULL);
    world_free(world);
}

static void crash(struct world *world)
{
    struct domain_event event = {.kind = EVENT_STOPPED_CRASHED, .name = "VM-001", .at = world->now};

    strcpy(event.uuid, "00000000-0000-4000-8000-000000000001");
    coordinator_handle_event(world->coordinator, "room", &event);
    settle(world, 0);
    world->now.mono_us = coordinator_deadline(world->coordinator);
    world->now.real_us += world->config->recovery.settle_us;
    coordinator_tick(world->coordinator, world->now);
    settle(world, 0);
}

static void test_recovery_is_history(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/recoveries", "", 200, "\r\n\r\n[]", NULL);
    crash(world);
    check(world, "GET", "/v1/recoveries?failed=room%2FVM-001&limit=1", "", 200, "\"failed\":\"VM-001\"",
          "\"outcome\":\"recovered\"", "\"replacement\":\"VM-005\"", "\"cause\":\"crashed\"", "\"detected_at\":\"2026-",
          "\"attempts\":[{\"name\":\"VM-005\"", "\"settle\":", NULL);
    check(world, "GET", "/v1/recoveries?failed=VM-002", "", 200, "\r\n\r\n[]", NULL);
    check(world, "GET", "/v1/recoveries?limit=0", "", 200, "\r\n\r\n[]", NULL);
    check(world, "GET", "/v1/status", "", 200, "\"recovered\":1", NULL);
    check(world, "GET", "/metrics", "", 200, "text/plain; version=0.0.4",
          "understudy_recoveries_total{outcome=\"recovered\",cause=\"crashed\"} 1",
          "understudy_machines{hypervisor=\"room\",state=\"shut off\",role=\"protected, standby\"} 5",
          "understudy_hypervisor_up{hypervisor=\"far\"} 1", NULL);
    world_free(world);
}

static void test_drill_refused(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    world->drill_refusal = -EPERM;
    check(world, "POST", "/v1/machines/VM-001/drill", "", 403, "refused by the test", "--yes", NULL);
    world->drill_refusal = -EINVAL;
    check(world, "POST", "/v1/machines/VM-001/drill", "{\"confirmed\": true}", 409, "refused by the test", NULL);
    assert_true(world->drill_confirmed);
    check(world, "POST", "/v1/machines/VM-001/drill", "nonsense", 400, NULL);
    check(world, "POST", "/v1/machines/VM-001/drill", "{\"confirmed\": 1}", 400, "confirmed", NULL);
    world_free(world);
}

/* Asks for a drill and waits until the daemon was asked. */
static struct client *begin_drill(struct world *world)
{
    struct client *client = client_new(world);

    client_send(client, "POST /v1/machines/VM-001/drill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (world->drill_done == NULL)
        turn(world);
    return client;
}

static void test_drill_is_answered_later(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    assert_false(world->drill_confirmed);
    world->drill_done(world->drill_token, 0, "it is down");
    client_expect(client, "{\"machine\":\"VM-001\",\"message\":\"it is down\"}");
    /* The connection lives on. */
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(client, "[]");
    client_free(client);
    world_free(world);
}

static void test_drill_fails_later(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    world->drill_done(world->drill_token, -ETIMEDOUT, "the hypervisor did not answer");
    client_expect(client, "HTTP/1.1 504 ");
    client_expect(client, "the hypervisor did not answer");
    client_free(client);
    world_free(world);
}

static void test_drill_outlives_its_client(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    client_free(client);
    /* The server has seen the end of that connection before it answers on a newer one. */
    check(world, "GET", "/v1/status", "", 200, NULL);
    world->drill_done(world->drill_token, 0, "it is down");
    check(world, "GET", "/v1/status", "", 200, NULL);
    world_free(world);
}

static void test_drill_outlives_the_api(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    api_free(world->api);
    world->api = NULL;
    world->drill_done(world->drill_token, 0, "it is down");
    client_expect_close(client);
    client_free(client);
    world_free(world);
}

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

static void test_limits(void **state)
{
    struct world *world = world_new(0);
    static char many[70000];
    struct client *client = client_new(world);

    (void)state;
    memset(many, 'x', sizeof(many) - 1);
    client_send(client, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Long: %.9000s\r\n\r\n", many);
    client_expect_close(client);
    assert_false(client_has(client, "HTTP/1.1 200 "));
    client_free(client);

    client = client_new(world);
    client_send(client, "POST /v1/machines/VM-001/drill HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                strlen(many), many);
    client_expect_close(client);
    assert_null(world->drill_done);
    client_free(client);
    world_free(world);
}

static void test_connections_are_bounded(void **state)
{
    enum { WAITING = 5 };
    struct world *world = world_new(0);
    struct client *silent[GATE_CONNECTIONS_MAX], *late[WAITING];

    (void)state;
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++)
        silent[i] = client_new(world);
    for (size_t i = 0; i < WAITING; i++) {
        late[i] = client_new(world);
        client_send(late[i], "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    /* As long as the first are there, only they are served. */
    client_send(silent[0], "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(silent[0], "[]");
    client_send(silent[GATE_CONNECTIONS_MAX - 1], "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(silent[GATE_CONNECTIONS_MAX - 1], "[]");
    for (size_t i = 0; i < WAITING; i++)
        assert_false(client_has(late[i], "HTTP"));
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++)
        client_free(silent[i]);
    for (size_t i = 0; i < WAITING; i++) {
        client_expect(late[i], "[]");
        client_free(late[i]);
    }
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
    event_del(world->patience);
    /* What ended without a word is noticed when the loop comes round. */
    assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
    /* An event left on a closed descriptor would read what belongs to the next who gets that number. */
    assert_int_equal(event_base_get_num_events(world->base, EVENT_BASE_COUNT_ADDED), before);
    world_free(world);
}

static void test_socket_file(void **state)
{
    struct world *world = world_new(0);
    struct api *second = NULL;
    struct diags diags = {0};
    struct stat status;
    int stale;

    (void)state;
    assert_int_equal(stat(world->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(api_new(world->base, world->path, 0600, &backend, world, &diags, &second), -EADDRINUSE);
    assert_int_equal(diags.count, 1);
    assert_non_null(strstr(diags.items[0].message, world->path));
    diags_done(&diags);
    check(world, "GET", "/v1/status", "", 200, NULL);
    api_free(world->api);
    world->api = NULL;
    assert_int_equal(access(world->path, F_OK), -1);

    /* What a killed daemon leaves behind. */
    stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, world->path);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
    assert_int_equal(api_new(world->base, world->path, 0600, &backend, world, &diags, &world->api), 0);
    check(world, "GET", "/v1/status", "", 200, NULL);
    world_free(world);
}

static void test_socket_path_of_something_else(void **state)
{
    struct world *world = world_new(0);
    struct api *api = NULL;
    struct diags diags = {0};

    (void)state;
    assert_int_equal(api_new(world->base, world->directory, 0600, &backend, world, &diags, &api), -EEXIST);
    assert_null(api);
    assert_int_equal(access(world->directory, F_OK), 0);
    diags_done(&diags);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_machines_by_every_name),
        cmocka_unit_test(test_explain_the_case_study),
        cmocka_unit_test(test_ten_thousand_machines_are_listed),
        cmocka_unit_test(test_what_is_not_there_or_not_allowed),
        cmocka_unit_test(test_recovery_is_history),
        cmocka_unit_test(test_drill_refused),
        cmocka_unit_test(test_drill_is_answered_later),
        cmocka_unit_test(test_drill_fails_later),
        cmocka_unit_test(test_drill_outlives_its_client),
        cmocka_unit_test(test_drill_outlives_the_api),
        cmocka_unit_test(test_events_reach_followers),
        cmocka_unit_test(test_events_are_replayed),
        cmocka_unit_test(test_replay_is_bounded),
        cmocka_unit_test(test_slow_reader_is_cut_off),
        cmocka_unit_test(test_api_ends_with_followers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_connections_are_bounded),
        cmocka_unit_test(test_ended_connections_leave_nothing),
        cmocka_unit_test(test_socket_file),
        cmocka_unit_test(test_socket_path_of_something_else),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
