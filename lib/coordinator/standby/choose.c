/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which standbys are worth keeping warm now: the first of the plan, within the memory that they may have
 * together and that their hosts can spare. Begins one at a time on each host, never beside a recovery
 * there, and gives back what is not worth it any more. Knows nothing of how a course goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/conflict.h"
#include "coordinator/coordinator_internal.h"

/* Beyond so many of the plan nobody looks: they are worth less than all that stand in the way of the first. */
#define LOOKED_AT 256
/* A machine that stops and starts again, or a plan that wavers, does not cost a standby its warmth. */
#define UNWANTED_US (30 * USEC_PER_SEC)

static bool is_enabled(const struct coordinator *coordinator)
{
    return coordinator->config->standby.warm > 0;
}

static uint64_t memory_of(const struct kept *kept)
{
    return kept_has_memory(kept) ? kept->machine->description->memory_kib : 0;
}

static uint64_t limit_kib(const struct coordinator *coordinator)
{
    int64_t bytes = coordinator->config->standby.memory_limit_bytes;

    return bytes == 0 ? UINT64_MAX : (uint64_t)bytes / 1024;
}

static uint64_t memory_of_all(const struct coordinator *coordinator)
{
    uint64_t sum_kib = 0;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++)
        sum_kib += memory_of(coordinator->keeper.kept[i]);
    return sum_kib;
}

bool keeper_is_within_limit(const struct coordinator *coordinator)
{
    return memory_of_all(coordinator) <= limit_kib(coordinator);
}

/* One that could be given back at once. */
static bool stands_with_memory(const struct kept *kept)
{
    return kept->warming.state == WARMING_STANDING && !kept->is_let_go && kept_has_memory(kept);
}

/* It is giving its memory back. */
static bool is_being_given_back(const struct kept *kept)
{
    return kept->warming.is_releasing || kept->warming.state == WARMING_STOPPING ||
           kept->warming.state == WARMING_LOOKING;
}

/* On one host, or on all of them (NULL). NULL: there is none. */
static struct kept *least_valuable(const struct coordinator *coordinator, const char *hypervisor, bool only_unwanted)
{
    struct kept *least = NULL;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (!stands_with_memory(kept) || !kept->machine->is_reachable || (only_unwanted && kept->is_wanted) ||
            (hypervisor != NULL && strcmp(kept->machine->hypervisor, hypervisor) != 0))
            continue;
        if (least == NULL || kept->rank > least->rank)
            least = kept;
    }
    return least;
}

static void release(struct coordinator *coordinator, struct kept *kept, struct moment now)
{
    kept_handle(coordinator, kept, WARMING_RELEASE, NULL, NULL, now);
}

/* ---- what is worth it ---- */

/* The first of the plan as candidates, with what stands in the way of starting them now. */
struct shortlist {
    struct candidate *candidates;
    const struct plan_entry **entries;
    bool *is_displaced; /* it gives its memory back for one that is worth more */
    size_t count;
};

static void shortlist_done(struct shortlist *shortlist)
{
    free(shortlist->candidates);
    free(shortlist->entries);
    free(shortlist->is_displaced);
}

static int shortlist_make(const struct coordinator *coordinator, struct shortlist *shortlist)
{
    const struct plan *plan = coordinator->keeper.plan;
    size_t limit = plan_count(plan) < LOOKED_AT ? plan_count(plan) : LOOKED_AT;

    shortlist->candidates = calloc(limit + 1, sizeof(*shortlist->candidates));
    shortlist->entries = calloc(limit + 1, sizeof(*shortlist->entries));
    shortlist->is_displaced = calloc(limit + 1, sizeof(*shortlist->is_displaced));
    if (shortlist->candidates == NULL || shortlist->entries == NULL || shortlist->is_displaced == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < limit; i++) {
        const struct plan_entry *entry = plan_at(plan, i);
        struct machine *machine = pool_find(coordinator->pool, entry->candidate.hypervisor, entry->candidate.uuid);

        if (machine == NULL)
            continue;
        shortlist->candidates[shortlist->count] =
            (struct candidate){.machine = machine, .verdict = CANDIDATE_ELIGIBLE, .warmth = machine_warmth(machine)};
        shortlist->entries[shortlist->count++] = entry;
    }
    return conflict_find(coordinator->pool, NULL, shortlist->candidates, shortlist->count);
}

static struct kept *kept_of(const struct coordinator *coordinator, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(coordinator, &ref);

    return watch != NULL ? watch->warms : NULL;
}

/* Nothing but its host's memory and the limit may stand in the way of one that is begun later. */
static bool can_be_begun(const struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(coordinator, &ref);

    return machine->state == MACHINE_SHUT_OFF && machine->claimed_by == NULL && !machine->is_reserved &&
           machine->is_present && machine->is_reachable && !machine->failed_unrecovered &&
           (machine->roles & ROLE_STANDBY) != 0 && machine->quarantined_until_us <= now.mono_us &&
           (watch == NULL || watch->warm_after_us <= now.mono_us) && !late_may_come_up(coordinator, machine, now) &&
           (machine->persistent || coordinator->config->standby.warmth == KEEP_PAUSED);
}

/* What its host has too little for it, in KiB. */
static uint64_t lacking_kib(const struct coordinator *coordinator, const struct machine *machine)
{
    bool is_known;
    uint64_t free_kib = select_free_memory(coordinator->pool, machine->hypervisor, &is_known);

    if (!coordinator->config->recovery.check_memory || !is_known || free_kib >= machine->description->memory_kib)
        return 0;
    return machine->description->memory_kib - free_kib;
}

static bool fits_on_host(const struct coordinator *coordinator, const struct machine *machine)
{
    return lacking_kib(coordinator, machine) == 0;
}

/* Not only because one of two equals must come first: for that, none is given back. */
static bool is_worth_more(const struct plan_entry *a, const struct plan_entry *b)
{
    return a->priority > b->priority || (a->priority == b->priority && a->worth > b->worth);
}

/* What comes back of the memory of its host: as much as it has touched, as far as that was looked at. */
static uint64_t comes_back_kib(const struct machine *machine)
{
    uint64_t configured_kib = machine->description->memory_kib;

    return machine->resident_kib < configured_kib ? machine->resident_kib : configured_kib;
}

/* It could be begun if only there were memory, and came up whenever it was tried. */
static bool is_worth_room(const struct coordinator *coordinator, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(coordinator, &ref);
    const struct link *link = link_find(coordinator, machine->hypervisor);

    return !coordinator->is_held && link != NULL && link->is_listed && (watch == NULL || watch->warm_failures == 0);
}

static bool stands_for_less(const struct coordinator *coordinator, const struct shortlist *shortlist, size_t place,
                            size_t better)
{
    const struct machine *machine = shortlist->candidates[place].machine;
    const struct kept *kept = kept_of(coordinator, machine);

    return kept != NULL && stands_with_memory(kept) && machine->is_reachable &&
           strcmp(machine->hypervisor, shortlist->candidates[better].machine->hypervisor) == 0 &&
           is_worth_more(shortlist->entries[better], shortlist->entries[place]);
}

/*
 * The least valuable of those that stand on its host for less, as many as must give their memory back for it: they
 * are marked. False: there are not enough.
 */
static bool displace(const struct coordinator *coordinator, struct shortlist *shortlist, size_t place)
{
    const struct machine *machine = shortlist->candidates[place].machine;
    uint64_t lacking = lacking_kib(coordinator, machine), found = 0;

    if (lacking == 0)
        return true;
    if (!is_worth_room(coordinator, machine))
        return false;
    for (size_t i = place + 1; i < shortlist->count; i++)
        if (!shortlist->is_displaced[i] && stands_for_less(coordinator, shortlist, i, place))
            found += comes_back_kib(shortlist->candidates[i].machine);
    if (found < lacking)
        return false;
    found = 0;
    for (size_t i = shortlist->count; i-- > place + 1 && found < lacking;)
        if (!shortlist->is_displaced[i] && stands_for_less(coordinator, shortlist, i, place)) {
            shortlist->is_displaced[i] = true;
            found += comes_back_kib(shortlist->candidates[i].machine);
        }
    return true;
}

static void explain(struct coordinator *coordinator, const struct candidate *candidate)
{
    _cleanup_(freep) char *why = NULL;
    const char *what = candidate->verdict == CANDIDATE_MAC_IN_USE ? "address" : "disk";

    if (asprintf(&why, "its %s %s is in use by %s", what, candidate->conflict, candidate->conflict_with->name) < 0)
        why = NULL;
    pool_set_not_warm(coordinator->pool, candidate->machine, why);
}

/* Is this one to be begun when its turn comes? Says why not, where that is not a matter of time. */
static bool is_worth_beginning(struct coordinator *coordinator, struct shortlist *shortlist, size_t place,
                               uint64_t used_kib, struct moment now)
{
    const struct candidate *candidate = &shortlist->candidates[place];
    struct machine *machine = candidate->machine;
    uint64_t needs_kib = machine->description->memory_kib, limit = limit_kib(coordinator);

    if (!can_be_begun(coordinator, machine, now))
        return false;
    if (candidate->verdict != CANDIDATE_ELIGIBLE) {
        explain(coordinator, candidate);
        return false;
    }
    if (needs_kib > limit || used_kib > limit - needs_kib) {
        pool_set_not_warm(coordinator->pool, machine, "standby.memory_limit leaves no room for it");
        return false;
    }
    if (!displace(coordinator, shortlist, place)) {
        pool_set_not_warm(coordinator->pool, machine, "its host has not enough memory to spare");
        return false;
    }
    pool_set_not_warm(coordinator->pool, machine, NULL);
    return true;
}

/* Warm, it would keep one that is planned for a more important machine from being started. NULL: none. */
static const struct machine *find_better(const struct shortlist *shortlist, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (conflict_between(shortlist->candidates[i].machine, shortlist->candidates[place].machine))
            return shortlist->candidates[i].machine;
    return NULL;
}

static bool stands_in_the_way(struct coordinator *coordinator, const struct shortlist *shortlist, size_t place)
{
    const struct machine *better = find_better(shortlist, place);
    _cleanup_(freep) char *why = NULL;

    if (better == NULL)
        return false;
    if (asprintf(&why, "it shares a disk or an address with %s, which is more needed", better->name) < 0)
        why = NULL;
    pool_set_not_warm(coordinator->pool, shortlist->candidates[place].machine, why);
    return true;
}

static void mark_wanted(struct kept *kept, size_t rank)
{
    kept->is_wanted = true;
    kept->rank = rank;
    kept->unwanted_us = USEC_INFINITY;
}

static void forget_marks(struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        coordinator->keeper.kept[i]->is_wanted = false;
        coordinator->keeper.kept[i]->rank = SIZE_MAX;
    }
}

/* Those that stand cost their memory; a saved one costs it while it runs, and only one does at a time. */
static uint64_t lasting_kib(const struct coordinator *coordinator, const struct machine *machine)
{
    return coordinator->config->standby.warmth == KEEP_PAUSED ? machine->description->memory_kib : 0;
}

/*
 * Goes down the plan until there are enough. Marks those that are kept already, and collects those to be
 * begun, in order.
 */
static size_t pick(struct coordinator *coordinator, struct shortlist *shortlist, struct machine **ret_begin,
                   struct moment now)
{
    uint64_t used_kib = 0;
    size_t n_picked = 0, n_begin = 0;

    forget_marks(coordinator);
    for (size_t i = 0; i < shortlist->count; i++) {
        struct machine *machine = shortlist->candidates[i].machine;
        struct kept *kept = kept_of(coordinator, machine);
        bool is_kept = kept != NULL && kept->warming.state != WARMING_OVER && warming_may_yield(&kept->warming);

        if (n_picked >= coordinator->config->standby.warm) {
            pool_set_not_warm(coordinator->pool, machine, NULL);
            continue;
        }
        if (shortlist->is_displaced[i] || stands_in_the_way(coordinator, shortlist, i))
            continue;
        if (is_kept && lasting_kib(coordinator, machine) <= limit_kib(coordinator) &&
            used_kib <= limit_kib(coordinator) - lasting_kib(coordinator, machine))
            mark_wanted(kept, i);
        else if (kept == NULL && is_worth_beginning(coordinator, shortlist, i, used_kib, now))
            ret_begin[n_begin++] = machine;
        else
            continue;
        n_picked++;
        used_kib += lasting_kib(coordinator, machine);
    }
    return n_begin;
}

/* ---- turns ---- */

/* A recovery is under way there, or may come there. */
static bool is_disturbed(const struct coordinator *coordinator, const char *hypervisor)
{
    for (size_t i = 0; i < coordinator->n_runs; i++) {
        const struct run *run = coordinator->runs[i];

        if (recovery_state_is_final(run->recovery->state) || run->recovery->state == RECOVERY_WAITING)
            continue;
        if (run->candidate == NULL || strcmp(run->candidate->hypervisor, hypervisor) == 0)
            return true;
    }
    return coordinator->n_restored > 0;
}

static bool is_busy(const struct coordinator *coordinator, const char *hypervisor)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        const struct kept *kept = coordinator->keeper.kept[i];

        if (kept->warming.state != WARMING_STANDING && kept->warming.state != WARMING_CHECKING &&
            kept->warming.state != WARMING_LURKING && !kept->is_let_go &&
            strcmp(kept->machine->hypervisor, hypervisor) == 0)
            return true;
    }
    return false;
}

static bool may_begin(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

    return coordinator->config->mode == MODE_AUTOMATIC && !coordinator->is_held && link != NULL && link->is_listed &&
           !is_disturbed(coordinator, hypervisor) && !is_busy(coordinator, hypervisor);
}

/* Room under the limit; makes some of what is not wanted. */
static bool has_room(struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    uint64_t used_kib = memory_of_all(coordinator), needs_kib = machine->description->memory_kib;
    struct kept *kept;

    if (needs_kib <= limit_kib(coordinator) && used_kib <= limit_kib(coordinator) - needs_kib)
        return true;
    kept = least_valuable(coordinator, NULL, true);
    if (kept != NULL)
        release(coordinator, kept, now);
    return false;
}

static void begin(struct coordinator *coordinator, struct machine *machine, struct moment now)
{
    if (!may_begin(coordinator, machine->hypervisor) || !has_room(coordinator, machine, now) ||
        !fits_on_host(coordinator, machine))
        return;
    if (kept_begin(coordinator, machine, now) == -ENOMEM)
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to keep %s warm", machine->name);
}

static int64_t refresh_us(const struct coordinator *coordinator, const struct kept *kept)
{
    const struct config_standby *config = &coordinator->config->standby;

    if (kept->warming.form != config->warmth)
        return INT64_MIN;
    return config->refresh_us == 0 ? USEC_INFINITY : kept->warming.standing.mono_us + config->refresh_us;
}

/* It may run beside all that runs, and a saved one has its memory. */
static bool can_be_run(struct coordinator *coordinator, const struct kept *kept, struct moment now)
{
    struct candidate candidate = {.machine = kept->machine, .verdict = CANDIDATE_ELIGIBLE};

    if (conflict_find(coordinator->pool, NULL, &candidate, 1) < 0)
        return false;
    if (candidate.verdict != CANDIDATE_ELIGIBLE) {
        explain(coordinator, &candidate);
        return false;
    }
    return kept_has_memory(kept) ||
           (has_room(coordinator, kept->machine, now) && fits_on_host(coordinator, kept->machine));
}

static void refresh_due(struct coordinator *coordinator, struct moment now)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (kept->warming.state == WARMING_STANDING && !kept->is_let_go && kept->is_wanted &&
            refresh_us(coordinator, kept) <= now.mono_us && may_begin(coordinator, kept->machine->hypervisor) &&
            can_be_run(coordinator, kept, now))
            kept_handle(coordinator, kept, WARMING_BEGIN, NULL, NULL, now);
    }
}

/* Those that the plan does not want any more, and as many as a lower limit asks for. */
static void give_back(struct coordinator *coordinator, struct moment now)
{
    struct kept *least;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (kept->is_wanted || kept->is_let_go)
            continue;
        /* One that cannot be reached is left alone: nobody knows what has become of it, and the plan is without it. */
        if (kept->unwanted_us == USEC_INFINITY || !kept->machine->is_reachable)
            kept->unwanted_us = now.mono_us;
        if (!kept->machine->is_reachable)
            continue;
        if (!is_enabled(coordinator) ||
            (kept->warming.state == WARMING_STANDING && now.mono_us - kept->unwanted_us >= UNWANTED_US))
            release(coordinator, kept, now);
    }
    for (;;) {
        uint64_t sum_kib = 0;

        for (size_t i = 0; i < coordinator->keeper.n_kept; i++)
            if (!is_being_given_back(coordinator->keeper.kept[i]))
                sum_kib += memory_of(coordinator->keeper.kept[i]);
        least = least_valuable(coordinator, NULL, false);
        if (sum_kib <= limit_kib(coordinator) || least == NULL)
            return;
        release(coordinator, least, now);
    }
}

/* When something falls due by itself. */
static int64_t next_us(const struct coordinator *coordinator, struct moment now)
{
    int64_t next = USEC_INFINITY;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        const struct kept *kept = coordinator->keeper.kept[i];
        int64_t at_us = kept->is_wanted ? refresh_us(coordinator, kept) : kept->unwanted_us + UNWANTED_US;

        /* What is due already waits for something that will be told. */
        if (kept->warming.state == WARMING_STANDING && at_us > now.mono_us && at_us < next)
            next = at_us;
    }
    return next;
}

int64_t keeper_choose(struct coordinator *coordinator, struct moment now)
{
    _cleanup_(shortlist_done) struct shortlist shortlist = {0};
    _cleanup_(freep) struct machine **to_begin = NULL;
    size_t n_begin = 0;

    /* Without a plan nothing is known of what is worth it, and with an old one much may be wrong. */
    if (is_enabled(coordinator) && (!coordinator->keeper.has_plan || coordinator->keeper.is_planning))
        return USEC_INFINITY;
    if (coordinator->config->mode == MODE_OBSERVE)
        return USEC_INFINITY;
    if (is_enabled(coordinator)) {
        to_begin = calloc(LOOKED_AT, sizeof(struct machine *));
        if (to_begin == NULL || shortlist_make(coordinator, &shortlist) < 0)
            return now.mono_us + RETRY_US;
        n_begin = pick(coordinator, &shortlist, to_begin, now);
    } else {
        forget_marks(coordinator);
    }
    give_back(coordinator, now);
    refresh_due(coordinator, now);
    for (size_t i = 0; i < n_begin; i++)
        begin(coordinator, to_begin[i], now);
    return next_us(coordinator, now);
}

/* ---- memory for recoveries ---- */

static bool has_or_gets_memory(const struct kept *kept, const char *hypervisor)
{
    return !kept->is_let_go && kept_has_memory(kept) && strcmp(kept->machine->hypervisor, hypervisor) == 0;
}

static uint64_t sum_up(const struct coordinator *coordinator, const char *hypervisor, bool only_given_back)
{
    uint64_t sum_kib = 0;

    for (size_t i = 0; i < coordinator->keeper.n_kept; i++) {
        const struct kept *kept = coordinator->keeper.kept[i];

        if (has_or_gets_memory(kept, hypervisor) &&
            (is_being_given_back(kept) || (!only_given_back && warming_may_yield(&kept->warming))))
            sum_kib += kept->machine->description->memory_kib;
    }
    return sum_kib;
}

/* Those that stand first, and the least valuable of them; then those on their way. */
static struct kept *next_to_give_back(const struct coordinator *coordinator, const char *hypervisor)
{
    struct kept *least = least_valuable(coordinator, hypervisor, false);

    for (size_t i = 0; least == NULL && i < coordinator->keeper.n_kept; i++) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (has_or_gets_memory(kept, hypervisor) && warming_may_yield(&kept->warming))
            least = kept;
    }
    return least;
}

bool keeper_make_room(struct coordinator *coordinator, const char *hypervisor, uint64_t needed_kib, struct moment now)
{
    bool is_known;
    uint64_t free_kib = select_free_memory(coordinator->pool, hypervisor, &is_known);
    uint64_t coming_kib = sum_up(coordinator, hypervisor, true);
    struct kept *kept;

    if (free_kib + sum_up(coordinator, hypervisor, false) < needed_kib)
        return false;
    while (free_kib + coming_kib < needed_kib && (kept = next_to_give_back(coordinator, hypervisor)) != NULL) {
        coming_kib += kept->machine->description->memory_kib;
        release(coordinator, kept, now);
    }
    return coming_kib > 0;
}
