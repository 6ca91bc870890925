/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/model: what our element in the metadata of a domain says. */
#ifndef UNDERSTUDY_MODEL_METADATA_XML_H
#define UNDERSTUDY_MODEL_METADATA_XML_H

#include "model/xml.h"

/* Fills in what the description has from there. Its UUID is known. */
void metadata_xml_read(struct xml_reader *reader, const xmlNode *domain);

#endif
