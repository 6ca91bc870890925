/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl's arguments: options may stand before and after the command, whose table is here. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/message.h"
#include "ctl/print.h"

#define DEFAULT_SOCKET "/run/understudy/api.sock"

static const struct command *const commands[] = {
    &command_status, &command_services, &command_list,   &command_show,   &command_explain, &command_history,
    &command_drill,  &command_release,  &command_fenced, &command_reload, &command_watch,
};

/* flag 0: every command takes it. */
static const struct option_help {
    const char *name;
    const char *argument; /* NULL: takes none */
    char letter;          /* 0: has none */
    unsigned flag;
    const char *help;
} option_helps[] = {
    {"socket", "PATH", 's', 0, "where understudyd listens (" DEFAULT_SOCKET ")"},
    {"json", NULL, 'j', 0, "print the daemon's answer as JSON, for programs"},
    {"failed", "MACHINE", 'f', OPTION_FAILED, "only recoveries of this machine"},
    {"limit", "N", 'n', OPTION_LIMIT, "how many to show; 0: all"},
    {"yes", NULL, 'y', OPTION_YES, "yes, crash the machine; yes, the host is off"},
    {"wait", NULL, 'w', OPTION_WAIT, "wait for readiness, or for the end of the recovery"},
    {"until", "KIND", 'u', OPTION_UNTIL, "end after the first event of this kind, such as recovered"},
    {"timeout", "SECONDS", 't', OPTION_TIMEOUT, "how long to wait"},
    {"help", NULL, 'h', 0, "show this"},
    {"version", NULL, 'V', 0, "show the version"},
};

static void show_help(void)
{
    puts("understudyctl COMMAND [OPTION ...]\n"
         "Asks understudyd, which starts the most similar standby when a virtual machine crashes.\n\n"
         "Commands:");
    for (size_t i = 0; i < ELEMENTS_OF(commands); i++) {
        const struct command *command = commands[i];
        const char *argument = command->argument != NULL ? command->argument : "";
        _cleanup_(freep) char *usage =
            format_text(command->argument_optional ? "%s [%s]" : "%s %s", command->name, argument);

        printf("  %-20s%s\n", usage, command->help);
    }
    puts("\nOptions:");
    for (size_t i = 0; i < ELEMENTS_OF(option_helps); i++) {
        const struct option_help *option = &option_helps[i];
        _cleanup_(freep) char *usage =
            format_text("-%c, --%s %s", option->letter, option->name, option->argument != NULL ? option->argument : "");

        printf("  %-24s%s", usage, option->help);
        for (size_t c = 0, n = 0; option->flag != 0 && c < ELEMENTS_OF(commands); c++)
            if ((commands[c]->options & option->flag) != 0)
                printf("%s%s", n++ == 0 ? " (" : ", ", commands[c]->name);
        puts(option->flag != 0 ? ")" : "");
    }
    puts("\nExit status: 0 success, 1 failure, 2 wrong usage.");
}

static int misuse(const char *format, ...) _printf_(1, 2);

static int misuse(const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        die_of_memory();
    va_end(arguments);
    complain("%s; understudyctl --help lists commands and options", text);
    return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ELEMENTS_OF(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static const struct option_help *find_option(int letter)
{
    for (size_t i = 0; i < ELEMENTS_OF(option_helps); i++)
        if (option_helps[i].letter == letter)
            return &option_helps[i];
    return NULL;
}

/* A decimal number, not above the seconds of a day. -EINVAL. */
static int parse_number(const char *text, double *ret)
{
    double number;
    char *end;

    errno = 0;
    number = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(number >= 0 && number <= 86400))
        return -EINVAL;
    *ret = number;
    return 0;
}

/* Takes one option; 0 or -EINVAL. */
static int take_option(struct ctl_options *options, int letter, const char *argument)
{
    double number = 0;

    if ((letter == 'n' || letter == 't') && parse_number(argument, &number) < 0)
        return -EINVAL;
    switch (letter) {
    case 's':
        options->socket = argument;
        break;
    case 'j':
        options->json = true;
        break;
    case 'f':
        options->failed = argument;
        break;
    case 'n':
        options->limit = (long)number;
        break;
    case 'y':
        options->yes = true;
        break;
    case 'w':
        options->wait = true;
        break;
    case 'u':
        options->until = argument;
        break;
    case 't':
        /* Less than a millisecond would be none at all. */
        options->timeout_ms = number > 0.001 ? (int64_t)(number * 1000) : 1;
        break;
    }
    return 0;
}

static void fill_getopt(struct option *long_options, char *letters)
{
    for (size_t i = 0; i < ELEMENTS_OF(option_helps); i++) {
        bool has_argument = option_helps[i].argument != NULL;

        long_options[i] = (struct option){
            .name = option_helps[i].name,
            .has_arg = has_argument ? required_argument : no_argument,
            .val = option_helps[i].letter,
        };
        *letters++ = option_helps[i].letter;
        if (has_argument)
            *letters++ = ':';
    }
    *letters = '\0';
}

/* Reads all options; -1: go on, else the exit status. *ret_given: the flags of the options given. */
static int parse_options(int argc, char **argv, struct ctl_options *options, unsigned *ret_given)
{
    struct option long_options[ELEMENTS_OF(option_helps) + 1] = {0};
    char letters[2 * ELEMENTS_OF(option_helps) + 1];
    int letter;

    fill_getopt(long_options, letters);
    while ((letter = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        const struct option_help *option = find_option(letter);

        if (option == NULL)
            return EXIT_USAGE; /* getopt has said what is wrong */
        if (letter == 'h') {
            show_help();
            return EXIT_SUCCESS;
        }
        if (letter == 'V') {
            puts("understudyctl " UNDERSTUDY_VERSION);
            return EXIT_SUCCESS;
        }
        if (take_option(options, letter, optarg) < 0)
            return misuse("--%s wants a number, not \"%s\"", option->name, optarg);
        *ret_given |= option->flag;
    }
    return -1;
}

/* -1: all is well, else the exit status. */
static int check_usage(const struct command *command, unsigned given, int n_arguments)
{
    for (size_t i = 0; i < ELEMENTS_OF(option_helps); i++)
        if ((option_helps[i].flag & given & ~command->options) != 0)
            return misuse("%s takes no --%s", command->name, option_helps[i].name);
    if (n_arguments == 0 && command->argument != NULL && !command->argument_optional)
        return misuse("%s wants a %s", command->name, command->argument);
    if (n_arguments > (command->argument != NULL ? 1 : 0))
        return misuse("%s has too many arguments", command->name);
    return -1;
}

int main(int argc, char **argv)
{
    struct ctl_options options = {.socket = DEFAULT_SOCKET, .limit = -1};
    _cleanup_(client_freep) struct client *client = NULL;
    const struct command *command;
    unsigned given = 0;
    int status;

    status = parse_options(argc, argv, &options, &given);
    if (status >= 0)
        return status;
    if (optind == argc)
        return misuse("no command was given");
    command = find_command(argv[optind]);
    if (command == NULL)
        return misuse("there is no command %s", argv[optind]);
    status = check_usage(command, given, argc - optind - 1);
    if (status >= 0)
        return status;

    print_init();
    client = client_new(options.socket);
    status = command->run(client, &options, argv[optind + 1]);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the answer");
        return EXIT_FAILURE;
    }
    return status;
}
