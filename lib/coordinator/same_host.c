/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two connections to one host. */
#include "coordinator/same_host.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/machines.h"

/* A listing like that of another connection is asked for once more after this. */
#define LOOK_AGAIN_US USEC_PER_SEC

/* What runs there, by UUID and id, in any order; {0}: nothing runs, or something is on its way from host to host. */
static struct host_print print_of(const struct inventory *inventory)
{
    struct host_print print = {0};

    for (size_t i = 0; i < inventory->n_reports; i++) {
        const struct domain_report *report = &inventory->reports[i];
        uint32_t hash = (uint32_t)report->id;

        if (report->reason == REASON_BUSY || report->reason == REASON_POSTCOPY_FAILED)
            return (struct host_print){0};
        if (report->state != MACHINE_RUNNING || report->id == 0)
            continue;
        hash = interned_hash_bytes(hash, report->description->uuid, UUID_SIZE);
        print.sum += hash;
        print.mixed += (uint64_t)hash * hash * UINT64_C(0x9e3779b97f4a7c15);
        print.running++;
    }
    return print;
}

static bool is_alike(const struct host *a, const struct host *b)
{
    return a->print.running > 0 && a->print.running == b->print.running && a->print.sum == b->print.sum &&
           a->print.mixed == b->print.mixed && strcmp(a->uuid, b->uuid) == 0;
}

static struct host *find_alike(const struct registry *registry, const struct host *host)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *other = &registry->hosts[i];

        if (other != host && other->is_listed && other->same_as[0] == '\0' && other->alike_to == NULL &&
            is_alike(host, other))
            return other;
    }
    return NULL;
}

/* As the configuration says; NULL: it does not. The first that it names takes part. */
static const char *find_declared(const struct registry *registry, const char *name)
{
    const struct config *config = registry->config;
    const char *host = NULL;

    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, name) == 0)
            host = config->hypervisors[i].host;
    for (size_t i = 0; host != NULL && i < config->n_hypervisors; i++)
        if (config->hypervisors[i].host != NULL && strcmp(config->hypervisors[i].host, host) == 0)
            return strcmp(config->hypervisors[i].name, name) != 0 ? config->hypervisors[i].name : NULL;
    return NULL;
}

static void join(struct registry *registry, struct host *host, const char *first, bool is_declared, struct moment now)
{
    snprintf(host->same_as, sizeof(host->same_as), "%s", first);
    machines_forget_of(registry, host->name);
    outbox_tell_host(
        &registry->outbox, NOTICE_SAME_HOST, now, host->name,
        "%s is the same host as %s%s and takes no part: its machines are those of %s; remove one of the two "
        "from the configuration",
        host->name, first, is_declared ? ", says the configuration," : " by what runs there,", first);
}

/* The one that is named later in the configuration, once. */
static void warn_of_uuid(struct registry *registry, struct host *host, struct moment now)
{
    for (const struct host *other = registry->hosts; other != host && !host->was_warned; other++) {
        bool is_looked_at = other->same_as[0] != '\0' || other->alike_to != NULL;

        if (host->uuid[0] == '\0' || is_looked_at || !other->is_listed || strcmp(other->uuid, host->uuid) != 0)
            continue;
        host->was_warned = true;
        outbox_tell_host(
            &registry->outbox, NOTICE_SAME_HOST, now, host->name,
            "%s and %s have the same host UUID, and may be one host; if they are, remove one of the two from "
            "the configuration, or give both the same `host`",
            host->name, other->name);
    }
}

bool same_host_look(struct registry *registry, struct host *host, const struct inventory *inventory, struct moment now)
{
    const char *declared = find_declared(registry, host->name);
    const struct host *other;

    memcpy(host->uuid, inventory->host_uuid, sizeof(host->uuid));
    host->print = print_of(inventory);
    if (host->same_as[0] != '\0')
        return true;
    if (declared != NULL) {
        join(registry, host, declared, true, now);
        return true;
    }
    other = find_alike(registry, host);
    if (other == NULL) {
        host->alike_to = NULL;
        warn_of_uuid(registry, host, now);
        return false;
    }
    if (host->alike_to == other->name) {
        join(registry, host, other->name, false, now);
        return true;
    }
    host->alike_to = other->name;
    host_list_at(host, now.mono_us + LOOK_AGAIN_US);
    return !host->was_listed;
}

/* The one that takes part. */
static const char *first_of(const struct host *host)
{
    return host->same_as[0] != '\0' ? host->same_as : host->name;
}

bool same_host_is_one(const struct host *a, const struct host *b)
{
    return a != b && strcmp(first_of(a), first_of(b)) == 0;
}

bool same_host_lives(const struct registry *registry, const struct host *host)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].track.is_connected && same_host_is_one(host, &registry->hosts[i]))
            return true;
    return false;
}

void same_host_configure(struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        registry->hosts[i].same_as[0] = '\0';
        registry->hosts[i].alike_to = NULL;
        registry->hosts[i].was_warned = false;
    }
}
