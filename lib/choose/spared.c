/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts by the number of a machine. Knows no service. */
#include "choose/spared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int spared_add(struct spared *spared, uint32_t machine, bool *ret_is_first)
{
    if (machine >= spared->room) {
        size_t room = (size_t)machine + machine / 2 + 64;
        uint32_t *counts = reallocarray(spared->counts, room, sizeof(*counts));

        if (counts == NULL)
            return -ENOMEM;
        memset(&counts[spared->room], 0, (room - spared->room) * sizeof(*counts));
        spared->counts = counts;
        spared->room = room;
    }
    *ret_is_first = spared->counts[machine]++ == 0;
    return 0;
}

bool spared_remove(struct spared *spared, uint32_t machine)
{
    return --spared->counts[machine] == 0;
}

bool spared_has(const struct spared *spared, uint32_t machine)
{
    return spared != NULL && machine < spared->room && spared->counts[machine] > 0;
}

void spared_done(struct spared *spared)
{
    free(spared->counts);
    *spared = (struct spared){0};
}
