/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interned.h"
#include "base/text.h"
#include "report/json_value.h"

/* A recovery that ended so long before the last look was told then, though a clock was set. */
#define ENDED_US (60 * USEC_PER_SEC)

/* In the order in which they are told: a machine before the service that it serves. */
enum kind {
    KIND_HYPERVISORS,
    KIND_MACHINE,
    KIND_SERVICE,
    KIND_HOLDS,
    KIND_PROBLEMS,
    KIND_RECOVERY,
    KIND_PLAN,
    KIND_COUNT,
};

static const struct {
    const char *event;
    const char *gone; /* NULL: one that is not there any more is not told */
    const char *many; /* instead of more than CHANGES_MAX; NULL: these are few */
} kinds[KIND_COUNT] = {
    [KIND_HYPERVISORS] = {.event = "hypervisors"},
    [KIND_MACHINE] = {"machine", "machine-gone", "machines"},
    [KIND_SERVICE] = {"service", "service-gone", "services"},
    [KIND_HOLDS] = {.event = "holds"},
    [KIND_PROBLEMS] = {.event = "problems"},
    [KIND_RECOVERY] = {.event = "recovery", .many = "recoveries"},
    [KIND_PLAN] = {.event = "plan"},
};

/* A document, or what is known of an earlier one. */
struct entry {
    unsigned kind;
    char *key;      /* "HYPERVISOR UUID", the id of a recovery, or "-" */
    uint32_t hash;  /* of its text */
    char *document; /* NULL: of an earlier one */
};

struct entries {
    struct entry *all;
    size_t count, room;
    bool lost; /* for want of memory */
};

static void entries_done(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->all[i].key);
        free(entries->all[i].document);
    }
    free(entries->all);
}

/* Takes the texts. */
static void add(struct entries *entries, unsigned kind, uint32_t hash, char *key, char *document)
{
    if (entries->count == entries->room) {
        size_t room = entries->room > 0 ? 2 * entries->room : 64;
        struct entry *all = reallocarray(entries->all, room, sizeof(*all));

        if (all != NULL) {
            entries->all = all;
            entries->room = room;
        }
    }
    if (key == NULL || entries->count == entries->room) {
        free(key);
        free(document);
        entries->lost = true;
        return;
    }
    entries->all[entries->count++] = (struct entry){kind, key, hash, document};
}

/* Takes the document. */
static void add_document(struct entries *entries, struct json_maker *maker, enum kind kind, char *key, json_t *document)
{
    char *text = NULL;

    if (json_finish(maker, document, &text) < 0) {
        free(key);
        entries->lost = true;
        return;
    }
    add(entries, kind, interned_hash_bytes(0, text, strlen(text)), key, text);
}

/* Takes the array, each element of which is a document of its own. */
static void add_each(struct entries *entries, struct json_maker *maker, enum kind kind, json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *each = json_array_get(array, i);
        const char *hypervisor = json_string_value(json_object_get(each, "hypervisor"));
        const char *uuid = json_string_value(json_object_get(each, "uuid"));

        add_document(entries, maker, kind, text_print("%s %s", hypervisor, uuid), json_incref(each));
    }
    entries->lost |= array == NULL;
    json_decref(array);
}

static void add_recoveries(struct entries *entries, struct json_maker *maker, const struct coordinator *coordinator,
                           struct moment now, int64_t before_us)
{
    for (size_t i = 0; i < coordinator_recovery_count(coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(coordinator, i);

        if (!recovery_state_is_final(recovery->state) || recovery->ended.real_us > before_us - ENDED_US)
            add_document(entries, maker, KIND_RECOVERY, text_copy(recovery->id), json_recovery(maker, recovery, now));
    }
}

/* Who would take over from whom, as a hash: the document says only where that is asked for. */
static void add_plan(struct entries *entries, const json_t *services)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *next = json_object_get(json_array_get(services, i), "next");
        _cleanup_(freep) char *text = json_dumps(next, JSON_COMPACT | JSON_ENCODE_ANY);

        entries->lost |= text == NULL;
        hash = interned_hash_bytes(hash, text, text != NULL ? strlen(text) : 0);
    }
    add(entries, KIND_PLAN, hash, text_copy("-"), text_copy("{}"));
}

static void collect(struct entries *entries, const struct coordinator *coordinator, const struct problems *problems,
                    struct plan *plan, struct moment now, int64_t before_us)
{
    const struct pool *pool = coordinator_pool(coordinator);
    struct json_maker maker = {0};
    json_t *services = json_services(&maker, coordinator, plan);

    add_document(entries, &maker, KIND_HYPERVISORS, text_copy("-"),
                 json_list(&maker, "hypervisors", json_hypervisors(&maker, coordinator)));
    add_each(entries, &maker, KIND_MACHINE, json_machines(&maker, pool, plan, coordinator_features(coordinator)));
    add_plan(entries, services);
    add_each(entries, &maker, KIND_SERVICE, services);
    add_document(entries, &maker, KIND_HOLDS, text_copy("-"),
                 json_list(&maker, "holds", json_holds(&maker, coordinator)));
    add_document(entries, &maker, KIND_PROBLEMS, text_copy("-"),
                 json_list(&maker, "problems", json_problems(&maker, problems)));
    add_recoveries(entries, &maker, coordinator, now, before_us);
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->key, b->key);
}

/* What write_entry wrote. */
static void read_entries(struct entries *entries, const char *text)
{
    for (; *text != '\n' && *text != '\0'; text += strcspn(text, "\n") + 1) {
        char *end;
        unsigned kind = (unsigned)strtoul(text, &end, 10);
        uint32_t hash = (uint32_t)strtoul(end, &end, 16);

        end += *end == ' ';
        add(entries, kind, hash, strndup(end, strcspn(end, "\n")), NULL);
    }
}

static void write_entry(FILE *out, const struct entry *entry)
{
    fprintf(out, "%u %" PRIx32 " %s\n", entry->kind, entry->hash, entry->key);
}

/* One that is there, or the last of one that is not there any more. */
static void write_change(FILE *out, const struct entry *entry)
{
    const char *uuid = strchr(entry->key, ' ');

    if (entry->document != NULL)
        fprintf(out, "%s %s\n", kinds[entry->kind].event, entry->document);
    else if (kinds[entry->kind].gone != NULL && uuid != NULL)
        fprintf(out, "%s {\"hypervisor\":\"%.*s\",\"uuid\":\"%s\"}\n", kinds[entry->kind].gone,
                (int)(uuid - entry->key), entry->key, uuid + 1);
}

/* The entries of one kind, in their order. */
struct side {
    const struct entry *at, *end;
};

static struct side side_of(const struct entries *entries, unsigned kind)
{
    size_t from = 0, to;

    while (from < entries->count && entries->all[from].kind < kind)
        from++;
    for (to = from; to < entries->count && entries->all[to].kind == kind;)
        to++;
    return (struct side){entries->all + from, entries->all + to};
}

/* The next that is other than before, or not there any more; NULL: there is none. */
static const struct entry *next_change(struct side *fresh, struct side *old)
{
    while (fresh->at < fresh->end || old->at < old->end) {
        int order = fresh->at == fresh->end ? 1 : old->at == old->end ? -1 : strcmp(fresh->at->key, old->at->key);

        if (order > 0)
            return old->at++;
        if (order < 0)
            return fresh->at++;
        if (old->at++->hash != fresh->at++->hash)
            return fresh->at - 1;
    }
    return NULL;
}

static void write_changes(FILE *out, const struct entries *fresh, const struct entries *old, unsigned kind)
{
    struct side sides[] = {side_of(fresh, kind), side_of(old, kind)};
    const struct entry *entry;
    size_t n = 0;

    while (next_change(&sides[0], &sides[1]) != NULL)
        n++;
    if (n > CHANGES_MAX && kinds[kind].many != NULL) {
        fprintf(out, "%s {\"changed\":%zu}\n", kinds[kind].many, n);
        return;
    }
    sides[0] = side_of(fresh, kind);
    sides[1] = side_of(old, kind);
    while ((entry = next_change(&sides[0], &sides[1])) != NULL)
        write_change(out, entry);
}

int changes_find(const struct coordinator *coordinator, const struct problems *problems, struct plan *plan,
                 struct moment now, const char *before, int64_t before_us, char **ret)
{
    _cleanup_(entries_done) struct entries fresh = {0}, old = {0};
    _cleanup_(freep) char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool lost;

    if (out == NULL)
        return -ENOMEM;
    collect(&fresh, coordinator, problems, plan, now, before != NULL ? before_us : now.real_us);
    if (before != NULL)
        read_entries(&old, before);
    if (fresh.count > 0)
        qsort(fresh.all, fresh.count, sizeof(*fresh.all), compare);
    for (size_t i = 0; i < fresh.count; i++)
        write_entry(out, &fresh.all[i]);
    fputc('\n', out);
    for (unsigned kind = 0; kind < KIND_COUNT && before != NULL; kind++)
        write_changes(out, &fresh, &old, kind);
    lost = fresh.lost || old.lost || ferror(out) != 0;
    if (fclose(out) != 0 || lost)
        return -ENOMEM;
    *ret = steal_pointer(&text);
    return 0;
}
