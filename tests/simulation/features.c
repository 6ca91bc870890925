/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What domains offer, and how alike two are: written anew from lib/similarity/README.md, as the yardstick
 * that the engine is held against.
 */
#include <stdlib.h>
#include <string.h>

#include "simulation.h"

static const struct {
    const char *kind, *value;
    uint32_t weight;
} features[FEATURES] = {
    {"language", "nodejs", 300000},  {"language", "java", 300000}, {"language", "php", 300000},
    {"database", "mysql", 200000},   {"database", "pg", 200000},   {"webserver", "nginx", 100000},
    {"webserver", "apache", 100000}, {"data", "orders", 200000},   {"os", "debian-12", 200000},
    {"os", "ubuntu-22.04", 200000},
};

#define OS_FEATURES (1u << 8 | 1u << 9) /* by themselves too little to compare by */

const struct config_weight feature_weights[] = {
    {.kind = (char *)"language", .millionths = 300000},  {.kind = (char *)"database", .millionths = 200000},
    {.kind = (char *)"webserver", .millionths = 100000}, {.kind = (char *)"data", .millionths = 200000},
    {.kind = (char *)"os", .millionths = 200000},
};
const size_t n_feature_weights = ELEMENTS_OF(feature_weights);

/* Ports on which a domain listens, and where it was reached: what they weigh and how they are drawn changes no course. */
static const struct {
    const char *kind, *value;
    unsigned port;
    bool is_reached;
    unsigned of; /* the domains whose last digit has one of these bits */
} ports[] = {
    {"port", "22", 22, false, 0xfe7f},          {"port", "80", 80, false, 0xdddd},
    {"port", "443", 443, false, 0xaaaa},        {"reached-port", "80", 80, true, 0x9249},
    {"reached-port", "443", 443, true, 0x6db6},
};

static bool has_port(const char *uuid, size_t port)
{
    return (ports[port].of >> strtoul(uuid + strlen(uuid) - 1, NULL, 16) & 1u) != 0;
}

static void expect(struct ports *expected, const char *original, const char *replacement, bool is_reached)
{
    for (size_t i = 0; i < ELEMENTS_OF(ports); i++)
        for (size_t k = 0; k < ELEMENTS_OF(ports); k++)
            if (ports[i].is_reached == is_reached && has_port(original, i) && ports[k].port == ports[i].port &&
                !ports[k].is_reached && has_port(original, k) && has_port(replacement, k))
                (void)ports_add(expected, ports[i].port);
}

static bool are_same(const struct ports *a, const struct ports *b)
{
    return a->count == b->count && memcmp(a->items, b->items, sizeof(a->items)) == 0;
}

/* A standby that is made warm is asked for the ports of one that it is to take the place of: of which, the plan says. */
static bool serve_for_any(const struct simulation *simulation, const struct action *action)
{
    if (action->ports.listening.count == 0 && action->ports.reached.count == 0)
        return true;
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const char *uuid = simulation->domains[i].uuid;
        struct wanted_ports expected = {0};

        expect(&expected.listening, uuid, action->target.uuid, false);
        expect(&expected.reached, uuid, action->target.uuid, true);
        if (strcmp(uuid, action->target.uuid) != 0 && are_same(&expected.listening, &action->ports.listening) &&
            are_same(&expected.reached, &action->ports.reached))
            return true;
    }
    return false;
}

void features_before(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    struct wanted_ports expected = {0};

    if (action->kind != ACTION_VERIFY || action->level != VERIFY_AGENT || simulation->has_reloaded)
        return;
    if (recovery == NULL) {
        if (!serve_for_any(simulation, action))
            violate(simulation, "promise 5: a warm standby is verified by ports that it shares with no other machine");
        return;
    }
    /* Of the original itself nothing is wanted; where it was migrated meanwhile, it counts as another machine. */
    if (strcmp(recovery->service.uuid, action->target.uuid) == 0)
        return;
    expect(&expected.listening, recovery->service.uuid, action->target.uuid, false);
    expect(&expected.reached, recovery->service.uuid, action->target.uuid, true);
    if (!are_same(&expected.listening, &action->ports.listening) ||
        !are_same(&expected.reached, &action->ports.reached)) {
        char asked[PORTS_TEXT_SIZE], right[PORTS_TEXT_SIZE];

        ports_format(&action->ports.listening, asked);
        ports_format(&expected.listening, right);
        violate(simulation, "promise 5: %s is verified by the ports %s, and both serve %s", recovery->replacement_name,
                asked, right);
    }
}

void features_describe(const struct domain *domain, struct domain_description *description)
{
    for (size_t i = 0; i < ELEMENTS_OF(ports); i++)
        if (has_port(domain->uuid, i) && feature_texts_add(&description->features, ports[i].kind, ports[i].value) < 0)
            abort();
    for (unsigned i = 0; i < FEATURES; i++)
        if ((domain->features & 1u << i) != 0 &&
            feature_texts_add(&description->features, features[i].kind, features[i].value) < 0)
            abort();
    description->has_metadata = true;
}

unsigned features_described(const struct domain_description *description)
{
    struct feature_text text;
    unsigned set = 0;

    for (size_t place = 0; feature_texts_next(&description->features, &place, &text);)
        for (unsigned i = 0; i < FEATURES; i++)
            if (strcmp(text.kind, features[i].kind) == 0 && strcmp(text.value, features[i].value) == 0)
                set |= 1u << i;
    return set;
}

static uint64_t weigh(unsigned set)
{
    uint64_t weight = 0;

    for (unsigned i = 0; i < FEATURES; i++)
        weight += (set & 1u << i) != 0 ? features[i].weight : 0;
    return weight;
}

/* Amounts enter as fractions a/max(a,b): all are brought to the denominator that both share. */
bool features_are_enough(const struct config_similarity *config, const struct domain *failed,
                         const struct domain *candidate)
{
    uint64_t cpu = config->environment_weights[ENVIRONMENT_CPU];
    uint64_t memory = config->environment_weights[ENVIRONMENT_MEMORY];
    uint64_t cpu_max = failed->vcpus > candidate->vcpus ? failed->vcpus : candidate->vcpus;
    uint64_t cpu_min = failed->vcpus < candidate->vcpus ? failed->vcpus : candidate->vcpus;
    uint64_t mib_a = failed->memory_kib / 1024, mib_b = candidate->memory_kib / 1024;
    uint64_t mib_max = mib_a > mib_b ? mib_a : mib_b, mib_min = mib_a < mib_b ? mib_a : mib_b;
    uint64_t unit = cpu_max * mib_max;
    uint64_t a = weigh(failed->features) * unit + cpu * failed->vcpus * mib_max + memory * mib_a * cpu_max;
    uint64_t both =
        weigh(failed->features & candidate->features) * unit + cpu * cpu_min * mib_max + memory * mib_min * cpu_max;
    uint64_t either = (weigh(failed->features | candidate->features) + cpu + memory) * unit;
    bool is_more_than_os_known = (failed->features & ~OS_FEATURES) != 0;
    uint64_t resources = weigh(failed->features), shared = weigh(failed->features & candidate->features);

    return is_more_than_os_known && resources > 0 &&
           (__uint128_t)a * MILLIONTHS >= (__uint128_t)either * config->threshold &&
           (__uint128_t)both * MILLIONTHS >= (__uint128_t)a * config->min_coverage &&
           (__uint128_t)shared * MILLIONTHS >= (__uint128_t)resources * config->min_coverage;
}
