/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A heap of machines whose turn may come next. It holds the first of each cohort that is equally good; when one has had
 * its turn, the next of its cohort takes its place. So a walk that ends early has looked at few.
 */
#include "choose/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

void walk_begin(struct walk *walk, const struct choice_request *request, enum pool_set set,
                struct comparison *comparison, enum compared which, size_t most)
{
    walk->request = request;
    walk->set = set;
    walk->comparison = comparison;
    walk->which = which;
    walk->most = most;
    walk->on_siblings = walk->has_next = walk->is_over = false;
    walk->n_scored = walk->n_steps = 0;
}

void walk_done(struct walk *walk)
{
    free(walk->scored);
    free(walk->steps);
    *walk = (struct walk){0};
}

/* ---- the order of equally alike machines ---- */

/* What machines of one host and warmth are ordered by, whatever the machine. */
static uint32_t rank_of(const struct choice_request *request, const struct pool_host *host, enum warmth warmth,
                        uint32_t is_spared)
{
    uint32_t is_same_host = host == request->host;

    return ((uint32_t)WARMTH_COUNT - warmth) << 24 | is_spared << 16 | is_same_host << 8 |
           (64 - pool_host_memory_class(host));
}

static uint32_t rank_of_machine(const struct choice_request *request, const struct machine *machine)
{
    return rank_of(request, pool_host_of(machine), machine_warmth(machine),
                   spared_has(request->spared, machine->number));
}

static int compare_namesakes(const struct machine *a, const struct machine *b)
{
    int order = strcmp(a->hypervisor, b->hypervisor);

    return order != 0 ? order : memcmp(a->description->uuid, b->description->uuid, UUID_SIZE);
}

static int compare_names(const struct machine *a, const struct machine *b)
{
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : compare_namesakes(a, b);
}

bool walk_is_on_sibling(const struct choice_request *request, const struct pool_host *host)
{
    return request->has_sibling != NULL && request->has_sibling(request, host);
}

int walk_compare(const struct choice_request *request, const struct candidate *a, const struct candidate *b)
{
    bool a_is_on_sibling = walk_is_on_sibling(request, pool_host_of(a->machine));
    bool b_is_on_sibling = walk_is_on_sibling(request, pool_host_of(b->machine));
    uint32_t a_rank, b_rank;
    int order;

    if (a_is_on_sibling != b_is_on_sibling)
        return a_is_on_sibling ? 1 : -1;
    order = similarity_compare(request_rules(request), &a->score, &b->score);
    if (order != 0)
        return order;
    a_rank = rank_of_machine(request, a->machine);
    b_rank = rank_of_machine(request, b->machine);
    if (a_rank != b_rank)
        return a_rank < b_rank ? -1 : 1;
    return compare_names(a->machine, b->machine);
}

bool walk_is_equal(const struct choice_request *request, const struct candidate *a, const struct candidate *b)
{
    uint32_t memory = UINT8_MAX;

    return walk_is_on_sibling(request, pool_host_of(a->machine)) ==
               walk_is_on_sibling(request, pool_host_of(b->machine)) &&
           similarity_compare(request_rules(request), &a->score, &b->score) == 0 &&
           (rank_of_machine(request, a->machine) | memory) == (rank_of_machine(request, b->machine) | memory);
}

static bool is_first(const void *context, const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    int order;

    (void)context;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    order = strcmp(a->name, b->name);
    return order != 0 ? order < 0 : compare_namesakes(a->machine, b->machine) < 0;
}

static const struct heap_order step_heap = {sizeof(struct step), is_first, NULL};

/* ---- steps ---- */

static int add(struct walk *walk, const struct step *step)
{
    if (walk->n_steps == walk->step_room) {
        size_t room = 2 * walk->step_room + 64;
        struct step *steps = reallocarray(walk->steps, room, sizeof(*steps));

        if (steps == NULL)
            return -ENOMEM;
        walk->steps = steps;
        walk->step_room = room;
    }
    walk->steps[walk->n_steps++] = *step;
    return 0;
}

static void set_machine(struct step *step, const struct machine *machine)
{
    step->machine = machine;
    step->name = machine->name;
}

/* Takes the first step out; the next of its cohort, whose rank is the same, comes in its place. */
static void go_on(struct walk *walk)
{
    struct step *step = &walk->steps[0];

    if (step->is_alone || ++step->at >= step->cohort->count) {
        heap_pop(&step_heap, walk->steps, walk->n_steps--);
        return;
    }
    set_machine(step, cohort_at(step->cohort, step->at));
    cohort_fetch(step->cohort, step->at + 2);
    heap_replace(&step_heap, walk->steps, walk->n_steps);
}

/* A spared one comes once more, with the rank that it has. */
static int come_again(struct walk *walk, struct step step)
{
    int r;

    step.rank = rank_of(walk->request, cohort_host(step.cohort), step.cohort->warmth, true);
    step.is_alone = true;
    r = add(walk, &step);
    if (r == 0)
        heap_push(&step_heap, walk->steps, walk->n_steps);
    return r;
}

/* The first of each, as if none of a cohort were spared: none of it may come sooner. */
static int add_cohorts(struct walk *walk, uint32_t scored)
{
    const struct cohort *first = pool_cohorts(walk->request->pool, walk->set, walk->scored[scored].entry);
    int r = 0;

    for (const struct cohort *cohort = first; cohort != NULL; cohort = cohort->next)
        cohort_fetch(cohort, 0);
    for (const struct cohort *cohort = first; r == 0 && cohort != NULL; cohort = cohort->next) {
        const struct pool_host *host = cohort_host(cohort);
        struct step step = {
            .rank = rank_of(walk->request, host, cohort->warmth, false),
            .scored = scored,
            .cohort = cohort,
        };

        if (walk_is_on_sibling(walk->request, host) != walk->on_siblings)
            continue;
        cohort_fetch(cohort, 1);
        set_machine(&step, cohort_at(cohort, 0));
        r = add(walk, &step);
    }
    return r;
}

/* ---- runs of equally good specifications ---- */

static int add_scored(struct walk *walk, const struct compared_entry *entry)
{
    if (walk->n_scored == walk->scored_room) {
        size_t room = 2 * walk->scored_room + 16;
        struct compared_entry *scored = reallocarray(walk->scored, room, sizeof(*scored));

        if (scored == NULL)
            return -ENOMEM;
        walk->scored = scored;
        walk->scored_room = room;
    }
    walk->scored[walk->n_scored] = *entry;
    return add_cohorts(walk, (uint32_t)walk->n_scored++);
}

/* With siblings to keep apart from, what is on their hosts is gone through after all else. */
static int begin_siblings(struct walk *walk)
{
    walk->is_over = walk->on_siblings || walk->request->has_sibling == NULL;
    walk->on_siblings = true;
    if (walk->is_over)
        return 0;
    return comparison_rewind(walk->comparison, walk->which);
}

static int look_ahead(struct walk *walk)
{
    int r = comparison_next(walk->comparison, walk->which, &walk->next);

    walk->has_next = r > 0;
    return r < 0 ? r : 0;
}

static int begin_run(struct walk *walk)
{
    const struct similarity_rules *rules = request_rules(walk->request);
    int r = walk->has_next ? 0 : look_ahead(walk);

    walk->n_scored = 0;
    if (r == 0 && !walk->has_next)
        return begin_siblings(walk);
    do {
        if (r == 0)
            r = add_scored(walk, &walk->next);
        if (r == 0)
            r = look_ahead(walk);
    } while (r == 0 && walk->has_next && walk->n_scored < walk->most &&
             similarity_compare(rules, &walk->scored[0].score, &walk->next.score) == 0);
    heap_make(&step_heap, walk->steps, walk->n_steps);
    return r;
}

int walk_next(struct walk *walk, struct candidate *ret)
{
    for (;;) {
        struct step step;
        int r = 0;

        while (r == 0 && walk->n_steps == 0 && !walk->is_over)
            r = begin_run(walk);
        if (r < 0 || walk->n_steps == 0)
            return r;
        step = walk->steps[0];
        go_on(walk);
        if (step.machine == walk->request->failed)
            continue;
        if (!step.is_alone && spared_has(walk->request->spared, step.machine->number)) {
            r = come_again(walk, step);
            if (r < 0)
                return r;
            continue;
        }
        *ret = (struct candidate){.machine = step.machine, .score = walk->scored[step.scored].score};
        return 1;
    }
}
