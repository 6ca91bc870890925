/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions that no hypervisor performs: writing an intent down, hooks, fencing, the command that verifies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "service/clock.h"

/* One that was begun and not answered yet. */
struct local {
    struct action action;
    struct local *next;
};

static void answer(struct daemon *daemon, const struct action *action, int error, const char *message)
{
    struct action_result result = {.id = action->id, .error = error};

    if (message != NULL)
        snprintf(result.message, sizeof(result.message), "%s", message);
    coordinator_handle_result(daemon->coordinator, action, &result, clock_now());
}

static bool is_local(const struct action *action)
{
    return action->kind == ACTION_RECORD || action->kind == ACTION_REMEMBER || action->kind == ACTION_HOOK ||
           action->kind == ACTION_FENCE || (action->kind == ACTION_VERIFY && action->level == VERIFY_COMMAND);
}

bool local_perform(struct daemon *daemon, const struct action *action)
{
    struct local *local;

    if (!is_local(action))
        return false;
    local = malloc(sizeof(*local));
    if (local == NULL) {
        answer(daemon, action, -ENOMEM, strerror(ENOMEM));
        return true;
    }
    *local = (struct local){.action = *action, .next = daemon->locals};
    daemon->locals = local;
    if (action->kind == ACTION_RECORD)
        persistence_write_intent(daemon, action);
    else if (action->kind == ACTION_REMEMBER)
        persistence_write_machine(daemon, action);
    else if (action->kind == ACTION_FENCE)
        external_fence(daemon, action);
    else
        external_run(daemon, action);
    return true;
}

void local_answer(struct daemon *daemon, uint64_t id, int error, const char *message)
{
    for (struct local **at = &daemon->locals; *at != NULL; at = &(*at)->next) {
        _cleanup_(freep) struct local *local = NULL;

        if ((*at)->action.id != id)
            continue;
        local = *at;
        *at = local->next;
        answer(daemon, &local->action, error, message);
        return;
    }
}

void local_forget_all(struct daemon *daemon)
{
    struct local *local;

    while ((local = daemon->locals) != NULL) {
        daemon->locals = local->next;
        free(local);
    }
}
