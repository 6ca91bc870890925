/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/report: one search for problems, and the places that it looks at. */
#ifndef UNDERSTUDY_REPORT_PROBLEM_SEARCH_H
#define UNDERSTUDY_REPORT_PROBLEM_SEARCH_H

#include "report/problems.h"

/* While one list is made. */
struct problem_search {
    const struct coordinator *coordinator;
    struct plan *plan; /* NULL: none */
    const struct problems_outside *outside;
    struct moment now;
    struct problems found;
    int error;
};

/* Takes both texts; NULL: there was no memory for one. */
void problems_add(struct problem_search *search, enum problem_kind kind, const char *subject, char *text, char *remedy);

/* Hands the list over, sorted, or says what went wrong. */
int problems_finish(struct problem_search *search, struct problems *ret) _must_check_;

/* All machines are known. */
void problems_look_at_services(struct problem_search *search);
void problems_look_at_machines(struct problem_search *search);
void problems_look_at_hosts(struct problem_search *search);

/*
 * Why a kind is surely not what was meant: it is not known, and is near to one that is, or it is no kind. config: whose
 * weights make kinds known as well; NULL: none do. Caller frees. NULL: it may be meant, or there is no memory.
 */
char *problems_object_to_kind(const struct config *config, const struct catalog *catalog, const char *kind);

/*
 * What is valid in a configuration and surely not meant. pool, with the feature table of its machines: of which machines
 * the configuration is to speak; NULL: they are not known, and what follows from them is left out. catalog: NULL: none.
 */
void problems_look_at_config(struct problem_search *search, const struct config *config, const struct catalog *catalog,
                             const struct pool *pool, const struct feature_table *table);

#endif
