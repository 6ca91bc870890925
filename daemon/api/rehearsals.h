/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/rehearsals: made in a copy, since each service is looked at as if it were rehearsed now. */
#ifndef UNDERSTUDY_DAEMON_API_REHEARSALS_H
#define UNDERSTUDY_DAEMON_API_REHEARSALS_H

struct exchange;

void rehearsals_list(const struct exchange *exchange);

#endif
