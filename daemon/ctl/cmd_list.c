/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl list: every machine, one line for each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"
#include "model/machine.h"

#define SERVICE_PREFIX "service-"
#define HOST_PREFIX    "host-"

static const char *word_of_proof(const json_t *machine)
{
    if (field_is(machine, "warm_proof", "none"))
        return "not proved";
    return field_is(machine, "warm_proof", "cpu-quiet") ? "CPU quiet" : field_word(machine, "warm_proof");
}

/*
 * The warmth of a standby, whether the daemon keeps it so, the memory that this takes, and what showed that its guest was
 * up: "kept, 232 MiB, agent" where the state tells the warmth, "saved, kept, agent" where it does not. "-": no standby.
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
    if (!field_is_null(machine, "resident_bytes"))
        memory = format_bytes((uint64_t)field_integer(machine, "resident_bytes"));
    return format_text("%s%skept%s%s, %s", is_told ? "" : warmth, is_told ? "" : ", ", memory != NULL ? ", " : "",
                       memory != NULL ? memory : "", word_of_proof(machine));
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
        return format_text("served by %s", field_word(json_object_get(machine, "served_by"), "name"));
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

/* "failed, down, unprotected": the kinds, without what they are about where that is its service. */
static char *problems_of(const json_t *machine)
{
    const json_t *kinds = json_object_get(machine, "problems");
    char *words = format_text("%s", "");

    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const char *kind = json_string_value(json_array_get(kinds, i));
        _cleanup_(freep) char *before = words;

        if (strncmp(kind, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) == 0)
            kind += strlen(SERVICE_PREFIX);
        words = format_text("%s%s%s", before, i > 0 ? ", " : "", kind);
    }
    return words;
}

static bool is_any_in_trouble(const json_t *machines)
{
    for (size_t i = 0; i < json_array_size(machines); i++)
        if (json_array_size(json_object_get(json_array_get(machines, i), "problems")) > 0)
            return true;
    return false;
}

static void add_machine(struct table *table, const json_t *machine)
{
    const json_t *environment = json_object_get(machine, "environment");
    _cleanup_(freep) char *roles = field_joined(machine, "roles", " ");
    _cleanup_(freep) char *features = field_values(machine, "features");
    _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(environment, "memory_bytes"));
    bool reachable = field_true(machine, "reachable"), claimed = !field_is_null(machine, "claimed_by");
    _cleanup_(freep) char *warmth = warmth_of(machine);
    _cleanup_(freep) char *planned = planned_for(machine);
    _cleanup_(freep) char *service = service_of(machine), *problems = problems_of(machine);
    const char *state = field_word(machine, "state");

    table_add(table, STYLE_STRONG, "%s", field_word(machine, "name"));
    table_add(table, STYLE_PLAIN, "%s", field_word(machine, "hypervisor"));
    table_add(table, reachable ? style_of_state(state) : STYLE_NOTABLE, "%s%s", state, reachable ? "" : "?");
    table_add(table, STYLE_BAD, "%s", problems[0] != '\0' ? problems : "-");
    table_add(table, STYLE_PLAIN, "%s", service);
    table_add(table, STYLE_PLAIN, "%s", planned);
    table_add(table, STYLE_PLAIN, "%s", warmth);
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
        {"PROBLEM", is_any_in_trouble(machines) ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"SERVICE", is_any_service_told(machines) ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"FOR", COLUMN_SPARE},
        {"WARMTH", COLUMN_SPARE},
        {"ROLES", COLUMN_SPARE},
        {"CPU", COLUMN_SPARE_NUMBER},
        {"MEMORY", COLUMN_SPARE_NUMBER},
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

/* Of a host, or of the machine or the service that it has a part in. */
static bool concerns(const json_t *problem, const json_t *machine)
{
    const char *subject = field_text(problem, "subject");

    if (subject == NULL)
        return false;
    if (strncmp(field_word(problem, "kind"), HOST_PREFIX, strlen(HOST_PREFIX)) == 0)
        return field_is(machine, "hypervisor", subject);
    return field_is(machine, "name", subject) || field_is(machine, "serves", subject) ||
           (field_has(machine, "roles", "protected") && field_is(machine, "service", subject));
}

/* The kinds of the problems that concern it: "failed", as long as nothing was started for it, among them. */
static void put_problems(json_t *machine, const json_t *problems)
{
    json_t *kinds = json_array();

    if (field_true(machine, "failed_unrecovered") && json_array_append_new(kinds, json_string("failed")) < 0)
        die_of_memory();
    for (size_t i = 0; i < json_array_size(problems); i++) {
        json_t *problem = json_array_get(problems, i);

        if (concerns(problem, machine) && !field_has_text(kinds, field_word(problem, "kind")) &&
            json_array_append(kinds, json_object_get(problem, "kind")) < 0)
            die_of_memory();
    }
    if (json_object_set_new(machine, "problems", kinds) < 0)
        die_of_memory();
}

static bool has_roles(const json_t *machine, const char *roles)
{
    _cleanup_(freep) char *has = field_joined(machine, "roles", " ");
    unsigned asked, given;

    return machine_roles_parse(roles, &asked) == 0 && machine_roles_parse(has, &given) == 0 && (given & asked) == asked;
}

static bool is_wanted(const json_t *machine, const struct ctl_options *options)
{
    return (options->role == NULL || has_roles(machine, options->role)) &&
           (options->host == NULL || field_is(machine, "hypervisor", options->host)) &&
           (options->state == NULL || field_is(machine, "state", options->state)) &&
           (!options->problems || json_array_size(json_object_get(machine, "problems")) > 0);
}

static json_t *choose(const json_t *machines, const json_t *problems, const struct ctl_options *options)
{
    json_t *chosen = json_array();

    for (size_t i = 0; i < json_array_size(machines); i++) {
        json_t *machine = json_array_get(machines, i);

        put_problems(machine, problems);
        if (is_wanted(machine, options) && json_array_append(chosen, machine) < 0)
            die_of_memory();
    }
    return chosen;
}

/* Where there is no such host, says so. */
static int check_host(struct client *client, const char *name)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    _cleanup_(freep) char *names = format_text("%s", "");
    const json_t *hypervisors;
    int r = client_get(client, &status, "/v1/status", NULL);

    if (r < 0)
        return r;
    hypervisors = json_object_get(status, "hypervisors");
    for (size_t i = 0; i < json_array_size(hypervisors); i++) {
        const char *each = field_word(json_array_get(hypervisors, i), "name");
        _cleanup_(freep) char *before = names;

        if (strcmp(each, name) == 0) {
            names = steal_pointer(&before);
            return 0;
        }
        names = format_text("%s%s%s", before, i > 0 ? ", " : "", each);
    }
    complain("no host is called %s: there is %s", name, names);
    return -ENOENT;
}

/* "running" and so on, with ", " between. */
static bool is_state(const char *name, char **ret_all)
{
    *ret_all = format_text("%s", "");
    for (enum machine_state state = 0; state < MACHINE_STATE_COUNT; state++) {
        _cleanup_(freep) char *before = *ret_all;

        if (strcmp(machine_state_name(state), name) == 0) {
            *ret_all = steal_pointer(&before);
            return true;
        }
        *ret_all = format_text("%s%s%s", before, before[0] != '\0' ? ", " : "", machine_state_name(state));
    }
    return false;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *machines = NULL, *problems = NULL, *chosen = NULL;
    _cleanup_(freep) char *states = NULL;
    size_t n_all;
    int r = 0;

    (void)argument;
    if (options->state != NULL && !is_state(options->state, &states)) {
        complain("--state needs one of %s, not \"%s\"", states, options->state);
        return EXIT_USAGE;
    }
    if (options->host != NULL)
        r = check_host(client, options->host);
    if (r == 0)
        r = client_get(client, &machines, "/v1/machines", NULL);
    if (r == 0)
        r = client_get(client, &problems, "/v1/problems", NULL);
    if (r < 0)
        return client_exit_status(r);
    n_all = json_array_size(json_object_get(machines, "machines"));
    chosen = choose(json_object_get(machines, "machines"), json_object_get(problems, "problems"), options);
    json_object_set(machines, "machines", chosen);
    if (options->json)
        print_json(machines);
    else if (json_array_size(chosen) == 0 && n_all > 0)
        puts("No machine is as asked for.");
    else
        print_machines(chosen);
    return EXIT_SUCCESS;
}

const struct command command_list = {
    .name = "list",
    .options = OPTION_ROLE | OPTION_HOST | OPTION_STATE | OPTION_PROBLEMS,
    .help = "every machine, with what it offers",
    .run = run,
};
