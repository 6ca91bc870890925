/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/order.h"

#include <errno.h>

#include "ctl/client.h"
#include "ctl/event_line.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"

#define TIMEOUT_MS 60000

/* An order that is followed to its end. */
struct course {
    const struct ctl_options *options;
    json_t *body;
    const char *path, *argument;
    struct client *client;
    json_t *recovery; /* its id, once it is known */
    int status;       /* of the command */
};

static int post(struct client *client, const struct course *course, json_t **ret)
{
    int r = client_post(client, course->body, TIMEOUT_MS, ret, course->path, course->argument);

    if (r < 0)
        return r;
    if (course->options->json && !course->options->wait)
        print_json(*ret);
    else if (!course->options->json)
        print_styled(STYLE_NOTABLE, "%s.\n", field_word(*ret, "message"));
    fflush(stdout);
    return 0;
}

static bool on_ready(void *context)
{
    struct course *course = context;
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r = post(course->client, course, &answer);

    if (r < 0) {
        course->status = client_exit_status(r);
        return false;
    }
    course->recovery = json_incref(json_object_get(answer, "recovery"));
    return true;
}

/* How an event of the recovery ends it; events that are not listed do not. */
static const struct ending {
    const char *kind;
    int status;
} endings[] = {
    {"recovered", EXIT_SUCCESS},  {"exhausted", EXIT_FAILURE},
    {"dismissed", EXIT_FAILURE},  {"failed-while-held", EXIT_FAILURE},
    {"called-off", EXIT_FAILURE}, {"observed", EXIT_FAILURE},
    {"kept", EXIT_SUCCESS},       {"not-kept", EXIT_FAILURE},
};

static bool on_event(void *context, const json_t *notice)
{
    struct course *course = context;

    if (course->recovery == NULL || !json_equal(json_object_get(notice, "recovery"), course->recovery))
        return true;
    event_line_print(notice, course->options->json);
    for (size_t i = 0; i < ELEMENTS_OF(endings); i++)
        if (field_is(notice, "kind", endings[i].kind)) {
            course->status = endings[i].status;
            return false;
        }
    return true;
}

/* Follows the events before the order, so that none can be missed. */
static int follow(struct course *course, struct client *client)
{
    struct client_follower follower = {.ready = on_ready, .event = on_event, .context = course};
    int r = client_follow(client, &follower, course->options->timeout_ms);

    if (r == -ETIMEDOUT)
        complain("this did not end in time: understudyctl history shows how it goes on");
    return r < 0 ? client_exit_status(r) : course->status;
}

int order_post(struct client *client, const struct ctl_options *options, json_t *body, const char *path,
               const char *argument)
{
    _cleanup_(client_freep) struct client *second = client_new(options->socket);
    _cleanup_(json_decrefp) json_t *owned = body;
    _cleanup_(json_decrefp) json_t *answer = NULL;
    struct course course = {
        .options = options,
        .body = body,
        .path = path,
        .argument = argument,
        .client = second,
        .status = EXIT_FAILURE,
    };
    int r;

    if (owned == NULL)
        die_of_memory();
    if (options->wait) {
        r = follow(&course, client);
        json_decref(course.recovery);
        return r;
    }
    r = post(client, &course, &answer);
    return r < 0 ? client_exit_status(r) : EXIT_SUCCESS;
}
