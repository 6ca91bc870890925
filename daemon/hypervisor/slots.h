/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What could be made from templates on one hypervisor. Each slot stands in listings like a machine that is off, under the
 * UUID that the domain is to have which is made of it, until that domain is there. Of each template there are as many as may
 * run at once beside those that were made and run. Main thread only.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_SLOTS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "hypervisor/prospects.h"
#include "model/template.h"
#include "model/template_set.h"
#include "protocol/action.h"

struct slot {
    struct template *template; /* its own reference */
    char uuid[UUID_TEXT_SIZE];
    unsigned number;    /* of no other slot of the template at the same time */
    bool is_being_made; /* a start of it is under way */
    bool has_failed;    /* its last start: what was made of it stands for it, until that is removed */
    char *obstacle;     /* why it cannot be made now; NULL: it can, as far as is known */
};

/* A plain value: {0} has no templates. End with slots_done. */
struct slots {
    struct template_set *templates; /* its own reference */
    struct slot *all;
    size_t count;
    char (*made)[UUID_TEXT_SIZE]; /* domains that were made from a template, as last listed */
    size_t n_made;
    struct prospects prospects; /* as last looked at; {0}: not yet */
};

/* In force with the next listing; adds a reference. NULL: none. */
void slots_set_templates(struct slots *slots, struct template_set *templates);

/*
 * Takes what was found of the templates; see prospects_keep. True: something that could be made cannot be any more, or the other way round. The
 * space of a storage pool is for the slots in the order of their numbers, and with those that are being made first; without
 * memory, one has no obstacle.
 */
bool slots_set_prospects(struct slots *slots, struct prospects *prospects);

/* Adds what could be made to a listing, by what was made. -ENOMEM: nothing is added. */
int slots_list(struct slots *slots, struct inventory *inventory) _must_check_;
/* NULL: this is no slot. */
struct slot *slots_find(const struct slots *slots, const char *uuid);
/* As it stands in a listing. -ENOMEM. */
int slot_report(const struct slot *slot, struct domain_report *ret) _must_check_;
/* Of a domain that was made: when it stops, another one may be made. */
bool slots_have_made(const struct slots *slots, const char *uuid);

void slots_done(struct slots *slots);

#endif
