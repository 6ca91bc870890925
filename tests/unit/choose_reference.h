/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition of a choice, as plainly as it can be written: every machine of the pool is scored, judged by a look at
 * every other machine, and sorted by the full order. Reads machines and the configuration, and nothing that the pool
 * derives from them.
 */
#ifndef UNDERSTUDY_TESTS_CHOOSE_REFERENCE_H
#define UNDERSTUDY_TESTS_CHOOSE_REFERENCE_H

#include "choose/choose.h"
#include "config/config.h"
#include "model/feature.h"

/* What may be used once at a time. */
struct reference_thing {
    enum exclusive_kind kind;
    const char *host; /* NULL: it is the same on all hosts */
    bool is_backing;  /* below a disk, which reads it */
    char name[64];    /* "": none */
};

struct reference_candidate {
    const struct machine *machine;
    struct similarity_score score;
    enum candidate_verdict verdict;
    struct reference_thing conflict; /* the first that is in use */
};

/* A plain value; end with reference_done. */
struct reference {
    const struct choice_request *request;
    const struct config_similarity *similarity;
    const struct feature_table *table;
    struct reference_candidate *candidates; /* of every verdict, in order */
    size_t n_candidates;
};

/* Fails the test when out of memory. */
struct reference reference_choose(const struct choice_request *request, const struct config_similarity *similarity,
                                  const struct feature_table *table);
void reference_done(struct reference *reference);

/* One that choose_next names: stands by, and is similar enough. */
bool reference_is_looked_at(const struct reference_candidate *candidate);
/* The machine is up and has the thing in its definition, or has it below a disk, and is in the way of the candidate. */
bool reference_is_in_way(const struct choice_request *request, const struct machine *candidate,
                         const struct machine *other, const struct reference_thing *thing);

#endif
