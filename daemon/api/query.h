/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands behind the question mark of a path. A value that is not given leaves *ret as it was. */
#ifndef UNDERSTUDY_DAEMON_API_QUERY_H
#define UNDERSTUDY_DAEMON_API_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct evkeyvalq;

/* ?limit=N. -EINVAL. */
int query_read_limit(const struct evkeyvalq *query, size_t *ret) _must_check_;

/* An instant as of time_parse. -EINVAL. */
int query_read_instant(const struct evkeyvalq *query, const char *name, int64_t *ret_real_us) _must_check_;

#endif
