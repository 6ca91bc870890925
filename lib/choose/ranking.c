/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scores are compared once, when a ranking is made; what is left of them is a rank. Within a rank the places follow
 * the last tie-breaks, so that only warmth and memory are left to be compared.
 */
#include "choose/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/conflict.h"

struct ranked {
    struct machine *machine;
    uint32_t rank;
    uint32_t worth;
};

struct ranking {
    uint64_t version; /* of the pool */
    const struct similarity_rules *rules;
    const struct machine *failed;
    size_t count;
    struct ranked entries[];
};

/* The machines that are similar enough, while a ranking is made. */
struct scored {
    struct candidate *candidates;
    size_t count, room;
};

static void scored_done(struct scored *scored)
{
    free(scored->candidates);
}

static int add_scored(struct scored *scored, const struct candidate *candidate)
{
    if (scored->count == scored->room) {
        size_t room = scored->room > 0 ? 2 * scored->room : 64;
        struct candidate *candidates = reallocarray(scored->candidates, room, sizeof(*candidates));

        if (candidates == NULL)
            return -ENOMEM;
        scored->candidates = candidates;
        scored->room = room;
    }
    scored->candidates[scored->count++] = *candidate;
    return 0;
}

static int score_standbys(const struct select_request *request, struct scored *scored)
{
    for (struct machine *machine = pool_next(request->pool, NULL); machine != NULL;
         machine = pool_next(request->pool, machine)) {
        struct candidate candidate = {.machine = machine};
        int r;

        if (machine == request->failed || !machine->is_present || (machine->roles & ROLE_STANDBY) == 0)
            continue;
        candidate.score = similarity_score(request->rules, &request->failed->spec, &machine->spec);
        if (candidate.score.verdict != SIMILARITY_ELIGIBLE)
            continue;
        r = add_scored(scored, &candidate);
        if (r < 0)
            return r;
    }
    return 0;
}

/* With no warmth and no memory filled in: what is left of the order. */
static int compare_scored(const void *left, const void *right, void *rules)
{
    return select_compare(rules, left, right);
}

int ranking_new(const struct select_request *request, struct ranking **ret)
{
    _cleanup_(scored_done) struct scored scored = {0};
    struct ranking *ranking;
    uint32_t rank = 0;
    int r = score_standbys(request, &scored);

    if (r < 0)
        return r;
    ranking = malloc(sizeof(*ranking) + scored.count * sizeof(*ranking->entries));
    if (ranking == NULL)
        return -ENOMEM;
    ranking->version = pool_version(request->pool);
    ranking->rules = request->rules;
    ranking->failed = request->failed;
    ranking->count = scored.count;
    if (scored.count > 0)
        qsort_r(scored.candidates, scored.count, sizeof(*scored.candidates), compare_scored, (void *)request->rules);
    for (size_t i = 0; i < scored.count; i++) {
        const struct candidate *candidate = &scored.candidates[i];

        rank += i > 0 && similarity_compare(request->rules, &candidate[-1].score, &candidate->score) != 0;
        ranking->entries[i] = (struct ranked){
            .machine = candidate->machine,
            .rank = rank,
            .worth = similarity_worth(request->rules, &candidate->score),
        };
    }
    *ret = ranking;
    return 0;
}

void ranking_free(struct ranking *ranking)
{
    free(ranking);
}

bool ranking_is_current(const struct ranking *ranking, const struct select_request *request)
{
    return ranking != NULL && ranking->version == pool_version(request->pool) && ranking->rules == request->rules &&
           ranking->failed == request->failed;
}

size_t ranking_count(const struct ranking *ranking)
{
    return ranking->count;
}

/* The verdict, disks and addresses apart. Memory is looked up only for those that nothing else rules out. */
static enum candidate_verdict judge(const struct ranking *ranking, const struct select_request *request, size_t place,
                                    struct contender *ret)
{
    const struct ranked *ranked = &ranking->entries[place];
    struct candidate candidate = {
        .machine = ranked->machine,
        .score = {.verdict = SIMILARITY_ELIGIBLE},
        .warmth = machine_warmth(ranked->machine),
    };
    enum candidate_verdict verdict = select_judge(request, &candidate);

    *ret = (struct contender){
        .machine = ranked->machine,
        .place = place,
        .rank = ranked->rank,
        .worth = ranked->worth,
        .warmth = candidate.warmth,
    };
    if (verdict != CANDIDATE_ELIGIBLE)
        return verdict;
    candidate.free_memory_kib = select_free_memory(request->pool, ranked->machine->hypervisor, &candidate.knows_memory);
    ret->free_memory_kib = candidate.free_memory_kib;
    return select_judge(request, &candidate);
}

static bool is_eligible(const struct ranking *ranking, const struct select_request *request, const struct usage *in_use,
                        size_t place, struct contender *ret)
{
    return judge(ranking, request, place, ret) == CANDIDATE_ELIGIBLE &&
           !conflict_exists(in_use, request->failed, ret->machine);
}

/* Of two of one rank, the one at the later place comes first all the same. */
static bool overtakes(const struct contender *later, const struct contender *earlier)
{
    if (later->warmth != earlier->warmth)
        return later->warmth > earlier->warmth;
    return later->free_memory_kib > earlier->free_memory_kib;
}

/* Into an array that is in order from `first`, and keeps the best n. */
static size_t insert(struct contender *contenders, size_t first, size_t count, size_t n,
                     const struct contender *contender)
{
    size_t at = count;

    while (at > first && overtakes(contender, &contenders[at - 1]))
        at--;
    if (at == n)
        return count;
    if (count == n)
        count--;
    memmove(&contenders[at + 1], &contenders[at], (count - at) * sizeof(*contenders));
    contenders[at] = *contender;
    return count + 1;
}

size_t ranking_best(const struct ranking *ranking, const struct select_request *request, const struct usage *in_use,
                    size_t n, struct contender *ret)
{
    size_t count = 0, first = 0; /* of the rank under way */

    for (size_t place = 0; n > 0 && place < ranking->count; place++) {
        struct contender contender;

        if (place > 0 && ranking->entries[place].rank != ranking->entries[place - 1].rank) {
            if (count >= n)
                break;
            first = count;
        }
        if (judge(ranking, request, place, &contender) != CANDIDATE_ELIGIBLE ||
            (count == n && !overtakes(&contender, &ret[n - 1])) ||
            conflict_exists(in_use, request->failed, contender.machine))
            continue;
        count = insert(ret, first, count, n, &contender);
    }
    return count;
}

static bool is_one_of(const struct machine *const *machines, size_t n, const struct machine *machine)
{
    for (size_t i = 0; i < n; i++)
        if (machines[i] == machine)
            return true;
    return false;
}

bool ranking_choose_equal(const struct ranking *ranking, const struct select_request *request,
                          const struct usage *in_use, const struct contender *matched,
                          const struct machine *const *others, size_t n_others, struct contender *ret)
{
    size_t place = matched->place;
    struct contender best, contender;

    if (!is_eligible(ranking, request, in_use, matched->place, &best))
        return false;
    while (place > 0 && ranking->entries[place - 1].rank == matched->rank)
        place--;
    for (; place < ranking->count && ranking->entries[place].rank == matched->rank; place++) {
        if (place == matched->place || is_one_of(others, n_others, ranking->entries[place].machine) ||
            !is_eligible(ranking, request, in_use, place, &contender) || contender.warmth != best.warmth)
            continue;
        if (place < best.place ? !overtakes(&best, &contender) : overtakes(&contender, &best))
            best = contender;
    }
    *ret = best;
    return true;
}

static bool is_asked_already(const struct contender *contenders, size_t count, const struct contender *contender)
{
    for (size_t i = 0; i < count; i++)
        if (contenders[i].machine->description->memory_kib == contender->machine->description->memory_kib &&
            contenders[i].warmth == contender->warmth &&
            strcmp(contenders[i].machine->hypervisor, contender->machine->hypervisor) == 0)
            return true;
    return false;
}

size_t ranking_lacking_memory(const struct ranking *ranking, const struct select_request *request,
                              struct contender *ret)
{
    size_t count = 0, first = 0;

    for (size_t place = 0; place < ranking->count; place++) {
        struct contender contender;

        if (place > 0 && ranking->entries[place].rank != ranking->entries[place - 1].rank)
            first = count;
        if (judge(ranking, request, place, &contender) == CANDIDATE_NO_MEMORY &&
            !is_asked_already(&ret[first], count - first, &contender))
            count = insert(ret, first, count, ranking->count, &contender);
    }
    return count;
}
