/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl status: how the daemon and its hypervisors are, or waiting until it is ready. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/problem_lines.h"
#include "ctl/services_line.h"
#include "ctl/table.h"

#define WAIT_DEFAULT_MS 30000
#define ASK_AGAIN_MS    50
#define PROBLEMS_SHOWN  10

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* A client that may be earlier than the socket cannot wait for an event; so it asks. */
static int wait_until_ready(struct client *client, const struct ctl_options *options)
{
    int64_t timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : WAIT_DEFAULT_MS;
    int64_t deadline_ms = now_ms() + timeout_ms;
    int r;

    do {
        static const struct timespec pause = {.tv_nsec = ASK_AGAIN_MS * 1000000L};
        _cleanup_(json_decrefp) json_t *status = NULL;

        r = client_try_get(client, &status, "/v1/status");
        if ((r == 0 && field_true(status, "ready")) || r == -EACCES)
            return 0;
        nanosleep(&pause, NULL);
    } while (now_ms() < deadline_ms);
    if (r == 0)
        complain("not every hypervisor has been listed within %" PRId64 " ms: understudyctl status", timeout_ms);
    return r == 0 ? -ETIMEDOUT : 0; /* the plain question that follows tells what is wrong */
}

/* In full, below the table. */
static void print_troubles(const json_t *hypervisors)
{
    for (size_t i = 0; i < json_array_size(hypervisors); i++) {
        const json_t *hypervisor = json_array_get(hypervisors, i);

        if (!field_is_null(hypervisor, "trouble"))
            print_paragraph(STYLE_BAD, 2, "%s: %s", field_word(hypervisor, "name"), field_word(hypervisor, "trouble"));
    }
}

static void print_hypervisors(const json_t *hypervisors)
{
    static const struct column columns[] = {
        {"HYPERVISOR", COLUMN_WHOLE}, {"CONNECTION", COLUMN_WHOLE},   {"HOST", COLUMN_WHOLE},
        {"MACHINES", COLUMN_NUMBER},  {"FREE MEMORY", COLUMN_NUMBER}, {"URI", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(hypervisors); i++) {
        const json_t *hypervisor = json_array_get(hypervisors, i);
        bool connected = field_true(hypervisor, "connected"), listed = field_true(hypervisor, "listed");
        _cleanup_(freep) char *memory = format_bytes((uint64_t)field_integer(hypervisor, "free_memory_bytes"));

        table_add(table, STYLE_STRONG, "%s", field_word(hypervisor, "name"));
        table_add(table, connected && listed ? STYLE_GOOD : STYLE_BAD, "%s",
                  !connected ? "down"
                  : listed   ? "up"
                             : "listing");
        table_add(table, field_is(hypervisor, "state", "reachable") ? STYLE_PLAIN : STYLE_NOTABLE, "%s",
                  field_word(hypervisor, "state"));
        table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(hypervisor, "machines"));
        table_add(table, STYLE_PLAIN, "%s", memory);
        table_add(table, STYLE_PLAIN, "%s", field_word(hypervisor, "uri"));
    }
    table_print(table);
    print_troubles(hypervisors);
}

static void print_status(const json_t *status)
{
    const json_t *machines = json_object_get(status, "machines"), *recoveries = json_object_get(status, "recoveries");
    _cleanup_(freep) char *uptime = field_duration(status, "uptime_ms");
    _cleanup_(freep) char *services = services_line(json_object_get(status, "services"));
    bool ready = field_true(status, "ready");

    print_styled(STYLE_STRONG, "understudyd %s", field_word(status, "version"));
    print_styled(ready ? STYLE_GOOD : STYLE_NOTABLE, " %s\n",
                 ready ? "ready" : "not ready: a hypervisor is not listed yet, and none of its machines is watched");
    problem_lines_print(json_object_get(status, "problems"), PROBLEMS_SHOWN);
    print_fact("mode", "%s", field_word(status, "mode"));
    print_fact("running for", "%s", uptime);
    print_fact("configuration", "%s", field_word(status, "config_file"));
    print_fact("machines", "%" PRId64 ": %" PRId64 " running, %" PRId64 " standing by, %" PRId64 " protected",
               field_integer(machines, "total"), field_integer(machines, "running"),
               field_integer(machines, "standing_by"), field_integer(machines, "protected"));
    print_fact("services", "%s", services);
    if (field_integer(machines, "warm") + field_integer(machines, "warming") > 0)
        print_fact("kept warm", "%" PRId64 ", %" PRId64 " being made warm", field_integer(machines, "warm"),
                   field_integer(machines, "warming"));
    print_fact("recoveries",
               "%" PRId64 " under way, %" PRId64 " recovered, %" PRId64 " exhausted, %" PRId64 " dismissed, %" PRId64
               " observed, %" PRId64 " called off, %" PRId64 " failed while held",
               field_integer(recoveries, "under_way"), field_integer(recoveries, "recovered"),
               field_integer(recoveries, "exhausted"), field_integer(recoveries, "dismissed"),
               field_integer(recoveries, "observed"), field_integer(recoveries, "called-off"),
               field_integer(recoveries, "failed-while-held"));
    putchar('\n');
    print_hypervisors(json_object_get(status, "hypervisors"));
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    int r;

    (void)argument;
    if (options->wait && wait_until_ready(client, options) < 0)
        return EXIT_FAILURE;
    r = client_get(client, &status, "/v1/status", NULL);
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(status);
    else
        print_status(status);
    return EXIT_SUCCESS;
}

const struct command command_status = {
    .name = "status",
    .options = OPTION_WAIT | OPTION_TIMEOUT,
    .help = "how the daemon and its hypervisors are",
    .run = run,
};
