/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to keep the plan of very many machines: one change of each kind, and settling after it. Half of the
 * machines run and are protected, the others stand by.
 *
 * usage: bench_plan MACHINES DISTINCT; prints a table
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose/plan.h"
#include "measuring.h"

#define FEATURES   512
#define EACH       16  /* features of a machine */
#define ARCHETYPES 100 /* what machines are variants of */
#define HOSTS      10
#define CHANGES    201 /* of a kind */
#define FEW        5   /* of one that concerns all machines */

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

struct bench {
    struct feature_table *table;
    struct pool *pool;
    struct plan *plan;
    struct config_weight weights[ELEMENTS_OF(kinds)];
    struct config_hypervisor hypervisors[HOSTS];
    struct config configs[2];
    struct variant *variants;
    const struct machine **machines; /* the even ones run and are protected */
    size_t n_machines, n_distinct;
    uint64_t seed;
    int64_t now_us;
};

static uint64_t below(struct bench *bench, uint64_t limit)
{
    bench->seed ^= bench->seed >> 12;
    bench->seed ^= bench->seed << 25;
    bench->seed ^= bench->seed >> 27;
    return (bench->seed * UINT64_C(2685821657736338717) >> 20) % limit;
}

/* ---- machines ---- */

/* The common features more often. */
static uint16_t draw_feature(struct bench *bench)
{
    return (uint16_t)below(bench, 1 + below(bench, FEATURES));
}

static void draw_variants(struct bench *bench)
{
    struct variant archetypes[ARCHETYPES];

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
}

static struct domain_description *describe(size_t number, const struct variant *variant)
{
    struct domain_description *description = need(calloc(1, sizeof(*description)));
    char text[UUID_TEXT_SIZE];

    snprintf(text, sizeof(text), "00000000-0000-4000-8000-%012zx", number);
    if (!uuid_parse(text, description->uuid))
        fail("no UUID");
    snprintf(text, sizeof(text), "vm-%zu", number);
    description->name = need(strdup(text));
    description->vcpus = variant->vcpus;
    description->memory_kib = variant->memory_kib;
    description->priority = (int)(number % 3);
    description->has_priority = description->has_metadata = true;
    description->roles = number % 2 == 0 ? ROLE_PROTECTED : ROLE_STANDBY;
    for (size_t i = 0; i < EACH; i++) {
        snprintf(text, sizeof(text), "v%u", variant->features[i]);
        check(feature_texts_add(&description->features, kinds[variant->features[i] % ELEMENTS_OF(kinds)].kind, text));
    }
    snprintf(text, sizeof(text), "52:54:%02zx:%02zx:%02zx:%02zx", number >> 24 & 255, number >> 16 & 255,
             number >> 8 & 255, number & 255);
    check(domain_description_add_mac(description, text));
    return description;
}

static const struct variant *draw_variant(struct bench *bench)
{
    return &bench->variants[below(bench, bench->n_distinct)];
}

static void prepare(struct bench *bench)
{
    static char names[HOSTS][8];

    for (size_t i = 0; i < ELEMENTS_OF(kinds); i++)
        bench->weights[i] = (struct config_weight){.kind = (char *)kinds[i].kind, .millionths = kinds[i].weight};
    for (size_t i = 0; i < HOSTS; i++) {
        snprintf(names[i], sizeof(names[i]), "h%zu", i);
        bench->hypervisors[i] = (struct config_hypervisor){.name = names[i], .uri = (char *)"test:///default"};
    }
    for (size_t i = 0; i < ELEMENTS_OF(bench->configs); i++)
        bench->configs[i] = (struct config){
            .hypervisors = bench->hypervisors,
            .n_hypervisors = HOSTS,
            .similarity =
                {
                    .threshold = 500000,
                    .min_coverage = 500000 + 100000 * (uint32_t)i,
                    .environment_weights = {50000, 50000, 50000},
                    .resource_weights = bench->weights,
                    .n_resource_weights = ELEMENTS_OF(kinds),
                },
        };
    bench->seed = 1;
    check(feature_table_new(&bench->table));
    check(pool_new(bench->table, &bench->pool));
    check(plan_new(bench->pool, &bench->plan));
    check(pool_configure(bench->pool, &bench->configs[0]));
    check(plan_configure(bench->plan, true));
    draw_variants(bench);
    for (size_t i = 0; i < HOSTS; i++)
        pool_set_free_memory(bench->pool, names[i], UINT64_C(1) << 30);
}

static void fill(struct bench *bench)
{
    for (size_t i = 0; i < bench->n_machines; i++) {
        struct machine *machine;

        check(pool_apply(bench->pool, bench->hypervisors[below(bench, HOSTS)].name, describe(i, draw_variant(bench)),
                         &bench->machines[i]));
        machine = pool_edit(bench->pool, bench->machines[i]);
        machine->state = i % 2 == 0 ? MACHINE_RUNNING : MACHINE_SHUT_OFF;
        machine->is_reachable = true;
    }
}

/* ---- changes; each is given a machine, and how often it has been made ---- */

static void stop(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)turn;
    pool_edit(bench->pool, machine)->state = MACHINE_SHUT_OFF;
}

static void run(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)turn;
    pool_edit(bench->pool, machine)->state = MACHINE_RUNNING;
}

static void claim(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)turn;
    check(pool_claim(bench->pool, machine, "r"));
}

static void release(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)turn;
    pool_release(bench->pool, machine, "r");
}

static void respecify(struct bench *bench, const struct machine *machine, size_t turn)
{
    size_t number = strtoul(machine_ref_of(machine).uuid + 24, NULL, 16);

    (void)turn;
    check(pool_apply(bench->pool, machine->hypervisor, describe(number, draw_variant(bench)), NULL));
}

static void leave_memory(struct bench *bench, const struct machine *machine, size_t turn)
{
    pool_set_free_memory(bench->pool, machine->hypervisor, (UINT64_C(1) << 30) + 1024 * (1 + turn % 7));
}

static void take_memory(struct bench *bench, const struct machine *machine, size_t turn)
{
    pool_set_free_memory(bench->pool, machine->hypervisor, UINT64_C(1) << (turn % 2 == 0 ? 28 : 30));
}

static void configure(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)machine;
    check(pool_configure(bench->pool, &bench->configs[(turn + 1) % 2]));
    check(plan_configure(bench->plan, true));
}

static void nothing(struct bench *bench, const struct machine *machine, size_t turn)
{
    (void)machine;
    (void)turn;
    bench->now_us++;
}

static const struct change {
    const char *name;
    void (*make)(struct bench *bench, const struct machine *machine, size_t turn);
    bool is_of_served;
    size_t times;
} changes[] = {
    {"nothing", nothing, false, CHANGES},
    {"a standby is started", run, false, CHANGES},
    {"a standby is off again", stop, false, CHANGES},
    {"the best standby of some is claimed", claim, false, CHANGES},
    {"it is released", release, false, CHANGES},
    {"a standby has another specification", respecify, false, CHANGES},
    {"a served machine stops", stop, true, CHANGES},
    {"it runs again", run, true, CHANGES},
    {"a served machine has another specification", respecify, true, CHANGES},
    {"a host's memory, but for its power of two", leave_memory, false, CHANGES},
    {"a host's memory", take_memory, false, FEW},
    {"configuration", configure, false, FEW},
};

static const struct machine *claimed_one(const struct bench *bench)
{
    for (size_t i = 1; i < bench->n_machines; i += 2)
        if (machine_rare(bench->machines[i])->claimed_by != NULL)
            return bench->machines[i];
    fail("no machine is claimed");
    return NULL;
}

/* The best standby of the first machine from this one on that has any. */
static const struct machine *best_from(struct bench *bench, size_t at)
{
    for (size_t i = at; i < bench->n_machines; i += 2) {
        struct plan_answer answer;

        check(plan_find(bench->plan, bench->machines[i], &answer));
        if (answer.best.machine != NULL)
            return answer.best.machine;
    }
    fail("no machine has a standby");
    return NULL;
}

/* The same for the two changes of which the second undoes the first. */
static const struct machine *machine_of(struct bench *bench, const struct change *change, size_t turn)
{
    size_t at = (turn * 7919 + 17) * 2 % bench->n_machines;

    if (change->make == claim)
        return best_from(bench, at);
    if (change->make == release)
        return claimed_one(bench);
    return bench->machines[change->is_of_served ? at : at + 1];
}

static void settle(struct bench *bench)
{
    if (plan_settle(bench->plan, bench->now_us, SIZE_MAX) != 1)
        fail("the plan is not complete");
}

static void measure(struct bench *bench, const struct change *change)
{
    double times[CHANGES], middle_us;

    for (size_t turn = 0; turn < change->times; turn++) {
        const struct machine *machine = machine_of(bench, change, turn);
        double began_us = now_us();

        change->make(bench, machine, turn);
        settle(bench);
        times[turn] = now_us() - began_us;
    }
    middle_us = median(times, change->times);
    printf("| %-44s | %9.1f | %9.1f |\n", change->name, middle_us, times[change->times - 1]);
}

int main(int argc, char **argv)
{
    struct bench bench = {.n_machines = 0};
    double began_us;

    if (argc != 3)
        fail("usage: bench_plan MACHINES DISTINCT");
    bench.n_machines = strtoul(argv[1], NULL, 10) / 2 * 2;
    bench.n_distinct = strtoul(argv[2], NULL, 10);
    if (bench.n_machines < 2 || bench.n_distinct == 0)
        fail("too few machines");
    bench.variants = need(calloc(bench.n_distinct, sizeof(*bench.variants)));
    bench.machines = need(calloc(bench.n_machines, sizeof(*bench.machines)));
    prepare(&bench);
    fill(&bench);
    began_us = now_us();
    settle(&bench);
    printf("%zu machines of %zu specifications: %zu rows; all of it in %.1f ms\n\n", bench.n_machines, bench.n_distinct,
           plan_rows(bench.plan), (now_us() - began_us) / 1e3);
    printf("| %-44s | median µs |  worst µs |\n|---|---|---|\n", "change");
    for (size_t i = 0; i < ELEMENTS_OF(changes); i++)
        measure(&bench, &changes[i]);
    plan_free(bench.plan);
    pool_free(bench.pool);
    feature_table_free(bench.table);
    free(bench.machines);
    free(bench.variants);
    return 0;
}
