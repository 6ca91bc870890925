/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a verdict on a machine leads to: a notice, or a failure that is left as a fact for the component that
 * deals with it. Opens no recovery.
 */
#ifndef UNDERSTUDY_COORDINATOR_FAILURES_H
#define UNDERSTUDY_COORDINATOR_FAILURES_H

#include "coordinator/registry.h"

/* machine NULL: it is not known yet. */
void failures_handle_verdict(struct registry *registry, struct watch *watch, const struct machine *machine,
                             const struct failure_verdict *verdict, struct moment now);
/*
 * A failure; `why` is static and for people. It is left for the recoveries, or for the standby component
 * where that one has the machine, unless something speaks against it. machine NULL: it is not known yet.
 */
void failures_leave(struct registry *registry, struct watch *watch, const struct machine *machine,
                    enum failure_cause cause, const char *why, struct moment now);
/* A failure cannot be dealt with now, without memory or before more is known: it is left again at retry_us (mono_us). */
void failures_defer(struct registry *registry, struct watch *watch, enum failure_cause cause, int64_t retry_us);
/*
 * A call of the daemon that asks the guest to shut down was answered when it was not waited for any more: the guest may
 * obey now, and an end within LATE_STOP_US is no wish of its operator.
 */
void failures_expect_late_stop(struct registry *registry, const struct machine_ref *ref, struct moment now);
/* The machine runs again, or is no more: no failure is deferred. */
void failures_forget(struct watch *watch);
/* A failure that was deferred, if there is one, is left again. */
void failures_retry(struct registry *registry, struct watch *watch, const struct machine *machine, struct moment now);
/* The machine has run since its last failure, or needs no recovery. */
void failures_clear(struct registry *registry, struct watch *watch, const struct machine *machine);
/* The machine has a deadline: it stands in QUEUE_WAITING. */
void failures_await_deadline(struct registry *registry, struct watch *watch);

#endif
