/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of machines by name, features and what they use, and the one that failed. */
#ifndef UNDERSTUDY_TESTS_CHOOSE_FIXTURE_H
#define UNDERSTUDY_TESTS_CHOOSE_FIXTURE_H

#include "choose/choose.h"
#include "choose/explain.h"

#include "support.h"

#define choose_test(f) cmocka_unit_test_setup_teardown(f, choose_set_up, choose_tear_down)

struct fixture {
    struct feature_table *table;
    struct config config;
    struct pool *pool;
    struct chooser *chooser;
    struct spared spared;
    struct choice_request request;
    unsigned machines;
};

/* The hypervisors are "local" and "other", the weights those of the case study. */
int choose_set_up(void **state);
int choose_tear_down(void **state);

/* A machine that stands by, cold, with "kind/value kind/value". */
const struct machine *add_on(struct fixture *fixture, const char *hypervisor, const char *name, const char *features);
const struct machine *add(struct fixture *fixture, const char *name, const char *features);
const struct machine *add_failed(struct fixture *fixture);
const struct machine *add_failed_with(struct fixture *fixture, const char *features);
/* Table 2 of the paper, VM-001 being the failed one. */
void add_case_study(struct fixture *fixture);

/* The daemon keeps the machine suspended, which is no more than a standby. */
void pause_machine(struct fixture *fixture, const struct machine *machine);
void run_machine(struct fixture *fixture, const struct machine *machine);
/* The machine is the only candidate of another one. */
void spare_machine(struct fixture *fixture, const struct machine *machine);

/* The machine as it is described, to be changed and given to redescribe: its role and its state stay. */
struct domain_description *describe_again(const struct machine *machine);
void redescribe(struct fixture *fixture, const struct machine *machine, struct domain_description *description);
/* What the machine uses, one more. */
void give_disk(struct fixture *fixture, const struct machine *machine, const char *source);
/* The same, and what the image is recognised by; is_networked: its storage pool is on the network. */
void give_disk_known_as(struct fixture *fixture, const struct machine *machine, const char *source,
                        const char *identity, bool is_networked);
/* Below a disk of it. */
void give_backing(struct fixture *fixture, const struct machine *machine, const char *source);
void give_volume(struct fixture *fixture, const struct machine *machine, const char *pool, const char *volume);
void give_address(struct fixture *fixture, const struct machine *machine, const char *mac);
void give_device(struct fixture *fixture, const struct machine *machine, const char *hostdev);
/* It cannot be made, and this is why; NULL: it can. */
void give_obstacle(struct fixture *fixture, const struct machine *machine, const char *obstacle);
void give_memory(struct fixture *fixture, const struct machine *machine, uint64_t kib);

#define EXTENT_ALL ((struct choice_extent){SIZE_MAX, SIZE_MAX, SIZE_MAX})

/* Settles, and chooses; end with choice_done. */
struct choice choose_now(struct fixture *fixture, struct choice_extent extent);
/* The eligible ones are these, in order. */
void assert_eligible(struct fixture *fixture, const struct string_list names);
void assert_ineligible(struct fixture *fixture, const struct string_list names);
/* As it is listed, which is as it is judged by itself; machine NULL: it is not listed. */
struct candidate candidate_of(struct fixture *fixture, const struct machine *machine);
void assert_verdict(struct fixture *fixture, const struct machine *machine, enum candidate_verdict verdict);

#endif
