/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jansson values from C values; private to the JSON part of this room. */
#ifndef UNDERSTUDY_REPORT_JSON_VALUE_H
#define UNDERSTUDY_REPORT_JSON_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"
#include "choose/candidate.h"
#include "config/config.h"
#include "coordinator/coordinator.h"
#include "detect/host.h"
#include "model/ports.h"
#include "protocol/explanation.h"

#define BYTES_PER_KIB 1024u

/* A document being made. Whatever cannot be made for want of memory marks the whole as lost. */
struct json_maker {
    bool lost;
};

/* Each takes the value over; NULL is a value that could not be made. */
void json_put(struct json_maker *maker, json_t *object, const char *key, json_t *value);
void json_append(struct json_maker *maker, json_t *array, json_t *value);

/* NULL and numbers that JSON cannot hold become null. */
json_t *json_text(const char *text);
json_t *json_number(double number);
json_t *json_count(uint64_t count);
json_t *json_strings(struct json_maker *maker, const struct string_list *list);
json_t *json_ports(struct json_maker *maker, const struct ports *ports);

json_t *json_instant(struct moment moment);

/* What is known of a host (NULL: nothing), as members of the object. */
void json_put_host(struct json_maker *maker, json_t *object, const struct host_track *host);

/* How people can refer to a machine; `name` where it is not in the pool. Borrowed until the pool changes. */
const char *json_name_of(const struct pool *pool, const struct machine_ref *ref, const char *name);

/* {"name": …, "hypervisor": …, "uuid": …}, with the name as of json_name_of. */
json_t *json_machine_named(struct json_maker *maker, const struct pool *pool, const struct machine_ref *ref,
                           const char *name);

struct listed_service;
/* The machine that serves the service: its original, or its replacement also while that is stopped or down. */
json_t *json_server(struct json_maker *maker, const struct pool *pool, const struct listed_service *service);

/* A candidate of the plan; null: there is none. */
json_t *json_planned(struct json_maker *maker, const struct pool *pool, const struct candidate *candidate);

/* One hold, or null for NULL; those of the coordinator (NULL: none) that are not over. */
json_t *json_hold(struct json_maker *maker, const struct hold *hold);
json_t *json_holds(struct json_maker *maker, const struct coordinator *coordinator);

/* Arrays of what the lists of this name have; NULL: no memory. */
json_t *json_hypervisors(struct json_maker *maker, const struct coordinator *coordinator);
struct problems;
json_t *json_problems(struct json_maker *maker, const struct problems *problems);
json_t *json_machines(struct json_maker *maker, const struct pool *pool, struct plan *plan,
                      const struct feature_table *features);
json_t *json_services(struct json_maker *maker, const struct coordinator *coordinator, struct plan *plan);

json_t *json_recovery(struct json_maker *maker, const struct recovery *recovery, struct moment now);

/* What was said of one candidate. */
json_t *json_candidate(struct json_maker *maker, const struct explained_candidate *candidate);

/*
 * Takes one member of an object, as json_read_members says. NULL: all is well; else what is wrong with it, static, to be
 * read after its name: "is neither true nor false", "is unknown; …" and what may stand there.
 */
typedef const char *json_taker(void *context, const char *name, const json_t *value);
/* What a taker returns for want of memory. */
extern const char json_out_of_memory[];
/*
 * Hands each member of the object that text is to the taker, up to the first that is wrong. -EINVAL: *ret_problem says what
 * is wrong, and with which member; the caller frees it, NULL for want of memory. -ENOMEM.
 */
int json_read_members(const char *text, size_t length, json_taker *take, void *context,
                      char **ret_problem) _must_check_;

/* A list as the control interface answers it: {NAME: array, "next_page": null}. Takes the array. */
json_t *json_list(struct json_maker *maker, const char *name, json_t *array);

/* Frees the document and writes it out, unless something was lost. -ENOMEM. */
int json_finish(const struct json_maker *maker, json_t *document, char **ret);

#endif
