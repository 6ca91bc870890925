/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a recovery: when each step was reached, and how long it took from the one before. For history. */
#ifndef UNDERSTUDY_DAEMON_CTL_TIMELINE_H
#define UNDERSTUDY_DAEMON_CTL_TIMELINE_H

#include <jansson.h>
#include <stdbool.h>

/* An operator ordered it, by failover or failback: nothing had failed. */
bool timeline_is_of_an_order(const json_t *recovery);

/* Prints the steps that were reached, in the order of their times. */
void timeline_print(const json_t *recovery);

#endif
