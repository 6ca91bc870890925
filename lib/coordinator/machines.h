/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines under watch: what events tell of one becomes its state in the pool and a verdict, and more is asked where that
 * is not enough. Does not know how recoveries go on.
 */
#ifndef UNDERSTUDY_COORDINATOR_MACHINES_H
#define UNDERSTUDY_COORDINATOR_MACHINES_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

/* `self` is the registry. */
component_answer machines_answer;
component_tick machines_tick;
component_deadline machines_deadline;
component_next machines_next; /* DESCRIBE */

/* ---- what the world tells ---- */

void machines_handle_event(struct registry *registry, struct host *host, const struct domain_event *event);

/* ---- what other components find out ---- */

/* What more there is to know of it is to be asked for. */
void machines_describe(struct registry *registry, struct watch *watch);
/* The host of the machine was fenced: it is off. has_failed: it was in service, and is recovered if it is protected. */
void machines_lose(struct registry *registry, const struct machine *machine, bool has_failed, struct moment now);
/* The answer to what was asked is here, or will not come. */
void machines_end_describing(struct registry *registry, const struct machine_ref *ref);
/* It is not there any more. Its watch stays while something needs it, and ends when that is written down. */
void machines_forget(struct registry *registry, const struct machine *machine);
/* None is known, and there is none: its watch ends, unless a failure of it is still to be dealt with. */
void machines_forget_unknown(struct registry *registry, const struct machine_ref *ref);
/* Its start has succeeded: what it needs is in use and its memory is spent, whatever its host said last. */
void machines_come_up(struct registry *registry, const struct machine *machine);

/* ---- what recoveries and standbys do to it ---- */

/* A recovery of this machine is under way since before the start: that it does not run is no news. */
void machines_resume_recovery(struct watch *watch, const struct machine *machine);
/* The machine was surely stopped on purpose; later news of that is old. */
void machines_write_off(struct registry *registry, struct watch *watch, const struct machine *machine,
                        struct moment now);
/* A recovery of this machine ended. runs_after_all: it may fail anew, even if no event told that it runs. */
void machines_end_recovery(struct registry *registry, struct watch *watch, const struct machine *machine,
                           bool runs_after_all);
/* Ends a hold on the machine, which may be gone afterwards, and its watch with it. */
void machines_let_go(struct registry *registry, const struct machine *machine);
/* The machines of this hypervisor go, and none of them counts as failed. */
void machines_forget_of(struct registry *registry, const char *hypervisor);
/* Machines of hypervisors that are no longer configured go. */
void machines_forget_unconfigured(struct registry *registry);

#endif
