/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hypervisor says about one domain, in plain texts and numbers: made on worker threads by
 * domain_xml, read on the main thread by the pool. Knows neither libvirt nor feature ids.
 */
#ifndef UNDERSTUDY_MODEL_DESCRIPTION_H
#define UNDERSTUDY_MODEL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/feature_texts.h"
#include "model/mac.h"

#define UUID_TEXT_SIZE 37 /* 36 characters and the terminating NUL, as VIR_UUID_STRING_BUFLEN */

/* What libvirt does by itself when the guest crashes (<on_crash>). */
enum on_crash {
    ON_CRASH_DESTROY,
    ON_CRASH_RESTART,
    ON_CRASH_PRESERVE,
    ON_CRASH_COUNT,
};

/* One of a machine's disks. Its texts stand one behind the other in one allocation, which begins with source. */
struct disk {
    char *source;     /* file, block device, "pool/volume" or "protocol:name[@host]"; never NULL */
    const char *pool; /* for type='volume': the storage pool, else NULL; the volume is in `volume` */
    const char *volume;
    const char *target;      /* guest device name such as "vda", or NULL */
    uint64_t capacity_bytes; /* 0: not known (yet) */
    bool writable;           /* neither <readonly/> nor a CD-ROM */
    bool shareable;          /* <shareable/>: meant to be used by several machines at once */
};

/* Gives the disk copies of these texts (source is not NULL) and frees those that it had. -ENOMEM changes nothing. */
int disk_set_texts(struct disk *disk, const char *source, const char *pool, const char *volume,
                   const char *target) _must_check_;
void disk_done(struct disk *disk);

/* Owned as a whole by the holder of the pointer; free with domain_description_free. A pool has one for each machine. */
struct domain_description {
    char *name;
    uint64_t memory_kib;
    struct disk *disks; /* without CD-ROMs and floppies that hold no medium */
    uint8_t (*macs)[MAC_SIZE];
    /* What the machine has of its host for itself, as hostdev_xml.h names it; one device may be here by two names. */
    char **hostdevs;
    char *osinfo_id; /* libosinfo id such as "http://ubuntu.com/ubuntu/20.04", or NULL */
    /* From <understudy:machine xmlns:understudy="urn:understudy:domain:1.0">, as are role and priority. */
    struct feature_texts features;
    /* What its guest agent told just now; the list may be empty once knowledge was made of it. */
    struct feature_texts learned;
    uint32_t n_disks, n_macs, n_hostdevs;
    uint32_t vcpus;
    int priority;
    enum on_crash on_crash : 8;
    char uuid[UUID_TEXT_SIZE];
    uint8_t roles; /* of enum machine_role; 0: the metadata gives none */
    bool has_priority;
    bool has_metadata;      /* without it there is no role, no priority and no feature */
    bool has_learned;       /* false: the guest agent was not asked, or did not answer */
    bool has_agent_channel; /* a virtio channel org.qemu.guest_agent.0 */
    bool agent_connected;   /* and the guest's end of it is open; false for a machine that is off */
    bool has_panic_device;
    bool is_packed; /* all but features and learned is one allocation, to be read only */
};

/* Adds an address. -EINVAL: it is none. -ENOMEM. */
int domain_description_add_mac(struct domain_description *description, const char *mac) _must_check_;
/* Adds a copy of what the device is called. -ENOMEM. */
int domain_description_add_hostdev(struct domain_description *description, const char *hostdev) _must_check_;

/* Adds to what the guest agent told, copying. -ENOMEM. */
int domain_description_learn(struct domain_description *description, const char *kind, const char *value) _must_check_;

/*
 * The same machine in all but what comes and goes while it runs: what its agent told and whether it is connected, and
 * capacities, which become known later.
 */
bool domain_description_equal(const struct domain_description *a, const struct domain_description *b);

/* Puts what *description owns into one allocation, and that in its place; nothing is added to it afterwards. -ENOMEM. */
int domain_description_pack(struct domain_description **description) _must_check_;

/* Takes NULL. */
void domain_description_free(struct domain_description *description);
DEFINE_CLEANUP(struct domain_description, domain_description_free);

/* The sum of the known capacities of the writable disks, in bytes. */
uint64_t domain_description_disk_bytes(const struct domain_description *description);

#endif
