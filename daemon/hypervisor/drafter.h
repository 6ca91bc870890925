/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the text of a template from a machine, and looks whether templates could be used. Blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_DRAFTER_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_DRAFTER_H

#include <libvirt/libvirt.h>

#include "model/template.h"
#include "protocol/action.h"
#include "protocol/template_draft.h"

/*
 * Fills in what came of the draft. On success template_parse takes its text, and maker_check finds nothing against it.
 * Changes nothing. -ENOENT: no such machine; -EBUSY: a disk has no base image (the hint says what to do), or a machine writes
 * to one; -EINVAL: no template can be made of the machine, or it has no such disk; -EIO, -ENOTCONN, -ENOMEM.
 */
void drafter_write(virConnectPtr connection, const char *uuid, struct template_draft *draft,
                   struct action_result *result);

/* Whether a machine could be made from the template now and started: maker_check, and its networks are active. Errors as there. */
void drafter_try(virConnectPtr connection, const struct template *template, struct action_result *result);

#endif
