/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl plan: who would take over from whom, and what would become of the services of a host that dies. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/services_line.h"
#include "ctl/table.h"
#include "ctl/what_if.h"

/* ---- the failure of each service alone ---- */

static bool restarts_itself(const json_t *service)
{
    return field_true(service, "restarts_itself");
}

static bool has_next(const json_t *service)
{
    return json_is_object(json_object_get(service, "next"));
}

/* "3 d ago, took 9.1 s, outage 4.2 s", or "never". */
static char *rehearsal_of(const json_t *service)
{
    const json_t *rehearsed = json_object_get(service, "rehearsed");
    _cleanup_(freep) char *age = NULL;
    _cleanup_(freep) char *took = NULL;
    _cleanup_(freep) char *outage = NULL;

    if (!json_is_object(rehearsed))
        return format_text("never");
    age = field_age(rehearsed, "at");
    took = field_duration(rehearsed, "duration_ms");
    if (field_is_null(rehearsed, "outage_ms"))
        return format_text("%s, took %s, without an outage", age, took);
    outage = field_duration(rehearsed, "outage_ms");
    return format_text("%s, took %s, outage %s", age, took, outage);
}

static void add_service(struct table *table, const json_t *service)
{
    const json_t *next = json_object_get(service, "next");
    _cleanup_(freep) char *similarity = field_ratio(next, "similarity");
    _cleanup_(freep) char *overlap = field_ratio(next, "overlap");
    _cleanup_(freep) char *rehearsal = rehearsal_of(service);
    const char *state = field_word(service, "state");
    const char *none = service_is_bare(service) ? "none" : restarts_itself(service) ? "itself" : "-";

    table_add(table, STYLE_STRONG, "%s", field_word(service, "name"));
    table_add(table, STYLE_PLAIN, "%s", field_word(json_object_get(service, "served_by"), "name"));
    table_add(table, style_of_service(state), "%s", state);
    table_add(table, service_is_bare(service) ? STYLE_BAD : STYLE_PLAIN, "%s",
              has_next(service) ? field_word(next, "name") : none);
    table_add(table, STYLE_PLAIN, "%s", similarity);
    table_add(table, STYLE_PLAIN, "%s", overlap);
    table_add(table, STYLE_PLAIN, "%s", field_word(next, "warmth"));
    table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(service, "shared_by"));
    table_add(table, STYLE_PLAIN, "%s", rehearsal);
}

static void print_plan(const json_t *services)
{
    static const struct column columns[] = {
        {"SERVICE", COLUMN_WHOLE}, {"SERVED BY", COLUMN_WHOLE},         {"STATE", COLUMN_WHOLE},
        {"NEXT", COLUMN_WHOLE},    {"SIMILARITY", COLUMN_SPARE_NUMBER}, {"OVERLAP", COLUMN_NUMBER},
        {"WARMTH", COLUMN_WHOLE},  {"SHARED", COLUMN_SPARE_NUMBER},     {"REHEARSED", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(services); i++)
        add_service(table, json_array_get(services, i));
    table_print(table);
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);

        if (service_is_bare(service))
            print_paragraph(STYLE_BAD, 2, "%s: %s", field_word(service, "name"), field_word(service, "why"));
    }
}

static int plan_services(struct client *client, const struct ctl_options *options)
{
    _cleanup_(freep) char *path = what_if_path(client, options, "/v1/plan", '?');
    _cleanup_(json_decrefp) json_t *plan = NULL;
    const json_t *services;
    int r = client_get(client, &plan, path, NULL);

    if (r < 0)
        return client_exit_status(r);
    services = json_object_get(plan, "services");
    if (options->json)
        print_json(plan);
    else if (json_array_size(services) == 0)
        puts("No service is protected: understudyctl status says what is missing.");
    else
        print_plan(services);
    for (size_t i = 0; i < json_array_size(services); i++)
        if (service_is_bare(json_array_get(services, i)))
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

/* ---- a host that dies ---- */

static bool is_recovered(const json_t *service)
{
    return field_is(service, "outcome", "recovered");
}

static const char *outcome_of(const json_t *service)
{
    if (is_recovered(service))
        return "goes on";
    return field_is_null(service, "outcome") || field_is(service, "outcome", "exhausted")
               ? "stays down"
               : field_word(service, "outcome");
}

static void print_fates(const json_t *services)
{
    static const struct column columns[] = {
        {"SERVICE", COLUMN_WHOLE},  {"THEN", COLUMN_WHOLE},   {"ON", COLUMN_WHOLE}, {"HOST", COLUMN_WHOLE},
        {"OVERLAP", COLUMN_NUMBER}, {"WARMTH", COLUMN_WHOLE}, {"WHY", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        _cleanup_(freep) char *overlap = field_ratio(service, "overlap");

        table_add(table, STYLE_STRONG, "%s", field_word(service, "name"));
        table_add(table, is_recovered(service) ? STYLE_GOOD : STYLE_BAD, "%s", outcome_of(service));
        table_add(table, STYLE_PLAIN, "%s", field_word(service, "replacement"));
        table_add(table, STYLE_PLAIN, "%s", field_word(service, "replacement_hypervisor"));
        table_add(table, STYLE_PLAIN, "%s", overlap);
        table_add(table, STYLE_PLAIN, "%s", field_word(service, "warmth"));
        table_add(table, STYLE_PLAIN, "%s", is_recovered(service) ? "" : field_word(service, "detail"));
    }
    table_print(table);
}

/* No service stays down, and none waits for an operator. */
static bool is_borne(const json_t *loss)
{
    return field_integer(loss, "down") == 0 &&
           (field_integer(loss, "recovered") == 0 || field_is(loss, "fencing", "agent"));
}

static void print_fencing(const json_t *loss)
{
    if (field_is(loss, "fencing", "agent"))
        print_fact("fencing", "its fence agents switch it off, as they are taken to do");
    else if (field_is(loss, "fencing", "operator"))
        print_paragraph(STYLE_BAD, 2,
                        "Nothing would be started until an operator makes sure that %s is off (understudyctl fenced "
                        "%s --yes): %s. What follows then:",
                        field_word(loss, "host"), field_word(loss, "host"), field_word(loss, "fencing_detail"));
    else
        print_paragraph(STYLE_BAD, 2, "It would not count as lost: is it held (understudyctl holds)?");
}

static void print_loss(const json_t *loss)
{
    const json_t *services = json_object_get(loss, "services");
    int64_t down = field_integer(loss, "down"), recovered = field_integer(loss, "recovered");

    print_styled(STYLE_STRONG, "If %s died now\n", field_word(loss, "host"));
    if (json_array_size(services) == 0) {
        puts("No protected service runs there.");
        return;
    }
    print_fencing(loss);
    putchar('\n');
    print_fates(services);
    putchar('\n');
    print_paragraph(down > 0 ? STYLE_BAD : STYLE_GOOD, 0, "=> %" PRId64 " of %" PRId64 " service%s would go on%s",
                    recovered, recovered + down, PLURAL(recovered + down),
                    field_true(loss, "settled") ? "" : ", as far as can be seen: something would still be under way");
}

static int get_loss(struct client *client, const struct ctl_options *options, const char *host, json_t **ret)
{
    _cleanup_(freep) char *query = client_query(client, '?', "host", host);
    _cleanup_(freep) char *begin = format_text("/v1/plan%s", query);
    _cleanup_(freep) char *path = what_if_path(client, options, begin, '&');

    return client_get(client, ret, path, NULL);
}

static int plan_host(struct client *client, const struct ctl_options *options)
{
    _cleanup_(json_decrefp) json_t *loss = NULL;
    int r = get_loss(client, options, options->host, &loss);

    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(loss);
    else
        print_loss(loss);
    return is_borne(loss) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- each host, one after the other ---- */

/* Of those that can die and leave understudyd and its connection to them alive. */
static bool is_foreseeable(const json_t *hypervisor)
{
    return field_true(hypervisor, "connected") && !field_true(hypervisor, "local") &&
           field_is_null(hypervisor, "same_as");
}

/* The more stays down, the worse; else what waits for an operator is. */
static bool is_worse(const json_t *loss, const json_t *other)
{
    int64_t down = field_integer(loss, "down"), others = field_integer(other, "down");

    return down > others || (down == others && !is_borne(loss) && is_borne(other));
}

/* The worst first. */
static void insert_sorted(json_t *losses, json_t *loss)
{
    size_t place = 0;

    while (place < json_array_size(losses) && !is_worse(loss, json_array_get(losses, place)))
        place++;
    json_array_insert_new(losses, place, loss);
}

static void print_losses(const json_t *losses)
{
    static const struct column columns[] = {
        {"HOST", COLUMN_WHOLE},
        {"SERVICES", COLUMN_NUMBER},
        {"DOWN", COLUMN_NUMBER},
        {"FENCED BY", COLUMN_WHOLE},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));
    const json_t *worst = json_array_get(losses, 0);

    for (size_t i = 0; i < json_array_size(losses); i++) {
        const json_t *loss = json_array_get(losses, i);
        int64_t down = field_integer(loss, "down");

        table_add(table, STYLE_STRONG, "%s", field_word(loss, "host"));
        table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(loss, "recovered") + down);
        table_add(table, down > 0 ? STYLE_BAD : STYLE_PLAIN, "%" PRId64, down);
        table_add(table, is_borne(loss) || field_is(loss, "fencing", "agent") ? STYLE_PLAIN : STYLE_BAD, "%s",
                  json_array_size(json_object_get(loss, "services")) > 0 ? field_word(loss, "fencing") : "-");
    }
    table_print(table);
    if (is_borne(worst)) {
        print_styled(STYLE_GOOD, "Whichever of them dies alone, every service goes on.\n");
        return;
    }
    putchar('\n');
    print_loss(worst);
}

static int plan_each_host(struct client *client, const struct ctl_options *options)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    _cleanup_(json_decrefp) json_t *document = json_pack("{s:[]}", "hosts");
    json_t *losses = json_object_get(document, "hosts");
    const json_t *hypervisors;
    int r = client_get(client, &status, "/v1/status", NULL);

    hypervisors = json_object_get(status, "hypervisors");
    for (size_t i = 0; r >= 0 && i < json_array_size(hypervisors); i++) {
        const json_t *hypervisor = json_array_get(hypervisors, i);
        json_t *loss;

        if (!is_foreseeable(hypervisor))
            continue;
        r = get_loss(client, options, field_word(hypervisor, "name"), &loss);
        if (r >= 0)
            insert_sorted(losses, loss);
    }
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(document);
    else if (json_array_size(losses) == 0)
        puts("There is no host whose loss understudyd would outlive: it knows only its own, or others are not "
             "connected.");
    else
        print_losses(losses);
    return json_array_size(losses) == 0 || is_borne(json_array_get(losses, 0)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    (void)argument;
    if (options->each_host)
        return plan_each_host(client, options);
    return options->host != NULL ? plan_host(client, options) : plan_services(client, options);
}

const struct command command_plan = {
    .name = "plan",
    .options = OPTION_WHAT_IF | OPTION_HOST | OPTION_EACH_HOST,
    .help = "who would take over from whom; with --host, if that host died",
    .run = run,
};
