/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of paths, and a function for each that makes the answer. Names in paths are percent-encoded. */
#include "api/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "api/asker.h"
#include "api/assets.h"
#include "api/body.h"
#include "api/check.h"
#include "api/drill.h"
#include "api/exchange.h"
#include "api/fence_test.h"
#include "api/find.h"
#include "api/history.h"
#include "api/hold.h"
#include "api/hook_test.h"
#include "api/lists.h"
#include "api/query.h"
#include "api/rehearsals.h"
#include "api/reply.h"
#include "api/stream.h"
#include "api/tag.h"
#include "api/template.h"
#include "api/watcher.h"
#include "api/what_if.h"
#include "base/text.h"
#include "report/json.h"
#include "report/metrics.h"
#include "service/log.h"

#define EXPLAINED 20 /* eligible candidates that an explanation names, and others, unless asked for more */

static void get_status(struct exchange *exchange)
{
    const struct api_backend *backend = exchange->routes->backend;
    struct plan *plan = coordinator_plan(exchange->coordinator, exchange_now(exchange));
    struct status status = {0};
    char *json = NULL;
    int r = backend->collect_status(exchange->routes->context, plan, &status);

    status.problems = backend->look_for_problems(exchange->routes->context);
    if (r == 0)
        r = json_format_status(&status, &json);
    status_done(&status);
    exchange_answer(exchange, r, json);
}

static void get_hypervisors(struct exchange *exchange)
{
    char *json = NULL;
    int r = json_format_hypervisors(exchange->coordinator, &json);

    exchange_answer(exchange, r, json);
}

static void get_problems(struct exchange *exchange)
{
    char *json = NULL;
    int r = json_format_problems(exchange->routes->backend->look_for_problems(exchange->routes->context), &json);

    exchange_answer(exchange, r, json);
}

/* In the form of OpenMetrics where the client says that it understands it. */
static void get_metrics(struct exchange *exchange)
{
    const char *accept = evhttp_find_header(evhttp_request_get_input_headers(exchange->request), "Accept");
    enum metrics_form form = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL
                                 ? METRICS_OPENMETRICS
                                 : METRICS_PROMETHEUS;
    char *text = NULL;
    int r = exchange->routes->backend->format_metrics(exchange->routes->context, form, &text);

    reply_text(exchange->request, HTTP_OK, metrics_content_type(form), r < 0 ? NULL : text);
}

static void get_machines(struct exchange *exchange)
{
    lists_answer(exchange->routes->lists, exchange, LIST_OF_MACHINES);
}

static void get_services(struct exchange *exchange)
{
    lists_answer(exchange->routes->lists, exchange, LIST_OF_SERVICES);
}

static void get_plan(struct exchange *exchange)
{
    what_if_plan(exchange);
}

static void get_machine(struct exchange *exchange)
{
    const struct machine *machine = find_machine(exchange);
    char *json = NULL;
    int r;

    if (machine == NULL)
        return;
    r = json_format_machine(exchange->pool, coordinator_plan(exchange->coordinator, exchange_now(exchange)),
                            coordinator_features(exchange->coordinator), machine, exchange_now(exchange), &json);
    exchange_answer(exchange, r, json);
}

static void get_explanation(struct exchange *exchange)
{
    const struct machine *machine = find_machine(exchange);
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    char *json = NULL;
    size_t limit = EXPLAINED;
    int r;

    if (machine == NULL)
        return;
    if (query_read_limit(&exchange->query, &limit) < 0) {
        reply_error(exchange->request, HTTP_BADREQUEST, "limit is not a number", NULL);
        return;
    }
    if (what_if_is_asked(&exchange->query)) {
        struct machine_ref ref = machine_ref_of(machine);

        what_if_explain(exchange, &ref, limit > 0 ? limit : SIZE_MAX);
        return;
    }
    r = coordinator_explain(exchange->coordinator, machine, limit > 0 ? limit : SIZE_MAX, exchange_now(exchange),
                            &explanation);
    if (r == 0)
        r = json_format_explanation(explanation, &json);
    exchange_answer(exchange, r, json);
}

/* The body is what the order says beside its kind and the machine. */
static void take_order(struct exchange *exchange, struct order *order)
{
    const struct machine *to;
    _cleanup_(freep) char *to_name = NULL;
    _cleanup_(order_answer_done) struct order_answer answered = {0};
    struct body body;
    char *json = NULL;
    int r = body_read(exchange->request, &body);

    if (r == 0)
        r = json_parse_order(body.text, body.length, order, &to_name, &body.problem);
    if (r < 0) {
        body_refuse(exchange->request, r, &body);
        return;
    }
    if (to_name != NULL) {
        to = find_machine_called(exchange, to_name);
        if (to == NULL)
            return;
        order->has_to = true;
        order->to = machine_ref_of(to);
    }
    order->by = exchange->by;
    r = exchange->routes->backend->order(exchange->routes->context, order, &answered);
    if (r < 0) {
        reply_error(exchange->request, reply_status_of(r), answered.words != NULL ? answered.words : strerror(-r),
                    NULL);
        return;
    }
    r = json_format_order(&answered, &json);
    exchange_answer(exchange, r, json);
}

static void order_for_service(struct exchange *exchange, enum order_kind kind)
{
    struct order order = {.kind = kind};

    if (find_service(exchange, &order.machine))
        take_order(exchange, &order);
}

static void post_recover(struct exchange *exchange)
{
    order_for_service(exchange, ORDER_RECOVER);
}

static void post_failover(struct exchange *exchange)
{
    order_for_service(exchange, ORDER_FAILOVER);
}

static void post_failback(struct exchange *exchange)
{
    order_for_service(exchange, ORDER_FAILBACK);
}

static void post_rehearse(struct exchange *exchange)
{
    order_for_service(exchange, ORDER_REHEARSE);
}

static void get_rehearsals(struct exchange *exchange)
{
    rehearsals_list(exchange);
}

static void post_keep(struct exchange *exchange)
{
    order_for_service(exchange, ORDER_KEEP);
}

static void order_for_machine(struct exchange *exchange, enum order_kind kind)
{
    const struct machine *machine = find_machine(exchange);
    struct order order = {.kind = kind};

    if (machine == NULL)
        return;
    order.machine = machine_ref_of(machine);
    take_order(exchange, &order);
}

static void post_clear(struct exchange *exchange)
{
    order_for_machine(exchange, ORDER_CLEAR);
}

static void post_refresh(struct exchange *exchange)
{
    order_for_machine(exchange, ORDER_REFRESH);
}

static void post_tag(struct exchange *exchange)
{
    const struct machine *machine = find_machine(exchange), *from = NULL;
    _cleanup_(tag_request_done) struct tag_request wanted = {0};
    struct body body;
    int r;

    if (machine == NULL)
        return;
    r = body_read(exchange->request, &body);
    if (r == 0)
        r = json_parse_tags(body.text, body.length, &wanted, &body.problem);
    if (r < 0) {
        body_refuse(exchange->request, r, &body);
        return;
    }
    if (wanted.from != NULL) {
        from = find_machine_called(exchange, wanted.from);
        if (from == NULL)
            return;
    }
    tag_begin(&exchange->routes->pending, exchange->routes->backend, exchange->routes->context, exchange->request,
              machine, from, &wanted);
}

static void post_template(struct exchange *exchange)
{
    const struct machine *machine = find_machine(exchange);

    if (machine != NULL)
        template_write(exchange, machine);
}

static void post_templates_check(struct exchange *exchange)
{
    template_check_all(exchange);
}

static void post_drill(struct exchange *exchange)
{
    const struct machine *machine = find_machine(exchange);

    if (machine != NULL)
        drill_begin(&exchange->routes->pending, exchange->routes->backend, exchange->routes->context, exchange->request,
                    machine, exchange->by);
}

static void get_recoveries(struct exchange *exchange)
{
    history_list(exchange);
}

static void get_recovery(struct exchange *exchange)
{
    history_one(exchange);
}

static void get_holds(struct exchange *exchange)
{
    hold_list(exchange->routes->backend, exchange->routes->context, exchange->request);
}

static void post_hold(struct exchange *exchange)
{
    hold_begin(exchange->routes->backend, exchange->routes->context, exchange->request, exchange->by);
}

static void post_release(struct exchange *exchange)
{
    hold_release(exchange->routes->backend, exchange->routes->context, exchange->request, exchange->name);
}

static void post_fenced(struct exchange *exchange)
{
    const char *message = NULL;
    struct body body;
    char *json = NULL;
    bool confirmed = false;
    int r = body_read(exchange->request, &body);

    if (r == 0)
        r = json_parse_confirmation(body.text, body.length, &confirmed, &body.problem);
    if (r < 0) {
        body_refuse(exchange->request, r, &body);
        return;
    }
    r = exchange->routes->backend->fenced(exchange->routes->context, exchange->name, confirmed, &message);
    if (r < 0) {
        reply_error(exchange->request, reply_status_of(r), message,
                    r == -EPERM ? "make sure of it first; then confirm it with --yes" : NULL);
        return;
    }
    r = json_format_fenced(exchange->name, &json);
    exchange_answer(exchange, r, json);
}

static void post_fence_test(struct exchange *exchange)
{
    fence_test_begin(&exchange->routes->pending, exchange->routes->backend, exchange->routes->context,
                     exchange->request, exchange->name);
}

static void post_hook_test(struct exchange *exchange)
{
    hook_test_begin(&exchange->routes->pending, exchange->routes->backend, exchange->routes->context,
                    exchange->request);
}

static void get_fencing(struct exchange *exchange)
{
    char *json = NULL;
    int r = json_format_fencing(exchange->coordinator, evhttp_find_header(&exchange->query, "host"), &json);

    exchange_answer(exchange, r, json);
}

static void post_reload(struct exchange *exchange)
{
    _cleanup_(freep) char *waiting = NULL;
    const char *error = exchange->routes->backend->reload(exchange->routes->context, &waiting);
    char *json = NULL;
    int r;

    if (error != NULL) {
        reply_error(exchange->request, HTTP_CONFLICT, error,
                    "the configuration in force stays; understudyd --check lists every error");
        return;
    }
    r = json_format_reload(waiting, &json);
    exchange_answer(exchange, r, json);
}

static void get_events(struct exchange *exchange)
{
    int r = stream_follow(exchange->routes->stream, exchange->request,
                          exchange->rights == API_ACT ? STREAM_FOLLOWERS_MAX : STREAM_READERS_MAX);

    if (r == 0)
        watcher_begin(exchange->routes->watcher);
    else
        reply_error(exchange->request, HTTP_SERVUNAVAIL,
                    r == -EBUSY ? "too many clients follow the events already" : "out of memory", NULL);
}

/* {} stands for one segment of the path. */
static const struct route {
    enum evhttp_cmd_type method;
    const char *method_name;
    const char *path;
    enum api_rights needs; /* API_ACT: it changes something, or has a program run */
    void (*handle)(struct exchange *exchange);
} table[] = {
    {EVHTTP_REQ_GET, "GET", "/v1/status", API_READ, get_status},
    {EVHTTP_REQ_GET, "GET", "/v1/problems", API_READ, get_problems},
    {EVHTTP_REQ_GET, "GET", "/v1/plan", API_READ, get_plan},
    {EVHTTP_REQ_GET, "GET", "/v1/services", API_READ, get_services},
    {EVHTTP_REQ_POST, "POST", "/v1/services/{}/recover", API_ACT, post_recover},
    {EVHTTP_REQ_POST, "POST", "/v1/services/{}/failover", API_ACT, post_failover},
    {EVHTTP_REQ_POST, "POST", "/v1/services/{}/failback", API_ACT, post_failback},
    {EVHTTP_REQ_POST, "POST", "/v1/services/{}/keep", API_ACT, post_keep},
    {EVHTTP_REQ_POST, "POST", "/v1/services/{}/rehearse", API_ACT, post_rehearse},
    {EVHTTP_REQ_GET, "GET", "/v1/rehearsals", API_READ, get_rehearsals},
    {EVHTTP_REQ_GET, "GET", "/v1/machines", API_READ, get_machines},
    {EVHTTP_REQ_GET, "GET", "/v1/machines/{}", API_READ, get_machine},
    {EVHTTP_REQ_GET, "GET", "/v1/machines/{}/explain", API_READ, get_explanation},
    {EVHTTP_REQ_POST, "POST", "/v1/machines/{}/drill", API_ACT, post_drill},
    {EVHTTP_REQ_POST, "POST", "/v1/machines/{}/clear", API_ACT, post_clear},
    {EVHTTP_REQ_POST, "POST", "/v1/machines/{}/refresh", API_ACT, post_refresh},
    {EVHTTP_REQ_POST, "POST", "/v1/machines/{}/tag", API_ACT, post_tag},
    {EVHTTP_REQ_POST, "POST", "/v1/machines/{}/template", API_ACT, post_template},
    {EVHTTP_REQ_POST, "POST", "/v1/templates/check", API_ACT, post_templates_check},
    {EVHTTP_REQ_GET, "GET", "/v1/recoveries", API_READ, get_recoveries},
    {EVHTTP_REQ_GET, "GET", "/v1/recoveries/{}", API_READ, get_recovery},
    {EVHTTP_REQ_GET, "GET", "/v1/holds", API_READ, get_holds},
    {EVHTTP_REQ_POST, "POST", "/v1/holds", API_ACT, post_hold},
    {EVHTTP_REQ_POST, "POST", "/v1/release/{}", API_ACT, post_release},
    {EVHTTP_REQ_GET, "GET", "/v1/hypervisors", API_READ, get_hypervisors},
    {EVHTTP_REQ_POST, "POST", "/v1/hypervisors/{}/fenced", API_ACT, post_fenced},
    {EVHTTP_REQ_POST, "POST", "/v1/hypervisors/{}/fence-test", API_ACT, post_fence_test},
    {EVHTTP_REQ_GET, "GET", "/v1/fencing", API_READ, get_fencing},
    {EVHTTP_REQ_POST, "POST", "/v1/hooks/test", API_ACT, post_hook_test},
    {EVHTTP_REQ_POST, "POST", "/v1/reload", API_ACT, post_reload},
    {EVHTTP_REQ_POST, "POST", "/v1/check", API_READ, check_answer},
    {EVHTTP_REQ_GET, "GET", "/v1/events", API_READ, get_events},
    {EVHTTP_REQ_GET, "GET", "/metrics", API_READ, get_metrics},
};

/* True if path is of this pattern; *ret_name then points at what stands for {}, *ret_length is its length. */
static bool path_matches(const char *pattern, const char *path, const char **ret_name, size_t *ret_length)
{
    const char *hole = strstr(pattern, "{}");
    size_t before = hole != NULL ? (size_t)(hole - pattern) : strlen(pattern);
    size_t length;

    if (strncmp(pattern, path, before) != 0)
        return false;
    if (hole == NULL)
        return path[before] == '\0';
    length = strcspn(path + before, "/");
    if (length == 0 || strcmp(hole + strlen("{}"), path + before + length) != 0)
        return false;
    *ret_name = path + before;
    *ret_length = length;
    return true;
}

/* -EINVAL: the decoded name holds a NUL. -ENOMEM. */
static int decode_name(const char *encoded, size_t length, char **ret)
{
    _cleanup_(freep) char *segment = strndup(encoded, length);
    _cleanup_(freep) char *name = NULL;
    size_t size = 0;

    if (segment == NULL || (name = evhttp_uridecode(segment, 0, &size)) == NULL)
        return -ENOMEM;
    if (strlen(name) != size)
        return -EINVAL;
    *ret = steal_pointer(&name);
    return 0;
}

static void refuse(struct evhttp_request *request, const char *allowed)
{
    if (allowed[0] == '\0') {
        reply_error(request, HTTP_NOTFOUND, "there is nothing at this path", NULL);
        return;
    }
    evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allowed);
    reply_error(request, HTTP_BADMETHOD, "this method is not allowed here", NULL);
}

static void serve(struct routes *routes, struct evhttp_request *request, const struct route *route,
                  enum api_rights rights, const char *name, size_t length)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    struct exchange exchange = {
        .routes = routes,
        .request = request,
        .rights = rights,
        .coordinator = routes->backend->coordinator(routes->context),
    };
    const char *why_not = route->method == EVHTTP_REQ_GET ? NULL : routes->backend->why_not_yet(routes->context);
    int r;

    if (why_not != NULL) {
        reply_error(request, HTTP_SERVUNAVAIL, why_not, "ask again in a moment");
        return;
    }
    r = name != NULL ? decode_name(name, length, &exchange.name) : 0;
    exchange.pool = coordinator_pool(exchange.coordinator);
    TAILQ_INIT(&exchange.query);
    if (r == 0 && query != NULL && evhttp_parse_query_str(query, &exchange.query) < 0)
        r = -EINVAL;
    if (route->needs == API_ACT) {
        asker_name(request, exchange.by);
        log_line(LOG_NOTICE, "ordered by %s: %s %s", exchange.by[0] != '\0' ? exchange.by : "an unknown user",
                 route->method_name, evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)));
    }
    if (r == 0)
        route->handle(&exchange);
    else
        reply_error(request, r == -EINVAL ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL,
                    r == -EINVAL ? "the path or the query cannot be decoded" : "out of memory", NULL);
    evhttp_clear_headers(&exchange.query);
    free(exchange.name);
}

/* The group and the socket as they are installed; elsewhere understudyctl names the group that the socket has. */
static void refuse_action(struct evhttp_request *request)
{
    reply_error(request, HTTP_FORBIDDEN, "nothing can be done on this socket, which only reads",
                "use api.sock, which is for the group understudy-admin");
}

void routes_dispatch(struct routes *routes, struct evhttp_request *request, enum api_rights rights)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    char allowed[64] = "";

    if (path != NULL && assets_answer(request, path))
        return;
    for (size_t i = 0; i < ELEMENTS_OF(table) && path != NULL; i++) {
        const char *name = NULL;
        size_t length = 0;

        if (!path_matches(table[i].path, path, &name, &length))
            continue;
        if (table[i].method == evhttp_request_get_command(request)) {
            if (table[i].needs == API_ACT && rights != API_ACT)
                refuse_action(request);
            else
                serve(routes, request, &table[i], rights, name, length);
            return;
        }
        snprintf(allowed + strlen(allowed), sizeof(allowed) - strlen(allowed), "%s%s", allowed[0] != '\0' ? ", " : "",
                 table[i].method_name);
    }
    refuse(request, allowed);
}
