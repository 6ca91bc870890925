/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talking to understudyd: HTTP on its Unix sockets. The only room that knows curl. */
#ifndef UNDERSTUDY_DAEMON_CTL_CLIENT_H
#define UNDERSTUDY_DAEMON_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct client;

/* socket: the one that takes orders, borrowed; where the user may not open it, the one beside it is asked. Never NULL. */
struct client *client_new(const char *socket);
void client_free(struct client *client);
DEFINE_CLEANUP(struct client, client_free);

/*
 * Each of these says on stderr what went wrong and what can be done about it, and returns a negative errno
 * then: -ENOTCONN where no process answers on the socket, -EACCES where the user may open neither socket, -EPERM where the
 * user may look and not do this, or must confirm it, -ETIMEDOUT, -ECANCELED where the daemon refuses as things are,
 * -ENOENT where there is no such thing, -EINVAL where it does not understand what is asked, -EIO for the rest. The caller
 * owns *ret. Where path holds {}, segment goes there, encoded. A body of NULL is an empty object.
 */
int client_get(struct client *client, json_t **ret, const char *path, const char *segment) _must_check_;
int client_post(struct client *client, const json_t *body, int64_t timeout_ms, json_t **ret, const char *path,
                const char *segment) _must_check_;

/* "?name=value" encoded; nothing where value is NULL. separator is '?' or '&'. Caller frees. */
char *client_query(struct client *client, char separator, const char *name, const char *value) _must_check_;

/* As given to client_new. */
const char *client_socket(const struct client *client);

/* How long a GET may take, instead of a minute. */
void client_set_patience(struct client *client, int64_t timeout_ms);

/* As client_get, silently. */
int client_try_get(struct client *client, json_t **ret, const char *path) _must_check_;

/* How a stream of events is followed. Both return whether to go on. */
struct client_follower {
    bool (*ready)(void *context); /* from here on nothing is missed; may use another client */
    bool (*event)(void *context, const json_t *notice);
    bool
        keeps_on; /* where the connection is lost after that: says so, waits until the daemon answers, and is ready again */
    void *context;
};

/*
 * Follows the events until a function of the follower returns false (0), or the timeout ends
 * (-ETIMEDOUT, told by the caller), or the daemon hangs up (-EPIPE, told). timeout_ms 0: for ever. With keeps_on, what
 * the daemon told meanwhile and still keeps comes when it is ready again.
 */
int client_follow(struct client *client, const struct client_follower *follower, int64_t timeout_ms) _must_check_;

/* What a command ends with after such an error, or after 0. */
int client_exit_status(int error);

#endif
