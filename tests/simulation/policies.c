/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of services, and whether decisions keep to them. Reads names and times alone, and calls nothing that decides. */
#include <fnmatch.h>
#include <string.h>

#include "base/cleanup.h"
#include "simulation.h"

/* As the manual says: one that failed so much earlier is not waited for. */
#define TOGETHER_US (10 * USEC_PER_SEC)

static char *low[] = {(char *)"vm-0[0-4]", (char *)"vm-2*"}, *odd[] = {(char *)"vm-?[13579]"};
static char *even[] = {(char *)"vm-?[02468]"};

/* Keys are given by their places in the schema's order. */
enum { GIVES_THRESHOLD = 1, GIVES_MIN_COVERAGE = 2, GIVES_AFTER = 10, GIVES_APART = 11, GIVES_HOSTS = 12 };

static uint32_t bit(unsigned place)
{
    return UINT32_C(1) << place;
}

void policies_configure(struct simulation *simulation, struct config *config, uint64_t base)
{
    static char *first_hosts[] = {(char *)"host[01]"};
    struct config_service *entries = simulation->services[config == &simulation->configs[1]];

    if (simulation->options->is_short || !random_hits(DIE(base, 60), 25))
        return;
    entries[0] = (struct config_service){
        .match = {low, ELEMENTS_OF(low)},
        .apart = true,
        .hosts = {first_hosts, 1},
        .given = (random_hits(DIE(base, 61), 70) ? bit(GIVES_APART) : 0) |
                 (random_hits(DIE(base, 62), 40) ? bit(GIVES_HOSTS) : 0),
    };
    entries[1] = (struct config_service){
        .match = {odd, 1},
        .after = {even, 1},
        .threshold = 600000,
        .min_coverage = 400000,
        .given = (random_hits(DIE(base, 63), 70) ? bit(GIVES_AFTER) : 0) |
                 (random_hits(DIE(base, 64), 50) ? bit(GIVES_THRESHOLD) | bit(GIVES_MIN_COVERAGE) : 0),
    };
    config->services = entries;
    config->n_services = POLICY_ENTRIES;
}

/* The first entry that gives the key and matches. */
static const struct config_service *entry_for(const struct simulation *simulation, const char *service, unsigned key)
{
    const struct config *config = simulation->config;

    for (size_t i = 0; i < config->n_services; i++)
        for (size_t k = 0; k < config->services[i].match.count; k++)
            if ((config->services[i].given & bit(key)) != 0 &&
                fnmatch(config->services[i].match.items[k], service, 0) == 0)
                return &config->services[i];
    return NULL;
}

struct config_similarity policies_similarity(const struct simulation *simulation, const char *service)
{
    const struct config_service *entry = entry_for(simulation, service, GIVES_THRESHOLD);
    struct config_similarity similarity = simulation->config->similarity;

    if (entry != NULL) {
        similarity.threshold = entry->threshold;
        similarity.min_coverage = entry->min_coverage;
    }
    return similarity;
}

bool policies_allow_host(const struct simulation *simulation, const char *service, const char *host)
{
    const struct config_service *entry = entry_for(simulation, service, GIVES_HOSTS);

    return entry == NULL || fnmatch(entry->hosts.items[0], host, 0) == 0;
}

void policies_check_host(struct simulation *simulation, const struct recovery *recovery)
{
    if (!machine_ref_equal(&recovery->replacement, &recovery->service) &&
        !policies_allow_host(simulation, recovery->service_name, recovery->replacement.hypervisor))
        violate(simulation, "policies: %s is to run on %s, where it may not", recovery->service_name,
                recovery->replacement.hypervisor);
}

static int64_t down_us(const struct recovery *recovery)
{
    return moment_has_come(recovery->down_since) ? recovery->down_since.mono_us : recovery->detected.mono_us;
}

/* Its host is lost, and nothing is done before an operator has seen to it. */
static bool is_stuck(const struct simulation *simulation, const struct recovery *recovery)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(simulation->coordinator); i++) {
        struct hypervisor_status host = coordinator_hypervisor(simulation->coordinator, i);

        if (strcmp(host.name, recovery->failed.hypervisor) == 0)
            return host.host->state == HOST_UNFENCED || host.host->state == HOST_ISOLATED;
    }
    return false;
}

/* When something is decided on for it: whatever is to be recovered before has been, or cannot be. */
void policies_check_order(struct simulation *simulation, const struct recovery *recovery)
{
    const struct config_service *entry = entry_for(simulation, recovery->service_name, GIVES_AFTER);

    if (entry == NULL || recovery->to_name != NULL)
        return;
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *other = coordinator_recovery(simulation->coordinator, i);

        if (other != recovery && !is_stuck(simulation, other) && !recovery_state_is_final(other->state) &&
            other->to_name == NULL && fnmatch(entry->after.items[0], other->service_name, 0) == 0 &&
            entry_for(simulation, other->service_name, GIVES_AFTER) != entry &&
            down_us(other) + TOGETHER_US > down_us(recovery))
            violate(simulation, "policies: %s is decided on, and %s is to be recovered before", recovery->service_name,
                    other->service_name);
    }
}
