/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services as JSON: which machine serves each, and which would take over. */
#include "report/json.h"

#include "base/text.h"
#include "report/json_value.h"

json_t *json_server(struct json_maker *maker, const struct pool *pool, const struct listed_service *service)
{
    const struct diversion *diversion = service->diversion;

    if (diversion != NULL)
        return json_machine_named(maker, pool, &diversion->service.replacement, diversion->service.replacement_name);
    return json_machine_named(maker, pool, &service->original, NULL);
}

/* An order to keep the replacement was begun and called off: the metadata of that names the service, and it is not its original. */
static bool is_half_kept(const struct pool *pool, const struct diversion *diversion)
{
    const struct machine *replacement;

    if (diversion == NULL || diversion->keep.step != KEEP_NONE)
        return false;
    replacement = pool_find(pool, diversion->service.replacement.hypervisor, diversion->service.replacement.uuid);
    return replacement != NULL && text_equal(replacement->description->service, diversion->service.name);
}

static json_t *service_value(struct json_maker *maker, const struct pool *pool, const struct listed_service *service,
                             const struct candidate *next, size_t shared_by, bool restarts_itself)
{
    const struct diversion *diversion = service->diversion;
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(service->name));
    json_put(maker, object, "hypervisor", json_text(service->original.hypervisor));
    json_put(maker, object, "uuid", json_text(service->original.uuid));
    json_put(maker, object, "original", json_text(json_name_of(pool, &service->original, NULL)));
    json_put(maker, object, "priority", json_integer(service->priority));
    json_put(maker, object, "state", json_text(service_state_name(service->state)));
    json_put(maker, object, "served_by", json_server(maker, pool, service));
    json_put(maker, object, "diverted", json_boolean(diversion != NULL));
    json_put(maker, object, "since", diversion != NULL ? json_instant(diversion->since) : json_null());
    json_put(maker, object, "recovery", json_text(service->recovery_id));
    json_put(maker, object, "next", json_planned(maker, pool, next));
    json_put(maker, object, "restarts_itself", json_boolean(restarts_itself));
    json_put(maker, object, "shared_by", json_count(shared_by));
    json_put(maker, object, "half_kept", json_boolean(is_half_kept(pool, diversion)));
    json_put(maker, object, "hold", json_hold(maker, service->server != NULL ? service->server->hold : NULL));
    return object;
}

/* plan NULL: nothing is said of who would take over. NULL: no memory. */
static json_t *services_value(struct json_maker *maker, const struct service_list *services, const struct pool *pool,
                              struct plan *plan)
{
    _cleanup_(service_outlook_done) struct service_outlook outlook = {0};
    json_t *array;

    if (service_list_look_out(services, pool, plan, &outlook) < 0)
        return NULL;
    array = json_array();
    for (size_t i = 0; i < services->count; i++) {
        const struct candidate *next = &outlook.next[i];

        json_append(maker, array,
                    service_value(maker, pool, &services->all[i], next, service_outlook_shared_by(&outlook, i),
                                  plan != NULL && services->all[i].server != NULL &&
                                      !plan_has_replacements(plan, services->all[i].server)));
    }
    return array;
}

json_t *json_services(struct json_maker *maker, const struct coordinator *coordinator, struct plan *plan)
{
    _cleanup_(service_list_done) struct service_list services = {0};

    if (service_list_collect(coordinator, &services) < 0)
        return NULL;
    return services_value(maker, &services, coordinator_pool(coordinator), plan);
}

int json_format_services(const struct service_list *services, const struct pool *pool, struct plan *plan, char **ret)
{
    struct json_maker maker = {0};
    json_t *array = services_value(&maker, services, pool, plan);

    return json_finish(&maker, json_list(&maker, "services", array), ret);
}
