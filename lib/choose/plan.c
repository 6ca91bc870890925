/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pass ranks the standbys for one protected machine after the other and keeps a few of each ranking.
 * Then, in order of value, each takes the first of its few that is still free; where all of them are
 * taken, its standbys are ranked once more without those that are.
 */
#include "choose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/conflict.h"
#include "choose/select.h"

/* So many of each ranking are kept: the first of them may be taken by more important machines. */
#define CHOICES 4

struct choice {
    struct machine_ref ref;
    uint32_t worth;
};

/* One protected machine, and the candidates that it could have. */
struct row {
    struct machine_ref failed;
    int priority;
    struct choice choices[CHOICES];
    size_t n_choices;
};

struct plan {
    struct row *rows; /* of the pass under way */
    size_t n_rows, next_row;
    size_t pairs;
    bool is_under_way;
    struct plan_entry *draft; /* not NULL: all are ranked, and take their turns */
    size_t n_drafted;
    struct plan_entry *entries; /* of the last complete one */
    size_t n_entries;
    size_t cost;
};

int plan_new(struct plan **ret)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret != NULL ? 0 : -ENOMEM;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->rows);
    free(plan->draft);
    free(plan->entries);
    free(plan);
}

void plan_begin(struct plan *plan)
{
    free(plan->rows);
    free(plan->draft);
    plan->rows = NULL;
    plan->draft = NULL;
    plan->n_drafted = 0;
    plan->n_rows = plan->next_row = 0;
    plan->pairs = 0;
    plan->is_under_way = false;
}

size_t plan_cost(const struct plan *plan)
{
    return plan->cost;
}

size_t plan_count(const struct plan *plan)
{
    return plan->n_entries;
}

const struct plan_entry *plan_at(const struct plan *plan, size_t index)
{
    return &plan->entries[index];
}

/* The machine is in service, and is no standby at the moment. */
static bool is_served(const struct machine *machine)
{
    return machine->is_present && (machine->roles & ROLE_PROTECTED) != 0 && machine->claimed_by == NULL &&
           machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

static int begin_rows(struct plan *plan, const struct pool *pool)
{
    plan->rows = calloc(pool_count(pool) + 1, sizeof(*plan->rows));
    if (plan->rows == NULL)
        return -ENOMEM;
    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        if (is_served(machine))
            plan->rows[plan->n_rows++] = (struct row){.failed = machine_ref_of(machine), .priority = machine->priority};
    plan->is_under_way = true;
    return 0;
}

/* All machines that could be a replacement. */
struct standbys {
    struct candidate *candidates;
    const struct spec **specs;
    struct similarity_score *scores;
    size_t count;
};

static void standbys_done(struct standbys *standbys)
{
    free(standbys->candidates);
    free(standbys->specs);
    free(standbys->scores);
}

static int gather(const struct pool *pool, struct standbys *standbys)
{
    size_t size = pool_count(pool) + 1;

    standbys->candidates = calloc(size, sizeof(*standbys->candidates));
    standbys->specs = calloc(size, sizeof(*standbys->specs));
    standbys->scores = calloc(size, sizeof(*standbys->scores));
    if (standbys->candidates == NULL || standbys->specs == NULL || standbys->scores == NULL)
        return -ENOMEM;
    for (struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        struct candidate *candidate = &standbys->candidates[standbys->count];

        if (!machine->is_present || (machine->roles & ROLE_STANDBY) == 0 ||
            (machine->state == MACHINE_RUNNING && machine->keeping != KEEPING_WARMING))
            continue;
        *candidate = (struct candidate){.machine = machine, .warmth = machine_warmth(machine)};
        candidate->free_memory_kib = select_free_memory(pool, machine->hypervisor, &candidate->knows_memory);
        standbys->specs[standbys->count++] = &machine->spec;
    }
    return 0;
}

/* As a recovery ranks; but what a host has to spare changes with every course, and must not make the plan waver. */
static int compare(const struct plan_view *view, const struct candidate *a, const struct candidate *b)
{
    bool a_is_kept = a->machine->keeping != KEEPING_NONE, b_is_kept = b->machine->keeping != KEEPING_NONE;

    if (similarity_compare(view->rules, &a->score, &b->score) == 0 && a->warmth == b->warmth && a_is_kept != b_is_kept)
        return a_is_kept ? -1 : 1;
    return select_compare(view->rules, a, b);
}

/* Keeps the best few in order. */
static void offer(const struct plan_view *view, const struct candidate *best[CHOICES], size_t *n,
                  const struct candidate *candidate)
{
    size_t place = *n;

    while (place > 0 && compare(view, candidate, best[place - 1]) < 0)
        place--;
    if (place == CHOICES)
        return;
    if (*n < CHOICES)
        (*n)++;
    memmove(&best[place + 1], &best[place], (*n - 1 - place) * sizeof(struct candidate *));
    best[place] = candidate;
}

static bool is_taken(const struct machine *machine)
{
    return machine->planned_for.uuid[0] != '\0';
}

static void rank(const struct plan_view *view, struct standbys *standbys, struct row *row, bool only_free)
{
    const struct machine *failed = pool_find(view->pool, row->failed.hypervisor, row->failed.uuid);
    struct select_request request = {
        .pool = view->pool, .rules = view->rules, .failed = failed, .now_us = view->now_us};
    const struct candidate *best[CHOICES] = {NULL};
    size_t n = 0;

    row->n_choices = 0;
    if (failed == NULL)
        return;
    similarity_score_pool(view->rules, &failed->spec, standbys->specs, standbys->count, standbys->scores);
    for (size_t i = 0; i < standbys->count; i++) {
        struct candidate *candidate = &standbys->candidates[i];

        candidate->score = standbys->scores[i];
        if (candidate->score.verdict == SIMILARITY_ELIGIBLE && candidate->machine != failed &&
            !(only_free && is_taken(candidate->machine)) && select_judge(&request, candidate) == CANDIDATE_ELIGIBLE)
            offer(view, best, &n, candidate);
    }
    for (size_t i = 0; i < n; i++)
        row->choices[i] =
            (struct choice){machine_ref_of(best[i]->machine), similarity_worth(view->rules, &best[i]->score)};
    row->n_choices = n;
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    uint32_t worth_a = a->n_choices > 0 ? a->choices[0].worth : 0, worth_b = b->n_choices > 0 ? b->choices[0].worth : 0;

    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (worth_a != worth_b)
        return worth_a > worth_b ? -1 : 1;
    return memcmp(&a->failed, &b->failed, sizeof(a->failed));
}

static int compare_entries(const void *left, const void *right)
{
    const struct plan_entry *a = left, *b = right;

    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (a->worth != b->worth)
        return a->worth > b->worth ? -1 : 1;
    return memcmp(&a->failed, &b->failed, sizeof(a->failed));
}

/* A standby that the machine itself keeps from starting is its replacement all the same: then, it will be off. */
static bool is_blocked(const struct plan_view *view, const struct row *row, struct machine *machine)
{
    struct candidate candidate = {.machine = machine, .verdict = CANDIDATE_ELIGIBLE};
    const struct machine *failed = pool_find(view->pool, row->failed.hypervisor, row->failed.uuid);

    return conflict_find_but_kept(view->pool, failed, &candidate, 1) < 0 || candidate.verdict != CANDIDATE_ELIGIBLE;
}

/* Looking for conflicts takes all machines: it is worth it for those that may be kept warm only. */
#define CONFLICTS_MAX 64

/* False: all that it could have are taken. */
static bool take(struct plan *plan, const struct plan_view *view, const struct row *row)
{
    for (size_t i = 0; i < row->n_choices; i++) {
        const struct choice *choice = &row->choices[i];
        struct machine *machine = pool_find(view->pool, choice->ref.hypervisor, choice->ref.uuid);

        if (machine == NULL || is_taken(machine) || (plan->n_drafted < CONFLICTS_MAX && is_blocked(view, row, machine)))
            continue;
        machine->planned_for = row->failed;
        plan->draft[plan->n_drafted++] = (struct plan_entry){
            .failed = row->failed, .candidate = choice->ref, .priority = row->priority, .worth = choice->worth};
        return true;
    }
    return false;
}

/* All are ranked: in order of value they take their turns. */
static int begin_taking(struct plan *plan, const struct plan_view *view)
{
    plan->draft = calloc(plan->n_rows + 1, sizeof(*plan->draft));
    if (plan->draft == NULL)
        return -ENOMEM;
    plan->next_row = 0;
    for (struct machine *machine = pool_next(view->pool, NULL); machine != NULL;
         machine = pool_next(view->pool, machine))
        machine->planned_for = (struct machine_ref){0};
    qsort(plan->rows, plan->n_rows, sizeof(*plan->rows), compare_rows);
    return 0;
}

static int complete(struct plan *plan)
{
    free(plan->entries);
    plan->entries = plan->draft;
    plan->n_entries = plan->n_drafted;
    plan->cost = plan->pairs;
    plan->draft = NULL;
    qsort(plan->entries, plan->n_entries, sizeof(*plan->entries), compare_entries);
    plan_begin(plan);
    return 1;
}

/* Ranks one, or lets it take its turn. Returns the pairs that this took. */
static size_t advance(struct plan *plan, const struct plan_view *view, struct standbys *standbys)
{
    struct row *row = &plan->rows[plan->next_row++];

    if (plan->draft == NULL) {
        rank(view, standbys, row, false);
        return standbys->count + 1;
    }
    if (take(plan, view, row) || row->n_choices < CHOICES)
        return 1;
    rank(view, standbys, row, true);
    take(plan, view, row);
    return standbys->count + 1;
}

int plan_work(struct plan *plan, const struct plan_view *view, size_t pairs)
{
    _cleanup_(standbys_done) struct standbys standbys = {0};
    size_t compared = 0;
    int r = gather(view->pool, &standbys);

    if (r == 0 && !plan->is_under_way)
        r = begin_rows(plan, view->pool);
    while (r == 0 && (compared == 0 || compared + standbys.count <= pairs)) {
        if (plan->next_row < plan->n_rows)
            compared += advance(plan, view, &standbys);
        else if (plan->draft == NULL)
            r = begin_taking(plan, view);
        else
            break;
    }
    plan->pairs += compared;
    if (r == 0 && plan->draft != NULL && plan->next_row == plan->n_rows)
        r = complete(plan);
    if (r < 0)
        plan_begin(plan);
    return r;
}
