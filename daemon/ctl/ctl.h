/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of understudyctl, a file each, and the options that they are given. */
#ifndef UNDERSTUDY_DAEMON_CTL_H
#define UNDERSTUDY_DAEMON_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define EXIT_USAGE     2
#define EXIT_NOT_FOUND 3 /* there is no such thing */
#define EXIT_REFUSED   4 /* the daemon could do it, and as things are, or for this user, it does not */
#define EXIT_NO_DAEMON 5 /* it cannot be reached */

/* One thing that is to be otherwise: "threshold" and "0.7". */
struct supposed {
    const char *key, *value;
};

#define SUPPOSED_MAX 32
#define BASES_MAX    64

/* What was given on the command line; a command is only given the options that it lists. */
struct ctl_options {
    const char *socket;
    bool json;
    bool help;
    bool yes;
    bool wait;
    const char *failed;  /* NULL: any */
    const char *until;   /* a kind of notice, or a time; NULL: not given */
    const char *since;   /* NULL: not given */
    const char *outcome; /* NULL: any */
    const char *host;    /* NULL: any */
    const char *state;   /* NULL: any */
    bool problems;
    long limit;         /* -1: not given; 0: no limit */
    int64_t timeout_ms; /* 0: not given */
    bool ignore_limit;
    bool ignore_quarantine;
    const char *to; /* NULL: not given */
    bool force;
    bool anyway;
    const char *reason; /* NULL: not given */
    int64_t for_us;     /* 0: not given */
    bool evacuate;
    const char *catalog; /* a directory; NULL: not given */
    const char *from;    /* NULL: not given */
    const char *role;    /* NULL: not given */
    bool has_priority;
    int priority;
    const char *agent; /* NULL: not given */
    bool fencing;
    bool each_host;
    bool plan;
    const char *bases[BASES_MAX]; /* "vda=/images/base.qcow2" */
    size_t n_bases;
    long max;           /* 0: not given */
    const char *output; /* NULL: not given */
    struct supposed supposed[SUPPOSED_MAX];
    size_t n_supposed;
    const char *const *arguments; /* all that was given to the command, and a NULL behind it */
};

enum ctl_option {
    OPTION_YES = 1u << 0,
    OPTION_WAIT = 1u << 1,
    OPTION_FAILED = 1u << 2,
    OPTION_UNTIL = 1u << 3,
    OPTION_LIMIT = 1u << 4,
    OPTION_TIMEOUT = 1u << 5,
    OPTION_IGNORE_LIMIT = 1u << 6,
    OPTION_IGNORE_QUARANTINE = 1u << 7,
    OPTION_TO = 1u << 8,
    OPTION_FORCE = 1u << 9,
    OPTION_ANYWAY = 1u << 10,
    OPTION_REASON = 1u << 11,
    OPTION_FOR = 1u << 12,
    OPTION_EVACUATE = 1u << 13,
    OPTION_CATALOG = 1u << 14,
    OPTION_FROM = 1u << 15,
    OPTION_ROLE = 1u << 16,
    OPTION_PRIORITY = 1u << 17,
    OPTION_AGENT = 1u << 18,
    OPTION_FENCING = 1u << 19,
    OPTION_SINCE = 1u << 20,
    OPTION_OUTCOME = 1u << 21,
    OPTION_HOST = 1u << 22,
    OPTION_STATE = 1u << 23,
    OPTION_PROBLEMS = 1u << 24,
    OPTION_WHAT_IF = 1u << 25, /* all of them */
    OPTION_EACH_HOST = 1u << 26,
    OPTION_PLAN = 1u << 27,
    OPTION_BASE = 1u << 28,
    OPTION_MAX = 1u << 29,
    OPTION_OUTPUT = 1u << 30,
};

/* flag 0: every command takes it. */
struct option_help {
    const char *name;
    const char *argument; /* NULL: takes none */
    int letter;           /* what getopt gives; above 255: it has only a long name */
    unsigned flag;
    const char *help;
};

struct client;

struct command {
    const char *name;
    const char *argument; /* as the help shows it; NULL: takes none */
    bool argument_optional;
    bool takes_many;  /* such arguments, in options->arguments */
    unsigned options; /* of enum ctl_option, beside those that every command takes */
    const char *help;
    /* argument is NULL where none was given. Returns the exit status. */
    int (*run)(struct client *client, const struct ctl_options *options, const char *argument);
};

extern const struct command command_status;
extern const struct command command_problems;
extern const struct command command_check;
extern const struct command command_plan;
extern const struct command command_services;
extern const struct command command_list;
extern const struct command command_show;
extern const struct command command_explain;
extern const struct command command_history;
extern const struct command command_replay;
extern const struct command command_drill;
extern const struct command command_recover;
extern const struct command command_rehearse;
extern const struct command command_clear;
extern const struct command command_failover;
extern const struct command command_failback;
extern const struct command command_keep;
extern const struct command command_hold;
extern const struct command command_holds;
extern const struct command command_release;
extern const struct command command_fenced;
extern const struct command command_fence_test;
extern const struct command command_notify_test;
extern const struct command command_reload;
extern const struct command command_watch;
extern const struct command command_catalog;
extern const struct command command_refresh;
extern const struct command command_tag;
extern const struct command command_untag;
extern const struct command command_template;
extern const struct command command_report;

#endif
