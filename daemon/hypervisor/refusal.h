/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why an action was not carried out, as its result tells it: an errno and a sentence. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_REFUSAL_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_REFUSAL_H

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "protocol/action.h"

/* error: a negative errno. The sentence is cut where it does not fit. Returns error. */
int refusal_say(struct action_result *result, int error, const char *format, ...) _printf_(3, 4);

/*
 * The last call of this thread to libvirt has failed: "DOING: LIBVIRT'S WORDS". To be called before another call is made,
 * since each forgets the error of the one before, even virDomainGetName. So ask for names before. Returns the error, which is
 * that of translate_last_error.
 */
int refusal_quote(struct action_result *result, virConnectPtr connection, const char *format, ...) _printf_(3, 4);

#endif
