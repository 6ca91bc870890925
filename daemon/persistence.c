/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the coordinator and the store: recoveries and machines as documents, out and back in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "report/record.h"
#include "service/clock.h"
#include "service/log.h"

/* At the end, what is queued gets this long to reach the disk. */
#define CLOSE_GRACE_US (2 * USEC_PER_SEC)

static void on_written(void *context, uint64_t ticket, int error, const char *message)
{
    struct daemon *daemon = context;

    local_answer(daemon, ticket, error, message);
    daemon_pump(daemon);
}

static void on_trouble(void *context, const char *why)
{
    struct daemon *daemon = context;

    coordinator_note(daemon->coordinator, why != NULL ? NOTICE_STORE_FAILED : NOTICE_STORE_WORKS, NULL,
                     why != NULL ? why : "what happens is written down again", clock_now());
    daemon_pump(daemon);
}

static const struct store_callbacks callbacks = {.written = on_written, .trouble = on_trouble};

static int restore_recoveries(struct daemon *daemon, const struct stored *stored)
{
    for (size_t i = 0; i < stored->n_recoveries; i++) {
        struct recovery *recovery = NULL;
        int r = record_parse_recovery(stored->recoveries[i].document, clock_now(), &recovery);

        if (r == -EINVAL) {
            log_line(LOG_WARNING, "recovery %s as stored makes no sense and is left out", stored->recoveries[i].id);
            continue;
        }
        if (r == 0)
            r = coordinator_restore(daemon->coordinator, recovery);
        if (r < 0)
            return r;
    }
    return 0;
}

static int recall_learned(struct daemon *daemon, const struct machine_ref *ref, const char *document)
{
    _cleanup_(string_list_done) struct string_list learned = {0};
    int r = record_parse_learned(document, &learned);

    if (r == -EINVAL)
        return 0;
    return r < 0 ? r : coordinator_remember_learned(daemon->coordinator, ref, &learned);
}

static int recall_description(struct daemon *daemon, const struct machine_ref *ref, const char *document)
{
    struct domain_description *description = NULL;
    int r = record_parse_description(document, ref->uuid, &description);

    if (r == -EINVAL || r == -ENOENT)
        return 0;
    return r < 0 ? r : coordinator_remember_description(daemon->coordinator, ref, description);
}

/* A row of the machines' table without a UUID is about the host itself. */
static int restore_host(struct daemon *daemon, const struct stored_machine *row)
{
    struct moment missing, fenced;
    enum host_state state;
    int r = record_parse_host(row->document, clock_now(), &state, &missing, &fenced);

    if (r == 0)
        r = coordinator_remember_host(daemon->coordinator, row->hypervisor, state, missing, fenced);
    return r == -ENOMEM ? r : 0;
}

static int restore_machines(struct daemon *daemon, const struct stored *stored)
{
    for (size_t i = 0; i < stored->n_machines; i++) {
        const struct stored_machine *machine = &stored->machines[i];
        struct machine_ref ref = {0};
        struct machine_memory memory;
        int r;

        if (machine->uuid[0] == '\0') {
            r = restore_host(daemon, machine);
            if (r < 0)
                return r;
            continue;
        }
        if (strlen(machine->hypervisor) >= sizeof(ref.hypervisor) || strlen(machine->uuid) >= sizeof(ref.uuid))
            continue;
        r = record_parse_machine(machine->document, &memory);
        if (r == -EINVAL)
            continue;
        if (r < 0)
            return r;
        strcpy(ref.hypervisor, machine->hypervisor);
        strcpy(ref.uuid, machine->uuid);
        r = coordinator_remember(daemon->coordinator, &ref, &memory);
        if (r == 0)
            r = recall_learned(daemon, &ref, machine->document);
        if (r == 0)
            r = recall_description(daemon, &ref, machine->document);
        if (r < 0)
            return r;
    }
    return 0;
}

int persistence_open(struct daemon *daemon)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(stored_freep) struct stored *stored = NULL;
    size_t keep = daemon->config->recovery.history_length;
    int r =
        store_open(daemon->base, daemon->config->state_dir, keep, &callbacks, daemon, &diags, &stored, &daemon->store);

    log_diags(&diags);
    if (r < 0)
        return r;
    store_set_retention(daemon->store, keep);
    r = restore_recoveries(daemon, stored);
    return r < 0 ? r : restore_machines(daemon, stored);
}

static int write_recovery(struct daemon *daemon, const struct recovery *recovery, uint64_t ticket, int64_t timeout_us)
{
    _cleanup_(freep) char *document = NULL;
    int r = record_format_recovery(recovery, &document);

    if (r < 0) {
        document = NULL;
        return r;
    }
    store_put_recovery(daemon->store, ticket, timeout_us, recovery->id, recovery->detected.real_us,
                       !recovery_state_is_final(recovery->state), document);
    return 0;
}

void persistence_write_intent(struct daemon *daemon, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(daemon->coordinator, action->recovery_id);
    int r = recovery != NULL ? write_recovery(daemon, recovery, action->id, action->timeout_us) : -ENOENT;

    if (r < 0)
        local_answer(daemon, action->id, r, strerror(-r));
}

static int format_machine(struct daemon *daemon, const struct machine_ref *machine, const struct machine_memory *memory,
                          char **ret)
{
    const struct machine *known = pool_find(coordinator_pool(daemon->coordinator), machine->hypervisor, machine->uuid);
    const struct domain_description *description = known != NULL ? known->description : NULL;
    _cleanup_(string_list_done) struct string_list learned = {0};
    int r = coordinator_learned(daemon->coordinator, machine, &learned);

    return r < 0 ? r : record_format_described_machine(memory, &learned, description, ret);
}

void persistence_write_machine(struct daemon *daemon, const struct action *action)
{
    struct machine_memory memory = coordinator_memory(daemon->coordinator, &action->target);
    _cleanup_(freep) char *document = NULL;
    int r = memory.state == MACHINE_GONE ? -ENOENT : format_machine(daemon, &action->target, &memory, &document);

    if (r < 0) {
        local_answer(daemon, action->id, r, strerror(-r));
        return;
    }
    store_put_machine(daemon->store, action->id, action->timeout_us, action->target.hypervisor, action->target.uuid,
                      document);
}

static void write_machine(struct daemon *daemon, const struct machine_ref *machine, const struct machine_memory *memory)
{
    _cleanup_(freep) char *document = NULL;

    if (memory->state != MACHINE_GONE && format_machine(daemon, machine, memory, &document) < 0) {
        log_line(LOG_ERR, "no memory to write the state of %s/%s down", machine->hypervisor, machine->uuid);
        return;
    }
    store_put_machine(daemon->store, 0, 0, machine->hypervisor, machine->uuid, document);
}

/* Document NULL: it can be reached, and nothing of it need be known. */
static void write_host(struct daemon *daemon, const char *hypervisor, const struct host_track *host)
{
    _cleanup_(freep) char *document = NULL;

    if (host->state != HOST_REACHABLE && record_format_host(host, &document) < 0) {
        log_line(LOG_ERR, "no memory to write the state of %s down", hypervisor);
        return;
    }
    store_put_machine(daemon->store, 0, 0, hypervisor, "", document);
}

/*
 * In this order: who runs on a host that is back is written down after the word that it was fenced is gone, and who
 * was lost with one is off after its recovery is known.
 */
void persistence_write(struct daemon *daemon)
{
    const struct host_track *host;
    const char *hypervisor;
    const struct recovery *recovery;
    struct machine_ref machine;
    struct machine_memory memory;

    /* One transaction: a recovery without the state that led to it would be opened twice after a crash. */
    store_hold(daemon->store);
    while ((recovery = coordinator_next_changed_recovery(daemon->coordinator)) != NULL) {
        /* While its intent is being written, that write says it all. */
        if (recovery->state != RECOVERY_RECORDING && write_recovery(daemon, recovery, 0, 0) < 0)
            log_line(LOG_ERR, "no memory to write recovery %s down", recovery->id);
    }
    while ((host = coordinator_next_changed_host(daemon->coordinator, &hypervisor)) != NULL)
        write_host(daemon, hypervisor, host);
    while (coordinator_next_changed_machine(daemon->coordinator, &machine, &memory))
        write_machine(daemon, &machine, &memory);
    store_let_go(daemon->store);
}

void persistence_close(struct daemon *daemon)
{
    store_close(daemon->store, CLOSE_GRACE_US);
    daemon->store = NULL;
}
