/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole search, and what concerns all of it; each other place that is looked at has a file of its own. */
#include "report/problem_search.h"

#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "config/config.h"
#include "report/time.h"

#define UNTIL_LENGTH ((int)strlen("2026-11-22T14:54")) /* of an instant: people need no more */

static void look_at_hold(struct problem_search *search, const struct hold *hold)
{
    const char *what = hold->scope == HOLD_ALL ? "all" : hold->name;
    int64_t until_us = hold_until_us(hold);
    char until[TIME_TEXT_SIZE] = "";

    if (until_us != 0)
        time_format(until_us, until);
    problems_add(search, PROBLEM_HOLD, what,
                 text_print("%s is %s%s%.*s%s%s", hold->scope == HOLD_ALL ? "everything" : hold->name,
                            hold->is_evacuating ? "being evacuated, and held as soon as its services are failed over"
                            : hold->is_overdue  ? "held, and stays so until its host can be reached"
                                                : "held: it is watched, and nothing is done",
                            until_us != 0 ? ", until " : "", UNTIL_LENGTH, until, hold->reason != NULL ? "; " : "",
                            hold->reason != NULL ? hold->reason : ""),
                 hold->is_overdue
                     ? text_print("released now, the host that cannot be reached counts as lost, and may be fenced: "
                                  "make sure that the work is done; then: understudyctl release %s",
                                  what)
                     : text_print("when the work is done: understudyctl release %s", what));
}

static void look_at_holds(struct problem_search *search)
{
    for (size_t i = 0; i < coordinator_hold_count(search->coordinator); i++)
        if (!coordinator_hold_at(search->coordinator, i)->is_over)
            look_at_hold(search, coordinator_hold_at(search->coordinator, i));
}

/* Its key and its path are its subject, however the sentence goes on. */
static void look_at_program(struct problem_search *search, const char *message)
{
    size_t key = strcspn(message, " "), path = message[key] != '\0' ? 1 + strcspn(message + key + 1, " ") : 0;
    _cleanup_(freep) char *subject = text_print("%.*s", (int)(key + path), message);

    problems_add(
        search, PROBLEM_PROGRAM, subject, text_copy(message),
        text_print("correct its owner and mode, or the key that names it; a hook: move it to the directory of its "
                   "event, or name it NAME.disabled; understudyd --check looks at it again"));
}

static void look_at_templates(struct problem_search *search, const struct template_set *templates)
{
    for (size_t i = 0; templates != NULL && i < templates->n_faults; i++)
        problems_add(
            search, PROBLEM_TEMPLATE_UNREADABLE, templates->faults[i].file, text_copy(templates->faults[i].text),
            text_print("no replacement is made from it: correct the file, or remove it; understudyctl template "
                       "check lists all that is wrong; then: understudyctl reload"));
}

static void look_at_daemon(struct problem_search *search)
{
    const struct problems_outside *outside = search->outside;

    if (coordinator_is_braked(search->coordinator))
        problems_add(search, PROBLEM_BRAKE, "",
                     text_print("the brake is on: too many machines failed at once, and no replacement is started"),
                     text_print("find out why; then: understudyctl release brake"));
    if (outside->store_trouble != NULL)
        problems_add(
            search, PROBLEM_STORE_FAILS, "",
            text_print("what happens cannot be written down: %s", outside->store_trouble),
            text_print(
                "look at the directory state_dir: its disk, its owner, its space (df -h, journalctl -k -p err)"));
    if (outside->store_is_unread)
        problems_add(
            search, PROBLEM_STORE_UNREAD, "",
            text_print("the disk of state_dir did not answer at the start, so that the holds, the recoveries under "
                       "way and what guests told are not known"),
            text_print("when the disk answers: systemctl restart understudyd"));
    for (size_t i = 0; outside->programs != NULL && i < outside->programs->count; i++)
        look_at_program(search, outside->programs->items[i].message);
    look_at_templates(search, outside->templates);
    if (outside->listen_error != NULL)
        problems_add(search, PROBLEM_NOT_LISTENING, "",
                     text_print("no client can read the dashboard and the metrics over TCP: %s", outside->listen_error),
                     text_print("find and end what listens there (ss -ltnp), or change api.listen; then: systemctl "
                                "restart understudyd"));
    if (outside->textfile_trouble != NULL)
        problems_add(search, PROBLEM_TEXTFILE, "",
                     text_print("the metrics are not written to their file: %s", outside->textfile_trouble),
                     text_print("allow group understudy to write in that directory (chgrp, chmod g+w), and the service "
                                "by ReadWritePaths= (systemctl edit understudyd), as METRICS in understudyd(8) shows"));
    if (outside->reload_error != NULL)
        problems_add(search, PROBLEM_RELOAD_FAILED, "",
                     text_print("the configuration on disk has an error, and the one before it is in force: %s",
                                outside->reload_error),
                     text_print("understudyd --check lists every error; then: understudyctl reload"));
}

int problems_collect(const struct coordinator *coordinator, struct plan *plan, const struct problems_outside *outside,
                     struct moment now, struct problems *ret)
{
    struct problem_search search = {.coordinator = coordinator, .plan = plan, .outside = outside, .now = now};

    look_at_daemon(&search);
    problems_look_at_hosts(&search);
    look_at_holds(&search);
    if (coordinator_is_ready(coordinator)) {
        problems_look_at_services(&search);
        problems_look_at_machines(&search);
        if (outside->config != NULL)
            problems_look_at_config(&search, outside->config, pool_catalog(coordinator_pool(coordinator)),
                                    coordinator_pool(coordinator), coordinator_features(coordinator));
    }
    return problems_finish(&search, ret);
}

int problems_collect_config(const struct config *config, const struct catalog *catalog, const struct pool *pool,
                            const struct feature_table *table, struct moment now, struct problems *ret)
{
    const struct problems_outside outside = {.config_file = config->file != NULL ? config->file : "the configuration"};
    struct problem_search search = {.outside = &outside, .now = now};

    problems_look_at_config(&search, config, catalog, pool, table);
    return problems_finish(&search, ret);
}
