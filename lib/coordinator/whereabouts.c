/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that is missed on its host is looked for on the others. */
#include "coordinator/whereabouts.h"

#include <string.h>

/*
 * A host that is out of reach may have received it, unless that one is known to be off, was given up before already, or is
 * held while it is away, as for maintenance.
 */
static bool may_have_received(const struct host *host, int64_t since_us)
{
    if (host->track.state == HOST_FENCED || host->hold != NULL)
        return false;
    return !host_state_is_lost(host->track.state) || host->given_up_us >= since_us;
}

static bool is_awaited(const struct host *host, int64_t since_us)
{
    if (host->heard_us >= since_us && !host->wants_list && !host->is_listing)
        return false;
    return host->track.is_connected || may_have_received(host, since_us);
}

static bool is_other(const struct host *host, const struct machine_ref *ref)
{
    return host->same_as[0] == '\0' && strcmp(host->name, ref->hypervisor) != 0;
}

/* Its own host as well: what is known of it there is old. */
static void begin(struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].same_as[0] == '\0' && registry->hosts[i].track.is_connected)
            registry->hosts[i].wants_list = true;
}

static const struct host *find_awaited(const struct registry *registry, const struct machine_ref *ref, int64_t since_us)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (is_other(&registry->hosts[i], ref) && is_awaited(&registry->hosts[i], since_us))
            return &registry->hosts[i];
    return NULL;
}

bool whereabouts_are_open(struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    struct watch *watch = watch_get(registry, ref->hypervisor, ref->uuid);
    struct watch_rare *rare = watch != NULL ? watch_get_rare(watch) : NULL;

    if (rare == NULL)
        return true;
    if (rare->missed_us == 0) {
        rare->missed_us = now.mono_us;
        begin(registry);
    }
    return find_awaited(registry, ref, rare->missed_us) != NULL;
}

const char *whereabouts_awaited_host(const struct registry *registry, const struct machine_ref *ref)
{
    const struct watch *watch = watch_find(registry, ref);
    int64_t since_us = watch != NULL ? watch_rare(watch)->missed_us : 0;
    const struct host *host = since_us != 0 ? find_awaited(registry, ref, since_us) : NULL;

    return host != NULL ? host->name : NULL;
}

bool whereabouts_are_asked(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = watch_of(registry, machine);

    return watch != NULL && watch_rare(watch)->missed_us != 0;
}

bool whereabouts_await(const struct registry *registry, const struct host *host)
{
    for (const struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;) {
        const struct watch_rare *rare = watch_rare(watch);
        struct machine_ref ref;

        if (rare->missed_us == 0 || !(watch_is_taken(watch) || rare->track.pending == CAUSE_HOST_LOST))
            continue;
        ref = watch_ref(registry, watch);
        if (is_other(host, &ref) && is_awaited(host, rare->missed_us))
            return true;
    }
    return false;
}

void whereabouts_forget(struct watch *watch)
{
    if (watch->rare == NULL || watch->rare->missed_us == 0)
        return;
    watch->rare->missed_us = 0;
    watch_tidy(watch);
}
