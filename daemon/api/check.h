/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* POST /v1/check: what a configuration says that is surely not meant for the machines that there are. */
#ifndef UNDERSTUDY_DAEMON_API_CHECK_H
#define UNDERSTUDY_DAEMON_API_CHECK_H

struct exchange;

/* Answers the request, whose body is the text of the configuration, later or at once. */
void check_answer(struct exchange *exchange);

#endif
