/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gives an order, as far as that is known: a word for people, which grants nothing. */
#ifndef UNDERSTUDY_DAEMON_API_ASKER_H
#define UNDERSTUDY_DAEMON_API_ASKER_H

#include "model/machine.h"

struct evhttp_request;

/* The header in which a client names its user. */
#define ASKER_HEADER "Understudy-User"

/*
 * "alice": as the client says; "alice (uid 1000)" where the kernel tells the number of the user as well. In the sandbox of
 * the service it tells only of root and of the daemon's own user. "" where nothing is known.
 */
void asker_name(struct evhttp_request *request, char ret[static OPERATOR_NAME_SIZE]);

#endif
