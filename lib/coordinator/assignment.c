/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates for all recoveries that want one, as a set.
 *
 *     what waits ─▶ the best for each ─▶ matching ─▶ its machine, judged once more ─▶ taken
 *         ▲                                                    │ taken by another
 *         └────────────────────────────────────────────────────┘
 */
#include "coordinator/assignment.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "choose/match.h"
#include "choose/walk.h"
#include "coordinator/decide.h"
#include "coordinator/open_recovery.h"
#include "coordinator/precedence.h"

/* So many more recoveries than there is room for are matched together. */
#define SEEKERS_EXTRA 8
/* Failures so close to each other are decided together. */
#define GATHER_US (50 * USEC_PER_MSEC)
/* Of the plan, so much is made after one input: some milliseconds. */
#define COMPARISONS_AT_ONCE 2000000

struct round {
    struct seeker seekers[MATCH_MAX];
    size_t n_seekers;
};

static void round_done(struct round *round)
{
    for (size_t i = 0; i < round->n_seekers; i++)
        seeker_done(&round->seekers[i]);
}

/* The more important first, then the one that waits longer. */
static bool goes_first(const struct open_recovery *a, const struct open_recovery *b)
{
    if (a->recovery->priority != b->recovery->priority)
        return a->recovery->priority > b->recovery->priority;
    return a->recovery->detected.mono_us < b->recovery->detected.mono_us;
}

static bool is_seeking(const struct open_recovery *open)
{
    return open->wants_candidate && open->is_assignable && !open->is_behind;
}

static bool is_any_seeking(const struct recoveries *recoveries)
{
    for (size_t i = 0; i < recoveries->n_open; i++)
        if (is_seeking(recoveries->open[i]))
            return true;
    return false;
}

/* The first `most` of those that seek, in their order. Their number. */
static size_t first_seekers(const struct recoveries *recoveries, size_t most, struct open_recovery *ret[MATCH_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];
        size_t at = n;

        if (!is_seeking(open))
            continue;
        while (at > 0 && goes_first(open, ret[at - 1]))
            at--;
        if (at == most)
            continue;
        n += n < most;
        memmove(&ret[at + 1], &ret[at], (n - at - 1) * sizeof(struct open_recovery *));
        ret[at] = open;
    }
    return n;
}

/* One that is not listed has none: nothing is started there. Where none is listed, there is none to wait for. */
static bool has_room(const struct recoveries *recoveries)
{
    const struct registry *registry = recoveries->registry;
    bool is_any_listed = false;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        is_any_listed |= registry->hosts[i].is_listed;
        if (registry->hosts[i].is_listed && host_can_start_one(recoveries->registry, registry->hosts[i].name))
            return true;
    }
    return !is_any_listed;
}

/*
 * No more than have a chance now, and some, so that they are matched as a set. A recovery that is left out is no worse
 * off: there is no room for it.
 */
static size_t seekers_at_most(const struct recoveries *recoveries)
{
    const struct registry *registry = recoveries->registry;
    size_t room = SEEKERS_EXTRA;

    if (registry->config->recovery.concurrency == 0)
        return MATCH_MAX;
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].is_listed && host_can_start_one(recoveries->registry, registry->hosts[i].name))
            room += registry->config->recovery.concurrency;
    return room < MATCH_MAX ? room : MATCH_MAX;
}

/* False: nothing can be chosen before there is memory. */
static bool gather(struct pass *pass, struct round *round)
{
    struct open_recovery *opens[MATCH_MAX];
    size_t n = first_seekers(pass->recoveries, seekers_at_most(pass->recoveries), opens);

    for (size_t i = 0; i < n; i++)
        opens[i]->is_assignable = false;
    if (n > 0 && pool_settle(pass->registry->pool, pass->now.mono_us) < 0) {
        for (size_t i = 0; i < n; i++)
            pass_postpone(pass, opens[i]);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (seeker_init(&round->seekers[round->n_seekers], pass, opens[i], n) == 0)
            round->n_seekers++;
        else
            pass_postpone(pass, opens[i]);
    }
    return true;
}

static bool is_matched(const struct round *round, const struct candidate *const *matched, const struct machine *machine)
{
    for (size_t i = 0; i < round->n_seekers; i++)
        if (matched[i] != NULL && matched[i]->machine == machine)
            return true;
    return false;
}

/*
 * What was taken earlier in this round may have filled the host of the matched machine, or use the same disk. Of those
 * that are as good and that no other seeker has, the one on whose host the fewest starts are under way, so that many are
 * spread over the hosts.
 */
static const struct candidate *look_once_more(struct pass *pass, const struct round *round, size_t own,
                                              const struct candidate *const *matched)
{
    const struct seeker *seeker = &round->seekers[own];
    const struct candidate *best = NULL;
    unsigned fewest = UINT_MAX;

    if (pool_settle(pass->registry->pool, pass->now.mono_us) < 0)
        return matched[own];
    for (size_t i = 0; i < seeker->choice.n_eligible; i++) {
        const struct candidate *other = &seeker->choice.eligible[i];
        const struct host *host = host_find(pass->registry, other->machine->hypervisor);
        unsigned starts = host != NULL ? host->n_starts : 0;

        if (starts >= fewest)
            continue;
        if (other != matched[own] &&
            (!walk_is_equal(&seeker->request, matched[own], other) || is_matched(round, matched, other->machine)))
            continue;
        if (decide_can_take(pass, other->machine) &&
            choose_judge(&seeker->request, other->machine).verdict == CANDIDATE_ELIGIBLE) {
            best = other;
            fewest = starts;
        }
    }
    return best != NULL ? best : matched[own];
}

/* Candidates of all seekers as numbers: the place in `machines` is the number. */
struct columns {
    const struct machine **machines;
    size_t count;
    struct match_pair *pairs;
    size_t n_pairs;
};

static void columns_done(struct columns *columns)
{
    free(columns->machines);
    free(columns->pairs);
}

static size_t column_of(struct columns *columns, const struct machine *machine)
{
    for (size_t i = 0; i < columns->count; i++)
        if (columns->machines[i] == machine)
            return i;
    columns->machines[columns->count] = machine;
    return columns->count++;
}

/*
 * Only the best n candidates of each of n seekers can matter. Worth is what they are ranked by; equal
 * worth falls to the earlier pair, and pairs are laid out place by place, so to the better place.
 */
static int lay_out(const struct round *round, struct columns *columns)
{
    size_t n = round->n_seekers;

    columns->machines = calloc(n * n + 1, sizeof(const struct machine *));
    columns->pairs = calloc(n * n + 1, sizeof(*columns->pairs));
    if (columns->machines == NULL || columns->pairs == NULL)
        return -ENOMEM;
    for (size_t place = 0; place < n; place++)
        for (size_t i = 0; i < n; i++) {
            const struct seeker *seeker = &round->seekers[i];

            if (place >= seeker->choice.n_eligible)
                continue;
            columns->pairs[columns->n_pairs++] = (struct match_pair){
                .failed = i,
                .candidate = column_of(columns, seeker->choice.eligible[place].machine),
                .worth = similarity_worth(request_rules(&seeker->request), &seeker->choice.eligible[place].score),
            };
        }
    return 0;
}

static const struct candidate *candidate_of(const struct seeker *seeker, const struct machine *machine)
{
    for (size_t i = 0; machine != NULL && i < seeker->choice.n_eligible; i++)
        if (seeker->choice.eligible[i].machine == machine)
            return &seeker->choice.eligible[i];
    return NULL;
}

/* Each may have its best, no two of which are the same. */
static bool match_best(const struct round *round, const struct candidate *ret_matched[MATCH_MAX])
{
    for (size_t i = 0; i < round->n_seekers; i++) {
        const struct choice *choice = &round->seekers[i].choice;

        ret_matched[i] = choice->n_eligible > 0 ? &choice->eligible[0] : NULL;
        for (size_t k = 0; ret_matched[i] != NULL && k < i; k++)
            if (ret_matched[k] != NULL && ret_matched[k]->machine == ret_matched[i]->machine)
                return false;
    }
    return true;
}

static int match(const struct round *round, const struct candidate *ret_matched[MATCH_MAX])
{
    _cleanup_(columns_done) struct columns columns = {0};
    int priorities[MATCH_MAX];
    size_t taken[MATCH_MAX];
    int r;

    if (match_best(round, ret_matched))
        return 0;
    r = lay_out(round, &columns);
    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        priorities[i] = round->seekers[i].open->recovery->priority;
    r = match_pairs(priorities, round->n_seekers, columns.count, columns.pairs, columns.n_pairs, taken);
    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        ret_matched[i] = candidate_of(&round->seekers[i], taken[i] == MATCH_NONE ? NULL : columns.machines[taken[i]]);
    return 0;
}

/* A machine was taken in this round for a service from which this one is to be kept apart. */
static bool has_moved_in(const struct round *round, size_t own, const bool *is_taken)
{
    unsigned group = round->seekers[own].request.policy->config->policy.apart;

    for (size_t i = 0; group > 0 && i < own; i++)
        if (is_taken[i] && round->seekers[i].request.policy->config->policy.apart == group)
            return true;
    return false;
}

/* True: a machine was taken, or a recovery has no candidate for good. */
static bool decide_all(struct pass *pass, const struct round *round, const struct candidate **matched)
{
    bool has_taken = false, has_settled = false, is_taken[MATCH_MAX] = {false};

    for (size_t i = 0; i < round->n_seekers; i++) {
        const struct seeker *seeker = &round->seekers[i];

        if (matched[i] != NULL && has_taken && has_room(pass->recoveries))
            matched[i] = look_once_more(pass, round, i, matched);
        if ((seeker->choice.n_eligible > 0 && matched[i] == NULL) || has_moved_in(round, i, is_taken))
            seeker->open->is_assignable =
                true; /* others took what it could have had, or a place: looked at once more */
        else
            is_taken[i] = decide(pass, seeker, matched[i] != NULL ? matched[i]->machine : NULL);
        has_taken |= is_taken[i];
        has_settled |= seeker->choice.n_eligible == 0;
    }
    return has_taken || has_settled;
}

/* One round for so many recoveries as there is room for, and some. True: another one may find more to do. */
static bool assign_round(struct pass *pass)
{
    _cleanup_(round_done) struct round round = {.n_seekers = 0};
    const struct candidate *matched[MATCH_MAX] = {0};

    if (!gather(pass, &round) || round.n_seekers == 0)
        return is_any_seeking(pass->recoveries);
    if (match(&round, matched) < 0) {
        for (size_t i = 0; i < round.n_seekers; i++)
            pass_postpone(pass, round.seekers[i].open);
        return true;
    }
    /* The seekers that are left may fit where there is room. */
    return decide_all(pass, &round, matched) || is_any_seeking(pass->recoveries);
}

/* Not before its host is listed, unless it is known to be off, or a replacement may be started meanwhile. */
static bool can_restart(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct registry *registry = recoveries->registry;
    const struct host *host = host_find(registry, open->failed->hypervisor);

    return host == NULL || host->is_listed || host->track.state == HOST_FENCED ||
           (open->recovery->state == RECOVERY_SELECTING &&
            open_recovery_policy(recoveries, open)->config->recovery.order == ORDER_ORIGINAL);
}

static struct open_recovery *next_restart(const struct recoveries *recoveries)
{
    struct open_recovery *best = NULL;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (open->wants_original && open->is_assignable && !open->is_behind && can_restart(recoveries, open) &&
            host_can_start_one(recoveries->registry, open->failed->hypervisor) &&
            (best == NULL || goes_first(open, best)))
            best = open;
    }
    return best;
}

/* Failed machines that are to be started again themselves, as far as there is room: no other one has a claim on them. */
static void restart_originals(struct recoveries *recoveries, struct moment now)
{
    struct open_recovery *open;

    while ((open = next_restart(recoveries)) != NULL) {
        open->is_assignable = false;
        if (open_recovery_restart(recoveries, open, now) < 0)
            open->retry_us = now.mono_us + RETRY_US;
    }
}

/* What recoveries want. */
struct wishes {
    bool candidate, original;
};

/* All of them may be looked at from now on. */
static struct wishes make_assignable(const struct recoveries *recoveries)
{
    struct wishes wishes = {0};

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        open->is_assignable = true;
        wishes.candidate |= open->wants_candidate && !open->is_behind;
        wishes.original |= open->wants_original && !open->is_behind;
    }
    return wishes;
}

/*
 * A hypervisor is connected and has not said yet what it has. Waits for it, but not for ever: one that
 * cannot be listed must not keep the others from being served. Until when: mono_us.
 */
static int64_t looks_until_us(const struct assignment *assignment)
{
    const struct registry *registry = assignment->recoveries->registry;
    int64_t until_us = INT64_MIN;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        /* At the start, those that have not answered yet are waited for as well. */
        bool is_coming = host->track.is_connected || (!host->was_listed && host->trouble == NULL);
        int64_t begin_us = host->track.is_connected ? host->connected_us : assignment->began_us;
        int64_t end_us = begin_us + 2 * registry->config->recovery.call_timeout_us;

        if (is_coming && !host->is_listed && end_us > until_us)
            until_us = end_us;
    }
    return until_us;
}

/* A failure told at the same time is still being confirmed. Until when it is waited for: mono_us. */
static int64_t gathers_until_us(const struct recoveries *recoveries)
{
    int64_t until_us = INT64_MIN;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        const struct recovery *recovery = recoveries->open[i]->recovery;

        if (recovery_state_is_unconfirmed(recovery->state) && recovery->detected.mono_us + GATHER_US > until_us)
            until_us = recovery->detected.mono_us + GATHER_US;
    }
    return until_us;
}

/* Sets the time until which it waits. */
static bool has_to_wait(struct assignment *assignment, struct moment now)
{
    int64_t until_us = looks_until_us(assignment);

    if (until_us <= now.mono_us)
        until_us = gathers_until_us(assignment->recoveries);
    if (until_us <= now.mono_us)
        return false;
    if (until_us < assignment->due_us)
        assignment->due_us = until_us;
    return true;
}

/* What was waited for may have ended here. */
static void look_anew(struct recoveries *recoveries, struct moment now)
{
    if (precedence_look(recoveries, now))
        registry_tell(recoveries->registry, FACT_INPUT);
}

/* Once after each input. */
bool assignment_handle(void *self, struct moment now)
{
    struct assignment *assignment = self;
    struct recoveries *recoveries = assignment->recoveries;
    struct pass pass = {
        .assignment = assignment,
        .recoveries = recoveries,
        .registry = recoveries->registry,
        .now = now,
    };
    struct wishes wishes;

    if (!registry_take(recoveries->registry, FACT_INPUT))
        return false;
    if (assignment->began_us == 0)
        assignment->began_us = now.mono_us;
    assignment->due_us = USEC_INFINITY;
    (void)precedence_look(recoveries, now);
    wishes = make_assignable(recoveries);
    if (wishes.original && !recoveries->brake->is_on) {
        restart_originals(recoveries, now);
        look_anew(recoveries, now);
        wishes = make_assignable(recoveries);
    }
    if (!recoveries->brake->is_on && wishes.candidate && has_to_wait(assignment, now))
        return true;
    /* Kept current while there is time, and once more before a choice: it says who is spared. */
    if ((wishes.candidate || recoveries->n_open == 0) &&
        plan_settle(recoveries->registry->plan, now.mono_us, COMPARISONS_AT_ONCE) == 0)
        assignment->due_us = now.mono_us;
    if (recoveries->brake->is_on || !wishes.candidate)
        return true;
    while (has_room(recoveries) && assign_round(&pass))
        ;
    look_anew(recoveries, now);
    return true;
}

int64_t assignment_deadline(const void *self)
{
    const struct assignment *assignment = self;

    return assignment->due_us;
}
