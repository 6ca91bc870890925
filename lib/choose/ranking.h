/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which machines are similar enough to take the place of a failed one, in order: what select.c finds out again with
 * every look, kept for as long as nothing of it changes. The best that are eligible at the moment are picked from it
 * without a look at the others. Has no last word: see coordinator/decide.
 */
#ifndef UNDERSTUDY_CHOOSE_RANKING_H
#define UNDERSTUDY_CHOOSE_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "choose/select.h"
#include "choose/usage.h"

struct ranking;

/* One of a ranking, as it is at the moment. */
struct contender {
    struct machine *machine; /* borrowed */
    size_t place;            /* in the ranking */
    uint32_t rank;           /* the same for all that are equally alike; the less, the better */
    uint32_t worth;          /* see similarity_worth */
    enum warmth warmth;
    uint64_t free_memory_kib; /* as in struct candidate */
};

/* A look at every machine. -ENOMEM. */
int ranking_new(const struct select_request *request, struct ranking **ret) _must_check_;
void ranking_free(struct ranking *ranking);
DEFINE_CLEANUP(struct ranking, ranking_free);

/* Nothing that it was made from is different now. False for NULL. What it points to may be gone where it is false. */
bool ranking_is_current(const struct ranking *ranking, const struct select_request *request);

size_t ranking_count(const struct ranking *ranking);

/*
 * The first n of those that select_candidates would find eligible now, in its order, into ret; says how many there are.
 * The request is the one that the ranking is current for; in_use: see conflict_collect.
 */
size_t ranking_best(const struct ranking *ranking, const struct select_request *request, const struct usage *in_use,
                    size_t n, struct contender *ret);

/*
 * Of those that are as alike and as warm as `matched` and eligible now, the first that is `matched` itself or none of
 * the others. False: `matched` is not eligible any more.
 */
bool ranking_choose_equal(const struct ranking *ranking, const struct select_request *request,
                          const struct usage *in_use, const struct contender *matched,
                          const struct machine *const *others, size_t n_others, struct contender *ret);

/*
 * Those that would be eligible if their hosts had the memory, in order; of several that would need the same of the same
 * host, only the first. ret has room for ranking_count.
 */
size_t ranking_lacking_memory(const struct ranking *ranking, const struct select_request *request,
                              struct contender *ret);

#endif
