/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk of the make-believe world: what was written of recoveries and machines, and a daemon that begins with it. */
#include "world.h"

#include <string.h>

#include "report/record.h"
#include "support.h"

static char *copied(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    assert_true((copy == NULL) == (text == NULL));
    return copy;
}

/* Everything that a store could keep: not what is under way in the program, and not the explanation. */
static struct recovery *copy_of(const struct recovery *recovery)
{
    struct recovery *copy = malloc(sizeof(*copy));

    assert_non_null(copy);
    *copy = *recovery;
    copy->failed_name = copied(recovery->failed_name);
    copy->service_name = copied(recovery->service_name);
    copy->replacement_name = copied(recovery->replacement_name);
    copy->to_name = copied(recovery->to_name);
    copy->detail = copied(recovery->detail);
    copy->ports_unasked = copied(recovery->ports_unasked);
    copy->explanation = NULL;
    copy->attempts = calloc(recovery->n_attempts + 1, sizeof(*copy->attempts));
    assert_non_null(copy->attempts);
    for (size_t i = 0; i < recovery->n_attempts; i++) {
        copy->attempts[i] = recovery->attempts[i];
        copy->attempts[i].name = copied(recovery->attempts[i].name);
        copy->attempts[i].error = copied(recovery->attempts[i].error);
    }
    copy->question.action_id = 0;
    copy->question.asked = 0;
    copy->question.waits_for_connection = false;
    copy->question.deadline_us = USEC_INFINITY;
    copy->is_changed = false;
    copy->ignored = 0;
    return copy;
}

/* Its place, or n_stored. */
static size_t find(const struct world *world, const char *id)
{
    size_t place = 0;

    while (place < world->n_stored && strcmp(world->stored[place].recovery->id, id) != 0)
        place++;
    return place;
}

void world_write_recovery(struct world *world, const struct recovery *recovery)
{
    size_t place = find(world, recovery->id);
    struct world_stored *stored = &world->stored[place];

    if (place == world->n_stored) {
        if (world->n_stored == WORLD_STORED) { /* the oldest is forgotten */
            recovery_free(world->stored[0].recovery);
            memmove(&world->stored[0], &world->stored[1], --world->n_stored * sizeof(world->stored[0]));
        }
        stored = &world->stored[world->n_stored++];
        *stored = (struct world_stored){0};
    }
    /* What has ended stays ended. */
    assert_false(stored->recovery != NULL && recovery_state_is_final(stored->recovery->state) &&
                 stored->recovery->state != recovery->state);
    recovery_free(stored->recovery);
    stored->recovery = copy_of(recovery);
    stored->writes++;
}

void world_write_machine(struct world *world, const struct machine_ref *machine, const struct machine_memory *memory)
{
    unsigned number = (unsigned)strtoul(machine->uuid + 24, NULL, 16);
    const struct machine *known = pool_find(coordinator_pool(world->coordinator), machine->hypervisor, machine->uuid);
    _cleanup_(string_list_done) struct string_list learned = {0};
    struct world_remembered *remembered;

    if (number >= WORLD_CROWD_BEGIN)
        return;
    number = world_number_of(world, machine);
    remembered = &world->remembered[number];
    free(remembered->document);
    *remembered =
        (struct world_remembered){.is_known = memory->state != MACHINE_GONE, .ref = *machine, .memory = *memory};
    assert_int_equal(coordinator_learned(world->coordinator, machine, &learned), 0);
    if (known != NULL && remembered->is_known)
        assert_int_equal(record_format_described_machine(memory, &learned, known->description, &remembered->document),
                         0);
}

void world_write_diversion(struct world *world, const struct diversion *diversion)
{
    unsigned number = world_number_of(world, &diversion->service.original);

    free(world->diversions[number]);
    world->diversions[number] = NULL;
    if (!diversion->is_over)
        assert_int_equal(
            record_format_diversion(diversion, coordinator_features(world->coordinator), &world->diversions[number]),
            0);
}

/* Its place: everything, the hosts by their names, the machines by their numbers. */
static unsigned place_of_hold(const struct world *world, const struct hold *hold)
{
    unsigned place = 0;

    if (hold->scope == HOLD_MACHINE)
        return 1 + WORLD_HYPERVISORS + world_number_of(world, &hold->target);
    while (hold->scope == HOLD_HOST && strcmp(world->hosts[place++], hold->target.hypervisor) != 0)
        assert_true(place < world->n_hosts);
    return place;
}

void world_write_hold(struct world *world, const struct hold *hold)
{
    unsigned place = place_of_hold(world, hold);

    assert_true(place < WORLD_HOLDS);
    free(world->hold_documents[place]);
    world->hold_documents[place] = NULL;
    if (!hold->is_over)
        assert_int_equal(record_format_hold(hold, &world->hold_documents[place]), 0);
}

const struct recovery *world_read_recovery(const struct world *world, const char *id)
{
    size_t place = find(world, id);

    return place < world->n_stored ? world->stored[place].recovery : NULL;
}

static int older_first(const void *left, const void *right)
{
    const struct recovery *a = ((const struct world_stored *)left)->recovery;
    const struct recovery *b = ((const struct world_stored *)right)->recovery;

    if (a->detected.real_us != b->detected.real_us)
        return a->detected.real_us < b->detected.real_us ? -1 : 1;
    return strcmp(a->id, b->id);
}

void world_stop_daemon(struct world *world)
{
    size_t kept = 0;

    coordinator_free(world->coordinator);
    world->coordinator = NULL;
    for (size_t i = 0; i < world->n_pending; i++)
        if (world->pending[i].due_us != USEC_INFINITY) {
            world->pending[kept] = world->pending[i];
            world->pending[kept++].is_orphaned = true;
        }
    world->n_pending = kept;
    world->holds = 0;
    memset(world->is_connected, 0, sizeof(world->is_connected));
}

void world_restart_daemon(struct world *world)
{
    world_stop_daemon(world);
    world_start_daemon(world);
}

void world_start_daemon(struct world *world)
{
    assert_int_equal(coordinator_new(&world->config, NULL, &world->coordinator), 0);
    if (world->n_stored > 0)
        qsort(world->stored, world->n_stored, sizeof(world->stored[0]), older_first);
    for (size_t i = 0; i < world->n_stored; i++)
        assert_int_equal(coordinator_restore(world->coordinator, copy_of(world->stored[i].recovery)), 0);
    for (size_t i = 0; i < WORLD_DOMAINS; i++) {
        const struct world_remembered *machine = &world->remembered[i];
        _cleanup_(string_list_done) struct string_list learned = {0};
        struct domain_description *description = NULL;
        struct machine_memory memory;

        if (!machine->is_known)
            continue;
        assert_int_equal(coordinator_remember(world->coordinator, &machine->ref, &machine->memory), 0);
        if (machine->document == NULL)
            continue;
        assert_int_equal(
            record_parse_described_machine(machine->document, machine->ref.uuid, &memory, &learned, &description), 0);
        assert_non_null(description);
        assert_int_equal(coordinator_remember_description(world->coordinator, &machine->ref, description), 0);
        assert_int_equal(coordinator_remember_learned(world->coordinator, &machine->ref, &learned), 0);
    }
    for (size_t i = 0; i < WORLD_DOMAINS; i++) {
        struct diversion *diversion = NULL;

        if (world->diversions[i] == NULL)
            continue;
        assert_int_equal(record_parse_diversion(world->diversions[i], world->now,
                                                coordinator_features(world->coordinator), &diversion),
                         0);
        assert_int_equal(coordinator_restore_diversion(world->coordinator, diversion), 0);
    }
    for (size_t i = 0; i < WORLD_HOLDS; i++) {
        struct hold *hold = NULL;

        if (world->hold_documents[i] == NULL)
            continue;
        assert_int_equal(record_parse_hold(world->hold_documents[i], &hold), 0);
        assert_int_equal(coordinator_restore_hold(world->coordinator, hold), 0);
    }
    for (size_t i = 0; i < world->config.n_hypervisors; i++)
        assert_int_equal(coordinator_remember_host(world->coordinator, world->config.hypervisors[i].name,
                                                   world->kept[i].state, world->kept[i].missing, world->kept[i].fenced),
                         0);
}

void world_lose_store(struct world *world)
{
    world_free_store(world);
    for (size_t i = 0; i < WORLD_DOMAINS; i++)
        world->remembered[i] = (struct world_remembered){0};
    memset(world->kept, 0, sizeof(world->kept));
}

void world_free_store(struct world *world)
{
    for (size_t i = 0; i < world->n_stored; i++)
        recovery_free(world->stored[i].recovery);
    world->n_stored = 0;
    for (size_t i = 0; i < WORLD_DOMAINS; i++) {
        free(world->remembered[i].document);
        world->remembered[i].document = NULL;
        free(world->diversions[i]);
        world->diversions[i] = NULL;
    }
    for (size_t i = 0; i < WORLD_HOLDS; i++) {
        free(world->hold_documents[i]);
        world->hold_documents[i] = NULL;
    }
}
