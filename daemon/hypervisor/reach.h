/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether something accepts connections at one of several addresses. Blocks; knows no machine. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_REACH_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_REACH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define REACH_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */
#define REACH_MAX       16

/* IPv4 and IPv6 addresses as text. A plain value: initialise with {0}. */
struct addresses {
    char items[REACH_MAX][REACH_TEXT_SIZE];
    size_t count;
};

/* Adds an address that this host can connect to: no loopback, no link-local address, none twice, REACH_MAX at most. */
void addresses_add(struct addresses *addresses, const char *text);

/*
 * Tries all addresses at once. 0: one of them accepted. -EAGAIN: none did within the time, and message says of one of
 * them why. -ENETUNREACH: it cannot be tried from this host, which says nothing of the machine.
 */
int reach_any(const struct addresses *addresses, unsigned port, int64_t timeout_us, char *message,
              size_t size) _must_check_;

#endif
