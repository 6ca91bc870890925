/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of machines stands in the coordinator's pool; nothing is kept of it here but the memory of hosts. */
#include "forecast/imagined.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 1000000 /* more than any room asks for without a pause */

int imagined_begin(struct imagined *imagined)
{
    size_t n = coordinator_hypervisor_count(imagined->coordinator);

    imagined->hosts = calloc(n > 0 ? n : 1, sizeof(*imagined->hosts));
    if (imagined->hosts == NULL)
        return -ENOMEM;
    imagined->n_hosts = n;
    for (size_t i = 0; i < n; i++) {
        struct hypervisor_status status = coordinator_hypervisor(imagined->coordinator, i);

        imagined->hosts[i] = (struct imagined_host){status.name, status.free_memory_kib};
    }
    return 0;
}

void imagined_done(struct imagined *imagined)
{
    free(imagined->hosts);
    free(imagined->why);
    imagined->hosts = NULL;
    imagined->why = NULL;
}

static uint64_t *free_memory_of(struct imagined *imagined, const char *hypervisor)
{
    static uint64_t unknown;

    for (size_t i = 0; i < imagined->n_hosts; i++)
        if (strcmp(imagined->hosts[i].name, hypervisor) == 0)
            return &imagined->hosts[i].free_kib;
    unknown = 0;
    return &unknown;
}

/* NULL: there is none. */
static const struct machine *target_of(const struct imagined *imagined, const struct action *action)
{
    for (size_t i = 0; i < imagined->n_left_out; i++)
        if (machine_ref_equal(&imagined->left_out[i], &action->target))
            return NULL;
    return pool_find(coordinator_pool(imagined->coordinator), action->target.hypervisor, action->target.uuid);
}

static void tell(struct imagined *imagined, const struct machine *machine, enum domain_event_kind kind)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct domain_event event = {.kind = kind, .name = machine->name, .at = imagined->now};

    memcpy(event.uuid, ref.uuid, sizeof(event.uuid));
    coordinator_handle_event(imagined->coordinator, ref.hypervisor, &event);
}

/* -ENOMEM. */
static int report_on(const struct machine *machine, struct domain_report *ret)
{
    struct domain_description *copy;
    int r = domain_description_copy(machine->description, &copy);

    if (r < 0)
        return r;
    copy->has_learned = copy->is_starting = false;
    *ret = (struct domain_report){
        .description = copy,
        .state = machine->state,
        .reason = machine->reason,
        .persistent = machine->persistent,
        .has_managed_save = machine->has_managed_save,
        .agent_connected = machine->state == MACHINE_RUNNING && copy->has_agent_channel,
    };
    return 0;
}

static int list(struct imagined *imagined, const struct action *action)
{
    struct pool *pool = coordinator_pool(imagined->coordinator);
    _cleanup_(inventory_freep) struct inventory *inventory = calloc(1, sizeof(*inventory));
    size_t count = 0;
    int r = 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        count += strcmp(machine->hypervisor, action->target.hypervisor) == 0;
    if (inventory != NULL)
        inventory->reports = calloc(count > 0 ? count : 1, sizeof(*inventory->reports));
    if (inventory == NULL || inventory->reports == NULL)
        return -ENOMEM;
    inventory->free_memory_kib = *free_memory_of(imagined, action->target.hypervisor);
    for (const struct machine *machine = pool_next(pool, NULL); r == 0 && machine != NULL;
         machine = pool_next(pool, machine))
        if (machine->is_present && strcmp(machine->hypervisor, action->target.hypervisor) == 0) {
            r = report_on(machine, &inventory->reports[inventory->n_reports]);
            inventory->n_reports += r == 0;
        }
    if (r == 0)
        coordinator_handle_inventory(imagined->coordinator, action, steal_pointer(&inventory), imagined->now);
    return r;
}

static int describe(struct imagined *imagined, const struct action *action, const struct machine *machine)
{
    struct domain_report report;
    int r = machine != NULL ? report_on(machine, &report) : 0;

    if (r == 0)
        coordinator_handle_description(imagined->coordinator, action, machine != NULL ? &report : NULL, imagined->now);
    return r;
}

/* What it asks of its host while it is up. */
static uint64_t memory_of(const struct machine *machine)
{
    return domain_description_host_memory_kib(machine->description);
}

static void start(struct imagined *imagined, const struct machine *machine, struct action_result *result)
{
    uint64_t *free_kib = free_memory_of(imagined, machine->hypervisor);
    uint64_t needed_kib = memory_of(machine);

    if (machine->state == MACHINE_RUNNING) {
        result->error = -EALREADY;
        return;
    }
    if (machine_state_is_startable(machine->state)) {
        if (*free_kib > 0) /* else it is not known */
            *free_kib = *free_kib > needed_kib ? *free_kib - needed_kib : 1;
        tell(imagined, machine, machine->has_managed_save ? EVENT_STARTED_RESTORED : EVENT_STARTED_BOOTED);
    }
    tell(imagined, machine, EVENT_RESUMED);
}

static void stop(struct imagined *imagined, const struct machine *machine, enum domain_event_kind how)
{
    if (!machine_state_is_active(machine->state))
        return;
    if (*free_memory_of(imagined, machine->hypervisor) > 0)
        *free_memory_of(imagined, machine->hypervisor) += memory_of(machine);
    tell(imagined, machine, how);
}

/* Everything but what is answered by a description. */
static void act(struct imagined *imagined, const struct action *action, const struct machine *machine)
{
    struct action_result result = {.id = action->id};

    if (strcmp(action->target.hypervisor, imagined->gone) == 0 && action->kind != ACTION_FENCE) {
        result.error = -ENOTCONN;
    } else if (machine != NULL) {
        result.state = machine->state;
        result.reason = machine->reason;
        result.has_managed_save = machine->has_managed_save;
        result.free_memory_kib = *free_memory_of(imagined, machine->hypervisor);
        result.probe.agent_answered = true;
        if (action->kind == ACTION_START)
            start(imagined, machine, &result);
        else if (action->kind == ACTION_DESTROY)
            stop(imagined, machine, EVENT_STOPPED_DESTROYED);
        else if (action->kind == ACTION_SHUTDOWN)
            stop(imagined, machine, EVENT_STOPPED_SHUTDOWN);
        else if (action->kind == ACTION_SAVE)
            stop(imagined, machine, EVENT_STOPPED_SAVED);
        else if (action->kind == ACTION_SUSPEND && machine->state == MACHINE_RUNNING)
            tell(imagined, machine, EVENT_SUSPENDED_PAUSED);
    } else if (action->target.uuid[0] != '\0') {
        result.error = -ENOENT;
    }
    coordinator_handle_result(imagined->coordinator, action, &result, imagined->now);
}

static bool is_answered_by_description(enum action_kind kind)
{
    return kind == ACTION_DESCRIBE || kind == ACTION_READ || kind == ACTION_DISCOVER;
}

static int answer(struct imagined *imagined, const struct action *action)
{
    const struct machine *machine = target_of(imagined, action);
    bool is_gone = strcmp(action->target.hypervisor, imagined->gone) == 0;

    if (action->kind == ACTION_LIST && !is_gone)
        return list(imagined, action);
    if (is_answered_by_description(action->kind) && !is_gone)
        return describe(imagined, action, machine);
    act(imagined, action, machine);
    return 0;
}

static void keep_why(struct imagined *imagined, struct notice *notice)
{
    if (notice->kind != NOTICE_FENCE_FAILED && notice->kind != NOTICE_HOSTS_ISOLATED)
        return;
    free(imagined->why);
    imagined->why = steal_pointer(&notice->text);
}

/* Nothing is written down here, and nothing told. */
static void let_go(struct imagined *imagined)
{
    struct coordinator *coordinator = imagined->coordinator;
    struct machine_memory memory;
    struct machine_ref ref;
    struct notice notice;
    const char *hypervisor;

    while (coordinator_next_changed_host(coordinator, &hypervisor) != NULL)
        ;
    while (coordinator_next_changed_fence_log(coordinator, &hypervisor) != NULL)
        ;
    while (coordinator_next_changed_recovery(coordinator) != NULL)
        ;
    while (coordinator_next_changed_diversion(coordinator) != NULL)
        ;
    while (coordinator_next_changed_machine(coordinator, &ref, &memory))
        ;
    while (coordinator_next_changed_hold(coordinator) != NULL)
        ;
    while (coordinator_next_notice(coordinator, &notice)) {
        keep_why(imagined, &notice);
        notice_done(&notice);
    }
}

int imagined_answer_all(struct imagined *imagined)
{
    struct action action;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ANSWERS_MAX && coordinator_next_action(imagined->coordinator, &action); i++) {
        let_go(imagined);
        r = answer(imagined, &action);
    }
    let_go(imagined);
    return r;
}
