/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One recovery, its machines and its clock, and short words for what is done to it. */
#ifndef UNDERSTUDY_TESTS_RECOVERY_FIXTURE_H
#define UNDERSTUDY_TESTS_RECOVERY_FIXTURE_H

#include "workflow/recovery.h"

#include "support.h"

#define recovery_test(f) cmocka_unit_test_setup_teardown(f, recovery_set_up, recovery_tear_down)

struct fixture {
    struct config config;
    struct machine failed, candidates[4];
    struct domain_description descriptions[5]; /* of the failed machine and the candidates */
    struct recovery *recovery;
    struct recovery_step step; /* of the last event */
    struct moment now;
};

/* A new recovery in place of the one there is. */
void renew(struct fixture *fixture, enum failure_cause cause);
int recovery_set_up(void **state);
int recovery_tear_down(void **state);
void hand_in(struct fixture *fixture, struct recovery_event event);
void say(struct fixture *fixture, enum recovery_event_kind kind);
void answer(struct fixture *fixture, int error, enum machine_state state, enum machine_reason reason);
void answer_ok(struct fixture *fixture);
void answer_off(struct fixture *fixture);
void answer_running(struct fixture *fixture);
/* Hands the candidate in: its intent is being recorded. */
void pick(struct fixture *fixture, unsigned candidate);
/* And lets intent and hooks succeed: it is being started. */
void choose_candidate(struct fixture *fixture, unsigned candidate);
void pass(struct fixture *fixture, int64_t duration_us);
/* Lets the time come that the recovery waits for. */
void wait_for_deadline(struct fixture *fixture);
void assert_state(const struct fixture *fixture, enum recovery_state state);
void assert_action(const struct fixture *fixture, enum action_kind kind, const struct machine *target);
void assert_released(const struct fixture *fixture, const struct machine *candidate);
void assert_ended(const struct fixture *fixture, enum recovery_state outcome);

/* Up to a state. */
void until_selecting(struct fixture *fixture);
void until_starting(struct fixture *fixture);
void until_recording(struct fixture *fixture);
void until_preparing(struct fixture *fixture);
void until_settling(struct fixture *fixture);
void until_resolving(struct fixture *fixture);
void until_destroying(struct fixture *fixture);
void until_verifying(struct fixture *fixture); /* by the guest agent */
void until_waiting(struct fixture *fixture);   /* to restart the failed machine */
/* The failed machine serves and is to be relieved by candidate 0; the hooks are asked. */
void until_announcing(struct fixture *fixture); /* first */
void until_verified(struct fixture *fixture);   /* last: candidate 0 runs */
void until_relieving(struct fixture *fixture);
void until_leaving(struct fixture *fixture);
void bring_to(struct fixture *fixture, enum recovery_state target);

/* The candidate under way failed: whatever is asked about it, it is off. Ends where the next step is decided. */
void candidate_turns_out_off(struct fixture *fixture);
/* The failed machine is asked about before the next candidate is chosen, and is off. What the step before did stays. */
void still_dead(struct fixture *fixture);

#endif
