/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl replay: a past decision as it was stored, beside what would be decided for the same machine today. */
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

/* The candidate of this name and host; NULL: it is not listed. */
static const json_t *find_candidate(const json_t *document, const char *name, const char *hypervisor)
{
    const json_t *candidates = json_object_get(document, "candidates");

    for (size_t i = 0; i < json_array_size(candidates); i++) {
        const json_t *candidate = json_array_get(candidates, i);

        if (field_is(candidate, "name", name) && (hypervisor == NULL || field_is(candidate, "hypervisor", hypervisor)))
            return candidate;
    }
    return NULL;
}

static void print_then(const json_t *recovery)
{
    const char *replacement = field_text(recovery, "replacement");
    _cleanup_(freep) char *at = field_instant(recovery, "decided_at");

    print_styled(STYLE_STRONG, "Then: %s\n", field_word(recovery, "id"));
    print_fact("failed", "%s on %s, %s", field_word(recovery, "failed"), field_word(recovery, "hypervisor"),
               field_word(recovery, "cause_text"));
    print_fact("decided", "%s", field_is_null(recovery, "decided_at") ? "nothing" : at);
    print_fact("outcome", "%s%s%s", field_word(recovery, "outcome"), field_is_null(recovery, "detail") ? "" : ": ",
               field_is_null(recovery, "detail") ? "" : field_word(recovery, "detail"));
    putchar('\n');
    ranking_print(recovery, replacement, 0);
}

static void print_today(const json_t *today)
{
    print_styled(STYLE_STRONG, "Today: ");
    print_wrapped(STYLE_PLAIN, strlen("Today: "), 2, field_word(today, "summary"));
    print_fact("wanted", "similarity >= %.4f and coverage >= %.4f", field_number(today, "threshold"),
               field_number(today, "min_coverage"));
    if (!field_is_null(today, "obstacle"))
        print_paragraph(STYLE_BAD, 2, "Nothing would be started: %s", field_word(today, "obstacle"));
    putchar('\n');
    ranking_print(today, field_text(today, "chosen"), 0);
}

/* In what the two differ, of the machine that was chosen then and of the one that would be today. */
static void print_difference(const json_t *recovery, const json_t *today)
{
    const char *then = field_text(recovery, "replacement"), *now = field_text(today, "chosen");
    const json_t *chosen_then =
        then != NULL ? find_candidate(today, then, field_text(recovery, "replacement_hypervisor")) : NULL;
    const json_t *chosen_now = now != NULL ? find_candidate(recovery, now, NULL) : NULL;

    if (then != NULL && now != NULL && strcmp(then, now) == 0) {
        print_styled(STYLE_GOOD, "=> %s would be chosen today as well\n", now);
        return;
    }
    if (then != NULL)
        print_paragraph(STYLE_NOTABLE, 0, "=> %s is not chosen today: %s", then,
                        chosen_then != NULL ? field_word(chosen_then, "reason") : "it is not among the candidates");
    if (now != NULL)
        print_paragraph(STYLE_NOTABLE, 0, "=> %s was not chosen then: %s", now,
                        chosen_now != NULL ? field_word(chosen_now, "reason")
                                           : "it is not among the candidates on record");
    if (then == NULL && now == NULL)
        print_styled(STYLE_PLAIN, "=> nothing was chosen then, and nothing would be today\n");
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *recovery = NULL;
    _cleanup_(json_decrefp) json_t *today = NULL;
    _cleanup_(json_decrefp) json_t *both = NULL;
    _cleanup_(freep) char *path = what_if_path(client, options, "/v1/machines/{}/explain?limit=0", '&');
    _cleanup_(freep) char *machine = NULL;
    int r = client_get(client, &recovery, "/v1/recoveries/{}", argument);

    if (r < 0)
        return client_exit_status(r);
    machine = format_text("%s/%s", field_word(recovery, "hypervisor"), field_word(recovery, "failed"));
    r = client_get(client, &today, path, machine);
    if (r < 0)
        return client_exit_status(r);
    if (options->json) {
        both = json_pack("{s:O, s:O}", "recovery", recovery, "today", today);
        print_json(both);
        return EXIT_SUCCESS;
    }
    print_then(recovery);
    putchar('\n');
    print_today(today);
    putchar('\n');
    print_difference(recovery, today);
    return EXIT_SUCCESS;
}

const struct command command_replay = {
    .name = "replay",
    .argument = "RECOVERY",
    .options = OPTION_WHAT_IF,
    .help = "a past decision, and what would be decided today",
    .run = run,
};
