/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every kernel that this processor runs gives the bits of the scalar twin. */
#include "similarity/kernel.h"

#include <string.h>

#include "base/cleanup.h"
#include "similarity/column.h"
#include "support.h"

#define COLUMNS  40
#define HARDWARE 23

struct input {
    uint64_t bits[COLUMNS][BLOCK_GROUPS];
    struct weighed_bits columns[COLUMNS];
    int32_t weights[BLOCK_ENTRIES];
    uint32_t hardware[BLOCK_ENTRIES], machines[BLOCK_ENTRIES];
    uint64_t covered[BLOCK_GROUPS];
    struct limit limits[HARDWARE];
    struct block_view view;
};

struct output {
    int32_t shared[BLOCK_ENTRIES];
    struct group_best best[BLOCK_GROUPS];
    struct tally tally;
};

/* Limits about where the sums are, edges included; sums up to the largest there are in every other course. */
static void draw(struct input *input, uint64_t *seed, int32_t largest)
{
    int64_t all = 0;

    for (size_t c = 0; c < COLUMNS; c++) {
        input->columns[c] = (struct weighed_bits){input->bits[c], (int32_t)random_below(seed, (uint64_t)largest) / 41};
        for (size_t g = 0; g < BLOCK_GROUPS; g++)
            input->bits[c][g] = random_next(seed) & random_next(seed);
        all += input->columns[c].weight;
    }
    for (size_t i = 0; i < BLOCK_ENTRIES; i++) {
        int64_t weight = 0;

        for (size_t c = 0; c < COLUMNS; c++)
            weight += (input->bits[c][i / 64] >> i % 64 & 1) != 0 ? input->columns[c].weight : 0;
        input->weights[i] = (int32_t)(weight + (int64_t)random_below(seed, (uint64_t)(largest - weight)));
        input->hardware[i] = (uint32_t)random_below(seed, HARDWARE);
        input->machines[i] = random_below(seed, 4) == 0 ? 0 : (uint32_t)random_below(seed, 1000000);
    }
    for (size_t g = 0; g < BLOCK_GROUPS; g++)
        input->covered[g] = random_next(seed) | random_next(seed);
    for (size_t h = 0; h < HARDWARE; h++) {
        input->limits[h].surplus_end = h == 0 ? INT32_MAX : (int32_t)random_below(seed, (uint64_t)largest);
        input->limits[h].shared_min = h == 1 ? INT32_MAX : (int32_t)random_below(seed, (uint64_t)all / 3);
        input->limits[h].numerator = h == 2 ? 0 : (float)random_below(seed, 100000) / 7;
        input->limits[h].denominator = input->limits[h].numerator + (float)random_below(seed, 100000) / 9 + 1;
    }
    input->view = (struct block_view){
        .weights = input->weights,
        .hardware = input->hardware,
        .machines = input->machines,
        .covered = input->covered,
        .limits = input->limits,
        .shared_min_resources = (int32_t)random_below(seed, (uint64_t)all / 3),
        .shared_mask = random_below(seed, 2) == 0 ? 0 : -1,
    };
}

static void run(const struct kernel *kernel, const struct input *input, size_t n, size_t groups, struct output *ret)
{
    struct block_view view = input->view;

    *ret = (struct output){.tally = {1, 2, 3, 4, 5}};
    kernel->sum(input->columns, n, groups, ret->shared);
    view.shared = ret->shared;
    kernel->judge(&view, groups, ret->best, &ret->tally);
}

static void test_every_kernel_gives_the_bits_of_the_scalar_twin(void **state)
{
    static const int32_t largest[] = {400, 100000, INT32_MAX - 1};
    static struct input input;
    static struct output expected, actual;
    uint64_t seed = 5;

    (void)state;
    for (unsigned course = 0; course < 60; course++) {
        size_t n = random_below(&seed, COLUMNS + 1), groups = 1 + random_below(&seed, BLOCK_GROUPS);

        draw(&input, &seed, largest[course % ELEMENTS_OF(largest)]);
        run(kernel_get(0), &input, n, groups, &expected);
        for (size_t k = 1; kernel_get(k) != NULL; k++) {
            run(kernel_get(k), &input, n, groups, &actual);
            assert_memory_equal(actual.shared, expected.shared, sizeof(expected.shared));
            assert_memory_equal(actual.best, expected.best, sizeof(expected.best));
            assert_memory_equal(&actual.tally, &expected.tally, sizeof(expected.tally));
        }
    }
}

static void test_the_draw_meets_every_obstacle(void **state)
{
    static struct input input;
    static struct output output;
    uint64_t seed = 5;

    (void)state;
    draw(&input, &seed, 400);
    run(kernel_get(0), &input, COLUMNS, BLOCK_GROUPS, &output);
    assert_true(output.tally.below_threshold > 1000 && output.tally.below_coverage > 1000);
    assert_true(output.tally.below_resource_coverage > 1000 && output.tally.must_cover > 1000);
    assert_true(output.tally.eligible > 1000);
}

static void test_the_fastest_is_the_last(void **state)
{
    size_t n = 0;

    (void)state;
    while (kernel_get(n) != NULL)
        n++;
    assert_true(n >= 2);
    assert_ptr_equal(kernel_fastest(), kernel_get(n - 1));
    assert_string_equal(kernel_get(0)->name, "scalar");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_gives_the_bits_of_the_scalar_twin),
        cmocka_unit_test(test_the_draw_meets_every_obstacle),
        cmocka_unit_test(test_the_fastest_is_the_last),
    };

    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
