/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One machine as a candidate for the place of a failed one: what it is judged by, and the verdict. */
#ifndef UNDERSTUDY_CHOOSE_CANDIDATE_H
#define UNDERSTUDY_CHOOSE_CANDIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/machine.h"
#include "protocol/verdict.h"
#include "similarity/similarity.h"

struct candidate {
    struct machine *machine; /* borrowed */
    struct similarity_score score;
    enum candidate_verdict verdict;
    enum warmth warmth;
    uint64_t free_memory_kib; /* of its host, less what is being started there */
    bool knows_memory;        /* free_memory_kib is known, also where it is 0 */
    const char *conflict;     /* the disk or address in use, borrowed; NULL: none */
    const struct machine *conflict_with;
};

#endif
