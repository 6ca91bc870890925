/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loops over a block. The vector ones are plain C over the 64 entries of a group that compilers turn into vectors,
 * compiled again for each wider instruction set and picked by what the processor has. Nothing here may be contracted into
 * a fused multiply-add (there is no product to fuse).
 */
#include "similarity/kernel.h"

#include <stdbool.h>
#include <string.h>

#include "similarity/column.h"

static int32_t bits_of(float value)
{
    int32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* ---- the scalar twin ---- */

static bool has_bit(const uint64_t *bits, size_t at)
{
    return (bits[at / GROUP_ENTRIES] >> at % GROUP_ENTRIES & 1) != 0;
}

static void sum_scalar(const struct weighed_bits *columns, size_t n, size_t groups, int32_t *sums)
{
    for (size_t i = 0; i < groups * GROUP_ENTRIES; i++) {
        sums[i] = 0;
        for (size_t c = 0; c < n; c++)
            if (has_bit(columns[c].bits, i))
                sums[i] += columns[c].weight;
    }
}

static void judge_one(const struct block_view *view, size_t i, struct group_best *best, struct tally *tally)
{
    const struct limit *limit = &view->limits[view->hardware[i]];
    int32_t shared = view->shared[i], surplus = view->weights[i] - shared, key;
    uint32_t machines = view->machines[i];

    if (machines == 0)
        return;
    key = bits_of((limit->numerator + (float)(shared & view->shared_mask)) / (limit->denominator + (float)surplus));
    if (surplus >= limit->surplus_end) {
        tally->below_threshold += machines;
    } else if (shared < limit->shared_min) {
        tally->below_coverage += machines;
    } else if (shared < view->shared_min_resources) {
        tally->below_resource_coverage += machines;
    } else if (!has_bit(view->covered, i)) {
        tally->must_cover += machines;
    } else {
        tally->eligible += machines;
        best->eligible = key > best->eligible ? key : best->eligible;
        return;
    }
    best->ineligible = key > best->ineligible ? key : best->ineligible;
}

static void judge_scalar(const struct block_view *view, size_t groups, struct group_best *ret_best, struct tally *tally)
{
    for (size_t g = 0; g < groups; g++) {
        ret_best[g] = (struct group_best){-1, -1};
        for (size_t i = 0; i < GROUP_ENTRIES; i++)
            judge_one(view, g * GROUP_ENTRIES + i, &ret_best[g], tally);
    }
}

/* ---- side by side ---- */

#define INLINE static inline __attribute__((always_inline))

/* All ones where the bit is set, else 0; at is below 32. */
INLINE int32_t lane_of(uint32_t half, unsigned at)
{
    return (half & UINT32_C(1) << at) != 0 ? -1 : 0;
}

INLINE void sum_wide(const struct weighed_bits *columns, size_t n, size_t groups, int32_t *restrict sums)
{
    for (size_t g = 0; g < groups; g++) {
        int32_t low[32] = {0}, high[32] = {0};

        for (size_t c = 0; c < n; c++) {
            uint64_t word = columns[c].bits[g];
            uint32_t half = (uint32_t)word, other = (uint32_t)(word >> 32);
            int32_t weight = columns[c].weight;

            for (unsigned i = 0; i < 32; i++)
                low[i] += lane_of(half, i) & weight;
            for (unsigned i = 0; i < 32; i++)
                high[i] += lane_of(other, i) & weight;
        }
        memcpy(&sums[g * GROUP_ENTRIES], low, sizeof(low));
        memcpy(&sums[g * GROUP_ENTRIES + 32], high, sizeof(high));
    }
}

/* Half a group. */
INLINE void judge_half(const struct block_view *view, size_t from, uint32_t covered, struct group_best *best,
                       uint32_t counts[5])
{
    const int32_t *shared = &view->shared[from], *weights = &view->weights[from];
    const uint32_t *machines = &view->machines[from], *hardware = &view->hardware[from];
    int32_t all = view->shared_min_resources, mask = view->shared_mask;
    int32_t eligible = best->eligible, ineligible = best->ineligible;
    uint32_t n0 = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0;
    struct limit limits[32];
    float key[32];

    for (unsigned i = 0; i < 32; i++)
        limits[i] = view->limits[hardware[i]];
    for (unsigned i = 0; i < 32; i++)
        key[i] = (limits[i].numerator + (float)(shared[i] & mask)) /
                 (limits[i].denominator + (float)(weights[i] - shared[i]));
    for (unsigned i = 0; i < 32; i++) {
        int32_t similar = weights[i] - shared[i] < limits[i].surplus_end ? -1 : 0,
                covers = shared[i] >= limits[i].shared_min ? -1 : 0;
        int32_t offers = shared[i] >= all ? -1 : 0, kinds = lane_of(covered, i);
        int32_t passes = similar & covers & offers & kinds, bits = bits_of(key[i]);
        int32_t absent = machines[i] == 0 ? -1 : 0;
        int32_t as_eligible = bits | ~passes | absent, as_ineligible = bits | passes | absent;

        n0 += machines[i] & (uint32_t)~similar;
        n1 += machines[i] & (uint32_t)(similar & ~covers);
        n2 += machines[i] & (uint32_t)(similar & covers & ~offers);
        n3 += machines[i] & (uint32_t)(similar & covers & offers & ~kinds);
        n4 += machines[i] & (uint32_t)passes;
        eligible = as_eligible > eligible ? as_eligible : eligible;
        ineligible = as_ineligible > ineligible ? as_ineligible : ineligible;
    }
    best->eligible = eligible;
    best->ineligible = ineligible;
    counts[0] += n0;
    counts[1] += n1;
    counts[2] += n2;
    counts[3] += n3;
    counts[4] += n4;
}

INLINE void judge_wide(const struct block_view *view, size_t groups, struct group_best *ret_best, struct tally *tally)
{
    uint32_t counts[5] = {0}; /* no more machines than 32 bits count, see columns_add */

    for (size_t g = 0; g < groups; g++) {
        struct group_best best = {-1, -1};
        uint64_t covered = view->covered[g];

        judge_half(view, g * GROUP_ENTRIES, (uint32_t)covered, &best, counts);
        judge_half(view, g * GROUP_ENTRIES + 32, (uint32_t)(covered >> 32), &best, counts);
        ret_best[g] = best;
    }
    tally->below_threshold += counts[0];
    tally->below_coverage += counts[1];
    tally->below_resource_coverage += counts[2];
    tally->must_cover += counts[3];
    tally->eligible += counts[4];
}

#define DEFINE_WIDE(suffix, target)                                                                                    \
    target static void sum_##suffix(const struct weighed_bits *columns, size_t n, size_t groups, int32_t *sums)        \
    {                                                                                                                  \
        sum_wide(columns, n, groups, sums);                                                                            \
    }                                                                                                                  \
    target static void judge_##suffix(const struct block_view *view, size_t groups, struct group_best *ret_best,       \
                                      struct tally *tally)                                                             \
    {                                                                                                                  \
        judge_wide(view, groups, ret_best, tally);                                                                     \
    }                                                                                                                  \
    struct kernel_##suffix##_semicolon

DEFINE_WIDE(portable, );

#ifdef __x86_64__
DEFINE_WIDE(avx2, __attribute__((target("avx2"))));
#define AVX512 "avx512f,avx512bw,avx512dq,avx512vl"
#ifdef __clang__
DEFINE_WIDE(avx512, __attribute__((target(AVX512))));
#else
DEFINE_WIDE(avx512, __attribute__((target(AVX512 ",prefer-vector-width=512"))));
#endif
#endif

static const struct kernel kernels[] = {
    {"scalar", sum_scalar, judge_scalar},
    {"portable", sum_portable, judge_portable},
#ifdef __x86_64__
    {"avx2", sum_avx2, judge_avx2},
    {"avx512", sum_avx512, judge_avx512},
#endif
};

/* The wider ones stand behind the narrower ones, and a processor that has the wider ones has those too. */
static size_t count_kernels(void)
{
    size_t n = 2;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        n++;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            n++;
    }
#endif
    return n;
}

const struct kernel *kernel_get(size_t index)
{
    return index < count_kernels() ? &kernels[index] : NULL;
}

const struct kernel *kernel_fastest(void)
{
    return &kernels[count_kernels() - 1];
}
