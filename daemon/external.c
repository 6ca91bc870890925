/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* External programs: which hooks an event calls for, and what they are told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "report/json.h"
#include "service/clock.h"
#include "service/log.h"

/* Numbers of runs that nobody waits for stand apart from the ids of actions. */
#define RUN_BASE (UINT64_C(1) << 62)

/* One run of hooks: which recovery it is for. */
struct errand {
    uint64_t run;
    char recovery_id[RECOVERY_ID_SIZE];
    struct errand *next;
};

/* Without the memory for it, what the hooks print is told all the same, without saying for which recovery. */
static void remember_errand(struct daemon *daemon, uint64_t number, const struct recovery *recovery)
{
    struct errand *errand = malloc(sizeof(*errand));

    if (errand == NULL)
        return;
    *errand = (struct errand){.run = number, .next = daemon->errands};
    memcpy(errand->recovery_id, recovery->id, sizeof(errand->recovery_id));
    daemon->errands = errand;
}

static void forget_errand(struct daemon *daemon, uint64_t number)
{
    for (struct errand **at = &daemon->errands; *at != NULL; at = &(*at)->next) {
        struct errand *errand = *at;

        if (errand->run != number)
            continue;
        *at = errand->next;
        free(errand);
        return;
    }
}

static struct log_subject subject_of(const struct recovery *recovery)
{
    if (recovery == NULL)
        return (struct log_subject){0};
    return (struct log_subject){
        .machine = recovery->failed, .machine_name = recovery->failed_name, .recovery_id = recovery->id};
}

/* Of the recovery that a run is for. */
static struct log_subject subject_of_run(const struct daemon *daemon, uint64_t number)
{
    for (const struct errand *errand = daemon->errands; errand != NULL; errand = errand->next)
        if (errand->run == number)
            return subject_of(coordinator_find_recovery(daemon->coordinator, errand->recovery_id));
    return subject_of(NULL);
}

static void on_line(void *context, uint64_t number, const char *event, const char *hook, const char *text)
{
    struct log_subject subject = subject_of_run(context, number);

    log_about(LOG_INFO, &subject, "%s hook %s: %s", event, hook, text);
}

/* Whoever put it there believes that it runs. */
static void on_passed_over(void *context, uint64_t number, const char *event, const char *hook, const char *why)
{
    struct log_subject subject = subject_of_run(context, number);

    log_about(LOG_WARNING, &subject, "%s hook %s: %s", event, hook, why);
}

static void on_done(void *context, uint64_t run, int error, const char *hook, const char *message)
{
    struct daemon *daemon = context;
    struct log_subject subject = subject_of_run(daemon, run);
    _cleanup_(freep) char *text = NULL;

    if (error < 0) {
        if (asprintf(&text, "hook %s: %s", hook, message) < 0)
            text = NULL;
        log_event(MESSAGE_HOOK_FAILED, &subject, "%s: %s", hook, message);
    }
    forget_errand(daemon, run);
    local_answer(daemon, run, error, text != NULL ? text : message);
    daemon_pump(daemon);
}

static void on_fence_line(void *context, const char *host, const char *text)
{
    (void)context;
    log_line(LOG_INFO, "fencing of %s: %s", host, text);
}

static void on_fence_done(void *context, uint64_t run, int error, const char *message)
{
    struct daemon *daemon = context;

    local_answer(daemon, run, error, message);
    daemon_pump(daemon);
}

static const struct hooks_callbacks callbacks = {.line = on_line, .passed_over = on_passed_over, .done = on_done};
static const struct fencer_callbacks fencer_callbacks = {.line = on_fence_line, .done = on_fence_done};

int external_open(struct daemon *daemon)
{
    int r = hooks_new(daemon->base, &callbacks, daemon, &daemon->hooks);

    return r < 0 ? r : fencer_new(daemon->base, &fencer_callbacks, daemon, &daemon->fencer);
}

void external_close(struct daemon *daemon)
{
    fencer_free(daemon->fencer);
    hooks_free(daemon->hooks);
    while (daemon->errands != NULL)
        forget_errand(daemon, daemon->errands->run);
}

#define VARIABLES_MAX 10

/* What a hook learns by its environment. The array ends with a NULL name. */
static void fill_variables(const struct recovery *recovery, const char *event,
                           struct hook_variable variables[VARIABLES_MAX])
{
    size_t n = 0;

    variables[n++] = (struct hook_variable){"EVENT", event};
    variables[n++] = (struct hook_variable){"RECOVERY", recovery->id};
    variables[n++] = (struct hook_variable){"FAILED", recovery->failed_name};
    variables[n++] = (struct hook_variable){"FAILED_UUID", recovery->failed.uuid};
    variables[n++] = (struct hook_variable){"HYPERVISOR", recovery->failed.hypervisor};
    variables[n++] = (struct hook_variable){"CAUSE", failure_cause_name(recovery->cause)};
    if (recovery->replacement_name != NULL) {
        variables[n++] = (struct hook_variable){"REPLACEMENT", recovery->replacement_name};
        variables[n++] = (struct hook_variable){"REPLACEMENT_UUID", recovery->replacement.uuid};
        variables[n++] = (struct hook_variable){"REPLACEMENT_HYPERVISOR", recovery->replacement.hypervisor};
    }
    variables[n] = (struct hook_variable){NULL, NULL};
}

/* program NULL: the hooks of the directory. */
static int run(struct daemon *daemon, uint64_t number, const struct recovery *recovery, const char *program,
               const char *event)
{
    const struct config_hooks *config = &daemon->config->hooks;
    struct hook_variable variables[VARIABLES_MAX];
    _cleanup_(freep) char *json = NULL;
    int r = json_format_recovery(recovery, coordinator_pool(daemon->coordinator), clock_now(), &json);

    if (r < 0) {
        json = NULL;
        return r;
    }
    fill_variables(recovery, event, variables);
    if (program != NULL)
        r = hooks_run_program(daemon->hooks, number, program, event, variables, json, config->timeout_us);
    else
        r = hooks_run(daemon->hooks, number, config->directory, event, variables, json, config->timeout_us);
    if (r == 0)
        remember_errand(daemon, number, recovery);
    return r;
}

/* For a standby that is made warm there is no recovery: the command is told of the machine alone. */
static int verify_warm(struct daemon *daemon, const struct action *action)
{
    const struct pool *pool = coordinator_pool(daemon->coordinator);
    const struct machine *machine = pool_find(pool, action->target.hypervisor, action->target.uuid);
    _cleanup_(freep) char *json = NULL;
    int r = machine != NULL
                ? json_format_machine(pool, coordinator_features(daemon->coordinator), machine, clock_now(), &json)
                : -ENOENT;

    if (r < 0) {
        json = NULL;
        return r;
    }
    const struct hook_variable variables[] = {
        {"EVENT", "verify"},
        {"REPLACEMENT", machine->name},
        {"REPLACEMENT_UUID", machine->uuid},
        {"REPLACEMENT_HYPERVISOR", machine->hypervisor},
        {"WARMING", "1"},
        {NULL, NULL},
    };
    return hooks_run_program(daemon->hooks, action->id, daemon->config->recovery.verify.command, "verify", variables,
                             json, daemon->config->hooks.timeout_us);
}

void external_run(struct daemon *daemon, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(daemon->coordinator, action->recovery_id);
    int r = -ENOENT;

    if (strncmp(action->recovery_id, WARM_ID_PREFIX, strlen(WARM_ID_PREFIX)) == 0)
        r = verify_warm(daemon, action);
    else if (recovery != NULL && action->kind == ACTION_VERIFY)
        r = run(daemon, action->id, recovery, daemon->config->recovery.verify.command, "verify");
    else if (recovery != NULL)
        r = run(daemon, action->id, recovery, NULL, "pre-start");
    if (r < 0)
        local_answer(daemon, action->id, r, strerror(-r));
}

static int fence(struct daemon *daemon, const struct action *action)
{
    const struct config *config = daemon->config;

    if (config->fence.command == NULL)
        return -ENOENT;
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, action->target.hypervisor) == 0)
            return fencer_run(daemon->fencer, action->id, action->target.hypervisor, &config->fence,
                              &config->hypervisors[i].fence);
    return -ENOENT;
}

void external_fence(struct daemon *daemon, const struct action *action)
{
    int r = fence(daemon, action);

    if (r < 0)
        local_answer(daemon, action->id, r, strerror(-r));
}

static int format_host(struct daemon *daemon, const char *name, char **ret)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(daemon->coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(daemon->coordinator, i);

        if (strcmp(status.name, name) == 0)
            return json_format_host(&status, coordinator_pool(daemon->coordinator), ret);
    }
    return -ENOENT;
}

/* Hooks for what befell a host, or what runs twice: they are told the host, or the notice itself. */
static int tell_of_host(struct daemon *daemon, const struct notice *notice, const char *event)
{
    const struct hook_variable variables[] = {
        {"EVENT", event},
        {"HYPERVISOR", notice->machine.hypervisor},
        {"MACHINE", notice->machine_name},
        {NULL, NULL},
    };
    const struct config_hooks *config = &daemon->config->hooks;
    _cleanup_(freep) char *json = NULL;
    int r = notice->kind == NOTICE_BOTH_RUN ? json_format_notice(notice, &json)
                                            : format_host(daemon, notice->machine.hypervisor, &json);

    if (r < 0) {
        json = NULL;
        return r;
    }
    return hooks_run(daemon->hooks, RUN_BASE + ++daemon->last_run, config->directory, event, variables, json,
                     config->timeout_us);
}

void external_tell(struct daemon *daemon, const struct notice *notice)
{
    static const char *const events[NOTICE_COUNT] = {
        [NOTICE_STARTED] = "post-start",
        [NOTICE_RECOVERED] = "recovered",
        [NOTICE_EXHAUSTED] = "exhausted",
    };
    static const char *const host_events[NOTICE_COUNT] = {
        [NOTICE_HOST_LOST] = "host-lost",
        [NOTICE_FENCE_FAILED] = "fence-failed",
        [NOTICE_BOTH_RUN] = "both-run",
    };
    const char *event = events[notice->kind], *host_event = host_events[notice->kind];
    const struct recovery *recovery;
    struct log_subject subject;

    if (host_event != NULL && tell_of_host(daemon, notice, host_event) < 0)
        log_line(LOG_WARNING, "hooks for %s could not be run", host_event);
    if (event == NULL)
        return;
    recovery = coordinator_find_recovery(daemon->coordinator, notice->recovery_id);
    subject = subject_of(recovery);
    if (recovery == NULL || run(daemon, RUN_BASE + ++daemon->last_run, recovery, NULL, event) < 0)
        log_event(MESSAGE_HOOK_FAILED, &subject, "hooks for %s of recovery %s could not be run", event,
                  notice->recovery_id);
}
