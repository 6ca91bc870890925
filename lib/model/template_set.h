/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several templates, no two of one name, and what is wrong in files of which none could be made. Knows no directory.
 */
#ifndef UNDERSTUDY_MODEL_TEMPLATE_SET_H
#define UNDERSTUDY_MODEL_TEMPLATE_SET_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "model/template.h"

/* A file, or a directory, of which nothing is used. */
struct template_fault {
    char *file;
    char *text; /* "FILE:LINE: what is wrong", the first of its findings */
};

/* Filled in before others have it, and not changed then, so that several threads may look into it. */
struct template_set {
    struct template **all; /* a reference to each */
    size_t count;
    struct template_fault *faults; /* one for each file */
    size_t n_faults;
    atomic_uint n_owners;
};

/* Empty. -ENOMEM. */
int template_set_new(struct template_set **ret) _must_check_;
/* Adds a reference; each owner calls template_set_free, on any thread. Takes NULL. */
struct template_set *template_set_ref(struct template_set *set);
void template_set_free(struct template_set *set);
DEFINE_CLEANUP(struct template_set, template_set_free);

/* Adds a reference to it; one of the same name is replaced. -ENOMEM. */
int template_set_add(struct template_set *set, struct template *template) _must_check_;
/* Copies. Of a file that has one already nothing is added. -ENOMEM. */
int template_set_add_fault(struct template_set *set, const char *file, const char *text) _must_check_;
/* All of the other one. -ENOMEM: a part of it. */
int template_set_add_all(struct template_set *set, const struct template_set *other) _must_check_;

/* Borrowed. NULL: there is none of this name. */
struct template *template_set_find(const struct template_set *set, const char *name);

#endif
