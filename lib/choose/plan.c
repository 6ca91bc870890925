/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A row keeps the first few of its order. A machine that leaves is taken out of the rows that have it; a machine that
 * comes is put into those where it is better than the last; a row that has too few left is chosen anew:
 *
 *     pool ─▶ touched machines ─▶ rows ─▶ rows to be chosen anew ─▶ needs with one candidate ─▶ spared
 *                    ▲                                                                            │
 *                    └──────────── whose place among equals is another by that ◀──────────────────┘
 *
 * Which candidates a row has does not depend on their order, so who is spared is settled after one turn.
 */
#include "choose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "choose/kept_out.h"
#include "choose/rows.h"
#include "choose/walk.h"

/* A comparison of two specifications one by one takes so much longer than one of many in the columns. */
#define PAIR_COST 40
/* And a choice, however few there are, takes as long as so many comparisons in the columns. */
#define CHOICE_COST 500

/* What is known of a machine, by its number. */
struct known {
    const struct machine *machine; /* NULL: it left, or was never seen */
    struct service *service;
    bool is_touched, is_candidate_touched, is_to_be_offered;
    uint32_t next_touched, next_offered;
};

struct plan {
    struct pool *pool;
    struct chooser *chooser;
    struct rows rows;
    struct known *known;
    size_t room;
    uint32_t touched, offered; /* the last; NO_NUMBER: none */
    size_t n_offered;
    bool has_lost_touch; /* one that was touched could not be noted for want of memory */
    bool check_memory;
    int64_t now_us;
};

/* ---- touched machines ---- */

static struct known *known_of(const struct plan *plan, const struct machine *machine)
{
    return machine->number < plan->room ? &plan->known[machine->number] : NULL;
}

static int reserve(struct plan *plan, uint32_t number)
{
    size_t room = (size_t)number + number / 2 + 64;
    struct known *known;

    if (number < plan->room)
        return 0;
    if (rows_reserve(&plan->rows, number) < 0)
        return -ENOMEM;
    known = reallocarray(plan->known, room, sizeof(*known));
    if (known == NULL)
        return -ENOMEM;
    memset(&known[plan->room], 0, (room - plan->room) * sizeof(*known));
    plan->known = known;
    plan->room = room;
    return 0;
}

static void touch(struct plan *plan, const struct machine *machine, bool as_candidate)
{
    struct known *known;

    if (reserve(plan, machine->number) < 0) {
        plan->has_lost_touch = true;
        return;
    }
    known = known_of(plan, machine);
    known->machine = machine;
    if (!known->is_touched) {
        known->is_touched = true;
        known->next_touched = plan->touched;
        plan->touched = machine->number;
    }
    known->is_candidate_touched |= as_candidate;
}

/* Among equals, its place is another. */
static void turn(void *context, uint32_t machine)
{
    struct plan *plan = context;

    if (plan->known[machine].machine != NULL)
        touch(plan, plan->known[machine].machine, true);
}

/* ---- served machines ---- */

bool plan_is_served(const struct machine *machine)
{
    return machine->is_present && machine_is_protected(machine) && machine->diverted == NULL &&
           machine->claimed_by == NULL && machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

static void remove_service(struct plan *plan, struct known *known)
{
    if (known->service != NULL)
        rows_leave(&plan->rows, known->service);
    free(known->service);
    known->service = NULL;
}

static int add_service(struct plan *plan, struct known *known)
{
    _cleanup_(freep) struct service *service = calloc(1, sizeof(*service));
    int r;

    if (service == NULL)
        return -ENOMEM;
    service->machine = known->machine;
    r = rows_enter(&plan->rows, service);
    if (r == 0)
        known->service = steal_pointer(&service);
    return r;
}

static int settle_service(struct plan *plan, struct known *known)
{
    bool is_served = plan_is_served(known->machine);

    if (known->service != NULL && (!is_served || !rows_is_right(&plan->rows, known->service)))
        remove_service(plan, known);
    if (known->service != NULL)
        rows_touch(&plan->rows, known->service->row->need); /* what it keeps out may be something else */
    return is_served && known->service == NULL ? add_service(plan, known) : 0;
}

/* ---- candidates ---- */

/* Of any served machine of a row: none of them is the failed one yet. */
static struct choice_request row_request(const struct plan *plan, const struct row *row, const struct spec *need)
{
    return (struct choice_request){
        .pool = plan->pool,
        .need = need,
        .host = row->host,
        .spared = &plan->rows.spared,
        .now_us = plan->now_us,
        .check_memory = plan->check_memory,
        .kept_may_be_given_back = true,
    };
}

static struct candidate scored(const struct choice_request *request, const struct machine *machine)
{
    return (struct candidate){
        .machine = machine,
        .score = similarity_score(pool_rules(request->pool), request->need, &machine->spec),
    };
}

/* In a row with more than it holds, the place of one that is worse than all of them is not known. */
static void offer(struct plan *plan, struct row *row, const struct choice_request *request,
                  const struct candidate *candidate)
{
    size_t at = row->n_slots;

    while (at > 0) {
        struct candidate other = scored(request, row->slots[at - 1].machine);

        if (walk_compare(request, candidate, &other) > 0)
            break;
        at--;
    }
    if (at == row->n_slots && (row->has_more || at == ROW_SLOTS))
        row->has_more = true;
    else
        rows_insert(&plan->rows, row, at, candidate->machine);
}

static bool is_any_known(const struct need *need)
{
    const struct row *row = need->rows;

    while (row != NULL && row->is_unknown)
        row = row->next;
    return row != NULL;
}

static void offer_to_need(struct plan *plan, struct need *need, const struct machine *machine)
{
    struct spec spec = columns_spec(plan->rows.specs, need->entry);
    struct choice_request request = row_request(plan, need->rows, &spec);
    struct candidate candidate = scored(&request, machine);
    struct row *row;

    if (candidate.score.verdict != SIMILARITY_ELIGIBLE || choose_judge(&request, machine).verdict != CANDIDATE_ELIGIBLE)
        return;
    for (row = need->rows; row != NULL; row = row->next) {
        request.host = row->host;
        if (!row->is_unknown)
            offer(plan, row, &request, &candidate);
    }
}

/* Served machines that share something with it, and keep it alone from being a candidate. */
static void touch_needs_of_sharers(struct plan *plan, const struct machine *machine)
{
    for (const struct use *own = NULL; (own = pool_use_next(machine, own)) != NULL;)
        for (const struct use *use = usage_of(pool_usage(plan->pool), own)->up; use != NULL; use = use->next) {
            const struct known *known = known_of(plan, use->machine);

            if (known != NULL && known->service != NULL)
                rows_touch(&plan->rows, known->service->row->need);
        }
}

/* The replacement that serves the service of this machine may have it as a candidate. */
static void touch_need_of_replacement(struct plan *plan, const struct machine *original)
{
    const struct machine_ref *ref = original->diverted != NULL ? &original->diverted->replacement : NULL;
    const struct machine *machine = ref != NULL ? pool_find(plan->pool, ref->hypervisor, ref->uuid) : NULL;
    const struct known *known = machine != NULL ? known_of(plan, machine) : NULL;

    if (known != NULL && known->service != NULL)
        rows_touch(&plan->rows, known->service->row->need);
}

static void offer_to_all(struct plan *plan, const struct machine *machine)
{
    for (size_t i = 0; i < plan->rows.need_room; i++)
        if (plan->rows.needs[i] != NULL && is_any_known(plan->rows.needs[i]))
            offer_to_need(plan, plan->rows.needs[i], machine);
}

/* So many have changed that to choose for all rows anew takes less. */
static bool is_much(const struct plan *plan)
{
    size_t one_by_one = plan->n_offered * plan->rows.n_needs * PAIR_COST;
    size_t anew = plan->rows.n_rows * (columns_count(pool_columns(plan->pool, POOL_STANDING_BY)) + CHOICE_COST);

    return plan->n_offered > ROW_SLOTS && one_by_one > anew;
}

/* Takes it out of the list. */
static bool take_touched(struct plan *plan, struct known **ret)
{
    struct known *known = &plan->known[plan->touched];
    bool as_candidate = known->is_candidate_touched;

    plan->touched = known->next_touched;
    known->is_touched = known->is_candidate_touched = false;
    *ret = known;
    return as_candidate;
}

/* It stands in no row until it is offered: others are compared only with those that are in their places. */
static void withdraw(struct plan *plan, struct known *known)
{
    rows_withdraw(&plan->rows, known->machine);
    touch_needs_of_sharers(plan, known->machine);
    touch_need_of_replacement(plan, known->machine);
    if (known->is_to_be_offered)
        return;
    known->is_to_be_offered = true;
    known->next_offered = plan->offered;
    plan->offered = known->machine->number;
    plan->n_offered++;
}

static void offer_withdrawn(struct plan *plan)
{
    bool is_all_unknown = is_much(plan);

    if (is_all_unknown)
        rows_doubt_all(&plan->rows);
    while (plan->offered != NO_NUMBER) {
        struct known *known = &plan->known[plan->offered];

        plan->offered = known->next_offered;
        known->is_to_be_offered = false;
        if (!is_all_unknown && known->machine != NULL && pool_is_standing_by(known->machine))
            offer_to_all(plan, known->machine);
    }
    plan->n_offered = 0;
}

static int settle_touched(struct plan *plan)
{
    while (plan->touched != NO_NUMBER) {
        struct known *known;
        bool as_candidate = take_touched(plan, &known);

        if (known->machine == NULL)
            continue;
        if (settle_service(plan, known) < 0) {
            touch(plan, known->machine, as_candidate);
            return -ENOMEM;
        }
        if (as_candidate)
            withdraw(plan, known);
    }
    offer_withdrawn(plan);
    return 0;
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

static int choose_row(struct plan *plan, struct row *row)
{
    struct spec need = columns_spec(plan->rows.specs, row->need->entry);
    struct choice_request request = row_request(plan, row, &need);
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
static bool has_kept_out(const struct plan *plan, const struct service *service)
{
    struct choice_request request = plan_request(plan, service->machine);
    struct kept_out search = {.own = NULL};

    return kept_out_next(&request, &search).machine != NULL;
}

/* The candidate that is the only one of some machine of this need. */
static const struct machine *only_candidate(const struct plan *plan, const struct need *need)
{
    const struct row *row = need->rows;
    const struct service *service;

    if (row->n_slots != 1 || row->has_more)
        return NULL;
    for (row = need->rows; row != NULL; row = row->next) {
        for (service = row->services; service != NULL; service = service->next) {
            if (!has_kept_out(plan, service))
                return need->rows->slots[0].machine;
        }
    }
    return NULL;
}

/* 1: all are known; 0: the comparisons are used up. */
static int settle_rows(struct plan *plan, size_t *comparisons)
{
    size_t cost = columns_count(pool_columns(plan->pool, POOL_STANDING_BY)) + CHOICE_COST;

    while (plan->rows.unknown != NULL) {
        int r = *comparisons > 0 ? choose_row(plan, plan->rows.unknown) : 0;

        if (r < 0 || *comparisons == 0)
            return r;
        *comparisons -= *comparisons < cost ? *comparisons : cost;
    }
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
        if (r == 0)
            r = settle_rows(plan, &comparisons);
        for (struct need *need = plan->rows.touched, *next; r > 0 && need != NULL; need = next) {
            next = need->next_touched;
            if (rows_spare(&plan->rows, need, only_candidate(plan, need)) < 0)
                r = -ENOMEM;
        }
    } while (r > 0 && plan->touched != NO_NUMBER);
    return r;
}

/* ---- answers ---- */

struct choice_request plan_request(const struct plan *plan, const struct machine *served)
{
    return (struct choice_request){
        .pool = plan->pool,
        .need = machine_need(served),
        .failed = served,
        .host = pool_host_of(served),
        .spared = &plan->rows.spared,
        .now_us = plan->now_us,
        .check_memory = plan->check_memory,
        .kept_may_be_given_back = true,
    };
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
    const struct known *known = known_of(plan, served);
    struct kept_out search = {.own = NULL};
    struct candidate candidate;
    struct row *row;
    int r;

    if (known == NULL || known->service == NULL)
        return -ENOENT;
    row = known->service->row;
    r = row->is_unknown ? choose_row(plan, row) : 0;
    if (r < 0)
        return r;
    *ret = (struct plan_answer){.best = {.machine = NULL}};
    for (size_t i = 0; i < row->n_slots && i < ROW_TOLD; i++) {
        candidate = scored(&request, row->slots[i].machine);
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
    return order != 0 ? order < 0 : strcmp(a->uuid, b->uuid) < 0;
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

    for (const struct use *own = NULL; count == 0 && (own = pool_use_next(candidate, own)) != NULL;)
        for (const struct use *use = usage_of(pool_usage(plan->pool), own)->up; count == 0 && use != NULL;
             use = use->next)
            count = count_if_best(plan, use->machine, candidate, first);
    return count;
}

size_t plan_count_served_by(struct plan *plan, const struct machine *candidate, const struct machine **ret_first)
{
    const struct known *known = known_of(plan, candidate);
    const struct service *service;
    const struct slot *slot;
    size_t count = 0;

    *ret_first = NULL;
    if (known == NULL)
        return 0;
    for (slot = rows_slots(&plan->rows, candidate); slot != NULL; slot = slot->next) {
        if (slot != slot->row->slots)
            continue; /* not the best */
        for (service = slot->row->services; service != NULL; service = service->next) {
            count += count_if_best(plan, service->machine, candidate, ret_first);
        }
    }
    return rows_slots(&plan->rows, candidate) == NULL ? count_if_kept_out(plan, candidate, ret_first) : count;
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
    struct known *known;

    if (change != POOL_CHANGED_LEAVES) {
        touch(plan, machine, change == POOL_CHANGED_CANDIDATE);
        return;
    }
    known = known_of(plan, machine);
    if (known == NULL || known->machine == NULL)
        return;
    touch_needs_of_sharers(plan, machine);
    rows_withdraw(&plan->rows, machine);
    remove_service(plan, known);
    known->machine = NULL;
}

int plan_new(struct pool *pool, struct plan **ret)
{
    _cleanup_(plan_freep) struct plan *plan = calloc(1, sizeof(*plan));

    if (plan == NULL)
        return -ENOMEM;
    plan->pool = pool;
    plan->touched = plan->offered = NO_NUMBER;
    if (chooser_new(&plan->chooser) < 0)
        return -ENOMEM;
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
    for (size_t i = 0; i < plan->room; i++)
        if (plan->known[i].machine != NULL)
            remove_service(plan, &plan->known[i]);
    if (plan->pool != NULL)
        pool_observe(plan->pool, NULL, NULL);
    chooser_free(plan->chooser);
    rows_done(&plan->rows);
    free(plan->known);
    free(plan);
}
