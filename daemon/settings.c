/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two configurations, which are one until the first reload. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/schema.h"

void settings_replace(struct settings *settings, struct config *config)
{
    if (settings->config != settings->started_with)
        config_free(settings->config);
    settings->config = config;
}

void settings_note_reload(struct settings *settings, char *error)
{
    free(settings->reload_error);
    settings->reload_error = error;
}

char *settings_waiting_keys(const struct settings *settings)
{
    const struct schema_key *key = NULL;
    char *keys = NULL;

    while ((key = config_next_restart(settings->started_with, settings->config, key)) != NULL) {
        char *more;

        if (asprintf(&more, "%s%s%s", keys != NULL ? keys : "", keys != NULL ? ", " : "", key->path) < 0)
            break;
        free(keys);
        keys = more;
    }
    return keys;
}

const char *settings_mode(const struct settings *settings)
{
    return settings->config->mode == MODE_OBSERVE ? "observe" : "automatic";
}

void settings_done(struct settings *settings)
{
    settings_note_reload(settings, NULL);
    settings_replace(settings, NULL);
    config_free(settings->started_with);
    settings->started_with = NULL;
}
