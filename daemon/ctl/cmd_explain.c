/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl explain: which machine would take over if this one failed now, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/ranking.h"
#include "ctl/what_if.h"

#define ROWS_DEFAULT 20

static void print_failed(const json_t *machine, const json_t *explanation)
{
    const json_t *environment = json_object_get(machine, "environment");
    _cleanup_(freep) char *features = field_joined(machine, "features", ", ");
    _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(environment, "memory_bytes"));
    _cleanup_(freep) char *disk = format_bytes((uint64_t)field_integer(environment, "disk_bytes"));
    _cleanup_(freep) char *size = disk[0] != '-' ? format_text("%s disk", disk) : format_text("disk of unknown size");
    int64_t cpus = field_integer(environment, "cpu");

    if (!field_is_null(explanation, "obstacle"))
        print_paragraph(STYLE_ALARM, 0, "Nothing would be started for %s now: %s", field_word(machine, "name"),
                        field_word(explanation, "obstacle"));
    print_styled(STYLE_STRONG, "If %s on %s failed now\n", field_word(machine, "name"),
                 field_word(machine, "hypervisor"));
    print_fact("it offers", "%s", features[0] != '\0' ? features : "no feature is known");
    print_fact("with", "%" PRId64 " vCPU%s, %s memory, %s", cpus, PLURAL(cpus), memory, size);
    if (!field_is_null(machine, "serves"))
        print_fact("serves", "%s: candidates are compared with what that service needs", field_word(machine, "serves"));
}

static void print_rule(const json_t *explanation)
{
    bool by_overlap = field_is(explanation, "rank_by", "overlap");

    print_fact("wanted", "similarity >= %.4f and coverage >= %.4f, highest %s first",
               field_number(explanation, "threshold"), field_number(explanation, "min_coverage"),
               field_word(explanation, "rank_by"));
    if (!field_is_null(explanation, "policy"))
        print_fact("policy", "%s", field_word(explanation, "policy"));
    print_fact("", "(+) lowers similarity, (-) lowers coverage, (~) weighs nothing%s",
               by_overlap ? "; overlap is their product" : "");
}

/* How the chosen candidate would have to show that it works. */
static void print_verification(const json_t *explanation)
{
    _cleanup_(freep) char *ports = field_joined(explanation, "verify_ports", ", ");
    _cleanup_(freep) char *reached = field_joined(explanation, "verify_reached_ports", ", ");

    if (!field_is_null(explanation, "verify"))
        print_fact("verified", "at level %s%s%s%s%s", field_word(explanation, "verify"),
                   ports[0] != '\0' ? ", and it must listen on " : "", ports,
                   reached[0] != '\0' ? ", and be reached on " : "", reached);
}

static void print_explanation(const json_t *machine, const json_t *explanation)
{
    const char *chosen = field_text(explanation, "chosen"), *arrow = chosen != NULL ? "=> " : "=> no candidate: ";

    print_failed(machine, explanation);
    print_rule(explanation);
    print_verification(explanation);
    putchar('\n');
    ranking_print(explanation, chosen, 0);
    putchar('\n');
    print_styled(chosen != NULL ? STYLE_GOOD : STYLE_BAD, "%s", arrow);
    print_wrapped(STYLE_STRONG, strlen(arrow), strlen("=> "), field_word(explanation, "summary"));
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *machine = NULL;
    _cleanup_(json_decrefp) json_t *explanation = NULL;
    _cleanup_(freep) char *begin = format_text("/v1/machines/{}/explain?limit=%" PRId64,
                                               (int64_t)(options->limit < 0 ? ROWS_DEFAULT : options->limit));
    _cleanup_(freep) char *path = what_if_path(client, options, begin, '&');
    int r, status; /* of the command: 1 where nothing would take over */

    r = client_get(client, &explanation, path, argument);
    if (r < 0)
        return client_exit_status(r);
    status = field_is_null(explanation, "chosen") ? EXIT_FAILURE : EXIT_SUCCESS;
    if (options->json) {
        print_json(explanation);
        return status;
    }
    r = client_get(client, &machine, "/v1/machines/{}", argument);
    if (r < 0)
        return client_exit_status(r);
    print_explanation(machine, explanation);
    return status;
}

const struct command command_explain = {
    .name = "explain",
    .argument = "MACHINE",
    .options = OPTION_LIMIT | OPTION_WHAT_IF,
    .help = "which machine would take over from it, and why",
    .run = run,
};
