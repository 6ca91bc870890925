/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the policy of a service means for a choice. */
#include "choose/candidate.h"

#include <fnmatch.h>

static bool has_sibling(const struct choice_request *request, const struct pool_host *host)
{
    uint16_t group = (uint16_t)request->policy->config->policy.apart;
    bool is_its_own = request->is_sibling && host == request->host;

    return pool_siblings_on(request->pool, group, host) > (is_its_own ? 1 : 0);
}

void request_set_policy(struct choice_request *request, const struct policy *policy, bool is_sibling)
{
    request->policy = policy;
    request->is_sibling = is_sibling;
    request->has_sibling = policy->config->policy.apart > 0 ? has_sibling : NULL;
}

const struct similarity_rules *request_rules(const struct choice_request *request)
{
    return request->policy != NULL ? request->policy->rules : pool_rules(request->pool);
}

/* The original may take its service back where it is. */
static bool is_original(const struct choice_request *request, const struct machine *machine)
{
    return request->failed != NULL && request->failed->serves != NULL && machine->diverted == request->failed->serves;
}

bool request_allows_host(const struct choice_request *request, const struct machine *machine)
{
    const struct string_list *hosts = request->policy != NULL ? &request->policy->config->policy.hosts : NULL;
    size_t i = 0;

    if (hosts == NULL || hosts->count == 0 || is_original(request, machine))
        return true;
    while (i < hosts->count && fnmatch(hosts->items[i], machine->hypervisor, 0) != 0)
        i++;
    return i < hosts->count;
}
