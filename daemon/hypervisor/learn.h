/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest agent tells about its guest. Blocking calls, for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H

#include <libvirt/libvirt.h>

#include "model/description.h"

/*
 * Asks the agent of a running domain for its operating system and adds it to the description as
 * `os/ID-VERSION` (os-release(5)'s ID and VERSION_ID). An agent that does not answer within a short time changes
 * nothing.
 */
void learn_from_agent(virDomainPtr domain, struct domain_description *description);

#endif
