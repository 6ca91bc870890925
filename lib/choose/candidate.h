/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One machine as a candidate for the place of a failed one, how alike it is and the verdict; and what is chosen for. */
#ifndef UNDERSTUDY_CHOOSE_CANDIDATE_H
#define UNDERSTUDY_CHOOSE_CANDIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "choose/spared.h"
#include "pool/pool.h"
#include "protocol/verdict.h"
#include "similarity/similarity.h"

struct candidate {
    const struct machine *machine; /* borrowed */
    struct similarity_score score;
    enum candidate_verdict verdict;
    struct use conflict; /* its use of what is in use, until it is described anew; {0}: nothing is */
    const struct machine *conflict_with;
    bool is_below; /* it is in use below a disk of that machine, which need not be up */
};

/* What is chosen for. Everything in it is borrowed, and the pool is settled. */
struct choice_request {
    struct pool *pool;
    const struct spec *need;         /* what candidates are compared with */
    const struct machine *failed;    /* no candidate itself, and what it uses does not count as in use; NULL: none */
    const struct pool_host *host;    /* of the failed machine: among equals, another one is preferred; NULL: none */
    const struct spared *spared;     /* among equals, these come last; NULL: none */
    const struct machine_ref *tried; /* machines that this recovery tried already */
    size_t n_tried;
    uint64_t given_kib;          /* what its host gets back before the candidate is started: the failed machine is up */
    int64_t rest_us;             /* a machine that an operator stopped less than this ago is left alone; 0: it is not */
    int64_t now_us;              /* mono_us, for what is told of quarantines */
    bool check_memory;           /* a candidate that is to be booted must fit into its host's memory */
    bool failed_stays_up;        /* the failed machine runs, and goes on beside the candidate: what it uses is in use */
    bool kept_may_be_given_back; /* what is only kept warm is in no candidate's way */
    const struct policy *policy; /* of the service, which request_set_policy sets; NULL: what holds for all */
    bool is_sibling;             /* what is chosen for is itself counted as a sibling on `host` */
    /* Machines on hosts that have one come after all others, whatever the likeness; NULL: none. */
    bool (*has_sibling)(const struct choice_request *request, const struct pool_host *host);
    const void *siblings; /* for the function alone */
};

/* The policy and what follows from it. is_sibling: as above, where the policy keeps services apart. */
void request_set_policy(struct choice_request *request, const struct policy *policy, bool is_sibling);
/* The limits that candidates must meet, and the weights. */
const struct similarity_rules *request_rules(const struct choice_request *request);
/* A replacement may run there. */
bool request_allows_host(const struct choice_request *request, const struct machine *machine);

#endif
