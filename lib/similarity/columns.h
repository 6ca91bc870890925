/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The specifications of all machines that may be candidates, laid out so that a failed one is compared with all of them
 * at once (comparison.h). Equal specifications, amounts and features, are one entry that counts its machines.
 *
 * The owner keeps the columns current: it adds the specification of a machine when that becomes a possible candidate,
 * removes it when the machine is none any more, and keeps with each machine the number of its entry, and with each entry
 * its machines. Nothing but specifications is in here; machines are judged when a comparison has come to their entry.
 *
 * A change costs a few microseconds, whatever the number of machines; nothing is ever rebuilt but by columns_set_rules,
 * though an array that is full moves to one twice as long. With 512 features an entry of 16 takes about 200 bytes, and a
 * machine more of the same specification none.
 */
#ifndef UNDERSTUDY_SIMILARITY_COLUMNS_H
#define UNDERSTUDY_SIMILARITY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/spec.h"
#include "similarity/similarity.h"

struct columns;

/* Borrows the rules until columns_set_rules. -ENOMEM. */
int columns_new(const struct similarity_rules *rules, struct columns **ret) _must_check_;
void columns_free(struct columns *columns);
DEFINE_CLEANUP(struct columns, columns_free);

/*
 * Weighs every entry anew, which takes time in proportion to the features of all entries (0.06 s for a million entries of
 * 16). The rules are of the same feature table as those before.
 */
void columns_set_rules(struct columns *columns, const struct similarity_rules *rules);

/*
 * One machine more with this specification, of which a copy is kept; *ret_entry is its entry. Entries are numbered from
 * 0, and a number that is not in use any more is given again. -ENOMEM and -EOVERFLOW (2³² machines) change nothing.
 */
int columns_add(struct columns *columns, const struct spec *spec, uint32_t *ret_entry) _must_check_;
/* One machine fewer in the entry, which must have one; with its last machine the entry goes. */
void columns_remove(struct columns *columns, uint32_t entry);
/* The machine is of another specification now. -ENOMEM changes nothing. */
int columns_change(struct columns *columns, uint32_t entry, const struct spec *spec, uint32_t *ret_entry) _must_check_;

/* Entries in use; every number of one is below columns_end. */
size_t columns_count(const struct columns *columns);
uint32_t columns_end(const struct columns *columns);

/* So many machines are in it; 0: it is not in use. */
uint32_t columns_machines(const struct columns *columns, uint32_t entry);

/* The specification of an entry in use: borrowed until the next change, never to be ended. */
struct spec columns_spec(const struct columns *columns, uint32_t entry);

/* The entry in use is of this specification. */
bool columns_has(const struct columns *columns, uint32_t entry, const struct spec *spec);

/* What the columns take, in bytes, without what the allocator adds. */
size_t columns_bytes(const struct columns *columns);

#endif
