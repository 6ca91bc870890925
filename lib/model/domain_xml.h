/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt domain XML → description. The only room that knows libxml2. */
#ifndef UNDERSTUDY_MODEL_DOMAIN_XML_H
#define UNDERSTUDY_MODEL_DOMAIN_XML_H

#include <stddef.h>

#include "base/diag.h"
#include "model/description.h"

/* Call once before a second thread starts: prepares libxml2 for use from several threads. */
void domain_xml_prepare(void);

/*
 * Reads the XML that virDomainGetXMLDesc returns (https://libvirt.org/formatdomain.html). Thread-safe.
 * Never touches the network or another file. What is odd but harmless (an unknown role word, a resource
 * without kind) becomes a warning in diags and is left out; name is what the findings call the input.
 * -EINVAL: not a domain document, or no name or UUID (with an error in diags). -ENOMEM.
 */
int domain_xml_parse(const char *xml, size_t length, const char *name, struct diags *diags,
                     struct domain_description **ret) _must_check_;

/* Whose definition the document is taken for, whatever name and UUID stand in it. */
struct domain_identity {
    const char *name;
    const char *uuid; /* 36 characters */
};

/* As domain_xml_parse; identity NULL: the document names the domain itself. */
int domain_xml_parse_as(const char *xml, size_t length, const char *name, const struct domain_identity *identity,
                        struct diags *diags, struct domain_description **ret) _must_check_;

/* The namespace of understudy's own metadata element, and the prefix it is written with. */
#define UNDERSTUDY_METADATA_URI    "urn:understudy:domain:1.0"
#define UNDERSTUDY_METADATA_PREFIX "understudy"

#endif
