/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One job at a time, and one that waits for its end. */
#include "hypervisor/outlook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/connection.h"
#include "hypervisor/places.h"

struct outlook {
    struct workers *workers;
    bool is_local;
    struct outlook_callbacks callbacks;
    void *context;
    unsigned long link;             /* of the look under way; 0: there is none */
    struct template_set *templates; /* at which it is looked once that has ended; NULL: it is not */
    unsigned long next_link;
    int64_t timeout_us;
};

/* One look. */
struct look {
    struct job job;
    struct outlook *outlook;
    unsigned long link;
    bool is_local;
    struct template_set *templates;
    struct prospects prospects;
    int error; /* the look was not finished */
};

/* ---- on a thread ---- */

/* Says nothing of any template. */
static bool is_about_the_call(int error)
{
    return error == -ENOTCONN || error == -ETIMEDOUT || error == -ENOMEM;
}

/* Negative errno: nothing is known. */
static int look_at_places(virConnectPtr connection, struct look *look, const struct template *template)
{
    _cleanup_(places_done) struct places places = {0};
    /* A pool that cannot be read is deactivated, and looks come again and again. */
    const struct base_image_search search = {.is_local = look->is_local, .may_refresh = false};
    struct action_result result = {0};
    struct prospect *prospect = prospects_add(&look->prospects, template->name);
    int r;

    if (prospect == NULL)
        return -ENOMEM;
    r = places_find(connection, &search, template, &places, &result);
    if (r == 0 && template->space_bytes > 0)
        r = places_measure(&places, connection, &look->prospects.spaces, &result);
    if (is_about_the_call(r))
        return r;
    if (r == 0)
        return places_list_pools(&places, &prospect->pools);
    prospect->is_unknown = !places_are_lacking(r);
    if (prospect->is_unknown)
        return 0;
    prospect->obstacle = strdup(result.message);
    return prospect->obstacle != NULL ? 0 : -ENOMEM;
}

static void run_look(struct job *job)
{
    struct look *look = (struct look *)job;
    virConnectPtr connection = connection_acquire(look->link);

    look->error = connection == NULL ? -ENOTCONN : 0;
    for (size_t i = 0; look->error == 0 && i < look->templates->count; i++)
        look->error = look_at_places(connection, look, look->templates->all[i]);
    if (connection != NULL)
        virConnectClose(connection);
}

static void free_look(struct job *job)
{
    struct look *look = (struct look *)job;

    prospects_done(&look->prospects);
    template_set_free(look->templates);
    free(look);
}

/* ---- on the main thread ---- */

static void begin_next(struct outlook *outlook);

static void report_look(struct job *job, enum job_report report)
{
    struct look *look = (struct look *)job;
    struct outlook *outlook = look->outlook;

    if (report == JOB_OVERDUE) {
        outlook->callbacks.overdue(outlook->context, "storage of templates", job_age_us(job));
        return;
    }
    if (look->link != outlook->link)
        return;
    outlook->link = 0;
    if (report != JOB_NEVER_RAN && look->error == 0)
        outlook->callbacks.found(outlook->context, &look->prospects);
    begin_next(outlook);
}

static const struct job_type look_type = {
    .class = JOB_SPARE,
    .run = run_look,
    .report = report_look,
    .free = free_look,
};

/* Without memory, the next listing asks for it again. */
static void begin_next(struct outlook *outlook)
{
    struct look *look = outlook->link == 0 && outlook->templates != NULL ? calloc(1, sizeof(*look)) : NULL;

    if (look == NULL)
        return;
    look->job.type = &look_type;
    look->outlook = outlook;
    look->link = outlook->next_link;
    look->is_local = outlook->is_local;
    look->templates = outlook->templates;
    outlook->templates = NULL;
    if (workers_submit(outlook->workers, &look->job, outlook->timeout_us) < 0)
        free_look(&look->job);
    else
        outlook->link = look->link;
}

void outlook_look(struct outlook *outlook, struct template_set *templates, unsigned long link, int64_t timeout_us)
{
    template_set_free(outlook->templates);
    outlook->templates = templates != NULL && templates->count > 0 ? template_set_ref(templates) : NULL;
    outlook->next_link = link;
    outlook->timeout_us = timeout_us;
    begin_next(outlook);
}

void outlook_drop(struct outlook *outlook)
{
    outlook->link = 0;
    template_set_free(outlook->templates);
    outlook->templates = NULL;
}

int outlook_new(struct workers *workers, bool is_local, const struct outlook_callbacks *callbacks, void *context,
                struct outlook **ret)
{
    struct outlook *outlook = calloc(1, sizeof(*outlook));

    if (outlook == NULL)
        return -ENOMEM;
    outlook->workers = workers;
    outlook->is_local = is_local;
    outlook->callbacks = *callbacks;
    outlook->context = context;
    *ret = outlook;
    return 0;
}

void outlook_free(struct outlook *outlook)
{
    if (outlook == NULL)
        return;
    template_set_free(outlook->templates);
    free(outlook);
}
