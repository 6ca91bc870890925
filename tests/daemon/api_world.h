/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control interface over its real socket, with the real coordinator behind it and a hypervisor
 * that does at once what it is asked. Client and server share one event loop, so nothing ever waits
 * for anything but an event.
 */
#ifndef UNDERSTUDY_TESTS_DAEMON_API_WORLD_H
#define UNDERSTUDY_TESTS_DAEMON_API_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api.h"
#include "api/copy.h"
#include "coordinator/coordinator.h"
#include "model/domain_xml.h"

/* Less than the stream's keepalive, which would be something that happens. */
#define PATIENCE_SECONDS 10

static const char config_text[] = "hypervisors: [{name: room, uri: 'test:///default'}, {name: far, uri: 'test:///x'}]\n"
                                  "pool: {protect: ['*'], standby: ['*']}\n"
                                  "similarity:\n"
                                  "  threshold: 0.5\n"
                                  "  weights:\n"
                                  "    environment: {}\n"
                                  "    resource: {language: 0.3, database: 0.2, webserver: 0.1}\n";

static const struct domain {
    const char *name;
    const char *resources[12]; /* kind, value, … */
    bool runs;                 /* at first */
} case_study[] = {
    {"VM-001", {"language", "nodejs", "database", "mysql", "webserver", "nginx"}, true},
    {"VM-002", {"language", "nodejs", "database", "postgresql", "webserver", "apache"}, false},
    {"VM-003", {"database", "postgresql", "port", "5432", "reached-port", "5432"}, false},
    {"VM-004", {"webserver", "nginx"}, false},
    {"VM-005",
     {"language", "nodejs", "database", "mysql", "webserver", "nginx", "database", "postgresql", "webserver", "apache"},
     false},
};

/* The first machine on the other hypervisor has the name of one on this. */
static const char *far_twin = "VM-004";

/* Everything that one test needs, and what the fake daemon was asked. */
struct world {
    struct event_base *base;
    struct event *patience;
    struct config *config;
    struct coordinator *coordinator;
    struct api *api;
    struct moment now;
    char directory[32];
    char path[64], read_only_path[64];
    bool is_writing;
    bool asks_read_only; /* clients connect to the second */
    bool runs[ELEMENTS_OF(case_study)];

    int drill_refusal;
    api_done drill_done;
    void *drill_token;
    bool drill_confirmed, drill_anyway;
    struct problems problems;
    struct metrics_counters counters;
    struct machine_ref tagged;
    struct metadata_tags tags;
    int tag_error;
    struct machine_ref drafted;
    struct feature_texts drafted_features;
    unsigned drafted_max;
    int draft_error;
    bool has_checked_templates;
    const char *reload_problem; /* NULL: a reload succeeds */
    const char *why_not_yet;    /* NULL: requests are taken */
    int history_error;          /* of reading what is stored; 0: none */
    const char *waiting;        /* what waits for a restart then */
    bool supposing_takes_long;  /* longer than a test waits */
};

static inline const struct coordinator *world_coordinator(void *context)
{
    return ((struct world *)context)->coordinator;
}

static inline struct moment world_now(void *context)
{
    return ((struct world *)context)->now;
}

static inline const char *world_why_not_yet(void *context)
{
    return ((struct world *)context)->why_not_yet;
}

/* None is stored that the coordinator does not hold. */
static inline int world_read_history(void *context, const char *before, size_t most, api_history_done done, void *token)
{
    const struct world *world = context;

    (void)before;
    (void)most;
    done(token, world->history_error, "the disk is slow", NULL, 0);
    return 0;
}

static inline int world_check(void *context, const char *text, size_t length, struct problems *ret)
{
    const struct world *world = context;
    const struct pool *pool = coordinator_pool(world->coordinator);
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    int r = config_parse(text, length, NULL, &diags, &config);

    if (world->supposing_takes_long)
        sleep(COPY_SECONDS);
    return r < 0
               ? r
               : problems_collect_config(config, NULL, pool, coordinator_features(world->coordinator), world->now, ret);
}

/* In a copy: of this process, as of the daemon. */
static inline int world_suppose(void *context, const struct supposition *supposition, struct coordinator **ret)
{
    struct world *world = context;

    if (world->supposing_takes_long)
        sleep(COPY_SECONDS);
    assert_int_equal(supposition_apply(supposition, world->config), 0);
    assert_int_equal(coordinator_configure(world->coordinator, world->config), 0);
    *ret = world->coordinator;
    return 0;
}

static inline const struct problems *world_problems(void *context)
{
    struct world *world = context;
    const struct problems_outside outside = {.config_file = "/etc/understudy/understudy.yaml"};

    problems_done(&world->problems);
    assert_int_equal(problems_collect(world->coordinator, coordinator_plan(world->coordinator, world->now), &outside,
                                      world->now, &world->problems),
                     0);
    return &world->problems;
}

static inline int world_collect_status(void *context, struct plan *plan, struct status *ret)
{
    struct world *world = context;

    assert_int_equal(status_collect(world->coordinator, plan, ret), 0);
    ret->version = UNDERSTUDY_VERSION;
    ret->mode = "automatic";
    ret->config_file = "understudy.yaml";
    ret->uptime_us = world->now.mono_us - 1;
    ret->problems = world_problems(world);
    return 0;
}

static inline int world_format_metrics(void *context, enum metrics_form form, char **ret)
{
    struct world *world = context;
    const struct metrics_daemon daemon = {.store_writes = true, .followers = api_follower_count(world->api)};
    struct status status = {0};
    int r = world_collect_status(world, NULL, &status);

    status.version = "1.2";
    r = metrics_format(form, &status, coordinator_pool(world->coordinator), &world->counters, &daemon, ret);
    status_done(&status);
    return r;
}

static inline int world_drill(void *context, const struct order *order, api_done done, void *token,
                              struct order_answer *ret)
{
    struct world *world = context;

    world->drill_confirmed = order->is_confirmed;
    world->drill_anyway = order->is_anyway;
    if (world->drill_refusal < 0) {
        ret->words = strdup("refused by the test");
        return world->drill_refusal;
    }
    world->drill_done = done;
    world->drill_token = token;
    return 0;
}

/* Notes what is to be written, and answers by itself. */
static inline int world_tag(void *context, const struct machine_ref *machine, const struct metadata_tags *tags,
                            api_done done, void *token)
{
    struct world *world = context;

    world->tagged = *machine;
    metadata_tags_done(&world->tags);
    assert_int_equal(metadata_tags_copy(tags, &world->tags), 0);
    done(token, world->tag_error, world->tag_error < 0 ? "the hypervisor says no" : "");
    return 0;
}

/* Answers by itself, as if the machine stood on this image. */
static inline int world_draft(void *context, const struct machine_ref *machine, struct template_draft *draft,
                              api_done done, void *token)
{
    struct world *world = context;

    world->drafted = *machine;
    feature_texts_done(&world->drafted_features);
    assert_int_equal(feature_texts_copy(&draft->features, &world->drafted_features), 0);
    world->drafted_max = draft->max;
    draft->directory = strdup("/etc/templates.d");
    draft->text = strdup("<domain/>\n");
    draft->hint = strdup("copy it");
    if (draft->n_disks == 0)
        assert_int_equal(template_draft_add_disk(draft, "vda", "/images/base.qcow2", false), 0);
    assert_int_equal(string_list_add(&draft->warnings, "it is old"), 0);
    done(token, world->draft_error, world->draft_error < 0 ? "it has no base image" : "");
    return 0;
}

static inline int world_check_templates(void *context, api_templates_checked done, void *token)
{
    static const struct template_trial trials[] = {{"web", "near", NULL, true}, {"web", "far", "no pool", false}};
    struct world *world = context;
    struct diags findings = {0};
    const struct template_check check = {"/etc/templates.d", &findings, trials, ELEMENTS_OF(trials)};

    world->has_checked_templates = true;
    diags_add(&findings, DIAG_ERROR, "/etc/templates.d/db.xml", 7, 0, "no memory in it");
    diags_add(&findings, DIAG_WARNING, "/etc/templates.d/web.xml", 0, 0, "a role too many");
    done(token, &check);
    diags_done(&findings);
    return 0;
}

static inline void settle(struct world *world, size_t n_far);

static inline int world_order(void *context, const struct order *order, struct order_answer *ret)
{
    struct world *world = context;
    int r = coordinator_order(world->coordinator, order, world->now, ret);

    settle(world, 0);
    return r;
}

static inline bool world_release_brake(void *context)
{
    struct world *world = context;
    bool was_braked = coordinator_release_brake(world->coordinator, world->now);

    settle(world, 0);
    return was_braked;
}

static inline int world_hold(void *context, enum hold_scope scope, const struct machine_ref *target, const char *name,
                             const char *reason, const char *by, int64_t time_us)
{
    struct world *world = context;
    int r = coordinator_hold(world->coordinator, scope, target, name, reason, by, time_us, world->now);

    settle(world, 0);
    return r;
}

static inline int world_release(void *context, enum hold_scope scope, const struct machine_ref *target)
{
    struct world *world = context;
    int r = coordinator_release(world->coordinator, scope, target, world->now);

    settle(world, 0);
    return r;
}

static inline int world_fenced(void *context, const char *hypervisor, bool confirmed, const char **ret_message)
{
    struct world *world = context;
    int r = confirmed ? coordinator_confirm_fenced(world->coordinator, hypervisor, world->now) : -EPERM;

    *ret_message = "refused by the test";
    settle(world, 0);
    return r;
}

/* There is one agent, of the name "switch", which says that the host is on. */
static inline int world_test_fencing(void *context, const char *hypervisor, const char *agent, api_done done,
                                     void *token, const char **ret_message)
{
    static const struct fence_report report = {
        .call = FENCE_CALL_STATUS, .agent = "switch", .has_succeeded = true, .answer = "on", .took_us = 1500};
    struct world *world = context;

    *ret_message = "refused by the test";
    if (strcmp(hypervisor, "room") != 0 || (agent != NULL && strcmp(agent, "switch") != 0))
        return -ENOENT;
    coordinator_handle_fence_report(world->coordinator, hypervisor, &report, world->now);
    done(token, 0, "");
    return 0;
}

/* There are two hooks, and the second one fails. */
static inline int world_test_hooks(void *context, const char *hook, api_hooks_tested done, void *token,
                                   const char **ret_message)
{
    static const struct hook_test tests[] = {
        {.hook = "50-mail", .answer = "", .took_us = 1500, .has_succeeded = true},
        {.hook = "60-chat", .answer = "exit status 22", .took_us = 2500},
    };

    (void)context;
    *ret_message = "refused by the test";
    if (hook != NULL && strcmp(hook, "60-chat") != 0)
        return -ENOENT;
    done(token, hook != NULL ? &tests[1] : tests, hook != NULL ? 1 : 2);
    return 0;
}

static inline const char *world_reload(void *context, char **ret_waiting)
{
    const struct world *world = context;

    *ret_waiting = world->waiting != NULL ? strdup(world->waiting) : NULL;
    return world->reload_problem;
}

static inline bool world_is_writing(void *context)
{
    const struct world *world = context;

    return world->is_writing;
}

static const struct api_backend backend = {
    .is_writing = world_is_writing,
    .is_disk_silent = world_is_writing,
    .coordinator = world_coordinator,
    .now = world_now,
    .collect_status = world_collect_status,
    .why_not_yet = world_why_not_yet,
    .read_history = world_read_history,
    .problems = world_problems,
    .look_for_problems = world_problems,
    .check = world_check,
    .suppose = world_suppose,
    .format_metrics = world_format_metrics,
    .drill = world_drill,
    .tag = world_tag,
    .draft = world_draft,
    .check_templates = world_check_templates,
    .order = world_order,
    .release_brake = world_release_brake,
    .hold = world_hold,
    .release = world_release,
    .fenced = world_fenced,
    .test_fencing = world_test_fencing,
    .test_hooks = world_test_hooks,
    .reload = world_reload,
};

static inline struct domain_description *describe(const char *name, unsigned number, const char *const *resources)
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

static inline struct domain_report report_on(const struct domain *domain, bool runs, const char *name, unsigned number)
{
    return (struct domain_report){
        .description = describe(name, number, domain->resources),
        .state = runs ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
        .reason = REASON_UNKNOWN,
        .persistent = true,
    };
}

/* "room" has the case study; "far" has n_far machines, the first of which is a second VM-004. */
static inline struct inventory *make_inventory(const struct world *world, const char *hypervisor, size_t n_far)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));
    bool is_far = strcmp(hypervisor, "far") == 0;

    assert_non_null(inventory);
    inventory->n_reports = is_far ? n_far : ELEMENTS_OF(case_study);
    inventory->free_memory_kib = 8 * 1024 * 1024;
    inventory->reports = calloc(inventory->n_reports + 1, sizeof(*inventory->reports));
    assert_non_null(inventory->reports);
    for (size_t i = 0; i < inventory->n_reports; i++) {
        char name[32];

        snprintf(name, sizeof(name), i == 0 ? far_twin : "far-%zu", i);
        inventory->reports[i] = is_far ? report_on(&case_study[3], false, name, (unsigned)i + 0x1000)
                                       : report_on(&case_study[i], world->runs[i], case_study[i].name, (unsigned)i + 1);
    }
    return inventory;
}

/* A machine's place in the case study, from its uuid; the "far" ones are never asked about. */
static inline size_t place_of(const struct action *action)
{
    size_t place = strtoul(strrchr(action->target.uuid, '-') + 1, NULL, 16) - 1;

    assert_true(place < ELEMENTS_OF(case_study));
    return place;
}

static inline void inspect(struct world *world, const struct action *action)
{
    size_t place = place_of(action);
    struct domain_report report =
        report_on(&case_study[place], world->runs[place], case_study[place].name, (unsigned)place + 1);

    coordinator_handle_description(world->coordinator, action, &report, world->now);
}

static inline void answer(struct world *world, const struct action *action, size_t n_far)
{
    struct action_result result = {.id = action->id};
    bool *runs;

    switch (action->kind) {
    case ACTION_LIST:
        coordinator_handle_inventory(world->coordinator, action,
                                     make_inventory(world, action->target.hypervisor, n_far), world->now);
        break;
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_READ:
        inspect(world, action);
        break;
    case ACTION_GET_STATE:
    case ACTION_START:
    case ACTION_RECORD:
    case ACTION_FENCE:
    case ACTION_TEST_FENCING:
    case ACTION_HOOK:
    case ACTION_GET_AUTOSTART:
    case ACTION_SET_METADATA:
        runs = &world->runs[place_of(action)];
        *runs = *runs || action->kind == ACTION_START;
        result.state = *runs ? MACHINE_RUNNING : MACHINE_SHUT_OFF;
        result.reason = *runs ? REASON_UNKNOWN : REASON_CRASHED;
        coordinator_handle_result(world->coordinator, action, &result, world->now);
        break;
    case ACTION_DESTROY:
    case ACTION_UNMAKE:
    case ACTION_SHUTDOWN:
    case ACTION_CHECK_ALIVE:
    case ACTION_VERIFY:
    case ACTION_REMEMBER:
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_SET_CLOCK:
    case ACTION_SET_AUTOSTART:
    case ACTION_MEASURE_MEMORY:
    case ACTION_COUNT:
    default:
        fail_msg("the coordinator asks for %s", action_kind_name(action->kind));
    }
}

/* Does what the coordinator asks for, publishes what it tells. */
static inline void settle(struct world *world, size_t n_far)
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
        metrics_count(&world->counters, &notice, coordinator_find_recovery(world->coordinator, notice.recovery_id));
        notice_done(&notice);
    }
    api_look(world->api);
}

static inline void on_patience(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    fail_msg("nothing happened for %d s", PATIENCE_SECONDS);
}

/* Lets the server work until something happens; fails where nothing does. */
static inline void turn(struct world *world)
{
    static const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};

    event_add(world->patience, &limit);
    assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

/* more: further lines of the configuration. */
static inline struct world *world_new_with(const char *more, size_t n_far)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diags diags = {0};
    char text[1024];

    assert_non_null(world);
    for (size_t i = 0; i < ELEMENTS_OF(world->runs); i++)
        world->runs[i] = case_study[i].runs;
    world->now = (struct moment){.mono_us = 5000000, .real_us = INT64_C(1795359240000000)};
    world->base = event_base_new();
    assert_non_null(world->base);
    world->patience = evtimer_new(world->base, on_patience, NULL);
    snprintf(text, sizeof(text), "%s%s", config_text, more);
    assert_int_equal(config_parse(text, strlen(text), "test", &diags, &world->config), 0);
    assert_int_equal(coordinator_new(world->config, NULL, &world->coordinator), 0);
    strcpy(world->directory, "/tmp/understudy-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->path, sizeof(world->path), "%s/api.sock", world->directory);
    snprintf(world->read_only_path, sizeof(world->read_only_path), "%s/api-ro.sock", world->directory);
    assert_int_equal(api_new(world->base, &backend, world, &world->api), 0);
    assert_int_equal(api_listen(world->api, API_ACT, world->path, &diags), 0);
    assert_int_equal(api_listen(world->api, API_READ, world->read_only_path, &diags), 0);
    coordinator_handle_connected(world->coordinator, "room", world->now);
    coordinator_handle_connected(world->coordinator, "far", world->now);
    settle(world, n_far);
    diags_done(&diags);
    return world;
}

static inline struct world *world_new(size_t n_far)
{
    return world_new_with("", n_far);
}

static inline void world_free(struct world *world)
{
    api_free(world->api);
    coordinator_free(world->coordinator);
    config_free(world->config);
    problems_done(&world->problems);
    event_free(world->patience);
    event_base_free(world->base);
    unlink(world->path);
    unlink(world->read_only_path);
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

static inline void on_readable(struct bufferevent *transport, void *context)
{
    struct client *client = context;

    bufferevent_read_buffer(transport, client->received);
}

static inline void on_event(struct bufferevent *transport, short what, void *context)
{
    struct client *client = context;

    (void)transport;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        client->is_closed = true;
}

static inline struct client *client_new_at(struct world *world, const struct sockaddr *address, socklen_t size)
{
    struct client *client = calloc(1, sizeof(*client));

    assert_non_null(client);
    client->world = world;
    client->received = evbuffer_new();
    client->transport = bufferevent_socket_new(world->base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(client->transport, on_readable, NULL, on_event, client);
    bufferevent_enable(client->transport, EV_READ | EV_WRITE);
    assert_int_equal(bufferevent_socket_connect(client->transport, address, (int)size), 0);
    return client;
}

static inline struct client *client_new(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, world->asks_read_only ? world->read_only_path : world->path);
    return client_new_at(world, (struct sockaddr *)&address, sizeof(address));
}

static inline void client_free(struct client *client)
{
    bufferevent_free(client->transport);
    evbuffer_free(client->received);
    free(client);
}

static inline void client_send(struct client *client, const char *format, ...) _printf_(2, 3);

static inline void client_send(struct client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    evbuffer_add_vprintf(bufferevent_get_output(client->transport), format, arguments);
    va_end(arguments);
}

/* Everything that came in, as text; for the end of a conversation. Borrowed. */
static inline const char *client_text(struct client *client)
{
    evbuffer_add(client->received, "", 1);
    return (const char *)evbuffer_pullup(client->received, -1);
}

static inline bool client_has(struct client *client, const char *expected)
{
    return evbuffer_search(client->received, expected, strlen(expected), NULL).pos >= 0;
}

static inline void client_expect(struct client *client, const char *expected)
{
    while (!client_has(client, expected)) {
        if (client->is_closed)
            fail_msg("\"%s\" did not come, but: %s", expected, client_text(client));
        turn(client->world);
    }
}

static inline void client_expect_close(struct client *client)
{
    while (!client->is_closed)
        turn(client->world);
}

/* One request on a connection of its own, and the whole answer with its head. */
static inline struct client *request(struct world *world, const char *method, const char *path, const char *body)
{
    struct client *client = client_new(world);

    client_send(client, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path,
                strlen(body), body);
    client_expect_close(client);
    return client;
}

/* Asks, and checks the status and that each of the texts (up to NULL) is in the answer. */
static inline void check(struct world *world, const char *method, const char *path, const char *body, int status, ...)
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

/* VM-001 goes down, and what can be done at once is done. */
static inline void crash_only(struct world *world)
{
    struct domain_event event = {.kind = EVENT_STOPPED_CRASHED, .name = "VM-001", .at = world->now};

    strcpy(event.uuid, "00000000-0000-4000-8000-000000000001");
    world->runs[0] = false;
    coordinator_handle_event(world->coordinator, "room", &event);
    settle(world, 0);
}

static inline void pass_settle_time(struct world *world)
{
    world->now.mono_us += world->config->recovery.settle_us;
    world->now.real_us += world->config->recovery.settle_us;
    coordinator_tick(world->coordinator, world->now);
    settle(world, 0);
}

static inline void crash(struct world *world)
{
    crash_only(world);
    pass_settle_time(world);
}

#endif
