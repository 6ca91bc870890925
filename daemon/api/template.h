/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates over HTTP: one that is written from a machine, and a check of those on disk. */
#ifndef UNDERSTUDY_DAEMON_API_TEMPLATE_H
#define UNDERSTUDY_DAEMON_API_TEMPLATE_H

struct exchange;
struct machine;

/* Both ask the backend, and answer the request now or later. */
void template_write(struct exchange *exchange, const struct machine *machine);
void template_check_all(struct exchange *exchange);

#endif
