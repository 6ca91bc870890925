/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One hypervisor: its connection, its workers, its events. The rest of the daemon sees this header
 * and no libvirt. Everything here is called on the main thread, and calls back on the main thread
 * from the event loop, never from inside one of these functions.
 *
 * Connects by itself, again and again with growing pauses; registers for events before it says that
 * it is connected, so that a listing asked for then misses nothing.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "protocol/action.h"
#include "protocol/event.h"

struct event_base;
struct hypervisor;
struct template;
struct template_draft;
struct template_set;

/* How a hypervisor reports; every member is set. hypervisor: the name from the configuration. */
struct hypervisor_callbacks {
    void (*connected)(void *context, const char *hypervisor);
    void (*disconnected)(void *context, const char *hypervisor, const char *why);
    void (*refused)(void *context, const char *hypervisor); /* as of struct connection_callbacks */
    void (*event)(void *context, const char *hypervisor, const struct domain_event *event);
    /* The answers to hypervisor_submit: exactly one of these for each action. inventory and report are handed over. */
    void (*inventory)(void *context, const struct action *action, struct inventory *inventory);
    void (*inspection)(void *context, const struct action *action,
                       struct domain_report *report); /* NULL: no such domain */
    void (*result)(void *context, const struct action *action, const struct action_result *result);
    /* A disk's capacity became known (after a listing or inspection). */
    void (*capacity)(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes);
    /* More became known of which images disks are, and what stands below them: it is in the next listing. */
    void (*recognised)(void *context, const char *hypervisor);
    /*
     * A call outlived its deadline; its action was answered -ETIMEDOUT. came_back: such a call has returned after all.
     */
    void (*overdue)(void *context, const char *hypervisor, const char *call, int64_t for_us);
    void (*came_back)(void *context, const struct action *action, const struct action_result *result);
    /* A domain whose XML cannot be read or makes no sense, for the journal. */
    void (*fault)(void *context, const struct machine_ref *machine, const char *text);
    /* How the QEMU of a machine ended, for the journal. */
    void (*noted)(void *context, const struct machine_ref *machine, const char *text);
};

struct hypervisor_options {
    const char *name;
    const char *uri;
    int64_t call_timeout_us; /* for connecting and for capacity look-ups; actions bring their own */
    int64_t reconnect_max_us;
    struct catalog *catalog; /* of what guests say; may be NULL: then they are not asked */
    enum software_mode software;
    struct template_set *templates; /* from which machines can be made; NULL: none */
};

/*
 * Registers libvirt's event implementation on this event base and makes libvirt silent on stderr.
 * Once per process, before the first hypervisor_new, with evthread_use_pthreads() done. -EIO: libvirt refused.
 */
int hypervisor_library_init(struct event_base *base) _must_check_;

/*
 * Lets go of the event base, before it is freed and after the last hypervisor_free: what calls that
 * still hang ask of libvirt's event loop later has no effect.
 */
void hypervisor_library_done(void);

int hypervisor_new(struct event_base *base, const struct hypervisor_options *options,
                   const struct hypervisor_callbacks *callbacks, void *context, struct hypervisor **ret) _must_check_;

/* Asks for an action; the answer comes through a callback, -ENOTCONN included. -ENOMEM: no answer will come. */
int hypervisor_submit(struct hypervisor *hypervisor, const struct action *action) _must_check_;

/*
 * As hypervisor_submit, for ACTION_START of what may have to be made from a template: for the service that the action names,
 * with this environment for cloud-init, which is copied.
 */
int hypervisor_start_for(struct hypervisor *hypervisor, const struct action *action,
                         const struct config_options *environment) _must_check_;

/*
 * Crashes a machine on purpose (virDomainCoreDump with VIR_DUMP_CRASH), or destroys it where the hypervisor is on another
 * host; answered as `action` by result.
 */
int hypervisor_crash(struct hypervisor *hypervisor, const struct action *action) _must_check_;

/* Changes a machine's metadata, in its definition and in its process as it has them; answered as `action` by result. Copies. */
int hypervisor_tag(struct hypervisor *hypervisor, const struct action *action,
                   const struct metadata_tags *tags) _must_check_;

/*
 * Writes a template from the machine that the action (of ACTION_DESCRIBE) names, or looks whether a machine could be made of
 * one now, which changes nothing: see drafter.h. Answered as `action` by result. Both take a reference. The draft is not to
 * be looked at before the answer, nor after -ETIMEDOUT.
 */
int hypervisor_draft(struct hypervisor *hypervisor, const struct action *action,
                     struct template_draft *draft) _must_check_;
int hypervisor_try(struct hypervisor *hypervisor, const struct action *action, struct template *template) _must_check_;

/* The URI is one of libvirt's test driver: no machine on it is real. */
bool hypervisor_is_test(const struct hypervisor *hypervisor);

/* A call to a hypervisor of this host is past its deadline: the watchdog must not be fed while this stays so. */
bool hypervisor_is_stuck(const struct hypervisor *hypervisor);

/* Calls under way, and calls that wait for a place. */
size_t hypervisor_call_count(const struct hypervisor *hypervisor);

/* By what guests are asked from now on. */
void hypervisor_set_discovery(struct hypervisor *hypervisor, struct catalog *catalog, enum software_mode software);

/* From which templates machines can be made, from the next listing on. NULL: from none. */
void hypervisor_set_templates(struct hypervisor *hypervisor, struct template_set *templates);

/* How machines of this host end is to be known before libvirt tells; costs a call every eight seconds (endings.h). */
void hypervisor_prove_endings(struct hypervisor *hypervisor, bool is_wanted);

/* Applies new timeouts; name and uri stay. */
void hypervisor_set_timeouts(struct hypervisor *hypervisor, int64_t call_timeout_us, int64_t reconnect_max_us);

/*
 * Stops it: no callback comes after this returns. Waits at most grace_us for calls under way; what
 * still hangs then is left behind (its memory with it), never waited for. Not from inside a callback.
 */
void hypervisor_free(struct hypervisor *hypervisor, int64_t grace_us);

#endif
