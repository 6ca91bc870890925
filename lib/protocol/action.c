/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for actions, and ownership of what a listing brings. */
#include "protocol/action.h"

#include <stdlib.h>

static const char *const kind_names[ACTION_COUNT] = {
    [ACTION_LIST] = "list",
    [ACTION_DESCRIBE] = "describe",
    [ACTION_DISCOVER] = "discover",
    [ACTION_READ] = "read definition",
    [ACTION_GET_STATE] = "get state",
    [ACTION_DESTROY] = "destroy",
    [ACTION_SHUTDOWN] = "shut down",
    [ACTION_START] = "start",
    [ACTION_UNMAKE] = "unmake",
    [ACTION_CHECK_ALIVE] = "check alive",
    [ACTION_VERIFY] = "verify",
    [ACTION_RECORD] = "record",
    [ACTION_HOOK] = "hooks",
    [ACTION_REMEMBER] = "remember",
    [ACTION_SUSPEND] = "suspend",
    [ACTION_SAVE] = "save",
    [ACTION_SET_CLOCK] = "set clock",
    [ACTION_SET_METADATA] = "set metadata",
    [ACTION_GET_AUTOSTART] = "get autostart",
    [ACTION_SET_AUTOSTART] = "set autostart",
    [ACTION_MEASURE_MEMORY] = "measure memory",
    [ACTION_FENCE] = "fence",
    [ACTION_TEST_FENCING] = "test fencing",
};

const char *action_kind_name(enum action_kind kind)
{
    return kind_names[kind];
}

const char *hook_name(enum hook hook)
{
    static const char *const names[HOOK_COUNT] = {
        [HOOK_PRE_START] = "pre-start",
        [HOOK_PRE_FAILOVER] = "pre-failover",
        [HOOK_PRE_STOP] = "pre-stop",
    };

    return names[hook];
}

const uint8_t *domain_report_uuid(const struct domain_report *report)
{
    return report->description != NULL ? report->description->uuid : report->uuid;
}

void inventory_empty(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_reports; i++)
        domain_description_free(inventory->reports[i].description);
    inventory->n_reports = inventory->n_unread = 0;
}

void inventory_free(struct inventory *inventory)
{
    if (inventory == NULL)
        return;
    inventory_empty(inventory);
    free(inventory->reports);
    free(inventory->unread);
    free(inventory);
}
