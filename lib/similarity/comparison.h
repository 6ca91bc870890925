/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One failed specification compared with all entries of the columns: how many machines pass or meet which obstacle, and
 * the entries in order, the best first, found one after the other without sorting the rest.
 *
 * What the caller does with an entry: all its machines are equally alike, and so are those of each further entry whose
 * score similarity_compare calls equal to it. Of such a run the caller orders the machines by what else counts (warmth,
 * host, memory, name), judges them when it looks at them, and takes the first that pass. It leaves out the failed
 * machine itself, which stands in its own entry and in the tally if it was added.
 */
#ifndef UNDERSTUDY_SIMILARITY_COMPARISON_H
#define UNDERSTUDY_SIMILARITY_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "similarity/columns.h"
#include "similarity/similarity.h"

/* Keeps its memory from one run to the next. */
struct comparison;

int comparison_new(struct comparison **ret) _must_check_;
void comparison_free(struct comparison *comparison);
DEFINE_CLEANUP(struct comparison, comparison_free);

/*
 * Compares. Borrows the columns, the rules and the specification until the last comparison_next or the next run. The
 * rules have the weights of the columns, and may have other limits. Passes over every entry once: some nanoseconds each.
 * -ENOMEM: no result.
 */
int comparison_run(struct comparison *comparison, const struct columns *columns, const struct similarity_rules *rules,
                   const struct spec *failed) _must_check_;

/* So many machines have this verdict. */
uint64_t comparison_machines(const struct comparison *comparison, enum similarity_verdict verdict);

struct compared_entry {
    uint32_t entry;
    struct similarity_score score; /* as similarity_score gives it */
};

/* The two orders, which are gone through independently. */
enum compared {
    COMPARED_ELIGIBLE,   /* the best first */
    COMPARED_INELIGIBLE, /* the nearest first, whatever the obstacle */
    COMPARED_COUNT,
};

/*
 * The next entry in the order of similarity_compare, and of those that it calls equal the one with the smaller number.
 * 1: *ret is filled in; 0: there is none left; -ENOMEM: as if not called; -ESTALE: the columns have changed since the run.
 */
int comparison_next(struct comparison *comparison, enum compared which, struct compared_entry *ret) _must_check_;

/*
 * One of the orders from its beginning again; the other one goes on. Costs another pass over every entry. -ESTALE as
 * above.
 */
int comparison_rewind(struct comparison *comparison, enum compared which) _must_check_;

#endif
