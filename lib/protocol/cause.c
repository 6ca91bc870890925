/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for causes. */
#include "protocol/cause.h"

static const struct {
    const char *name;
    const char *sentence;
} causes[CAUSE_COUNT] = {
    [CAUSE_NONE] = {"none", "nothing failed"},
    [CAUSE_PROCESS_DIED] = {"process-died", "its hypervisor process died"},
    [CAUSE_PANICKED] = {"guest-panicked", "its guest panicked"},
    [CAUSE_PANIC_PRESERVED] = {"panic-preserved", "its guest panicked and its remains are preserved"},
    [CAUSE_PANIC_LOOP] = {"panic-loop", "its guest panics again and again"},
    [CAUSE_RESET_LOOP] = {"reset-loop", "its guest is reset again and again"},
    [CAUSE_CRASHED] = {"crashed", "it crashed"},
    [CAUSE_HOST_KILL] = {"host-kill", "its hypervisor process was terminated on the host"},
    [CAUSE_IO_ERROR] = {"io-error", "it stays paused by an I/O error"},
    [CAUSE_WATCHDOG] = {"watchdog", "its guest's watchdog took it down"},
    [CAUSE_HUNG] = {"guest-hung", "its guest hangs"},
    [CAUSE_FOUND_CRASHED] = {"found-crashed", "it crashed while understudyd was not connected"},
    [CAUSE_HOST_LOST] = {"host-lost", "its host was lost"},
    [CAUSE_LAST_STOPPED] = {"last-stopped", "understudyd had it shut down, and no other machine serves in its place"},
    [CAUSE_FAILOVER] = {"failover", "a failover was ordered"},
    [CAUSE_FAILBACK] = {"failback", "a failback was ordered"},
    [CAUSE_DRILL] = {"drill", "it was destroyed for a drill"},
};

const char *failure_cause_name(enum failure_cause cause)
{
    return causes[cause].name;
}

const char *failure_cause_sentence(enum failure_cause cause)
{
    return causes[cause].sentence;
}
