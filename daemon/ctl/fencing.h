/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fence agents were asked to do, for history. */
#ifndef UNDERSTUDY_CTL_FENCING_H
#define UNDERSTUDY_CTL_FENCING_H

#include <jansson.h>

/* The document of /v1/fencing. host: the one that was asked for, or NULL. limit: so many; 0: all. */
void fencing_print(const json_t *entries, const char *host, size_t limit);

#endif
