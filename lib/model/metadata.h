/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes understudy's own element in the metadata of a domain, and nothing in it that is not to be changed. */
#ifndef UNDERSTUDY_MODEL_METADATA_H
#define UNDERSTUDY_MODEL_METADATA_H

#include <stdbool.h>

#define SERVICE_NAME_SIZE 256 /* longest name of a service that can be written down there, and its NUL */

/* What the element says afterwards. Everything else in it stays. */
struct metadata_change {
    unsigned roles; /* of enum machine_role; never 0 */
    bool sets_priority;
    int priority;                    /* with sets_priority */
    char service[SERVICE_NAME_SIZE]; /* empty: it names no service */
};

/*
 * xml: the element as virDomainGetMetadata returns it; NULL: there is none, and one is made. *ret: the element as
 * virDomainSetMetadata takes it; the caller frees it. Thread-safe. -EINVAL: xml is no such element. -ENOMEM.
 */
int metadata_apply(const char *xml, const struct metadata_change *change, char **ret);

#endif
