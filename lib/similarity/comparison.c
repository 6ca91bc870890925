/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pass and the ranking. The pass decides every verdict in integers: with the limits solved for each hardware
 * (limits.h) an entry is two comparisons of 32 bits. It keeps of each group the best fraction as a float, which only says where to look first: a
 * group is opened, and its entries scored exactly, while it could hold one that is better than the best scored so far.
 */
#include "similarity/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "similarity/kernel.h"
#include "similarity/layout.h"
#include "similarity/limits.h"

/* A feature of the failed machine that some entry has and that matters. */
struct needed {
    const struct column *column;
    const struct column_part *part; /* of the block at hand; NULL: none */
    int32_t weight;
    bool must_be_covered;
};

/* Of a group the entries that have not been scored: those whose fraction is below `end`, by its bits. */
struct closed_group {
    int32_t best; /* the largest of theirs */
    int32_t end;
    uint32_t group;
};

/* One of the two orders. */
struct order {
    struct closed_group *closed;
    size_t n_closed, closed_room;
    struct compared_entry *scored;
    size_t n_scored, room;
    bool is_begun; /* the pass is not for it */
};

struct comparison {
    const struct kernel *kernel;
    const struct columns *columns;
    const struct similarity_rules *rules;
    uint64_t version;
    struct spec failed;  /* borrowed */
    bool by_pair;        /* a weight is beyond what the columns hold */
    bool can_be_covered; /* no feature of must_cover is one that no entry has */
    uint64_t machines[SIMILARITY_VERDICTS];

    struct needed *needed;
    size_t n_needed, needed_room;
    struct weighed_bits *bits; /* of the block at hand */
    size_t bits_room;
    struct limits limits;
    struct order orders[COMPARED_COUNT];
};

int comparison_new(struct comparison **ret)
{
    struct comparison *comparison = calloc(1, sizeof(*comparison));

    if (comparison == NULL)
        return -ENOMEM;
    comparison->kernel = kernel_fastest();
    *ret = comparison;
    return 0;
}

void comparison_free(struct comparison *comparison)
{
    if (comparison == NULL)
        return;
    free(comparison->needed);
    free(comparison->bits);
    limits_done(&comparison->limits);
    for (size_t i = 0; i < COMPARED_COUNT; i++) {
        free(comparison->orders[i].closed);
        free(comparison->orders[i].scored);
    }
    free(comparison);
}

void comparison_set_kernel(struct comparison *comparison, const struct kernel *kernel)
{
    comparison->kernel = kernel;
}

/* ---- before the pass ---- */

static bool must_be_covered(const struct similarity_rules *rules, uint32_t feature)
{
    for (size_t i = 0; i < rules->n_must_cover; i++)
        if (!rules->must_cover[i].is_environment && rules->must_cover[i].kind == feature_kind(rules->table, feature))
            return true;
    return false;
}

/* Returns W_R(A), in millionths. */
static uint64_t collect_needed(struct comparison *comparison)
{
    const struct columns *columns = comparison->columns;
    const struct similarity_rules *rules = comparison->rules;
    uint64_t sum = 0;

    comparison->n_needed = 0;
    comparison->can_be_covered = true;
    for (size_t i = 0; i < comparison->failed.features.count; i++) {
        uint32_t feature = comparison->failed.features.ids[i], weight = rules_feature_weight(rules, feature);
        bool is_offered = feature < columns->n_columns && columns->columns[feature].n_parts > 0;
        bool must = must_be_covered(rules, feature);

        sum += weight;
        if (is_offered && (weight > 0 || must))
            comparison->needed[comparison->n_needed++] = (struct needed){
                .column = &columns->columns[feature],
                .weight = (int32_t)(weight / rules->resource_unit),
                .must_be_covered = must,
            };
        if (!is_offered && must)
            comparison->can_be_covered = false;
    }
    comparison->by_pair = columns->n_overweight > 0 || sum / rules->resource_unit > BLOCK_WEIGHT_MAX;
    return sum;
}

static bool ranks_by_similarity(const struct comparison *comparison)
{
    return comparison->rules->rank_by == RANK_BY_SIMILARITY;
}

/* ---- the pass ---- */

static void add_list(const struct column_part *part, int32_t weight, size_t from, size_t n, int32_t *sums)
{
    for (size_t i = 0; i < part->count; i++) {
        size_t at = part->list[i];

        if (at >= from && at < from + n)
            sums[at - from] += weight;
    }
}

/* While a block is worked on, the bitmaps of the next one come into the cache. */
static void prefetch(const struct column *column, uint32_t block)
{
    const struct column_part *part = column_part_of(column, block);

    for (size_t g = 0; part != NULL && part->room == 0 && g < BLOCK_GROUPS; g += 8)
        __builtin_prefetch(&part->bits[g]);
}

/* The weights that each entry of some groups of a block shares with the failed machine. */
static void sum_shared(struct comparison *comparison, uint32_t block, size_t group, size_t n_groups,
                       int32_t *ret_shared)
{
    size_t n = 0;

    for (size_t i = 0; i < comparison->n_needed; i++) {
        struct needed *needed = &comparison->needed[i];

        needed->part = column_part_of(needed->column, block);
        if (needed->part != NULL && needed->part->room == 0 && needed->weight > 0)
            comparison->bits[n++] = (struct weighed_bits){&needed->part->bits[group], needed->weight};
    }
    comparison->kernel->sum(comparison->bits, n, n_groups, ret_shared);
    for (size_t i = 0; i < comparison->n_needed; i++) {
        const struct needed *needed = &comparison->needed[i];

        if (needed->part != NULL && needed->part->room > 0)
            add_list(needed->part, needed->weight, group * GROUP_ENTRIES, n_groups * GROUP_ENTRIES, ret_shared);
    }
}

static void keep_those_of(const struct column_part *part, uint64_t covered[BLOCK_GROUPS])
{
    uint64_t listed[BLOCK_GROUPS] = {0};
    const uint64_t *bits = listed;

    if (part != NULL && part->room == 0)
        bits = part->bits;
    else if (part != NULL)
        for (size_t i = 0; i < part->count; i++)
            listed[part->list[i] / GROUP_ENTRIES] |= UINT64_C(1) << part->list[i] % GROUP_ENTRIES;
    for (size_t g = 0; g < BLOCK_GROUPS; g++)
        covered[g] &= bits[g];
}

/* Which entries of a block have everything that must_cover demands; after sum_shared. */
static void find_covering(const struct comparison *comparison, uint32_t block, uint64_t ret_covered[BLOCK_GROUPS])
{
    const uint32_t *hardware = comparison->columns->blocks[block]->hardware;

    memset(ret_covered, comparison->can_be_covered ? 0xff : 0, BLOCK_GROUPS * sizeof(*ret_covered));
    for (size_t i = 0; i < comparison->n_needed; i++)
        if (comparison->needed[i].must_be_covered)
            keep_those_of(comparison->needed[i].part, ret_covered);
    if (comparison->limits.must_cover_amounts)
        for (size_t i = 0; i < BLOCK_ENTRIES; i++)
            if (!comparison->limits.covers[hardware[i]])
                ret_covered[i / GROUP_ENTRIES] &= ~(UINT64_C(1) << i % GROUP_ENTRIES);
}

static void close_group(struct comparison *comparison, uint32_t group, struct group_best best)
{
    const int32_t bests[COMPARED_COUNT] = {
        [COMPARED_ELIGIBLE] = best.eligible, [COMPARED_INELIGIBLE] = best.ineligible};

    for (size_t i = 0; i < COMPARED_COUNT; i++) {
        struct order *order = &comparison->orders[i];

        if (bests[i] >= 0 && !order->is_begun)
            order->closed[order->n_closed++] = (struct closed_group){bests[i], INT32_MAX, group};
    }
}

static size_t groups_of(const struct comparison *comparison, uint32_t block)
{
    size_t entries = columns_end(comparison->columns) - (size_t)block * BLOCK_ENTRIES;

    return entries < BLOCK_ENTRIES ? (entries + GROUP_ENTRIES - 1) / GROUP_ENTRIES : BLOCK_GROUPS;
}

static void pass_block(struct comparison *comparison, uint32_t number, struct tally *tally)
{
    const struct similarity_rules *rules = comparison->rules;
    const struct block *block = comparison->columns->blocks[number];
    size_t n_groups = groups_of(comparison, number);
    int32_t shared[BLOCK_ENTRIES];
    uint64_t covered[BLOCK_GROUPS];
    struct group_best best[BLOCK_GROUPS];

    for (size_t i = 0; i < comparison->n_needed; i++)
        prefetch(comparison->needed[i].column, number + 1);
    sum_shared(comparison, number, 0, n_groups, shared);
    find_covering(comparison, number, covered);
    comparison->kernel->judge(
        &(struct block_view){
            .shared = shared,
            .weights = block->weights,
            .hardware = block->hardware,
            .machines = block->machines,
            .covered = covered,
            .limits = comparison->limits.by_hardware,
            .shared_min_resources = rules->weighs_resources ? comparison->limits.shared_min_resources : 0,
            .shared_mask = ranks_by_similarity(comparison) ? 0 : -1,
        },
        n_groups, best, tally);
    for (size_t g = 0; g < n_groups; g++)
        close_group(comparison, (uint32_t)(number * BLOCK_GROUPS + g), best[g]);
}

static void pass(struct comparison *comparison)
{
    struct tally tally = {0};

    for (uint32_t block = 0; (size_t)block * BLOCK_ENTRIES < columns_end(comparison->columns); block++)
        pass_block(comparison, block, &tally);
    comparison->machines[SIMILARITY_BELOW_THRESHOLD] = tally.below_threshold;
    comparison->machines[SIMILARITY_BELOW_COVERAGE] = tally.below_coverage;
    comparison->machines[SIMILARITY_BELOW_RESOURCE_COVERAGE] = tally.below_resource_coverage;
    comparison->machines[SIMILARITY_MUST_COVER] = tally.must_cover;
    comparison->machines[SIMILARITY_ELIGIBLE] = tally.eligible;
    if (!rules_know(comparison->rules, &comparison->failed)) {
        memset(comparison->machines, 0, sizeof(comparison->machines));
        comparison->machines[SIMILARITY_NOTHING_KNOWN] = comparison->columns->n_machines;
    }
}

/* ---- entries one by one ---- */

/* Without the verdict. */
static struct similarity_score score_of(const struct comparison *comparison, uint32_t entry, int32_t shared)
{
    const struct columns *columns = comparison->columns;
    const struct similarity_rules *rules = comparison->rules;
    const struct block *block = columns->blocks[entry / BLOCK_ENTRIES];
    struct amount_weights amounts = limits_weigh_hardware(&comparison->limits, block->hardware[entry % BLOCK_ENTRIES]);
    uint64_t both = (uint64_t)(uint32_t)shared * rules->resource_unit;
    uint64_t own = (uint64_t)(uint32_t)block->weights[entry % BLOCK_ENTRIES] * rules->resource_unit;

    return (struct similarity_score){
        .failed = comparison->limits.failed_weight * MILLIONTHS + amounts.failed,
        .both = both * MILLIONTHS + amounts.both,
        .either = (comparison->limits.failed_weight + own - both) * MILLIONTHS + amounts.either,
        .failed_resources = rules->weighs_resources ? comparison->limits.failed_weight : 1,
        .both_resources = rules->weighs_resources ? both : 1,
    };
}

static void judge(const struct comparison *comparison, struct compared_entry *entry)
{
    const struct columns *columns = comparison->columns;
    const struct block *block = columns->blocks[entry->entry / BLOCK_ENTRIES];
    struct amount_weights amounts =
        limits_weigh_hardware(&comparison->limits, block->hardware[entry->entry % BLOCK_ENTRIES]);
    struct spec candidate = columns_spec(columns, entry->entry);

    entry->score.verdict =
        rules_judge(comparison->rules, &comparison->failed, &candidate, amounts.tolerance, &entry->score);
}

static struct similarity_score score_by_pair(const struct comparison *comparison, uint32_t entry)
{
    struct spec candidate = columns_spec(comparison->columns, entry);

    return similarity_score(comparison->rules, &comparison->failed, &candidate);
}

static int32_t bits_of(float value)
{
    int32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Of what the score is ranked by. */
static int32_t rank_bits(const struct comparison *comparison, const struct similarity_score *score)
{
    return bits_of(
        (float)fraction_to_double(ranks_by_similarity(comparison) ? score_similarity(score) : score_overlap(score)));
}

/* The same as pass, with nothing but the definition. */
static void pass_by_pair(struct comparison *comparison)
{
    uint32_t end = columns_end(comparison->columns);

    for (uint32_t first = 0; first < end; first += GROUP_ENTRIES) {
        struct group_best best = {-1, -1};

        for (uint32_t entry = first; entry < first + GROUP_ENTRIES && entry < end; entry++) {
            uint32_t machines = columns_machines(comparison->columns, entry);
            struct similarity_score score;
            int32_t *best_of_its, bits;

            if (machines == 0)
                continue;
            score = score_by_pair(comparison, entry);
            bits = rank_bits(comparison, &score);
            comparison->machines[score.verdict] += machines;
            best_of_its = score.verdict == SIMILARITY_ELIGIBLE ? &best.eligible : &best.ineligible;
            *best_of_its = bits > *best_of_its ? bits : *best_of_its;
        }
        close_group(comparison, first / GROUP_ENTRIES, best);
    }
}

/* ---- the orders ---- */

static bool is_better_group(const void *context, const void *a, const void *b)
{
    const struct closed_group *x = a, *y = b;

    (void)context;
    return x->best != y->best ? x->best > y->best : x->group < y->group;
}

static bool is_better_entry(const void *context, const void *a, const void *b)
{
    const struct compared_entry *x = a, *y = b;
    int order = similarity_compare(context, &x->score, &y->score);

    return order != 0 ? order < 0 : x->entry < y->entry;
}

static const struct heap_order group_heap = {sizeof(struct closed_group), is_better_group, NULL};

static struct heap_order entry_heap(const struct comparison *comparison)
{
    return (struct heap_order){sizeof(struct compared_entry), is_better_entry, comparison->rules};
}

/* A float that stands for a fraction is within this many steps of it: six roundings by half a step each, and to spare. */
#define ROUNDING 16

/* The first closed group could hold one that stands before the first of those scored. */
static bool must_be_opened(const struct comparison *comparison, const struct order *order)
{
    int32_t bits;

    if (order->n_closed == 0)
        return false;
    if (order->n_scored == 0)
        return true;
    bits = rank_bits(comparison, &order->scored[0].score);
    if (order->closed[0].best == 0) /* no rounding is in a 0 */
        return bits == 0 && order->closed[0].group < order->scored[0].entry / GROUP_ENTRIES;
    return order->closed[0].best + ROUNDING >= bits - ROUNDING;
}

static int reserve_scored(struct order *order)
{
    size_t room = 2 * order->room + GROUP_ENTRIES;
    struct compared_entry *scored;

    if (order->room - order->n_scored >= GROUP_ENTRIES)
        return 0;
    scored = reallocarray(order->scored, room, sizeof(*scored));
    if (scored == NULL)
        return -ENOMEM;
    order->scored = scored;
    order->room = room;
    return 0;
}

/* An entry of a group, by what its verdict and its place in the order rest on. */
struct glance {
    bool is_eligible;
    int32_t bits; /* of its fraction; -1: there is no such entry */
    int32_t shared;
};

static struct glance glance_by_pair(const struct comparison *comparison, uint32_t entry)
{
    struct similarity_score score = score_by_pair(comparison, entry);

    return (struct glance){score.verdict == SIMILARITY_ELIGIBLE, rank_bits(comparison, &score), 0};
}

/* As the kernels see it, bit by bit. */
static struct glance glance_at(const struct comparison *comparison, uint32_t entry, int32_t shared)
{
    const struct columns *columns = comparison->columns;
    const struct block *block = columns->blocks[entry / BLOCK_ENTRIES];
    size_t at = entry % BLOCK_ENTRIES;
    struct limit limit = comparison->limits.by_hardware[block->hardware[at]];
    int32_t surplus = block->weights[at] - shared, counted = ranks_by_similarity(comparison) ? 0 : shared;
    struct glance glance = {.shared = shared};

    glance.bits = bits_of((limit.numerator + (float)counted) / (limit.denominator + (float)surplus));
    glance.is_eligible =
        surplus < limit.surplus_end && shared >= limit.shared_min && shared >= comparison->limits.shared_min_resources;
    if (glance.is_eligible && comparison->rules->n_must_cover > 0) {
        struct spec candidate = columns_spec(columns, entry);

        glance.is_eligible =
            rules_uncovered(comparison->rules, &comparison->failed, &candidate) == comparison->rules->n_must_cover;
    }
    return glance;
}

static void glance_over(struct comparison *comparison, uint32_t group, struct glance ret[GROUP_ENTRIES])
{
    uint32_t first = group * GROUP_ENTRIES, end = columns_end(comparison->columns);
    int32_t shared[GROUP_ENTRIES];

    if (!comparison->by_pair)
        sum_shared(comparison, group / BLOCK_GROUPS, group % BLOCK_GROUPS, 1, shared);
    for (uint32_t i = 0; i < GROUP_ENTRIES; i++)
        if (first + i >= end || columns_machines(comparison->columns, first + i) == 0)
            ret[i] = (struct glance){.bits = -1};
        else
            ret[i] = comparison->by_pair ? glance_by_pair(comparison, first + i)
                                         : glance_at(comparison, first + i, shared[i]);
}

/* So many steps below the best of a group its entries are scored with it: an eighth, so that few groups open twice. */
#define OPENED 0x100000

/* Scores the best entries of the first closed group, and closes it over the rest. */
static int open_group(struct comparison *comparison, enum compared which)
{
    struct order *order = &comparison->orders[which];
    struct heap_order heap = entry_heap(comparison);
    struct closed_group group = order->closed[0], rest = {-1, group.best - OPENED, group.group};
    struct glance glances[GROUP_ENTRIES];

    if (reserve_scored(order) < 0)
        return -ENOMEM;
    heap_pop(&group_heap, order->closed, order->n_closed--);
    glance_over(comparison, group.group, glances);
    for (uint32_t i = 0; i < GROUP_ENTRIES; i++) {
        const struct glance *glance = &glances[i];
        uint32_t entry = group.group * GROUP_ENTRIES + i;

        if (glance->bits < 0 || glance->bits >= group.end || glance->is_eligible != (which == COMPARED_ELIGIBLE))
            continue;
        if (glance->bits < rest.end) {
            rest.best = glance->bits > rest.best ? glance->bits : rest.best;
            continue;
        }
        order->scored[order->n_scored++] =
            (struct compared_entry){entry, comparison->by_pair ? score_by_pair(comparison, entry)
                                                               : score_of(comparison, entry, glance->shared)};
        heap_push(&heap, order->scored, order->n_scored);
    }
    if (rest.best >= 0) {
        order->closed[order->n_closed++] = rest;
        heap_push(&group_heap, order->closed, order->n_closed);
    }
    return 0;
}

int comparison_next(struct comparison *comparison, enum compared which, struct compared_entry *ret)
{
    struct order *order = &comparison->orders[which];
    struct heap_order heap = entry_heap(comparison);

    if (comparison->version != comparison->columns->version)
        return -ESTALE;
    while (must_be_opened(comparison, order))
        if (open_group(comparison, which) < 0)
            return -ENOMEM;
    if (order->n_scored == 0)
        return 0;
    *ret = order->scored[0];
    if (!comparison->by_pair)
        judge(comparison, ret);
    heap_pop(&heap, order->scored, order->n_scored--);
    return 1;
}

/* ---- a run ---- */

static int reserve(struct comparison *comparison)
{
    size_t n = comparison->failed.features.count;
    size_t n_groups = ((size_t)columns_end(comparison->columns) + GROUP_ENTRIES - 1) / GROUP_ENTRIES;

    if (room_for(&comparison->needed, &comparison->needed_room, n, sizeof(*comparison->needed)) < 0 ||
        room_for(&comparison->bits, &comparison->bits_room, n, sizeof(*comparison->bits)) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < COMPARED_COUNT; i++) {
        struct order *order = &comparison->orders[i];

        order->n_closed = order->n_scored = 0;
        order->is_begun = false;
        if (room_for(&order->closed, &order->closed_room, n_groups, sizeof(*order->closed)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* For those orders that are not begun, which are empty. */
static void pass_all(struct comparison *comparison)
{
    memset(comparison->machines, 0, sizeof(comparison->machines));
    if (comparison->by_pair)
        pass_by_pair(comparison);
    else
        pass(comparison);
    for (size_t i = 0; i < COMPARED_COUNT; i++) {
        struct order *order = &comparison->orders[i];

        if (!order->is_begun)
            heap_make(&group_heap, order->closed, order->n_closed);
        order->is_begun = true;
    }
}

int comparison_run(struct comparison *comparison, const struct columns *columns, const struct similarity_rules *rules,
                   const struct spec *failed)
{
    uint64_t failed_weight;

    comparison->columns = columns;
    comparison->rules = rules;
    comparison->version = columns->version;
    comparison->failed = rules_counted(failed);
    memset(comparison->machines, 0, sizeof(comparison->machines));
    if (reserve(comparison) < 0)
        return -ENOMEM;

    failed_weight = collect_needed(comparison);
    if (!comparison->by_pair &&
        limits_solve(&comparison->limits, columns, rules, &comparison->failed, failed_weight) < 0)
        return -ENOMEM;
    pass_all(comparison);
    return 0;
}

int comparison_rewind(struct comparison *comparison, enum compared which)
{
    struct order *order = &comparison->orders[which];

    if (comparison->version != comparison->columns->version)
        return -ESTALE;
    order->n_closed = order->n_scored = 0;
    order->is_begun = false;
    pass_all(comparison);
    return 0;
}

uint64_t comparison_machines(const struct comparison *comparison, enum similarity_verdict verdict)
{
    return comparison->machines[verdict];
}
