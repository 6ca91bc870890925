/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world that does what it is asked, at once: hypervisors, hooks, the store and fence agents as a coordinator takes them to
 * be. Only a host that is gone answers nothing.
 */
#ifndef UNDERSTUDY_FORECAST_IMAGINED_H
#define UNDERSTUDY_FORECAST_IMAGINED_H

#include <stdint.h>

#include "base/moment.h"
#include "coordinator/coordinator.h"

/* What was started there since, in KiB of its host's memory. */
struct imagined_host {
    const char *name; /* borrowed from the coordinator */
    uint64_t free_kib;
};

/* A plain value: initialise coordinator, gone and now; end with imagined_done. */
struct imagined {
    struct coordinator *coordinator;
    const char *gone;                   /* the host that answers nothing, borrowed; "": none */
    const struct machine_ref *left_out; /* machines that are not there, borrowed */
    size_t n_left_out;
    struct moment now;
    struct imagined_host *hosts;
    size_t n_hosts;
    char *why; /* what the coordinator said last of a host that is gone and not known to be off; NULL: nothing */
};

/* Takes the hosts as they are. -ENOMEM. */
int imagined_begin(struct imagined *imagined) _must_check_;
void imagined_done(struct imagined *imagined);

/* Answers everything that the coordinator asks for, and what it asks for then. -ENOMEM. */
int imagined_answer_all(struct imagined *imagined) _must_check_;

#endif
