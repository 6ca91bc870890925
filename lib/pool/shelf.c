/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines by specification, host, warmth and name. Knows no state of a machine but its warmth, and judges none. */
#include "pool/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool/entry.h"

#define CACHE_LINE 64 /* bytes */

int shelf_init(struct shelf *shelf, enum pool_set set, const struct similarity_rules *rules)
{
    shelf->set = set;
    return columns_new(rules, &shelf->columns);
}

void shelf_done(struct shelf *shelf)
{
    columns_free(shelf->columns);
    free(shelf->cohorts);
    *shelf = (struct shelf){0};
}

/* ---- by name ---- */

static bool is_before(const struct machine *a, const struct machine *b)
{
    int order = strcmp(a->name, b->name);

    return order != 0 ? order < 0 : memcmp(a->description->uuid, b->description->uuid, UUID_SIZE) < 0;
}

/* Where the machine stands in the cohort, or belongs. */
static uint32_t place_in(const struct cohort *cohort, const struct machine *machine)
{
    uint32_t low = 0, high = cohort->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (is_before(cohort_at(cohort, middle), machine))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct machine **machines_of(struct cohort *cohort)
{
    return cohort->room_log2 > 0 ? cohort->machines : &cohort->only;
}

/* There is room for it. */
static void insert(struct cohort *cohort, const struct machine *machine)
{
    const struct machine **at = machines_of(cohort) + place_in(cohort, machine);
    const struct machine **end = machines_of(cohort) + cohort->count++;

    memmove(at + 1, at, (size_t)(end - at) * sizeof(*at));
    *at = machine;
}

static void withdraw(struct cohort *cohort, const struct machine *machine)
{
    const struct machine **at = machines_of(cohort) + place_in(cohort, machine);
    const struct machine **end = machines_of(cohort) + --cohort->count;

    memmove(at, at + 1, (size_t)(end - at) * sizeof(*at));
}

static int grow(struct cohort *cohort)
{
    size_t room = (size_t)1 << cohort->room_log2;
    const struct machine **machines;

    if (cohort->count < room)
        return 0;
    machines = reallocarray(room > 1 ? cohort->machines : NULL, 2 * room, sizeof(struct machine *));
    if (machines == NULL)
        return -ENOMEM;
    if (room == 1)
        machines[0] = cohort->only;
    cohort->machines = machines;
    cohort->room_log2++;
    return 0;
}

/* ---- cohorts ---- */

const struct pool_host *cohort_host(const struct cohort *cohort)
{
    return entry_host(entry_of(cohort_at(cohort, 0)));
}

static void fetch(const void *from, size_t size)
{
    for (size_t i = 0; i < size; i += CACHE_LINE)
        __builtin_prefetch((const char *)from + i);
}

void cohort_fetch(const struct cohort *cohort, uint32_t at)
{
    if (at < cohort->count)
        fetch(entry_of(cohort_at(cohort, at)), sizeof(struct entry));
    if (at > 0 && at <= cohort->count) {
        const struct machine *before = cohort_at(cohort, at - 1);

        fetch(before->name, 1);
        fetch(before->description, sizeof(*before->description));
    }
}

static int cohort_new(enum pool_set set, enum warmth warmth, struct cohort **ret)
{
    struct cohort *cohort = calloc(1, sizeof(*cohort));

    if (cohort == NULL)
        return -ENOMEM;
    cohort->set = set;
    cohort->warmth = warmth;
    *ret = cohort;
    return 0;
}

static void cohort_free(struct cohort *cohort)
{
    if (cohort->room_log2 > 0)
        free(cohort->machines);
    free(cohort);
}

static struct cohort *find(const struct shelf *shelf, uint32_t entry, const struct pool_host *host, enum warmth warmth)
{
    struct cohort *cohort = shelf->cohorts[entry];

    while (cohort != NULL && (cohort_host(cohort) != host || cohort->warmth != warmth))
        cohort = cohort->next;
    return cohort;
}

/* One with room for one more machine, which is put there at once. */
static int get(struct shelf *shelf, uint32_t entry, const struct pool_host *host, enum warmth warmth,
               struct cohort **ret)
{
    struct cohort *cohort = find(shelf, entry, host, warmth);
    int r;

    if (cohort != NULL) {
        *ret = cohort;
        return grow(cohort);
    }
    r = cohort_new(shelf->set, warmth, &cohort);
    if (r < 0)
        return r;
    cohort->next = shelf->cohorts[entry];
    shelf->cohorts[entry] = *ret = cohort;
    return 0;
}

static int reserve(struct shelf *shelf, uint32_t entry)
{
    size_t room = 2 * shelf->room + 16;
    struct cohort **cohorts;

    if (entry < shelf->room)
        return 0;
    cohorts = reallocarray(shelf->cohorts, room, sizeof(struct cohort *));
    if (cohorts == NULL)
        return -ENOMEM;
    memset(&cohorts[shelf->room], 0, (room - shelf->room) * sizeof(struct cohort *));
    shelf->cohorts = cohorts;
    shelf->room = room;
    return 0;
}

int shelf_add(struct shelf *shelf, const struct machine *machine)
{
    struct cohort *cohort;
    uint32_t entry;
    int r = columns_add(shelf->columns, machine->spec, &entry);

    if (r < 0)
        return r;
    r = reserve(shelf, entry);
    if (r == 0)
        r = get(shelf, entry, entry_host(entry_of(machine)), machine_warmth(machine), &cohort);
    if (r < 0) {
        columns_remove(shelf->columns, entry);
        return r;
    }
    entry_of(machine)->place = (struct place){.cohort = cohort, .entry = entry};
    insert(cohort, machine);
    return 0;
}

void shelf_remove(struct shelf shelves[static POOL_SET_COUNT], const struct machine *machine)
{
    struct place *place = &entry_of(machine)->place;
    struct cohort *cohort = place->cohort;
    struct shelf *shelf;

    if (cohort == NULL)
        return;
    shelf = &shelves[cohort->set];
    withdraw(cohort, machine);
    if (cohort->count == 0) {
        struct cohort **at = &shelf->cohorts[place->entry];

        while (*at != cohort)
            at = &(*at)->next;
        *at = cohort->next;
        cohort_free(cohort);
    }
    columns_remove(shelf->columns, place->entry);
    *place = (struct place){.cohort = NULL};
}

bool shelf_is_right(const struct shelf *shelf, const struct machine *machine)
{
    const struct place *place = &entry_of(machine)->place;

    if (shelf == NULL || place->cohort == NULL || place->cohort->set != shelf->set)
        return shelf == NULL && place->cohort == NULL;
    return place->cohort->warmth == machine_warmth(machine) && columns_has(shelf->columns, place->entry, machine->spec);
}
