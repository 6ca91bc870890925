/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest agent tells about its guest. Blocking calls, for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H

#include <libvirt/libvirt.h>

#include "config/config.h"
#include "discovery/catalog.h"
#include "model/feature_texts.h"

struct learn_options {
    const struct catalog *catalog;
    enum software_mode software;
    int64_t timeout_us; /* for all commands together */
};

/*
 * Asks the agent of a running domain, by many short commands, what its guest offers (discovery/interview.h). False: the
 * agent does not answer to the end, or must not be asked now; then nothing is added to *ret. *ret_is_partial: something
 * that it allows failed.
 */
bool learn_from_agent(virDomainPtr domain, const struct learn_options *options, struct feature_texts *ret,
                      bool *ret_is_partial);

#endif
