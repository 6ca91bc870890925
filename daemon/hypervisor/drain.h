/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A FIFO in a directory of its own, whose contents vanish. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_DRAIN_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_DRAIN_H

#include "base/cleanup.h"

struct drain;

/*
 * Makes the FIFO below $RUNTIME_DIRECTORY (as systemd sets it, where other services see it), else /tmp,
 * and reads it on a thread until drain_free. Negative errno.
 */
int drain_new(struct drain **ret) _must_check_;

/* Borrowed. */
const char *drain_path(const struct drain *drain);

/* Stops reading and removes the FIFO. Takes NULL. */
void drain_free(struct drain *drain);
DEFINE_CLEANUP(struct drain, drain_free);

#endif
