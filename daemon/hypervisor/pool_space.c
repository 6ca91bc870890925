/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First all pools are looked at, and then all is taken. */
#include "hypervisor/pool_space.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"

void pool_spaces_done(struct pool_spaces *spaces)
{
    for (size_t i = 0; i < spaces->count; i++)
        free(spaces->all[i].name);
    free(spaces->all);
    *spaces = (struct pool_spaces){0};
}

int pool_spaces_add(struct pool_spaces *spaces, const char *name, uint64_t available_bytes)
{
    struct pool_space *all = reallocarray(spaces->all, spaces->count + 1, sizeof(*all));
    char *copy;

    if (all == NULL)
        return -ENOMEM;
    spaces->all = all;
    copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    all[spaces->count++] = (struct pool_space){.name = copy, .available_bytes = available_bytes};
    return 0;
}

struct pool_space *pool_spaces_find(const struct pool_spaces *spaces, const char *name)
{
    for (size_t i = 0; i < spaces->count; i++)
        if (strcmp(spaces->all[i].name, name) == 0)
            return &spaces->all[i];
    return NULL;
}

void pool_spaces_give_back(struct pool_spaces *spaces)
{
    for (size_t i = 0; i < spaces->count; i++)
        spaces->all[i].taken_bytes = 0;
}

/* In the largest unit of which there are several, less what is below it: people compare it with another size. */
static void format_amount(uint64_t bytes, char buffer[static UNIT_TEXT_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    size_t unit = 0;

    for (; unit + 1 < ELEMENTS_OF(units) && bytes >= 10240; unit++)
        bytes /= 1024;
    snprintf(buffer, UNIT_TEXT_SIZE, "%" PRIu64 " %s", bytes, units[unit]);
}

static char *say_too_little(const struct pool_space *space, const struct template *template)
{
    char available[UNIT_TEXT_SIZE], taken[UNIT_TEXT_SIZE], needed[UNIT_TEXT_SIZE];

    format_amount(space->available_bytes, available);
    format_amount(space->taken_bytes, taken);
    size_format((int64_t) template->space_bytes, needed);
    if (space->taken_bytes == 0)
        return text_print("the storage pool %s has %s available, and template %s needs space=\"%s\" for a machine",
                          space->name, available, template->name, needed);
    return text_print(
        "the storage pool %s has %s available, of which %s is for machines that come before, and template "
        "%s needs space=\"%s\" for a machine",
        space->name, available, taken, template->name, needed);
}

int pool_spaces_take(struct pool_spaces *spaces, const struct string_list *pools, const struct template *template,
                     char **ret_obstacle)
{
    *ret_obstacle = NULL;
    for (size_t i = 0; i < pools->count; i++) {
        const struct pool_space *space = pool_spaces_find(spaces, pools->items[i]);

        if (space == NULL || (space->available_bytes >= space->taken_bytes &&
                              space->available_bytes - space->taken_bytes >= template->space_bytes))
            continue;
        *ret_obstacle = say_too_little(space, template);
        return *ret_obstacle != NULL ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < pools->count; i++) {
        struct pool_space *space = pool_spaces_find(spaces, pools->items[i]);

        if (space != NULL)
            space->taken_bytes += template->space_bytes;
    }
    return 0;
}
