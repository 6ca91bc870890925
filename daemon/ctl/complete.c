/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says nothing of what is wrong: a shell that completes has no place for that. */
#include "ctl/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "model/machine.h"
#include "protocol/notice.h"
#include "workflow/recovery.h"

/* A hanging daemon must not hang the shell. */
#define PATIENCE_MS 2000
#define RECOVERIES  "30"

/* The command line up to the word that is to be completed. */
struct line {
    const char *prefix; /* of that word */
    const char *socket;
    const struct command *command;    /* NULL: not given yet, or there is none of that name */
    const struct option_help *awaits; /* the option whose argument it is; NULL: none */
    size_t n_words;                   /* the command and its arguments, before it */
    const struct command *const *commands;
    const struct option_help *options;
};

/* word as it would be typed: what cannot be typed is left out. */
static void offer(const struct line *line, const char *word, const char *what)
{
    _cleanup_(freep) char *printable = text_printable(word), *help = text_printable(what != NULL ? what : "");

    if (printable == NULL || help == NULL)
        die_of_memory();
    if (strncmp(word, line->prefix, strlen(line->prefix)) == 0 && strcmp(word, printable) == 0)
        printf("%s\t%s\n", word, help);
}

/* Each element of an answer by its member `name`, with the members `what` and `more` as its help. */
static void offer_live(const struct line *line, const char *path, const char *list, const char *name, const char *what,
                       const char *more)
{
    _cleanup_(client_freep) struct client *client = client_new(line->socket);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *all;

    client_set_patience(client, PATIENCE_MS);
    if (client_try_get(client, &answer, path) < 0)
        return;
    all = json_object_get(answer, list);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *each = json_array_get(all, i);
        _cleanup_(freep) char *help = more != NULL
                                          ? format_text("%s, %s", field_word(each, what), field_word(each, more))
                                          : format_text("%s", field_word(each, what));

        offer(line, field_word(each, name), help);
    }
}

static void offer_machines(const struct line *line)
{
    offer_live(line, "/v1/machines", "machines", "name", "state", "hypervisor");
}

static void offer_services(const struct line *line)
{
    offer_live(line, "/v1/services", "services", "name", "state", NULL);
}

static void offer_hosts(const struct line *line)
{
    offer_live(line, "/v1/hypervisors", "hypervisors", "name", "state", NULL);
}

static void offer_recoveries(const struct line *line)
{
    offer_live(line, "/v1/recoveries?limit=" RECOVERIES, "recoveries", "id", "failed", "outcome");
}

static void offer_kinds(const struct line *line)
{
    for (enum notice_kind kind = 0; kind < NOTICE_COUNT; kind++)
        offer(line, notice_kind_name(kind), NULL);
}

static void offer_outcomes(const struct line *line)
{
    for (enum recovery_state state = 0; state < RECOVERY_STATE_COUNT; state++)
        if (recovery_state_is_final(state))
            offer(line, recovery_state_name(state), NULL);
    offer(line, "under-way", NULL);
}

static void offer_states(const struct line *line)
{
    for (enum machine_state state = 0; state < MACHINE_STATE_COUNT; state++)
        offer(line, machine_state_name(state), NULL);
}

static void offer_roles(const struct line *line)
{
    static const unsigned all[] = {ROLE_PROTECTED, ROLE_STANDBY, ROLE_IGNORED};

    for (size_t i = 0; i < ELEMENTS_OF(all); i++)
        offer(line, machine_roles_name(all[i]), NULL);
}

/* What the words in capitals stand for, in the arguments of commands and options. */
static const struct thing {
    const char *name;
    void (*offer)(const struct line *line); /* NULL: a file */
} things[] = {
    {"MACHINE", offer_machines},
    {"SERVICE", offer_services},
    {"HOST", offer_hosts},
    {"RECOVERY", offer_recoveries},
    {"KIND", offer_kinds},
    {"OUTCOME", offer_outcomes},
    {"STATE", offer_states},
    {"ROLE", offer_roles},
    {"FILE", NULL},
    {"PATH", NULL},
    {"DIRECTORY", NULL},
};

/* argument: "all|HOST|MACHINE", "MACHINE [KIND/VALUE ...]": the first of several. Returns the exit status. */
static int offer_argument(const struct line *line, const char *argument)
{
    _cleanup_(freep) char *copy = format_text("%.*s", (int)strcspn(argument, " "), argument);
    char *rest = copy, *word;

    while ((word = strsep(&rest, "|")) != NULL) {
        bool is_thing = word[0] >= 'A' && word[0] <= 'Z';

        if (!is_thing)
            offer(line, word, NULL);
        for (size_t i = 0; i < ELEMENTS_OF(things); i++) {
            if (strcmp(things[i].name, word) != 0)
                continue;
            if (things[i].offer == NULL)
                return EXIT_COMPLETE_FILE;
            things[i].offer(line);
        }
    }
    return EXIT_SUCCESS;
}

static const struct option_help *find_option(const struct line *line, const char *word)
{
    for (const struct option_help *option = line->options; option->name != NULL; option++)
        if ((strncmp(word, "--", 2) == 0 && strcmp(word + 2, option->name) == 0) ||
            (word[0] == '-' && word[1] == option->letter && word[1] != '\0' && word[2] == '\0'))
            return option;
    return NULL;
}

static const struct command *find_command(const struct line *line, const char *word)
{
    for (const struct command *const *command = line->commands; *command != NULL; command++)
        if (strcmp((*command)->name, word) == 0)
            return *command;
    return NULL;
}

static void take_word(struct line *line, const char *word)
{
    const struct option_help *option = word[0] == '-' ? find_option(line, word) : NULL;

    if (line->awaits != NULL) {
        if (strcmp(line->awaits->name, "socket") == 0)
            line->socket = word;
        line->awaits = NULL;
    } else if (option != NULL && option->argument != NULL) {
        line->awaits = option;
    } else if (word[0] != '-') {
        if (line->n_words++ == 0)
            line->command = find_command(line, word);
    }
}

static void offer_options(const struct line *line)
{
    for (const struct option_help *option = line->options; option->name != NULL; option++) {
        _cleanup_(freep) char *word = format_text("--%s", option->name);

        if (option->flag == 0 || (line->command != NULL && (line->command->options & option->flag) != 0))
            offer(line, word, option->help);
    }
}

int complete_print(const char *const *words, size_t n_words, const struct command *const *commands,
                   const struct option_help *options, const char *socket)
{
    struct line line = {.socket = socket, .commands = commands, .options = options, .prefix = ""};

    for (size_t i = 0; i + 1 < n_words; i++)
        take_word(&line, words[i]);
    if (n_words > 0)
        line.prefix = words[n_words - 1];
    if (line.awaits != NULL)
        return offer_argument(&line, line.awaits->argument);
    if (line.prefix[0] == '-') {
        offer_options(&line);
        return EXIT_SUCCESS;
    }
    if (line.n_words == 0) {
        for (const struct command *const *command = commands; *command != NULL; command++)
            offer(&line, (*command)->name, (*command)->help);
        return EXIT_SUCCESS;
    }
    if (line.command == NULL || line.command->argument == NULL || line.n_words > 1)
        return EXIT_SUCCESS;
    return offer_argument(&line, line.command->argument);
}
