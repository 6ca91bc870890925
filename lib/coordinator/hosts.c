/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All hosts together. */
#include "coordinator/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/fence.h"
#include "coordinator/machines.h"
#include "coordinator/same_host.h"
#include "coordinator/sightings.h"
#include "coordinator/whereabouts.h"

/* Time that a host was up is known no better. */
#define UPTIME_SLACK_US (2 * USEC_PER_SEC)
/*
 * libvirtd begins to answer before it has connected to every QEMU that runs. A machine whose QEMU dies meanwhile is shut
 * off without an event (libvirt 9.0, reason "daemon"): only a second listing finds that.
 */
#define SECOND_LISTING_US (5 * USEC_PER_SEC)

/* One that ran only to be kept warm served no service, whichever daemon had started it. */
static bool was_in_service(const struct registry *registry, const struct machine *machine)
{
    return machine_state_is_in_service(machine->state, machine->reason) && !machine_is_kept(registry, machine);
}

static bool is_on(const struct host *host, const char *hypervisor)
{
    return strcmp(host->name, hypervisor) == 0;
}

/* The recovery waits for an answer that only this hypervisor can give, or has its candidate there. */
static bool is_recovery_on(const struct recovery *recovery, const char *hypervisor)
{
    if (recovery->replacement_name != NULL && strcmp(recovery->replacement.hypervisor, hypervisor) == 0)
        return true;
    return (recovery_state_is_unconfirmed(recovery->state) || recovery_state_asks_of_failed(recovery->state)) &&
           strcmp(recovery->failed.hypervisor, hypervisor) == 0;
}

/* Something on it would be recovered, or go on, were it off. What is held would not. */
static bool is_needed(const struct registry *registry, const struct host *host)
{
    const struct records *records = &registry->records;

    for (size_t i = 0; i < records->count; i++)
        if (!recovery_state_is_final(records->all[i]->state) && !records->all[i]->is_held &&
            is_recovery_on(records->all[i], host->name))
            return true;
    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine))
        if (is_on(host, machine->hypervisor) && machine->hold == NULL && machine_is_protected(machine) &&
            was_in_service(registry, machine) && !machine_runs_elsewhere(registry, machine))
            return true;
    return whereabouts_await(registry, host);
}

/*
 * Hosts that were fenced are out of this: they are off, whatever is cut off. So are hosts that are held and gone, as for
 * maintenance, and our own, which is reached without any network.
 */
static bool are_most_gone(const struct registry *registry, int64_t asked_us)
{
    size_t n_gone = 0, n = 0;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];

        if (host->track.state == HOST_FENCED || host->is_local ||
            (host->hold != NULL && host_state_is_gone(host->track.state)))
            continue;
        n++;
        n_gone += host_state_is_gone(host->track.state) || host->heard_us < asked_us;
    }
    return n_gone * MILLIONTHS > n * registry->config->isolation_share;
}

static size_t count_gone(const struct registry *registry)
{
    size_t n_gone = 0;

    for (size_t i = 0; i < registry->n_hosts; i++)
        n_gone += host_state_is_gone(registry->hosts[i].track.state) && !registry->hosts[i].is_local;
    return n_gone;
}

static size_t count_remote(const struct registry *registry)
{
    size_t n = 0;

    for (size_t i = 0; i < registry->n_hosts; i++)
        n += !registry->hosts[i].is_local;
    return n;
}

static bool can_be_fenced(const struct registry *registry)
{
    return fence_agent_count(&registry->config->fence) > 0 && registry->config->mode == MODE_AUTOMATIC;
}

/* What runs on a hypervisor, as far as it is known. */
struct host_load {
    size_t running;
    size_t protected;
};

static struct host_load load_of(const struct registry *registry, const char *hypervisor)
{
    struct host_load load = {0};

    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine)) {
        if (strcmp(machine->hypervisor, hypervisor) != 0 || !was_in_service(registry, machine))
            continue;
        load.running++;
        load.protected += machine_is_protected(machine);
    }
    return load;
}

static void announce_loss(struct registry *registry, const struct host *host, struct moment now)
{
    struct host_load load = load_of(registry, host->name);
    const char *next = host->track.state == HOST_FENCING ? "; it is being fenced"
                       : host->track.state == HOST_LOST  ? "; nothing on it needs to be recovered"
                                                         : "";

    outbox_tell_host(&registry->outbox, NOTICE_HOST_LOST, now, host->name,
                     "%s has been out of reach for %.0f s and is lost: %zu machine%s ran on it, %zu protected%s",
                     host->name, (double)(now.mono_us - host->track.missing.mono_us) / (double)USEC_PER_SEC,
                     load.running, PLURAL(load.running), load.protected, next);
}

static void announce_failure(struct registry *registry, const struct host *host, struct moment now)
{
    const char *why = host->track.trouble != NULL ? host->track.trouble : "";

    if (host->is_unproven)
        outbox_tell_host(
            &registry->outbox, NOTICE_FENCE_FAILED, now, host->name,
            "%s is not fenced, because it was never reached by its new URI, which may be wrong; nothing of it is "
            "started elsewhere until it is reached, or an operator confirms that it is off: understudyctl fenced %s "
            "--yes",
            host->name, host->name);
    else if (registry->config->mode == MODE_OBSERVE)
        outbox_tell_host(&registry->outbox, NOTICE_FENCE_FAILED, now, host->name,
                         "%s is not fenced, because the mode is observe; nothing of it is started elsewhere",
                         host->name);
    else if (fence_agent_count(&registry->config->fence) == 0)
        outbox_tell_host(
            &registry->outbox, NOTICE_FENCE_FAILED, now, host->name,
            "%s is not fenced, because fence names no agent; NOTHING of it is started elsewhere until it is back, "
            "or an operator makes sure that it is off and confirms it: understudyctl fenced %s --yes",
            host->name, host->name);
    else
        outbox_tell_host(
            &registry->outbox, NOTICE_FENCE_FAILED, now, host->name,
            "%s could not be fenced (attempt %u): %s; NOTHING of it is started elsewhere until that succeeds, it is "
            "back, or an operator makes sure that it is off and confirms it: understudyctl fenced %s --yes",
            host->name, host->track.tries, why, host->name);
}

bool hosts_are_heard(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].track.state == HOST_UNKNOWN)
            return false;
    return true;
}

/* What an earlier daemon had begun to keep warm there is warm no longer. */
static void forget_warmth(struct registry *registry, const struct host *host)
{
    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;)
        if (is_on(host, watch_hypervisor(registry, watch)))
            watch_forget_keeping(watch);
}

/* The machines of a fenced host are off; those that were in service are recovered, all together. */
static void take_down(struct registry *registry, struct host *host, struct moment now)
{
    const struct machine *machine, *next;

    host_tell(host, HOST_READER_STANDBY, HOST_FACT_OFF);
    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        bool has_failed = was_in_service(registry, machine) && !machine_runs_elsewhere(registry, machine);

        next = pool_next(registry->pool, machine);
        if (is_on(host, machine->hypervisor))
            machines_lose(registry, machine, has_failed, now);
    }
    forget_warmth(registry, host);
    registry_tell(registry, FACT_ADOPTABLE);
}

/*
 * A daemon that died after a host was fenced, before its recoveries were written down: they are opened now. Until all
 * hosts are heard, what is known of the others is what they were when the daemon last ran.
 */
static void take_down_restored(struct registry *registry, struct moment now)
{
    if (!hosts_are_heard(registry))
        return;
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (!host->was_off)
            continue;
        host->was_off = false;
        registry_tell(registry, FACT_ADOPTABLE);
        if (host->track.state == HOST_FENCED && !host->track.is_connected)
            take_down(registry, host, now);
    }
}

static void recover(struct registry *registry, struct host *host, struct moment now)
{
    struct host_load load = load_of(registry, host->name);

    outbox_tell_host(&registry->outbox, NOTICE_HOST_FENCED, now, host->name,
                     "%s: %s; %zu protected machine%s to be recovered elsewhere", host->name,
                     host->track.was_by_hand ? "confirmed off by an operator" : "fenced", load.protected,
                     PLURAL(load.protected));
    host_tell(host, HOST_READER_RECOVERIES, HOST_FACT_OFF);
    take_down(registry, host, now);
}

static void ask_others(struct registry *registry, const struct host *doubted, struct moment now)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (host != doubted && host->track.is_connected && !host->is_local && host->heard_us < now.mono_us)
            host->wants_list = true;
    }
}

static void carry_out(struct registry *registry, struct host *host, const struct host_step *step, struct moment now)
{
    if (step->asks_others) {
        host->asked_us = now.mono_us;
        ask_others(registry, host, now);
    }
    if (step->is_isolated)
        outbox_tell_host(&registry->outbox, NOTICE_HOSTS_ISOLATED, now, host->name,
                         "%zu of %zu remote hypervisors are out of reach, more than isolation_share: that is taken for "
                         "a loss of our own network, not of theirs. Nothing is fenced and nothing of them is started "
                         "elsewhere",
                         count_gone(registry), count_remote(registry));
    if (step->is_rejoined)
        outbox_tell_host(&registry->outbox, NOTICE_HOSTS_REJOINED, now, host->name,
                         "enough hypervisors are connected again; host_timeout of %s starts again", host->name);
    if (step->is_lost) {
        host->given_up_us = now.mono_us;
        announce_loss(registry, host, now);
        host_tell(host, HOST_READER_RECOVERIES, HOST_FACT_LOST);
    }
    if (step->fences)
        host->wants_fence = true;
    if (step->has_failed)
        announce_failure(registry, host, now);
    if (step->is_back)
        outbox_tell_host(&registry->outbox, NOTICE_HOST_BACK, now, host->name,
                         "%s is back; its machines are compared with their last known state", host->name);
    if (step->wants_listing && host->track.is_connected)
        host->wants_list = true;
    if (step->is_fenced)
        recover(registry, host, now);
}

static void handle(struct registry *registry, struct host *host, struct host_event event)
{
    struct host_step step;

    event.is_here = host->is_local;
    event.is_held = host->hold != NULL || same_host_lives(registry, host);
    event.can_be_fenced = can_be_fenced(registry) && !host->is_unproven;
    event.is_needed = host_state_is_gone(host->track.state) && is_needed(registry, host);
    step = host_handle(&host->track, &event, registry->config);
    carry_out(registry, host, &step, event.now);
}

/* Every host that could answer has done so since, or is gone. */
static bool have_all_answered(const struct registry *registry, int64_t asked_us)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];

        if (!host->is_local && host->track.is_connected && host->heard_us < asked_us)
            return false;
    }
    return true;
}

/* Hosts that are doubted are judged once the others have answered, or have had time enough. */
static void review(struct registry *registry, struct moment now)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];
        struct host_event event = {.kind = HOST_WITNESSED, .now = now};

        bool is_decided = have_all_answered(registry, host->asked_us) || host->track.deadline_us <= now.mono_us;

        if (host->track.state != HOST_ISOLATED && !(host->track.state == HOST_DOUBTED && is_decided))
            continue;
        event.most_are_gone = are_most_gone(registry, host->asked_us);
        handle(registry, host, event);
    }
}

static void set_trouble(struct host *host, const char *why)
{
    free(host->trouble);
    host->trouble = why != NULL ? strdup(why) : NULL;
}

static void announce_up(struct registry *registry, const struct host *host, struct moment now)
{
    size_t n_machines = host->n_listed;

    if (!host->is_listed)
        outbox_tell(&registry->outbox, NOTICE_HYPERVISOR_UP, now, NULL, "%s: connected, %zu machine%s", host->name,
                    n_machines, PLURAL(n_machines));
}

static void handle_listed(struct registry *registry, struct host *host, struct moment now)
{
    announce_up(registry, host, now);
    set_trouble(host, NULL);
    host->is_listed = true;
    host->was_listed = true;
    host->heard_us = now.mono_us;
    /* While it is being fenced, it may go off any moment: what it has is listed anew then. */
    host_set_reachable(registry, host, host->track.state != HOST_FENCING);
    handle(registry, host, (struct host_event){.kind = HOST_LISTED, .now = now});
    registry_tell(registry, FACT_SERVING_CHANGED); /* what is on it counts only now */
    registry_tell(registry, FACT_ADOPTABLE);
    host_tell(host, HOST_READER_RECOVERIES, HOST_FACT_LISTED);
}

/* Fencing that was not begun is not begun any more. */
static void handle_hold(struct registry *registry, struct host *host, struct moment now)
{
    bool is_unbegun = host->wants_fence;

    if (host->hold != NULL || same_host_lives(registry, host))
        host->wants_fence = false;
    handle(registry, host, (struct host_event){.kind = HOST_HOLD, .now = now, .is_unbegun = is_unbegun});
}

/* Whether another connection to its host is there decides, as a hold does, whether the time of one that is gone runs. */
static void tell_others(struct registry *registry, const struct host *host)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (!registry->hosts[i].track.is_connected && same_host_is_one(host, &registry->hosts[i]))
            host_tell(&registry->hosts[i], HOST_READER_HOSTS, HOST_FACT_HOLD);
}

static void handle_facts(struct registry *registry, struct host *host, unsigned facts, struct moment now)
{
    if ((facts & (HOST_FACT_CONNECTED | HOST_FACT_DISCONNECTED | HOST_FACT_LISTED)) != 0)
        tell_others(registry, host);
    if ((facts & HOST_FACT_HOLD) != 0)
        handle_hold(registry, host, now);
    if ((facts & HOST_FACT_CONNECTED) != 0)
        handle(registry, host, (struct host_event){.kind = HOST_CONNECTED, .now = now});
    if ((facts & HOST_FACT_LISTED) != 0)
        handle_listed(registry, host, now);
    if ((facts & HOST_FACT_DISCONNECTED) != 0)
        handle(registry, host, (struct host_event){.kind = HOST_DISCONNECTED, .now = now});
    if ((facts & HOST_FACT_CONFIRMED) != 0)
        handle(registry, host, (struct host_event){.kind = HOST_CONFIRMED, .now = now});
}

bool hosts_handle(void *self, struct moment now)
{
    struct registry *registry = self;
    bool has_any = false;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        unsigned facts = host_take(&registry->hosts[i], HOST_READER_HOSTS);

        handle_facts(registry, &registry->hosts[i], facts, now);
        has_any |= facts != 0;
    }
    if (!has_any)
        return false;
    review(registry, now);
    take_down_restored(registry, now);
    return true;
}

void hosts_connect(struct host *host, struct moment now)
{
    host->is_unproven = false;
    set_trouble(host, NULL); /* what kept it away is over; what is wrong now shows when it is listed */
    host->connected_us = now.mono_us;
    host->is_listed = false;
    host->is_listing = false;
    host->was_brief = false;
    host->wants_list = true;
    host_tell(host, HOST_READER_HOSTS, HOST_FACT_CONNECTED);
}

void hosts_disconnect(struct registry *registry, struct host *host, const char *why, struct moment now)
{
    host->is_listed = false;
    host->is_listing = false;
    host->wants_list = false;
    host->list_at_us = USEC_INFINITY;
    if (host->track.is_connected || host->trouble == NULL || strcmp(host->trouble, why) != 0)
        outbox_tell(&registry->outbox, NOTICE_HYPERVISOR_DOWN, now, NULL, "%s: %s", host->name, why);
    set_trouble(host, why);
    host_set_reachable(registry, host, false);
    sightings_end(registry, host->name);
    host_tell(host, HOST_READER_HOSTS, HOST_FACT_DISCONNECTED);
    host_tell(host, HOST_READER_STANDBY, HOST_FACT_DISCONNECTED);
}

/* Whether the host was booted since the listing before this one. */
static void compare_uptime(struct host *host, int64_t uptime_us, struct moment now)
{
    int64_t grown_us = uptime_us - host->uptime_us, passed_us = now.mono_us - host->heard_us;

    host->went_down = 0;
    if (uptime_us == 0)
        return;
    /* A boot takes the connection with it. What others took of its CPUs' time was not counted. */
    host->has_rebooted =
        !host->is_local && !host->is_listed && host->uptime_us != 0 && grown_us < passed_us / 2 - UPTIME_SLACK_US;
}

bool hosts_begin_listing(struct registry *registry, struct host *host, const struct action *action,
                         const struct inventory *inventory, struct moment now)
{
    if (!host->track.is_connected || !host->is_listing || host->list_id != action->id)
        return false;
    host->is_listing = false;
    host->list_at_us = now.mono_us + registry->config->discovery.resync_interval_us;
    if (!host->is_listed || host->was_brief)
        host_list_at(host, now.mono_us + SECOND_LISTING_US);
    host->was_brief = inventory->is_brief;
    host->wants_list |= inventory->is_brief;
    pool_set_free_memory(registry->pool, host->name, inventory->free_memory_kib);
    compare_uptime(host, inventory->uptime_us, now);
    return true;
}

void hosts_end_listing(struct registry *registry, struct host *host, const struct inventory *inventory,
                       struct moment now)
{
    if (inventory->uptime_us != 0)
        host->uptime_us = inventory->uptime_us;
    /* Of one that had been given up, it is told that it is back. */
    if (host->has_rebooted && host->went_down > 0 && !host->track.was_lost && host->track.state != HOST_FENCED)
        outbox_tell_host(&registry->outbox, NOTICE_HOST_REBOOTED, now, host->name,
                         "%s was booted anew; machines that ran there and do not any more: %zu. They count as failed "
                         "unless they run again in time",
                         host->name, host->went_down);
    host->has_rebooted = false;
    host->n_listed = inventory->n_reports;
    host->is_read_only = inventory->is_read_only;
    host_tell(host, HOST_READER_HOSTS, HOST_FACT_LISTED);
    host_tell(host, HOST_READER_MARKS, HOST_FACT_LISTED);
}

void hosts_drop_listing(struct host *host)
{
    host->has_rebooted = false;
}

void hosts_tick(void *self, struct moment now)
{
    struct registry *registry = self;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (host->list_at_us <= now.mono_us && host->track.is_connected) {
            host->list_at_us = USEC_INFINITY;
            host->wants_list = true;
        }
        handle(registry, host, (struct host_event){.kind = HOST_TICK, .now = now});
    }
    review(registry, now);
}

int64_t hosts_deadline(const void *self)
{
    const struct registry *registry = self;
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        deadline_us = earlier_us(deadline_us, registry->hosts[i].list_at_us);
        deadline_us = earlier_us(deadline_us, registry->hosts[i].track.deadline_us);
    }
    return deadline_us;
}

void hosts_configure(struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].track.state == HOST_UNFENCED)
            registry->hosts[i].track.deadline_us = 0;
}

/* Nothing is concluded before host_timeout from now. */
void hosts_restart_timer(struct registry *registry, struct host *host, struct moment now)
{
    if (host->is_local || !(host->track.state == HOST_MISSING || host->track.state == HOST_DOUBTED))
        return;
    host->track.state = HOST_MISSING;
    host->track.deadline_us = now.mono_us + registry->config->host_timeout_us;
}

void hosts_list_anew(struct registry *registry, struct moment now)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        hosts_restart_timer(registry, host, now);
        if (!host->track.is_connected)
            continue;
        /* A listing under way is old as well: its answer is not taken. */
        host->is_listed = false;
        host->is_listing = false;
        host->wants_list = true;
        host->connected_us = now.mono_us;
        host_set_reachable(registry, host, false);
    }
}

static struct action action_on(struct registry *registry, enum action_kind kind, const struct host *host,
                               int64_t timeout_us)
{
    struct machine_ref ref = {0};

    memcpy(ref.hypervisor, host->name, sizeof(ref.hypervisor));
    return registry_new_action(registry, PART_HOSTS, kind, &ref, timeout_us);
}

bool hosts_next(void *self, struct action *ret)
{
    struct registry *registry = self;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (!host->wants_fence)
            continue;
        host->wants_fence = false;
        /* An operator may have confirmed it in the meantime. */
        if (host->track.state != HOST_FENCING)
            continue;
        *ret = action_on(registry, ACTION_FENCE, host, fence_time_us(&registry->config->fence));
        host->fence_id = ret->id;
        return true;
    }
    return false;
}

bool hosts_next_listing(void *self, struct action *ret)
{
    struct registry *registry = self;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (!host->wants_list || host->is_listing)
            continue;
        *ret = action_on(registry, ACTION_LIST, host, registry->config->recovery.call_timeout_us);
        ret->may_be_brief = !host->is_listed && !host->was_brief && (host->was_listed || host->has_record);
        host->wants_list = false;
        host->is_listing = true;
        host->list_id = ret->id;
        return true;
    }
    return false;
}

/* A listing that succeeded comes in as an inventory. */
static void answer_failed_listing(struct host *host, const struct action *action, const struct action_result *result,
                                  struct moment now)
{
    _cleanup_(freep) char *why = NULL;

    if (!host->track.is_connected)
        return;
    if (host->list_id == action->id)
        host->is_listing = false;
    /* After a lost connection everything is listed anyway. */
    if (result->error == -ENOTCONN)
        return;
    host_list_at(host, now.mono_us + LIST_RETRY_US);
    why = text_print("its machines cannot be listed: %s", result->message);
    set_trouble(host, why);
}

void hosts_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct registry *registry = self;
    struct host *host = host_find(registry, action->target.hypervisor);

    if (host == NULL)
        return;
    if (action->kind == ACTION_LIST) {
        answer_failed_listing(host, action, result, now);
        return;
    }
    if (host->fence_id != action->id || host->track.state != HOST_FENCING)
        return;
    handle(registry, host,
           (struct host_event){.kind = HOST_ANSWER, .now = now, .error = result->error, .message = result->message});
    review(registry, now);
}
