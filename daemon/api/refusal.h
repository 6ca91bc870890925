/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What evhttp answers by itself to requests that it cannot read: in JSON, as all other errors. */
#ifndef UNDERSTUDY_DAEMON_API_REFUSAL_H
#define UNDERSTUDY_DAEMON_API_REFUSAL_H

struct bufferevent;

/* For each connection, before evhttp has it. Without memory, its errors stay as evhttp writes them. */
void refusal_watch(struct bufferevent *connection);

#endif
