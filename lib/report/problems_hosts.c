/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that cannot be reached, or at which nothing can be done; and agents that would fence them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/problem_search.h"

static const char *words_of_unreachable(enum host_state state)
{
    if (state == HOST_LOST)
        return "is lost; no machine on it needs to be recovered";
    if (state == HOST_FENCING)
        return "is lost and is being fenced";
    if (state == HOST_FENCED)
        return "was lost and is fenced; its machines are recovered elsewhere";
    return "is not connected, and its machines are not watched";
}

static void look_at_host(struct problem_search *search, const struct hypervisor_status *host)
{
    if (host->host->state == HOST_UNFENCED)
        problems_add(
            search, PROBLEM_HOST_NOT_FENCED, host->name,
            text_print("%s is lost and not known to be off, so that none of its machines is started elsewhere%s%s",
                       host->name, host->host->trouble != NULL ? ": " : "",
                       host->host->trouble != NULL ? host->host->trouble : ""),
            text_print("make sure that it is off; then: understudyctl fenced %s --yes", host->name));
    else if (host->host->state == HOST_ISOLATED)
        problems_add(
            search, PROBLEM_HOST_ISOLATED, host->name,
            text_print(
                "%s is out of reach, and so are more of the remote hosts than isolation_share: the fault may be this "
                "host's network, and nothing is fenced",
                host->name),
            text_print("look at the network of this host; if %s is surely off: understudyctl fenced %s --yes; where "
                       "there is one remote host alone, isolation_share: 1 has it fenced",
                       host->name, host->name));
    else if (!host->is_connected && host->trouble != NULL) /* else it is being connected to for the first time */
        problems_add(
            search, PROBLEM_HOST_UNREACHABLE, host->name,
            text_print("%s %s: %s", host->name, words_of_unreachable(host->host->state), host->trouble),
            text_print(
                "on that host: systemctl status libvirtd virtqemud; from here, as root: runuser -u understudy -- "
                "virsh -c '%s' list",
                host->uri));
}

/* Reached, and of no use all the same. */
static void look_at_connection(struct problem_search *search, const struct hypervisor_status *host)
{
    if (host->same_as != NULL)
        problems_add(search, PROBLEM_HOST_NAMED_TWICE, host->name,
                     text_print("%s is the same host as %s, and takes no part: its machines are those of %s",
                                host->name, host->same_as, host->same_as),
                     text_print("remove one of the two from hypervisors in %s; then: understudyctl reload",
                                search->outside->config_file));
    else if (host->is_connected && host->is_read_only)
        problems_add(
            search, PROBLEM_HOST_READ_ONLY, host->name,
            text_print("%s is reached without the rights to change anything: its machines are watched, and none "
                       "of them can be started or stopped",
                       host->name),
            text_print("give understudyd these rights there (group libvirt, or the policy of libvirt), or connect "
                       "by another URI than %s",
                       host->uri));
}

/* "ipmi: exit status 1; pdu-a: …" of those that failed when they were tested last. NULL: no memory. */
static char *failing_agents(const struct fence_log *tests, size_t *ret_count)
{
    char *text = NULL;
    size_t size = 0, n = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < tests->count; i++)
        if (!tests->all[i].has_succeeded)
            fprintf(out, "%s%s: %s", n++ > 0 ? "; " : "", tests->all[i].agent, tests->all[i].answer);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    *ret_count = n;
    return text;
}

static void look_at_agents(struct problem_search *search, const struct hypervisor_status *host)
{
    size_t n = 0;
    _cleanup_(freep) char *failing = failing_agents(host->fence_tests, &n);

    if (failing == NULL) {
        search->error = -ENOMEM;
        return;
    }
    if (n > 0)
        problems_add(search, PROBLEM_FENCE_AGENT, host->name,
                     text_print("%s may not be fenced when it is lost, since the fence agent%s do%s not answer: %s",
                                host->name, PLURAL(n), n == 1 ? "es" : "", failing),
                     text_print("look at the address, the options and the rights of the agent; then: understudyctl "
                                "fence-test %s",
                                host->name));
}

static size_t protected_on(const struct pool *pool, const char *hypervisor)
{
    size_t n = 0;

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        n += strcmp(machine->hypervisor, hypervisor) == 0 && machine_is_protected(machine);
    return n;
}

/* Promise 8: what runs on a host that is lost is not started elsewhere while that host may be on. */
static void look_at_missing_agent(struct problem_search *search, const struct hypervisor_status *host)
{
    const struct config *config = search->outside->config;
    size_t n = 0;

    if (config != NULL && !config->fence.is_by_hand && !host->is_local && !host->can_be_fenced && host->same_as == NULL)
        n = protected_on(coordinator_pool(search->coordinator), host->name);
    if (n > 0)
        problems_add(
            search, PROBLEM_NO_FENCE_AGENT, host->name,
            text_print("%s can be fenced by no agent: when it is lost, none of its protected machines (%zu) is "
                       "started elsewhere until an operator confirms that it is off",
                       host->name, n),
            text_print(
                "name an agent in fence.command of %s and try it: understudyctl fence-test %s; if none is meant, "
                "say so there: fence.by_hand: true",
                search->outside->config_file, host->name));
}

void problems_look_at_hosts(struct problem_search *search)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(search->coordinator); i++) {
        struct hypervisor_status host = coordinator_hypervisor(search->coordinator, i);

        look_at_host(search, &host);
        look_at_connection(search, &host);
        look_at_agents(search, &host);
        look_at_missing_agent(search, &host);
    }
}
