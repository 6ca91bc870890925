/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl drill: crashes a machine on purpose, to see whether the recovery works. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/event_line.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"

#define TIMEOUT_DEFAULT_MS 120000

struct drill {
    const struct ctl_options *options;
    const json_t *machine;
    int64_t timeout_ms;
    struct client *client;
    int status; /* of the command */
};

static int crash(struct drill *drill)
{
    _cleanup_(json_decrefp) json_t *body =
        json_pack("{s:b, s:b}", "confirmed", drill->options->yes, "anyway", drill->options->anyway);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const char *message;
    int r;

    if (body == NULL)
        die_of_memory();
    r = client_post(drill->client, body, drill->timeout_ms, &answer, "/v1/machines/{}/drill",
                    field_word(drill->machine, "name"));
    if (r < 0) {
        drill->status = client_exit_status(r);
        return r;
    }
    message = field_text(answer, "message");
    if (drill->options->json && !drill->options->wait)
        print_json(answer);
    else if (!drill->options->json)
        print_styled(STYLE_NOTABLE, "drill: %s was crashed on purpose%s%s\n", field_word(answer, "machine"),
                     message != NULL ? ": " : "", message != NULL ? message : "");
    fflush(stdout);
    return 0;
}

static bool on_ready(void *context)
{
    struct drill *drill = context;

    return crash(drill) == 0;
}

/* How an event of the crashed machine ends the drill; events that are not listed do not end it. */
static const struct ending {
    const char *kind;
    int status;
    const char *complaint;
} endings[] = {
    {"recovered", EXIT_SUCCESS, NULL},
    {"exhausted", EXIT_FAILURE, "the drill failed: no machine took over"},
    {"dismissed", EXIT_FAILURE, "the drill proved nothing: the machine runs again"},
    {"observed", EXIT_FAILURE, "the drill proved nothing: the mode is observe, so nothing was started"},
    {"failed-while-held", EXIT_FAILURE, "the drill failed: the machine is held, and no machine took over"},
    {"failure-unprotected", EXIT_FAILURE, "the drill proved nothing: the machine is not protected"},
    {"stop-planned", EXIT_FAILURE, "the drill proved nothing: the stop was taken for a planned one"},
};

/* Before the crash libvirt suspends QEMU, which is a planned stop as well: the crash is reported after that. */
static bool is_ended_without_crash(const struct drill *drill)
{
    _cleanup_(json_decrefp) json_t *machine = NULL;

    if (client_get(drill->client, &machine, "/v1/machines/{}", field_word(drill->machine, "name")) < 0)
        return false;
    return field_is(machine, "state", "shut off") && !field_is(machine, "reason", "crashed");
}

static bool on_event(void *context, const json_t *notice)
{
    struct drill *drill = context;

    if (!field_is(notice, "uuid", field_word(drill->machine, "uuid")) ||
        !field_is(notice, "hypervisor", field_word(drill->machine, "hypervisor")))
        return true;
    event_line_print(notice, drill->options->json);
    for (size_t i = 0; i < ELEMENTS_OF(endings); i++) {
        if (!field_is(notice, "kind", endings[i].kind))
            continue;
        if (field_is(notice, "kind", "stop-planned") && !is_ended_without_crash(drill))
            return true;
        drill->status = endings[i].status;
        if (endings[i].complaint != NULL)
            complain("%s", endings[i].complaint);
        return false;
    }
    return true;
}

/* Follows the events before the crash, so that none can be missed. */
static int crash_and_follow(struct drill *drill, struct client *client)
{
    struct client_follower follower = {.ready = on_ready, .event = on_event, .context = drill};
    int r = client_follow(client, &follower, drill->timeout_ms);

    if (r == -ETIMEDOUT)
        complain("the recovery did not end in time: understudyctl history --failed %s",
                 field_word(drill->machine, "name"));
    return r < 0 ? client_exit_status(r) : drill->status;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(client_freep) struct client *second = client_new(options->socket);
    _cleanup_(json_decrefp) json_t *machine = NULL;
    struct drill drill = {
        .options = options,
        .timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS,
        .client = second,
        .status = EXIT_FAILURE,
    };
    int r;

    r = client_get(client, &machine, "/v1/machines/{}", argument);
    if (r < 0)
        return client_exit_status(r);
    drill.machine = machine;
    if (options->wait)
        return crash_and_follow(&drill, client);
    return crash(&drill) == 0 ? EXIT_SUCCESS : drill.status;
}

const struct command command_drill = {
    .name = "drill",
    .argument = "MACHINE",
    .options = OPTION_YES | OPTION_ANYWAY | OPTION_WAIT | OPTION_TIMEOUT,
    .help = "crash it on purpose and see whether the recovery works",
    .run = run,
};
