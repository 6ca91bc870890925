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
 * Each acts on action->target.uuid and fills result->error and message; -ENOENT: no such domain, -ENOTCONN, -EIO with
 * libvirt's words in message. get_state also fills state, reason, has_managed_save and free_memory_kib.
 */
void action_get_state(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Success means that the machine is off; it may have been off before. */
void action_destroy(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Success means that the guest was asked, or that the machine was off already: fills state with that before the call. */
void action_shutdown(virConnectPtr connection, const struct action *action, struct action_result *result);

/* In the definition, and in the process where there is one, each as it stands there. A transient machine has none: -EIO. */
void action_set_metadata(virConnectPtr connection, const struct action *action, struct action_result *result);

/* As action_set_metadata, by an operator; of a transient machine, in its process alone. */
void action_tag(virConnectPtr connection, const struct action *action, const struct metadata_tags *tags,
                struct action_result *result);

/* Whether libvirt starts it when it comes up on a booted host. A transient machine has no autostart. */
void action_get_autostart(virConnectPtr connection, const struct action *action, struct action_result *result);
void action_set_autostart(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Resumes a machine that a user paused, else boots or restores it. -EALREADY: it runs. */
void action_start(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Suspends a running machine; success where it is suspended already. */
void action_suspend(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Managed save of a machine that runs or is suspended; it will be restored running. */
void action_save(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Through the guest agent: from the virtual hardware clock, which went on, or else to the time of this host. */
void action_set_clock(virConnectPtr connection, const struct action *action, struct action_result *result);

/* Fills resident_kib. */
void action_measure_memory(virConnectPtr connection, const struct action *action, struct action_result *result);

/*
 * Crashes the machine for a drill: libvirt reports STOPPED/CRASHED then. The guest's file systems are frozen first
 * where its agent answers. The hypervisor must be on this host, where libvirt writes the guest's memory to a file.
 */
void action_crash(virConnectPtr connection, const struct action *action, struct action_result *result);

/* The same on any host, but libvirt reports STOPPED/DESTROYED. */
void action_break_off(virConnectPtr connection, const struct action *action, struct action_result *result);

#endif
