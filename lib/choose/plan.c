/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A row keeps the first few of its order. A machine that leaves is taken out of the rows that have it; a machine that
 * comes is put into those where it is better than the last; a row that has too few left is chosen anew:
 *
 *     pool ─▶ touched machines ─▶ rows ─▶ rows to be chosen anew ─▶ rows with one candidate ─▶ spared
 *                    ▲                                                                            │
 *                    └──────────── whose place among equals is another by that ◀──────────────────┘
 *
 * Which candidates a row has does not depend on their order, so who is spared is settled after one turn.
 */
#include "choose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/kept_out.h"
#include "choose/rows.h"
#include "choose/walk.h"

/* A comparison of two specifications one by one takes so much longer than one of many in the columns. */
#define PAIR_COST 40
/* And a choice, however few there are, takes as long as so many comparisons in the columns. */
#define CHOICE_COST 500

struct plan {
    struct pool *pool;
    struct chooser *chooser;
    struct rows rows;
    struct number_set touched, touched_as_candidates, withdrawn; /* machines */
    size_t room;         /* machines below this number may be in them, and in rows */
    bool has_lost_touch; /* one that was touched could not be noted for want of memory */
    bool check_memory;
    uint64_t sibling_changes; /* of the pool, as of the last look */
    int64_t now_us;
};

/* ---- touched machines ---- */

static int reserve(struct plan *plan, uint32_t number)
{
    size_t room;

    if (number < plan->room)
        return 0;
    if (rows_reserve(&plan->rows, number) < 0)
        return -ENOMEM;
    room = plan->rows.room;
    if (number_set_reserve(&plan->touched, room) < 0 || number_set_reserve(&plan->touched_as_candidates, room) < 0 ||
        number_set_reserve(&plan->withdrawn, room) < 0)
        return -ENOMEM;
    plan->room = room;
    return 0;
}

static void touch(struct plan *plan, const struct machine *machine, bool as_candidate)
{
    if (reserve(plan, machine->number) < 0) {
        plan->has_lost_touch = true;
        return;
    }
    number_set_add(&plan->touched, machine->number);
    if (as_candidate)
        number_set_add(&plan->touched_as_candidates, machine->number);
}

/* Among equals, its place is another. */
static void turn(void *context, uint32_t number)
{
    struct plan *plan = context;
    const struct machine *machine = pool_at(plan->pool, number);

    if (machine != NULL)
        touch(plan, machine, true);
}

/* ---- served machines ---- */

bool plan_has_replacements(const struct plan *plan, const struct machine *machine)
{
    return pool_policy(plan->pool, machine)->config->recovery.order != ORDER_ORIGINAL_ONLY;
}

bool plan_is_served(const struct plan *plan, const struct machine *machine)
{
    return plan_has_replacements(plan, machine) && machine->is_present && machine_is_protected(machine) &&
           machine->diverted == NULL && machine_rare(machine)->claimed_by == NULL && machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

static int settle_service(struct plan *plan, const struct machine *machine)
{
    bool is_served = plan_is_served(plan, machine);

    if (!is_served || !rows_is_right(&plan->rows, machine))
        rows_leave(&plan->rows, machine);
    rows_touch_row_of(&plan->rows, machine); /* what it keeps out may be something else */
    return is_served && rows_row_of(&plan->rows, machine) == NUMBER_NONE ? rows_enter(&plan->rows, machine) : 0;
}

/* ---- candidates ---- */

/* Of any served machine of a row: none of them is the failed one yet. */
static struct choice_request row_request(const struct plan *plan, const struct row *row, const struct spec *need)
{
    struct choice_request request = {
        .pool = plan->pool,
        .need = need,
        .host = row->host,
        .given_kib = row->given_kib,
        .spared = &plan->rows.spared,
        .now_us = plan->now_us,
        .check_memory = plan->check_memory,
        .kept_may_be_given_back = true,
    };

    request_set_policy(&request, pool_policy_at(plan->pool, row->policy), true);
    return request;
}

static struct candidate scored(const struct choice_request *request, const struct machine *machine)
{
    return (struct candidate){
        .machine = machine,
        .score = similarity_score(request_rules(request), request->need, machine->spec),
    };
}

static const struct machine *machine_in(const struct plan *plan, const struct slot *slot)
{
    return pool_at(plan->pool, slot->machine);
}

/* In a row with more than it holds, the place of one that is worse than all of them is not known. */
static void offer(struct plan *plan, uint32_t number, const struct choice_request *request,
                  const struct candidate *candidate)
{
    struct row *row = &plan->rows.rows[number];
    size_t at = row->n_slots;

    while (at > 0) {
        struct candidate other = scored(request, machine_in(plan, &row->slots[at - 1]));

        if (walk_compare(request, candidate, &other) > 0)
            break;
        at--;
    }
    if (at == row->n_slots && (row->has_more || at == ROW_SLOTS))
        row->has_more = true;
    else
        rows_insert(&plan->rows, number, at, candidate->machine);
}

static bool is_any_known(const struct rows *rows, uint32_t need)
{
    uint32_t row = rows->needs[need].rows;

    while (row != NUMBER_NONE && rows_is_unknown(rows, row))
        row = rows->rows[row].next;
    return row != NUMBER_NONE;
}

/* With the memory that is there already. */
static struct candidate judge_for_need(const struct choice_request *row, const struct machine *machine,
                                       enum candidate_verdict *ret_verdict)
{
    struct choice_request request = *row;
    struct candidate candidate = scored(&request, machine);

    request.given_kib = 0;
    *ret_verdict = candidate.score.verdict == SIMILARITY_ELIGIBLE ? choose_judge(&request, machine).verdict
                                                                  : CANDIDATE_NOT_SIMILAR;
    return candidate;
}

static void offer_to_need(struct plan *plan, uint32_t need, const struct machine *machine)
{
    const struct rows *rows = &plan->rows;
    struct spec spec = columns_spec(rows->specs, need);
    uint16_t policy = 0;
    struct candidate candidate = {.machine = NULL};
    enum candidate_verdict verdict = CANDIDATE_NOT_SIMILAR;

    for (uint32_t row = rows->needs[need].rows; row != NUMBER_NONE; row = rows->rows[row].next) {
        struct choice_request request = row_request(plan, &rows->rows[row], &spec);

        /* The same for all rows of one policy, but for the memory. */
        if (candidate.machine == NULL || rows->rows[row].policy != policy)
            candidate = judge_for_need(&request, machine, &verdict);
        policy = rows->rows[row].policy;
        if (rows_is_unknown(rows, row) || (verdict != CANDIDATE_ELIGIBLE && verdict != CANDIDATE_NO_MEMORY))
            continue;
        if (verdict == CANDIDATE_ELIGIBLE || choose_judge(&request, machine).verdict == CANDIDATE_ELIGIBLE)
            offer(plan, row, &request, &candidate);
    }
}

/* Served machines that share something with it, and keep it alone from being a candidate. */
static void touch_rows_of_sharers(struct plan *plan, const struct machine *machine)
{
    for (struct use own = {0}; use_next(machine, &own);)
        for (struct use use = {0}; pool_sharer_next(plan->pool, &own, USERS_OWNING, &use);)
            rows_touch_row_of(&plan->rows, use.machine);
}

/* The replacement that serves the service of this machine may have it as a candidate. */
static void touch_row_of_replacement(struct plan *plan, const struct machine *original)
{
    const struct machine_ref *ref = original->diverted != NULL ? &original->diverted->replacement : NULL;
    const struct machine *machine = ref != NULL ? pool_find(plan->pool, ref->hypervisor, ref->uuid) : NULL;

    if (machine != NULL)
        rows_touch_row_of(&plan->rows, machine);
}

static void offer_to_all(struct plan *plan, const struct machine *machine)
{
    for (uint32_t need = 0; (need = rows_next_need(&plan->rows, need)) != NUMBER_NONE; need++)
        if (is_any_known(&plan->rows, need))
            offer_to_need(plan, need, machine);
}

/* So many have changed that to choose for all rows anew takes less. */
static bool is_much(const struct plan *plan)
{
    size_t one_by_one = plan->withdrawn.count * plan->rows.n_needs * PAIR_COST;
    size_t anew = plan->rows.n_rows * (columns_count(pool_columns(plan->pool, POOL_STANDING_BY)) + CHOICE_COST);

    return plan->withdrawn.count > ROW_SLOTS && one_by_one > anew;
}

/* It stands in no row until it is offered: others are compared only with those that are in their places. */
static void withdraw(struct plan *plan, const struct machine *machine)
{
    rows_withdraw(&plan->rows, machine);
    touch_rows_of_sharers(plan, machine);
    touch_row_of_replacement(plan, machine);
    number_set_add(&plan->withdrawn, machine->number);
}

static void offer_withdrawn(struct plan *plan)
{
    bool is_all_unknown = is_much(plan);

    if (is_all_unknown)
        rows_doubt_all(&plan->rows);
    for (uint32_t number = 0; (number = number_set_next(&plan->withdrawn, number)) != NUMBER_NONE; number++) {
        const struct machine *machine = pool_at(plan->pool, number);

        number_set_remove(&plan->withdrawn, number);
        if (!is_all_unknown && pool_is_standing_by(machine))
            offer_to_all(plan, machine);
    }
}

static int settle_machine(struct plan *plan, const struct machine *machine)
{
    int r = settle_service(plan, machine);

    if (r < 0)
        return r;
    number_set_remove(&plan->touched, machine->number);
    if (number_set_has(&plan->touched_as_candidates, machine->number)) {
        number_set_remove(&plan->touched_as_candidates, machine->number);
        withdraw(plan, machine);
    }
    return 0;
}

static int settle_touched(struct plan *plan)
{
    int r = 0;

    while (r == 0 && plan->touched.count > 0)
        for (uint32_t number = 0; r == 0 && (number = number_set_next(&plan->touched, number)) != NUMBER_NONE; number++)
            r = settle_machine(plan, pool_at(plan->pool, number));
    if (r == 0)
        offer_withdrawn(plan);
    return r;
}

/* Those whose touch was lost are among all. */
static int touch_all(struct plan *plan)
{
    plan->has_lost_touch = false;
    for (const struct machine *machine = pool_next(plan->pool, NULL); machine != NULL;
         machine = pool_next(plan->pool, machine))
        touch(plan, machine, true);
    return plan->has_lost_touch ? -ENOMEM : 0;
}

/* ---- rows that are chosen anew ---- */

static int choose_row(struct plan *plan, uint32_t row)
{
    struct spec need = columns_spec(plan->rows.specs, plan->rows.rows[row].need);
    struct choice_request request = row_request(plan, &plan->rows.rows[row], &need);
    struct candidate candidates[ROW_SLOTS + 1];
    size_t n = 0;
    int r = choose_begin(plan->chooser, &request);

    while (r == 0 && n < ELEMENTS_OF(candidates) && (r = choose_next_eligible(plan->chooser, &candidates[n])) > 0) {
        n++;
        r = 0;
    }
    if (r < 0)
        return r;
    rows_fill(&plan->rows, row, candidates, n);
    return 0;
}

/* One that the served machine alone keeps from being a candidate would be one when that fails. */
static bool has_kept_out(const struct plan *plan, const struct machine *served)
{
    struct choice_request request = plan_request(plan, served);
    struct kept_out search = {.own = NULL};

    return kept_out_next(&request, &search).machine != NULL;
}

/* The candidate that is the only one of some machine of this row. */
static const struct machine *only_candidate(const struct plan *plan, const struct row *row)
{
    const struct rows *rows = &plan->rows;

    if (row->n_slots != 1 || row->has_more)
        return NULL;
    for (uint32_t number = row->served; number != NUMBER_NONE; number = rows->machines[number].next)
        if (!has_kept_out(plan, pool_at(plan->pool, number)))
            return machine_in(plan, &row->slots[0]);
    return NULL;
}

static bool is_apart(const void *context, const struct row *row)
{
    const struct plan *plan = context;

    return pool_policy_at(plan->pool, row->policy)->config->policy.apart > 0;
}

/* Where siblings run is otherwise now. */
static void doubt_apart(struct plan *plan)
{
    uint64_t changes = pool_sibling_changes(plan->pool);

    if (changes != plan->sibling_changes)
        rows_doubt_where(&plan->rows, is_apart, plan);
    plan->sibling_changes = changes;
}

/* 1: all are known; 0: the comparisons are used up. */
static int settle_rows(struct plan *plan, size_t *comparisons)
{
    size_t cost = columns_count(pool_columns(plan->pool, POOL_STANDING_BY)) + CHOICE_COST;

    for (uint32_t row = 0; (row = number_set_next(&plan->rows.unknown, row)) != NUMBER_NONE; row++) {
        int r = *comparisons > 0 ? choose_row(plan, row) : 0;

        if (r < 0 || *comparisons == 0)
            return r;
        *comparisons -= *comparisons < cost ? *comparisons : cost;
    }
    return 1;
}

static int settle_spared(struct plan *plan)
{
    for (uint32_t row = 0; (row = number_set_next(&plan->rows.touched, row)) != NUMBER_NONE; row++)
        if (rows_spare(&plan->rows, row, only_candidate(plan, &plan->rows.rows[row])) < 0)
            return -ENOMEM;
    return 1;
}

int plan_settle(struct plan *plan, int64_t now_us, size_t comparisons)
{
    int r;

    plan->now_us = now_us;
    do {
        r = pool_settle(plan->pool, now_us);
        if (r < 0 || plan->rows.specs == NULL)
            return r;
        if (plan->has_lost_touch)
            r = touch_all(plan);
        if (r == 0)
            r = settle_touched(plan);
        if (r == 0) {
            doubt_apart(plan);
            r = settle_rows(plan, &comparisons);
        }
        if (r > 0)
            r = settle_spared(plan);
    } while (r > 0 && plan->touched.count > 0);
    return r;
}

/* ---- answers ---- */

struct choice_request plan_request(const struct plan *plan, const struct machine *served)
{
    struct choice_request request = {
        .pool = plan->pool,
        .need = machine_need(served),
        .failed = served,
        .host = pool_host_of(served),
        .given_kib = domain_description_host_memory_kib(served->description),
        .spared = &plan->rows.spared,
        .now_us = plan->now_us,
        .check_memory = plan->check_memory,
        .kept_may_be_given_back = true,
    };

    request_set_policy(&request, pool_policy(plan->pool, served), true);
    return request;
}

static void enter(const struct choice_request *request, const struct candidate *candidate, struct plan_answer *answer)
{
    if (candidate->machine == answer->best.machine)
        return; /* it shares several things with the served machine */
    if (answer->best.machine == NULL || walk_compare(request, candidate, &answer->best) < 0) {
        answer->second = answer->best;
        answer->best = *candidate;
    } else if (answer->second.machine == NULL || walk_compare(request, candidate, &answer->second) < 0) {
        answer->second = *candidate;
    }
}

int plan_find(struct plan *plan, const struct machine *served, struct plan_answer *ret)
{
    struct choice_request request = plan_request(plan, served);
    uint32_t number = rows_row_of(&plan->rows, served);
    struct kept_out search = {.own = NULL};
    struct candidate candidate;
    const struct row *row;
    int r;

    if (number == NUMBER_NONE)
        return -ENOENT;
    r = rows_is_unknown(&plan->rows, number) ? choose_row(plan, number) : 0;
    if (r < 0)
        return r;
    row = &plan->rows.rows[number];
    *ret = (struct plan_answer){.best = {.machine = NULL}};
    for (size_t i = 0; i < row->n_slots && i < ROW_TOLD; i++) {
        candidate = scored(&request, machine_in(plan, &row->slots[i]));
        enter(&request, &candidate, ret);
    }
    while ((candidate = kept_out_next(&request, &search)).machine != NULL)
        enter(&request, &candidate, ret);
    return 0;
}

static bool is_more_important(const struct machine *a, const struct machine *b)
{
    int order;

    if (b == NULL || machine_priority(a) != machine_priority(b))
        return b == NULL || machine_priority(a) > machine_priority(b);
    order = strcmp(a->name, b->name);
    if (order == 0)
        order = strcmp(a->hypervisor, b->hypervisor);
    return order != 0 ? order < 0 : memcmp(a->description->uuid, b->description->uuid, UUID_SIZE) < 0;
}

/* Of one served machine. */
static size_t count_if_best(struct plan *plan, const struct machine *served, const struct machine *candidate,
                            const struct machine **first)
{
    struct plan_answer answer;

    if (plan_find(plan, served, &answer) < 0 || answer.best.machine != candidate)
        return 0;
    if (is_more_important(served, *first))
        *first = served;
    return 1;
}

/* One that is kept out is a candidate of that machine alone, however many things the two share. */
static size_t count_if_kept_out(struct plan *plan, const struct machine *candidate, const struct machine **first)
{
    size_t count = 0;

    for (struct use own = {0}; count == 0 && use_next(candidate, &own);)
        for (struct use use = {0}; count == 0 && pool_sharer_next(plan->pool, &own, USERS_OWNING, &use);)
            count = count_if_best(plan, use.machine, candidate, first);
    return count;
}

size_t plan_count_served_by(struct plan *plan, const struct machine *candidate, const struct machine **ret_first)
{
    const struct rows *rows = &plan->rows;
    uint32_t first = rows_slots(rows, candidate);
    size_t count = 0;

    *ret_first = NULL;
    for (uint32_t slot = first; slot != NUMBER_NONE; slot = rows_slot(rows, slot)->next) {
        if (slot % ROW_SLOTS != 0)
            continue; /* not the best */
        for (uint32_t number = rows->rows[slot / ROW_SLOTS].served; number != NUMBER_NONE;
             number = rows->machines[number].next)
            count += count_if_best(plan, pool_at(plan->pool, number), candidate, ret_first);
    }
    return first == NUMBER_NONE ? count_if_kept_out(plan, candidate, ret_first) : count;
}

const struct spared *plan_spared(const struct plan *plan)
{
    return &plan->rows.spared;
}

size_t plan_rows(const struct plan *plan)
{
    return plan->rows.n_rows;
}

/* ---- the plan as a whole ---- */

static void observe(void *context, const struct machine *machine, enum pool_change change)
{
    struct plan *plan = context;

    if (change != POOL_CHANGED_LEAVES) {
        touch(plan, machine, change == POOL_CHANGED_CANDIDATE);
        return;
    }
    rows_withdraw(&plan->rows, machine);
    rows_leave(&plan->rows, machine);
    number_set_remove(&plan->touched, machine->number);
    number_set_remove(&plan->touched_as_candidates, machine->number);
    number_set_remove(&plan->withdrawn, machine->number);
}

int plan_new(struct pool *pool, struct plan **ret)
{
    _cleanup_(plan_freep) struct plan *plan = calloc(1, sizeof(*plan));

    if (plan == NULL)
        return -ENOMEM;
    plan->pool = pool;
    if (chooser_new(&plan->chooser) < 0)
        return -ENOMEM;
    plan->rows = ROWS_EMPTY;
    plan->rows.turned = turn;
    plan->rows.context = plan;
    pool_observe(pool, observe, plan);
    *ret = steal_pointer(&plan);
    return 0;
}

int plan_configure(struct plan *plan, bool check_memory)
{
    const struct similarity_rules *rules = pool_rules(plan->pool);

    plan->check_memory = check_memory;
    if (plan->rows.specs == NULL)
        return columns_new(rules, &plan->rows.specs);
    columns_set_rules(plan->rows.specs, rules);
    rows_doubt_all(&plan->rows);
    return 0;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->pool != NULL)
        pool_observe(plan->pool, NULL, NULL);
    chooser_free(plan->chooser);
    rows_done(&plan->rows);
    number_set_done(&plan->touched);
    number_set_done(&plan->touched_as_candidates);
    number_set_done(&plan->withdrawn);
    free(plan);
}
