/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What befalls the world: drawn beforehand, so that a run can be had again with less of it. */
#include <limits.h>
#include <string.h>

#include "simulation.h"

#define TROUBLE_BEGINS_US (5 * USEC_PER_SEC)

const char *const fault_names[FAULT_COUNT] = {
    [FAULT_CRASH] = "crash",
    [FAULT_PAUSE] = "io-error-or-watchdog",
    [FAULT_PANIC_LOOP] = "panic-loop",
    [FAULT_HANG] = "hung-guest",
    [FAULT_BUSY_GUEST] = "busy-guest",
    [FAULT_PLANNED_STOP] = "planned-stop",
    [FAULT_OPERATOR_START] = "operator-start",
    [FAULT_HOST_SHUTDOWN] = "host-shutdown",
    [FAULT_CALL_FAILS] = "call-fails",
    [FAULT_CALL_HANGS] = "call-succeeds-late",
    [FAULT_CALL_HANGS_FAILS] = "call-fails-late",
    [FAULT_CALL_LIES] = "call-errs-but-acts",
    [FAULT_ANSWER_LATE] = "answer-late",
    [FAULT_EVENT_LATE] = "event-late",
    [FAULT_EVENT_TWICE] = "event-twice",
    [FAULT_EVENT_LOST] = "event-lost",
    [FAULT_DISCONNECT] = "disconnect",
    [FAULT_LIBVIRTD_RESTART] = "libvirtd-restart",
    [FAULT_DISK_FULL] = "disk-full",
    [FAULT_DISK_HANGS] = "disk-hangs",
    [FAULT_VETO] = "veto",
    [FAULT_MUTE_GUEST] = "mute-guest",
    [FAULT_BOOT_AND_DIE] = "boot-and-die",
    [FAULT_START_REFUSED] = "start-refused",
    [FAULT_CLOCK_JUMP] = "clock-jump",
    [FAULT_DAEMON_CRASH] = "daemon-crash",
    [FAULT_RELOAD] = "reload",
    [FAULT_WARMTH] = "warmth",
    [FAULT_POWER_LOSS] = "power-loss",
    [FAULT_LINK_CUT] = "link-cut",
    [FAULT_OWN_NETWORK] = "own-network-lost",
    [FAULT_FENCE_FAILS] = "fencing-fails",
    [FAULT_FENCE_LATE] = "fencing-succeeds-late",
    [FAULT_FENCE_LIES] = "fencing-lies",
    [FAULT_ACPI_IGNORED] = "acpi-ignored",
    [FAULT_REDEFINED] = "redefined",
    [FAULT_ORDER] = "operator-orders",
    [FAULT_HELD] = "held",
    [FAULT_MIGRATION] = "migration",
    [FAULT_ENDING_KNOWN] = "ending-known",
    [FAULT_TAGGED] = "renamed-and-tagged",
    [FAULT_TEMPLATE] = "templates",
    [FAULT_BATCH] = "inputs-together",
};

/* From `first` on, the next domain that is in this state on a host that is up; NULL. */
static struct domain *pick(struct simulation *simulation, unsigned first, enum machine_state state)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[(first + i) % simulation->n_domains];

        if (domain->exists && domain->state == state && simulation->hosts[domain->host].is_up)
            return domain;
    }
    return NULL;
}

static void kill_one(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    world_kill(simulation, domain, "its process dies");
}

static void dump_crash(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    promises_crash(simulation, domain, "is crashed by a dump", !domain->is_persistent, false);
    world_stop(simulation, domain, REASON_CRASHED);
    world_tell(simulation, domain, EVENT_STOPPED_CRASHED, 0);
}

static bool is_still(struct simulation *simulation, const struct thing *thing, enum machine_state state)
{
    const struct domain *domain = &simulation->domains[thing->domain];

    return domain->exists && domain->life == thing->life && domain->state == state;
}

static void end_panic(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];
    int64_t notice_us;

    if (!is_still(simulation, thing, MACHINE_PAUSED))
        return;
    notice_us = endings_begin(simulation, domain, REASON_CRASHED, EVENT_ENDED_EXITED);
    world_tell(simulation, domain, EVENT_STOPPED_CRASHED, notice_us);
}

static void panic_again(struct simulation *simulation, const struct thing *thing);

static void panic_and_restart(struct simulation *simulation, struct domain *domain)
{
    domain->is_hung = false;
    promises_crash(simulation, domain, "panics, and libvirt restarts it", true, true);
    world_tell(simulation, domain, EVENT_CRASHED_PANICKED, 0);
    domain->wakings++;
    world_tell(simulation, domain, EVENT_REBOOT, 0);
    world_tell(simulation, domain, EVENT_RESUMED, 50 * USEC_PER_MSEC);
    if (domain->panics_left-- > 1)
        world_schedule_guest(simulation, domain, 2 * USEC_PER_SEC, panic_again);
}

static void panic_again(struct simulation *simulation, const struct thing *thing)
{
    if (is_still(simulation, thing, MACHINE_RUNNING))
        panic_and_restart(simulation, &simulation->domains[thing->domain]);
}

static void panic(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    switch (domain->on_crash) {
    case ON_CRASH_RESTART:
        domain->panics_left = incident->kind == INCIDENT_PANIC_LOOP ? 6 : 1;
        panic_and_restart(simulation, domain);
        return;
    case ON_CRASH_PRESERVE:
        promises_crash(simulation, domain, "panics and is preserved", !domain->is_persistent, false);
        domain->state = MACHINE_CRASHED;
        domain->reason = REASON_PANICKED;
        world_tell(simulation, domain, EVENT_CRASHED_PANICKED, 0);
        return;
    case ON_CRASH_DESTROY:
    case ON_CRASH_COUNT:
    default:
        promises_crash(simulation, domain, "panics", !domain->is_persistent, false);
        domain->state = MACHINE_PAUSED;
        domain->reason = REASON_PANICKED;
        world_tell(simulation, domain, EVENT_CRASHED_PANICKED, 0);
        world_schedule_guest(simulation, domain, 200 * USEC_PER_MSEC, end_panic);
    }
}

static void end_shutdown(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];
    int64_t notice_us;

    if (!is_still(simulation, thing, MACHINE_STOPPING))
        return;
    notice_us = endings_begin(simulation, domain, REASON_SHUTDOWN, EVENT_ENDED_EXITED);
    world_tell(simulation, domain, EVENT_STOPPED_SHUTDOWN, notice_us);
}

static void shut_down(struct simulation *simulation, struct domain *domain, enum domain_event_kind how)
{
    domain->state = MACHINE_STOPPING;
    domain->reason = REASON_UNKNOWN;
    domain->started_for[0] = '\0'; /* whatever happens, it does not serve any more */
    world_tell(simulation, domain, how, 0);
    world_schedule_guest(simulation, domain, 300 * USEC_PER_MSEC, end_shutdown);
}

static void host_kill(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    if (simulation->host_is_shutting_down)
        return;
    promises_crash(simulation, domain, "gets SIGTERM on its host", true, false);
    shut_down(simulation, domain, EVENT_SHUTDOWN_HOST);
}

static void guest_off(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    say(simulation, "world    %s powers off", domain->name);
    crashes_relieved(simulation, domain, false);
    shut_down(simulation, domain, EVENT_SHUTDOWN_GUEST);
}

static void resume_later(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];

    if (!is_still(simulation, thing, MACHINE_PAUSED))
        return;
    say(simulation, "world    %s is resumed", domain->name);
    if (warm_is_id(domain->started_for))
        domain->started_for[0] = '\0';
    domain->wakings++;
    domain->state = MACHINE_RUNNING;
    domain->reason = REASON_UNKNOWN;
    world_tell(simulation, domain, EVENT_RESUMED, 0);
}

static void pause_for(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    bool is_watchdog = incident->kind == INCIDENT_WATCHDOG;

    promises_crash(simulation, domain, is_watchdog ? "is paused by its watchdog" : "is paused by an I/O error", true,
                   true);
    domain->state = MACHINE_PAUSED;
    domain->reason = is_watchdog ? REASON_WATCHDOG : REASON_IO_ERROR;
    if (is_watchdog)
        world_tell(simulation, domain, EVENT_WATCHDOG, 0);
    world_tell(simulation, domain, is_watchdog ? EVENT_SUSPENDED_WATCHDOG : EVENT_SUSPENDED_IO_ERROR, 0);
    if (incident->for_us < 8 * USEC_PER_SEC)
        world_schedule_guest(simulation, domain, incident->for_us, resume_later);
}

static void kdump(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    world_tell(simulation, domain, EVENT_CRASHED_CRASHLOADED, 0);
}

static void hang(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    if (domain->is_hung)
        return; /* that is nothing new, and is not told again */
    domain->is_hung = true;
    promises_crash(simulation, domain, "hangs", true, true);
}

static void be_calm(struct simulation *simulation, const struct thing *thing)
{
    simulation->domains[thing->domain].is_busy = false;
}

static void be_busy(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    say(simulation, "world    %s is busy and does not answer", domain->name);
    domain->is_busy = true;
    world_schedule_guest(simulation, domain, incident->for_us * 4, be_calm);
}

static void destroy(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    int64_t notice_us;

    (void)incident;
    say(simulation, "world    %s is destroyed by an operator", domain->name);
    notice_us = endings_begin(simulation, domain, REASON_DESTROYED, EVENT_ENDED_EXITED);
    world_tell(simulation, domain, EVENT_SHUTDOWN_HOST, notice_us);
    world_tell(simulation, domain, EVENT_STOPPED_DESTROYED, 0);
}

static void save(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    if (!domain->is_persistent)
        return;
    say(simulation, "world    %s is saved", domain->name);
    world_tell(simulation, domain, EVENT_STOPPED_SAVED,
               endings_begin(simulation, domain, REASON_SAVED, EVENT_ENDED_EXITED));
}

static void suspend(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    say(simulation, "world    %s is suspended", domain->name);
    domain->state = MACHINE_PAUSED;
    domain->reason = REASON_USER;
    world_tell(simulation, domain, EVENT_SUSPENDED_PAUSED, 0);
}

static void resume(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    if (domain->reason == REASON_PANICKED)
        return;
    resume_later(simulation, &(struct thing){.domain = domain->number, .life = domain->life});
    if (domain->is_hung)
        promises_crash(simulation, domain, "hangs still", true, true);
}

/* The operator starts no domain whose disk is in use, or is about to be. */
static void start(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];

        if (other != domain && (other->live_disk == storage_next_disk_of(domain) || other->mac == domain->mac) &&
            (machine_state_is_active(other->state) || endings_are_unnoticed(simulation, other)))
            return;
    }
    if (domain->temper != TEMPER_REFUSES && !endings_are_unnoticed(simulation, domain))
        world_boot(simulation, domain, "", false);
}

static void mass_kill(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    unsigned n = 0;

    (void)domain;
    for (unsigned i = 0; i < simulation->n_domains && n < 5; i++) {
        struct domain *next = pick(simulation, incident->domain + i, MACHINE_RUNNING);

        if (next != NULL) {
            world_kill(simulation, next, "its process dies, with others");
            n++;
        }
    }
}

static void disconnect(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    unsigned host = incident->host % simulation->n_hosts;

    (void)domain;
    shell_disconnect(simulation, host, "the connection broke");
    shell_connect_later(simulation, host, incident->for_us);
}

static void libvirtd_back(struct simulation *simulation, const struct thing *thing)
{
    if (!simulation->hosts[thing->host].has_power)
        return;
    simulation->hosts[thing->host].is_up = true;
    say(simulation, "world    libvirtd of %s is back", simulation->hosts[thing->host].name);
}

/* It forgets how those ended that are off. */
static void stop_libvirtd(struct simulation *simulation, unsigned index, int64_t for_us)
{
    struct site *host = &simulation->hosts[index];

    if (!host->is_up)
        return;
    say(simulation, "world    libvirtd of %s goes down", host->name);
    promises_reasons_lost(simulation, index);
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].host == index && simulation->domains[i].state == MACHINE_SHUT_OFF)
            simulation->domains[i].reason = REASON_UNKNOWN;
    host->is_up = false;
    host->boots++;
    agenda_add(simulation, for_us, (struct thing){.happen = libvirtd_back, .host = index});
    shell_disconnect(simulation, index, "libvirtd went away");
    shell_connect_later(simulation, index, for_us + 100 * USEC_PER_MSEC);
}

static void restart_libvirtd(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    stop_libvirtd(simulation, incident->host % simulation->n_hosts, incident->for_us / 2);
}

static void disk_works(struct simulation *simulation, const struct thing *thing)
{
    (void)thing;
    disk_trouble(simulation, false, false);
}

static void disk_fails(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    disk_trouble(simulation, incident->kind == INCIDENT_DISK_FULL, incident->kind == INCIDENT_DISK_HANGS);
    agenda_add(simulation, incident->for_us * 3, (struct thing){.happen = disk_works});
}

static void jump_clock(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    say(simulation, "world    the clock jumps");
    simulation->now.real_us += incident->for_us * 100;
    simulation->has_jumped = true;
    /* All is listed anew, and what was heard of guests before counts no more. */
    for (unsigned i = 0; i < simulation->n_domains; i++)
        simulation->domains[i].answered_wakings = UINT_MAX;
    shell_pump(simulation);
}

static void crash_daemon(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    shell_crash(simulation, incident->for_us / 4);
}

static void reload(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    (void)incident;
    simulation->config = &simulation->configs[simulation->config == &simulation->configs[0]];
    simulation->has_reloaded = true;
    say(simulation, "daemon   reloads its configuration");
    if (simulation->coordinator == NULL)
        return;
    if (coordinator_configure(simulation->coordinator, simulation->config) < 0)
        abort();
    coordinator_tick(simulation->coordinator, simulation->now);
    shell_pump(simulation);
}

static void release_brake(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    (void)incident;
    shell_release(simulation);
}

/* The machine room's power goes: everything on the first host is stopped, and the daemon with it. */
static void host_is_down(struct simulation *simulation, const struct thing *thing)
{
    simulation->host_is_shutting_down = false;
    shell_crash(simulation, 2 * USEC_PER_SEC);
    stop_libvirtd(simulation, thing->host, USEC_PER_SEC);
}

static void shut_host_down(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    (void)incident;
    if (simulation->coordinator == NULL || !simulation->hosts[0].is_connected || simulation->host_is_shutting_down)
        return;
    say(simulation, "world    %s shuts down", simulation->hosts[0].name);
    simulation->host_is_shutting_down = true;
    coordinator_set_host_shutdown(simulation->coordinator, true);
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].host == 0 && simulation->domains[i].state == MACHINE_RUNNING)
            shut_down(simulation, &simulation->domains[i], EVENT_SHUTDOWN_HOST);
    agenda_add(simulation, 10 * USEC_PER_SEC, (struct thing){.happen = host_is_down, .host = 0});
}

static void kill_standby(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    if (warm_is_id(domain->started_for) && domain->reason == REASON_USER)
        world_kill(simulation, domain, "dies while it stands by");
}

static void lose_power(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    power_off(simulation, incident->host % simulation->n_hosts, "loses its power");
}

/* Mostly longer than host_timeout. */
static void cut_link(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    power_cut(simulation, incident->host % simulation->n_hosts, incident->for_us * 8);
}

static void lose_network(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        power_cut(simulation, i, incident->for_us * 8 + i * USEC_PER_SEC);
}

/* Sometimes to a machine that was picked at random, and then whatever its likeness; or as a rehearsal. */
static void order_failover(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    struct order order = {.kind = ORDER_FAILOVER, .is_forced = incident->for_us % 2 == 0};
    const struct domain *to;

    if (incident->for_us % 3 == 1) {
        order = (struct order){.kind = ORDER_REHEARSE, .is_confirmed = true};
    } else if (incident->for_us % 3 == 0) {
        to = pick(simulation, incident->host * 7, MACHINE_SHUT_OFF);
        if (to == NULL)
            return;
        order.has_to = order.is_anyway = true;
        strcpy(order.to.hypervisor, simulation->hosts[to->host].name);
        strcpy(order.to.uuid, to->uuid);
    }
    shell_order(simulation, &order, domain);
}

/* About a service that is diverted. */
static void order_diverted(struct simulation *simulation, struct order *order, const struct incident *incident)
{
    size_t count = simulation->coordinator != NULL ? coordinator_diversion_count(simulation->coordinator) : 0;
    const struct diversion *diversion;
    const struct domain *domain;

    if (count == 0)
        return;
    diversion = coordinator_diversion(simulation->coordinator, incident->domain % count);
    domain = diversion->is_over ? NULL : world_find(simulation, &diversion->service.replacement);
    if (domain != NULL)
        shell_order(simulation, order, domain);
}

/* Back to the original. */
static void order_failback(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    struct order order = {
        .kind = ORDER_FAILBACK,
        .is_confirmed = incident->for_us % 4 != 0,
        .is_forced = incident->for_us % 2 == 0,
    };

    (void)domain;
    order_diverted(simulation, &order, incident);
}

/* The replacement becomes the original. */
static void order_keep(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    order_diverted(simulation, &(struct order){.kind = ORDER_KEEP}, incident);
}

static void order_recovery(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    shell_order(simulation,
                &(struct order){
                    .kind = ORDER_RECOVER,
                    .ignores_limit = incident->for_us % 2 == 0,
                    .ignores_quarantine = incident->for_us % 3 == 0,
                },
                domain);
}

static void order_clearing(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)incident;
    domain->mended_us = simulation->now.mono_us;
    shell_order(simulation, &(struct order){.kind = ORDER_CLEAR}, domain);
}

static const struct {
    void (*happen)(struct simulation *simulation, struct domain *domain, const struct incident *incident);
    enum fault fault;
    unsigned weight;
    enum machine_state of; /* UNKNOWN: of no domain */
} kinds[INCIDENT_COUNT] = {
    [INCIDENT_KILL] = {kill_one, FAULT_CRASH, 24, MACHINE_RUNNING},
    [INCIDENT_DUMP_CRASH] = {dump_crash, FAULT_CRASH, 5, MACHINE_RUNNING},
    [INCIDENT_PANIC] = {panic, FAULT_CRASH, 12, MACHINE_RUNNING},
    [INCIDENT_HOST_KILL] = {host_kill, FAULT_CRASH, 5, MACHINE_RUNNING},
    [INCIDENT_IO_ERROR] = {pause_for, FAULT_PAUSE, 4, MACHINE_RUNNING},
    [INCIDENT_WATCHDOG] = {pause_for, FAULT_PAUSE, 4, MACHINE_RUNNING},
    [INCIDENT_KDUMP] = {kdump, FAULT_PAUSE, 1, MACHINE_RUNNING},
    [INCIDENT_PANIC_LOOP] = {panic, FAULT_PANIC_LOOP, 3, MACHINE_RUNNING},
    [INCIDENT_HANG] = {hang, FAULT_HANG, 3, MACHINE_RUNNING},
    [INCIDENT_BUSY] = {be_busy, FAULT_BUSY_GUEST, 3, MACHINE_RUNNING},
    [INCIDENT_MASS_KILL] = {mass_kill, FAULT_CRASH, 2, MACHINE_RUNNING},
    [INCIDENT_GUEST_OFF] = {guest_off, FAULT_PLANNED_STOP, 6, MACHINE_RUNNING},
    [INCIDENT_DESTROY] = {destroy, FAULT_PLANNED_STOP, 6, MACHINE_RUNNING},
    [INCIDENT_SAVE] = {save, FAULT_PLANNED_STOP, 4, MACHINE_RUNNING},
    [INCIDENT_SUSPEND] = {suspend, FAULT_PLANNED_STOP, 4, MACHINE_RUNNING},
    [INCIDENT_START] = {start, FAULT_OPERATOR_START, 26, MACHINE_SHUT_OFF},
    [INCIDENT_RESUME] = {resume, FAULT_OPERATOR_START, 4, MACHINE_PAUSED},
    [INCIDENT_HOST_SHUTDOWN] = {shut_host_down, FAULT_HOST_SHUTDOWN, 1, MACHINE_UNKNOWN},
    [INCIDENT_DISCONNECT] = {disconnect, FAULT_DISCONNECT, 7, MACHINE_UNKNOWN},
    [INCIDENT_LIBVIRTD_RESTART] = {restart_libvirtd, FAULT_LIBVIRTD_RESTART, 3, MACHINE_UNKNOWN},
    [INCIDENT_DISK_FULL] = {disk_fails, FAULT_DISK_FULL, 3, MACHINE_UNKNOWN},
    [INCIDENT_DISK_HANGS] = {disk_fails, FAULT_DISK_HANGS, 3, MACHINE_UNKNOWN},
    [INCIDENT_CLOCK_JUMP] = {jump_clock, FAULT_CLOCK_JUMP, 1, MACHINE_UNKNOWN},
    [INCIDENT_DAEMON_CRASH] = {crash_daemon, FAULT_DAEMON_CRASH, 9, MACHINE_UNKNOWN},
    [INCIDENT_RELOAD] = {reload, FAULT_RELOAD, 2, MACHINE_UNKNOWN},
    [INCIDENT_RELEASE] = {release_brake, FAULT_OPERATOR_START, 2, MACHINE_UNKNOWN},
    [INCIDENT_KILL_STANDBY] = {kill_standby, FAULT_WARMTH, 4, MACHINE_PAUSED},
    [INCIDENT_POWER_LOSS] = {lose_power, FAULT_POWER_LOSS, 3, MACHINE_UNKNOWN},
    [INCIDENT_LINK_CUT] = {cut_link, FAULT_LINK_CUT, 3, MACHINE_UNKNOWN},
    [INCIDENT_OWN_NETWORK] = {lose_network, FAULT_OWN_NETWORK, 1, MACHINE_UNKNOWN},
    [INCIDENT_FAILOVER] = {order_failover, FAULT_ORDER, 9, MACHINE_RUNNING},
    [INCIDENT_FAILBACK] = {order_failback, FAULT_ORDER, 6, MACHINE_UNKNOWN},
    [INCIDENT_KEEP] = {order_keep, FAULT_ORDER, 5, MACHINE_UNKNOWN},
    [INCIDENT_RECOVER] = {order_recovery, FAULT_ORDER, 5, MACHINE_SHUT_OFF},
    [INCIDENT_CLEAR] = {order_clearing, FAULT_ORDER, 2, MACHINE_SHUT_OFF},
    [INCIDENT_REDEFINE] = {storage_redefine, FAULT_REDEFINED, 8, MACHINE_SHUT_OFF},
    [INCIDENT_HOLD] = {holds_hold, FAULT_HELD, 8, MACHINE_UNKNOWN},
    [INCIDENT_MIGRATE] = {migration_migrate, FAULT_MIGRATION, 12, MACHINE_RUNNING},
    [INCIDENT_RENAME] = {tags_rename, FAULT_TAGGED, 0, MACHINE_SHUT_OFF},
    [INCIDENT_TAG] = {tags_tag, FAULT_TAGGED, 0, MACHINE_RUNNING},
    [INCIDENT_TAG_OFF] = {tags_tag, FAULT_TAGGED, 0, MACHINE_SHUT_OFF},
    [INCIDENT_BLOCK] = {templates_block, FAULT_TEMPLATE, 0, MACHINE_TEMPLATE},
    [INCIDENT_RELEASE_HOLD] = {holds_release_one, FAULT_HELD, 6, MACHINE_UNKNOWN},
};

static void befall(struct simulation *simulation, const struct thing *thing)
{
    const struct incident *incident = &simulation->result->plan[thing->number];
    enum fault fault = kinds[incident->kind].fault;
    struct domain *domain = NULL;

    if (simulation->options->dropped[thing->number] || (simulation->options->faults & UINT64_C(1) << fault) == 0)
        return;
    if (kinds[incident->kind].of != MACHINE_UNKNOWN) {
        domain = pick(simulation, incident->domain, kinds[incident->kind].of);
        if (domain == NULL)
            return;
    }
    if (incident->kind == INCIDENT_PANIC_LOOP && domain->on_crash != ON_CRASH_RESTART)
        return;
    simulation->result->faults[fault]++;
    kinds[incident->kind].happen(simulation, domain, incident);
}

static enum incident_kind draw(uint64_t *dice)
{
    unsigned total = 0, at;

    for (unsigned i = 0; i < INCIDENT_COUNT; i++)
        total += kinds[i].weight;
    at = (unsigned)random_below(dice, total);
    for (unsigned i = 0; i < INCIDENT_COUNT; i++) {
        if (at < kinds[i].weight)
            return (enum incident_kind)i;
        at -= kinds[i].weight;
    }
    return INCIDENT_KILL;
}

/*
 * In each third course, operators rename and tag, and where there are many templates, storage fails: by dice of their own, so
 * that the others stay what they are.
 */
static enum incident_kind draw_kind(const struct simulation *simulation, uint64_t base)
{
    static const enum incident_kind tags[] = {INCIDENT_RENAME, INCIDENT_TAG, INCIDENT_TAG_OFF};

    if (random_hits(DIE(simulation->options->seed, 61), 33) && random_hits(DIE(base, 5), 15))
        return tags[random_below(DIE(base, 6), ELEMENTS_OF(tags))];
    if (templates_are_many(simulation) && random_hits(DIE(base, 7), 15))
        return INCIDENT_BLOCK;
    return draw(DIE(base, 1));
}

void incidents_plan(struct simulation *simulation)
{
    uint64_t *dice = &simulation->random_plan;
    struct simulation_result *result = simulation->result;
    int64_t at_us = TROUBLE_BEGINS_US;
    bool is_large = simulation->n_hosts > HOSTS_FEW;

    if (simulation->options->is_short) {
        result->plan[0] = (struct incident){
            .at_us = USEC_PER_SEC,
            .kind = simulation->options->has_short_hosts ? INCIDENT_POWER_LOSS : INCIDENT_KILL,
        };
        result->n_incidents = 1;
    } else {
        result->n_incidents = (size_t)random_between(dice, 5, PLAN_MAX / 2);
    }
    for (size_t i = 0; i < result->n_incidents; i++) {
        if (!simulation->options->is_short) {
            uint64_t base = random_next(dice);

            /* Many at once, and long pauses. */
            at_us += random_hits(dice, 50) ? random_between(dice, 0, 400 * USEC_PER_MSEC)
                                           : random_between(dice, 0, 20 * USEC_PER_SEC);
            result->plan[i] = (struct incident){
                .at_us = at_us,
                .kind = draw_kind(simulation, base),
                .domain = (unsigned)random_below(DIE(base, 2), is_large ? DOMAINS_MAX : DOMAINS_FEW),
                .host = (unsigned)random_below(DIE(base, 3), is_large ? HOSTS_MAX : HOSTS_FEW),
                .for_us = random_between(DIE(base, 4), 200 * USEC_PER_MSEC, 12 * USEC_PER_SEC),
            };
        }
        agenda_add(simulation, result->plan[i].at_us, (struct thing){.happen = befall, .number = i});
    }
}
