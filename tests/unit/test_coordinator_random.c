/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A random course of crashes, starts, lost connections, late answers, full disks and restarts of the daemon: the
 * promises that the make-believe world checks at every start, and that everything ends.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* What was started without an intent on disk is not known any more: that is the price, and was told. */
static void forget_unrecorded(struct world *world)
{
    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(world->coordinator, i);

        for (unsigned n = 0; recovery->is_unrecorded && n < world->n_domains; n++)
            if (strcmp(world->domains[n].started_for, recovery->id) == 0)
                world->domains[n].started_for[0] = '\0';
    }
}

/* The daemon is killed; what it had asked for happens all the same, or does not. */
static void random_restart(struct world *world, uint64_t *seed)
{
    while (world->n_pending > 0) {
        const struct action action = world->pending[world->n_pending - 1].action;
        struct world_domain *domain = &world->domains[strtoul(action.target.uuid + 24, NULL, 16) % WORLD_DOMAINS];

        world->n_pending--;
        if (action.kind != ACTION_START || domain->state != MACHINE_SHUT_OFF || !domain->exists ||
            random_below(seed, 2) == 0)
            continue;
        domain->state = MACHINE_RUNNING;
        domain->reason = REASON_UNKNOWN;
        memcpy(domain->started_for, action.recovery_id, sizeof(domain->started_for));
    }
    forget_unrecorded(world);
    world_restart_daemon(world);
    world_connect_all(world);
}

static void random_trouble(struct world *world, uint64_t *seed)
{
    switch (random_below(seed, 5)) {
    case 0:
        random_restart(world, seed);
        break;
    case 1:
        world->record_error = random_below(seed, 2) == 0 ? -ENOSPC : 0;
        break;
    case 2:
        coordinator_handle_clock_jump(world->coordinator, world->now);
        break;
    case 3:
        coordinator_release_brake(world->coordinator, world->now);
        break;
    default:
        world->loses_writes = random_below(seed, 3) == 0;
        break;
    }
}

static void random_deed(struct world *world, uint64_t *seed)
{
    unsigned number = (unsigned)random_below(seed, world->n_domains);
    struct world_domain *domain = &world->domains[number];

    switch (random_below(seed, 12)) {
    case 0:
    case 1:
    case 2:
        if (domain->state == MACHINE_RUNNING && domain->exists)
            world_kill(world, number);
        break;
    case 3:
        if (domain->state != MACHINE_RUNNING)
            world_boot(world, number);
        break;
    case 4:
        if (world->is_connected[domain->hypervisor])
            world_disconnect(world, domain->hypervisor);
        else
            world_connect(world, domain->hypervisor);
        break;
    case 5:
        domain->start_error = random_below(seed, 2) == 0 ? 0 : -EIO;
        domain->dies_at_once = random_below(seed, 4) == 0;
        break;
    case 6:
        world->holds = (unsigned)random_below(seed, 1u << ACTION_COUNT);
        break;
    case 7:
        if (world->n_pending > 0)
            world_answer(world, random_below(seed, world->n_pending), random_below(seed, 2) == 0);
        break;
    case 8:
        world_tell(world, number, (enum domain_event_kind)random_below(seed, EVENT_COUNT));
        break;
    case 9:
        random_trouble(world, seed);
        break;
    case 10:
        domain->is_mute = random_below(seed, 2) == 0;
        domain->hook_error = random_below(seed, 4) == 0 ? -ECANCELED : 0;
        break;
    default:
        world_pass(world, (int64_t)random_below(seed, 5 * USEC_PER_SEC));
        break;
    }
    if (world->n_pending > WORLD_PENDING / 2)
        world_release(world);
    world_drive(world);
}

static void random_config(struct world *world, uint64_t *seed)
{
    struct config_recovery *config = &world->config.recovery;

    config->limit = (unsigned)random_below(seed, 5);
    config->concurrency = (unsigned)random_below(seed, 3);
    config->quarantine_us = (int64_t)random_below(seed, 2) * 60 * USEC_PER_SEC;
    config->when_exhausted = random_below(seed, 2) == 0 ? EXHAUSTED_RESTART : EXHAUSTED_ALERT;
    config->without_intent = random_below(seed, 2) == 0;
    config->check_memory = random_below(seed, 2) == 0;
    config->brake.share = random_below(seed, 2) == 0 ? 500000 : 0;
    world->config.failure.heartbeat.is_enabled = random_below(seed, 2) == 0;
    world->config.failure.heartbeat.interval_us = 5 * USEC_PER_SEC;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

static void add_domains(struct world *world, uint64_t *seed)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    for (unsigned i = 0; i < ELEMENTS_OF(names); i++) {
        unsigned number = world_add(world, names[i], WEB, i % 2 == 0 ? MACHINE_RUNNING : MACHINE_SHUT_OFF);
        struct world_domain *domain = &world->domains[number];

        domain->hypervisor = i % 3 == 0;
        domain->is_transient = i == 4;
        domain->on_crash = (enum on_crash)random_below(seed, 3);
        domain->has_agent = random_below(seed, 2) == 0;
        domain->disk = i >= 7 ? "/images/shared.qcow2" : NULL;
        domain->priority = (int)random_below(seed, 3);
    }
    world_connect_all(world);
}

/* Whatever happened: once the world is in order again, every recovery ends and no machine stays claimed. */
static void put_in_order(struct world *world)
{
    world_release(world);
    world->record_error = 0;
    world->loses_writes = false;
    for (unsigned i = 0; i < world->n_hosts; i++)
        if (!world->is_connected[i])
            world_connect(world, i);
    for (unsigned i = 0; i < 3; i++) {
        coordinator_release_brake(world->coordinator, world->now);
        world_pass(world, world->config.recovery.retry_for_us / 2); /* nothing is tried again after that */
    }
}

static void assert_in_order(const struct world *world)
{
    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++)
        assert_true(recovery_state_is_final(coordinator_recovery(world->coordinator, i)->state));
    for (const struct machine *machine = pool_next(coordinator_pool(world->coordinator), NULL); machine != NULL;
         machine = pool_next(coordinator_pool(world->coordinator), machine)) {
        assert_null(machine_rare(machine)->claimed_by);
        assert_true(machine->is_present);
        assert_false(machine->is_starting);
    }
}

static void test_random_courses_keep_the_promises(struct world *world)
{
    unsigned recovered = 0, resumed = 0, braked = 0, unrecorded = 0;

    for (uint64_t round = 1; round <= 200; round++) {
        uint64_t seed = round * UINT64_C(0x9e3779b97f4a7c15);

        world_end(world);
        world_begin(world);
        random_config(world, &seed);
        add_domains(world, &seed);
        for (int deed = 0; deed < 150; deed++)
            random_deed(world, &seed);
        put_in_order(world);
        assert_in_order(world);
        recovered += world->told[NOTICE_RECOVERED];
        resumed += world->told[NOTICE_RESUMED];
        braked += world->told[NOTICE_BRAKE_ON];
        unrecorded += world->told[NOTICE_INTENT_FAILED];
    }
    assert_true(recovered > 100 && resumed > 10 && braked > 10 && unrecorded > 10);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_random_courses_keep_the_promises),
    };

    return cmocka_run_group_tests_name("coordinator_random", tests, NULL, NULL);
}
