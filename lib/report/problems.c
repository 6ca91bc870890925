/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of kinds, and a function for each place in which problems are looked for. */
#include "report/problems.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "choose/plan.h"
#include "report/service_list.h"
#include "report/time.h"

#define UNTIL_LENGTH ((int)strlen("2026-11-22T14:54")) /* of an instant: people need no more */

static const struct {
    const char *name;
    unsigned severity;
} kinds[PROBLEM_COUNT] = {
    [PROBLEM_SERVICE_DOWN] = {"service-down", 2},
    [PROBLEM_RUNS_TWICE] = {"runs-twice", 2},
    [PROBLEM_HOST_NOT_FENCED] = {"host-not-fenced", 2},
    [PROBLEM_STORE_FAILS] = {"store-fails", 2},
    [PROBLEM_BRAKE] = {"brake", 2},
    [PROBLEM_HOST_ISOLATED] = {"host-isolated", 1},
    [PROBLEM_HOST_UNREACHABLE] = {"host-unreachable", 1},
    [PROBLEM_SERVICE_DIVERTED] = {"service-diverted", 1},
    [PROBLEM_SERVICE_UNPROTECTED] = {"service-unprotected", 1},
    [PROBLEM_QUARANTINE] = {"quarantine", 1},
    [PROBLEM_HOLD] = {"hold", 1},
    [PROBLEM_NO_ROLES] = {"no-roles", 1},
    [PROBLEM_RELOAD_FAILED] = {"reload-failed", 1},
};

const char *problem_kind_name(enum problem_kind kind)
{
    return kinds[kind].name;
}

unsigned problem_severity(enum problem_kind kind)
{
    return kinds[kind].severity;
}

/* ---- the list ---- */

static void problem_done(struct problem *problem)
{
    free(problem->subject);
    free(problem->text);
    free(problem->remedy);
}

void problems_done(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        problem_done(&problems->all[i]);
    free(problems->all);
    *problems = (struct problems){0};
}

/* While one list is made. */
struct search {
    const struct coordinator *coordinator;
    struct plan *plan;
    const struct problems_outside *outside;
    struct moment now;
    struct problems found;
    int error;
};

/* Takes both texts; NULL: there was no memory for one. */
static void add(struct search *search, enum problem_kind kind, const char *subject, char *text, char *remedy)
{
    struct problem problem = {
        .kind = kind, .subject = strdup(subject), .text = text, .remedy = remedy, .since = search->now};
    struct problems *found = &search->found;

    if (found->count == found->room) {
        size_t room = found->room > 0 ? 2 * found->room : 16;
        struct problem *all = reallocarray(found->all, room, sizeof(*all));

        if (all != NULL) {
            found->all = all;
            found->room = room;
        }
    }
    if (problem.subject == NULL || text == NULL || remedy == NULL || found->count == found->room) {
        search->error = -ENOMEM;
        problem_done(&problem);
        return;
    }
    found->all[found->count++] = problem;
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;

    if (problem_severity(a->kind) != problem_severity(b->kind))
        return problem_severity(a->kind) > problem_severity(b->kind) ? -1 : 1;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : strverscmp(a->subject, b->subject);
}

const struct problem *problems_find(const struct problems *problems, const struct problem *wanted)
{
    return problems->count > 0 ? bsearch(wanted, problems->all, problems->count, sizeof(*problems->all), compare)
                               : NULL;
}

void problems_inherit(struct problems *problems, const struct problems *earlier)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *before = problems_find(earlier, &problems->all[i]);

        if (before != NULL)
            problems->all[i].since = before->since;
    }
}

size_t problems_count(const struct problems *problems, unsigned severity)
{
    size_t n = 0;

    for (size_t i = 0; i < problems->count; i++)
        n += problem_severity(problems->all[i].kind) == severity;
    return n;
}

/* ---- services ---- */

static void look_at_down(struct search *search, const struct listed_service *service)
{
    const char *id = service->failed_recovery_id != NULL ? service->failed_recovery_id : service->recovery_id;

    if (service->state == SERVICE_DOWN)
        add(search, PROBLEM_SERVICE_DOWN, service->name,
            text_print("%s is down: its machine failed, and no replacement serves", service->name),
            id != NULL
                ? text_print("understudyctl history %s says why; then: understudyctl recover %s", id, service->name)
                : text_print("understudyctl recover %s", service->name));
}

static void look_at_diversion(struct search *search, const struct listed_service *service)
{
    const struct diversion *diversion = service->diversion;

    if (diversion == NULL)
        return;
    if (diversion->runs_twice.uuid[0] != '\0')
        add(search, PROBLEM_RUNS_TWICE, service->name,
            text_print("%s is served twice: by %s, its replacement, and by a machine that served it before",
                       service->name, diversion->service.replacement_name),
            text_print("shut one of the two down before their data part: understudyctl show %s",
                       diversion->service.replacement_name));
    add(search, PROBLEM_SERVICE_DIVERTED, service->name,
        text_print("%s is served by its replacement %s", service->name, diversion->service.replacement_name),
        text_print("understudyctl failback %s, when its original is mended; or keep %s, to stay with the replacement",
                   service->name, service->name));
}

/* It would not be recovered, were its machine to fail now. */
static void look_at_plan(struct search *search, const struct listed_service *service)
{
    if (service_lacks_next(service, search->plan))
        add(search, PROBLEM_SERVICE_UNPROTECTED, service->name,
            text_print("no machine would take over from %s", service->name),
            text_print("understudyctl explain %s says what is missing",
                       pool_display_name(coordinator_pool(search->coordinator), service->server)));
}

static void look_at_services(struct search *search)
{
    _cleanup_(service_list_done) struct service_list services = {0};

    if (service_list_collect(search->coordinator, &services) < 0)
        search->error = -ENOMEM;
    for (size_t i = 0; i < services.count; i++) {
        look_at_down(search, &services.all[i]);
        look_at_diversion(search, &services.all[i]);
        look_at_plan(search, &services.all[i]);
    }
}

/* ---- machines ---- */

static void look_at_machines(struct search *search)
{
    const struct pool *pool = coordinator_pool(search->coordinator);
    bool has_protected = false, has_standby = false;

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        const struct machine_rare *rare = machine_rare(machine);
        const char *name;

        has_protected |= (machine->roles & ROLE_PROTECTED) != 0;
        has_standby |= (machine->roles & ROLE_STANDBY) != 0;
        if (rare->quarantined_until_us <= search->now.mono_us)
            continue;
        name = pool_display_name(pool, machine);
        add(search, PROBLEM_QUARANTINE, name,
            text_print("%s is in quarantine and replaces no machine: %s", name,
                       rare->quarantine_why != NULL ? rare->quarantine_why : "it did not come up as a replacement"),
            text_print("mend it; then: understudyctl clear %s", name));
    }
    if (pool_count(pool) > 0 && (!has_protected || !has_standby))
        add(search, PROBLEM_NO_ROLES, "",
            text_print("%s", has_protected ? "no machine is standby, so that none may be started as a replacement"
                             : has_standby ? "no machine is protected, so that none is replaced when it fails"
                                           : "no machine is protected and none is standby, so that nothing happens "
                                             "when one fails"),
            text_print("name machines in %s of %s, or understudyctl tag --role; then: understudyctl reload",
                       has_protected ? "pool.standby"
                       : has_standby ? "pool.protect"
                                     : "pool.protect and pool.standby",
                       search->outside->config_file));
}

/* ---- hosts ---- */

static const char *words_of_unreachable(enum host_state state)
{
    if (state == HOST_LOST)
        return "is lost; no machine on it needs to be recovered";
    if (state == HOST_FENCING)
        return "is lost and is being fenced";
    if (state == HOST_FENCED)
        return "was lost and is fenced; its machines are recovered elsewhere";
    return "is not connected, and its machines are not watched";
}

static void look_at_host(struct search *search, const struct hypervisor_status *host)
{
    if (host->host->state == HOST_UNFENCED)
        add(search, PROBLEM_HOST_NOT_FENCED, host->name,
            text_print("%s is lost and not known to be off, so that none of its machines is started elsewhere%s%s",
                       host->name, host->host->trouble != NULL ? ": " : "",
                       host->host->trouble != NULL ? host->host->trouble : ""),
            text_print("make sure that it is off; then: understudyctl fenced %s --yes", host->name));
    else if (host->host->state == HOST_ISOLATED)
        add(search, PROBLEM_HOST_ISOLATED, host->name,
            text_print(
                "%s is out of reach as most hosts are: the fault may be this host's network, and nothing is fenced",
                host->name),
            text_print("look at the network of this host"));
    else if (!host->is_connected && host->trouble != NULL) /* else it is being connected to for the first time */
        add(search, PROBLEM_HOST_UNREACHABLE, host->name,
            text_print("%s %s: %s", host->name, words_of_unreachable(host->host->state), host->trouble),
            text_print("look at the host and its libvirtd: virsh -c '%s' list", host->uri));
}

static void look_at_hosts(struct search *search)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(search->coordinator); i++) {
        struct hypervisor_status host = coordinator_hypervisor(search->coordinator, i);

        look_at_host(search, &host);
    }
}

/* ---- the whole ---- */

static void look_at_hold(struct search *search, const struct hold *hold)
{
    const char *what = hold->scope == HOLD_ALL ? "all" : hold->name;
    int64_t until_us = hold_until_us(hold);
    char until[TIME_TEXT_SIZE] = "";

    if (until_us != 0)
        time_format(until_us, until);
    add(search, PROBLEM_HOLD, what,
        text_print("%s is %s%s%.*s%s%s", hold->scope == HOLD_ALL ? "everything" : hold->name,
                   hold->is_evacuating ? "being evacuated, and held as soon as its services are failed over"
                   : hold->is_overdue  ? "held, and stays so until its host can be reached"
                                       : "held: it is watched, and nothing is done",
                   until_us != 0 ? ", until " : "", UNTIL_LENGTH, until, hold->reason != NULL ? "; " : "",
                   hold->reason != NULL ? hold->reason : ""),
        text_print("understudyctl release %s", what));
}

static void look_at_holds(struct search *search)
{
    for (size_t i = 0; i < coordinator_hold_count(search->coordinator); i++)
        if (!coordinator_hold_at(search->coordinator, i)->is_over)
            look_at_hold(search, coordinator_hold_at(search->coordinator, i));
}

static void look_at_daemon(struct search *search)
{
    const struct problems_outside *outside = search->outside;

    if (coordinator_is_braked(search->coordinator))
        add(search, PROBLEM_BRAKE, "",
            text_print("the brake is on: too many machines failed at once, and no replacement is started"),
            text_print("find out why; then: understudyctl release brake"));
    if (outside->store_trouble != NULL)
        add(search, PROBLEM_STORE_FAILS, "",
            text_print("what happens cannot be written down: %s", outside->store_trouble),
            text_print("look at the directory state_dir: its disk, its owner, its space"));
    if (outside->reload_error != NULL)
        add(search, PROBLEM_RELOAD_FAILED, "",
            text_print("the configuration on disk has an error, and the one before it is in force: %s",
                       outside->reload_error),
            text_print("understudyd --check lists every error; then: understudyctl reload"));
}

int problems_collect(const struct coordinator *coordinator, struct plan *plan, const struct problems_outside *outside,
                     struct moment now, struct problems *ret)
{
    struct search search = {.coordinator = coordinator, .plan = plan, .outside = outside, .now = now};

    look_at_daemon(&search);
    look_at_hosts(&search);
    look_at_holds(&search);
    if (coordinator_is_ready(coordinator)) {
        look_at_services(&search);
        look_at_machines(&search);
    }
    if (search.error < 0) {
        problems_done(&search.found);
        *ret = (struct problems){0};
        return search.error;
    }
    if (search.found.count > 0)
        qsort(search.found.all, search.found.count, sizeof(*search.found.all), compare);
    *ret = search.found;
    return 0;
}
