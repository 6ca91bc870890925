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
#include "model/uuid.h"

/* What libvirt does by itself when the guest crashes (<on_crash>). */
enum on_crash {
    ON_CRASH_DESTROY,
    ON_CRASH_RESTART,
    ON_CRASH_PRESERVE,
    ON_CRASH_COUNT,
};

/* What a guest keeps from being learned. In words: interview_lack_sentence. */
enum guest_lack {
    GUEST_LACKS_NOTHING,
    GUEST_LACKS_EXEC,    /* its agent must not run programs */
    GUEST_LACKS_SYSTEM,  /* no catalog knows its system */
    GUEST_LACKS_ANSWERS, /* a program failed, or a file could not be read */
    GUEST_LACK_COUNT,
};

/*
 * One of a machine's disks. The other texts stand behind the source, in the same allocation: target, pool, volume and
 * identity, each of them perhaps empty.
 */
struct disk {
    char *source;            /* file, block device, "pool/volume" or "protocol:name[@host]"; never NULL */
    uint64_t capacity_bytes; /* 0: not known (yet) */
    bool writable : 1;       /* neither <readonly/> nor a CD-ROM */
    bool shareable : 1;      /* <shareable/>: meant to be used by several machines at once */
    bool is_backing : 1;     /* an image below the disk before it, which reads it and does not write to it */
    bool has_chain : 1;      /* of a disk: the images below it are known, and follow it; there may be none */
    bool is_networked : 1;   /* its storage pool is on the network: other hosts have the same image there */
    bool is_missing : 1;     /* its host says that the image is not there */
    bool is_declared : 1;    /* the configuration says that other hosts have the same image there; the pool sets it */
};

/*
 * Gives the disk copies of these texts (source is not NULL) and frees those that it had, its identity as well. -ENOMEM
 * changes nothing.
 */
int disk_set_texts(struct disk *disk, const char *source, const char *pool, const char *volume,
                   const char *target) _must_check_;
/* What the image is recognised by where its source may be written in several ways. -ENOMEM changes nothing. */
int disk_set_identity(struct disk *disk, const char *identity) _must_check_;
/* A copy with all texts and properties; end with disk_done. -ENOMEM: *ret is {0}. */
int disk_copy(const struct disk *disk, struct disk *ret) _must_check_;
void disk_done(struct disk *disk);

/* Guest device name such as "vda", or NULL. */
const char *disk_target(const struct disk *disk);
/* Of type='volume': the storage pool and the volume in it; else NULL. */
const char *disk_pool(const struct disk *disk);
const char *disk_volume(const struct disk *disk);
/* The resolved path of a file or a volume, as far as that is known; else the source. */
const char *disk_identity(const struct disk *disk);

/* Owned as a whole by the holder of the pointer; free with domain_description_free. A pool has one for each machine. */
struct domain_description {
    char *name;
    uint64_t memory_kib;
    struct disk *disks; /* without CD-ROMs and floppies that hold no medium */
    uint8_t (*macs)[MAC_SIZE];
    /* What the machine has of its host for itself, as hostdev_xml.h names it; one device may be here by two names. */
    char **hostdevs;
    char *osinfo_id; /* libosinfo id such as "http://ubuntu.com/ubuntu/20.04", or NULL */
    /* From <understudy:machine xmlns:understudy="urn:understudy:domain:1.0">, as are role, priority and service. */
    struct feature_texts features;
    char *service;         /* the name of its service, where that is not its own; or NULL */
    char *metadata_faults; /* what could not be read of it, in words; or NULL */
    char *mark;            /* as model/mark.h prints it, of this domain and no clone's copy; or NULL */
    char *template;        /* from which it was made, or can be; of no clone's copy; or NULL */
    char *obstacle;        /* why it cannot be made from its template now, in words; or NULL */
    /* What its guest agent told just now; the list may be empty once knowledge was made of it. */
    struct feature_texts learned;
    uint32_t n_disks, n_macs, n_hostdevs;
    uint32_t vcpus;
    int priority;
    enum on_crash on_crash : 8;
    enum guest_lack lack : 8; /* with has_learned */
    uint8_t uuid[UUID_SIZE];
    uint8_t roles; /* of enum machine_role; 0: the metadata gives none */
    bool has_priority : 1;
    bool has_metadata : 1;     /* without it there is no role, no priority, no service, no mark and no feature */
    bool has_learned : 1;      /* false: the guest agent was not asked, or did not answer */
    bool has_learned_part : 1; /* and of kinds that it says nothing of, what was known before stays */
    bool is_starting : 1; /* with has_learned: services that are to run in its guest do not yet, so it is asked again */
    bool has_agent_channel : 1; /* a virtio channel org.qemu.guest_agent.0 */
    bool agent_connected : 1;   /* and the guest's end of it is open; false for a machine that is off */
    bool has_panic_device : 1;
    bool has_hugepages : 1;   /* its memory is in huge pages, which its host has set apart */
    bool is_made_standby : 1; /* with template: it was made in advance, and no operator gave it another role */
    bool is_unfinished : 1;   /* with template: it is still being made, or the one who made it died over that */
    bool
        names_service : 1; /* of a template: its seed asks for what is known of a service, and makes a machine for that */
    bool is_live : 1;      /* of the machine as it runs; false: as it is to be started */
    bool is_packed : 1;    /* all but features, learned and mark is one allocation, to be read only */
};

/* Adds an address. -EINVAL: it is none. -ENOMEM. */
int domain_description_add_mac(struct domain_description *description, const char *mac) _must_check_;
/* Adds a copy of what the device is called. -ENOMEM. */
int domain_description_add_hostdev(struct domain_description *description, const char *hostdev) _must_check_;

/* Adds to what the guest agent told, copying. -ENOMEM. */
int domain_description_learn(struct domain_description *description, const char *kind, const char *value) _must_check_;

/*
 * The same machine in all but what comes and goes while it runs: what its agent told and whether it is connected, its
 * mark, and capacities, which become known later.
 */
bool domain_description_equal(const struct domain_description *a, const struct domain_description *b);

/*
 * The images that stand below the disk at this place, the nearest first, are copied behind it. It had none, and the
 * description is not packed. -ENOMEM changes nothing.
 */
int domain_description_set_chain(struct domain_description *description, uint32_t place, const struct disk *images,
                                 uint32_t count) _must_check_;
/* How many images follow the disk at this place. */
uint32_t domain_description_chain_length(const struct domain_description *description, uint32_t place);

/*
 * Each writable disk of the earlier one is a disk of this one, or an image below one, or the other way round; or it has run
 * all the time, and was changed under its guest. False: the guest of this one may be another.
 */
bool domain_description_keeps_disks(const struct domain_description *earlier,
                                    const struct domain_description *description);

/* The same hardware, disks and features: not what became known of them later, nor which role it has for which service. */
bool domain_description_starts_alike(const struct domain_description *a, const struct domain_description *b);

/*
 * What was known of the images below its disks and is not told again, since the machine is off now, is copied from an
 * earlier description of the same machine. -ENOMEM: *description is as it was, or knows less.
 */
int domain_description_inherit_chains(struct domain_description *description,
                                      const struct domain_description *earlier) _must_check_;

/* Puts what *description owns into one allocation, and that in its place; nothing is added to it afterwards. -ENOMEM. */
int domain_description_pack(struct domain_description **description) _must_check_;

/* The same machine anew, packed. -ENOMEM. */
int domain_description_copy(const struct domain_description *description, struct domain_description **ret) _must_check_;

/* Takes NULL. */
void domain_description_free(struct domain_description *description);
DEFINE_CLEANUP(struct domain_description, domain_description_free);

/* What it takes of the free memory of its host: nothing where that is in huge pages. */
uint64_t domain_description_host_memory_kib(const struct domain_description *description);

/* The sum of the known capacities of the writable disks, in bytes. */
uint64_t domain_description_disk_bytes(const struct domain_description *description);

#endif
