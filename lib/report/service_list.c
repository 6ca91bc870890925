/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which services there are, and in which state. Knows no format. */
#include "report/service_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/plan.h"

const char *service_state_name(enum service_state state)
{
    static const char *const names[SERVICE_STATE_COUNT] = {
        [SERVICE_UP] = "up",     [SERVICE_RECOVERING] = "recovering",
        [SERVICE_DOWN] = "down", [SERVICE_STOPPED] = "stopped",
        [SERVICE_HELD] = "held", [SERVICE_UNKNOWN] = "unknown",
    };

    return names[state];
}

/* ---- which there are ---- */

const char *service_name_of(const struct pool *pool, const struct machine *original)
{
    return original->description->service != NULL ? original->description->service : pool_display_name(pool, original);
}

static void add_diverted(struct service_list *list, const struct pool *pool, const struct diversion *diversion)
{
    const struct diverted_service *service = &diversion->service;
    const struct machine *original = pool_find(pool, service->original.hypervisor, service->original.uuid);

    list->all[list->count++] = (struct listed_service){
        .original = service->original,
        .name = original != NULL ? service_name_of(pool, original) : service->name,
        .plain_name = service->name,
        .priority = service->priority,
        .server = pool_find(pool, service->replacement.hypervisor, service->replacement.uuid),
        .diversion = diversion,
        .recovery_id = diversion->recovery_id,
    };
}

static void add_undiverted(struct service_list *list, const struct pool *pool, const struct machine *original)
{
    list->all[list->count++] = (struct listed_service){
        .original = machine_ref_of(original),
        .name = service_name_of(pool, original),
        .plain_name = machine_own_service_name(original),
        .priority = original->priority,
        .server = original,
    };
}

/* Of one domain, what is diverted comes first, then where it runs. */
static int compare_domains(const void *left, const void *right)
{
    const struct listed_service *a = left, *b = right;
    int order = strcmp(a->original.uuid, b->original.uuid);

    if (order != 0)
        return order;
    if (a->diversion != NULL || b->diversion != NULL)
        return (a->diversion == NULL) - (b->diversion == NULL);
    return machine_stands_for(b->server, a->server) - machine_stands_for(a->server, b->server);
}

static bool stands_for(const struct listed_service *service, const struct listed_service *other)
{
    if (other->diversion != NULL || strcmp(service->original.uuid, other->original.uuid) != 0)
        return false;
    return service->diversion != NULL ? !machine_state_is_active(other->server->state)
                                      : machine_stands_for(service->server, other->server);
}

/* What a migration left behind on a host, or is bringing to one, is no service of its own. */
static void drop_copies(struct service_list *list)
{
    size_t kept = 0;

    qsort(list->all, list->count, sizeof(*list->all), compare_domains);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || !stands_for(&list->all[kept - 1], &list->all[i]))
            list->all[kept++] = list->all[i];
    list->count = kept;
}

static int list_all(const struct coordinator *coordinator, struct service_list *list)
{
    const struct pool *pool = coordinator_pool(coordinator);
    size_t n_diversions = coordinator_diversion_count(coordinator), capacity = pool_count(pool) + n_diversions;

    list->all = calloc(capacity > 0 ? capacity : 1, sizeof(*list->all));
    if (list->all == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n_diversions; i++)
        if (!coordinator_diversion(coordinator, i)->is_over)
            add_diverted(list, pool, coordinator_diversion(coordinator, i));
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if ((machine->roles & ROLE_PROTECTED) != 0 && machine->serves == NULL && machine->diverted == NULL)
            add_undiverted(list, pool, machine);
    drop_copies(list);
    return 0;
}

/* ---- their recoveries ---- */

static int compare_refs(const struct machine_ref *a, const struct machine_ref *b)
{
    int order = strcmp(a->hypervisor, b->hypervisor);

    return order != 0 ? order : strcmp(a->uuid, b->uuid);
}

static int compare_originals(const void *left, const void *right)
{
    const struct listed_service *a = left, *b = right;

    return compare_refs(&a->original, &b->original);
}

static int compare_ref_with_original(const void *key, const void *element)
{
    const struct listed_service *service = element;

    return compare_refs(key, &service->original);
}

/* Of the recoveries of a service, one under way counts, else the last one. */
static void take_recovery(struct listed_service *service, const struct recovery *recovery)
{
    if (!recovery_state_is_final(recovery->state)) {
        service->state = SERVICE_RECOVERING;
        service->recovery_id = recovery->id;
    } else if (service->state != SERVICE_RECOVERING) {
        bool has_failed = recovery->state == RECOVERY_EXHAUSTED || recovery->state == RECOVERY_OBSERVED ||
                          recovery->state == RECOVERY_HELD;

        service->failed_recovery_id = has_failed ? recovery->id : NULL;
    }
}

static void take_recoveries(const struct coordinator *coordinator, struct service_list *list)
{
    qsort(list->all, list->count, sizeof(*list->all), compare_originals);
    for (size_t i = 0; i < coordinator_recovery_count(coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(coordinator, i);
        struct listed_service *service =
            bsearch(&recovery->service, list->all, list->count, sizeof(*list->all), compare_ref_with_original);

        if (service != NULL)
            take_recovery(service, recovery);
    }
}

/* ---- their states ---- */

/* What a recovery has claimed for another service does not serve its own. */
static enum service_state state_of_server(const struct machine *server)
{
    if (server->failed_unrecovered)
        return SERVICE_DOWN;
    if (server->hold != NULL)
        return SERVICE_HELD;
    if (!server->is_reachable)
        return SERVICE_UNKNOWN;
    if (server->keeping != KEEPING_NONE || machine_rare(server)->claimed_by != NULL || server->is_reserved)
        return SERVICE_STOPPED;
    switch (server->state) {
    case MACHINE_RUNNING:
    case MACHINE_SUSPENDED:
        return SERVICE_UP;
    case MACHINE_PAUSED:
        if (server->reason == REASON_BUSY)
            return SERVICE_UP;
        return machine_state_is_in_service(server->state, server->reason) ? SERVICE_DOWN : SERVICE_STOPPED;
    case MACHINE_CRASHED:
        return SERVICE_DOWN;
    case MACHINE_STOPPING:
    case MACHINE_SHUT_OFF:
    case MACHINE_GONE:
    case MACHINE_TEMPLATE:
        return SERVICE_STOPPED;
    case MACHINE_UNKNOWN:
    case MACHINE_STATE_COUNT:
        break;
    }
    return SERVICE_UNKNOWN;
}

/* A machine that is not there any more: only what is on record of its service tells why. */
static enum service_state state_without_server(const struct listed_service *service)
{
    if (service->failed_recovery_id != NULL)
        return SERVICE_DOWN;
    return service->diversion->is_stopped ? SERVICE_STOPPED : SERVICE_UNKNOWN;
}

static void judge(struct listed_service *service)
{
    if (service->state == SERVICE_RECOVERING)
        return;
    service->state = service->server != NULL ? state_of_server(service->server) : state_without_server(service);
    if (service->state == SERVICE_DOWN)
        service->recovery_id = service->failed_recovery_id;
}

static int compare_importance(const void *left, const void *right)
{
    const struct listed_service *a = left, *b = right;
    int order;

    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    order = strverscmp(a->name, b->name);
    return order != 0 ? order : compare_refs(&a->original, &b->original);
}

int service_list_collect(const struct coordinator *coordinator, struct service_list *ret)
{
    struct service_list list = {0};
    int r = list_all(coordinator, &list);

    if (r < 0)
        return r;
    take_recoveries(coordinator, &list);
    for (size_t i = 0; i < list.count; i++)
        judge(&list.all[i]);
    qsort(list.all, list.count, sizeof(*list.all), compare_importance);
    *ret = list;
    return 0;
}

void service_list_done(struct service_list *list)
{
    free(list->all);
    *list = (struct service_list){0};
}

size_t service_outlook_shared_by(const struct service_outlook *outlook, size_t service)
{
    const struct machine *next = outlook->next[service].machine;

    return next != NULL ? outlook->shared[next->number] : 0;
}

void service_outlook_done(struct service_outlook *outlook)
{
    free(outlook->next);
    free(outlook->shared);
}

/* One pass for all: to count the services of each machine by itself would take their number squared. */
int service_list_look_out(const struct service_list *services, const struct pool *pool, struct plan *plan,
                          struct service_outlook *ret)
{
    size_t end = pool_number_end(pool);

    ret->next = calloc(services->count > 0 ? services->count : 1, sizeof(*ret->next));
    ret->shared = calloc(end > 0 ? end : 1, sizeof(*ret->shared));
    if (ret->next == NULL || ret->shared == NULL)
        return -ENOMEM;
    for (size_t i = 0; plan != NULL && i < services->count; i++) {
        const struct machine *server = services->all[i].server;
        struct plan_answer answer;

        if (server == NULL || plan_find(plan, server, &answer) < 0 || answer.best.machine == NULL)
            continue;
        ret->next[i] = answer.best;
        ret->shared[answer.best.machine->number]++;
    }
    return 0;
}

bool service_lacks_next(const struct listed_service *service, struct plan *plan)
{
    struct plan_answer answer;

    return plan != NULL && service->state == SERVICE_UP && plan_has_replacements(plan, service->server) &&
           (plan_find(plan, service->server, &answer) < 0 || answer.best.machine == NULL);
}

struct service_counts service_list_count(const struct service_list *list, struct plan *plan)
{
    struct service_counts counts = {0};

    for (size_t i = 0; i < list->count; i++) {
        counts.by_state[list->all[i].state]++;
        counts.diverted += list->all[i].diversion != NULL;
        counts.without_next += service_lacks_next(&list->all[i], plan);
    }
    return counts;
}
