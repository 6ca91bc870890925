/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A template that is written from a machine: what is wanted, and what came of it. Owned by who asks and by the thread that
 * writes it, and read by one of them at a time: by who asks only before it is handed over and after its answer.
 */
#ifndef UNDERSTUDY_PROTOCOL_TEMPLATE_DRAFT_H
#define UNDERSTUDY_PROTOCOL_TEMPLATE_DRAFT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "model/feature_texts.h"

struct draft_disk {
    char *target;  /* "vda" */
    char *base;    /* path of its base image */
    char *format;  /* of that, as QEMU calls it; NULL: not known yet */
    bool is_given; /* named in the request; else it is what the disk of the machine stands on */
};

struct template_draft {
    /* What is wanted. */
    char *name;                    /* of the template; NULL: not given yet */
    char *machine;                 /* its name, for people */
    char *directory;               /* of templates, in which the file belongs; NULL: not known yet */
    struct feature_texts features; /* that the template declares */
    unsigned max;
    /* Those that are given; then all writable ones. */
    struct draft_disk *disks;
    size_t n_disks;
    /* What came of it. */
    char *text;                  /* of the file; NULL: none */
    char *hint;                  /* where it is refused: what to do; or NULL */
    struct string_list warnings; /* for people */
    atomic_uint n_owners;
};

/* max as of a template that says nothing of it. -ENOMEM. */
int template_draft_new(const char *machine, struct template_draft **ret) _must_check_;
/* Adds a reference; each owner calls template_draft_free, on any thread. */
struct template_draft *template_draft_ref(struct template_draft *draft);
void template_draft_free(struct template_draft *draft);
DEFINE_CLEANUP(struct template_draft, template_draft_free);

/* Copies. -ENOMEM. */
int template_draft_add_disk(struct template_draft *draft, const char *target, const char *base,
                            bool is_given) _must_check_;
/* NULL: there is none with this target. */
struct draft_disk *template_draft_find_disk(const struct template_draft *draft, const char *target);

#endif
