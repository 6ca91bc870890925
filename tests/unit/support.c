/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several unit tests need. Deliberately simple-minded: it is the yardstick, not the thing measured. */
#include "support.h"

#include "config/policy.h"
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* UNIT_TEST='test_a*' runs only these. */
__attribute__((constructor)) static void choose_tests(void)
{
    const char *pattern = getenv("UNIT_TEST");

    if (pattern != NULL)
        cmocka_set_test_filter(pattern);
}

static struct config_hypervisor hypervisors[] = {
    {.name = (char *)"local", .uri = (char *)"test:///default"},
    {.name = (char *)"other", .uri = (char *)"test:///other"},
};

static struct config_weight default_weights[] = {
    {.kind = (char *)"os", .millionths = 200000},       {.kind = (char *)"language", .millionths = 300000},
    {.kind = (char *)"database", .millionths = 200000}, {.kind = (char *)"webserver", .millionths = 100000},
    {.kind = (char *)"software", .millionths = 50000},  {.kind = (char *)"data", .millionths = 200000},
};

static struct config_weight case_study_weights[] = {
    {.kind = (char *)"language", .millionths = 300000},
    {.kind = (char *)"database", .millionths = 200000},
    {.kind = (char *)"webserver", .millionths = 100000},
};

static char *all_machines[] = {(char *)"*"};

void give(struct config_service *entry, const char *key)
{
    const struct schema_key *at;

    for (size_t place = 0; (at = policy_key(place)) != NULL; place++)
        if (strcmp(at->path + strlen("services[]."), key) == 0) {
            entry->given |= UINT32_C(1) << place;
            return;
        }
    fail_msg("no key of services: %s", key);
}

struct config default_config(void)
{
    return (struct config){
        .file = (char *)"test.yaml",
        .mode = MODE_AUTOMATIC,
        .state_dir = (char *)"/nonexistent",
        .api_socket = (char *)"/nonexistent/api.sock",
        .hypervisors = hypervisors,
        .n_hypervisors = ELEMENTS_OF(hypervisors),
        .pool = {.protect = {all_machines, 1}, .standby = {all_machines, 1}},
        .similarity =
            {
                .threshold = 500000,
                .min_coverage = 500000,
                .rank_by = RANK_BY_OVERLAP,
                .environment_weights = {50000, 50000, 50000},
                .resource_weights = default_weights,
                .n_resource_weights = ELEMENTS_OF(default_weights),
            },
        .failure =
            {
                .io_error_grace_us = 10 * USEC_PER_SEC,
                .reboot_grace_us = 20 * USEC_PER_SEC,
                .watchdog_grace_us = 5 * USEC_PER_SEC,
                .panic_limit = 3,
                .panic_window_us = 600 * USEC_PER_SEC,
                .host_kill_is_failure = true,
                .heartbeat = {.interval_us = 30 * USEC_PER_SEC, .timeout_us = 10 * USEC_PER_SEC, .misses = 3},
            },
        .recovery =
            {
                .order = ORDER_REPLACEMENT,
                .call_timeout_us = 10 * USEC_PER_SEC,
                .start_timeout_us = 60 * USEC_PER_SEC,
                .shutdown_timeout_us = 60 * USEC_PER_SEC,
                .settle_us = 3 * USEC_PER_SEC,
                .attempts = 3,
                .retry_for_us = 3600 * USEC_PER_SEC,
                .late_start_us = 600 * USEC_PER_SEC,
                .limit_window_us = 3600 * USEC_PER_SEC,
                .without_intent = true,
                .intent_timeout_us = 2 * USEC_PER_SEC,
                .verify =
                    {
                        .level = VERIFY_AUTO,
                        .port = 22,
                        .command = (char *)"/nonexistent/verify",
                        .timeout_us = 120 * USEC_PER_SEC,
                        .interval_us = USEC_PER_SEC,
                    },
                .brake = {.minimum = 5, .window_us = 60 * USEC_PER_SEC},
                .when_exhausted = EXHAUSTED_ALERT,
                .restart_attempts = 3,
                .restart_backoff_us = 10 * USEC_PER_SEC,
                .history_days = 400,
            },
        .hooks = {.directory = (char *)"/nonexistent/hooks.d", .timeout_us = 30 * USEC_PER_SEC},
        .discovery = {.resync_interval_us = 300 * USEC_PER_SEC, .reconnect_max_us = 30 * USEC_PER_SEC},
    };
}

struct config_similarity case_study_similarity(void)
{
    return (struct config_similarity){
        .threshold = 500000,
        .min_coverage = 500000,
        .rank_by = RANK_BY_OVERLAP,
        .resource_weights = case_study_weights,
        .n_resource_weights = ELEMENTS_OF(case_study_weights),
    };
}

void uuid_from(unsigned number, char ret_uuid[UUID_TEXT_SIZE])
{
    snprintf(ret_uuid, UUID_TEXT_SIZE, "00000000-0000-4000-8000-%012x", number);
}

void describe_uuid(struct domain_description *description, unsigned number)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_from(number, uuid);
    assert_true(uuid_parse(uuid, description->uuid));
}

static void *require(void *allocated)
{
    assert_non_null(allocated);
    return allocated;
}

struct domain_description *describe(unsigned number, const char *name)
{
    struct domain_description *description = require(calloc(1, sizeof(*description)));

    describe_uuid(description, number);
    description->name = require(strdup(name));
    description->vcpus = 2;
    description->memory_kib = 1024 * 1024;
    return description;
}

void describe_feature(struct domain_description *description, const char *kind, const char *value)
{
    assert_int_equal(feature_texts_add(&description->features, kind, value), 0);
    description->has_metadata = true;
}

void describe_features(struct domain_description *description, const char *features)
{
    char text[256], *rest = text, *word;

    assert_true(strlen(features) < sizeof(text));
    strcpy(text, features);
    while ((word = strsep(&rest, " ")) != NULL) {
        char *kind = strsep(&word, "/");

        if (*kind != '\0')
            describe_feature(description, kind, word);
    }
}

void describe_role(struct domain_description *description, const char *role)
{
    unsigned roles = ROLE_UNREADABLE;

    if (strcmp(role, machine_roles_name(ROLE_UNREADABLE)) != 0)
        assert_int_equal(machine_roles_parse(role, &roles), 0);
    description->roles = (uint8_t)roles;
    description->has_metadata = true;
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random_next(state) % limit;
}

void describe_image(struct domain_description *description, const char *source)
{
    struct disk *disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*disks));

    assert_non_null(disks);
    description->disks = disks;
    disks[description->n_disks] = (struct disk){.writable = true};
    assert_int_equal(disk_set_texts(&disks[description->n_disks++], source, NULL, NULL, NULL), 0);
}
