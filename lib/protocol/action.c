/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for actions, and ownership of what a listing brings. */
#include "protocol/action.h"

#include <stdlib.h>

static const char *const kind_names[ACTION_COUNT] = {
    [ACTION_LIST] = "list",
    [ACTION_DESCRIBE] = "describe",
    [ACTION_GET_STATE] = "get state",
    [ACTION_DESTROY] = "destroy",
    [ACTION_START] = "start",
    [ACTION_CHECK_ALIVE] = "check alive",
    [ACTION_VERIFY] = "verify",
    [ACTION_RECORD] = "record",
    [ACTION_HOOK] = "pre-start hooks",
    [ACTION_REMEMBER] = "remember",
    [ACTION_SUSPEND] = "suspend",
    [ACTION_SAVE] = "save",
    [ACTION_SET_CLOCK] = "set clock",
    [ACTION_MEASURE_MEMORY] = "measure memory",
    [ACTION_FENCE] = "fence",
};

const char *action_kind_name(enum action_kind kind)
{
    return kind_names[kind];
}

void inventory_free(struct inventory *inventory)
{
    if (inventory == NULL)
        return;
    for (size_t i = 0; i < inventory->n_reports; i++)
        domain_description_free(inventory->reports[i].description);
    free(inventory->reports);
    free(inventory->unread);
    free(inventory);
}
