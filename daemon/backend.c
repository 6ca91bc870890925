/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the API sees of the daemon, and drills, which it may ask for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "service/clock.h"
#include "service/log.h"

/* Ids of drills stand apart from the coordinator's. */
#define DRILL_ID_BASE (UINT64_C(1) << 63)

static const struct coordinator *api_coordinator(void *context)
{
    const struct daemon *daemon = context;

    return daemon->coordinator;
}

static struct moment api_now(void *context)
{
    (void)context;
    return clock_now();
}

static const char *api_mode(void *context)
{
    const struct daemon *daemon = context;

    return daemon->config->mode == MODE_OBSERVE ? "observe" : "automatic";
}

static const char *api_config_file(void *context)
{
    const struct daemon *daemon = context;

    return daemon->config->file;
}

static const char *api_reload_error(void *context)
{
    const struct daemon *daemon = context;

    return daemon->reload_error;
}

static struct moment api_started(void *context)
{
    const struct daemon *daemon = context;

    return daemon->started;
}

static int check_drill(const struct daemon *daemon, const struct machine *machine, const struct node *node,
                       bool confirmed, const char **ret_message)
{
    if (node == NULL || !machine->is_reachable) {
        *ret_message = "its hypervisor is not connected";
        return -ENOTCONN;
    }
    if (machine->state != MACHINE_RUNNING) {
        *ret_message = "it is not running, so it cannot crash";
        return -EINVAL;
    }
    if (machine->claimed_by != NULL) {
        *ret_message = "a recovery is under way that needs it";
        return -EBUSY;
    }
    if (coordinator_is_held(daemon->coordinator)) {
        *ret_message = "the brake is on, so nothing would take its place: understudyctl release";
        return -EBUSY;
    }
    if (!hypervisor_is_test(node->hypervisor) && !confirmed) {
        *ret_message = (machine->roles & ROLE_PROTECTED) != 0
                           ? "this crashes a real machine"
                           : "this crashes a real machine, and one that is not protected: nothing would take its place";
        return -EPERM;
    }
    return 0;
}

static int api_drill(void *context, const struct machine *machine, bool confirmed, api_drill_done done, void *token,
                     const char **ret_message)
{
    struct daemon *daemon = context;
    struct node *node = nodes_find(daemon, machine->hypervisor);
    struct action action = {
        .kind = ACTION_DESTROY,
        .target = machine_ref_of(machine),
        .timeout_us = daemon->config->recovery.call_timeout_us,
    };
    int r = check_drill(daemon, machine, node, confirmed, ret_message);

    if (r < 0)
        return r;

    _cleanup_(freep) struct drill *drill = malloc(sizeof(*drill));
    if (drill == NULL)
        return -ENOMEM;
    action.id = DRILL_ID_BASE + ++daemon->last_drill;
    *drill = (struct drill){.action_id = action.id, .done = done, .token = token, .next = daemon->drills};
    r = hypervisor_crash(node->hypervisor, &action);
    if (r < 0)
        return r;
    daemon->drills = steal_pointer(&drill);
    coordinator_expect_drill(daemon->coordinator, machine, clock_now());
    log_event(MESSAGE_DRILL, &(struct log_subject){.machine = action.target, .machine_name = machine->name},
              "%s is crashed on purpose, as asked", machine->name);
    return 0;
}

static bool api_release(void *context)
{
    struct daemon *daemon = context;
    bool was_held = coordinator_release(daemon->coordinator, clock_now());

    daemon_pump(daemon);
    return was_held;
}

static int api_fenced(void *context, const char *hypervisor, bool confirmed, const char **ret_message)
{
    struct daemon *daemon = context;
    int r = nodes_find(daemon, hypervisor) == NULL ? -ENOENT : confirmed ? 0 : -EPERM;

    if (r == 0)
        r = coordinator_confirm_fenced(daemon->coordinator, hypervisor, clock_now());
    if (r == -ENOENT)
        *ret_message = "no hypervisor has that name: understudyctl status lists them";
    else if (r == -EPERM)
        *ret_message = "if that host still runs, its machines will run twice and destroy their disks";
    else if (r == -EALREADY)
        *ret_message = "it is known to be off";
    else if (r < 0)
        *ret_message = "it can be reached, so it is not off";
    if (r == 0)
        log_line(LOG_WARNING, "%s is off, somebody says", hypervisor);
    daemon_pump(daemon);
    return r;
}

static const char *api_reload(void *context, char **ret_waiting)
{
    struct daemon *daemon = context;

    daemon_reload(daemon);
    *ret_waiting = reload_waiting_keys(daemon);
    return daemon->reload_error;
}

const struct api_backend backend = {
    .coordinator = api_coordinator,
    .now = api_now,
    .mode = api_mode,
    .config_file = api_config_file,
    .reload_error = api_reload_error,
    .started = api_started,
    .drill = api_drill,
    .release = api_release,
    .fenced = api_fenced,
    .reload = api_reload,
};

/* True: the answer belongs to a drill. */
bool backend_answer_drill(struct daemon *daemon, const struct action_result *result)
{
    for (struct drill **at = &daemon->drills; *at != NULL; at = &(*at)->next) {
        struct drill *drill = *at;

        if (drill->action_id != result->id)
            continue;
        *at = drill->next;
        drill->done(drill->token, result->error, result->message);
        free(drill);
        return true;
    }
    return false;
}

void backend_cancel_drills(struct daemon *daemon)
{
    struct drill *drill;

    while ((drill = daemon->drills) != NULL) {
        daemon->drills = drill->next;
        drill->done(drill->token, -ECANCELED, "understudyd is stopping");
        free(drill);
    }
}
