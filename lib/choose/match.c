/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An assignment problem, solved exactly by shortest augmenting paths with dual prices (Kuhn 1955, Munkres 1957; in
 * the form of Jonker and Volgenant 1987, without their initialisation). Knows numbers only.
 *
 * The three wishes are one number for each pair, so that the greatest sum is the answer:
 *
 *     value = (importance · CLASS_STEP + worth) · PLACE_STEP - place
 *
 * importance counts the less important failed machines, and one. A step exceeds any sum of what stands below it, so a
 * lesser wish never outweighs a greater one. That several of a low class cannot outweigh one of a higher is no matter
 * of size: the sets of failed machines that can be served together are a matroid (transversal, Edmonds and Fulkerson
 * 1965), and there the heaviest set under any weights is also the one that a choice from the highest class down makes.
 *
 * Of each failed machine only its best n_failed candidates matter: the others take at most n_failed - 1 of them, so
 * one at least as good as any further one is always free.
 */
#include "choose/match.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define WORTH_MAX  (UINT32_C(1) << 20)
#define CLASS_STEP (INT64_C(1) << 26) /* over MATCH_MAX worths */
#define PLACE_STEP (INT64_C(1) << 16) /* over MATCH_MAX places, each below ASSIGN_MAX² */

/* The pairs of one failed machine that matter, by their place in the input, the best first. */
struct shortlist {
    size_t count;
    size_t pairs[MATCH_MAX];
};

/* Rows are failed machines, columns candidates, at least as many. A value of 0: not a pair. */
struct table {
    size_t n_rows;
    size_t n_columns;
    int64_t *values;
    size_t *owner; /* of each column: the row it is given to, or MATCH_NONE */
    int64_t row_price[MATCH_MAX];
    int64_t *column_price; /* row_price + column_price ≥ value, equal where column is given to row */
    /* The search from one row. */
    int64_t *slack;   /* of each column: what the best way to it loses */
    size_t *previous; /* the column before it on that way, or MATCH_NONE */
    bool *is_reached;
};

static void table_done(struct table *table)
{
    free(table->values);
    free(table->owner);
    free(table->column_price);
    free(table->slack);
    free(table->previous);
    free(table->is_reached);
}

static int table_init(struct table *table, size_t n_rows, size_t n_columns)
{
    *table = (struct table){
        .n_rows = n_rows,
        .n_columns = n_columns,
        .values = calloc(n_rows * n_columns, sizeof(*table->values)),
        .owner = calloc(n_columns, sizeof(*table->owner)),
        .column_price = calloc(n_columns, sizeof(*table->column_price)),
        .slack = calloc(n_columns, sizeof(*table->slack)),
        .previous = calloc(n_columns, sizeof(*table->previous)),
        .is_reached = calloc(n_columns, sizeof(*table->is_reached)),
    };
    if (table->values == NULL || table->owner == NULL || table->column_price == NULL || table->slack == NULL ||
        table->previous == NULL || table->is_reached == NULL)
        return -ENOMEM;
    for (size_t column = 0; column < n_columns; column++)
        table->owner[column] = MATCH_NONE;
    return 0;
}

/* Goes on from a row that came by way of a column: returns the nearest column not reached yet. */
static size_t look_from(struct table *table, size_t row, size_t via)
{
    const int64_t *values = table->values + row * table->n_columns;
    size_t nearest = MATCH_NONE;

    for (size_t column = 0; column < table->n_columns; column++) {
        int64_t loss = table->row_price[row] + table->column_price[column] - values[column];

        if (table->is_reached[column])
            continue;
        if (loss < table->slack[column]) {
            table->slack[column] = loss;
            table->previous[column] = via;
        }
        if (nearest == MATCH_NONE || table->slack[column] < table->slack[nearest])
            nearest = column;
    }
    return nearest;
}

/* Lowers the prices along the search until the nearest column is one of equality. */
static void adjust_prices(struct table *table, size_t start, int64_t by)
{
    table->row_price[start] -= by;
    for (size_t column = 0; column < table->n_columns; column++) {
        if (table->is_reached[column]) {
            table->row_price[table->owner[column]] -= by;
            table->column_price[column] += by;
        } else {
            table->slack[column] -= by;
        }
    }
}

/* Gives row a column along the cheapest way: columns on it are handed on, until one that is free. */
static void place_row(struct table *table, size_t start)
{
    size_t column = MATCH_NONE, row = start;

    for (size_t i = 0; i < table->n_columns; i++) {
        table->slack[i] = INT64_MAX;
        table->is_reached[i] = false;
    }
    do {
        column = look_from(table, row, column);
        adjust_prices(table, start, table->slack[column]);
        table->is_reached[column] = true;
        row = table->owner[column];
    } while (row != MATCH_NONE);

    while (column != MATCH_NONE) {
        size_t previous = table->previous[column];

        table->owner[column] = previous == MATCH_NONE ? start : table->owner[previous];
        column = previous;
    }
}

static void remove_at(struct shortlist *list, size_t place)
{
    list->count--;
    memmove(&list->pairs[place], &list->pairs[place + 1], (list->count - place) * sizeof(list->pairs[0]));
}

/* Keeps the limit best, of each candidate one. Pairs come in the order of the input, so an equal one loses. */
static void shortlist_offer(struct shortlist *list, size_t limit, const struct match_pair *pairs, size_t offered)
{
    size_t place;

    for (size_t i = 0; i < list->count; i++) {
        if (pairs[list->pairs[i]].candidate != pairs[offered].candidate)
            continue;
        if (pairs[list->pairs[i]].worth >= pairs[offered].worth)
            return;
        remove_at(list, i);
        break;
    }
    for (place = list->count; place > 0; place--)
        if (pairs[list->pairs[place - 1]].worth >= pairs[offered].worth)
            break;
    if (place == limit)
        return;
    if (list->count == limit)
        list->count--;
    memmove(&list->pairs[place + 1], &list->pairs[place], (list->count - place) * sizeof(list->pairs[0]));
    list->pairs[place] = offered;
    list->count++;
}

static int compare_places(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;

    return (left > right) - (left < right);
}

/* All shortlists as one, in the order of the input; at most ASSIGN_MAX² long. */
static size_t merge(const struct shortlist *lists, size_t n_lists, size_t *ret_merged)
{
    size_t count = 0;

    for (size_t i = 0; i < n_lists; i++) {
        memcpy(ret_merged + count, lists[i].pairs, lists[i].count * sizeof(*ret_merged));
        count += lists[i].count;
    }
    qsort(ret_merged, count, sizeof(*ret_merged), compare_places);
    return count;
}

/* Candidates that are in a pair become columns, numbered as they first occur. */
static size_t number_columns(const struct match_pair *pairs, const size_t *merged, size_t count, size_t n_candidates,
                             size_t *ret_column_of)
{
    size_t n_columns = 0;

    for (size_t i = 0; i < n_candidates; i++)
        ret_column_of[i] = MATCH_NONE;
    for (size_t i = 0; i < count; i++)
        if (ret_column_of[pairs[merged[i]].candidate] == MATCH_NONE)
            ret_column_of[pairs[merged[i]].candidate] = n_columns++;
    return n_columns;
}

static int64_t importance(const int *priorities, size_t n_failed, size_t failed)
{
    int64_t lesser = 0;

    for (size_t i = 0; i < n_failed; i++)
        lesser += priorities[i] < priorities[failed];
    return lesser + 1;
}

static bool is_valid(size_t n_failed, size_t n_candidates, const struct match_pair *pairs, size_t n_pairs)
{
    if (n_failed > MATCH_MAX)
        return false;
    for (size_t i = 0; i < n_pairs; i++)
        if (pairs[i].failed >= n_failed || pairs[i].candidate >= n_candidates || pairs[i].worth > WORTH_MAX)
            return false;
    return true;
}

/* pairs[merged[0 … count-1]] are all that matter. */
static int solve(const int *priorities, size_t n_failed, size_t n_candidates, const struct match_pair *pairs,
                 const size_t *merged, size_t count, size_t *ret_candidate)
{
    _cleanup_(freep) size_t *column_of = calloc(n_candidates, sizeof(*column_of));
    _cleanup_(table_done) struct table table = {0};
    size_t n_columns;
    int r;

    if (column_of == NULL)
        return -ENOMEM;
    n_columns = number_columns(pairs, merged, count, n_candidates, column_of);
    r = table_init(&table, n_failed, n_columns > n_failed ? n_columns : n_failed);
    if (r < 0)
        return r;
    for (size_t place = 0; place < count; place++) {
        const struct match_pair *pair = &pairs[merged[place]];
        int64_t wishes = importance(priorities, n_failed, pair->failed) * CLASS_STEP + (int64_t)pair->worth;

        table.values[pair->failed * table.n_columns + column_of[pair->candidate]] =
            wishes * PLACE_STEP - (int64_t)place;
    }
    for (size_t row = 0; row < n_failed; row++)
        place_row(&table, row);

    for (size_t row = 0; row < n_failed; row++)
        ret_candidate[row] = MATCH_NONE;
    for (size_t candidate = 0; candidate < n_candidates; candidate++) {
        size_t column = column_of[candidate];
        size_t row = column == MATCH_NONE ? MATCH_NONE : table.owner[column];

        if (row != MATCH_NONE && table.values[row * table.n_columns + column] > 0)
            ret_candidate[row] = candidate;
    }
    return 0;
}

int match_pairs(const int *priorities, size_t n_failed, size_t n_candidates, const struct match_pair *pairs,
                size_t n_pairs, size_t *ret_candidate)
{
    struct shortlist lists[MATCH_MAX] = {0};
    size_t merged[MATCH_MAX * MATCH_MAX], count;

    if (!is_valid(n_failed, n_candidates, pairs, n_pairs))
        return -EINVAL;
    for (size_t i = 0; i < n_pairs; i++)
        shortlist_offer(&lists[pairs[i].failed], n_failed, pairs, i);
    count = merge(lists, n_failed, merged);
    if (n_failed == 0 || count == 0) {
        for (size_t i = 0; i < n_failed; i++)
            ret_candidate[i] = MATCH_NONE;
        return 0;
    }
    return solve(priorities, n_failed, n_candidates, pairs, merged, count, ret_candidate);
}
