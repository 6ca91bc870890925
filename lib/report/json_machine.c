/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines as JSON: one line of the list, and one machine in full. */
#include "discovery/interview.h"
#include "report/json.h"

#include <errno.h>
#include <string.h>

#include "report/json_value.h"

static json_t *roles_value(struct json_maker *maker, unsigned roles)
{
    static const enum machine_role each[] = {ROLE_PROTECTED, ROLE_STANDBY, ROLE_IGNORED, ROLE_UNREADABLE};
    json_t *array = json_array();

    for (size_t i = 0; i < ELEMENTS_OF(each); i++)
        if ((roles & each[i]) != 0)
            json_append(maker, array, json_text(machine_roles_name(each[i])));
    return array;
}

static json_t *environment_value(struct json_maker *maker, const struct spec *spec)
{
    json_t *object = json_object();

    json_put(maker, object, "cpu", json_count(spec->environment[ENVIRONMENT_CPU]));
    json_put(maker, object, "memory_bytes", json_count(spec->environment[ENVIRONMENT_MEMORY] * BYTES_PER_KIB));
    json_put(maker, object, "disk_bytes", json_count(spec->environment[ENVIRONMENT_DISK]));
    return object;
}

static int compare_names(const void *left, const void *right)
{
    return strverscmp(*(const char *const *)left, *(const char *const *)right);
}

/* In alphabetical order: the ids only say in which order the features were first met. */
static json_t *features_value(struct json_maker *maker, const struct feature_table *features, const struct id_set *set)
{
    _cleanup_(freep) const char **names = calloc(set->count > 0 ? set->count : 1, sizeof(const char *));
    json_t *array = json_array();

    if (names == NULL) {
        maker->lost = true;
        return array;
    }
    for (size_t i = 0; i < set->count; i++)
        names[i] = feature_name(features, set->ids[i]);
    qsort(names, set->count, sizeof(*names), compare_names);
    for (size_t i = 0; i < set->count; i++)
        json_append(maker, array, json_text(names[i]));
    return array;
}

static json_t *warmth_value(const struct machine *machine)
{
    if (!machine_state_is_startable(machine->state) && machine->state != MACHINE_PAUSED &&
        machine->keeping == KEEPING_NONE)
        return json_null();
    return json_text(warmth_name(machine_warmth(machine)));
}

const char *json_name_of(const struct pool *pool, const struct machine_ref *ref, const char *name)
{
    const struct machine *machine = pool_find(pool, ref->hypervisor, ref->uuid);

    return machine != NULL ? pool_display_name(pool, machine) : name;
}

json_t *json_machine_named(struct json_maker *maker, const struct pool *pool, const struct machine_ref *ref,
                           const char *name)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(json_name_of(pool, ref, name)));
    json_put(maker, object, "hypervisor", json_text(ref->hypervisor));
    json_put(maker, object, "uuid", json_text(ref->uuid));
    return object;
}

static const char *name_of_diverted(const struct pool *pool, const struct diverted_service *service)
{
    const struct machine *original = pool_find(pool, service->original.hypervisor, service->original.uuid);

    return original != NULL ? service_name_of(pool, original) : service->name;
}

/* The name of its service, if its metadata gives it one; the one that it serves as a replacement; which serves its own. */
static void put_services(struct json_maker *maker, json_t *object, const struct pool *pool,
                         const struct machine *machine)
{
    const struct diverted_service *serves = machine->serves, *diverted = machine->diverted;

    json_put(maker, object, "service", json_text(machine->description->service));
    json_put(maker, object, "serves", json_text(serves != NULL ? name_of_diverted(pool, serves) : NULL));
    json_put(maker, object, "served_by",
             diverted != NULL ? json_machine_named(maker, pool, &diverted->replacement, diverted->replacement_name)
                              : json_null());
}

/* What a machine that has a place in the plan serves: its own service, or another one as a replacement. */
static const char *service_name(const struct pool *pool, const struct machine *served)
{
    return served->serves != NULL ? name_of_diverted(pool, served->serves) : service_name_of(pool, served);
}

/* The most important service whose best candidate this is, and how many there are. */
static void put_planned_for(struct json_maker *maker, json_t *object, const struct pool *pool, struct plan *plan,
                            const struct machine *machine)
{
    const struct machine *served = NULL;
    size_t count = plan != NULL ? plan_count_served_by(plan, machine, &served) : 0;

    json_put(maker, object, "planned_for", json_text(served != NULL ? service_name(pool, served) : NULL));
    json_put(maker, object, "planned_for_count", json_count(count));
}

json_t *json_planned(struct json_maker *maker, const struct pool *pool, const struct candidate *candidate)
{
    json_t *object;

    if (candidate->machine == NULL)
        return json_null();
    object = json_object();
    json_put(maker, object, "name", json_text(pool_display_name(pool, candidate->machine)));
    json_put(maker, object, "hypervisor", json_text(candidate->machine->hypervisor));
    json_put(maker, object, "uuid", json_text(machine_ref_of(candidate->machine).uuid));
    json_put(maker, object, "overlap", json_number(fraction_to_double(score_overlap(&candidate->score))));
    return object;
}

/* Who would take over from it now; null: it is not protected, not up, or this is not known. */
static json_t *plan_value(struct json_maker *maker, const struct pool *pool, struct plan *plan,
                          const struct machine *machine)
{
    struct plan_answer answer;
    const struct machine *first;
    json_t *object;

    if (plan == NULL || plan_find(plan, machine, &answer) < 0)
        return json_null();
    object = json_object();
    json_put(maker, object, "best", json_planned(maker, pool, &answer.best));
    json_put(maker, object, "second", json_planned(maker, pool, &answer.second));
    json_put(maker, object, "shared_by",
             json_count(answer.best.machine != NULL ? plan_count_served_by(plan, answer.best.machine, &first) : 0));
    return object;
}

/* For each kind that anything is known of, the source that is believed. */
static json_t *sources_value(struct json_maker *maker, const struct feature_table *features,
                             const struct machine *machine)
{
    json_t *object = json_object();

    for (int i = 0; i < KNOWLEDGE_COUNT; i++) {
        enum knowledge_source source = (enum knowledge_source)i;
        const struct id_set *kinds = &pool_knowledge(machine)[source].kinds;

        for (size_t k = 0; k < kinds->count; k++) {
            const char *kind = feature_kind_name(features, kinds->ids[k]);

            if (json_object_get(object, kind) == NULL)
                json_put(maker, object, kind, json_text(knowledge_source_name(source)));
        }
    }
    return object;
}

static json_t *machine_value(struct json_maker *maker, const struct pool *pool, struct plan *plan,
                             const struct feature_table *features, const struct machine *machine)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(pool_display_name(pool, machine)));
    json_put(maker, object, "hypervisor", json_text(machine->hypervisor));
    json_put(maker, object, "uuid", json_text(machine_ref_of(machine).uuid));
    json_put(maker, object, "state", json_text(machine_state_name(machine->state)));
    json_put(maker, object, "reason", json_text(machine_reason_name(machine->reason)));
    json_put(maker, object, "roles", roles_value(maker, machine->roles));
    json_put(maker, object, "priority", json_integer(machine->priority));
    json_put(maker, object, "warmth", warmth_value(machine));
    json_put(maker, object, "keeping", json_text(keeping_name(machine->keeping)));
    json_put(maker, object, "warm_proof",
             machine->keeping == KEEPING_WARM ? json_text(warm_proof_name(machine->warm_proof)) : json_null());
    json_put(maker, object, "resident_bytes",
             machine_rare(machine)->resident_kib > 0 ? json_count(machine_rare(machine)->resident_kib * BYTES_PER_KIB)
                                                     : json_null());
    put_services(maker, object, pool, machine);
    put_planned_for(maker, object, pool, plan, machine);
    json_put(maker, object, "not_warm", json_text(machine_rare(machine)->not_warm));
    json_put(maker, object, "environment", environment_value(maker, machine->spec));
    json_put(maker, object, "features", features_value(maker, features, &machine->spec->features));
    json_put(maker, object, "sources", sources_value(maker, features, machine));
    json_put(maker, object, "hold", json_hold(maker, machine->hold));
    json_put(maker, object, "claimed_by", json_text(machine_rare(machine)->claimed_by));
    json_put(maker, object, "starting", json_boolean(machine->is_starting));
    json_put(maker, object, "failed_unrecovered", json_boolean(machine->failed_unrecovered));
    json_put(maker, object, "reachable", json_boolean(machine->is_reachable));
    json_put(maker, object, "persistent", json_boolean(machine->persistent));
    return object;
}

/* What is known of the machine and does not count: features, and cpu, memory and disk. */
static json_t *weightless_value(struct json_maker *maker, const struct pool *pool, const struct feature_table *features,
                                const struct machine *machine)
{
    const struct similarity_rules *rules = pool_rules(pool);
    const struct id_set *set = &machine->spec->features;
    json_t *array = json_array();

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        if (similarity_amount_weight(rules, e) == 0)
            json_append(maker, array, json_text(environment_name(e)));
    for (size_t i = 0; i < set->count; i++)
        if (similarity_weight(rules, set->ids[i]) == 0)
            json_append(maker, array, json_text(feature_name(features, set->ids[i])));
    return array;
}

static json_t *disks_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();

    for (size_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];
        json_t *object = json_object();

        json_put(maker, object, "target", json_text(disk_target(disk)));
        json_put(maker, object, "source", json_text(disk->source));
        json_put(maker, object, "writable", json_boolean(disk->writable));
        json_put(maker, object, "shareable", json_boolean(disk->shareable));
        json_put(maker, object, "backing_file", json_boolean(disk->is_backing));
        json_put(maker, object, "backing_files_known", json_boolean(disk->is_backing || disk->has_chain));
        json_put(maker, object, "identity", json_text(disk_identity(disk)));
        json_put(maker, object, "capacity_bytes",
                 disk->capacity_bytes > 0 ? json_count(disk->capacity_bytes) : json_null());
        json_append(maker, array, object);
    }
    return array;
}

static json_t *macs_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();

    for (size_t i = 0; i < description->n_macs; i++) {
        char text[MAC_TEXT_SIZE];

        mac_format(description->macs[i], text);
        json_append(maker, array, json_text(text));
    }
    return array;
}

static json_t *hostdevs_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();

    for (size_t i = 0; i < description->n_hostdevs; i++)
        json_append(maker, array, json_text(description->hostdevs[i]));
    return array;
}

static const char *on_crash_name(enum on_crash on_crash)
{
    switch (on_crash) {
    case ON_CRASH_DESTROY:
        return "destroy";
    case ON_CRASH_RESTART:
        return "restart";
    case ON_CRASH_PRESERVE:
        return "preserve";
    case ON_CRASH_COUNT:
        break;
    }
    return NULL;
}

static json_t *agent_value(struct json_maker *maker, const struct machine *machine)
{
    json_t *object = json_object();

    json_put(maker, object, "channel", json_boolean(machine->description->has_agent_channel));
    json_put(maker, object, "connected", json_boolean(machine->agent_connected));
    json_put(maker, object, "asked", json_instant((struct moment){.real_us = machine_rare(machine)->asked_us}));
    json_put(maker, object, "learned", json_instant((struct moment){.real_us = machine_rare(machine)->learned_us}));
    json_put(maker, object, "lacks", json_text(interview_lack_sentence((enum guest_lack)machine_rare(machine)->lack)));
    return object;
}

/* What is left, upwards, so that 0 never stands for one that still holds; and what went wrong. */
static void put_quarantine(struct json_maker *maker, json_t *object, const struct machine *machine, struct moment now)
{
    int64_t left_us = machine_rare(machine)->quarantined_until_us - now.mono_us;
    bool is_over = machine_rare(machine)->quarantined_until_us == 0 || left_us <= 0;

    json_put(maker, object, "quarantine_ms",
             is_over ? json_null() : json_integer((left_us + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    json_put(maker, object, "quarantine_why", json_text(is_over ? NULL : machine_rare(machine)->quarantine_why));
}

int json_format_machine(const struct pool *pool, struct plan *plan, const struct feature_table *features,
                        const struct machine *machine, struct moment now, char **ret)
{
    const struct domain_description *description = machine->description;
    struct json_maker maker = {0};
    json_t *object = machine_value(&maker, pool, plan, features, machine);

    json_put(&maker, object, "plan", plan_value(&maker, pool, plan, machine));
    put_quarantine(&maker, object, machine, now);
    json_put(&maker, object, "weightless", weightless_value(&maker, pool, features, machine));
    json_put(&maker, object, "disks", disks_value(&maker, description));
    json_put(&maker, object, "macs", macs_value(&maker, description));
    json_put(&maker, object, "hostdevs", hostdevs_value(&maker, description));
    json_put(&maker, object, "on_crash", json_text(on_crash_name(description->on_crash)));
    json_put(&maker, object, "agent", agent_value(&maker, machine));
    return json_finish(&maker, object, ret);
}

static int compare_machines(const void *left, const void *right)
{
    const struct machine *a = *(const struct machine *const *)left;
    const struct machine *b = *(const struct machine *const *)right;
    int order = strverscmp(a->name, b->name);

    if (order == 0)
        order = strcmp(a->hypervisor, b->hypervisor);
    return order != 0 ? order : memcmp(a->description->uuid, b->description->uuid, UUID_SIZE);
}

json_t *json_machines(struct json_maker *maker, const struct pool *pool, struct plan *plan,
                      const struct feature_table *features)
{
    size_t capacity = pool_count(pool), n = 0;
    _cleanup_(freep) const struct machine **machines =
        calloc(capacity > 0 ? capacity : 1, sizeof(const struct machine *));
    json_t *array;

    if (machines == NULL)
        return NULL;
    for (const struct machine *machine = NULL; n < capacity && (machine = pool_next(pool, machine)) != NULL;)
        machines[n++] = machine;
    qsort(machines, n, sizeof(*machines), compare_machines);

    array = json_array();
    for (size_t i = 0; i < n; i++)
        json_append(maker, array, machine_value(maker, pool, plan, features, machines[i]));
    return array;
}

int json_format_machines(const struct pool *pool, struct plan *plan, const struct feature_table *features, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, json_list(&maker, "machines", json_machines(&maker, pool, plan, features)), ret);
}
