/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/model: the devices of its host that a domain has for itself, each by one text:
 *
 *     pci 0000:65:00.0                             also a network card of <interface type='hostdev'>
 *     usb 046d:c52b                                by vendor and product
 *     usb bus 1 device 4                           by its address
 *     mdev c2177883-f1bb-47f0-914d-32a22e3a8804
 *     scsi 0:0:1:2                                 host, bus, target and unit, as lsscsi names it
 *     scsi iscsi:iqn.2014-08.com.example:disk/1
 *     scsi naa.5001405df3e54061                    vhost
 *
 * A device that is named in another way is left out, and so is what several machines may use at once.
 */
#ifndef UNDERSTUDY_MODEL_HOSTDEV_XML_H
#define UNDERSTUDY_MODEL_HOSTDEV_XML_H

#include "model/xml.h"

/* Adds the device of a <hostdev>, or of an <interface> that is one, to the description. */
void hostdev_read(struct xml_reader *reader, const xmlNode *hostdev);
void hostdev_read_interface(struct xml_reader *reader, const xmlNode *interface);

/* Adds the controller of a <disk type='nvme'>: QEMU takes it from the host as a whole, whatever its namespaces are. */
void hostdev_read_nvme(struct xml_reader *reader, const xmlNode *disk);

/* "0000:65:00.0" of an <address> with domain, bus, slot and function. NULL: it is none. Caller frees. */
char *hostdev_pci_address(struct xml_reader *reader, const xmlNode *address);

#endif
