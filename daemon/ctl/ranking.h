/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ranking of candidates as a table with reasons: what explain and history both show. */
#ifndef UNDERSTUDY_DAEMON_CTL_RANKING_H
#define UNDERSTUDY_DAEMON_CTL_RANKING_H

#include <jansson.h>

/* document: an explanation or a recovery. chosen: a name or NULL. limit 0: all. */
void ranking_print(const json_t *document, const char *chosen, size_t limit);

#endif
