/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/rehearsal.h"

#include <stdlib.h>

void rehearsal_done(struct rehearsal *rehearsal)
{
    free(rehearsal->why_not);
    *rehearsal = (struct rehearsal){0};
}
