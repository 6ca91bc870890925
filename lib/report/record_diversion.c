/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diversions as JSON, written and read side by side. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "report/record.h"
#include "report/record_reader.h"

/* Beyond is damage. */
#define TIME_LIMIT_US (INT64_MAX / 8)
#define AMOUNT_LIMIT  (INT64_MAX / 2)

static json_t *ref_value(struct json_maker *maker, const struct machine_ref *ref)
{
    json_t *object = json_object();

    json_put(maker, object, "hypervisor", json_text(ref->hypervisor));
    json_put(maker, object, "uuid", json_text(ref->uuid));
    return object;
}

static json_t *need_value(struct json_maker *maker, const struct spec *need, const struct feature_table *table)
{
    json_t *object = json_object(), *features = json_array();

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        json_put(maker, object, environment_name(e), json_count(need->environment[e]));
    for (size_t i = 0; i < need->features.count; i++)
        json_append(maker, features, json_text(feature_name(table, need->features.ids[i])));
    json_put(maker, object, "features", features);
    return object;
}

int record_format_diversion(const struct diversion *diversion, const struct feature_table *table, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *former = json_array();

    for (size_t i = 0; i < diversion->n_former; i++)
        json_append(&maker, former, ref_value(&maker, &diversion->former[i]));
    json_put(&maker, object, "original", ref_value(&maker, &diversion->service.original));
    json_put(&maker, object, "service", json_text(diversion->service.name));
    json_put(&maker, object, "priority", json_integer(diversion->service.priority));
    json_put(&maker, object, "protected", json_boolean(diversion->service.is_protected));
    json_put(&maker, object, "need", need_value(&maker, &diversion->service.need, table));
    json_put(&maker, object, "replacement", ref_value(&maker, &diversion->service.replacement));
    json_put(&maker, object, "replacement_name", json_text(diversion->service.replacement_name));
    json_put(&maker, object, "recovery", json_text(diversion->recovery_id));
    json_put(&maker, object, "since_us", json_integer(diversion->since.real_us));
    json_put(&maker, object, "stopped", json_boolean(diversion->is_stopped));
    json_put(&maker, object, "by_mark", json_boolean(diversion->is_by_mark));
    json_put(&maker, object, "former", former);
    return record_finish(&maker, object, ret);
}

static void read_ref(struct record_reader *reader, const json_t *object, struct machine_ref *ret)
{
    record_read_into(reader, object, "hypervisor", ret->hypervisor, sizeof(ret->hypervisor));
    record_read_into(reader, object, "uuid", ret->uuid, sizeof(ret->uuid));
}

static int read_feature(struct feature_table *table, const char *name, struct id_set *features)
{
    const char *slash = strchr(name, '/');
    char kind[FEATURE_KIND_MAX + 1];
    uint32_t feature;
    int r;

    if (slash == NULL || (size_t)(slash - name) >= sizeof(kind))
        return -EINVAL;
    memcpy(kind, name, (size_t)(slash - name));
    kind[slash - name] = '\0';
    r = feature_table_intern(table, kind, slash + 1, &feature);
    return r < 0 ? r : id_set_add(features, feature);
}

static void read_need(struct record_reader *reader, const json_t *object, struct feature_table *table,
                      struct spec *need)
{
    const json_t *features = json_object_get(object, "features"), *value;
    size_t i;

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        need->environment[e] = (uint64_t)record_read_integer(reader, object, environment_name(e), 0, AMOUNT_LIMIT);
    if (!json_is_array(features))
        record_refuse(reader, -EINVAL);
    json_array_foreach(features, i, value)
    {
        int r = json_is_string(value) ? read_feature(table, json_string_value(value), &need->features) : -EINVAL;

        if (r < 0)
            record_refuse(reader, r);
    }
}

static void read_former(struct record_reader *reader, const json_t *object, struct diversion *diversion)
{
    const json_t *former = record_read_array(reader, object, "former", sizeof(*diversion->former), &diversion->former);

    for (size_t i = 0; i < json_array_size(former) && reader->error == 0; i++)
        read_ref(reader, json_array_get(former, i), &diversion->former[diversion->n_former++]);
}

int record_parse_diversion(const char *text, struct moment now, struct feature_table *table, struct diversion **ret)
{
    _cleanup_(diversion_freep) struct diversion *diversion = calloc(1, sizeof(*diversion));
    struct record_reader reader = {0};
    json_t *document = NULL;
    int64_t since_us;
    int r;

    if (diversion == NULL)
        return -ENOMEM;
    r = record_load(text, &document);
    if (r < 0)
        return r;
    read_ref(&reader, json_object_get(document, "original"), &diversion->service.original);
    diversion->service.name = record_read_text(&reader, document, "service");
    diversion->service.priority = (int)record_read_integer(&reader, document, "priority", INT_MIN, INT_MAX);
    diversion->service.is_protected = record_read_bool(&reader, document, "protected");
    read_need(&reader, json_object_get(document, "need"), table, &diversion->service.need);
    read_ref(&reader, json_object_get(document, "replacement"), &diversion->service.replacement);
    diversion->service.replacement_name = record_read_text(&reader, document, "replacement_name");
    record_read_into(&reader, document, "recovery", diversion->recovery_id, sizeof(diversion->recovery_id));
    since_us = record_read_integer(&reader, document, "since_us", -TIME_LIMIT_US, TIME_LIMIT_US);
    diversion->since = (struct moment){.mono_us = now.mono_us - (now.real_us - since_us), .real_us = since_us};
    diversion->is_stopped = record_read_bool(&reader, document, "stopped");
    diversion->is_by_mark = record_read_bool(&reader, document, "by_mark");
    read_former(&reader, document, diversion);
    json_decref(document);
    if (reader.error < 0)
        return reader.error;
    *ret = steal_pointer(&diversion);
    return 0;
}
