/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decides whether a request makes sense now, with words for the operator; leaves what follows from it to the
 * coordinator.
 */
#include "backend.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "base/text.h"
#include "board.h"
#include "config/fence.h"
#include "coordinator/coordinator.h"
#include "hypervisor/hypervisor.h"
#include "meters.h"
#include "nodes.h"
#include "notify_test.h"
#include "persistence.h"
#include "programs.h"
#include "reload.h"
#include "service/clock.h"
#include "service/log.h"
#include "settings.h"
#include "template_trials.h"

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

static int api_collect_status(void *context, struct plan *plan, struct status *ret)
{
    const struct backend *backend = context;

    return meters_collect_status(backend->meters, plan, ret);
}

static bool api_is_writing(void *context)
{
    const struct backend *backend = context;

    return persistence_count(backend->persistence) > 0;
}

static bool api_is_disk_silent(void *context)
{
    const struct backend *backend = context;

    return backend->persistence->trouble != NULL && api_is_writing(context);
}

static const struct problems *api_problems(void *context)
{
    const struct backend *backend = context;

    return &backend->board->problems;
}

static const struct problems *api_look_for_problems(void *context)
{
    const struct backend *backend = context;

    board_look_now(backend->board);
    return &backend->board->problems;
}

static int api_format_metrics(void *context, enum metrics_form form, char **ret)
{
    const struct backend *backend = context;

    return meters_format(backend->meters, form, ret);
}

static int api_suppose(void *context, const struct supposition *supposition, struct coordinator **ret)
{
    const struct backend *backend = context;
    struct config *config = backend->settings->config;
    int r = 0;

    if (!supposition_is_empty(supposition)) {
        r = supposition_apply(supposition, config);
        if (r == 0)
            r = coordinator_configure(backend->coordinator, config);
    }
    *ret = backend->coordinator;
    return r;
}

static int api_check(void *context, const char *text, size_t length, struct problems *ret)
{
    const struct backend *backend = context;
    const struct pool *pool = coordinator_pool(backend->coordinator);
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    int r = config_parse(text, length, NULL, &diags, &config);

    if (r < 0)
        return r;
    return problems_collect_config(config, pool_catalog(pool), coordinator_is_ready(backend->coordinator) ? pool : NULL,
                                   coordinator_features(backend->coordinator), clock_now(), ret);
}

static int api_read_history(void *context, const char *before, size_t most, api_history_done done, void *token)
{
    const struct backend *backend = context;

    return persistence_read(backend->persistence, before, most, done, token);
}

static const char *api_why_not_yet(void *context)
{
    const struct backend *backend = context;

    return backend->persistence->is_open ? NULL : "understudyd is starting, and waits for the disk of state_dir";
}

/* A drill that was announced: written down, then carried out. Ended by end_drill. */
struct drill {
    const struct backend *backend;
    struct machine_ref machine;
    api_done done; /* of the API's client */
    void *token;
};

/* The call has failed, or was not made: it is not on its way to the machine. */
static bool is_void(int error)
{
    return error < 0 && error != -ETIMEDOUT && error != -ENOTCONN && error != -ECANCELED;
}

static void end_drill(struct drill *drill, int error, const char *message)
{
    if (is_void(error)) {
        coordinator_call_off_drill(drill->backend->coordinator, &drill->machine, message, clock_now());
        event_active(drill->backend->pump, 0, 0);
    }
    drill->done(drill->token, error, message);
    free(drill);
}

static void on_crashed(void *context, int error, const char *message)
{
    end_drill(context, error, message);
}

static struct action drill_action(const struct drill *drill, enum action_kind kind)
{
    return (struct action){
        .kind = kind,
        .id = answers_new_number(drill->backend->answers),
        .target = drill->machine,
        .timeout_us = drill->backend->settings->config->recovery.call_timeout_us,
    };
}

static int crash(struct drill *drill)
{
    const struct backend *backend = drill->backend;
    struct hypervisor *hypervisor = nodes_find(backend->nodes, drill->machine.hypervisor);
    struct action action = drill_action(drill, ACTION_DESTROY);
    int r = hypervisor != NULL ? answers_expect(backend->answers, &action, on_crashed, drill) : -ENOENT;

    if (r < 0)
        return r;
    r = hypervisor_crash(hypervisor, &action);
    if (r < 0)
        answers_forget(backend->answers, action.id);
    return r;
}

/* A daemon that is killed from here on finds the machine off, and must know why. */
static void on_announced(void *context, int error, const char *message)
{
    struct drill *drill = context;
    _cleanup_(freep) char *words = NULL;
    int r = error;

    if (error < 0)
        words = text_print("the drill was not begun, since it could not be written down: %s", message);
    else
        r = crash(drill);
    if (r < 0) {
        const char *why = words != NULL ? words : strerror(-r);

        coordinator_call_off_drill(drill->backend->coordinator, &drill->machine, why, clock_now());
        end_drill(drill, r, why);
    }
}

static int announce(struct drill *drill)
{
    const struct backend *backend = drill->backend;
    struct action action = drill_action(drill, ACTION_REMEMBER);
    int r = answers_expect(backend->answers, &action, on_announced, drill);

    if (r < 0)
        return r;
    r = persistence_perform(backend->persistence, &action);
    if (r < 0)
        answers_forget(backend->answers, action.id);
    return r;
}

static int api_drill(void *context, const struct order *asked, api_done done, void *token, struct order_answer *ret)
{
    const struct backend *backend = context;
    const struct hypervisor *hypervisor = nodes_find(backend->nodes, asked->machine.hypervisor);
    const struct machine *machine =
        pool_find(coordinator_pool(backend->coordinator), asked->machine.hypervisor, asked->machine.uuid);
    _cleanup_(freep) struct drill *drill = malloc(sizeof(*drill));
    struct order order = *asked;
    int r;

    if (drill == NULL)
        return -ENOMEM;
    if (hypervisor == NULL || machine == NULL)
        return -ENOENT;
    *drill = (struct drill){.backend = backend, .machine = order.machine, .done = done, .token = token};
    order.is_confirmed |= hypervisor_is_test(hypervisor);
    r = coordinator_order(backend->coordinator, &order, clock_now(), ret);
    if (r < 0)
        return r;
    log_event(MESSAGE_DRILL, &(struct log_subject){.machine = order.machine, .machine_name = machine->name}, "%s",
              ret->words);
    r = announce(drill);
    if (r < 0)
        coordinator_call_off_drill(backend->coordinator, &order.machine, strerror(-r), clock_now());
    else
        drill = NULL; /* on_announced has it */
    event_active(backend->pump, 0, 0);
    return r;
}

static void on_rehearsed(void *token, int error, const char *message)
{
    (void)token;
    if (error < 0)
        log_line(
            LOG_WARNING,
            "a machine could not be crashed for its rehearsal, which has failed (understudyctl rehearse --plan): %s",
            message);
}

void backend_rehearse(const struct backend *backend, const struct order *drill)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    int r = api_drill((void *)backend, drill, on_rehearsed, NULL, &answer);

    if (r < 0)
        on_rehearsed(NULL, r, answer.words != NULL ? answer.words : strerror(-r));
}

/* What waits for the answer to a change of metadata. */
struct tagging {
    api_done done;
    void *token;
};

static void on_tagged(void *context, int error, const char *message)
{
    _cleanup_(freep) struct tagging *tagging = context;

    tagging->done(tagging->token, error, message);
}

static int api_tag(void *context, const struct machine_ref *machine, const struct metadata_tags *tags, api_done done,
                   void *token)
{
    const struct backend *backend = context;
    struct hypervisor *hypervisor = nodes_find(backend->nodes, machine->hypervisor);
    const struct action action = {
        .kind = ACTION_SET_METADATA,
        .id = answers_new_number(backend->answers),
        .target = *machine,
        .timeout_us = backend->settings->config->recovery.call_timeout_us,
    };
    _cleanup_(freep) struct tagging *tagging = malloc(sizeof(*tagging));
    int r = hypervisor == NULL ? -ENOENT : tagging == NULL ? -ENOMEM : 0;

    if (r < 0)
        return r;
    *tagging = (struct tagging){.done = done, .token = token};
    r = answers_expect(backend->answers, &action, on_tagged, tagging);
    if (r < 0)
        return r;
    r = hypervisor_tag(hypervisor, &action, tags);
    if (r < 0)
        answers_forget(backend->answers, action.id);
    else
        tagging = NULL; /* on_tagged has it */
    return r;
}

static int api_draft(void *context, const struct machine_ref *machine, struct template_draft *draft, api_done done,
                     void *token)
{
    const struct backend *backend = context;
    struct hypervisor *hypervisor = nodes_find(backend->nodes, machine->hypervisor);
    const struct action action = {
        .kind = ACTION_DESCRIBE,
        .id = answers_new_number(backend->answers),
        .target = *machine,
        .timeout_us = backend->settings->config->recovery.call_timeout_us,
    };
    int r = hypervisor != NULL ? 0 : -ENOENT;

    if (r == 0 && draft->directory == NULL)
        r = text_format(&draft->directory, "%s", backend->settings->config->pool.templates);
    if (r == 0)
        r = answers_expect(backend->answers, &action, done, token);
    if (r < 0)
        return r;
    r = hypervisor_draft(hypervisor, &action, draft);
    if (r < 0)
        answers_forget(backend->answers, action.id);
    return r;
}

static int api_check_templates(void *context, api_templates_checked done, void *token)
{
    const struct backend *backend = context;

    return template_trials_begin(backend->nodes, backend->answers, backend->settings->config, done, token);
}

static int api_order(void *context, const struct order *order, struct order_answer *ret)
{
    const struct backend *backend = context;
    int r = coordinator_order(backend->coordinator, order, clock_now(), ret);

    event_active(backend->pump, 0, 0);
    return r;
}

static bool api_release_brake(void *context)
{
    const struct backend *backend = context;
    bool was_braked = coordinator_release_brake(backend->coordinator, clock_now());

    event_active(backend->pump, 0, 0);
    return was_braked;
}

static int api_hold(void *context, enum hold_scope scope, const struct machine_ref *target, const char *name,
                    const char *reason, const char *by, int64_t time_us)
{
    const struct backend *backend = context;
    int r = coordinator_hold(backend->coordinator, scope, target, name, reason, by, time_us, clock_now());

    event_active(backend->pump, 0, 0);
    return r;
}

static int api_release(void *context, enum hold_scope scope, const struct machine_ref *target)
{
    const struct backend *backend = context;
    int r = coordinator_release(backend->coordinator, scope, target, clock_now());

    event_active(backend->pump, 0, 0);
    return r;
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
    else if (r == -ECANCELED)
        *ret_message = "the host is held, so nothing would be started for it: understudyctl holds, then release";
    else if (r == -EALREADY)
        *ret_message = "the host is known to be off already";
    else if (r < 0)
        *ret_message = "the host can be reached, so it is not off";
    event_active(backend->pump, 0, 0);
    return r;
}

/* What waits for the agents of a host. */
struct fence_test {
    api_done done;
    void *token;
};

static void on_fence_tested(void *context, int error, const char *message)
{
    _cleanup_(freep) struct fence_test *test = context;

    test->done(test->token, error, message);
}

/* Why the agents of the host are not asked now; NULL: they are. */
static const char *why_not_tested(const struct backend *backend, const char *hypervisor, const char *agent,
                                  int *ret_error)
{
    const struct config_fence *fence = &backend->settings->config->fence;
    size_t index, at = 0;

    *ret_error = -ENOENT;
    while (at < coordinator_hypervisor_count(backend->coordinator) &&
           strcmp(coordinator_hypervisor(backend->coordinator, at).name, hypervisor) != 0)
        at++;
    if (at == coordinator_hypervisor_count(backend->coordinator))
        return "no hypervisor has that name: understudyctl status lists them";
    if (agent != NULL && fence_agent_find(fence, agent, &index) < 0)
        return "no fence agent has that name: see fence in the configuration";
    *ret_error = -EBUSY;
    if (fence_agent_count(fence) == 0)
        return "fence in the configuration names no agent";
    if (!coordinator_hypervisor(backend->coordinator, at).can_be_fenced)
        return "the daemon's own host is never fenced";
    if (!fence->is_confirmed)
        return "fence.confirm is false, so that agents are not asked for a status";
    if (coordinator_hypervisor(backend->coordinator, at).host->state == HOST_FENCING)
        return "the host is being fenced now: understudyctl history --fencing shows what its agents answer";
    return NULL;
}

static int api_test_fencing(void *context, const char *hypervisor, const char *agent, api_done done, void *token,
                            const char **ret_message)
{
    const struct backend *backend = context;
    struct action action = {
        .kind = ACTION_TEST_FENCING,
        .id = answers_new_number(backend->answers),
        .timeout_us = fence_time_us(&backend->settings->config->fence),
    };
    _cleanup_(freep) struct fence_test *test = malloc(sizeof(*test));
    int r;

    *ret_message = why_not_tested(backend, hypervisor, agent, &r);
    if (*ret_message != NULL)
        return r;
    if (test == NULL)
        return -ENOMEM;
    *test = (struct fence_test){.done = done, .token = token};
    snprintf(action.target.hypervisor, sizeof(action.target.hypervisor), "%s", hypervisor);
    r = answers_expect(backend->answers, &action, on_fence_tested, test);
    if (r < 0)
        return r;
    r = programs_test_fencing(backend->programs, &action, agent);
    if (r < 0)
        answers_forget(backend->answers, action.id);
    else
        test = NULL; /* on_fence_tested has it */
    return r;
}

static int api_test_hooks(void *context, const char *hook, api_hooks_tested done, void *token, const char **ret_message)
{
    const struct backend *backend = context;

    return notify_test_begin(backend->programs->hooks, backend->answers, backend->settings, hook, done, token,
                             ret_message);
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
    .collect_status = api_collect_status,
    .format_metrics = api_format_metrics,
    .suppose = api_suppose,
    .why_not_yet = api_why_not_yet,
    .read_history = api_read_history,
    .is_writing = api_is_writing,
    .is_disk_silent = api_is_disk_silent,
    .problems = api_problems,
    .look_for_problems = api_look_for_problems,
    .check = api_check,
    .drill = api_drill,
    .tag = api_tag,
    .draft = api_draft,
    .check_templates = api_check_templates,
    .order = api_order,
    .release_brake = api_release_brake,
    .hold = api_hold,
    .release = api_release,
    .fenced = api_fenced,
    .test_fencing = api_test_fencing,
    .test_hooks = api_test_hooks,
    .reload = api_reload,
};
