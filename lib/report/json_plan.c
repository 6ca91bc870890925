/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who would take over from whom, and what would become of the services of a host that dies. Reads no clock and changes nothing. */
#include "report/json_plan.h"

#include <errno.h>

#include "base/text.h"
#include "choose/plan.h"
#include "report/json_value.h"
#include "report/service_list.h"

static json_t *replacement_value(struct json_maker *maker, const struct pool *pool, const struct candidate *candidate)
{
    json_t *object = json_planned(maker, pool, candidate);

    if (candidate->machine == NULL)
        return object;
    json_put(maker, object, "similarity", json_number(fraction_to_double(score_similarity(&candidate->score))));
    json_put(maker, object, "coverage", json_number(fraction_to_double(score_coverage(&candidate->score))));
    json_put(maker, object, "warmth", json_text(warmth_name(machine_warmth(candidate->machine))));
    return object;
}

/* It was tried on purpose that another machine takes over, and one did. */
static bool is_rehearsal(const struct recovery *recovery)
{
    return recovery->state == RECOVERY_RECOVERED && (recovery->is_drill || recovery->relief != RELIEF_NONE) &&
           !machine_ref_equal(&recovery->replacement, &recovery->service);
}

/* The last one; null: it never was, as far as history goes back. */
static json_t *rehearsed_value(struct json_maker *maker, const struct coordinator *coordinator,
                               const struct listed_service *service, struct moment now)
{
    for (size_t i = coordinator_recovery_count(coordinator); i-- > 0;) {
        const struct recovery *recovery = coordinator_recovery(coordinator, i);
        int64_t outage_us;
        json_t *object;

        if (!machine_ref_equal(&recovery->service, &service->original) || !is_rehearsal(recovery))
            continue;
        outage_us = recovery_outage_us(recovery, now);
        object = json_object();
        json_put(maker, object, "recovery", json_text(recovery->id));
        json_put(maker, object, "at", json_instant(recovery->ended));
        json_put(maker, object, "by",
                 json_text(recovery->is_rehearsal ? "rehearsal"
                           : recovery->is_drill   ? "drill"
                                                  : "failover"));
        json_put(maker, object, "duration_ms",
                 json_number((double)recovery_duration_us(recovery, now) / (double)USEC_PER_MSEC));
        json_put(maker, object, "outage_ms",
                 outage_us < 0 ? json_null() : json_number((double)outage_us / (double)USEC_PER_MSEC));
        return object;
    }
    return json_null();
}

/* Why nothing would take over, and which came nearest. */
static void put_nearest(struct json_maker *maker, json_t *object, const struct coordinator *coordinator,
                        const struct listed_service *service, struct moment now)
{
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    bool is_asked = service->server != NULL && machine_is_up(service->server);

    if (is_asked && coordinator_explain(coordinator, service->server, 1, now, &explanation) < 0)
        maker->lost = true;
    json_put(maker, object, "why",
             json_text(explanation == NULL             ? NULL
                       : explanation->obstacle != NULL ? explanation->obstacle
                                                       : explanation->summary));
    json_put(maker, object, "nearest",
             explanation != NULL && explanation->n_candidates > 0 ? json_candidate(maker, &explanation->candidates[0])
                                                                  : json_null());
}

static json_t *planned_value(struct json_maker *maker, const struct coordinator *coordinator, struct plan *plan,
                             const struct listed_service *service, const struct candidate *next, size_t shared_by,
                             struct moment now)
{
    const struct pool *pool = coordinator_pool(coordinator);
    const struct machine *server = service->server;
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(service->name));
    json_put(maker, object, "hypervisor", json_text(service->original.hypervisor));
    json_put(maker, object, "uuid", json_text(service->original.uuid));
    json_put(maker, object, "priority", json_integer(service->priority));
    json_put(maker, object, "state", json_text(service_state_name(service->state)));
    json_put(maker, object, "served_by", json_server(maker, pool, service));
    json_put(maker, object, "diverted", json_boolean(service->diversion != NULL));
    json_put(maker, object, "next", replacement_value(maker, pool, next));
    json_put(maker, object, "shared_by", json_count(shared_by));
    json_put(maker, object, "restarts_itself", json_boolean(server != NULL && !plan_has_replacements(plan, server)));
    if (next->machine == NULL) {
        put_nearest(maker, object, coordinator, service, now);
    } else {
        json_put(maker, object, "why", json_null());
        json_put(maker, object, "nearest", json_null());
    }
    json_put(maker, object, "rehearsed", rehearsed_value(maker, coordinator, service, now));
    return object;
}

/* Those without a machine that would take over first. */
static json_t *services_value(struct json_maker *maker, const struct coordinator *coordinator, struct plan *plan,
                              const struct service_list *services, const struct service_outlook *outlook,
                              struct moment now)
{
    json_t *array = json_array();

    for (int is_safe = 0; is_safe < 2; is_safe++)
        for (size_t i = 0; i < services->count; i++)
            if (is_safe == !service_lacks_next(&services->all[i], plan))
                json_append(maker, array,
                            planned_value(maker, coordinator, plan, &services->all[i], &outlook->next[i],
                                          service_outlook_shared_by(outlook, i), now));
    return array;
}

static json_t *millionths_value(uint32_t millionths)
{
    return json_number(millionths / 1e6);
}

/* By kind, or by "kind/value" where one value has a weight of its own. */
static json_t *weights_value(struct json_maker *maker, const struct config_similarity *similarity)
{
    json_t *object = json_object();

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        json_put(maker, object, environment_name(e), millionths_value(similarity->environment_weights[e]));
    for (size_t i = 0; i < similarity->n_resource_weights; i++) {
        const struct config_weight *weight = &similarity->resource_weights[i];
        const char *slash = weight->value != NULL ? "/" : "", *value = weight->value != NULL ? weight->value : "";
        _cleanup_(freep) char *name = text_print("%s%s%s", weight->kind, slash, value);

        if (name == NULL)
            maker->lost = true;
        else
            json_put(maker, object, name, millionths_value(weight->millionths));
    }
    return object;
}

static json_t *rules_value(struct json_maker *maker, const struct config_similarity *similarity)
{
    json_t *object = json_object();

    json_put(maker, object, "threshold", millionths_value(similarity->threshold));
    json_put(maker, object, "min_coverage", millionths_value(similarity->min_coverage));
    json_put(maker, object, "rank_by", json_text(rank_by_name(similarity->rank_by)));
    json_put(maker, object, "weights", weights_value(maker, similarity));
    return object;
}

int json_format_plan(const struct coordinator *coordinator, struct moment now, char **ret)
{
    _cleanup_(service_list_done) struct service_list services = {0};
    _cleanup_(service_outlook_done) struct service_outlook outlook = {0};
    struct plan *plan = coordinator_plan(coordinator, now);
    struct json_maker maker = {0};
    json_t *object;
    int r = plan != NULL ? service_list_collect(coordinator, &services) : -ENOMEM;

    if (r < 0)
        return r;
    r = service_list_look_out(&services, coordinator_pool(coordinator), plan, &outlook);
    if (r < 0)
        return r;
    object = json_object();
    json_put(&maker, object, "services", services_value(&maker, coordinator, plan, &services, &outlook, now));
    json_put(&maker, object, "next_page", json_null());
    json_put(&maker, object, "rules", rules_value(&maker, &coordinator_config(coordinator)->similarity));
    return json_finish(&maker, object, ret);
}

/* ---- rehearsals ---- */

static json_t *instant_of(int64_t real_us)
{
    return real_us > 0 ? json_instant((struct moment){.real_us = real_us}) : json_null();
}

static json_t *rehearsal_value(struct json_maker *maker, const struct coordinator *coordinator,
                               const struct listed_service *service, struct moment now)
{
    struct rehearsal rehearsal = {0};
    json_t *object = json_object();

    if (coordinator_rehearsal(coordinator, &service->original, now, &rehearsal) < 0)
        maker->lost = true;
    json_put(maker, object, "name", json_text(service->name));
    json_put(maker, object, "hypervisor", json_text(service->original.hypervisor));
    json_put(maker, object, "uuid", json_text(service->original.uuid));
    json_put(maker, object, "last_at", instant_of(rehearsal.last_us));
    json_put(maker, object, "next_at", instant_of(rehearsal.next_us));
    json_put(maker, object, "why_not", json_text(rehearsal.why_not));
    rehearsal_done(&rehearsal);
    return object;
}

int json_format_rehearsals(const struct coordinator *coordinator, struct moment now, char **ret)
{
    _cleanup_(service_list_done) struct service_list services = {0};
    struct json_maker maker = {0};
    json_t *array;
    int r = coordinator_plan(coordinator, now) != NULL ? service_list_collect(coordinator, &services) : -ENOMEM;

    if (r < 0)
        return r;
    array = json_array();
    for (size_t i = 0; i < services.count; i++)
        json_append(&maker, array, rehearsal_value(&maker, coordinator, &services.all[i], now));
    return json_finish(&maker, json_list(&maker, "rehearsals", array), ret);
}

/* ---- a host that dies ---- */

static json_t *fate_value(struct json_maker *maker, const struct coordinator *coordinator,
                          const struct machine_ref *service, const struct recovery *recovery)
{
    const struct pool *pool = coordinator_pool(coordinator);
    const struct machine *original = pool_find(pool, service->hypervisor, service->uuid);
    const char *name = recovery != NULL ? recovery->service_name : original != NULL ? original->name : service->uuid;
    bool is_recovered = recovery != NULL && recovery->state == RECOVERY_RECOVERED;
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(original != NULL ? service_name_of(pool, original) : name));
    json_put(maker, object, "hypervisor", json_text(service->hypervisor));
    json_put(maker, object, "uuid", json_text(service->uuid));
    json_put(maker, object, "priority",
             json_integer(recovery != NULL   ? recovery->priority
                          : original != NULL ? original->priority
                                             : 0));
    json_put(maker, object, "outcome", json_text(recovery != NULL ? recovery_state_name(recovery->state) : NULL));
    json_put(maker, object, "replacement", json_text(is_recovered ? recovery->replacement_name : NULL));
    json_put(maker, object, "replacement_hypervisor",
             json_text(is_recovered ? recovery->replacement.hypervisor : NULL));
    json_put(maker, object, "replacement_uuid", json_text(is_recovered ? recovery->replacement.uuid : NULL));
    json_put(maker, object, "warmth", json_text(is_recovered ? warmth_name(recovery->warmth) : NULL));
    json_put(maker, object, "overlap", is_recovered ? json_number(recovery->overlap) : json_null());
    json_put(maker, object, "detail", json_text(recovery != NULL ? recovery->detail : NULL));
    return object;
}

int json_format_forecast(const struct coordinator *coordinator, const char *host, const struct forecast *forecast,
                         char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *array = json_array();
    size_t n_recovered = 0;

    for (size_t i = 0; i < forecast->n_services; i++) {
        const struct recovery *recovery = forecast_recovery_of(forecast, coordinator, &forecast->services[i]);

        n_recovered += recovery != NULL && recovery->state == RECOVERY_RECOVERED;
        json_append(&maker, array, fate_value(&maker, coordinator, &forecast->services[i], recovery));
    }
    json_put(&maker, object, "host", json_text(host));
    json_put(&maker, object, "fencing", json_text(forecast_fencing_name(forecast->fencing)));
    json_put(&maker, object, "fencing_detail", json_text(forecast->why));
    json_put(&maker, object, "settled", json_boolean(forecast->is_settled));
    json_put(&maker, object, "recovered", json_count(n_recovered));
    json_put(&maker, object, "down", json_count(forecast->n_services - n_recovered));
    json_put(&maker, object, "services", array);
    return json_finish(&maker, object, ret);
}
