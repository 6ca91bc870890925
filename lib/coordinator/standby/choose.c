/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which standbys are worth keeping warm now. */
#include "coordinator/standby/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/heap.h"
#include "choose/explain.h"
#include "choose/plan.h"
#include "choose/walk.h"
#include "coordinator/standby/warm_standby.h"

/* No more of the plan than this is looked at: the rest is worth less than all that stand in the way of the first. */
#define LOOKED_AT 256
/* A machine that stops and starts again, or a plan that wavers, does not cost a standby its warmth. */
#define UNWANTED_US (30 * USEC_PER_SEC)

static bool is_enabled(const struct standby *standby)
{
    return standby->registry->config->standby.warm > 0;
}

static uint64_t memory_of(const struct warm_standby *warm)
{
    return warm_standby_has_memory(warm) ? warm->machine->description->memory_kib : 0;
}

static uint64_t limit_kib(const struct standby *standby)
{
    int64_t bytes = standby->registry->config->standby.memory_limit_bytes;

    return bytes == 0 ? UINT64_MAX : (uint64_t)bytes / 1024;
}

static uint64_t memory_of_all(const struct standby *standby)
{
    uint64_t sum_kib = 0;

    for (size_t i = 0; i < standby->count; i++)
        sum_kib += memory_of(standby->all[i]);
    return sum_kib;
}

bool standby_is_within_limit(const struct standby *standby)
{
    return memory_of_all(standby) <= limit_kib(standby);
}

/* One that could be given back at once. */
static bool stands_with_memory(const struct warm_standby *warm)
{
    return warm->warming.state == WARMING_STANDING && !warm->is_let_go && warm_standby_has_memory(warm);
}

/* The standby is on its way to being off, and its memory with it. */
static bool is_being_given_back(const struct warm_standby *warm)
{
    return warm->warming.is_releasing || warm->warming.state == WARMING_STOPPING ||
           warm->warming.state == WARMING_LOOKING;
}

/* It can be reached, and is not held: something may be done with it. */
static bool is_at_hand(const struct warm_standby *warm)
{
    return warm->machine->is_reachable && warm->machine->hold == NULL;
}

/* On one host, or on all of them (NULL). NULL: there is none. */
static struct warm_standby *least_valuable(const struct standby *standby, const char *hypervisor, bool only_unwanted)
{
    struct warm_standby *least = NULL;

    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (!stands_with_memory(warm) || !is_at_hand(warm) || (only_unwanted && warm->is_wanted) ||
            (hypervisor != NULL && strcmp(warm->machine->hypervisor, hypervisor) != 0))
            continue;
        if (least == NULL || warm->rank > least->rank)
            least = warm;
    }
    return least;
}

static void release(struct standby *standby, struct warm_standby *warm, struct moment now)
{
    warm_standby_handle(standby, warm, WARMING_RELEASE, NULL, NULL, now);
}

/* ---- what is worth it ---- */

/* A protected machine, and the standby that is to be warm for it. */
struct planned {
    const struct machine *served, *standby;
    int priority;
    uint32_t worth; /* see similarity_worth */
};

/* The first of the plan, each with a standby of its own. */
struct shortlist {
    struct planned entries[LOOKED_AT];
    bool is_displaced[LOOKED_AT]; /* it gives its memory back for one that is worth more */
    size_t count;
    size_t n_made; /* standbys that were made from templates, or are being made */
};

static bool is_less_valuable(const void *context, const void *left, const void *right)
{
    const struct planned *a = left, *b = right;
    int order;

    (void)context;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->worth != b->worth)
        return a->worth < b->worth;
    order = strcmp(a->served->hypervisor, b->served->hypervisor);
    return order != 0 ? order > 0 : memcmp(a->served->description->uuid, b->served->description->uuid, UUID_SIZE) > 0;
}

/* The least valuable first, so that it gives way. */
static const struct heap_order by_value = {sizeof(struct planned), is_less_valuable, NULL};

static void keep_if_valuable(struct shortlist *shortlist, const struct planned *planned)
{
    if (shortlist->count == LOOKED_AT) {
        if (!is_less_valuable(NULL, &shortlist->entries[0], planned))
            return;
        heap_pop(&by_value, shortlist->entries, shortlist->count--);
    }
    shortlist->entries[shortlist->count++] = *planned;
    heap_push(&by_value, shortlist->entries, shortlist->count);
}

/* The most valuable first. */
static void sort(struct shortlist *shortlist)
{
    heap_make(&by_value, shortlist->entries, shortlist->count);
    for (size_t n = shortlist->count; n > 1; n--)
        heap_pop(&by_value, shortlist->entries, n);
}

static bool is_planned(const struct shortlist *shortlist, size_t n, const struct machine *standby)
{
    for (size_t i = 0; i < n; i++)
        if (shortlist->entries[i].standby == standby)
            return true;
    return false;
}

static struct warm_standby *warm_of(const struct standby *standby, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(standby->registry, &ref);

    return watch != NULL ? watch_rare(watch)->warms : NULL;
}

/* It was made in advance, or is being made so, and its host has it. What is out of reach is of no use now. */
static bool is_made(const struct standby *standby, const struct machine *machine)
{
    const struct domain_description *description = machine->description;

    if (!machine->is_present || !machine->is_reachable)
        return false;
    if (machine->state == MACHINE_TEMPLATE)
        return warm_of(standby, machine) != NULL;
    return description->is_made_standby && ((description->roles & ROLE_STANDBY) != 0 || description->is_unfinished);
}

static size_t count_made(const struct standby *standby)
{
    size_t count = 0;

    for (const struct machine *machine = NULL; (machine = pool_next(standby->registry->pool, machine)) != NULL;)
        count += is_made(standby, machine);
    return count;
}

/* One more may be made from a template, beside those of the n before it. */
static bool may_make(const struct standby *standby, const struct shortlist *shortlist, size_t n)
{
    size_t count = shortlist->n_made;

    for (size_t i = 0; i < n; i++)
        count += shortlist->entries[i].standby->state == MACHINE_TEMPLATE &&
                 !is_made(standby, shortlist->entries[i].standby);
    return count < standby->registry->config->standby.made_max;
}

/* It can be kept warm, and none of the n before it has it. What is made for one service is made when that has failed. */
static bool is_to_be_had(const struct standby *standby, const struct shortlist *shortlist, size_t n,
                         const struct machine *machine)
{
    if (is_planned(shortlist, n, machine))
        return false;
    return machine->state != MACHINE_TEMPLATE || is_made(standby, machine) ||
           (!machine->description->names_service && may_make(standby, shortlist, n));
}

/* It can be had, and it has room while the served machine is up. */
static bool is_free(const struct standby *standby, const struct shortlist *shortlist, size_t n,
                    const struct choice_request *request, const struct machine *machine)
{
    return is_to_be_had(standby, shortlist, n, machine) && !choose_lacks_memory(request, machine);
}

/* The best that none of the n before it has; machine NULL: there is none. */
static int find_own(const struct standby *standby, const struct shortlist *shortlist, size_t n,
                    const struct machine *served, struct candidate *ret)
{
    struct registry *registry = standby->registry;
    struct choice_request request = plan_request(registry->plan, served);
    struct plan_answer answer;
    int r = plan_find(registry->plan, served, &answer);

    request.given_kib = 0;
    *ret = answer.best;
    if (r < 0 || ret->machine == NULL || is_free(standby, shortlist, n, &request, ret->machine))
        return r;
    *ret = answer.second;
    if (ret->machine == NULL || is_free(standby, shortlist, n, &request, ret->machine))
        return 0;
    r = choose_begin(registry->chooser, &request);
    while (r == 0 && (r = choose_next_eligible(registry->chooser, ret)) > 0 &&
           !is_to_be_had(standby, shortlist, n, ret->machine))
        r = 0;
    if (r == 0)
        ret->machine = NULL;
    return r < 0 ? r : 0;
}

static int shortlist_make(const struct standby *standby, struct shortlist *shortlist)
{
    struct registry *registry = standby->registry;
    size_t n = 0;

    shortlist->count = 0;
    shortlist->n_made = count_made(standby);
    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine)) {
        struct plan_answer answer;
        int r = plan_is_served(registry->plan, machine) ? plan_find(registry->plan, machine, &answer) : -ENOENT;

        if (r == -ENOMEM)
            return r;
        if (r == 0 && answer.best.machine != NULL)
            keep_if_valuable(shortlist,
                             &(struct planned){machine, NULL, machine_priority(machine),
                                               similarity_worth(pool_rules(registry->pool), &answer.best.score)});
    }
    sort(shortlist);
    for (size_t i = 0; i < shortlist->count; i++) {
        struct planned planned = shortlist->entries[i];
        struct candidate candidate;

        if (find_own(standby, shortlist, n, planned.served, &candidate) < 0)
            return -ENOMEM;
        if (candidate.machine == NULL)
            continue;
        planned.standby = candidate.machine;
        planned.worth = similarity_worth(pool_rules(registry->pool), &candidate.score);
        shortlist->entries[n++] = planned;
    }
    shortlist->count = n;
    sort(shortlist);
    return 0;
}

/* It is to be left alone for some time: says why. */
static bool is_put_off(struct standby *standby, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(standby->registry, &ref);

    if (machine_rare(machine)->quarantined_until_us > now.mono_us) {
        pool_set_not_warm(standby->registry->pool, machine, "it is in quarantine");
        return true;
    }
    if (watch == NULL || watch_rare(watch)->warm.not_before_us <= now.mono_us)
        return false;
    standby_wake(standby, watch_rare(watch)->warm.not_before_us);
    pool_set_not_warm(standby->registry->pool, machine,
                      watch_rare(watch)->warm.failures > 0
                          ? "it could not be warmed lately, and is tried again later"
                          : "it was warm until a few minutes ago, and is warmed again later");
    return true;
}

/* Nothing but its host's memory and the limit may stand in the way of one that is begun later. */
static bool can_be_begun(const struct standby *standby, const struct machine *machine, struct moment now)
{
    return machine_state_is_startable(machine->state) && machine_rare(machine)->claimed_by == NULL &&
           machine->hold == NULL && !machine->is_closed && !machine->is_reserved && machine->is_present &&
           machine->is_reachable && !machine->failed_unrecovered && (machine->roles & ROLE_STANDBY) != 0 &&
           !late_starts_may_bring_up(standby->late_starts, machine, now) &&
           (machine->persistent || standby->registry->config->standby.warmth == KEEP_PAUSED);
}

/* What its host has too little for it, in KiB. */
static uint64_t lacking_kib(const struct standby *standby, const struct machine *machine)
{
    bool is_known;
    uint64_t free_kib = pool_spare_memory(standby->registry->pool, machine->hypervisor, &is_known);
    uint64_t needed_kib = domain_description_host_memory_kib(machine->description);

    if (!standby->registry->config->recovery.check_memory || !is_known || free_kib >= needed_kib)
        return 0;
    return needed_kib - free_kib;
}

static bool fits_on_host(const struct standby *standby, const struct machine *machine)
{
    return lacking_kib(standby, machine) == 0;
}

/* Not only because one of two equals must come first: for that, none is given back. */
static bool is_worth_more(const struct planned *a, const struct planned *b)
{
    return a->priority > b->priority || (a->priority == b->priority && a->worth > b->worth);
}

/* What comes back of the memory of its host: as much as it has touched, as far as that was looked at. */
static uint64_t comes_back_kib(const struct machine *machine)
{
    uint64_t configured_kib = machine->description->memory_kib;

    return machine_rare(machine)->resident_kib < configured_kib ? machine_rare(machine)->resident_kib : configured_kib;
}

/* Only memory is missing to begin it, and it came up whenever it was tried. */
static bool is_worth_room(const struct standby *standby, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(standby->registry, &ref);
    const struct host *host = host_find(standby->registry, machine->hypervisor);

    return !brake_withholds(standby->brake, machine) && host != NULL && host->is_listed &&
           (watch == NULL || watch_rare(watch)->warm.failures == 0);
}

static bool stands_for_less(const struct standby *standby, const struct shortlist *shortlist, size_t place,
                            size_t better)
{
    const struct machine *machine = shortlist->entries[place].standby;
    const struct warm_standby *warm = warm_of(standby, machine);

    return warm != NULL && stands_with_memory(warm) && is_at_hand(warm) &&
           strcmp(machine->hypervisor, shortlist->entries[better].standby->hypervisor) == 0 &&
           is_worth_more(&shortlist->entries[better], &shortlist->entries[place]);
}

/*
 * The least valuable of those that stand on its host for less, as many as must give their memory back for it: they
 * are marked. False: there are not enough.
 */
static bool displace(const struct standby *standby, struct shortlist *shortlist, size_t place)
{
    const struct machine *machine = shortlist->entries[place].standby;
    uint64_t lacking = lacking_kib(standby, machine), found = 0;

    if (lacking == 0)
        return true;
    if (!is_worth_room(standby, machine))
        return false;
    for (size_t i = place + 1; i < shortlist->count; i++)
        if (!shortlist->is_displaced[i] && stands_for_less(standby, shortlist, i, place))
            found += comes_back_kib(shortlist->entries[i].standby);
    if (found < lacking)
        return false;
    found = 0;
    for (size_t i = shortlist->count; i-- > place + 1 && found < lacking;)
        if (!shortlist->is_displaced[i] && stands_for_less(standby, shortlist, i, place)) {
            shortlist->is_displaced[i] = true;
            found += comes_back_kib(shortlist->entries[i].standby);
        }
    return true;
}

/* Something that it uses is in use: says so. */
static bool is_in_use(struct standby *standby, const struct machine *machine, struct moment now)
{
    struct pool *pool = standby->registry->pool;
    struct choice_request request = {.pool = pool};
    struct candidate candidate = {.machine = machine, .verdict = CANDIDATE_IN_USE};
    _cleanup_(freep) char *why = NULL;

    if (pool_settle(pool, now.mono_us) < 0)
        return true;
    if (!choose_find_conflict(&request, &candidate))
        return false;
    if (explain_ineligible(&request, &candidate, &why) < 0)
        why = NULL;
    pool_set_not_warm(pool, machine, why);
    return true;
}

/* Is this one to be begun when its turn comes? Says why not, where that is not a matter of time. */
static bool is_worth_beginning(struct standby *standby, struct shortlist *shortlist, size_t place, uint64_t used_kib,
                               struct moment now)
{
    const struct machine *machine = shortlist->entries[place].standby;
    uint64_t needs_kib = machine->description->memory_kib, limit = limit_kib(standby);

    if (!can_be_begun(standby, machine, now) || is_put_off(standby, machine, now))
        return false;
    if (is_in_use(standby, machine, now))
        return false;
    if (needs_kib > limit || used_kib > limit - needs_kib) {
        pool_set_not_warm(standby->registry->pool, machine, "standby.memory_limit leaves no room for it");
        return false;
    }
    if (!displace(standby, shortlist, place)) {
        pool_set_not_warm(standby->registry->pool, machine, "its host does not have enough free memory");
        return false;
    }
    pool_set_not_warm(standby->registry->pool, machine, NULL);
    return true;
}

/* Warm, it would keep one that is planned for a more important machine from being started. NULL: none. */
static const struct machine *find_better(const struct shortlist *shortlist, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (choose_conflict_between(shortlist->entries[i].standby, shortlist->entries[place].standby))
            return shortlist->entries[i].standby;
    return NULL;
}

static bool stands_in_the_way(struct standby *standby, const struct shortlist *shortlist, size_t place)
{
    const struct machine *better = find_better(shortlist, place);
    _cleanup_(freep) char *why = NULL;

    if (better == NULL)
        return false;
    if (asprintf(&why, "it shares a disk or an address with %s, which has a higher rank in the plan", better->name) < 0)
        why = NULL;
    pool_set_not_warm(standby->registry->pool, shortlist->entries[place].standby, why);
    return true;
}

static void mark_wanted(struct warm_standby *warm, const struct machine *served, size_t rank)
{
    warm->served = machine_ref_of(served);
    warm->is_wanted = true;
    warm->rank = rank;
    warm->unwanted_us = USEC_INFINITY;
}

static void forget_marks(struct standby *standby)
{
    for (size_t i = 0; i < standby->count; i++) {
        standby->all[i]->is_wanted = false;
        standby->all[i]->rank = SIZE_MAX;
    }
}

/* A suspended standby costs its memory; a saved one costs it while it runs, and only one does at a time. */
static uint64_t lasting_kib(const struct standby *standby, const struct machine *machine)
{
    return standby->registry->config->standby.warmth == KEEP_PAUSED ? machine->description->memory_kib : 0;
}

/*
 * Goes down the plan until there are enough. Marks those that are warm already, and collects those to be
 * begun, in order.
 */
static size_t pick(struct standby *standby, struct shortlist *shortlist, const struct planned **ret_begin,
                   struct moment now)
{
    uint64_t used_kib = 0;
    size_t n_picked = 0, n_begin = 0;

    forget_marks(standby);
    for (size_t i = 0; i < shortlist->count; i++) {
        const struct machine *machine = shortlist->entries[i].standby;
        struct warm_standby *warm = warm_of(standby, machine);
        bool is_kept = warm != NULL && warm->warming.state != WARMING_OVER && warming_may_yield(&warm->warming);

        if (n_picked >= standby->registry->config->standby.warm) {
            pool_set_not_warm(standby->registry->pool, machine, NULL);
            continue;
        }
        if (shortlist->is_displaced[i] || stands_in_the_way(standby, shortlist, i))
            continue;
        if (is_kept && lasting_kib(standby, machine) <= limit_kib(standby) &&
            used_kib <= limit_kib(standby) - lasting_kib(standby, machine))
            mark_wanted(warm, shortlist->entries[i].served, i);
        else if (warm == NULL && is_worth_beginning(standby, shortlist, i, used_kib, now))
            ret_begin[n_begin++] = &shortlist->entries[i];
        else
            continue;
        n_picked++;
        used_kib += lasting_kib(standby, machine);
    }
    return n_begin;
}

/* ---- turns ---- */

/* A recovery is under way there, or may come there. */
static bool is_disturbed(const struct registry *registry, const char *hypervisor)
{
    const struct records *records = &registry->records;

    for (size_t i = 0; i < records->count; i++) {
        const struct recovery *recovery = records->all[i];

        if (recovery_state_is_final(recovery->state) || recovery->state == RECOVERY_WAITING)
            continue;
        if (recovery->replacement_name == NULL || strcmp(recovery->replacement.hypervisor, hypervisor) == 0)
            return true;
    }
    /* Or a failure was just found, and its recovery is not opened yet. */
    return records->n_restored > 0 || watch_is_any(registry, QUEUE_RECOVERIES);
}

static bool is_busy(const struct standby *standby, const char *hypervisor)
{
    for (size_t i = 0; i < standby->count; i++) {
        const struct warm_standby *warm = standby->all[i];

        if (warm->warming.state != WARMING_STANDING && warm->warming.state != WARMING_CHECKING &&
            warm->warming.state != WARMING_MAY_COME_UP && !warm->is_let_go &&
            strcmp(warm->machine->hypervisor, hypervisor) == 0)
            return true;
    }
    return false;
}

static bool may_begin(const struct standby *standby, const char *hypervisor)
{
    const struct host *host = host_find(standby->registry, hypervisor);

    return standby->registry->config->mode == MODE_AUTOMATIC && !standby->brake->is_on && host != NULL &&
           host->is_listed && host->hold == NULL && !is_disturbed(standby->registry, hypervisor) &&
           !is_busy(standby, hypervisor);
}

/* Room under the limit; makes some of what is not wanted. */
static bool has_room(struct standby *standby, const struct machine *machine, struct moment now)
{
    uint64_t used_kib = memory_of_all(standby), needs_kib = machine->description->memory_kib;
    struct warm_standby *warm;

    if (needs_kib <= limit_kib(standby) && used_kib <= limit_kib(standby) - needs_kib)
        return true;
    warm = least_valuable(standby, NULL, true);
    if (warm != NULL)
        release(standby, warm, now);
    return false;
}

static void begin(struct standby *standby, const struct planned *planned, struct moment now)
{
    const struct machine *machine = planned->standby;

    if (!may_begin(standby, machine->hypervisor) || !has_room(standby, machine, now) || !fits_on_host(standby, machine))
        return;
    if (warm_standby_begin(standby, machine, planned->served, now) == -ENOMEM)
        outbox_tell(&standby->registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to keep %s warm",
                    machine->name);
}

static int64_t refresh_us(const struct standby *standby, const struct warm_standby *warm)
{
    const struct config_standby *config = &standby->registry->config->standby;

    if (warm->warming.form != config->warmth)
        return INT64_MIN;
    return config->refresh_us == 0 ? USEC_INFINITY : warm->warming.standing.mono_us + config->refresh_us;
}

/* The standby may run beside all that runs; for a saved one there is memory. */
static bool can_be_run(struct standby *standby, const struct warm_standby *warm, struct moment now)
{
    if (is_in_use(standby, warm->machine, now))
        return false;
    return warm_standby_has_memory(warm) ||
           (has_room(standby, warm->machine, now) && fits_on_host(standby, warm->machine));
}

static void refresh_due(struct standby *standby, struct moment now)
{
    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (warm->warming.state == WARMING_STANDING && !warm->is_let_go && warm->is_wanted &&
            warm->machine->hold == NULL && refresh_us(standby, warm) <= now.mono_us &&
            may_begin(standby, warm->machine->hypervisor) && can_be_run(standby, warm, now))
            warm_standby_handle(standby, warm, WARMING_BEGIN, NULL, NULL, now);
    }
}

/* Releases standbys that the plan does not want any more, and as many as a lower limit asks for. */
static void give_back(struct standby *standby, struct moment now)
{
    struct warm_standby *least;

    for (size_t i = 0; i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (warm->is_wanted || warm->is_let_go)
            continue;
        /* One that cannot be reached, or is held, is left alone: the plan is without it. */
        if (warm->unwanted_us == USEC_INFINITY || !is_at_hand(warm))
            warm->unwanted_us = now.mono_us;
        if (!is_at_hand(warm))
            continue;
        warm->was_switched_off = !is_enabled(standby);
        if (warm->was_switched_off ||
            (warm->warming.state == WARMING_STANDING && now.mono_us - warm->unwanted_us >= UNWANTED_US))
            release(standby, warm, now);
    }
    for (;;) {
        uint64_t sum_kib = 0;

        for (size_t i = 0; i < standby->count; i++)
            if (!is_being_given_back(standby->all[i]))
                sum_kib += memory_of(standby->all[i]);
        least = least_valuable(standby, NULL, false);
        if (sum_kib <= limit_kib(standby) || least == NULL)
            return;
        release(standby, least, now);
    }
}

/* When something falls due by itself. */
static int64_t next_us(const struct standby *standby, struct moment now)
{
    int64_t next = USEC_INFINITY;

    for (size_t i = 0; i < standby->count; i++) {
        const struct warm_standby *warm = standby->all[i];
        int64_t at_us = warm->is_wanted ? refresh_us(standby, warm) : warm->unwanted_us + UNWANTED_US;

        /* What is due already waits for something that will be told. */
        if (warm->warming.state == WARMING_STANDING && at_us > now.mono_us && at_us < next)
            next = at_us;
    }
    return next;
}

int64_t standby_choose(struct standby *standby, struct moment now)
{
    _cleanup_(freep) struct shortlist *shortlist = calloc(1, sizeof(*shortlist));
    const struct planned *to_begin[LOOKED_AT];
    size_t n_begin = 0;

    if (standby->registry->config->mode == MODE_OBSERVE)
        return USEC_INFINITY;
    if (is_enabled(standby)) {
        if (shortlist == NULL || shortlist_make(standby, shortlist) < 0)
            return now.mono_us + RETRY_US;
        n_begin = pick(standby, shortlist, to_begin, now);
    } else {
        forget_marks(standby);
    }
    give_back(standby, now);
    refresh_due(standby, now);
    for (size_t i = 0; i < n_begin; i++)
        begin(standby, to_begin[i], now);
    return next_us(standby, now);
}

/* ---- memory for recoveries ---- */

static bool has_or_gets_memory(const struct warm_standby *warm, const char *hypervisor)
{
    return !warm->is_let_go && warm->machine->hold == NULL && warm_standby_has_memory(warm) &&
           strcmp(warm->machine->hypervisor, hypervisor) == 0;
}

static uint64_t sum_up(const struct standby *standby, const char *hypervisor, bool only_given_back)
{
    uint64_t sum_kib = 0;

    for (size_t i = 0; i < standby->count; i++) {
        const struct warm_standby *warm = standby->all[i];

        if (has_or_gets_memory(warm, hypervisor) &&
            (is_being_given_back(warm) || (!only_given_back && warming_may_yield(&warm->warming))))
            sum_kib += domain_description_host_memory_kib(warm->machine->description);
    }
    return sum_kib;
}

/* Standbys that are warm come first, the least valuable before the others; then those on their way. */
static struct warm_standby *next_to_give_back(const struct standby *standby, const char *hypervisor)
{
    struct warm_standby *least = least_valuable(standby, hypervisor, false);

    for (size_t i = 0; least == NULL && i < standby->count; i++) {
        struct warm_standby *warm = standby->all[i];

        if (has_or_gets_memory(warm, hypervisor) && warming_may_yield(&warm->warming))
            least = warm;
    }
    return least;
}

bool standby_could_make_room(const struct standby *standby, const char *hypervisor, uint64_t needed_kib)
{
    bool is_known;

    return pool_spare_memory(standby->registry->pool, hypervisor, &is_known) + sum_up(standby, hypervisor, false) >=
           needed_kib;
}

bool standby_make_room(struct standby *standby, const char *hypervisor, uint64_t needed_kib, struct moment now)
{
    bool is_known;
    uint64_t free_kib = pool_spare_memory(standby->registry->pool, hypervisor, &is_known);
    uint64_t coming_kib = sum_up(standby, hypervisor, true);
    struct warm_standby *warm;

    if (!standby_could_make_room(standby, hypervisor, needed_kib))
        return false;
    while (free_kib + coming_kib < needed_kib && (warm = next_to_give_back(standby, hypervisor)) != NULL) {
        coming_kib += domain_description_host_memory_kib(warm->machine->description);
        release(standby, warm, now);
    }
    return coming_kib > 0;
}
