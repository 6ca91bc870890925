/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts and machines by name. Only reads the coordinator. */
#include "api/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/suggest.h"

#define HOST    "host:"
#define MACHINE "machine:"

static bool find_host(const struct coordinator *coordinator, const char *name, struct target *ret)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        struct hypervisor_status host = coordinator_hypervisor(coordinator, i);

        if (strcmp(host.name, name) != 0)
            continue;
        *ret = (struct target){.scope = HOLD_HOST, .name = host.name};
        strncpy(ret->ref.hypervisor, host.name, sizeof(ret->ref.hypervisor) - 1);
        return true;
    }
    return false;
}

/* One that is gone has left its name with its hold. */
static int find_held(const struct coordinator *coordinator, const char *name, struct target *ret)
{
    for (size_t i = 0; i < coordinator_hold_count(coordinator); i++) {
        const struct hold *hold = coordinator_hold_at(coordinator, i);

        if (hold->is_over || hold->scope != HOLD_MACHINE || strcmp(hold->name, name) != 0)
            continue;
        *ret = (struct target){.scope = HOLD_MACHINE, .ref = hold->target, .name = hold->name};
        return 0;
    }
    return -ENOENT;
}

/* As pool_find_by_name. */
static int find_machine(const struct coordinator *coordinator, const char *name, struct target *ret)
{
    const struct machine *machine = NULL;
    int r = pool_find_by_name(coordinator_pool(coordinator), name, &machine);

    if (r == -ENOENT)
        return find_held(coordinator, name, ret);
    if (r == 0)
        *ret = (struct target){
            .scope = HOLD_MACHINE,
            .ref = machine_ref_of(machine),
            .name = pool_display_name(coordinator_pool(coordinator), machine),
        };
    return r;
}

static char *suggest_any(const struct coordinator *coordinator, const char *text)
{
    size_t n = coordinator_hypervisor_count(coordinator);
    _cleanup_(freep) const char **hosts = calloc(n + 1, sizeof(*hosts));

    for (size_t i = 0; hosts != NULL && i < n; i++)
        hosts[i] = coordinator_hypervisor(coordinator, i).name;
    return hosts != NULL ? suggest_among(coordinator_pool(coordinator), hosts, n, text) : NULL;
}

static void say(char **ret, const char *format, const char *name) __attribute__((format(printf, 2, 0)));

static void say(char **ret, const char *format, const char *name)
{
    if (asprintf(ret, format, name) < 0)
        *ret = NULL;
}

int target_find(const struct coordinator *coordinator, const char *text, struct target *ret, char **ret_error,
                char **ret_hint)
{
    bool wants_host = strncmp(text, HOST, strlen(HOST)) == 0;
    bool wants_machine = strncmp(text, MACHINE, strlen(MACHINE)) == 0, is_host;
    const char *name = text + (wants_host ? strlen(HOST) : wants_machine ? strlen(MACHINE) : 0);
    struct target machine;
    int r;

    if (strcmp(text, "all") == 0) {
        *ret = (struct target){.scope = HOLD_ALL, .name = "all"};
        return 0;
    }
    is_host = !wants_machine && find_host(coordinator, name, ret);
    r = wants_host ? -ENOENT : find_machine(coordinator, name, &machine);
    if (is_host && r == -ENOENT)
        return 0;
    if (!is_host && r == 0) {
        *ret = machine;
        return 0;
    }
    if (is_host) {
        say(ret_error, "%s is the name of a host and of a machine", name);
        if (asprintf(ret_hint, "say host:%s or machine:%s", name, name) < 0)
            *ret_hint = NULL;
        return -ENOTUNIQ;
    }
    if (r == -ENOTUNIQ) {
        say(ret_error, "%s stands for several machines", name);
        *ret_hint = suggest_exact(coordinator_pool(coordinator), name);
        return r;
    }
    say(ret_error,
        wants_host      ? "no host is called %s"
        : wants_machine ? "no machine is called %s"
                        : "neither a host nor a machine is called %s",
        name);
    *ret_hint = suggest_any(coordinator, name);
    return -ENOENT;
}
