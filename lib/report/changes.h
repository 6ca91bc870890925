/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which documents of the control interface are other than before: what the event stream tells of. Nothing has to be noted
 * where something changes: the documents are made anew, and compared by their hashes.
 */
#ifndef UNDERSTUDY_REPORT_CHANGES_H
#define UNDERSTUDY_REPORT_CHANGES_H

#include "coordinator/coordinator.h"
#include "report/problems.h"

/* More machines, services or recoveries than these are told by one event without a document. */
#define CHANGES_MAX 50

/*
 * Every document as it is now, in a few bytes each, and what is other than `before`, which is the first part of an earlier
 * answer; with NULL nothing is. plan as of json_format_services. before_us: when that was asked for, real_us. *ret: lines of what there is, an empty line, and a line "EVENT DOCUMENT" for each change. Caller frees.
 * -ENOMEM.
 */
int changes_find(const struct coordinator *coordinator, const struct problems *problems, struct plan *plan,
                 struct moment now, const char *before, int64_t before_us, char **ret) _must_check_;

#endif
