/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A selection in words: why each candidate won or lost. Decides nothing. */
#ifndef UNDERSTUDY_CHOOSE_EXPLAIN_H
#define UNDERSTUDY_CHOOSE_EXPLAIN_H

#include "choose/select.h"
#include "protocol/explanation.h"

/* Why the candidate at a place is eligible or not, for people; caller frees. -ENOMEM. */
int select_reason(const struct select_request *request, const struct selection *selection, size_t place,
                  char **ret) _must_check_;

/*
 * Writes a selection down. At most max_ineligible of the ineligible candidates are kept (the rest are
 * counted in n_left_out); every eligible one is. chosen: the machine that was taken, or NULL for the
 * first eligible one. -ENOMEM.
 */
int select_explain(const struct select_request *request, const struct selection *selection,
                   const struct machine *chosen, const struct feature_table *table, size_t max_ineligible,
                   struct explanation **ret) _must_check_;

#endif
