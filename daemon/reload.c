/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: a new configuration is built and checked completely before it takes the old one's place. */
#include <stdio.h>
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

/* Told after every reload, until it is put back or the daemon is restarted. */
static void log_waiting_keys(const struct daemon *daemon)
{
    const struct schema_key *key = NULL;

    while ((key = config_next_restart(daemon->started_with, daemon->config, key)) != NULL)
        log_event(MESSAGE_NEEDS_RESTART, NULL, "%s has changed; that takes effect when understudyd is restarted",
                  key->path);
}

char *reload_waiting_keys(const struct daemon *daemon)
{
    const struct schema_key *key = NULL;
    char *keys = NULL;

    while ((key = config_next_restart(daemon->started_with, daemon->config, key)) != NULL) {
        char *more;

        if (asprintf(&more, "%s%s%s", keys != NULL ? keys : "", keys != NULL ? ", " : "", key->path) < 0)
            break;
        free(keys);
        keys = more;
    }
    return keys;
}

/* Whatever can fail comes before the first thing that changes. */
static int replace_config(struct daemon *daemon, struct config *config)
{
    size_t n_before = daemon->n_nodes;
    int r = nodes_add(daemon, config);

    if (r == 0) {
        r = coordinator_configure(daemon->coordinator, config);
        if (r < 0)
            nodes_take_back(daemon, n_before);
    }
    if (r < 0) {
        config_free(config);
        return r;
    }
    nodes_drop(daemon, config);
    if (daemon->config != daemon->started_with)
        config_free(daemon->config);
    daemon->config = config;
    return 0;
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
        log_event(MESSAGE_RELOAD_FAILED, NULL, "reload failed; the configuration in force stays: %s",
                  daemon->reload_error);
    } else {
        free(daemon->reload_error);
        daemon->reload_error = NULL;
        log_event(MESSAGE_RELOADED, NULL, "configuration reloaded from %s", daemon->config->file);
        log_waiting_keys(daemon);
    }
    coordinator_tick(daemon->coordinator, clock_now());
    daemon_pump(daemon);
    if (daemon->is_ready)
        notify_ready();
    daemon_tell_status(daemon);
}
