/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked for, and which recoveries that are. The coordinator holds the latest; those that came before are read from the
 * store, some at a time, and the answer waits for them.
 */
#include "api/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>

#include "api/exchange.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/suggest.h"
#include "base/text.h"
#include "report/json.h"

#define UNDER_WAY "under-way"

#define LIMIT_MAX    1000
#define READ_AT_ONCE 100
/* So many of the latest are all there are, where the coordinator holds CONFIG_HISTORY_MAX: it forgets the oldest first. */
#define SURELY_HELD (CONFIG_HISTORY_MAX / 2)

struct wanted {
    const char *failed;  /* NULL: any */
    const char *outcome; /* NULL: any */
    const char *before;  /* NULL: from the newest on */
    int64_t since_us, until_us;
    size_t limit;
};

/* An answer that is being put together. */
struct search {
    const struct api_backend *backend; /* it and its context outlive the search */
    void *context;
    struct evhttp_request *request;
    struct wanted wanted;
    char *failed, *outcome, *cursor; /* owned; the last that was looked at */
    struct pending *waiting;         /* NULL: the request is still to be answered at once */
    FILE *out;                       /* into json: a list that is not closed yet */
    char *json;
    size_t size;
    size_t n;                    /* in it */
    char last[RECOVERY_ID_SIZE]; /* of these */
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
        .before = evhttp_find_header(query, "before"),
        .limit = LIMIT_MAX,
    };
    if (query_read_limit(query, &ret->limit) < 0)
        return "limit is not a number";
    if (ret->limit > LIMIT_MAX)
        ret->limit = LIMIT_MAX;
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

static const struct coordinator *coordinator_of(const struct search *search)
{
    return search->backend->coordinator(search->context);
}

static void search_free(struct search *search)
{
    if (search == NULL)
        return;
    if (search->out != NULL)
        fclose(search->out);
    free(search->json);
    free(search->failed);
    free(search->outcome);
    free(search->cursor);
    free(search);
}
DEFINE_CLEANUP(struct search, search_free);

/* The query goes with its request. NULL: out of memory. */
static struct search *search_new(const struct exchange *exchange, const struct wanted *wanted)
{
    _cleanup_(search_freep) struct search *search = calloc(1, sizeof(*search));

    if (search == NULL)
        return NULL;
    search->backend = exchange->routes->backend;
    search->context = exchange->routes->context;
    search->request = exchange->request;
    search->wanted = *wanted;
    search->wanted.failed = search->failed = text_copy(wanted->failed);
    search->wanted.outcome = search->outcome = text_copy(wanted->outcome);
    search->out = open_memstream(&search->json, &search->size);
    if ((wanted->failed != NULL && search->failed == NULL) || (wanted->outcome != NULL && search->outcome == NULL) ||
        search->out == NULL)
        return NULL;
    fputs("{\"recoveries\":[", search->out);
    return steal_pointer(&search);
}

/* Appends it, if it is wanted. -ENOMEM. */
static int take(struct search *search, const struct recovery *recovery)
{
    _cleanup_(freep) char *json = NULL;
    int r;

    if (search->n == search->wanted.limit || !is_wanted(recovery, &search->wanted))
        return 0;
    r = json_format_recovery(recovery, search->backend->now(search->context), &json);
    if (r == 0 && fprintf(search->out, "%s%s", search->n++ > 0 ? "," : "", json) < 0)
        r = -ENOMEM;
    snprintf(search->last, sizeof(search->last), "%s", recovery->id);
    return r;
}

/* Of those that the coordinator holds; *ret_is_all: none came before them. -ENOMEM. */
static int take_held(struct search *search, bool *ret_is_all)
{
    const struct coordinator *coordinator = coordinator_of(search);
    const char *before = search->wanted.before, *from = before;
    size_t count = coordinator_recovery_count(coordinator);
    bool is_behind = before == NULL;
    int r = 0;

    for (size_t i = count; i > 0 && r == 0; i--) {
        const struct recovery *recovery = coordinator_recovery(coordinator, i - 1);

        if (is_behind)
            r = take(search, recovery);
        else
            is_behind = strcmp(recovery->id, before) == 0;
    }
    if (is_behind && count >= CONFIG_HISTORY_MAX)
        from = coordinator_recovery(coordinator, count - SURELY_HELD)->id;
    *ret_is_all = (is_behind && count < CONFIG_HISTORY_MAX) || text_equal(search->outcome, UNDER_WAY);
    if (r == 0 && !*ret_is_all && (search->cursor = strdup(from)) == NULL)
        r = -ENOMEM;
    return r;
}

/* Where there may be more, the next page begins before the last of this one. */
static void close_list(struct search *search)
{
    if (search->n > 0 && search->n == search->wanted.limit)
        fprintf(search->out, "],\"next_page\":\"%s\"}", search->last);
    else
        fputs("],\"next_page\":null}", search->out);
}

/* Takes the search, and answers. */
static void finish(struct search *taken)
{
    _cleanup_(search_freep) struct search *search = taken;
    const struct coordinator *coordinator = coordinator_of(search);
    const char *failed = search->failed;
    char *json = NULL;

    if (search->n == 0 && search->wanted.before == NULL && failed != NULL && !is_known(coordinator, failed)) {
        _cleanup_(freep) char *similar = suggest_similar(coordinator_pool(coordinator), failed);
        _cleanup_(freep) char *error = text_print("no machine is called %s, and none of that name failed", failed);
        const char *words = error != NULL ? error : "no such machine";
        const char *hint = similar != NULL ? similar : "understudyctl list shows all machines";

        if (search->waiting != NULL)
            pending_refuse(search->waiting, HTTP_NOTFOUND, words, hint);
        else
            reply_error(search->request, HTTP_NOTFOUND, words, hint);
        return;
    }
    close_list(search);
    if (!ferror(search->out) && fclose(steal_pointer(&search->out)) == 0)
        json = steal_pointer(&search->json);
    if (search->waiting != NULL)
        pending_answer(search->waiting, json);
    else
        reply_json(search->request, HTTP_OK, json);
}

static void on_read(void *token, int error, const char *message, struct recovery **recoveries, size_t n);

/* Takes the search: reads on, or, where that cannot be, answers with what there is. */
static void read_on(struct search *search)
{
    int r = search->backend->read_history(search->context, search->cursor, READ_AT_ONCE, on_read, search);

    if (r < 0)
        on_read(search, r, "older recoveries cannot be read now: understudyctl problems", NULL, 0);
}

/* What failed is told where it is asked for again, with nothing before it. */
static void on_read(void *token, int error, const char *message, struct recovery **recoveries, size_t n)
{
    struct search *search = token;
    int r = error;

    for (size_t i = 0; i < n && r == 0; i++) {
        if (coordinator_find_recovery(coordinator_of(search), recoveries[i]->id) == NULL)
            r = take(search, recoveries[i]);
        if (r == 0 && i + 1 == n) {
            free(search->cursor);
            search->cursor = strdup(recoveries[i]->id);
            r = search->cursor == NULL ? -ENOMEM : 0;
        }
    }
    if (r < 0 && search->n == 0) {
        pending_refuse(search->waiting, HTTP_SERVUNAVAIL, message != NULL ? message : "out of memory", NULL);
        search_free(search);
    } else if (r < 0 || n == 0 || search->n == search->wanted.limit ||
               recoveries[n - 1]->detected.real_us < search->wanted.since_us) {
        finish(search);
    } else {
        read_on(search);
    }
}

void history_list(struct exchange *exchange)
{
    _cleanup_(search_freep) struct search *search = NULL;
    struct wanted wanted;
    const char *problem = read_query(&exchange->query, &wanted);
    bool is_all = false;

    if (problem != NULL) {
        reply_error(exchange->request, HTTP_BADREQUEST, problem, NULL);
        return;
    }
    search = search_new(exchange, &wanted);
    if (search == NULL || take_held(search, &is_all) < 0) {
        reply_error(exchange->request, HTTP_SERVUNAVAIL, "out of memory", NULL);
        return;
    }
    if (!is_all && search->n < wanted.limit) {
        search->waiting = pending_begin(&exchange->routes->pending, exchange->request, "");
        if (search->waiting != NULL)
            read_on(steal_pointer(&search));
        return;
    }
    finish(steal_pointer(&search));
}

/* One that is to be read. */
struct single {
    struct pending *waiting;
    struct moment now;
    char *id;
};

static void single_free(struct single *single)
{
    free(single->id);
    free(single);
}

static void on_single_read(void *token, int error, const char *message, struct recovery **recoveries, size_t n)
{
    struct single *single = token;
    _cleanup_(freep) char *none = text_print("no recovery has the id %s", single->id);
    char *json = NULL;

    if (error < 0)
        pending_refuse(single->waiting, HTTP_SERVUNAVAIL, message, NULL);
    else if (n == 0)
        pending_refuse(single->waiting, HTTP_NOTFOUND, none != NULL ? none : "no such recovery",
                       "understudyctl history lists those that are kept");
    else
        pending_answer(single->waiting, json_format_recovery(recoveries[0], single->now, &json) < 0 ? NULL : json);
    single_free(single);
}

void history_one(struct exchange *exchange)
{
    const struct recovery *held = coordinator_find_recovery(exchange->coordinator, exchange->name);
    const struct routes *routes = exchange->routes;
    struct single *single;
    char *json = NULL;
    int r;

    if (held != NULL) {
        r = json_format_recovery(held, exchange_now(exchange), &json);
        exchange_answer(exchange, r, json);
        return;
    }
    single = calloc(1, sizeof(*single));
    if (single != NULL)
        single->id = strdup(exchange->name);
    if (single == NULL || single->id == NULL) {
        free(single);
        reply_error(exchange->request, HTTP_SERVUNAVAIL, "out of memory", NULL);
        return;
    }
    single->now = exchange_now(exchange);
    single->waiting = pending_begin(&exchange->routes->pending, exchange->request, "");
    if (single->waiting == NULL) {
        single_free(single);
        return;
    }
    r = routes->backend->read_history(routes->context, exchange->name, 0, on_single_read, single);
    if (r < 0)
        on_single_read(single, r, "it may be stored, which cannot be read now: understudyctl problems", NULL, 0);
}
