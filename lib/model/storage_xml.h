/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the XML of a storage volume and of a storage pool says of the identity of an image: what stands below it, and
 * whether other hosts have it as well. Knows neither libvirt nor domains.
 */
#ifndef UNDERSTUDY_MODEL_STORAGE_XML_H
#define UNDERSTUDY_MODEL_STORAGE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * The path of the image below the volume (<backingStore>), NULL: there is none. The caller frees it. -EINVAL: it is no
 * XML of a volume. -ENOMEM.
 */
int volume_xml_backing(const char *xml, size_t length, char **ret) _must_check_;

/* The format of that image, as the volume says; NULL: it says none. The caller frees it. Errors as above. */
int volume_xml_backing_format(const char *xml, size_t length, char **ret) _must_check_;

/* The format of the volume (<target>), such as "qcow2"; NULL: it says none. The caller frees it. Errors as above. */
int volume_xml_format(const char *xml, size_t length, char **ret) _must_check_;

/* Its type, such as "dir", "netfs" or "rbd". The caller frees it. -EINVAL: it is no XML of a pool. -ENOMEM. */
int pool_xml_type(const char *xml, size_t length, char **ret) _must_check_;

/* A pool of this type is on the network: the same path in it is the same image on all hosts. */
bool pool_type_is_network(const char *type);

#endif
