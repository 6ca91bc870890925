/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked for, and which recoveries that are. Only reads the coordinator. */
#include "api/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>

#include "api/query.h"
#include "api/reply.h"
#include "api/suggest.h"
#include "report/json.h"

#define UNDER_WAY "under-way"

struct wanted {
    const char *failed;  /* NULL: any */
    const char *outcome; /* NULL: any */
    int64_t since_us, until_us;
    size_t limit;
};

/* failed: "NAME", "HYPERVISOR/NAME" or UUID; NULL: any. The machine itself may be long gone. */
static bool is_about(const struct recovery *recovery, const char *failed)
{
    size_t n = strlen(recovery->failed.hypervisor);

    if (failed == NULL || strcmp(recovery->failed_name, failed) == 0 || strcasecmp(recovery->failed.uuid, failed) == 0)
        return true;
    return strncmp(failed, recovery->failed.hypervisor, n) == 0 && failed[n] == '/' &&
           strcmp(failed + n + 1, recovery->failed_name) == 0;
}

static bool is_outcome(const char *text)
{
    if (strcmp(text, UNDER_WAY) == 0)
        return true;
    for (enum recovery_state state = 0; state < RECOVERY_STATE_COUNT; state++)
        if (recovery_state_is_final(state) && strcmp(recovery_state_name(state), text) == 0)
            return true;
    return false;
}

static bool has_outcome(const struct recovery *recovery, const char *outcome)
{
    if (outcome == NULL)
        return true;
    if (strcmp(outcome, UNDER_WAY) == 0)
        return !recovery_state_is_final(recovery->state);
    return strcmp(recovery_state_name(recovery->state), outcome) == 0;
}

static bool is_wanted(const struct recovery *recovery, const struct wanted *wanted)
{
    return recovery->detected.real_us >= wanted->since_us && recovery->detected.real_us <= wanted->until_us &&
           has_outcome(recovery, wanted->outcome) && is_about(recovery, wanted->failed);
}

/* NULL: all of the query was understood, else what was not. */
static const char *read_query(const struct evkeyvalq *query, struct wanted *ret)
{
    *ret = (struct wanted){
        .failed = evhttp_find_header(query, "failed"),
        .outcome = evhttp_find_header(query, "outcome"),
        .since_us = INT64_MIN,
        .until_us = INT64_MAX,
        .limit = SIZE_MAX,
    };
    if (query_read_limit(query, &ret->limit) < 0)
        return "limit is not a number";
    if (query_read_instant(query, "since", &ret->since_us) < 0)
        return "since is no instant such as 2026-11-22T14:54:00Z";
    if (query_read_instant(query, "until", &ret->until_us) < 0)
        return "until is no instant such as 2026-11-22T14:54:00Z";
    if (ret->outcome != NULL && !is_outcome(ret->outcome))
        return "outcome must be recovered, exhausted, dismissed, observed, called-off, failed-while-held or under-way";
    return NULL;
}

/* Now, or when one of the recoveries that are kept was begun. */
static bool is_known(const struct coordinator *coordinator, const char *name)
{
    const struct machine *machine;

    if (pool_find_by_name(coordinator_pool(coordinator), name, &machine) != -ENOENT)
        return true;
    for (size_t i = 0; i < coordinator_recovery_count(coordinator); i++)
        if (is_about(coordinator_recovery(coordinator, i), name))
            return true;
    return false;
}

static void refuse_unknown(const struct coordinator *coordinator, const char *name, struct evhttp_request *request)
{
    _cleanup_(freep) char *hint = suggest_similar(coordinator_pool(coordinator), name), *error = NULL;

    if (asprintf(&error, "no machine is called %s, and none of that name failed", name) < 0)
        error = NULL;
    reply_error(request, HTTP_NOTFOUND, error != NULL ? error : "no such machine",
                hint != NULL ? hint : "understudyctl list shows all machines");
}

void history_list(const struct coordinator *coordinator, struct moment now, const struct evkeyvalq *query,
                  struct evhttp_request *request)
{
    size_t count = coordinator_recovery_count(coordinator), n = 0;
    _cleanup_(freep) const struct recovery **chosen = calloc(count > 0 ? count : 1, sizeof(*chosen));
    struct wanted wanted;
    const char *problem = read_query(query, &wanted);
    char *json = NULL;

    if (problem != NULL) {
        reply_error(request, HTTP_BADREQUEST, problem, NULL);
        return;
    }
    if (wanted.failed != NULL && !is_known(coordinator, wanted.failed)) {
        refuse_unknown(coordinator, wanted.failed, request);
        return;
    }
    for (size_t i = count; i > 0 && chosen != NULL && n < wanted.limit; i--)
        if (is_wanted(coordinator_recovery(coordinator, i - 1), &wanted))
            chosen[n++] = coordinator_recovery(coordinator, i - 1);
    if (chosen != NULL && json_format_recoveries(chosen, n, now, &json) < 0)
        json = NULL;
    reply_json(request, HTTP_OK, json);
}
