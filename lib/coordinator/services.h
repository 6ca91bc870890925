/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services that a replacement serves: how a diversion begins, changes and ends. Where the original runs again beside its
 * replacement, as when a host comes back that had been given up, that is told, and one of the two is stopped where
 * when_both_run says so, but never the last one.
 */
#ifndef UNDERSTUDY_COORDINATOR_SERVICES_H
#define UNDERSTUDY_COORDINATOR_SERVICES_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct services {
    struct registry *registry;
    struct task *stops; /* machines to be stopped while another one runs for the same service */
};

component_handle services_handle;
component_answer services_answer;
component_next services_next;
void services_done(struct services *services);

/* A recovery has put a machine in the place of another: it serves that one's service from now on. */
void services_divert(struct registry *registry, const struct recovery *recovery, const struct machine *failed,
                     const struct machine *replacement, struct moment now);

/*
 * The service of a machine that failed goes on with its other machine, as far as is known, or is being recovered since
 * that one failed: this is told. `why` is for people. False: neither.
 */
bool services_go_on_without(struct registry *registry, const struct machine *failed, const char *why,
                            struct moment now);

/* The original of a service runs, and serves no other. */
bool services_runs_itself(const struct registry *registry, const struct machine_ref *original);

/* The service of a machine: the original's reference, whichever machine serves it. */
struct machine_ref services_original_of(const struct registry *registry, const struct machine *machine);
/*
 * On which ports a candidate must serve to stand in the place of a machine. None where it is the original of the service
 * itself: what one machine alone was once seen to do may have been done in passing.
 */
struct wanted_ports services_ports_of(const struct registry *registry, const struct machine *failed,
                                      const struct machine *candidate, const struct config *config);

#endif
