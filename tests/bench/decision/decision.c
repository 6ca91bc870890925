/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long one failed specification takes to be compared with a great many: lib/similarity's part of a decision, the best
 * 20 eligible and the nearest 20 ineligible included, with cold and warm caches; beside it the pairwise definition, and
 * the mere reading of the bytes that the comparison touches. Writes the same machines and failures to files for the others
 * that decision.py measures.
 *
 * usage: bench_decision MACHINES DISTINCT [DIRECTORY]; prints one object of JSON
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drawn.h"
#include "measuring.h"
#include "similarity/comparison.h"
#include "similarity/kernel.h"
#include "similarity/layout.h"

#define ARCHETYPES 1000 /* what machines are variants of */
#define FAILURES   21
#define BEST       20

struct bench {
    struct feature_table *table;
    struct config_weight weights[KINDS];
    struct config_similarity config;
    struct similarity_rules *rules;
    struct columns *columns;
    struct comparison *comparison;
    struct drawn *distinct;
    size_t n_machines, n_distinct;
    struct drawn failures[FAILURES];
    uint32_t ids[FEATURES]; /* by number of feature */
    uint64_t seed;
};

/* ---- machines ---- */

/* Borrows ids, which has room for EACH. */
static struct spec spec_of(const struct bench *bench, const struct drawn *machine, uint32_t ids[EACH])
{
    struct spec spec = {.features = {ids, EACH}};

    memcpy(spec.environment, machine->amounts, sizeof(spec.environment));
    for (size_t i = 0; i < EACH; i++)
        ids[i] = bench->ids[machine->features[i]];
    return spec;
}

static void prepare(struct bench *bench)
{
    drawn_weights(bench->weights);
    bench->config = (struct config_similarity){
        .threshold = 500000,
        .min_coverage = 500000,
        .environment_weights = {50000, 50000, 50000},
        .resource_weights = bench->weights,
        .n_resource_weights = KINDS,
    };
    check(feature_table_new(&bench->table));
    for (unsigned f = 0; f < FEATURES; f++) {
        char value[16];

        snprintf(value, sizeof(value), "v%u", f);
        check(feature_table_intern(bench->table, drawn_kind(f), value, &bench->ids[f]));
    }
    check(similarity_rules_new(&bench->config, NULL, bench->table, &bench->rules));
    check(columns_new(bench->rules, &bench->columns));
    check(comparison_new(&bench->comparison));
    bench->seed = 1;
}

/* Distinct ones first, then as many again as there are to be machines. Returns the microseconds of an addition. */
static double fill(struct bench *bench)
{
    struct drawn *archetypes = need(calloc(ARCHETYPES, sizeof(*archetypes)));
    double spent_us = 0;

    for (size_t a = 0; a < ARCHETYPES; a++)
        draw_archetype(&bench->seed, &archetypes[a]);
    bench->distinct = need(calloc(bench->n_distinct, sizeof(*bench->distinct)));
    for (size_t n = 0; n < bench->n_machines;) {
        bool is_new = n < bench->n_distinct;
        struct drawn machine = is_new ? draw_variant(&bench->seed, &archetypes[draw_below(&bench->seed, ARCHETYPES)])
                                      : bench->distinct[n % bench->n_distinct];
        uint32_t ids[EACH], entry;
        struct spec spec = spec_of(bench, &machine, ids);
        double began_us = now_us();

        check(columns_add(bench->columns, &spec, &entry));
        spent_us += now_us() - began_us;
        if (is_new && columns_machines(bench->columns, entry) > 1) {
            columns_remove(bench->columns, entry);
            continue;
        }
        if (is_new)
            bench->distinct[n] = machine;
        n++;
    }
    for (size_t f = 0; f < FAILURES; f++)
        bench->failures[f] = draw_variant(&bench->seed, &bench->distinct[draw_below(&bench->seed, bench->n_distinct)]);
    free(archetypes);
    return spent_us / (double)bench->n_machines;
}

/* ---- what is measured ---- */

/* The whole of lib/similarity's part; returns the best overlap, in case anything wants to leave it out. */
static double decide(struct bench *bench, const struct drawn *failure)
{
    uint32_t ids[EACH];
    struct spec spec = spec_of(bench, failure, ids);
    struct compared_entry next;
    double best = 0;

    check(comparison_run(bench->comparison, bench->columns, bench->rules, &spec));
    for (int which = 0; which < COMPARED_COUNT; which++)
        for (unsigned i = 0; i < BEST; i++) {
            int r = comparison_next(bench->comparison, (enum compared)which, &next);

            check(r);
            if (r == 0)
                break;
            if (which == COMPARED_ELIGIBLE && i == 0)
                best = fraction_to_double(score_overlap(&next.score));
        }
    return best;
}

static uint64_t read_words(const void *memory, size_t bytes)
{
    const uint64_t *words = memory;
    uint64_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;

    for (size_t i = 0; i + 4 <= bytes / 8; i += 4) {
        sum0 += words[i];
        sum1 += words[i + 1];
        sum2 += words[i + 2];
        sum3 += words[i + 3];
    }
    return sum0 + sum1 + sum2 + sum3;
}

/* Reads what the pass reads; says how much that is. */
static size_t read_touched(struct bench *bench, const struct drawn *failure)
{
    static volatile uint64_t sink;
    const struct columns *columns = bench->columns;
    size_t bytes = 0, part = BLOCK_GROUPS * sizeof(uint64_t);

    for (size_t b = 0; b < columns->n_blocks; b++) {
        size_t left = columns_end(columns) - b * BLOCK_ENTRIES;
        size_t array = (left < BLOCK_ENTRIES ? left : BLOCK_ENTRIES) * sizeof(uint32_t);

        sink += read_words(columns->blocks[b]->weights, array) + read_words(columns->blocks[b]->hardware, array) +
                read_words(columns->blocks[b]->machines, array);
        bytes += 3 * array;
        for (size_t i = 0; i < EACH; i++) {
            const struct column_part *at =
                column_part_of(&columns->columns[bench->ids[failure->features[i]]], (uint32_t)b);
            size_t size = at == NULL ? 0 : at->room > 0 ? at->count * sizeof(uint16_t) : part;

            if (size > 0)
                sink += read_words(at->list, size);
            bytes += size;
        }
    }
    (void)sink;
    return bytes;
}

/* The definition over every pair, machine by machine, with the best 20 kept. */
static double compare_pairwise(struct bench *bench, const struct drawn *failure)
{
    uint32_t failed_ids[EACH], ids[EACH];
    struct spec failed = spec_of(bench, failure, failed_ids);
    struct similarity_score best[BEST];
    size_t n_best = 0;

    for (size_t n = 0; n < bench->n_machines; n++) {
        struct spec spec = spec_of(bench, &bench->distinct[n % bench->n_distinct], ids);
        struct similarity_score score = similarity_score(bench->rules, &failed, &spec);
        size_t at = n_best;

        if (score.verdict != SIMILARITY_ELIGIBLE)
            continue;
        while (at > 0 && similarity_compare(bench->rules, &score, &best[at - 1]) < 0)
            at--;
        if (at == BEST)
            continue;
        n_best += n_best < BEST;
        memmove(&best[at + 1], &best[at], (n_best - 1 - at) * sizeof(*best));
        best[at] = score;
    }
    return n_best > 0 ? fraction_to_double(score_overlap(&best[0])) : 0;
}

struct figures {
    double cold_us, warm_us, scalar_us, read_cold_us, read_warm_us, pairwise_us;
    size_t touched_bytes;
    double best[FAILURES];
};

static void measure(struct bench *bench, struct figures *ret)
{
    double cold[FAILURES], warm[FAILURES], read_cold[FAILURES], read_warm[FAILURES], began_us;
    size_t n_pairwise = bench->n_machines > 100000 ? 1 : 3;

    for (size_t f = 0; f < FAILURES; f++) {
        const struct drawn *failure = &bench->failures[f];

        empty_caches();
        began_us = now_us();
        ret->best[f] = decide(bench, failure);
        cold[f] = now_us() - began_us;
        began_us = now_us();
        decide(bench, failure);
        warm[f] = now_us() - began_us;
        empty_caches();
        began_us = now_us();
        ret->touched_bytes = read_touched(bench, failure);
        read_cold[f] = now_us() - began_us;
        began_us = now_us();
        read_touched(bench, failure);
        read_warm[f] = now_us() - began_us;
    }
    ret->cold_us = median(cold, FAILURES);
    ret->warm_us = median(warm, FAILURES);
    ret->read_cold_us = median(read_cold, FAILURES);
    ret->read_warm_us = median(read_warm, FAILURES);

    comparison_set_kernel(bench->comparison, kernel_get(0));
    for (size_t f = 0; f < 5; f++) {
        began_us = now_us();
        decide(bench, &bench->failures[f]);
        warm[f] = now_us() - began_us;
    }
    comparison_set_kernel(bench->comparison, kernel_fastest());
    ret->scalar_us = median(warm, 5);
    for (size_t f = 0; f < n_pairwise; f++) {
        began_us = now_us();
        if (compare_pairwise(bench, &bench->failures[f]) != ret->best[f])
            fail("the definition over every pair finds another best one");
        warm[f] = now_us() - began_us;
    }
    ret->pairwise_us = median(warm, n_pairwise);
}

/* ---- files for the others ---- */

static void write_file(const char *directory, const char *name, const void *data, size_t size, size_t n)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, size, n, file) != n || fclose(file) != 0)
        fail(path);
}

/* machines.bin and failures.bin: 16 16-bit numbers of features and 3 64-bit amounts each; weights.bin: 512 32-bit ones. */
static void write_files(const struct bench *bench, const char *directory)
{
    struct drawn *machines = need(calloc(bench->n_machines, sizeof(*machines)));
    uint32_t weights[FEATURES];

    for (size_t n = 0; n < bench->n_machines; n++)
        machines[n] = bench->distinct[n % bench->n_distinct];
    for (size_t f = 0; f < FEATURES; f++)
        weights[f] = drawn_weight((unsigned)f);
    write_file(directory, "machines.bin", machines, sizeof(*machines), bench->n_machines);
    write_file(directory, "failures.bin", bench->failures, sizeof(*machines), FAILURES);
    write_file(directory, "weights.bin", weights, sizeof(*weights), FEATURES);
    free(machines);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct figures figures = {0};
    double add_us, began_us, rules_us;

    if (argc < 3 || argc > 4)
        fail("usage: bench_decision MACHINES DISTINCT [DIRECTORY]");
    bench.n_machines = strtoul(argv[1], NULL, 10);
    bench.n_distinct = strtoul(argv[2], NULL, 10);
    if (bench.n_distinct == 0 || bench.n_distinct > bench.n_machines)
        fail("DISTINCT is 1 … MACHINES");
    prepare(&bench);
    add_us = fill(&bench);
    measure(&bench, &figures);
    began_us = now_us();
    columns_set_rules(bench.columns, bench.rules);
    rules_us = now_us() - began_us;
    if (argc == 4)
        write_files(&bench, argv[3]);

    printf("{\"machines\": %zu, \"distinct\": %zu, \"kernel\": \"%s\", \"hardware\": %zu,\n", bench.n_machines,
           bench.n_distinct, kernel_fastest()->name, bench.columns->hardware.index.n_used);
    printf(" \"cold_us\": %.1f, \"warm_us\": %.1f, \"scalar_us\": %.1f, \"pairwise_us\": %.1f,\n", figures.cold_us,
           figures.warm_us, figures.scalar_us, figures.pairwise_us);
    printf(" \"read_cold_us\": %.1f, \"read_warm_us\": %.1f, \"touched_bytes\": %zu,\n", figures.read_cold_us,
           figures.read_warm_us, figures.touched_bytes);
    printf(" \"bytes_each\": %.1f, \"add_us\": %.3f, \"set_rules_us\": %.1f,\n \"best\": [",
           (double)columns_bytes(bench.columns) / (double)bench.n_machines, add_us, rules_us);
    for (size_t f = 0; f < FAILURES; f++)
        printf("%s%.9f", f > 0 ? ", " : "", figures.best[f]);
    printf("]}\n");

    comparison_free(bench.comparison);
    columns_free(bench.columns);
    similarity_rules_free(bench.rules);
    feature_table_free(bench.table);
    free(bench.distinct);
    return 0;
}
