/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The image from which cloud-init reads what a new machine is to be: an ISO 9660 file system with the volume id "cidata",
 * as its data source NoCloud expects it (https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html).
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_SEED_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_SEED_H

#include <stddef.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "model/template.h"

/*
 * The files of the template, in which ${NAME} is replaced by its value where environment ("NAME=value") has it, and
 * ${UNDERSTUDY_SERVICE} by the name of the service; all other ${…} stay. meta-data gets an instance-id and a local-hostname
 * where it has none: that of the service, and for a standby, which may serve another one, its own. Both files are there always, since cloud-init wants both. The caller frees what it gets. -ENOMEM.
 */
int seed_user_data(const struct template *template, const struct making *making, const struct string_list *environment,
                   char **ret) _must_check_;
int seed_meta_data(const struct template *template, const struct making *making, const struct string_list *environment,
                   char **ret) _must_check_;

/* The image in memory. The caller frees *ret. libarchive collects it in a temporary file. -ENOMEM, -EIO. */
int seed_make_image(const char *user_data, const char *meta_data, void **ret, size_t *ret_size) _must_check_;

#endif
