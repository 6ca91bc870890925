/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decision written down: the chosen candidate, the best eligible and the nearest ineligible ones, with numbers and
 * reasons, in plain strings that outlive the pool, and how many the others were. The same struct serves explain, history,
 * dry run and simulator.
 */
#ifndef UNDERSTUDY_PROTOCOL_EXPLANATION_H
#define UNDERSTUDY_PROTOCOL_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "model/description.h"
#include "model/ports.h"
#include "protocol/verdict.h"

struct explained_candidate {
    char *hypervisor;
    char *name;
    char uuid[UUID_TEXT_SIZE];
    double similarity, coverage, resource_coverage, overlap; /* 0 … 1, for display */
    bool is_incomparable; /* too little is known of the failed machine: these numbers mean nothing */
    bool eligible;
    bool is_chosen;
    const char *warmth;            /* static: "cold", "saved", "paused" */
    const char *state;             /* static: state at the time of the decision */
    char *reason;                  /* one clause: why it was chosen, comes second, or is out */
    struct string_list missing;    /* features that weigh and that it lacks of the failed machine's, by name */
    struct string_list surplus;    /* features that weigh and that it has beyond those, by name */
    struct string_list weightless; /* features that only one of the two has, and that weigh nothing, by name */
};

struct explanation {
    char *hypervisor; /* of the failed machine */
    char *failed;
    char uuid[UUID_TEXT_SIZE];
    double threshold, min_coverage;
    char *policy;        /* what `services` says for it and is not so for all (policy_describe); NULL */
    const char *rank_by; /* static: "overlap" or "similarity" */
    struct explained_candidate *candidates; /* in ranking order, the ineligible after the eligible */
    size_t n_candidates;
    size_t n_left_out;                   /* candidates that are not listed */
    size_t left_out[CANDIDATE_VERDICTS]; /* these by verdict */
    size_t n_unjudged;                   /* and those similar enough that were not looked at: enough others were */
    char *summary;                       /* one sentence: which is chosen and why, or why none is */
    char *obstacle;          /* of no decision: why nothing would be started whatever the candidates; NULL */
    enum verify_level level; /* of no decision, as are the ports: how the chosen candidate would be verified */
    struct wanted_ports ports;
};

void explanation_free(struct explanation *explanation);
DEFINE_CLEANUP(struct explanation, explanation_free);

/* The candidate that would be started, borrowed; NULL: none is eligible. */
const struct explained_candidate *explanation_chosen(const struct explanation *explanation);

#endif
