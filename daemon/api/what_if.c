/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked for is read and found here, so that a mistake is answered at once; the rest is done in the copy. */
#include "api/what_if.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "api/copy.h"
#include "api/exchange.h"
#include "api/reply.h"
#include "api/target.h"
#include "base/text.h"
#include "report/json.h"
#include "report/json_plan.h"

struct question_asked {
    const struct exchange *exchange;
    struct moment now;
    struct supposition supposition;
    struct target *without;
    size_t n_without;
    const char *host;                  /* that dies, borrowed from the query; NULL */
    const struct machine_ref *machine; /* to be explained; NULL */
    size_t limit;
};

static void question_done(struct question_asked *question)
{
    supposition_done(&question->supposition);
    free(question->without);
}

static bool is_supposition(const char *key)
{
    for (size_t i = 0; supposition_keys[i] != NULL; i++)
        if (strcmp(supposition_keys[i], key) == 0)
            return true;
    return false;
}

bool what_if_is_asked(const struct evkeyvalq *query)
{
    const struct evkeyval *pair;

    TAILQ_FOREACH(pair, query, next)
    if (is_supposition(pair->key))
        return true;
    return false;
}

/* ---- reading ---- */

static int refuse(const struct exchange *exchange, int status, char *error, char *hint)
{
    reply_error(exchange->request, status, error != NULL ? error : "out of memory", hint);
    free(error);
    free(hint);
    return -EINVAL;
}

/* Negative: the request is answered. */
static int read_pair(const struct exchange *exchange, const struct evkeyval *pair, struct question_asked *question)
{
    bool is_host = strcmp(pair->key, "host") == 0 && question->machine == NULL;
    bool is_limit = strcmp(pair->key, "limit") == 0 && question->machine != NULL;
    char *problem = NULL;
    int r;

    if (is_host)
        question->host = pair->value;
    if (is_host || is_limit)
        return 0;
    r = supposition_add(&question->supposition, pair->key, pair->value, &problem);
    if (r == -ENOENT)
        problem = text_print("%.64s is unknown; %s, threshold, min_coverage, weight and without may stand here",
                             pair->key, question->machine != NULL ? "limit" : "host");
    return r < 0 ? refuse(exchange, r == -ENOMEM ? HTTP_SERVUNAVAIL : HTTP_BADREQUEST, problem, NULL) : 0;
}

static int find_without(const struct exchange *exchange, struct question_asked *question)
{
    const struct string_list *names = &question->supposition.without;

    question->without = calloc(names->count > 0 ? names->count : 1, sizeof(*question->without));
    if (question->without == NULL)
        return refuse(exchange, HTTP_SERVUNAVAIL, NULL, NULL);
    for (size_t i = 0; i < names->count; i++) {
        char *error = NULL, *hint = NULL;
        int r = target_find(exchange->coordinator, names->items[i], &question->without[i], &error, &hint);

        if (r < 0)
            return refuse(exchange, reply_status_of(r), error, hint);
        question->n_without++;
    }
    return 0;
}

static int read_question(const struct exchange *exchange, struct question_asked *question)
{
    const struct evkeyval *pair;
    int r = 0;

    question->exchange = exchange;
    question->now = exchange_now(exchange);
    TAILQ_FOREACH(pair, &exchange->query, next)
    if (r == 0)
        r = read_pair(exchange, pair, question);
    return r == 0 ? find_without(exchange, question) : r;
}

/* ---- in the copy ---- */

static int suppose(const struct question_asked *question, struct coordinator **ret)
{
    const struct routes *routes = question->exchange->routes;
    int r = routes->backend->suppose(routes->context, &question->supposition, ret);

    for (size_t i = 0; r == 0 && i < question->n_without; i++) {
        const struct target *target = &question->without[i];

        r = forecast_leave_out(*ret, target->scope, &target->ref, question->now);
    }
    return r;
}

static char *why_not(const struct question_asked *question, int error)
{
    switch (error) {
    case -ENOENT:
        return text_print("no host is called %s", question->host);
    case -EADDRINUSE:
        return text_print("understudyd itself runs on %s: with that host, nothing is started by it", question->host);
    case -EBUSY:
        return text_print("%s cannot be reached as it is, or is one host with another hypervisor: understudyctl status",
                          question->host);
    default:
        return NULL;
    }
}

static int make(void *context, char **ret_text)
{
    const struct question_asked *question = context;
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    struct coordinator *coordinator = NULL;
    const struct machine *machine;
    struct forecast forecast = {0};
    int r = suppose(question, &coordinator);

    if (r < 0)
        return r;
    if (question->machine != NULL) {
        machine = pool_find(coordinator_pool(coordinator), question->machine->hypervisor, question->machine->uuid);
        r = machine == NULL ? -ENOENT
                            : coordinator_explain(coordinator, machine, question->limit, question->now, &explanation);
        return r < 0 ? r : json_format_explanation(explanation, ret_text);
    }
    if (question->host == NULL)
        return json_format_plan(coordinator, question->now, ret_text);
    r = forecast_host_loss(coordinator, question->host, question->now, &forecast);
    if (r == 0)
        return json_format_forecast(coordinator, question->host, &forecast, ret_text);
    *ret_text = why_not(question, r);
    return r == -EADDRINUSE ? -EBUSY : r;
}

/* ---- both together ---- */

static void answer(const struct exchange *exchange, struct question_asked *question)
{
    if (read_question(exchange, question) == 0)
        copies_answer(exchange->routes->copies, exchange->request, exchange->rights, make, question);
    question_done(question);
}

void what_if_plan(const struct exchange *exchange)
{
    struct question_asked question = {0};

    answer(exchange, &question);
}

void what_if_explain(const struct exchange *exchange, const struct machine_ref *machine, size_t limit)
{
    struct question_asked question = {.machine = machine, .limit = limit};

    answer(exchange, &question);
}
