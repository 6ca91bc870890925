/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way in and out of the coordinator: connections, listings, answers and time come in; actions go
 * out. What an event means is watch.c's business, what a recovery does run.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator_internal.h"
#include "model/uri.h"

/* A listing that failed is asked for again after this. */
#define LIST_RETRY_US (2 * USEC_PER_SEC)
/* A failure so long after a drill was asked for is no longer its doing. */
#define DRILL_US (60 * USEC_PER_SEC)

static void link_done(struct link *link)
{
    free(link->trouble);
    host_done(&link->host);
}

static struct link link_new(const char *name)
{
    struct link link = {
        .list_at_us = USEC_INFINITY,
        .heard_us = INT64_MIN,
        .host = {.deadline_us = USEC_INFINITY},
    };

    strncpy(link.name, name, sizeof(link.name) - 1);
    return link;
}

/* In the configuration in force; NULL: it is not there. */
static const char *uri_of(const struct coordinator *coordinator, const char *hypervisor)
{
    for (size_t i = 0; coordinator->config != NULL && i < coordinator->config->n_hypervisors; i++)
        if (strcmp(coordinator->config->hypervisors[i].name, hypervisor) == 0)
            return coordinator->config->hypervisors[i].uri;
    return NULL;
}

/* The links of a configuration: those that stay are moved over from the old ones. */
static int links_new(const struct coordinator *coordinator, const struct config *config, struct link **ret)
{
    struct link *links = calloc(config->n_hypervisors + 1, sizeof(*links));

    if (links == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_hypervisors; i++) {
        struct link *old = link_find(coordinator, config->hypervisors[i].name);
        const char *old_uri = uri_of(coordinator, config->hypervisors[i].name);

        links[i] = old != NULL ? *old : link_new(config->hypervisors[i].name);
        links[i].is_here = uri_is_local(config->hypervisors[i].uri);
        if (old_uri != NULL && strcmp(old_uri, config->hypervisors[i].uri) != 0) {
            links[i].is_unproven = true;
            links[i].uptime_us = 0; /* it may be another host */
        }
        if (old != NULL) {
            old->trouble = NULL;
            old->host.trouble = NULL;
        }
    }
    *ret = links;
    return 0;
}

static void links_replace(struct coordinator *coordinator, struct link *links, size_t n_links)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        link_done(&coordinator->links[i]);
    free(coordinator->links);
    coordinator->links = links;
    coordinator->n_links = n_links;
}

int coordinator_new(const struct config *config, struct coordinator **ret)
{
    _cleanup_(coordinator_freep) struct coordinator *coordinator = calloc(1, sizeof(*coordinator));
    int r;

    if (coordinator == NULL)
        return -ENOMEM;
    coordinator->heartbeat_us = USEC_INFINITY;
    coordinator->assign_us = USEC_INFINITY;
    r = feature_table_new(&coordinator->features);
    if (r == 0)
        r = pool_new(coordinator->features, &coordinator->pool);
    if (r == 0)
        r = keeper_init(coordinator);
    if (r == 0)
        r = coordinator_configure(coordinator, config);
    if (r < 0)
        return r;
    *ret = steal_pointer(&coordinator);
    return 0;
}

void coordinator_free(struct coordinator *coordinator)
{
    struct notice notice;
    struct late *late;

    if (coordinator == NULL)
        return;
    while (coordinator_next_notice(coordinator, &notice))
        notice_done(&notice);
    free(coordinator->notices);
    free(coordinator->restored);
    while ((late = coordinator->late) != NULL) {
        coordinator->late = late->next;
        free(late);
    }
    both_free_all(coordinator);
    runs_free_all(coordinator);
    keeper_free(coordinator);
    watch_free_all(coordinator);
    links_replace(coordinator, NULL, 0);
    pool_free(coordinator->pool);
    similarity_rules_free(coordinator->rules);
    feature_table_free(coordinator->features);
    free(coordinator);
}

/* Machines of hypervisors that are no longer configured go, and their watches with them. */
static void forget_unconfigured(struct coordinator *coordinator)
{
    struct machine *machine, *next;

    for (machine = pool_next(coordinator->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(coordinator->pool, machine);
        if (link_find(coordinator, machine->hypervisor) == NULL)
            watch_forget(coordinator, machine);
    }
}

int coordinator_configure(struct coordinator *coordinator, const struct config *config)
{
    _cleanup_(similarity_rules_freep) struct similarity_rules *rules = NULL;
    struct link *links = NULL;
    int r = similarity_rules_new(&config->similarity, coordinator->features, &rules);

    if (r < 0)
        return r;
    r = pool_configure(coordinator->pool, config);
    if (r == 0)
        r = links_new(coordinator, config, &links);
    if (r < 0) {
        /* Best effort: with as little memory as this, the old facts stay where they were. */
        if (coordinator->config != NULL && pool_configure(coordinator->pool, coordinator->config) < 0)
            return r;
        return r;
    }
    coordinator->config = config;
    links_replace(coordinator, links, config->n_hypervisors);
    similarity_rules_free(coordinator->rules);
    coordinator->rules = steal_pointer(&rules);
    forget_unconfigured(coordinator);
    heartbeat_configure(coordinator);
    hosts_configure(coordinator);
    coordinator->keeper.is_stale = true;
    coordinator->keeper.wake_us = 0;
    return 0;
}

static void set_reachable(struct coordinator *coordinator, const char *hypervisor, bool is_reachable)
{
    for (struct machine *machine = pool_next(coordinator->pool, NULL); machine != NULL;
         machine = pool_next(coordinator->pool, machine))
        if (strcmp(machine->hypervisor, hypervisor) == 0)
            machine->is_reachable = is_reachable;
}

void coordinator_handle_connected(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct link *link = link_find(coordinator, hypervisor);

    if (link == NULL)
        return;
    link->is_connected = true;
    link->is_unproven = false;
    link->connected_us = now.mono_us;
    link->is_listed = false;
    link->is_listing = false;
    link->wants_list = true;
    hosts_handle(coordinator, link, HOST_CONNECTED, now);
}

void coordinator_handle_disconnected(struct coordinator *coordinator, const char *hypervisor, const char *why,
                                     struct moment now)
{
    struct link *link = link_find(coordinator, hypervisor);
    bool was_connected;

    if (link == NULL)
        return;
    was_connected = link->is_connected;
    link->is_connected = false;
    link->is_listed = false;
    link->is_listing = false;
    link->wants_list = false;
    link->list_at_us = USEC_INFINITY;
    if (was_connected || link->trouble == NULL || strcmp(link->trouble, why) != 0)
        notices_add(coordinator, NOTICE_HYPERVISOR_DOWN, now, NULL, "%s: %s", hypervisor, why);
    free(link->trouble);
    link->trouble = strdup(why);
    set_reachable(coordinator, hypervisor, false);
    keeper_disconnected(coordinator, hypervisor);
    hosts_handle(coordinator, link, HOST_DISCONNECTED, now);
    runs_assign(coordinator, now);
}

/* What was there before and is not in the listing. */
static void apply_absences(struct coordinator *coordinator, const struct link *link, uint64_t as_of, struct moment now)
{
    struct machine *machine, *next;

    for (machine = pool_next(coordinator->pool, NULL); machine != NULL; machine = next) {
        struct machine_ref ref = machine_ref_of(machine);
        struct watch *watch = watch_find(coordinator, &ref);

        next = pool_next(coordinator->pool, machine);
        if (strcmp(machine->hypervisor, link->name) == 0 && (watch == NULL || !watch->is_listed))
            watch_apply_absence(coordinator, machine, as_of, now);
    }
}

/* Machines remembered from before the start that are not there any more. */
static void forget_vanished(struct coordinator *coordinator, const struct link *link, struct moment now)
{
    for (struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next) {
        if (watch->remembered.state == MACHINE_UNKNOWN || strcmp(watch->ref.hypervisor, link->name) != 0)
            continue;
        if (!watch->is_listed && pool_find(coordinator->pool, link->name, watch->ref.uuid) == NULL) {
            if (machine_state_is_active(watch->remembered.state))
                notices_add(coordinator, NOTICE_EVENT_NOTED, now, NULL,
                            "%s/%s was %s when understudyd last ran, and is gone", link->name, watch->ref.uuid,
                            machine_state_name(watch->remembered.state));
            watch_mark_changed(coordinator, watch);
        }
        watch->remembered.state = MACHINE_UNKNOWN;
    }
}

static void announce_up(struct coordinator *coordinator, struct link *link, size_t n_machines, struct moment now)
{
    if (link->is_listed)
        return;
    notices_add(coordinator, NOTICE_HYPERVISOR_UP, now, NULL, "%s: connected, %zu machine%s", link->name, n_machines,
                PLURAL(n_machines));
    free(link->trouble);
    link->trouble = NULL;
}

void coordinator_handle_inventory(struct coordinator *coordinator, const struct action *action,
                                  struct inventory *inventory, struct moment now)
{
    struct link *link = link_find(coordinator, action->target.hypervisor);

    if (link == NULL || !link->is_connected || !link->is_listing || link->list_id != action->id) {
        inventory_free(inventory);
        return;
    }
    for (struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next)
        watch->is_listed = false;
    pool_set_free_memory(coordinator->pool, link->name, inventory->free_memory_kib);
    hosts_compare_uptime(link, inventory->uptime_us, now);
    link->is_listing = false;
    link->list_at_us = now.mono_us + coordinator->config->discovery.resync_interval_us;
    for (size_t i = 0; i < inventory->n_reports; i++)
        watch_apply_report(coordinator, link->name, &inventory->reports[i], action->as_of, now);
    apply_absences(coordinator, link, action->as_of, now);
    hosts_tell_reboot(coordinator, link, now);
    forget_vanished(coordinator, link, now);
    announce_up(coordinator, link, inventory->n_reports, now);
    link->is_listed = true;
    link->was_listed = true;
    /* While the agent works on it, it may go off any moment: what it has is listed anew then. */
    set_reachable(coordinator, link->name, link->host.state != HOST_FENCING);
    inventory_free(inventory);
    hosts_handle(coordinator, link, HOST_LISTED, now);
    restore_adopt(coordinator, now);
    keeper_listed(coordinator, link->name, now);
    runs_resume(coordinator, link->name, now);
    runs_assign(coordinator, now);
}

static void end_inspection(struct coordinator *coordinator, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(coordinator, ref);

    if (watch == NULL)
        return;
    watch->is_inspecting = false;
    if (watch->inspect_again) {
        watch->inspect_again = false;
        watch_inspect(coordinator, watch);
    }
}

/* It stopped while nobody was listening: how is judged by the listing that follows, which knows what befell the host.
 */
static bool is_for_the_listing(const struct link *link, const struct machine *machine,
                               const struct domain_report *report)
{
    return !link->is_listed && machine != NULL && machine_state_is_active(machine->state) &&
           (report == NULL || report->state == MACHINE_SHUT_OFF);
}

void coordinator_handle_inspection(struct coordinator *coordinator, const struct action *action,
                                   struct domain_report *report, struct moment now)
{
    struct link *link = link_find(coordinator, action->target.hypervisor);
    struct machine *machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);

    end_inspection(coordinator, &action->target);
    if (link == NULL || !link->is_connected || is_for_the_listing(link, machine, report)) {
        if (report != NULL)
            domain_description_free(report->description);
        return;
    }
    if (report != NULL) {
        watch_apply_report(coordinator, link->name, report, action->as_of, now);
        machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);
        if (machine != NULL)
            machine->is_reachable = link->is_listed;
    } else if (machine != NULL) {
        watch_apply_absence(coordinator, machine, action->as_of, now);
    } else {
        watch_forget_unknown(coordinator, &action->target);
    }
    keeper_touch(coordinator, now);
    runs_assign(coordinator, now);
}

static void handle_failed_listing(struct coordinator *coordinator, const struct action *action,
                                  const struct action_result *result, struct moment now)
{
    struct link *link = link_find(coordinator, action->target.hypervisor);

    if (action->kind == ACTION_INSPECT)
        end_inspection(coordinator, &action->target);
    if (link == NULL || !link->is_connected)
        return;
    if (action->kind == ACTION_LIST && link->list_id == action->id)
        link->is_listing = false;
    /* After a lost connection everything is listed anyway. */
    if (result->error != -ENOTCONN && now.mono_us + LIST_RETRY_US < link->list_at_us)
        link->list_at_us = now.mono_us + LIST_RETRY_US;
}

/* News came since it was asked that says something else: it may be older than the news. */
static bool is_overtaken(const struct coordinator *coordinator, const struct action *action,
                         const struct action_result *result)
{
    const struct machine *machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);

    if (result->error != 0 || machine == NULL || machine->event_sequence <= action->as_of)
        return false;
    /* A start that was long overdue may have come after the end that was asked for. */
    return action->kind == ACTION_DESTROY ? machine->state == MACHINE_RUNNING
                                          : action->kind == ACTION_INQUIRE && machine->state != result->state;
}

void coordinator_handle_result(struct coordinator *coordinator, const struct action *action,
                               const struct action_result *result, struct moment now)
{
    const struct action_result overtaken = {
        .id = result->id,
        .error = -EAGAIN,
        .message = "news overtook the answer",
    };
    struct recovery_event event = {.kind = RECOVERY_ANSWER, .now = now, .result = result};
    struct run *run;

    if (action->kind == ACTION_LIST || action->kind == ACTION_INSPECT) {
        handle_failed_listing(coordinator, action, result, now);
        return;
    }
    if (action->kind == ACTION_FENCE) {
        hosts_answer(coordinator, action, result, now);
        runs_assign(coordinator, now);
        return;
    }
    if (action->kind == ACTION_PROBE) {
        heartbeat_handle_result(coordinator, action, result, now);
        runs_assign(coordinator, now);
        return;
    }
    if (action->kind == ACTION_INQUIRE && result->free_memory_kib != 0)
        pool_set_free_memory(coordinator->pool, action->target.hypervisor, result->free_memory_kib);
    if (action->kind == ACTION_SET_CLOCK) {
        guest_clock_handle_result(coordinator, action, result, now);
        return;
    }
    if (is_overtaken(coordinator, action, result))
        result = &overtaken;
    if (keeper_handle_result(coordinator, action, result, now)) {
        runs_assign(coordinator, now);
        return;
    }
    if (late_answer(coordinator, result, now) || both_answer(coordinator, result, now))
        return;
    run = run_find(coordinator, action->id);
    if (run == NULL)
        return;
    run->recovery->action_id = 0;
    event.result = result;
    run_handle(coordinator, run, &event);
    runs_assign(coordinator, now);
}

void coordinator_note(struct coordinator *coordinator, enum notice_kind kind, const struct machine_ref *machine,
                      const char *text, struct moment now)
{
    const struct machine *found =
        machine != NULL ? pool_find(coordinator->pool, machine->hypervisor, machine->uuid) : NULL;

    notices_add(coordinator, kind, now, found, "%s", text);
}

void coordinator_handle_capacity(struct coordinator *coordinator, const struct machine_ref *ref, const char *source,
                                 uint64_t capacity_bytes)
{
    struct machine *machine = pool_find(coordinator->pool, ref->hypervisor, ref->uuid);
    struct watch *watch = watch_find(coordinator, ref);

    if (machine == NULL)
        return;
    if (watch != NULL)
        watch_mark_changed(coordinator, watch);
    for (size_t i = 0; i < machine->description->n_disks; i++)
        if (strcmp(machine->description->disks[i].source, source) == 0)
            machine->description->disks[i].capacity_bytes = capacity_bytes;
    pool_refresh_environment(coordinator->pool, machine);
}

void coordinator_handle_clock_jump(struct coordinator *coordinator, struct moment now)
{
    notices_add(coordinator, NOTICE_CLOCK_JUMPED, now, NULL,
                "the host was suspended or its clock jumped; nothing is started until everything is listed anew");
    hosts_restart_timers(coordinator, now);
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (!link->is_connected)
            continue;
        /* A listing under way is old as well: its answer is not taken. */
        link->is_listed = false;
        link->is_listing = false;
        link->wants_list = true;
        link->connected_us = now.mono_us;
        set_reachable(coordinator, link->name, false);
    }
}

void coordinator_set_host_shutdown(struct coordinator *coordinator, bool is_shutting_down)
{
    coordinator->host_is_shutting_down = is_shutting_down;
}

void coordinator_expect_drill(struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);

    if (watch != NULL)
        watch->drill_until_us = now.mono_us + DRILL_US;
}

void coordinator_tick(struct coordinator *coordinator, struct moment now)
{
    struct watch *watch, *next;
    bool has_graces = false;

    runs_abandon_unconfigured(coordinator, coordinator->config, now);
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (link->list_at_us <= now.mono_us && link->is_connected) {
            link->list_at_us = USEC_INFINITY;
            link->wants_list = true;
        }
    }
    if (coordinator->has_graces) {
        HASH_ITER(hh, coordinator->watches, watch, next)
        {
            if (watch_deadline(watch) <= now.mono_us)
                watch_tick(coordinator, watch, now);
            has_graces = has_graces || watch_deadline(watch) != USEC_INFINITY;
        }
        coordinator->has_graces = has_graces;
    }
    if (coordinator->heartbeat_us <= now.mono_us)
        heartbeat_tick(coordinator, now);
    hosts_tick(coordinator, now);
    late_tick(coordinator, now);
    both_tick(coordinator, now);
    runs_tick(coordinator, now);
    keeper_tick(coordinator, now);
    guest_clock_tick(coordinator, now);
    runs_assign(coordinator, now);
}

int64_t coordinator_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = runs_deadline(coordinator);

    if (keeper_deadline(coordinator) < deadline_us)
        deadline_us = keeper_deadline(coordinator);
    if (guest_clock_deadline(coordinator) < deadline_us)
        deadline_us = guest_clock_deadline(coordinator);

    if (late_deadline(coordinator) < deadline_us)
        deadline_us = late_deadline(coordinator);
    if (both_deadline(coordinator) < deadline_us)
        deadline_us = both_deadline(coordinator);
    if (hosts_deadline(coordinator) < deadline_us)
        deadline_us = hosts_deadline(coordinator);
    if (coordinator->assign_us < deadline_us)
        deadline_us = coordinator->assign_us;
    if (coordinator->heartbeat_us < deadline_us)
        deadline_us = coordinator->heartbeat_us;

    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].list_at_us < deadline_us)
            deadline_us = coordinator->links[i].list_at_us;
    if (coordinator->has_graces)
        for (const struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next)
            if (watch_deadline(watch) < deadline_us)
                deadline_us = watch_deadline(watch);
    return deadline_us;
}
