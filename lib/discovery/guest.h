/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest told of itself, as the texts that its own tools print, and which features follow from that. A guest may
 * be hostile: whatever it says costs no more memory than the catalog has entries, and nothing else is believed.
 */
#ifndef UNDERSTUDY_DISCOVERY_GUEST_H
#define UNDERSTUDY_DISCOVERY_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "discovery/catalog.h"
#include "model/feature_texts.h"
#include "model/ports.h"

#define GUEST_VOLUMES_MAX 32
#define GUEST_PATH_SIZE   256
#define GUEST_PORTS_END   32768 /* net.ipv4.ip_local_port_range begins here, unless it is set otherwise */

/* A file system with data. */
struct guest_volume {
    char mountpoint[GUEST_PATH_SIZE];
    char name[FEATURE_VALUE_MAX + 1]; /* its label; without one, where it is mounted, without the slash before it */
};

/* Initialise with guest_init, end with guest_done. */
struct guest {
    const struct catalog *catalog;  /* borrowed */
    char os[FEATURE_VALUE_MAX + 1]; /* empty: not told */
    const char *family;             /* NULL: not known */
    unsigned n_names;               /* looked up so far */
    uint8_t *marks;                 /* of each feature of the catalog, what was seen of it */
    bool knows_packages;            /* which were installed on purpose */
    bool knows_services;            /* which are enabled, or run */
    bool is_starting;               /* some that are to run do not yet */
    bool knows_ports;
    uint8_t listens[(UINT16_MAX + 1) / 8]; /* a bit for each TCP port on which it listens for others than itself */
    struct guest_volume volumes[GUEST_VOLUMES_MAX];
    size_t n_volumes;
};

/* -ENOMEM. */
int guest_init(struct guest *guest, const struct catalog *catalog) _must_check_;
void guest_done(struct guest *guest);

/* What guest-get-osinfo says; version may be NULL. */
void guest_take_system(struct guest *guest, const char *id, const char *version);

/* One name a line, as apt-mark showmanual, rpm and pacman print them, or as /etc/apk/world has them: "nginx>1.2". */
void guest_take_packages(struct guest *guest, const char *text, size_t length);

/*
 * dnf repoquery --userinstalled --qf "%{name} %{reason}". An image that was made by rpm has no reasons, so that what came
 * with it counts as installed on purpose: it does not count here where not even glibc has a reason.
 */
void guest_take_dnf(struct guest *guest, const char *text, size_t length);

/* rpm -qa, with the text of /var/lib/zypp/AutoInstalled, which names what came with something else, or NULL. -ENOMEM. */
int guest_take_rpm(struct guest *guest, const char *text, size_t length, const char *came_along,
                   size_t came_along_length) _must_check_;

/* Files of yum's that say of a package that its user wanted it: "/var/lib/yum/yumdb/n/5c0a-nginx-1.20.1-10.el7-x86_64/reason". */
void guest_take_yumdb(struct guest *guest, const char *text, size_t length);

/*
 * /var/lib/dpkg/status, with the text of /var/lib/apt/extended_states, which says what came with something else, or NULL:
 * then all that is installed counts. -ENOMEM.
 */
int guest_take_dpkg(struct guest *guest, const char *status, size_t length, const char *states,
                    size_t states_length) _must_check_;

/* systemctl show --property=Id,UnitFileState,ActiveState,ExecStart '*'. */
void guest_take_units(struct guest *guest, const char *text, size_t length);

/* After that: systemctl list-unit-files --state=enabled, as what is enabled and does not run is no unit. */
void guest_take_unit_files(struct guest *guest, const char *text, size_t length);

/* rc-update show default: "  nginx | default". */
void guest_take_runlevel(struct guest *guest, const char *text, size_t length);

/* /proc/net/tcp, and tcp6 where the guest has it. */
void guest_take_sockets(struct guest *guest, const char *text, size_t length);

/* Whether it listens there for others than itself; known where knows_ports says so. */
bool guest_listens(const struct guest *guest, unsigned port);

/* A mounted file system: where, its type and its label, which may be NULL. */
void guest_take_volume(struct guest *guest, const char *mountpoint, const char *type, const char *label);

/* /etc/fstab: file systems that are mounted by their label. */
void guest_take_fstab(struct guest *guest, const char *text, size_t length);

/* Of these ports, the PORTS_MAX lowest below GUEST_PORTS_END: those beyond are handed out by chance. */
struct ports guest_ports(const struct guest *guest);

/* The features that follow. Adds to *ret. -ENOMEM. */
int guest_conclude(const struct guest *guest, struct feature_texts *ret) _must_check_;

#endif
