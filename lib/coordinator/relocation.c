/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that a recovery has in hand, and that are migrated. */
#include "coordinator/relocation.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "coordinator/moves.h"
#include "coordinator/open_recovery.h"
#include "coordinator/whereabouts.h"

/* A start that is resolved was asked for, and may have taken effect before the migration. */
static const struct machine *find_candidate(const struct registry *registry, const struct recovery *recovery)
{
    if (recovery->replacement_name == NULL)
        return NULL;
    return recovery->state == RECOVERY_RESOLVING ? moves_find_started(registry, &recovery->replacement)
                                                 : moves_find(registry, &recovery->replacement);
}

static void follow_candidate(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    const struct machine *machine = find_candidate(recoveries->registry, open->recovery);

    if (machine != NULL && open_recovery_move(recoveries, open, machine) == 0)
        open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_RECONNECTED, .now = now});
}

/*
 * It is followed, since what befalls it there, and a hold there, concerns its recovery. Of one that is to be relieved, that it
 * has left is enough: it is not off, wherever it is.
 */
static void leave_failed(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    const struct registry *registry = recoveries->registry;
    const struct machine_ref *failed = &open->recovery->failed;
    const struct machine *machine = moves_find(registry, failed);
    struct recovery_event event = {.kind = RECOVERY_SERVED, .now = now};
    _cleanup_(freep) char *detail = NULL;

    if (machine == NULL && (open->recovery->relief == RELIEF_NONE || !moves_have_left(registry, failed)))
        return;
    detail = machine != NULL ? text_print("it was migrated to %s, and runs there", machine->hypervisor)
                             : text_print("it was migrated, and is not seen on another host yet");
    if (machine != NULL)
        (void)!open_recovery_move_failed(recoveries, open, machine); /* else it is another recovery's there already */
    event.detail = detail != NULL ? detail : "it was migrated";
    open_recovery_handle(recoveries, open, &event);
}

void relocation_follow(struct recoveries *recoveries, struct moment now)
{
    const struct registry *registry = recoveries->registry;
    const struct watch *watch;

    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_MIGRATED, from)) != NULL; from = watch->number + 1) {
        struct open_recovery *serves = watch_rare(watch)->serves, *recovers = watch_rare(watch)->recovers;

        if (serves != NULL && !recovery_state_is_final(serves->recovery->state))
            follow_candidate(recoveries, serves, now);
        if (recovers != NULL && !recovery_state_is_final(recovers->recovery->state))
            leave_failed(recoveries, recovers, now);
    }
}

/* The machine is not there, and nothing that is known of it says how that came. */
static bool is_missed(const struct registry *registry, const struct action *action, const struct action_result *result)
{
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);
    bool is_unexplained =
        result->error == -ENOENT ||
        (action->kind == ACTION_GET_STATE && result->error == 0 && result->state == MACHINE_SHUT_OFF &&
         (result->reason == REASON_UNKNOWN || result->reason == REASON_MIGRATED));

    return is_unexplained && (machine == NULL || machine->state == MACHINE_UNKNOWN || machine_is_up(machine) ||
                              machine->reason == REASON_MIGRATED ||
                              (machine->reason == REASON_UNKNOWN && whereabouts_are_asked(registry, machine)));
}

/* When it stops. Of one that nothing was heard of since the daemon began, that is not known. */
static bool vanishes(const struct machine *machine)
{
    return machine->event_sequence != 0 && !machine->persistent;
}

/*
 * What is to be relieved stays defined when it stops. Where its host does not have it any more, it was migrated or removed, unless
 * it is known how it stopped, or that its definition was removed while it ran: then it vanishes when it stops.
 */
static bool is_beyond_relief(const struct registry *registry, const struct machine_ref *ref,
                             const struct action_result *result)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    return result->error == -ENOENT && records_relieve(&registry->records, ref) &&
           (machine == NULL || (!vanishes(machine) && (machine_is_up(machine) || machine->reason == REASON_UNKNOWN)));
}

static const struct action_result *seek(const struct registry *registry, const struct machine_ref *ref,
                                        struct action_result *room)
{
    const char *host = whereabouts_awaited_host(registry, ref);

    *room = (struct action_result){.error = -EINPROGRESS};
    snprintf(room->message, sizeof(room->message), "%s has not said whether it runs there",
             host != NULL ? host : "another host");
    return room;
}

const struct action_result *relocation_correct(const struct recoveries *recoveries, const struct action *action,
                                               const struct action_result *result, struct action_result *room,
                                               struct moment now)
{
    static const struct action_result unknown = {
        .error = -EAGAIN,
        .message = "it was migrated to another host, and is not seen there yet",
    };
    static const struct action_result gone = {
        .error = -EAGAIN,
        .message = "its host does not have it any more, and did not tell how that came",
    };
    bool is_off = result->error == -ENOENT || (result->error == 0 && result->state == MACHINE_SHUT_OFF), is_gone;

    if (action->kind == ACTION_DESTROY || action->kind == ACTION_SHUTDOWN || action->kind == ACTION_VERIFY)
        is_off = true; /* nothing came of it there */
    else if (action->kind != ACTION_GET_STATE)
        return result;
    if (!is_off)
        return result;
    if (is_missed(recoveries->registry, action, result) &&
        whereabouts_are_open(recoveries->registry, &action->target, now))
        return seek(recoveries->registry, &action->target, room);
    /* News that it left is on its way where it runs elsewhere already. */
    is_gone = (result->error == -ENOENT || result->reason == REASON_MIGRATED) &&
              moves_run_elsewhere(recoveries->registry, &action->target);
    if (is_gone || moves_have_left(recoveries->registry, &action->target))
        return &unknown;
    return is_beyond_relief(recoveries->registry, &action->target, result) ? &gone : result;
}
