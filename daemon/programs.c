/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables from notices to hooks, and the documents and variables that programs are given. Runs nothing itself. */
#include "programs.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "answers.h"
#include "base/text.h"
#include "config/fence.h"
#include "config/policy.h"
#include "coordinator/coordinator.h"
#include "hooks/fence.h"
#include "hooks/hooks.h"
#include "hooks/listing.h"
#include "hooks/process.h"
#include "hooks/spawn.h"
#include "report/json.h"
#include "report/problems.h"
#include "service/clock.h"
#include "service/log.h"
#include "settings.h"

/* Of a recovery, with the end; hook_env comes besides. */
#define VARIABLES_MAX 12

static struct log_subject subject_of(const struct recovery *recovery)
{
    if (recovery == NULL)
        return (struct log_subject){0};
    return (struct log_subject){
        .machine = recovery->failed, .machine_name = recovery->failed_name, .recovery_id = recovery->id};
}

/* The recovery that a run of hooks is for. */
static struct log_subject subject_of_run(const struct programs *programs, uint64_t number)
{
    const struct action *action = answers_find(programs->answers, number);

    return subject_of(action != NULL ? coordinator_find_recovery(programs->coordinator, action->recovery_id) : NULL);
}

static void on_line(void *context, uint64_t number, const char *event, const char *hook, const char *text)
{
    struct log_subject subject = subject_of_run(context, number);
    int priority = strcmp(event, "verify") == 0 ? LOG_DEBUG : LOG_INFO; /* it is asked again and again */

    log_about(priority, &subject, "%s hook %s: %s", event, hook, text);
}

/* A warning: the administrator who put the file there believes that it runs. */
static void on_passed_over(void *context, uint64_t number, const char *event, const char *hook, const char *why)
{
    struct log_subject subject = subject_of_run(context, number);

    log_about(LOG_WARNING, &subject, "%s hook %s: %s", event, hook, why);
}

static void give_answer(struct programs *programs, uint64_t number, int error, const char *message)
{
    answers_give(programs->answers, number, error, message);
    event_active(programs->pump, 0, 0);
}

/* The file is at fault, and not what it would have said. */
static bool cannot_be_run(int error)
{
    return error == -ENOENT || error == -EACCES || error == -EPERM || error == -ENOEXEC || error == -ENOTDIR ||
           error == -ELOOP;
}

/* "Not yet", or a veto: the recovery tells what follows of it, in the same words. */
static bool is_answer(const struct action *action, int error)
{
    if (action == NULL)
        return false;
    if (action->kind == ACTION_VERIFY)
        return error == -ECANCELED || error == -ETIMEDOUT;
    return action->kind == ACTION_HOOK && action->hook < HOOK_COUNT && error == -ECANCELED;
}

/* A check is asked for again and again; that it cannot be run is told once of each recovery. */
static bool is_told(struct programs *programs, const struct action *action)
{
    const char *whose = action->recovery_id[0] != '\0' ? action->recovery_id : action->target.uuid;

    for (size_t i = 0; i < ELEMENTS_OF(programs->unrun); i++)
        if (strcmp(programs->unrun[i], whose) == 0)
            return true;
    snprintf(programs->unrun[programs->n_unrun++ % ELEMENTS_OF(programs->unrun)], sizeof(programs->unrun[0]), "%s",
             whose);
    return false;
}

static void on_done(void *context, uint64_t run, int error, const char *hook, const char *message)
{
    struct programs *programs = context;
    struct log_subject subject = subject_of_run(programs, run);
    const struct action *action = answers_find(programs->answers, run);
    _cleanup_(freep) char *text = NULL;

    if (action != NULL && action->kind == ACTION_VERIFY && cannot_be_run(error))
        error = -ENOEXEC;
    if (error < 0) {
        if (asprintf(&text, "hook %s: %s", hook, message) < 0)
            text = NULL;
        if (is_answer(action, error) ||
            (action != NULL && action->kind == ACTION_VERIFY && error == -ENOEXEC && is_told(programs, action)))
            log_about(LOG_DEBUG, &subject, "%s: %s", hook, message);
        else
            log_event(MESSAGE_HOOK_FAILED, &subject, "%s: %s", hook, message);
    }
    give_answer(programs, run, error, text != NULL ? text : message);
}

static void on_fence_line(void *context, const char *host, const char *agent, const char *text)
{
    (void)context;
    log_line(LOG_INFO, "fence agent %s for %s: %s", agent, host, text);
}

static void on_fence_report(void *context, const char *host, const struct fence_report *report)
{
    struct programs *programs = context;

    if (!report->has_succeeded && report->call == FENCE_CALL_OFF)
        log_line(LOG_WARNING, "fence agent %s of level %u has not fenced %s: %s", report->agent, report->level, host,
                 report->answer);
    else if (!report->has_succeeded && report->call == FENCE_CALL_ON)
        log_line(LOG_WARNING,
                 "fence agent %s could not switch %s on again: it stays off until an operator switches it on: %s",
                 report->agent, host, report->answer);
    coordinator_handle_fence_report(programs->coordinator, host, report, clock_now());
    event_active(programs->pump, 0, 0);
}

static void on_fence_done(void *context, uint64_t run, int error, const char *message)
{
    give_answer(context, run, error, message);
}

static const struct hooks_callbacks callbacks = {.line = on_line, .passed_over = on_passed_over, .done = on_done};
static const struct fencer_callbacks fencer_callbacks = {
    .line = on_fence_line, .report = on_fence_report, .done = on_fence_done};

static void check_program(const struct config *config, const char *key, const char *path, const char *consequence,
                          struct diags *diags)
{
    char message[PROCESS_MESSAGE_SIZE];
    const char *why = NULL;
    int r = listing_check_program(path, &why);

    if (r == 0)
        r = spawn_check(path, message);
    else
        snprintf(message, sizeof(message), "is not run: %s", why);
    if (r < 0)
        diags_add(diags, DIAG_WARNING, config->file, 0, 0, "%s: %s %s; %s", key, path, message, consequence);
}

/* The events that notices are for hooks, of a recovery, of a host or of machines that run twice, and of a problem. */
static const char *const recovery_events[NOTICE_COUNT] = {
    [NOTICE_STARTED] = "post-start",
    [NOTICE_RECOVERED] = "recovered",
    [NOTICE_EXHAUSTED] = "exhausted",
};
static const char *const host_events[NOTICE_COUNT] = {
    [NOTICE_HOST_LOST] = "host-lost",
    [NOTICE_FENCE_FAILED] = "fence-failed",
    [NOTICE_BOTH_RUN] = "both-run",
};
static const char *const problem_events[NOTICE_COUNT] = {
    [NOTICE_PROBLEM_BEGUN] = "problem-begun",
    [NOTICE_PROBLEM_ENDED] = "problem-ended",
};

/* All that a directory may be named after; NULL: none has this index. */
static const char *event_at(size_t i)
{
    if (i < HOOK_COUNT)
        return hook_name((enum hook)i);
    i -= HOOK_COUNT;
    if (i == NOTICE_COUNT)
        return PROGRAMS_TEST_EVENT;
    return recovery_events[i] != NULL ? recovery_events[i]
           : host_events[i] != NULL   ? host_events[i]
                                      : problem_events[i];
}

static bool may_veto(const char *event)
{
    for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
        if (strcmp(hook_name(hook), event) == 0)
            return true;
    return false;
}

/* "pre-start, …". True: `name` is one of them. */
static bool list_events(const char *name, char *ret_list, size_t size)
{
    bool is_one = false;
    size_t length = 0;

    for (size_t i = 0; i <= HOOK_COUNT + NOTICE_COUNT; i++) {
        if (event_at(i) == NULL)
            continue;
        is_one |= strcmp(event_at(i), name) == 0;
        length += (size_t)snprintf(ret_list + length, size - length, "%s%s", length > 0 ? ", " : "", event_at(i));
    }
    return is_one;
}

/* What follows where a hook of this event, which is meant to be one, cannot be run. */
static const char *consequence_of(const char *event, bool is_meant)
{
    if (!is_meant || !may_veto(event))
        return "it is passed over (understudy-hooks(7))";
    if (strcmp(event, hook_name(HOOK_PRE_START)) == 0)
        return "since it may be a veto, NOTHING is started until it can be run or is taken away (understudy-hooks(7))";
    return "since it may be a veto, no such order is carried out until it can be run or is taken away "
           "(understudy-hooks(7))";
}

/* Its names, each to be looked at; what keeps all of them from being run is a finding. event: NULL: of none. */
static void list_hooks(const struct config *config, const char *directory, const char *event, struct listing *ret,
                       struct diags *diags)
{
    const char *why = NULL;
    int r = listing_check_directory(directory, &why);

    if (r == 0)
        r = listing_read(directory, ret);
    if (r < 0 && r != -ENOENT)
        diags_add(diags, DIAG_WARNING, config->file, 0, 0, "hooks.directory: none of the programs of %s is run: %s%s%s",
                  directory, why != NULL ? why : strerrordesc_np(-r), event != NULL ? "; " : "",
                  event != NULL ? consequence_of(event, true) : "");
}

static void check_event(const struct config *config, const char *directory, const char *event, struct diags *diags)
{
    _cleanup_(listing_done) struct listing listing = {0};

    list_hooks(config, directory, event, &listing, diags);
    for (size_t i = 0; i < listing.count; i++) {
        _cleanup_(freep) char *path = text_print("%s/%s", directory, listing.names[i]);

        if (path == NULL)
            diags->incomplete = true;
        else
            check_program(config, "hooks.directory", path, consequence_of(event, listing_is_meant(path)), diags);
    }
}

static void check_hooks(const struct config *config, struct diags *diags)
{
    _cleanup_(listing_done) struct listing listing = {0};

    list_hooks(config, config->hooks.directory, NULL, &listing, diags);
    for (size_t i = 0; i < listing.count; i++) {
        _cleanup_(freep) char *path = text_print("%s/%s", config->hooks.directory, listing.names[i]);
        char events[256];
        bool is_event = list_events(listing.names[i], events, sizeof(events));
        struct stat file;

        if (path == NULL)
            diags->incomplete = true;
        else if (stat(path, &file) < 0 || !S_ISDIR(file.st_mode))
            diags_add(
                diags, DIAG_WARNING, config->file, 0, 0,
                "hooks.directory: %s is not run: a hook belongs in the directory of an event (%s)%s", path, events,
                listing_is_stray_program(path) ? "; until it is moved, or is not executable, nothing is started" : "");
        else if (!is_event)
            diags_add(diags, DIAG_WARNING, config->file, 0, 0,
                      "hooks.directory: %s is not run: no event has this name; the events are %s", path, events);
        else
            check_event(config, path, listing.names[i], diags);
    }
}

/* Those that an entry of services gives, or has run. */
static void check_commands_of_services(const struct config *config, struct diags *diags)
{
    for (size_t i = 0; i < config->n_services; i++) {
        struct policy_sources sources = policy_sources_of_entry(config, i);
        struct config applied = policy_apply(config, &sources);
        char key[64];

        snprintf(key, sizeof(key), "services[%zu].verify.command", i);
        if (applied.recovery.verify.level == VERIFY_COMMAND &&
            (config->recovery.verify.level != VERIFY_COMMAND ||
             applied.recovery.verify.command != config->recovery.verify.command))
            check_program(config, key, applied.recovery.verify.command,
                          "no replacement for its services can be verified", diags);
    }
}

void programs_check(const struct config *config, struct diags *diags)
{
    if (config->recovery.verify.level == VERIFY_COMMAND)
        check_program(config, "recovery.verify.command", config->recovery.verify.command,
                      "no replacement can be verified", diags);
    check_commands_of_services(config, diags);
    for (size_t i = 0; i < fence_agent_count(&config->fence); i++)
        check_program(config, config->fence.n_agents > 0 ? "fence.agents" : "fence.command",
                      fence_agent_at(&config->fence, i).command, "no lost host can be fenced by it", diags);
    check_hooks(config, diags);
}

int programs_open(struct programs *programs, struct event_base *base)
{
    int r = hooks_new(base, &callbacks, programs, &programs->hooks);

    return r < 0 ? r : fencer_new(base, &fencer_callbacks, programs, &programs->fencer);
}

size_t programs_count(const struct programs *programs)
{
    return hooks_count(programs->hooks) + fencer_count(programs->fencer);
}

void programs_close(struct programs *programs)
{
    fencer_free(programs->fencer);
    hooks_free(programs->hooks);
    programs->fencer = NULL;
    programs->hooks = NULL;
}

/* The configuration as it holds for the service of the recovery. */
static struct config config_of(const struct programs *programs, const struct recovery *recovery)
{
    const struct config *config = programs->settings->config;
    struct policy_sources sources = policy_find_sources(config, recovery->service.hypervisor, recovery->service_name);

    return policy_apply(config, &sources);
}

/* The environment that tells a hook of the recovery. The array, which is the caller's, ends with a NULL name. NULL: no memory. */
static struct hook_variable *make_variables(const struct recovery *recovery, const char *event, const char *text,
                                            const struct config_options *own)
{
    struct hook_variable *variables = calloc(VARIABLES_MAX + own->count, sizeof(*variables));
    size_t n = 0;

    if (variables == NULL)
        return NULL;
    for (size_t i = 0; i < own->count; i++)
        variables[n++] = (struct hook_variable){own->items[i].name, own->items[i].value, true};

    variables[n++] = (struct hook_variable){"EVENT", event, false};
    if (text != NULL)
        variables[n++] = (struct hook_variable){"TEXT", text, false};
    variables[n++] = (struct hook_variable){"RECOVERY", recovery->id, false};
    variables[n++] = (struct hook_variable){"SERVICE", recovery->service_name, false};
    variables[n++] = (struct hook_variable){"FAILED", recovery->failed_name, false};
    variables[n++] = (struct hook_variable){"FAILED_UUID", recovery->failed.uuid, false};
    variables[n++] = (struct hook_variable){"HYPERVISOR", recovery->failed.hypervisor, false};
    variables[n++] = (struct hook_variable){"CAUSE", failure_cause_name(recovery->cause), false};
    if (recovery->replacement_name != NULL) {
        variables[n++] = (struct hook_variable){"REPLACEMENT", recovery->replacement_name, false};
        variables[n++] = (struct hook_variable){"REPLACEMENT_UUID", recovery->replacement.uuid, false};
        variables[n++] = (struct hook_variable){"REPLACEMENT_HYPERVISOR", recovery->replacement.hypervisor, false};
    }
    return variables;
}

static int run_hooks(struct programs *programs, uint64_t number, const struct config_hooks *config, const char *event,
                     const struct hook_variable *variables, const char *json)
{
    _cleanup_(freep) char *directory = text_print("%s/%s", config->directory, event);

    if (directory == NULL)
        return -ENOMEM;
    return hooks_run(programs->hooks, number, directory, may_veto(event) ? config->directory : NULL, event, variables,
                     json, config->timeout_us);
}

/*
 * The hooks of the event; with `verifies`, the command that verifies. text: what has happened; NULL: nothing yet. Negative
 * errno: no answer will come.
 */
static int run(struct programs *programs, uint64_t number, const struct recovery *recovery, const char *event,
               const char *text, bool verifies)
{
    const struct config config = config_of(programs, recovery);
    _cleanup_(freep) struct hook_variable *variables = make_variables(recovery, event, text, &config.policy.hook_env);
    _cleanup_(freep) char *json = NULL;
    int r = variables != NULL ? json_format_recovery(recovery, clock_now(), &json) : -ENOMEM;

    if (r < 0) {
        json = NULL;
        return r;
    }
    if (verifies)
        return hooks_run_program(programs->hooks, number, config.recovery.verify.command, event, variables, json,
                                 config.hooks.timeout_us);
    return run_hooks(programs, number, &config.hooks, event, variables, json);
}

/* A standby that is made warm has no recovery: the command is told of the machine alone. */
static int verify_warm(struct programs *programs, const struct action *action)
{
    const struct pool *pool = coordinator_pool(programs->coordinator);
    const struct machine *machine = pool_find(pool, action->target.hypervisor, action->target.uuid);
    _cleanup_(freep) char *json = NULL;
    int r = machine != NULL ? json_format_machine(pool, NULL, coordinator_features(programs->coordinator), machine,
                                                  clock_now(), &json)
                            : -ENOENT;

    if (r < 0) {
        json = NULL;
        return r;
    }
    const struct hook_variable variables[] = {
        {"EVENT", "verify", false},
        {"REPLACEMENT", machine->name, false},
        {"REPLACEMENT_UUID", action->target.uuid, false},
        {"REPLACEMENT_HYPERVISOR", machine->hypervisor, false},
        {"WARMING", "1", false},
        {NULL, NULL, false},
    };
    return hooks_run_program(programs->hooks, action->id, programs->settings->config->recovery.verify.command, "verify",
                             variables, json, programs->settings->config->hooks.timeout_us);
}

int programs_run(struct programs *programs, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(programs->coordinator, action->recovery_id);

    if (strncmp(action->recovery_id, WARM_ID_PREFIX, strlen(WARM_ID_PREFIX)) == 0)
        return verify_warm(programs, action);
    if (recovery == NULL)
        return -ENOENT;
    if (action->kind == ACTION_VERIFY)
        return run(programs, action->id, recovery, "verify", NULL, true);
    return run(programs, action->id, recovery, hook_name(action->hook), NULL, false);
}

static const struct config_hypervisor *find_hypervisor(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, name) == 0)
            return &config->hypervisors[i];
    return NULL;
}

int programs_fence(struct programs *programs, const struct action *action)
{
    const struct config *config = programs->settings->config;
    const struct config_hypervisor *host = find_hypervisor(config, action->target.hypervisor);

    if (host == NULL || fence_agent_count(&config->fence) == 0)
        return -ENOENT;
    return action->kind == ACTION_FENCE ? fencer_run(programs->fencer, action->id, host, &config->fence)
                                        : programs_test_fencing(programs, action, NULL);
}

int programs_test_fencing(struct programs *programs, const struct action *action, const char *agent)
{
    const struct config *config = programs->settings->config;
    const struct config_hypervisor *host = find_hypervisor(config, action->target.hypervisor);

    return host != NULL ? fencer_test(programs->fencer, action->id, host, &config->fence, agent) : -ENOENT;
}

static int format_host(struct programs *programs, const char *name, char **ret)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(programs->coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(programs->coordinator, i);

        if (strcmp(status.name, name) == 0)
            return json_format_host(&status, coordinator_pool(programs->coordinator), ret);
    }
    return -ENOENT;
}

static void ignore(void *context, int error, const char *message)
{
    (void)context;
    (void)error;
    (void)message;
}

/*
 * The number of a run that nothing waits for; what its hooks print is told with the recovery. Without the memory to
 * note that, their lines are told without it. None of them can veto anything.
 */
static uint64_t new_run(struct programs *programs, const char *recovery_id)
{
    struct action action = {.id = answers_new_number(programs->answers), .kind = ACTION_HOOK, .hook = HOOK_COUNT};

    snprintf(action.recovery_id, sizeof(action.recovery_id), "%s", recovery_id);
    (void)!answers_expect(programs->answers, &action, ignore, NULL);
    return action.id;
}

static int tell_of_recovery(struct programs *programs, const struct recovery *recovery, const char *event,
                            const char *text)
{
    uint64_t number = new_run(programs, recovery->id);
    int r = run(programs, number, recovery, event, text, false);

    if (r < 0)
        answers_forget(programs->answers, number);
    return r;
}

/* Hooks for what is of no recovery. */
static int tell(struct programs *programs, const char *event, const struct hook_variable *variables, const char *json)
{
    uint64_t number = new_run(programs, "");
    int r = run_hooks(programs, number, &programs->settings->config->hooks, event, variables, json);

    if (r < 0)
        answers_forget(programs->answers, number);
    return r;
}

/* Hooks for a host, or for machines that run twice: they are told the host, or the notice itself. */
static int tell_of_host(struct programs *programs, const struct notice *notice, const char *event)
{
    const struct hook_variable variables[] = {
        {"EVENT", event, false},
        {"HYPERVISOR", notice->machine.hypervisor, false},
        {"MACHINE", notice->machine_name, false},
        {"TEXT", notice->text, false},
        {NULL, NULL, false},
    };
    _cleanup_(freep) char *json = NULL;
    int r = notice->kind == NOTICE_BOTH_RUN ? json_format_notice(notice, &json)
                                            : format_host(programs, notice->machine.hypervisor, &json);

    if (r < 0) {
        json = NULL;
        return r;
    }
    return tell(programs, event, variables, json);
}

static int tell_of_problem(struct programs *programs, const struct notice *notice, const struct problem *problem)
{
    char severity[16];
    const struct hook_variable variables[] = {
        {"EVENT", problem_events[notice->kind], false},
        {"PROBLEM", problem_kind_name(problem->kind), false},
        {"SUBJECT", problem->subject, false},
        {"SEVERITY", severity, false},
        {"TEXT", notice->text, false},
        {NULL, NULL, false},
    };
    _cleanup_(freep) char *json = NULL;
    int r = json_format_problem(problem, &json);

    if (r < 0) {
        json = NULL;
        return r;
    }
    snprintf(severity, sizeof(severity), "%u", problem_severity(problem->kind));
    return tell(programs, problem_events[notice->kind], variables, json);
}

void programs_tell_problem(struct programs *programs, const struct notice *notice, const struct problem *problem)
{
    if (tell_of_problem(programs, notice, problem) < 0)
        log_line(LOG_WARNING, "the hooks for %s of %s could not be run: out of memory or processes",
                 problem_events[notice->kind], problem_kind_name(problem->kind));
}

void programs_tell(struct programs *programs, const struct notice *notice)
{
    const char *event = recovery_events[notice->kind], *host_event = host_events[notice->kind];
    const struct recovery *recovery;
    struct log_subject subject;

    if (host_event != NULL && tell_of_host(programs, notice, host_event) < 0)
        log_line(LOG_WARNING, "the hooks for %s of %s could not be run: out of memory or processes", host_event,
                 notice->machine.hypervisor);
    if (event == NULL)
        return;
    recovery = coordinator_find_recovery(programs->coordinator, notice->recovery_id);
    subject = subject_of(recovery);
    if (recovery == NULL || tell_of_recovery(programs, recovery, event, notice->text) < 0)
        log_event(MESSAGE_HOOK_FAILED, &subject,
                  "the hooks for %s of recovery %s could not be run: out of memory or processes", event,
                  notice->recovery_id);
}
