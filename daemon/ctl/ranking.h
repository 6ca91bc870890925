/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates in order as a table with reasons: what explain and history both show. */
#ifndef UNDERSTUDY_DAEMON_CTL_RANKING_H
#define UNDERSTUDY_DAEMON_CTL_RANKING_H

#include <jansson.h>

/*
 * document: an explanation or a recovery. chosen: a name or NULL. limit: so many of the eligible candidates are shown,
 * and of the others; 0: all that the document lists.
 */
void ranking_print(const json_t *document, const char *chosen, size_t limit);

#endif
