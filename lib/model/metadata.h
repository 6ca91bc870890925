/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes understudy's own element in the metadata of a domain, and nothing in it that is not to be changed. */
#ifndef UNDERSTUDY_MODEL_METADATA_H
#define UNDERSTUDY_MODEL_METADATA_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "model/feature_texts.h"

#define SERVICE_NAME_SIZE 256 /* longest name of a service that can be written down there, and its NUL */
#define MARK_TEXT_SIZE    448 /* of a mark (mark.h), and its NUL */

/* What the element says afterwards: the mark, or all else. What is not named here stays. */
struct metadata_change {
    bool sets_mark;            /* and nothing else */
    char mark[MARK_TEXT_SIZE]; /* empty: it has none */
    bool has_served;           /* with sets_mark: a standby that was made in advance stands by no more */
    unsigned roles;            /* of enum machine_role; never 0 */
    bool sets_priority;
    int priority;                    /* with sets_priority */
    char service[SERVICE_NAME_SIZE]; /* empty: it names no service */
};

/*
 * xml: the element as virDomainGetMetadata returns it; NULL: there is none, and one is made. uuid: of the domain, which its
 * mark names. *ret: the element as virDomainSetMetadata takes it, NULL where nothing is left of it; the caller frees it.
 * Thread-safe. -EINVAL: xml is no such element, or the mark is none. -ENOMEM.
 */
int metadata_apply(const char *xml, const char *uuid, const struct metadata_change *change, char **ret) _must_check_;

/* What an operator changes: see metadata_tag. End with metadata_tags_done. */
struct metadata_tags {
    struct feature_texts removed; /* resources, as they stand there; without a value: all of the kind */
    struct feature_texts added;
    bool sets_role;
    unsigned roles; /* of enum machine_role; 0: it gives none */
    bool sets_priority, has_priority;
    int priority; /* with has_priority */
};

void metadata_tags_done(struct metadata_tags *tags);
/* -ENOMEM: *ret is {0}. */
int metadata_tags_copy(const struct metadata_tags *tags, struct metadata_tags *ret) _must_check_;

/* Removes, then adds what is not there yet. Else as metadata_apply. */
int metadata_tag(const char *xml, const struct metadata_tags *tags, char **ret) _must_check_;

#endif
