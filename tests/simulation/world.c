/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The truth: domains as libvirt and QEMU behave (lib/detect/README.md), and what is told of them. Knows
 * nothing of recoveries but whose start brought a domain up.
 */
#include <string.h>

#include "simulation.h"

static const unsigned families[] = {0x129, 0x0a9, 0x052, 0x1d2, 0x064, 0x221};

static void make_hosts(struct simulation *simulation)
{
    uint64_t *dice = &simulation->random_world;

    simulation->n_hosts = simulation->options->has_short_hosts ? 3
                          : simulation->options->is_short      ? 1
                                                               : (unsigned)random_between(dice, 1, HOSTS_FEW);
    /* Each fifth room is a large one. By a die of its own: the others stay what they are. */
    if (!simulation->options->is_short && random_hits(DIE(simulation->options->seed, 60), 20))
        simulation->n_hosts += HOSTS_MAX - HOSTS_FEW;
    for (unsigned i = 0; i < simulation->n_hosts; i++) {
        struct site *host = &simulation->hosts[i];

        snprintf(host->name, sizeof(host->name), "host%u", i);
        host->is_up = true;
        host->has_power = true;
        host->booted_us = simulation->now.mono_us - 24 * 3600 * USEC_PER_SEC;
        snprintf(host->uri, sizeof(host->uri), "qemu+tcp://host%u/system", i);
        host->memory_kib = UINT64_C(1024) * 1024 * (uint64_t)random_between(dice, 12, 64);
        simulation->hypervisors[i] = (struct config_hypervisor){.name = host->name, .uri = host->uri};
    }
}

static enum temper make_temper(struct simulation *simulation)
{
    static const enum fault faults[] = {
        [TEMPER_DIES] = FAULT_BOOT_AND_DIE,
        [TEMPER_MUTE] = FAULT_MUTE_GUEST,
        [TEMPER_REFUSES] = FAULT_START_REFUSED,
        [TEMPER_VETOED] = FAULT_VETO,
    };
    enum temper temper = TEMPER_GOOD;

    for (enum temper t = TEMPER_DIES; t < TEMPER_COUNT; t++)
        if (strikes(simulation, &simulation->random_world, faults[t], 6))
            temper = t;
    return temper;
}

static void make_domain(struct simulation *simulation, unsigned host)
{
    static const enum on_crash on_crashes[] = {ON_CRASH_DESTROY, ON_CRASH_DESTROY, ON_CRASH_PRESERVE, ON_CRASH_RESTART};
    uint64_t *dice = &simulation->random_world;
    unsigned number = simulation->n_domains++;
    struct domain *domain = &simulation->domains[number];
    uint64_t base = random_next(dice);
    bool runs = random_hits(dice, 50);
    unsigned like = random_hits(dice, 15) && number > 0 ? (unsigned)random_below(dice, number) : number;

    *domain = (struct domain){
        .number = number,
        .host = host,
        .features =
            families[random_below(DIE(base, 1), ELEMENTS_OF(families))] ^ (1u << random_below(DIE(base, 2), FEATURES)),
        .vcpus = (uint32_t)random_between(DIE(base, 3), 1, 4),
        .memory_kib = UINT64_C(1024) * 1024 * (uint64_t)random_between(DIE(base, 4), 1, 3),
        .roles = ROLE_PROTECTED | ROLE_STANDBY,
        .on_crash = on_crashes[random_below(DIE(base, 5), ELEMENTS_OF(on_crashes))],
        .priority = (int)random_between(DIE(base, 6), 0, 3),
        .has_agent = random_hits(DIE(base, 7), 50),
        .is_persistent = !runs || random_hits(DIE(base, 8), 90),
        .disk = like,
        .live_disk = like,
        .mac = random_hits(DIE(base, 9), 10) && number > 0 ? (unsigned)random_below(DIE(base, 10), number) : number,
        .exists = true,
        .state = MACHINE_SHUT_OFF,
        .reason = REASON_SHUTDOWN,
    };
    if (random_hits(dice, 10))
        domain->roles = random_hits(dice, 50) ? ROLE_STANDBY : ROLE_PROTECTED;
    if (random_hits(dice, 3))
        domain->roles = ROLE_IGNORED;
    domain->autostart = domain->wants_autostart = random_hits(DIE(base, 11), 50) && domain->is_persistent;
    snprintf(domain->name, sizeof(domain->name), "vm-%02u", number);
    snprintf(domain->uuid, sizeof(domain->uuid), "00000000-0000-4000-8000-%012x", number);
    domain->temper = make_temper(simulation);
    domain->ignores_acpi = strikes(simulation, dice, FAULT_ACPI_IGNORED, 15);
    /* Who runs at the beginning got up somehow, and shares nothing with another that runs. */
    for (unsigned i = 0; runs && i < number; i++)
        if (simulation->domains[i].state == MACHINE_RUNNING &&
            (simulation->domains[i].disk == domain->disk || simulation->domains[i].mac == domain->mac))
            runs = false;
    if (runs) {
        domain->state = MACHINE_RUNNING;
        domain->reason = REASON_UNKNOWN;
        domain->life = 1;
        domain->up_us = simulation->now.mono_us - 60 * USEC_PER_SEC;
    } else {
        domain->is_persistent = true;
        templates_make_one(simulation, domain, DIE(base, 12));
    }
}

/* One runs and two could take its place. */
static void make_short(struct simulation *simulation)
{
    for (unsigned i = 0; i < 3; i++) {
        struct domain *domain = &simulation->domains[simulation->n_domains++];

        *domain = (struct domain){
            .number = i,
            .host = simulation->options->has_short_hosts ? i : 0,
            .features = 0x129,
            .vcpus = 2,
            .memory_kib = UINT64_C(1024) * 1024,
            .roles = i == 0 ? ROLE_PROTECTED : ROLE_STANDBY,
            .is_persistent = true,
            .disk = i,
            .live_disk = i,
            .mac = i,
            .exists = true,
            .state = i == 0 ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
            .reason = i == 0 ? REASON_UNKNOWN : REASON_SHUTDOWN,
            .life = i == 0,
        };
        snprintf(domain->name, sizeof(domain->name), "vm-%02u", i);
        snprintf(domain->uuid, sizeof(domain->uuid), "00000000-0000-4000-8000-%012x", i);
    }
}

void world_make(struct simulation *simulation)
{
    make_hosts(simulation);
    if (simulation->options->is_short) {
        make_short(simulation);
        return;
    }
    for (unsigned host = 0; host < simulation->n_hosts; host++)
        for (uint64_t n = 2 + random_below(&simulation->random_world, 11); n > 0 && simulation->n_domains < DOMAINS_MAX;
             n--)
            make_domain(simulation, host);
    warm_make_hosts_scarce(simulation);
}

struct site *world_host(struct simulation *simulation, const char *name)
{
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        if (strcmp(simulation->hosts[i].name, name) == 0)
            return &simulation->hosts[i];
    return NULL;
}

struct domain *world_find(struct simulation *simulation, const struct machine_ref *ref)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[i];

        if (strcmp(domain->uuid, ref->uuid) == 0)
            return domain;
    }
    return NULL;
}

uint64_t world_free_memory(const struct simulation *simulation, unsigned host)
{
    uint64_t used = 0;

    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].host == host && machine_state_is_active(simulation->domains[i].state))
            used += simulation->domains[i].memory_kib;
    return used < simulation->hosts[host].memory_kib ? simulation->hosts[host].memory_kib - used : 1;
}

struct domain_report world_report(const struct domain *domain)
{
    struct domain_description *description = calloc(1, sizeof(*description));
    bool is_up = domain->state == MACHINE_RUNNING;
    char disk[32], mac[MAC_TEXT_SIZE];

    if (description == NULL)
        abort();
    if (!uuid_parse(domain->uuid, description->uuid))
        abort();
    description->name = strdup(domain->name);
    description->vcpus = domain->vcpus;
    description->memory_kib = domain->memory_kib;
    description->on_crash = domain->on_crash;
    description->has_agent_channel = domain->has_agent;
    description->agent_connected = domain->has_agent && is_up && domain->temper != TEMPER_MUTE;
    description->roles = (uint8_t)domain->roles;
    description->has_priority = true;
    description->priority = domain->priority;
    if (domain->mark[0] != '\0' && (description->mark = strdup(domain->mark)) == NULL)
        abort();
    if (domain->service[0] != '\0' && (description->service = strdup(domain->service)) == NULL)
        abort();
    if (templates_name(domain) != NULL && (description->template = strdup(templates_name(domain))) == NULL)
        abort();
    if (templates_obstacle(domain) != NULL && (description->obstacle = strdup(templates_obstacle(domain))) == NULL)
        abort();
    description->is_unfinished = domain->is_unfinished;
    description->is_made_standby = domain->is_made_standby || domain->is_unfinished;
    features_describe(domain, description);
    description->disks = calloc(1, sizeof(*description->disks));
    if (description->disks == NULL)
        abort();
    description->n_disks = 1;
    snprintf(disk, sizeof(disk), "nbd:disk-%u", storage_disk_of(domain));
    snprintf(mac, sizeof(mac), "52:54:00:00:00:%02x", domain->mac & 0xff);
    if (disk_set_texts(&description->disks[0], disk, NULL, NULL, "vda") < 0 ||
        domain_description_add_mac(description, mac) < 0)
        abort();
    description->disks[0].writable = true;
    return (struct domain_report){
        .description = description,
        .state = domain->state,
        .reason = domain->reason,
        .persistent = domain->is_persistent,
        .has_managed_save = domain->has_saved,
        .agent_connected = description->agent_connected,
    };
}

bool world_has_answered(const struct simulation *simulation, const struct domain *domain)
{
    return domain->answered_wakings == domain->wakings && domain->answered_epoch == simulation->epoch &&
           domain->answered_host == domain->host && domain->answered_link == simulation->hosts[domain->host].link;
}

bool world_agent_answers(const struct simulation *simulation, const struct domain *domain)
{
    return domain->has_agent && domain->state == MACHINE_RUNNING && !domain->is_hung && !domain->is_busy &&
           domain->temper != TEMPER_MUTE && simulation->now.mono_us - domain->up_us > 2 * USEC_PER_SEC;
}

static void deliver(struct simulation *simulation, const struct thing *thing)
{
    const struct domain *domain = &simulation->domains[thing->domain];
    const struct site *host = &simulation->hosts[thing->host];
    struct domain_event event = {.kind = thing->event, .name = domain->name, .at = simulation->now};

    if (!shell_is_up(simulation, thing->epoch) || !host->is_connected || host->link != thing->number ||
        power_is_out_of_reach(host)) {
        promises_event_lost(simulation, domain, thing->event);
        return;
    }
    say(simulation, "told     %s %s", domain->name, domain_event_name(thing->event));
    strcpy(event.uuid, domain->uuid);
    simulation->domains[thing->domain].told_event = thing->event;
    if (thing->event == EVENT_SHUTDOWN_GUEST || thing->event == EVENT_SHUTDOWN_HOST)
        simulation->domains[thing->domain].shutdown_told_us = simulation->now.mono_us;
    coordinator_handle_event(simulation->coordinator, host->name, &event);
    shell_pump(simulation);
}

void world_tell(struct simulation *simulation, const struct domain *domain, enum domain_event_kind event,
                int64_t delay_us)
{
    world_tell_from(simulation, domain, domain->host, event, delay_us);
}

void world_tell_from(struct simulation *simulation, const struct domain *domain, unsigned host_number,
                     enum domain_event_kind event, int64_t delay_us)
{
    struct domain *teller = &simulation->domains[domain->number];
    const struct site *host = &simulation->hosts[host_number];
    uint64_t *dice = &simulation->random_events;
    unsigned place = simulation->places[1]++;
    struct thing thing = {.happen = deliver,
                          .epoch = simulation->epoch,
                          .host = host_number,
                          .domain = domain->number,
                          .number = host->link,
                          .event = event};
    int64_t late_us = random_between(dice, 1, 20) * USEC_PER_MSEC;

    say(simulation, "event    %s %s", domain->name, domain_event_name(event));
    if (strikes(simulation, dice, FAULT_EVENT_LATE, 5))
        late_us = random_between(dice, 20 * USEC_PER_MSEC, 500 * USEC_PER_MSEC);
    if (spot_is(simulation, SPOT_EVENT_LATE, place))
        late_us = 500 * USEC_PER_MSEC;
    if (!host->is_up || !host->is_connected || host->is_cut || simulation->coordinator == NULL ||
        strikes(simulation, dice, FAULT_EVENT_LOST, 2) || spot_is(simulation, SPOT_EVENT_LOST, place)) {
        say(simulation, "         … and no event tells of it");
        promises_event_lost(simulation, domain, event);
        return;
    }
    delay_us += late_us;
    if (simulation->now.mono_us + delay_us <= teller->told_us)
        delay_us = teller->told_us + 1 - simulation->now.mono_us;
    teller->told_us = simulation->now.mono_us + delay_us;
    agenda_add(simulation, delay_us, thing);
    if (strikes(simulation, dice, FAULT_EVENT_TWICE, 4) || spot_is(simulation, SPOT_EVENT_TWICE, place)) {
        teller->told_us++;
        agenda_add(simulation, delay_us + 1, thing);
    }
}

void world_schedule_guest(struct simulation *simulation, struct domain *domain, int64_t delay_us,
                          void (*happen)(struct simulation *, const struct thing *))
{
    agenda_add(simulation, delay_us, (struct thing){.happen = happen, .domain = domain->number, .life = domain->life});
}

void world_stop(struct simulation *simulation, struct domain *domain, enum machine_reason reason)
{
    migration_source_ends(simulation, domain);
    domain->off_us = simulation->now.mono_us;
    domain->state = MACHINE_SHUT_OFF;
    domain->reason = reason;
    domain->is_hung = false;
    domain->is_busy = false;
    domain->has_saved = reason == REASON_SAVED;
    domain->started_for[0] = '\0';
    if (!domain->is_persistent)
        domain->exists = false;
}

void world_kill(struct simulation *simulation, struct domain *domain, const char *what)
{
    int64_t notice_us;

    promises_crash(simulation, domain, what, !domain->is_persistent, false);
    notice_us = endings_begin(simulation, domain, REASON_CRASHED, EVENT_ENDED_KILLED);
    world_tell(simulation, domain, EVENT_STOPPED_FAILED,
               notice_us + random_between(&simulation->random_events, 0, 200000));
}

static void die_after_boot(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];

    if (domain->life == thing->life && domain->state == MACHINE_RUNNING)
        world_kill(simulation, domain, "boots and dies");
}

bool world_came_up_unheard(const struct domain *domain)
{
    return domain->start_was_lost && domain->was_up_since;
}

int64_t world_boot_us(const struct domain *domain)
{
    return domain->number % 4 * 4 * USEC_PER_SEC;
}

uint64_t world_cpu_time_us(const struct simulation *simulation, const struct domain *domain)
{
    int64_t up_us = simulation->now.mono_us - domain->up_us, boot_us = world_boot_us(domain);

    if (domain->state != MACHINE_RUNNING)
        return 0;
    return (uint64_t)(USEC_PER_SEC + (up_us < boot_us ? up_us : boot_us));
}

void world_boot(struct simulation *simulation, struct domain *domain, const char *recovery_id, bool is_lost)
{
    bool was_saved = domain->has_saved, was_off = domain->state == MACHINE_SHUT_OFF;

    promises_started_anew(simulation, domain);
    domain->exists = true;
    domain->noticed_us = domain->shutdown_told_us = 0;
    domain->life++;
    domain->wakings++;
    domain->live_disk = storage_next_disk_of(domain);
    domain->has_saved = false;
    domain->state = MACHINE_RUNNING;
    domain->reason = REASON_UNKNOWN;
    domain->up_us = simulation->now.mono_us;
    domain->start_was_lost = is_lost;
    domain->panics_left = 0;
    snprintf(domain->started_for, sizeof(domain->started_for), "%s", recovery_id);
    say(simulation, "world    %s is started%s%s%s", domain->name, recovery_id[0] != '\0' ? " for " : " by an operator",
        recovery_id, is_lost ? ", which was given up" : "");
    if (was_off)
        world_tell(simulation, domain, was_saved ? EVENT_STARTED_RESTORED : EVENT_STARTED_BOOTED, 0);
    world_tell(simulation, domain, EVENT_RESUMED, 0);
    if (domain->temper == TEMPER_DIES)
        world_schedule_guest(simulation, domain, random_between(&simulation->random_world, 1000, 6 * USEC_PER_SEC),
                             die_after_boot);
}
