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
#include "coordinator/orders.h"
#include "coordinator/services.h"

#define LOOK_US (60 * USEC_PER_SEC)
/* So many services are tried in one look until one is not refused. */
#define TRIED_MAX 10
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

static bool is_newest_of_its_service(const struct registry *registry, const struct recovery *recovery)
{
    const struct records *records = &registry->records;

    for (size_t i = records->count; i-- > 0;)
        if (machine_ref_equal(&records->all[i]->service, &recovery->service))
            return records->all[i] == recovery;
    return false;
}

/* Another machine has taken over for a rehearsal, and nothing has happened since. */
static const struct diversion *find_unfinished(const struct registry *registry, const struct recovery **ret)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        const struct diversion *diversion = registry->diversions.all[i];
        const struct recovery *recovery = records_find(&registry->records, diversion->recovery_id);

        if (diversion->is_over || recovery == NULL || !recovery->is_rehearsal ||
            recovery->state != RECOVERY_RECOVERED || !is_newest_of_its_service(registry, recovery))
            continue;
        *ret = recovery;
        return diversion;
    }
    return NULL;
}

static bool is_any_under_way(const struct registry *registry)
{
    for (size_t i = registry->records.count; i-- > 0;)
        if (!recovery_state_is_final(registry->records.all[i]->state))
            return true;
    return false;
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
           machine->state == MACHINE_RUNNING;
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

/* True: the original is to serve again, or cannot yet. */
static bool end_unfinished(struct rehearsals *rehearsals, struct moment now, bool *ret_acted)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    const struct recovery *recovery = NULL;
    const struct diversion *diversion = find_unfinished(rehearsals->recoveries->registry, &recovery);
    struct order order = {
        .kind = ORDER_FAILBACK,
        .is_rehearsal = true,
        .is_confirmed = true,
    };

    if (diversion == NULL)
        return false;
    order.machine = diversion->service.replacement;
    order.by = recovery->ordered_by; /* NOLINT(clang-analyzer-core.NullDereference): there is one */
    *ret_acted = orders_take(rehearsals->recoveries, &order, now, &answer) == 0;
    return true;
}

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
        last_us = last_of(registry, &ref);
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

/* Without a look at the services. */
static bool is_hindered(const struct rehearsals *rehearsals, struct moment now)
{
    const struct registry *registry = rehearsals->recoveries->registry;

    for (size_t i = 0; i < registry->n_hosts; i++)
        if (!registry->hosts[i].was_listed)
            return true;
    return registry->config->mode != MODE_AUTOMATIC || rehearsals->recoveries->brake->is_on ||
           rehearsals->n_severe > 0 || is_any_under_way(registry) || rehearsals->drill.kind != ORDER_COUNT ||
           plan_settle(registry->plan, now.mono_us, 0) <= 0;
}

/* True: one has begun. */
static bool begin_next(struct rehearsals *rehearsals, struct moment now)
{
    _cleanup_(freep) struct due_service *due = NULL;
    size_t n = 0, n_tried = 0;

    if (!is_on(rehearsals) || !is_in_window(rehearsals, now) || is_hindered(rehearsals, now) ||
        find_due(rehearsals, now, &due, &n) < 0)
        return false;
    for (size_t i = 0; i < n && n_tried < TRIED_MAX; i++) {
        _cleanup_(order_answer_done) struct order_answer answer = {0};

        if (!fits(rehearsals, due[i].server, now))
            continue;
        n_tried++;
        if (give(rehearsals, due[i].server, BY, false, now, &answer) == 0)
            return true;
    }
    return false;
}

bool rehearsals_handle(void *self, struct moment now)
{
    struct rehearsals *rehearsals = self;
    bool has_ended = registry_take(rehearsals->recoveries->registry, FACT_REHEARSED);
    bool is_unfinished, has_acted = false;

    if (!has_ended && now.mono_us < rehearsals->due_us)
        return false;
    is_unfinished = end_unfinished(rehearsals, now, &has_acted);
    rehearsals->due_us = is_on(rehearsals) || is_unfinished ? now.mono_us + LOOK_US : USEC_INFINITY;
    if (!is_unfinished && rehearsals->has_looked)
        has_acted = begin_next(rehearsals, now);
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
}

bool rehearsals_next_drill(struct rehearsals *rehearsals, struct order *ret)
{
    if (rehearsals->drill.kind == ORDER_COUNT)
        return false;
    *ret = rehearsals->drill;
    rehearsals->drill.kind = ORDER_COUNT;
    return true;
}

/* ---- what an operator asks ---- */

static int say(struct order_answer *answer, int error, char *words)
{
    answer->words = words;
    return words == NULL ? -ENOMEM : error;
}

/* Why nothing begins, whatever the service; NULL: nothing stands against it. */
static const char *why_hindered(const struct rehearsals *rehearsals)
{
    if (rehearsals->n_severe > 0)
        return "there is a severe problem: understudyctl problems";
    if (is_any_under_way(rehearsals->recoveries->registry) || rehearsals->drill.kind != ORDER_COUNT)
        return "a recovery is under way: understudyctl history --outcome under-way";
    return NULL;
}

int rehearsals_order(struct rehearsals *rehearsals, const struct order *order, struct moment now,
                     struct order_answer *ret)
{
    const struct registry *registry = rehearsals->recoveries->registry;
    const struct machine *machine = pool_find(registry->pool, order->machine.hypervisor, order->machine.uuid);
    _cleanup_(order_answer_done) struct order_answer question = {0};
    const char *why = why_hindered(rehearsals);
    int r;

    if (machine == NULL)
        return -ENOENT;
    if (machine->serves != NULL || machine->diverted != NULL)
        return say(ret, -EBUSY,
                   text_print("another machine than its original serves %s: understudyctl failback %s",
                              machine_service_name(machine), machine_service_name(machine)));
    if (why != NULL)
        return say(ret, -EBUSY, text_copy(why));
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

/* What stands against it that is of this service alone; NULL: nothing, or no memory (*ret_error). */
static char *why_not(struct rehearsals *rehearsals, const struct machine *server, struct moment now, int *ret_error)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    if (!is_on(rehearsals))
        return text_copy("nothing is rehearsed by itself: rehearsals.every is 0s");
    if (!matches(rehearsals, server))
        return text_copy("no pattern of rehearsals.match names it");
    if (server->serves != NULL || server->diverted != NULL)
        return text_copy("another machine than its original serves it");
    if (why_hindered(rehearsals) != NULL)
        return text_copy(why_hindered(rehearsals));
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

    if (rehearsal.last_us != 0)
        rehearsal.due_us = rehearsal.last_us + config_of(rehearsals)->every_us;
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
