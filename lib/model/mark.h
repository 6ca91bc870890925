/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a domain carries in its metadata of what understudy did with it: that it serves another machine's service since a
 * recovery, or that it is kept warm. Read only where nothing is on record of it.
 */
#ifndef UNDERSTUDY_MODEL_MARK_H
#define UNDERSTUDY_MODEL_MARK_H

#include <stdbool.h>

#include "model/machine.h"
#include "model/metadata.h"

#define MARK_RECOVERY_SIZE 32 /* as RECOVERY_ID_SIZE, which is defined by it */

struct mark {
    bool is_warm;                         /* it is kept warm, and nothing below is said */
    char recovery_id[MARK_RECOVERY_SIZE]; /* that put it there */
    struct machine_ref original;          /* of the service */
    char service[SERVICE_NAME_SIZE];      /* its name, for people; a longer one is cut */
};

/* One line of text, which is the same for equal marks. */
void mark_print(const struct mark *mark, char text[MARK_TEXT_SIZE]);
/* False: it is none. */
bool mark_scan(const char *text, struct mark *ret);

#endif
