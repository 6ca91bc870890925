/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl services: every protected service, and which machine serves it. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/services_line.h"
#include "ctl/table.h"

/* recovery.order is original-only. */
static bool restarts_itself(const json_t *service)
{
    return field_is(service, "state", "up") && json_is_true(json_object_get(service, "restarts_itself"));
}

/*
 * "spare-2 (overlap 0.83)", and how many services count on it; "itself" where nothing else is started; "none" of one that is
 * up; "-": not planned.
 */
static char *next_of(const json_t *service)
{
    const json_t *next = json_object_get(service, "next");
    int64_t shared_by = field_integer(service, "shared_by");

    if (restarts_itself(service))
        return format_text("itself");
    if (!json_is_object(next))
        return format_text("%s", field_is(service, "state", "up") ? "none" : "-");
    if (shared_by > 1)
        return format_text("%s (overlap %.2f), shared by %" PRId64, field_word(next, "name"),
                           field_number(next, "overlap"), shared_by);
    return format_text("%s (overlap %.2f)", field_word(next, "name"), field_number(next, "overlap"));
}

/* "itself": the original, which the service is named after. */
static const char *server_of(const json_t *service)
{
    const char *server = field_word(json_object_get(service, "served_by"), "name");

    return field_true(service, "diverted") || !field_is(service, "name", server) ? server : "itself";
}

static void add_service(struct table *table, const json_t *service)
{
    const char *state = field_word(service, "state");
    _cleanup_(freep) char *since = field_instant(service, "since");
    _cleanup_(freep) char *next = next_of(service);
    bool is_diverted = field_true(service, "diverted");

    table_add(table, STYLE_STRONG, "%s", field_word(service, "name"));
    table_add(table, is_diverted ? STYLE_NOTABLE : STYLE_PLAIN, "%s", server_of(service));
    table_add(table, STYLE_PLAIN, "%s", since);
    table_add(table, style_of_service(state), "%s", state);
    table_add(table, service_is_bare(service) ? STYLE_BAD : STYLE_PLAIN, "%s", next);
}

/* "web-1, db-1": services that are up and that no machine would take over; empty: there is none. */
static char *names_without_next(const json_t *services)
{
    char *names = format_text("%s", "");

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        _cleanup_(freep) char *before = NULL;

        if (!service_is_bare(service))
            continue;
        before = names;
        names = format_text("%s%s%s", before, before[0] != '\0' ? ", " : "", field_word(service, "name"));
    }
    return names;
}

/* What the operator does now about services that are down, that no machine would take over, or that are kept by half. */
static void print_ways_out(const json_t *services)
{
    _cleanup_(freep) char *bare = names_without_next(services);

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const char *recovery = field_text(service, "recovery");

        if (field_is(service, "state", "down") && recovery != NULL)
            print_paragraph(STYLE_BAD, 2, "%s is down; why: understudyctl history %s", field_word(service, "name"),
                            recovery);
        if (field_true(service, "half_kept"))
            print_paragraph(
                STYLE_NOTABLE, 2,
                "%s: the order to keep %s was carried out by half, and its metadata names the service: give the "
                "order again (understudyctl keep %s), or take service= out of its metadata",
                field_word(service, "name"), server_of(service), field_word(service, "name"));
    }
    if (bare[0] != '\0')
        print_paragraph(STYLE_BAD, 2, "No machine would take over %s: understudyctl explain SERVICE says why", bare);
}

/* Without any service: of what was not listed nothing is known. */
static int print_none(struct client *client)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    const json_t *hypervisors;
    int r;

    r = client_get(client, &status, "/v1/status", NULL);
    if (r < 0)
        return client_exit_status(r);
    hypervisors = json_object_get(status, "hypervisors");
    for (size_t i = 0; i < json_array_size(hypervisors); i++)
        if (!field_true(json_array_get(hypervisors, i), "listed")) {
            print_styled(STYLE_PLAIN, "No protected service is known yet: %s is not listed (understudyctl status).\n",
                         field_word(json_array_get(hypervisors, i), "name"));
            return EXIT_SUCCESS;
        }
    puts("No service is protected: no machine has the role protected. pool.protect in the configuration gives it.");
    return EXIT_SUCCESS;
}

static void print_services(const json_t *services)
{
    static const struct column columns[] = {
        {"SERVICE", COLUMN_WHOLE}, {"SERVED BY", COLUMN_WHOLE}, {"SINCE", COLUMN_WHOLE},
        {"STATE", COLUMN_WHOLE},   {"NEXT", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(services); i++)
        add_service(table, json_array_get(services, i));
    table_print(table);
    print_ways_out(services);
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *services;
    int r;

    (void)argument;
    r = client_get(client, &answer, "/v1/services", NULL);
    if (r < 0)
        return client_exit_status(r);
    services = json_object_get(answer, "services");
    if (!options->json && json_array_size(services) == 0)
        return print_none(client);
    if (options->json)
        print_json(answer);
    else
        print_services(services);
    return EXIT_SUCCESS;
}

const struct command command_services = {
    .name = "services",
    .help = "the protected services, and which machine serves each",
    .run = run,
};
