/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: a new configuration is built and checked completely before it takes the old one's place. */
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "daemon_internal.h"
#include "service/clock.h"
#include "service/config_file.h"
#include "service/log.h"
#include "service/notify.h"

static void set_reload_error(struct daemon *daemon, const struct diags *diags, int error)
{
    char *text = NULL;

    if (diags->count == 0 || diag_format(&diags->items[0], &text) < 0)
        text = strdup(strerror(-error));
    free(daemon->reload_error);
    daemon->reload_error = text;
}

static void log_restart_keys(const struct config *old, const struct config *new)
{
    const struct schema_key *key = NULL;

    while ((key = config_next_restart(old, new, key)) != NULL)
        log_event(MESSAGE_NEEDS_RESTART, "%s has changed; that takes effect when understudyd is restarted", key->path);
}

static int replace_config(struct daemon *daemon, struct config *config)
{
    struct config *old = daemon->config;
    int r = coordinator_configure(daemon->coordinator, config);

    if (r < 0) {
        config_free(config);
        return r;
    }
    log_restart_keys(old, config);
    daemon->config = config;
    nodes_drop(daemon, config);
    r = nodes_add(daemon);
    config_free(old);
    return r;
}

void daemon_reload(struct daemon *daemon)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    int r;

    notify_reloading(clock_now().mono_us);
    r = config_file_load(daemon->config->file, &diags, &config);
    log_diags(&diags);
    if (r == 0)
        r = replace_config(daemon, config);
    if (r < 0) {
        set_reload_error(daemon, &diags, r);
        log_event(MESSAGE_RELOAD_FAILED, "reload failed; the configuration in force stays: %s", daemon->reload_error);
    } else {
        free(daemon->reload_error);
        daemon->reload_error = NULL;
        log_event(MESSAGE_RELOADED, "configuration reloaded from %s", daemon->config->file);
    }
    coordinator_tick(daemon->coordinator, clock_now());
    daemon_pump(daemon);
    if (daemon->is_ready)
        notify_ready();
    daemon_tell_status(daemon);
}
