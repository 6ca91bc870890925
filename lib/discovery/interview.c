/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Topics, and for each the ways to learn of it, the best first; the first one that works is enough. */
#include "discovery/interview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/agent_words.h"

#define READ_BYTES 49152 /* of a file at once */
#define POLLS_MAX  150   /* of a program that runs */

enum topic {
    TOPIC_PACKAGES,
    TOPIC_SERVICES,
    TOPIC_SOCKETS,
    TOPIC_VOLUMES,
};

enum means {
    MEANS_EXEC,
    MEANS_FILE,
};

typedef int take_function(struct guest *guest, const struct agent_text *text, const struct agent_text *second);

static int take_packages(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    (void)second;
    guest_take_packages(guest, text->text, text->length);
    return 0;
}

static int take_dnf(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    (void)second;
    guest_take_dnf(guest, text->text, text->length);
    return 0;
}

static int take_rpm(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    return guest_take_rpm(guest, text->text, text->length, second->text, second->length);
}

static int take_yumdb(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    (void)second;
    guest_take_yumdb(guest, text->text, text->length);
    return 0;
}

static int take_dpkg(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    return guest_take_dpkg(guest, text->text, text->length, second->text, second->length);
}

static int take_units(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    guest_take_units(guest, text->text, text->length);
    if (second->text != NULL)
        guest_take_unit_files(guest, second->text, second->length);
    return 0;
}

static int take_runlevel(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    (void)second;
    guest_take_runlevel(guest, text->text, text->length);
    return 0;
}

static int take_sockets(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    guest_take_sockets(guest, text->text, text->length);
    if (second->text != NULL)
        guest_take_sockets(guest, second->text, second->length);
    return 0;
}

static int take_fstab(struct guest *guest, const struct agent_text *text, const struct agent_text *second)
{
    (void)second;
    guest_take_fstab(guest, text->text, text->length);
    return 0;
}

/* One or two programs with their arguments, or files. The second may be missing: not there, or its program fails. */
static const struct way {
    enum topic topic;
    const char *family; /* NULL: of any system */
    enum means means;
    take_function *take;
    const char *words[2][8];
} ways[] = {
    {TOPIC_PACKAGES, "debian", MEANS_EXEC, take_packages, {{"/usr/bin/apt-mark", "showmanual"}}},
    {TOPIC_PACKAGES, "debian", MEANS_FILE, take_dpkg, {{"/var/lib/dpkg/status"}, {"/var/lib/apt/extended_states"}}},
    {TOPIC_PACKAGES,
     "redhat",
     MEANS_EXEC,
     take_dnf,
     {{"/usr/bin/dnf", "-q", "--disablerepo=*", "repoquery", "--userinstalled", "--qf", "%{name} %{reason}\n"}}},
    {TOPIC_PACKAGES,
     "redhat", /* a dnf that cannot tell reasons */
     MEANS_EXEC,
     take_packages,
     {{"/usr/bin/dnf", "-q", "--disablerepo=*", "repoquery", "--userinstalled", "--qf", "%{name}\n"}}},
    {TOPIC_PACKAGES,
     "redhat", /* with yum, up to 7 */
     MEANS_EXEC,
     take_yumdb,
     {{"/usr/bin/grep", "-rlx", "--include=reason", "user", "/var/lib/yum/yumdb"}}},
    {TOPIC_PACKAGES,
     "suse", /* zypper takes a lock */
     MEANS_EXEC,
     take_rpm,
     {{"/usr/bin/rpm", "-qa", "--qf", "%{NAME}\n"}, {"/bin/cat", "/var/lib/zypp/AutoInstalled"}}},
    {TOPIC_PACKAGES, "arch", MEANS_EXEC, take_packages, {{"/usr/bin/pacman", "-Qqe"}}},
    {TOPIC_PACKAGES, "alpine", MEANS_FILE, take_packages, {{"/etc/apk/world"}}},
    {TOPIC_PACKAGES, "alpine", MEANS_EXEC, take_packages, {{"/bin/cat", "/etc/apk/world"}}},
    {TOPIC_SERVICES, "alpine", MEANS_EXEC, take_runlevel, {{"/sbin/rc-update", "show", "default"}}},
    {TOPIC_SERVICES,
     NULL,
     MEANS_EXEC,
     take_units,
     {{"/usr/bin/systemctl", "show", "--property=Id,UnitFileState,ActiveState,ExecStart", "*"},
      {"/usr/bin/systemctl", "list-unit-files", "--type=service", "--state=enabled", "--no-legend"}}},
    {TOPIC_SOCKETS, NULL, MEANS_FILE, take_sockets, {{"/proc/net/tcp"}, {"/proc/net/tcp6"}}},
    {TOPIC_SOCKETS, NULL, MEANS_EXEC, take_sockets, {{"/bin/cat", "/proc/net/tcp"}, {"/bin/cat", "/proc/net/tcp6"}}},
    {TOPIC_VOLUMES, NULL, MEANS_FILE, take_fstab, {{"/etc/fstab"}}},
    {TOPIC_VOLUMES, NULL, MEANS_EXEC, take_fstab, {{"/bin/cat", "/etc/fstab"}}},
};

enum phase {
    PHASE_INFO,
    PHASE_FREEZE,
    PHASE_SYSTEM,
    PHASE_MOUNTS,
    PHASE_WAYS, /* which is next is looked at */
    PHASE_EXEC,
    PHASE_EXEC_PAUSE,
    PHASE_EXEC_STATUS,
    PHASE_OPEN,
    PHASE_READ,
    PHASE_CLOSE,
    PHASE_END,
};

struct interview {
    struct guest guest;
    enum software_mode mode;
    enum phase phase;
    char *command; /* the last one */
    unsigned n_commands;
    bool may_exec, may_read; /* the agent allows it */
    bool was_possible;
    bool is_of_ports;
    unsigned topics; /* a bit for each that was learned of, or is not asked for */
    size_t way;
    unsigned polls;
    size_t step; /* the first or the second of a way */
    int64_t handle;
    bool is_complete; /* the file was read to its end */
    struct agent_text texts[2];
};

int interview_new(const struct catalog *catalog, enum software_mode mode, struct interview **ret)
{
    _cleanup_(interview_freep) struct interview *interview = calloc(1, sizeof(*interview));

    if (interview == NULL || guest_init(&interview->guest, catalog) < 0)
        return -ENOMEM;
    interview->mode = mode;
    *ret = steal_pointer(&interview);
    return 0;
}

int interview_new_of_ports(enum software_mode mode, struct interview **ret)
{
    struct interview *interview = calloc(1, sizeof(*interview));

    if (interview == NULL)
        return -ENOMEM;
    interview->mode = mode;
    interview->is_of_ports = true;
    interview->topics = ~(1u << TOPIC_SOCKETS);
    *ret = interview;
    return 0;
}

void interview_free(struct interview *interview)
{
    if (interview == NULL)
        return;
    guest_done(&interview->guest);
    agent_text_done(&interview->texts[0]);
    agent_text_done(&interview->texts[1]);
    free(interview->command);
    free(interview);
}

const struct guest *interview_guest(const struct interview *interview)
{
    return &interview->guest;
}

bool interview_was_possible(const struct interview *interview)
{
    return interview->was_possible;
}

static bool is_allowed(const struct interview *interview, enum means means)
{
    if (means == MEANS_EXEC)
        return interview->may_exec && interview->mode != SOFTWARE_FILES;
    return interview->may_read && interview->mode != SOFTWARE_EXEC;
}

static bool is_for(const struct interview *interview, const struct way *way)
{
    return way->family == NULL ||
           (interview->guest.family != NULL && strcmp(way->family, interview->guest.family) == 0);
}

/* Some way to learn of it is allowed. */
static bool can_be_learned(const struct interview *interview, enum topic topic)
{
    for (size_t i = 0; i < ELEMENTS_OF(ways) && interview->mode != SOFTWARE_OFF; i++)
        if (ways[i].topic == topic && is_allowed(interview, ways[i].means) && is_for(interview, &ways[i]))
            return true;
    return false;
}

bool interview_is_complete(const struct interview *interview)
{
    static const enum topic needed[] = {TOPIC_PACKAGES, TOPIC_SERVICES, TOPIC_SOCKETS};

    if (interview->guest.os[0] == '\0' || interview->guest.is_starting)
        return false;
    for (size_t i = 0; i < ELEMENTS_OF(needed); i++)
        if ((interview->topics & 1u << needed[i]) == 0 && can_be_learned(interview, needed[i]))
            return false;
    return true;
}

enum guest_lack interview_lack(const struct interview *interview)
{
    if (interview->mode == SOFTWARE_OFF)
        return GUEST_LACKS_NOTHING;
    if (!interview->may_exec && interview->mode != SOFTWARE_FILES && !interview->guest.knows_services)
        return GUEST_LACKS_EXEC;
    if (!interview_is_complete(interview))
        return GUEST_LACKS_ANSWERS;
    return interview->guest.family == NULL ? GUEST_LACKS_SYSTEM : GUEST_LACKS_NOTHING;
}

const char *interview_lack_sentence(enum guest_lack lack)
{
    switch (lack) {
    case GUEST_LACKS_EXEC:
        return "its guest agent must not run programs, so its services are not known: in the guest, allow guest-exec "
               "and guest-exec-status in /etc/sysconfig/qemu-ga (remove them from BLACKLIST_RPC, BLOCK_RPCS or "
               "--block-rpcs=, or add them to --allow-rpcs=) or in qemu-ga.conf (block-rpcs), and restart "
               "qemu-guest-agent";
    case GUEST_LACKS_SYSTEM:
        return "no catalog knows its system, so its packages are not known: add the system to a file in "
               "/etc/understudy/catalog.d";
    case GUEST_LACKS_ANSWERS:
        return "its packages or services were not told this time; what was known of them before stays";
    case GUEST_LACKS_NOTHING:
    case GUEST_LACK_COUNT:
        break;
    }
    return NULL;
}

const char *interview_lack_of_ports(const struct interview *interview)
{
    if (interview->guest.knows_ports)
        return NULL;
    if (interview->mode == SOFTWARE_OFF)
        return "discovery.software is off";
    if (!can_be_learned(interview, TOPIC_SOCKETS))
        return "its guest agent must neither read files nor run programs";
    return "its guest does not tell";
}

/* ---- the way through ---- */

static void begin_texts(struct interview *interview)
{
    agent_text_done(&interview->texts[0]);
    agent_text_done(&interview->texts[1]);
    interview->step = 0;
}

static void begin_step(struct interview *interview)
{
    interview->polls = 0;
    interview->phase = ways[interview->way].means == MEANS_EXEC ? PHASE_EXEC : PHASE_OPEN;
}

/* The next way to a topic of which nothing was learned yet. */
static void find_way(struct interview *interview)
{
    begin_texts(interview);
    for (; interview->way < ELEMENTS_OF(ways) && interview->mode != SOFTWARE_OFF; interview->way++) {
        const struct way *way = &ways[interview->way];

        if ((interview->topics & 1u << way->topic) != 0 || !is_allowed(interview, way->means) ||
            !is_for(interview, way))
            continue;
        begin_step(interview);
        return;
    }
    interview->phase = PHASE_END;
}

/* With what was read, or on to the next way. */
static void end_way(struct interview *interview, bool is_good)
{
    const struct way *way = &ways[interview->way++];

    if (is_good && interview->texts[0].text != NULL &&
        way->take(&interview->guest, &interview->texts[0], &interview->texts[1]) == 0)
        interview->topics |= 1u << way->topic;
    interview->phase = PHASE_WAYS;
}

enum outcome {
    OUTCOME_GOOD,
    OUTCOME_MISSING, /* there is no such file, or the program fails */
    OUTCOME_HALF,    /* not all of it was told */
};

static void end_step(struct interview *interview, enum outcome outcome)
{
    bool is_second = interview->step > 0;

    if (is_second && outcome == OUTCOME_MISSING)
        agent_text_done(&interview->texts[1]);
    if (outcome == OUTCOME_GOOD && !is_second && ways[interview->way].words[1][0] != NULL) {
        interview->step = 1;
        begin_step(interview);
    } else {
        end_way(interview, outcome == OUTCOME_GOOD || (is_second && outcome == OUTCOME_MISSING));
    }
}

static char *make_command(const struct interview *interview)
{
    switch (interview->phase) {
    case PHASE_INFO:
        return agent_command("guest-info");
    case PHASE_FREEZE:
        return agent_command("guest-fsfreeze-status");
    case PHASE_SYSTEM:
        return agent_command("guest-get-osinfo");
    case PHASE_MOUNTS:
        return agent_command("guest-get-fsinfo");
    case PHASE_EXEC:
        return agent_command_exec(ways[interview->way].words[interview->step]);
    case PHASE_EXEC_STATUS:
        return agent_command_exec_status(interview->handle);
    case PHASE_OPEN:
        return agent_command_open(ways[interview->way].words[interview->step][0]);
    case PHASE_READ:
        return agent_command_read(interview->handle, READ_BYTES);
    case PHASE_CLOSE:
        return agent_command_close(interview->handle);
    case PHASE_WAYS:
    case PHASE_EXEC_PAUSE:
    case PHASE_END:
        break;
    }
    return NULL;
}

/* It has no end, or there is no memory: what was learned is half of it. */
static enum interview_step break_off(struct interview *interview)
{
    interview->was_possible = false;
    interview->phase = PHASE_END;
    return INTERVIEW_END;
}

enum interview_step interview_next(struct interview *interview, const char **ret_command)
{
    if (interview->phase == PHASE_WAYS)
        find_way(interview);
    if (interview->phase == PHASE_EXEC_PAUSE) {
        interview->phase = PHASE_EXEC_STATUS;
        return INTERVIEW_WAIT;
    }
    if (interview->phase == PHASE_END)
        return INTERVIEW_END;
    if (interview->n_commands++ >= INTERVIEW_COMMANDS_MAX)
        return break_off(interview);
    free(interview->command);
    interview->command = make_command(interview);
    *ret_command = interview->command;
    return interview->command != NULL ? INTERVIEW_SEND : break_off(interview);
}

/* ---- answers ---- */

static void take_info(struct interview *interview, const json_t *info)
{
    interview->may_exec = agent_knows(info, "guest-exec") && agent_knows(info, "guest-exec-status");
    interview->may_read = agent_knows(info, "guest-file-open") && agent_knows(info, "guest-file-read") &&
                          agent_knows(info, "guest-file-close");
    interview->was_possible = interview->is_of_ports && info != NULL;
    interview->phase = info == NULL ? PHASE_END : interview->is_of_ports ? PHASE_WAYS : PHASE_FREEZE;
}

/* Of one that cannot say so, file systems are not frozen by its agent. */
static void take_freeze(struct interview *interview, const json_t *status)
{
    bool is_frozen = json_is_string(status) && strcmp(json_string_value(status), "thawed") != 0;

    interview->was_possible = !is_frozen;
    interview->phase = is_frozen ? PHASE_END : PHASE_SYSTEM;
}

static void take_system(struct interview *interview, const json_t *system)
{
    const char *id = agent_text(system, "id");

    if (id != NULL)
        guest_take_system(&interview->guest, id, agent_text(system, "version-id"));
    interview->phase = PHASE_MOUNTS;
}

static void take_mounts(struct interview *interview, const json_t *mounts)
{
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        const char *mountpoint = agent_text(json_array_get(mounts, i), "mountpoint");
        const char *type = agent_text(json_array_get(mounts, i), "type");

        if (mountpoint != NULL && type != NULL)
            guest_take_volume(&interview->guest, mountpoint, type, NULL);
    }
    interview->phase = PHASE_WAYS;
}

static void take_pid(struct interview *interview, const json_t *answer)
{
    const json_t *pid = json_object_get(answer, "pid");

    interview->handle = json_integer_value(pid);
    if (json_is_integer(pid))
        interview->phase = PHASE_EXEC_PAUSE;
    else
        end_step(interview, OUTCOME_MISSING);
}

/* A program that was ended for saying too much has not said all. */
static void take_status(struct interview *interview, const json_t *status)
{
    const char *output = agent_text(status, "out-data");
    bool has_exited = json_is_true(json_object_get(status, "exited"));

    if (json_is_false(json_object_get(status, "exited")) && ++interview->polls < POLLS_MAX)
        interview->phase = PHASE_EXEC_PAUSE;
    else if (has_exited && json_integer_value(json_object_get(status, "exitcode")) != 0)
        end_step(interview, OUTCOME_MISSING);
    else if (has_exited && output != NULL && !json_is_true(json_object_get(status, "out-truncated")) &&
             agent_text_add(&interview->texts[interview->step], output, INTERVIEW_TEXT_MAX) == 0)
        end_step(interview, OUTCOME_GOOD);
    else
        end_step(interview, OUTCOME_HALF);
}

static void take_handle(struct interview *interview, const json_t *handle)
{
    interview->handle = json_integer_value(handle);
    interview->is_complete = false;
    if (json_is_integer(handle))
        interview->phase = PHASE_READ;
    else
        end_step(interview, OUTCOME_MISSING);
}

static void take_part(struct interview *interview, const json_t *part)
{
    const char *text = agent_text(part, "buf-b64");
    bool is_end = json_is_true(json_object_get(part, "eof"));

    if (text == NULL || (text[0] == '\0' && !is_end) ||
        agent_text_add(&interview->texts[interview->step], text, INTERVIEW_TEXT_MAX) < 0)
        is_end = true; /* and not to its end */
    else
        interview->is_complete = is_end;
    interview->phase = is_end ? PHASE_CLOSE : PHASE_READ;
}

static void take_close(struct interview *interview)
{
    end_step(interview, interview->is_complete ? OUTCOME_GOOD : OUTCOME_HALF);
}

void interview_answer(struct interview *interview, const char *answer)
{
    _cleanup_(json_decrefp) json_t *value = answer != NULL ? agent_read_answer(answer) : NULL;

    switch (interview->phase) {
    case PHASE_INFO:
        take_info(interview, value);
        break;
    case PHASE_FREEZE:
        take_freeze(interview, value);
        break;
    case PHASE_SYSTEM:
        take_system(interview, value);
        break;
    case PHASE_MOUNTS:
        take_mounts(interview, value);
        break;
    case PHASE_EXEC:
        take_pid(interview, value);
        break;
    case PHASE_EXEC_STATUS:
        take_status(interview, value);
        break;
    case PHASE_OPEN:
        take_handle(interview, value);
        break;
    case PHASE_READ:
        take_part(interview, value);
        break;
    case PHASE_CLOSE:
        take_close(interview);
        break;
    case PHASE_WAYS:
    case PHASE_EXEC_PAUSE:
    case PHASE_END:
        break;
    }
}
