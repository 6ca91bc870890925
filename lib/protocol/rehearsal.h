/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a service is rehearsed next, and why not. */
#ifndef UNDERSTUDY_PROTOCOL_REHEARSAL_H
#define UNDERSTUDY_PROTOCOL_REHEARSAL_H

#include <stdint.h>

/* A plain value: initialise with {0}, end with rehearsal_done. Instants are real_us. */
struct rehearsal {
    int64_t last_us; /* when it was rehearsed last, or tried; 0: never */
    int64_t due_us;  /* from when on it is due; 0: since ever */
    int64_t next_us; /* when it begins at the earliest; -1: never, as things are */
    char *why_not;   /* what stands against it, as things are; NULL: nothing */
};

/* What a rehearsal has left behind. */
enum rehearsal_trouble {
    REHEARSAL_FINE,       /* or it is no rehearsal, or a later one counts */
    REHEARSAL_UNFINISHED, /* another machine has taken over, and the original does not serve again (yet) */
    REHEARSAL_FAILED,     /* the newest one of its service, and not cleared */
};

void rehearsal_done(struct rehearsal *rehearsal);

#endif
