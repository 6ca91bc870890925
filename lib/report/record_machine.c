/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines and hosts as JSON, written and read side by side. Of a machine all that is needed to replace it
 * when its host is gone and cannot be asked.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "report/record.h"
#include "report/record_reader.h"

/* Instants beyond are damage. */
#define TIME_LIMIT_US (INT64_MAX / 8)
/* Of what one machine has, of a kind. */
#define SIZE_LIMIT (INT64_MAX / 2)

static const char *const on_crash_words[] = {
    [ON_CRASH_DESTROY] = "destroy",
    [ON_CRASH_RESTART] = "restart",
    [ON_CRASH_PRESERVE] = "preserve",
};

static const char *const lack_words[] = {
    [GUEST_LACKS_NOTHING] = "nothing",
    [GUEST_LACKS_EXEC] = "exec",
    [GUEST_LACKS_SYSTEM] = "system",
    [GUEST_LACKS_ANSWERS] = "answers",
};

static const char *machine_state_word(int value)
{
    return machine_state_name((enum machine_state)value);
}

static const char *machine_reason_word(int value)
{
    return machine_reason_name((enum machine_reason)value);
}

static const char *keeping_word(int value)
{
    return keeping_name((enum keeping)value);
}

static const char *proof_word(int value)
{
    return warm_proof_name((enum warm_proof)value);
}

static const char *on_crash_word(int value)
{
    return on_crash_words[value];
}

static const char *lack_word(int value)
{
    return lack_words[value];
}

static const char *host_state_word(int value)
{
    return host_state_name((enum host_state)value);
}

static const struct record_vocabulary machine_states = {machine_state_word, MACHINE_STATE_COUNT};
static const struct record_vocabulary machine_reasons = {machine_reason_word, REASON_COUNT};
static const struct record_vocabulary keepings = {keeping_word, KEEPING_COUNT};
static const struct record_vocabulary proofs = {proof_word, PROOF_COUNT};
static const struct record_vocabulary on_crashes = {on_crash_word, ELEMENTS_OF(on_crash_words)};
static const struct record_vocabulary lacks = {lack_word, ELEMENTS_OF(lack_words)};
static const struct record_vocabulary host_states = {host_state_word, HOST_STATE_COUNT};

static json_t *disks_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();

    for (size_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];
        json_t *object = json_object();

        json_put(maker, object, "source", json_text(disk->source));
        json_put(maker, object, "pool", json_text(disk_pool(disk)));
        json_put(maker, object, "volume", json_text(disk_volume(disk)));
        json_put(maker, object, "target", json_text(disk_target(disk)));
        json_put(maker, object, "writable", json_boolean(disk->writable));
        json_put(maker, object, "shareable", json_boolean(disk->shareable));
        json_put(maker, object, "capacity_bytes", json_count(disk->capacity_bytes));
        if (disk->is_backing)
            json_put(maker, object, "is_backing", json_true());
        if (disk->has_chain)
            json_put(maker, object, "has_chain", json_true());
        if (disk_identity(disk) != disk->source)
            json_put(maker, object, "identity", json_text(disk_identity(disk)));
        if (disk->is_networked)
            json_put(maker, object, "is_networked", json_true());
        json_append(maker, array, object);
    }
    return array;
}

static void read_disk(struct record_reader *reader, const json_t *value, struct disk *disk)
{
    _cleanup_(freep) char *source = record_read_text(reader, value, "source");
    _cleanup_(freep) char *pool = record_read_text_or_null(reader, value, "pool");
    _cleanup_(freep) char *volume = record_read_text_or_null(reader, value, "volume");
    _cleanup_(freep) char *target = record_read_text_or_null(reader, value, "target");
    _cleanup_(freep) char *identity =
        record_is_absent(value, "identity") ? NULL : record_read_text_or_null(reader, value, "identity");

    disk->writable = record_read_bool(reader, value, "writable");
    disk->shareable = record_read_bool(reader, value, "shareable");
    disk->capacity_bytes = (uint64_t)record_read_integer(reader, value, "capacity_bytes", 0, INT64_MAX);
    if (!record_is_absent(value, "is_backing"))
        disk->is_backing = record_read_bool(reader, value, "is_backing");
    if (!record_is_absent(value, "has_chain"))
        disk->has_chain = record_read_bool(reader, value, "has_chain");
    if (!record_is_absent(value, "is_networked"))
        disk->is_networked = record_read_bool(reader, value, "is_networked");
    if (reader->error == 0)
        record_refuse(reader, disk_set_texts(disk, source, pool, volume, target));
    if (reader->error == 0 && identity != NULL)
        record_refuse(reader, disk_set_identity(disk, identity));
}

static void read_disks(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    const json_t *array = record_read_array(reader, object, "disks", sizeof(*description->disks), &description->disks);

    for (size_t i = 0; i < json_array_size(array) && reader->error == 0; i++)
        read_disk(reader, json_array_get(array, i), &description->disks[description->n_disks++]);
}

static json_t *macs_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();

    for (size_t i = 0; i < description->n_macs; i++) {
        char text[MAC_TEXT_SIZE];

        mac_format(description->macs[i], text);
        json_append(maker, array, json_text(text));
    }
    return array;
}

static void read_macs(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    struct string_list macs = {0};

    record_read_strings(reader, object, "macs", &macs);
    for (size_t i = 0; i < macs.count && reader->error == 0; i++)
        record_refuse(reader, domain_description_add_mac(description, macs.items[i]));
    string_list_done(&macs);
}

/* A record from before host devices were written down has none. */
static void read_hostdevs(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    struct string_list hostdevs = {0};

    if (record_is_absent(object, "hostdevs"))
        return;
    record_read_strings(reader, object, "hostdevs", &hostdevs);
    description->hostdevs = hostdevs.items;
    description->n_hostdevs = (uint32_t)hostdevs.count;
}

static json_t *features_value(struct json_maker *maker, const struct domain_description *description)
{
    json_t *array = json_array();
    struct feature_text feature;

    for (size_t place = 0; feature_texts_next(&description->features, &place, &feature);) {
        json_t *object = json_object();

        json_put(maker, object, "kind", json_text(feature.kind));
        json_put(maker, object, "value", json_text(feature.value));
        json_append(maker, array, object);
    }
    return array;
}

static void read_features(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    const json_t *array = json_object_get(object, "features");

    if (!json_is_array(array))
        record_refuse(reader, -EINVAL);
    for (size_t i = 0; i < json_array_size(array) && reader->error == 0; i++) {
        _cleanup_(freep) char *kind = record_read_text(reader, json_array_get(array, i), "kind");
        _cleanup_(freep) char *value = record_read_text_or_null(reader, json_array_get(array, i), "value");

        if (reader->error == 0)
            record_refuse(reader, feature_texts_add(&description->features, kind, value));
    }
}

static void read_roles(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    _cleanup_(freep) char *text = record_read_text_or_null(reader, object, "role");
    unsigned roles = 0;

    if (text != NULL && strcmp(text, machine_roles_name(ROLE_UNREADABLE)) == 0)
        roles = ROLE_UNREADABLE;
    else if (text != NULL)
        record_refuse(reader, machine_roles_parse(text, &roles));
    description->roles = (uint8_t)roles;
}

static json_t *description_value(struct json_maker *maker, const struct domain_description *description)
{
    const struct string_list hostdevs = {description->hostdevs, description->n_hostdevs};
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(description->name));
    json_put(maker, object, "vcpus", json_integer(description->vcpus));
    json_put(maker, object, "memory_kib", json_count(description->memory_kib));
    json_put(maker, object, "on_crash", json_text(on_crash_words[description->on_crash]));
    json_put(maker, object, "has_agent_channel", json_boolean(description->has_agent_channel));
    json_put(maker, object, "has_panic_device", json_boolean(description->has_panic_device));
    json_put(maker, object, "disks", disks_value(maker, description));
    json_put(maker, object, "macs", macs_value(maker, description));
    json_put(maker, object, "hostdevs", json_strings(maker, &hostdevs));
    json_put(maker, object, "osinfo_id", json_text(description->osinfo_id));
    json_put(maker, object, "has_metadata", json_boolean(description->has_metadata));
    json_put(maker, object, "role", json_text(description->roles != 0 ? machine_roles_name(description->roles) : NULL));
    json_put(maker, object, "has_priority", json_boolean(description->has_priority));
    json_put(maker, object, "priority", json_integer(description->priority));
    json_put(maker, object, "service", json_text(description->service));
    json_put(maker, object, "features", features_value(maker, description));
    return object;
}

static void read_description(struct record_reader *reader, const json_t *object, struct domain_description *description)
{
    description->name = record_read_text(reader, object, "name");
    description->vcpus = (uint32_t)record_read_integer(reader, object, "vcpus", 0, UINT32_MAX);
    description->memory_kib = (uint64_t)record_read_integer(reader, object, "memory_kib", 0, SIZE_LIMIT);
    description->on_crash = (enum on_crash)record_read_word(reader, object, "on_crash", &on_crashes);
    description->has_agent_channel = record_read_bool(reader, object, "has_agent_channel");
    description->has_panic_device = record_read_bool(reader, object, "has_panic_device");
    read_disks(reader, object, description);
    read_macs(reader, object, description);
    read_hostdevs(reader, object, description);
    description->osinfo_id = record_read_text_or_null(reader, object, "osinfo_id");
    description->has_metadata = record_read_bool(reader, object, "has_metadata");
    read_roles(reader, object, description);
    description->has_priority = record_read_bool(reader, object, "has_priority");
    description->priority = (int)record_read_integer(reader, object, "priority", INT_MIN, INT_MAX);
    description->service = record_read_text_or_null(reader, object, "service");
    read_features(reader, object, description);
}

int record_format_machine(const struct machine_memory *memory, const struct string_list *learned, char **ret)
{
    return record_format_described_machine(memory, learned, NULL, ret);
}

int record_format_described_machine(const struct machine_memory *memory, const struct string_list *learned,
                                    const struct domain_description *description, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "state", json_text(machine_state_name(memory->state)));
    json_put(&maker, object, "reason", json_text(machine_reason_name(memory->reason)));
    if (memory->failed_unrecovered)
        json_put(&maker, object, "failed_unrecovered", json_true());
    if (memory->failure_is_known)
        json_put(&maker, object, "failure_is_known", json_true());
    if (memory->went_down_with_host)
        json_put(&maker, object, "went_down_with_host", json_true());
    if (memory->has_own_image)
        json_put(&maker, object, "has_own_image", json_true());
    if (memory->autostart_is_off)
        json_put(&maker, object, "autostart_is_off", json_true());
    if (learned->count > 0)
        json_put(&maker, object, "learned", json_strings(&maker, learned));
    if (memory->learned_us != 0)
        json_put(&maker, object, "learned_us", json_integer(memory->learned_us));
    if (memory->lack != GUEST_LACKS_NOTHING)
        json_put(&maker, object, "lack", json_text(lack_word(memory->lack)));
    if (memory->keeping != KEEPING_NONE) {
        json_put(&maker, object, "keeping", json_text(keeping_name(memory->keeping)));
        json_put(&maker, object, "kept_since_us", json_integer(memory->kept_since_us));
        json_put(&maker, object, "warm_proof", json_text(warm_proof_name(memory->warm_proof)));
    }
    if (memory->quarantine.times > 0) {
        json_t *quarantine = json_object();

        json_put(&maker, quarantine, "begun_us", json_integer(memory->quarantine.begun_us));
        json_put(&maker, quarantine, "time_us", json_integer(memory->quarantine.time_us));
        json_put(&maker, quarantine, "times", json_integer(memory->quarantine.times));
        if (memory->quarantine.why[0] != '\0')
            json_put(&maker, quarantine, "why", json_text(memory->quarantine.why));
        json_put(&maker, object, "quarantine", quarantine);
    }
    if (memory->has_unread_mark)
        json_put(&maker, object, "has_unread_mark", json_true());
    if (memory->is_warm_by_mark)
        json_put(&maker, object, "is_warm_by_mark", json_true());
    if (memory->stopped_us != 0)
        json_put(&maker, object, "stopped_us", json_integer(memory->stopped_us));
    if (memory->asked_off_us != 0)
        json_put(&maker, object, "asked_off_us", json_integer(memory->asked_off_us));
    if (memory->idle_since_us != 0)
        json_put(&maker, object, "idle_since_us", json_integer(memory->idle_since_us));
    if (memory->has_left)
        json_put(&maker, object, "has_left", json_true());
    if (memory->removal_us != 0)
        json_put(&maker, object, "removal_us", json_integer(memory->removal_us));
    if (memory->drill.announced_us != 0) {
        json_t *drill = json_object();

        json_put(&maker, drill, "announced_us", json_integer(memory->drill.announced_us));
        json_put(&maker, drill, "by", json_text(memory->drill.by));
        json_put(&maker, drill, "is_destroy", json_boolean(memory->drill.is_destroy));
        json_put(&maker, drill, "is_rehearsal", json_boolean(memory->drill.is_rehearsal));
        json_put(&maker, object, "drill", drill);
    }
    if (description != NULL)
        json_put(&maker, object, "description", description_value(&maker, description));
    return record_finish(&maker, object, ret);
}

static int read_learned(const json_t *document, struct string_list *learned)
{
    const json_t *value;
    int r = 0;
    size_t i;

    json_array_foreach(json_object_get(document, "learned"), i, value)
    {
        if (r == 0)
            r = json_is_string(value) ? string_list_add(learned, json_string_value(value)) : -EINVAL;
    }
    return r;
}

static void read_why(struct record_reader *reader, const json_t *object, struct quarantine_memory *ret)
{
    _cleanup_(freep) char *why = record_read_text(reader, object, "why");

    if (why != NULL)
        snprintf(ret->why, sizeof(ret->why), "%s", why);
}

static int read_memory(const json_t *document, struct machine_memory *ret)
{
    struct record_reader reader = {0};
    struct machine_memory memory = {0};

    memory.state = (enum machine_state)record_read_word(&reader, document, "state", &machine_states);
    memory.reason = (enum machine_reason)record_read_word(&reader, document, "reason", &machine_reasons);
    if (!record_is_absent(document, "failed_unrecovered"))
        memory.failed_unrecovered = record_read_bool(&reader, document, "failed_unrecovered");
    if (!record_is_absent(document, "failure_is_known"))
        memory.failure_is_known = record_read_bool(&reader, document, "failure_is_known");
    if (!record_is_absent(document, "went_down_with_host"))
        memory.went_down_with_host = record_read_bool(&reader, document, "went_down_with_host");
    if (!record_is_absent(document, "has_own_image"))
        memory.has_own_image = record_read_bool(&reader, document, "has_own_image");
    if (!record_is_absent(document, "autostart_is_off"))
        memory.autostart_is_off = record_read_bool(&reader, document, "autostart_is_off");
    if (!record_is_absent(document, "keeping")) {
        memory.keeping = (enum keeping)record_read_word(&reader, document, "keeping", &keepings);
        memory.kept_since_us = record_read_integer(&reader, document, "kept_since_us", -TIME_LIMIT_US, TIME_LIMIT_US);
        if (!record_is_absent(document, "warm_proof"))
            memory.warm_proof = (enum warm_proof)record_read_word(&reader, document, "warm_proof", &proofs);
    }
    if (!record_is_absent(document, "quarantine")) {
        const json_t *quarantine = json_object_get(document, "quarantine");

        memory.quarantine = (struct quarantine_memory){
            .begun_us = record_read_integer(&reader, quarantine, "begun_us", -TIME_LIMIT_US, TIME_LIMIT_US),
            .time_us = record_read_integer(&reader, quarantine, "time_us", 1, TIME_LIMIT_US),
            .times = (unsigned)record_read_integer(&reader, quarantine, "times", 1, UINT_MAX),
        };
        if (!record_is_absent(quarantine, "why"))
            read_why(&reader, quarantine, &memory.quarantine);
    }
    if (!record_is_absent(document, "has_unread_mark"))
        memory.has_unread_mark = record_read_bool(&reader, document, "has_unread_mark");
    if (!record_is_absent(document, "is_warm_by_mark"))
        memory.is_warm_by_mark = record_read_bool(&reader, document, "is_warm_by_mark");
    if (!record_is_absent(document, "learned_us"))
        memory.learned_us = record_read_integer(&reader, document, "learned_us", -TIME_LIMIT_US, TIME_LIMIT_US);
    if (!record_is_absent(document, "lack"))
        memory.lack = (enum guest_lack)record_read_word(&reader, document, "lack", &lacks);
    if (!record_is_absent(document, "stopped_us"))
        memory.stopped_us = record_read_integer(&reader, document, "stopped_us", -TIME_LIMIT_US, TIME_LIMIT_US);
    if (!record_is_absent(document, "asked_off_us"))
        memory.asked_off_us = record_read_integer(&reader, document, "asked_off_us", -TIME_LIMIT_US, TIME_LIMIT_US);
    if (!record_is_absent(document, "idle_since_us"))
        memory.idle_since_us = record_read_integer(&reader, document, "idle_since_us", 0, TIME_LIMIT_US);
    if (!record_is_absent(document, "has_left"))
        memory.has_left = record_read_bool(&reader, document, "has_left");
    if (!record_is_absent(document, "removal_us"))
        memory.removal_us = record_read_integer(&reader, document, "removal_us", 0, TIME_LIMIT_US);
    if (!record_is_absent(document, "drill")) {
        const json_t *drill = json_object_get(document, "drill");

        memory.drill = (struct drill_memory){
            .announced_us = record_read_integer(&reader, drill, "announced_us", -TIME_LIMIT_US, TIME_LIMIT_US),
            .is_destroy = record_read_bool(&reader, drill, "is_destroy"),
        };
        if (!record_is_absent(drill, "by"))
            record_read_into(&reader, drill, "by", memory.drill.by, sizeof(memory.drill.by));
        if (!record_is_absent(drill, "is_rehearsal"))
            memory.drill.is_rehearsal = record_read_bool(&reader, drill, "is_rehearsal");
    }
    if (reader.error < 0)
        return reader.error;
    *ret = memory;
    return 0;
}

int record_parse_machine(const char *text, struct machine_memory *ret)
{
    json_t *document = NULL;
    int r = record_load(text, &document);

    if (r < 0)
        return r;
    r = read_memory(document, ret);
    json_decref(document);
    return r;
}

static int read_described(const json_t *document, const char *uuid, struct domain_description **ret)
{
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    struct record_reader reader = {0};

    if (record_is_absent(document, "description"))
        return -ENOENT;
    description = calloc(1, sizeof(*description));
    if (description == NULL)
        return -ENOMEM;
    if (!uuid_parse(uuid, description->uuid))
        return -EINVAL;
    read_description(&reader, json_object_get(document, "description"), description);
    if (reader.error < 0)
        return reader.error;
    *ret = steal_pointer(&description);
    return 0;
}

int record_parse_described_machine(const char *text, const char *uuid, struct machine_memory *ret_memory,
                                   struct string_list *learned, struct domain_description **ret_description)
{
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    struct machine_memory memory;
    json_t *document = NULL;
    int r = record_load(text, &document), of_description = 0, of_learned = 0;

    if (r < 0)
        return r;
    r = read_memory(document, &memory);
    if (r == 0)
        of_description = read_described(document, uuid, &description);
    if (r == 0)
        of_learned = read_learned(document, learned);
    json_decref(document);
    if (of_description == -ENOMEM || of_learned == -ENOMEM)
        r = -ENOMEM;
    if (r < 0 || of_learned < 0)
        string_list_done(learned);
    if (r < 0)
        return r;
    *ret_memory = memory;
    *ret_description = steal_pointer(&description);
    return 0;
}

static json_t *instant_value(struct moment moment)
{
    return moment_has_come(moment) ? json_integer(moment.real_us) : json_null();
}

static struct moment read_instant(struct record_reader *reader, const json_t *object, const char *key,
                                  struct moment now)
{
    int64_t real_us;

    if (record_is_absent(object, key))
        return (struct moment){0};
    real_us = record_read_integer(reader, object, key, -TIME_LIMIT_US, TIME_LIMIT_US);
    return (struct moment){.mono_us = now.mono_us - (now.real_us - real_us), .real_us = real_us};
}

int record_format_host(const struct host_track *host, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "host", json_text(host_state_name(host->state)));
    json_put(&maker, object, "missing_us", instant_value(host->missing));
    json_put(&maker, object, "fenced_us", instant_value(host->fenced));
    return record_finish(&maker, object, ret);
}

int record_parse_host(const char *text, struct moment now, enum host_state *ret_state, struct moment *ret_missing,
                      struct moment *ret_fenced)
{
    struct record_reader reader = {0};
    json_t *document = NULL;
    struct moment missing, fenced;
    int state, r = record_load(text, &document);

    if (r < 0)
        return r;
    state = record_read_word(&reader, document, "host", &host_states);
    missing = read_instant(&reader, document, "missing_us", now);
    fenced = read_instant(&reader, document, "fenced_us", now);
    json_decref(document);
    if (reader.error < 0)
        return reader.error;
    *ret_state = (enum host_state)state;
    *ret_missing = missing;
    *ret_fenced = fenced;
    return 0;
}
