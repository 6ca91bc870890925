/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a template, from the definition of a machine. Knows neither libvirt nor files. */
#ifndef UNDERSTUDY_MODEL_TEMPLATE_TEXT_H
#define UNDERSTUDY_MODEL_TEMPLATE_TEXT_H

#include <stddef.h>

#include "base/cleanup.h"
#include "model/feature_texts.h"

/* The base image of a writable disk; format: as QEMU calls it, NULL: as of the disk. Borrowed texts. */
struct template_base {
    const char *target, *path, *format;
};

/* What the template is to say beside what the definition says. Borrows all of it. */
struct template_terms {
    unsigned max;
    const struct feature_texts *features;
    const struct template_base *bases;
    size_t n_bases;
};

/*
 * The definition without name, UUID, the seed with which it was made, and all that own_xml.h lists; of our metadata nothing stays, and `max` and the features
 * stand there. Each writable disk with one of these targets is a file, the base image; other disks, and metadata of others,
 * stay as they are. -EINVAL: xml is no domain document. -ENOMEM. The caller frees *ret.
 */
int template_text_write(const char *xml, const struct template_terms *terms, char **ret) _must_check_;

#endif
