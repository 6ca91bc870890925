/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of a machine, as its host tells it by an event or a report, or as follows from what is known of the host: what
 * changes with it, and who is told.
 */
#ifndef UNDERSTUDY_COORDINATOR_SIGHTINGS_H
#define UNDERSTUDY_COORDINATOR_SIGHTINGS_H

#include "coordinator/registry.h"

/* What lib/detect is to know of the machine; NULL: of one that is not known. */
struct failure_context sightings_context(const struct registry *registry, const struct machine *machine,
                                         struct moment now);

struct sighting {
    enum machine_state state;
    enum machine_reason reason;
    bool is_news; /* it was in another state, or this one is told by an event */
    bool came_up; /* it runs, and did not before, or is seen for the first time */
};

/* Its host tells this state. */
void sightings_take(struct registry *registry, struct watch *watch, const struct machine *machine,
                    const struct sighting *sighting, struct moment now);
/*
 * It came up there, and may not be described yet. What another host has of it, and takes for running, is there no longer, unless
 * that host tells so yet.
 */
void sightings_arrive(struct registry *registry, const struct machine_ref *ref);
/* The machine has left its host by a migration: it runs where it was being migrated to, if that is known. */
void sightings_take_leave(struct registry *registry, const struct machine_ref *left, struct moment now);
/* It is in this state, as was found in another way; recoveries and courses are not told. */
void sightings_set(struct registry *registry, struct watch *watch, const struct machine *machine,
                   enum machine_state state, enum machine_reason reason);
/* Recoveries and courses that have the machine are told of its state. */
void sightings_tell(struct registry *registry, struct watch *watch, enum machine_state state);
/* What lib/detect makes of it. */
void sightings_judge(struct registry *registry, struct watch *watch, const struct machine *machine,
                     const struct failure_verdict *verdict, struct moment now);
/* The hypervisor cannot be reached any more: what runs elsewhere by now has left it, and no word of an end is to come. */
void sightings_end(struct registry *registry, const char *hypervisor);

#endif
