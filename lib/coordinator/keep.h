/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order by which the replacement becomes the original of the service that it serves: the metadata of both machines is
 * written, the replacement's first, and read again. The diversion ends when the metadata of both says so, also where an
 * operator has written it. So a daemon that dies in between leaves nothing to be mended:
 *
 *     written                    what holds
 *     nothing                    the diversion
 *     the replacement's          the diversion; the order can be given again. After a failback the former replacement is
 *                                protected as well, which it shows in its metadata, and starts nothing
 *     both                       the diversion ends as soon as both were read
 */
#ifndef UNDERSTUDY_COORDINATOR_KEEP_H
#define UNDERSTUDY_COORDINATOR_KEEP_H

#include "coordinator/registry.h"

/* What stands against it now. -EBUSY: *ret_why says it, with the way out; the caller frees it, and it may be NULL. */
int keep_check(struct registry *registry, const struct diversion *diversion, char **ret_why) _must_check_;

/* Begins. */
void keep_begin(struct diversion *diversion);

/* The metadata of both machines says that the replacement is the original. */
bool keep_is_done(const struct registry *registry, const struct diversion *diversion);
/* That is told, and what was recovered of the service counts for it under its new original. The diversion is to end. */
void keep_finish(struct registry *registry, struct diversion *diversion, struct moment now);

/* An order under way that cannot go on is called off. */
void keep_look(struct registry *registry, struct moment now);
/* It is under way, and the diversion ends for another reason. */
void keep_give_up(struct registry *registry, struct diversion *diversion, const char *why, struct moment now);

/* As component_next and component_answer; false: the answer is for another. */
bool keep_next(struct registry *registry, struct action *ret);
bool keep_answer(struct registry *registry, const struct action *action, const struct action_result *result,
                 struct moment now);

#endif
