/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each action looks the domain up, asks for its state, and acts. Decides nothing beyond that. */
#include "hypervisor/actions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/drain.h"
#include "hypervisor/inventory.h"
#include "hypervisor/translate.h"
#include "model/domain_xml.h"
#include "service/clock.h"

/*
 * So many seconds may lie between the clocks of guest and host where the guest has been set from its virtual hardware.
 */
#define GRAIN_S 3

static void fail(struct action_result *result, int error, const char *message)
{
    result->error = error;
    snprintf(result->message, sizeof(result->message), "%.*s", (int)text_fit(message, sizeof(result->message) - 1),
             message);
}

static void fail_as_libvirt_says(struct action_result *result, virConnectPtr connection)
{
    result->error = translate_last_error(connection, result->message, sizeof(result->message));
}

static int get_state(virDomainPtr domain, struct action_result *result)
{
    int state, reason;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return -1;
    translate_state(state, reason, &result->state, &result->reason);
    return 0;
}

virDomainPtr action_look_up(virConnectPtr connection, const char *uuid, struct action_result *result)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);

    if (domain != NULL && get_state(domain, result) == 0)
        return domain;
    fail_as_libvirt_says(result, connection);
    if (domain != NULL)
        virDomainFree(domain);
    return NULL;
}

/* Of a machine that runs. VIR_DOMAIN_STATS_CPU_TOTAL would wait for QEMU's monitor. */
static uint64_t cpu_time_us(virDomainPtr domain)
{
    virDomainInfo info;

    return virDomainGetInfo(domain, &info) == 0 ? info.cpuTime / 1000 : 0;
}

void action_get_state(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    result->has_managed_save = result->state == MACHINE_SHUT_OFF && virDomainHasManagedSaveImage(domain, 0) == 1;
    result->free_memory_kib = inventory_free_memory(connection);
    if (result->state == MACHINE_RUNNING)
        result->cpu_time_us = cpu_time_us(domain);
    virDomainFree(domain);
}

/* A domain may end, or a transient one vanish, between the question for its state and the call. */
void action_destroy(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (result->state != MACHINE_SHUT_OFF && virDomainDestroy(domain) < 0) {
        fail_as_libvirt_says(result, connection);
        if (get_state(domain, result) == 0 && result->state == MACHINE_SHUT_OFF)
            fail(result, 0, "");
    }
    virDomainFree(domain);
}

/* libvirt asks the guest agent where there is one, and presses the power button where that does not answer. */
void action_shutdown(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (result->state != MACHINE_SHUT_OFF && virDomainShutdown(domain) < 0) {
        fail_as_libvirt_says(result, connection);
        if (get_state(domain, result) == 0 && result->state == MACHINE_SHUT_OFF)
            fail(result, 0, "");
    }
    virDomainFree(domain);
}

static bool is_up(enum machine_state state)
{
    return state == MACHINE_RUNNING || state == MACHINE_SUSPENDED;
}

/* Brings the machine up from the state in result. -1: libvirt refused. A state that no call ends is told in result. */
static int bring_up(virDomainPtr domain, struct action_result *result)
{
    if (result->state == MACHINE_PAUSED && result->reason == REASON_USER)
        return virDomainResume(domain);
    if (result->state == MACHINE_SHUT_OFF)
        return virDomainCreate(domain);
    result->error = -EIO;
    snprintf(result->message, sizeof(result->message), "the machine is %s (%s), a state that a start cannot end",
             machine_state_name(result->state), machine_reason_name(result->reason));
    return 0;
}

/*
 * The start has failed, and result says how. Where the saved image is the daemon's own, the machine is booted without it:
 * it may be damaged, or of another QEMU. Whatever else was wrong fails again.
 */
static void boot_without_image(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    if (!action->may_drop_image || result->error != -EIO || result->state != MACHINE_SHUT_OFF ||
        virDomainHasManagedSaveImage(domain, 0) != 1 ||
        virDomainCreateWithFlags(domain, VIR_DOMAIN_START_FORCE_BOOT) < 0)
        return;
    result->error = 0;
    result->dropped_image = true;
}

void action_start(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (is_up(result->state)) {
        fail(result, -EALREADY, "the machine runs already");
    } else if (bring_up(domain, result) < 0) {
        fail_as_libvirt_says(result, connection);
        if (get_state(domain, result) == 0 && is_up(result->state))
            fail(result, -EALREADY, "the machine was started by other means meanwhile");
        boot_without_image(domain, action, result);
    }
    virDomainFree(domain);
}

void action_suspend(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (!(result->state == MACHINE_PAUSED && result->reason == REASON_USER) && virDomainSuspend(domain) < 0)
        fail_as_libvirt_says(result, connection);
    virDomainFree(domain);
}

void action_save(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (virDomainManagedSave(domain, VIR_DOMAIN_SAVE_RUNNING) < 0)
        fail_as_libvirt_says(result, connection);
    virDomainFree(domain);
}

/* From the clock of this host. */
static int set_from_host(virDomainPtr domain)
{
    int64_t real_us = clock_now().real_us;

    return virDomainSetTime(domain, real_us / USEC_PER_SEC, (unsigned)(real_us % USEC_PER_SEC) * 1000, 0);
}

/* The clocks of guest and this host differ by no more than the grain of the virtual hardware clock. */
static bool agrees_with_host(virDomainPtr domain)
{
    long long seconds;
    unsigned nanoseconds;

    if (virDomainGetTime(domain, &seconds, &nanoseconds, 0) < 0)
        return false;
    return llabs(clock_now().real_us / USEC_PER_SEC - seconds) <= GRAIN_S;
}

/*
 * The virtual hardware clock follows the clock of the hypervisor's host, and not every guest has the program that reads
 * it. It counts whole seconds from the start of QEMU on and is read in whole seconds, so the guest lags by up to 2 s.
 * Where the guest then agrees with this host, its clock is set again, from this host's. This host's clock may be wrong
 * where the other is right, so it only refines.
 *
 * libvirt gives an agent that does not answer 5 s. How long one may take that does is the same for all clients of the
 * domain (virDomainAgentSetResponseTimeout), and cannot be read, so it is left as it is.
 */
static int set_clock(virDomainPtr domain)
{
    if (virDomainSetTime(domain, 0, 0, VIR_DOMAIN_TIME_SYNC) == 0) {
        if (agrees_with_host(domain))
            set_from_host(domain);
        return 0;
    }
    return virGetLastErrorCode() == VIR_ERR_AGENT_UNRESPONSIVE ? -1 : set_from_host(domain);
}

void action_set_clock(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (set_clock(domain) < 0)
        fail_as_libvirt_says(result, connection);
    virDomainFree(domain);
}

/* The element in the definition or in the process; NULL with 0: there is none. -1: libvirt refused. */
static int get_metadata(virDomainPtr domain, unsigned where, char **ret)
{
    *ret = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, UNDERSTUDY_METADATA_URI, where);
    return *ret != NULL || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA ? 0 : -1;
}

/* What is to become of the element. */
struct change {
    const struct action *action;      /* of SET_METADATA; else NULL */
    const struct metadata_tags *tags; /* without an action */
};

static void change_metadata(virDomainPtr domain, unsigned where, const struct change *change,
                            struct action_result *result)
{
    _cleanup_(freep) char *old = NULL;
    _cleanup_(freep) char *new = NULL;
    virConnectPtr connection = virDomainGetConnect(domain);
    int r;

    if (get_metadata(domain, where, &old) < 0) {
        fail_as_libvirt_says(result, connection);
        return;
    }
    r = change->action != NULL ? metadata_apply(old, change->action->target.uuid, &change->action->metadata, &new)
                               : metadata_tag(old, change->tags, &new);
    if (r < 0)
        fail(result, r == -EINVAL ? -EIO : r,
             r == -EINVAL ? "its metadata is no element <machine>" : "no memory for its metadata");
    else if ((old != NULL || new != NULL) &&
             virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, new, UNDERSTUDY_METADATA_PREFIX,
                                  UNDERSTUDY_METADATA_URI, where) < 0)
        fail_as_libvirt_says(result, connection);
}

/* In the definition, where it is to have one, and in the process where there is one. Takes the domain. */
static void change_everywhere(virDomainPtr domain, bool has_definition, const struct change *change,
                              struct action_result *result)
{
    if (has_definition)
        change_metadata(domain, VIR_DOMAIN_AFFECT_CONFIG, change, result);
    if (result->error == 0 && virDomainIsActive(domain) == 1)
        change_metadata(domain, VIR_DOMAIN_AFFECT_LIVE, change, result);
    virDomainFree(domain);
}

void action_set_metadata(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    const struct change change = {.action = action};
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain != NULL)
        change_everywhere(domain, true, &change, result);
}

void action_tag(virConnectPtr connection, const struct action *action, const struct metadata_tags *tags,
                struct action_result *result)
{
    const struct change change = {.tags = tags};
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain != NULL)
        change_everywhere(domain, virDomainIsPersistent(domain) == 1, &change, result);
}

void action_get_autostart(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);
    int autostart = 0;

    if (domain == NULL)
        return;
    if (virDomainIsPersistent(domain) == 1 && virDomainGetAutostart(domain, &autostart) < 0)
        fail_as_libvirt_says(result, connection);
    result->autostart = autostart != 0;
    virDomainFree(domain);
}

void action_set_autostart(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (virDomainSetAutostart(domain, action->autostart ? 1 : 0) < 0)
        fail_as_libvirt_says(result, connection);
    virDomainFree(domain);
}

void action_measure_memory(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainMemoryStatStruct statistics[VIR_DOMAIN_MEMORY_STAT_NR];
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);
    int n;

    if (domain == NULL)
        return;
    n = virDomainMemoryStats(domain, statistics, VIR_DOMAIN_MEMORY_STAT_NR, 0);
    if (n < 0)
        fail_as_libvirt_says(result, connection);
    for (int i = 0; i < n; i++)
        if (statistics[i].tag == VIR_DOMAIN_MEMORY_STAT_RSS)
            result->resident_kib = statistics[i].val;
    virDomainFree(domain);
}

/*
 * libvirt crashes a domain by a dump, whose contents are of no use here. It goes into a FIFO: a file would take the
 * guest's memory in disk space, and libvirt gives what it writes to the guest's security label, which /dev/null must
 * never get. MEMORY_ONLY works for guests that cannot be migrated, too.
 */
static int dump_and_crash(virDomainPtr domain, const char *path)
{
    if (virDomainCoreDump(domain, path, VIR_DUMP_CRASH | VIR_DUMP_MEMORY_ONLY) == 0)
        return 0;
    if (virGetLastErrorCode() != VIR_ERR_INVALID_ARG) /* the test driver does not know the flag */
        return -1;
    return virDomainCoreDump(domain, path, VIR_DUMP_CRASH);
}

void action_crash(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);
    _cleanup_(drain_freep) struct drain *drain = NULL;
    bool is_frozen = false;
    int r;

    if (domain == NULL)
        return;
    r = drain_new(&drain);
    if (r < 0) {
        fail(result, r, "cannot make a FIFO for the dump");
    } else {
        is_frozen = virDomainFSFreeze(domain, NULL, 0, 0) > 0;
        if (dump_and_crash(domain, drain_path(drain)) < 0) {
            fail_as_libvirt_says(result, connection);
            if (is_frozen)
                virDomainFSThaw(domain, NULL, 0, 0);
        }
    }
    virDomainFree(domain);
}

void action_break_off(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);
    bool is_frozen;

    if (domain == NULL)
        return;
    is_frozen = virDomainFSFreeze(domain, NULL, 0, 0) > 0;
    if (virDomainDestroy(domain) < 0) {
        fail_as_libvirt_says(result, connection);
        if (is_frozen)
            virDomainFSThaw(domain, NULL, 0, 0);
    }
    virDomainFree(domain);
}
