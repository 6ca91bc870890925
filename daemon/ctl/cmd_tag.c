/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl tag, untag: what the metadata of a machine says of it. */
#include <errno.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"

#define TIMEOUT_MS 60000

static void put(json_t *body, const char *name, json_t *value)
{
    if (json_object_set_new(body, name, value) < 0)
        die_of_memory();
}

/* -EINVAL: a word is no UTF-8. */
static int add_word(json_t *words, const char *word)
{
    json_t *text = json_string(word);

    if (text == NULL) {
        complain("a name is no UTF-8");
        return -EINVAL;
    }
    if (json_array_append_new(words, text) < 0)
        die_of_memory();
    return 0;
}

static int post(struct client *client, const struct ctl_options *options, const json_t *body, const char *machine)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r = client_post(client, body, TIMEOUT_MS, &answer, "/v1/machines/{}/tag", machine);

    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(answer);
    else
        print_styled(STYLE_GOOD, "The metadata of %s is changed: understudyctl show %s\n",
                     field_word(answer, "machine"), machine);
    return EXIT_SUCCESS;
}

static int tag(struct client *client, const struct ctl_options *options, const char *machine)
{
    _cleanup_(json_decrefp) json_t *body = json_object();
    json_t *words = json_array();

    if (body == NULL || words == NULL)
        die_of_memory();
    put(body, "add", words);
    for (const char *const *word = options->arguments + 1; *word != NULL; word++)
        if (add_word(words, *word) < 0)
            return EXIT_USAGE;
    if (options->from != NULL)
        put(body, "from", json_string(options->from));
    if (options->role != NULL)
        put(body, "role", json_string(options->role));
    if (options->has_priority)
        put(body, "priority", json_integer(options->priority));
    if (json_array_size(words) == 0 && json_object_size(body) == 1) {
        complain("what is %s to be tagged with? A feature such as database/mysql, --role, --priority or --from",
                 machine);
        return EXIT_USAGE;
    }
    return post(client, options, body, machine);
}

static int untag(struct client *client, const struct ctl_options *options, const char *machine)
{
    _cleanup_(json_decrefp) json_t *body = json_object();
    json_t *words = json_array();

    if (body == NULL || words == NULL)
        die_of_memory();
    put(body, "remove", words);
    for (const char *const *word = options->arguments + 1; *word != NULL; word++)
        if (strcmp(*word, "role") == 0 || strcmp(*word, "priority") == 0)
            put(body, *word, json_null());
        else if (add_word(words, *word) < 0)
            return EXIT_USAGE;
    if (options->arguments[1] == NULL) {
        complain("which tag is to go? A feature such as database/mysql, a kind such as database, role or priority");
        return EXIT_USAGE;
    }
    return post(client, options, body, machine);
}

const struct command command_tag = {
    .name = "tag",
    .argument = "MACHINE [KIND/VALUE ...]",
    .takes_many = true,
    .options = OPTION_ROLE | OPTION_PRIORITY | OPTION_FROM,
    .help = "declare in its metadata what it offers, its role, its priority",
    .run = tag,
};

const struct command command_untag = {
    .name = "untag",
    .argument = "MACHINE KIND/VALUE ...",
    .takes_many = true,
    .help = "take that out of its metadata",
    .run = untag,
};
