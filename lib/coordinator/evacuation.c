/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are emptied: one failover after the other, by the same orders that an operator gives. */
#include "coordinator/evacuation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/orders.h"

static bool is_on(const char *hypervisor, const struct machine *machine)
{
    return strcmp(machine->hypervisor, hypervisor) == 0;
}

/* It does something for users, and what that is would be recovered. */
static bool serves(const struct machine *machine)
{
    return machine->is_present && machine->is_reachable && machine_is_protected(machine) &&
           machine->keeping == KEEPING_NONE && !machine->failed_unrecovered &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

/* ---- the order ---- */

static int say(struct order_answer *answer, int error, const char *format, ...) _printf_(3, 4);

static int say(struct order_answer *answer, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    answer->words = text_vprint(format, arguments);
    va_end(arguments);
    return answer->words == NULL ? -ENOMEM : error;
}

static int check(const struct evacuation *evacuation, const struct host *host, struct order_answer *answer)
{
    const struct registry *registry = evacuation->recoveries->registry;
    struct machine_ref ref = {0};

    strcpy(ref.hypervisor, host->name);
    if (registry->config->mode != MODE_AUTOMATIC)
        return say(answer, -EBUSY, "mode is observe, and nothing is started: set mode: automatic, and reload");
    if (evacuation->recoveries->brake->is_on)
        return say(answer, -EBUSY, "the brake is on: understudyctl release brake");
    if (host->hold != NULL)
        return say(answer, -EBUSY, "%s is held, and nothing is done there: understudyctl release %s", host->name,
                   host->hold->name);
    if (hold_marks_close(&registry->holds, &ref))
        return say(answer, -EBUSY, "%s is being evacuated already: understudyctl holds", host->name);
    if (!host->is_listed)
        return say(answer, -EBUSY, "%s cannot be reached: understudyctl status says why", host->name);
    return 0;
}

/* Appends to *text, separated by commas. */
static int append(char **text, const char *service, const char *machine)
{
    bool is_itself = strcmp(service, machine) == 0;
    char *longer = text_print("%s%s%s%s%s%s", *text != NULL ? *text : "", *text != NULL ? ", " : "", service,
                              is_itself ? "" : " (served by ", is_itself ? "" : machine, is_itself ? "" : ")");

    if (longer == NULL)
        return -ENOMEM;
    free(*text);
    *text = longer;
    return 0;
}

static int order_of(const struct machine *a, const struct machine *b)
{
    int x = machine_priority(a), y = machine_priority(b);

    return x != y ? (x < y) - (x > y) : strcmp(a->name, b->name);
}

static int compare(const void *a, const void *b)
{
    return order_of(*(const struct machine *const *)a, *(const struct machine *const *)b);
}

/* Those that serve on the host, the first first; tried: only those that this hold was tried for. Free with free(). */
static int find_serving(const struct registry *registry, const char *hypervisor, const struct hold *tried,
                        const struct machine ***ret, size_t *ret_count)
{
    _cleanup_(freep) const struct machine **found = NULL;
    size_t n = 0;

    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
        struct machine_ref ref = machine_ref_of(machine);
        const struct machine **longer;

        if (!is_on(hypervisor, machine) || !serves(machine) || (tried != NULL && !hold_has_tried(tried, &ref)))
            continue;
        longer = reallocarray(found, n + 1, sizeof(const struct machine *));
        if (longer == NULL)
            return -ENOMEM;
        found = longer;
        found[n++] = machine;
    }
    if (n > 0)
        qsort(found, n, sizeof(const struct machine *), compare);
    *ret = steal_pointer(&found);
    *ret_count = n;
    return 0;
}

/* *ret NULL: there are none. */
static int name_services(const struct registry *registry, const char *hypervisor, const struct hold *tried, char **ret,
                         size_t *ret_count)
{
    _cleanup_(freep) const struct machine **serving = NULL;
    int r = find_serving(registry, hypervisor, tried, &serving, ret_count);

    for (size_t i = 0; r == 0 && i < *ret_count; i++)
        r = append(ret, machine_service_name(serving[i]), serving[i]->name);
    return r;
}

int evacuation_order(struct evacuation *evacuation, const struct order *order, struct moment now,
                     struct order_answer *ret)
{
    const struct registry *registry = evacuation->recoveries->registry;
    const struct host *host = host_find(registry, order->machine.hypervisor);
    _cleanup_(freep) char *services = NULL;
    size_t n_services = 0;
    int r;

    if (host == NULL)
        return -ENOENT;
    r = check(evacuation, host, ret);
    if (r == 0)
        r = name_services(registry, host->name, NULL, &services, &n_services);
    if (r < 0)
        return r;
    if (n_services > 0 && !order->is_confirmed)
        return say(ret, -EPERM,
                   "each of these services is down from the stop of its machine until another one is verified: %s; to "
                   "move a machine without an outage: virsh migrate --live; confirm the outages with --yes",
                   services);
    r = holds_evacuate(evacuation->holds, &order->machine, order->reason, order->by, order->time_us, now);
    if (r < 0)
        return r;
    return n_services > 0 ? say(ret, 0, "%s takes no starts; %s fail%s over one by one, and then it is held",
                                host->name, services, n_services == 1 ? "s" : "")
                          : say(ret, 0, "%s serves nothing, and is held", host->name);
}

/* ---- how it goes on ---- */

static bool has_recovery(const struct registry *registry, const char *hypervisor)
{
    for (size_t i = registry->records.count; i-- > 0;) {
        const struct recovery *recovery = registry->records.all[i];

        if (!recovery_state_is_final(recovery->state) &&
            (strcmp(recovery->failed.hypervisor, hypervisor) == 0 ||
             (recovery->replacement_name != NULL && strcmp(recovery->replacement.hypervisor, hypervisor) == 0)))
            return true;
    }
    return false;
}

/* Nothing can be ordered now, or one of its machines is in other hands. */
static bool waits(const struct evacuation *evacuation, const struct hold *hold)
{
    const struct registry *registry = evacuation->recoveries->registry;
    const struct host *host = host_find(registry, hold->name);

    return registry->config->mode != MODE_AUTOMATIC || evacuation->recoveries->brake->is_on || host == NULL ||
           host->hold != NULL || !host->is_listed || has_recovery(registry, hold->name);
}

static const struct machine *find_next(const struct registry *registry, const struct hold *hold)
{
    const struct machine *best = NULL;

    for (const struct machine *machine = NULL; (machine = pool_next(registry->pool, machine)) != NULL;) {
        struct machine_ref ref = machine_ref_of(machine);

        if (is_on(hold->name, machine) && serves(machine) && !hold_has_tried(hold, &ref) &&
            (best == NULL || order_of(machine, best) < 0))
            best = machine;
    }
    return best;
}

static int fail_over(struct evacuation *evacuation, const struct hold *hold, const struct machine *machine,
                     struct moment now)
{
    struct outbox *outbox = &evacuation->recoveries->registry->outbox;
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    struct order order = {.kind = ORDER_FAILOVER, .machine = machine_ref_of(machine), .by = hold->by};
    int r = orders_take(evacuation->recoveries, &order, now, &answer);

    if (r < 0 && r != -ENOMEM)
        outbox_tell(outbox, NOTICE_EVENT_NOTED, now, machine, "%s stays on %s, which is being evacuated: %s",
                    machine->name, machine->hypervisor, answer.words != NULL ? answer.words : strerror(-r));
    return r == -ENOMEM ? r : 0;
}

static int complete(struct evacuation *evacuation, struct hold *hold, struct moment now)
{
    _cleanup_(freep) char *services = NULL, *text = NULL;
    size_t n_services = 0;
    int r = name_services(evacuation->recoveries->registry, hold->name, hold, &services, &n_services);

    text = n_services == 0 ? text_copy("it is evacuated")
                           : text_print("these services were not failed over, and are held with it: %s", services);
    if (r < 0 || text == NULL)
        return -ENOMEM;
    holds_have_evacuated(evacuation->holds, hold, text, now);
    return 0;
}

/* -ENOMEM: it goes on after the next input. */
static int go_on(struct evacuation *evacuation, struct hold *hold, struct moment now)
{
    const struct registry *registry = evacuation->recoveries->registry;
    const struct machine *machine = find_next(registry, hold);
    struct machine_ref ref;
    int r;

    if (machine == NULL)
        return complete(evacuation, hold, now);
    ref = machine_ref_of(machine);
    r = fail_over(evacuation, hold, machine, now);
    return r < 0 ? r : hold_add_tried(hold, &ref);
}

bool evacuation_handle(void *self, struct moment now)
{
    struct evacuation *evacuation = self;
    const struct hold_marks *holds = &evacuation->recoveries->registry->holds;

    for (size_t i = 0; i < holds->count; i++) {
        struct hold *hold = holds->all[i];

        if (!hold->is_over && hold->is_evacuating && !waits(evacuation, hold))
            return go_on(evacuation, hold, now) == 0;
    }
    return false;
}
