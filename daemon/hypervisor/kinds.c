/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table. A kind that is missing here fails the test that walks all of them. */
#include "hypervisor/kinds.h"

#include "hypervisor/actions.h"
#include "hypervisor/pulse.h"
#include "hypervisor/verify.h"

static const struct kind {
    enum performer performer;
    enum job_class class;
    bool asks_agent; /* libvirt needs time of its own beside the agent's */
    kind_call call;
} kinds[ACTION_COUNT] = {
    [ACTION_LIST] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, NULL},
    [ACTION_DESCRIBE] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, NULL},
    /* One at a time on each host, as the coordinator asks. */
    [ACTION_DISCOVER] = {PERFORMER_HYPERVISOR, JOB_PROBE, true, NULL},
    /* A start waits for it. */
    [ACTION_READ] = {PERFORMER_HYPERVISOR, JOB_URGENT, false, NULL},
    [ACTION_GET_STATE] = {PERFORMER_HYPERVISOR, JOB_URGENT, false, action_get_state},
    [ACTION_DESTROY] = {PERFORMER_HYPERVISOR, JOB_URGENT, false, action_destroy},
    [ACTION_SHUTDOWN] = {PERFORMER_HYPERVISOR, JOB_NORMAL, true, action_shutdown},
    [ACTION_START] = {PERFORMER_HYPERVISOR, JOB_URGENT, false, action_start},
    [ACTION_UNMAKE] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, NULL},
    [ACTION_CHECK_ALIVE] = {PERFORMER_HYPERVISOR, JOB_PROBE, true, pulse_take},
    /* May wait for an agent; a call that ends or starts a machine must not wait for that. */
    [ACTION_VERIFY] = {PERFORMER_HYPERVISOR, JOB_NORMAL, true, verify_machine},
    [ACTION_RECORD] = {.performer = PERFORMER_STORE},
    [ACTION_HOOK] = {.performer = PERFORMER_PROGRAM},
    [ACTION_REMEMBER] = {.performer = PERFORMER_STORE},
    /* Of a standby: no recovery waits for it. */
    [ACTION_SUSPEND] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, action_suspend},
    [ACTION_SAVE] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, action_save},
    [ACTION_SET_CLOCK] = {PERFORMER_HYPERVISOR, JOB_PROBE, true, action_set_clock},
    [ACTION_SET_METADATA] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, action_set_metadata},
    [ACTION_GET_AUTOSTART] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, action_get_autostart},
    [ACTION_SET_AUTOSTART] = {PERFORMER_HYPERVISOR, JOB_NORMAL, false, action_set_autostart},
    [ACTION_MEASURE_MEMORY] = {PERFORMER_HYPERVISOR, JOB_PROBE, false, action_measure_memory},
    [ACTION_FENCE] = {.performer = PERFORMER_FENCE_AGENT},
    [ACTION_TEST_FENCING] = {.performer = PERFORMER_FENCE_AGENT},
};

enum performer kind_performer(const struct action *action)
{
    /* The one kind that two perform: a hypervisor asks an agent or a port, the daemon runs a command. */
    if (action->kind == ACTION_VERIFY && action->level == VERIFY_COMMAND)
        return PERFORMER_PROGRAM;
    return kinds[action->kind].performer;
}

enum job_class kind_job_class(enum action_kind kind)
{
    return kinds[kind].class;
}

bool kind_asks_agent(enum action_kind kind)
{
    return kinds[kind].asks_agent;
}

kind_call kind_function(enum action_kind kind)
{
    return kinds[kind].call;
}
