/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The services that are protected, and which machine serves each of them now: what the services command, the status and
 * the metrics tell. Read off what the coordinator shows; decides nothing.
 */
#ifndef UNDERSTUDY_REPORT_SERVICE_LIST_H
#define UNDERSTUDY_REPORT_SERVICE_LIST_H

#include <stddef.h>

#include "coordinator/coordinator.h"

/* Of the machine that serves, or has to serve, the service. */
enum service_state {
    SERVICE_UP,
    SERVICE_RECOVERING, /* a recovery of the service is under way */
    SERVICE_DOWN,       /* it failed, and was not recovered */
    SERVICE_STOPPED,    /* it does not run, and no failure is known */
    SERVICE_HELD,       /* it is held, and no failure is known */
    SERVICE_UNKNOWN,    /* its host is not connected */
    SERVICE_STATE_COUNT,
};

/* "up", "recovering", "down", "stopped", "held", "unknown". */
const char *service_state_name(enum service_state state);

/* Everything is borrowed from the coordinator, until its next input. */
struct listed_service {
    struct machine_ref original;
    const char *name; /* as people can refer to it */
    const char *plain_name;
    int priority;
    enum service_state state;
    const struct machine *server;      /* the replacement or the original; NULL: it is not in the pool (any more) */
    const struct diversion *diversion; /* NULL: the original serves */
    const char *recovery_id;        /* of the one under way, else of the one that led to this state; NULL: none did */
    const char *failed_recovery_id; /* of the last one, if it started nothing that works; NULL */
};

struct service_list {
    struct listed_service *all; /* the most important first, then by name as strverscmp(3) orders */
    size_t count;
};

/* As people can refer to the service: by the name in the metadata of its original, or that one's own. Borrowed. */
const char *service_name_of(const struct pool *pool, const struct machine *original);

/*
 * Every diversion, and every protected machine that neither serves another service nor has its own diverted. End with
 * service_list_done. -ENOMEM.
 */
int service_list_collect(const struct coordinator *coordinator, struct service_list *ret) _must_check_;
void service_list_done(struct service_list *list);

/* Which machine would take over from each service, and on how many of them each machine is counted. */
struct service_outlook {
    struct candidate *next; /* in the order of the services; machine NULL: none, or it is not known */
    size_t *shared;         /* by the number of the machine */
};

/* plan NULL: nothing is known. End with service_outlook_done. -ENOMEM. */
int service_list_look_out(const struct service_list *services, const struct pool *pool, struct plan *plan,
                          struct service_outlook *ret) _must_check_;
/* On how many services that machine is counted; 0: this one has none. */
size_t service_outlook_shared_by(const struct service_outlook *outlook, size_t service);
void service_outlook_done(struct service_outlook *outlook);

/* It is up, and no machine would take over. Where nothing but the failed machine itself is started, none is missing. */
bool service_lacks_next(const struct listed_service *service, struct plan *plan);

struct service_counts {
    size_t by_state[SERVICE_STATE_COUNT];
    size_t diverted;     /* of all */
    size_t without_next; /* of those that are up: no machine would take over */
};

/* plan: of coordinator_plan; NULL: without_next is not counted. */
struct service_counts service_list_count(const struct service_list *list, struct plan *plan);

#endif
