/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What several unit tests need: a configuration built by hand, domains described by hand and a
 * seeded generator. Knows no parser, so that a test of a decision tests that alone.
 */
#ifndef UNDERSTUDY_TESTS_SUPPORT_H
#define UNDERSTUDY_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/moment.h"
#include "config/config.h"
#include "model/description.h"
#include "model/machine.h"

/* What most machines offer in these tests. */
#define WEB "language/nodejs database/mysql webserver/nginx"

/* A list that lives as long as the enclosing block. */
#define LIST(...)                                                                                                      \
    ((struct string_list){.items = (char **)(const char *[]){__VA_ARGS__},                                             \
                          .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)})

/*
 * The documented defaults, with the hypervisors "local" and "other", but without what holds recoveries back: no limit,
 * no brake, no quarantine, no concurrency, no check of memory. Owns nothing: never config_free it.
 */
struct config default_config(void);

/* The entry of services gives this key: "threshold", "verify.level". Its value is the caller's to set. */
void give(struct config_service *entry, const char *key);

/* Table 1 of the paper: language 0.3, database 0.2, webserver 0.1, no hardware, threshold 0.5. */
struct config_similarity case_study_similarity(void);

/* "00000000-0000-4000-8000-" and the number in twelve hexadecimal digits. */
void uuid_from(unsigned number, char ret_uuid[UUID_TEXT_SIZE]);
void describe_uuid(struct domain_description *description, unsigned number);

/* One writable disk more. */
void describe_image(struct domain_description *description, const char *source);

/* A domain of 2 vCPUs, 1 GiB and no disk. Fails the test when out of memory. */
struct domain_description *describe(unsigned number, const char *name);
void describe_feature(struct domain_description *description, const char *kind, const char *value);
/* "kind/value kind/value" */
void describe_features(struct domain_description *description, const char *features);
void describe_role(struct domain_description *description, const char *role);

/* The same course for the same seed everywhere (xorshift64*). Seeds are not 0. */
uint64_t random_next(uint64_t *state);
/* 0 … limit-1 */
uint64_t random_below(uint64_t *state, uint64_t limit);

#endif
