/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of configuration keys, and finding one's way in it. Knows no YAML and no stream. */
#include "config/schema.h"

#include <string.h>

#include "base/moment.h"
#include "base/text.h"
#include "config/config.h"
#include "config/endpoint.h"
#include "config/window.h"
#include "model/machine.h"

/* Where a key's value lives: a member, or a pointer with its count. */
#define MEMBER(type, member)       .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define CONFIG(member)             MEMBER(struct config, member)
#define SERVICE(member)            MEMBER(struct config_service, member)
#define CONFIG_LIST(member, count) CONFIG(member), .count_offset = offsetof(struct config, count)

#define MSEC   USEC_PER_MSEC
#define SEC    USEC_PER_SEC
#define MINUTE (60 * SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* sockaddr_un.sun_path on Linux, without its NUL. */
#define SOCKET_PATH_MAX 104
/* PATH_MAX, without its NUL. */
#define FILE_PATH_MAX 4095

static const char *const mode_words[] = {[MODE_AUTOMATIC] = "automatic", [MODE_OBSERVE] = "observe", NULL};
static const char *const software_words[] = {"auto", "exec", "files", "off", NULL};
static const char *const rank_by_words[] = {[RANK_BY_OVERLAP] = "overlap", [RANK_BY_SIMILARITY] = "similarity", NULL};
static const char *const host_kill_words[] = {[false] = "planned", [true] = "failure", NULL};

static const char *const verify_words[] = {
    [VERIFY_AUTO] = "auto", [VERIFY_RUNNING] = "running", [VERIFY_AGENT] = "agent",
    [VERIFY_TCP] = "tcp",   [VERIFY_COMMAND] = "command", NULL};
static const char *const warmth_words[] = {[KEEP_PAUSED] = "paused", [KEEP_SAVED] = "saved", NULL};
static const char *const when_exhausted_words[] = {[EXHAUSTED_ALERT] = "alert", [EXHAUSTED_RESTART] = "restart", NULL};

static const char *const order_words[] = {
    [ORDER_REPLACEMENT] = "replacement", [ORDER_ORIGINAL] = "original", [ORDER_ORIGINAL_ONLY] = "original-only", NULL};

static const char *const fence_action_words[] = {[FENCE_OFF] = "off", [FENCE_REBOOT] = "reboot", NULL};
static const char *const when_both_run_words[] = {[BOTH_RUN_ALERT] = "alert",
                                                  [BOTH_RUN_STOP_REPLACEMENT] = "stop-replacement",
                                                  [BOTH_RUN_STOP_ORIGINAL] = "stop-original",
                                                  NULL};

static const struct schema_key keys[] = {
    {.path = "hypervisors",
     .type = SCHEMA_HYPERVISORS,
     CONFIG_LIST(hypervisors, n_hypervisors),
     .min = 1,
     .max = 256,
     .is_required = true,
     .text = "The hypervisors whose machines understudyd watches, at least one. The replacement of a machine may run "
             "on another hypervisor."},
    {.path = "hypervisors[].name",
     .type = SCHEMA_NAME,
     MEMBER(struct config_hypervisor, name),
     .max = HYPERVISOR_NAME_SIZE - 1,
     .is_required = true,
     .example = "local",
     .text = "The name of the hypervisor in this file and in every message. Each hypervisor has its own."},
    {.path = "hypervisors[].uri",
     .type = SCHEMA_URI,
     MEMBER(struct config_hypervisor, uri),
     .max = FILE_PATH_MAX,
     .is_required = true,
     .example = "qemu:///system",
     .text = "The connection URI of the hypervisor, as for virsh --connect. Write the daemon's own host as "
             "qemu:///system: with a host name it counts as a remote host and may be fenced."},
    {.path = "hypervisors[].host",
     .type = SCHEMA_NAME_OR_NONE,
     MEMBER(struct config_hypervisor, host),
     .max = HYPERVISOR_NAME_SIZE - 1,
     .default_text = "none",
     .example = "node1",
     .text = "The host behind the connection. Entries with the same host are two ways to one host; only the first of "
             "them is used. Mostly understudyd finds that out by itself."},
    {.path = "hypervisors[].templates",
     .type = SCHEMA_PATH_OR_NONE,
     MEMBER(struct config_hypervisor, templates),
     .max = FILE_PATH_MAX,
     .default_text = "none",
     .example = "/etc/understudy/templates-node1.d",
     .text =
         "A further directory of templates, for this hypervisor alone. A template of this directory replaces one of "
         "the same name in the directory of pool.templates."},
    {.path = "hypervisors[].fence",
     .type = SCHEMA_OPTIONS,
     MEMBER(struct config_hypervisor, fence),
     .max = 1024,
     .default_text = "{}",
     .example = "{plug: node1, ip: 192.0.2.9, username: understudy, password_script: /etc/understudy/bmc}",
     .text = "Options that the fence agents need for this host. They are added to the options of fence and override "
             "them."},
    {.path = "hypervisors[].fence_agents",
     .type = SCHEMA_HOST_AGENTS,
     MEMBER(struct config_hypervisor, fence_agents),
     .count_offset = offsetof(struct config_hypervisor, n_fence_agents),
     .max = 1024,
     .default_text = "{}",
     .example = "{ipmi: {ip: 192.0.2.9}, pdu-a: {plug: 3}, pdu-b: {plug: 3}}",
     .text = "The same for single agents of fence.agents. What stands here overrides everything else."},
    {.path = "mode",
     .type = SCHEMA_CHOICE,
     CONFIG(mode),
     .choices = mode_words,
     .default_text = "automatic",
     .text = "With automatic, understudyd replaces failed machines. With observe, it makes and reports the same "
             "decisions, but starts and destroys nothing: a way to watch the decisions before trusting them."},

    {.path = "pool",
     .type = SCHEMA_SECTION,
     .text = "Which machines take part. A pattern is a shell pattern for the name of a machine, or for HYPERVISOR/NAME "
             "if the pattern contains a slash. A machine may be protected and standby at once. A role in the metadata "
             "of the machine overrides protect and standby, but not ignore; with one that cannot be read, the machine "
             "takes "
             "no part until it is mended."},
    {.path = "pool.protect",
     .type = SCHEMA_PATTERNS,
     CONFIG(pool.protect),
     .default_text = "[]",
     .text = "Machines that are replaced when they fail.",
     .shipped = "[]",
     .shipped_text = "Nothing is protected until you name it here, for example: protect: [\"web-*\", \"db-*\"]"},
    {.path = "pool.standby",
     .type = SCHEMA_PATTERNS,
     CONFIG(pool.standby),
     .default_text = "[]",
     .text = "Machines that may be started as a replacement, while they are not running.",
     .shipped = "[]",
     .shipped_text = "Nothing is started until you name it here, for example: standby: [\"spare-*\"]"},
    {.path = "pool.ignore",
     .type = SCHEMA_PATTERNS,
     CONFIG(pool.ignore),
     .default_text = "[]",
     .text = "Machines that are neither protected nor standby, whatever other settings say."},
    {.path = "pool.templates",
     .type = SCHEMA_PATH,
     CONFIG(pool.templates),
     .max = FILE_PATH_MAX,
     .default_text = "/etc/understudy/templates.d",
     .text =
         "The directory of templates. A template is a file NAME.xml with the definition of a domain, from which a "
         "replacement can be made on each hypervisor; its disks are base images, to which nothing is written. Beside "
         "it, NAME.user-data and NAME.meta-data are for cloud-init in the guest. A file that is wrong is left out, and "
         "is a problem."},

    {.path = "storage", .type = SCHEMA_SECTION, .text = "What is known of the storage of the machines."},
    {.path = "storage.shared",
     .type = SCHEMA_DIRECTORIES,
     CONFIG(storage.shared),
     .default_text = "[]",
     .text = "Directories that all hosts share, such as a mounted NFS export: the same path below one of them is one "
             "disk on all hosts. Elsewhere the same path on two hosts is two disks, but for volumes in a storage pool "
             "on the network (netfs, rbd, iscsi, gluster)."},

    {.path = "machines",
     .type = SCHEMA_MACHINES,
     CONFIG_LIST(machines, n_machines),
     .default_text = "{}",
     .example = "VM-001: {os: ubuntu-20.04, language: nodejs, database: mysql}\n"
                "local/VM-005: {language: nodejs, database: [mysql, postgresql], webserver: []}",
     .text =
         "What machines offer, by machine name or HYPERVISOR/NAME: for each kind of resource one value or a list of "
         "values, [] for none. A kind that is given here overrides the metadata of the domain and the guest agent. "
         "Where "
         "both NAME and HYPERVISOR/NAME give a kind, the latter counts."},

    {.path = "similarity", .type = SCHEMA_SECTION, .text = "How similar a replacement must be, and which one is best."},
    {.path = "similarity.threshold",
     .type = SCHEMA_DECIMAL,
     CONFIG(similarity.threshold),
     .max = MILLIONTHS,
     .default_text = "0.5",
     .text = "The lowest similarity S that a replacement may have: the weight of the failed machine as a share of the "
             "weight of both machines together. The less a replacement has that the failed machine lacks, the higher "
             "its similarity."},
    {.path = "similarity.min_coverage",
     .type = SCHEMA_DECIMAL,
     CONFIG(similarity.min_coverage),
     .max = MILLIONTHS,
     .default_from = "similarity.threshold",
     .text = "The lowest coverage C that a replacement may have: how much of the failed machine it offers. The same "
             "limit applies to the resources alone, without the hardware."},
    {.path = "similarity.must_cover",
     .type = SCHEMA_KINDS,
     CONFIG(similarity.must_cover),
     .default_text = "[]",
     .text = "Kinds that a replacement must offer completely, such as [os, data, memory]: every value of the failed "
             "machine, and at least as much cpu, memory or disk."},
    {.path = "similarity.rank_by",
     .type = SCHEMA_CHOICE,
     CONFIG(similarity.rank_by),
     .choices = rank_by_words,
     .default_text = "overlap",
     .text = "How candidates are ranked: by overlap, the product of similarity and coverage, or by similarity alone."},
    {.path = "similarity.weights",
     .type = SCHEMA_SECTION,
     .text = "How much each part of a machine counts. Only the proportions matter, not the sum. Each map is taken as a "
             "whole: what a map does not name weighs nothing."},
    {.path = "similarity.weights.environment",
     .type = SCHEMA_ENVIRONMENT_WEIGHTS,
     CONFIG(similarity.environment_weights),
     .max = 1000 * MILLIONTHS,
     .default_text = "{cpu: 0.05, memory: 0.05, disk: 0.05}",
     .text = "Weights of the hardware. Where the map is given, what it does not name weighs 0; {} leaves hardware "
             "out of the comparison."},
    {.path = "similarity.weights.resource",
     .type = SCHEMA_RESOURCE_WEIGHTS,
     CONFIG_LIST(similarity.resource_weights, similarity.n_resource_weights),
     .max = 1000 * MILLIONTHS,
     .default_text = "{os: 0.02, os-family: 0.02, language: 0.3, database: 0.2, webserver: 0.1, proxy: 0.1, "
                     "appserver: 0.2, broker: 0.2, cache: 0.1, search: 0.2, storage: 0.2, dns: 0.1, dhcp: 0.1, "
                     "mail: 0.2, directory: 0.2, monitoring: 0.1, containers: 0.1, ci: 0.1, vpn: 0.1, "
                     "software: 0.05, data: 0.2, other: 0.05}",
     .text =
         "Weights of what machines offer, by kind: each resource of the kind has that weight. A key such as "
         "database/oracle gives one resource a weight of its own. The key other is for every kind that has no key, "
         "but for port and reached-port, which then weigh nothing. Where the map is given, it replaces the default "
         "as a whole, and without other, kinds that have no key weigh nothing. By default the system alone never "
         "weighs enough to replace what runs on it. Where a machine is known by its os and os-family alone, nothing "
         "replaces it: a choice needs more. Where every weight is 0, hardware is compared alone."},

    {.path = "failure",
     .type = SCHEMA_SECTION,
     .text = "What counts as a failure, besides a crash of the machine or of its hypervisor process."},
    {.path = "failure.io_error_grace",
     .type = SCHEMA_DURATION,
     CONFIG(failure.io_error_grace_us),
     .max = HOUR,
     .default_text = "30s",
     .text = "How long a machine may stay paused by a disk error before it counts as failed."},
    {.path = "failure.watchdog_grace",
     .type = SCHEMA_DURATION,
     CONFIG(failure.watchdog_grace_us),
     .max = HOUR,
     .default_text = "10s",
     .text = "How long a machine may stay paused by its watchdog device before it counts as failed."},
    {.path = "failure.reboot_grace",
     .type = SCHEMA_DURATION,
     CONFIG(failure.reboot_grace_us),
     .max = HOUR,
     .default_text = "60s",
     .text = "How long machines may stay off after their host has rebooted before they count as failed: autostart and "
             "libvirt-guests start some of them again. This concerns hosts other than the daemon's own that rebooted "
             "before host_timeout was over."},
    {.path = "failure.panic_limit",
     .type = SCHEMA_INTEGER,
     CONFIG(failure.panic_limit),
     .min = 1,
     .max = CONFIG_PANIC_LIMIT_MAX,
     .default_text = "3",
     .unit = "panics",
     .text =
         "How many guest panics within panic_window count as a failure, for a machine that libvirt restarts itself "
         "(on_crash restart). Resets by the watchdog of the machine count like panics. So many resets of any kind are "
         "the problem guest-resets."},
    {.path = "failure.panic_window",
     .type = SCHEMA_DURATION,
     CONFIG(failure.panic_window_us),
     .min = 100 * MSEC,
     .max = DAY,
     .default_text = "10m",
     .text = "The time within which panic_limit panics, or reboot_limit resets, count as a failure."},
    {.path = "failure.reboot_limit",
     .type = SCHEMA_INTEGER,
     CONFIG(failure.reboot_limit),
     .max = CONFIG_PANIC_LIMIT_MAX,
     .default_text = "0",
     .unit = "resets",
     .text = "How many resets of a guest within panic_window count as a failure. The machine is then destroyed and its "
             "service recovered. libvirt does not say why a guest was reset: a panic that the guest answers itself, an "
             "update, an installer and an operator look alike. What follows a reset within three seconds is the same "
             "one, since firmware may reset the machine again while it boots. 0: resets are no failure. Resets by the "
             "watchdog of the machine count by panic_limit as well."},
    {.path = "failure.host_kill",
     .type = SCHEMA_CHOICE,
     CONFIG(failure.host_kill_is_failure),
     .choices = host_kill_words,
     .default_text = "failure",
     .text = "Whether a stop counts as planned or as a failure when the QEMU process of the machine received SIGTERM, "
             "but not from libvirt. While the daemon's own host shuts down, it always counts as planned."},

    {.path = "failure.heartbeat",
     .type = SCHEMA_SECTION,
     .text =
         "Detects guests that hang, by asking the guest agent of machines that have one. A machine counts as hung "
         "only if its agent has answered before, since its guest booted and the daemon was started, and only if its "
         "disks and network are silent as well. A machine that has neither a disk nor a network interface whose "
         "traffic the hypervisor can count never counts as hung."},
    {.path = "failure.heartbeat.enabled",
     .type = SCHEMA_BOOL,
     CONFIG(failure.heartbeat.is_enabled),
     .default_text = "false",
     .text = "Whether guests are asked at all."},
    {.path = "failure.heartbeat.interval",
     .type = SCHEMA_DURATION,
     CONFIG(failure.heartbeat.interval_us),
     .min = 100 * MSEC,
     .max = HOUR,
     .default_text = "10s",
     .text = "How often each guest agent is asked."},
    {.path = "failure.heartbeat.timeout",
     .type = SCHEMA_DURATION,
     CONFIG(failure.heartbeat.timeout_us),
     .min = SEC,
     .max = 10 * MINUTE,
     .default_text = "5s",
     .text = "How long the guest agent may take to answer, in whole seconds."},
    {.path = "failure.heartbeat.misses",
     .type = SCHEMA_INTEGER,
     CONFIG(failure.heartbeat.misses),
     .min = 1,
     .max = 1000,
     .default_text = "3",
     .unit = "misses",
     .text =
         "How many answers in a row must be missing before a machine with silent disks and network counts as hung."},

    {.path = "recovery", .type = SCHEMA_SECTION, .text = "How a replacement is started."},
    {.path = "recovery.order",
     .type = SCHEMA_CHOICE,
     CONFIG(recovery.order),
     .choices = order_words,
     .default_text = "replacement",
     .text =
         "What is started when a machine has failed. With replacement, the most similar standby. With original, the "
         "failed machine itself first, as Pacemaker and vSphere do, then standbys: at once if it does not come up, "
         "and when restart_attempts are used up. With original-only, the failed machine itself and nothing else."},
    {.path = "recovery.call_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.call_timeout_us),
     .min = 100 * MSEC,
     .max = 10 * MINUTE,
     .default_text = "10s",
     .text = "How long a hypervisor may take to answer. understudyd reports a later answer, but does not wait for it."},
    {.path = "recovery.start_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.start_timeout_us),
     .min = 100 * MSEC,
     .max = HOUR,
     .default_text = "60s",
     .text = "How long a hypervisor may take to start a machine. This includes loading a saved memory image."},
    {.path = "recovery.shutdown_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.shutdown_timeout_us),
     .min = SEC,
     .max = HOUR,
     .default_text = "60s",
     .text = "How long a guest may take to shut down when understudyd asks it to, through the guest agent or ACPI."},
    {.path = "recovery.settle",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.settle_us),
     .max = 10 * MINUTE,
     .default_text = "2s",
     .text = "How long a replacement must stay up before the failure counts as recovered."},
    {.path = "recovery.attempts",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.attempts),
     .min = 1,
     .max = 100,
     .default_text = "3",
     .unit = "machines",
     .text = "How many candidates are tried for one failure, the best first, before the recovery is given up."},
    {.path = "recovery.limit",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.limit),
     .max = 1000,
     .default_text = "3",
     .unit = "recoveries",
     .text =
         "How often a machine is replaced within limit_window. Recoveries of its replacements count as well, so "
         "that a service that crashes its machines does not crash one standby after the other. Starts of the failed "
         "machine itself are limited by restart_attempts. 0 sets no limit."},
    {.path = "recovery.limit_window",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.limit_window_us),
     .min = SEC,
     .max = 30 * DAY,
     .default_text = "1h",
     .text = "The time within which recoveries count towards limit, and restarts towards restart_attempts."},
    {.path = "recovery.quarantine",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.quarantine_us),
     .max = 30 * DAY,
     .default_text = "10m",
     .text = "How long a candidate that did not come up is left out of later recoveries. It doubles each time in a "
             "row, up to a day, and ends when the machine is defined anew."},
    {.path = "recovery.retry_for",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.retry_for_us),
     .max = 30 * DAY,
     .default_text = "1h",
     .text = "For so long after a recovery has failed, a service that is down is tried again when something changes "
             "that helps: a candidate was defined or changed, its host came back or has memory again, its quarantine "
             "is over, or the configuration was reloaded; with recovery.order original or original-only also when the "
             "failed machine itself can be started again. A machine that was stopped on request less than 10 minutes "
             "ago is not started by this, nor one that failed a recovery less than 10 minutes ago and was not changed "
             "since. 0: never."},
    {.path = "recovery.late_start",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.late_start_us),
     .max = 30 * DAY,
     .default_text = "10m",
     .text = "A start whose answer was lost may still take effect after the recovery has given it up. If the machine "
             "comes up within this time, understudyd attributes that to the lost start and stops the machine, because "
             "another one may serve in its place."},
    {.path = "recovery.concurrency",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.concurrency),
     .max = 100,
     .default_text = "2",
     .unit = "starts",
     .text = "How many replacements may start on one hypervisor at the same time. 0 sets no limit."},
    {.path = "recovery.check_memory",
     .type = SCHEMA_BOOL,
     CONFIG(recovery.check_memory),
     .default_text = "true",
     .text = "Whether a machine that must be booted or restored is a candidate only while its host has enough free "
             "memory for it."},
    {.path = "recovery.without_intent",
     .type = SCHEMA_BOOL,
     CONFIG(recovery.without_intent),
     .default_text = "true",
     .text = "Whether a machine is replaced even if the intent cannot be written to state_dir first. understudyd logs "
             "that as an alert. If the daemon dies at that moment, its successor does not know of the start."},
    {.path = "recovery.intent_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.intent_timeout_us),
     .min = 100 * MSEC,
     .max = 10 * MINUTE,
     .default_text = "2s",
     .text = "How long the disk may take to store the intent."},
    {.path = "recovery.verify",
     .type = SCHEMA_SECTION,
     .text = "When a failure counts as recovered, beyond the replacement staying up for the settle time."},
    {.path = "recovery.verify.level",
     .type = SCHEMA_CHOICE,
     CONFIG(recovery.verify.level),
     .choices = verify_words,
     .default_text = "auto",
     .text = "running asks for nothing more. With agent, the guest agent must answer. With tcp, the machine must "
             "accept connections on port, on one of its addresses. With command, a program must exit with status 0. "
             "auto means agent for machines with the channel of the guest agent, and running for others. With auto, a "
             "replacement whose agent answers must also listen on the TCP ports that both it and the original are "
             "known to serve: resources of the kind port, which are learned from the guests. On those at which the "
             "daemon could connect to the original while it was well, it must be able to connect to the replacement."},
    {.path = "recovery.verify.port",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.verify.port),
     .min = 1,
     .max = 65535,
     .default_text = "22",
     .unit = NULL,
     .text = "The TCP port for level tcp."},
    {.path = "recovery.verify.command",
     .type = SCHEMA_PATH,
     CONFIG(recovery.verify.command),
     .max = FILE_PATH_MAX,
     .default_text = "/etc/understudy/verify",
     .text = "The program for level command. It runs like a hook, repeatedly until it exits with status 0, which means "
             "that the machine does its work."},
    {.path = "recovery.verify.timeout",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.verify.timeout_us),
     .min = SEC,
     .max = DAY,
     .default_text = "2m",
     .text = "How long a replacement may take from its start until it is verified. After that the next candidate is "
             "tried."},
    {.path = "recovery.verify.interval",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.verify.interval_us),
     .min = 100 * MSEC,
     .max = 10 * MINUTE,
     .default_text = "1s",
     .text = "The pause between two attempts to verify."},
    {.path = "recovery.brake",
     .type = SCHEMA_SECTION,
     .text = "When many machines fail at once, the cause is probably not in the machines. understudyd then starts "
             "nothing until an operator runs understudyctl release brake."},
    {.path = "recovery.brake.share",
     .type = SCHEMA_DECIMAL,
     CONFIG(recovery.brake.share),
     .max = MILLIONTHS,
     .default_text = "0.5",
     .text = "The share of the protected machines that may fail within the window. 0 disables the brake."},
    {.path = "recovery.brake.minimum",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.brake.minimum),
     .min = 1,
     .max = 100000,
     .default_text = "5",
     .unit = "failures",
     .text =
         "The lowest number of failures within the window that can trigger the brake, however few machines there are."},
    {.path = "recovery.brake.window",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.brake.window_us),
     .min = SEC,
     .max = DAY,
     .default_text = "1m",
     .text = "The time within which failures count together."},
    {.path = "recovery.when_exhausted",
     .type = SCHEMA_CHOICE,
     CONFIG(recovery.when_exhausted),
     .choices = when_exhausted_words,
     .default_text = "alert",
     .text = "What happens when no candidate is left. With alert, understudyd reports that. With restart, it starts "
             "the failed machine itself again, and reports if that does not help either."},
    {.path = "recovery.restart_attempts",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.restart_attempts),
     .min = 1,
     .max = 100,
     .default_text = "3",
     .unit = "restarts",
     .text = "How often a failed machine is itself started again within limit_window, with recovery.order or "
             "when_exhausted. So with order: original, a machine that crashes every few minutes gets a replacement."},
    {.path = "recovery.restart_backoff",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.restart_backoff_us),
     .min = 100 * MSEC,
     .max = DAY,
     .default_text = "10s",
     .text = "The pause before a failed machine is itself started again after another attempt. It doubles before each "
             "further one. The first start with order original or original-only does not wait."},
    {.path = "recovery.history_days",
     .type = SCHEMA_INTEGER,
     CONFIG(recovery.history_days),
     .min = 1,
     .max = 36500,
     .default_text = "400",
     .unit = "days",
     .text = "How long a recovery stays in the history. The daemon holds the latest 1000 of them; all are in its "
             "database."},
    {.path = "recovery.keep_made",
     .type = SCHEMA_DURATION,
     CONFIG(recovery.keep_made_us),
     .max = 36500 * DAY,
     .default_text = "0s",
     .text =
         "A machine that understudyd made from a template, and that serves no more, is kept for so long, shut off. "
         "Then understudyd deletes it: the domain, and the overlays and the seed that were made for it, with all that "
         "was written there. Base images, and disks that are readonly or shareable, stay. That is announced 7 days "
         "before, or with a shorter time as soon as the machine is off: see the problem removal-ahead in "
         "understudyctl(1). 0s: the machine is kept until an operator removes it."},

    {.path = "services",
     .type = SCHEMA_SERVICES,
     CONFIG_LIST(services, n_services),
     .max = 200,
     .default_text = "[]",
     .text = "What holds for some services alone. A service has the name of its original machine, or the name in the "
             "metadata of that machine. For each key, the first entry that matches the service and sets the key wins; "
             "what no "
             "entry sets is as in the rest of the file. A priority in the metadata of the machine outranks the one "
             "here. Messages count entries from 0: services[0] is the first."},
    {.path = "services[].match",
     .type = SCHEMA_PATTERNS,
     SERVICE(match),
     .is_required = true,
     .example = "[\"db-*\"]",
     .text = "Names of services, or HYPERVISOR/NAME: patterns as in pool."},
    {.path = "services[].priority",
     .type = SCHEMA_INTEGER,
     SERVICE(priority),
     .min = -1000000,
     .max = 1000000,
     .example = "10",
     .text = "The service with the higher number is recovered first, and gets the standby that several services could "
             "use. Where nothing is said it is 0."},
    {.path = "services[].threshold",
     .type = SCHEMA_DECIMAL,
     SERVICE(threshold),
     .max = MILLIONTHS,
     .overrides = "similarity.threshold",
     .example = "0.7",
     .text = "Instead of similarity.threshold. Where min_coverage is set neither here nor in similarity, this is its "
             "value, "
             "too."},
    {.path = "services[].min_coverage",
     .type = SCHEMA_DECIMAL,
     SERVICE(min_coverage),
     .max = MILLIONTHS,
     .overrides = "similarity.min_coverage",
     .example = "0.9",
     .text = "Instead of similarity.min_coverage."},
    {.path = "services[].must_cover",
     .type = SCHEMA_KINDS,
     SERVICE(must_cover),
     .overrides = "similarity.must_cover",
     .example = "[database, data]",
     .text = "Instead of similarity.must_cover."},
    {.path = "services[].order",
     .type = SCHEMA_CHOICE,
     SERVICE(order),
     .choices = order_words,
     .overrides = "recovery.order",
     .example = "original",
     .text = "Instead of recovery.order."},
    {.path = "services[].verify",
     .type = SCHEMA_SECTION,
     .text =
         "Instead of recovery.verify, key by key. Standbys that are kept warm are verified as recovery.verify says, "
         "until they take over."},
    {.path = "services[].verify.level",
     .type = SCHEMA_CHOICE,
     SERVICE(verify.level),
     .choices = verify_words,
     .overrides = "recovery.verify.level",
     .example = "tcp",
     .text = "As in recovery.verify."},
    {.path = "services[].verify.port",
     .type = SCHEMA_INTEGER,
     SERVICE(verify.port),
     .min = 1,
     .max = 65535,
     .overrides = "recovery.verify.port",
     .example = "5432",
     .text = "As in recovery.verify."},
    {.path = "services[].verify.command",
     .type = SCHEMA_PATH,
     SERVICE(verify.command),
     .max = FILE_PATH_MAX,
     .overrides = "recovery.verify.command",
     .example = "/etc/understudy/verify-db",
     .text = "As in recovery.verify."},
    {.path = "services[].verify.timeout",
     .type = SCHEMA_DURATION,
     SERVICE(verify.timeout_us),
     .min = SEC,
     .max = DAY,
     .overrides = "recovery.verify.timeout",
     .example = "5m",
     .text = "As in recovery.verify."},
    {.path = "services[].verify.interval",
     .type = SCHEMA_DURATION,
     SERVICE(verify.interval_us),
     .min = 100 * MSEC,
     .max = 10 * MINUTE,
     .overrides = "recovery.verify.interval",
     .example = "2s",
     .text = "As in recovery.verify."},
    {.path = "services[].after",
     .type = SCHEMA_PATTERNS,
     SERVICE(after),
     .example = "[\"storage-*\"]",
     .text =
         "Patterns of services that this one needs. If one of them failed at about the same time, nothing is started "
         "for this one until the recovery of that one has ended, well or not. Not waited for are services that "
         "failed 10 s or more before this one, since it ran without them, were stopped on purpose, or are of the "
         "same entry. Entries that wait for each other are an error."},
    {.path = "services[].apart",
     .type = SCHEMA_BOOL,
     SERVICE(apart),
     .example = "true",
     .text =
         "Whether the services of this entry belong on different hosts: a standby on a host where no other service of "
         "this entry runs comes first, however similar the others are. Where there is none, another one is started "
         "all the same."},
    {.path = "services[].hosts",
     .type = SCHEMA_PATTERNS,
     SERVICE(hosts),
     .example = "[local]",
     .text = "The hypervisors on which replacements may run, by the names that hypervisors have in this file; [] for "
             "all. The original itself may run where it is."},
    {.path = "services[].hook_env",
     .type = SCHEMA_VARIABLES,
     SERVICE(hook_env),
     .max = 1024,
     .example = "{VIP: 192.0.2.10, POOL: web}",
     .text = "Environment variables of all hooks, and of a verify command, that run for a recovery of the service: "
             "an address to be moved, a member of a pool."},

    {.path = "standby",
     .type = SCHEMA_SECTION,
     .text = "Standbys that are kept warm: understudyd boots planned replacements before they are needed, verifies "
             "them as a recovery would, and suspends or saves them until a recovery needs them."},
    {.path = "standby.warm",
     .type = SCHEMA_INTEGER,
     CONFIG(standby.warm),
     .max = 1000,
     .default_text = "0",
     .unit = "machines",
     .text = "How many standbys are kept warm: replacements of the machines with the highest priority first, then the "
             "most similar ones. 0 keeps none warm. A standby that shares a disk or a MAC address with a running "
             "machine stays cold."},
    {.path = "standby.memory_limit",
     .type = SCHEMA_SIZE,
     CONFIG(standby.memory_limit_bytes),
     .max = INT64_C(1) << 50,
     .default_text = "0",
     .text = "The memory that warm standbys may use together, by their definitions. With 0 only the free memory of "
             "their hosts limits them. When a recovery needs the memory, understudyd stops warm standbys to free it."},
    {.path = "standby.warmth",
     .type = SCHEMA_CHOICE,
     CONFIG(standby.warmth),
     .choices = warmth_words,
     .default_text = "paused",
     .text = "With paused, warm standbys stay booted and suspended, which costs their memory and is fastest. With "
             "saved, their memory is written to disk, and read from there when they are needed."},
    {.path = "standby.boot_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(standby.boot_timeout_us),
     .max = HOUR,
     .default_text = "5m",
     .text =
         "How long a standby that is verified by recovery.verify.level running may take to boot. Nothing can be asked "
         "of its guest, so it is suspended or saved when the machine has used less than 5 % of one CPU for 5 seconds "
         "in a row. One that does not become quiet in this time is suspended or saved all the same, and understudyctl "
         "list shows it as not proved: its guest may not have finished booting."},
    {.path = "standby.refresh",
     .type = SCHEMA_DURATION,
     CONFIG(standby.refresh_us),
     .max = 365 * DAY,
     .default_text = "24h",
     .text = "How often each warm standby is resumed and verified again. 0s means never."},
    {.path = "standby.made_max",
     .type = SCHEMA_INTEGER,
     CONFIG(standby.made_max),
     .max = 1000,
     .default_text = "0",
     .unit = "machines",
     .text =
         "How many standbys understudyd may make from templates in advance, on all hosts together, so that they can "
         "be kept warm. They count for standby.warm, which must be above 0, and for max of their template. A lower "
         "number removes none. 0: a machine is made from a template only when a service has failed."},
    {.path = "host_timeout",
     .type = SCHEMA_DURATION,
     CONFIG(host_timeout_us),
     .min = SEC,
     .max = DAY,
     .default_text = "30s",
     .text = "For how long nothing may answer on a host (no route, timeout) before it counts as lost and is fenced. "
             "While its libvirtd refuses connections, or understudyd cannot resolve its name or log in, it is not lost "
             "and never fenced: use IP addresses or /etc/hosts in URIs. The daemon's own host is never lost if its URI "
             "has no host name (qemu:///system)."},
    {.path = "isolation_share",
     .type = SCHEMA_DECIMAL,
     CONFIG(isolation_share),
     .max = MILLIONTHS,
     .default_text = "0.5",
     .text = "When more than this share of the remote hypervisors is out of reach at the same time, understudyd "
             "assumes that its own network is down, not the hosts. It reports that and fences nothing until enough of "
             "them are back. Fenced hosts and the daemon's own host do not count. With a single remote hypervisor, "
             "only the value 1 allows fencing."},
    {.path = "when_both_run",
     .type = SCHEMA_CHOICE,
     CONFIG(when_both_run),
     .choices = when_both_run_words,
     .default_text = "alert",
     .text = "What happens when a machine runs again beside its replacement, for example after a lost host came back. "
             "understudyd reports it in any case. With stop-replacement or stop-original it also shuts one of the two "
             "down, through the guest agent or ACPI, and destroys it when that is not done within "
             "recovery.shutdown_timeout. The last one that runs is never stopped."},
    {.path = "fence",
     .type = SCHEMA_SECTION,
     .text =
         "Fencing: a lost host is switched off before its machines are started elsewhere. The command is an agent "
         "of the fence-agents package, or your own program with the same convention: options as NAME=VALUE lines "
         "on standard input, action among them (off, status, and on with reboot), and exit status 0 for success; of "
         "status, 0 for on and 2 for off."},
    {.path = "fence.command",
     .type = SCHEMA_PATH_OR_NONE,
     CONFIG(fence.command),
     .max = FILE_PATH_MAX,
     .default_text = "none",
     .text =
         "The fence agent, such as /usr/sbin/fence_ipmilan; for several see agents and levels, where it is the command "
         "of those that have none of their own. Without any agent no host is fenced, and no machine of a "
         "lost host is started elsewhere until the operator confirms that it is off: understudyctl fenced HOST "
         "--yes."},
    {.path = "fence.action",
     .type = SCHEMA_CHOICE,
     CONFIG(fence.action),
     .choices = fence_action_words,
     .default_text = "off",
     .text =
         "What is done with the host. After off, the host stays off until an operator starts it. With reboot, every "
         "agent of the level switches it off, and then every one switches it on again."},
    {.path = "fence.confirm",
     .type = SCHEMA_BOOL,
     CONFIG(fence.is_confirmed),
     .default_text = "true",
     .text = "Whether each fence agent is asked for the status after off, also when off has failed. What counts is the "
             "status: off (exit status 2) is success. The agents are also asked once a day whether they answer. Agents "
             "without a status action need false: then their word alone counts, and they are not tested."},
    {.path = "fence.by_hand",
     .type = SCHEMA_BOOL,
     CONFIG(fence.is_by_hand),
     .default_text = "false",
     .text = "true: there is no fence agent on purpose, and an operator makes sure that a lost host is off and says so "
             "(understudyctl fenced). With false, a remote host with protected machines that no agent can fence is the "
             "problem no-fence-agent."},
    {.path = "fence.timeout",
     .type = SCHEMA_DURATION,
     CONFIG(fence.timeout_us),
     .min = SEC,
     .max = HOUR,
     .default_text = "60s",
     .text = "How long a fence agent may take each time that it is asked."},
    {.path = "fence.retry",
     .type = SCHEMA_DURATION,
     CONFIG(fence.retry_us),
     .min = SEC,
     .max = HOUR,
     .default_text = "30s",
     .text = "The pause before failed fencing is tried again. It doubles each time, up to an hour."},
    {.path = "fence.options",
     .type = SCHEMA_OPTIONS,
     CONFIG(fence.options),
     .max = 1024,
     .default_text = "{}",
     .text = "Options for every agent and every host, such as {lanplus: 1, power_timeout: 20}. Later ones override "
             "earlier ones: these, those of the agent, fence of the hypervisor, and its fence_agents for this agent."},
    {.path = "fence.agents",
     .type = SCHEMA_AGENTS,
     CONFIG_LIST(fence.agents, fence.n_agents),
     .max = 1024,
     .default_text = "{}",
     .example = "ipmi: {command: /usr/sbin/fence_ipmilan, options: {lanplus: 1}}\n"
                "pdu-a: {command: /usr/sbin/fence_apc, options: {ip: 192.0.2.20}}\n"
                "pdu-b: {command: /usr/sbin/fence_apc, options: {ip: 192.0.2.21}}",
     .text =
         "Several agents, by names of your own. Each has its command, or fence.command, its options, and a place in "
         "fence.levels."},
    {.path = "fence.levels",
     .type = SCHEMA_LEVELS,
     CONFIG_LIST(fence.turns, fence.n_turns),
     .default_text = "[]",
     .example = "[[ipmi], [pdu-a, pdu-b]]",
     .text =
         "Which agents fence a host, the same for every host. All agents of a level must succeed; if one fails, the "
         "next level is tried. A host with two power supplies needs both switches in one level. What differs from "
         "host to host, such as a plug, stands in fence_agents of the hypervisor."},

    {.path = "rehearsals",
     .type = SCHEMA_SECTION,
     .text =
         "Trying out, while nothing is wrong, what would happen if a service failed: one service at a time is taken "
         "over by the machine that the plan names, which is verified, and then its original serves again. The "
         "service is down for a moment each time. A rehearsal that fails is a problem, and until an operator has "
         "cleared it, or "
         "has that service rehearsed with success, no other begins by itself."},
    {.path = "rehearsals.every",
     .type = SCHEMA_DURATION,
     CONFIG(rehearsals.every_us),
     .max = 365 * DAY,
     .default_text = "0s",
     .text =
         "How long after its last rehearsal a service is due again, such as 30d. Failovers and drills that an operator "
         "ordered count when another machine took over. Nothing is rehearsed while a service is down, or there is "
         "another severe problem, a recovery is under way, a rehearsal has failed or is unfinished, the brake is on, "
         "the "
         "service is held, or mode is observe: it comes later then, as understudyctl rehearse --plan shows. Not longer "
         "than recovery.history_days. 0s: never."},
    {.path = "rehearsals.window",
     .type = SCHEMA_WINDOW,
     CONFIG(rehearsals.window),
     .max = WINDOW_TEXT_MAX - 1,
     .default_text = "\"Sun 03:00-05:00\"",
     .text = "When rehearsals may be under way, in local time: one day, a range of days such as Mon-Fri, or daily, and "
             "from "
             "when to when; an end before the begin is on the next day. None begins that could last beyond the end of "
             "the window, by shutdown_timeout, start_timeout, settle and verify.timeout."},
    {.path = "rehearsals.match",
     .type = SCHEMA_PATTERNS,
     CONFIG(rehearsals.match),
     .default_text = "[\"*\"]",
     .text = "The services that are rehearsed, by their names or as HYPERVISOR/NAME. Leave out services whose data is "
             "neither "
             "shared nor replicated: what clients write during a rehearsal is missing afterwards."},
    {.path = "rehearsals.crash",
     .type = SCHEMA_BOOL,
     CONFIG(rehearsals.crash),
     .default_text = "false",
     .text =
         "Crash the machine that serves, as understudyctl drill does, instead of shutting it down: as hard as a real "
         "failure, to its data as well."},

    {.path = "hooks",
     .type = SCHEMA_SECTION,
     .text = "Programs that take part in a recovery, see understudy-hooks(7)."},
    {.path = "hooks.directory",
     .type = SCHEMA_PATH,
     CONFIG(hooks.directory),
     .max = FILE_PATH_MAX,
     .default_text = "/etc/understudy/hooks.d",
     .text = "The directory with a directory for each event, such as pre-start, whose executable files are run. A file "
             "beside these directories is not run; while it is executable, no replacement is started."},
    {.path = "hooks.timeout",
     .type = SCHEMA_DURATION,
     CONFIG(hooks.timeout_us),
     .min = 100 * MSEC,
     .max = HOUR,
     .default_text = "30s",
     .text = "How long each program may take."},

    {.path = "discovery",
     .type = SCHEMA_SECTION,
     .text = "How the daemon keeps up with its hypervisors, and what it asks guests."},
    {.path = "discovery.software",
     .type = SCHEMA_CHOICE,
     CONFIG(discovery.software),
     .choices = software_words,
     .default_text = "auto",
     .text = "How the guest agents of protected and standby machines are asked for the software that the guest offers. "
             "With exec, they run programs of the guest that list its packages and services; with files, they read its "
             "lists of packages, which works for the families of Debian and Alpine, and tells no services. auto means "
             "exec, and files for what exec did not tell. The ports on which it listens are asked for in the same "
             "ways. off asks for the operating system and file systems only. libvirt marks a machine that was asked as "
             "tainted (custom-ga-command)."},
    {.path = "discovery.catalog",
     .type = SCHEMA_PATH,
     CONFIG(discovery.catalog),
     .max = FILE_PATH_MAX,
     .default_text = "/etc/understudy/catalog.d",
     .text = "The directory whose files, NAME.yaml, add to the catalog, which says what packages and services mean: "
             "understudyctl catalog NAME."},
    {.path = "discovery.resync_interval",
     .type = SCHEMA_DURATION,
     CONFIG(discovery.resync_interval_us),
     .min = 100 * MSEC,
     .max = DAY,
     .default_text = "10m",
     .text = "How often understudyd lists all machines again, even if no event seems to have been missed."},
    {.path = "discovery.reconnect_max",
     .type = SCHEMA_DURATION,
     CONFIG(discovery.reconnect_max_us),
     .min = 100 * MSEC,
     .max = HOUR,
     .default_text = "10s",
     .text = "The longest pause between two attempts to connect to a hypervisor. The first pauses are shorter, and "
             "none is longer than a third of host_timeout."},

    {.path = "state_dir",
     .type = SCHEMA_PATH,
     CONFIG(state_dir),
     .max = FILE_PATH_MAX,
     .default_text = "/var/lib/understudy",
     .needs_restart = true,
     .text = "The directory for data that must survive a restart of the daemon."},
    {.path = "metrics", .type = SCHEMA_SECTION, .text = "The metrics, beside /metrics of the control interface."},
    {.path = "metrics.textfile",
     .type = SCHEMA_PATH_OR_NONE,
     CONFIG(metrics_textfile),
     .max = FILE_PATH_MAX - 4,
     .default_text = "none",
     .text =
         "The file to which understudyd writes the metrics every 15 s, for the textfile collector of node_exporter, "
         "such as /var/lib/prometheus/node-exporter/understudy.prom: its name must end in .prom. The service may "
         "not write there before a drop-in with ReadWritePaths= allows it, see METRICS in understudyd(8)."},
    {.path = "api", .type = SCHEMA_SECTION, .text = "The control interface that understudyctl uses."},
    {.path = "api.socket",
     .type = SCHEMA_PATH,
     CONFIG(api_socket),
     .max = SOCKET_PATH_MAX,
     .default_text = "/run/understudy/api.sock",
     .needs_restart = true,
     .text =
         "The Unix socket of the control interface, for those who may give orders. Beside it is the socket that only "
         "reads, with \"-ro\" before \".sock\". Both have mode 0660; their groups decide who may connect. Has no "
         "effect where systemd opens the sockets, as installed: change ListenStream= with systemctl edit "
         "understudyd.socket and understudyd-ro.socket."},
    {.path = "api.listen",
     .type = SCHEMA_ENDPOINT_OR_NONE,
     CONFIG(api_listen),
     .max = ENDPOINT_MAX - 1,
     .default_text = "none",
     .needs_restart = true,
     .text = "Where the dashboard, the control interface and the metrics can be read over TCP: every client that can "
             "connect "
             "may read, and none can give an order. From another host, use ssh -L 8420:localhost:8420 HOST."},
    {.path = "api.listen_public",
     .type = SCHEMA_BOOL,
     CONFIG(api_listen_public),
     .default_text = "false",
     .needs_restart = true,
     .text = "api.listen may be an address that other hosts can reach. The connection is not encrypted, and there is "
             "no login."},
    {.path = "api.names",
     .type = SCHEMA_PATTERNS,
     CONFIG(api_names),
     .default_text = "[]",
     .needs_restart = true,
     .text =
         "Names by which clients of api.listen may call this host, such as [kvm1.example.org], beside any address, "
         "localhost and its own host name. A request for another name is refused, since a web page could have sent the "
         "browser here: [\"*\"] would admit all of them."},
};

/* Keys that there were once, and what is to be done about them. */
static const struct {
    const char *path;
    const char *remedy;
} removed[] = {
    {"api.mode", "remove it; the groups of the two sockets decide who may do what, see RIGHTS in understudyd(8)"},
    {"recovery.history_length", "remove it; the history is kept by age, see recovery.history_days"},
};

size_t schema_count(void)
{
    return ELEMENTS_OF(keys);
}

const struct schema_key *schema_at(size_t index)
{
    return &keys[index];
}

const struct schema_key *schema_find(const char *path)
{
    for (size_t i = 0; i < ELEMENTS_OF(keys); i++)
        if (strcmp(keys[i].path, path) == 0)
            return &keys[i];
    return NULL;
}

const char *schema_name(const struct schema_key *key)
{
    const char *dot = strrchr(key->path, '.');

    return dot == NULL ? key->path : dot + 1;
}

static bool is_child(const char *section, const struct schema_key *key)
{
    size_t length = strlen(section);
    size_t parent_length = (size_t)(schema_name(key) - key->path);

    if (length == 0)
        return parent_length == 0;
    return parent_length == length + 1 && strncmp(key->path, section, length) == 0;
}

const struct schema_key *schema_next_child(const char *section, const struct schema_key *after)
{
    for (size_t i = after == NULL ? 0 : (size_t)(after - keys) + 1; i < ELEMENTS_OF(keys); i++)
        if (is_child(section, &keys[i]))
            return &keys[i];
    return NULL;
}

const struct schema_key *schema_find_child(const char *section, const char *name)
{
    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;)
        if (strcmp(schema_name(key), name) == 0)
            return key;
    return NULL;
}

const struct schema_key *schema_suggest(const char *section, const char *name)
{
    const struct schema_key *nearest = NULL;
    size_t least = strlen(name) / 3 + 1;

    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;) {
        size_t d = text_distance(name, schema_name(key));

        if (d < least || (d == least && nearest == NULL)) {
            nearest = key;
            least = d;
        }
    }
    /* Not misspelt, perhaps, but in the wrong section. */
    for (size_t i = 0; nearest == NULL && i < ELEMENTS_OF(keys); i++)
        if (strcmp(schema_name(&keys[i]), name) == 0)
            nearest = &keys[i];
    return nearest;
}

const char *schema_removed(const char *section, const char *name)
{
    size_t length = strlen(section);

    for (size_t i = 0; i < ELEMENTS_OF(removed); i++)
        if (strncmp(removed[i].path, section, length) == 0 && removed[i].path[length] == '.' &&
            strcmp(removed[i].path + length + 1, name) == 0)
            return removed[i].remedy;
    return NULL;
}

const char *verify_level_name(enum verify_level level)
{
    return verify_words[level];
}

const char *rank_by_name(enum rank_by rank_by)
{
    return rank_by_words[rank_by];
}
