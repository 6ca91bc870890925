/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks after each listing whether machines can be made from the templates of a hypervisor. Apart from the listing, because
 * a question about storage that is dead may hang. Lives on the main thread.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_OUTLOOK_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_OUTLOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "hypervisor/prospects.h"
#include "hypervisor/worker.h"
#include "model/template_set.h"

struct outlook;

struct outlook_callbacks {
    void (*found)(void *context, struct prospects *prospects); /* may take them, and leaves {0} then */
    void (*overdue)(void *context, const char *call, int64_t for_us);
};

/* Borrows workers. is_local: the hypervisor is on the daemon's own host. */
int outlook_new(struct workers *workers, bool is_local, const struct outlook_callbacks *callbacks, void *context,
                struct outlook **ret) _must_check_;

/*
 * Looks at these templates (NULL: none), on the connection of this number (see connection_link). While an earlier look is
 * under way, once that has ended. Nothing is told of a look that was not finished, since the connection was lost, a call
 * hangs, or there is no memory. A template of which libvirt did not say whether it has its storage is_unknown.
 */
void outlook_look(struct outlook *outlook, struct template_set *templates, unsigned long link, int64_t timeout_us);

/* The connection is gone: what is under way on it counts no longer. */
void outlook_drop(struct outlook *outlook);

/* After workers_free. Takes NULL. */
void outlook_free(struct outlook *outlook);

#endif
