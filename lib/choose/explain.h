/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A choice in words: why each candidate won or lost. Decides nothing. */
#ifndef UNDERSTUDY_CHOOSE_EXPLAIN_H
#define UNDERSTUDY_CHOOSE_EXPLAIN_H

#include "choose/choose.h"
#include "protocol/explanation.h"

/* Why a candidate is out, for people; caller frees. -ENOMEM. */
int explain_ineligible(const struct choice_request *request, const struct candidate *candidate,
                       char **ret) _must_check_;

/*
 * Writes a choice down, with at most n_listed of the eligible candidates, and the chosen one. chosen: the machine that
 * was taken, or NULL for the first eligible one. -ENOMEM.
 */
int explain_choice(const struct choice_request *request, const struct choice *choice, const struct machine *chosen,
                   size_t n_listed, const struct feature_table *table, struct explanation **ret) _must_check_;

#endif
