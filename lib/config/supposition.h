/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator supposes to be otherwise, to see what would follow from it. Changes no configuration that is in force. */
#ifndef UNDERSTUDY_CONFIG_SUPPOSITION_H
#define UNDERSTUDY_CONFIG_SUPPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "config/config.h"

/* A plain value: begin with {0}, end with supposition_done. */
struct supposition {
    bool has_threshold, has_min_coverage;
    uint32_t threshold, min_coverage; /* millionths */
    struct config_weight *weights;    /* of resources, or of hardware where the kind is cpu, memory or disk */
    size_t n_weights;
    struct string_list without; /* names of machines and hosts that take no service over */
};

void supposition_done(struct supposition *supposition);

/* The keys, NULL at the end: "threshold", "min_coverage", "weight" and "without". The last two may be given several times. */
extern const char *const supposition_keys[];

/*
 * Supposes one thing more. A weight is "kind=0.2", or of one value "kind=value=0.2" or "kind/value=0.2". -ENOENT: there is no
 * such key. -EINVAL: *ret_problem says what was expected; the caller frees it, and it is NULL for want of memory. -ENOMEM.
 */
int supposition_add(struct supposition *supposition, const char *key, const char *value,
                    char **ret_problem) _must_check_;

bool supposition_is_empty(const struct supposition *supposition);

/*
 * Writes it into a configuration, which is the caller's own: threshold, coverage and weights, for all services, whatever
 * entries of `services` say. -ENOMEM: it may be there in part.
 */
int supposition_apply(const struct supposition *supposition, struct config *config) _must_check_;

#endif
