/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The world's own book of failures: what really happened, and whether understudy was in a position to
 * know. A recovery without an entry, and an entry without a recovery, break promises 2 and 3.
 */
#include <string.h>

#include "report/record.h"
#include "simulation.h"

/* How understudy sees the machine, or would on its next start. False: not at all. */
static bool find_view(struct simulation *simulation, const struct domain *domain, enum machine_state *ret_state,
                      enum machine_reason *ret_reason)
{
    const struct machine *machine;
    struct machine_memory memory;
    const struct page *page;

    if (simulation->coordinator != NULL) {
        machine =
            pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);
        if (machine != NULL && machine->state != MACHINE_UNKNOWN) {
            *ret_state = machine->state;
            *ret_reason = machine->reason;
            return true;
        }
    }
    /* Of one that leaves no definition behind, nothing is known when it is gone. */
    page = domain->is_persistent ? disk_find_machine(simulation, domain) : NULL;
    if (page == NULL || record_parse_machine(page->document, &memory) < 0)
        return false;
    *ret_state = memory.state;
    *ret_reason = memory.reason;
    return true;
}

/* It failed, was not recovered, and it was not seen to run since: what happens to it now is old. */
static bool is_given_up(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine =
        simulation->coordinator != NULL
            ? pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid)
            : NULL;

    return machine != NULL && machine->failed_unrecovered;
}

static const struct book *find_open_book(const struct simulation *simulation, unsigned domain)
{
    for (size_t i = simulation->n_books; i-- > 0;) {
        const struct book *book = &simulation->books[i];

        if (!recovery_state_is_final(book->state) && (book->domain == domain || book->replacement == (int)domain))
            return book;
    }
    return NULL;
}

/* By one that it started: the replacement, or, where that did not take over, the machine that had served before. */
static bool has_put_in_service(const struct book *book)
{
    return book->state == RECOVERY_RECOVERED || (book->state == RECOVERY_CALLED_OFF && book->is_restarting);
}

/* It runs as the replacement of another, and its recovery is over; NULL: it does not. */
static const struct book *find_service(struct simulation *simulation, const struct domain *domain)
{
    const struct book *book = domain->started_for[0] != '\0' ? promises_book(simulation, domain->started_for) : NULL;

    return book != NULL && has_put_in_service(book) && book->replacement == (int)domain->number &&
                   !(book->is_restarting && strcmp(book->root, domain->uuid) == 0)
               ? book
               : NULL;
}

static bool is_original_of(const struct domain *domain, const struct book *book)
{
    return strcmp(book->root, domain->uuid) == 0;
}

/* As the daemon knows, and the other one runs. */
static bool is_served_by_another(struct simulation *simulation, const struct domain *domain)
{
    size_t count = simulation->coordinator != NULL ? coordinator_diversion_count(simulation->coordinator) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct diversion *diversion = coordinator_diversion(simulation->coordinator, i);
        const struct domain *replacement = world_find(simulation, &diversion->service.replacement);

        if (!diversion->is_over && strcmp(diversion->service.original.uuid, domain->uuid) == 0 &&
            (diversion->is_stopped || (replacement != NULL && machine_state_is_active(replacement->state))))
            return true;
    }
    return false;
}

/*
 * Promise 9: a service is protected whichever machine serves it. Where the original runs beside its replacement, neither
 * of the two is needed, nor is a replacement beside a later one.
 */
static bool is_needed(struct simulation *simulation, const struct domain *domain)
{
    const struct book *service = migration_is_followed(simulation, domain) ? find_service(simulation, domain) : NULL;
    /* One that is being started again goes on serving what it served. */
    const struct book *serving = service != NULL ? service : find_open_book(simulation, domain->number);

    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];
        const struct book *others = find_service(simulation, other);

        if (other == domain || !machine_state_is_active(other->state))
            continue;
        if ((serving != NULL && is_original_of(other, serving)) ||
            (service != NULL && others != NULL && strcmp(service->root, others->root) == 0 &&
             others->opened_us > service->opened_us) ||
            (others != NULL && is_original_of(domain, others)))
            return false;
    }
    if (service != NULL)
        return ((losses_original(simulation, service)->roles | domain->roles) & ROLE_PROTECTED) != 0;
    return (domain->roles & tags_known(simulation, domain).roles & ROLE_PROTECTED) != 0 &&
           !is_served_by_another(simulation, domain);
}

void promises_crash(struct simulation *simulation, const struct domain *domain, const char *what, bool needs_events,
                    bool is_pause)
{
    enum machine_state state = MACHINE_UNKNOWN;
    enum machine_reason reason = REASON_UNKNOWN;
    bool is_old = is_given_up(simulation, domain);
    bool is_seen = find_view(simulation, domain, &state, &reason) && machine_state_is_active(state) && !is_old;
    const struct book *book = find_open_book(simulation, domain->number);
    struct crash *crash;

    say(simulation, "world    %s: %s", domain->name, what);
    if (simulation->n_crashes >= CRASHES_MAX)
        return;
    simulation->result->crashes++;
    crash = &simulation->crashes[simulation->n_crashes++];
    *crash = (struct crash){
        .domain = domain->number,
        .life = domain->life,
        .at_us = simulation->now.mono_us,
        .what = what,
        .epoch = simulation->epoch,
        /* Right after a recovery gave it up, news of it is old news. */
        .is_required = is_seen && !holds_cover(simulation, domain) && !warm_is_kept(simulation, domain) &&
                       is_needed(simulation, domain) && !is_pause &&
                       simulation->now.mono_us - domain->condemned_us > 2 * NEWS_DELAY_US,
        .needs_events = needs_events,
        .is_pause = is_pause && !is_old,
        .was_kept =
            simulation->coordinator != NULL && warm_is_id(domain->started_for) && warm_is_kept(simulation, domain),
        .is_hang = domain->is_hung,
    };
    strcpy(crash->started_for, domain->started_for);
    if (book != NULL)
        strcpy(crash->served_id, book->id);
}

/* The latest of this domain that no recovery was opened for. */
static struct crash *find_open(struct simulation *simulation, unsigned domain)
{
    for (size_t i = simulation->n_crashes; i-- > 0;) {
        struct crash *crash = &simulation->crashes[i];

        if (crash->domain == domain && crash->recovery_id[0] == '\0')
            return crash;
    }
    return NULL;
}

static void excuse(struct simulation *simulation, unsigned domain, bool only_if_needs_events)
{
    struct crash *crash = find_open(simulation, domain);

    if (crash != NULL && (!only_if_needs_events || crash->needs_events))
        crash->is_required = false;
}

static bool was_in_service(enum machine_state state, enum machine_reason reason)
{
    return state == MACHINE_RUNNING || state == MACHINE_SUSPENDED ||
           (state == MACHINE_PAUSED && reason != REASON_USER && reason != REASON_STARTING_UP);
}

/* So long must a host have been up that its counters are surely lower after the next boot. */
#define UP_LONG_US (600 * USEC_PER_SEC)

/* The daemon has seen it in service, and the counters of its host. */
static bool is_watched(struct simulation *simulation, const struct domain *domain)
{
    enum machine_state state = MACHINE_UNKNOWN;
    enum machine_reason reason = REASON_UNKNOWN;

    return simulation->coordinator != NULL && coordinator_hypervisor(simulation->coordinator, domain->host).is_listed &&
           simulation->now.mono_us - simulation->hosts[domain->host].booted_us > UP_LONG_US &&
           find_view(simulation, domain, &state, &reason) && was_in_service(state, reason);
}

/* Longer than any grace, and the news of it. */
#define SURELY_FAILED_US (60 * USEC_PER_SEC)

/* It was paused by what counts as a failure, and stands so since: whatever came of that, it fails no more. */
static bool has_failed_before(const struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = simulation->n_crashes; i-- > 0;) {
        const struct crash *crash = &simulation->crashes[i];

        if (crash->domain == domain->number && crash->life == domain->life)
            return domain->state == MACHINE_PAUSED &&
                   (domain->reason == REASON_IO_ERROR || domain->reason == REASON_WATCHDOG) &&
                   simulation->now.mono_us - crash->at_us > SURELY_FAILED_US;
    }
    return false;
}

/* No event can tell of it; it is found when the host was fenced, or is back, by a daemon that lived through it. */
void promises_power_lost(struct simulation *simulation, const struct domain *domain)
{
    bool can_be_found = is_watched(simulation, domain) && !has_failed_before(simulation, domain);
    struct crash *crash;

    excuse(simulation, domain->number, false);
    promises_crash(simulation, domain, "is down with its host", false, false);
    crash = find_open(simulation, domain->number);
    if (crash == NULL)
        return;
    crash->needs_this_daemon = true;
    crash->is_required &= can_be_found && crash->served_id[0] == '\0';
}

void crashes_fenced(struct simulation *simulation, unsigned host)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];
        enum machine_state state = MACHINE_UNKNOWN;
        enum machine_reason reason = REASON_UNKNOWN;

        if (domain->host != host || !is_needed(simulation, domain) || warm_is_kept(simulation, domain) ||
            !find_view(simulation, domain, &state, &reason))
            continue;
        /* Suspended, as far as is known: it went down with its host, and that is no failure, whether its agent lied or not. */
        if (!was_in_service(state, reason)) {
            excuse(simulation, i, false);
            continue;
        }
        /* It runs on, as the recovery under way will find. */
        if (domain->lied_life == domain->life && find_open_book(simulation, i) != NULL)
            continue;
        if (find_open(simulation, i) == NULL || find_open(simulation, i)->served_id[0] != '\0')
            promises_crash(simulation, domain, "was on a host that is fenced", false, false);
        if (find_open(simulation, i) != NULL && find_open_book(simulation, i) == NULL &&
            !holds_cover(simulation, domain))
            find_open(simulation, i)->is_required = true;
    }
}

void promises_event_lost(struct simulation *simulation, const struct domain *domain, enum domain_event_kind event)
{
    (void)event;
    excuse(simulation, domain->number, true);
}

void promises_reasons_lost(struct simulation *simulation, unsigned host)
{
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].host == host && !machine_state_is_active(simulation->domains[i].state))
            excuse(simulation, i, false);
}

/* What runs again before the daemon looks was never seen off. */
void promises_started_anew(struct simulation *simulation, const struct domain *domain)
{
    excuse(simulation, domain->number, false);
}

/* Recoveries that never reached the disk are forgotten, may be opened anew, and their names are free. */
static void reopen_forgotten(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_books; i++)
        if (disk_find(simulation, simulation->books[i].id) == NULL)
            simulation->books[i].id[0] = '?';
    for (size_t i = 0; i < simulation->n_crashes; i++) {
        struct crash *crash = &simulation->crashes[i];

        if (crash->recovery_id[0] == '\0' || disk_find(simulation, crash->recovery_id) != NULL)
            continue;
        crash->recovery_id[0] = '\0';
        crash->is_required = false;
    }
    for (size_t i = 0; i < simulation->n_crashes; i++)
        if (simulation->crashes[i].served_id[0] != '\0' &&
            disk_find(simulation, simulation->crashes[i].served_id) == NULL)
            simulation->crashes[i].is_required = false;
}

/* The brake is known to the recoveries that wait for it, if the disk knows them. */
static void keep_brake(struct simulation *simulation)
{
    bool is_known = false;

    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct page *page = disk_find(simulation, simulation->books[i].id);

        is_known |= page != NULL && page->is_open && page->put_us > simulation->braked_us;
    }
    simulation->is_braked &= is_known;
}

/* Recoveries whose end did not reach the disk go on: what became of their machines meanwhile is their business. */
static void go_on(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *book = &simulation->books[i];
        const struct page *page = disk_find(simulation, book->id);

        if (!recovery_state_is_final(book->state) || page == NULL || !page->is_open)
            continue;
        for (size_t k = 0; k < simulation->n_crashes; k++) {
            struct crash *crash = &simulation->crashes[k];

            if (crash->recovery_id[0] == '\0' && crash->served_id[0] == '\0' && crash->at_us >= book->opened_us &&
                (crash->domain == book->domain || (int)crash->domain == book->replacement))
                strcpy(crash->served_id, book->id);
        }
    }
}

/* A candidate that was given up and comes up again is not told from what it was ended for, while that goes on. */
static bool is_muddled(const struct simulation *simulation, const struct domain *domain)
{
    const struct page *page = disk_find(simulation, domain->condemned_for);

    return domain->condemned_for[0] != '\0' && page != NULL && page->is_open;
}

/* A recovery that goes on had tried it: what is found of it may be the end that this one had made of it. */
static bool was_tried(const struct simulation *simulation, const struct domain *domain)
{
    for (const struct page *page = simulation->disk.durable; page != NULL; page = page->next) {
        struct recovery *recovery = NULL;
        bool was_tried = false;

        if (page->is_machine || page->is_host || page->is_diversion || page->is_hold || !page->is_open ||
            record_parse_recovery(page->document, simulation->now, &recovery) < 0)
            continue;
        for (size_t i = 0; i < recovery->n_attempts; i++)
            was_tried |= strcmp(recovery->attempts[i].candidate.uuid, domain->uuid) == 0;
        recovery_free(recovery);
        if (was_tried)
            return true;
    }
    return false;
}

/* A daemon that was told before it died that the machine is off, or never that it ran, finds nothing new. */
void promises_daemon_starts(struct simulation *simulation)
{
    reopen_forgotten(simulation);
    go_on(simulation);
    keep_brake(simulation);
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct page *page = disk_find_machine(simulation, &simulation->domains[i]);
        struct machine_memory memory;

        if (page == NULL || is_muddled(simulation, &simulation->domains[i]) ||
            record_parse_machine(page->document, &memory) < 0 || !machine_state_is_active(memory.state) ||
            memory.state == MACHINE_CRASHED || memory.keeping != KEEPING_NONE) /* warm, it served no service */
            excuse(simulation, i, false);
        excuse(simulation, i, true);
        if (was_tried(simulation, &simulation->domains[i]))
            excuse(simulation, i, false);
    }
}

/* An operator had ordered that another one takes over from it, and it was left to serve. */
static bool was_let_stay_since(const struct simulation *simulation, const struct book *book)
{
    for (const struct book *later = book + 1; later < simulation->books + simulation->n_books; later++)
        if (later->domain == book->domain && later->relief != RELIEF_NONE && recovery_state_is_final(later->state))
            return true;
    return false;
}

/* Its recovery ended as another machine served; the next daemon finds it as it was, and that one may be down by now. */
static bool is_found_again(const struct simulation *simulation, const struct crash *crash, const struct book *book)
{
    const struct domain *domain = &simulation->domains[crash->domain];

    return crash->is_pause && book->state == RECOVERY_DISMISSED && book->opened_epoch != simulation->epoch &&
           domain->life == crash->life && domain->state == MACHINE_PAUSED;
}

/*
 * A guest hangs on, and was not recovered. It is told again by the next daemon, and where it was migrated to, as neither knows
 * that it hung before; when an order for it was called off; and where its recovery was of another failure, as a pause that is
 * over, or was dismissed, as it seemed to run after all.
 */
static bool may_be_told_again(const struct simulation *simulation, const struct crash *crash, const struct book *book)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, book->id);
    const struct domain *domain = &simulation->domains[crash->domain];

    return recovery_state_is_final(book->state) && book->starts == 0 && crash->is_hang &&
           ((recovery != NULL && recovery->cause != CAUSE_HUNG) || book->opened_epoch != simulation->epoch ||
            domain->moved_life == domain->life || was_let_stay_since(simulation, book) ||
            book->state == RECOVERY_DISMISSED);
}

static struct crash *find_told_again(struct simulation *simulation, unsigned domain)
{
    for (size_t i = simulation->n_crashes; i-- > 0;) {
        struct crash *crash = &simulation->crashes[i];
        const struct book *book = crash->domain == domain ? promises_book(simulation, crash->recovery_id) : NULL;

        if (book != NULL)
            return may_be_told_again(simulation, crash, book) || is_found_again(simulation, crash, book) ? crash : NULL;
    }
    return NULL;
}

/*
 * It failed as a candidate, and the recovery that tried it has gone on to the next one. Whose agent lied, of that
 * host nothing is known any more.
 */
static bool was_given_up(struct simulation *simulation, const struct crash *crash)
{
    const struct book *book = promises_book(simulation, crash->served_id);

    return book != NULL && book->domain != crash->domain && book->replacement != (int)crash->domain &&
           strcmp(crash->started_for, crash->served_id) == 0 &&
           !simulation->hosts[simulation->domains[crash->domain].host].has_lied &&
           !promises_is_beyond_knowing(simulation, &simulation->domains[crash->domain]);
}

/* It was started to be kept warm, and the disk says so: it served no service, whichever daemon had started it. */
static bool was_only_kept(const struct simulation *simulation, const struct crash *crash)
{
    const struct page *page = disk_find_machine(simulation, &simulation->domains[crash->domain]);
    struct machine_memory memory;

    return warm_is_id(crash->started_for) && page != NULL && record_parse_machine(page->document, &memory) == 0 &&
           memory.keeping != KEEPING_NONE;
}

struct crash *crashes_match(struct simulation *simulation, unsigned domain, const char *recovery_id)
{
    struct crash *found = find_open(simulation, domain);

    if (found != NULL && found->was_kept && found->epoch == simulation->epoch &&
        found->life == simulation->domains[domain].life && !promises_book(simulation, recovery_id)->is_host_lost)
        violate(simulation, "warmth: a recovery of %s, which failed while it was kept warm",
                simulation->domains[domain].name);
    if (found != NULL && promises_book(simulation, recovery_id)->is_host_lost && was_only_kept(simulation, found))
        violate(simulation, "warmth: a recovery of %s, which was only kept warm when its host was lost",
                simulation->domains[domain].name);
    if (found != NULL && was_given_up(simulation, found) && !promises_book(simulation, recovery_id)->is_host_lost)
        violate(simulation, "promise 1: a recovery of %s, which failed as the candidate of another",
                simulation->domains[domain].name);
    if (found == NULL)
        return find_told_again(simulation, domain);
    for (size_t i = 0; i < simulation->n_crashes; i++) {
        struct crash *crash = &simulation->crashes[i];

        if (crash->domain == domain && crash->recovery_id[0] == '\0')
            strcpy(crash->recovery_id, recovery_id);
    }
    return found;
}

void crashes_relieved(struct simulation *simulation, const struct domain *domain, bool is_obedience)
{
    for (size_t i = simulation->n_books; i-- > 0;) {
        const struct book *book = &simulation->books[i];

        /* A pause that was recovered in vain since then, and is over, has not stopped it. */
        if (book->domain != domain->number || (book->relief == RELIEF_NONE && book->failed_life == domain->life))
            continue;
        if (book->relief != RELIEF_NONE &&
            (!recovery_state_is_final(book->state) || book->state == RECOVERY_CALLED_OFF))
            promises_crash(simulation, domain, "shuts down for another to take over", true, !is_obedience);
        /*
         * How long ago an earlier daemon called it off, or when a call that came too late asked it in a later life, only the
         * clock can tell, and that was set since.
         */
        if (book->state == RECOVERY_CALLED_OFF && simulation->has_jumped &&
            (book->ended_epoch != simulation->epoch || domain->life != book->failed_life))
            excuse(simulation, domain->number, false);
        return;
    }
}

/* It is a replacement that is protected for the service of the original alone. */
static bool failed_for(struct simulation *simulation, const struct crash *crash, const struct domain *original)
{
    const struct book *book = crash->started_for[0] != '\0' ? promises_book(simulation, crash->started_for) : NULL;

    return book != NULL && is_original_of(original, book) &&
           (simulation->domains[crash->domain].roles & ROLE_PROTECTED) == 0;
}

/* An operator takes its protection from it: what failed of its service before need not be recovered any more. */
void crashes_waived(struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = 0; i < simulation->n_crashes; i++)
        if (simulation->crashes[i].domain == domain->number || failed_for(simulation, &simulation->crashes[i], domain))
            simulation->crashes[i].is_required = false;
}

void crashes_order(struct simulation *simulation, unsigned domain, const char *recovery_id)
{
    for (size_t i = 0; i < simulation->n_crashes; i++) {
        struct crash *crash = &simulation->crashes[i];

        if (crash->domain == domain && crash->recovery_id[0] == '\0')
            strcpy(crash->recovery_id, recovery_id);
    }
}

/* A recovery was under way for this very machine, and did not end believing that it runs. */
static bool was_taken_care_of(struct simulation *simulation, const struct crash *crash)
{
    const struct book *book = crash->served_id[0] != '\0' ? promises_book(simulation, crash->served_id) : NULL;

    if (book == NULL)
        return false;
    /* It was called off since it runs, then or again. */
    if (book->domain == crash->domain && book->state == RECOVERY_CALLED_OFF)
        return simulation->domains[crash->domain].life != crash->life;
    if (book->domain == crash->domain)
        return book->state != RECOVERY_DISMISSED;
    /* The next daemon went through it once more. */
    return book->state != RECOVERY_RECOVERED || book->replacement != (int)crash->domain ||
           book->ended_epoch > crash->epoch;
}

static bool still_hangs(const struct simulation *simulation, const struct domain *domain)
{
    return domain->is_hung && domain->has_agent && domain->temper != TEMPER_MUTE && domain->state == MACHINE_RUNNING &&
           world_has_answered(simulation, domain) && simulation->config->failure.heartbeat.is_enabled;
}

/* It went on, and was paused, or hung, once more: that is the later one's. */
static bool was_repeated(const struct simulation *simulation, const struct crash *crash)
{
    for (const struct crash *later = crash + 1; later < simulation->crashes + simulation->n_crashes; later++)
        if (later->domain == crash->domain && later->life == crash->life && later->is_hang == crash->is_hang)
            return true;
    return false;
}

static bool still_stands(struct simulation *simulation, const struct crash *crash)
{
    const struct domain *domain = &simulation->domains[crash->domain];

    return domain->life == crash->life && !was_repeated(simulation, crash) && is_needed(simulation, domain) &&
           crash->served_id[0] == '\0' &&
           ((domain->state == MACHINE_PAUSED &&
             (domain->reason == REASON_IO_ERROR || domain->reason == REASON_WATCHDOG)) ||
            still_hangs(simulation, domain));
}

/* An order that came before the news of a failure: what was to be relieved was found down, and was recovered, or not. */
static bool has_become_a_recovery(const struct book *book)
{
    return book->relief != RELIEF_NONE && (book->state == RECOVERY_RECOVERED || book->state == RECOVERY_EXHAUSTED);
}

/* A recovery of its service followed, whichever machine had served it then. */
static bool was_service_recovered(struct simulation *simulation, const struct crash *crash)
{
    const struct domain *domain = &simulation->domains[crash->domain], *original;
    /* One that an operator started again in the middle of a recovery serves what that recovery is about. */
    const char *for_id = crash->started_for[0] != '\0' ? crash->started_for : crash->served_id;
    const struct book *served = for_id[0] != '\0' ? promises_book(simulation, for_id) : NULL;

    /* The original came back by other hands. */
    original = served != NULL ? losses_original(simulation, served) : domain;
    if (original != domain && original->up_us >= crash->at_us - NEWS_DELAY_US)
        return true;
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *book = &simulation->books[i];

        if (book->opened_us < crash->at_us)
            continue;
        if (book->domain != crash->domain ? is_original_of(original, book) : has_become_a_recovery(book))
            return true;
    }
    return false;
}

bool crashes_is_at_work(struct simulation *simulation, unsigned number)
{
    for (size_t i = simulation->n_books; i-- > 0;)
        if (simulation->books[i].domain == number &&
            simulation->now.mono_us - simulation->books[i].opened_us < 5 * USEC_PER_MSEC) /* in this turn */
            return true;
    return machine_state_is_active(simulation->domains[number].state) || find_open(simulation, number) != NULL ||
           find_open_book(simulation, number) != NULL;
}

static bool has_another_at_work(struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = simulation->n_books; i-- > 0;) {
        const struct book *book = &simulation->books[i];
        const struct domain *original = losses_original(simulation, book);

        if (book->replacement < 0)
            continue;
        if (original == domain && book->replacement != (int)domain->number &&
            crashes_is_at_work(simulation, (unsigned)book->replacement))
            return true;
        if (original != domain && book->replacement == (int)domain->number &&
            crashes_is_at_work(simulation, original->number))
            return true;
    }
    return false;
}

void crashes_notice(struct simulation *simulation, const struct notice *notice)
{
    const struct domain *domain = world_find(simulation, &notice->machine);

    /* Or an operator has taken its protection from it before the grace period was over. */
    if (notice->kind != NOTICE_FAILURE_UNPROTECTED || domain == NULL ||
        (!has_another_at_work(simulation, domain) && is_needed(simulation, domain)))
        return;
    for (size_t i = 0; i < simulation->n_crashes; i++) {
        struct crash *crash = &simulation->crashes[i];

        if (crash->domain == domain->number && crash->recovery_id[0] == '\0')
            crash->is_required = crash->is_pause = false;
    }
}

void crashes_end(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_crashes; i++) {
        const struct crash *crash = &simulation->crashes[i];
        const char *name = simulation->domains[crash->domain].name;

        /* What was started to be kept warm was in no service, whichever daemon knew of that. */
        if (crash->recovery_id[0] != '\0' || warm_is_id(crash->started_for) ||
            (crash->needs_this_daemon && crash->epoch != simulation->epoch))
            continue;
        if (!was_service_recovered(simulation, crash) &&
            (crash->is_pause ? still_stands(simulation, crash)
                             : crash->is_required && !was_taken_care_of(simulation, crash)))
            violate(simulation, "promise 3: %s failed at %.3f (%s) and was never recovered", name,
                    (double)crash->at_us / USEC_PER_SEC, crash->what);
    }
}
