/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl show: everything that is known of one machine. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"

/* That ports weigh nothing is how it is meant. */
static const char *word_of_weight(const json_t *machine, const char *name)
{
    if (field_is_port(name))
        return "";
    return field_has(machine, "weightless", name) ? " (weighs nothing)" : "";
}

/* The features of one kind, their source, and when its guest told them. */
static void print_kind(const json_t *machine, const char *kind, const char *source)
{
    const json_t *agent = json_object_get(machine, "agent");
    bool is_told = strcmp(source, "guest agent") == 0 && !field_is_null(agent, "learned");
    _cleanup_(freep) char *age = field_age(agent, "learned");
    const json_t *features = json_object_get(machine, "features");
    size_t size = 0, n = 0;
    _cleanup_(freep) char *values = NULL;
    FILE *out = open_memstream(&values, &size);

    if (out == NULL)
        die_of_memory();
    for (size_t i = 0; i < json_array_size(features); i++) {
        const char *feature = json_string_value(json_array_get(features, i));

        if (feature != NULL && strncmp(feature, kind, strlen(kind)) == 0 && feature[strlen(kind)] == '/')
            fprintf(out, "%s%s%s", n++ > 0 ? ", " : "", feature + strlen(kind) + 1, word_of_weight(machine, feature));
    }
    if (fclose(out) != 0)
        die_of_memory();
    print_fact(kind, "%s (%s%s%s)", n > 0 ? values : "none", source, is_told ? ", " : "", is_told ? age : "");
}

/* Whether its guest can be asked, what it told last, and what it did not tell. */
static void print_agent(const json_t *agent)
{
    _cleanup_(freep) char *asked = field_age(agent, "asked");
    const char *state = field_true(agent, "connected") ? "connected"
                        : field_true(agent, "channel") ? "not connected"
                                                       : "none";

    if (field_real_us(agent, "asked") > field_real_us(agent, "learned"))
        print_fact("guest agent", "%s; asked %s what it offers, and did not tell", state, asked);
    else
        print_fact("guest agent", "%s", state);
    if (!field_is_null(agent, "lacks"))
        print_fact("not known", "%s", field_word(agent, "lacks"));
}

static void print_hardware(const json_t *machine)
{
    const json_t *environment = json_object_get(machine, "environment");
    const json_t *disks = json_object_get(machine, "disks");
    _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(environment, "memory_bytes"));
    _cleanup_(freep) char *size = format_bytes((uint64_t)field_integer(environment, "disk_bytes"));
    _cleanup_(freep) char *macs = field_joined(machine, "macs", ", ");
    _cleanup_(freep) char *hostdevs = field_joined(machine, "hostdevs", ", ");

    print_fact("cpu", "%" PRId64 "%s", field_integer(environment, "cpu"), word_of_weight(machine, "cpu"));
    print_fact("memory", "%s%s", memory, word_of_weight(machine, "memory"));
    print_fact("disk", "%s%s", size, word_of_weight(machine, "disk"));
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i);
        _cleanup_(freep) char *capacity = format_bytes((uint64_t)field_integer(disk, "capacity_bytes"));
        bool is_writable = field_true(disk, "writable");

        if (field_true(disk, "backing_file"))
            print_fact("", "%s %s, backing file", field_word(disk, "target"), field_word(disk, "source"));
        else
            print_fact("", "%s %s, %s%s%s%s", field_word(disk, "target"), field_word(disk, "source"), capacity,
                       is_writable ? "" : ", read-only", field_true(disk, "shareable") ? ", shareable" : "",
                       is_writable && !field_true(disk, "backing_files_known") ? ", backing files not known" : "");
    }
    print_fact("network", "%s", macs[0] != '\0' ? macs : "-");
    if (hostdevs[0] != '\0')
        print_fact("host devices", "%s", hostdevs);
}

/* Where a replacement serves a service, or the service has another name than the machine. */
static void print_service(const json_t *machine)
{
    const char *serves = field_text(machine, "serves"),
               *served_by = field_text(json_object_get(machine, "served_by"), "name");

    if (!field_is_null(machine, "service") && field_has(machine, "roles", "protected"))
        print_fact("service", "%s", field_word(machine, "service"));
    if (serves != NULL)
        print_fact("serves", "%s, as its replacement", serves);
    if (served_by != NULL)
        print_fact("served by", "%s, its replacement", served_by);
}

/* "by the hold on node1, until …: new disks". */
static void print_hold(const json_t *hold)
{
    _cleanup_(freep) char *until = field_instant(hold, "until");
    bool has_end = !field_is_null(hold, "until"), has_reason = !field_is_null(hold, "reason");

    if (json_is_object(hold))
        print_fact("held", "by the hold on %s%s%s%s%s",
                   field_is(hold, "scope", "all") ? "everything" : field_word(hold, "what"), has_end ? ", until " : "",
                   has_end ? until : "", has_reason ? ": " : "", has_reason ? field_word(hold, "reason") : "");
}

/* What recoveries have to do with the machine. */
static void print_recovery_facts(const json_t *machine)
{
    _cleanup_(freep) char *left = field_duration(machine, "quarantine_ms");

    print_hold(json_object_get(machine, "hold"));
    if (!field_is_null(machine, "claimed_by"))
        print_fact("claimed by", "%s%s", field_word(machine, "claimed_by"),
                   field_true(machine, "starting") ? ", which is starting it" : "");
    if (!field_is_null(machine, "quarantine_ms"))
        print_fact("quarantine", "%s left: %s", left,
                   field_is_null(machine, "quarantine_why") ? "it did not come up as a replacement"
                                                            : field_word(machine, "quarantine_why"));
    if (field_true(machine, "failed_unrecovered"))
        print_fact("failed", "and was not recovered; it replaces no machine until it has run again");
}

/* "spare-2 (overlap 0.83), else spare-7; spare-2 is the choice of 3 others, too". */
static char *format_plan(const json_t *plan)
{
    const json_t *best = json_object_get(plan, "best"), *second = json_object_get(plan, "second");
    const char *name = field_word(best, "name");
    int64_t others = field_integer(plan, "shared_by") - 1;
    _cleanup_(freep) char *other =
        json_is_object(second) ? format_text(", else %s", field_word(second, "name")) : format_text("%s", "");
    _cleanup_(freep) char *shared =
        others > 0 ? format_text("; %s is the choice of %" PRId64 " other%s, too", name, others, PLURAL(others))
                   : format_text("%s", "");

    return format_text("%s (overlap %.2f)%s%s", name, field_number(best, "overlap"), other, shared);
}

/* Which machine would take over from a protected one that is up. */
static void print_plan(const json_t *machine)
{
    const json_t *plan = json_object_get(machine, "plan");
    bool has_best = json_is_object(json_object_get(plan, "best"));
    _cleanup_(freep) char *text =
        has_best ? format_plan(plan)
                 : format_text("no candidate: see understudyctl explain %s", field_word(machine, "name"));

    if (json_is_object(plan))
        print_fact("if it failed", "%s", text);
}

/* What showed that the guest of a warm standby was up. */
static const char *sentence_of_proof(const char *proof)
{
    static const struct {
        const char *proof, *sentence;
    } sentences[] = {
        {"agent", "its guest agent answered"},
        {"ports", "it served on the ports of its service"},
        {"command", "recovery.verify.command said that it works"},
        {"cpu-quiet", "its CPU time became quiet"},
        {"none", "not proved: it may not have finished booting"},
    };

    for (size_t i = 0; i < ELEMENTS_OF(sentences); i++)
        if (strcmp(sentences[i].proof, proof) == 0)
            return sentences[i].sentence;
    return proof;
}

/* What the daemon does with a standby. */
static void print_keeping(const json_t *machine)
{
    _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(machine, "resident_bytes"));
    int64_t others = field_integer(machine, "planned_for_count") - 1;

    if (others > 0)
        print_fact("planned for", "%s and %" PRId64 " other%s", field_word(machine, "planned_for"), others,
                   PLURAL(others));
    else if (!field_is_null(machine, "planned_for"))
        print_fact("planned for", "%s", field_word(machine, "planned_for"));
    if (!field_is(machine, "keeping", "no"))
        print_fact("kept", "%s%s%s", field_word(machine, "keeping"),
                   field_is_null(machine, "resident_bytes") ? "" : ", takes ",
                   field_is_null(machine, "resident_bytes") ? "" : memory);
    if (!field_is_null(machine, "warm_proof"))
        print_fact("guest was up", "%s", sentence_of_proof(field_word(machine, "warm_proof")));
    if (!field_is_null(machine, "not_warm"))
        print_fact("not warm", "%s", field_word(machine, "not_warm"));
}

static void print_machine(const json_t *machine)
{
    _cleanup_(freep) char *roles = field_joined(machine, "roles", ", ");
    const char *state = field_word(machine, "state"), *kind;
    json_t *source;

    print_styled(STYLE_STRONG, "%s", field_word(machine, "name"));
    print_styled(STYLE_PLAIN, " on %s ", field_word(machine, "hypervisor"));
    print_styled(style_of_state(state), "%s\n", state);
    print_fact("uuid", "%s", field_word(machine, "uuid"));
    print_fact("reason", "%s", field_word(machine, "reason"));
    print_fact("roles", "%s", roles[0] != '\0' ? roles : "none");
    print_fact("priority", "%" PRId64, field_integer(machine, "priority"));
    if (!field_is_null(machine, "warmth"))
        print_fact("warmth", "%s", field_word(machine, "warmth"));
    print_service(machine);
    print_plan(machine);
    print_keeping(machine);
    print_recovery_facts(machine);
    if (!field_true(machine, "reachable"))
        print_fact("reachable", "no: its hypervisor is not connected");
    print_fact("definition", "%s", field_true(machine, "persistent") ? "persistent" : "transient");
    print_fact("on crash", "%s", field_word(machine, "on_crash"));
    print_agent(json_object_get(machine, "agent"));
    putchar('\n');
    print_hardware(machine);
    putchar('\n');
    json_object_foreach(json_object_get(machine, "sources"), kind, source)
        print_kind(machine, kind, json_string_value(source));
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *machine = NULL;
    int r;

    r = client_get(client, &machine, "/v1/machines/{}", argument);
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(machine);
    else
        print_machine(machine);
    return EXIT_SUCCESS;
}

const struct command command_show = {
    .name = "show",
    .argument = "MACHINE",
    .help = "one machine, and the source of each feature",
    .run = run,
};
