/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory runs out while libvirt's test driver is listed, at each place where it can: nothing is freed twice, nothing
 * is lost, and no machine counts as absent. The linker passes this program's own allocations through here; those of
 * libvirt and of the C library, which ends the process or is not ours, are left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/coordinator.h"
#include "hypervisor/hypervisor.h"
#include "loop.h"
#include "files/config_file.h"

#define STEP_US    (2 * USEC_PER_SEC)
#define ROUNDS_MAX 200
#define UUID(last) "11111111-0000-4000-8000-00000000000" last
#define UUID_RUNS  UUID("1")

/* ---- allocations that fail ---- */

/* How many more succeed; negative: all. Then one fails, or all that follow. */
static atomic_long n_left = -1;
static atomic_bool fails_on;
static atomic_bool has_failed;

static bool must_fail(void)
{
    long before = atomic_load(&n_left);

    do {
        if (before < 0)
            return false;
    } while (!atomic_compare_exchange_weak(&n_left, &before, before == 0 && atomic_load(&fails_on) ? 0 : before - 1));
    if (before > 0)
        return false;
    atomic_store(&has_failed, true);
    errno = ENOMEM;
    return true;
}

static void begin_to_fail_after(long n, bool on)
{
    atomic_store(&has_failed, false);
    atomic_store(&fails_on, on);
    atomic_store(&n_left, n);
}

/* True: there was something to fail. */
static bool end_failing(void)
{
    atomic_store(&n_left, -1);
    return atomic_load(&has_failed);
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **ret, const char *format, va_list arguments);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_asprintf(char **ret, const char *format, ...);

void *__wrap_malloc(size_t size)
{
    return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return must_fail() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return must_fail() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
    return must_fail() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return must_fail() ? NULL : __real_strndup(text, n);
}

/* What a failed one leaves in *ret is undefined; here it is nothing that may be freed. */
int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
    if (!must_fail())
        return __real_vasprintf(ret, format, arguments);
    *ret = (char *)ret;
    return -1;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = __wrap_vasprintf(ret, format, arguments);
    va_end(arguments);
    return r;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- the daemon's part, from libvirt to the coordinator ---- */

#define DOMAIN(name, last, state)                                                                                      \
    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" name "</name><uuid>" UUID(    \
        last) "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>"                           \
              "<metadata><understudy:machine xmlns:understudy='urn:understudy:domain:1.0' hero='yes'>"                 \
              "<understudy:resource kind='database'>mysql</understudy:resource></understudy:machine></metadata>"       \
              "<devices><disk type='file' device='disk'><source file='/images/" name "'/><target dev='vda'/></disk>"   \
              "<interface type='user'><mac address='52:54:00:00:00:0" last "'/></interface>"                           \
              "<hostdev mode='subsystem' type='pci'><source><address bus='0x0" last "'/></source></hostdev></devices>" \
              "<test:runstate>" state "</test:runstate></domain>"

static const char node_xml[] =
    "<node>" DOMAIN("runs", "1", "1") DOMAIN("off", "2", "5") DOMAIN("paused", "3", "3") "</node>";

static const char config_text[] = "hypervisors: [{name: room, uri: 'test:///default'}]\n"
                                  "pool: {protect: ['*'], standby: ['*']}\n";

static const char template_xml[] =
    "<domain><memory unit='MiB'>64</memory><devices><disk type='file' device='disk'><source file='/images/base'/>"
    "<target dev='vda'/></disk></devices></domain>";

static const struct machine_ref machine_that_runs = {.hypervisor = "room", .uuid = UUID_RUNS};

struct world {
    struct event_base *base;
    char file[64];
    struct hypervisor *hypervisor;
    struct template_set *templates; /* one, from which one machine can be made */
    struct config *config;
    struct coordinator *coordinator;
    struct moment now;
    bool finds_a_crash; /* listings say of the machine that runs that it has crashed */
    bool is_connected;
    bool is_answered;
    int error; /* of the answer; 0: it was an inventory */
};

static void on_connected(void *context, const char *hypervisor)
{
    struct world *world = context;

    coordinator_handle_connected(world->coordinator, hypervisor, world->now);
    world->is_connected = true;
}

static void on_disconnected(void *context, const char *hypervisor, const char *why)
{
    (void)context;
    fail_msg("%s: %s", hypervisor, why);
}

static void on_refused(void *context, const char *hypervisor)
{
    (void)context;
    (void)hypervisor;
}

static void on_event(void *context, const char *hypervisor, const struct domain_event *event)
{
    (void)context;
    (void)hypervisor;
    (void)event;
}

static void on_inventory(void *context, const struct action *action, struct inventory *inventory)
{
    struct world *world = context;
    uint8_t runs[UUID_SIZE];

    assert_true(uuid_parse(UUID_RUNS, runs));
    assert_int_equal(inventory->n_reports + inventory->n_unread, 4);
    for (size_t i = 0; world->finds_a_crash && i < inventory->n_reports; i++)
        if (uuid_equal(inventory->reports[i].description->uuid, runs)) {
            inventory->reports[i].state = MACHINE_SHUT_OFF;
            inventory->reports[i].reason = REASON_CRASHED;
        }
    coordinator_handle_inventory(world->coordinator, action, inventory, world->now);
    world->error = 0;
    world->is_answered = true;
}

static void on_inspection(void *context, const struct action *action, struct domain_report *report)
{
    struct world *world = context;

    coordinator_handle_description(world->coordinator, action, report, world->now);
    world->error = 0;
    world->is_answered = true;
}

static void on_result(void *context, const struct action *action, const struct action_result *result)
{
    struct world *world = context;

    coordinator_handle_result(world->coordinator, action, result, world->now);
    world->error = result->error;
    world->is_answered = true;
}

static void on_recognised(void *context, const char *hypervisor)
{
    struct world *world = context;

    coordinator_handle_recognised(world->coordinator, hypervisor, world->now);
}

static void on_capacity(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes)
{
    struct world *world = context;

    coordinator_handle_capacity(world->coordinator, machine, source, capacity_bytes);
}

static void on_overdue(void *context, const char *hypervisor, const char *call, int64_t for_us)
{
    (void)context;
    (void)for_us;
    fail_msg("%s: %s is overdue", hypervisor, call);
}

static void on_came_back(void *context, const struct action *action, const struct action_result *result)
{
    (void)context;
    (void)action;
    (void)result;
}

static void on_fault(void *context, const struct machine_ref *machine, const char *text)
{
    (void)context;
    (void)machine;
    (void)text;
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

static int make_template(struct template_set *templates)
{
    _cleanup_(template_freep) struct template *template = NULL;
    struct diags diags = {0};
    int r = template_parse("base", "base.xml", template_xml, strlen(template_xml), &diags, &template);

    diags_done(&diags);
    return r == 0 ? template_set_add(templates, template) : r;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diags diags = {0};
    int fd;

    if (world == NULL || config_parse(config_text, strlen(config_text), "test", &diags, &world->config) < 0 ||
        template_set_new(&world->templates) < 0 || make_template(world->templates) < 0)
        return -1;
    diags_done(&diags);
    strcpy(world->file, "/tmp/understudy-node-XXXXXX");
    fd = mkstemp(world->file);
    if (fd < 0 || write(fd, node_xml, strlen(node_xml)) != (ssize_t)strlen(node_xml) || close(fd) != 0)
        return -1;
    world->base = loop_new();
    *state = world;
    return hypervisor_library_init(world->base);
}

static int teardown(void **state)
{
    struct world *world = *state;

    loop_drain(world->base);
    hypervisor_library_done();
    event_base_free(world->base);
    template_set_free(world->templates);
    config_free(world->config);
    unlink(world->file);
    free(world);
    return 0;
}

/* A daemon that has just connected, and may know something from before. */
static void begin(struct world *world, const struct machine_memory *memory)
{
    const struct hypervisor_options options = {.name = "room",
                                               .uri = world->file,
                                               .call_timeout_us = 20 * USEC_PER_SEC,
                                               .reconnect_max_us = USEC_PER_SEC,
                                               .templates = world->templates};
    char uri[sizeof(world->file) + 8];
    struct hypervisor_options with_uri = options;

    snprintf(uri, sizeof(uri), "test://%s", world->file);
    with_uri.uri = uri;
    world->now = (struct moment){.mono_us = USEC_PER_SEC, .real_us = INT64_C(1795359240000000)};
    world->is_connected = false;
    assert_int_equal(coordinator_new(world->config, NULL, &world->coordinator), 0);
    if (memory != NULL)
        assert_int_equal(coordinator_remember(world->coordinator, &machine_that_runs, memory), 0);
    assert_int_equal(hypervisor_new(world->base, &with_uri, &callbacks, world, &world->hypervisor), 0);
    assert_true(loop_until(world->base, &world->is_connected));
}

static void end(struct world *world)
{
    hypervisor_free(world->hypervisor, 20 * USEC_PER_SEC);
    coordinator_free(world->coordinator);
}

static void pass_time(struct world *world, int64_t us)
{
    world->now.mono_us += us;
    world->now.real_us += us;
    coordinator_tick(world->coordinator, world->now);
}

/* The listing that the coordinator asks for next; the rest is left unanswered. False: it asks for none. */
static bool next_listing(struct world *world, struct action *ret)
{
    while (coordinator_next_action(world->coordinator, ret))
        if (ret->kind == ACTION_LIST)
            return true;
    return false;
}

static void ask(struct world *world, const struct action *action)
{
    struct action_result result = {.id = action->id};

    world->is_answered = false;
    result.error = hypervisor_submit(world->hypervisor, action);
    if (result.error < 0)
        on_result(world, action, &result);
    assert_true(loop_until(world->base, &world->is_answered));
}

/* Lists with the n-th allocation failing. False: there were fewer. */
static bool list_short_of_memory(struct world *world, long n, bool fails_on_after)
{
    struct action action;

    assert_true(next_listing(world, &action));
    begin_to_fail_after(n, fails_on_after);
    ask(world, &action);
    assert_true(world->error == 0 || world->error == -ENOMEM);
    return end_failing();
}

static void list_again(struct world *world)
{
    struct action action;

    pass_time(world, STEP_US);
    if (next_listing(world, &action))
        ask(world, &action);
}

static void assert_known(const struct world *world, const char *uuid, enum machine_state state)
{
    const struct machine *machine = pool_find(coordinator_pool(world->coordinator), "room", uuid);

    assert_non_null(machine);
    assert_true(machine->is_present);
    assert_int_equal(machine->state, state);
}

/* What could be made has a UUID that is the hypervisor's to choose. */
static void assert_template_is_known(const struct world *world)
{
    unsigned count = 0;

    for (const struct machine *machine = NULL;
         (machine = pool_next(coordinator_pool(world->coordinator), machine)) != NULL;)
        count += machine->is_present && machine->state == MACHINE_TEMPLATE;
    assert_int_equal(count, 1);
}

static void assert_all_are_known(const struct world *world)
{
    assert_template_is_known(world);
    assert_known(world, UUID_RUNS, MACHINE_RUNNING);
    assert_known(world, UUID("2"), MACHINE_SHUT_OFF);
    assert_known(world, UUID("3"), MACHINE_PAUSED);
}

/* Nothing is told but that memory is missing, and nothing done. */
static void assert_nothing_has_happened(struct world *world)
{
    struct notice notice;

    while (coordinator_next_notice(world->coordinator, &notice)) {
        if (notice.kind != NOTICE_OUT_OF_MEMORY && notice.kind != NOTICE_HYPERVISOR_UP)
            fail_msg("told: %s", notice.text);
        notice_done(&notice);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static bool try_known_machines(struct world *world, long n, bool fails_on_after)
{
    bool had_failed;

    begin(world, NULL);
    list_again(world);
    assert_all_are_known(world);
    pass_time(world, world->config->discovery.resync_interval_us);
    had_failed = list_short_of_memory(world, n, fails_on_after);
    assert_all_are_known(world);
    assert_nothing_has_happened(world);
    list_again(world);
    assert_all_are_known(world);
    assert_nothing_has_happened(world);
    end(world);
    return had_failed;
}

static void test_listing_without_memory_makes_no_machine_absent(void **state)
{
    long n;

    for (n = 0; try_known_machines(*state, n, false); n++)
        ;
    assert_true(n > 50); /* or nothing is tried here */
    for (n = 0; try_known_machines(*state, n, true); n++)
        ;
}

static bool try_inspection(struct world *world, long n, bool fails_on_after)
{
    struct action action = {
        .id = 1000000, .kind = ACTION_DESCRIBE, .target = machine_that_runs, .timeout_us = 20 * USEC_PER_SEC};
    bool had_failed;

    begin(world, NULL);
    list_again(world);
    begin_to_fail_after(n, fails_on_after);
    ask(world, &action);
    had_failed = end_failing();
    assert_true(world->error == 0 || world->error == -ENOMEM);
    assert_all_are_known(world);
    assert_nothing_has_happened(world);
    end(world);
    return had_failed;
}

static void test_inspection_without_memory_makes_no_machine_absent(void **state)
{
    long n;

    for (n = 0; try_inspection(*state, n, false); n++)
        ;
    assert_true(n > 10);
    for (n = 0; try_inspection(*state, n, true); n++)
        ;
}

/* It ran when the daemon last did, and is found crashed by the first listing that is complete. */
static bool try_crash_before_start(struct world *world, long n, bool fails_on_after)
{
    const struct machine_memory memory = {.state = MACHINE_RUNNING};
    const struct coordinator *coordinator;
    bool had_failed;

    begin(world, &memory);
    coordinator = world->coordinator;
    had_failed = list_short_of_memory(world, n, fails_on_after);
    for (int i = 0; !coordinator_is_ready(coordinator) || coordinator_recovery_count(coordinator) == 0; i++) {
        assert_true(i < ROUNDS_MAX);
        list_again(world);
    }
    assert_int_equal(pool_count(coordinator_pool(coordinator)), 4);
    assert_int_equal(coordinator_recovery_count(coordinator), 1);
    assert_string_equal(coordinator_recovery(coordinator, 0)->failed_name, "runs");
    end(world);
    return had_failed;
}

static void test_crash_before_start_is_found_although_the_first_listing_lacked_memory(void **state)
{
    struct world *world = *state;
    long n;

    world->finds_a_crash = true;
    for (n = 0; try_crash_before_start(world, n, false); n++)
        ;
    assert_true(n > 50); /* or nothing is tried here */
    for (n = 0; try_crash_before_start(world, n, true); n++)
        ;
}

/* Exit status 78 would tell systemd that trying again is in vain. */
static void test_configuration_read_without_memory_is_not_taken_for_wrong(void **state)
{
    const char *path = SOURCE_DIR "/conf/understudy.yaml";
    struct diags diags;
    struct config *config;
    struct catalog *catalog;
    struct templates *templates;
    bool had_failed = true;

    (void)state;
    for (long n = 0; had_failed; n += 1 + n / 20) { /* the catalog has thousands of them */
        int r;

        catalog = NULL;
        templates = NULL;
        diags = (struct diags){0};
        config = NULL;
        begin_to_fail_after(n, false);
        r = config_file_load(path, &diags, &config, &catalog, &templates);
        had_failed = end_failing();
        assert_true(r == 0 || (r == -ENOMEM && had_failed));
        config_free(config);
        catalog_free(catalog);
        templates_free(templates);
        diags_done(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_listing_without_memory_makes_no_machine_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inspection_without_memory_makes_no_machine_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crash_before_start_is_found_although_the_first_listing_lacked_memory,
                                        setup, teardown),
        cmocka_unit_test(test_configuration_read_without_memory_is_not_taken_for_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
