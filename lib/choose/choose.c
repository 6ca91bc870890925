/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates judged one after the other, as a walk brings them. */
#include "choose/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/walk.h"

/* Of the ineligible, so many equally near specifications are ordered; what shares nothing with the failed one is all the
 * same. */
#define NEAREST_MOST 4096

struct chooser {
    const struct choice_request *request;
    struct comparison *comparisons[POOL_SET_COUNT];
    struct walk walks[POOL_SET_COUNT][COMPARED_COUNT];
};

int chooser_new(struct chooser **ret)
{
    _cleanup_(chooser_freep) struct chooser *chooser = calloc(1, sizeof(*chooser));

    if (chooser == NULL)
        return -ENOMEM;
    for (enum pool_set set = 0; set < POOL_SET_COUNT; set++)
        if (comparison_new(&chooser->comparisons[set]) < 0)
            return -ENOMEM;
    *ret = steal_pointer(&chooser);
    return 0;
}

void chooser_free(struct chooser *chooser)
{
    if (chooser == NULL)
        return;
    for (enum pool_set set = 0; set < POOL_SET_COUNT; set++) {
        comparison_free(chooser->comparisons[set]);
        for (enum compared which = 0; which < COMPARED_COUNT; which++)
            walk_done(&chooser->walks[set][which]);
    }
    free(chooser);
}

/* ---- judging ---- */

static bool was_tried(const struct choice_request *request, const struct machine *machine)
{
    for (size_t i = 0; i < request->n_tried; i++)
        if (machine_is_ref(machine, &request->tried[i]))
            return true;
    return false;
}

uint64_t choose_spare_kib(const struct choice_request *request, const struct machine *machine, bool *ret_is_known)
{
    const struct pool_host *host = pool_host_of(machine);

    return pool_host_spare_kib(host, ret_is_known) + (host == request->host ? request->given_kib : 0);
}

/* One that is booted already, or is just being, has its memory. */
bool choose_lacks_memory(const struct choice_request *request, const struct machine *machine)
{
    bool is_known, has_it = machine_warmth(machine) >= WARMTH_PAUSED || machine->keeping == KEEPING_WARMING;

    return request->check_memory && !has_it &&
           choose_spare_kib(request, machine, &is_known) < domain_description_host_memory_kib(machine->description) &&
           is_known;
}

/*
 * It runs, and is being migrated to where this one is coming in, or came up since it was last heard of, and that it left is not
 * told yet: the two are one, and have in use what that has.
 */
static bool is_itself(const struct machine *machine, const struct machine *other)
{
    bool has_arrived = other->state == MACHINE_RUNNING && other->event_sequence > machine->event_sequence;

    return (machine_is_incoming(other) || has_arrived) && (machine->state == MACHINE_RUNNING || machine->has_come_up) &&
           uuid_equal(machine->description->uuid, other->description->uuid);
}

static bool is_in_the_way(const struct choice_request *request, const struct machine *machine, const struct use *use)
{
    return machine_is_up(use->machine) && !is_itself(machine, use->machine) &&
           (use->machine != request->failed || request->failed_stays_up) &&
           !(request->kept_may_be_given_back && use->machine->keeping != KEEPING_NONE);
}

/* Another machine that is up has it. */
static bool find_owner(const struct choice_request *request, const struct machine *machine, const struct use *own,
                       struct use *ret)
{
    *ret = (struct use){0};
    while (pool_sharer_next(request->pool, own, USERS_OWNING, ret))
        if (is_in_the_way(request, machine, ret))
            return true;
    return false;
}

/* Below a disk of another machine, and be it off or the failed one: what is written there would destroy that. */
static bool find_overlay(const struct pool *pool, const struct use *own, struct use *ret)
{
    *ret = (struct use){0};
    return pool_sharer_next(pool, own, USERS_BACKING, ret);
}

bool choose_find_conflict(const struct choice_request *request, struct candidate *candidate)
{
    const struct pool *pool = request->pool;

    for (struct use own = {0}, use; use_next(candidate->machine, &own);) {
        if (!find_owner(request, candidate->machine, &own, &use) &&
            (use_is_backing(&own) || !find_overlay(pool, &own, &use)))
            continue;
        candidate->conflict = own;
        candidate->conflict_with = use.machine;
        candidate->is_below = use_is_backing(&use);
        return true;
    }
    return false;
}

bool choose_conflict_between(const struct machine *a, const struct machine *b)
{
    for (struct use of_a = {0}; use_next(a, &of_a);)
        for (struct use of_b = {0}; use_next(b, &of_b);)
            if (use_is_of_same(&of_a, &of_b) && !(use_is_backing(&of_a) && use_is_backing(&of_b)))
                return true;
    return false;
}

static enum candidate_verdict verdict_of_standing(enum standing standing)
{
    switch (standing) {
    case STANDING_NOT_STANDBY:
        return CANDIDATE_NOT_STANDBY;
    case STANDING_HELD:
        return CANDIDATE_HELD;
    case STANDING_UNREACHABLE:
        return CANDIDATE_UNREACHABLE;
    case STANDING_ELSEWISE:
    case STANDING_COUNT: /* not present, or ignored */
        return CANDIDATE_NOT_STANDING_BY;
    case STANDING_FAILED:
        return CANDIDATE_FAILED_ITSELF;
    case STANDING_CLAIMED:
        return CANDIDATE_CLAIMED;
    case STANDING_OPERATORS:
        return CANDIDATE_UNDER_OPERATOR;
    case STANDING_NOT_MAKEABLE:
        return CANDIDATE_NOT_MAKEABLE;
    case STANDING_QUARANTINED:
        return CANDIDATE_QUARANTINED;
    case STANDING_BY:
    default:
        return CANDIDATE_ELIGIBLE;
    }
}

/* Another machine serves its service: it may take that back from the machine that failed, and do nothing else. */
static bool is_diverted(const struct choice_request *request, const struct machine *machine)
{
    return machine->diverted != NULL && (request->failed == NULL || request->failed->serves != machine->diverted);
}

static bool was_just_stopped(const struct choice_request *request, const struct machine *machine)
{
    return request->rest_us > 0 && machine_rare(machine)->stopped_us > 0 &&
           request->now_us - machine_rare(machine)->stopped_us < request->rest_us;
}

/* The score is there. */
static void judge(const struct choice_request *request, struct candidate *candidate)
{
    candidate->verdict = verdict_of_standing(pool_standing(candidate->machine));
    if (candidate->verdict != CANDIDATE_ELIGIBLE)
        return;
    if (candidate->score.verdict != SIMILARITY_ELIGIBLE)
        candidate->verdict = CANDIDATE_NOT_SIMILAR;
    else if (!request_allows_host(request, candidate->machine))
        candidate->verdict = CANDIDATE_WRONG_HOST;
    else if (is_diverted(request, candidate->machine))
        candidate->verdict = CANDIDATE_DIVERTED;
    else if (was_just_stopped(request, candidate->machine))
        candidate->verdict = CANDIDATE_JUST_STOPPED;
    else if (was_tried(request, candidate->machine))
        candidate->verdict = CANDIDATE_TRIED;
    else if (choose_lacks_memory(request, candidate->machine))
        candidate->verdict = CANDIDATE_NO_MEMORY;
    else if (choose_find_conflict(request, candidate))
        candidate->verdict = CANDIDATE_IN_USE;
}

struct candidate choose_judge(const struct choice_request *request, const struct machine *machine)
{
    struct candidate candidate = {
        .machine = machine,
        .score = similarity_score(request_rules(request), request->need, machine->spec),
    };

    judge(request, &candidate);
    return candidate;
}

/* What it would use is the only question. */
static void judge_use(const struct choice_request *request, struct candidate *candidate)
{
    if (choose_lacks_memory(request, candidate->machine))
        candidate->verdict = CANDIDATE_NO_MEMORY;
    else if (choose_find_conflict(request, candidate))
        candidate->verdict = CANDIDATE_IN_USE;
}

struct candidate choose_judge_original(const struct choice_request *request)
{
    struct candidate candidate = {.machine = request->failed};

    if (!request->failed->is_present)
        candidate.verdict = CANDIDATE_NOT_STANDING_BY; /* its domain is gone */
    else
        judge_use(request, &candidate);
    return candidate;
}

struct candidate choose_judge_named(const struct choice_request *request, const struct machine *machine)
{
    struct candidate candidate = {
        .machine = machine,
        .score = similarity_score(request_rules(request), request->need, machine->spec),
    };
    struct machine_rare rare = *machine_rare(machine);
    struct machine forgiven = *machine;

    forgiven.roles = ROLE_STANDBY;
    forgiven.failed_unrecovered = false;
    rare.quarantined_until_us = 0;
    forgiven.rare = &rare;
    candidate.verdict = machine->is_present ? verdict_of_standing(machine_standing(&forgiven, request->now_us))
                                            : CANDIDATE_NOT_STANDING_BY;
    if (candidate.verdict == CANDIDATE_ELIGIBLE && is_diverted(request, machine))
        candidate.verdict = CANDIDATE_DIVERTED;
    if (candidate.verdict == CANDIDATE_ELIGIBLE)
        judge_use(request, &candidate);
    return candidate;
}

/* ---- one by one ---- */

static int begin(struct chooser *chooser, const struct choice_request *request, enum pool_set set, size_t nearest)
{
    int r = comparison_run(chooser->comparisons[set], pool_columns(request->pool, set), request_rules(request),
                           request->need);

    for (enum compared which = 0; which < COMPARED_COUNT; which++)
        walk_begin(&chooser->walks[set][which], request, set, chooser->comparisons[set], which,
                   which == COMPARED_INELIGIBLE ? nearest : SIZE_MAX);
    return r;
}

int choose_begin(struct chooser *chooser, const struct choice_request *request)
{
    chooser->request = request;
    return begin(chooser, request, POOL_STANDING_BY, NEAREST_MOST);
}

static int next_of(struct chooser *chooser, enum pool_set set, enum compared which, struct candidate *ret)
{
    int r = walk_next(&chooser->walks[set][which], ret);

    if (r > 0)
        judge(chooser->request, ret);
    return r;
}

int choose_next(struct chooser *chooser, struct candidate *ret)
{
    return next_of(chooser, POOL_STANDING_BY, COMPARED_ELIGIBLE, ret);
}

int choose_next_eligible(struct chooser *chooser, struct candidate *ret)
{
    int r;

    do
        r = choose_next(chooser, ret);
    while (r > 0 && ret->verdict != CANDIDATE_ELIGIBLE);
    return r;
}

int choose_is_out_of_reach(struct chooser *chooser, const struct choice_request *request,
                           bool (*is_given_up)(const void *context, const char *hypervisor), const void *context)
{
    struct candidate candidate;
    int r;

    if (pool_standing_count(request->pool, STANDING_UNREACHABLE) == 0)
        return 0;
    chooser->request = request;
    r = begin(chooser, request, POOL_OTHERS, NEAREST_MOST);
    while (r == 0 && (r = next_of(chooser, POOL_OTHERS, COMPARED_ELIGIBLE, &candidate)) > 0) {
        if (candidate.verdict == CANDIDATE_UNREACHABLE && request_allows_host(request, candidate.machine) &&
            !is_given_up(context, candidate.machine->hypervisor))
            return 1;
        r = 0;
    }
    return r;
}

/* ---- a whole choice ---- */

void choice_done(struct choice *choice)
{
    free(choice->eligible);
    free(choice->ineligible);
    *choice = (struct choice){0};
}

/* Most lists are that long. */
#define LIST_FIRST 32

static int append(struct candidate **list, size_t *count, const struct candidate *candidate)
{
    /* Room grows with each power of two. */
    if (*count == 0 || (*count >= LIST_FIRST && (*count & (*count - 1)) == 0)) {
        struct candidate *grown = reallocarray(*list, *count > 0 ? 2 * *count : LIST_FIRST, sizeof(*grown));

        if (grown == NULL)
            return -ENOMEM;
        *list = grown;
    }
    (*list)[(*count)++] = *candidate;
    return 0;
}

/* Of those that are similar enough: the eligible, and the first of the others. */
static int look(struct chooser *chooser, struct choice_extent extent, struct choice *choice, size_t *ret_looks)
{
    struct candidate candidate;
    int r = 0;

    while (r == 0 && (choice->n_eligible < extent.eligible || *ret_looks < extent.looks)) {
        r = choose_next(chooser, &candidate);
        if (r <= 0)
            return r;
        r = 0;
        ++*ret_looks;
        choice->counts[candidate.verdict]++;
        if (candidate.verdict == CANDIDATE_ELIGIBLE && choice->n_eligible < extent.eligible)
            r = append(&choice->eligible, &choice->n_eligible, &candidate);
        if (candidate.verdict != CANDIDATE_ELIGIBLE && choice->n_ineligible < extent.ineligible)
            r = append(&choice->ineligible, &choice->n_ineligible, &candidate);
    }
    return r;
}

/* Where the ineligible come from, each in order. */
enum source {
    SOURCE_REFUSED, /* similar enough, and judged already */
    SOURCE_NOT_SIMILAR,
    SOURCE_OTHERS_SIMILAR,
    SOURCE_OTHERS,
    SOURCE_COUNT,
};

struct sources {
    struct candidate next[SOURCE_COUNT];
    bool has_next[SOURCE_COUNT];
    const struct candidate *refused;
    size_t n_refused;
};

static int advance(struct chooser *chooser, struct sources *sources, enum source source)
{
    struct candidate *next = &sources->next[source];
    int r = 0;

    switch (source) {
    case SOURCE_REFUSED:
        r = sources->n_refused > 0;
        if (r > 0) {
            *next = *sources->refused++;
            sources->n_refused--;
        }
        break;
    case SOURCE_NOT_SIMILAR:
        r = next_of(chooser, POOL_STANDING_BY, COMPARED_INELIGIBLE, next);
        break;
    case SOURCE_OTHERS_SIMILAR:
        r = next_of(chooser, POOL_OTHERS, COMPARED_ELIGIBLE, next);
        break;
    case SOURCE_OTHERS:
    case SOURCE_COUNT:
    default:
        r = next_of(chooser, POOL_OTHERS, COMPARED_INELIGIBLE, next);
        break;
    }
    sources->has_next[source] = r > 0;
    return r < 0 ? r : 0;
}

static enum source nearest_of(const struct chooser *chooser, const struct sources *sources)
{
    enum source nearest = SOURCE_COUNT;

    for (enum source source = 0; source < SOURCE_COUNT; source++)
        if (sources->has_next[source] &&
            (nearest == SOURCE_COUNT ||
             walk_compare(chooser->request, &sources->next[source], &sources->next[nearest]) < 0))
            nearest = source;
    return nearest;
}

/* Merges those that were refused with the others. */
static int list_ineligible(struct chooser *chooser, size_t most, struct choice *choice)
{
    _cleanup_(freep) struct candidate *refused = choice->ineligible;
    struct sources sources = {.refused = refused, .n_refused = choice->n_ineligible};
    enum source source;
    int r = begin(chooser, chooser->request, POOL_OTHERS, most < NEAREST_MOST ? NEAREST_MOST : SIZE_MAX);

    choice->ineligible = NULL;
    choice->n_ineligible = 0;
    if (most >= NEAREST_MOST)
        chooser->walks[POOL_STANDING_BY][COMPARED_INELIGIBLE].most = SIZE_MAX;
    for (source = 0; r == 0 && source < SOURCE_COUNT; source++)
        r = advance(chooser, &sources, source);
    while (r == 0 && choice->n_ineligible < most && (source = nearest_of(chooser, &sources)) != SOURCE_COUNT) {
        r = append(&choice->ineligible, &choice->n_ineligible, &sources.next[source]);
        if (r == 0)
            r = advance(chooser, &sources, source);
    }
    return r;
}

/* Those that were not looked at one by one. */
static void count_others(const struct chooser *chooser, size_t looks, struct choice *choice)
{
    const struct choice_request *request = chooser->request;
    const struct comparison *comparison = chooser->comparisons[POOL_STANDING_BY];
    enum standing of_failed = request->failed != NULL ? pool_standing(request->failed) : STANDING_COUNT;
    size_t n_similar = comparison_machines(comparison, SIMILARITY_ELIGIBLE), n_standing = 0;

    for (enum standing standing = 0; standing < STANDING_COUNT; standing++) {
        size_t count = pool_standing_count(request->pool, standing) - (standing == of_failed);

        if (standing == STANDING_BY)
            n_standing = count;
        else
            choice->counts[verdict_of_standing(standing)] += count;
    }
    if (of_failed == STANDING_BY &&
        similarity_score(request_rules(request), request->need, request->failed->spec).verdict == SIMILARITY_ELIGIBLE)
        n_similar--;
    choice->counts[CANDIDATE_NOT_SIMILAR] = n_standing - n_similar;
    choice->n_unjudged = n_similar - looks;
}

int choose(struct chooser *chooser, const struct choice_request *request, struct choice_extent extent,
           struct choice *ret)
{
    _cleanup_(choice_done) struct choice choice = {0};
    size_t looks = 0;
    int r = choose_begin(chooser, request);

    if (r == 0)
        r = look(chooser, extent, &choice, &looks);
    if (r < 0)
        return r;
    count_others(chooser, looks, &choice);
    if (extent.ineligible > 0)
        r = list_ineligible(chooser, extent.ineligible, &choice);
    if (r < 0)
        return r;
    *ret = choice;
    choice = (struct choice){0};
    return 0;
}
