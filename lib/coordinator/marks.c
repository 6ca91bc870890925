/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks in metadata, read once and kept true. Machines to be looked at stand in QUEUE_MARKS. */
#include "coordinator/marks.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/mark.h"
#include "workflow/question.h"

#define RETRY_PAUSE_US (30 * USEC_PER_SEC)

static bool is_up(const struct machine *machine)
{
    return machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED;
}

/* Its host answers. NULL: not, or it is not there. */
static const struct machine *find(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct host *host = host_find(registry, ref->hypervisor);

    return host != NULL && host->is_listed && machine != NULL && machine->is_present ? machine : NULL;
}

/* ---- what is read ---- */

/* It is kept as it is found: see standby/restore. Without memory it is not. */
static void read_warm(struct registry *registry, struct watch *watch, const struct machine *machine, struct moment now)
{
    struct watch_memory *memory = watch_get_memory(watch);

    if (memory == NULL)
        return;
    memory->state.keeping = KEEPING_WARM;
    memory->state.kept_since_us = now.real_us;
    memory->state.is_warm_by_mark = true;
    pool_edit(registry->pool, machine)->has_foreign_image = false;
    watch_tell(registry, watch, QUEUE_STANDBY, MACHINE_FACT_REPORTED);
}

static int divert(struct registry *registry, const struct mark *mark, const struct machine *original,
                  const struct machine *replacement, struct moment now)
{
    struct machine_ref ref = machine_ref_of(replacement);
    struct diversion *diversion = NULL;
    int r = diversion_new(&mark->original, machine_own_service_name(original), original->spec, original->priority,
                          &diversion);

    if (r == 0)
        r = diversion_set_replacement(diversion, &ref, replacement->name, mark->recovery_id, now);
    if (r < 0) {
        diversion_free(diversion);
        return r;
    }
    diversion->is_by_mark = true;
    diversion->is_stopped = !is_up(replacement);
    r = diversions_add(&registry->diversions, diversion);
    if (r < 0)
        return r;
    registry_show_diversions(registry, &mark->original);
    registry_show_diversions(registry, &ref);
    registry_tell(registry, FACT_SERVING_CHANGED);
    registry_tell(registry, FACT_POOL_CHANGED);
    outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, replacement,
                "%s serves %s since recovery %s, as its metadata says; nothing of that is on record",
                pool_display_name(registry->pool, replacement), machine_own_service_name(original), mark->recovery_id);
    return 0;
}

/* A recovery that ended, or another one, is what holds. */
static bool is_void(const struct watch *watch, const struct machine *machine, const struct machine *original)
{
    return original == NULL || original == machine || (original->roles & ROLE_PROTECTED) == 0 ||
           (is_up(original) && !is_up(machine)) || machine->serves != NULL || machine->diverted != NULL ||
           original->diverted != NULL || original->serves != NULL || watch_is_taken(watch);
}

/* False: it is read later. */
static bool read_mark(struct registry *registry, struct watch *watch, const struct machine *machine, struct moment now)
{
    const struct host *host;
    struct mark mark;
    const struct machine *original;

    if (machine->description->mark == NULL || !mark_scan(machine->description->mark, &mark))
        return true;
    if (mark.is_warm) {
        read_warm(registry, watch, machine, now);
        return true;
    }
    host = host_find(registry, mark.original.hypervisor);
    if (host != NULL && !host->is_listed)
        return false;
    original = find(registry, &mark.original);
    return is_void(watch, machine, original) || divert(registry, &mark, original, machine, now) == 0;
}

/* Without memory it is read as long as the daemon lives. */
static void expect_reading(struct registry *registry, struct watch *watch)
{
    struct watch_memory *memory = watch_get_memory(watch);

    if (memory != NULL)
        memory->state.has_unread_mark = true;
    watch_mark_changed(registry, watch);
    watch_tell(registry, watch, QUEUE_MARKS, MACHINE_FACT_REPORTED);
}

static bool handle_hosts(struct registry *registry)
{
    bool has_any = false;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if ((host_take(host, HOST_READER_MARKS) & HOST_FACT_LISTED) == 0 || host->has_record)
            continue;
        host->has_record = true;
        for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
            struct watch *watch = machine->description->mark != NULL ? watch_of(registry, machine) : NULL;

            if (watch != NULL && strcmp(machine->hypervisor, host->name) == 0) {
                expect_reading(registry, watch);
                has_any = true;
            }
        }
    }
    return has_any;
}

/* ---- what is written ---- */

/* What is to be said of it; empty: nothing. */
static void print_wanted(const struct registry *registry, const struct machine *machine, char text[MARK_TEXT_SIZE])
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct diversion *diversion = diversions_served_by(&registry->diversions, &ref);
    struct mark mark = {.is_warm = true};

    text[0] = '\0';
    if (diversion != NULL) {
        mark = (struct mark){.original = diversion->service.original};
        memcpy(mark.recovery_id, diversion->recovery_id, sizeof(mark.recovery_id));
        strncpy(mark.service, diversion->service.name, sizeof(mark.service) - 1);
    }
    if (diversion != NULL || machine->keeping == KEEPING_WARM)
        mark_print(&mark, text);
}

/* A recovery took it, and before that was written in its metadata, something else has. */
static bool has_served(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    return machine->description->is_made_standby && machine->description->roles == ROLE_STANDBY &&
           records_was_taken(&registry->records, &ref, 0);
}

/* Its metadata says something else, and may be written now: a recovery or a course that has the machine comes first. */
static bool differs(const struct registry *registry, const struct machine *machine, char text[MARK_TEXT_SIZE])
{
    const struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;
    const char *listed;

    if (registry->config->mode != MODE_AUTOMATIC || watch == NULL || !machine->persistent ||
        watch_remembered(watch)->has_unread_mark ||
        (machine->keeping == KEEPING_WARM ? watch_rare(watch)->warms == NULL : watch_is_taken(watch)))
        return false;
    listed = machine->description->mark != NULL ? machine->description->mark : "";
    print_wanted(registry, machine, text);
    return strcmp(listed, text) != 0 || has_served(registry, machine);
}

static bool is_under_way(const struct task *task)
{
    return !task->is_due && task->retry_us == USEC_INFINITY;
}

/* Without memory it is looked at when it is described again. */
static void look(struct marks *marks, const struct watch *watch)
{
    struct machine_ref ref = watch_ref(marks->registry, watch);
    struct task **at = tasks_find_target(&marks->tasks, &ref);
    char text[MARK_TEXT_SIZE];
    bool is_wanted = differs(marks->registry, find(marks->registry, &ref), text);

    if (*at == NULL && is_wanted)
        (void)!tasks_add(&marks->tasks, ACTION_SET_METADATA, &ref, "");
    else if (*at != NULL && !is_wanted && !is_under_way(*at))
        tasks_drop(at);
}

bool marks_handle(void *self, struct moment now)
{
    struct marks *marks = self;
    struct registry *registry = marks->registry;
    bool has_any = handle_hosts(registry);
    struct watch *watch;

    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_MARKS, from)) != NULL; from = watch->number + 1) {
        struct machine_ref ref = watch_ref(marks->registry, watch);
        const struct machine *machine = find(registry, &ref);

        if ((watch_facts(watch, QUEUE_MARKS) & MACHINE_FACT_REPORTED) != 0) {
            if (machine == NULL || !read_mark(registry, watch, machine, now))
                continue;
            watch_forget_mark(watch);
            watch_mark_changed(registry, watch);
            has_any = true;
        }
        watch_leave(registry, watch, QUEUE_MARKS);
        look(marks, watch);
    }
    return has_any;
}

bool marks_next(void *self, struct action *ret)
{
    struct marks *marks = self;
    struct registry *registry = marks->registry;
    struct task **at;
    char text[MARK_TEXT_SIZE];

    while (*(at = tasks_find_due(&marks->tasks, registry)) != NULL) {
        struct task *task = *at;

        if (!differs(registry, find(registry, &task->action.target), text)) {
            tasks_drop(at);
            continue;
        }
        task->action.metadata = (struct metadata_change){
            .sets_mark = true, .has_served = has_served(registry, find(registry, &task->action.target))};
        strcpy(task->action.metadata.mark, text);
        *ret = task_ask(task, registry, PART_MARKS,
                        question_time_us(ACTION_SET_METADATA, VERIFY_RUNNING, registry->config));
        return true;
    }
    return false;
}

/* What was written is listed soon, or the event that tells of it was lost. */
void marks_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct marks *marks = self;
    struct registry *registry = marks->registry;
    struct task **at = tasks_find_action(&marks->tasks, action->id);
    const struct machine *machine = find(registry, &action->target);
    char text[MARK_TEXT_SIZE];

    if (*at == NULL)
        return;
    if (!differs(registry, machine, text)) {
        tasks_drop(at);
        return;
    }
    (*at)->retry_us = now.mono_us + RETRY_PAUSE_US;
    if (result->error == 0 || (*at)->tries++ > 0)
        return;
    outbox_tell(
        &registry->outbox, NOTICE_EVENT_NOTED, now, machine,
        "what %s does could not be written to its metadata: %s; it is tried again, and is on record all the same",
        pool_display_name(registry->pool, machine),
        result->message[0] != '\0' ? result->message : strerror(-result->error));
}

void marks_done(struct marks *marks)
{
    tasks_drop_all(&marks->tasks);
}
