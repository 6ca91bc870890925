/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control interface: HTTP/JSON on two Unix sockets, of which one only reads. Reads the coordinator, which is const here, and asks for changes
 * through the backend; knows nothing of libvirt. The only room that knows evhttp.
 */
#ifndef UNDERSTUDY_DAEMON_API_H
#define UNDERSTUDY_DAEMON_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config.h"
#include "config/supposition.h"
#include "coordinator/coordinator.h"
#include "protocol/hook_test.h"
#include "protocol/notice.h"
#include "protocol/template_check.h"
#include "protocol/template_draft.h"
#include "report/metrics.h"
#include "report/problems.h"
#include "report/status.h"

/* A client that waits for no answer may be silent for so long before its connection is closed. */
#define API_IDLE_SECONDS 30

struct event_base;
struct api;

/* Answers a request for a drill or for tags: error 0 or negative errno with words. Called exactly once, later or at once. */
typedef void (*api_done)(void *token, int error, const char *message);

/* Answers a request for stored recoveries; the array and what it holds go afterwards. error: negative errno, and why. */
typedef void (*api_history_done)(void *token, int error, const char *message, struct recovery **recoveries, size_t n);

/* Answers a request to test hooks, once; tests: borrowed. */
typedef void (*api_hooks_tested)(void *token, const struct hook_test *tests, size_t n);

/* Answers a request to check templates, once; check: borrowed. */
typedef void (*api_templates_checked)(void *token, const struct template_check *check);

/* What the API may read and ask for; every member is set. Called on the main thread. */
struct api_backend {
    const struct coordinator *(*coordinator)(void *context);
    struct moment (*now)(void *context);
    /* As status_collect, with what the daemon knows of itself, and the problems of the last look. */
    int (*collect_status)(void *context, struct plan *plan, struct status *ret);
    /* The page of metrics, as of metrics_format. */
    int (*format_metrics)(void *context, enum metrics_form form, char **ret);
    /* Why nothing can be asked for yet, in words; NULL: it can. */
    const char *(*why_not_yet)(void *context);
    /*
     * Something is being written to the disk. If the disk is silent, a fork of the process waits for it, too: the thread
     * that writes may hold a page of a mapped file.
     */
    bool (*is_writing)(void *context);
    /* … and the disk has been silent for too long. */
    bool (*is_disk_silent)(void *context);
    /* What was wrong at the last look, and what is wrong at this moment; borrowed until the next look. */
    const struct problems *(*problems)(void *context);
    const struct problems *(*look_for_problems)(void *context);
    /*
     * What the text of a configuration says that is surely not meant, for the machines that there are; *ret is {0} where it
     * has errors (-EINVAL). Changes nothing. -ENOMEM.
     */
    int (*check)(void *context, const char *text, size_t length, struct problems *ret);
    /*
     * Reads stored recoveries that the coordinator holds no more: so many finished ones at most that came before this id, the
     * newest first; most 0: that one alone. done is called once, when they are read or the daemon ends. Negative errno:
     * it is not called.
     */
    int (*read_history)(void *context, const char *before, size_t most, api_history_done done, void *token);
    /*
     * Only in a copy of the process (api/copy.h): makes true what is supposed, and hands out the coordinator to be driven.
     * -ENOMEM.
     */
    int (*suppose)(void *context, const struct supposition *supposition, struct coordinator **ret);
    /*
     * Takes an ORDER_DRILL and crashes the machine; *ret as of coordinator_order. A machine of libvirt's test driver needs
     * no confirmation. On 0, done(token, …) will be called.
     */
    int (*drill)(void *context, const struct order *order, api_done done, void *token, struct order_answer *ret);
    /* Changes the metadata of a machine. On 0, done(token, …) will be called. -ENOENT, -ENOMEM. */
    int (*tag)(void *context, const struct machine_ref *machine, const struct metadata_tags *tags, api_done done,
               void *token);
    /*
     * Has a template written from a machine, into the draft, which the caller keeps until done(token, …) is called, as it will
     * be on 0. Where the error is that it took too long, the draft is not to be looked at. -ENOENT, -ENOMEM.
     */
    int (*draft)(void *context, const struct machine_ref *machine, struct template_draft *draft, api_done done,
                 void *token);
    /*
     * Reads the templates on disk, and asks each host whether a machine could be made of them now. Uses nothing of it. On 0,
     * done(token, …) will be called, later or at once. -ENOMEM.
     */
    int (*check_templates)(void *context, api_templates_checked done, void *token);
    /* As coordinator_order. */
    int (*order)(void *context, const struct order *order, struct order_answer *ret);
    /* Releases the brake; the recoveries that waited for that go on. False: the brake was not on. */
    bool (*release_brake)(void *context);
    /* As coordinator_hold and coordinator_release. */
    int (*hold)(void *context, enum hold_scope scope, const struct machine_ref *target, const char *name,
                const char *reason, const char *by, int64_t time_us);
    int (*release)(void *context, enum hold_scope scope, const struct machine_ref *target);
    /*
     * The operator says that a lost host is off. confirmed: the operator said --yes. -ENOENT; -EBUSY: it can be reached;
     * -EALREADY; -EPERM: not confirmed. The message says why.
     */
    int (*fenced)(void *context, const char *hypervisor, bool confirmed, const char **ret_message);
    /*
     * Asks the fence agent of this name, or with NULL each one, for the status of a host. On 0, done(token, …) will be called
     * when the coordinator knows what they said, also when they failed. -ENOENT: no such host or agent; -EBUSY: not now.
     * *ret_message says why.
     */
    int (*test_fencing)(void *context, const char *hypervisor, const char *agent, api_done done, void *token,
                        const char **ret_message);
    /*
     * Runs the hook of this name of the event "test", or with NULL all of them. On 0, done(token, …) will be called with what
     * came of each, later or at once. -ENOENT: no such hook; -EBUSY: none is to be tested. *ret_message says why. -ENOMEM.
     */
    int (*test_hooks)(void *context, const char *hook, api_hooks_tested done, void *token, const char **ret_message);
    /*
     * Reads the configuration again. NULL: it is in force, and *ret_waiting names the keys that wait for a restart
     * (NULL: none; the caller frees it). Else what is wrong, borrowed until the next call, and nothing has changed.
     */
    const char *(*reload)(void *context, char **ret_waiting);
};

/* What the clients of a socket may do: it follows from the socket that they could open. */
enum api_rights {
    API_READ, /* look, and change nothing */
    API_ACT,  /* everything */
    API_RIGHTS_COUNT,
};

/*
 * Listens nowhere yet. The process must ignore SIGPIPE: clients go as they please. backend and context are borrowed.
 * -ENOMEM.
 */
int api_new(struct event_base *base, const struct api_backend *backend, void *context, struct api **ret) _must_check_;

/*
 * Listens on a new socket at `path`, once for each kind of rights at the most. A stale socket file is replaced; one that
 * another process still serves is -EADDRINUSE. What went wrong, for people, goes to diags.
 */
int api_listen(struct api *api, enum api_rights rights, const char *path, struct diags *diags) _must_check_;

/* The same on a socket that listens already; its file is left alone. Takes fd, also when it fails. -ENOMEM. */
int api_listen_inherited(struct api *api, enum api_rights rights, int fd) _must_check_;

/*
 * Listens on a TCP address, once at the most, for clients that may only read. names: patterns of what this host is called,
 * borrowed until api_free. What went wrong, for people, goes to diags; nothing else is hurt then. Negative errno.
 */
int api_listen_tcp(struct api *api, const char *endpoint, const struct string_list *names,
                   struct diags *diags) _must_check_;

/* Sends a notice to every client that follows /v1/events. */
void api_publish(struct api *api, const struct notice *notice);

/* Clients that follow /v1/events. */
size_t api_follower_count(const struct api *api);

/* Something may have changed: what has is told to every client that follows /v1/events, a moment later. */
void api_look(struct api *api);

/* Closes every connection and removes the socket files that api_listen made. Takes NULL. */
void api_free(struct api *api);

#endif
