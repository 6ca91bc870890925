/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hypervisor room against libvirt's test driver, which runs in this process: three machines in a
 * node file, made to crash, started, destroyed and undefined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hypervisor/connection.h"
#include "hypervisor/hypervisor.h"
#include "loop.h"
#include "model/template_set.h"

#define SECOND_US   USEC_PER_SEC
#define MAX_EVENTS  32
#define UUID_RUNS   "11111111-0000-4000-8000-000000000001"
#define UUID_OFF    "11111111-0000-4000-8000-000000000002"
#define UUID_PAUSED "11111111-0000-4000-8000-000000000003"
#define UUID_NONE   "11111111-0000-4000-8000-00000000000f"

#define DOMAIN(name, uuid, state, rest)                                                                                \
    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" name "</name><uuid>" uuid     \
    "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>" rest "<test:runstate>" state        \
    "</test:runstate></domain>"

static const char node_xml[] = "<node>" DOMAIN(
    "runs", UUID_RUNS, "1",
    "<metadata><understudy:machine xmlns:understudy='urn:understudy:domain:1.0' role='hero'>"
    "<understudy:resource kind='database'>mysql</understudy:resource></understudy:machine></metadata>"
    "<devices><disk type='volume' device='disk'><source pool='images' volume='runs.img'/><target dev='vda'/></disk>"
    "<disk type='file' device='cdrom'><source file='/cd.iso'/><target dev='vdb'/></disk></devices>")
    DOMAIN("off", UUID_OFF, "5", "<devices/>") DOMAIN(
        "paused", UUID_PAUSED, "3",
        "<devices/>") "<pool type='dir'><name>images</name><uuid>22222222-0000-4000-8000-000000000001</uuid>"
                      "<target><path>/images</path></target>"
                      "<volume type='file'><name>runs.img</name><capacity>1234567</capacity><allocation>0</allocation>"
                      "<target><path>/images/runs.img</path></target>"
                      "<backingStore><path>/images/middle.img</path><format type='raw'/></backingStore></volume>"
                      "<volume type='file'><name>middle.img</name><capacity>1</capacity><allocation>0</allocation>"
                      "<target><path>/images/middle.img</path></target>"
                      "<backingStore><path>/elsewhere/base.img</path><format type='raw'/></backingStore></volume>"
                      "</pool></node>";

/* Everything that the hypervisor has told. */
struct world {
    struct event_base *base;
    struct hypervisor *hypervisor;
    char file[64];
    char uri[128];
    uint64_t last_id;

    int connected, disconnected, results, inspections, faults, capacities, overdue, came_back;
    struct inventory *inventory;
    struct domain_report report;
    bool had_report;
    struct action_result result;
    struct action answered;
    enum domain_event_kind events[MAX_EVENTS];
    char event_names[MAX_EVENTS][16];
    size_t n_events;
    uint64_t capacity_bytes;
    char capacity_source[64];
    char fault[256];
    char why[256];
    bool is_connected, is_answered, has_capacity, is_recognised, is_down, are_all_back;
};

static void on_connected(void *context, const char *hypervisor)
{
    struct world *world = context;

    assert_string_equal(hypervisor, "room");
    world->connected++;
    world->is_connected = true;
}

static void on_refused(void *context, const char *hypervisor)
{
    (void)context;
    (void)hypervisor;
}

static void on_disconnected(void *context, const char *hypervisor, const char *why)
{
    struct world *world = context;

    (void)hypervisor;
    world->disconnected++;
    world->is_connected = false;
    world->is_down = true;
    snprintf(world->why, sizeof(world->why), "%s", why);
}

static void on_event(void *context, const char *hypervisor, const struct domain_event *event)
{
    struct world *world = context;

    (void)hypervisor;
    assert_true(event->at.mono_us > 0 && event->at.real_us > event->at.mono_us);
    assert_int_equal(strlen(event->uuid), UUID_TEXT_SIZE - 1);
    if (world->n_events == MAX_EVENTS)
        return;
    snprintf(world->event_names[world->n_events], sizeof(world->event_names[0]), "%s", event->name);
    world->events[world->n_events++] = event->kind;
}

static void on_inventory(void *context, const struct action *action, struct inventory *inventory)
{
    struct world *world = context;

    inventory_free(world->inventory);
    world->inventory = inventory;
    world->answered = *action;
    world->is_answered = true;
}

static void on_inspection(void *context, const struct action *action, struct domain_report *report)
{
    struct world *world = context;

    domain_description_free(world->report.description);
    world->report = report != NULL ? *report : (struct domain_report){0};
    world->had_report = report != NULL;
    world->inspections++;
    world->answered = *action;
    world->is_answered = true;
}

static void on_result(void *context, const struct action *action, const struct action_result *result)
{
    struct world *world = context;

    assert_int_equal(result->id, action->id);
    world->results++;
    world->result = *result;
    world->answered = *action;
    world->is_answered = true;
}

static void on_recognised(void *context, const char *hypervisor)
{
    struct world *world = context;

    assert_string_equal(hypervisor, "room");
    world->is_recognised = true;
}

static void on_capacity(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes)
{
    struct world *world = context;

    assert_string_equal(machine->hypervisor, "room");
    assert_string_equal(machine->uuid, UUID_RUNS);
    snprintf(world->capacity_source, sizeof(world->capacity_source), "%s", source);
    world->capacity_bytes = capacity_bytes;
    world->capacities++;
    world->has_capacity = true;
}

static void on_overdue(void *context, const char *hypervisor, const char *call, int64_t for_us)
{
    struct world *world = context;

    (void)hypervisor;
    (void)call;
    assert_true(for_us >= 0);
    world->overdue++;
    world->are_all_back = false;
}

static void on_came_back(void *context, const struct action *action, const struct action_result *result)
{
    struct world *world = context;

    (void)action;
    (void)result;
    world->came_back++;
    world->are_all_back = world->came_back == world->overdue;
}

static void on_fault(void *context, const struct machine_ref *machine, const char *text)
{
    struct world *world = context;

    assert_string_equal(machine->uuid, UUID_RUNS);
    snprintf(world->fault, sizeof(world->fault), "%s", text);
    world->faults++;
}

static const struct hypervisor_callbacks callbacks = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .refused = on_refused,
    .event = on_event,
    .inventory = on_inventory,
    .inspection = on_inspection,
    .result = on_result,
    .capacity = on_capacity,
    .recognised = on_recognised,
    .overdue = on_overdue,
    .came_back = on_came_back,
    .fault = on_fault,
    .noted = on_fault,
};

static void open_hypervisor_within(struct world *world, const char *uri, int64_t call_timeout_us,
                                   int64_t reconnect_max_us)
{
    const struct hypervisor_options options = {
        .name = "room", .uri = uri, .call_timeout_us = call_timeout_us, .reconnect_max_us = reconnect_max_us};

    assert_int_equal(hypervisor_new(world->base, &options, &callbacks, world, &world->hypervisor), 0);
    assert_int_equal(world->connected + world->disconnected, 0); /* never from inside */
}

static void open_hypervisor(struct world *world, const char *uri)
{
    open_hypervisor_within(world, uri, 20 * SECOND_US, SECOND_US);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    int fd;

    if (world == NULL)
        return -1;
    strcpy(world->file, "/tmp/understudy-node-XXXXXX");
    fd = mkstemp(world->file);
    if (fd < 0 || write(fd, node_xml, strlen(node_xml)) != (ssize_t)strlen(node_xml) || close(fd) != 0)
        return -1;
    snprintf(world->uri, sizeof(world->uri), "test://%s", world->file);
    world->base = loop_new();
    *state = world;
    return hypervisor_library_init(world->base);
}

static int setup_connected(void **state)
{
    struct world *world;

    if (setup(state) != 0)
        return -1;
    world = *state;
    open_hypervisor(world, world->uri);
    return loop_until(world->base, &world->is_connected) ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *world = *state;

    hypervisor_free(world->hypervisor, 20 * SECOND_US);
    loop_drain(world->base);
    hypervisor_library_done();
    event_base_free(world->base);
    inventory_free(world->inventory);
    domain_description_free(world->report.description);
    unlink(world->file);
    free(world);
    return 0;
}

static struct action make_action(struct world *world, enum action_kind kind, const char *uuid)
{
    struct action action = {.id = ++world->last_id, .kind = kind, .timeout_us = 20 * SECOND_US};

    strcpy(action.target.hypervisor, "room");
    strcpy(action.target.uuid, uuid);
    return action;
}

static void wait_for_answer(struct world *world)
{
    assert_false(world->is_answered); /* never from inside submit */
    assert_true(loop_until(world->base, &world->is_answered));
    assert_int_equal(world->answered.id, world->last_id);
    world->is_answered = false;
}

static void perform(struct world *world, enum action_kind kind, const char *uuid)
{
    struct action action = make_action(world, kind, uuid);

    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
}

/* The action's result, after its events have come too. */
static int do_action(struct world *world, enum action_kind kind, const char *uuid)
{
    world->n_events = 0;
    perform(world, kind, uuid);
    loop_drain(world->base);
    return world->result.error;
}

static void assert_state(struct world *world, const char *uuid, enum machine_state state, enum machine_reason reason)
{
    perform(world, ACTION_GET_STATE, uuid);
    assert_int_equal(world->result.error, 0);
    assert_int_equal(world->result.state, state);
    assert_int_equal(world->result.reason, reason);
}

static void assert_event(const struct world *world, enum domain_event_kind kind, const char *name)
{
    for (size_t i = 0; i < world->n_events; i++)
        if (world->events[i] == kind && strcmp(world->event_names[i], name) == 0)
            return;
    fail_msg("no event %d of %s", (int)kind, name);
}

static const struct domain_report *find_report(const struct world *world, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];

    assert_true(uuid_parse(uuid, bytes));
    for (size_t i = 0; i < world->inventory->n_reports; i++)
        if (uuid_equal(world->inventory->reports[i].description->uuid, bytes))
            return &world->inventory->reports[i];
    return NULL;
}

static void lists_what_there_is(void **state)
{
    struct world *world = *state;
    const struct domain_report *runs, *off, *paused;
    struct feature_text feature;
    size_t place = 0;

    perform(world, ACTION_LIST, "");
    assert_int_equal(world->inventory->n_reports, 3);
    runs = find_report(world, UUID_RUNS);
    off = find_report(world, UUID_OFF);
    paused = find_report(world, UUID_PAUSED);
    assert_non_null(runs);
    assert_non_null(off);
    assert_non_null(paused);
    assert_int_equal(runs->state, MACHINE_RUNNING);
    assert_int_equal(off->state, MACHINE_SHUT_OFF);
    assert_int_equal(paused->state, MACHINE_PAUSED);
    assert_true(runs->persistent && off->persistent);
    assert_false(off->has_managed_save);
    assert_string_equal(off->description->name, "off");
    assert_int_equal(off->description->memory_kib, 64 * 1024);
    assert_true(feature_texts_next(&runs->description->features, &place, &feature));
    assert_string_equal(feature.value, "mysql");
    assert_false(feature_texts_next(&runs->description->features, &place, &feature));
}

static void tells_a_fault_once(void **state)
{
    struct world *world = *state;

    perform(world, ACTION_LIST, "");
    assert_int_equal(world->faults, 1);
    assert_non_null(strstr(world->fault, "hero"));
    perform(world, ACTION_LIST, "");
    perform(world, ACTION_DESCRIBE, UUID_RUNS);
    assert_int_equal(world->faults, 1);
}

static void finds_capacities_and_remembers_them(void **state)
{
    struct world *world = *state;
    const struct disk *disk;

    perform(world, ACTION_LIST, "");
    assert_int_equal(find_report(world, UUID_RUNS)->description->disks[0].capacity_bytes, 0);
    assert_true(loop_until(world->base, &world->has_capacity));
    assert_int_equal(world->capacity_bytes, 1234567);
    assert_string_equal(world->capacity_source, "images/runs.img");

    perform(world, ACTION_LIST, "");
    disk = find_report(world, UUID_RUNS)->description->disks;
    assert_int_equal(disk[0].capacity_bytes, 1234567);
    assert_string_equal(disk[3].source, "/cd.iso");
    assert_int_equal(disk[3].capacity_bytes, 0); /* not writable: it is not asked for */
    perform(world, ACTION_DESCRIBE, UUID_RUNS);
    assert_int_equal(world->report.description->disks[0].capacity_bytes, 1234567);
    loop_drain(world->base);
    assert_int_equal(world->capacities, 1);
}

/* By its volume, which is not there as a file: what it is called there, and what stands below it, as far as that is known. */
static void finds_what_a_disk_is(void **state)
{
    struct world *world = *state;
    const struct domain_description *description;

    perform(world, ACTION_LIST, "");
    assert_true(loop_until(world->base, &world->is_recognised));
    perform(world, ACTION_LIST, "");
    description = find_report(world, UUID_RUNS)->description;
    assert_int_equal(description->n_disks, 4);
    assert_string_equal(description->disks[0].source, "images/runs.img");
    assert_string_equal(disk_identity(&description->disks[0]), "/images/runs.img");
    assert_false(description->disks[0].is_networked);
    assert_false(description->disks[0].has_chain); /* the last one is no volume: what is below that is not known */
    assert_string_equal(description->disks[1].source, "/images/middle.img");
    assert_true(description->disks[1].is_backing);
    assert_string_equal(description->disks[2].source, "/elsewhere/base.img");
    assert_true(description->disks[2].is_backing);
    assert_false(description->disks[3].is_backing);
}

static void inspects_one(void **state)
{
    struct world *world = *state;

    perform(world, ACTION_DESCRIBE, UUID_OFF);
    assert_true(world->had_report);
    assert_string_equal(world->report.description->name, "off");
    assert_int_equal(world->report.state, MACHINE_SHUT_OFF);
    assert_true(world->report.persistent);
    perform(world, ACTION_DESCRIBE, UUID_NONE);
    assert_false(world->had_report);
    assert_int_equal(world->inspections, 2);
}

static void a_crash_is_told_as_one(void **state)
{
    struct world *world = *state;
    struct action action = make_action(world, ACTION_GET_STATE, UUID_RUNS);

    assert_int_equal(hypervisor_crash(world->hypervisor, &action), 0);
    wait_for_answer(world);
    assert_int_equal(world->result.error, 0);
    loop_drain(world->base);
    assert_event(world, EVENT_STOPPED_CRASHED, "runs");
    assert_state(world, UUID_RUNS, MACHINE_SHUT_OFF, REASON_CRASHED);

    /* One that is off cannot crash, and libvirt says so in its own words. */
    action = make_action(world, ACTION_GET_STATE, UUID_OFF);
    assert_int_equal(hypervisor_crash(world->hypervisor, &action), 0);
    wait_for_answer(world);
    assert_int_equal(world->result.error, -EIO);
    assert_non_null(strstr(world->result.message, "not running"));
}

static void starts_what_is_off_and_resumes_what_a_user_paused(void **state)
{
    struct world *world = *state;

    assert_int_equal(do_action(world, ACTION_START, UUID_OFF), 0);
    assert_event(world, EVENT_STARTED_BOOTED, "off");
    assert_state(world, UUID_OFF, MACHINE_RUNNING, REASON_UNKNOWN);
    assert_int_equal(do_action(world, ACTION_START, UUID_OFF), -EALREADY);
    assert_int_equal(world->n_events, 0);
    assert_int_equal(do_action(world, ACTION_START, UUID_NONE), -ENOENT);

    /* The node file says only that it is paused, not why: no user, no resume. */
    assert_int_equal(do_action(world, ACTION_START, UUID_PAUSED), -EIO);
    assert_non_null(strstr(world->result.message, "paused"));
    assert_state(world, UUID_PAUSED, MACHINE_PAUSED, REASON_UNKNOWN);
}

static void destroys_what_runs_and_counts_what_is_off_as_success(void **state)
{
    struct world *world = *state;

    assert_int_equal(do_action(world, ACTION_DESTROY, UUID_RUNS), 0);
    assert_event(world, EVENT_STOPPED_DESTROYED, "runs");
    assert_state(world, UUID_RUNS, MACHINE_SHUT_OFF, REASON_DESTROYED);
    assert_int_equal(do_action(world, ACTION_DESTROY, UUID_RUNS), 0);
    assert_int_equal(world->n_events, 0);
    assert_int_equal(do_action(world, ACTION_DESTROY, UUID_PAUSED), 0);
    assert_int_equal(do_action(world, ACTION_DESTROY, UUID_NONE), -ENOENT);
    assert_int_not_equal(strlen(world->result.message), 0);
    assert_int_equal(do_action(world, ACTION_GET_STATE, UUID_NONE), -ENOENT);
}

static void shuts_down_what_runs_and_says_what_it_found(void **state)
{
    struct world *world = *state;

    assert_int_equal(do_action(world, ACTION_SHUTDOWN, UUID_RUNS), 0);
    assert_int_equal(world->result.state, MACHINE_RUNNING); /* when its guest was asked */
    assert_event(world, EVENT_STOPPED_SHUTDOWN, "runs");
    assert_state(world, UUID_RUNS, MACHINE_SHUT_OFF, REASON_SHUTDOWN);
    assert_int_equal(do_action(world, ACTION_SHUTDOWN, UUID_RUNS), 0);
    assert_int_equal(world->result.state, MACHINE_SHUT_OFF);
    assert_int_equal(world->n_events, 0);
    assert_int_equal(do_action(world, ACTION_SHUTDOWN, UUID_NONE), -ENOENT);
    assert_int_not_equal(strlen(world->result.message), 0);
}

static int set_metadata(struct world *world, const char *uuid, struct metadata_change change)
{
    struct action action = make_action(world, ACTION_SET_METADATA, uuid);

    action.metadata = change;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    return world->result.error;
}

static void writes_metadata_and_takes_it_back(void **state)
{
    static const char *const uuids[] = {UUID_RUNS, UUID_OFF};
    const struct metadata_change kept = {
        .roles = ROLE_PROTECTED,
        .sets_priority = true,
        .priority = 4,
        .service = "web & shop",
    };
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(uuids); i++) {
        for (unsigned times = 0; times < 2; times++) {
            assert_int_equal(set_metadata(world, uuids[i], kept), 0);
            perform(world, ACTION_READ, uuids[i]);
            assert_int_equal(world->report.description->roles, ROLE_PROTECTED);
            assert_int_equal(world->report.description->priority, 4);
            assert_string_equal(world->report.description->service, "web & shop");
        }
        assert_int_equal(set_metadata(world, uuids[i], (struct metadata_change){.roles = ROLE_IGNORED}), 0);
        perform(world, ACTION_READ, uuids[i]);
        assert_int_equal(world->report.description->roles, ROLE_IGNORED);
        assert_int_equal(world->report.description->priority, 4);
        assert_null(world->report.description->service);
    }
    assert_int_equal(set_metadata(world, UUID_NONE, kept), -ENOENT);
}

static int set_autostart(struct world *world, const char *uuid, bool autostart)
{
    struct action action = make_action(world, ACTION_SET_AUTOSTART, uuid);

    action.autostart = autostart;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    return world->result.error;
}

static void switches_autostart_on_and_off(void **state)
{
    static const char *const uuids[] = {UUID_RUNS, UUID_OFF};
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(uuids); i++)
        for (unsigned times = 0; times < 4; times++) {
            assert_int_equal(set_autostart(world, uuids[i], times < 2), 0);
            assert_int_equal(do_action(world, ACTION_GET_AUTOSTART, uuids[i]), 0);
            assert_int_equal(world->result.autostart, times < 2);
        }
    assert_int_equal(set_autostart(world, UUID_NONE, true), -ENOENT);
    assert_int_equal(do_action(world, ACTION_GET_AUTOSTART, UUID_NONE), -ENOENT);
}

/* The test driver has no agents: that says nothing about a guest, and must not look as if it were silent. */
static void a_probe_without_an_answer_of_the_hypervisor_is_an_error(void **state)
{
    struct world *world = *state;

    assert_int_equal(do_action(world, ACTION_CHECK_ALIVE, UUID_RUNS), -EIO);
    assert_int_not_equal(strlen(world->result.message), 0);
    assert_int_equal(do_action(world, ACTION_CHECK_ALIVE, UUID_OFF), -EIO);
    assert_string_equal(world->result.message, "the machine is shut off");
    assert_int_equal(do_action(world, ACTION_CHECK_ALIVE, UUID_NONE), -ENOENT);
}

static void verifying_says_what_is_missing(void **state)
{
    struct world *world = *state;
    struct action action = make_action(world, ACTION_VERIFY, UUID_RUNS);

    action.level = VERIFY_AGENT;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    assert_true(world->result.error < 0);
    assert_int_not_equal(strlen(world->result.message), 0);

    action = make_action(world, ACTION_VERIFY, UUID_OFF);
    action.level = VERIFY_TCP;
    action.port = 80;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    assert_int_equal(world->result.error, -EAGAIN);
    assert_non_null(strstr(world->result.message, "address"));
}

/* What the test driver says of its host's memory is invented, and must not keep anything from being started. */
static void memory_of_a_test_is_not_known(void **state)
{
    struct world *world = *state;

    perform(world, ACTION_LIST, "");
    assert_int_equal(world->inventory->free_memory_kib, 0);
    perform(world, ACTION_GET_STATE, UUID_RUNS);
    assert_int_equal(world->result.free_memory_kib, 0);
}

static void many_questions_are_all_answered(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 200; i++) {
        struct action action = make_action(world, i % 2 == 0 ? ACTION_GET_STATE : ACTION_DESCRIBE, UUID_OFF);

        assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    }
    while (world->results + world->inspections < 200) {
        world->is_answered = false;
        assert_true(loop_until(world->base, &world->is_answered));
    }
    loop_drain(world->base);
    assert_int_equal(world->results, 100);
    assert_int_equal(world->inspections, 100);
    assert_false(hypervisor_is_stuck(world->hypervisor));
}

/* As much as the deadline may pass before the call has begun: still one answer, and no word of success. */
static void a_deadline_in_the_past_is_answered_once(void **state)
{
    struct world *world = *state;
    struct action action = make_action(world, ACTION_LIST, "");

    action.timeout_us = 0;
    world->are_all_back = true;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    assert_true(loop_until(world->base, &world->is_answered));
    world->is_answered = false;
    perform(world, ACTION_GET_STATE, UUID_OFF);
    assert_true(loop_until(world->base, &world->are_all_back));
    assert_int_equal(world->results + (world->inventory != NULL), 2);
}

static void without_a_connection_it_says_so(void **state)
{
    struct world *world = *state;
    struct action action;

    open_hypervisor(world, "test:///nonexistent/node.xml");
    action = make_action(world, ACTION_START, UUID_OFF);
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    assert_int_equal(world->result.error, -ENOTCONN);
    assert_true(loop_until(world->base, &world->is_down));
    assert_int_not_equal(strlen(world->why), 0);
    assert_int_equal(world->connected, 0);
}

/* The node file appears later: it is found by itself, and the failures before it were told once. */
static void tries_again_until_it_is_there(void **state)
{
    struct world *world = *state;
    char hidden[80];

    snprintf(hidden, sizeof(hidden), "%s.hidden", world->file);
    assert_int_equal(rename(world->file, hidden), 0);
    open_hypervisor(world, world->uri);
    assert_true(loop_until(world->base, &world->is_down));
    assert_int_equal(rename(hidden, world->file), 0);
    assert_true(loop_until(world->base, &world->is_connected));
    assert_int_equal(world->disconnected, 1);
    assert_int_equal(world->connected, 1);
}

#define SILENT_ATTEMPTS 20

/* A host that accepts connections and says nothing. */
struct silent {
    struct event *listener;
    int fd;
    int clients[SILENT_ATTEMPTS];
    size_t n_clients;
    bool is_enough;
};

static void accept_silently(evutil_socket_t fd, short what, void *context)
{
    struct silent *silent = context;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)what;
    assert_true(client >= 0);
    if (silent->is_enough) {
        close(client);
        return;
    }
    silent->clients[silent->n_clients++] = client;
    silent->is_enough = silent->n_clients == SILENT_ATTEMPTS;
}

static void silent_open(struct world *world, struct silent *silent, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, path);
    silent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(silent->fd >= 0);
    assert_int_equal(bind(silent->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(silent->fd, 8), 0);
    silent->listener = event_new(world->base, silent->fd, EV_READ | EV_PERSIST, accept_silently, silent);
    assert_non_null(silent->listener);
    assert_int_equal(event_add(silent->listener, NULL), 0);
}

static void silent_close(struct silent *silent)
{
    event_free(silent->listener);
    close(silent->fd);
    for (size_t i = 0; i < silent->n_clients; i++)
        close(silent->clients[i]);
}

static size_t count_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    size_t n = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(directory);
    return n;
}

/* After 12 attempts nothing was tried any more, also when the host answered again, and nothing said so. */
static void a_silent_host_is_tried_for_ever_by_few_threads(void **state)
{
    struct world *world = *state;
    struct silent silent = {0};
    char path[80], uri[128];
    size_t threads = count_threads();

    snprintf(path, sizeof(path), "%s.sock", world->file);
    snprintf(uri, sizeof(uri), "test+unix:///default?socket=%s", path);
    silent_open(world, &silent, path);
    open_hypervisor_within(world, uri, SECOND_US / 10, SECOND_US / 10);
    assert_true(loop_until(world->base, &silent.is_enough));
    assert_true(count_threads() <= threads + 3); /* one of an earlier test may have ended meanwhile */
    assert_int_equal(world->disconnected, 1);    /* said once */
    assert_non_null(strstr(world->why, "did not answer in time"));
    assert_int_equal(world->overdue, 0);
    /* Something else is wrong now, which is said as well. */
    world->is_down = false;
    unlink(path);
    silent_close(&silent);
    assert_true(loop_until(world->base, &world->is_down));
    assert_int_equal(world->disconnected, 2);
    assert_null(strstr(world->why, "did not answer in time"));
}

static void ends_quietly_in_the_middle(void **state)
{
    struct world *world = *state;
    struct action action = make_action(world, ACTION_LIST, "");

    /* While it connects, and then with calls under way. */
    open_hypervisor(world, world->uri);
    hypervisor_free(world->hypervisor, 20 * SECOND_US);
    loop_drain(world->base);
    assert_int_equal(world->connected, 0);

    open_hypervisor(world, world->uri);
    assert_true(loop_until(world->base, &world->is_connected));
    for (int i = 0; i < 8; i++)
        assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    hypervisor_free(world->hypervisor, 20 * SECOND_US);
    world->hypervisor = NULL;
    loop_drain(world->base);
    assert_false(world->is_answered);
}

static void knows_a_test_when_it_sees_one(void **state)
{
    struct world *world = *state;

    assert_true(hypervisor_is_test(world->hypervisor));
}

/* ---- templates ---- */

/* Its machines are made in this storage pool. */
static void set_template(struct world *world, const char *pool)
{
    struct diags diags = {0};
    struct template_set *set;
    struct template *template;
    char xml[640];

    snprintf(xml, sizeof(xml),
             "<domain><memory unit='MiB'>64</memory><metadata><u:machine xmlns:u='urn:understudy:domain:1.0'>"
             "<u:template pool='%s'/></u:machine></metadata><devices><disk type='volume' device='disk'>"
             "<source pool='images' volume='runs.img'/><target dev='vda'/></disk></devices></domain>",
             pool);
    assert_int_equal(template_parse("web", "web.xml", xml, strlen(xml), &diags, &template), 0);
    assert_int_equal(template_set_new(&set), 0);
    assert_int_equal(template_set_add(set, template), 0);
    hypervisor_set_templates(world->hypervisor, set);
    template_set_free(set);
    template_free(template);
    diags_done(&diags);
}

static const struct domain_description *list_slot(struct world *world)
{
    perform(world, ACTION_LIST, "");
    for (size_t i = 0; i < world->inventory->n_reports; i++)
        if (world->inventory->reports[i].state == MACHINE_TEMPLATE)
            return world->inventory->reports[i].description;
    fail_msg("no slot is listed");
    return NULL;
}

/* Each listing has the storage looked at, and what is found, perhaps before its answer is here, is in one of the next. */
static const char *list_until_obstacle(struct world *world, bool is_wanted)
{
    const char *obstacle;

    world->is_recognised = false;
    while (((obstacle = list_slot(world)->obstacle) != NULL) != is_wanted) {
        assert_true(loop_until(world->base, &world->is_recognised));
        world->is_recognised = false;
    }
    return obstacle;
}

/* Until a listing makes nothing more known. */
static void list_until_quiet(struct world *world)
{
    const struct timeval pause = {.tv_usec = 300000};

    do {
        world->is_recognised = false;
        list_slot(world);
        assert_int_equal(event_base_loopexit(world->base, &pause), 0);
        assert_true(event_base_dispatch(world->base) >= 0);
    } while (world->is_recognised);
}

/* One that runs, and so many that are off. */
static void write_crowd(const struct world *world, unsigned n_off)
{
    FILE *file = fopen(world->file, "w");

    assert_non_null(file);
    fputs("<node>" DOMAIN("runs", UUID_RUNS, "1", ""), file);
    for (unsigned i = 0; i < n_off; i++)
        fprintf(file, DOMAIN("off-%u", "11111111-0000-4000-8000-00000001%04u", "5", ""), i, i);
    fputs("</node>", file);
    assert_int_equal(fclose(file), 0);
}

static size_t list_and_count_described(struct world *world, bool may_be_brief)
{
    struct action action = make_action(world, ACTION_LIST, "");
    size_t n_described = 0;

    action.may_be_brief = may_be_brief;
    assert_int_equal(hypervisor_submit(world->hypervisor, &action), 0);
    wait_for_answer(world);
    for (size_t i = 0; i < world->inventory->n_reports; i++)
        n_described += world->inventory->reports[i].description != NULL;
    return n_described;
}

/* How many were made from a template, their definitions say. */
static void of_very_many_only_what_runs_is_described_if_it_may_be_and_nothing_is_made(void **state)
{
    struct world *world = *state;

    write_crowd(world, 1000);
    open_hypervisor(world, world->uri);
    assert_true(loop_until(world->base, &world->is_connected));
    assert_int_equal(list_and_count_described(world, false), 1001);
    assert_false(world->inventory->is_brief);
    assert_int_equal(list_and_count_described(world, true), 1);
    assert_true(world->inventory->is_brief);
    assert_int_equal(world->inventory->n_reports, 1001);
    set_template(world, "images");
    assert_true(list_and_count_described(world, true) > 1001); /* and slots */
    assert_false(world->inventory->is_brief);
}

static void of_few_all_are_described(void **state)
{
    struct world *world = *state;

    write_crowd(world, 900);
    open_hypervisor(world, world->uri);
    assert_true(loop_until(world->base, &world->is_connected));
    assert_int_equal(list_and_count_described(world, true), 901);
}

static void what_is_in_the_way_of_a_template_is_listed(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "slow");
    assert_string_equal(list_until_obstacle(world, true),
                        "there is no storage pool slow, in which the template has its machines made");
    uuid_format(list_slot(world)->uuid, uuid);
    perform(world, ACTION_READ, uuid); /* before a start */
    assert_non_null(world->report.description->obstacle);
    list_until_quiet(world); /* what is told from here on is told of what is in the way */
    set_template(world, "images");
    list_until_obstacle(world, false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_what_there_is, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(what_is_in_the_way_of_a_template_is_listed, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(tells_a_fault_once, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(finds_capacities_and_remembers_them, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(finds_what_a_disk_is, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(inspects_one, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(a_crash_is_told_as_one, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(starts_what_is_off_and_resumes_what_a_user_paused, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(destroys_what_runs_and_counts_what_is_off_as_success, setup_connected,
                                        teardown),
        cmocka_unit_test_setup_teardown(shuts_down_what_runs_and_says_what_it_found, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(writes_metadata_and_takes_it_back, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(switches_autostart_on_and_off, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(a_probe_without_an_answer_of_the_hypervisor_is_an_error, setup_connected,
                                        teardown),
        cmocka_unit_test_setup_teardown(verifying_says_what_is_missing, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(memory_of_a_test_is_not_known, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(many_questions_are_all_answered, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(a_deadline_in_the_past_is_answered_once, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(knows_a_test_when_it_sees_one, setup_connected, teardown),
        cmocka_unit_test_setup_teardown(without_a_connection_it_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(tries_again_until_it_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_host_is_tried_for_ever_by_few_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_quietly_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(of_very_many_only_what_runs_is_described_if_it_may_be_and_nothing_is_made,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(of_few_all_are_described, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
