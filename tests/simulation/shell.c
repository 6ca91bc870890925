/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon without its world: what daemon.c, nodes.c, persistence.c and executor.c do around the real
 * coordinator. It can be killed at any time; nothing of it lives on but what is on disk.
 */
#include <errno.h>
#include <string.h>

#include "report/record.h"
#include "simulation.h"

#define CLOCK_JUMP_US (5 * USEC_PER_SEC)
#define PUMPS_MAX     10000
/* A turn of the daemon's event loop takes at most so long. */
#define TURN_US (3 * USEC_PER_MSEC)

bool shell_is_up(const struct simulation *simulation, unsigned epoch)
{
    return simulation->coordinator != NULL && simulation->epoch == epoch;
}

void shell_answer(struct simulation *simulation, const struct action *action, int error, const char *message)
{
    struct action_result result = {.id = action->id, .error = error};

    snprintf(result.message, sizeof(result.message), "%s", message);
    say(simulation, "answer   %s %s: %s", action_kind_name(action->kind), action->recovery_id,
        error == 0 ? "done" : strerrorname_np(-error));
    coordinator_handle_result(simulation->coordinator, action, &result, simulation->now);
    shell_pump(simulation);
}

static void write_recovery(struct simulation *simulation, const struct recovery *recovery, uint64_t ticket)
{
    struct page *page = calloc(1, sizeof(*page));

    if (page == NULL || record_format_recovery(recovery, &page->document) < 0)
        abort();
    strcpy(page->key, recovery->id);
    page->ticket = ticket;
    page->detected_us = recovery->detected.real_us;
    page->intent = recovery->replacement;
    page->is_recording = recovery->state == RECOVERY_RECORDING;
    page->is_open = !recovery_state_is_final(recovery->state);
    page->put_us = simulation->now.mono_us;
    disk_put(simulation, page);
}

static void write_machine(struct simulation *simulation, const struct machine_ref *ref,
                          const struct machine_memory *memory, uint64_t ticket)
{
    const struct domain *domain = world_find(simulation, ref);
    const struct machine *machine = pool_find(coordinator_pool(simulation->coordinator), ref->hypervisor, ref->uuid);
    const struct string_list nothing = {0};
    struct page *page = calloc(1, sizeof(*page));

    if (page == NULL || domain == NULL ||
        (memory->state != MACHINE_GONE &&
         record_format_described_machine(memory, &nothing, machine != NULL ? machine->description : NULL,
                                         &page->document) < 0))
        abort();
    disk_make_key(ref, page->key);
    page->is_machine = true;
    page->host = (unsigned)(world_host(simulation, ref->hypervisor) - simulation->hosts);
    page->ticket = ticket;
    page->domain = domain->number;
    disk_put(simulation, page);
}

static void remember(struct simulation *simulation, const struct action *action)
{
    struct machine_memory memory = coordinator_memory(simulation->coordinator, &action->target);

    say(simulation, "asks     remember %.8s %s", action->target.uuid + 28, action->recovery_id);
    if (memory.state != MACHINE_GONE)
        write_machine(simulation, &action->target, &memory, action->id);
    else
        shell_answer(simulation, action, -ENOENT, "no such machine");
}

static void write_host(struct simulation *simulation, const char *name, const struct host_track *host)
{
    struct page *page = calloc(1, sizeof(*page));

    if (page == NULL || (host->state != HOST_REACHABLE && record_format_host(host, &page->document) < 0))
        abort();
    strcpy(page->key, name);
    page->is_host = true;
    page->domain = (unsigned)(world_host(simulation, name) - simulation->hosts);
    disk_put(simulation, page);
}

static void write_diversion(struct simulation *simulation, const struct diversion *diversion)
{
    struct page *page = calloc(1, sizeof(*page));

    if (page == NULL ||
        (!diversion->is_over &&
         record_format_diversion(diversion, coordinator_features(simulation->coordinator), &page->document) < 0))
        abort();
    snprintf(page->key, sizeof(page->key), "diversion:%.8s %.15s", diversion->service.original.uuid + 28,
             diversion->service.original.hypervisor);
    page->is_diversion = true;
    disk_put(simulation, page);
}

static void write_hold(struct simulation *simulation, const struct hold *hold)
{
    struct page *page = calloc(1, sizeof(*page));

    if (page == NULL || (!hold->is_over && record_format_hold(hold, &page->document) < 0))
        abort();
    holds_make_key(holds_number(simulation, hold), page->key);
    page->is_hold = true;
    disk_put(simulation, page);
}

static void perform(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery;

    promises_before(simulation, action);
    if (action->kind == ACTION_REMEMBER) {
        remember(simulation, action);
        return;
    }
    if (action->kind == ACTION_FENCE) {
        power_fence(simulation, action);
        return;
    }
    if (action->kind == ACTION_TEST_FENCING) {
        shell_answer(simulation, action, 0, ""); /* it changes nothing */
        return;
    }
    if (action->kind != ACTION_RECORD) {
        calls_perform(simulation, action);
        return;
    }
    say(simulation, "asks     record %s", action->recovery_id);
    recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    if (recovery != NULL)
        write_recovery(simulation, recovery, action->id);
    else
        shell_answer(simulation, action, -ENOENT, "no such recovery");
}

static void write_changes(struct simulation *simulation)
{
    const struct recovery *recovery;
    struct machine_ref machine;
    struct machine_memory memory;
    const struct host_track *host;
    const struct diversion *diversion;
    const struct hold *hold;
    const char *name;

    disk_hold(simulation);
    while ((recovery = coordinator_next_changed_recovery(simulation->coordinator)) != NULL)
        if (recovery->state != RECOVERY_RECORDING)
            write_recovery(simulation, recovery, 0);
    while ((diversion = coordinator_next_changed_diversion(simulation->coordinator)) != NULL)
        write_diversion(simulation, diversion);
    while ((hold = coordinator_next_changed_hold(simulation->coordinator)) != NULL)
        write_hold(simulation, hold);
    while ((host = coordinator_next_changed_host(simulation->coordinator, &name)) != NULL)
        write_host(simulation, name, host);
    while (coordinator_next_changed_machine(simulation->coordinator, &machine, &memory))
        write_machine(simulation, &machine, &memory, 0);
    disk_let_go(simulation);
}

static void watch_clock(struct simulation *simulation)
{
    int64_t offset_us = simulation->now.real_us - simulation->now.mono_us;
    int64_t jump_us = offset_us - simulation->offset_us;

    if (jump_us > -CLOCK_JUMP_US && jump_us < CLOCK_JUMP_US)
        return;
    simulation->offset_us = offset_us;
    coordinator_handle_clock_jump(simulation->coordinator, simulation->now);
}

static void pump_once(struct simulation *simulation)
{
    struct action action;
    struct notice notice;

    watch_clock(simulation);
    for (unsigned n = 0; coordinator_next_action(simulation->coordinator, &action); n++) {
        if (n > PUMPS_MAX) {
            violate(simulation, "it asks without end: %s", action_kind_name(action.kind));
            return;
        }
        promises_step(simulation);
        perform(simulation, &action);
    }
    while (coordinator_next_notice(simulation->coordinator, &notice)) {
        say(simulation, "NOTICE   %s: %s", notice_kind_name(notice.kind), notice.text);
        promises_notice(simulation, &notice);
        notice_done(&notice);
    }
    if (coordinator_overruns(simulation->coordinator) > 0)
        violate(simulation, "the components do not come to an end");
    write_changes(simulation);
    promises_step(simulation);
    simulation->timer_us = coordinator_deadline(simulation->coordinator);
}

void shell_pump_now(struct simulation *simulation)
{
    simulation->pump_us = USEC_INFINITY;
    simulation->is_pumping = true;
    pump_once(simulation);
    simulation->is_pumping = false;
    promises_pumped(simulation);
}

/* Half of the turns are those in which everything waits already; in the others, inputs come while they last. */
static int64_t draw_turn(struct simulation *simulation)
{
    return random_hits(&simulation->random_batches, 50) ? 0 : random_between(&simulation->random_batches, 1, TURN_US);
}

void shell_pump(struct simulation *simulation)
{
    /* As in the daemon, an answer that comes at once pumps by itself, inside. */
    if (simulation->is_pumping || simulation->coordinator == NULL)
        return;
    if (!simulation->is_batching) {
        shell_pump_now(simulation);
        return;
    }
    if (simulation->pump_us == USEC_INFINITY)
        simulation->pump_us = simulation->now.mono_us + draw_turn(simulation);
    else
        simulation->result->faults[FAULT_BATCH]++;
    promises_step(simulation);
}

void shell_tick(struct simulation *simulation)
{
    simulation->timer_us = USEC_INFINITY;
    coordinator_tick(simulation->coordinator, simulation->now);
    shell_pump(simulation);
}

void shell_order(struct simulation *simulation, struct order *order, const struct domain *domain)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    if (simulation->coordinator == NULL)
        return;
    strcpy(order->machine.hypervisor, simulation->hosts[domain->host].name);
    strcpy(order->machine.uuid, domain->uuid);
    simulation->is_ordering = true;
    if (coordinator_order(simulation->coordinator, order, simulation->now, &answer) == -ENOMEM)
        abort();
    say(simulation, "operator %s %s: %s", order_kind_name(order->kind), domain->name,
        answer.words != NULL ? answer.words : "unknown");
    promises_step(simulation);
    simulation->is_ordering = false;
    shell_pump(simulation);
}

bool shell_release(struct simulation *simulation)
{
    if (simulation->coordinator == NULL || !coordinator_is_braked(simulation->coordinator))
        return false;
    say(simulation, "daemon   the brake is released");
    simulation->is_braked = false;
    simulation->released_us = simulation->now.mono_us;
    coordinator_release_brake(simulation->coordinator, simulation->now);
    shell_pump(simulation);
    return true;
}

static void connect_now(struct simulation *simulation, const struct thing *thing)
{
    struct site *host = &simulation->hosts[thing->host];

    if (!shell_is_up(simulation, thing->epoch) || host->is_connected)
        return;
    if (!host->is_up || host->is_cut) {
        if (!host->has_told) {
            host->has_told = true;
            coordinator_handle_disconnected(simulation->coordinator, host->name, "cannot connect", simulation->now);
            shell_pump(simulation);
        }
        shell_connect_later(simulation, thing->host, USEC_PER_SEC);
        return;
    }
    host->is_connected = true;
    host->was_seen = true;
    host->link++;
    say(simulation, "connect  %s", host->name);
    coordinator_handle_connected(simulation->coordinator, host->name, simulation->now);
    shell_pump(simulation);
}

void shell_connect_later(struct simulation *simulation, unsigned host, int64_t delay_us)
{
    agenda_add(simulation, delay_us, (struct thing){.happen = connect_now, .epoch = simulation->epoch, .host = host});
}

void shell_disconnect(struct simulation *simulation, unsigned index, const char *why)
{
    struct site *host = &simulation->hosts[index];
    bool answers_first = random_hits(&simulation->random_plan, 50);

    if (simulation->coordinator == NULL || !host->is_connected)
        return;
    say(simulation, "cut      %s: %s", host->name, why);
    host->is_connected = false;
    host->has_told = true;
    host->lost_us = simulation->now.mono_us;
    if (answers_first)
        calls_disconnect(simulation, index);
    coordinator_handle_disconnected(simulation->coordinator, host->name, why, simulation->now);
    if (!answers_first)
        calls_disconnect(simulation, index);
    shell_pump(simulation);
}

/* The oldest first, as the store reads them. */
static void restore_recoveries(struct simulation *simulation)
{
    int64_t last_us = INT64_MIN;
    const struct page *next = NULL;
    char done[RECOVERY_ID_SIZE] = "";

    for (;; last_us = next->detected_us, strcpy(done, next->key)) {
        struct recovery *recovery = NULL;

        next = NULL;
        for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
            bool is_later =
                page->detected_us > last_us || (page->detected_us == last_us && strcmp(page->key, done) > 0);

            if (!page->is_machine && !page->is_host && !page->is_diversion && !page->is_hold && is_later &&
                (next == NULL || page->detected_us < next->detected_us ||
                 (page->detected_us == next->detected_us && strcmp(page->key, next->key) < 0)))
                next = page;
        }
        if (next == NULL)
            return;
        if (record_parse_recovery(next->document, simulation->now, &recovery) < 0 ||
            coordinator_restore(simulation->coordinator, recovery) < 0) {
            violate(simulation, "recovery %s cannot be read back", next->key);
            return;
        }
    }
}

static void restore_machines(struct simulation *simulation)
{
    for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
        const struct domain *domain = &simulation->domains[page->domain];
        _cleanup_(string_list_done) struct string_list learned = {0};
        struct machine_ref ref = {0};
        struct domain_description *description = NULL;
        struct machine_memory memory;
        int r;

        if (!page->is_machine)
            continue;
        strcpy(ref.hypervisor, simulation->hosts[page->host].name);
        strcpy(ref.uuid, domain->uuid);
        r = record_parse_described_machine(page->document, ref.uuid, &memory, &learned, &description);
        if (r == 0)
            r = coordinator_remember(simulation->coordinator, &ref, &memory);
        /* One that was migrated and is gone where it was has none. */
        if (r == 0 && description != NULL)
            r = coordinator_remember_description(simulation->coordinator, &ref, description);
        if (r < 0)
            violate(simulation, "the state of %s cannot be read back", domain->name);
    }
}

static void restore_hosts(struct simulation *simulation)
{
    for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
        struct moment missing, fenced;
        enum host_state state;

        if (page->is_host &&
            (record_parse_host(page->document, simulation->now, &state, &missing, &fenced) < 0 ||
             coordinator_remember_host(simulation->coordinator, page->key, state, missing, fenced) < 0))
            violate(simulation, "the state of %s cannot be read back", page->key);
    }
}

static void restore_diversions(struct simulation *simulation)
{
    for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
        struct diversion *diversion = NULL;

        if (page->is_diversion &&
            (record_parse_diversion(page->document, simulation->now, coordinator_features(simulation->coordinator),
                                    &diversion) < 0 ||
             coordinator_restore_diversion(simulation->coordinator, diversion) < 0))
            violate(simulation, "%s cannot be read back", page->key);
    }
}

static void restore_holds(struct simulation *simulation)
{
    for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
        struct hold *hold = NULL;

        if (page->is_hold && (record_parse_hold(page->document, &hold) < 0 ||
                              coordinator_restore_hold(simulation->coordinator, hold) < 0))
            violate(simulation, "%s cannot be read back", page->key);
    }
    holds_daemon_starts(simulation);
}

void shell_start(struct simulation *simulation)
{
    if (simulation->coordinator != NULL)
        return;
    simulation->epoch++;
    say(simulation, "daemon   starts");
    if (coordinator_new(simulation->config, NULL, &simulation->coordinator) < 0)
        abort();
    coordinator_set_host_shutdown(simulation->coordinator, simulation->host_is_shutting_down);
    simulation->offset_us = simulation->now.real_us - simulation->now.mono_us;
    promises_daemon_starts(simulation);
    storage_daemon_starts(simulation);
    restore_recoveries(simulation);
    restore_diversions(simulation);
    restore_holds(simulation);
    restore_machines(simulation);
    restore_hosts(simulation);
    for (unsigned i = 0; i < simulation->n_hosts; i++) {
        simulation->hosts[i].has_told = false;
        simulation->hosts[i].lost_us = simulation->now.mono_us;
    }
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        shell_connect_later(simulation, i, random_between(&simulation->random_plan, 1000, 50000));
    shell_pump(simulation);
}

static void start_again(struct simulation *simulation, const struct thing *thing)
{
    (void)thing;
    shell_start(simulation);
}

void shell_crash(struct simulation *simulation, int64_t down_us)
{
    simulation->crash_is_due = false;
    if (simulation->coordinator == NULL)
        return;
    say(simulation, "daemon   is killed");
    promises_daemon_dies(simulation);
    disk_forget_daemon(simulation);
    calls_forget_daemon(simulation);
    coordinator_free(simulation->coordinator);
    simulation->coordinator = NULL;
    /* What came in since the last pump is lost with it. */
    simulation->pump_us = simulation->timer_us = USEC_INFINITY;
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        simulation->hosts[i].is_connected = false;
    agenda_add(simulation, down_us, (struct thing){.happen = start_again});
}
