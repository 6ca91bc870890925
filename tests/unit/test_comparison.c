/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A comparison with all entries against the definition over each pair (similarity_reference.h): the tally, the scores and
 * both orders, in full, after each of a great many random changes and under every kernel.
 */
#include "similarity/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "similarity/kernel.h"
#include "similarity_reference.h"
#include "support.h"

#define FAILED 4 /* specifications that fail in turn */

/* One machine, and what the reference says of it. */
struct subject {
    bool is_in;
    uint32_t entry;
    struct spec spec;
    struct similarity_score scores[FAILED];
};

struct room {
    struct feature_table *table;
    struct config_similarity config;
    struct config_weight weights[8];
    struct similarity_rules *rules;
    struct columns *columns;
    struct comparison *comparison;
    struct spec failed[FAILED];
    struct subject *subjects;
    size_t n_subjects;
    size_t variety; /* of values and amounts: the less, the more is equal */
    uint64_t seed;
    uint64_t seen[SIMILARITY_VERDICTS]; /* machines, over all comparisons */
};

/* The last two never have a weight of their own. */
static const char *const kinds[] = {"os", "language", "database", "webserver", "software", "data", "os-family", "zone"};
#define WEIGHED (ELEMENTS_OF(kinds) - 2)

static uint64_t below(struct room *room, uint64_t limit)
{
    return random_below(&room->seed, limit);
}

static bool one_in(struct room *room, uint64_t n)
{
    return below(room, n) == 0;
}

/* ---- what is drawn ---- */

/* Decimals as people write them, fine ones, and heavy ones that no 32 bits hold. */
static uint32_t draw_weight(struct room *room, unsigned style)
{
    switch (style) {
    case 0:
        return (uint32_t)(50000 * below(room, 8));
    case 1:
        return (uint32_t)below(room, MILLIONTHS + 1);
    case 2:
        return one_in(room, 2) ? 1000 * MILLIONTHS - (uint32_t)below(room, 2) : 1;
    default:
        return 0;
    }
}

static void draw_limits(struct room *room)
{
    static const uint32_t usual[] = {0, 250000, 333333, 333334, 500000, 500001, 600000, 666667, 750000, MILLIONTHS};
    static char *memory[] = {(char *)"memory"}, *both[] = {(char *)"database", (char *)"cpu"}, *os[] = {(char *)"os"};
    static const struct string_list must[] = {{memory, 1}, {both, 2}, {os, 1}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct config_similarity *config = &room->config;

    config->threshold =
        one_in(room, 4) ? (uint32_t)below(room, MILLIONTHS + 1) : usual[below(room, ELEMENTS_OF(usual))];
    config->min_coverage =
        one_in(room, 4) ? (uint32_t)below(room, MILLIONTHS + 1) : usual[below(room, ELEMENTS_OF(usual))];
    config->rank_by = one_in(room, 3) ? RANK_BY_SIMILARITY : RANK_BY_OVERLAP;
    config->must_cover = must[below(room, ELEMENTS_OF(must))];
}

static void draw_rules(struct room *room)
{
    struct similarity_rules *old = room->rules;
    unsigned style = (unsigned)below(room, 4), hardware = one_in(room, 3) ? 3 : style == 3 ? 1 : style;

    for (size_t i = 0; i < WEIGHED; i++)
        room->weights[i] = (struct config_weight){.kind = (char *)kinds[i], .millionths = draw_weight(room, style)};
    room->weights[6] = (struct config_weight){
        .kind = (char *)"database", .value = (char *)"v1", .millionths = draw_weight(room, style)};
    draw_limits(room);
    room->config.resource_weights = room->weights;
    room->config.n_resource_weights = 1 + below(room, 7);
    if (one_in(room, 3))
        room->weights[room->config.n_resource_weights++] =
            (struct config_weight){.kind = (char *)"other", .millionths = draw_weight(room, style)};
    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        room->config.environment_weights[e] = draw_weight(room, hardware);
    assert_int_equal(similarity_rules_new(&room->config, NULL, room->table, &room->rules), 0);
    if (room->columns != NULL)
        columns_set_rules(room->columns, room->rules);
    similarity_rules_free(old);
}

static struct spec draw_spec(struct room *room)
{
    struct spec spec = {0};

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        spec.environment[e] = one_in(room, 6)     ? 0
                              : one_in(room, 200) ? random_next(&room->seed)
                                                  : (1 + below(room, room->variety)) * (e == 0 ? 1 : 1000000);
    for (uint64_t n = below(room, 9); n > 0; n--) {
        char value[16];
        uint32_t feature;

        snprintf(value, sizeof(value), "v%u", (unsigned)(below(room, room->variety) * below(room, 3)));
        assert_int_equal(feature_table_intern(room->table, kinds[below(room, ELEMENTS_OF(kinds))], value, &feature), 0);
        assert_int_equal(id_set_add(&spec.features, feature), 0);
    }
    return spec;
}

/* ---- a room ---- */

static struct room *open_room(size_t n_subjects, size_t variety, uint64_t seed)
{
    struct room *room = calloc(1, sizeof(*room));

    assert_non_null(room);
    room->subjects = calloc(n_subjects, sizeof(*room->subjects));
    assert_non_null(room->subjects);
    room->n_subjects = n_subjects;
    room->variety = variety;
    room->seed = seed;
    assert_int_equal(feature_table_new(&room->table), 0);
    draw_rules(room);
    assert_int_equal(columns_new(room->rules, &room->columns), 0);
    assert_int_equal(comparison_new(&room->comparison), 0);
    return room;
}

static void close_room(struct room *room)
{
    for (size_t i = 0; i < room->n_subjects; i++)
        spec_done(&room->subjects[i].spec);
    for (size_t f = 0; f < FAILED; f++)
        spec_done(&room->failed[f]);
    comparison_free(room->comparison);
    columns_free(room->columns);
    similarity_rules_free(room->rules);
    feature_table_free(room->table);
    free(room->subjects);
    free(room);
}

static void score(struct room *room, struct subject *subject)
{
    for (size_t f = 0; f < FAILED; f++)
        subject->scores[f] = reference_score(&room->config, room->table, &room->failed[f], &subject->spec);
}

/* Other rules, and others that fail: one of them like a machine that is there. */
static void begin_chapter(struct room *room)
{
    draw_rules(room);
    for (size_t f = 0; f < FAILED; f++) {
        const struct subject *like = &room->subjects[below(room, room->n_subjects)];

        spec_done(&room->failed[f]);
        room->failed[f] = draw_spec(room);
        if (f == 0 && like->is_in) {
            assert_int_equal(id_set_copy(&room->failed[f].features, &like->spec.features), 0);
            memcpy(room->failed[f].environment, like->spec.environment, sizeof(like->spec.environment));
        }
    }
    for (size_t i = 0; i < room->n_subjects; i++)
        if (room->subjects[i].is_in)
            score(room, &room->subjects[i]);
}

static void change(struct room *room, struct subject *subject)
{
    if (subject->is_in && one_in(room, 3)) {
        columns_remove(room->columns, subject->entry);
        subject->is_in = false;
        return;
    }
    struct spec spec = draw_spec(room);
    if (subject->is_in)
        assert_int_equal(columns_change(room->columns, subject->entry, &spec, &subject->entry), 0);
    else
        assert_int_equal(columns_add(room->columns, &spec, &subject->entry), 0);
    spec_done(&subject->spec);
    subject->spec = spec;
    subject->is_in = true;
    score(room, subject);
}

/* ---- what must hold ---- */

static void assert_same_score(const struct similarity_score *actual, const struct similarity_score *expected)
{
    assert_int_equal(actual->failed, expected->failed);
    assert_int_equal(actual->both, expected->both);
    assert_int_equal(actual->either, expected->either);
    assert_int_equal(actual->failed_resources, expected->failed_resources);
    assert_int_equal(actual->both_resources, expected->both_resources);
    assert_int_equal(actual->verdict, expected->verdict);
    assert_int_equal(actual->uncovered_kind, expected->uncovered_kind);
}

/* By entry, a machine of it; NULL where there is none. Also: each entry has as many machines as it says. */
static const struct subject **index_subjects(struct room *room)
{
    size_t end = columns_end(room->columns), used = 0;
    const struct subject **by_entry = calloc(end + 1, sizeof(struct subject *));
    uint32_t *machines = calloc(end + 1, sizeof(*machines));

    assert_true(by_entry != NULL && machines != NULL);
    for (size_t i = 0; i < room->n_subjects; i++)
        if (room->subjects[i].is_in) {
            by_entry[room->subjects[i].entry] = &room->subjects[i];
            used += machines[room->subjects[i].entry]++ == 0;
        }
    assert_int_equal(columns_count(room->columns), used);
    for (uint32_t entry = 0; entry < end; entry++)
        assert_int_equal(columns_machines(room->columns, entry), machines[entry]);
    free(machines);
    return by_entry;
}

/* Everything in order, and nothing left out: returns how many entries there were. */
static size_t assert_order(struct room *room, size_t f, enum compared which, const struct subject **by_entry)
{
    struct compared_entry previous, next;
    size_t n = 0;
    int r;

    while ((r = comparison_next(room->comparison, which, &next)) == 1) {
        const struct subject *subject = by_entry[next.entry];

        assert_non_null(subject);
        by_entry[next.entry] = NULL; /* never again */
        assert_same_score(&next.score, &subject->scores[f]);
        assert_true((next.score.verdict == SIMILARITY_ELIGIBLE) == (which == COMPARED_ELIGIBLE));
        if (n > 0) {
            int order = reference_compare(&room->config, &previous.score, &next.score);

            assert_true(order < 0 || (order == 0 && previous.entry < next.entry));
        }
        previous = next;
        n++;
    }
    assert_int_equal(r, 0);
    return n;
}

static void assert_comparison(struct room *room, size_t f)
{
    uint64_t machines[SIMILARITY_VERDICTS] = {0};
    const struct subject **by_entry = index_subjects(room);
    size_t n;

    assert_int_equal(comparison_run(room->comparison, room->columns, room->rules, &room->failed[f]), 0);
    for (size_t i = 0; i < room->n_subjects; i++)
        if (room->subjects[i].is_in)
            machines[room->subjects[i].scores[f].verdict]++;
    for (enum similarity_verdict v = 0; v < SIMILARITY_VERDICTS; v++) {
        assert_int_equal(comparison_machines(room->comparison, v), machines[v]);
        room->seen[v] += machines[v];
    }
    n = assert_order(room, f, COMPARED_INELIGIBLE, by_entry) + assert_order(room, f, COMPARED_ELIGIBLE, by_entry);
    assert_int_equal(n, columns_count(room->columns));
    free(by_entry);
}

static void live(struct room *room, unsigned changes, unsigned chapter)
{
    for (unsigned i = 0; i < changes; i++) {
        if (i % chapter == 0)
            begin_chapter(room);
        change(room, &room->subjects[below(room, room->n_subjects)]);
        assert_comparison(room, i % FAILED);
    }
}

/* ---- tests ---- */

static void test_100000_random_changes(void **state)
{
    struct room *room = open_room(20, 4, 1);

    (void)state;
    live(room, 100000, 50);
    for (size_t v = 0; v < SIMILARITY_VERDICTS; v++)
        assert_true(room->seen[v] > 1000); /* the draw meets every obstacle */
    close_room(room);
}

static void test_many_groups(void **state)
{
    struct room *room = open_room(400, 6, 2);

    (void)state;
    for (size_t i = 0; i < room->n_subjects; i++)
        change(room, &room->subjects[i]);
    live(room, 1000, 20);
    close_room(room);
}

/* More than a block, so that columns have several parts, and dense ones become sparse. */
static void test_many_blocks(void **state)
{
    struct room *room = open_room(9000, 30, 3);

    (void)state;
    for (size_t i = 0; i < room->n_subjects; i++)
        change(room, &room->subjects[i]);
    live(room, 12, 3);
    for (size_t i = 0; i < room->n_subjects; i++)
        if (room->subjects[i].is_in && i % 50 != 0) {
            columns_remove(room->columns, room->subjects[i].entry);
            room->subjects[i].is_in = false;
        }
    live(room, 12, 3);
    for (size_t i = 0; i < room->n_subjects; i++)
        change(room, &room->subjects[i]);
    live(room, 12, 3);
    close_room(room);
}

static void test_every_kernel(void **state)
{
    struct room *room = open_room(500, 5, 4);

    (void)state;
    for (size_t i = 0; i < room->n_subjects; i++)
        change(room, &room->subjects[i]);
    for (size_t k = 0; kernel_get(k) != NULL; k++) {
        comparison_set_kernel(room->comparison, kernel_get(k));
        live(room, 80, 4);
    }
    close_room(room);
}

static void test_nothing_to_compare_with(void **state)
{
    struct room *room = open_room(2, 4, 5);
    struct compared_entry best;

    (void)state;
    begin_chapter(room);
    assert_comparison(room, 0);
    assert_int_equal(comparison_next(room->comparison, COMPARED_ELIGIBLE, &best), 0);
    assert_int_equal(comparison_next(room->comparison, COMPARED_INELIGIBLE, &best), 0);
    change(room, &room->subjects[0]);
    columns_remove(room->columns, room->subjects[0].entry);
    room->subjects[0].is_in = false;
    assert_comparison(room, 1);
    close_room(room);
}

/* Of the entries that are left, the same as those from a place on. */
static void assert_rest(struct room *room, enum compared which, const uint32_t *entries, size_t n)
{
    struct compared_entry next;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(comparison_next(room->comparison, which, &next), 1);
        assert_int_equal(next.entry, entries[i]);
    }
    assert_int_equal(comparison_next(room->comparison, which, &next), 0);
}

static size_t read_entries(struct room *room, enum compared which, size_t most, uint32_t *ret)
{
    struct compared_entry next;
    size_t n = 0;

    for (; n < most && comparison_next(room->comparison, which, &next) == 1; n++)
        ret[n] = next.entry;
    return n;
}

static void test_one_order_begins_again_and_the_other_goes_on(void **state)
{
    enum { ENTRIES = 200 };
    struct room *room = open_room(ENTRIES, 5, 7);
    uint32_t entries[COMPARED_COUNT][ENTRIES];
    size_t n[COMPARED_COUNT];
    uint64_t machines[SIMILARITY_VERDICTS];

    (void)state;
    for (size_t i = 0; i < room->n_subjects; i++)
        change(room, &room->subjects[i]);
    for (unsigned i = 0; i < 200; i++) {
        enum compared which = i % 2 == 0 ? COMPARED_ELIGIBLE : COMPARED_INELIGIBLE, other = 1 - which;
        size_t read;

        begin_chapter(room);
        assert_int_equal(comparison_run(room->comparison, room->columns, room->rules, &room->failed[0]), 0);
        for (enum similarity_verdict v = 0; v < SIMILARITY_VERDICTS; v++)
            machines[v] = comparison_machines(room->comparison, v);
        for (size_t k = 0; k < COMPARED_COUNT; k++)
            n[k] = read_entries(room, (enum compared)k, ENTRIES, entries[k]);
        assert_int_equal(comparison_run(room->comparison, room->columns, room->rules, &room->failed[0]), 0);
        read = read_entries(room, other, below(room, n[other] + 1), entries[other]);
        (void)read_entries(room, which, below(room, n[which] + 1), entries[which]);
        assert_int_equal(comparison_rewind(room->comparison, which), 0);
        for (enum similarity_verdict v = 0; v < SIMILARITY_VERDICTS; v++)
            assert_int_equal(comparison_machines(room->comparison, v), machines[v]);
        assert_rest(room, which, entries[which], n[which]);
        assert_rest(room, other, &entries[other][read], n[other] - read);
    }
    close_room(room);
}

static void test_a_comparison_does_not_outlive_a_change(void **state)
{
    struct room *room = open_room(2, 4, 6);
    struct compared_entry best;

    (void)state;
    change(room, &room->subjects[0]);
    assert_int_equal(comparison_run(room->comparison, room->columns, room->rules, &room->subjects[0].spec), 0);
    change(room, &room->subjects[1]);
    assert_int_equal(comparison_next(room->comparison, COMPARED_ELIGIBLE, &best), -ESTALE);
    assert_int_equal(comparison_run(room->comparison, room->columns, room->rules, &room->subjects[0].spec), 0);
    draw_rules(room);
    assert_int_equal(comparison_next(room->comparison, COMPARED_INELIGIBLE, &best), -ESTALE);
    assert_int_equal(comparison_rewind(room->comparison, COMPARED_INELIGIBLE), -ESTALE);
    close_room(room);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_100000_random_changes),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_many_blocks),
        cmocka_unit_test(test_every_kernel),
        cmocka_unit_test(test_nothing_to_compare_with),
        cmocka_unit_test(test_one_order_begins_again_and_the_other_goes_on),
        cmocka_unit_test(test_a_comparison_does_not_outlive_a_change),
    };

    return cmocka_run_group_tests_name("comparison", tests, NULL, NULL);
}
