/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * That a replacement serves a service: the one record of it, kept until the original serves again. A service is what a
 * protected machine does for its users, and is named after that machine, its original.
 */
#ifndef UNDERSTUDY_WORKFLOW_DIVERSION_H
#define UNDERSTUDY_WORKFLOW_DIVERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "model/machine.h"
#include "protocol/action.h"

/* How far an order has come by which the replacement becomes the original. Nothing of it is kept over the daemon's end. */
enum keep_step {
    KEEP_NONE,
    KEEP_WRITE_REPLACEMENT, /* its metadata gets the role, the priority and the name of the service */
    KEEP_READ_REPLACEMENT,
    KEEP_WRITE_ORIGINAL, /* its metadata says that it is not protected */
    KEEP_READ_ORIGINAL,
    KEEP_WRITTEN, /* both were read as well */
};

struct keep {
    enum keep_step step;
    uint64_t action_id;             /* of the step; 0: not handed out */
    struct machine_ref replacement; /* that the order was about */
};

struct diversion {
    struct diverted_service service;
    char recovery_id[RECOVERY_ID_SIZE]; /* that put the replacement there */
    struct moment since;
    bool is_stopped;            /* the replacement was stopped on purpose; started again, it serves again */
    bool is_by_mark;            /* by the replacement's metadata: nothing is stopped on its word alone */
    struct machine_ref *former; /* replacements before it that were not seen off since: they may come back */
    size_t n_former;
    struct machine_ref runs_twice; /* the machine that was told to run beside the replacement; empty: none */
    struct keep keep;
    bool autostart_is_off; /* of the original, as its host said since it was connected last */
    bool is_changed;       /* since it was last handed out to be written down */
    bool is_over;          /* and nothing is left but to write that down */
};

/* What a diversion is made from; everything is copied. -ENOMEM. */
int diversion_new(const struct machine_ref *original, const char *name, const struct spec *need, int priority,
                  struct diversion **ret) _must_check_;
void diversion_free(struct diversion *diversion);
DEFINE_CLEANUP(struct diversion, diversion_free);

/*
 * What is known of the original; everything is copied. One that is protected no longer, as where the order to keep its
 * replacement was begun, has given its service away: nothing else is learned of it. 1: something is new. -ENOMEM.
 */
int diversion_learn(struct diversion *diversion, const char *name, const struct spec *need, int priority,
                    bool is_protected) _must_check_;
int diversion_rename_replacement(struct diversion *diversion, const char *name) _must_check_;

/* The replacement serves from now on; the one before it is kept among the former ones. -ENOMEM: all is as it was. */
int diversion_set_replacement(struct diversion *diversion, const struct machine_ref *replacement, const char *name,
                              const char *recovery_id, struct moment now) _must_check_;

#endif
