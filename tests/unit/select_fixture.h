/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of machines by name and features, and the one that failed. */
#ifndef UNDERSTUDY_TESTS_SELECT_FIXTURE_H
#define UNDERSTUDY_TESTS_SELECT_FIXTURE_H

#include "choose/explain.h"
#include "choose/select.h"

#include "support.h"

#define select_test(f) cmocka_unit_test_setup_teardown(f, select_set_up, select_tear_down)

struct fixture {
    struct feature_table *table;
    struct config config;
    struct similarity_rules *rules;
    struct pool *pool;
    struct select_request request;
    unsigned machines;
};

int select_set_up(void **state);
int select_tear_down(void **state);
/* A machine that stands by, cold, with "kind/value kind/value". */
struct machine *add_on(struct fixture *fixture, const char *hypervisor, const char *name, const char *features);
struct machine *add(struct fixture *fixture, const char *name, const char *features);
struct machine *add_failed(struct fixture *fixture);
/* Table 2 of the paper, VM-001 being the failed one. */
void add_case_study(struct fixture *fixture);
struct selection *select_all(const struct fixture *fixture);
void assert_order(const struct fixture *fixture, const struct string_list names);
struct candidate candidate_of(const struct fixture *fixture, const struct machine *machine);
void assert_verdict(const struct fixture *fixture, const struct machine *machine, enum candidate_verdict verdict);

#endif
