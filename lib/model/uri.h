/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a libvirt connection URI says by itself (https://libvirt.org/uri.html). Opens no connection. */
#ifndef UNDERSTUDY_MODEL_URI_H
#define UNDERSTUDY_MODEL_URI_H

#include <stdbool.h>

/* The URI has a scheme and no space. More than that only libvirt can tell. */
bool uri_is_valid(const char *uri);

/* libvirt knows the driver of such a URI: what stands before ':', or before the '+' of a transport. */
bool uri_has_known_driver(const char *uri);

/* A URI without a host, such as qemu:///system: the hypervisor of the daemon's own host. */
bool uri_is_local(const char *uri);

/* qemu:///system by the socket where libvirt listens: what libvirtd keeps in /run/libvirt/qemu is of this hypervisor. */
bool uri_is_system_qemu(const char *uri);

#endif
