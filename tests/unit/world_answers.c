/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the make-believe hypervisors, hooks and fence agents do when they are asked. Well-behaved, unless told not to be. */
#include "world_answers.h"

#include <errno.h>
#include <string.h>

#include "support.h"

unsigned world_host_of(const struct world *world, const struct machine_ref *ref)
{
    for (unsigned i = 0; i < world->n_hosts; i++)
        if (strcmp(ref->hypervisor, world->hosts[i]) == 0)
            return i;
    fail();
    return 0;
}

static void describe_hardware(struct domain_description *description, const struct world_domain *domain)
{
    const char *disk = machine_state_is_active(domain->state) && domain->opens != NULL ? domain->opens : domain->disk;
    bool has_chain = machine_state_is_active(domain->state);

    if (domain->memory_kib != 0)
        description->memory_kib = domain->memory_kib;
    if (disk != NULL) {
        description->disks = calloc(2, sizeof(*description->disks));
        assert_non_null(description->disks);
        description->disks[0] =
            (struct disk){.writable = true, .has_chain = has_chain, .is_missing = domain->disk_is_missing};
        assert_int_equal(disk_set_texts(&description->disks[description->n_disks++], disk, NULL, NULL, NULL), 0);
        if (has_chain && domain->below != NULL) {
            description->disks[1].is_backing = true;
            assert_int_equal(
                disk_set_texts(&description->disks[description->n_disks++], domain->below, NULL, NULL, NULL), 0);
        }
    }
    if (domain->mac != NULL)
        assert_int_equal(domain_description_add_mac(description, domain->mac), 0);
    description->has_agent_channel = domain->has_agent;
    description->agent_connected = domain->has_agent && domain->state == MACHINE_RUNNING;
}

static struct domain_report report_on(const struct world_domain *domain, unsigned number)
{
    struct domain_description *description =
        describe(domain->uuid_of != 0 ? domain->uuid_of - 1 : number, domain->name);

    describe_features(description, domain->features);
    if (domain->role != NULL)
        describe_role(description, domain->role);
    if (domain->metadata_faults != NULL) {
        description->metadata_faults = strdup(domain->metadata_faults);
        assert_non_null(description->metadata_faults);
    }
    if (domain->service[0] != '\0') {
        description->service = strdup(domain->service);
        assert_non_null(description->service);
    }
    if (domain->mark[0] != '\0') {
        description->mark = strdup(domain->mark);
        assert_non_null(description->mark);
    }
    if (domain->template != NULL) {
        description->template = strdup(domain->template);
        assert_non_null(description->template);
        description->is_unfinished = domain->is_unfinished;
        description->is_made_standby = domain->is_made_standby;
        description->names_service = domain->names_service;
    }
    if (domain->obstacle != NULL && domain->state == MACHINE_TEMPLATE) {
        description->obstacle = strdup(domain->obstacle);
        assert_non_null(description->obstacle);
    }
    describe_hardware(description, domain);
    description->on_crash = domain->on_crash;
    description->has_priority = domain->priority != 0; /* 0: its metadata says nothing of it */
    description->priority = domain->priority;
    return (struct domain_report){
        .description = description,
        .state = domain->state,
        .reason = domain->reason,
        .persistent = !domain->is_transient,
        .has_managed_save = domain->has_saved,
        .agent_connected = domain->has_agent && domain->state == MACHINE_RUNNING,
    };
}

/* Unless the daemon that asked is dead. */
void world_deliver(struct world *world, const struct action *action, const struct action_result *result)
{
    if (world->is_orphaned)
        return;
    if (world->is_late)
        coordinator_handle_late_result(world->coordinator, action, result, world->now);
    else
        coordinator_handle_result(world->coordinator, action, result, world->now);
}

static int64_t uptime(const struct world *world, unsigned hypervisor)
{
    if (world->booted_us[hypervisor] != 0)
        return world->now.mono_us - world->booted_us[hypervisor];
    return world->uptime_us[hypervisor];
}

static void list_crowd(const struct world *world, struct inventory *inventory)
{
    for (unsigned i = 0; i < world->crowd; i++)
        inventory->reports[inventory->n_reports++] = (struct domain_report){
            .description = describe(WORLD_CROWD_BEGIN + i, "one of many"),
            .state = MACHINE_SHUT_OFF,
            .reason = REASON_SHUTDOWN,
            .persistent = true,
        };
}

/* Of what is off, the definition is left out. */
static void make_brief(struct inventory *inventory)
{
    inventory->is_brief = true;
    for (size_t i = 0; i < inventory->n_reports; i++) {
        struct domain_report *report = &inventory->reports[i];

        if (machine_state_is_active(report->state))
            continue;
        memcpy(report->uuid, report->description->uuid, sizeof(report->uuid));
        domain_description_free(report->description);
        report->description = NULL;
    }
}

static void answer_list(struct world *world, const struct action *action, const struct world_domain *domains)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));
    unsigned host = world_host_of(world, &action->target);

    assert_non_null(inventory);
    inventory->reports = calloc(WORLD_DOMAINS + world->crowd, sizeof(*inventory->reports));
    inventory->unread = calloc(WORLD_DOMAINS, sizeof(*inventory->unread));
    assert_non_null(inventory->reports);
    assert_non_null(inventory->unread);
    inventory->is_read_only = world->is_read_only[host];
    inventory->free_memory_kib = world->free_memory_kib[host];
    inventory->uptime_us = uptime(world, host);
    for (unsigned i = 0; i < world->n_domains; i++) {
        if (!domains[i].exists || domains[i].hypervisor != host)
            continue;
        if (domains[i].is_unreadable)
            world_make_uuid(world, i, inventory->unread[inventory->n_unread++]);
        else
            inventory->reports[inventory->n_reports++] = report_on(&domains[i], i);
    }
    if (host == 0)
        list_crowd(world, inventory);
    if (action->may_be_brief && world->lists_briefly)
        make_brief(inventory);
    coordinator_handle_inventory(world->coordinator, action, inventory, world->now);
}

static void learn(struct domain_description *description, const char *features, bool is_part)
{
    _cleanup_(freep) char *copy = strdup(features);
    char *rest = copy, *word;

    while ((word = strsep(&rest, " ")) != NULL) {
        char *slash = strchr(word, '/');

        *slash = '\0';
        assert_int_equal(domain_description_learn(description, word, slash + 1), 0);
    }
    description->has_learned_part = is_part;
}

static void answer_description(struct world *world, const struct action *action, const struct world_domain *domains)
{
    unsigned number = world_number_of(world, &action->target);
    const struct world_domain *domain = &domains[number];
    struct domain_report report;

    if (!domain->exists || domain->hypervisor != world_host_of(world, &action->target)) {
        coordinator_handle_description(world->coordinator, action, NULL, world->now);
        return;
    }
    if (domain->is_unreadable) {
        struct action_result result = {.id = action->id, .error = -EIO, .message = "cannot be read"};

        world_deliver(world, action, &result);
        return;
    }
    report = report_on(domain, number);
    if (action->kind == ACTION_DISCOVER && domain->tells != NULL && !domain->is_mute)
        learn(report.description, domain->tells, domain->tells_part);
    report.description->is_starting = action->kind == ACTION_DISCOVER && domain->still_starts;
    coordinator_handle_description(world->coordinator, action, &report, world->now);
}

/* 1 second for QEMU itself. */
static uint64_t cpu_time_us(const struct world *world, const struct world_domain *domain)
{
    int64_t up_us = world->now.mono_us - domain->booted_us;

    return (uint64_t)(USEC_PER_SEC + (up_us < domain->boot_us ? up_us : domain->boot_us));
}

static void answer_state(struct world *world, const struct action *action, const struct world_domain *domains)
{
    const struct world_domain *domain = &domains[world_number_of(world, &action->target)];
    struct action_result result = {
        .id = action->id,
        .state = domain->state,
        .reason = domain->reason,
        .has_managed_save = domain->has_saved,
        .free_memory_kib = world->free_memory_kib[domain->hypervisor],
        .cpu_time_us = domain->state == MACHINE_RUNNING ? cpu_time_us(world, domain) : 0,
    };

    if (!domain->exists || domain->state == MACHINE_TEMPLATE)
        result.error = -ENOENT;
    world_deliver(world, action, &result);
}

void world_stop(struct world *world, unsigned number, enum machine_reason reason)
{
    struct world_domain *domain = &world->domains[number];

    domain->state = MACHINE_SHUT_OFF;
    domain->reason = reason;
    domain->started_for[0] = '\0';
    if (domain->is_transient)
        domain->exists = false;
}

void world_tell(struct world *world, unsigned number, enum domain_event_kind kind)
{
    const struct world_domain *domain = &world->domains[number];
    struct domain_event event = {.kind = kind, .name = domain->name, .at = world->now};

    if (!world->is_connected[domain->hypervisor])
        return;
    world_make_uuid(world, number, event.uuid);
    coordinator_handle_event(world->coordinator, world->hosts[domain->hypervisor], &event);
}

/* Of its host, by a machine that is up. */
static uint64_t taken_kib(const struct world_domain *domain)
{
    if (domain->resident_kib != 0)
        return domain->resident_kib;
    return domain->memory_kib != 0 ? domain->memory_kib : 1024 * 1024;
}

static void answer_destroy(struct world *world, const struct action *action)
{
    unsigned number = world_number_of(world, &action->target);
    struct world_domain *domain = &world->domains[number];
    struct action_result result = {.id = action->id};
    bool was_active = domain->exists && machine_state_is_active(domain->state);

    domain->destroys++;
    if (!domain->exists)
        result.error = -ENOENT;
    if (was_active) {
        world->free_memory_kib[domain->hypervisor] += taken_kib(domain);
        world_stop(world, number, REASON_DESTROYED);
    }
    if (world->answers_first)
        world_deliver(world, action, &result);
    if (was_active)
        world_tell(world, number, EVENT_STOPPED_DESTROYED);
    if (!world->answers_first)
        world_deliver(world, action, &result);
}

/* The guest goes down after the answer, if it does. */
static void answer_shutdown(struct world *world, const struct action *action)
{
    struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    struct action_result result = {.id = action->id, .state = domain->state};

    domain->shutdowns++;
    if (!domain->exists)
        result.error = -ENOENT;
    else if (domain->state == MACHINE_RUNNING && !domain->ignores_shutdown && domain->powers_off_us == 0)
        domain->powers_off_us = world->now.mono_us + domain->shutdown_us;
    world_deliver(world, action, &result);
}

/* Of the host, by a machine that is booted. */
static void take_memory(struct world *world, const struct world_domain *domain)
{
    uint64_t *free_kib = &world->free_memory_kib[domain->hypervisor];
    uint64_t needs_kib = taken_kib(domain);

    if (*free_kib > needs_kib && domain->state == MACHINE_SHUT_OFF)
        *free_kib -= needs_kib;
}

/* It is a domain from now on, whether it comes up or not. */
static void make(struct world_domain *domain, const struct action *action)
{
    bool is_standby = (action->metadata.roles & ROLE_STANDBY) != 0;

    assert_string_not_equal(action->metadata.service, "");
    domain->has_parts = true;
    if (domain->start_error != 0 && !is_standby)
        return;
    domain->is_made_standby = is_standby;
    domain->is_unfinished = domain->start_error != 0;
    domain->role = is_standby && !domain->is_unfinished ? "standby" : "ignored";
    domain->state = MACHINE_SHUT_OFF;
    domain->reason = REASON_UNKNOWN;
    if (domain->made_name != NULL)
        domain->name = domain->made_name;
}

static void unmake(struct world_domain *domain)
{
    domain->has_parts = false;
    if (!domain->is_unfinished)
        return;
    domain->is_unfinished = false;
    domain->state = MACHINE_TEMPLATE;
    domain->role = "standby";
}

static void answer_unmake(struct world *world, const struct action *action)
{
    unsigned number = world_number_of(world, &action->target);
    struct world_domain *domain = &world->domains[number];
    struct action_result result = {.id = action->id, .error = domain->unmake_error};
    bool was_defined = domain->state == MACHINE_SHUT_OFF;

    domain->unmakes++;
    if (result.error != 0)
        strcpy(result.message, "refused by the make-believe storage");
    else if (action->removes_data && domain->state == MACHINE_SHUT_OFF)
        domain->exists = false;
    else if (domain->has_parts && domain->state != MACHINE_TEMPLATE && !domain->is_unfinished)
        result.error = -EBUSY;
    else
        unmake(domain);
    if (result.error == 0 && was_defined)
        world_tell(world, number, EVENT_UNDEFINED);
    world_deliver(world, action, &result);
}

static void answer_start(struct world *world, const struct action *action)
{
    unsigned number = world_number_of(world, &action->target);
    struct world_domain *domain = &world->domains[number];
    struct action_result result = {.id = action->id, .error = domain->start_error};
    bool was_off, is_damaged = domain->state == MACHINE_SHUT_OFF && domain->has_saved && domain->is_damaged;

    if (domain->exists && domain->state == MACHINE_TEMPLATE)
        make(domain, action);
    result.dropped_image = result.error == 0 && is_damaged && action->may_drop_image;
    if (is_damaged)
        strcpy(result.message, "the image is damaged");
    if (!domain->exists) {
        result.error = -ENOENT;
        strcpy(result.message, "no such make-believe domain");
    } else if (domain->state == MACHINE_RUNNING) {
        result.error = -EALREADY;
    } else if (is_damaged && !result.dropped_image) {
        result.error = -EIO;
    } else if (result.error == 0) {
        strcpy(domain->started_for, action->recovery_id);
        take_memory(world, domain);
        was_off = domain->state == MACHINE_SHUT_OFF;
        if (was_off)
            domain->booted_us = world->now.mono_us;
        domain->state = MACHINE_RUNNING;
        domain->reason = REASON_UNKNOWN;
        domain->has_saved = false;
        if (was_off && !domain->is_unheard)
            world_tell(world, number, EVENT_STARTED_BOOTED);
        if (!domain->is_unheard)
            world_tell(world, number, EVENT_RESUMED);
        if (domain->dies_at_once)
            world_kill(world, number);
    } else {
        strcpy(result.message, "refused by the make-believe hypervisor");
    }
    world_deliver(world, action, &result);
}

static void answer_suspend(struct world *world, const struct action *action)
{
    unsigned number = world_number_of(world, &action->target);
    struct world_domain *domain = &world->domains[number];
    struct action_result result = {.id = action->id, .error = domain->suspend_error};

    if (domain->state != MACHINE_RUNNING && domain->state != MACHINE_PAUSED)
        result.error = -EIO;
    if (result.error == 0 && action->kind == ACTION_SAVE) {
        world_stop(world, number, REASON_SAVED);
        domain->has_saved = true;
        world_tell(world, number, EVENT_STOPPED_SAVED);
    } else if (result.error == 0) {
        domain->state = MACHINE_PAUSED;
        domain->reason = REASON_USER;
        world_tell(world, number, EVENT_SUSPENDED_PAUSED);
    }
    world_deliver(world, action, &result);
}

static void answer_clock(struct world *world, const struct action *action)
{
    struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    struct action_result result = {.id = action->id, .resident_kib = taken_kib(domain)};

    if (action->kind == ACTION_SET_CLOCK && (!domain->has_agent || domain->is_mute))
        result.error = -EAGAIN;
    else if (action->kind == ACTION_SET_CLOCK)
        domain->clocks_set++;
    world_deliver(world, action, &result);
}

static void answer_metadata(struct world *world, const struct action *action)
{
    unsigned number = world_number_of(world, &action->target);
    struct world_domain *domain = &world->domains[number];
    struct action_result result = {.id = action->id, .error = domain->exists ? domain->metadata_error : -ENOENT};

    if (result.error == 0 && action->metadata.sets_mark) {
        strcpy(domain->mark, action->metadata.mark);
        if (domain->is_made_standby && domain->role != NULL && strcmp(domain->role, "standby") == 0 &&
            ((domain->mark[0] != '\0' && strcmp(domain->mark, "warm") != 0) || action->metadata.has_served))
            domain->role = "ignored";
        world_tell(world, number, EVENT_CHANGED);
    } else if (result.error == 0) {
        domain->role = machine_roles_name(action->metadata.roles);
        if (action->metadata.sets_priority)
            domain->priority = action->metadata.priority;
        strcpy(domain->service, action->metadata.service);
        world_tell(world, number, EVENT_CHANGED);
    } else {
        strcpy(result.message, "refused by the make-believe hypervisor");
    }
    world_deliver(world, action, &result);
}

static void answer_autostart(struct world *world, const struct action *action)
{
    struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    struct action_result result = {.id = action->id, .error = domain->exists ? 0 : -ENOENT};

    if (result.error == 0 && action->kind == ACTION_SET_AUTOSTART)
        result.error = domain->autostart_error;
    if (result.error != 0)
        strcpy(result.message, "refused by the make-believe hypervisor");
    else if (action->kind == ACTION_SET_AUTOSTART)
        domain->autostart = action->autostart;
    result.autostart = domain->autostart;
    world_deliver(world, action, &result);
}

static void answer_remember(struct world *world, const struct action *action)
{
    struct machine_memory memory = coordinator_memory(world->coordinator, &action->target);
    struct action_result result = {.id = action->id, .error = world->record_error};

    if (result.error == 0)
        world_write_machine(world, &action->target, &memory);
    world_deliver(world, action, &result);
}

static void answer_check_alive(struct world *world, const struct action *action)
{
    const struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    struct action_result result = {
        .id = action->id,
        .error = domain->exists && domain->state == MACHINE_RUNNING ? 0 : -ENOENT,
        .probe = {.agent_answered = domain->has_agent && !domain->is_mute,
                  .has_counters = !domain->has_no_counters,
                  .lacks_disks = domain->has_no_counters,
                  .is_stopped = domain->is_stopped,
                  .disk_requests = domain->activity},
    };

    world_deliver(world, action, &result);
}

static bool have_any(const struct ports *ports, const struct ports *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (ports_have(ports, wanted->items[i]))
            return true;
    return false;
}

static void answer_verify(struct world *world, const struct action *action)
{
    const struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    bool answers = domain->exists && domain->state == MACHINE_RUNNING && !domain->is_mute &&
                   (action->level != VERIFY_AGENT || domain->has_agent);
    bool is_deaf = !domain->hides_ports && have_any(&domain->deaf, &action->ports.listening);
    bool is_shut = have_any(&domain->shut, &action->ports.reached);
    struct action_result result = {.id = action->id, .error = answers && !is_deaf && !is_shut ? 0 : -EIO};

    if (!answers)
        strcpy(result.message, "it does not answer");
    else if (is_deaf)
        strcpy(result.message, "nothing in it listens on a port");
    else if (is_shut)
        strcpy(result.message, "nothing accepts connections on a port");
    else if (domain->hides_ports && action->ports.listening.count > 0)
        strcpy(result.message, "its agent is not allowed to");
    world_deliver(world, action, &result);
}

static void answer_record(struct world *world, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(world->coordinator, action->recovery_id);
    struct action_result result = {.id = action->id, .error = world->record_error};

    if (result.error != 0)
        strcpy(result.message, "no space left in the make-believe store");
    else if (recovery != NULL)
        world_write_recovery(world, recovery);
    world_deliver(world, action, &result);
}

static void answer_hook(struct world *world, const struct action *action)
{
    const struct world_domain *domain = &world->domains[world_number_of(world, &action->target)];
    bool is_asked = domain->hook_event == NULL || strcmp(domain->hook_event, hook_name(action->hook)) == 0;
    struct action_result result = {.id = action->id, .error = is_asked ? domain->hook_error : 0};

    if (result.error != 0)
        strcpy(result.message, "hook 10-veto: exit status 1: not this one");
    world_deliver(world, action, &result);
}

static void answer_fence(struct world *world, const struct action *action)
{
    struct action_result result = {.id = action->id, .error = world->fence_error};

    for (unsigned i = 0; i < world->n_domains && world->fence_error == 0 && !world->fence_lies; i++)
        if (world->domains[i].hypervisor == world_host_of(world, &action->target) &&
            machine_state_is_active(world->domains[i].state))
            world_stop(world, i, REASON_UNKNOWN);
    if (result.error != 0)
        strcpy(result.message, "no power switch in this make-believe world");
    world_deliver(world, action, &result);
}

static void answer_fence_test(struct world *world, const struct action *action)
{
    struct fence_report report = {
        .call = FENCE_CALL_STATUS, .agent = "fence", .has_succeeded = !world->fence_test_fails, .answer = "on"};
    struct action_result result = {.id = action->id};

    if (world->fence_test_fails)
        strcpy(report.answer, "no power switch");
    else if (world->fence_test_says != NULL)
        strcpy(report.answer, world->fence_test_says);
    coordinator_handle_fence_report(world->coordinator, action->target.hypervisor, &report, world->now);
    world_deliver(world, action, &result);
}

void world_do(struct world *world, const struct action *action, const struct world_domain *domains)
{
    switch (action->kind) {
    case ACTION_LIST:
        answer_list(world, action, domains);
        break;
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_READ:
        answer_description(world, action, domains);
        break;
    case ACTION_GET_STATE:
        answer_state(world, action, domains);
        break;
    case ACTION_DESTROY:
        answer_destroy(world, action);
        break;
    case ACTION_SHUTDOWN:
        answer_shutdown(world, action);
        break;
    case ACTION_START:
        answer_start(world, action);
        break;
    case ACTION_UNMAKE:
        answer_unmake(world, action);
        break;
    case ACTION_CHECK_ALIVE:
        answer_check_alive(world, action);
        break;
    case ACTION_VERIFY:
        answer_verify(world, action);
        break;
    case ACTION_RECORD:
        answer_record(world, action);
        break;
    case ACTION_TEST_FENCING:
        answer_fence_test(world, action);
        break;
    case ACTION_FENCE:
        answer_fence(world, action);
        break;
    case ACTION_HOOK:
        answer_hook(world, action);
        break;
    case ACTION_REMEMBER:
        answer_remember(world, action);
        break;
    case ACTION_SUSPEND:
    case ACTION_SAVE:
        answer_suspend(world, action);
        break;
    case ACTION_SET_METADATA:
        answer_metadata(world, action);
        break;
    case ACTION_GET_AUTOSTART:
    case ACTION_SET_AUTOSTART:
        answer_autostart(world, action);
        break;
    case ACTION_SET_CLOCK:
    case ACTION_MEASURE_MEMORY:
        answer_clock(world, action);
        break;
    case ACTION_COUNT:
    default:
        fail();
    }
}
