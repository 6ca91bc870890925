/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looked at each minute: nothing of this is urgent, and it costs a look at each service. */
#include "coordinator/rehearsals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "choose/plan.h"
#include "config/pattern.h"
#include "coordinator/drills.h"
#include "coordinator/orders.h"
#include "coordinator/recovery_notices.h"
#include "coordinator/services.h"

#define LOOK_US (60 * USEC_PER_SEC)
/* Who orders it. */
#define BY "rehearsal"

static const struct config_rehearsals *config_of(const struct rehearsals *rehearsals)
{
    return &rehearsals->recoveries->registry->config->rehearsals;
}

static bool is_on(const struct rehearsals *rehearsals)
{
    return config_of(rehearsals)->every_us > 0;
}

/* ---- what was ---- */

/* It was tried whether another machine takes over; that no more than a hold came over it proves nothing. */
static bool counts(const struct recovery *recovery)
{
    if (!recovery_state_is_final(recovery->state) || recovery->cause == CAUSE_FAILBACK ||
        recovery->state == RECOVERY_HELD)
        return false;
    return recovery->is_rehearsal ||
           (recovery->state == RECOVERY_RECOVERED && (recovery->is_drill || recovery->relief != RELIEF_NONE) &&
            !machine_ref_equal(&recovery->replacement, &recovery->service));
}

/* real_us; 0: never. */
static int64_t last_of(const struct registry *registry, const struct machine_ref *service)
{
    const struct records *records = &registry->records;

    for (size_t i = records->count; i-- > 0;)
        if (machine_ref_equal(&records->all[i]->service, service) && counts(records->all[i]))
            return records->all[i]->detected.real_us;
    return 0;
}

/* The same; where all records that are kept are younger than that, it was at the time of the oldest at the latest. */
static int64_t last_possible(const struct registry *registry, const struct machine_ref *service)
{
    const struct records *records = &registry->records;
    int64_t last_us = last_of(registry, service);

    return last_us != 0 || records->count < CONFIG_HISTORY_MAX ? last_us : records->all[0]->detected.real_us;
}

static bool is_newest_of_its_service(const struct registry *registry, const struct recovery *recovery,
                                     bool among_rehearsals)
{
    const struct records *records = &registry->records;

    for (size_t i = records->count; i-- > 0;)
        if (machine_ref_equal(&records->all[i]->service, &recovery->service) &&
            (!among_rehearsals || records->all[i]->is_rehearsal))
            return records->all[i] == recovery;
    return false;
}

/* NULL: it is no rehearsal by which another machine has taken over, or something has happened since. */
static const struct diversion *unfinished_by(const struct registry *registry, const struct recovery *recovery)
{
    const struct diversion *diversion;

    if (!recovery->is_rehearsal || recovery->state != RECOVERY_RECOVERED || recovery->cause == CAUSE_FAILBACK)
        return NULL;
    diversion = diversions_of(&registry->diversions, &recovery->service);
    return diversion != NULL && strcmp(diversion->recovery_id, recovery->id) == 0 &&
                   is_newest_of_its_service(registry, recovery, false)
               ? diversion
               : NULL;
}

enum rehearsal_trouble rehearsals_trouble_of(const struct registry *registry, const struct recovery *recovery)
{
    if (unfinished_by(registry, recovery) != NULL)
        return REHEARSAL_UNFINISHED;
    return recovery_is_failed_rehearsal(recovery) &&
                   pool_find(registry->pool, recovery->service.hypervisor, recovery->service.uuid) != NULL &&
                   is_newest_of_its_service(registry, recovery, true)
               ? REHEARSAL_FAILED
               : REHEARSAL_FINE;
}

/* The newest one; NULL: there is none. */
static const struct recovery *find_trouble(const struct registry *registry, enum rehearsal_trouble trouble)
{
    for (size_t i = registry->records.count; i-- > 0;)
        if (rehearsals_trouble_of(registry, registry->records.all[i]) == trouble)
            return registry->records.all[i];
    return NULL;
}

static bool is_any_down(const struct registry *registry)
{
    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;)
        if (machine->failed_unrecovered && machine_is_protected(machine))
            return true;
    return false;
}

static struct watch *drilled_watch(const struct rehearsals *rehearsals)
{
    return rehearsals->drilled.uuid[0] != '\0' ? watch_find(rehearsals->recoveries->registry, &rehearsals->drilled)
                                               : NULL;
}

/* Recoveries, and the crash of a machine that is not seen yet. */
static bool is_any_under_way(const struct rehearsals *rehearsals, struct moment now)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    const struct watch *drilled = drilled_watch(rehearsals);

    for (size_t i = registry->records.count; i-- > 0;)
        if (!recovery_state_is_final(registry->records.all[i]->state))
            return true;
    return rehearsals->drill.kind != ORDER_COUNT || (drilled != NULL && drills_is_due(registry, drilled, now));
}

/* ---- what may be ---- */

/* So long a failover and a failback may take by their limits; with a drill, each candidate. */
static int64_t longest_us(const struct rehearsals *rehearsals, const struct machine *server)
{
    const struct config_recovery *config = &registry_config_of(rehearsals->recoveries->registry, server)->recovery;
    int64_t start_us = config->start_timeout_us + config->settle_us + config->verify.timeout_us;
    int64_t stop_us = config->shutdown_timeout_us;

    return config_of(rehearsals)->crash ? config->attempts * start_us + start_us + stop_us : 2 * (start_us + stop_us);
}

static bool matches(const struct rehearsals *rehearsals, const struct machine *server)
{
    const struct string_list *patterns = &config_of(rehearsals)->match;

    return patterns_match(patterns, server->hypervisor, machine_service_name(server));
}

/* The original of a service that is up: only that is rehearsed, since it serves again in the end. */
static bool serves_itself(const struct machine *machine)
{
    return machine->is_present && machine->is_reachable && machine->serves == NULL && machine->diverted == NULL &&
           machine_is_protected(machine) && machine->keeping == KEEPING_NONE && !machine->failed_unrecovered &&
           machine->state == MACHINE_RUNNING && machine->persistent && machine->hold == NULL;
}

/* As far as the plan is known. */
static bool is_planned(const struct registry *registry, const struct machine *server)
{
    struct plan_answer answer;

    return plan_is_served(registry->plan, server) && plan_find(registry->plan, server, &answer) == 0 &&
           answer.best.machine != NULL;
}

/* What is given as an order; with is_question, whether it would be taken. */
static int give(struct rehearsals *rehearsals, const struct machine *server, const char *by, bool is_question,
                struct moment now, struct order_answer *ret)
{
    struct order order = {
        .kind = config_of(rehearsals)->crash ? ORDER_DRILL : ORDER_FAILOVER,
        .machine = machine_ref_of(server),
        .by = by,
        .is_rehearsal = true,
        .is_confirmed = true,
        .is_question = is_question || config_of(rehearsals)->crash,
    };
    int r = orders_take(rehearsals->recoveries, &order, now, ret);

    if (r < 0 || is_question || order.kind == ORDER_FAILOVER)
        return r;
    snprintf(rehearsals->drilled_by, sizeof(rehearsals->drilled_by), "%s", by != NULL ? by : "");
    order.is_question = false;
    order.by = rehearsals->drilled_by;
    rehearsals->drill = order;
    ret->words = text_print("%s is crashed for a rehearsal", server->name);
    return ret->words != NULL ? 0 : -ENOMEM;
}

/* ---- what is done ---- */

struct due_service {
    const struct machine *server;
    int64_t last_us;
};

/* The one that was rehearsed longest ago comes first. */
static int compare(const void *left, const void *right)
{
    const struct due_service *a = left, *b = right;

    return a->last_us != b->last_us ? (a->last_us > b->last_us) - (a->last_us < b->last_us)
                                    : strcmp(a->server->name, b->server->name);
}

static bool fits(const struct rehearsals *rehearsals, const struct machine *server, struct moment now)
{
    struct window window;

    return window_parse(config_of(rehearsals)->window, &window) &&
           window_covers(&window, rehearsals->clock, now.real_us, longest_us(rehearsals, server));
}

static bool is_in_window(const struct rehearsals *rehearsals, struct moment now)
{
    struct window window;

    return window_parse(config_of(rehearsals)->window, &window) &&
           window_contains(&window, rehearsals->clock(now.real_us));
}

/* Later than this, the outage of a failback would come as a surprise: it is left to the operator. */
static bool is_time_to_end(const struct rehearsals *rehearsals, const struct recovery *recovery, struct moment now)
{
    const struct machine *server =
        pool_find(rehearsals->recoveries->registry->pool, recovery->service.hypervisor, recovery->service.uuid);
    int64_t since_us = now.real_us - recovery->ended.real_us;

    if (server == NULL)
        return false;
    return since_us < LOOK_US || (strcmp(recovery->ordered_by, BY) == 0 ? is_in_window(rehearsals, now)
                                                                        : since_us < longest_us(rehearsals, server));
}

/* True: an original is to serve again. */
static bool end_unfinished(struct rehearsals *rehearsals, struct moment now, bool *ret_is_any)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    bool is_hindered = rehearsals->n_severe > 0 || is_any_under_way(rehearsals, now);

    *ret_is_any = false;
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];
        const struct diversion *diversion = unfinished_by(registry, recovery);
        _cleanup_(order_answer_done) struct order_answer answer = {0};
        struct order order = {
            .kind = ORDER_FAILBACK,
            .by = recovery->ordered_by,
            .is_rehearsal = true,
            .is_confirmed = true,
        };

        if (diversion == NULL)
            continue;
        *ret_is_any = true;
        order.machine = diversion->service.replacement;
        if (!is_hindered && is_time_to_end(rehearsals, recovery, now) &&
            orders_take(rehearsals->recoveries, &order, now, &answer) == 0)
            return true;
    }
    return false;
}

/* Free with free(). -ENOMEM. */
static int find_due(const struct rehearsals *rehearsals, struct moment now, struct due_service **ret, size_t *ret_count)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    _cleanup_(freep) struct due_service *due = NULL;
    size_t n = 0;

    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
        struct machine_ref ref = machine_ref_of(machine);
        struct due_service *longer;
        int64_t last_us;

        if (!serves_itself(machine) || !matches(rehearsals, machine) || !is_planned(registry, machine))
            continue;
        last_us = last_possible(registry, &ref);
        if (last_us != 0 && now.real_us - last_us < config_of(rehearsals)->every_us)
            continue;
        longer = reallocarray(due, n + 1, sizeof(*due));
        if (longer == NULL)
            return -ENOMEM;
        due = longer;
        due[n++] = (struct due_service){machine, last_us};
    }
    if (n > 0)
        qsort(due, n, sizeof(*due), compare);
    *ret = steal_pointer(&due);
    *ret_count = n;
    return 0;
}

/* What stands against any rehearsal, whatever the service. */
struct hindrance {
    enum {
        HINDRANCE_NONE,
        HINDRANCE_PROBLEM,
        HINDRANCE_RECOVERY,
        HINDRANCE_UNFINISHED,
        HINDRANCE_FAILED, /* only to those that begin by themselves */
    } kind;
    const char *service; /* whose rehearsal is unfinished, or has failed; borrowed */
};

static struct hindrance find_hindrance(const struct rehearsals *rehearsals, bool is_by_order, struct moment now)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    const struct recovery *recovery;

    if (rehearsals->n_severe > 0)
        return (struct hindrance){HINDRANCE_PROBLEM, NULL};
    if (is_any_under_way(rehearsals, now))
        return (struct hindrance){HINDRANCE_RECOVERY, NULL};
    recovery = find_trouble(registry, REHEARSAL_UNFINISHED);
    if (recovery != NULL)
        return (struct hindrance){HINDRANCE_UNFINISHED, recovery->service_name};
    recovery = is_by_order ? NULL : find_trouble(registry, REHEARSAL_FAILED);
    if (recovery != NULL)
        return (struct hindrance){HINDRANCE_FAILED, recovery->service_name};
    return (struct hindrance){HINDRANCE_NONE, NULL};
}

/* For people; NULL: no memory. */
static char *describe_hindrance(struct hindrance hindrance)
{
    switch (hindrance.kind) {
    case HINDRANCE_PROBLEM:
        return text_copy("there is a severe problem: understudyctl problems");
    case HINDRANCE_RECOVERY:
        return text_copy("a recovery is under way: understudyctl history --outcome under-way");
    case HINDRANCE_UNFINISHED:
        return text_print("%s was rehearsed, and its original does not serve again: understudyctl failback %s, or "
                          "understudyctl keep %s",
                          hindrance.service, hindrance.service, hindrance.service);
    case HINDRANCE_FAILED:
        return text_print("the last rehearsal of %s has failed: understudyctl rehearse %s --yes, or understudyctl "
                          "clear %s",
                          hindrance.service, hindrance.service, hindrance.service);
    case HINDRANCE_NONE:
    default:
        return text_copy("");
    }
}

/* Without a look at the services that are due. */
static bool is_hindered(const struct rehearsals *rehearsals, struct moment now)
{
    const struct registry *registry = rehearsals->recoveries->registry;

    for (size_t i = 0; i < registry->n_hosts; i++)
        if (!registry->hosts[i].was_listed)
            return true;
    return registry->config->mode != MODE_AUTOMATIC || rehearsals->recoveries->brake->is_on ||
           find_hindrance(rehearsals, false, now).kind != HINDRANCE_NONE || is_any_down(registry) ||
           plan_settle(registry->plan, now.mono_us, 0) <= 0;
}

/* True: one has begun. */
static bool begin_next(struct rehearsals *rehearsals, struct moment now)
{
    _cleanup_(freep) struct due_service *due = NULL;
    size_t n = 0;

    if (!is_on(rehearsals) || !is_in_window(rehearsals, now) || is_hindered(rehearsals, now) ||
        find_due(rehearsals, now, &due, &n) < 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        _cleanup_(order_answer_done) struct order_answer answer = {0};

        if (fits(rehearsals, due[i].server, now) && give(rehearsals, due[i].server, BY, false, now, &answer) == 0)
            return true;
    }
    return false;
}

/* A machine that was to be crashed goes on. True: it may still be. */
static bool end_drill(struct rehearsals *rehearsals, struct moment now)
{
    struct registry *registry = rehearsals->recoveries->registry;
    struct watch *watch = drilled_watch(rehearsals);

    if (watch == NULL)
        return false;
    if (drills_is_due(registry, watch, now))
        return true;
    rehearsals_fail_drill(rehearsals, &rehearsals->drilled, "it did not end in time", now);
    drills_end(registry, watch);
    rehearsals->drilled = (struct machine_ref){0};
    return false;
}

bool rehearsals_handle(void *self, struct moment now)
{
    struct rehearsals *rehearsals = self;
    bool has_ended = registry_take(rehearsals->recoveries->registry, FACT_REHEARSED);
    bool is_look = now.mono_us >= rehearsals->due_us;
    bool is_unfinished = false, has_acted = false, is_drilled;

    if (!has_ended && !is_look)
        return false;
    is_drilled = end_drill(rehearsals, now);
    if (rehearsals->has_looked)
        has_acted = end_unfinished(rehearsals, now, &is_unfinished);
    else
        is_unfinished = find_trouble(rehearsals->recoveries->registry, REHEARSAL_UNFINISHED) != NULL;
    /* By the next look, the problems are known that this one has left. */
    if (rehearsals->has_looked && is_look && !has_ended && !has_acted)
        has_acted = begin_next(rehearsals, now);
    rehearsals->due_us = is_on(rehearsals) || is_unfinished || is_drilled ? now.mono_us + LOOK_US : USEC_INFINITY;
    rehearsals->has_looked = true;
    return has_acted;
}

int64_t rehearsals_deadline(const void *self)
{
    const struct rehearsals *rehearsals = self;

    return rehearsals->due_us;
}

void rehearsals_configure(struct rehearsals *rehearsals)
{
    rehearsals->due_us = 0;
    rehearsals->has_looked = false;
}

bool rehearsals_next_drill(struct rehearsals *rehearsals, struct moment now, struct order *ret)
{
    struct order drill = rehearsals->drill;

    if (drill.kind == ORDER_COUNT)
        return false;
    rehearsals->drill.kind = ORDER_COUNT;
    if (strcmp(rehearsals->drilled_by, BY) == 0 ? is_hindered(rehearsals, now)
                                                : find_hindrance(rehearsals, true, now).kind != HINDRANCE_NONE)
        return false;
    rehearsals->drilled = drill.machine;
    if (rehearsals->due_us > now.mono_us + LOOK_US)
        rehearsals->due_us = now.mono_us + LOOK_US;
    *ret = drill;
    return true;
}

void rehearsals_fail_drill(struct rehearsals *rehearsals, const struct machine_ref *ref, const char *why,
                           struct moment now)
{
    struct registry *registry = rehearsals->recoveries->registry;
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct watch *watch = watch_find(registry, ref);
    _cleanup_(recovery_freep) struct recovery *recovery = NULL;
    char id[RECOVERY_ID_SIZE];

    if (machine == NULL || watch == NULL || watch_remembered(watch)->drill.announced_us == 0 ||
        !watch_remembered(watch)->drill.is_rehearsal || records_make_room(&registry->records) < 0)
        return;
    records_make_id(&registry->records, now, id);
    if (recovery_new(id, machine, CAUSE_DRILL, now, &recovery) < 0)
        return;
    recovery->state = RECOVERY_CALLED_OFF;
    recovery->ended = now;
    recovery->service = services_original_of(registry, machine);
    recovery->is_drill = recovery->is_rehearsal = recovery->is_changed = true;
    recovery->detail = text_print("%s could not be crashed: %s", machine->name, why);
    snprintf(recovery->ordered_by, sizeof(recovery->ordered_by), "%s", watch_remembered(watch)->drill.by);
    recovery_notices_tell_end(&registry->outbox, recovery, now);
    records_add(&registry->records, steal_pointer(&recovery));
}

/* ---- what an operator asks ---- */

static int say(struct order_answer *answer, int error, char *words)
{
    answer->words = words;
    return words == NULL ? -ENOMEM : error;
}

int rehearsals_order(struct rehearsals *rehearsals, const struct order *order, struct moment now,
                     struct order_answer *ret)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    const struct machine *machine = pool_find(registry->pool, order->machine.hypervisor, order->machine.uuid);
    _cleanup_(order_answer_done) struct order_answer question = {0};
    struct hindrance hindrance = find_hindrance(rehearsals, true, now);
    int r;

    if (machine == NULL)
        return -ENOENT;
    if (machine->serves != NULL || machine->diverted != NULL)
        return say(ret, -EBUSY,
                   text_print("another machine than its original serves %s: understudyctl failback %s",
                              machine_service_name(machine), machine_service_name(machine)));
    if (hindrance.kind != HINDRANCE_NONE)
        return say(ret, -EBUSY, describe_hindrance(hindrance));
    r = give(rehearsals, machine, order->by, true, now, &question);
    if (r < 0) {
        ret->words = steal_pointer(&question.words);
        return r;
    }
    if (!order->is_confirmed)
        return say(
            ret, -EPERM,
            text_print("%s is down from its %s until another machine is verified, and perhaps once more when its "
                       "original serves again; confirm it with --yes",
                       machine_service_name(machine), config_of(rehearsals)->crash ? "crash" : "stop"));
    return give(rehearsals, machine, order->by, false, now, ret);
}

static const struct recovery *find_unfinished_of(const struct registry *registry, const struct machine *original)
{
    const struct machine_ref ref = machine_ref_of(original);
    const struct diversion *diversion = diversions_of(&registry->diversions, &ref);
    const struct recovery *recovery =
        diversion != NULL ? records_find(&registry->records, diversion->recovery_id) : NULL;

    return recovery != NULL && unfinished_by(registry, recovery) != NULL ? recovery : NULL;
}

/* What stands against it that is of this service alone; NULL: nothing, or no memory (*ret_error). */
static char *why_not(struct rehearsals *rehearsals, const struct machine *server, struct moment now, int *ret_error)
{
    const struct recovery *unfinished = find_unfinished_of(rehearsals->recoveries->registry, server);
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    struct hindrance hindrance;

    if (unfinished != NULL)
        return describe_hindrance((struct hindrance){HINDRANCE_UNFINISHED, unfinished->service_name});
    if (!is_on(rehearsals))
        return text_copy("nothing is rehearsed by itself: rehearsals.every is 0s");
    if (!matches(rehearsals, server))
        return text_copy("no pattern of rehearsals.match names it");
    if (server->serves != NULL || server->diverted != NULL)
        return text_copy("another machine than its original serves it");
    hindrance = find_hindrance(rehearsals, false, now);
    if (hindrance.kind != HINDRANCE_NONE)
        return describe_hindrance(hindrance);
    *ret_error = give(rehearsals, server, BY, true, now, &answer);
    if (*ret_error == -ENOMEM)
        return NULL;
    if (*ret_error < 0) {
        *ret_error = 0;
        return steal_pointer(&answer.words);
    }
    return is_planned(rehearsals->recoveries->registry, server)
               ? NULL
               : text_copy("no machine would take over: understudyctl plan");
}

int rehearsals_look_out(struct rehearsals *rehearsals, const struct machine_ref *service, struct moment now,
                        struct rehearsal *ret)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    const struct machine *server = pool_find(registry->pool, service->hypervisor, service->uuid);
    struct rehearsal rehearsal = {.last_us = last_of(registry, service), .next_us = -1};
    struct window window;
    int r = 0;

    if (last_possible(registry, service) != 0)
        rehearsal.due_us = last_possible(registry, service) + config_of(rehearsals)->every_us;
    if (server == NULL) {
        rehearsal.why_not = text_copy("its original is gone");
        *ret = rehearsal;
        return rehearsal.why_not != NULL ? 0 : -ENOMEM;
    }
    rehearsal.why_not = why_not(rehearsals, server, now, &r);
    if (r < 0)
        return r;
    if (is_on(rehearsals) && matches(rehearsals, server) && window_parse(config_of(rehearsals)->window, &window)) {
        int64_t from_us = rehearsal.due_us > now.real_us ? rehearsal.due_us : now.real_us;

        rehearsal.next_us = window_next_us(&window, rehearsals->clock, from_us, longest_us(rehearsals, server));
        if (rehearsal.next_us < 0 && rehearsal.why_not == NULL)
            rehearsal.why_not = text_print("it may take %" PRId64 " minutes, which is longer than rehearsals.window",
                                           longest_us(rehearsals, server) / (60 * USEC_PER_SEC) + 1);
    }
    *ret = rehearsal;
    return 0;
}
