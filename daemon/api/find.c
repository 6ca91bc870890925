/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/exchange.h"
#include "api/reply.h"
#include "api/suggest.h"
#include "report/service_list.h"

const struct machine *find_machine_called(const struct exchange *exchange, const char *name)
{
    const struct machine *machine = NULL;
    _cleanup_(freep) char *error = NULL;
    _cleanup_(freep) char *hint = NULL;
    int r = pool_find_by_name(exchange->pool, name, &machine);

    if (r == 0)
        return machine;
    hint = r == -ENOTUNIQ ? suggest_exact(exchange->pool, name) : suggest_similar(exchange->pool, name);
    if (hint == NULL && r == -ENOENT)
        hint = strdup("understudyctl list shows all machines");
    if (asprintf(&error, r == -ENOTUNIQ ? "%s stands for several machines" : "no machine is called %s", name) < 0)
        error = NULL;
    reply_error(exchange->request, reply_status_of(r), error != NULL ? error : strerror(-r), hint);
    return NULL;
}

const struct machine *find_machine(const struct exchange *exchange)
{
    return find_machine_called(exchange, exchange->name);
}

/* The machine that serves the service of this name now. Returns how many services have the name, or -ENOMEM. */
static int find_by_service_name(const struct exchange *exchange, struct machine_ref *ret)
{
    _cleanup_(service_list_done) struct service_list services = {0};
    int n = 0, r = service_list_collect(exchange->coordinator, &services);

    for (size_t i = 0; i < services.count; i++) {
        const struct listed_service *service = &services.all[i];

        if (strcmp(service->plain_name, exchange->name) != 0)
            continue;
        *ret = service->diversion != NULL ? service->diversion->service.replacement : service->original;
        n++;
    }
    return r < 0 ? r : n;
}

bool find_service(const struct exchange *exchange, struct machine_ref *ret)
{
    const struct machine *machine;
    int n = find_by_service_name(exchange, ret);
    _cleanup_(freep) char *error = NULL;

    if (n == 1)
        return true;
    if (n < 0) {
        reply_error(exchange->request, reply_status_of(n), strerror(-n), NULL);
        return false;
    }
    if (n > 1) {
        if (asprintf(&error, "%d services are called %s; name the service by its machine, as HYPERVISOR/MACHINE", n,
                     exchange->name) < 0)
            error = NULL;
        reply_error(exchange->request, reply_status_of(-ENOTUNIQ), error != NULL ? error : strerror(ENOTUNIQ),
                    "understudyctl services shows them");
        return false;
    }
    machine = find_machine(exchange);
    if (machine != NULL)
        *ret = machine_ref_of(machine);
    return machine != NULL;
}
