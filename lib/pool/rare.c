/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What few machines have is there while any of it is. Knows nothing of what it is good for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pool/entry.h"

/* Where each text is. */
static const size_t text_offsets[RARE_TEXT_COUNT] = {
    [RARE_CLAIMED_BY] = offsetof(struct machine_rare, claimed_by),
    [RARE_NOT_WARM] = offsetof(struct machine_rare, not_warm),
    [RARE_QUARANTINE_WHY] = offsetof(struct machine_rare, quarantine_why),
    [RARE_QUALIFIED] = offsetof(struct machine_rare, qualified),
};

/* Where each number is. */
static const size_t number_offsets[RARE_NUMBER_COUNT] = {
    [RARE_RESIDENT_KIB] = offsetof(struct machine_rare, resident_kib),
    [RARE_QUARANTINED_UNTIL_US] = offsetof(struct machine_rare, quarantined_until_us),
    [RARE_STOPPED_US] = offsetof(struct machine_rare, stopped_us),
    [RARE_LEARNED_US] = offsetof(struct machine_rare, learned_us),
    [RARE_ASKED_US] = offsetof(struct machine_rare, asked_us),
    [RARE_LACK] = offsetof(struct machine_rare, lack),
    [RARE_REMOVAL_US] = offsetof(struct machine_rare, removal_us),
    [RARE_RESETS_UNTIL_US] = offsetof(struct machine_rare, resets_until_us),
};

static uint64_t *number_of(struct machine_rare *rare, enum rare_number number)
{
    return (uint64_t *)(void *)((char *)rare + number_offsets[number]);
}

static char **text_of(struct machine_rare *rare, enum rare_text text)
{
    return (char **)((char *)rare + text_offsets[text]);
}

/* To be written; NULL: no memory. */
static struct machine_rare *get(struct entry *entry)
{
    if (entry->machine.rare == NULL)
        entry->machine.rare = calloc(1, sizeof(*entry->machine.rare));
    return entry->machine.rare;
}

/* Frees it where all of it is 0. */
static void tidy(struct entry *entry)
{
    struct machine_rare *rare = entry->machine.rare;

    if (rare == NULL)
        return;
    for (enum rare_number number = 0; number < RARE_NUMBER_COUNT; number++)
        if (*number_of(rare, number) != 0)
            return;
    for (enum rare_text text = 0; text < RARE_TEXT_COUNT; text++)
        if (*text_of(rare, text) != NULL)
            return;
    free(rare);
    entry->machine.rare = NULL;
}

int rare_set_text(struct entry *entry, enum rare_text text, const char *value)
{
    _cleanup_(freep) char *copy = value != NULL ? strdup(value) : NULL;
    struct machine_rare *rare = copy != NULL ? get(entry) : entry->machine.rare;

    if (value != NULL && (copy == NULL || rare == NULL))
        return -ENOMEM;
    if (rare == NULL)
        return 0;
    free(*text_of(rare, text));
    *text_of(rare, text) = steal_pointer(&copy);
    tidy(entry);
    return 0;
}

void rare_set_number(struct entry *entry, enum rare_number number, uint64_t value)
{
    struct machine_rare *rare = value != 0 ? get(entry) : entry->machine.rare;

    if (rare == NULL)
        return;
    *number_of(rare, number) = value;
    tidy(entry);
}

void rare_free(struct entry *entry)
{
    for (enum rare_text text = 0; entry->machine.rare != NULL && text < RARE_TEXT_COUNT; text++)
        free(*text_of(entry->machine.rare, text));
    free(entry->machine.rare);
    entry->machine.rare = NULL;
}
