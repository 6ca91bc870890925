/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns actions into jobs, and jobs into answers. The calls that block are made in inventory and actions; queues and
 * deadlines are in worker and connection.
 */
#include "hypervisor/hypervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(obj) ((obj)->lost = true)
#include <uthash.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "detect/failure.h"
#include "hypervisor/actions.h"
#include "hypervisor/agent.h"
#include "hypervisor/capacity.h"
#include "hypervisor/connection.h"
#include "hypervisor/drafter.h"
#include "hypervisor/endings.h"
#include "hypervisor/eventloop.h"
#include "hypervisor/inventory.h"
#include "hypervisor/kinds.h"
#include "hypervisor/maker.h"
#include "hypervisor/outlook.h"
#include "hypervisor/refusal.h"
#include "hypervisor/slots.h"
#include "hypervisor/worker.h"
#include "model/domain_xml.h"
#include "model/uri.h"
#include "service/clock.h"

/* Where the libvirtd of the system keeps the PID files of its QEMUs. */
#define PID_FILES "/run/libvirt/qemu"

/* libvirt notices the end of a QEMU within 0.2 s, and on a busy host later. */
#define WORD_WAIT_US (5 * USEC_PER_SEC)

/* A listing reads so many definitions at once, where there are places: tests/bench/README.md says what that brings. */
#define LISTING_CALLS 2

/* From so many domains on, a listing that may be brief is: less are read in 0.1 s. */
#define BRIEF_FROM 1000

/* A fault that was reported: every listing finds it again. */
struct reported_fault {
    char *key; /* UUID and text */
    bool lost; /* uthash had no memory to add it */
    UT_hash_handle hh;
};

struct hypervisor {
    char *name;
    char *uri;
    int64_t call_timeout_us;
    struct hypervisor_callbacks callbacks;
    void *context;
    struct workers *workers;
    struct connection *connection;
    struct capacity *capacity;
    struct reported_fault *reported;
    struct catalog *catalog;
    enum software_mode software;
    struct slots slots;
    struct outlook *outlook; /* what stands in the way of slots */
    struct endings *endings; /* NULL: its machines are not those of the libvirtd of this host */
};

/* One action on its way: the question, and what the thread found. */
struct request {
    struct job job;
    struct hypervisor *hypervisor;
    unsigned long link;
    struct action action;
    kind_call crash; /* how a drill ends the machine; NULL: it is no drill */
    bool is_tagging;
    struct metadata_tags tags;
    struct action_result result;
    struct inventory *inventory;
    struct domain_report report;
    struct faults faults;
    struct catalog *catalog; /* of DISCOVER */
    enum software_mode software;
    struct template *template;      /* of START: made from it where there is no such domain yet; NULL */
    struct making making;           /* with a template */
    struct template_set *templates; /* of UNMAKE: those of the hypervisor; NULL: none */
    size_t brief_from;              /* of LIST */
    struct template *trial;         /* from which it is asked whether a machine could be made; NULL */
    struct template_draft *draft;   /* that is to be written; NULL */
    struct string_list environment;
};

static bool is_inspection(enum action_kind kind)
{
    return kind == ACTION_DESCRIBE || kind == ACTION_READ || kind == ACTION_DISCOVER;
}

/* What is asked for beside the actions of the coordinator: its name; NULL: it is an action. */
static const char *name_errand(const struct request *request)
{
    if (request->crash != NULL)
        return "crash";
    if (request->is_tagging)
        return "set metadata";
    if (request->trial != NULL)
        return "check a template";
    return request->draft != NULL ? "write a template" : NULL;
}

static void inspect(virConnectPtr connection, struct request *request)
{
    const struct action *action = &request->action;
    struct action_result *result = &request->result;
    const struct learn_options options = {
        .catalog = request->catalog,
        .tries_ports = action->tries_ports,
        .software = request->software,
        .timeout_us = action->timeout_us,
    };

    result->error =
        inventory_inspect(connection, action->target.uuid, action->kind == ACTION_DISCOVER ? &options : NULL,
                          &request->faults, &request->report, result->message, sizeof(result->message));
}

/* The deadline of the job, which counts from its submission (mono_us). */
static int64_t end_us(const struct request *request)
{
    return request->job.submitted_us + request->action.timeout_us;
}

/* What libvirt does not know yet is made first. */
static void start(virConnectPtr connection, struct request *request)
{
    const struct action *action = &request->action;
    struct action_result *result = &request->result;
    action_start(connection, action, result);
    if (request->template == NULL || result->error != -ENOENT)
        return;
    *result = (struct action_result){.id = action->id};
    maker_make(connection, request->template, &request->making, &request->environment, end_us(request), result);
    if (result->error == 0 && clock_now().mono_us >= end_us(request))
        refusal_say(result, -ETIMEDOUT, "it took too long to make it, and it is not started");
    else if (result->error == 0)
        action_start(connection, action, result);
}

static void perform(virConnectPtr connection, struct request *request)
{
    const struct action *action = &request->action;
    struct action_result *result = &request->result;
    kind_call call = kind_function(action->kind);

    if (request->crash != NULL)
        request->crash(connection, action, result);
    else if (request->is_tagging)
        action_tag(connection, action, &request->tags, result);
    else if (request->trial != NULL)
        drafter_try(connection, request->trial, result);
    else if (request->draft != NULL)
        drafter_write(connection, action->target.uuid, request->draft, result);
    else if (action->kind == ACTION_LIST)
        result->error = inventory_list(connection, request->job.n_calls, request->brief_from, &request->faults,
                                       &request->inventory, result->message, sizeof(result->message));
    else if (is_inspection(action->kind))
        inspect(connection, request);
    else if (action->kind == ACTION_START)
        start(connection, request);
    else if (action->kind == ACTION_UNMAKE)
        maker_unmake(connection, action->target.uuid, action->removes_data, request->templates, end_us(request),
                     result);
    else if (call != NULL)
        call(connection, action, result);
    else
        result->error = -EINVAL;
}

static void run_request(struct job *job)
{
    struct request *request = (struct request *)job;
    bool is_talk = name_errand(request) == NULL && kind_asks_agent(request->action.kind);
    virConnectPtr connection = is_talk ? connection_acquire_talk(request->link) : connection_acquire(request->link);

    if (connection == NULL) {
        request->result.error = -ENOTCONN;
        snprintf(request->result.message, sizeof(request->result.message), "not connected");
        return;
    }
    perform(connection, request);
    virConnectClose(connection);
}

static void free_request(struct job *job)
{
    struct request *request = (struct request *)job;

    inventory_free(request->inventory);
    domain_description_free(request->report.description);
    faults_done(&request->faults);
    catalog_free(request->catalog);
    template_free(request->template);
    template_free(request->trial);
    template_set_free(request->templates);
    template_draft_free(request->draft);
    string_list_done(&request->environment);
    metadata_tags_done(&request->tags);
    free(request);
}

/* True once for each fault; again where there is no memory to remember it. */
static bool is_new(struct hypervisor *hypervisor, const struct fault *fault)
{
    struct reported_fault *reported = NULL;
    _cleanup_(freep) char *key = NULL;

    if (asprintf(&key, "%s %s", fault->uuid, fault->text) < 0) {
        key = NULL;
        return true;
    }
    HASH_FIND_STR(hypervisor->reported, key, reported);
    if (reported != NULL)
        return false;
    reported = calloc(1, sizeof(*reported));
    if (reported == NULL)
        return true;
    reported->key = steal_pointer(&key);
    HASH_ADD_KEYPTR(hh, hypervisor->reported, reported->key, strlen(reported->key), reported);
    if (reported->lost) {
        free(reported->key);
        free(reported);
    }
    return true;
}

static void report_faults(struct hypervisor *hypervisor, const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct machine_ref machine = {0};

        if (!is_new(hypervisor, &faults->items[i]))
            continue;
        snprintf(machine.hypervisor, sizeof(machine.hypervisor), "%s", hypervisor->name);
        snprintf(machine.uuid, sizeof(machine.uuid), "%s", faults->items[i].uuid);
        hypervisor->callbacks.fault(hypervisor->context, &machine, faults->items[i].text);
    }
}

static void answer_inventory(struct hypervisor *hypervisor, struct request *request)
{
    int r = slots_list(&hypervisor->slots, request->inventory);

    if (request->link == connection_link(hypervisor->connection))
        endings_see_inventory(hypervisor->endings, request->inventory);
    if (r < 0) {
        request->result.error = r;
        snprintf(request->result.message, sizeof(request->result.message), "no memory to list what could be made");
        hypervisor->callbacks.result(hypervisor->context, &request->action, &request->result);
        return;
    }
    for (size_t i = 0; i < request->inventory->n_reports; i++)
        if (request->inventory->reports[i].description != NULL)
            capacity_fill(hypervisor->capacity, hypervisor->name, request->inventory->reports[i].description);
    hypervisor->callbacks.inventory(hypervisor->context, &request->action, steal_pointer(&request->inventory));
    outlook_look(hypervisor->outlook, hypervisor->slots.templates, request->link, hypervisor->call_timeout_us);
    capacity_ask(hypervisor->capacity, request->link, hypervisor->call_timeout_us);
}

static void answer_inspection(struct hypervisor *hypervisor, struct request *request)
{
    struct domain_report report = request->report;

    request->report.description = NULL;
    capacity_fill(hypervisor->capacity, hypervisor->name, report.description);
    hypervisor->callbacks.inspection(hypervisor->context, &request->action, &report);
    capacity_ask(hypervisor->capacity, request->link, hypervisor->call_timeout_us);
}

/* A slot is described by its template. */
static bool answer_slot(struct hypervisor *hypervisor, const struct request *request)
{
    const struct slot *slot = slots_find(&hypervisor->slots, request->action.target.uuid);
    struct domain_report report;

    if (slot == NULL || slot_report(slot, &report) < 0)
        return false;
    capacity_fill(hypervisor->capacity, hypervisor->name, report.description);
    hypervisor->callbacks.inspection(hypervisor->context, &request->action, &report);
    return true;
}

/* A machine was made from a slot, or what was made of it was removed, or neither worked: other slots may be free now. */
static void update_slots(struct hypervisor *hypervisor, const struct request *request)
{
    struct slot *slot = slots_find(&hypervisor->slots, request->action.target.uuid);
    int error = request->result.error;

    if (request->template == NULL && request->action.kind != ACTION_UNMAKE)
        return;
    if (slot != NULL && request->template != NULL) {
        slot->is_being_made = false;
        slot->has_failed = error < 0;
    } else if (slot != NULL && (error == 0 || error == -EBUSY)) {
        slot->has_failed = false;
    }
    hypervisor->callbacks.recognised(hypervisor->context, hypervisor->name);
}

static void answer(struct hypervisor *hypervisor, struct request *request)
{
    const struct action *action = &request->action;

    report_faults(hypervisor, &request->faults);
    if (request->inventory != NULL)
        answer_inventory(hypervisor, request);
    else if (request->report.description != NULL)
        answer_inspection(hypervisor, request);
    else if (!is_inspection(action->kind) || name_errand(request) != NULL || request->result.error != -ENOENT)
        hypervisor->callbacks.result(hypervisor->context, action, &request->result);
    else if (!answer_slot(hypervisor, request))
        hypervisor->callbacks.inspection(hypervisor->context, action, NULL);
}

/* A question to a guest agent may take what libvirt needs beside it. */
static int64_t deadline_of(const struct action *action)
{
    return kind_asks_agent(action->kind) ? action->timeout_us + AGENT_EXTRA_US : action->timeout_us;
}

static void answer_overdue(struct hypervisor *hypervisor, const struct request *request)
{
    struct action_result result = {.id = request->action.id, .error = -ETIMEDOUT};
    const char *errand = name_errand(request);
    const char *call = errand != NULL ? errand : action_kind_name(request->action.kind);

    snprintf(result.message, sizeof(result.message), "no answer from libvirt within %.1f s",
             (double)deadline_of(&request->action) / (double)USEC_PER_SEC);
    hypervisor->callbacks.overdue(hypervisor->context, hypervisor->name, call, job_age_us(&request->job));
    hypervisor->callbacks.result(hypervisor->context, &request->action, &result);
    connection_check(hypervisor->connection);
}

/* An action that was never sent had no effect; -ETIMEDOUT would say that it is still under way. */
static void answer_never_ran(struct hypervisor *hypervisor, struct request *request)
{
    struct action_result *result = &request->result;

    result->error = request->job.error == -ENOTCONN ? -ENOTCONN : -EIO;
    snprintf(result->message, sizeof(result->message), "never sent: %s",
             request->job.error == -ENOTCONN    ? "not connected"
             : request->job.error == -ETIMEDOUT ? "other calls hang"
                                                : strerror(-request->job.error));
    hypervisor->callbacks.result(hypervisor->context, &request->action, result);
}

static void report_request(struct job *job, enum job_report report)
{
    struct request *request = (struct request *)job;
    struct hypervisor *hypervisor = request->hypervisor;

    switch (report) {
    case JOB_DONE:
        answer(hypervisor, request);
        update_slots(hypervisor, request);
        if (request->result.error == -ENOTCONN)
            connection_is_broken(hypervisor->connection, request->link, request->result.message);
        return;
    case JOB_OVERDUE:
        answer_overdue(hypervisor, request);
        return;
    case JOB_CAME_BACK:
        /* It may still be carried out: it counts as one that never came back. */
        if (request->result.error != -ENOTCONN || !connection_has_cut(hypervisor->connection, request->link))
            hypervisor->callbacks.came_back(hypervisor->context, &request->action, &request->result);
        update_slots(hypervisor, request);
        return;
    case JOB_NEVER_RAN:
        answer_never_ran(hypervisor, request);
        update_slots(hypervisor, request);
        return;
    case JOB_REPORT_COUNT:
        return;
    }
}

#define REQUEST_TYPE(of_class)                                                                                         \
    [of_class] = {.class = (of_class), .run = run_request, .report = report_request, .free = free_request}

static const struct job_type request_types[JOB_CLASS_COUNT] = {
    REQUEST_TYPE(JOB_PROBE),
    REQUEST_TYPE(JOB_NORMAL),
    REQUEST_TYPE(JOB_URGENT),
};

/* From which templates, and how often, is read in definitions. */
static bool makes_machines(const struct hypervisor *hypervisor)
{
    const struct slots *slots = &hypervisor->slots;

    return slots->count > 0 || (slots->templates != NULL && slots->templates->count > 0);
}

static struct request *new_request(struct hypervisor *hypervisor, const struct action *action)
{
    struct request *request = calloc(1, sizeof(*request));

    if (request == NULL)
        return NULL;
    request->job.type = &request_types[kind_job_class(action->kind)];
    request->job.most_calls = action->kind == ACTION_LIST ? LISTING_CALLS : 1;
    request->brief_from = action->may_be_brief && !makes_machines(hypervisor) ? BRIEF_FROM : SIZE_MAX;
    request->hypervisor = hypervisor;
    request->action = *action;
    request->result.id = action->id;
    if (action->kind == ACTION_UNMAKE)
        request->templates = template_set_ref(hypervisor->slots.templates);
    if (action->kind == ACTION_DISCOVER) {
        request->catalog = catalog_ref(hypervisor->catalog);
        request->software = hypervisor->software;
    }
    request->link = connection_link(hypervisor->connection);
    return request;
}

/* Takes the request. */
static int submit(struct hypervisor *hypervisor, struct request *request)
{
    int r;

    if (request == NULL)
        return -ENOMEM;
    if (request->link == 0) {
        workers_refuse(hypervisor->workers, &request->job, -ENOTCONN);
        return 0;
    }
    r = workers_submit(hypervisor->workers, &request->job, deadline_of(&request->action));
    if (r < 0)
        free_request(&request->job);
    return r;
}

int hypervisor_submit(struct hypervisor *hypervisor, const struct action *action)
{
    return submit(hypervisor, new_request(hypervisor, action));
}

int hypervisor_start_for(struct hypervisor *hypervisor, const struct action *action,
                         const struct config_options *environment)
{
    struct slot *slot = slots_find(&hypervisor->slots, action->target.uuid);
    struct request *request = new_request(hypervisor, action);
    int r = 0;

    if (request == NULL || slot == NULL)
        return submit(hypervisor, request);
    request->template = template_ref(slot->template);
    memcpy(request->making.uuid, slot->uuid, sizeof(request->making.uuid));
    memcpy(request->making.service, action->metadata.service, sizeof(request->making.service));
    request->making.is_standby = (action->metadata.roles & ROLE_STANDBY) != 0;
    for (size_t i = 0; r == 0 && i < environment->count; i++) {
        _cleanup_(freep) char *text = text_print("%s=%s", environment->items[i].name, environment->items[i].value);

        r = text != NULL ? string_list_add(&request->environment, text) : -ENOMEM;
    }
    if (r < 0) {
        free_request(&request->job);
        return r;
    }
    slot->is_being_made = true;
    r = submit(hypervisor, request);
    if (r < 0)
        slot->is_being_made = false;
    return r;
}

int hypervisor_crash(struct hypervisor *hypervisor, const struct action *action)
{
    struct request *request = new_request(hypervisor, action);

    if (request != NULL)
        request->crash = uri_is_local(hypervisor->uri) ? action_crash : action_break_off;
    return submit(hypervisor, request);
}

int hypervisor_tag(struct hypervisor *hypervisor, const struct action *action, const struct metadata_tags *tags)
{
    struct request *request = new_request(hypervisor, action);

    if (request != NULL && metadata_tags_copy(tags, &request->tags) < 0) {
        free_request(&request->job);
        return -ENOMEM;
    }
    if (request != NULL)
        request->is_tagging = true;
    return submit(hypervisor, request);
}

int hypervisor_draft(struct hypervisor *hypervisor, const struct action *action, struct template_draft *draft)
{
    struct request *request = new_request(hypervisor, action);

    if (request != NULL)
        request->draft = template_draft_ref(draft);
    return submit(hypervisor, request);
}

int hypervisor_try(struct hypervisor *hypervisor, const struct action *action, struct template *template)
{
    struct request *request = new_request(hypervisor, action);

    if (request != NULL)
        request->trial = template_ref(template);
    return submit(hypervisor, request);
}

static void on_up(void *context)
{
    struct hypervisor *hypervisor = context;

    endings_set_link(hypervisor->endings, connection_link(hypervisor->connection));
    hypervisor->callbacks.connected(hypervisor->context, hypervisor->name);
}

static void on_down(void *context, const char *why)
{
    struct hypervisor *hypervisor = context;

    capacity_drop_questions(hypervisor->capacity);
    outlook_drop(hypervisor->outlook);
    endings_set_link(hypervisor->endings, 0);
    hypervisor->callbacks.disconnected(hypervisor->context, hypervisor->name, why);
}

static void on_refused(void *context)
{
    struct hypervisor *hypervisor = context;

    hypervisor->callbacks.refused(hypervisor->context, hypervisor->name);
}

/* When one that was made stops, another one may be made. */
static void on_event(void *context, const struct domain_event *event)
{
    struct hypervisor *hypervisor = context;
    enum machine_state state = MACHINE_UNKNOWN;
    enum machine_reason reason;

    endings_see_event(hypervisor->endings, event);
    hypervisor->callbacks.event(hypervisor->context, hypervisor->name, event);
    if ((event->kind == EVENT_UNDEFINED ||
         (domain_event_state(event->kind, &state, &reason) && !machine_state_is_active(state))) &&
        slots_have_made(&hypervisor->slots, event->uuid))
        hypervisor->callbacks.recognised(hypervisor->context, hypervisor->name);
}

/* What could not be made may be makeable now, or the other way round: it is looked at after a listing. */
static void on_storage(void *context)
{
    struct hypervisor *hypervisor = context;

    if (hypervisor->slots.count > 0)
        hypervisor->callbacks.recognised(hypervisor->context, hypervisor->name);
}

static void on_overdue(void *context, const char *call, int64_t for_us)
{
    struct hypervisor *hypervisor = context;

    hypervisor->callbacks.overdue(hypervisor->context, hypervisor->name, call, for_us);
    connection_check(hypervisor->connection);
}

static void on_capacity(void *context, const struct machine_ref *machine, const char *source, uint64_t bytes)
{
    struct hypervisor *hypervisor = context;

    hypervisor->callbacks.capacity(hypervisor->context, machine, source, bytes);
}

static const struct connection_callbacks connection_callbacks = {
    .up = on_up,
    .down = on_down,
    .refused = on_refused,
    .event = on_event,
    .storage = on_storage,
};

static void on_recognised(void *context)
{
    struct hypervisor *hypervisor = context;

    hypervisor->callbacks.recognised(hypervisor->context, hypervisor->name);
}

static const struct capacity_callbacks capacity_callbacks = {
    .found = on_capacity,
    .recognised = on_recognised,
    .overdue = on_overdue,
};

static void on_prospects(void *context, struct prospects *prospects)
{
    struct hypervisor *hypervisor = context;

    if (slots_set_prospects(&hypervisor->slots, prospects))
        hypervisor->callbacks.recognised(hypervisor->context, hypervisor->name);
}

static void on_ended(void *context, const struct domain_event *event)
{
    struct hypervisor *hypervisor = context;

    hypervisor->callbacks.event(hypervisor->context, hypervisor->name, event);
}

static void on_ending_noted(void *context, const char *uuid, const char *text)
{
    struct hypervisor *hypervisor = context;
    struct machine_ref machine = {0};

    snprintf(machine.hypervisor, sizeof(machine.hypervisor), "%s", hypervisor->name);
    snprintf(machine.uuid, sizeof(machine.uuid), "%s", uuid);
    hypervisor->callbacks.noted(hypervisor->context, &machine, text);
}

static const struct endings_callbacks endings_callbacks = {
    .event = on_ended,
    .noted = on_ending_noted,
    .untold = on_recognised,
};

static const struct outlook_callbacks outlook_callbacks = {
    .found = on_prospects,
    .overdue = on_overdue,
};

static void ignore_error(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

int hypervisor_library_init(struct event_base *base)
{
    domain_xml_prepare();
    virSetErrorFunc(NULL, ignore_error);
    if (virInitialize() < 0)
        return -EIO;
    connection_prepare();
    return eventloop_init(base);
}

void hypervisor_library_done(void)
{
    eventloop_done();
}

int hypervisor_new(struct event_base *base, const struct hypervisor_options *options,
                   const struct hypervisor_callbacks *callbacks, void *context, struct hypervisor **ret)
{
    struct hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));
    int r = -ENOMEM;

    if (hypervisor == NULL)
        return -ENOMEM;
    hypervisor->name = strdup(options->name);
    hypervisor->uri = strdup(options->uri);
    hypervisor->call_timeout_us = options->call_timeout_us;
    hypervisor->callbacks = *callbacks;
    hypervisor->context = context;
    hypervisor_set_discovery(hypervisor, options->catalog, options->software);
    hypervisor_set_templates(hypervisor, options->templates);
    if (hypervisor->name != NULL && hypervisor->uri != NULL)
        r = workers_new(base, &hypervisor->workers);
    if (r == 0)
        r = capacity_new(hypervisor->workers, uri_is_local(hypervisor->uri), &capacity_callbacks, hypervisor,
                         &hypervisor->capacity);
    if (r == 0)
        r = outlook_new(hypervisor->workers, uri_is_local(hypervisor->uri), &outlook_callbacks, hypervisor,
                        &hypervisor->outlook);
    if (r == 0 && uri_is_system_qemu(hypervisor->uri))
        r = endings_new(base, hypervisor->workers, PID_FILES, WORD_WAIT_US, &endings_callbacks, hypervisor,
                        &hypervisor->endings);
    if (r == 0)
        r = connection_new(base, hypervisor->workers, hypervisor->uri, &connection_callbacks, hypervisor,
                           options->call_timeout_us, options->reconnect_max_us, &hypervisor->connection);
    if (r < 0) {
        hypervisor_free(hypervisor, 0);
        return r;
    }
    *ret = hypervisor;
    return 0;
}

bool hypervisor_is_test(const struct hypervisor *hypervisor)
{
    return strncmp(hypervisor->uri, "test:", strlen("test:")) == 0 ||
           strncmp(hypervisor->uri, "test+", strlen("test+")) == 0;
}

/* Calls to another host hang when that host is gone; a restart of the daemon would not mend that. */
bool hypervisor_is_stuck(const struct hypervisor *hypervisor)
{
    if (!uri_is_local(hypervisor->uri))
        return false;
    return workers_are_late(hypervisor->workers) || connection_is_exhausted(hypervisor->connection);
}

size_t hypervisor_call_count(const struct hypervisor *hypervisor)
{
    return workers_count(hypervisor->workers);
}

void hypervisor_set_discovery(struct hypervisor *hypervisor, struct catalog *catalog, enum software_mode software)
{
    catalog_free(hypervisor->catalog);
    hypervisor->catalog = catalog_ref(catalog);
    hypervisor->software = software;
}

void hypervisor_set_templates(struct hypervisor *hypervisor, struct template_set *templates)
{
    slots_set_templates(&hypervisor->slots, templates);
}

void hypervisor_prove_endings(struct hypervisor *hypervisor, bool is_wanted)
{
    endings_prove(hypervisor->endings, is_wanted);
}

void hypervisor_set_timeouts(struct hypervisor *hypervisor, int64_t call_timeout_us, int64_t reconnect_max_us)
{
    hypervisor->call_timeout_us = call_timeout_us;
    connection_set_timeouts(hypervisor->connection, call_timeout_us, reconnect_max_us);
}

void hypervisor_free(struct hypervisor *hypervisor, int64_t grace_us)
{
    struct reported_fault *reported, *next;

    if (hypervisor == NULL)
        return;
    connection_free(hypervisor->connection);
    workers_free(hypervisor->workers, grace_us);
    capacity_free(hypervisor->capacity);
    outlook_free(hypervisor->outlook);
    endings_free(hypervisor->endings);
    HASH_ITER(hh, hypervisor->reported, reported, next)
    {
        HASH_DEL(hypervisor->reported, reported);
        free(reported->key);
        free(reported);
    }
    catalog_free(hypervisor->catalog);
    slots_done(&hypervisor->slots);
    free(hypervisor->name);
    free(hypervisor->uri);
    free(hypervisor);
}
