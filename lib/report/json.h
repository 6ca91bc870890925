/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plain structs → JSON: what the control interface answers. Compact, in UTF-8 (bytes that are not
 * become U+FFFD), members in a fixed order. Instants are RFC 3339 in UTC, numbers carry their unit in
 * their name, and what is not known or has not come is null.
 *
 * A list is an object: {NAME: […], "next_page": null}. Every json_format_* makes one document; the caller frees *ret. -ENOMEM is their only error.
 */
#ifndef UNDERSTUDY_REPORT_JSON_H
#define UNDERSTUDY_REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/moment.h"
#include "choose/plan.h"
#include "pool/pool.h"
#include "protocol/explanation.h"
#include "protocol/hook_test.h"
#include "protocol/notice.h"
#include "protocol/order.h"
#include "protocol/template_check.h"
#include "protocol/template_draft.h"
#include "report/service_list.h"
#include "report/status.h"
#include "workflow/recovery.h"

int json_format_status(const struct status *status, char **ret) _must_check_;

/* A list of the "hypervisors". */
int json_format_hypervisors(const struct coordinator *coordinator, char **ret) _must_check_;

/* A list of "problems": {"kind": …, "severity": …, "subject": …, "since": …, "text": …, "remedy": …}, the severe first. */
int json_format_problems(const struct problems *problems, char **ret) _must_check_;
int json_format_problem(const struct problem *problem, char **ret) _must_check_;
/* Of such a document, "text; remedy" of each problem, added to *ret. -EINVAL: it is none. -ENOMEM. */
int json_parse_problems(const char *text, size_t length, struct string_list *ret) _must_check_;

/* A list of all "machines", ordered by name as strverscmp(3) does, then by hypervisor. */
int json_format_machines(const struct pool *pool, struct plan *plan, const struct feature_table *features,
                         char **ret) _must_check_;

/* One machine with everything known of it. now: for what is left of its quarantine. */
int json_format_machine(const struct pool *pool, struct plan *plan, const struct feature_table *features,
                        const struct machine *machine, struct moment now, char **ret) _must_check_;

/* A list of the "services" in the order given. */
int json_format_services(const struct service_list *services, const struct pool *pool, struct plan *plan,
                         char **ret) _must_check_;

int json_format_explanation(const struct explanation *explanation, char **ret) _must_check_;

/* now: for the duration of one that is under way. */
int json_format_recovery(const struct recovery *recovery, struct moment now, char **ret) _must_check_;

int json_format_notice(const struct notice *notice, char **ret) _must_check_;

/* {"error": …, "hint": …}; without hint where it is NULL. */
int json_format_error(const char *error, const char *hint, char **ret) _must_check_;

/* {"machine": …, "message": …}: it was done to the machine. */
int json_format_done(const char *machine, const char *message, char **ret) _must_check_;

/* A host and what runs on it, as far as is known: {"host": …, "uri": …, "state": …, "machines": […]} and more. */
int json_format_host(const struct hypervisor_status *hypervisor, const struct pool *pool, char **ret) _must_check_;

/* {"host": …, "fenced": true}: an operator has confirmed that it is off. */
int json_format_fenced(const char *hypervisor, char **ret) _must_check_;

/*
 * A list, "fencing", of what fence agents were asked to switch off and on, the newest first: {"host": …, "attempt": …, "level": …,
 * "action": …, "agent": …, "at": …, "took_ms": …, "succeeded": …, "answer": …}. host NULL: of all.
 */
int json_format_fencing(const struct coordinator *coordinator, const char *host, char **ret) _must_check_;
/* {"host": …, "agents": [{"agent": …, "at": …, "took_ms": …, "succeeded": …, "answer": …}]}; agent NULL: all of them. */
int json_format_fence_tests(const struct coordinator *coordinator, const char *host, const char *agent,
                            char **ret) _must_check_;

/* {"hooks": [{"hook": …, "took_ms": …, "succeeded": …, "answer": …}]}: what came of each; answer: what went wrong. */
int json_format_hook_tests(const struct hook_test *tests, size_t n, char **ret) _must_check_;
/* {"name": …, "machine": …, "directory": …, "text": …, "disks": [{"target": …, "base": …, "given": …}], "warnings": […]}. */
int json_format_draft(const struct template_draft *draft, char **ret) _must_check_;
/*
 * {"directory": …, "findings": [{"file": …, "line": …, "message": …, "used": …}], "templates": [{"template": …,
 * "hypervisor": …, "good": …, "message": …}]}.
 */
int json_format_template_check(const struct template_check *check, char **ret) _must_check_;
/* {"kind": "test", "at": …, "text": …}: what the hooks are told. */
int json_format_hook_test_notice(struct moment now, const char *text, char **ret) _must_check_;
/*
 * What follows reads the body of a request. *ret_problem, where one says what is wrong, names the member and what may stand
 * there; the caller frees it, and it is NULL for want of memory.
 */

/* {"agent": …}, which is optional: the caller frees *ret_agent, NULL without it. -EINVAL: *ret_problem says
 * what is wrong. -ENOMEM. */
int json_parse_fence_test(const char *text, size_t length, char **ret_agent, char **ret_problem) _must_check_;
/* {"name": …, "max": …, "bases": {"vda": "/images/base.qcow2"}}, each optional, into the draft. Errors as above. */
int json_parse_draft(const char *text, size_t length, struct template_draft *draft, char **ret_problem) _must_check_;
/* {"hook": …}, likewise. */
int json_parse_hook_test(const char *text, size_t length, char **ret_hook, char **ret_problem) _must_check_;

/* {"released": …}: whether the brake was on, or there was such a hold. */
int json_format_released(bool was_there, char **ret) _must_check_;

/* {"what": …, "scope": …, "reason": …, "since": …, "until": …, "overdue": …} and more. */
int json_format_hold(const struct hold *hold, char **ret) _must_check_;
/* A list of the "holds" that are not over. */
int json_format_holds(const struct coordinator *coordinator, char **ret) _must_check_;

/* A hold that is asked for. A plain value: begin with {0}, end with hold_request_done. */
struct hold_request {
    char *target, *reason; /* reason NULL: none */
    int64_t time_us;       /* 0: until it is released */
    bool evacuates;        /* its services are failed over first, which needs to be confirmed */
    bool is_confirmed;
};

void hold_request_done(struct hold_request *request);
/* {"target": …, "reason": …, "for_ms": …, "evacuate": …, "confirmed": …}. -EINVAL: *ret_problem says what is wrong. -ENOMEM. */
int json_parse_hold(const char *text, size_t length, struct hold_request *ret, char **ret_problem) _must_check_;

/* What the metadata of a machine is to say. A plain value: begin with {0}, end with tag_request_done. */
struct tag_request {
    struct string_list added, removed; /* "kind/value"; of removed also "kind" */
    char *from;                        /* another machine, whose features are to be declared; NULL: none */
    bool sets_role;
    unsigned roles; /* of enum machine_role; 0: none */
    bool sets_priority, has_priority;
    int priority;
};

void tag_request_done(struct tag_request *request);
/*
 * {"add": […], "remove": […], "from": …, "role": …, "priority": …}, all optional; a role or priority of null goes. -EINVAL:
 * *ret_problem says what is wrong. -ENOMEM.
 */
int json_parse_tags(const char *text, size_t length, struct tag_request *ret, char **ret_problem) _must_check_;

/* {"reloaded": true, "needs_restart": …}: keys with ", " between that wait for a restart, or NULL. */
int json_format_reload(const char *needs_restart, char **ret) _must_check_;

/* {"message": …, "recovery": …}: what is being done because of an order, and the id of the recovery if one was begun. */
int json_format_order(const struct order_answer *answer, char **ret) _must_check_;

/*
 * Reads the body of an order, whose members are all optional: "ignore_limit", "ignore_quarantine", "force", "anyway" and
 * "confirmed", true or false, and "to", the name of a machine, which the caller frees (*ret_to; as it was without it).
 * Writes what stands there into *ret, and nothing else. -EINVAL: something else; *ret_problem says
 * what. -ENOMEM.
 */
int json_parse_order(const char *text, size_t length, struct order *ret, char **ret_to,
                     char **ret_problem) _must_check_;

/*
 * Reads {"confirmed": true}, by which an operator confirms that a host is off; nothing at all, or an object without the
 * member, is false. -EINVAL: something else; *ret_problem says what. -ENOMEM.
 */
int json_parse_confirmation(const char *text, size_t length, bool *ret_confirmed, char **ret_problem) _must_check_;

#endif
