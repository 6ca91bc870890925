/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor: actions become calls to make-believe hypervisors, which take time, fail, hang past
 * their deadline and come back late. What a call does to the world outlives the daemon that made it.
 */
#include <errno.h>
#include <string.h>

#include "simulation.h"

#define HOOK_TIME_US (20 * USEC_PER_MSEC)
/* A guest that boots misses that it is asked to shut down. */
#define BOOT_US (2 * USEC_PER_SEC)

static struct call *find_call(struct simulation *simulation, uint64_t number)
{
    struct call *call = simulation->calls;

    while (call != NULL && call->number != number)
        call = call->next;
    return call;
}

static void drop(struct simulation *simulation, struct call *call)
{
    struct call **at = &simulation->calls;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    inventory_free(call->inventory);
    domain_description_free(call->report.description);
    free(call);
}

void calls_free(struct simulation *simulation)
{
    while (simulation->calls != NULL)
        drop(simulation, simulation->calls);
}

static void fail(struct call *call, int error, const char *message)
{
    call->result.error = error;
    snprintf(call->result.message, sizeof(call->result.message), "%s", message);
}

/* As libvirt knows it. */
static struct domain_report show(const struct simulation *simulation, const struct domain *domain)
{
    struct domain_report report = world_report(domain);

    endings_show(simulation, domain, &report.state, &report.reason);
    return report;
}

/* Of what is off, the definition is left out. Where machines are made, it is what tells how many were. */
static void make_brief(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_reports; i++)
        if (inventory->reports[i].state == MACHINE_TEMPLATE)
            return;
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

static void list(struct simulation *simulation, struct call *call)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));

    if (inventory == NULL || (inventory->reports = calloc(DOMAINS_MAX, sizeof(*inventory->reports))) == NULL)
        abort();
    inventory->free_memory_kib = world_free_memory(simulation, call->host);
    inventory->uptime_us = simulation->now.mono_us - simulation->hosts[call->host].booted_us + 1;
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].exists && simulation->domains[i].host == call->host &&
            templates_are_listed(simulation, &simulation->domains[i]))
            inventory->reports[inventory->n_reports++] = show(simulation, &simulation->domains[i]);
        else if (migration_is_listed(simulation, &simulation->domains[i], call->host))
            inventory->reports[inventory->n_reports++] =
                migration_report(simulation, &simulation->domains[i], call->host);
    if (call->action.may_be_brief && random_hits(DIE((uint64_t)simulation->now.mono_us, call->host), 50))
        make_brief(inventory);
    call->inventory = inventory;
}

static void start(struct simulation *simulation, struct call *call, struct domain *domain)
{
    bool is_lost =
        call->is_lost || call->is_overdue || call->epoch != simulation->epoch || simulation->coordinator == NULL;
    bool was_up_since;

    if (domain->state == MACHINE_TEMPLATE && call->is_overdue) {
        templates_fail_half_way(simulation, call, domain);
        fail(call, -ETIMEDOUT, "given up");
        return;
    }
    if (templates_obstacle(domain) != NULL) {
        fail(call, -EIO, templates_obstacle(domain));
        return;
    }
    if (domain->state == MACHINE_TEMPLATE && domain->temper != TEMPER_REFUSES) {
        if (call->action.metadata.service[0] == '\0')
            violate(simulation, "%s is made for no service", domain->name);
        templates_define(simulation, domain, call->action.metadata.roles, false);
    }
    if (endings_are_unnoticed(simulation, domain) && domain->off_us >= call->asked_us) {
        fail(call, -EIO, "its QEMU does not answer");
        return;
    }
    if (domain->state == MACHINE_RUNNING || domain->state == MACHINE_SUSPENDED) {
        fail(call, -EALREADY, "it runs already");
        if (!is_lost && warm_is_id(domain->started_for) && call->is_unrecorded)
            domain->unrecorded_epoch = call->epoch;
        if (!is_lost)
            warm_take_over(simulation, domain, call->action.recovery_id);
    } else if (domain->temper == TEMPER_REFUSES) {
        if (domain->state == MACHINE_TEMPLATE)
            templates_fail_half_way(simulation, call, domain);
        fail(call, -EIO, "cannot allocate what it needs");
    } else if (domain->state == MACHINE_SHUT_OFF ||
               (domain->state == MACHINE_PAUSED && domain->reason == REASON_USER)) {
        was_up_since =
            domain->wakings != call->wakings || call->epoch + (simulation->coordinator != NULL) < simulation->epoch;
        if (!is_lost)
            endings_check_start(simulation, domain, call->asked_us);
        world_boot(simulation, domain, call->action.recovery_id, is_lost);
        domain->unrecorded_epoch = call->is_unrecorded ? call->epoch : 0;
        domain->was_up_since = was_up_since;
    } else {
        fail(call, -EIO, "no start ends this state");
    }
}

static void destroy(struct simulation *simulation, struct call *call, struct domain *domain)
{
    endings_notice(simulation, domain);
    if (!machine_state_is_active(domain->state))
        return;
    say(simulation, "world    %s is destroyed", domain->name);
    world_stop(simulation, domain, REASON_DESTROYED);
    world_tell(simulation, domain, EVENT_SHUTDOWN_HOST, 0);
    world_tell(simulation, domain, EVENT_STOPPED_DESTROYED, 0);
    (void)call;
}

static void go_down(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];

    if (domain->life != thing->life || domain->state != MACHINE_RUNNING)
        return;
    say(simulation, "world    %s powers off, as it was asked to", domain->name);
    /* Of one that was migrated meanwhile, it may be taken for planned. */
    crashes_relieved(simulation, domain,
                     domain->unheard_off_life != domain->life && domain->moved_life != domain->life);
    world_stop(simulation, domain, REASON_SHUTDOWN);
    world_tell(simulation, domain, EVENT_SHUTDOWN_GUEST, 0);
    world_tell(simulation, domain, EVENT_STOPPED_SHUTDOWN, 0);
}

/* The guest is asked. One that was asked before goes on with what it does. */
static void ask_to_shut_down(struct simulation *simulation, struct call *call, struct domain *domain)
{
    call->result.state = domain->state;
    domain->requested_off_life = domain->life;
    if (domain->state != MACHINE_RUNNING || domain->is_hung || domain->asked_off_life == domain->life)
        return;
    if (domain->ignores_acpi || simulation->now.mono_us - domain->up_us < BOOT_US) {
        say(simulation, "world    the guest of %s does not listen", domain->name);
        return;
    }
    domain->asked_off_life = domain->life;
    /* No daemon hears that this call, which is late, asked it. */
    if (call->is_lost || call->epoch != simulation->epoch)
        domain->unheard_off_life = domain->life;
    world_schedule_guest(simulation, domain,
                         random_between(&simulation->random_world, USEC_PER_MSEC, 20 * USEC_PER_SEC), go_down);
}

/* Suspended, or saved. */
static void lay_down(struct simulation *simulation, struct call *call, struct domain *domain)
{
    bool is_paused = domain->state == MACHINE_PAUSED && domain->reason == REASON_USER;

    warm_laid_down(simulation, call, domain);
    if (domain->state != MACHINE_RUNNING && !is_paused) {
        fail(call, -EIO, "it does not run");
    } else if (call->action.kind == ACTION_SAVE && domain->is_persistent) {
        say(simulation, "world    %s is saved", domain->name);
        world_stop(simulation, domain, REASON_SAVED);
        world_tell(simulation, domain, EVENT_STOPPED_SAVED, 0);
    } else if (call->action.kind == ACTION_SAVE) {
        fail(call, -EIO, "a transient domain cannot be saved");
    } else if (!is_paused) {
        say(simulation, "world    %s is suspended by the daemon", domain->name);
        domain->state = MACHINE_PAUSED;
        domain->reason = REASON_USER;
        world_tell(simulation, domain, EVENT_SUSPENDED_PAUSED, 0);
    }
}

static void set_metadata(struct simulation *simulation, const struct call *call, struct domain *domain)
{
    const struct metadata_change *change = &call->action.metadata;

    if (change->sets_mark) {
        if (strlen(change->mark) >= sizeof(domain->mark))
            abort();
        strcpy(domain->mark, change->mark);
        if (domain->is_made_standby && domain->roles == ROLE_STANDBY &&
            ((domain->mark[0] != '\0' && strcmp(domain->mark, "warm") != 0) || change->has_served))
            domain->roles = ROLE_IGNORED; /* it is a standby no more */
        say(simulation, "world    %s has the mark '%s'", domain->name, domain->mark);
        world_tell(simulation, domain, EVENT_CHANGED, 0);
        return;
    }
    domain->roles = change->roles;
    if (change->sets_priority)
        domain->priority = change->priority;
    snprintf(domain->service, sizeof(domain->service), "%.15s", change->service);
    say(simulation, "world    %s has the role %s%s%s", domain->name, machine_roles_name(domain->roles),
        domain->service[0] != '\0' ? " and serves " : "", domain->service);
    world_tell(simulation, domain, EVENT_CHANGED, 0);
}

static void probe(struct simulation *simulation, struct call *call, const struct domain *domain)
{
    call->result.probe = (struct probe){
        .agent_answered = world_agent_answers(simulation, domain),
        .has_counters = true,
        .disk_requests = domain->is_hung ? domain->counters : (uint64_t)simulation->now.mono_us,
        .network_packets = domain->counters,
    };
}

/* Of what a migration left on a host, or is bringing to it: it does not run there, and is not started. */
static void perform_on_copy(struct simulation *simulation, struct call *call, struct domain *domain)
{
    struct domain_report report;

    if (call->action.kind == ACTION_DESCRIBE || call->action.kind == ACTION_DISCOVER ||
        call->action.kind == ACTION_READ) {
        call->report = migration_report(simulation, domain, call->host);
        call->has_report = true;
    } else if (call->action.kind == ACTION_GET_STATE) {
        report = migration_report(simulation, domain, call->host);
        call->result.state = report.state;
        call->result.reason = report.reason;
        domain_description_free(report.description);
    } else if (call->action.kind == ACTION_DESTROY) {
        migration_destroy(simulation, domain, call->host);
    } else {
        fail(call, -EIO, "it runs on another host");
    }
}

static bool knows_templates(enum action_kind kind)
{
    return kind == ACTION_DESCRIBE || kind == ACTION_READ || kind == ACTION_START;
}

/* What the call does, at the hypervisor. */
static void perform(struct simulation *simulation, struct call *call)
{
    struct domain *domain = world_find(simulation, &call->action.target);

    if (call->action.kind == ACTION_LIST) {
        list(simulation, call);
        return;
    }
    if (domain != NULL && domain->host != call->host && migration_is_listed(simulation, domain, call->host)) {
        perform_on_copy(simulation, call, domain);
        return;
    }
    if (domain == NULL || !domain->exists || domain->host != call->host) {
        fail(call, -ENOENT, "no such domain");
        return;
    }
    if (domain->state == MACHINE_TEMPLATE && call->action.kind != ACTION_UNMAKE &&
        (!knows_templates(call->action.kind) || !templates_are_listed(simulation, domain))) {
        fail(call, -ENOENT, "no such domain yet");
        return;
    }
    switch (call->action.kind) {
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_READ:
        call->seen_state = domain->state;
        call->seen_life = domain->life;
        call->report = show(simulation, domain);
        call->has_report = true;
        break;
    case ACTION_GET_STATE:
        call->result.state = domain->state;
        call->result.reason = domain->reason;
        endings_show(simulation, domain, &call->result.state, &call->result.reason);
        call->result.has_managed_save = domain->has_saved;
        call->result.free_memory_kib = world_free_memory(simulation, call->host);
        call->result.cpu_time_us = world_cpu_time_us(simulation, domain);
        break;
    case ACTION_DESTROY:
        destroy(simulation, call, domain);
        break;
    case ACTION_SHUTDOWN:
        ask_to_shut_down(simulation, call, domain);
        break;
    case ACTION_START:
        start(simulation, call, domain);
        break;
    case ACTION_UNMAKE:
        if (!call->is_overdue) /* then it is given up */
            templates_unmake(simulation, call, domain);
        break;
    case ACTION_CHECK_ALIVE:
        probe(simulation, call, domain);
        break;
    case ACTION_VERIFY:
        if (!world_agent_answers(simulation, domain))
            fail(call, -EIO, "the guest agent does not answer");
        break;
    case ACTION_SUSPEND:
    case ACTION_SAVE:
        lay_down(simulation, call, domain);
        break;
    case ACTION_SET_CLOCK:
        if (!world_agent_answers(simulation, domain))
            fail(call, -EAGAIN, "the guest agent does not answer");
        break;
    case ACTION_SET_METADATA:
        set_metadata(simulation, call, domain);
        break;
    case ACTION_GET_AUTOSTART:
        call->result.autostart = domain->autostart;
        break;
    case ACTION_SET_AUTOSTART:
        autostart_set(simulation, call, domain);
        break;
    case ACTION_MEASURE_MEMORY:
        call->result.resident_kib = domain->memory_kib / 2;
        break;
    case ACTION_LIST:
    case ACTION_RECORD:
    case ACTION_FENCE:
    case ACTION_TEST_FENCING:
    case ACTION_HOOK:
    case ACTION_REMEMBER:
    case ACTION_COUNT:
    default:
        abort();
    }
    if (call->result.error == 0 && !call->is_overdue && !call->is_lost && !call->lies)
        promises_good_answer(simulation, &call->action, domain);
}

/* It may have died, or been ended, before the answer. */
static void note_late_start(struct domain *domain)
{
    domain->came_up_late = machine_state_is_active(domain->state);
}

static void note_heartbeat(struct simulation *simulation, const struct call *call)
{
    struct domain *domain = world_find(simulation, &call->action.target);

    if (domain == NULL || call->result.error != 0 || call->is_overdue || !call->result.probe.agent_answered)
        return;
    domain->answered_wakings = domain->wakings;
    domain->answered_epoch = simulation->epoch;
    domain->answered_host = call->host;
    domain->answered_link = simulation->hosts[call->host].link;
}

static void hand_in(struct simulation *simulation, struct call *call)
{
    const struct action *action = &call->action;
    struct coordinator *coordinator = simulation->coordinator;

    say(simulation, "answer   %s %.8s%s: %s%s%s", action_kind_name(action->kind),
        action->target.uuid[0] != '\0' ? action->target.uuid + 28 : action->target.hypervisor,
        call->is_overdue ? " (late)" : "", call->result.error == 0 ? "done" : strerrorname_np(-call->result.error),
        action->kind == ACTION_GET_STATE && call->result.error == 0 ? ", " : "",
        action->kind == ACTION_GET_STATE && call->result.error == 0 ? machine_state_name(call->result.state) : "");
    if (call->is_overdue) {
        if (action->kind == ACTION_SHUTDOWN)
            world_find(simulation, &action->target)->late_request_us = simulation->now.mono_us;
        if (action->kind == ACTION_START && call->result.error == 0 && !warm_is_id(action->recovery_id))
            note_late_start(world_find(simulation, &action->target));
        coordinator_handle_late_result(coordinator, action, &call->result, simulation->now);
    } else if (call->inventory != NULL && call->result.error == 0) {
        simulation->hosts[call->host].is_fenced = false;
        coordinator_handle_inventory(coordinator, action, steal_pointer(&call->inventory), simulation->now);
    } else if (call->has_report && call->result.error == 0) {
        coordinator_handle_description(coordinator, action, &call->report, simulation->now);
        call->report.description = NULL;
    } else if ((action->kind == ACTION_DESCRIBE || action->kind == ACTION_DISCOVER || action->kind == ACTION_READ) &&
               call->result.error == -ENOENT) {
        coordinator_handle_description(coordinator, action, NULL, simulation->now);
    } else {
        coordinator_handle_result(coordinator, action, &call->result, simulation->now);
    }
    if (action->kind == ACTION_READ)
        storage_was_read(simulation, call);
    if (action->kind == ACTION_CHECK_ALIVE)
        note_heartbeat(simulation, call);
}

/* Nothing comes of it any more, and no answer comes before the deadline or the end of the connection. */
static bool is_stuck(struct simulation *simulation, struct call *call)
{
    if (!call->is_stuck && !power_is_out_of_reach(&simulation->hosts[call->host]))
        return false;
    call->is_stuck = true;
    if (call->is_lost || call->is_overdue || !shell_is_up(simulation, call->epoch))
        drop(simulation, call);
    return true;
}

static void come_back(struct simulation *simulation, const struct thing *thing)
{
    struct call *call = find_call(simulation, thing->number);
    bool is_heard = call != NULL && shell_is_up(simulation, call->epoch) && !call->is_lost;

    if (call == NULL || is_stuck(simulation, call))
        return;
    if (is_heard)
        hand_in(simulation, call);
    drop(simulation, call);
    if (is_heard)
        shell_pump(simulation);
}

/* The daemon cannot tell an error that came before the guest was asked from one that came after. */
static void refuse_to_act(struct simulation *simulation, struct call *call)
{
    struct domain *domain = world_find(simulation, &call->action.target);

    fail(call, -EIO, "libvirt refuses");
    if (call->action.kind == ACTION_START && domain != NULL && domain->state == MACHINE_TEMPLATE)
        templates_fail_half_way(simulation, call, domain);
    if (call->action.kind == ACTION_SHUTDOWN && domain != NULL)
        domain->requested_off_life = domain->life;
}

static void take_effect(struct simulation *simulation, const struct thing *thing)
{
    struct call *call = find_call(simulation, thing->number);
    int64_t delay_us;
    bool is_heard;

    if (call == NULL || is_stuck(simulation, call))
        return;
    call->has_taken_effect = true;
    if (call->forced_error == 0 && simulation->hosts[call->host].is_up &&
        simulation->hosts[call->host].boots == call->boots) {
        perform(simulation, call);
        if (call->lies && call->result.error == 0)
            fail(call, -EIO, "an error, says libvirt");
    } else {
        refuse_to_act(simulation, call);
    }
    is_heard = shell_is_up(simulation, call->epoch) && !call->is_lost;
    delay_us = random_between(&simulation->random_calls, 200, 4000);
    if (strikes(simulation, &simulation->random_calls, FAULT_ANSWER_LATE, 5))
        delay_us = random_between(&simulation->random_calls, 4000, 800 * USEC_PER_MSEC);
    if (is_heard)
        agenda_add(simulation, delay_us, (struct thing){.happen = come_back, .number = call->number});
    else
        drop(simulation, call);
}

static void be_overdue(struct simulation *simulation, const struct thing *thing)
{
    struct call *call = find_call(simulation, thing->number);
    struct action_result result = {.error = -ETIMEDOUT, .message = "no answer in time"};

    if (call == NULL || !shell_is_up(simulation, call->epoch) || call->is_lost)
        return;
    call->is_overdue = true;
    if (call->action.kind == ACTION_READ)
        storage_was_read(simulation, call);
    result.id = call->action.id;
    say(simulation, "overdue  %s %.8s", action_kind_name(call->action.kind), call->action.target.uuid + 28);
    coordinator_handle_result(simulation->coordinator, &call->action, &result, simulation->now);
    if (call->is_stuck)
        drop(simulation, call);
    shell_pump(simulation);
}

static bool is_counted(const struct action *action)
{
    return action->kind != ACTION_LIST && action->kind != ACTION_DESCRIBE && action->kind != ACTION_DISCOVER &&
           action->kind != ACTION_CHECK_ALIVE && action->kind != ACTION_MEASURE_MEMORY &&
           action->kind != ACTION_GET_AUTOSTART && action->kind != ACTION_SET_CLOCK;
}

static void cut(struct simulation *simulation, const struct thing *thing)
{
    if (!shell_is_up(simulation, thing->epoch))
        return;
    shell_disconnect(simulation, thing->host, "the connection broke");
    if (shell_is_up(simulation, thing->epoch))
        shell_connect_later(simulation, thing->host, 500 * USEC_PER_MSEC);
}

/* How long until it takes effect, and what goes wrong with it. */
static int64_t doom(struct simulation *simulation, struct call *call)
{
    uint64_t *dice = &simulation->random_calls;
    unsigned place = is_counted(&call->action) ? simulation->places[0]++ : UINT32_MAX;
    int64_t delay_us = random_between(dice, 300, 30000);
    int64_t hang_us = call->action.timeout_us + random_between(dice, 1, 20 * USEC_PER_SEC);

    if (call->action.kind == ACTION_START)
        delay_us += random_between(dice, 100000, 900000);
    if (strikes(simulation, dice, FAULT_CALL_FAILS, 3) || spot_is(simulation, SPOT_CALL_FAILS, place))
        call->forced_error = -EIO;
    if (strikes(simulation, dice, FAULT_CALL_LIES, 1) || spot_is(simulation, SPOT_CALL_LIES, place))
        call->lies = true;
    if (strikes(simulation, dice, FAULT_CALL_HANGS, 2) || spot_is(simulation, SPOT_CALL_HANGS, place))
        delay_us = hang_us;
    if (strikes(simulation, dice, FAULT_CALL_HANGS_FAILS, 1) || spot_is(simulation, SPOT_CALL_HANGS_FAILS, place)) {
        delay_us = hang_us;
        call->forced_error = -EIO;
    }
    if (spot_is(simulation, SPOT_CRASH_AT_CALL, place))
        simulation->crash_is_due = true;
    if (spot_is(simulation, SPOT_DISCONNECT_AT_CALL, place))
        agenda_add(simulation, 0, (struct thing){.happen = cut, .epoch = simulation->epoch, .host = call->host});
    return delay_us;
}

static void refuse(struct simulation *simulation, const struct thing *thing)
{
    struct call *call = find_call(simulation, thing->number);
    struct action_result result = {.error = -ENOTCONN, .message = "not connected"};

    if (call == NULL)
        return;
    result.id = call->action.id;
    if (shell_is_up(simulation, call->epoch)) {
        say(simulation, "refused  %s %.8s: not connected", action_kind_name(call->action.kind),
            call->action.target.uuid + 28);
        coordinator_handle_result(simulation->coordinator, &call->action, &result, simulation->now);
    }
    drop(simulation, call);
    if (shell_is_up(simulation, thing->epoch))
        shell_pump(simulation);
}

static void run_hook(struct simulation *simulation, const struct thing *thing)
{
    struct call *call = find_call(simulation, thing->number);
    const struct domain *domain;
    struct action action;

    if (call == NULL)
        return;
    action = call->action;
    drop(simulation, call);
    if (!shell_is_up(simulation, thing->epoch))
        return;
    domain = world_find(simulation, &action.target);
    if (domain != NULL && domain->temper == TEMPER_VETOED)
        shell_answer(simulation, &action, -ECANCELED, "vetoed by a hook");
    else
        shell_answer(simulation, &action, 0, "");
}

static struct call *new_call(struct simulation *simulation, const struct action *action)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        abort();
    call->number = ++simulation->last_call;
    call->action = *action;
    call->epoch = simulation->epoch;
    call->asked_us = simulation->now.mono_us;
    call->is_unrecorded =
        action->kind == ACTION_START && !warm_is_id(action->recovery_id) && !promises_has_intent(simulation, action);
    call->result.id = action->id;
    call->next = simulation->calls;
    simulation->calls = call;
    return call;
}

void calls_perform(struct simulation *simulation, const struct action *action)
{
    struct call *call = new_call(simulation, action);
    struct thing thing = {.epoch = simulation->epoch, .number = call->number};
    const struct site *host = world_host(simulation, action->target.hypervisor);
    const struct domain *domain;

    say(simulation, "asks     %s %.8s %s", action_kind_name(action->kind),
        action->target.uuid[0] != '\0' ? action->target.uuid + 28 : action->target.hypervisor, action->recovery_id);
    if (action->kind == ACTION_HOOK) {
        thing.happen = run_hook;
        agenda_add(simulation, HOOK_TIME_US, thing);
        return;
    }
    if (host == NULL || !host->is_connected) {
        thing.happen = refuse;
        agenda_add(simulation, 100, thing);
        return;
    }
    call->host = (unsigned)(host - simulation->hosts);
    call->link = host->link;
    call->boots = host->boots;
    domain = world_find(simulation, &action->target);
    call->life = domain != NULL ? domain->life : 0;
    call->wakings = domain != NULL ? domain->wakings : 0;
    thing.happen = take_effect;
    agenda_add(simulation, doom(simulation, call), thing);
    thing.happen = be_overdue;
    agenda_add(simulation, action->timeout_us, thing);
}

/* The earliest call under way on this connection. */
static struct call *find_cut_off(struct simulation *simulation, unsigned host)
{
    struct call *earliest = NULL;

    for (struct call *call = simulation->calls; call != NULL; call = call->next)
        if (call->link != 0 && call->host == host && !call->is_lost && call->epoch == simulation->epoch)
            earliest = call;
    return earliest;
}

void calls_disconnect(struct simulation *simulation, unsigned host)
{
    struct call *call;

    /* A call that is answered may bring new ones, which are not connected. */
    while ((call = find_cut_off(simulation, host)) != NULL) {
        struct action_result result = {.error = -ENOTCONN, .message = "the connection broke"};

        call->is_lost = true;
        if (call->is_overdue) {
            if (call->is_stuck)
                drop(simulation, call);
            continue;
        }
        result.id = call->action.id;
        say(simulation, "cut off  %s %.8s", action_kind_name(call->action.kind), call->action.target.uuid + 28);
        coordinator_handle_result(simulation->coordinator, &call->action, &result, simulation->now);
        if (call->is_stuck)
            drop(simulation, call);
    }
}

void calls_forget_daemon(struct simulation *simulation)
{
    for (struct call *call = simulation->calls, *next; call != NULL; call = next) {
        next = call->next;
        call->is_lost = true;
        if (call->is_stuck)
            drop(simulation, call);
    }
}
