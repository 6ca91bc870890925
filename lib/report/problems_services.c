/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services that are down, served twice or by a replacement, or would not be recovered as they should. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "choose/plan.h"
#include "report/problem_search.h"
#include "report/service_list.h"

/* So many services without a candidate are told with the nearest one, and so much of what that lacks. */
#define EXPLAINED    20
#define MISSING_TOLD 5

static void look_at_down(struct problem_search *search, const struct listed_service *service)
{
    const char *id = service->failed_recovery_id != NULL ? service->failed_recovery_id : service->recovery_id;

    if (service->state == SERVICE_DOWN)
        problems_add(search, PROBLEM_SERVICE_DOWN, service->name,
                     text_print("%s is down: its machine failed, and no replacement serves", service->name),
                     id != NULL ? text_print("understudyctl history %s says why; then: understudyctl recover %s", id,
                                             service->name)
                                : text_print("understudyctl recover %s", service->name));
}

/* It was on when its host was asked, and is not off yet. */
static bool autostart_is_on(const struct problem_search *search, const struct diversion *diversion)
{
    return !diversion->autostart_is_off &&
           coordinator_memory(search->coordinator, &diversion->service.original).autostart_is_off;
}

static void look_at_diversion(struct problem_search *search, const struct listed_service *service)
{
    const struct diversion *diversion = service->diversion;

    if (diversion == NULL)
        return;
    if (diversion->runs_twice.uuid[0] != '\0')
        problems_add(
            search, PROBLEM_RUNS_TWICE, service->name,
            text_print("%s is served twice: by %s, its replacement, and by a machine that served it before",
                       service->name, diversion->service.replacement_name),
            text_print(
                "find out which of them serves users, and shut the other one down at once, before their data differ: "
                "understudyctl show %s",
                diversion->service.replacement_name));
    if (autostart_is_on(search, diversion))
        problems_add(
            search, PROBLEM_AUTOSTART_ON, service->name,
            text_print("the original of %s starts with its host, beside its replacement %s: its autostart could "
                       "not be switched off",
                       service->name, diversion->service.replacement_name),
            text_print("on %s: virsh autostart --disable %s", diversion->service.original.hypervisor,
                       diversion->service.original.uuid));
    problems_add(
        search, PROBLEM_SERVICE_DIVERTED, service->name,
        text_print("%s is served by its replacement %s", service->name, diversion->service.replacement_name),
        text_print(
            "when its original is mended: understudyctl failback %s; to stay with the replacement: understudyctl "
            "keep %s",
            service->name, service->name));
}

/* "; it lacks database/mysql, os/debian-12"; empty: nothing, or it is out for another reason. */
static char *list_missing(const struct explained_candidate *nearest)
{
    char *text = text_copy("");

    for (size_t i = 0; text != NULL && !nearest->is_incomparable && i < nearest->missing.count; i++) {
        char *before = text;

        text = i < MISSING_TOLD ? text_print("%s%s%s", before, i == 0 ? "; it lacks " : ", ", nearest->missing.items[i])
                                : text_print("%s, …", before);
        free(before);
        if (i == MISSING_TOLD)
            break;
    }
    return text;
}

/* The nearest candidate, and what keeps it from being one. Takes a comparison with every machine. NULL: no memory. */
static char *explain_unprotected(struct problem_search *search, const struct listed_service *service)
{
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    _cleanup_(freep) char *missing = NULL;

    if (coordinator_explain(search->coordinator, service->server, 1, search->now, &explanation) < 0)
        return NULL;
    missing = explanation->n_candidates > 0 ? list_missing(&explanation->candidates[0]) : text_copy("");
    return missing != NULL ? text_print(": %s%s", explanation->summary, missing) : NULL;
}

/* It would not be recovered, were its machine to fail now. */
static void look_at_next(struct problem_search *search, const struct listed_service *service, size_t *n_explained)
{
    _cleanup_(freep) char *why = ++*n_explained <= EXPLAINED ? explain_unprotected(search, service) : text_copy("");

    problems_add(search, PROBLEM_SERVICE_UNPROTECTED, service->name,
                 why != NULL ? text_print("no machine would take over from %s%s", service->name, why) : NULL,
                 text_print("understudyctl explain %s says what is missing",
                            pool_display_name(coordinator_pool(search->coordinator), service->server)));
}

static bool is_data(const struct feature_table *table, uint32_t feature)
{
    return strcmp(feature_kind_name(table, feature_kind(table, feature)), "data") == 0;
}

/* It would be recovered, and come up without what it keeps. */
static void look_at_data(struct problem_search *search, const struct listed_service *service,
                         const struct machine *next)
{
    const struct feature_table *table = coordinator_features(search->coordinator);
    const struct pool *pool = coordinator_pool(search->coordinator);
    const struct id_set *need = &machine_need(service->server)->features;
    const char *data = NULL;

    for (size_t i = 0; i < need->count && data == NULL; i++)
        if (is_data(table, need->ids[i]) && !id_set_contains(&next->spec->features, need->ids[i]))
            data = feature_name(table, need->ids[i]);
    if (data != NULL)
        problems_add(
            search, PROBLEM_DATA_MISSING, service->name,
            text_print("%s would take over from %s, and lacks its %s", pool_display_name(pool, next), service->name,
                       data),
            text_print("give it that data; or name data in must_cover (similarity, or services for this one), so that "
                       "no machine without it takes over"));
}

/* That several services share one is how many rooms are meant; standby.warm says how many failures at once are expected. */
static void look_at_standbys(struct problem_search *search, size_t n_planned)
{
    size_t n_standbys = pool_standing_count(coordinator_pool(search->coordinator), STANDING_BY);
    const struct config *config = search->outside->config;

    if (config != NULL && n_standbys < n_planned && n_standbys < config->standby.warm)
        problems_add(
            search, PROBLEM_TOO_FEW_STANDBYS, "",
            text_print("%zu services share %zu standby%s, fewer than the %u that standby.warm is for: when more "
                       "fail at once, the less important stay down",
                       n_planned, n_standbys, PLURAL(n_standbys), config->standby.warm),
            text_print("add standbys, or lower standby.warm; understudyctl services shows which would take over "
                       "from which"));
}

static void look_at_plan(struct problem_search *search, const struct service_list *services)
{
    size_t n_explained = 0, n_planned = 0;
    struct plan_answer answer;

    for (size_t i = 0; search->plan != NULL && i < services->count; i++) {
        const struct listed_service *service = &services->all[i];

        if (service_lacks_next(service, search->plan)) {
            look_at_next(search, service, &n_explained);
        } else if (service->state == SERVICE_UP && plan_find(search->plan, service->server, &answer) == 0 &&
                   answer.best.machine != NULL) {
            look_at_data(search, service, answer.best.machine);
            n_planned++;
        }
    }
    look_at_standbys(search, n_planned);
}

static void tell_unfinished(struct problem_search *search, const struct recovery *recovery)
{
    problems_add(search, PROBLEM_REHEARSAL, recovery->service_name,
                 text_print("%s was rehearsed, and its original does not serve again", recovery->service_name),
                 text_print("understudyctl failback %s; or understudyctl keep %s", recovery->service_name,
                            recovery->service_name));
}

static void tell_failed(struct problem_search *search, const struct recovery *recovery)
{
    const struct pool *pool = coordinator_pool(search->coordinator);
    const struct machine *original = pool_find(pool, recovery->service.hypervisor, recovery->service.uuid);

    problems_add(search, PROBLEM_REHEARSAL, service_name_of(pool, original),
                 text_print("the last rehearsal of %s has failed: %s", recovery->service_name,
                            recovery->detail != NULL ? recovery->detail : "see its history"),
                 text_print("understudyctl history %s says why; when that is mended: understudyctl rehearse %s --yes; "
                            "or understudyctl clear %s",
                            recovery->id, recovery->service_name, pool_display_name(pool, original)));
}

static void look_at_rehearsals(struct problem_search *search)
{
    for (size_t i = 0; i < coordinator_recovery_count(search->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(search->coordinator, i);
        enum rehearsal_trouble trouble = coordinator_rehearsal_trouble(search->coordinator, recovery);

        if (trouble == REHEARSAL_UNFINISHED)
            tell_unfinished(search, recovery);
        else if (trouble == REHEARSAL_FAILED)
            tell_failed(search, recovery);
    }
}

void problems_look_at_services(struct problem_search *search)
{
    _cleanup_(service_list_done) struct service_list services = {0};

    if (service_list_collect(search->coordinator, &services) < 0)
        search->error = -ENOMEM;
    for (size_t i = 0; i < services.count; i++) {
        look_at_down(search, &services.all[i]);
        look_at_diversion(search, &services.all[i]);
    }
    look_at_plan(search, &services);
    look_at_rehearsals(search);
}
