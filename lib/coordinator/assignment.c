/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates for all recoveries that want one, as a set.
 *
 *     what waits ─▶ the best of its ranking ─▶ matching ─▶ its machine ─▶ full selection ─▶ taken
 *         ▲                                                                    │ says otherwise
 *         └──────────────────────── ranking made anew ◀────────────────────────┘
 *
 * Rankings make it cheap to ask for many again and again. No machine is taken, and no recovery is given up, by a
 * ranking alone.
 */
#include "coordinator/assignment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/match.h"
#include "coordinator/decide.h"

/* So many more recoveries than there is room for are matched together. */
#define SEEKERS_EXTRA 8
/* Failures so close to each other are decided together. */
#define GATHER_US (50 * USEC_PER_MSEC)

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

static struct open_recovery *next_seeker(const struct recoveries *recoveries)
{
    struct open_recovery *best = NULL;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (open->wants_candidate && open->is_assignable && (best == NULL || goes_first(open, best)))
            best = open;
    }
    return best;
}

/* One that is not listed has none: nothing is started there. Where none is listed, there is none to wait for. */
static bool has_room(const struct recoveries *recoveries)
{
    const struct registry *registry = recoveries->registry;
    bool is_any_listed = false;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        is_any_listed |= registry->hosts[i].is_listed;
        if (registry->hosts[i].is_listed && recoveries_have_capacity(recoveries, registry->hosts[i].name))
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
        if (registry->hosts[i].is_listed && recoveries_have_capacity(recoveries, registry->hosts[i].name))
            room += registry->config->recovery.concurrency;
    return room < MATCH_MAX ? room : MATCH_MAX;
}

/* As seeker_rank; seeker_done is due only where it succeeds. */
static int enter(struct pass *pass, struct open_recovery *open, struct seeker *ret)
{
    int r = seeker_init(pass, open, ret);

    if (r < 0)
        return r;
    r = seeker_rank(pass, ret);
    if (r < 0)
        seeker_done(ret);
    return r;
}

/* False: it is gone on with soon, and everything stands as before. */
static bool gather(struct pass *pass, struct round *round)
{
    size_t most = seekers_at_most(pass->recoveries);
    struct open_recovery *open;

    if (pass_is_put_off(pass))
        return false;
    while (round->n_seekers < most && (open = next_seeker(pass->recoveries)) != NULL) {
        int r = enter(pass, open, &round->seekers[round->n_seekers]);

        if (r == -EAGAIN)
            return false;
        open->is_assignable = false;
        if (r == 0)
            round->n_seekers++;
        else
            pass_postpone(pass, open);
    }
    return true;
}

/* A seeker for which there is no memory leaves the round. */
static void seek_all(struct pass *pass, struct round *round)
{
    size_t n = round->n_seekers, kept = 0;
    int r = n > 0 ? pass_know_in_use(pass) : 0;

    for (size_t i = 0; i < n; i++) {
        struct seeker *seeker = &round->seekers[i];

        if (r == 0 && seeker_list(pass, seeker, n, &seeker->best, &seeker->n_best) == 0) {
            round->seekers[kept++] = *seeker;
            continue;
        }
        pass_postpone(pass, seeker->open);
        seeker_done(seeker);
    }
    round->n_seekers = kept;
}

/*
 * A candidate that was taken earlier in this round may use the same disk, the same address or the last memory; and of
 * equals the one is better now whose host has the most memory left, so that many are spread over the hosts. No machine:
 * the one that was matched is out.
 */
static struct contender look_once_more(struct pass *pass, const struct round *round, size_t own,
                                       const struct contender *taken)
{
    const struct seeker *seeker = &round->seekers[own];
    const struct machine *others[MATCH_MAX];
    struct contender best;
    size_t n_others = 0;

    for (size_t i = 0; i < round->n_seekers; i++)
        if (i != own && taken[i].machine != NULL)
            others[n_others++] = taken[i].machine;
    if (pass_know_in_use(pass) < 0 || !ranking_choose_equal(seeker->open->ranking, &seeker->request, &pass->in_use,
                                                            &taken[own], others, n_others, &best))
        return (struct contender){.machine = NULL};
    return best;
}

/* Candidates of all seekers as numbers: the place in `machines` is the number. */
struct columns {
    struct machine **machines;
    size_t count;
    struct match_pair *pairs;
    size_t n_pairs;
};

static void columns_done(struct columns *columns)
{
    free(columns->machines);
    free(columns->pairs);
}

static size_t column_of(struct columns *columns, struct machine *machine)
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

    columns->machines = calloc(n * n + 1, sizeof(struct machine *));
    columns->pairs = calloc(n * n + 1, sizeof(*columns->pairs));
    if (columns->machines == NULL || columns->pairs == NULL)
        return -ENOMEM;
    for (size_t place = 0; place < n; place++)
        for (size_t i = 0; i < n; i++) {
            const struct seeker *seeker = &round->seekers[i];

            if (place >= seeker->n_best)
                continue;
            columns->pairs[columns->n_pairs++] = (struct match_pair){
                .failed = i,
                .candidate = column_of(columns, seeker->best[place].machine),
                .worth = seeker->best[place].worth,
            };
        }
    return 0;
}

static struct contender contender_of(const struct seeker *seeker, const struct machine *machine)
{
    for (size_t i = 0; i < seeker->n_best; i++)
        if (seeker->best[i].machine == machine)
            return seeker->best[i];
    return (struct contender){.machine = NULL};
}

static int match(const struct round *round, struct contender ret_taken[MATCH_MAX])
{
    _cleanup_(columns_done) struct columns columns = {0};
    int priorities[MATCH_MAX];
    size_t taken[MATCH_MAX];
    int r = lay_out(round, &columns);

    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        priorities[i] = round->seekers[i].open->recovery->priority;
    r = match_pairs(priorities, round->n_seekers, columns.count, columns.pairs, columns.n_pairs, taken);
    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        ret_taken[i] = contender_of(&round->seekers[i], taken[i] == MATCH_NONE ? NULL : columns.machines[taken[i]]);
    return 0;
}

/* True: a machine was taken, or a recovery has no candidate for good. */
static bool decide_all(struct pass *pass, const struct round *round, struct contender *taken)
{
    uint64_t version = pool_version(pass->registry->pool);
    bool has_taken = false, has_settled = false;

    for (size_t i = 0; i < round->n_seekers; i++) {
        const struct seeker *seeker = &round->seekers[i];

        if (pool_version(pass->registry->pool) != version) {
            seeker->open->is_assignable = true; /* some of the machines may be gone */
            continue;
        }
        if (taken[i].machine != NULL && has_taken && has_room(pass->recoveries))
            taken[i] = look_once_more(pass, round, i, taken);
        if (seeker->n_best > 0 && taken[i].machine == NULL)
            seeker->open->is_assignable = true; /* others took what it could have had: looked at once more */
        else
            has_taken |= decide(pass, seeker, round->n_seekers, taken[i].machine);
        has_settled |= seeker->n_best == 0;
    }
    return has_taken || has_settled;
}

/* One round for so many recoveries as there is room for, and some. True: another one may find more to do. */
static bool assign_round(struct pass *pass)
{
    _cleanup_(round_done) struct round round = {0};
    struct contender taken[MATCH_MAX];

    if (!gather(pass, &round)) {
        pass->assignment->due_us = pass->now.mono_us;
        return false;
    }
    seek_all(pass, &round);
    if (round.n_seekers == 0)
        return next_seeker(pass->recoveries) != NULL;
    if (match(&round, taken) < 0) {
        for (size_t i = 0; i < round.n_seekers; i++)
            pass_postpone(pass, round.seekers[i].open);
        return true;
    }
    /* The seekers that are left may fit where there is room. */
    return decide_all(pass, &round, taken) || next_seeker(pass->recoveries) != NULL;
}

static bool is_any_wanting(const struct recoveries *recoveries)
{
    for (size_t i = 0; i < recoveries->n_open; i++)
        if (recoveries->open[i]->wants_candidate)
            return true;
    return false;
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
    assignment->due_us = until_us;
    return true;
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

    if (!registry_take(recoveries->registry, FACT_INPUT))
        return false;
    if (assignment->began_us == 0)
        assignment->began_us = now.mono_us;
    assignment->due_us = USEC_INFINITY;
    if (recoveries->brake->is_on || (is_any_wanting(recoveries) && has_to_wait(assignment, now))) {
        assignment->put_off_us = 0;
        return true;
    }
    for (size_t i = 0; i < recoveries->n_open; i++)
        recoveries->open[i]->is_assignable = true;
    while (has_room(recoveries) && assign_round(&pass))
        ;
    if (assignment->due_us == USEC_INFINITY)
        assignment->put_off_us = 0;
    usage_done(&pass.in_use);
    return true;
}

int64_t assignment_deadline(const void *self)
{
    const struct assignment *assignment = self;

    return assignment->due_us;
}
