/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fixture of all tests of the coordinator: a world for each of them, and short words for what they look at. */
#include <string.h>

#include "support.h"
#include "world_answers.h"

static struct world the_world;

struct world *world_of_test(void)
{
    return &the_world;
}

int world_set_up(void **state)
{
    (void)state;
    world_begin(&the_world);
    return 0;
}

void world_begin_remote(struct world *world)
{
    world_begin(world);
    world_make_remote(world);
    for (unsigned i = 0; i < world->n_hosts; i++)
        world->free_memory_kib[i] = 100 * GIB_KIB;
}

int world_set_up_remote(void **state)
{
    (void)state;
    world_begin_remote(&the_world);
    return 0;
}

int world_tear_down(void **state)
{
    (void)state;
    world_end(&the_world);
    return 0;
}

void world_run_test(void **state)
{
    world_test_function *test = (world_test_function *)*state;

    test(&the_world);
}

unsigned world_add_on(struct world *world, unsigned hypervisor, const char *name, enum machine_state state)
{
    unsigned number = world_add(world, name, WEB, state);

    world->domains[number].hypervisor = hypervisor;
    return number;
}

unsigned world_add_three(struct world *world)
{
    bool is_remote = world->n_hosts == WORLD_HYPERVISORS;
    unsigned first = world_add_on(world, 0, "a", MACHINE_RUNNING);

    world_add_on(world, is_remote ? 1 : 0, "b", MACHINE_SHUT_OFF);
    world_add_on(world, is_remote ? 2 : 0, "c", MACHINE_SHUT_OFF);
    world_connect_all(world);
    return first;
}

void world_add_many(struct world *world, unsigned n_running, unsigned n)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    assert_true(n <= ELEMENTS_OF(names));
    for (unsigned i = 0; i < n; i++)
        world_add_on(world, 0, names[i], i < n_running ? MACHINE_RUNNING : MACHINE_SHUT_OFF);
}

void world_set_brake(struct world *world, unsigned minimum, uint32_t share)
{
    world->config.recovery.brake =
        (struct config_brake){.share = share, .minimum = minimum, .window_us = 60 * USEC_PER_SEC};
}

unsigned world_count_running(const struct world *world)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world->n_domains; i++)
        count += world->domains[i].exists && world->domains[i].state == MACHINE_RUNNING;
    return count;
}

unsigned world_count_starts(const struct world *world)
{
    unsigned starts = 0;

    for (unsigned i = 0; i < world->n_domains; i++)
        starts += world->domains[i].starts;
    return starts;
}

static unsigned number_in_uuid(const struct world *world, unsigned number)
{
    return world->domains[number].uuid_of != 0 ? world->domains[number].uuid_of - 1 : number;
}

void world_make_uuid(const struct world *world, unsigned number, char ret_uuid[UUID_TEXT_SIZE])
{
    uuid_from(number_in_uuid(world, number), ret_uuid);
}

unsigned world_number_of(const struct world *world, const struct machine_ref *ref)
{
    unsigned number = (unsigned)strtoul(ref->uuid + 24, NULL, 16);

    assert_true(number < WORLD_DOMAINS);
    for (unsigned i = 0; i < world->n_domains; i++)
        if (number_in_uuid(world, i) == number &&
            strcmp(world->hosts[world->domains[i].hypervisor], ref->hypervisor) == 0)
            return i;
    return number;
}

const struct machine *world_machine(const struct world *world, unsigned number)
{
    char uuid[UUID_TEXT_SIZE];

    world_make_uuid(world, number, uuid);
    return pool_find(coordinator_pool(world->coordinator), world->hosts[world->domains[number].hypervisor], uuid);
}

size_t world_recoveries(const struct world *world, unsigned number, const struct recovery **ret_last)
{
    size_t count = 0;

    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(world->coordinator, i);

        if (world_number_of(world, &recovery->failed) != number)
            continue;
        *ret_last = recovery;
        count++;
    }
    return count;
}

const struct recovery *world_expect(const struct world *world, unsigned number, enum recovery_state state)
{
    const struct recovery *recovery = NULL;

    assert_int_equal(world_recoveries(world, number, &recovery), 1);
    assert_string_equal(recovery_state_name(recovery->state), recovery_state_name(state));
    return recovery;
}

const struct explained_candidate *world_explained(const struct recovery *recovery, const char *name)
{
    const struct explanation *explanation = recovery->explanation;

    assert_non_null(explanation);
    for (size_t i = 0; i < explanation->n_candidates; i++)
        if (strcmp(explanation->candidates[i].name, name) == 0)
            return &explanation->candidates[i];
    fail_msg("%s is not explained", name);
    return NULL;
}

void world_assert_host(const struct world *world, unsigned hypervisor, enum host_state state)
{
    const struct host_track *host = coordinator_hypervisor(world->coordinator, hypervisor).host;

    assert_string_equal(host_state_name(host->state), host_state_name(state));
}
