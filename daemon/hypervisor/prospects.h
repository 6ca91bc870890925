/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a machine can be made from each template of a hypervisor now, and what room there is for that. Plain values. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PROSPECTS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PROSPECTS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "hypervisor/pool_space.h"

struct prospect {
    char *template;           /* its name */
    char *obstacle;           /* why nothing can be made from it; NULL: something can */
    bool is_unknown;          /* whether it can: libvirt has not answered */
    struct string_list pools; /* in which a machine needs its space */
};

/* A plain value: initialise with {0}, end with prospects_done. */
struct prospects {
    struct prospect *all;
    size_t count;
    struct pool_spaces spaces;
};

void prospects_done(struct prospects *prospects);

/* To be filled in; end with prospects_done. NULL: no memory. */
struct prospect *prospects_add(struct prospects *prospects, const char *template);
/* NULL: it was not looked at. */
const struct prospect *prospects_find(const struct prospects *prospects, const char *template);

/* Of a template that is_unknown, what was known before stays, and is taken from there. Where there is no memory, less of it. */
void prospects_keep(struct prospects *prospects, struct prospects *before);

#endif
