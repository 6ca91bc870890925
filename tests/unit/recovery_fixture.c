/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One recovery, its machines and its clock. Knows how a recovery gets into each of its states. */
#include "recovery_fixture.h"

#include <errno.h>
#include <string.h>

static char names[][8] = {"failed", "b", "c", "d", "e"};
static char local[] = "local";

static void make_machine(struct fixture *fixture, struct machine *machine, unsigned number)
{
    *machine = (struct machine){
        .hypervisor = local,
        .name = names[number],
        .state = MACHINE_SHUT_OFF,
        .description = &fixture->descriptions[number],
    };
    fixture->descriptions[number].uuid[UUID_SIZE - 1] = (uint8_t)number;
}

void renew(struct fixture *fixture, enum failure_cause cause)
{
    struct recovery *fresh;

    recovery_free(fixture->recovery);
    fixture->step = (struct recovery_step){0};
    assert_int_equal(recovery_new("20261122-145400-1", &fixture->failed, cause, fixture->now, &fresh), 0);
    fixture->recovery = fresh;
}

int recovery_set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config(), .now = {1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC}};
    make_machine(&fixture, &fixture.failed, 0);
    for (unsigned i = 0; i < ELEMENTS_OF(fixture.candidates); i++)
        make_machine(&fixture, &fixture.candidates[i], i + 1);
    renew(&fixture, CAUSE_PROCESS_DIED);
    *state = &fixture;
    return 0;
}

int recovery_tear_down(void **state)
{
    struct fixture *fixture = *state;

    recovery_free(fixture->recovery);
    return 0;
}

static uint64_t next_id = 100;

static void take_action(struct fixture *fixture)
{
    fixture->recovery->question.action_id = fixture->step.action.id = next_id++;
    fixture->recovery->question.is_handed_out = true; /* handed out at once, unless the brake holds it back */
}

void hand_in(struct fixture *fixture, struct recovery_event event)
{
    event.now = fixture->now;
    assert_int_equal(recovery_handle(fixture->recovery, &event, &fixture->config, &fixture->step), 0);
    if (fixture->step.has_action)
        take_action(fixture);
}

void say(struct fixture *fixture, enum recovery_event_kind kind)
{
    hand_in(fixture, (struct recovery_event){.kind = kind});
}

void answer(struct fixture *fixture, int error, enum machine_state state, enum machine_reason reason)
{
    struct action_result result = {
        .id = fixture->recovery->question.action_id, .error = error, .state = state, .reason = reason};

    if (error != 0)
        strcpy(result.message, "the words of the hypervisor");
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_ANSWER, .result = &result});
}

void answer_ok(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_UNKNOWN, REASON_UNKNOWN);
}

void answer_off(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_SHUT_OFF, REASON_CRASHED);
}

void answer_running(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_RUNNING, REASON_UNKNOWN);
}

void pick(struct fixture *fixture, unsigned candidate)
{
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_CHOSEN, .candidate = &fixture->candidates[candidate]});
}

void choose_candidate(struct fixture *fixture, unsigned candidate)
{
    pick(fixture, candidate);
    assert_action(fixture, ACTION_RECORD, &fixture->candidates[candidate]);
    answer_ok(fixture);
    assert_action(fixture, ACTION_HOOK, &fixture->candidates[candidate]);
    answer_ok(fixture);
}

void pass(struct fixture *fixture, int64_t duration_us)
{
    fixture->now.mono_us += duration_us;
    fixture->now.real_us += duration_us;
}

/* Lets the time come that the recovery waits for. */
void wait_for_deadline(struct fixture *fixture)
{
    assert_true(fixture->recovery->question.deadline_us < USEC_INFINITY);
    pass(fixture, fixture->recovery->question.deadline_us - fixture->now.mono_us);
    say(fixture, RECOVERY_TICK);
}

void assert_state(const struct fixture *fixture, enum recovery_state state)
{
    assert_string_equal(recovery_state_name(fixture->recovery->state), recovery_state_name(state));
}

static int64_t time_for(const struct config *config, enum action_kind kind)
{
    switch (kind) {
    case ACTION_START:
    case ACTION_UNMAKE:
        return config->recovery.start_timeout_us;
    case ACTION_RECORD:
        return config->recovery.intent_timeout_us;
    case ACTION_FENCE:
    case ACTION_TEST_FENCING:
    case ACTION_HOOK:
        return config->hooks.timeout_us;
    case ACTION_DESTROY: /* libvirt takes up to 15 s to end a process that does not want to */
        return config->recovery.call_timeout_us > 20 * USEC_PER_SEC ? config->recovery.call_timeout_us
                                                                    : 20 * USEC_PER_SEC;
    case ACTION_LIST:
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_READ:
    case ACTION_GET_STATE:
    case ACTION_CHECK_ALIVE:
    case ACTION_SHUTDOWN:
    case ACTION_VERIFY:
    case ACTION_REMEMBER:
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_SET_CLOCK:
    case ACTION_SET_METADATA:
    case ACTION_GET_AUTOSTART:
    case ACTION_SET_AUTOSTART:
    case ACTION_MEASURE_MEMORY:
    case ACTION_COUNT:
    default:
        return config->recovery.call_timeout_us;
    }
}

void assert_action(const struct fixture *fixture, enum action_kind kind, const struct machine *target)
{
    struct machine_ref ref = machine_ref_of(target);

    assert_true(fixture->step.has_action);
    assert_string_equal(action_kind_name(fixture->step.action.kind), action_kind_name(kind));
    assert_true(machine_ref_equal(&fixture->step.action.target, &ref));
    assert_string_equal(fixture->step.action.recovery_id, fixture->recovery->id);
    assert_int_equal(fixture->step.action.timeout_us, time_for(&fixture->config, kind));
}

void assert_released(const struct fixture *fixture, const struct machine *candidate)
{
    struct machine_ref ref = machine_ref_of(candidate);

    assert_true(fixture->step.releases_candidate);
    assert_true(machine_ref_equal(&fixture->step.released, &ref));
}

void assert_ended(const struct fixture *fixture, enum recovery_state outcome)
{
    assert_state(fixture, outcome);
    assert_true(recovery_state_is_final(outcome));
    assert_true(fixture->step.ended);
    assert_false(fixture->step.has_action);
    assert_int_equal(fixture->recovery->ended.mono_us, fixture->now.mono_us);
    assert_int_equal(fixture->recovery->question.deadline_us, USEC_INFINITY);
    assert_non_null(fixture->recovery->detail);
}

/* ---- up to a state ---- */

void until_selecting(struct fixture *fixture)
{
    say(fixture, RECOVERY_BEGIN);
    answer_off(fixture);
    assert_state(fixture, RECOVERY_SELECTING);
    assert_true(fixture->step.wants_candidate);
}

void until_starting(struct fixture *fixture)
{
    until_selecting(fixture);
    choose_candidate(fixture, 0);
    assert_state(fixture, RECOVERY_STARTING);
}

void until_recording(struct fixture *fixture)
{
    until_selecting(fixture);
    pick(fixture, 0);
    assert_state(fixture, RECOVERY_RECORDING);
}

void until_preparing(struct fixture *fixture)
{
    until_recording(fixture);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_PREPARING);
}

void until_settling(struct fixture *fixture)
{
    until_starting(fixture);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
}

void until_resolving(struct fixture *fixture)
{
    until_starting(fixture);
    answer(fixture, -ETIMEDOUT, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_state(fixture, RECOVERY_RESOLVING);
}

void until_destroying(struct fixture *fixture)
{
    say(fixture, RECOVERY_BEGIN);
    answer(fixture, 0, MACHINE_CRASHED, REASON_PANICKED);
    assert_state(fixture, RECOVERY_DESTROYING);
}

void until_verifying(struct fixture *fixture)
{
    fixture->descriptions[1].has_agent_channel = true;
    until_settling(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_state(fixture, RECOVERY_VERIFYING);
}

void until_waiting(struct fixture *fixture)
{
    fixture->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    until_selecting(fixture);
    hand_in(fixture,
            (struct recovery_event){.kind = RECOVERY_NO_CANDIDATE, .detail = "no candidate is similar enough"});
    assert_state(fixture, RECOVERY_WAITING);
}

/* The candidate under way failed: whatever is asked about it, it is off. Ends where the next step is decided. */
void candidate_turns_out_off(struct fixture *fixture)
{
    for (int i = 0; i < 10 && fixture->step.has_action && !fixture->step.releases_candidate; i++) {
        struct machine_ref target = fixture->step.action.target;

        assert_true(machine_ref_equal(&target, &fixture->recovery->replacement));
        assert_int_not_equal(fixture->step.action.kind, ACTION_START);
        answer_off(fixture);
    }
    if (fixture->step.has_action)
        still_dead(fixture);
}

void still_dead(struct fixture *fixture)
{
    struct recovery_step before = fixture->step;

    assert_state(fixture, RECOVERY_CONFIRMING);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    answer_off(fixture);
    fixture->step.releases_candidate = before.releases_candidate;
    fixture->step.released = before.released;
    fixture->step.was_stopped = before.was_stopped;
    fixture->step.quarantines = before.quarantines;
}

/* It serves, and candidate 0 is to take over. */
static void be_relieved(struct fixture *fixture, enum relief relief)
{
    renew(fixture, CAUSE_FAILOVER);
    fixture->recovery->relief = relief;
    fixture->recovery->to = machine_ref_of(&fixture->candidates[0]);
    fixture->recovery->to_name = strdup(fixture->candidates[0].name);
    assert_non_null(fixture->recovery->to_name);
}

void until_announcing(struct fixture *fixture)
{
    be_relieved(fixture, RELIEF_FIRST);
    say(fixture, RECOVERY_BEGIN);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    answer_running(fixture);
    assert_true(fixture->step.wants_named);
    pick(fixture, 0);
    assert_action(fixture, ACTION_RECORD, &fixture->candidates[0]);
    answer_ok(fixture);
    assert_action(fixture, ACTION_HOOK, &fixture->failed);
}

void until_verified(struct fixture *fixture)
{
    be_relieved(fixture, RELIEF_LAST);
    say(fixture, RECOVERY_BEGIN);
    answer_running(fixture);
    choose_candidate(fixture, 0);
    answer_ok(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_action(fixture, ACTION_HOOK, &fixture->failed);
}

void until_relieving(struct fixture *fixture)
{
    until_announcing(fixture);
    answer_ok(fixture);
    assert_action(fixture, ACTION_SHUTDOWN, &fixture->failed);
}

void until_leaving(struct fixture *fixture)
{
    until_relieving(fixture);
    answer_running(fixture);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
}

void bring_to(struct fixture *fixture, enum recovery_state target)
{
    fixture->config.mode = MODE_AUTOMATIC;
    fixture->config.recovery.when_exhausted = EXHAUSTED_ALERT;
    fixture->descriptions[1].has_agent_channel = false;
    renew(fixture, CAUSE_PROCESS_DIED);
    switch (target) {
    case RECOVERY_DETECTED:
        break;
    case RECOVERY_CONFIRMING:
        say(fixture, RECOVERY_BEGIN);
        break;
    case RECOVERY_DESTROYING:
        until_destroying(fixture);
        break;
    case RECOVERY_SELECTING:
        until_selecting(fixture);
        break;
    case RECOVERY_RECORDING:
        until_recording(fixture);
        break;
    case RECOVERY_PREPARING:
        until_preparing(fixture);
        break;
    case RECOVERY_VERIFYING:
        until_verifying(fixture);
        break;
    case RECOVERY_WAITING:
        until_waiting(fixture);
        break;
    case RECOVERY_STARTING:
        until_starting(fixture);
        break;
    case RECOVERY_RESOLVING:
        until_resolving(fixture);
        break;
    case RECOVERY_STOPPING:
        until_resolving(fixture);
        answer_off(fixture);
        break;
    case RECOVERY_SETTLING:
        until_settling(fixture);
        break;
    case RECOVERY_ANNOUNCING:
        until_announcing(fixture);
        break;
    case RECOVERY_RELIEVING:
        until_relieving(fixture);
        break;
    case RECOVERY_LEAVING:
        until_leaving(fixture);
        break;
    case RECOVERY_ENDING:
        until_leaving(fixture);
        answer(fixture, 0, MACHINE_CRASHED, REASON_PANICKED);
        break;
    case RECOVERY_CALLED_OFF:
        until_announcing(fixture);
        answer(fixture, -ECANCELED, MACHINE_UNKNOWN, REASON_UNKNOWN);
        break;
    case RECOVERY_RECOVERED:
        until_settling(fixture);
        wait_for_deadline(fixture);
        answer_running(fixture);
        break;
    case RECOVERY_EXHAUSTED:
        until_selecting(fixture);
        say(fixture, RECOVERY_NO_CANDIDATE);
        break;
    case RECOVERY_DISMISSED:
        say(fixture, RECOVERY_BEGIN);
        answer_running(fixture);
        break;
    case RECOVERY_OBSERVED:
        until_selecting(fixture);
        fixture->config.mode = MODE_OBSERVE;
        pick(fixture, 0);
        break;
    case RECOVERY_HELD:
        until_selecting(fixture);
        hand_in(fixture, (struct recovery_event){.kind = RECOVERY_HOLD, .detail = "its host is held"});
        break;
    case RECOVERY_STATE_COUNT:
    default:
        fail();
    }
    assert_state(fixture, target);
}
