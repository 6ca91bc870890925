/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots follow from the templates and from what a listing says: nothing of them is kept beside that but their UUIDs. */
#include "hypervisor/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "model/machine.h"

void slots_set_templates(struct slots *slots, struct template_set *templates)
{
    template_set_free(slots->templates);
    slots->templates = template_set_ref(templates);
}

struct slot *slots_find(const struct slots *slots, const char *uuid)
{
    for (size_t i = 0; i < slots->count; i++)
        if (strcmp(slots->all[i].uuid, uuid) == 0)
            return &slots->all[i];
    return NULL;
}

int slot_report(const struct slot *slot, struct domain_report *ret)
{
    int r;

    *ret = (struct domain_report){.state = MACHINE_TEMPLATE, .persistent = true};
    r = template_describe(slot->template, slot->uuid, slot->number, &ret->description);
    if (r < 0 || slot->obstacle == NULL)
        return r;
    ret->description->obstacle = strdup(slot->obstacle);
    if (ret->description->obstacle != NULL)
        return 0;
    domain_description_free(ret->description);
    ret->description = NULL;
    return -ENOMEM;
}

bool slots_have_made(const struct slots *slots, const char *uuid)
{
    for (size_t i = 0; i < slots->n_made; i++)
        if (strcmp(slots->made[i], uuid) == 0)
            return true;
    return false;
}

/* ---- what a listing says ---- */

static bool is_made(const struct domain_report *report)
{
    return report->description != NULL && report->description->template != NULL && report->state != MACHINE_TEMPLATE;
}

static const struct domain_report *find_report(const struct inventory *inventory, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];

    for (size_t i = 0; uuid_parse(uuid, bytes) && i < inventory->n_reports; i++)
        if (uuid_equal(domain_report_uuid(&inventory->reports[i]), bytes))
            return &inventory->reports[i];
    return NULL;
}

static int note_made(struct slots *slots, const struct inventory *inventory)
{
    size_t count = 0;

    for (size_t i = 0; i < inventory->n_reports; i++)
        count += is_made(&inventory->reports[i]);
    free(slots->made);
    slots->n_made = 0;
    slots->made = calloc(count + 1, sizeof(*slots->made));
    if (slots->made == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->n_reports; i++)
        if (is_made(&inventory->reports[i]))
            uuid_format(inventory->reports[i].description->uuid, slots->made[slots->n_made++]);
    return 0;
}

static bool is_taken(const struct slot *slot)
{
    return slot->is_being_made || slot->has_failed;
}

/* It may be started at any time. */
static bool is_standby(const struct domain_description *description)
{
    return (description->roles & ROLE_STANDBY) != 0 || description->is_unfinished;
}

/* So many that were made from it run, are on their way, or stand by. */
static unsigned count_used(const struct slots *slots, const struct inventory *inventory, const char *name)
{
    unsigned used = 0;

    for (size_t i = 0; i < inventory->n_reports; i++) {
        const struct domain_report *report = &inventory->reports[i];
        char uuid[UUID_TEXT_SIZE];
        const struct slot *slot;

        if (!is_made(report) || strcmp(report->description->template, name) != 0)
            continue;
        uuid_format(report->description->uuid, uuid);
        slot = slots_find(slots, uuid);
        used += machine_state_is_active(report->state) || is_standby(report->description) ||
                (slot != NULL && is_taken(slot));
    }
    return used;
}

/* ---- slots ---- */

static void drop(struct slots *slots, size_t place)
{
    template_free(slots->all[place].template);
    free(slots->all[place].obstacle);
    slots->all[place] = slots->all[--slots->count];
}

static bool is_of(const struct slot *slot, const char *name)
{
    return strcmp(slot->template->name, name) == 0;
}

static bool has_number(const struct slots *slots, const char *name, unsigned number)
{
    for (size_t i = 0; i < slots->count; i++)
        if (is_of(&slots->all[i], name) && slots->all[i].number == number)
            return true;
    return false;
}

/* Of version 4. -errno: there are no random numbers. */
static int make_uuid(char ret[static UUID_TEXT_SIZE])
{
    uint8_t bytes[UUID_SIZE];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -EIO;
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    uuid_format(bytes, ret);
    return 0;
}

static int add(struct slots *slots, struct template *template)
{
    struct slot *all = reallocarray(slots->all, slots->count + 1, sizeof(*all));
    struct slot slot = {.template = template, .number = 1};
    int r;

    if (all == NULL)
        return -ENOMEM;
    slots->all = all;
    r = make_uuid(slot.uuid);
    if (r < 0)
        return r;
    while (has_number(slots, template->name, slot.number))
        slot.number++;
    template_ref(template);
    all[slots->count++] = slot;
    return 0;
}

/* Those whose domain is there, and those of templates that are no more, but for what is being made. Others follow theirs. */
static void drop_old(struct slots *slots, const struct inventory *inventory)
{
    for (size_t i = slots->count; i-- > 0;) {
        struct slot *slot = &slots->all[i];
        const struct domain_report *report = find_report(inventory, slot->uuid);
        struct template *template =
            slots->templates != NULL ? template_set_find(slots->templates, slot->template->name) : NULL;

        if (report == NULL)
            slot->has_failed = false;
        if (slot->is_being_made || (slot->has_failed && !machine_state_is_active(report->state)))
            continue;
        if (template == NULL || report != NULL) {
            drop(slots, i);
        } else {
            template_free(slot->template);
            slot->template = template_ref(template);
        }
    }
}

/* No domain stands for it. */
static bool is_listed(const struct slot *slot, const struct inventory *inventory, const char *name)
{
    return is_of(slot, name) && find_report(inventory, slot->uuid) == NULL;
}

/* Of these a domain will be there soon. */
static unsigned count_being_made(const struct slots *slots, const struct inventory *inventory, const char *name)
{
    unsigned count = 0;

    for (size_t i = 0; i < slots->count; i++)
        count += slots->all[i].is_being_made && is_listed(&slots->all[i], inventory, name);
    return count;
}

/* ---- what is in their way ---- */

/* For whom there is room first: a first machine of each template comes before a second one of any. */
static int compare_turns(const void *left, const void *right)
{
    const struct slot *a = *(struct slot *const *)left, *b = *(struct slot *const *)right;

    if (a->is_being_made != b->is_being_made)
        return a->is_being_made ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return strcmp(a->template->name, b->template->name);
}

/* True: whether it can be made is another matter than before. What is being made has nothing in its way any more. */
static bool look_at_slot(struct prospects *prospects, struct slot *slot)
{
    const struct prospect *prospect = prospects_find(prospects, slot->template->name);
    bool had_obstacle = slot->obstacle != NULL;

    free(slot->obstacle);
    slot->obstacle = NULL;
    if (prospect != NULL && prospect->obstacle != NULL)
        slot->obstacle = strdup(prospect->obstacle);
    else if (prospect != NULL)
        (void)!pool_spaces_take(&prospects->spaces, &prospect->pools, slot->template, &slot->obstacle);
    if (slot->is_being_made) {
        free(slot->obstacle);
        slot->obstacle = NULL;
    }
    return had_obstacle != (slot->obstacle != NULL);
}

static bool look_at_slots(struct slots *slots)
{
    _cleanup_(freep) struct slot **turns = calloc(slots->count + 1, sizeof(struct slot *));
    bool has_changed = false;

    for (size_t i = 0; turns != NULL && i < slots->count; i++)
        turns[i] = &slots->all[i];
    if (turns == NULL)
        return false;
    qsort(turns, slots->count, sizeof(struct slot *), compare_turns);
    pool_spaces_give_back(&slots->prospects.spaces);
    for (size_t i = 0; i < slots->count; i++)
        has_changed |= look_at_slot(&slots->prospects, turns[i]);
    return has_changed;
}

bool slots_set_prospects(struct slots *slots, struct prospects *prospects)
{
    prospects_keep(prospects, &slots->prospects);
    prospects_done(&slots->prospects);
    slots->prospects = *prospects;
    *prospects = (struct prospects){0};
    return look_at_slots(slots);
}

/* ---- listing ---- */

/* There are as many that are listed as there may be. */
static int adjust(struct slots *slots, const struct inventory *inventory, struct template *template)
{
    unsigned used = count_used(slots, inventory, template->name);
    unsigned wanted = template->max > used ? template->max - used : 0;
    unsigned n_listed = count_being_made(slots, inventory, template->name);

    for (size_t i = slots->count; i-- > 0;) {
        const struct slot *slot = &slots->all[i];

        if (slot->is_being_made || !is_listed(slot, inventory, template->name))
            continue;
        if (n_listed >= wanted)
            drop(slots, i);
        else
            n_listed++;
    }
    for (; n_listed < wanted; n_listed++) {
        int r = add(slots, template);

        if (r < 0)
            return r;
    }
    return 0;
}

static int append(const struct slots *slots, struct inventory *inventory)
{
    struct domain_report *reports =
        reallocarray(inventory->reports, inventory->n_reports + slots->count + 1, sizeof(*reports));
    size_t n_domains = inventory->n_reports;

    if (reports == NULL)
        return -ENOMEM;
    inventory->reports = reports;
    for (size_t i = 0; i < slots->count; i++) {
        if (find_report(inventory, slots->all[i].uuid) != NULL)
            continue;
        if (slot_report(&slots->all[i], &reports[inventory->n_reports]) < 0) {
            while (inventory->n_reports > n_domains)
                domain_description_free(reports[--inventory->n_reports].description);
            return -ENOMEM;
        }
        inventory->n_reports++;
    }
    return 0;
}

int slots_list(struct slots *slots, struct inventory *inventory)
{
    int r = note_made(slots, inventory);

    drop_old(slots, inventory);
    for (size_t i = 0; r == 0 && slots->templates != NULL && i < slots->templates->count; i++)
        r = adjust(slots, inventory, slots->templates->all[i]);
    look_at_slots(slots);
    return r == 0 ? append(slots, inventory) : r;
}

void slots_done(struct slots *slots)
{
    while (slots->count > 0)
        drop(slots, slots->count - 1);
    free(slots->all);
    free(slots->made);
    prospects_done(&slots->prospects);
    template_set_free(slots->templates);
    *slots = (struct slots){0};
}
