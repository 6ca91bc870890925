/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file is replaced as a whole, so that a reader never sees a part of it. A disk that does not answer holds up one
 * thread, and no second write is begun meanwhile.
 */
#include "textfile.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/moment.h"
#include "base/text.h"
#include "hypervisor/worker.h"
#include "meters.h"
#include "service/timing.h"
#include "settings.h"

#define PATIENCE_US    (10 * USEC_PER_SEC)
#define CLOSE_GRACE_US (USEC_PER_SEC / 2)

#define EVERY_US (15 * USEC_PER_SEC)

struct writing {
    struct job job;
    struct textfile *textfile;
    char *path;
    char *temporary; /* beside it */
    char *text;
    int error;
};

/* The reader runs as another user, whatever the umask of this process. */
static int write_temporary(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    int r = 0;

    if (file == NULL) {
        r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    if (fputs(text, file) == EOF || fchmod(fd, 0644) < 0)
        r = -errno;
    if (fclose(file) == EOF && r == 0)
        r = -errno;
    return r;
}

static void run(struct job *job)
{
    struct writing *writing = (struct writing *)job;

    unlink(writing->temporary);
    writing->error = write_temporary(writing->temporary, writing->text);
    if (writing->error == 0 && rename(writing->temporary, writing->path) < 0)
        writing->error = -errno;
    if (writing->error < 0)
        unlink(writing->temporary);
}

static void free_writing(struct job *job)
{
    struct writing *writing = (struct writing *)job;

    free(writing->path);
    free(writing->temporary);
    free(writing->text);
    free(writing);
}

/* Takes the words; NULL: there is no trouble. */
static void set_trouble(struct textfile *textfile, char *words)
{
    bool has_changed = (words == NULL) != (textfile->trouble == NULL);

    free(textfile->trouble);
    textfile->trouble = words;
    if (has_changed)
        event_active(textfile->pump, 0, 0);
}

static void report(struct job *job, enum job_report report)
{
    struct writing *writing = (struct writing *)job;
    int error = report == JOB_NEVER_RAN ? job->error : writing->error;

    if (report == JOB_OVERDUE) {
        set_trouble(writing->textfile, text_print("%s: the disk does not answer", writing->path));
        return;
    }
    writing->textfile->is_writing = false;
    if (writing->textfile->settings->config->metrics_textfile == NULL)
        error = 0; /* it is not asked for any more */
    set_trouble(writing->textfile, error < 0 ? text_print("%s: %s", writing->path, strerror(-error)) : NULL);
}

static const struct job_type type = {.class = JOB_SPARE, .run = run, .report = report, .free = free_writing};

static int begin(struct textfile *textfile, const char *path)
{
    struct writing *writing = calloc(1, sizeof(*writing));
    int r = -ENOMEM;

    if (writing == NULL)
        return -ENOMEM;
    *writing = (struct writing){
        .job = {.type = &type},
        .textfile = textfile,
        .path = strdup(path),
        .temporary = text_print("%s.new", path),
    };
    if (writing->path != NULL && writing->temporary != NULL)
        r = meters_format(textfile->meters, METRICS_PROMETHEUS, &writing->text);
    if (r == 0)
        r = workers_submit(textfile->workers, &writing->job, PATIENCE_US);
    if (r < 0)
        free_writing(&writing->job);
    return r;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct textfile *textfile = context;
    const char *path = textfile->settings->config->metrics_textfile;
    int r;

    (void)fd;
    (void)what;
    if (path != NULL)
        timing_wait_for_tick(textfile->timer, EVERY_US);
    if (textfile->is_writing)
        return;
    if (path == NULL) {
        set_trouble(textfile, NULL);
        return;
    }
    r = begin(textfile, path);
    textfile->is_writing = r == 0;
    if (r < 0)
        set_trouble(textfile, text_print("%s: %s", path, strerror(-r)));
}

int textfile_open(struct textfile *textfile, struct event_base *base)
{
    int r = workers_new(base, &textfile->workers);

    if (r < 0)
        return r;
    textfile->timer = evtimer_new(base, on_timer, textfile);
    if (textfile->timer == NULL)
        return -ENOMEM;
    textfile_look(textfile);
    return 0;
}

void textfile_look(struct textfile *textfile)
{
    event_active(textfile->timer, 0, 0);
}

void textfile_done(struct textfile *textfile)
{
    if (textfile->timer != NULL)
        event_free(textfile->timer);
    workers_free(textfile->workers, CLOSE_GRACE_US);
    free(textfile->trouble);
    textfile->timer = NULL;
    textfile->workers = NULL;
    textfile->trouble = NULL;
}
