/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/what_if.h"

#include <string.h>

#include "ctl/client.h"
#include "ctl/message.h"

bool what_if_take(struct ctl_options *options, const char *key, const char *value)
{
    if (options->n_supposed >= ELEMENTS_OF(options->supposed))
        return false;
    options->supposed[options->n_supposed++] = (struct supposed){key, value};
    return true;
}

char *what_if_path(struct client *client, const struct ctl_options *options, const char *path, char separator)
{
    char *whole = format_text("%s", path);

    for (size_t i = 0; i < options->n_supposed; i++) {
        const struct supposed *supposed = &options->supposed[i];
        _cleanup_(freep) char *before = whole;
        _cleanup_(freep) char *query = client_query(client, separator, supposed->key, supposed->value);

        whole = format_text("%s%s", before, query);
        separator = '&';
    }
    return whole;
}
