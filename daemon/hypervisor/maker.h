/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a machine from a template, and removes one that never ran. Blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_MAKER_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_MAKER_H

#include <libvirt/libvirt.h>

#include "config/config.h"
#include "model/template.h"
#include "model/template_set.h"
#include "protocol/action.h"

/*
 * An overlay on the base image of each disk, the seed of cloud-init where the template has one, and the definition of the
 * domain, which is not started. environment: "NAME=value", what the files of cloud-init may ask for. The base images are
 * only read. -EEXIST: a domain or a volume of that name is there, and stays as it is; -EBUSY: a machine writes to a base
 * image; -ENOSPC: a storage pool has less available than a machine needs; -ENODEV: a
 * storage pool is not active, or a base image is missing or empty; -ETIMEDOUT: after until_us (mono_us) nothing more
 * is begun; -EINVAL: the template cannot be made into a machine; -EIO, -ENOTCONN, -ENOMEM. What
 * was made before an error stays for maker_unmake.
 *
 * A standby is defined first, as unfinished, and once more when its volumes are there: no other record says that it is
 * being made, and a listing finds what is left where that was cut off.
 */
void maker_make(virConnectPtr connection, const struct template *template, const struct making *making,
                const struct string_list *environment, int64_t until_us, struct action_result *result);

/*
 * Whether a machine could be made now, as far as that does not depend on its name: what maker_make looks at before it makes
 * anything. Changes nothing, but may have a storage pool refreshed that lacks a base image. Errors as there.
 */
void maker_check(virConnectPtr connection, const struct template *template, struct action_result *result);

/*
 * Removes the domain with this UUID, and the volumes that were made for it; doing it again is harmless. -EBUSY, and nothing
 * is removed: understudy did not make the domain, it has run (as far as libvirt or its volumes tell), or another domain uses
 * one of its volumes. -EAGAIN, and nothing is removed: it runs, or a storage pool is not active. -ETIMEDOUT: as above. -EIO,
 * -ENOTCONN, -ENOMEM: a part of it may be left.
 *
 * removes_data: also if it has run, with what its guest wrote. -EBUSY then, too: its role is not ignored, it serves, it has
 * another disk, or another image or one of these templates (may be NULL) stands on one of its volumes.
 */
void maker_unmake(virConnectPtr connection, const char *uuid, bool removes_data, const struct template_set *templates,
                  int64_t until_us, struct action_result *result);

#endif
