/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A specification without a machine: a domain XML file of the administrator's, from which a replacement can be made. Its
 * writable disks are base images, on each of which a machine that is made gets an overlay of its own.
 */
#ifndef UNDERSTUDY_MODEL_TEMPLATE_H
#define UNDERSTUDY_MODEL_TEMPLATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "model/description.h"
#include "model/machine.h"
#include "model/metadata.h"

#define TEMPLATE_NAME_MAX      64 /* bytes */
#define TEMPLATE_MAX_DEFAULT   1
#define TEMPLATE_MAX_LIMIT     64
#define TEMPLATE_SPACE_DEFAULT (UINT64_C(1) << 30) /* bytes */
#define TEMPLATE_DISKS_MAX     64                  /* writable ones */

/* A writable disk of the template: what is there is the base image, which is only read. */
struct template_disk {
    char *target;        /* "vda" */
    char *path;          /* of the base image; NULL where it is a volume */
    char *pool, *volume; /* of the base image; NULL where it is a path */
    char *format;        /* of the base image, as its <driver> says; NULL: it does not */
};

/* Not changed once it is read, so that several threads may look into it; see template_ref. All texts are its own. */
struct template
{
    char *name;         /* that of its file, without ".xml" */
    char *file;         /* for people */
    char *storage_pool; /* where overlays are made; NULL: in the pool of the base image */
    unsigned max;       /* so many machines made from it may run at once on one host */
    /* What one machine needs in each storage pool in which a part of it is made; 0: that is not looked at. */
    uint64_t space_bytes;
    struct template_disk *disks;
    size_t n_disks;
    char **networks; /* of libvirt, by name, each once */
    size_t n_networks;
    /* Of cloud-init, as they stand in the files; NULL: there is none. Set by who reads these, before others have it. */
    char *user_data, *meta_data;
    char *xml; /* as it was read */
    atomic_uint n_owners;
};

/* One machine that is to be made. Its UUID is chosen before anything is done, and its names follow from it. */
struct making {
    char uuid[UUID_TEXT_SIZE];
    char service[SERVICE_NAME_SIZE]; /* for which it is made */
    bool is_standby;                 /* made before its service fails, to be kept warm; else as a replacement */
    bool is_unfinished;              /* of such a one: its volumes are yet to be made */
};

/* Where the volume is that was made for a disk of the template, in the order of its disks. */
struct made_disk {
    const char *pool, *volume; /* borrowed */
};

/* Letters, digits, ".", "_" and "-", of which the first is a letter or digit; at most TEMPLATE_NAME_MAX bytes. */
bool template_name_is_valid(const char *name);

/*
 * Reads a file. name: as in the struct; file: what findings call it. What is wrong stands in diags with its line: no domain
 * document, no memory, a <understudy:template> that cannot be read, a writable disk without a target or that is no file and
 * no volume, or that is encrypted. A disk that is readonly or shareable is no disk of the template: what is made shares it.
 * A name and UUID in the document are not looked at. max, pool and space come from <understudy:template max="2" pool="fast"
 * space="5GiB"/> in our element <understudy:machine>; without that element the template has the defaults. -EINVAL, -ENOMEM. Warnings stand in diags on
 * success, too.
 */
int template_parse(const char *name, const char *file, const char *xml, size_t length, struct diags *diags,
                   struct template **ret) _must_check_;
/* Adds a reference; each owner calls template_free, on any thread. Takes NULL. */
struct template *template_ref(struct template *template);
void template_free(struct template *template);
DEFINE_CLEANUP(struct template, template_free);

/* What is made of it has a seed of cloud-init. */
bool template_has_seed(const struct template *template);

/*
 * The machine that number `number` (from 1) of the template would be, as if it were listed: `template` is set,
 * its name is that of the template, with ".2" and so on from the second on, its role standby where the metadata gives
 * none, and never protected. It has no MAC address, since libvirt chooses those of what is made. Of each disk of the template
 * the top is an image that does not exist yet, "UUID-vda.qcow2", and the base image stands below it. -ENOMEM.
 */
int template_describe(const struct template *template, const char *uuid, unsigned number,
                      struct domain_description **ret) _must_check_;

/*
 * "SERVICE-1a2b", by the first digits of the UUID: a host name, at most 63 bytes long. What a host name or libvirt would
 * refuse is replaced by "-", and left out at the beginning. -ENOMEM.
 */
int making_name(const struct making *making, char **ret) _must_check_;
/* The name of the service as a host name: as above, without the digits. -ENOMEM. */
int making_host_name(const struct making *making, char **ret) _must_check_;
/* "UUID-vda.qcow2", "UUID-seed.iso". -EINVAL: the target has other characters than letters and digits. -ENOMEM. */
int making_volume_name(const struct making *making, const char *target, char **ret) _must_check_;
int making_seed_name(const struct making *making, char **ret) _must_check_;
/* The volume was made for the machine with this UUID: it has one of the two names above. */
bool making_is_volume_of(const char *volume, const char *uuid);

/* What the element, as virDomainGetMetadata returns it, says of the domain with this UUID. */
struct made_note {
    bool is_made;       /* from a template */
    bool is_unfinished; /* and not to the end */
    bool is_ignored;    /* by its role */
    bool is_marked;     /* it serves, or is kept warm */
};

/* All false: it cannot be read, or there is no memory. */
struct made_note making_read_note(const char *metadata, const char *uuid);

/*
 * The domain XML of what is made: own name, UUID and (by libvirt) MAC addresses, NVRAM and generation id; each writable disk
 * is its overlay, seed (NULL: none) is a CD-ROM on a free target; the metadata says that it was made from this template for
 * this service, and its role: standby for a finished standby, else ignored. Everything else stays as it is in the
 * template. disks: n_disks of them. -EINVAL: it is no
 * domain document, has a writable disk that the template does not know, or no free target for the seed. -ENOMEM.
 */
int template_domain_xml(const struct template *template, const struct making *making, const struct made_disk *disks,
                        const struct made_disk *seed, char **ret) _must_check_;

/*
 * The XML of an overlay for virStorageVolCreateXML: qcow2, of this capacity, on the base image at this path. base_format
 * may be NULL. -ENOMEM.
 */
int template_volume_xml(const char *name, uint64_t capacity_bytes, const char *base_path, const char *base_format,
                        char **ret) _must_check_;

#endif
