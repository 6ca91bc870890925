/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Did you mean …: the machines that may be meant by a name that no machine has, or several. */
#ifndef UNDERSTUDY_DAEMON_API_SUGGEST_H
#define UNDERSTUDY_DAEMON_API_SUGGEST_H

#include "pool/pool.h"

/* "did you mean VM-001, VM-002?"; NULL where nothing is similar, or for want of memory. Caller frees. */
char *suggest_similar(const struct pool *pool, const char *text);

/* Likewise, with other names beside those of the machines. */
char *suggest_among(const struct pool *pool, const char *const *others, size_t n_others, const char *text);

/* "it may be local/web, far/web"; the machines of that name or UUID. NULL for want of memory. Caller frees. */
char *suggest_exact(const struct pool *pool, const char *text);

#endif
