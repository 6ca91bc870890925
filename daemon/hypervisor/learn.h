/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest agent tells about its guest. Blocking calls, for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_LEARN_H

#include <libvirt/libvirt.h>

#include "config/config.h"
#include "discovery/catalog.h"
#include "model/description.h"

struct learn_options {
    const struct catalog *catalog;
    enum software_mode software;
    int64_t timeout_us; /* for all commands together */
    bool tries_ports;   /* it is connected to each port on which its guest listens, once */
};

/* What the agent told. End with learned_done. */
struct learned {
    struct feature_texts features;
    bool is_partial;  /* something that it allows failed, or comes later */
    bool is_starting; /* it comes later */
    enum guest_lack lack;
};

static inline void learned_done(struct learned *learned)
{
    feature_texts_done(&learned->features);
}

/*
 * Asks the agent of a running domain, by many short commands, what its guest offers (discovery/interview.h). False: the
 * agent does not answer to the end, or must not be asked now; then *ret is as it was, {0}.
 */
bool learn_from_agent(virDomainPtr domain, const struct learn_options *options, struct learned *ret);

#endif
