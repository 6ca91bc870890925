/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The running daemon: puts the parts together and turns the event loop. */
#ifndef UNDERSTUDY_DAEMON_H
#define UNDERSTUDY_DAEMON_H

#include "base/cleanup.h"
#include "config/config.h"
#include "discovery/catalog.h"
#include "files/template_files.h"

/*
 * Runs until SIGTERM or SIGINT; SIGHUP reads config->file again. Takes config, and borrows the catalog and the templates. Returns 0, or
 * negative errno if it could not be set up; what a person must know has been logged.
 */
int daemon_run(struct config *config, struct catalog *catalog, struct templates *templates) _must_check_;

#endif
