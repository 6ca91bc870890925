/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl watch: the state as it is, and then events as they happen, also across a restart of the daemon. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/moment.h"
#include "base/text.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/event_line.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/services_line.h"
#include "protocol/notice.h"
#include "report/time.h"

#define PROBLEMS_SHOWN 10

struct watching {
    const struct ctl_options *options;
    struct client *client; /* beside the one that follows */
};

/* A line as of an event. Takes more, whose members are for --json only; NULL: none. */
static void tell(const struct watching *watching, const char *kind, const char *text, json_t *more)
{
    _cleanup_(json_decrefp) json_t *line = NULL, *members = more;
    struct timespec now;
    char at[TIME_TEXT_SIZE];

    clock_gettime(CLOCK_REALTIME, &now);
    time_format(now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000, at);
    line = json_pack("{s:s, s:s, s:s}", "at", at, "kind", kind, "text", text);
    if (line == NULL || (members != NULL && json_object_update_missing(line, members) < 0))
        die_of_memory();
    event_line_print(line, watching->options->json);
}

static void tell_problems(const struct watching *watching, const json_t *problems)
{
    size_t count = json_array_size(problems);

    for (size_t i = 0; i < count && (i < PROBLEMS_SHOWN || watching->options->json); i++) {
        json_t *problem = json_array_get(problems, i);
        _cleanup_(freep) char *age = field_age(problem, "since"), *text = NULL;

        text = format_text("%s: %s (began %s)", field_word(problem, "kind"), field_word(problem, "text"), age);
        tell(watching, "problem", text, json_pack("{s:O}", "problem", problem));
    }
    if (count > PROBLEMS_SHOWN && !watching->options->json) {
        _cleanup_(freep) char *text = format_text("%zu more: understudyctl problems", count - PROBLEMS_SHOWN);

        tell(watching, "problem", text, NULL);
    }
}

static void tell_recoveries(const struct watching *watching)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *recoveries;

    if (client_try_get(watching->client, &answer, "/v1/recoveries?outcome=under-way") < 0)
        return;
    recoveries = json_object_get(answer, "recoveries");
    for (size_t i = json_array_size(recoveries); i-- > 0;) {
        json_t *recovery = json_array_get(recoveries, i);
        _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");
        _cleanup_(freep) char *text =
            format_text("%s of %s: %s for %s", field_word(recovery, "id"), field_word(recovery, "failed"),
                        field_word(recovery, "outcome"), duration);

        tell(watching, "under-way", text, json_pack("{s:O}", "recovery", json_object_get(recovery, "id")));
    }
}

/* From here on no event is missed: so it is told first how things are. */
static bool on_ready(void *context)
{
    const struct watching *watching = context;
    _cleanup_(json_decrefp) json_t *status = NULL;
    _cleanup_(freep) char *text = NULL, *services = NULL;

    if (client_try_get(watching->client, &status, "/v1/status") < 0)
        return true; /* it has gone again */
    services = services_line(json_object_get(status, "services"));
    text = format_text("understudyd %s is %s, mode %s; services: %s", field_word(status, "version"),
                       field_true(status, "ready") ? "ready" : "not ready", field_word(status, "mode"), services);
    tell(watching, "state", text, json_pack("{s:O}", "status", status));
    tell_problems(watching, json_object_get(status, "problems"));
    tell_recoveries(watching);
    return !ferror(stdout);
}

static bool on_event(void *context, const json_t *notice)
{
    const struct watching *watching = context;
    const char *until = watching->options->until;

    event_line_print(notice, watching->options->json);
    /* Where nothing reads the output any more, following would have no use. */
    return !ferror(stdout) && (until == NULL || !field_is(notice, "kind", until));
}

/* The kind of that name; NULL: there is none, and *ret_nearest has the most similar name. */
static const char *find_kind(const char *name, const char **ret_nearest)
{
    enum notice_kind nearest = 0;

    for (enum notice_kind kind = 0; kind < NOTICE_COUNT; kind++) {
        if (strcmp(notice_kind_name(kind), name) == 0)
            return notice_kind_name(kind);
        if (text_distance(notice_kind_name(kind), name) < text_distance(notice_kind_name(nearest), name))
            nearest = kind;
    }
    *ret_nearest = notice_kind_name(nearest);
    return NULL;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(client_freep) struct client *second = client_new(options->socket);
    struct watching watching = {.options = options, .client = second};
    struct client_follower follower = {.ready = on_ready, .event = on_event, .keeps_on = true, .context = &watching};
    const char *nearest = NULL;
    int r;

    (void)argument;
    if (options->until != NULL && find_kind(options->until, &nearest) == NULL) {
        complain("no event is of the kind %s: did you mean %s", options->until, nearest);
        return EXIT_NOT_FOUND;
    }
    r = client_follow(client, &follower, options->timeout_ms);
    if (r == -ETIMEDOUT && options->until != NULL)
        complain("no event of the kind %s came in time", options->until);
    return r == 0 || (r == -ETIMEDOUT && options->until == NULL) ? EXIT_SUCCESS : client_exit_status(r);
}

const struct command command_watch = {
    .name = "watch",
    .options = OPTION_UNTIL | OPTION_TIMEOUT,
    .help = "the state as it is, and then events as they happen",
    .run = run,
};
