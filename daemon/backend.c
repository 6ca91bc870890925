/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decides whether a request makes sense now, with words for the operator; leaves what follows from it to the
 * coordinator.
 */
#include "backend.h"

#include <errno.h>
#include <event2/event.h>

#include "answers.h"
#include "coordinator/coordinator.h"
#include "hypervisor/hypervisor.h"
#include "nodes.h"
#include "reload.h"
#include "service/clock.h"
#include "service/log.h"
#include "settings.h"

static const struct coordinator *api_coordinator(void *context)
{
    const struct backend *backend = context;

    return backend->coordinator;
}

static struct moment api_now(void *context)
{
    (void)context;
    return clock_now();
}

static const char *api_mode(void *context)
{
    const struct backend *backend = context;

    return settings_mode(backend->settings);
}

static const char *api_config_file(void *context)
{
    const struct backend *backend = context;

    return backend->settings->config->file;
}

static const char *api_reload_error(void *context)
{
    const struct backend *backend = context;

    return backend->settings->reload_error;
}

static struct moment api_started(void *context)
{
    const struct backend *backend = context;

    return backend->started;
}

static int check_drill(const struct backend *backend, const struct machine *machine,
                       const struct hypervisor *hypervisor, bool confirmed, const char **ret_message)
{
    if (hypervisor == NULL || !machine->is_reachable) {
        *ret_message = "the machine's hypervisor is not connected";
        return -ENOTCONN;
    }
    if (machine->state != MACHINE_RUNNING) {
        *ret_message = "the machine is not running, so it cannot crash";
        return -EINVAL;
    }
    if (machine->claimed_by != NULL) {
        *ret_message = "the machine is needed by a recovery that is under way";
        return -EBUSY;
    }
    if (coordinator_is_held(backend->coordinator)) {
        *ret_message = "the brake is on, so no machine would take over: understudyctl release";
        return -EBUSY;
    }
    if (!hypervisor_is_test(hypervisor) && !confirmed) {
        *ret_message = (machine->roles & ROLE_PROTECTED) != 0
                           ? "this crashes a real machine"
                           : "this crashes a real machine, and one that is not protected: no machine would take over";
        return -EPERM;
    }
    return 0;
}

/* The crash is answered like every action; its answer goes to the client of the API. */
static int api_drill(void *context, const struct machine *machine, bool confirmed, api_drill_done done, void *token,
                     const char **ret_message)
{
    const struct backend *backend = context;
    struct hypervisor *hypervisor = nodes_find(backend->nodes, machine->hypervisor);
    struct action action = {
        .kind = ACTION_DESTROY,
        .target = machine_ref_of(machine),
        .timeout_us = backend->settings->config->recovery.call_timeout_us,
    };
    int r = check_drill(backend, machine, hypervisor, confirmed, ret_message);

    if (r < 0)
        return r;
    action.id = answers_new_number(backend->answers);
    r = answers_expect(backend->answers, &action, done, token);
    if (r < 0)
        return r;
    r = hypervisor_crash(hypervisor, &action);
    if (r < 0) {
        answers_forget(backend->answers, action.id);
        return r;
    }
    coordinator_expect_drill(backend->coordinator, machine, clock_now());
    log_event(MESSAGE_DRILL, &(struct log_subject){.machine = action.target, .machine_name = machine->name},
              "%s is crashed on purpose, as asked", machine->name);
    return 0;
}

static bool api_release(void *context)
{
    const struct backend *backend = context;
    bool was_held = coordinator_release(backend->coordinator, clock_now());

    event_active(backend->pump, 0, 0);
    return was_held;
}

static int api_fenced(void *context, const char *hypervisor, bool confirmed, const char **ret_message)
{
    const struct backend *backend = context;
    int r = nodes_find(backend->nodes, hypervisor) == NULL ? -ENOENT : confirmed ? 0 : -EPERM;

    if (r == 0)
        r = coordinator_confirm_fenced(backend->coordinator, hypervisor, clock_now());
    if (r == -ENOENT)
        *ret_message = "no hypervisor has that name: understudyctl status lists them";
    else if (r == -EPERM)
        *ret_message = "if that host still runs, its machines will run twice and destroy their disks";
    else if (r == -EALREADY)
        *ret_message = "the host is known to be off already";
    else if (r < 0)
        *ret_message = "the host can be reached, so it is not off";
    if (r == 0)
        log_line(LOG_WARNING, "%s: confirmed off by an operator", hypervisor);
    event_active(backend->pump, 0, 0);
    return r;
}

static const char *api_reload(void *context, char **ret_waiting)
{
    const struct backend *backend = context;

    reload_configuration(backend->reload);
    *ret_waiting = settings_waiting_keys(backend->settings);
    return backend->settings->reload_error;
}

const struct api_backend backend_functions = {
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
