/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/model: what libvirt gives each machine of its own beside its name and its UUID: MAC addresses, NVRAM,
 * generation id and the like. A machine that is made, or a template, has nothing of it from another one.
 */
#ifndef UNDERSTUDY_MODEL_OWN_XML_H
#define UNDERSTUDY_MODEL_OWN_XML_H

#include <libxml/tree.h>

/* devices: <devices> of the domain. */
void own_xml_forget(xmlNode *domain, xmlNode *devices);

#endif
