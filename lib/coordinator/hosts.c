/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All hosts together: whose time is over, whether it is rather us who are cut off, and what becomes of the
 * machines and recoveries of one that is lost. What one host goes through is host.c's.
 */
#include <errno.h>
#include <string.h>

#include "coordinator/coordinator_internal.h"

/* The agent is asked twice, and has to be ended when it hangs. */
#define FENCE_EXTRA_US (10 * USEC_PER_SEC)
/* Time that a host was up is known no better. */
#define UPTIME_SLACK_US (2 * USEC_PER_SEC)

/* One that ran only to be kept warm served nobody. */
static bool was_in_service(const struct machine *machine)
{
    return machine->keeping == KEEPING_NONE && machine_state_is_in_service(machine->state, machine->reason);
}

static bool is_on(const struct link *link, const char *hypervisor)
{
    return strcmp(link->name, hypervisor) == 0;
}

bool recovery_is_on(const struct recovery *recovery, const char *hypervisor)
{
    if (recovery->replacement_name != NULL && strcmp(recovery->replacement.hypervisor, hypervisor) == 0)
        return true;
    return recovery->state <= RECOVERY_DESTROYING && strcmp(recovery->failed.hypervisor, hypervisor) == 0;
}

bool hosts_see_elsewhere(const struct coordinator *coordinator, const struct machine *machine)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        const struct link *link = &coordinator->links[i];
        const struct machine *other;

        if (!link->is_listed || is_on(link, machine->hypervisor))
            continue;
        other = pool_find(coordinator->pool, link->name, machine->uuid);
        if (other != NULL && machine_state_is_active(other->state))
            return true;
    }
    return false;
}

/* Something on it would be recovered, or go on, were it off. */
static bool is_needed(const struct coordinator *coordinator, const struct link *link)
{
    for (size_t i = 0; i < coordinator->n_runs; i++)
        if (recovery_is_on(coordinator->runs[i]->recovery, link->name))
            return true;
    for (size_t i = 0; i < coordinator->n_restored; i++)
        if (recovery_is_on(coordinator->restored[i], link->name))
            return true;
    for (const struct machine *machine = pool_next(coordinator->pool, NULL); machine != NULL;
         machine = pool_next(coordinator->pool, machine))
        if (is_on(link, machine->hypervisor) && (machine->roles & ROLE_PROTECTED) != 0 && was_in_service(machine) &&
            !hosts_see_elsewhere(coordinator, machine))
            return true;
    return false;
}

/*
 * Hosts that were fenced are out of this: they are off, whoever is cut off. So is our own, which is reached without
 * any network.
 */
static bool are_most_gone(const struct coordinator *coordinator, int64_t asked_us)
{
    size_t n_gone = 0, n = 0;

    for (size_t i = 0; i < coordinator->n_links; i++) {
        const struct link *link = &coordinator->links[i];

        if (link->host.state == HOST_FENCED || link->is_here)
            continue;
        n++;
        n_gone += host_state_is_gone(link->host.state) || link->heard_us < asked_us;
    }
    return n_gone * MILLIONTHS > n * coordinator->config->hold_share;
}

static size_t count_gone(const struct coordinator *coordinator)
{
    size_t n_gone = 0;

    for (size_t i = 0; i < coordinator->n_links; i++)
        n_gone += host_state_is_gone(coordinator->links[i].host.state) && !coordinator->links[i].is_here;
    return n_gone;
}

static size_t count_remote(const struct coordinator *coordinator)
{
    size_t n = 0;

    for (size_t i = 0; i < coordinator->n_links; i++)
        n += !coordinator->links[i].is_here;
    return n;
}

static bool can_be_fenced(const struct coordinator *coordinator)
{
    return coordinator->config->fence.command != NULL && coordinator->config->mode == MODE_AUTOMATIC;
}

static void note(struct coordinator *coordinator, enum notice_kind kind, const struct link *link, struct moment now,
                 const char *format, ...) _printf_(5, 6);

static void note(struct coordinator *coordinator, enum notice_kind kind, const struct link *link, struct moment now,
                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    notices_add_host(coordinator, kind, now, link->name, format, arguments);
    va_end(arguments);
}

struct host_load host_load_of(const struct pool *pool, const char *hypervisor)
{
    struct host_load load = {0};

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        if (strcmp(machine->hypervisor, hypervisor) != 0 || !was_in_service(machine))
            continue;
        load.running++;
        load.protected += (machine->roles & ROLE_PROTECTED) != 0;
    }
    return load;
}

static void announce_loss(struct coordinator *coordinator, const struct link *link, struct moment now)
{
    struct host_load load = host_load_of(coordinator->pool, link->name);
    const char *next = link->host.state == HOST_FENCING ? "; it is being fenced"
                       : link->host.state == HOST_LOST  ? "; nothing on it needs to be recovered"
                                                        : "";

    note(coordinator, NOTICE_HOST_LOST, link, now,
         "%s has been out of reach for %.0f s and is lost: %zu machine%s ran on it, %zu protected%s", link->name,
         (double)(now.mono_us - link->host.missing.mono_us) / (double)USEC_PER_SEC, load.running, PLURAL(load.running),
         load.protected, next);
}

static void announce_failure(struct coordinator *coordinator, const struct link *link, struct moment now)
{
    const char *why = link->host.trouble != NULL ? link->host.trouble : "";

    if (link->is_unproven)
        note(coordinator, NOTICE_FENCE_FAILED, link, now,
             "%s is not fenced, because it was never reached by its new URI, which may be wrong; nothing of it is "
             "started elsewhere until it is reached, or somebody says: understudyctl fenced %s",
             link->name, link->name);
    else if (coordinator->config->mode == MODE_OBSERVE)
        note(coordinator, NOTICE_FENCE_FAILED, link, now,
             "%s is not fenced, because the mode is observe; nothing of it is started elsewhere", link->name);
    else if (coordinator->config->fence.command == NULL)
        note(coordinator, NOTICE_FENCE_FAILED, link, now,
             "%s is not fenced, because fence.command is none; NOTHING of it is started elsewhere until it is back, "
             "or somebody makes sure that it is off and says: understudyctl fenced %s",
             link->name, link->name);
    else
        note(coordinator, NOTICE_FENCE_FAILED, link, now,
             "%s could not be fenced (attempt %u): %s; NOTHING of it is started elsewhere until that succeeds, it is "
             "back, or somebody makes sure that it is off and says: understudyctl fenced %s",
             link->name, link->host.tries, why, link->name);
}

/* Recoveries that wait for something on it go on: with another candidate, or without an answer. */
static void tell_runs(struct coordinator *coordinator, const struct link *link, bool is_fenced, struct moment now)
{
    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];
        struct recovery_event event = {.now = now};

        if (run->is_postponed)
            run->wants_candidate = true;
        event.kind = is_fenced ? RECOVERY_CANDIDATE_FENCED : RECOVERY_CANDIDATE_LOST;
        if (run->candidate != NULL && is_on(link, run->candidate->hypervisor))
            run_handle(coordinator, run, &event);
        event.kind = RECOVERY_ORIGINAL_FENCED;
        if (is_fenced && is_on(link, run->failed->hypervisor))
            run_handle(coordinator, run, &event);
    }
}

/* The machines of a fenced host are off; those that were in service are recovered, all together. */
static void take_down(struct coordinator *coordinator, const struct link *link, struct moment now)
{
    struct machine *machine, *next;

    keeper_lose_host(coordinator, link->name, now);

    for (machine = pool_next(coordinator->pool, NULL); machine != NULL; machine = next) {
        bool has_failed = was_in_service(machine) && !hosts_see_elsewhere(coordinator, machine);

        next = pool_next(coordinator->pool, machine);
        if (!is_on(link, machine->hypervisor))
            continue;
        watch_lose(coordinator, machine, has_failed, now);
    }
}

/* Before that, what is known of the others is what they were when the daemon last ran. */
bool hosts_are_heard(const struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].host.state == HOST_UNKNOWN)
            return false;
    return true;
}

/* A daemon that died after a host was fenced, before its recoveries were written down: they are opened now. */
static void catch_up(struct coordinator *coordinator, struct moment now)
{
    if (coordinator->has_caught_up || !hosts_are_heard(coordinator))
        return;
    coordinator->has_caught_up = true;
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].host.state == HOST_FENCED && !coordinator->links[i].is_connected)
            take_down(coordinator, &coordinator->links[i], now);
    restore_adopt(coordinator, now);
}

static void recover(struct coordinator *coordinator, const struct link *link, struct moment now)
{
    struct host_load load = host_load_of(coordinator->pool, link->name);

    note(coordinator, NOTICE_HOST_FENCED, link, now, "%s is off%s: %zu protected machine%s to be recovered elsewhere",
         link->name, link->host.was_by_hand ? ", somebody says" : "", load.protected, PLURAL(load.protected));
    tell_runs(coordinator, link, true, now);
    take_down(coordinator, link, now);
    restore_adopt(coordinator, now);
}

static void ask_others(struct coordinator *coordinator, const struct link *doubted, struct moment now)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (link != doubted && link->is_connected && !link->is_here && link->heard_us < now.mono_us)
            link->wants_list = true;
    }
}

static void carry_out(struct coordinator *coordinator, struct link *link, const struct host_step *step,
                      struct moment now)
{
    if (step->asks_others) {
        link->asked_us = now.mono_us;
        ask_others(coordinator, link, now);
    }
    if (step->is_held)
        note(
            coordinator, NOTICE_HOSTS_HELD, link, now,
            "%zu of %zu remote hypervisors are out of reach, more than hold_share: that is taken for a loss of our own "
            "network, not of theirs. Nothing is fenced and nothing of them is started elsewhere",
            count_gone(coordinator), count_remote(coordinator));
    if (step->is_released)
        note(coordinator, NOTICE_HOSTS_RELEASED, link, now,
             "enough hypervisors are there again; the time of %s begins anew", link->name);
    if (step->is_lost) {
        announce_loss(coordinator, link, now);
        tell_runs(coordinator, link, false, now);
    }
    if (step->fences)
        link->wants_fence = true;
    if (step->has_failed)
        announce_failure(coordinator, link, now);
    if (step->is_back)
        note(coordinator, NOTICE_HOST_BACK, link, now, "%s is back; what it has is compared with what was known",
             link->name);
    if (step->wants_listing && link->is_connected)
        link->wants_list = true;
    if (step->is_fenced)
        recover(coordinator, link, now);
}

static void handle(struct coordinator *coordinator, struct link *link, struct host_event event)
{
    struct host_step step;

    event.is_here = link->is_here;
    event.can_be_fenced = can_be_fenced(coordinator) && !link->is_unproven;
    event.is_needed = host_state_is_gone(link->host.state) && is_needed(coordinator, link);
    step = host_handle(&link->host, &event, coordinator->config);
    carry_out(coordinator, link, &step, event.now);
}

/* Everybody who could speak for our network has done so since, or is gone. */
static bool have_all_answered(const struct coordinator *coordinator, int64_t asked_us)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        const struct link *link = &coordinator->links[i];

        if (!link->is_here && link->is_connected && link->heard_us < asked_us)
            return false;
    }
    return true;
}

/* Whoever waits for the word of the others has it, or has waited long enough. */
static void review(struct coordinator *coordinator, struct moment now)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];
        struct host_event event = {.kind = HOST_WITNESSED, .now = now};

        bool is_decided = have_all_answered(coordinator, link->asked_us) || link->host.deadline_us <= now.mono_us;

        if (link->host.state != HOST_HELD && !(link->host.state == HOST_DOUBTED && is_decided))
            continue;
        event.most_are_gone = are_most_gone(coordinator, link->asked_us);
        handle(coordinator, link, event);
    }
}

void hosts_compare_uptime(struct link *link, int64_t uptime_us, struct moment now)
{
    int64_t grown_us = uptime_us - link->uptime_us, passed_us = now.mono_us - link->heard_us;

    link->went_down = 0;
    if (uptime_us == 0)
        return;
    /* A boot takes the connection with it. What others took of its CPUs' time was not counted. */
    link->has_rebooted =
        !link->is_here && !link->is_listed && link->uptime_us != 0 && grown_us < passed_us / 2 - UPTIME_SLACK_US;
    link->uptime_us = uptime_us;
}

void hosts_tell_reboot(struct coordinator *coordinator, struct link *link, struct moment now)
{
    /* Of one that had been given up, it is told that it is back. */
    if (link->has_rebooted && link->went_down > 0 && !link->host.was_lost && link->host.state != HOST_FENCED)
        note(coordinator, NOTICE_HOST_REBOOTED, link, now,
             "%s was booted anew; machines that ran there and do not any more: %zu. They count as failed unless they "
             "run again in time",
             link->name, link->went_down);
    link->has_rebooted = false;
}

void hosts_handle(struct coordinator *coordinator, struct link *link, enum host_event_kind kind, struct moment now)
{
    if (kind == HOST_LISTED) {
        link->heard_us = now.mono_us;
        coordinator->is_both_due = true; /* what is on it counts only now */
    }
    handle(coordinator, link, (struct host_event){.kind = kind, .now = now});
    review(coordinator, now);
    catch_up(coordinator, now);
}

void hosts_tick(struct coordinator *coordinator, struct moment now)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        handle(coordinator, &coordinator->links[i], (struct host_event){.kind = HOST_TICK, .now = now});
    review(coordinator, now);
}

int64_t hosts_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].host.deadline_us < deadline_us)
            deadline_us = coordinator->links[i].host.deadline_us;
    return deadline_us;
}

void hosts_configure(struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].host.state == HOST_UNFENCED)
            coordinator->links[i].host.deadline_us = 0;
}

/* Nothing is concluded before host_timeout from now. */
static void restart_timer(const struct coordinator *coordinator, struct link *link, struct moment now)
{
    if (link->is_here || !(link->host.state == HOST_MISSING || link->host.state == HOST_DOUBTED))
        return;
    link->host.state = HOST_MISSING;
    link->host.deadline_us = now.mono_us + coordinator->config->host_timeout_us;
}

void hosts_restart_timers(struct coordinator *coordinator, struct moment now)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        restart_timer(coordinator, &coordinator->links[i], now);
}

void coordinator_handle_refused(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct link *link = link_find(coordinator, hypervisor);

    if (link != NULL)
        restart_timer(coordinator, link, now);
}

bool hosts_next(struct coordinator *coordinator, struct action *ret)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (!link->wants_fence)
            continue;
        link->wants_fence = false;
        /* Somebody may have confirmed it in the meantime. */
        if (link->host.state != HOST_FENCING)
            continue;
        *ret = (struct action){
            .id = ++coordinator->last_action,
            .kind = ACTION_FENCE,
            .timeout_us = 2 * coordinator->config->fence.timeout_us + FENCE_EXTRA_US,
        };
        memcpy(ret->target.hypervisor, link->name, sizeof(ret->target.hypervisor));
        link->fence_id = ret->id;
        return true;
    }
    return false;
}

void hosts_answer(struct coordinator *coordinator, const struct action *action, const struct action_result *result,
                  struct moment now)
{
    struct link *link = link_find(coordinator, action->target.hypervisor);

    if (link == NULL || link->fence_id != action->id || link->host.state != HOST_FENCING)
        return;
    handle(coordinator, link,
           (struct host_event){.kind = HOST_ANSWER, .now = now, .error = result->error, .message = result->message});
    review(coordinator, now);
}

int coordinator_confirm_fenced(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct link *link = link_find(coordinator, hypervisor);

    if (link == NULL)
        return -ENOENT;
    if (link->host.state == HOST_FENCED)
        return -EALREADY;
    if (link->is_connected || !host_state_is_gone(link->host.state))
        return -EBUSY;
    handle(coordinator, link, (struct host_event){.kind = HOST_CONFIRMED, .now = now});
    review(coordinator, now);
    runs_assign(coordinator, now);
    return 0;
}

int coordinator_remember_host(struct coordinator *coordinator, const char *hypervisor, enum host_state state,
                              struct moment missing, struct moment fenced)
{
    struct link *link = link_find(coordinator, hypervisor);

    if (link == NULL)
        return -ENOENT;
    host_restore(&link->host, state, missing, fenced);
    return 0;
}

const struct host_track *coordinator_next_changed_host(struct coordinator *coordinator, const char **ret_hypervisor)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (!link->host.is_changed)
            continue;
        link->host.is_changed = false;
        *ret_hypervisor = link->name;
        return &link->host;
    }
    return NULL;
}
