/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of a check of the templates on disk. Plain values. */
#ifndef UNDERSTUDY_PROTOCOL_TEMPLATE_CHECK_H
#define UNDERSTUDY_PROTOCOL_TEMPLATE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Whether a machine could be made of one template on one host. */
struct template_trial {
    const char *name;       /* of the template */
    const char *hypervisor; /* the name from the configuration */
    const char *answer;     /* what stands against it; "": nothing */
    bool is_good;
};

/* Borrowed by the receiver. */
struct template_check {
    const char *directory;        /* pool.templates */
    const struct diags *findings; /* DIAG_ERROR: of this file nothing is used */
    const struct template_trial *trials;
    size_t n_trials;
};

#endif
