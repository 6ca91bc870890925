/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the whole decision takes among very many machines that stand by, as the daemon takes it for one failed machine:
 * the pool brought up to date, the choice, and the choice in words. With cold and warm caches; and what a machine takes.
 *
 * usage: bench_whole MACHINES DISTINCT; prints one object of JSON
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose/explain.h"
#include "choose/walk.h"
#include "coordinator/seeker.h"
#include "drawn.h"
#include "measuring.h"

#define HOSTS    10
#define FAMILY   500 /* machines of an archetype, whatever their number is: some hundred of them are eligible */
#define FAILURES 201
#define LOOKS    40 /* as in coordinator/seeker.c */

static const struct choice_extent extent = {.eligible = SEEKER_LISTED, .ineligible = SEEKER_LISTED, .looks = LOOKS};

struct bench {
    struct config_weight weights[KINDS];
    struct config_hypervisor hypervisors[HOSTS];
    char names[HOSTS][8];
    struct config config;
    struct feature_table *table;
    struct pool *pool;
    struct chooser *chooser;
    struct drawn *distinct;
    const struct machine **machines;
    size_t n_machines, n_distinct;
    uint64_t seed;
};

/* Microseconds. */
struct times {
    double settle, choose, explain, whole;
};

/* ---- machines ---- */

static void draw_all(struct bench *bench)
{
    size_t n_archetypes = (bench->n_machines + FAMILY - 1) / FAMILY;
    struct drawn *archetypes = need(calloc(n_archetypes, sizeof(*archetypes)));

    for (size_t a = 0; a < n_archetypes; a++)
        draw_archetype(&bench->seed, &archetypes[a]);
    bench->distinct = need(calloc(bench->n_distinct, sizeof(*bench->distinct)));
    for (size_t n = 0; n < bench->n_distinct; n++)
        bench->distinct[n] = draw_variant(&bench->seed, &archetypes[draw_below(&bench->seed, n_archetypes)]);
    free(archetypes);
}

static void describe_disk(struct domain_description *description, size_t number, uint64_t bytes)
{
    char source[64];

    snprintf(source, sizeof(source), "/var/lib/libvirt/images/vm-%07zu.qcow2", number);
    description->disks = need(calloc(1, sizeof(*description->disks)));
    check(disk_set_texts(&description->disks[0], source, NULL, NULL, "vda"));
    description->disks[0].writable = true;
    description->disks[0].capacity_bytes = bytes;
    description->n_disks = 1;
}

static struct domain_description *describe(size_t number, const struct drawn *drawn)
{
    struct domain_description *description = need(calloc(1, sizeof(*description)));
    char text[UUID_TEXT_SIZE];

    snprintf(text, sizeof(text), "00000000-0000-4000-8000-%012x", (unsigned)number);
    if (!uuid_parse(text, description->uuid))
        fail("no UUID");
    snprintf(text, sizeof(text), "vm-%07zu", number);
    description->name = need(strdup(text));
    description->vcpus = (uint32_t)drawn->amounts[ENVIRONMENT_CPU];
    description->memory_kib = drawn->amounts[ENVIRONMENT_MEMORY];
    describe_disk(description, number, drawn->amounts[ENVIRONMENT_DISK]);
    description->has_metadata = true;
    description->roles = ROLE_PROTECTED | ROLE_STANDBY;
    for (size_t i = 0; i < EACH; i++) {
        snprintf(text, sizeof(text), "v%u", drawn->features[i]);
        check(feature_texts_add(&description->features, drawn_kind(drawn->features[i]), text));
    }
    snprintf(text, sizeof(text), "52:54:%02zx:%02zx:%02zx:%02zx", number >> 24 & 255, number >> 16 & 255,
             number >> 8 & 255, number & 255);
    check(domain_description_add_mac(description, text));
    return description;
}

static void prepare(struct bench *bench)
{
    drawn_weights(bench->weights);
    for (size_t i = 0; i < HOSTS; i++) {
        snprintf(bench->names[i], sizeof(bench->names[i]), "h%zu", i);
        bench->hypervisors[i] = (struct config_hypervisor){.name = bench->names[i], .uri = (char *)"test:///default"};
    }
    bench->config = (struct config){
        .hypervisors = bench->hypervisors,
        .n_hypervisors = HOSTS,
        .similarity =
            {
                .threshold = 500000,
                .min_coverage = 500000,
                .environment_weights = {50000, 50000, 50000},
                .resource_weights = bench->weights,
                .n_resource_weights = KINDS,
            },
    };
    bench->seed = 1;
    check(feature_table_new(&bench->table));
    check(pool_new(bench->table, &bench->pool));
    check(pool_configure(bench->pool, &bench->config));
    check(chooser_new(&bench->chooser));
    for (size_t i = 0; i < HOSTS; i++) /* 1 to 4 TiB */
        pool_set_free_memory(bench->pool, bench->names[i], UINT64_C(1) << (30 + i % 3));
}

static void fill(struct bench *bench)
{
    for (size_t i = 0; i < bench->n_machines; i++) {
        const char *host = bench->names[draw_below(&bench->seed, HOSTS)];
        struct machine *machine;

        check(pool_apply(bench->pool, host, describe(i, &bench->distinct[i % bench->n_distinct]), &bench->machines[i]));
        machine = pool_edit(bench->pool, bench->machines[i]);
        machine->state = MACHINE_SHUT_OFF;
        machine->reason = REASON_SHUTDOWN;
        machine->is_reachable = machine->persistent = true;
    }
    check(pool_settle(bench->pool, 0));
}

/* ---- one decision ---- */

/* Without a plan there is no machine that is spared. */
static struct choice_request request_for(const struct bench *bench, const struct machine *failed)
{
    return (struct choice_request){
        .pool = bench->pool,
        .need = failed->spec,
        .failed = failed,
        .host = pool_host_of(failed),
        .check_memory = true,
    };
}

static void set_state(struct bench *bench, const struct machine *machine, enum machine_state state,
                      enum machine_reason reason)
{
    struct machine *edited = pool_edit(bench->pool, machine);

    edited->state = state;
    edited->reason = reason;
}

/* The first of the choice is the best of all, judged one by one. */
static void check_best(const struct bench *bench, const struct choice_request *request, const struct choice *choice)
{
    for (size_t i = 0; i < bench->n_machines; i++) {
        struct candidate other = choose_judge(request, bench->machines[i]);

        if (bench->machines[i] != request->failed && other.verdict == CANDIDATE_ELIGIBLE &&
            walk_compare(request, &other, &choice->eligible[0]) < 0)
            fail("another machine is better than the one chosen");
    }
}

/* Each machine but the failed one is counted once; returns those that are similar enough. */
static size_t check_counts(const struct bench *bench, const struct choice *choice)
{
    size_t n = choice->n_unjudged;

    if (choice->n_eligible == 0)
        fail("no machine is eligible");
    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        n += choice->counts[verdict];
    if (n != bench->n_machines - 1)
        fail("not every machine is counted");
    return choice->n_unjudged + choice->counts[CANDIDATE_ELIGIBLE];
}

/* A machine that runs fails and is decided on; afterwards it stands by as before. Returns how many are similar enough. */
static size_t decide(struct bench *bench, const struct machine *failed, struct times *ret, bool is_checked)
{
    struct choice_request request = request_for(bench, failed);
    struct explanation *explanation;
    struct choice choice;
    double began_us = now_us(), settled_us, chosen_us, explained_us, ending_us;
    size_t n_similar;

    set_state(bench, failed, MACHINE_SHUT_OFF, REASON_CRASHED);
    check(pool_claim(bench->pool, failed, "r1"));
    check(pool_settle(bench->pool, 0));
    settled_us = now_us();
    check(choose(bench->chooser, &request, extent, &choice));
    chosen_us = now_us();
    check(explain_choice(&request, &choice, NULL, SEEKER_LISTED, bench->table, &explanation));
    explained_us = now_us();
    n_similar = check_counts(bench, &choice);
    if (is_checked)
        check_best(bench, &request, &choice);
    ending_us = now_us();
    choice_done(&choice);
    explanation_free(explanation);
    *ret = (struct times){
        .settle = settled_us - began_us,
        .choose = chosen_us - settled_us,
        .explain = explained_us - chosen_us,
        .whole = explained_us - began_us + now_us() - ending_us,
    };
    pool_release(bench->pool, failed, "r1");
    return n_similar;
}

static void set_running(struct bench *bench, const struct machine *machine)
{
    set_state(bench, machine, MACHINE_RUNNING, REASON_UNKNOWN);
    check(pool_settle(bench->pool, 0));
}

static void set_standing_by(struct bench *bench, const struct machine *machine)
{
    set_state(bench, machine, MACHINE_SHUT_OFF, REASON_SHUTDOWN);
    check(pool_settle(bench->pool, 0));
}

/* ---- figures ---- */

struct figures {
    struct times cold[FAILURES], warm[FAILURES];
    double similar[FAILURES];
};

static void measure(struct bench *bench, struct figures *ret)
{
    struct times unused;

    for (size_t f = 0; f < FAILURES; f++) {
        const struct machine *failed = bench->machines[draw_below(&bench->seed, bench->n_machines)];

        set_running(bench, failed);
        decide(bench, failed, &unused, f == 0); /* what grows at the first choice has grown */
        set_running(bench, failed);
        empty_caches();
        ret->similar[f] = (double)decide(bench, failed, &ret->cold[f], false);
        set_running(bench, failed);
        decide(bench, failed, &ret->warm[f], false);
        set_standing_by(bench, failed);
    }
}

static double median_of(const struct times times[FAILURES], size_t offset)
{
    double values[FAILURES];

    for (size_t f = 0; f < FAILURES; f++)
        memcpy(&values[f], (const char *)&times[f] + offset, sizeof(values[f]));
    return median(values, FAILURES);
}

static void print_times(const char *name, const struct times times[FAILURES])
{
    printf(" \"%s_settle_us\": %.1f, \"%s_choose_us\": %.1f, \"%s_explain_us\": %.1f, \"%s_us\": %.1f", name,
           median_of(times, offsetof(struct times, settle)), name, median_of(times, offsetof(struct times, choose)),
           name, median_of(times, offsetof(struct times, explain)), name,
           median_of(times, offsetof(struct times, whole)));
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
    static struct figures figures;
    struct bench bench = {.n_machines = 0};
    size_t before, after;

    if (argc != 3)
        fail("usage: bench_whole MACHINES DISTINCT");
    bench.n_machines = strtoul(argv[1], NULL, 10);
    bench.n_distinct = strtoul(argv[2], NULL, 10);
    if (bench.n_distinct == 0 || bench.n_distinct > bench.n_machines)
        fail("DISTINCT is 1 … MACHINES");
    bench.machines = need(calloc(bench.n_machines, sizeof(struct machine *)));
    prepare(&bench);
    draw_all(&bench);
    before = heap_bytes();
    fill(&bench);
    after = heap_bytes();
    measure(&bench, &figures);
    printf("{\"machines\": %zu, \"distinct\": %zu, \"similar\": %.0f, \"bytes_each\": %.1f,\n", bench.n_machines,
           columns_count(pool_columns(bench.pool, POOL_STANDING_BY)), median(figures.similar, FAILURES),
           (double)(after - before) / (double)bench.n_machines);
    print_times("cold", figures.cold);
    printf(",\n");
    print_times("warm", figures.warm);
    printf("}\n");
    chooser_free(bench.chooser);
    pool_free(bench.pool);
    feature_table_free(bench.table);
    free(bench.distinct);
    free(bench.machines);
    return 0;
}
