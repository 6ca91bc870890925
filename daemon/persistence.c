/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents are made by lib/report; which of them share a transaction is decided here. */
#include "persistence.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "coordinator/coordinator.h"
#include "report/record.h"
#include "service/clock.h"
#include "service/log.h"
#include "store/store.h"

/* At the end, queued writes get this long to reach the disk. */
#define CLOSE_GRACE_US (2 * USEC_PER_SEC)
/* Of very many machines that have changed, as after the first listing, so many are written at a time: a recovery that is
 * written meanwhile waits for no more. */
#define MACHINES_AT_ONCE    100
#define MACHINES_TIMEOUT_US (10 * USEC_PER_SEC)
/* What is written under this name is about nothing, and shows that it can be written. */
#define PROOF  "proof"
#define DAY_US (INT64_C(86400) * USEC_PER_SEC)
/* Of no action. */
#define MACHINES_TICKET UINT64_MAX

static void on_written(void *context, uint64_t ticket, int error, const char *message)
{
    struct persistence *persistence = context;

    persistence->n_awaited--;
    persistence->n_failed += error < 0;
    if (ticket != MACHINES_TICKET)
        answers_give(persistence->answers, ticket, error, message);
    event_active(persistence->pump, 0, 0);
}

static void on_trouble(void *context, const char *why)
{
    struct persistence *persistence = context;

    free(persistence->trouble);
    persistence->trouble = why != NULL ? strdup(why) : NULL;
    if (why != NULL && !persistence->is_open)
        persistence->slow(persistence->context);
    if (why != NULL)
        coordinator_note(persistence->coordinator, NOTICE_STORE_FAILED, NULL, why, clock_now());
    else
        coordinator_note(persistence->coordinator, NOTICE_STORE_WORKS, NULL, "the store writes again", clock_now());
    event_active(persistence->pump, 0, 0);
}

/*
 * Stored when the clock was ahead, a recovery has not happened in the future: it would count for recovery.limit until the
 * clock is there. Time goes on from the last of what is stored, so that all keeps its order.
 */
static struct moment now_after(const struct stored *stored)
{
    struct moment now = clock_now();

    for (size_t i = 0; i < stored->n_recoveries; i++)
        if (stored->recoveries[i].detected_us > now.real_us)
            now.real_us = stored->recoveries[i].detected_us;
    return now;
}

static int restore_recoveries(struct persistence *persistence, const struct stored *stored, struct moment now)
{
    for (size_t i = 0; i < stored->n_recoveries; i++) {
        struct recovery *recovery = NULL;
        int r = record_parse_recovery(stored->recoveries[i].document, now, &recovery);

        if (r == -EINVAL) {
            log_line(LOG_WARNING, "the stored recovery %s cannot be read and is left out", stored->recoveries[i].id);
            continue;
        }
        if (r == 0)
            r = coordinator_restore(persistence->coordinator, recovery);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What cannot be read is left out. */
static int restore_machine(struct persistence *persistence, const struct machine_ref *ref, const char *document)
{
    _cleanup_(string_list_done) struct string_list learned = {0};
    struct domain_description *description = NULL;
    struct machine_memory memory;
    int r = record_parse_described_machine(document, ref->uuid, &memory, &learned, &description);

    if (r < 0)
        return r == -EINVAL ? 0 : r;
    r = coordinator_remember(persistence->coordinator, ref, &memory);
    if (r < 0) {
        domain_description_free(description);
        return r;
    }
    if (description != NULL)
        r = coordinator_remember_description(persistence->coordinator, ref, description);
    return r < 0 ? r : coordinator_remember_learned(persistence->coordinator, ref, &learned);
}

/* A row of the table of machines without a UUID is about the host itself. */
static int restore_host(struct persistence *persistence, const struct stored_machine *row, struct moment now)
{
    struct moment missing, fenced;
    enum host_state state;
    int r = record_parse_host(row->document, now, &state, &missing, &fenced);

    if (r == 0)
        r = coordinator_remember_host(persistence->coordinator, row->hypervisor, state, missing, fenced);
    return r == -ENOMEM ? r : 0;
}

/* A row whose UUID begins with this is about the service of a machine. */
#define DIVERSION "diversion:"
/* And this, about a hold: on that machine, on the host where no UUID follows, or on all where there is no host either. */
#define HOLD "hold:"

/* And this, about the fencing of a host. */
#define FENCING "fencing:"

static int restore_fencing(struct persistence *persistence, const struct stored_machine *row, struct moment now)
{
    struct fence_log log = {0};
    int r = record_parse_fence_log(row->document, now, &log);

    if (r == -EINVAL) {
        log_line(LOG_WARNING, "the history of the fencing of %s cannot be read and is left out", row->hypervisor);
        return 0;
    }
    if (r == 0)
        r = coordinator_remember_fence_log(persistence->coordinator, row->hypervisor, &log);
    return r == -ENOMEM ? r : 0;
}

static int restore_diversion(struct persistence *persistence, const struct stored_machine *row, struct moment now)
{
    struct diversion *diversion = NULL;
    int r = record_parse_diversion(row->document, now, coordinator_features(persistence->coordinator), &diversion);

    if (r == -EINVAL) {
        log_line(LOG_WARNING, "which machine serves the service of %s/%s cannot be read and is left out",
                 row->hypervisor, row->uuid + strlen(DIVERSION));
        return 0;
    }
    return r < 0 ? r : coordinator_restore_diversion(persistence->coordinator, diversion);
}

static int restore_hold(struct persistence *persistence, const struct stored_machine *row)
{
    struct hold *hold = NULL;
    int r = record_parse_hold(row->document, &hold);

    if (r == -EINVAL) {
        log_line(LOG_WARNING, "the stored hold on %s%s cannot be read and is left out: hold it again",
                 row->hypervisor[0] != '\0' ? row->hypervisor : "everything", row->uuid + strlen(HOLD));
        return 0;
    }
    return r < 0 ? r : coordinator_restore_hold(persistence->coordinator, hold);
}

static int restore_machines(struct persistence *persistence, const struct stored *stored, struct moment now)
{
    for (size_t i = 0; i < stored->n_machines; i++) {
        const struct stored_machine *machine = &stored->machines[i];
        struct machine_ref ref = {0};
        int r;

        if (strcmp(machine->uuid, PROOF) == 0)
            continue;
        if (machine->uuid[0] == '\0') {
            r = restore_host(persistence, machine, now);
            if (r < 0)
                return r;
            continue;
        }
        if (strncmp(machine->uuid, DIVERSION, strlen(DIVERSION)) == 0) {
            r = restore_diversion(persistence, machine, now);
            if (r < 0)
                return r;
            continue;
        }
        if (strcmp(machine->uuid, FENCING) == 0) {
            r = restore_fencing(persistence, machine, now);
            if (r < 0)
                return r;
            continue;
        }
        if (strncmp(machine->uuid, HOLD, strlen(HOLD)) == 0) {
            r = restore_hold(persistence, machine);
            if (r < 0)
                return r;
            continue;
        }
        if (strlen(machine->hypervisor) >= sizeof(ref.hypervisor) || strlen(machine->uuid) >= sizeof(ref.uuid))
            continue;
        strcpy(ref.hypervisor, machine->hypervisor);
        strcpy(ref.uuid, machine->uuid);
        r = restore_machine(persistence, &ref, machine->document);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What still counts against a limit is kept, however short the history. */
static struct retention retention_of(const struct config *config)
{
    int64_t counts_us = config->recovery.limit_window_us, age_us = config->recovery.history_days * DAY_US;

    if (counts_us < config->recovery.brake.window_us)
        counts_us = config->recovery.brake.window_us;
    return (struct retention){
        .age_us = age_us > counts_us ? age_us : counts_us,
        .latest = CONFIG_HISTORY_MAX,
        .counts_us = counts_us,
    };
}

void persistence_configure(struct persistence *persistence, const struct config *config)
{
    store_set_age(persistence->store, retention_of(config).age_us);
}

static void on_opened(void *context, int error, struct stored *opened)
{
    _cleanup_(stored_freep) struct stored *stored = opened;
    struct persistence *persistence = context;
    int r = error;

    if (error == 0) {
        const struct moment now = now_after(stored);

        r = restore_recoveries(persistence, stored, now);
        if (r == 0)
            r = restore_machines(persistence, stored, now);
    } else if (error == -ETIMEDOUT) {
        persistence->is_unread = true;
        r = 0;
    } else if (error == -EBUSY) {
        log_line(LOG_ERR,
                 "another understudyd uses this directory; each needs a state_dir and an api.socket of its own: %s",
                 persistence->directory);
    }
    persistence->is_open = true;
    persistence->opened(persistence->context, r);
}

static void on_remade(void *context, const char *words)
{
    (void)context;
    log_line(LOG_WARNING, "%s", words);
}

/* What was asked for by persistence_read. */
struct reading {
    persistence_read_done done;
    void *context;
};

static void on_read(void *context, int error, struct stored *read, const char *message)
{
    _cleanup_(stored_freep) struct stored *stored = read;
    _cleanup_(freep) struct reading *reading = context;
    size_t most = stored != NULL ? stored->n_recoveries : 0, n = 0;
    _cleanup_(freep) struct recovery **recoveries = calloc(most > 0 ? most : 1, sizeof(struct recovery *));
    const struct moment now = clock_now();

    /* One that cannot be read was told at the start; the others are told. */
    for (size_t i = 0; i < most && recoveries != NULL; i++)
        n += record_parse_recovery(stored->recoveries[i].document, now, &recoveries[n]) == 0;
    reading->done(reading->context, recoveries == NULL ? -ENOMEM : error, message, recoveries, n);
    for (size_t i = 0; i < n; i++)
        recovery_free(recoveries[i]);
}

int persistence_read(struct persistence *persistence, const char *before, size_t most, persistence_read_done done,
                     void *context)
{
    _cleanup_(freep) struct reading *reading = malloc(sizeof(*reading));
    int r;

    if (reading == NULL)
        return -ENOMEM;
    *reading = (struct reading){.done = done, .context = context};
    r = store_read(persistence->store, before, most, reading);
    if (r == 0)
        reading = NULL; /* on_read has it */
    return r;
}

static const struct store_callbacks callbacks = {
    .opened = on_opened,
    .written = on_written,
    .trouble = on_trouble,
    .was_read = on_read,
    .remade = on_remade,
};

int persistence_open(struct persistence *persistence, struct event_base *base, const struct config *config)
{
    int r;

    persistence->directory = config->state_dir;
    r = store_open(base, config->state_dir, retention_of(config), &callbacks, persistence, &persistence->store);

    if (r == 0)
        persistence_configure(persistence, config);
    return r;
}

static int write_recovery(struct persistence *persistence, const struct recovery *recovery, uint64_t ticket,
                          int64_t timeout_us)
{
    _cleanup_(freep) char *document = NULL;
    int r = record_format_recovery(recovery, &document);

    if (r < 0) {
        document = NULL;
        return r;
    }
    persistence->n_awaited += ticket != 0;
    store_put_recovery(persistence->store, ticket, timeout_us, recovery->id, recovery->detected.real_us,
                       !recovery_state_is_final(recovery->state), document);
    return 0;
}

static int write_intent(struct persistence *persistence, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(persistence->coordinator, action->recovery_id);

    return recovery != NULL ? write_recovery(persistence, recovery, action->id, action->timeout_us) : -ENOENT;
}

static int format_machine(struct persistence *persistence, const struct machine_ref *machine,
                          const struct machine_memory *memory, char **ret)
{
    const struct machine *known =
        pool_find(coordinator_pool(persistence->coordinator), machine->hypervisor, machine->uuid);
    const struct domain_description *description = known != NULL ? known->description : NULL;
    _cleanup_(string_list_done) struct string_list learned = {0};
    int r = coordinator_learned(persistence->coordinator, machine, &learned);

    return r < 0 ? r : record_format_described_machine(memory, &learned, description, ret);
}

static int write_target(struct persistence *persistence, const struct action *action)
{
    struct machine_memory memory = coordinator_memory(persistence->coordinator, &action->target);
    _cleanup_(freep) char *document = NULL;
    int r = memory.state == MACHINE_GONE ? -ENOENT : format_machine(persistence, &action->target, &memory, &document);

    if (r < 0)
        return r;
    persistence->n_awaited++;
    store_put_machine(persistence->store, action->id, action->timeout_us, action->target.hypervisor,
                      action->target.uuid, document);
    return 0;
}

int persistence_perform(struct persistence *persistence, const struct action *action)
{
    return action->kind == ACTION_RECORD ? write_intent(persistence, action) : write_target(persistence, action);
}

/* False: there is no memory for it, and no answer will come. */
static bool write_machine(struct persistence *persistence, const struct machine_ref *machine,
                          const struct machine_memory *memory, uint64_t ticket)
{
    _cleanup_(freep) char *document = NULL;

    if (memory->state != MACHINE_GONE && format_machine(persistence, machine, memory, &document) < 0) {
        log_line(LOG_ERR, "out of memory: the state of %s/%s is not written to disk", machine->hypervisor,
                 machine->uuid);
        return false;
    }
    persistence->n_awaited += ticket != 0;
    store_put_machine(persistence->store, ticket, MACHINES_TIMEOUT_US, machine->hypervisor, machine->uuid, document);
    return true;
}

/* At most so many; the answer to the last of them leads to the next ones. */
static void write_machines(struct persistence *persistence, size_t most)
{
    struct machine_ref machine;
    struct machine_memory memory;
    size_t n = 0;

    /* Less is known than what is stored and was not read: that is kept for the next start. */
    while (persistence->is_unread && coordinator_next_changed_machine(persistence->coordinator, &machine, &memory))
        ;
    while (n < most && coordinator_next_changed_machine(persistence->coordinator, &machine, &memory))
        n += write_machine(persistence, &machine, &memory, n + 1 == most ? MACHINES_TICKET : 0);
}

/* The state of a machine that led to a recovery, or was led to by it. */
static void write_machine_of(struct persistence *persistence, const struct machine_ref *machine)
{
    struct machine_memory memory = coordinator_memory(persistence->coordinator, machine);

    if (memory.state != MACHINE_GONE && !persistence->is_unread)
        write_machine(persistence, machine, &memory, 0);
}

/* A host that can be reached has no document: nothing of it needs to be known. */
static void write_host(struct persistence *persistence, const char *hypervisor, const struct host_track *host)
{
    _cleanup_(freep) char *document = NULL;

    if (host->state != HOST_REACHABLE && record_format_host(host, &document) < 0) {
        log_line(LOG_ERR, "out of memory: the state of %s is not written to disk", hypervisor);
        return;
    }
    store_put_machine(persistence->store, 0, 0, hypervisor, "", document);
}

static void write_fencing(struct persistence *persistence, const char *hypervisor, const struct fence_log *log)
{
    _cleanup_(freep) char *document = NULL;

    if (record_format_fence_log(log, &document) < 0)
        log_line(LOG_ERR, "out of memory: the fencing of %s is not written to disk", hypervisor);
    else
        store_put_machine(persistence->store, 0, 0, hypervisor, FENCING, document);
}

/* One that is over has no document. */
static void write_diversion(struct persistence *persistence, const struct diversion *diversion)
{
    _cleanup_(freep) char *document = NULL;
    char key[sizeof(DIVERSION) + UUID_TEXT_SIZE];

    if (!diversion->is_over &&
        record_format_diversion(diversion, coordinator_features(persistence->coordinator), &document) < 0) {
        log_line(LOG_ERR, "out of memory: that %s serves %s is not written to disk",
                 diversion->service.replacement_name, diversion->service.name);
        return;
    }
    snprintf(key, sizeof(key), DIVERSION "%s", diversion->service.original.uuid);
    store_put_machine(persistence->store, 0, 0, diversion->service.original.hypervisor, key, document);
}

/* One that is over has no document. */
static void write_hold(struct persistence *persistence, const struct hold *hold)
{
    _cleanup_(freep) char *document = NULL;
    char key[sizeof(HOLD) + UUID_TEXT_SIZE];

    if (!hold->is_over && record_format_hold(hold, &document) < 0) {
        log_line(LOG_ERR, "out of memory: that %s is held is not written to disk", hold->name);
        return;
    }
    snprintf(key, sizeof(key), HOLD "%s", hold->target.uuid);
    store_put_machine(persistence->store, 0, 0, hold->target.hypervisor, key, document);
}

/*
 * The order matters where a write is cut off. That a machine runs on a host that is back is written after the host's
 * fencing is deleted; that a machine lost with its host is off is written after its recovery.
 */
void persistence_write(struct persistence *persistence)
{
    const struct host_track *host;
    const char *hypervisor;
    const struct recovery *recovery;
    const struct diversion *diversion;
    const struct hold *hold;
    const struct fence_log *log;

    if (!persistence->is_open)
        return;
    /* One transaction: a recovery on disk without the state that led to it would be opened again after a crash. */
    store_hold(persistence->store);
    while ((recovery = coordinator_next_changed_recovery(persistence->coordinator)) != NULL) {
        /* The write of the intent, which is under way, holds all of this. */
        if (recovery->state != RECOVERY_RECORDING && write_recovery(persistence, recovery, 0, 0) < 0)
            log_line(LOG_ERR, "out of memory: recovery %s is not written to disk", recovery->id);
        write_machine_of(persistence, &recovery->failed);
        if (recovery->replacement_name != NULL)
            write_machine_of(persistence, &recovery->replacement);
    }
    while ((diversion = coordinator_next_changed_diversion(persistence->coordinator)) != NULL)
        write_diversion(persistence, diversion);
    while ((hold = coordinator_next_changed_hold(persistence->coordinator)) != NULL)
        write_hold(persistence, hold);
    while ((host = coordinator_next_changed_host(persistence->coordinator, &hypervisor)) != NULL)
        write_host(persistence, hypervisor, host);
    while ((log = coordinator_next_changed_fence_log(persistence->coordinator, &hypervisor)) != NULL)
        write_fencing(persistence, hypervisor, log);
    if (persistence->n_awaited == 0)
        write_machines(persistence, MACHINES_AT_ONCE);
    store_let_go(persistence->store);
}

void persistence_prove(struct persistence *persistence)
{
    if (persistence->n_awaited > 0 || !persistence->is_open)
        return; /* that tells as well */
    persistence->n_awaited++;
    store_put_machine(persistence->store, MACHINES_TICKET, MACHINES_TIMEOUT_US, "", PROOF, "{}");
}

size_t persistence_count(const struct persistence *persistence)
{
    return persistence->store != NULL ? store_count(persistence->store) : 0;
}

void persistence_close(struct persistence *persistence)
{
    if (persistence->store != NULL && persistence->is_open)
        write_machines(persistence, SIZE_MAX);
    if (!store_close(persistence->store, CLOSE_GRACE_US))
        log_line(LOG_WARNING,
                 "the disk of state_dir does not answer: what changed last is not written down, and this "
                 "process may stay until the disk answers (%s)",
                 persistence->directory);
    persistence->store = NULL;
    free(persistence->trouble);
    persistence->trouble = NULL;
}
