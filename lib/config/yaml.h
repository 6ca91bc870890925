/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML text as a tree of nodes that remember where they stood. The only room that knows libyaml; what
 * the keys mean is not known here. config_parse, which makes a configuration of it, is in config.h.
 */
#ifndef UNDERSTUDY_CONFIG_YAML_H
#define UNDERSTUDY_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"

/* What a document may hold at most: bytes, levels, and nodes with every alias counted as what it stands for. */
#define DOCUMENT_BYTES_MAX   ((size_t)4 << 20)
#define DOCUMENT_DEPTH_MAX   32
#define DOCUMENT_NODES_MAX   ((size_t)1000000)
#define DOCUMENT_ANCHORS_MAX 256

enum node_kind {
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
};

/*
 * Owned by its document. An alias is the very node it stands for, so that nodes may have several
 * parents, but never themselves among their ancestors.
 */
struct node {
    enum node_kind kind;
    unsigned line; /* from 1, as column */
    unsigned column;
    bool is_plain;       /* a scalar without quotes */
    bool is_long;        /* a scalar of more than one line */
    char *text;          /* of a scalar; never holds a NUL */
    struct node **items; /* of a list; of a map key, value, key, value …, every key a scalar */
    size_t n_items;
    size_t n_nodes;    /* this one and all below it, aliases written out */
    bool is_open;      /* its end has not been read yet */
    struct node *next; /* in the document's chain of everything it owns */
};

struct document {
    struct node *root; /* NULL: nothing but comments */
    struct node *nodes;
};

/*
 * Reads one document. file (may be NULL) is what the findings call it. -EINVAL: no YAML, or of a kind
 * that is refused here (with the first error in diags). -ENOMEM.
 */
int document_parse(const char *text, size_t length, const char *file, struct diags *diags,
                   struct document **ret) _must_check_;
void document_free(struct document *document);
DEFINE_CLEANUP(struct document, document_free);

/* A scalar that YAML 1.1 reads as "no value": nothing at all, ~ or null. */
bool node_is_null(const struct node *node);

/* true, yes, on, false, no, off without quotes, as YAML 1.1 has it. -EINVAL: something else. */
int node_to_bool(const struct node *node, bool *ret) _must_check_;

/* The value of a key of a map; NULL: not there. */
const struct node *node_find(const struct node *map, const char *key);

#endif
