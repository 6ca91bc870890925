/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for a machine's state and role. Knows no pool. */
#include "model/machine.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const state_names[MACHINE_STATE_COUNT] = {
    [MACHINE_UNKNOWN] = "unknown",     [MACHINE_RUNNING] = "running",   [MACHINE_PAUSED] = "paused",
    [MACHINE_STOPPING] = "stopping",   [MACHINE_SHUT_OFF] = "shut off", [MACHINE_CRASHED] = "crashed",
    [MACHINE_SUSPENDED] = "suspended", [MACHINE_GONE] = "gone",         [MACHINE_TEMPLATE] = "template",
};

static const char *const reason_names[REASON_COUNT] = {
    [REASON_UNKNOWN] = "unknown",
    [REASON_USER] = "user",
    [REASON_STARTING_UP] = "starting up",
    [REASON_IO_ERROR] = "I/O error",
    [REASON_WATCHDOG] = "watchdog",
    [REASON_BUSY] = "busy",
    [REASON_INCOMING] = "incoming",
    [REASON_POSTCOPY_FAILED] = "post-copy failed",
    [REASON_PANICKED] = "panicked",
    [REASON_CRASHED] = "crashed",
    [REASON_DAEMON] = "given up by libvirt",
    [REASON_FAILED] = "failed",
    [REASON_SHUTDOWN] = "shutdown",
    [REASON_DESTROYED] = "destroyed",
    [REASON_SAVED] = "saved",
    [REASON_MIGRATED] = "migrated",
    [REASON_SNAPSHOT] = "snapshot",
};

static const char *const warmth_names[WARMTH_COUNT] = {
    [WARMTH_TEMPLATE] = "template", [WARMTH_COLD] = "cold",       [WARMTH_SAVED] = "saved",
    [WARMTH_PAUSED] = "paused",     [WARMTH_RUNNING] = "running",
};

static const char *const keeping_names[KEEPING_COUNT] = {
    [KEEPING_NONE] = "no",
    [KEEPING_WARMING] = "warming",
    [KEEPING_WARM] = "warm",
    [KEEPING_ENDING] = "ending",
};

static const char *const warm_proof_names[PROOF_COUNT] = {
    [PROOF_NONE] = "none",       [PROOF_AGENT] = "agent",     [PROOF_PORTS] = "ports",
    [PROOF_COMMAND] = "command", [PROOF_QUIET] = "cpu-quiet",
};

const char *machine_state_name(enum machine_state state)
{
    return state_names[state];
}

const char *machine_reason_name(enum machine_reason reason)
{
    return reason_names[reason];
}

const char *warmth_name(enum warmth warmth)
{
    return warmth_names[warmth];
}

const char *keeping_name(enum keeping keeping)
{
    return keeping_names[keeping];
}

const char *warm_proof_name(enum warm_proof proof)
{
    return warm_proof_names[proof];
}

const char *machine_roles_name(unsigned roles)
{
    switch (roles) {
    case 0:
        return "none";
    case ROLE_PROTECTED:
        return "protected";
    case ROLE_STANDBY:
        return "standby";
    case ROLE_PROTECTED | ROLE_STANDBY:
        return "protected, standby";
    case ROLE_UNREADABLE:
        return "unreadable";
    default:
        return "ignored";
    }
}

static int role_from_word(const char *word, size_t length, unsigned *ret)
{
    static const struct {
        const char *word;
        unsigned role;
    } roles[] = {
        {"protected", ROLE_PROTECTED},
        {"standby", ROLE_STANDBY},
        {"ignored", ROLE_IGNORED},
    };

    for (size_t i = 0; i < ELEMENTS_OF(roles); i++)
        if (strlen(roles[i].word) == length && strncasecmp(roles[i].word, word, length) == 0) {
            *ret = roles[i].role;
            return 0;
        }
    return -EINVAL;
}

int machine_roles_parse(const char *text, unsigned *ret_roles)
{
    static const char separators[] = ", \t\n";
    unsigned roles = 0;

    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        size_t length = strcspn(text, separators);
        unsigned role;
        int r = role_from_word(text, length, &role);

        if (r < 0)
            return r;
        roles |= role;
        text += length;
    }
    if (roles == 0 || ((roles & ROLE_IGNORED) != 0 && roles != ROLE_IGNORED))
        return -EINVAL;
    *ret_roles = roles;
    return 0;
}

bool machine_state_is_active(enum machine_state state)
{
    switch (state) {
    case MACHINE_RUNNING:
    case MACHINE_PAUSED:
    case MACHINE_STOPPING:
    case MACHINE_CRASHED:
    case MACHINE_SUSPENDED:
        return true;
    case MACHINE_UNKNOWN:
    case MACHINE_SHUT_OFF:
    case MACHINE_GONE:
    case MACHINE_TEMPLATE:
    case MACHINE_STATE_COUNT:
    default:
        return false;
    }
}

bool machine_state_is_startable(enum machine_state state)
{
    return state == MACHINE_SHUT_OFF || state == MACHINE_TEMPLATE;
}

bool machine_state_is_in_service(enum machine_state state, enum machine_reason reason)
{
    switch (state) {
    case MACHINE_RUNNING:
    case MACHINE_SUSPENDED:
        return true;
    case MACHINE_PAUSED:
        return reason != REASON_USER && reason != REASON_STARTING_UP && reason != REASON_INCOMING;
    case MACHINE_UNKNOWN:
    case MACHINE_STOPPING:
    case MACHINE_SHUT_OFF:
    case MACHINE_CRASHED:
    case MACHINE_GONE:
    case MACHINE_TEMPLATE:
    case MACHINE_STATE_COUNT:
    default:
        return false;
    }
}

const struct machine_rare machine_nothing_rare;

struct machine_ref machine_ref_of(const struct machine *machine)
{
    struct machine_ref ref = {0};

    strncpy(ref.hypervisor, machine->hypervisor, sizeof(ref.hypervisor) - 1);
    uuid_format(machine->description->uuid, ref.uuid);
    return ref;
}

bool machine_ref_equal(const struct machine_ref *a, const struct machine_ref *b)
{
    return strcmp(a->uuid, b->uuid) == 0 && strcmp(a->hypervisor, b->hypervisor) == 0;
}

bool machine_is_ref(const struct machine *machine, const struct machine_ref *ref)
{
    struct machine_ref own = machine_ref_of(machine);

    return machine_ref_equal(&own, ref);
}

bool machine_is_incoming(const struct machine *machine)
{
    return machine->state == MACHINE_PAUSED && machine->reason == REASON_INCOMING;
}

/* Where a domain is rather than elsewhere. */
static int presence(const struct machine *machine)
{
    if (machine_is_incoming(machine) || machine->reason == REASON_MIGRATED)
        return 0;
    return machine_state_is_active(machine->state) ? 2 : 1;
}

bool machine_stands_for(const struct machine *machine, const struct machine *other)
{
    return uuid_equal(machine->description->uuid, other->description->uuid) && presence(machine) > presence(other);
}

bool machine_is_protected(const struct machine *machine)
{
    return (machine->roles & ROLE_PROTECTED) != 0 || (machine->serves != NULL && machine->serves->is_protected);
}

const char *machine_service_name(const struct machine *machine)
{
    return machine->serves != NULL ? machine->serves->name : machine_own_service_name(machine);
}

const char *machine_own_service_name(const struct machine *machine)
{
    return machine->description->service != NULL ? machine->description->service : machine->name;
}

const struct spec *machine_need(const struct machine *machine)
{
    return machine->serves != NULL ? &machine->serves->need : machine->spec;
}

int machine_priority(const struct machine *machine)
{
    return machine->serves != NULL ? machine->serves->priority : machine->priority;
}

static bool stands_by(const struct machine *machine)
{
    if (machine->keeping == KEEPING_WARMING)
        return true;
    if (machine->has_come_up)
        return false;
    if (machine_state_is_startable(machine->state))
        return true;
    return machine->state == MACHINE_PAUSED && machine->reason == REASON_USER;
}

/* What is on its way to being warm is claimed for that, and a recovery takes it over. */
static bool is_claimed(const struct machine *machine)
{
    if (machine->is_reserved || machine->keeping == KEEPING_ENDING)
        return true;
    return machine_rare(machine)->claimed_by != NULL && machine->keeping != KEEPING_WARMING;
}

/* An operator, or a backup tool, paused or saved it, and counts on finding it so. */
static bool is_under_operator(const struct machine *machine)
{
    bool is_saved = machine->state == MACHINE_SHUT_OFF && machine->has_managed_save && machine->has_foreign_image;

    return machine->keeping == KEEPING_NONE && (machine->state == MACHINE_PAUSED || is_saved);
}

bool machine_is_from_template_of(const struct machine *machine, const struct machine *other)
{
    return machine->state == MACHINE_TEMPLATE && other->description->template != NULL &&
           strcmp(machine->hypervisor, other->hypervisor) == 0 &&
           text_equal(machine->description->template, other->description->template);
}

bool machine_has_own_image(const struct machine *machine)
{
    return machine->has_managed_save && !machine->has_foreign_image;
}

enum standing machine_standing(const struct machine *machine, int64_t now_us)
{
    if ((machine->roles & ROLE_STANDBY) == 0)
        return STANDING_NOT_STANDBY;
    if (machine->hold != NULL || machine->is_closed)
        return STANDING_HELD;
    if (!machine->is_reachable)
        return STANDING_UNREACHABLE;
    if (!stands_by(machine))
        return STANDING_ELSEWISE;
    if (machine->failed_unrecovered)
        return STANDING_FAILED;
    if (is_claimed(machine))
        return STANDING_CLAIMED;
    if (is_under_operator(machine))
        return STANDING_OPERATORS;
    if (machine->description->obstacle != NULL)
        return STANDING_NOT_MAKEABLE;
    return machine_rare(machine)->quarantined_until_us > now_us ? STANDING_QUARANTINED : STANDING_BY;
}

bool machine_is_up(const struct machine *machine)
{
    return machine_state_is_active(machine->state) || machine->is_starting || machine->has_come_up;
}

enum warmth machine_warmth(const struct machine *machine)
{
    if (machine->state == MACHINE_RUNNING && machine->keeping == KEEPING_WARMING)
        return WARMTH_RUNNING;
    if (machine->state == MACHINE_PAUSED)
        return WARMTH_PAUSED;
    if (machine->state == MACHINE_TEMPLATE)
        return WARMTH_TEMPLATE;
    return machine->has_managed_save ? WARMTH_SAVED : WARMTH_COLD;
}
