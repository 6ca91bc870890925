/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Orders: each is checked against what is known now, and then left to the part that carries it out. */
#include "coordinator/orders.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "choose/explain.h"
#include "coordinator/drills.h"
#include "coordinator/failures.h"
#include "coordinator/keep.h"
#include "coordinator/obstacle.h"
#include "coordinator/open_recovery.h"
#include "coordinator/opening.h"
#include "coordinator/quarantine.h"
#include "coordinator/services.h"
#include "coordinator/standby/choose.h"

/* An order under examination. */
struct request {
    struct recoveries *recoveries;
    struct registry *registry;
    const struct order *order;
    struct moment now;
    const struct machine *machine; /* that the order names */
    const struct machine *server;  /* that serves the service, or did last; NULL: it is gone */
    struct watch *watch;           /* of the server */
    struct machine_ref original;
    const char *service;         /* name, borrowed */
    struct diversion *diversion; /* NULL: its original serves */
    struct order_answer *answer;
};

static int say(const struct request *request, int error, const char *format, ...) _printf_(3, 4);

/* What is answered. Returns error, or -ENOMEM. */
static int say(const struct request *request, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    request->answer->words = text_vprint(format, arguments);
    va_end(arguments);
    return request->answer->words == NULL ? -ENOMEM : error;
}

#define refuse(request, ...) (say(request, 0, __VA_ARGS__) < 0 ? -ENOMEM : -EBUSY)

/* ---- the service that is meant ---- */

static void find_service(struct request *request)
{
    const struct registry *registry = request->registry;
    struct diversion *diversion;

    request->original = services_original_of(registry, request->machine);
    request->diversion = diversion = diversions_of(&registry->diversions, &request->original);
    request->server = request->machine;
    request->service = machine_service_name(request->machine);
    if (diversion == NULL)
        return;
    request->service = diversion->service.name;
    request->server =
        pool_find(registry->pool, diversion->service.replacement.hypervisor, diversion->service.replacement.uuid);
}

static const struct recovery *find_open(const struct request *request)
{
    const struct records *records = &request->registry->records;

    for (size_t i = records->count; i-- > 0;)
        if (!recovery_state_is_final(records->all[i]->state) &&
            machine_ref_equal(&records->all[i]->service, &request->original))
            return records->all[i];
    return NULL;
}

static int refuse_held(const struct request *request, const struct hold *hold)
{
    _cleanup_(freep) char *why = hold_explain(hold);

    return refuse(request, "%s is not touched: %s; understudyctl release %s", request->service,
                  why != NULL ? why : "it is held", hold->name);
}

/* No recovery has it in hand, none of an earlier daemon either, and it is not being made warm. */
static int check_free(const struct request *request, const struct watch *watch, const struct machine *machine)
{
    if (!watch_is_taken(watch) && !machine->is_reserved)
        return 0;
    return refuse(request, "%s is needed by a recovery, or is being made warm; try again when that has ended",
                  machine->name);
}

/* What holds for every order that starts something. 0: nothing is against it. */
static int check_service(struct request *request)
{
    const struct recovery *open;

    find_service(request);
    open = find_open(request);
    if (open != NULL)
        return refuse(request, "%s is being recovered already: understudyctl history %s", request->service, open->id);
    if (request->diversion != NULL && request->diversion->keep.step != KEEP_NONE)
        return refuse(request, "%s is being made the original of %s; try again when that has ended",
                      request->diversion->service.replacement_name, request->service);
    if (request->server == NULL)
        return refuse(request, "the machine that serves %s is gone: define it again, or start another one by hand",
                      request->service);
    if (!machine_is_protected(request->server))
        return refuse(request, "%s is not protected: name it in pool.protect, or give it the role protected",
                      request->service);
    if (request->registry->config->mode != MODE_AUTOMATIC)
        return refuse(request, "mode is observe, and nothing is started: set mode: automatic, and reload");
    if (request->recoveries->brake->is_on)
        return refuse(request, "the brake is on: understudyctl release brake");
    if (request->server->hold != NULL)
        return refuse_held(request, request->server->hold);
    request->watch = watch_of(request->registry, request->server);
    if (request->watch == NULL)
        return -ENOMEM;
    return check_free(request, request->watch, request->server);
}

/* A recovery was begun: says what. */
#define begin(request, ...) (name_recovery(request), say(request, 0, __VA_ARGS__))

static void name_recovery(const struct request *request)
{
    const struct recovery *recovery = find_open(request);

    if (recovery != NULL)
        strcpy(request->answer->recovery_id, recovery->id);
}

/* ---- recover ---- */

static const struct recovery *last_recovery(const struct request *request)
{
    const struct records *records = &request->registry->records;

    for (size_t i = records->count; i-- > 0;)
        if (machine_ref_equal(&records->all[i]->service, &request->original))
            return records->all[i];
    return NULL;
}

static int check_is_down(const struct request *request)
{
    const struct machine *server = request->server;
    const struct host *host = host_find(request->registry, server->hypervisor);

    if (!server->is_reachable && (host == NULL || host->track.state != HOST_FENCED))
        return refuse(request,
                      "the host of %s cannot be reached, so it may still run; if the host is surely off: "
                      "understudyctl fenced %s --yes",
                      server->name, server->hypervisor);
    if (server->failed_unrecovered)
        return 0;
    if (machine_state_is_active(server->state))
        return refuse(request, "%s is up: %s/%s serves it", request->service, server->hypervisor, server->name);
    return refuse(request, "%s was stopped on purpose: start it as it was stopped, for instance with virsh start %s",
                  request->service, server->name);
}

static int check_limit(const struct request *request)
{
    const struct config_recovery *config = &request->registry->config->recovery;
    unsigned spent = brake_budget_spent(request->registry, &request->original, NULL, request->now);

    if (config->limit == 0 || request->order->ignores_limit || spent < config->limit)
        return 0;
    return refuse(request,
                  "%s was recovered %u times within %" PRId64
                  " s, which is recovery.limit; find out why it fails, or say --ignore-limit",
                  request->service, spent, config->limit_window_us / USEC_PER_SEC);
}

/* Of the machines that are similar enough to take over. */
static void end_quarantines(const struct request *request)
{
    struct pool *pool = request->registry->pool;
    struct choice_request choice = registry_request(request->registry, request->server, request->now);

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if (pool_standing(machine) == STANDING_QUARANTINED &&
            choose_judge(&choice, machine).score.verdict == SIMILARITY_ELIGIBLE)
            quarantine_end(request->registry, machine);
}

static int recover(struct request *request)
{
    const struct recovery *last;
    int r = check_service(request);

    if (r == 0)
        r = check_is_down(request);
    if (r == 0)
        r = check_limit(request);
    if (r == 0)
        r = pool_settle(request->registry->pool, request->now.mono_us);
    if (r < 0)
        return r;
    if (request->order->ignores_quarantine)
        end_quarantines(request);
    last = last_recovery(request);
    r = opening_order(request->recoveries, request->watch, request->server, last, request->order->by, request->now);
    return r < 0 ? r
                 : begin(request, "%s is being recovered: understudyctl history %s", request->service,
                         request->answer->recovery_id);
}

/* ---- failover ---- */

static int check_is_up(const struct request *request)
{
    const struct machine *server = request->server;
    struct machine_ref ref = machine_ref_of(server);

    if (!server->is_reachable)
        return refuse(request, "the host of %s cannot be reached", server->name);
    if (server->failed_unrecovered)
        return refuse(request, "%s is down: understudyctl recover %s", request->service, request->service);
    if (server->state != MACHINE_RUNNING && server->state != MACHINE_SUSPENDED)
        return refuse(request, "%s is %s: start it first, for instance with virsh start %s", server->name,
                      machine_state_name(server->state), server->name);
    if (!server->persistent)
        return refuse(request, "%s is transient, and could not be started again: define it first", server->name);
    if (!machine_ref_equal(&ref, &request->original) && services_runs_itself(request->registry, &request->original))
        return refuse(request, "the original of %s runs as well: shut one of the two down", request->service);
    return 0;
}

static struct choice_request request_of(const struct request *request, enum relief when)
{
    struct choice_request choice = registry_request(request->registry, request->server, request->now);

    if (when == RELIEF_FIRST)
        choice.given_kib = domain_description_host_memory_kib(request->server->description);
    choice.failed_stays_up = when == RELIEF_LAST;
    return choice;
}

/* The best that there is. */
static int find_best(const struct request *request, const struct machine **ret)
{
    static const struct choice_extent extent = {.eligible = 1, .ineligible = 1};
    struct choice_request choice_request = request_of(request, RELIEF_FIRST);
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    _cleanup_(choice_done) struct choice choice = {0};
    int r = choose(request->registry->chooser, &choice_request, extent, &choice);

    if (r < 0)
        return r;
    if (choice.n_eligible > 0) {
        *ret = choice.eligible[0].machine;
        return 0;
    }
    r = explain_choice(&choice_request, &choice, NULL, extent.eligible, request->registry->features, &explanation);
    return r < 0 ? r
                 : refuse(request, "no machine can take over %s: %s; understudyctl explain %s names each",
                          request->service, explanation->summary, request->server->name);
}

/* The one that the operator named. */
static int find_named(const struct request *request, const struct machine **ret)
{
    const struct order *order = request->order;
    const struct machine *to = pool_find(request->registry->pool, order->to.hypervisor, order->to.uuid);
    struct choice_request choice = request_of(request, RELIEF_FIRST);
    _cleanup_(freep) char *why = NULL;
    struct candidate candidate;
    bool would_do;
    int r;

    if (to == NULL)
        return -ENOENT;
    if (to == request->server)
        return refuse(request, "%s serves %s already", to->name, request->service);
    candidate = open_recovery_judge_named(&choice, to, order->is_anyway);
    *ret = to;
    if (candidate.verdict == CANDIDATE_ELIGIBLE)
        return 0;
    r = explain_ineligible(&choice, &candidate, &why);
    if (r < 0)
        return r;
    would_do = open_recovery_judge_named(&choice, to, true).verdict == CANDIDATE_ELIGIBLE;
    return refuse(request, "%s cannot take over %s: %s%s", to->name, request->service, why,
                  would_do ? "; with --anyway it does all the same" : "");
}

static int relieve(const struct request *request, const struct relief_order *order)
{
    int r = 0;

    if (request->order->is_question)
        return 0;
    r = opening_relieve(request->recoveries, request->watch, request->server, order, request->now);
    if (r < 0)
        return r;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    return begin(request, "%s takes over the service %s from %s: understudyctl history %s", order->to->name,
                 request->service, request->server->name, request->answer->recovery_id);
}

static int fail_over(struct request *request)
{
    struct relief_order order = {
        .cause = CAUSE_FAILOVER,
        .when = RELIEF_FIRST,
        .by = request->order->by,
        .is_forced = request->order->is_forced,
        .is_anyway = request->order->is_anyway,
        .is_rehearsal = request->order->is_rehearsal,
    };
    int r = check_service(request);

    if (r == 0)
        r = check_is_up(request);
    if (r == 0)
        r = pool_settle(request->registry->pool, request->now.mono_us);
    if (r < 0)
        return r;
    r = request->order->has_to ? find_named(request, &order.to) : find_best(request, &order.to);
    return r < 0 ? r : relieve(request, &order);
}

/* ---- failback ---- */

static int find_original(const struct request *request, const struct machine **ret)
{
    const struct machine_ref *ref = &request->original;
    const struct machine *original = pool_find(request->registry->pool, ref->hypervisor, ref->uuid);

    if (original == request->server)
        return refuse(request, "%s serves itself: there is nothing to fail back from", request->service);
    if (original == NULL || !original->is_present)
        return refuse(request, "the original of %s is gone", request->service);
    if (machine_state_is_active(original->state))
        return refuse(request, "%s is %s as well: shut one of the two down", original->name,
                      machine_state_name(original->state));
    if ((original->roles & ROLE_PROTECTED) == 0)
        return refuse(request,
                      "%s would not be protected, its role is %s: give it the role protected, or let %s be the "
                      "original: understudyctl keep %s",
                      original->name, machine_roles_name(original->roles), request->server->name, request->service);
    *ret = original;
    return 0;
}

/* The original's use of what only one of the two can use. */
static bool find_shared(const struct request *request, const struct machine *original, struct use *ret)
{
    *ret = (struct use){0};
    while (use_next(original, ret))
        for (struct use use = {0}; pool_sharer_next(request->registry->pool, ret, USERS_OWNING, &use);)
            if (use.machine == request->server)
                return true;
    return false;
}

static int check_original(const struct request *request, const struct machine *original, enum relief when)
{
    struct choice_request choice = request_of(request, when);
    struct candidate candidate = choose_judge_named(&choice, original);
    _cleanup_(freep) char *why = NULL;
    int r;

    if (candidate.verdict == CANDIDATE_ELIGIBLE)
        return 0;
    if (candidate.verdict == CANDIDATE_NO_MEMORY && when == RELIEF_LAST)
        return 1;
    r = explain_ineligible(&choice, &candidate, &why);
    if (r < 0)
        return r;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    return refuse(request, "%s cannot serve again: %s", original->name, why);
}

/* The original is started first where it can run beside its replacement. */
static int find_order(const struct request *request, const struct machine *original, enum relief *ret)
{
    struct use shared;
    bool is_shared = find_shared(request, original, &shared);
    char name[USE_NAME_SIZE];
    int r = is_shared ? 1 : check_original(request, original, RELIEF_LAST);

    *ret = r > 0 ? RELIEF_FIRST : RELIEF_LAST;
    if (r > 0)
        r = check_original(request, original, RELIEF_FIRST);
    if (r < 0 || *ret == RELIEF_LAST || request->order->is_confirmed)
        return r;
    return say(request, -EPERM,
               "%s and %s cannot run at the same time (%s): the service is down from the stop of %s until %s is "
               "verified; confirm it with --yes",
               /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
               original->name, request->server->name,
               is_shared ? use_name(&shared, name) : "not enough memory for both", request->server->name,
               original->name);
}

/* Of a replacement that was made from a template, the answer also says what becomes of it. */
static int say_kept(const struct request *request)
{
    const struct machine *made = request->server;
    _cleanup_(freep) char *words = NULL;

    if (request->order->is_question || made->description->template == NULL)
        return 0;
    words = request->answer->words;
    return say(request, 0, "%s; %s was made for %s, and is shut off and kept when that succeeds", words, made->name,
               request->service);
}

static int fail_back(struct request *request)
{
    struct relief_order order = {
        .cause = CAUSE_FAILBACK,
        .by = request->order->by,
        .is_forced = request->order->is_forced,
        .is_anyway = true,
        .is_rehearsal = request->order->is_rehearsal,
    };
    int r = check_service(request);

    if (r == 0)
        r = find_original(request, &order.to);
    if (r == 0)
        r = check_is_up(request);
    if (r == 0)
        r = pool_settle(request->registry->pool, request->now.mono_us);
    if (r == 0)
        r = find_order(request, order.to, &order.when);
    if (r == 0)
        r = relieve(request, &order);
    return r == 0 ? say_kept(request) : r;
}

/* ---- keep ---- */

/* Of one that was made from a template, the answer offers what makes it independent of its base image. */
static int say_becomes_original(const struct request *request)
{
    const char *name = request->diversion->service.replacement_name;

    if (request->server == NULL || request->server->description->template == NULL)
        return say(request, 0, "%s is to become the original of the service %s", name, request->service);
    return say(
        request, 0,
        "%s is to become the original of the service %s; its disks still stand on the base images of the template "
        "%s, which must stay; to make it independent, for each disk: virsh blockpull %s TARGET --wait",
        name, request->service, request->server->description->template, request->server->name);
}

static int keep(struct request *request)
{
    _cleanup_(freep) char *why = NULL;
    int r = check_service(request);

    if (r == 0 && request->diversion == NULL)
        r = refuse(request, "%s serves itself: there is no replacement to be kept", request->service);
    if (r == 0)
        r = check_is_up(request);
    if (r < 0)
        return r;
    r = keep_check(request->registry, request->diversion, &why);
    if (r < 0)
        return why != NULL ? refuse(request, "%s", why) : -ENOMEM;
    keep_begin(request->diversion);
    strcpy(request->answer->recovery_id, request->diversion->recovery_id);
    return say_becomes_original(request);
}

/* ---- clear ---- */

/* That the last rehearsal of the service has failed is no problem any more. False: it has not. */
static bool clear_rehearsal(const struct request *request)
{
    const struct machine_ref original = services_original_of(request->registry, request->machine);
    struct records *records = &request->registry->records;

    for (size_t i = records->count; i-- > 0;) {
        struct recovery *recovery = records->all[i];

        if (!recovery->is_rehearsal || !machine_ref_equal(&recovery->service, &original))
            continue;
        if (!recovery_is_failed_rehearsal(recovery))
            return false;
        recovery->is_cleared = recovery->is_changed = true;
        return true;
    }
    return false;
}

static int clear(const struct request *request)
{
    const struct machine *machine = request->machine;
    struct watch *watch = watch_of(request->registry, machine);
    bool was_quarantined = machine_rare(machine)->quarantined_until_us > request->now.mono_us, had_failed,
         has_rehearsed;
    int r;

    if (watch == NULL)
        return -ENOMEM;
    r = check_free(request, watch, machine);
    if (r < 0)
        return r;
    had_failed = machine->failed_unrecovered || watch->deferred_cause != CAUSE_NONE;
    quarantine_forgive(request->registry, machine, request->now);
    failures_clear(request->registry, watch, machine);
    failures_forget(watch);
    registry_tell(request->registry, FACT_POOL_CHANGED);
    has_rehearsed = clear_rehearsal(request);
    if (!was_quarantined && !had_failed)
        return has_rehearsed
                   ? say(request, 0, "the rehearsal of %s that failed is forgotten", machine_service_name(machine))
                   : say(request, 0, "%s has neither failed nor is it in quarantine", machine->name);
    outbox_tell(&request->registry->outbox, NOTICE_CHANGED, request->now, machine, "%s is cleared by an operator: %s",
                pool_display_name(request->registry->pool, machine),
                was_quarantined && had_failed ? "its failure is forgotten, and its quarantine ends"
                : was_quarantined             ? "its quarantine ends"
                                              : "its failure is forgotten");
    return say(request, 0, "%s is cleared", pool_display_name(request->registry->pool, machine));
}

/* ---- drill ---- */

static int check_can_crash(struct request *request)
{
    const struct machine *machine = request->machine;

    if (!machine->is_reachable)
        return refuse(request, "the host of %s cannot be reached: understudyctl status says why", machine->name);
    if (machine->state != MACHINE_RUNNING)
        return refuse(request,
                      "%s is %s, so it cannot crash: a drill needs a machine that runs; understudyctl services names "
                      "those that serve",
                      machine->name, machine_state_name(machine->state));
    request->watch = watch_of(request->registry, machine);
    if (request->watch == NULL)
        return -ENOMEM;
    return check_free(request, request->watch, machine);
}

/* The failed machine itself would be started first, or it alone. */
static int check_starts_itself(const struct request *request, bool *ret)
{
    const struct config_recovery *config = &registry_config_of(request->registry, request->machine)->recovery;
    struct machine_ref ref = machine_ref_of(request->machine);

    *ret = config->order != ORDER_REPLACEMENT && request->machine->persistent &&
           brake_restarts_spent(request->registry, &ref, NULL, request->now) < config->restart_attempts;
    if (*ret || config->order != ORDER_ORIGINAL_ONLY)
        return 0;
    return refuse(request, "%s is transient, and recovery.order is original-only: define it, to have it started again",
                  request->machine->name);
}

/* A candidate lacks nothing but memory, and a recovery would have it from standbys that are kept warm. 1, 0; -ENOMEM. */
static int would_make_room(const struct request *request)
{
    struct choice_request choice = request_of(request, RELIEF_FIRST);
    struct candidate candidate;
    int r = choose_begin(request->registry->chooser, &choice);

    while (r == 0 && (r = choose_next(request->registry->chooser, &candidate)) > 0) {
        r = 0;
        if (candidate.verdict == CANDIDATE_NO_MEMORY &&
            standby_could_make_room(request->recoveries->standby, candidate.machine->hypervisor,
                                    domain_description_host_memory_kib(candidate.machine->description)))
            return 1;
    }
    return r;
}

/* 0: something would be started if the machine failed now. */
static int check_would_recover(struct request *request)
{
    _cleanup_(freep) char *obstacle = NULL;
    const struct machine *best;
    bool starts_itself;
    int r = obstacle_describe(request->recoveries->brake, request->machine, request->now, &obstacle);

    if (r < 0)
        return r;
    if (obstacle != NULL)
        return refuse(request, "nothing would be started for %s: %s", request->machine->name, obstacle);
    r = check_starts_itself(request, &starts_itself);
    if (r < 0 || starts_itself)
        return r;
    r = pool_settle(request->registry->pool, request->now.mono_us);
    if (r == 0)
        r = would_make_room(request);
    return r < 0 ? r : r > 0 ? 0 : find_best(request, &best);
}

/* To a refusal: the machine can be crashed all the same. */
static int add_anyway(const struct request *request)
{
    struct order_answer *answer = request->answer;
    _cleanup_(freep) char *refusal = answer->words;

    answer->words = NULL;
    return say(request, -EBUSY, "%s; a drill would only cause an outage, which --anyway accepts", refusal);
}

static int drill(struct request *request)
{
    int r, would_recover;

    find_service(request);
    request->server = request->machine;
    r = check_can_crash(request);
    if (r < 0)
        return r;
    would_recover = request->order->is_anyway ? 0 : check_would_recover(request);
    if (would_recover < 0)
        return would_recover == -EBUSY ? add_anyway(request) : would_recover;
    if (!request->order->is_confirmed)
        return say(request, -EPERM, "this crashes the real machine %s",
                   pool_display_name(request->registry->pool, request->machine));
    if (request->order->is_question)
        return 0;
    r = drills_announce(request->registry, request->watch, request->order->by, request->order->is_rehearsal,
                        request->now);
    return r < 0 ? r
                 : say(request, 0, "%s is %s on purpose, as ordered",
                       pool_display_name(request->registry->pool, request->machine),
                       drills_destroys(request->registry, request->watch, request->now) ? "destroyed" : "crashed");
}

int orders_take(struct recoveries *recoveries, const struct order *order, struct moment now, struct order_answer *ret)
{
    struct request request = {
        .recoveries = recoveries,
        .registry = recoveries->registry,
        .order = order,
        .now = now,
        .machine = pool_find(recoveries->registry->pool, order->machine.hypervisor, order->machine.uuid),
        .answer = ret,
    };

    if (request.machine == NULL)
        return -ENOENT;
    switch (order->kind) {
    case ORDER_RECOVER:
        return recover(&request);
    case ORDER_CLEAR:
        return clear(&request);
    case ORDER_FAILOVER:
        return fail_over(&request);
    case ORDER_FAILBACK:
        return fail_back(&request);
    case ORDER_DRILL:
        return drill(&request);
    case ORDER_KEEP:
        return keep(&request);
    case ORDER_EVACUATE: /* evacuation */
    case ORDER_REHEARSE: /* rehearsals */
    case ORDER_REFRESH:  /* discovery */
    case ORDER_COUNT:
    default:
        return -EINVAL;
    }
}
