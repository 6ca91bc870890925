/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two machines' metadata is written and read, and each step is looked at before it. Ends no diversion itself. */
#include "coordinator/keep.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/moves.h"
#include "workflow/question.h"

static const struct machine *find(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    return machine != NULL && machine->is_present ? machine : NULL;
}

static const struct machine *find_original(const struct registry *registry, const struct diversion *diversion)
{
    return find(registry, &diversion->service.original);
}

static const struct machine *find_replacement(const struct registry *registry, const struct diversion *diversion)
{
    return find(registry, &diversion->service.replacement);
}

/*
 * Its original is gone from the host where it failed, and is defined on another one, as after a migration that was not
 * followed, since nothing of it ran there: it would go on being protected for the same service.
 */
static const struct machine *find_protected_elsewhere(const struct registry *registry,
                                                      const struct diverted_service *service)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct machine *machine = pool_find(registry->pool, registry->hosts[i].name, service->original.uuid);

        if (machine != NULL && machine->is_present && (machine->roles & ROLE_PROTECTED) != 0 &&
            !machine_is_ref(machine, &service->original) && !machine_is_ref(machine, &service->replacement))
            return machine;
    }
    return NULL;
}

/* ---- what stands against it ---- */

static int refuse(char **ret_why, const char *format, ...) _printf_(2, 3);

static int refuse(char **ret_why, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *ret_why = text_vprint(format, arguments);
    va_end(arguments);
    return -EBUSY;
}

static bool host_answers(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host == NULL || (host->track.is_connected && host->is_listed);
}

/* A recovery or a standby's course has it, or is about to. */
static bool is_taken(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = watch_of(registry, machine);
    struct machine_ref ref = machine_ref_of(machine);

    return watch == NULL || watch_is_taken(watch) ||
           (watch_facts(watch, QUEUE_RECOVERIES) & MACHINE_FACT_FAILED) != 0 || records_await(&registry->records, &ref);
}

/* Holds for both machines. */
static int check_machine(const struct registry *registry, const struct machine *machine, char **ret_why)
{
    if (!machine->is_reachable)
        return refuse(ret_why, "the host of %s cannot be reached", machine->name);
    if (machine->hold != NULL)
        return refuse(ret_why, "%s is held: understudyctl release %s", machine->name, machine->hold->name);
    if (is_taken(registry, machine))
        return refuse(ret_why, "%s is needed by a recovery, or is being made warm; try again when that has ended",
                      machine->name);
    return 0;
}

static int check_replacement(const struct registry *registry, const struct diversion *diversion, char **ret_why)
{
    const char *name = diversion->service.replacement_name;
    const struct machine *machine = find_replacement(registry, diversion);
    int r;

    if (machine == NULL)
        return refuse(ret_why, "%s is gone", name);
    r = check_machine(registry, machine, ret_why);
    if (r < 0)
        return r;
    if (machine->failed_unrecovered || (machine->state != MACHINE_RUNNING && machine->state != MACHINE_SUSPENDED))
        return refuse(ret_why, "%s does not run: start it first, for instance with virsh start %s", name, name);
    if ((machine->roles & ROLE_IGNORED) != 0 && machine->description->roles != ROLE_IGNORED)
        return refuse(ret_why, "pool.ignore names %s, which would not be protected: take it out of there, and reload",
                      name);
    return 0;
}

static int check_original(const struct registry *registry, const struct diversion *diversion, char **ret_why)
{
    const struct machine *machine = find_original(registry, diversion);
    const struct machine *other = machine == NULL ? find_protected_elsewhere(registry, &diversion->service) : NULL;

    if (!host_answers(registry, diversion->service.original.hypervisor))
        return refuse(ret_why,
                      "the host of the original of %s cannot be reached, and what the original is for could not "
                      "be written there: wait until it is back",
                      diversion->service.name);
    if (other != NULL)
        return refuse(ret_why, "%s is defined on %s, and protected there: give it another role, or undefine it",
                      other->name, other->hypervisor);
    if (machine == NULL)
        return 0;
    if (machine_state_is_active(machine->state))
        return refuse(ret_why, "%s is %s as well: shut one of the two down", machine->name,
                      machine_state_name(machine->state));
    return check_machine(registry, machine, ret_why);
}

/* One that is not known to be off could come up beside the machine that serves, and be taken for another service. */
static int check_former(const struct registry *registry, const struct diversion *diversion, char **ret_why)
{
    for (size_t i = 0; i < diversion->n_former; i++) {
        const struct machine *machine = find(registry, &diversion->former[i]);

        if (!machine_is_surely_off(registry, &diversion->former[i]))
            return refuse(ret_why,
                          "%s served %s before and is not known to be off: wait until its host is back, or shut "
                          "it down",
                          machine != NULL ? machine->name : diversion->former[i].uuid, diversion->service.name);
    }
    return 0;
}

int keep_check(struct registry *registry, const struct diversion *diversion, char **ret_why)
{
    int r = 0;

    if (strlen(diversion->service.name) >= SERVICE_NAME_SIZE)
        r = refuse(ret_why, "its name is longer than %d bytes, and cannot be written down", SERVICE_NAME_SIZE - 1);
    if (r == 0)
        r = check_replacement(registry, diversion, ret_why);
    if (r == 0)
        r = check_original(registry, diversion, ret_why);
    return r < 0 ? r : check_former(registry, diversion, ret_why);
}

/* ---- how it ends ---- */

/* The definition that a migration leaves behind says nothing of the original. */
bool keep_is_done(const struct registry *registry, const struct diversion *diversion)
{
    const struct machine *original = find_original(registry, diversion);
    const struct machine *replacement = find_replacement(registry, diversion);

    return replacement != NULL && (replacement->roles & ROLE_PROTECTED) != 0 &&
           text_equal(replacement->description->service, diversion->service.name) &&
           !moves_have_left(registry, &diversion->service.original) &&
           (original != NULL ? (original->roles & ROLE_PROTECTED) == 0
                             : host_answers(registry, diversion->service.original.hypervisor) &&
                                   find_protected_elsewhere(registry, &diversion->service) == NULL);
}

void keep_finish(struct registry *registry, struct diversion *diversion, struct moment now)
{
    const struct diverted_service *service = &diversion->service;
    const struct machine *original = find_original(registry, diversion);

    for (size_t i = 0; i < registry->records.count; i++) {
        struct recovery *recovery = registry->records.all[i];

        if (!machine_ref_equal(&recovery->service, &service->original))
            continue;
        recovery->service = service->replacement;
        recovery->is_changed = true;
    }
    outbox_tell_later(
        &registry->outbox, NOTICE_KEPT, now, find_replacement(registry, diversion), diversion->recovery_id,
        "%s is the original of the service %s from now on; %s%s%s", service->replacement_name, service->name,
        original != NULL ? original->name : "its former original", original != NULL ? " has the role " : " is gone",
        original != NULL ? machine_roles_name(original->roles) : "");
    diversion->keep = (struct keep){0};
}

/* What was written, for people. A step that was handed out and did not end well may have been carried out. */
static const char *written(const struct keep *keep)
{
    bool was_asked = keep->action_id != 0;

    switch (keep->step) {
    case KEEP_WRITE_REPLACEMENT:
        return was_asked ? "the metadata of %s may have been written, that of %s was not"
                         : "neither the metadata of %s nor that of %s was written";
    case KEEP_READ_REPLACEMENT:
        return "the metadata of %s was written, that of %s was not";
    case KEEP_WRITE_ORIGINAL:
        return was_asked ? "the metadata of %s was written, that of %s may have been"
                         : "the metadata of %s was written, that of %s was not";
    case KEEP_NONE:
    case KEEP_READ_ORIGINAL:
    case KEEP_WRITTEN:
    default:
        return "the metadata of %s was written, and that of %s as well; when both were read, it is the original";
    }
}

static const char *name_of(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = find(registry, ref);

    return machine != NULL ? machine->name : ref->uuid;
}

void keep_give_up(struct registry *registry, struct diversion *diversion, const char *why, struct moment now)
{
    const struct machine_ref *replacement = &diversion->keep.replacement;
    _cleanup_(freep) char *state = NULL;

    if (diversion->keep.step == KEEP_NONE)
        return;
    state = text_print(written(&diversion->keep), name_of(registry, replacement),
                       name_of(registry, &diversion->service.original));
    outbox_tell_later(&registry->outbox, NOTICE_NOT_KEPT, now, find(registry, replacement), diversion->recovery_id,
                      "%s has not become the original of %s: %s; %s", name_of(registry, replacement),
                      diversion->service.name, why != NULL ? why : "out of memory", state != NULL ? state : "");
    diversion->keep = (struct keep){0};
}

/* ---- how it goes on ---- */

void keep_begin(struct diversion *diversion)
{
    diversion->keep = (struct keep){
        .step = KEEP_WRITE_REPLACEMENT,
        .replacement = diversion->service.replacement,
    };
}

/* The machine serves no more, or something else stands against it. */
static int check_step(struct registry *registry, const struct diversion *diversion, char **ret_why)
{
    if (!machine_ref_equal(&diversion->keep.replacement, &diversion->service.replacement))
        return refuse(ret_why, "%s serves by now", diversion->service.replacement_name);
    if (diversion->keep.step == KEEP_WRITTEN && !keep_is_done(registry, diversion))
        return refuse(ret_why, "the metadata says something else, as if other hands had changed it");
    return keep_check(registry, diversion, ret_why);
}

void keep_look(struct registry *registry, struct moment now)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *diversion = registry->diversions.all[i];
        _cleanup_(freep) char *why = NULL;

        if (diversion->is_over || diversion->keep.step == KEEP_NONE || diversion->keep.action_id != 0)
            continue;
        if (!keep_is_done(registry, diversion) && check_step(registry, diversion, &why) < 0)
            keep_give_up(registry, diversion, why, now);
    }
}

/* The replacement gets the roles that the original has, and is protected in any case. */
static struct metadata_change change_of_replacement(const struct diversion *diversion, const struct machine *original)
{
    struct metadata_change change = {
        .roles = ROLE_PROTECTED | (original != NULL ? original->roles & ROLE_STANDBY : 0),
        .sets_priority = true,
        .priority = diversion->service.priority,
    };

    strncpy(change.service, diversion->service.name, sizeof(change.service) - 1);
    return change;
}

static struct metadata_change change_of_original(const struct machine *original)
{
    bool stands_by = original != NULL && (original->roles & ROLE_STANDBY) != 0;

    return (struct metadata_change){.roles = stands_by ? ROLE_STANDBY : ROLE_IGNORED};
}

static struct action ask(struct registry *registry, struct diversion *diversion, const struct machine *original)
{
    bool is_original = diversion->keep.step == KEEP_WRITE_ORIGINAL || diversion->keep.step == KEEP_READ_ORIGINAL;
    bool is_write = diversion->keep.step == KEEP_WRITE_REPLACEMENT || diversion->keep.step == KEEP_WRITE_ORIGINAL;
    enum action_kind kind = is_write ? ACTION_SET_METADATA : ACTION_READ;
    struct action action = registry_new_action(
        registry, PART_SERVICES, kind, is_original ? &diversion->service.original : &diversion->service.replacement,
        question_time_us(kind, VERIFY_RUNNING, registry->config));

    if (is_write)
        action.metadata = is_original ? change_of_original(original) : change_of_replacement(diversion, original);
    memcpy(action.recovery_id, diversion->recovery_id, sizeof(action.recovery_id));
    diversion->keep.action_id = action.id;
    return action;
}

bool keep_next(struct registry *registry, struct action *ret)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *diversion = registry->diversions.all[i];
        const struct keep *keep = &diversion->keep;

        if (diversion->is_over || keep->step == KEEP_NONE || keep->step == KEEP_WRITTEN || keep->action_id != 0)
            continue;
        *ret = ask(registry, diversion, find_original(registry, diversion));
        return true;
    }
    return false;
}

bool keep_answer(struct registry *registry, const struct action *action, const struct action_result *result,
                 struct moment now)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *diversion = registry->diversions.all[i];
        struct keep *keep = &diversion->keep;
        _cleanup_(freep) char *why = NULL;

        if (keep->step == KEEP_NONE || keep->action_id != action->id)
            continue;
        if (result->error == 0) {
            keep->step++;
            keep->action_id = 0;
        } else {
            why = text_print("%s %s: %s",
                             action->kind == ACTION_READ ? "cannot read the definition of"
                                                         : "cannot write the metadata of",
                             name_of(registry, &action->target),
                             result->message[0] != '\0' ? result->message : strerror(-result->error));
            keep_give_up(registry, diversion, why, now);
        }
        registry_tell(registry, FACT_SERVING_CHANGED);
        return true;
    }
    return false;
}
