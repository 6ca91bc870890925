/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong now, each with what to do about it: read off what the coordinator shows and what the daemon knows of itself.
 * Decides nothing, and keeps nothing: who compares one list with the next knows what began and what ended.
 */
#ifndef UNDERSTUDY_REPORT_PROBLEMS_H
#define UNDERSTUDY_REPORT_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/coordinator.h"
#include "model/template_set.h"

enum problem_kind {
    PROBLEM_SERVICE_DOWN,
    PROBLEM_RUNS_TWICE,
    PROBLEM_HOST_NOT_FENCED,
    PROBLEM_STORE_FAILS,
    PROBLEM_STORE_UNREAD,
    PROBLEM_BRAKE,
    PROBLEM_HOST_ISOLATED,
    PROBLEM_HOST_UNREACHABLE,
    PROBLEM_HOST_READ_ONLY,
    PROBLEM_HOST_NAMED_TWICE,
    PROBLEM_NO_FENCE_AGENT,
    PROBLEM_FENCE_AGENT,
    PROBLEM_SERVICE_DIVERTED,
    PROBLEM_AUTOSTART_ON,
    PROBLEM_SERVICE_UNPROTECTED,
    PROBLEM_DATA_MISSING,
    PROBLEM_REHEARSAL,
    PROBLEM_TOO_FEW_STANDBYS,
    PROBLEM_QUARANTINE,
    PROBLEM_GUEST_RESETS,
    PROBLEM_DISK_MISSING,
    PROBLEM_NOT_VERIFIABLE,
    PROBLEM_DISKS_LOOK_SHARED,
    PROBLEM_PROGRAM,
    PROBLEM_METADATA_UNREAD,
    PROBLEM_TEMPLATE_UNREADABLE,
    PROBLEM_TEMPLATE_UNUSABLE,
    PROBLEM_REMOVAL,
    PROBLEM_HOLD,
    PROBLEM_NO_ROLES,
    PROBLEM_PATTERN_UNMATCHED,
    PROBLEM_FACTS_UNMATCHED,
    PROBLEM_KIND_DOUBTFUL,
    PROBLEM_TEXTFILE,
    PROBLEM_RELOAD_FAILED,
    PROBLEM_NOT_LISTENING,
    PROBLEM_COUNT,
};

/* "service-down" and so on. */
const char *problem_kind_name(enum problem_kind kind);
/* 2: a service is down, or may not be recovered, or data is at risk; 1: the next failure may not end well. */
unsigned problem_severity(enum problem_kind kind);

struct problem {
    enum problem_kind kind;
    char *subject; /* the service, machine, host or key, as people can refer to it; empty: the daemon itself */
    char *text;    /* one sentence without a full stop */
    char *remedy;  /* what to do */
    struct moment since;
};

/* A plain value: begin with {0}, end with problems_done. */
struct problems {
    struct problem *all; /* the severe first, then by kind and subject */
    size_t count, room;
};

void problems_done(struct problems *problems);

/* What only the daemon knows. Borrowed; NULL: all is well there. */
struct problems_outside {
    const char *store_trouble;
    bool store_is_unread;         /* the disk was silent for too long at the start */
    const char *textfile_trouble; /* why the metrics are not written to their file, with its path */
    const char *reload_error;
    const char *listen_error;
    const char *config_file;
    const struct config *config;          /* in force; NULL: it is not looked at */
    const struct diags *programs;         /* that cannot be run, each as "KEY: PATH and why"; NULL: none */
    const struct template_set *templates; /* whose faults are told; NULL: there are none */
};

/* plan: of coordinator_plan, or NULL. since: as now. -ENOMEM: *ret is {0}. */
int problems_collect(const struct coordinator *coordinator, struct plan *plan, const struct problems_outside *outside,
                     struct moment now, struct problems *ret) _must_check_;

/*
 * What a configuration says that is surely not meant, as far as that is known without a pool (NULL). Else as
 * problems_collect. pool: has the catalog and the machines that the configuration is to be put in force for.
 */
int problems_collect_config(const struct config *config, const struct catalog *catalog, const struct pool *pool,
                            const struct feature_table *table, struct moment now, struct problems *ret) _must_check_;

/* What stood in the earlier list as well has stood since then. */
void problems_inherit(struct problems *problems, const struct problems *earlier);

/* The one of the same kind and subject; NULL: there is none. */
const struct problem *problems_find(const struct problems *problems, const struct problem *wanted);

/* Of so much severity. */
size_t problems_count(const struct problems *problems, unsigned severity);

#endif
