/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The templates of a directory, and those of a whole configuration. */
#ifndef UNDERSTUDY_DAEMON_TEMPLATE_FILES_H
#define UNDERSTUDY_DAEMON_TEMPLATE_FILES_H

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config.h"
#include "model/template_set.h"

/*
 * Adds the templates of the files NAME.xml, in the order of their names, each with NAME.user-data and NAME.meta-data where
 * these are there. Hidden files and others are left out. A file that is wrong is left out as well: what is wrong stands in
 * diags, as warnings, and is a fault of the set; so is a directory that cannot be read. One that is not there is empty.
 * -ENOMEM.
 */
int template_files_load(const char *directory, struct diags *diags, struct template_set *set) _must_check_;

/* What each hypervisor of a configuration can make. Not changed once it is loaded; for one thread. */
struct templates {
    struct hypervisor_templates *items;
    size_t count;
    struct template_set *everywhere; /* with the faults of all directories, each once */
    unsigned n_owners;
};

/*
 * Those of pool.templates for all, and those of hypervisors[].templates for one, which replace one of the same name.
 * Faults as above. -ENOMEM.
 */
int templates_load(const struct config *config, struct diags *diags, struct templates **ret) _must_check_;
/* Of the hypervisor of this name; NULL: there is none. Borrowed; who keeps it takes a reference. */
struct template_set *templates_of(const struct templates *templates, const char *hypervisor);
/* Adds a reference; each owner calls templates_free. Takes NULL. */
struct templates *templates_ref(struct templates *templates);
void templates_free(struct templates *templates);
DEFINE_CLEANUP(struct templates, templates_free);

#endif
