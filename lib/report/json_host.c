/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host as JSON, with what ran on it: what the hooks for a lost one are told. */
#include <string.h>

#include "report/json.h"
#include "report/json_value.h"

static json_t *machines_value(struct json_maker *maker, const struct pool *pool, const char *hypervisor)
{
    json_t *array = json_array();

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        json_t *object;

        if (strcmp(machine->hypervisor, hypervisor) != 0 || !machine_state_is_active(machine->state))
            continue;
        object = json_object();
        json_put(maker, object, "name", json_text(machine->name));
        json_put(maker, object, "uuid", json_text(machine_ref_of(machine).uuid));
        json_put(maker, object, "state", json_text(machine_state_name(machine->state)));
        json_put(maker, object, "protected", json_boolean(machine_is_protected(machine)));
        json_put(maker, object, "priority", json_integer(machine->priority));
        json_append(maker, array, object);
    }
    return array;
}

void json_put_host(struct json_maker *maker, json_t *object, const struct host_track *host)
{
    json_put(maker, object, "state", json_text(host != NULL ? host_state_name(host->state) : NULL));
    json_put(maker, object, "missing_since", host != NULL ? json_instant(host->missing) : json_null());
    json_put(maker, object, "fenced_at", host != NULL ? json_instant(host->fenced) : json_null());
    json_put(maker, object, "fenced_by_hand", json_boolean(host != NULL && host->was_by_hand));
    json_put(maker, object, "fence_attempts", json_count(host != NULL ? host->tries : 0));
    json_put(maker, object, "fence_trouble", json_text(host != NULL ? host->trouble : NULL));
}

int json_format_host(const struct hypervisor_status *hypervisor, const struct pool *pool, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "host", json_text(hypervisor->name));
    json_put(&maker, object, "uri", json_text(hypervisor->uri));
    json_put_host(&maker, object, hypervisor->host);
    json_put(&maker, object, "machines", machines_value(&maker, pool, hypervisor->name));
    return json_finish(&maker, object, ret);
}

int json_format_fenced(const char *hypervisor, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "host", json_text(hypervisor));
    json_put(&maker, object, "fenced", json_true());
    return json_finish(&maker, object, ret);
}
