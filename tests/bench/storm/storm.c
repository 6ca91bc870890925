/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Very many machines fail at once: how long until a replacement is chosen for each and asked to start. The coordinator
 * as it is, and a driver that answers at once, so that nothing but deciding takes time.
 *
 * usage: bench_storm MACHINES DISTINCT CRASHES [CONCURRENCY [MIGRATED]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "measuring.h"

#define FEATURES   512
#define EACH       16  /* features of a machine */
#define ARCHETYPES 100 /* what machines are variants of */
#define HOSTS      10

static const struct {
    const char *kind;
    uint32_t weight;
} kinds[] = {{"os", 200000},        {"language", 300000}, {"database", 200000},
             {"webserver", 100000}, {"software", 50000},  {"data", 200000}};

struct variant {
    uint16_t features[EACH];
    uint32_t vcpus;
    uint64_t memory_kib;
};

struct domain {
    const struct variant *variant;
    unsigned host;
    bool is_running, is_started; /* started: by the daemon */
};

struct queue {
    struct action *actions;
    size_t first, end, room;
};

struct bench {
    struct config *config;
    char names[HOSTS][8];
    struct config_hypervisor hypervisors[HOSTS];
    struct config_weight weights[ELEMENTS_OF(kinds)];
    struct coordinator *coordinator;
    struct variant *variants;
    struct domain *domains; /* the even ones run and are protected, the others stand by */
    size_t n_domains, n_distinct, n_crashes;
    struct queue queue;
    size_t asked[ACTION_COUNT];
    size_t n_twice;
    double spent_us[ACTION_COUNT]; /* for answers */
    double deciding_us;            /* of that, in answers after which something was decided: up to the last decision */
    struct moment now;
    double began_us;
    uint64_t seed;
};

static uint64_t below(struct bench *bench, uint64_t limit)
{
    bench->seed ^= bench->seed >> 12;
    bench->seed ^= bench->seed << 25;
    bench->seed ^= bench->seed >> 27;
    return (bench->seed * UINT64_C(2685821657736338717) >> 20) % limit;
}

/* The daemon's clock goes on by what deciding takes. */
static struct moment moment_of(const struct bench *bench)
{
    int64_t passed_us = (int64_t)(now_us() - bench->began_us);

    return (struct moment){.mono_us = bench->now.mono_us + passed_us, .real_us = bench->now.real_us + passed_us};
}

/* The daemon asks when it has decided, and for nothing else. */
static const struct bench *clock_bench;
static double last_decision_us;

static struct moment tell_time(void)
{
    last_decision_us = now_us();
    return moment_of(clock_bench);
}

/* An input was handled since then. */
static void count_deciding(struct bench *bench, double began_us)
{
    if (last_decision_us > began_us)
        bench->deciding_us += last_decision_us - began_us;
}

/* ---- what there is ---- */

static uint16_t draw_feature(struct bench *bench)
{
    return (uint16_t)below(bench, 1 + below(bench, FEATURES));
}

static void draw_domains(struct bench *bench)
{
    struct variant archetypes[ARCHETYPES];

    bench->variants = need(calloc(bench->n_distinct, sizeof(*bench->variants)));
    bench->domains = need(calloc(bench->n_domains, sizeof(*bench->domains)));
    for (size_t a = 0; a < ARCHETYPES; a++)
        for (size_t i = 0; i < EACH; i++)
            archetypes[a].features[i] = draw_feature(bench);
    for (size_t v = 0; v < bench->n_distinct; v++) {
        struct variant *variant = &bench->variants[v];

        *variant = archetypes[below(bench, ARCHETYPES)];
        for (uint64_t n = below(bench, 7); n > 0; n--)
            variant->features[below(bench, EACH)] = draw_feature(bench);
        variant->vcpus = 1u << below(bench, 6);
        variant->memory_kib = (uint64_t)1 << (20 + below(bench, 7));
    }
    for (size_t i = 0; i < bench->n_domains; i++)
        bench->domains[i] = (struct domain){
            .variant = &bench->variants[below(bench, bench->n_distinct)],
            .host = (unsigned)below(bench, HOSTS),
            .is_running = i % 2 == 0,
        };
}

static size_t number_of(const char *uuid)
{
    return strtoul(uuid + 24, NULL, 16);
}

static void uuid_of(size_t number, char ret_uuid[UUID_TEXT_SIZE])
{
    snprintf(ret_uuid, UUID_TEXT_SIZE, "00000000-0000-4000-8000-%012zx", number);
}

static struct domain_report report_on(const struct bench *bench, size_t number)
{
    const struct domain *domain = &bench->domains[number];
    struct domain_description *description = need(calloc(1, sizeof(*description)));
    char text[UUID_TEXT_SIZE];

    uuid_of(number, text);
    if (!uuid_parse(text, description->uuid))
        fail("no UUID");
    snprintf(text, sizeof(text), "vm-%zu", number);
    description->name = need(strdup(text));
    description->vcpus = domain->variant->vcpus;
    description->memory_kib = domain->variant->memory_kib;
    description->has_metadata = true;
    description->roles = number % 2 == 0 ? ROLE_PROTECTED : ROLE_STANDBY;
    for (size_t i = 0; i < EACH; i++) {
        uint16_t feature = domain->variant->features[i];

        snprintf(text, sizeof(text), "v%u", feature);
        check(feature_texts_add(&description->features, kinds[feature % ELEMENTS_OF(kinds)].kind, text));
    }
    snprintf(text, sizeof(text), "52:54:%02zx:%02zx:%02zx:%02zx", number >> 24 & 255, number >> 16 & 255,
             number >> 8 & 255, number & 255);
    check(domain_description_add_mac(description, text));
    return (struct domain_report){
        .description = description,
        .state = domain->is_running ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
        .reason = domain->is_running ? REASON_UNKNOWN : REASON_SHUTDOWN,
        .persistent = true,
    };
}

static void configure(struct bench *bench, unsigned concurrency)
{
    check(config_new(&bench->config));
    for (size_t i = 0; i < HOSTS; i++) {
        snprintf(bench->names[i], sizeof(bench->names[i]), "h%zu", i);
        bench->hypervisors[i] = (struct config_hypervisor){.name = bench->names[i], .uri = (char *)"test:///default"};
    }
    bench->config->hypervisors = bench->hypervisors;
    bench->config->n_hypervisors = HOSTS;
    for (size_t i = 0; i < ELEMENTS_OF(kinds); i++)
        bench->weights[i] = (struct config_weight){.kind = (char *)kinds[i].kind, .millionths = kinds[i].weight};
    bench->config->similarity.resource_weights = bench->weights;
    bench->config->similarity.n_resource_weights = ELEMENTS_OF(kinds);
    bench->config->mode = MODE_AUTOMATIC;
    check(string_list_add(&bench->config->pool.protect, "*"));
    check(string_list_add(&bench->config->pool.standby, "*"));
    bench->config->recovery.concurrency = concurrency;
    bench->config->recovery.brake.share = 0;
    check(coordinator_new(bench->config, NULL, &bench->coordinator));
    clock_bench = bench;
    coordinator_set_clock(bench->coordinator, tell_time);
}

/* ---- the driver ---- */

static void take_actions(struct bench *bench)
{
    struct queue *queue = &bench->queue;
    struct action action;

    while (coordinator_next_action(bench->coordinator, &action)) {
        if (queue->end == queue->room) {
            queue->room = 2 * queue->room + 1024;
            queue->actions = need(reallocarray(queue->actions, queue->room, sizeof(*queue->actions)));
        }
        queue->actions[queue->end++] = action;
        bench->asked[action.kind]++;
    }
}

static void take_rest(struct bench *bench)
{
    struct machine_ref machine;
    struct machine_memory memory;
    const char *hypervisor;
    struct notice notice;

    while (coordinator_next_changed_recovery(bench->coordinator) != NULL)
        ;
    while (coordinator_next_changed_host(bench->coordinator, &hypervisor) != NULL)
        ;
    while (coordinator_next_changed_machine(bench->coordinator, &machine, &memory))
        ;
    while (coordinator_next_notice(bench->coordinator, &notice))
        notice_done(&notice);
}

static void answer_list(struct bench *bench, const struct action *action)
{
    struct inventory *inventory = need(calloc(1, sizeof(*inventory)));

    inventory->reports = need(calloc(bench->n_domains, sizeof(*inventory->reports)));
    inventory->free_memory_kib = UINT64_C(1) << 36;
    for (size_t i = 0; i < bench->n_domains; i++)
        if (strcmp(bench->names[bench->domains[i].host], action->target.hypervisor) == 0)
            inventory->reports[inventory->n_reports++] = report_on(bench, i);
    coordinator_handle_inventory(bench->coordinator, action, inventory, moment_of(bench));
}

/* Starts are not answered: the question is how soon they are asked for. */
static void answer(struct bench *bench, const struct action *action)
{
    struct domain *domain = &bench->domains[number_of(action->target.uuid)];
    struct action_result result = {.id = action->id};
    struct domain_report report;

    if (action->kind == ACTION_LIST) {
        answer_list(bench, action);
        return;
    }
    if (action->kind == ACTION_DESCRIBE || action->kind == ACTION_READ) {
        report = report_on(bench, number_of(action->target.uuid));
        coordinator_handle_description(bench->coordinator, action, &report, moment_of(bench));
        return;
    }
    if (action->kind == ACTION_START) {
        bench->n_twice += domain->is_started || domain->is_running;
        domain->is_started = true;
        return;
    }
    if (action->kind == ACTION_GET_STATE) {
        result.state = domain->is_running ? MACHINE_RUNNING : MACHINE_SHUT_OFF;
        result.reason = domain->is_running ? REASON_UNKNOWN : REASON_CRASHED;
        result.free_memory_kib = UINT64_C(1) << 36;
    }
    coordinator_handle_result(bench->coordinator, action, &result, moment_of(bench));
}

static void drive(struct bench *bench)
{
    take_rest(bench);
    take_actions(bench);
    while (bench->queue.first < bench->queue.end) {
        struct action action = bench->queue.actions[bench->queue.first++];
        double began_us = now_us();

        answer(bench, &action);
        bench->spent_us[action.kind] += now_us() - began_us;
        count_deciding(bench, began_us);
        if (bench->queue.first == bench->queue.end) { /* as the daemon: after all that came in at one time */
            bench->queue.first = bench->queue.end = 0;
            take_rest(bench);
            take_actions(bench);
        }
    }
}

/* Until the coordinator has nothing to do before this time. */
static void pass_until(struct bench *bench, int64_t until_us)
{
    for (unsigned turns = 0; turns < 1000; turns++) {
        double began_us = now_us();
        int64_t deadline_us = coordinator_deadline(bench->coordinator), at_us = moment_of(bench).mono_us;

        if (deadline_us > until_us)
            return;
        if (deadline_us > at_us) {
            bench->now.mono_us += deadline_us - at_us;
            bench->now.real_us += deadline_us - at_us;
        }
        coordinator_tick(bench->coordinator, moment_of(bench));
        count_deciding(bench, began_us);
        drive(bench);
    }
}

static void begin(struct bench *bench)
{
    bench->now = (struct moment){.mono_us = 1000 * USEC_PER_SEC, .real_us = 1795359240 * USEC_PER_SEC};
    bench->began_us = now_us();
    for (size_t i = 0; i < HOSTS; i++)
        coordinator_handle_connected(bench->coordinator, bench->names[i], moment_of(bench));
    drive(bench);
    printf("%zu machines of %zu specifications listed after %.1f ms", bench->n_domains, bench->n_distinct,
           (now_us() - bench->began_us) / 1e3);
    pass_until(bench, moment_of(bench).mono_us + 10 * USEC_PER_SEC);
    if (coordinator_plan(bench->coordinator, moment_of(bench)) == NULL)
        fail("there is no plan");
    printf(", planned after %.1f ms of processor time\n", (now_us() - bench->began_us) / 1e3);
    memset(bench->asked, 0, sizeof(bench->asked));
    memset(bench->spent_us, 0, sizeof(bench->spent_us));
}

static void tell(struct bench *bench, size_t number, enum domain_event_kind kind)
{
    struct domain_event event = {.kind = kind, .at = moment_of(bench)};
    char name[32];

    snprintf(name, sizeof(name), "vm-%zu", number);
    event.name = name;
    uuid_of(number, event.uuid);
    coordinator_handle_event(bench->coordinator, bench->names[bench->domains[number].host], &event);
}

static void crash(struct bench *bench, size_t number)
{
    bench->domains[number].is_running = false;
    tell(bench, number, EVENT_STOPPED_FAILED);
}

/* Before the storm, to the next host; machines that do not crash. */
static void migrate(struct bench *bench, size_t n_migrated)
{
    for (size_t i = 0; i < n_migrated; i++) {
        size_t number = 2 + i * (bench->n_domains / n_migrated / 2 * 2);

        tell(bench, number, EVENT_STOPPED_MIGRATED);
        bench->domains[number].host = (bench->domains[number].host + 1) % HOSTS;
        tell(bench, number, EVENT_STARTED_MIGRATED);
        drive(bench);
    }
    pass_until(bench, moment_of(bench).mono_us + 10 * USEC_PER_SEC);
    memset(bench->asked, 0, sizeof(bench->asked));
    memset(bench->spent_us, 0, sizeof(bench->spent_us));
}

static void storm(struct bench *bench)
{
    size_t step = bench->n_domains / bench->n_crashes / 2 * 2;
    double began_us = now_us(), told_us, decided_us;

    for (size_t i = 0; i < bench->n_crashes; i++)
        crash(bench, i * step);
    told_us = now_us() - began_us;
    drive(bench);
    pass_until(bench, moment_of(bench).mono_us + USEC_PER_SEC);
    decided_us = now_us() - began_us;
    printf("%zu crashes: %zu starts, %zu of them twice, after %.1f ms of processor time (%.1f a ms)\n",
           bench->n_crashes, bench->asked[ACTION_START], bench->n_twice, decided_us / 1e3,
           (double)bench->asked[ACTION_START] * 1e3 / decided_us);
    printf("deciding took %.1f ms of that\n", bench->deciding_us / 1e3);
    printf("of that: events %.1f ms", told_us / 1e3);
    for (enum action_kind kind = 0; kind < ACTION_COUNT; kind++)
        if (bench->asked[kind] > 0) {
            printf(", %zu × %s %.1f ms", bench->asked[kind], action_kind_name(kind), bench->spent_us[kind] / 1e3);
            decided_us -= bench->spent_us[kind];
        }
    printf(", the rest %.1f ms\n", (decided_us - told_us) / 1e3);
}

int main(int argc, char **argv)
{
    struct bench bench = {.seed = 1};

    if (argc < 4)
        fail("usage: bench_storm MACHINES DISTINCT CRASHES [CONCURRENCY [MIGRATED]]");
    bench.n_domains = strtoul(argv[1], NULL, 10);
    bench.n_distinct = strtoul(argv[2], NULL, 10);
    bench.n_crashes = strtoul(argv[3], NULL, 10);
    if (bench.n_distinct == 0 || bench.n_crashes == 0 || bench.n_domains / bench.n_crashes < 2)
        fail("too few machines");
    draw_domains(&bench);
    configure(&bench, argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0);
    begin(&bench);
    if (argc > 5)
        migrate(&bench, strtoul(argv[5], NULL, 10));
    storm(&bench);
    coordinator_free(bench.coordinator);
    bench.config->hypervisors = NULL;
    bench.config->n_hypervisors = 0;
    bench.config->similarity.resource_weights = NULL;
    bench.config->similarity.n_resource_weights = 0;
    config_free(bench.config);
    free(bench.queue.actions);
    free(bench.domains);
    free(bench.variants);
    return bench.n_twice > 0;
}
