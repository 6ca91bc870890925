/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept beyond the life of the daemon, as texts that a later one reads back: recoveries, and
 * what was last known of a machine. Knows neither where the texts lie nor what becomes of a recovery
 * that was cut off; see recovery_resume.
 */
#ifndef UNDERSTUDY_REPORT_RECORD_H
#define UNDERSTUDY_REPORT_RECORD_H

#include "base/cleanup.h"
#include "base/moment.h"
#include "detect/host.h"
#include "model/hold.h"
#include "model/machine.h"
#include "protocol/fence_log.h"
#include "workflow/diversion.h"
#include "workflow/recovery.h"

/*
 * All that is history in a recovery, and at which level its replacement is verified; the question under
 * way is not kept. Bytes that are no UTF-8 become U+FFFD. Caller frees *ret. -ENOMEM.
 */
int record_format_recovery(const struct recovery *recovery, char **ret) _must_check_;

/*
 * now: places the recovery on the monotonic clock of today, `detected` by the time of day and every other
 * moment at its exact distance from it; moments from before the last boot are negative there.
 * Caller frees *ret with recovery_free. -EINVAL: damaged, or of another format. -ENOMEM.
 */
int record_parse_recovery(const char *text, struct moment now, struct recovery **ret) _must_check_;

/* {"state":"running","reason":"unknown","learned":["os/debian-12"]}: learned is what its guest agent told. Caller frees
 * *ret. -ENOMEM. */
int record_format_machine(const struct machine_memory *memory, const struct string_list *learned,
                          char **ret) _must_check_;
/* -EINVAL: damaged. -ENOMEM. */
int record_parse_machine(const char *text, struct machine_memory *ret) _must_check_;
/*
 * As above with "description": what it is, but for what its agent tells, so that it can be told of and replaced when
 * its host is gone. description NULL: without.
 */
int record_format_described_machine(const struct machine_memory *memory, const struct string_list *learned,
                                    const struct domain_description *description, char **ret) _must_check_;
/*
 * All that is in such a document. uuid: whose it is. *ret_description: NULL where there is none or it is damaged; learned: likewise
 * empty, and the caller ends it. As record_parse_machine.
 */
int record_parse_described_machine(const char *text, const char *uuid, struct machine_memory *ret_memory,
                                   struct string_list *learned,
                                   struct domain_description **ret_description) _must_check_;

/* That a replacement serves a service. Caller frees *ret. -ENOMEM. */
int record_format_diversion(const struct diversion *diversion, const struct feature_table *table,
                            char **ret) _must_check_;
/* now: as for record_parse_recovery. Interns what it needs. Caller frees *ret. -EINVAL: damaged. -ENOMEM. */
int record_parse_diversion(const char *text, struct moment now, struct feature_table *table,
                           struct diversion **ret) _must_check_;

/* A hold. Caller frees *ret. -ENOMEM. */
int record_format_hold(const struct hold *hold, char **ret) _must_check_;
/* Caller frees *ret. -EINVAL: damaged. -ENOMEM. */
int record_parse_hold(const char *text, struct hold **ret) _must_check_;

/* A host that is lost or fenced. Caller frees *ret. -ENOMEM. */
int record_format_host(const struct host_track *host, char **ret) _must_check_;
/* now: as for record_parse_recovery. -EINVAL: damaged. -ENOMEM. */
int record_parse_host(const char *text, struct moment now, enum host_state *ret_state, struct moment *ret_missing,
                      struct moment *ret_fenced) _must_check_;

/* What fence agents did to a host. Caller frees *ret. -ENOMEM. */
int record_format_fence_log(const struct fence_log *log, char **ret) _must_check_;
/* now: as for record_parse_recovery. Caller ends *ret with fence_log_done. -EINVAL: damaged. -ENOMEM. */
int record_parse_fence_log(const char *text, struct moment now, struct fence_log *ret) _must_check_;

#endif
