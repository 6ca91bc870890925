/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets a world up as a scenario says, lets happen what it says, and writes down what comes out of the coordinator. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/mark.h"
#include "scenario.h"
#include "unit/support.h"
#include "unit/world.h"

#define LOCAL_HOST    "local"
#define HOST_FREE_KIB (UINT64_C(100) * 1024 * 1024)
/* How long hosts are up when the course begins. */
#define HOST_UPTIME_US (900 * USEC_PER_SEC)
/* How long a host is up before libvirtd answers. */
#define BOOT_US (5 * USEC_PER_SEC)
/* So long nothing more may come out after the last line. */
#define QUIET_US (60 * USEC_PER_SEC)

struct play {
    struct world world;
    struct config *config;
    struct transcript *transcript;
    const char *hosts[WORLD_HYPERVISORS];
    unsigned n_hosts;
    bool is_up[WORLD_HYPERVISORS]; /* the connection to it works */
    int64_t began_us;
    bool is_connected;                   /* for the first time, which goes without saying */
    char strings[WORLD_DOMAINS][6][256]; /* names and the like that the world borrows */
    char features[WORLD_DOMAINS][256];
};

/* ---- words ---- */

static unsigned find_word(const char *const *names, size_t n, const char *word)
{
    for (unsigned i = 0; i < n; i++)
        if (names[i] != NULL && strcmp(names[i], word) == 0)
            return i;
    return (unsigned)n;
}

static const char *const state_words[] = {
    [MACHINE_RUNNING] = "running",   [MACHINE_PAUSED] = "paused",     [MACHINE_SHUT_OFF] = "off",
    [MACHINE_CRASHED] = "preserved", [MACHINE_TEMPLATE] = "template",
};

static bool parse_state(const char *word, enum machine_state *ret)
{
    unsigned state = find_word(state_words, ELEMENTS_OF(state_words), word);

    *ret = (enum machine_state)state;
    return state < ELEMENTS_OF(state_words);
}

/* The names of reasons with a hyphen for each blank: "given-up-by-libvirt". */
static bool is_reason(const char *word, const char *name)
{
    for (; *word != '\0' && *name != '\0'; word++, name++)
        if (*word != (*name == ' ' ? '-' : *name))
            return false;
    return *word == *name;
}

static bool parse_reason(const char *word, enum machine_reason *ret)
{
    for (*ret = REASON_UNKNOWN; *ret < REASON_COUNT; (*ret)++)
        if (is_reason(word, machine_reason_name(*ret)))
            return true;
    return false;
}

static bool parse_event(const char *word, enum domain_event_kind *ret)
{
    for (*ret = 0; *ret < EVENT_COUNT; (*ret)++)
        if (strcmp(domain_event_name(*ret), word) == 0)
            return true;
    return false;
}

static bool find_machine(const struct play *play, const char *name, unsigned *ret)
{
    for (*ret = 0; *ret < play->world.n_domains; (*ret)++)
        if (strcmp(play->world.domains[*ret].name, name) == 0)
            return true;
    return false;
}

static bool find_host(const struct play *play, const char *name, unsigned *ret)
{
    *ret = find_word(play->hosts, play->n_hosts, name);
    return *ret < play->n_hosts;
}

/* ---- what comes out ---- */

static void __attribute__((format(printf, 2, 3))) put(struct play *play, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    transcript_add(play->transcript, 0, play->world.now.mono_us - play->began_us, true, text);
}

static const char *name_of(const struct play *play, const struct machine_ref *ref)
{
    if (ref->uuid[0] == '\0')
        return ref->hypervisor;
    return play->world.domains[world_number_of(&play->world, ref)].name;
}

/* Questions and documents are not shown: they change no machine. */
static void see_action(void *observer, const struct action *action)
{
    struct play *play = observer;

    switch (action->kind) {
    case ACTION_DESTROY:
    case ACTION_SHUTDOWN:
    case ACTION_START:
    case ACTION_UNMAKE:
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_SET_CLOCK:
    case ACTION_FENCE:
        put(play, "%s %s", action_kind_name(action->kind), name_of(play, &action->target));
        break;
    case ACTION_SET_METADATA:
        if (action->metadata.sets_mark)
            break; /* see read_mark */
        put(play, "%s %s \"%s%s%s\"", action_kind_name(action->kind), name_of(play, &action->target),
            machine_roles_name(action->metadata.roles), action->metadata.service[0] != '\0' ? ", serves " : "",
            action->metadata.service);
        break;
    case ACTION_SET_AUTOSTART:
        put(play, "%s %s \"%s\"", action_kind_name(action->kind), name_of(play, &action->target),
            action->autostart ? "on" : "off");
        break;
    case ACTION_LIST:
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_GET_AUTOSTART:
    case ACTION_READ:
    case ACTION_GET_STATE:
    case ACTION_CHECK_ALIVE:
    case ACTION_VERIFY:
    case ACTION_RECORD:
    case ACTION_HOOK:
    case ACTION_REMEMBER:
    case ACTION_MEASURE_MEMORY:
    case ACTION_TEST_FENCING:
    case ACTION_COUNT:
    default:
        break;
    }
}

static void see_notice(void *observer, const struct notice *notice)
{
    struct play *play = observer;
    bool has_subject = notice->machine.hypervisor[0] != '\0', has_cause = notice->kind == NOTICE_FAILURE_DETECTED;

    if (!play->is_connected && notice->kind == NOTICE_HYPERVISOR_UP)
        return;
    put(play, "%s%s%s%s%s%s%s%s \"%s\"", notice_kind_name(notice->kind), has_subject ? " " : "",
        has_subject ? name_of(play, &notice->machine) : "", notice->replacement != NULL ? " by " : "",
        notice->replacement != NULL ? notice->replacement : "", has_cause ? " (" : "",
        has_cause ? failure_cause_name(notice->cause) : "", has_cause ? ")" : "", notice->text);
}

static void put_explanation(struct play *play, const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->n_candidates; i++) {
        const struct explained_candidate *candidate = &explanation->candidates[i];

        put(play, "%s S %.4f C %.4f J %.4f %s \"%s\"", candidate->name, candidate->similarity, candidate->coverage,
            candidate->overlap,
            candidate->is_chosen  ? "chosen"
            : candidate->eligible ? "eligible"
                                  : "out",
            candidate->reason);
    }
    put(play, "summary \"%s\"", explanation->summary);
}

static void put_end(struct play *play)
{
    struct world *world = &play->world;
    char text[1024] = "running";
    size_t length = strlen(text);

    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(world->coordinator, i);
        char outcome[512];

        snprintf(outcome, sizeof(outcome), "%s %s%s%s \"%s\"", recovery->failed_name,
                 recovery_state_name(recovery->state), recovery->replacement_name != NULL ? " by " : "",
                 recovery->replacement_name != NULL ? recovery->replacement_name : "",
                 recovery->detail != NULL ? recovery->detail : "");
        transcript_add(play->transcript, 0, AT_END, true, outcome);
    }
    for (unsigned i = 0; i < world->n_domains; i++)
        if (world->domains[i].exists && world->domains[i].state == MACHINE_RUNNING)
            length += (size_t)snprintf(text + length, sizeof(text) - length, " %s", world->domains[i].name);
    transcript_add(play->transcript, 0, AT_END, true, text);
}

/* ---- settings ---- */

static bool set_priority(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].priority = atoi(value);
    return true;
}

static bool set_on_crash(struct play *play, unsigned number, const char *value)
{
    static const char *const words[] = {
        [ON_CRASH_DESTROY] = "destroy", [ON_CRASH_RESTART] = "restart", [ON_CRASH_PRESERVE] = "preserve"};
    unsigned word = find_word(words, ELEMENTS_OF(words), value);

    play->world.domains[number].on_crash = (enum on_crash)word;
    return word < ELEMENTS_OF(words);
}

static bool set_disk(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].disk = strcpy(play->strings[number][1], value);
    return true;
}

static bool set_opens(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].opens = strcpy(play->strings[number][3], value);
    return true;
}

static bool set_below(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].below = strcpy(play->strings[number][4], value);
    return true;
}

static bool set_mac(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].mac = strcpy(play->strings[number][2], value);
    return true;
}

static bool set_memory(struct play *play, unsigned number, const char *value)
{
    int64_t bytes = 0;
    int r = size_parse(value, &bytes);

    play->world.domains[number].memory_kib = (uint64_t)bytes / 1024;
    return r == 0;
}

static bool set_agent(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].has_agent = strcmp(value, "none") != 0;
    play->world.domains[number].is_mute = strcmp(value, "silent") == 0;
    return play->world.domains[number].is_mute || strcmp(value, "none") == 0 || strcmp(value, "answers") == 0;
}

static bool set_deaf(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];

    domain->hides_ports = strcmp(value, "unasked") == 0;
    domain->deaf = (struct ports){0};
    return domain->hides_ports || strcmp(value, "none") == 0 || ports_add(&domain->deaf, strtoul(value, NULL, 10));
}

static bool set_shut(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].shut = (struct ports){0};
    return strcmp(value, "none") == 0 || ports_add(&play->world.domains[number].shut, strtoul(value, NULL, 10));
}

static bool set_disk_io(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].activity += strtoull(value, NULL, 10);
    return true;
}

static bool set_start(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];

    domain->start_error = strcmp(value, "refused") == 0 ? -EIO : 0;
    domain->dies_at_once = strcmp(value, "dies") == 0;
    domain->start_us = 0;
    return domain->start_error != 0 || domain->dies_at_once || strcmp(value, "works") == 0 ||
           duration_parse(value, &domain->start_us) == 0;
}

static bool set_shutdown(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];

    domain->ignores_shutdown = strcmp(value, "ignored") == 0;
    domain->shutdown_us = 0;
    return domain->ignores_shutdown || duration_parse(value, &domain->shutdown_us) == 0;
}

static bool set_asking(struct play *play, unsigned number, const char *value)
{
    return duration_parse(value, &play->world.domains[number].asking_us) == 0;
}

/* Of what a machine that is off has saved: an operator may remove it. */
static bool set_saved(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].has_saved = strcmp(value, "none") != 0;
    play->world.domains[number].is_damaged = strcmp(value, "damaged") == 0;
    return play->world.domains[number].is_damaged || strcmp(value, "image") == 0 || strcmp(value, "none") == 0;
}

static bool set_hooks(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];
    bool is_known = strcmp(value, "veto") == 0 || strcmp(value, "agree") == 0;

    domain->hook_error = strcmp(value, "agree") == 0 ? 0 : -ECANCELED;
    domain->hook_event = NULL;
    for (enum hook hook = 0; !is_known && hook < HOOK_COUNT; hook++)
        if (strcmp(value, hook_name(hook)) == 0) {
            domain->hook_event = hook_name(hook);
            is_known = true;
        }
    return is_known;
}

static bool set_role(struct play *play, unsigned number, const char *value)
{
    unsigned roles;

    if (machine_roles_parse(value, &roles) < 0)
        return false;
    play->world.domains[number].role = machine_roles_name(roles);
    return true;
}

static bool set_service(struct play *play, unsigned number, const char *value)
{
    strcpy(play->world.domains[number].service, value);
    return true;
}

static bool set_metadata(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];

    domain->metadata_error = strcmp(value, "refused") == 0 ? -EIO : 0;
    domain->metadata_us = 0;
    return domain->metadata_error != 0 || strcmp(value, "works") == 0 ||
           duration_parse(value, &domain->metadata_us) == 0;
}

static bool set_autostart(struct play *play, unsigned number, const char *value)
{
    struct world_domain *domain = &play->world.domains[number];

    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        domain->autostart = strcmp(value, "on") == 0;
    else if (strcmp(value, "refused") == 0 || strcmp(value, "works") == 0)
        domain->autostart_error = strcmp(value, "refused") == 0 ? -EIO : 0;
    else
        return duration_parse(value, &domain->autostart_us) == 0;
    return true;
}

static bool set_lifetime(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].is_transient = strcmp(value, "transient") == 0;
    return strcmp(value, "transient") == 0 || strcmp(value, "persistent") == 0;
}

/* Hosts are named by the machines on them. */
static bool set_host(struct play *play, unsigned number, const char *value)
{
    unsigned host;

    if (!find_host(play, value, &host))
        return false;
    play->world.domains[number].hypervisor = host;
    return true;
}

/* A machine of the same UUID on another host. */
static bool set_uuid(struct play *play, unsigned number, const char *value)
{
    unsigned of;

    if (!find_machine(play, value, &of) || of == number)
        return false;
    play->world.domains[number].uuid_of = of + 1;
    return true;
}

static bool set_name(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].name = strcpy(play->strings[number][0], value);
    return true;
}

static bool set_resources(struct play *play, unsigned number, const char *value)
{
    char *features = strcpy(play->features[number], value);

    for (char *comma = features; (comma = strchr(comma, ',')) != NULL;)
        *comma = ' ';
    return strchr(features, '/') != NULL;
}

static bool set_seed(struct play *play, unsigned number, const char *value)
{
    return play->world.domains[number].names_service = strcmp(value, "service") == 0;
}

/* Several machines of one host may be made from one template; without this setting each has its own. */
static bool set_boot(struct play *play, unsigned number, const char *value)
{
    return duration_parse(value, &play->world.domains[number].boot_us) == 0;
}

static bool set_template(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].template = strcpy(play->strings[number][5], value);
    return true;
}

static bool set_make(struct play *play, unsigned number, const char *value)
{
    bool is_possible = strcmp(value, "possible") == 0;

    play->world.domains[number].obstacle = is_possible ? NULL : "the storage pool images is not active";
    return is_possible || strcmp(value, "impossible") == 0;
}

static bool set_unmake(struct play *play, unsigned number, const char *value)
{
    play->world.domains[number].unmake_error = strcmp(value, "refused") == 0 ? -EIO : 0;
    return strcmp(value, "refused") == 0 || strcmp(value, "works") == 0;
}

static const struct {
    const char *name;
    bool (*set)(struct play *play, unsigned number, const char *value);
    const char *values;
} settings[] = {
    {"on", set_host, "a host"},
    {"priority", set_priority, "a number"},
    {"on_crash", set_on_crash, "destroy, restart, preserve"},
    {"disk", set_disk, "a path"},
    {"opens", set_opens, "the path of the disk that it has while it runs"},
    {"below", set_below, "the path of an image below its disk"},
    {"mac", set_mac, "an address"},
    {"memory", set_memory, "2GiB"},
    {"agent", set_agent, "none, answers, silent"},
    {"deaf", set_deaf, "80 (a port on which its guest does not listen), none, unasked (it cannot be asked for ports)"},
    {"shut", set_shut, "80 (a port at which no connection from outside succeeds), none"},
    {"disk_requests", set_disk_io, "a number, since it was last set"},
    {"start", set_start, "works, refused, dies, 5s"},
    {"boot", set_boot, "20s (for so long its guest keeps a CPU busy after a start)"},
    {"template", set_template, "the name of its template"},
    {"make", set_make, "possible, impossible (a storage pool is not active)"},
    {"seed", set_seed, "what its files for cloud-init ask for: service"},
    {"unmake", set_unmake, "works, refused"},
    {"shutdown", set_shutdown, "5s (what its guest takes when it is asked to), ignored"},
    {"asking", set_asking, "5s (what the call takes that asks its guest to shut down)"},
    {"hooks", set_hooks, "agree, veto, pre-stop (or another event: a veto at that alone)"},
    {"saved", set_saved, "image, damaged (it cannot be restored), none"},
    {"role", set_role, "protected, standby, protected,standby, ignored"},
    {"service", set_service, "the name of its service, from its metadata"},
    {"metadata", set_metadata, "works, refused, 5s (what writing it takes)"},
    {"autostart", set_autostart, "on, off; works, refused; 5s (what asking for it, or setting it, takes)"},
    {"lifetime", set_lifetime, "persistent, transient"},
    {"uuid", set_uuid, "a machine that is named before, on another host"},
    {"name", set_name, "its new name, by which it goes from the next line on"},
    {"resources", set_resources, "language/nodejs,database/mysql, in place of those that it had"},
};

static void set(struct play *play, unsigned line, unsigned number, const char *word)
{
    size_t length = strcspn(word, "=");

    for (size_t i = 0; i < ELEMENTS_OF(settings); i++)
        if (strlen(settings[i].name) == length && strncmp(settings[i].name, word, length) == 0) {
            if (!settings[i].set(play, number, word + length + 1))
                scenario_fail(line, "%s: the value is one of %s", word, settings[i].values);
            return;
        }
    fprintf(stderr, "settings of a machine:\n");
    for (size_t i = 0; i < ELEMENTS_OF(settings); i++)
        fprintf(stderr, "  %s=%s\n", settings[i].name, settings[i].values);
    scenario_fail(line, "no such setting: %s", word);
}

/* ---- what happens ---- */

struct arguments {
    unsigned line, machine, other, host;
    bool has_other;
    enum domain_event_kind event;
    enum machine_state state;
    enum machine_reason reason;
    int64_t time_us, bytes;
    const char *word; /* a setting, or a choice */
};

static void happen(struct play *play, const struct arguments *arguments)
{
    world_happen(&play->world, arguments->machine, arguments->event);
}

static void migrate(struct play *play, const struct arguments *arguments)
{
    const struct world_domain *from = &play->world.domains[arguments->machine];
    char ours[UUID_TEXT_SIZE], theirs[UUID_TEXT_SIZE];

    world_make_uuid(&play->world, arguments->machine, ours);
    world_make_uuid(&play->world, arguments->other, theirs);
    if (strcmp(ours, theirs) != 0 || from->hypervisor == play->world.domains[arguments->other].hypervisor)
        scenario_fail(arguments->line, "a machine migrates to one that has its UUID on another host: uuid=, on=");
    world_migrate(&play->world, arguments->machine, arguments->other);
}

static void change_silently(struct play *play, const struct arguments *arguments)
{
    struct world_domain *domain = &play->world.domains[arguments->machine];

    if (arguments->state == MACHINE_SHUT_OFF)
        world_kill_silently(&play->world, arguments->machine);
    domain->exists |= machine_state_is_active(arguments->state);
    domain->state = arguments->state;
    domain->reason = arguments->reason;
}

/* As by a migration that undefines it here, of which no event tells, or not yet. */
static void leave_silently(struct play *play, const struct arguments *arguments)
{
    world_kill_silently(&play->world, arguments->machine);
    play->world.domains[arguments->machine].exists = false;
}

static void change_setting(struct play *play, const struct arguments *arguments)
{
    set(play, arguments->line, arguments->machine, arguments->word);
    if (play->world.domains[arguments->machine].exists)
        world_tell(&play->world, arguments->machine, EVENT_CHANGED);
}

/* As "virsh attach-device --config" does. */
static void change_setting_silently(struct play *play, const struct arguments *arguments)
{
    set(play, arguments->line, arguments->machine, arguments->word);
}

static void cut_connection(struct play *play, const struct arguments *arguments)
{
    play->is_up[arguments->host] = false;
    if (play->world.coordinator != NULL)
        world_disconnect(&play->world, arguments->host);
}

static void restore_connection(struct play *play, const struct arguments *arguments)
{
    play->is_up[arguments->host] = true;
    if (play->world.coordinator != NULL)
        world_connect(&play->world, arguments->host);
}

static void set_free_memory(struct play *play, const struct arguments *arguments)
{
    play->world.free_memory_kib[arguments->host] = (uint64_t)arguments->bytes / 1024;
}

static void reload(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    assert_int_equal(coordinator_configure(play->world.coordinator, &play->world.config), 0);
    coordinator_tick(play->world.coordinator, play->world.now);
}

static void switch_warmth_off(struct play *play, const struct arguments *arguments)
{
    play->world.config.standby.warm = 0;
    reload(play, arguments);
}

static void switch_warmth_on(struct play *play, const struct arguments *arguments)
{
    play->world.config.standby.warm = 1;
    reload(play, arguments);
}

static void take_down(struct play *play, unsigned host)
{
    for (unsigned i = 0; i < play->world.n_domains; i++)
        if (play->world.domains[i].hypervisor == host && machine_state_is_active(play->world.domains[i].state)) {
            world_kill_silently(&play->world, i);
            play->world.domains[i].reason = REASON_UNKNOWN;
        }
}

static void lose_power(struct play *play, const struct arguments *arguments)
{
    take_down(play, arguments->host);
    cut_connection(play, arguments);
}

static void boot(struct play *play, const struct arguments *arguments)
{
    take_down(play, arguments->host);
    play->world.booted_us[arguments->host] = play->world.now.mono_us - BOOT_US;
    restore_connection(play, arguments);
}

static void shut_host_down(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    coordinator_set_host_shutdown(play->world.coordinator, true);
}

static void keep_host_up(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    coordinator_set_host_shutdown(play->world.coordinator, false);
}

static void set_fencing(struct play *play, const struct arguments *arguments)
{
    play->world.fence_error = strcmp(arguments->word, "fails") == 0 ? -EIO : 0;
    play->world.fence_lies = strcmp(arguments->word, "lies") == 0;
}

static void set_store(struct play *play, const struct arguments *arguments)
{
    play->world.record_error = strcmp(arguments->word, "works") == 0 ? 0 : -ENOSPC;
    play->world.record_us = strcmp(arguments->word, "hangs") == 0 ? 1500 * USEC_PER_MSEC : 0; /* and then fails */
    play->world.loses_writes = strcmp(arguments->word, "fails") == 0;
}

static void release_brake(struct play *play, const struct arguments *arguments)
{
    if (!coordinator_release_brake(play->world.coordinator, play->world.now))
        scenario_fail(arguments->line, "the brake is not on");
}

static void hold_target(struct play *play, const struct arguments *arguments, enum hold_scope scope,
                        const struct machine_ref *target, const char *name)
{
    assert_int_equal(coordinator_hold(play->world.coordinator, scope, target, name, "maintenance", NULL,
                                      arguments->time_us, play->world.now),
                     0);
}

static struct machine_ref ref_of_host(const struct play *play, unsigned host)
{
    struct machine_ref ref = {0};

    strncpy(ref.hypervisor, play->hosts[host], sizeof(ref.hypervisor) - 1);
    return ref;
}

static void hold_all(struct play *play, const struct arguments *arguments)
{
    hold_target(play, arguments, HOLD_ALL, &(struct machine_ref){0}, "all");
}

static void hold_host(struct play *play, const struct arguments *arguments)
{
    struct machine_ref ref = ref_of_host(play, arguments->host);

    hold_target(play, arguments, HOLD_HOST, &ref, play->hosts[arguments->host]);
}

static void hold_machine(struct play *play, const struct arguments *arguments)
{
    struct machine_ref ref = machine_ref_of(world_machine(&play->world, arguments->machine));

    hold_target(play, arguments, HOLD_MACHINE, &ref, play->world.domains[arguments->machine].name);
}

static void release_target(struct play *play, unsigned line, enum hold_scope scope, const struct machine_ref *target)
{
    if (coordinator_release(play->world.coordinator, scope, target, play->world.now) < 0)
        scenario_fail(line, "this is not held");
}

static void release_all(struct play *play, const struct arguments *arguments)
{
    release_target(play, arguments->line, HOLD_ALL, &(struct machine_ref){0});
}

static void release_host(struct play *play, const struct arguments *arguments)
{
    struct machine_ref ref = ref_of_host(play, arguments->host);

    release_target(play, arguments->line, HOLD_HOST, &ref);
}

static void release_machine(struct play *play, const struct arguments *arguments)
{
    struct machine_ref ref = machine_ref_of(world_machine(&play->world, arguments->machine));

    release_target(play, arguments->line, HOLD_MACHINE, &ref);
}

static void confirm_off(struct play *play, const struct arguments *arguments)
{
    int r = coordinator_confirm_fenced(play->world.coordinator, play->hosts[arguments->host], play->world.now);

    if (r < 0)
        scenario_fail(arguments->line, "this is not taken: %s", strerror(-r));
}

/* What is answered comes out, too. True: it is taken. */
static bool give_order(struct play *play, const struct arguments *arguments, struct order order)
{
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    int r;

    order.machine = order.kind == ORDER_EVACUATE ? ref_of_host(play, arguments->host)
                                                 : machine_ref_of(world_machine(&play->world, arguments->machine));
    r = coordinator_order(play->world.coordinator, &order, play->world.now, &answer);
    if (answer.words == NULL)
        scenario_fail(arguments->line, "this is not taken: %s", strerror(-r));
    put(play, "%s \"%s\"", r < 0 ? "refused" : "answered", answer.words);
    return r == 0;
}

/* Where the order is taken, the daemon does what it would do: QEMU dies, or on another host the machine is destroyed. */
static void order_drill(struct play *play, const struct arguments *arguments)
{
    struct order order = {.kind = ORDER_DRILL, .is_anyway = arguments->word != NULL, .is_confirmed = true};

    if (!give_order(play, arguments, order))
        return;
    if (strcmp(play->hosts[play->world.domains[arguments->machine].hypervisor], LOCAL_HOST) == 0)
        world_kill(&play->world, arguments->machine);
    else
        world_happen(&play->world, arguments->machine, EVENT_STOPPED_DESTROYED);
}

static void announce_drill(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments, (struct order){.kind = ORDER_DRILL, .is_confirmed = true});
}

static void call_drill_off(struct play *play, const struct arguments *arguments)
{
    struct machine_ref ref = machine_ref_of(world_machine(&play->world, arguments->machine));

    coordinator_call_off_drill(play->world.coordinator, &ref, "as the scenario has it", play->world.now);
}

static void order_recovery(struct play *play, const struct arguments *arguments)
{
    const char *in_spite_of = arguments->word != NULL ? arguments->word : "";

    give_order(play, arguments,
               (struct order){
                   .kind = ORDER_RECOVER,
                   .ignores_limit = strcmp(in_spite_of, "limit") == 0,
                   .ignores_quarantine = strcmp(in_spite_of, "quarantine") == 0,
               });
}

static void order_failover(struct play *play, const struct arguments *arguments)
{
    struct order order = {
        .kind = ORDER_FAILOVER,
        .has_to = arguments->has_other,
        .is_forced = arguments->word != NULL && strcmp(arguments->word, "force") == 0,
        .is_anyway = arguments->word != NULL && strcmp(arguments->word, "anyway") == 0,
    };

    if (order.has_to)
        order.to = machine_ref_of(world_machine(&play->world, arguments->other));
    give_order(play, arguments, order);
}

static void order_failback(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments, (struct order){.kind = ORDER_FAILBACK, .is_confirmed = arguments->word != NULL});
}

static void order_rehearsal(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments, (struct order){.kind = ORDER_REHEARSE, .is_confirmed = arguments->word != NULL});
}

static void begin_problem(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    coordinator_set_severe_problems(play->world.coordinator, 1);
}

static void end_problem(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    coordinator_set_severe_problems(play->world.coordinator, 0);
}

static void order_evacuation(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments,
               (struct order){
                   .kind = ORDER_EVACUATE,
                   .is_confirmed = arguments->word != NULL,
                   .reason = "maintenance",
                   .time_us = arguments->time_us,
               });
}

static void order_keeping(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments, (struct order){.kind = ORDER_KEEP});
}

static void order_clearing(struct play *play, const struct arguments *arguments)
{
    give_order(play, arguments, (struct order){.kind = ORDER_CLEAR});
}

static void ask_plan(struct play *play, const struct arguments *arguments)
{
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    int r = coordinator_explain(play->world.coordinator, world_machine(&play->world, arguments->machine), SIZE_MAX,
                                play->world.now, &explanation);

    if (r < 0)
        scenario_fail(arguments->line, "cannot be explained: %s", strerror(-r));
    put_explanation(play, explanation);
}

static void read_reasons(struct play *play, const struct arguments *arguments)
{
    const struct recovery *recovery = NULL;

    if (world_recoveries(&play->world, arguments->machine, &recovery) == 0 || recovery->explanation == NULL)
        scenario_fail(arguments->line, "no decision about this machine is recorded");
    put_explanation(play, recovery->explanation);
}

static void kill_daemon(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    world_stop_daemon(&play->world);
}

static void start_daemon(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    world_start_daemon(&play->world);
    for (unsigned i = 0; i < play->n_hosts; i++)
        if (play->is_up[i])
            world_connect(&play->world, i);
        else
            world_disconnect(&play->world, i);
}

static void lose_store(struct play *play, const struct arguments *arguments)
{
    (void)arguments;
    world_lose_store(&play->world);
}

/* What the machine's metadata says of it. */
static void read_mark(struct play *play, const struct arguments *arguments)
{
    const struct world_domain *domain = &play->world.domains[arguments->machine];
    struct mark mark;

    if (domain->mark[0] == '\0')
        put(play, "mark %s \"none\"", domain->name);
    else if (mark_scan(domain->mark, &mark))
        put(play, "mark %s \"%s%s\"", domain->name, mark.is_warm ? "warm" : "serves ", mark.service);
}

/* Words in capitals stand for something; KEY=VALUE is a setting. */
static const struct {
    const char *pattern;
    void (*play)(struct play *play, const struct arguments *arguments);
    bool needs_daemon;
} commands[] = {
    {"MACHINE EVENT", happen, false},
    {"MACHINE migrates to OTHER", migrate, false},
    {"MACHINE silently STATE REASON", change_silently, false},
    {"MACHINE silently leaves", leave_silently, false},
    {"MACHINE KEY=VALUE", change_setting, false},
    {"MACHINE silently KEY=VALUE", change_setting_silently, false},
    {"HOST cannot be reached", cut_connection, false},
    {"HOST can be reached again", restore_connection, false},
    {"HOST has SIZE free", set_free_memory, false},
    {"HOST loses power", lose_power, false},
    {"HOST boots", boot, false},
    {"the daemon's host shuts down", shut_host_down, true},
    {"the daemon's host stays up", keep_host_up, true},
    {"fencing WORKS|FAILS|LIES", set_fencing, false},
    {"the store WORKS|FAILS|HANGS", set_store, false},
    {"the configuration is reloaded", reload, true},
    {"no standby is to be kept warm", switch_warmth_off, true},
    {"one standby is to be kept warm", switch_warmth_on, true},
    {"the operator releases the brake", release_brake, true},
    {"the operator holds everything", hold_all, true},
    {"the operator holds everything for TIME", hold_all, true},
    {"the operator holds HOST", hold_host, true},
    {"the operator holds HOST for TIME", hold_host, true},
    {"the operator holds MACHINE", hold_machine, true},
    {"the operator holds MACHINE for TIME", hold_machine, true},
    {"the operator releases everything", release_all, true},
    {"the operator releases HOST", release_host, true},
    {"the operator releases MACHINE", release_machine, true},
    {"the operator confirms that HOST is off", confirm_off, true},
    {"the operator drills MACHINE", order_drill, true},
    {"the operator drills MACHINE ANYWAY", order_drill, true},
    {"the operator drills MACHINE and nothing happens yet", announce_drill, true},
    {"the drill of MACHINE fails", call_drill_off, true},
    {"the operator recovers MACHINE", order_recovery, true},
    {"the operator recovers MACHINE in spite of the LIMIT|QUARANTINE", order_recovery, true},
    {"the operator clears MACHINE", order_clearing, true},
    {"the operator fails MACHINE over", order_failover, true},
    {"the operator fails MACHINE over with FORCE", order_failover, true},
    {"the operator fails MACHINE over to OTHER", order_failover, true},
    {"the operator fails MACHINE over to OTHER FORCE|ANYWAY", order_failover, true},
    {"the operator fails MACHINE back", order_failback, true},
    {"the operator fails MACHINE back and accepts an OUTAGE", order_failback, true},
    {"the operator evacuates HOST", order_evacuation, true},
    {"the operator evacuates HOST and accepts an OUTAGE", order_evacuation, true},
    {"the operator evacuates HOST for TIME and accepts an OUTAGE", order_evacuation, true},
    {"the operator rehearses MACHINE", order_rehearsal, true},
    {"the operator rehearses MACHINE and accepts an OUTAGE", order_rehearsal, true},
    {"there is a severe problem", begin_problem, true},
    {"there is no severe problem", end_problem, true},
    {"the operator keeps what serves MACHINE", order_keeping, true},
    {"the operator asks what would replace MACHINE", ask_plan, true},
    {"the operator asks why for MACHINE", read_reasons, true},
    {"the daemon is killed", kill_daemon, true},
    {"the daemon starts", start_daemon, false},
    {"the state directory is lost", lose_store, false},
    {"the operator reads the metadata of MACHINE", read_mark, false},
};

/* "WORKS|FAILS" takes "works" and "fails". */
static bool is_choice(const char *choices, const char *word)
{
    size_t length;

    for (; *choices != '\0'; choices += length + (choices[length] == '|')) {
        length = strcspn(choices, "|");
        if (strlen(word) == length && strncasecmp(choices, word, length) == 0)
            return true;
    }
    return false;
}

static bool take_word(const struct play *play, const char *pattern, const char *word, struct arguments *arguments)
{
    if (strcmp(pattern, "MACHINE") == 0)
        return find_machine(play, word, &arguments->machine);
    if (strcmp(pattern, "OTHER") == 0)
        return arguments->has_other = find_machine(play, word, &arguments->other);
    if (strcmp(pattern, "FORCE") == 0 || strcmp(pattern, "ANYWAY") == 0 || strcmp(pattern, "OUTAGE") == 0) {
        arguments->word = word;
        return strcasecmp(pattern, word) == 0;
    }
    if (strcmp(pattern, "HOST") == 0)
        return find_host(play, word, &arguments->host);
    if (strcmp(pattern, "EVENT") == 0)
        return parse_event(word, &arguments->event);
    if (strcmp(pattern, "STATE") == 0)
        return parse_state(word, &arguments->state);
    if (strcmp(pattern, "REASON") == 0)
        return parse_reason(word, &arguments->reason);
    if (strcmp(pattern, "TIME") == 0)
        return duration_parse(word, &arguments->time_us) == 0;
    if (strcmp(pattern, "SIZE") == 0)
        return size_parse(word, &arguments->bytes) == 0;
    if (strcmp(pattern, "KEY=VALUE") == 0) {
        arguments->word = word;
        return strchr(word, '=') != NULL;
    }
    if (strchr(pattern, '|') != NULL) {
        arguments->word = word;
        return is_choice(pattern, word);
    }
    return strcmp(pattern, word) == 0;
}

static bool matches(const struct play *play, const char *pattern, const struct words *words,
                    struct arguments *arguments)
{
    struct words wanted = words_split(words->line, pattern);
    bool all = wanted.count == words->count;

    *arguments = (struct arguments){.line = words->line};
    for (size_t i = 0; all && i < words->count; i++)
        all = take_word(play, wanted.word[i], words->word[i], arguments);
    words_done(&wanted);
    return all;
}

static void let_happen(struct play *play, const struct entry *entry)
{
    struct words words = words_split(entry->line, entry->text);
    struct arguments arguments;
    size_t i = 0;

    while (i < ELEMENTS_OF(commands) && !matches(play, commands[i].pattern, &words, &arguments))
        i++;
    if (i == ELEMENTS_OF(commands)) {
        fprintf(stderr, "what may happen:\n");
        for (size_t j = 0; j < ELEMENTS_OF(commands); j++)
            fprintf(stderr, "  %s\n", commands[j].pattern);
        scenario_fail(entry->line, "not understood, or no such machine, host, event or state: %s", entry->text);
    }
    if (commands[i].needs_daemon && play->world.coordinator == NULL)
        scenario_fail(entry->line, "the daemon does not run");
    commands[i].play(play, &arguments);
    world_drive(&play->world);
    words_done(&words);
}

/* ---- setting it up ---- */

/* "local" is the daemon's own host, the others are remote. */
static void name_hosts(struct play *play, const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->machines.n_entries; i++) {
        struct words words = words_split(scenario->machines.entries[i].line, scenario->machines.entries[i].text);
        const char *name = LOCAL_HOST;
        unsigned known;

        for (size_t j = 3; j < words.count; j++)
            if (strncmp(words.word[j], "on=", 3) == 0)
                name = words.word[j] + 3;
        if (!find_host(play, name, &known)) {
            if (play->n_hosts == WORLD_HYPERVISORS)
                scenario_fail(words.line, "more than %d hosts", WORLD_HYPERVISORS);
            play->hosts[play->n_hosts] = strdup(name);
            assert_non_null(play->hosts[play->n_hosts++]);
        }
        words_done(&words);
    }
}

static void read_config(struct play *play, const struct scenario *scenario)
{
    struct diags diags = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    fprintf(stream, "%s%*shypervisors:\n", scenario->yaml, (int)scenario->config_indent, "");
    for (unsigned i = 0; i < play->n_hosts; i++) {
        bool is_local = strcmp(play->hosts[i], LOCAL_HOST) == 0;

        fprintf(stream, "%*s  - {name: %s, uri: \"qemu%s%s/system\"}\n", (int)scenario->config_indent, "",
                play->hosts[i], is_local ? "://" : "+tls://", is_local ? "" : play->hosts[i]);
    }
    assert_int_equal(fclose(stream), 0);
    if (config_parse(text, size, NULL, &diags, &play->config) < 0)
        for (size_t i = 0; i < diags.count; i++)
            if (diags.items[i].severity == DIAG_ERROR)
                scenario_fail(diags.items[i].line, "%s", diags.items[i].message);
    diags_done(&diags);
    free(text);
}

static void add_machine(struct play *play, const struct entry *entry)
{
    struct words words = words_split(entry->line, entry->text);
    unsigned number = play->world.n_domains, roles;
    enum machine_state state = MACHINE_SHUT_OFF;
    bool has_saved = words.count > 2 && strcmp(words.word[2], "saved") == 0;
    bool is_undefined = words.count > 2 && strcmp(words.word[2], "undefined") == 0;

    if (words.count < 3 || machine_roles_parse(words.word[1], &roles) < 0 ||
        (!has_saved && !is_undefined && !parse_state(words.word[2], &state)))
        scenario_fail(
            entry->line,
            "a machine is: NAME ROLE STATE [KEY=VALUE …] [KIND/VALUE …]; a role is protected, standby or both "
            "with a comma; a state is running, off, saved, paused, preserved, template or undefined");
    if (number == WORLD_DOMAINS || strlen(entry->text) >= sizeof(play->features[0]))
        scenario_fail(entry->line, "more than %d machines, or a line too long", WORLD_DOMAINS);
    world_add(&play->world, strcpy(play->strings[number][0], words.word[0]), play->features[number], state);
    play->world.domains[number].role = roles == ROLE_IGNORED                      ? "ignored"
                                       : roles == (ROLE_PROTECTED | ROLE_STANDBY) ? "protected,standby"
                                       : roles == ROLE_STANDBY                    ? "standby"
                                                                                  : "protected";
    play->world.domains[number].has_saved = has_saved;
    if (state == MACHINE_TEMPLATE)
        play->world.domains[number].template = play->strings[number][0];
    play->world.domains[number].exists = !is_undefined;
    for (size_t i = 3; i < words.count; i++)
        if (strchr(words.word[i], '=') != NULL)
            set(play, entry->line, number, words.word[i]);
        else
            strcat(strcat(play->features[number], play->features[number][0] != '\0' ? " " : ""), words.word[i]);
    words_done(&words);
}

static void set_up(struct play *play, const struct scenario *scenario)
{
    name_hosts(play, scenario);
    read_config(play, scenario);
    world_begin_with(&play->world, play->config);
    for (unsigned i = 0; i < play->n_hosts; i++) {
        play->world.free_memory_kib[i] = HOST_FREE_KIB;
        play->world.booted_us[i] = play->world.now.mono_us - HOST_UPTIME_US;
        play->is_up[i] = true;
    }
    for (size_t i = 0; i < scenario->machines.n_entries; i++)
        add_machine(play, &scenario->machines.entries[i]);
    play->began_us = play->world.now.mono_us;
    play->world.observer = play;
    play->world.see_action = see_action;
    play->world.see_notice = see_notice;
    world_connect_all(&play->world);
    play->is_connected = true;
}

static void tear_down(struct play *play)
{
    world_end(&play->world);
    config_free(play->config);
    for (unsigned i = 0; i < play->n_hosts; i++)
        free((char *)play->hosts[i]);
}

void scenario_play(const struct scenario *scenario, struct transcript *ret)
{
    struct play *play = calloc(1, sizeof(*play));
    const struct transcript *course = &scenario->course;
    int64_t last_us = 0;

    assert_non_null(play);
    play->transcript = ret;
    set_up(play, scenario);
    for (size_t i = 0; i < course->n_entries && course->entries[i].at_us != AT_END; i++) {
        const struct entry *entry = &course->entries[i];

        last_us = entry->at_us;
        if (entry->is_output)
            continue;
        world_pass(&play->world, play->began_us + entry->at_us - play->world.now.mono_us);
        transcript_add(ret, entry->line, entry->at_us, false, entry->text);
        let_happen(play, entry);
    }
    world_pass(&play->world, play->began_us + last_us + QUIET_US - play->world.now.mono_us);
    if (play->world.coordinator == NULL)
        scenario_fail(0, "the daemon does not run at the end");
    put_end(play);
    tear_down(play);
    free(play);
}
