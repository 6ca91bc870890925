/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A template declares all that is known of the machine, whatever its source: it has no guest that could be asked. */
#include "api/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "api/body.h"
#include "api/exchange.h"
#include "api/pending.h"
#include "api/reply.h"
#include "base/text.h"
#include "model/ports.h"
#include "report/json.h"

/* A request that waits for its text. */
struct writing {
    struct pending *pending;
    struct template_draft *draft;
};

static void writing_free(struct writing *writing)
{
    if (writing == NULL)
        return;
    template_draft_free(writing->draft);
    free(writing);
}
DEFINE_CLEANUP(struct writing, writing_free);

/* The thread that was given up may still write. */
static const char *hint_of(const struct writing *writing, int error)
{
    return error == -EBUSY ? writing->draft->hint : NULL;
}

static void on_written(void *token, int error, const char *message)
{
    _cleanup_(writing_freep) struct writing *writing = token;
    char *json = NULL;

    if (error < 0)
        pending_refuse(writing->pending, reply_status_of(error), message, hint_of(writing, error));
    else
        pending_answer(writing->pending, json_format_draft(writing->draft, &json) < 0 ? NULL : json);
}

/* Such a template would be chosen for no service. */
static int warn_of_nothing(struct template_draft *draft)
{
    _cleanup_(freep) char *text = NULL;

    if (!feature_texts_are_none(&draft->features))
        return 0;
    text = text_print(
        "nothing is known of what %s offers, so that the template offers nothing; understudyctl tag %s declares it",
        draft->machine, draft->machine);
    return text != NULL ? string_list_add(&draft->warnings, text) : -ENOMEM;
}

/* On which ports it listens is seen, not declared. */
static int take_features(const struct exchange *exchange, const struct machine *machine, struct template_draft *draft)
{
    const struct feature_table *features = coordinator_features(exchange->coordinator);
    const struct id_set *set = &machine->spec->features;
    int r = 0;

    for (size_t i = 0; i < set->count && r == 0; i++)
        if (!ports_is_about(features, set->ids[i]))
            r = feature_texts_add(&draft->features, feature_kind_name(features, feature_kind(features, set->ids[i])),
                                  feature_value(features, set->ids[i]));
    return r == 0 ? warn_of_nothing(draft) : r;
}

/* Commands name machines and templates alike. */
static bool is_called(const struct pool *pool, const char *name)
{
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if (machine->state != MACHINE_TEMPLATE && strcmp(machine->name, name) == 0)
            return true;
    return false;
}

/* False: the request is answered. */
static bool read_wish(struct exchange *exchange, const struct machine *machine, struct template_draft *draft)
{
    struct body body;
    int r = body_read(exchange->request, &body);

    if (r == 0)
        r = json_parse_draft(body.text, body.length, draft, &body.problem);
    if (r < 0) {
        body_refuse(exchange->request, r, &body);
        return false;
    }
    if (draft->name == NULL)
        reply_error(exchange->request, HTTP_BADREQUEST, "\"name\" is missing: that of the template", NULL);
    else if (is_called(exchange->pool, draft->name))
        reply_error(exchange->request, HTTP_CONFLICT, "a machine has the name of the template: choose another one",
                    NULL);
    else if (!machine->is_reachable)
        reply_error(exchange->request, HTTP_CONFLICT,
                    "the host of the machine cannot be reached, and its definition is there", NULL);
    else
        return true;
    return false;
}

void template_write(struct exchange *exchange, const struct machine *machine)
{
    const struct machine_ref ref = machine_ref_of(machine);
    const char *name = pool_display_name(exchange->pool, machine);
    _cleanup_(writing_freep) struct writing *writing = calloc(1, sizeof(*writing));
    int r = writing != NULL ? template_draft_new(name, &writing->draft) : -ENOMEM;

    if (r == 0 && !read_wish(exchange, machine, writing->draft))
        return;
    if (r == 0)
        r = take_features(exchange, machine, writing->draft);
    if (r < 0) {
        reply_error(exchange->request, reply_status_of(r), strerror(-r), NULL);
        return;
    }
    writing->pending = pending_begin(&exchange->routes->pending, exchange->request, name);
    if (writing->pending == NULL)
        return;
    r = exchange->routes->backend->draft(exchange->routes->context, &ref, writing->draft, on_written, writing);
    if (r == 0) {
        writing = NULL; /* on_written has it */
        return;
    }
    pending_drop(writing->pending);
    reply_error(exchange->request, reply_status_of(r), strerror(-r), NULL);
}

static void on_checked(void *token, const struct template_check *check)
{
    char *json = NULL;

    pending_answer(token, json_format_template_check(check, &json) < 0 ? NULL : json);
}

void template_check_all(struct exchange *exchange)
{
    struct pending *pending = pending_begin(&exchange->routes->pending, exchange->request, "");
    int r;

    if (pending == NULL)
        return;
    r = exchange->routes->backend->check_templates(exchange->routes->context, on_checked, pending);
    if (r == 0)
        return; /* on_checked has it */
    pending_drop(pending);
    reply_error(exchange->request, reply_status_of(r), strerror(-r), NULL);
}
