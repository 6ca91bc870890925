/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new configuration is built and checked completely before it takes the old one's place. */
#include "reload.h"

#include <event2/event.h>
#include <string.h>

#include "config/schema.h"
#include "coordinator/coordinator.h"
#include "manager.h"
#include "nodes.h"
#include "persistence.h"
#include "programs.h"
#include "service/clock.h"
#include "files/config_file.h"
#include "service/log.h"
#include "settings.h"
#include "textfile.h"

/* The first thing that is wrong. NULL: out of memory. */
static char *describe(const struct diags *diags, int error)
{
    char *text = NULL;

    if (diags->count == 0 || diag_format(&diags->items[0], &text) < 0)
        text = strdup(strerror(-error));
    return text;
}

/* After every reload, until the key is put back or the daemon is restarted. */
static void log_waiting_keys(const struct settings *settings)
{
    const struct schema_key *key = NULL;

    while ((key = config_next_restart(settings->started_with, settings->config, key)) != NULL)
        log_event(MESSAGE_NEEDS_RESTART, NULL, "%s has changed; that takes effect when understudyd is restarted",
                  key->path);
}

/* All that can fail comes before the first change. Takes config. */
static int replace_config(const struct reload *reload, struct config *config, struct catalog *catalog,
                          struct templates *templates)
{
    size_t n_before = reload->nodes->count;
    bool is_half_new = false;
    int r = nodes_add(reload->nodes, config);

    if (r == 0) {
        coordinator_set_catalog(reload->coordinator, catalog);
        r = coordinator_configure(reload->coordinator, config);
        if (r < 0) {
            coordinator_set_catalog(reload->coordinator, reload->nodes->catalog);
            is_half_new = coordinator_configure(reload->coordinator, reload->settings->config) < 0;
            nodes_take_back(reload->nodes, n_before);
        }
    }
    if (r < 0) {
        /* Without the memory to put the old one back some of it may be in force: it is never freed then. */
        if (!is_half_new)
            config_free(config);
        return r;
    }
    nodes_set_catalog(reload->nodes, catalog);
    nodes_keep(reload->nodes, config);
    nodes_set_templates(reload->nodes, templates);
    settings_replace(reload->settings, config);
    persistence_configure(reload->persistence, config);
    textfile_look(reload->textfile);
    return 0;
}

void reload_configuration(const struct reload *reload)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct settings *settings = reload->settings;
    struct config *config = NULL;
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    _cleanup_(templates_freep) struct templates *templates = NULL;
    int r;

    manager_tell_reloading(reload->manager);
    r = config_file_load(settings->config->file, &diags, &config, &catalog, &templates);
    if (r == 0)
        programs_check(config, &diags);
    log_diags(&diags);
    if (r == 0)
        r = replace_config(reload, config, catalog, templates);
    settings_note_reload(settings, r < 0 ? describe(&diags, r) : NULL);
    if (r < 0) {
        log_event(MESSAGE_RELOAD_FAILED, NULL, "reload failed; the configuration in force stays: %s",
                  settings->reload_error != NULL ? settings->reload_error : strerror(-r));
    } else {
        log_event(MESSAGE_RELOADED, NULL, "configuration reloaded from %s", settings->config->file);
        log_waiting_keys(settings);
        manager_warn_of_missing_roles(reload->manager);
    }
    coordinator_tick(reload->coordinator, clock_now());
    event_active(reload->pump, 0, 0);
    manager_tell_reloaded(reload->manager);
}
