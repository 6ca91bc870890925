/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words become what is written and what goes: values are spelled by the catalog, also those that stand in the metadata
 * already.
 */
#include "api/tag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>

#include "api/reply.h"
#include "base/text.h"
#include "model/ports.h"

/* What is being put together, and what stands against it. */
struct tagging {
    const struct pool *pool;
    const struct feature_table *features;
    const struct machine *machine;
    struct metadata_tags tags;
    int status; /* HTTP; 0: nothing stands against it */
    char *error;
};

/* "kind/value"; without a slash *ret_value is NULL. -EINVAL: no feature can be called so. -ENOMEM. */
static int split(const char *word, char kind[static FEATURE_KIND_MAX + 1], const char **ret_value)
{
    _cleanup_(feature_table_freep) struct feature_table *table = NULL;
    const char *slash = strchr(word, '/');
    size_t length = slash != NULL ? (size_t)(slash - word) : strlen(word);
    uint32_t id;
    int r = length > FEATURE_KIND_MAX ? -EINVAL : feature_table_new(&table);

    if (r < 0)
        return r;
    memcpy(kind, word, length);
    kind[length] = '\0';
    *ret_value = slash != NULL ? slash + 1 : NULL;
    if (slash == NULL || slash[1] == '\0')
        return feature_table_intern_kind(table, kind, &id);
    return feature_table_intern(table, kind, slash + 1, &id);
}

static int refuse(struct tagging *tagging, int status, char *error)
{
    tagging->status = status;
    tagging->error = error;
    return -EINVAL;
}

/* Nothing behind the slash: it has none of the kind. */
static int add(struct tagging *tagging, const char *word)
{
    char kind[FEATURE_KIND_MAX + 1], value[FEATURE_VALUE_MAX + 1];
    const char *given;
    int r = split(word, kind, &given);

    if (r == -EINVAL || (r == 0 && given == NULL))
        return refuse(tagging, HTTP_BADREQUEST,
                      text_print("\"%s\" is no feature: a kind and a value, such as database/mysql", word));
    if (r < 0)
        return r;
    catalog_spell(pool_catalog(tagging->pool), kind, given, value);
    return feature_texts_add(&tagging->tags.added, kind, value);
}

static bool is_meant(const struct tagging *tagging, const struct feature_text *stands, const char *kind,
                     const char *value)
{
    char spelled[FEATURE_VALUE_MAX + 1], wanted[FEATURE_VALUE_MAX + 1];

    if (strcasecmp(stands->kind, kind) != 0)
        return false;
    if (value == NULL || stands->value == NULL)
        return value == NULL || value[0] == '\0';
    catalog_spell(pool_catalog(tagging->pool), kind, stands->value, spelled);
    catalog_spell(pool_catalog(tagging->pool), kind, value, wanted);
    return strcasecmp(spelled, wanted) == 0;
}

static int drop(struct tagging *tagging, const char *word)
{
    const struct feature_texts *declared = &tagging->machine->description->features;
    char kind[FEATURE_KIND_MAX + 1];
    struct feature_text feature;
    const char *value;
    size_t n = 0;
    int r = split(word, kind, &value);

    if (r == -EINVAL)
        return refuse(
            tagging, HTTP_BADREQUEST,
            text_print("\"%s\" is neither a feature, such as database/mysql, nor a kind, such as database", word));
    for (size_t place = 0; r == 0 && feature_texts_next(declared, &place, &feature);) {
        if (!is_meant(tagging, &feature, kind, value))
            continue;
        n++;
        r = feature_texts_add(&tagging->tags.removed, feature.kind, feature.value);
    }
    if (r == 0 && n == 0)
        return refuse(
            tagging, HTTP_CONFLICT,
            text_print("the metadata of %s does not declare %s; understudyctl show %s says where each feature "
                       "comes from",
                       tagging->machine->name, word, tagging->machine->name));
    return r;
}

/* Of each kind that the other machine offers, this one is to offer the same. On which ports it listens is seen, not declared. */
static int take_from(struct tagging *tagging, const struct machine *from)
{
    const struct id_set *set = &from->spec->features;
    int r = 0;

    if (set->count == 0)
        return refuse(tagging, HTTP_CONFLICT,
                      text_print("nothing is known of what %s offers, so there is nothing to be declared", from->name));
    for (size_t i = 0; i < set->count && r == 0; i++) {
        const char *kind = feature_kind_name(tagging->features, feature_kind(tagging->features, set->ids[i]));

        if (ports_is_about(tagging->features, set->ids[i]))
            continue;
        r = feature_texts_add(&tagging->tags.removed, kind, NULL);
        if (r == 0)
            r = feature_texts_add(&tagging->tags.added, kind, feature_value(tagging->features, set->ids[i]));
    }
    return r;
}

static int put_together(struct tagging *tagging, const struct machine *from, const struct tag_request *wanted)
{
    int r = from != NULL ? take_from(tagging, from) : 0;

    for (size_t i = 0; i < wanted->removed.count && r == 0; i++)
        r = drop(tagging, wanted->removed.items[i]);
    for (size_t i = 0; i < wanted->added.count && r == 0; i++)
        r = add(tagging, wanted->added.items[i]);
    tagging->tags.sets_role = wanted->sets_role;
    tagging->tags.roles = wanted->roles;
    tagging->tags.sets_priority = wanted->sets_priority;
    tagging->tags.has_priority = wanted->has_priority;
    tagging->tags.priority = wanted->priority;
    return r;
}

static int check(struct tagging *tagging, const struct machine *from, const struct tag_request *wanted)
{
    if (from == NULL && wanted->removed.count == 0 && wanted->added.count == 0 && !wanted->sets_role &&
        !wanted->sets_priority)
        return refuse(tagging, HTTP_BADREQUEST,
                      text_print("nothing is to be changed: name a feature, a role or a priority"));
    if (!tagging->machine->is_reachable)
        return refuse(
            tagging, HTTP_CONFLICT,
            text_print("the host of %s cannot be reached, and its metadata is there", tagging->machine->name));
    return put_together(tagging, from, wanted);
}

void tag_begin(struct pending_list *list, const struct api_backend *backend, void *context,
               struct evhttp_request *request, const struct machine *machine, const struct machine *from,
               const struct tag_request *wanted)
{
    const struct coordinator *coordinator = backend->coordinator(context);
    struct machine_ref ref = machine_ref_of(machine);
    struct tagging tagging = {
        .pool = coordinator_pool(coordinator),
        .features = coordinator_features(coordinator),
        .machine = machine,
    };
    int r = check(&tagging, from, wanted);
    struct pending *pending = r == 0 ? pending_begin(list, request, pool_display_name(tagging.pool, machine)) : NULL;

    if (r < 0)
        reply_error(request, tagging.status != 0 ? tagging.status : HTTP_SERVUNAVAIL,
                    tagging.error != NULL ? tagging.error : strerror(-r), NULL);
    if (pending != NULL)
        r = backend->tag(context, &ref, &tagging.tags, pending_end, pending);
    if (pending != NULL && r < 0) {
        pending_drop(pending);
        reply_error(request, reply_status_of(r), strerror(-r), NULL);
    }
    metadata_tags_done(&tagging.tags);
    free(tagging.error);
}
