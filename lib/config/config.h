/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was asked for: the configuration as an immutable value. Reload builds a new one completely and
 * swaps one pointer. Each room of lib/ is handed the part that concerns it.
 */
#ifndef UNDERSTUDY_CONFIG_CONFIG_H
#define UNDERSTUDY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "model/spec.h"

/* Weights and ratios are decimals held in millionths: 0.3 is 300000. */
#define MILLIONTHS 1000000

enum mode {
    MODE_AUTOMATIC,
    MODE_OBSERVE, /* decide and report, start nothing */
};

enum rank_by {
    RANK_BY_OVERLAP,
    RANK_BY_SIMILARITY,
    RANK_BY_COUNT,
};

struct string_list {
    char **items;
    size_t count;
};

/* Frees the items and empties the list. */
void string_list_done(struct string_list *list);
/* Appends a copy. -ENOMEM. */
int string_list_add(struct string_list *list, const char *text) _must_check_;

/* One setting whose name and value only the fence command understands. */
struct config_option {
    char *name;
    char *value;
};

struct config_options {
    struct config_option *items;
    size_t count;
};

#define FENCE_AGENT_NAME_SIZE 64

/* A fence agent; or what one is told of one host, with command NULL. Read them by config/fence.h. */
struct config_fence_agent {
    char *name;
    char *command; /* absolute path; NULL: fence.command */
    struct config_options options;
};

/* That an agent stands in a level. */
struct config_fence_turn {
    size_t level; /* from 0 */
    char *agent;
};

struct config_hypervisor {
    char *name;
    char *uri;
    char *host;                              /* entries with the same one are one host; NULL: not said */
    char *templates;                         /* a directory of templates for this one alone; NULL: none */
    struct config_options fence;             /* of every fence agent, for this host alone */
    struct config_fence_agent *fence_agents; /* of single ones */
    size_t n_fence_agents;
};

/* Names of machines, shell patterns (fnmatch(3)), either "NAME" or "HYPERVISOR/NAME". */
struct config_pool {
    struct string_list protect;
    struct string_list standby;
    struct string_list ignore;
    char *templates; /* a directory: model/template.h */
};

struct config_storage {
    struct string_list shared; /* directories that all hosts share, absolute paths */
};

/* One fact from `machines:`. value NULL: the kind is given as an empty list, the machine has none of it. */
struct config_fact {
    char *kind;
    char *value;
};

struct config_machine {
    char *name; /* "NAME" or "HYPERVISOR/NAME", no pattern */
    struct config_fact *facts;
    size_t n_facts;
};

struct config_weight {
    char *kind;
    char *value; /* NULL: the weight of each feature of the kind; else of this one feature */
    uint32_t millionths;
};

struct config_similarity {
    uint32_t threshold;            /* millionths */
    uint32_t min_coverage;         /* millionths; the threshold where the file does not say */
    bool has_min_coverage;         /* the file says */
    struct string_list must_cover; /* resource or environment kinds */
    enum rank_by rank_by;
    uint32_t environment_weights[ENVIRONMENT_COUNT]; /* millionths */
    struct config_weight *resource_weights;
    size_t n_resource_weights;
};

/* So many panics are remembered of each machine. */
#define CONFIG_PANIC_LIMIT_MAX 16

/* Asking the guest agent whether the guest is alive. */
struct config_heartbeat {
    bool is_enabled;
    int64_t interval_us;
    int64_t timeout_us; /* how long the agent may take to answer */
    unsigned misses;    /* in a row, and without any disk or network activity meanwhile */
};

/* What counts as a failure, and when. Durations in microseconds. */
struct config_failure {
    int64_t io_error_grace_us;
    int64_t watchdog_grace_us;
    int64_t reboot_grace_us;
    unsigned panic_limit; /* at most CONFIG_PANIC_LIMIT_MAX: guest panics under on_crash restart within the window that
                             make a failure */
    int64_t panic_window_us;
    unsigned reboot_limit;     /* resets of a guest within panic_window_us that make a failure; 0: none do */
    bool host_kill_is_failure; /* SIGTERM to QEMU from the host */
    struct config_heartbeat heartbeat;
};

/* When a replacement counts as recovered. */
enum verify_level {
    VERIFY_AUTO,    /* agent where the domain has its channel, else running */
    VERIFY_RUNNING, /* it stays up for the settle time */
    VERIFY_AGENT,   /* and its guest agent answers */
    VERIFY_TCP,     /* and something accepts connections on the port */
    VERIFY_COMMAND, /* and the command says so by exit status 0 */
    VERIFY_LEVEL_COUNT,
};

/* The kind of a weight that holds for every kind without one. */
#define CONFIG_WEIGHT_OTHER "other"

/* "auto", "running" …, as the configuration writes them; and "overlap", "similarity". */
const char *verify_level_name(enum verify_level level);
const char *rank_by_name(enum rank_by rank_by);

struct config_verify {
    enum verify_level level;
    unsigned port;
    char *command; /* path of a program */
    int64_t timeout_us;
    int64_t interval_us; /* between two attempts */
};

/* Too many failures at once are rather a fault of the host, the storage or of ourselves. */
struct config_brake {
    uint32_t share;   /* millionths of the protected machines; 0: no brake */
    unsigned minimum; /* failures below this number never brake */
    int64_t window_us;
};

enum when_exhausted {
    EXHAUSTED_ALERT,
    EXHAUSTED_RESTART, /* start the failed machine itself again */
};

/* What is started when a machine has failed, in this order. */
enum recovery_order {
    ORDER_REPLACEMENT,   /* replacements */
    ORDER_ORIGINAL,      /* the failed machine itself, then replacements */
    ORDER_ORIGINAL_ONLY, /* the failed machine itself, and nothing else */
};

/* So many of the latest recoveries are held in memory, and shown. */
#define CONFIG_HISTORY_MAX 1000

struct config_recovery {
    enum recovery_order order;
    int64_t call_timeout_us; /* any call to a hypervisor but the one that starts a machine */
    int64_t start_timeout_us;
    int64_t settle_us; /* how long a replacement must stay up to count as running */
    unsigned attempts; /* candidates tried for one failure */
    unsigned limit;    /* recoveries of one service by a replacement within the window; 0: no limit */
    int64_t limit_window_us;
    int64_t quarantine_us; /* a candidate that did not come up is no candidate for so long */
    int64_t retry_for_us;  /* a service that is down is tried again for so long when something helps; 0: never */
    int64_t late_start_us; /* after its recovery ended, a start without an answer may take effect for so long */
    unsigned concurrency;  /* starts under way on one hypervisor; 0: no limit */
    bool check_memory;     /* the host must have the memory that a cold candidate needs */
    bool without_intent;   /* recover even if the intent cannot be written */
    int64_t intent_timeout_us;
    struct config_verify verify;
    struct config_brake brake;
    enum when_exhausted when_exhausted;
    int64_t shutdown_timeout_us; /* for a guest that is asked to shut down */
    unsigned restart_attempts;   /* of one failed machine itself within limit_window_us */
    int64_t restart_backoff_us;  /* before a restart that follows another attempt; doubled each time */
    unsigned history_days;       /* how long a recovery is kept */
    int64_t keep_made_us;        /* a machine that was made and serves no more is kept, off, for so long; 0: for ever */
};

/* In which form standbys are kept warm. */
enum keep_warm {
    KEEP_PAUSED, /* booted and suspended: costs its memory, is there at once */
    KEEP_SAVED,  /* booted and saved: costs disk, is loaded first */
};

struct config_standby {
    unsigned warm;              /* so many planned replacements are kept warm; 0: none */
    int64_t memory_limit_bytes; /* that they may use together; 0: what their hosts can spare */
    enum keep_warm warmth;
    int64_t boot_timeout_us; /* so long a guest that nothing can be asked of may take until its CPUs are quiet */
    int64_t refresh_us;      /* each is run, verified and put back so often; 0: never */
    unsigned made_max;       /* so many of them may be made from templates, on all hosts together */
};

enum fence_action {
    FENCE_OFF,
    FENCE_REBOOT,
};

/* Making sure that a host that cannot be reached runs nothing any more. */
struct config_fence {
    char *command; /* of the one fence agent, or of those of `agents` that have none; NULL: none */
    struct config_fence_agent *agents;
    size_t n_agents;
    struct config_fence_turn *turns; /* level by level */
    size_t n_turns;
    enum fence_action action;
    bool is_confirmed;  /* the agent is asked whether it is off */
    bool is_by_hand;    /* that there is no agent is meant */
    int64_t timeout_us; /* of each call of an agent */
    int64_t retry_us;   /* before it is tried again; doubled each time */
    struct config_options options;
};

/* What runs twice after a lost host has come back. */
enum when_both_run {
    BOTH_RUN_ALERT,
    BOTH_RUN_STOP_REPLACEMENT,
    BOTH_RUN_STOP_ORIGINAL,
};

struct config_hooks {
    char *directory;
    int64_t timeout_us; /* of each hook */
};

struct config_rehearsals {
    int64_t every_us;         /* 0: never */
    char *window;             /* as window_parse reads it */
    struct string_list match; /* patterns of services */
    bool crash;
};

/* By which ways a guest agent is asked for software. */
enum software_mode {
    SOFTWARE_AUTO,  /* programs of the guest where that is allowed, else its files */
    SOFTWARE_EXEC,  /* programs only */
    SOFTWARE_FILES, /* files only */
    SOFTWARE_OFF,   /* by none */
};

struct config_discovery {
    enum software_mode software;
    char *catalog;              /* the directory with files that add to the catalog */
    int64_t resync_interval_us; /* everything is listed anew this often, even when no event was missed */
    int64_t reconnect_max_us;   /* the longest pause between two attempts to connect */
};

/*
 * What a service can be given and nothing else has: of an entry of `services`. In struct config it is as it holds for
 * one service (config/policy); for a machine that no entry matches, all of it is 0.
 */
struct config_policy {
    int priority;
    struct string_list after; /* patterns of services that are waited for */
    unsigned after_entry;     /* number of the entry, from 1, that says so */
    unsigned apart;           /* number of the entry, from 1, whose services are kept on different hosts; 0: none */
    struct string_list hosts; /* patterns of hypervisors where replacements may run; empty: on all */
    struct config_options hook_env; /* environment of hooks */
};

/* Services by name, and what holds for them alone. Only the keys that are given count (config/policy). */
struct config_service {
    struct string_list match; /* patterns */
    unsigned line;            /* in the file, from 1 */
    uint32_t given;           /* a bit for each key, in the order of the schema */
    int priority;
    uint32_t threshold, min_coverage; /* millionths */
    struct string_list must_cover;
    enum recovery_order order;
    struct config_verify verify;
    struct string_list after;
    bool apart;
    struct string_list hosts;
    struct config_options hook_env;
};

struct config {
    char *file; /* where it was read from, for messages */
    enum mode mode;
    char *state_dir;
    char *metrics_textfile; /* NULL: none */
    char *api_socket;
    char *api_listen; /* as endpoint_parse reads it; NULL: nowhere */
    bool api_listen_public;
    struct string_list api_names; /* patterns */
    struct config_hypervisor *hypervisors;
    size_t n_hypervisors;
    struct config_pool pool;
    struct config_storage storage;
    struct config_machine *machines;
    size_t n_machines;
    struct config_similarity similarity;
    struct config_failure failure;
    struct config_recovery recovery;
    struct config_standby standby;
    struct config_discovery discovery;
    struct config_hooks hooks;
    struct config_rehearsals rehearsals;
    int64_t host_timeout_us;  /* unreachable for so long: lost */
    uint32_t isolation_share; /* millionths of all hypervisors: more than these gone are no loss of theirs */
    enum when_both_run when_both_run;
    struct config_fence fence;
    struct config_service *services;
    size_t n_services;
    struct config_policy policy; /* borrowed from an entry of services */
};

/* A configuration with every key at its default and no hypervisors. -ENOMEM. */
int config_new(struct config **ret) _must_check_;

/*
 * Reads a configuration from YAML text; `file` (may be NULL) is what the findings call it and is kept in
 * config->file. Every error is reported in one pass, in the order of the file, with the full path of the
 * key; a file that is no YAML has one. Warnings may be in diags with success, too.
 * -EINVAL: errors in diags, no configuration. -ENOMEM.
 */
int config_parse(const char *text, size_t length, const char *file, struct diags *diags,
                 struct config **ret) _must_check_;

/* Takes NULL. */
void config_free(struct config *config);
DEFINE_CLEANUP(struct config, config_free);

struct schema_key;

/*
 * The keys whose values differ, in the schema's order: start with NULL; NULL ends it. What takes effect
 * only when the daemon is started anew says needs_restart. The file's name is no key.
 */
const struct schema_key *config_next_change(const struct config *old, const struct config *new,
                                            const struct schema_key *after);

/* As config_next_change, of the keys alone that need a restart. */
const struct schema_key *config_next_restart(const struct config *old, const struct config *new,
                                             const struct schema_key *after);

#endif
