/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hypervisor says about one domain, in plain strings and numbers: made on worker threads by
 * domain_xml, read on the main thread by the pool. Knows neither libvirt nor feature ids.
 */
#ifndef UNDERSTUDY_MODEL_DESCRIPTION_H
#define UNDERSTUDY_MODEL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define UUID_TEXT_SIZE 37 /* 36 characters and the terminating NUL, as VIR_UUID_STRING_BUFLEN */

/* What libvirt does by itself when the guest crashes (<on_crash>). */
enum on_crash {
    ON_CRASH_DESTROY,
    ON_CRASH_RESTART,
    ON_CRASH_PRESERVE,
    ON_CRASH_COUNT,
};

/* A feature as its source wrote it; value NULL: the source says that the machine has none of the kind. */
struct feature_text {
    char *kind;
    char *value;
};

struct disk {
    char *source; /* file, block device, "pool/volume" or "protocol:name[@host]"; never NULL */
    char *pool;   /* for type='volume': the storage pool, else NULL; the volume is in `volume` */
    char *volume;
    char *target;            /* guest device name such as "vda" */
    bool writable;           /* neither <readonly/> nor a CD-ROM */
    bool shareable;          /* <shareable/>: meant to be used by several machines at once */
    uint64_t capacity_bytes; /* 0: not known (yet) */
};

/* Owned as a whole by the holder of the pointer; free with domain_description_free. */
struct domain_description {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    uint32_t vcpus;
    uint64_t memory_kib;
    enum on_crash on_crash;
    bool has_agent_channel; /* a virtio channel org.qemu.guest_agent.0 */
    bool agent_connected;   /* and the guest's end of it is open; false for a machine that is off */
    bool has_panic_device;

    struct disk *disks; /* without CD-ROMs and floppies that hold no medium */
    size_t n_disks;
    char **macs; /* lower case, colons */
    size_t n_macs;

    char *osinfo_id; /* libosinfo id such as "http://ubuntu.com/ubuntu/20.04", or NULL */

    /* From <understudy:machine xmlns:understudy="urn:understudy:domain:1.0">; all empty without it. */
    bool has_metadata;
    char *role; /* "protected", "standby", "protected,standby", "ignored", or NULL */
    bool has_priority;
    int priority;
    struct feature_text *features;
    size_t n_features;

    /* What its guest agent told just now; without has_learned it was not asked, or did not answer. */
    bool has_learned;
    struct feature_text *learned;
    size_t n_learned;
};

/* Adds to what the guest agent told, copying. -ENOMEM. */
int domain_description_learn(struct domain_description *description, const char *kind, const char *value) _must_check_;

/*
 * The same machine in all but what comes and goes while it runs: what its agent told and whether it is connected, and
 * capacities, which become known later.
 */
bool domain_description_equal(const struct domain_description *a, const struct domain_description *b);

/* Takes NULL. */
void domain_description_free(struct domain_description *description);
DEFINE_CLEANUP(struct domain_description, domain_description_free);

/* The sum of the known capacities of the writable disks, in bytes. */
uint64_t domain_description_disk_bytes(const struct domain_description *description);

#endif
