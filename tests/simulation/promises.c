/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promises of lib/README.md, held against the truth after every step and before every
 * action. Counts and judges by itself wherever it can; asks the coordinator only what it believes.
 */
#include <string.h>

#include "report/record.h"
#include "simulation.h"

struct book *promises_book(struct simulation *simulation, const char *id)
{
    for (size_t i = simulation->n_books; i-- > 0;)
        if (strcmp(simulation->books[i].id, id) == 0)
            return &simulation->books[i];
    return NULL;
}

static bool is_on_its_way(enum recovery_state state)
{
    return (state >= RECOVERY_RECORDING && state <= RECOVERY_VERIFYING) || recovery_state_is_relieving(state);
}

/* ---- starts ---- */

bool promises_has_intent(const struct simulation *simulation, const struct action *action)
{
    const struct page *page = disk_find(simulation, action->recovery_id);

    return page != NULL && machine_ref_equal(&page->intent, &action->target) && page->is_open;
}

static void check_remains(struct simulation *simulation, const struct book *book, const struct domain *candidate)
{
    const struct domain *failed = &simulation->domains[book->domain];

    for (size_t i = 0; i < simulation->n_crashes; i++) {
        const struct crash *crash = &simulation->crashes[i];

        if (simulation->hosts[failed->host].has_lied || book->relief != RELIEF_NONE)
            continue;
        if (strcmp(crash->recovery_id, book->id) == 0 && crash->life == failed->life && failed != candidate &&
            machine_state_is_active(failed->state))
            violate(simulation, "%s is started while the remains of %s are still there", candidate->name, failed->name);
    }
}

/* By the configuration in force, or the one that was when the intent failed. */
static bool may_lack_intent(const struct simulation *simulation)
{
    return simulation->config->recovery.without_intent ||
           (simulation->has_reloaded && simulation->configs[0].recovery.without_intent) ||
           (simulation->has_reloaded && simulation->configs[1].recovery.without_intent);
}

static unsigned most_attempts(const struct simulation *simulation)
{
    unsigned a = simulation->configs[0].recovery.attempts, b = simulation->configs[1].recovery.attempts;

    return a > b ? a : b;
}

/* It is stopped before another machine is started in its place, unless the two share nothing. */
static void check_relieved(struct simulation *simulation, const struct book *book, const struct domain *candidate)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, book->id);
    const struct domain *server = &simulation->domains[book->domain];

    if (recovery == NULL || candidate == server || !machine_state_is_active(server->state) ||
        simulation->hosts[server->host].has_lied || server->life != book->failed_life)
        return;
    if (recovery->relief == RELIEF_FIRST)
        violate(simulation, "promise 1: %s is started while %s still serves", candidate->name, server->name);
    if (recovery->relief == RELIEF_LAST && (candidate->disk == server->disk || candidate->mac == server->mac))
        violate(simulation, "promise 10: %s is started beside %s, and they share a disk or an address", candidate->name,
                server->name);
}

static bool is_recent(const struct simulation *simulation, const struct book *book, int64_t window_us)
{
    return simulation->now.mono_us - book->opened_us <= window_us &&
           coordinator_find_recovery(simulation->coordinator, book->id) != NULL;
}

static bool may_follow(const struct config_recovery *config, bool is_restarting)
{
    if (!is_restarting)
        return config->order != ORDER_ORIGINAL_ONLY;
    return config->order != ORDER_REPLACEMENT || config->when_exhausted == EXHAUSTED_RESTART;
}

/* Whether the failed machine itself may be started, and how often, or another one, by a configuration there was. */
static void check_order(struct simulation *simulation, struct book *book)
{
    const struct config *other = &simulation->configs[simulation->config == &simulation->configs[0]];
    unsigned spent = 0;

    if (book->relief != RELIEF_NONE) /* an operator named the machine */
        return;
    if (!may_follow(&simulation->config->recovery, book->is_restarting) &&
        !(simulation->has_reloaded && may_follow(&other->recovery, book->is_restarting)))
        violate(simulation, "%s starts %s against recovery.order", book->id,
                book->is_restarting ? "the failed machine itself" : "another machine");
    if (!book->is_restarting)
        return;
    /* Of one that was not written down, the next daemon knows nothing. */
    book->restarts += !book->intent_failed;
    for (size_t i = 0; i < simulation->n_books; i++)
        if (simulation->books[i].domain == book->domain &&
            is_recent(simulation, &simulation->books[i], simulation->config->recovery.limit_window_us))
            spent += simulation->books[i].restarts;
    /* An operator's order is not counted against what was spent before. */
    if (spent > simulation->config->recovery.restart_attempts && !simulation->has_jumped && !book->is_ordered)
        violate(simulation, "%s starts %s itself again more than recovery.restart_attempts", book->id,
                simulation->domains[book->domain].name);
}

/* The one that was to take over was stopped again, as the other one did not leave; and that one has failed since. */
static unsigned called_off_starts(const struct recovery *recovery)
{
    return recovery != NULL && recovery->n_attempts > 0 && recovery->attempts[0].is_void && recovery->is_returning;
}

static void check_start(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    struct book *book = promises_book(simulation, action->recovery_id);
    struct domain *candidate = world_find(simulation, &action->target);

    if (book == NULL || candidate == NULL) {
        violate(simulation, "a start for no recovery");
        return;
    }
    book->has_started = true;
    /* Of a machine that is defined on two hosts the two are two to the daemon. */
    book->is_restarting = recovery != NULL && machine_ref_equal(&recovery->failed, &action->target);
    if (!book->is_restarting && ++book->starts > most_attempts(simulation) + called_off_starts(recovery))
        violate(simulation, "%s has tried more than recovery.attempts", book->id);
    check_order(simulation, book);
    if (book->is_over_budget && !book->is_restarting)
        violate(simulation, "%s starts something beyond recovery.limit", book->id);
    if (simulation->config->mode == MODE_OBSERVE && book->relief == RELIEF_NONE)
        violate(simulation, "something is started in mode observe");
    if (!promises_has_intent(simulation, action) &&
        !((may_lack_intent(simulation) || (book->relief != RELIEF_NONE && book->is_restarting)) && book->intent_failed))
        violate(simulation, "promise 1: %s is started for %s and no intent is on disk", candidate->name, book->id);
    check_remains(simulation, book, candidate);
    check_relieved(simulation, book, candidate);
    if (!machine_state_is_active(candidate->state))
        decisions_check_conflicts(simulation, &simulation->domains[book->domain], candidate);
    losses_check_start(simulation, recovery, book);
}

static void check_destroy(struct simulation *simulation, const struct action *action)
{
    struct domain *domain = world_find(simulation, &action->target);

    if (domain == NULL)
        return;
    domain->condemned_life = domain->life;
    domain->condemned_us = simulation->now.mono_us;
    memcpy(domain->condemned_for, action->recovery_id, sizeof(domain->condemned_for));
}

/* It may name the host that the machine was migrated from since: the next daemon follows it there. */
static bool is_intent(struct simulation *simulation, const struct page *page, const struct machine_ref *ref)
{
    const struct domain *domain = world_find(simulation, ref);

    return machine_ref_equal(&page->intent, ref) ||
           (domain != NULL && domain->moved_life == domain->life && strcmp(page->intent.uuid, ref->uuid) == 0);
}

/* Nothing is stopped for an order before its intent is on disk. */
static void check_shutdown(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    const struct page *page = disk_find(simulation, action->recovery_id);

    if (recovery == NULL || recovery_state_is_final(recovery->state))
        return; /* one of two that run */
    if (simulation->is_braked)
        violate(simulation, "%s has a machine shut down while the brake is on", recovery->id);
    if (page == NULL || !is_intent(simulation, page, &recovery->replacement))
        violate(simulation, "promise 1: %s has a machine shut down and no intent is on disk", recovery->id);
}

void promises_before(struct simulation *simulation, const struct action *action)
{
    if (action->kind == ACTION_SHUTDOWN)
        check_shutdown(simulation, action);
    features_before(simulation, action);
    holds_before(simulation, action);
    warm_before(simulation, action);
    storage_before(simulation, action);
    autostart_before(simulation, action);
    if (action->kind == ACTION_RECORD)
        decisions_carried_out(simulation, action);
    if (action->kind == ACTION_DESTROY)
        losses_destroy(simulation, action);
    if (action->kind == ACTION_START && !warm_is_id(action->recovery_id))
        check_start(simulation, action);
    if (action->kind == ACTION_DESTROY)
        check_destroy(simulation, action);
}

/* The daemon has asked for its end, and asks again when the answer says that it runs all the same. */
static bool is_being_ended(const struct simulation *simulation, const struct machine_ref *ref)
{
    for (const struct call *call = simulation->calls; call != NULL; call = call->next)
        if (call->action.kind == ACTION_DESTROY && call->epoch == simulation->epoch &&
            machine_ref_equal(&call->action.target, ref))
            return true;
    return false;
}

/* A recovery counts on it, or it is the failed machine itself, which is welcome, started again in vain. */
static bool is_wanted(const struct simulation *simulation, const struct domain *domain, const struct machine_ref *ref)
{
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);

        if (recovery->replacement_name != NULL && machine_ref_equal(&recovery->replacement, ref) &&
            (recovery->state == RECOVERY_RECOVERED || !recovery_state_is_final(recovery->state)))
            return true;
        if (strcmp(recovery->id, domain->started_for) == 0 && machine_ref_equal(&recovery->failed, ref))
            return true;
    }
    return false;
}

static void check_late(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[i];
        struct machine_ref ref = {0};

        if (holds_cover(simulation, domain))
            domain->came_up_late &= machine_state_is_active(domain->state);
        /* What was migrated meanwhile is ended when news of it has come. */
        domain->came_up_late &= domain->moved_life != domain->life;
        if (!domain->came_up_late || holds_cover(simulation, domain))
            continue;
        domain->came_up_late = false;
        strcpy(ref.hypervisor, simulation->hosts[domain->host].name);
        strcpy(ref.uuid, domain->uuid);
        if (domain->condemned_life != domain->life && !is_being_ended(simulation, &ref) &&
            !is_wanted(simulation, domain, &ref))
            violate(simulation, "promise 1: %s came up late, is not wanted, and is not destroyed", domain->name);
    }
}

void promises_pumped(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_books; i++)
        simulation->books[i].is_just_decided = false;
    check_late(simulation);
    storage_pumped(simulation);
    losses_told(simulation);
}

/* ---- answers ---- */

/* Of all configurations there were. */
static int64_t least_settle_us(const struct simulation *simulation)
{
    int64_t in_force_us = simulation->config->recovery.settle_us;

    for (unsigned i = 0; simulation->has_reloaded && i < CONFIGS; i++)
        if (simulation->configs[i].recovery.settle_us < in_force_us)
            in_force_us = simulation->configs[i].recovery.settle_us;
    return in_force_us;
}

void promises_good_answer(struct simulation *simulation, const struct action *action, const struct domain *domain)
{
    struct book *book = promises_book(simulation, action->recovery_id);
    enum machine_state state = domain->state;
    enum machine_reason reason = domain->reason;

    endings_show(simulation, domain, &state, &reason); /* more than libvirt knows, its answer cannot say */
    if (book == NULL || book->replacement != (int)domain->number || state != MACHINE_RUNNING)
        return;
    if (action->kind == ACTION_GET_STATE) {
        warm_take_over(simulation, &simulation->domains[domain->number], book->id);
        book->was_good = true;
        book->good_up_us = strcmp(domain->started_for, book->id) == 0 && !world_came_up_unheard(domain) ? domain->up_us
                                                                                                        : INT64_MIN / 2;
        book->good_life = domain->life;
        book->was_settled = simulation->now.mono_us - book->good_up_us >= least_settle_us(simulation);
    }
    if (action->kind == ACTION_VERIFY)
        book->was_verified = true;
}

/* The service has the machine for its original that served it: what was done for it goes on to count for it. */
static void be_kept(struct simulation *simulation, const struct book *kept, const struct notice *notice)
{
    const struct domain *domain = world_find(simulation, &notice->machine);
    char root[UUID_TEXT_SIZE];

    if (domain == NULL || (domain->roles & ROLE_PROTECTED) == 0 || domain->service[0] == '\0')
        violate(simulation, "promise 9: %s is kept, and its metadata does not say so", notice->machine_name);
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (strcmp(simulation->domains[i].uuid, kept->root) == 0 && &simulation->domains[i] != domain &&
            simulation->domains[i].exists && (simulation->domains[i].roles & ROLE_PROTECTED) != 0)
            violate(simulation, "%s is kept, and %s is still protected for the same service", notice->machine_name,
                    simulation->domains[i].name);
    strcpy(root, kept->root);
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, simulation->books[i].id);

        /* One that was opened by a daemon that had not read yet that it is kept, as the one before could not write that down. */
        if (strcmp(simulation->books[i].root, root) == 0 ||
            (recovery != NULL && strcmp(recovery->service.uuid, notice->machine.uuid) == 0))
            strcpy(simulation->books[i].root, notice->machine.uuid);
    }
}

void promises_notice(struct simulation *simulation, const struct notice *notice)
{
    struct book *book = promises_book(simulation, notice->recovery_id);

    warm_notice(simulation, notice);
    losses_notice(simulation, notice);
    crashes_notice(simulation, notice);
    if (notice->kind == NOTICE_INTENT_FAILED && book != NULL)
        book->intent_failed = true;
    if (notice->kind == NOTICE_KEPT && book != NULL)
        be_kept(simulation, book, notice);
    if (notice->kind == NOTICE_BRAKE_ON && !simulation->is_braked) {
        simulation->is_braked = true;
        simulation->braked_us = simulation->now.mono_us;
    }
}

/* ---- recoveries ---- */

/* Of what failed, and of its service's original: the daemon may have learned of it later. */
static bool was_mended_since(const struct simulation *simulation, const struct book *book)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];

        if ((domain->number == book->domain || strcmp(domain->uuid, book->root) == 0) && domain->mended_us != 0 &&
            domain->mended_us + 300 * USEC_PER_SEC > book->opened_us)
            return true;
    }
    return false;
}

static void find_root(struct simulation *simulation, struct book *book)
{
    int64_t window_us = simulation->config->recovery.limit_window_us;
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, book->id);
    unsigned spent = 0;

    strcpy(book->root, recovery != NULL ? recovery->service.uuid : simulation->domains[book->domain].uuid);
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *other = &simulation->books[i];

        recovery = coordinator_find_recovery(simulation->coordinator, other->id);
        spent += other != book && is_recent(simulation, other, window_us) && strcmp(other->root, book->root) == 0 &&
                 recovery != NULL && recovery_started_another(recovery) && !recovery->is_drill &&
                 recovery->relief == RELIEF_NONE && !was_mended_since(simulation, other);
    }
    book->is_over_budget = simulation->config->recovery.limit != 0 && !simulation->has_jumped && !book->is_ordered &&
                           spent >= simulation->config->recovery.limit;
}

static bool is_held(const struct simulation *simulation, const struct book *book)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, book->id);

    return recovery != NULL && recovery->is_held;
}

static bool brakes(const struct simulation *simulation, const struct book *book)
{
    return is_recent(simulation, book, simulation->config->recovery.brake.window_us) && !book->is_host_lost &&
           !book->is_retry && book->relief == RELIEF_NONE && !is_held(simulation, book) &&
           book->opened_us > simulation->released_us && book->state != RECOVERY_DISMISSED;
}

/* One that gets another original keeps its name; that it was kept may be told later in the turn in which that one fails. */
static bool is_same_service(const struct book *a, const struct book *b)
{
    return strcmp(a->root, b->root) == 0 || strcmp(a->service_name, b->service_name) == 0;
}

/* One service that fails again and again counts once. */
static size_t count_failed_services(const struct simulation *simulation)
{
    size_t n = 0;

    for (size_t i = 0; i < simulation->n_books; i++) {
        bool is_counted = false;

        if (!brakes(simulation, &simulation->books[i]))
            continue;
        for (size_t j = 0; j < i; j++)
            is_counted |= brakes(simulation, &simulation->books[j]) &&
                          is_same_service(&simulation->books[i], &simulation->books[j]);
        n += !is_counted;
    }
    return n;
}

/* Its recovery has ended in the same turn, after the failures had been counted. */
static bool was_recovered_until_now(const struct simulation *simulation, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);

        if (recovery_state_is_final(recovery->state) && recovery->ended.mono_us == simulation->now.mono_us &&
            machine_ref_equal(&recovery->failed, &ref))
            return true;
    }
    return false;
}

static size_t count_protected(const struct simulation *simulation)
{
    const struct pool *pool = coordinator_pool(simulation->coordinator);
    size_t n = 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        n += machine->is_present && machine_is_protected(machine) && machine->keeping == KEEPING_NONE &&
             (machine_state_is_active(machine->state) || machine_rare(machine)->claimed_by != NULL ||
              was_recovered_until_now(simulation, machine));
    return n;
}

static void check_brake(struct simulation *simulation, const struct book *book)
{
    const struct config_brake *config = &simulation->config->recovery.brake;
    size_t n_failed = count_failed_services(simulation), n_protected = count_protected(simulation);

    if (config->share == 0 || n_failed < config->minimum || n_failed * MILLIONTHS <= n_protected * config->share)
        return;
    /* One that ended as it began, as beyond the limit, begins nothing that the brake could hold back. */
    if (!coordinator_is_braked(simulation->coordinator) && !book->is_over_budget &&
        !recovery_state_is_final(book->state) && !simulation->has_jumped)
        violate(simulation, "%zu of %zu protected machines failed at once and the brake is off", n_failed, n_protected);
}

/* It is still down since an earlier recovery failed. */
static void check_retry(struct simulation *simulation, const struct book *book, const struct domain *domain)
{
    const struct book *earlier = NULL;

    for (size_t i = 0; i < simulation->n_books; i++)
        if (&simulation->books[i] != book && simulation->books[i].domain == domain->number &&
            simulation->books[i].state == RECOVERY_EXHAUSTED && !is_held(simulation, &simulation->books[i]))
            earlier = &simulation->books[i];
    if (earlier == NULL || simulation->config->recovery.retry_for_us == 0)
        violate(simulation, "a recovery of %s is tried again, and none had failed", domain->name);
}

/* The daemon cannot tell whether the guest went down by itself before it was asked. */
static bool is_being_asked_off(const struct simulation *simulation, const struct domain *domain)
{
    for (const struct call *call = simulation->calls; call != NULL; call = call->next)
        if (call->action.kind == ACTION_SHUTDOWN && call->epoch == simulation->epoch &&
            strcmp(call->action.target.uuid, domain->uuid) == 0)
            return true;
    return false;
}

/* What tells its stop from a guest that obeys a call which was answered too late may have been lost. */
#define MAY_OBEY_US (300 * USEC_PER_SEC)

/* Its guest was asked to shut down, and went down, for whatever reason; or it was ended, since it did not. */
static void check_last_stopped(struct simulation *simulation, const struct book *book, const struct domain *domain)
{
    bool may_obey = (domain->late_request_us != 0 && simulation->now.mono_us - domain->late_request_us < MAY_OBEY_US) ||
                    is_being_asked_off(simulation, domain);

    /* However it had failed in an earlier life. */
    if (domain->requested_off_life == domain->life || domain->condemned_life == domain->life || may_obey)
        crashes_order(simulation, domain->number, book->id);
    else if (crashes_match(simulation, domain->number, book->id) == NULL)
        violate(simulation, "a recovery of %s as stopped by the daemon, which did not stop it", domain->name);
}

/*
 * That its process was terminated is the last that was told of it. An operator has started it since, and its guest has powered
 * it off, unheard: what is found then is what a process leaves that is terminated.
 */
static bool looks_killed(const struct recovery *recovery, const struct domain *domain)
{
    return recovery->cause == CAUSE_HOST_KILL && domain->told_event == EVENT_SHUTDOWN_HOST &&
           domain->state == MACHINE_SHUT_OFF && domain->reason == REASON_SHUTDOWN;
}

/* A migration had failed that was to bring it here, which is told after another one has: it is asked, and left alone. */
static bool has_arrived(const struct recovery *recovery, const struct domain *domain)
{
    return recovery->cause == CAUSE_PROCESS_DIED && domain->told_event == EVENT_STOPPED_FAILED &&
           domain->moved_life == domain->life && machine_state_is_active(domain->state);
}

/* News of a failure that was dismissed, as the machine runs again, may come after that: it is asked once more, and left alone. */
static bool was_just_dismissed(const struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *book = &simulation->books[i];
        const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, book->id);

        if (book->domain == domain->number && book->state == RECOVERY_DISMISSED && recovery != NULL &&
            simulation->now.mono_us - recovery->ended.mono_us <= NEWS_DELAY_US)
            return machine_state_is_active(domain->state);
    }
    return false;
}

/* A failure, a service that is still down, or an order. */
static void check_reason(struct simulation *simulation, const struct book *book, const struct recovery *recovery,
                         const struct domain *domain)
{
    if (book->relief != RELIEF_NONE)
        return; /* nothing failed */
    /* How a domain stopped on a lost host is not known; one that was reported off must have been started. */
    if (book->is_ordered)
        crashes_order(simulation, domain->number, book->id);
    else if (book->is_retry)
        check_retry(simulation, book, domain);
    else if (recovery->cause == CAUSE_LAST_STOPPED)
        check_last_stopped(simulation, book, domain);
    else if (crashes_match(simulation, domain->number, book->id) == NULL && !book->is_host_lost &&
             !recovery->is_held && /* nothing is done about it */
             !looks_killed(recovery, domain) && !has_arrived(recovery, domain) &&
             !was_just_dismissed(simulation, domain) && !simulation->hosts[domain->host].has_lied)
        violate(simulation, "promise 2: a recovery of %s, which did not fail (again)", domain->name);
}

static struct book *open_book(struct simulation *simulation, const struct recovery *recovery)
{
    const struct domain *domain = world_find(simulation, &recovery->failed);
    struct book *book;

    if (simulation->n_books >= BOOKS_MAX || domain == NULL)
        return NULL;
    book = &simulation->books[simulation->n_books++];
    *book = (struct book){
        .domain = domain->number,
        .opened_us = simulation->now.mono_us,
        .opened_epoch = simulation->epoch,
        .replacement = -1,
    };
    strcpy(book->id, recovery->id);
    strncpy(book->service_name, recovery->service_name, sizeof(book->service_name) - 1);
    simulation->result->recoveries++;
    say(simulation, "recovery %s of %s opened, service %s", book->id, domain->name, recovery->service_name);
    book->failed_life = domain->life;
    book->is_host_lost = recovery->cause == CAUSE_HOST_LOST;
    book->is_retry = moment_has_come(recovery->down_since);
    book->is_ordered = simulation->is_ordering || recovery->relief != RELIEF_NONE;
    book->relief = recovery->relief;
    check_reason(simulation, book, recovery, domain);
    if (((domain->roles | tags_known(simulation, domain).roles) & ROLE_PROTECTED) == 0 &&
        machine_ref_equal(&recovery->service, &recovery->failed))
        violate(simulation, "a recovery of %s, which is not protected", domain->name);
    find_root(simulation, book);
    book->state = recovery->state;
    if (!book->is_host_lost && !book->is_ordered)
        check_brake(simulation, book);
    return book;
}

static void check_recovered(struct simulation *simulation, const struct book *book, const struct recovery *recovery)
{
    const struct domain *replacement = book->replacement >= 0 ? &simulation->domains[book->replacement] : NULL;
    enum verify_level level = simulation->config->recovery.verify.level;
    bool is_agent_asked =
        level == VERIFY_AGENT || (level == VERIFY_AUTO && replacement != NULL && replacement->has_agent);

    if (replacement != NULL)
        storage_check_recovered(simulation, replacement, book->id);
    if (replacement == NULL || !book->was_good)
        violate(simulation, "promise 5: %s is recovered and was not looked at", book->id);
    else if (!book->was_settled)
        violate(simulation, "promise 5: %s is recovered before %s was up for the settle time", book->id,
                replacement->name);
    else if (is_agent_asked && recovery->level == VERIFY_AGENT && !book->was_verified)
        violate(simulation, "promise 5: %s is recovered and the agent of %s was not asked", book->id,
                replacement->name);
    else if (is_agent_asked && recovery->level != VERIFY_AGENT && !simulation->has_reloaded)
        violate(simulation, "promise 5: %s is verified at a lower level than configured", book->id);
}

/* By another recovery of its service. */
static bool is_served_by_another(struct simulation *simulation, const struct book *book)
{
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *other = &simulation->books[i];

        if (other != book && strcmp(other->root, book->root) == 0 && other->state == RECOVERY_RECOVERED &&
            other->replacement >= 0 && crashes_is_at_work(simulation, (unsigned)other->replacement))
            return true;
    }
    return false;
}

/* Dismissed means that the machine runs: in a later life, or after all. News older than the failure does not count. */
static void check_dismissed(struct simulation *simulation, const struct book *book)
{
    const struct domain *domain = &simulation->domains[book->domain];
    const struct domain *original = losses_original(simulation, book);

    if (original != domain && crashes_is_at_work(simulation, original->number))
        return; /* it serves again itself */
    if (original != domain && is_served_by_another(simulation, book))
        return;
    for (size_t i = simulation->n_crashes; i-- > 0;) {
        struct crash *crash = &simulation->crashes[i];

        if (strcmp(crash->recovery_id, book->id) != 0)
            continue;
        if (crash->life == domain->life && !crash->is_pause && !machine_state_is_active(domain->state))
            violate(simulation, "promise 3: %s is dismissed, and %s has not run since", book->id, domain->name);
        /* What it has beside that pause is still to be found. */
        if (domain->is_hung && crash->life == domain->life)
            crash->recovery_id[0] = '\0';
        return;
    }
}

static void check_end(struct simulation *simulation, const struct book *book, const struct recovery *recovery)
{
    simulation->result->outcomes[recovery->state]++;
    if (recovery->detail == NULL || recovery->ended.mono_us == 0)
        violate(simulation, "promise 6: %s ended without a word", book->id);
    if (recovery->state == RECOVERY_RECOVERED)
        check_recovered(simulation, book, recovery);
    if (recovery->state == RECOVERY_EXHAUSTED)
        warm_check_no_candidate(simulation, recovery);
    if (recovery->state == RECOVERY_DISMISSED)
        check_dismissed(simulation, book);
}

static void follow(struct simulation *simulation, struct book *book, const struct recovery *recovery)
{
    const struct domain *replacement =
        recovery->replacement_name != NULL ? world_find(simulation, &recovery->replacement) : NULL;
    int number = replacement != NULL ? (int)replacement->number : -1;

    if (recovery->state == RECOVERY_RECORDING && (book->state != recovery->state || number != book->replacement)) {
        decisions_made(simulation, recovery);
        policies_check_order(simulation, recovery);
        book->is_just_decided = true;
    }
    if (number != book->replacement) {
        book->was_good = false;
        book->was_verified = false;
        book->has_started = false;
        book->replacement = number;
    }
    if (book->state == recovery->state)
        return;
    say(simulation, "recovery %s: %s%s%s", book->id, recovery_state_name(recovery->state),
        recovery_state_is_final(recovery->state) && recovery->detail != NULL ? ", " : "",
        recovery_state_is_final(recovery->state) && recovery->detail != NULL ? recovery->detail : "");
    if (recovery_state_is_final(recovery->state))
        check_end(simulation, book, recovery);
    book->ended_epoch = simulation->epoch;
    book->state = recovery->state;
}

static void check_claims(struct simulation *simulation)
{
    size_t n = coordinator_recovery_count(simulation->coordinator);

    for (size_t i = 0; i < n; i++) {
        const struct recovery *a = coordinator_recovery(simulation->coordinator, i);

        if (!is_on_its_way(a->state) || a->replacement_name == NULL)
            continue;
        for (size_t j = 0; j < n; j++) {
            const struct recovery *b = coordinator_recovery(simulation->coordinator, j);

            if (i == j || recovery_state_is_final(b->state))
                continue;
            if (machine_ref_equal(&a->replacement, &b->failed) ||
                (is_on_its_way(b->state) && b->replacement_name != NULL &&
                 machine_ref_equal(&a->replacement, &b->replacement)))
                violate(simulation, "promise 1: %s is claimed by %s and by %s", a->replacement_name, a->id, b->id);
        }
    }
}

bool promises_is_beyond_knowing(const struct simulation *simulation, const struct domain *domain)
{
    return domain->unrecorded_epoch != 0 && domain->unrecorded_epoch != simulation->epoch;
}

/* Off, said its agent; as long as it cannot be looked at, that is all that is known. */
static bool is_beyond_reach(const struct simulation *simulation, const struct domain *domain, bool is_end)
{
    return promises_is_beyond_knowing(simulation, domain) || (!is_end && simulation->hosts[domain->host].has_lied);
}

/* Its host was said to be off, and its guest has panicked there since: what is preserved of it is the operator's. */
static bool is_left_over(const struct domain *domain)
{
    return domain->lied_life == domain->life && domain->state == MACHINE_CRASHED;
}

/*
 * It may be ended yet; or never, as how long ago an earlier daemon had asked for it, only the clock can tell, and that was
 * set since.
 */
static bool may_come_late(const struct simulation *simulation, const struct domain *domain, bool is_end)
{
    return domain->start_was_lost && (!is_end || simulation->has_jumped);
}

static void check_live(struct simulation *simulation, bool is_end)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *a = &simulation->domains[i];

        if (a->started_for[0] == '\0' || warm_is_id(a->started_for) || is_beyond_reach(simulation, a, is_end) ||
            is_left_over(a) || may_come_late(simulation, a, is_end))
            continue;
        for (unsigned j = 0; j < i; j++) {
            const struct domain *b = &simulation->domains[j];

            if (!is_beyond_reach(simulation, b, is_end) && !is_left_over(b) && !may_come_late(simulation, b, is_end) &&
                strcmp(a->started_for, b->started_for) == 0)
                violate(simulation, "promise 1: %s and %s both live for %s", a->name, b->name, a->started_for);
        }
    }
}

void promises_step(struct simulation *simulation)
{
    if (simulation->coordinator == NULL || simulation->result->is_violated)
        return;
    holds_step(simulation);
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);
        struct book *book = promises_book(simulation, recovery->id);
        const struct domain *domain = world_find(simulation, &recovery->failed);

        if (book == NULL)
            book = open_book(simulation, recovery);
        if (book == NULL || domain == NULL)
            continue;
        if (book->domain != domain->number)
            violate(simulation, "%s is the name of two recoveries", book->id);
        follow(simulation, book, recovery);
    }
    check_claims(simulation);
    check_live(simulation, false);
}

/* The next daemon goes on with what ended, as it was when it was written last. */
static bool has_end_unwritten(const struct simulation *simulation, const struct book *book)
{
    const struct page *page = disk_find(simulation, book->id);

    return recovery_state_is_final(book->state) && page != NULL && page->is_open;
}

/* What was under way is no fault. */
void promises_daemon_dies(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_books; i++) {
        struct book *book = &simulation->books[i];

        if (book->has_started && !book->is_restarting && is_on_its_way(book->state) && book->starts > 0)
            book->starts--;
        /* What could not be written is not remembered. */
        if (simulation->disk.is_full || simulation->disk.hangs || book->intent_failed ||
            has_end_unwritten(simulation, book))
            book->starts = 0;
        book->has_started = false;
    }
    for (unsigned i = 0; i < simulation->n_domains; i++)
        simulation->domains[i].came_up_late = false;
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        simulation->hosts[i].expects_alert = false;
}

/* A daemon that is started anew compares with what was written. */
static bool is_written(const struct simulation *simulation, const struct domain *domain)
{
    const struct page *page = disk_find_machine(simulation, domain);
    struct machine_memory memory;

    return page != NULL && record_parse_machine(page->document, &memory) == 0 && memory.state == domain->state;
}

static void check_view(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];
        const struct machine *machine =
            pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);

        /* What a start without an intent on disk has left stands in no slot of the next daemon. */
        if (domain->has_unrecorded_parts && !templates_are_listed(simulation, domain))
            continue;
        if (domain->exists != (machine != NULL))
            violate(simulation, "%s %s, and that is not known", domain->name, domain->exists ? "exists" : "is gone");
        else if (machine != NULL && machine->state != domain->state)
            violate(simulation, "%s is %s, and is thought to be %s", domain->name, machine_state_name(domain->state),
                    machine_state_name(machine->state));
        else if (machine != NULL && !is_written(simulation, domain))
            violate(simulation, "%s is %s, and that is not on disk", domain->name, machine_state_name(domain->state));
        else if (machine != NULL && machine_rare(machine)->claimed_by != NULL && machine->keeping == KEEPING_NONE)
            violate(simulation, "%s is still claimed by %s", domain->name, machine_rare(machine)->claimed_by);
    }
}

void promises_end(struct simulation *simulation)
{
    migration_end(simulation);
    tags_end(simulation);
    templates_end(simulation);
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);
        const struct page *page = disk_find(simulation, recovery->id);

        if (!recovery_state_is_final(recovery->state))
            violate(simulation, "promise 6: %s stays open for ever: %s", recovery->id,
                    recovery_state_name(recovery->state));
        else if (page == NULL || page->is_open)
            violate(simulation, "the end of %s is not on disk", recovery->id);
    }
    check_live(simulation, true);
    check_view(simulation);
    warm_end(simulation);
    losses_end(simulation);
    autostart_end(simulation);
    crashes_end(simulation);
}
