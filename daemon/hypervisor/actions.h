/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to a machine: blocking calls for worker threads. Knows no thread, queue or deadline. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_ACTIONS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_ACTIONS_H

#include <libvirt/libvirt.h>

#include "protocol/action.h"

/*
 * Looks a domain up and asks for its state, which is left in result. Caller frees it with virDomainFree. NULL:
 * result says why, as below.
 */
virDomainPtr action_look_up(virConnectPtr connection, const char *uuid, struct action_result *result);

/*
 * Each fills result->error and message; -ENOENT: no such domain, -ENOTCONN, -EIO with libvirt's words in
 * message. inquire also fills state, reason,
 * has_managed_save and free_memory_kib.
 */
void action_inquire(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Success means that it is off: it may have been so before. */
void action_destroy(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Resumes what a user paused, else boots or restores. -EALREADY: it runs. */
void action_start(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Suspends what runs; one that is suspended already is. */
void action_suspend(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Managed save, to be restored running, also where it is suspended. */
void action_save(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Through its agent: from the machine's own clock, which went on, or else to what this host says. */
void action_set_clock(virConnectPtr connection, const char *uuid, struct action_result *result);

/* Fills resident_kib. */
void action_weigh(virConnectPtr connection, const char *uuid, struct action_result *result);

/*
 * Makes it crash for a rehearsal, so that libvirt tells STOPPED/CRASHED. The guest's file systems are
 * frozen first where its agent answers. The hypervisor must be on this host.
 */
void action_crash(virConnectPtr connection, const char *uuid, struct action_result *result);

#endif
