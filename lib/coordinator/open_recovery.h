/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One recovery under way: holds and claims what it needs, takes a candidate, and turns its steps into
 * actions and notices. Does not judge events, and does not choose.
 */
#ifndef UNDERSTUDY_COORDINATOR_OPEN_RECOVERY_H
#define UNDERSTUDY_COORDINATOR_OPEN_RECOVERY_H

#include "coordinator/recoveries.h"

/* What was made from a template has a name of its own since it is there, by which it is told of from now on. */
void open_recovery_name_replacement(struct open_recovery *open);

/* What holds for its service, as registry_policy_of. */
const struct policy *open_recovery_policy(const struct recoveries *recoveries, const struct open_recovery *open);
/* The machine that the order names is to be taken now, if it can be. -ENOMEM. */
int open_recovery_take_named(struct recoveries *recoveries, struct open_recovery *open, struct moment now) _must_check_;
/* What is chosen by for it, as for any failure; and as the order of a relief has it. */
struct choice_request open_recovery_plain_request(const struct recoveries *recoveries, const struct open_recovery *open,
                                                  struct moment now);
struct choice_request open_recovery_request(const struct recoveries *recoveries, const struct open_recovery *open,
                                            struct moment now);
/* Whether a machine can take over as the order of a relief says. */
struct candidate open_recovery_judge_named(const struct choice_request *request, const struct machine *to,
                                           bool is_anyway);
/* The candidate is its own from now on, until it is let go. -EBUSY: it is claimed by another one. -ENOMEM. */
int open_recovery_claim(struct recoveries *recoveries, struct open_recovery *open,
                        const struct machine *candidate) _must_check_;
void open_recovery_handle(struct recoveries *recoveries, struct open_recovery *open,
                          const struct recovery_event *event);
/* Where its failed machine is held, or a candidate that would be stopped: nothing further is begun. */
void open_recovery_heed_hold(struct recoveries *recoveries, struct open_recovery *open, struct moment now);
/*
 * Its candidate is this machine from now on, to which it was migrated. What was asked of it where it was is asked again with
 * RECOVERY_RECONNECTED. -EBUSY, -ENOMEM: it is as before.
 */
int open_recovery_move(struct recoveries *recoveries, struct open_recovery *open,
                       const struct machine *candidate) _must_check_;
/* As above, of its failed machine; of one that is to be relieved. */
int open_recovery_move_failed(struct recoveries *recoveries, struct open_recovery *open,
                              const struct machine *failed) _must_check_;
/* Claims the candidate and goes on with it. -ENOMEM. */
int open_recovery_take(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate,
                       struct moment now) _must_check_;
/* As above with the failed machine itself, unless its host is lost, or what it needs is in use or gone. -ENOMEM. */
int open_recovery_restart(struct recoveries *recoveries, struct open_recovery *open, struct moment now) _must_check_;
/* The recovery has ended: lets go of everything that is held for it, and frees it. */
void open_recovery_close(struct recoveries *recoveries, struct open_recovery *open, struct moment now);
void open_recovery_free(struct open_recovery *open);

/* The reading of its candidate is due, or no longer: it was or was not before. */
void open_recovery_list_reading(struct recoveries *recoveries, struct open_recovery *open, bool was_due);
/* What it asks for next; NULL: nothing any more. */
void open_recovery_set_action(struct recoveries *recoveries, struct open_recovery *open, const struct action *action);

#endif
