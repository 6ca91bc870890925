/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's numbers and errors in the words of lib/. Pure; a value that this program does not list becomes unknown. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_TRANSLATE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "protocol/event.h"
#include "model/machine.h"

/* The type and detail of VIR_DOMAIN_EVENT_ID_LIFECYCLE. */
enum domain_event_kind translate_lifecycle(int type, int detail);

/* The action of VIR_DOMAIN_EVENT_ID_WATCHDOG. */
enum domain_event_kind translate_watchdog(int action);

/* The state and reason of VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE. */
enum domain_event_kind translate_agent(int state);

/* What virDomainGetState says. */
void translate_state(int state, int reason, enum machine_state *ret_state, enum machine_reason *ret_reason);

/* The reason of a virConnectCloseFunc, for people. */
const char *translate_close_reason(int reason);

/* As below for a connection that could not be made, and -EHOSTUNREACH where the error means that the host is gone. */
int translate_connect_error(char *message, size_t size);
/* Judges by code and errno of libvirt's error and by its words, in the C locale. */
bool translate_is_absence(int code, int system_error, const char *message);

/*
 * Why the last libvirt call of this thread failed: -ENOENT (no such domain), -ENOTCONN (the connection,
 * which may be NULL, is gone), -ENOMEM, else -EIO. libvirt's words are copied to message.
 */
int translate_last_error(virConnectPtr connection, char *message, size_t size) _must_check_;

#endif
