/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl list: every machine, one line for each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

/*
 * The warmth of a standby, whether the daemon keeps it so, and the memory that this takes: "kept, 232 MiB" where the
 * state tells the warmth, "saved, kept" where it does not. "-": no standby.
 */
static char *warmth_of(const json_t *machine)
{
    const char *keeping = field_word(machine, "keeping"), *warmth = field_word(machine, "warmth");
    bool is_told = field_is(machine, "state", warmth);
    _cleanup_(freep) char *memory = NULL;

    if (field_is_null(machine, "warmth"))
        return format_text("-");
    if (field_is(machine, "keeping", "no"))
        return format_text("%s", warmth);
    if (!field_is(machine, "keeping", "warm"))
        return format_text("%s, %s", warmth, keeping);
    if (!field_is_null(machine, "resident_kib"))
        memory = format_bytes((uint64_t)field_integer(machine, "resident_kib") * 1024);
    return format_text("%s%skept%s%s", is_told ? "" : warmth, is_told ? "" : ", ", memory != NULL ? ", " : "",
                       memory != NULL ? memory : "");
}

/* The machine for which it is the best candidate; of several the most important one, and how many more. "-": none. */
static char *planned_for(const json_t *machine)
{
    int64_t others = field_integer(machine, "planned_for_count") - 1;
    const char *first = field_word(machine, "planned_for");

    return others > 0 ? format_text("%s +%" PRId64, first, others) : format_text("%s", first);
}

/*
 * "serves web-1" of a replacement, "served by spare-1" of an original, "service web-1" of one with another name; "-": its
 * service has its name, or it has none.
 */
static char *service_of(const json_t *machine)
{
    if (!field_is_null(machine, "serves"))
        return format_text("serves %s", field_word(machine, "serves"));
    if (!field_is_null(machine, "served_by"))
        return format_text("served by %s", field_word(machine, "served_by"));
    if (!field_is_null(machine, "service") && field_has(machine, "roles", "protected"))
        return format_text("service %s", field_word(machine, "service"));
    return format_text("-");
}

static bool is_any_service_told(const json_t *machines)
{
    for (size_t i = 0; i < json_array_size(machines); i++) {
        _cleanup_(freep) char *service = service_of(json_array_get(machines, i));

        if (strcmp(service, "-") != 0)
            return true;
    }
    return false;
}

static void add_machine(struct table *table, const json_t *machine)
{
    const json_t *environment = json_object_get(machine, "environment");
    _cleanup_(freep) char *roles = field_joined(machine, "roles", " ");
    _cleanup_(freep) char *features = field_values(machine, "features");
    _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(environment, "memory_kib") * 1024);
    bool reachable = field_true(machine, "reachable"), claimed = !field_is_null(machine, "claimed_by");
    _cleanup_(freep) char *warmth = warmth_of(machine);
    _cleanup_(freep) char *planned = planned_for(machine);
    _cleanup_(freep) char *service = service_of(machine);
    const char *state = field_word(machine, "state");

    table_add(table, STYLE_STRONG, "%s", field_word(machine, "name"));
    table_add(table, STYLE_PLAIN, "%s", field_word(machine, "hypervisor"));
    table_add(table, reachable ? style_of_state(state) : STYLE_NOTABLE, "%s%s", state, reachable ? "" : "?");
    table_add(table, STYLE_PLAIN, "%s", warmth);
    table_add(table, STYLE_PLAIN, "%s", service);
    table_add(table, STYLE_PLAIN, "%s", planned);
    table_add(table, claimed ? STYLE_NOTABLE : STYLE_PLAIN, "%s%s", roles[0] != '\0' ? roles : "-",
              claimed ? " claimed" : "");
    table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(environment, "cpu"));
    table_add(table, STYLE_PLAIN, "%s", memory);
    table_add(table, STYLE_PLAIN, "%s", features[0] != '\0' ? features : "-");
}

static bool are_several_hypervisors(const json_t *machines)
{
    const char *first = field_word(json_array_get(machines, 0), "hypervisor");

    for (size_t i = 1; i < json_array_size(machines); i++)
        if (!field_is(json_array_get(machines, i), "hypervisor", first))
            return true;
    return false;
}

static void print_machines(const json_t *machines)
{
    const struct column columns[] = {
        {"MACHINE", COLUMN_WHOLE},
        {"HYPERVISOR", are_several_hypervisors(machines) ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"STATE", COLUMN_WHOLE},
        {"WARMTH", COLUMN_WHOLE},
        {"SERVICE", is_any_service_told(machines) ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"FOR", COLUMN_WHOLE},
        {"ROLES", COLUMN_WHOLE},
        {"CPU", COLUMN_NUMBER},
        {"MEMORY", COLUMN_NUMBER},
        {"OFFERS", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    if (json_array_size(machines) == 0) {
        puts("No machine is known.");
        return;
    }
    for (size_t i = 0; i < json_array_size(machines); i++)
        add_machine(table, json_array_get(machines, i));
    table_print(table);
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *machines = NULL;
    int r;

    (void)argument;
    r = client_get(client, &machines, "/v1/machines", NULL);
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(machines);
    else
        print_machines(machines);
    return EXIT_SUCCESS;
}

const struct command command_list = {
    .name = "list",
    .help = "every machine, with what it offers",
    .run = run,
};
