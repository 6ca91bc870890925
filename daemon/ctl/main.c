/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl's arguments: options may stand before and after the command, whose table is here. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "ctl/client.h"
#include "ctl/complete.h"
#include "ctl/ctl.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/what_if.h"
#include "model/machine.h"
#include "model/template.h"

#define DEFAULT_SOCKET "/run/understudy/api.sock"

static const struct command *const commands[] = {
    &command_status,   &command_problems,   &command_check,       &command_plan,
    &command_services, &command_list,       &command_show,        &command_explain,
    &command_history,  &command_replay,     &command_drill,       &command_rehearse,
    &command_recover,  &command_failover,   &command_failback,    &command_keep,
    &command_clear,    &command_hold,       &command_holds,       &command_release,
    &command_fenced,   &command_fence_test, &command_notify_test, &command_reload,
    &command_watch,    &command_tag,        &command_untag,       &command_template,
    &command_refresh,  &command_catalog,    &command_report,      NULL,
};

/* Options without a letter. */
enum {
    FIRST_WORD = 256,
    WORD_IGNORE_LIMIT = FIRST_WORD,
    WORD_IGNORE_QUARANTINE,
    WORD_TO,
    WORD_FORCE,
    WORD_ANYWAY,
    WORD_REASON,
    WORD_FOR,
    WORD_EVACUATE,
    WORD_CATALOG,
    WORD_FROM,
    WORD_ROLE,
    WORD_PRIORITY,
    WORD_AGENT,
    WORD_FENCING,
    WORD_SINCE,
    WORD_OUTCOME,
    WORD_HOST,
    WORD_STATE,
    WORD_PROBLEMS,
    WORD_EACH_HOST,
    WORD_PLAN,
    WORD_BASE,
    WORD_MAX,
    WORD_OUTPUT,
    WORD_THRESHOLD,
    WORD_MIN_COVERAGE,
    WORD_WEIGHT,
    WORD_WITHOUT,
};

/* How wide the first column of the help is. */
#define COMMAND_WIDTH 20
#define OPTION_WIDTH  25

static const struct option_help option_helps[] = {
    {"socket", "PATH", 's', 0, "where understudyd listens (" DEFAULT_SOCKET ")"},
    {"json", NULL, 'j', 0, "print the daemon's answer as JSON, for programs"},
    {"failed", "MACHINE", 'f', OPTION_FAILED, "only recoveries of this machine"},
    {"limit", "N", 'n', OPTION_LIMIT, "how many to show; 0: all"},
    {"yes", NULL, 'y', OPTION_YES, "yes, crash the machine; yes, the host is off; yes, an outage"},
    {"wait", NULL, 'w', OPTION_WAIT, "wait for readiness, or for the end of the recovery"},
    {"since", "TIME", WORD_SINCE, OPTION_SINCE,
     "only what failed from then on: 2h, 7d, 2026-11-22 or \"2026-11-22 14:54\""},
    {"until", "KIND|TIME", 'u', OPTION_UNTIL, "end after this kind of event; only what failed up to then"},
    {"outcome", "OUTCOME", WORD_OUTCOME, OPTION_OUTCOME, "only those that ended so, such as exhausted, or under-way"},
    {"host", "HOST", WORD_HOST, OPTION_HOST, "only machines of this host; of plan: the host that dies"},
    {"state", "STATE", WORD_STATE, OPTION_STATE, "only machines in this state, such as running or \"shut off\""},
    {"problems", NULL, WORD_PROBLEMS, OPTION_PROBLEMS, "only machines with a problem"},
    {"timeout", "SECONDS", 't', OPTION_TIMEOUT, "how long to wait, a number of seconds"},
    {"ignore-limit", NULL, WORD_IGNORE_LIMIT, OPTION_IGNORE_LIMIT, "however often it was recovered already"},
    {"ignore-quarantine", NULL, WORD_IGNORE_QUARANTINE, OPTION_IGNORE_QUARANTINE, "with machines in quarantine, too"},
    {"to", "MACHINE", WORD_TO, OPTION_TO, "that is to take over, instead of the best"},
    {"force", NULL, WORD_FORCE, OPTION_FORCE,
     "end the machine that serves if it does not shut down in time; of template: overwrite the file"},
    {"anyway", NULL, WORD_ANYWAY, OPTION_ANYWAY, "although understudyd advises against it"},
    {"reason", "TEXT", WORD_REASON, OPTION_REASON, "why, for those who see it"},
    {"for", "TIME", WORD_FOR, OPTION_FOR, "how long, such as 30m or 2h; without it, until it is released"},
    {"evacuate", NULL, WORD_EVACUATE, OPTION_EVACUATE, "fail the services of the host over first"},
    {"catalog", "DIRECTORY", WORD_CATALOG, OPTION_CATALOG, "files that add to the catalog, instead of those in /etc"},
    {"from", "MACHINE", WORD_FROM, OPTION_FROM,
     "declare all that this machine offers; of template: the machine from which it is written"},
    {"role", "ROLE", WORD_ROLE, OPTION_ROLE, "protected, standby, \"protected standby\" or ignored"},
    {"priority", "N", WORD_PRIORITY, OPTION_PRIORITY, "the higher, the earlier it is recovered"},
    {"agent", "AGENT", WORD_AGENT, OPTION_AGENT, "this fence agent alone"},
    {"fencing", NULL, WORD_FENCING, OPTION_FENCING, "how hosts were fenced, or the host that is named, instead"},
    {"each-host", NULL, WORD_EACH_HOST, OPTION_EACH_HOST, "each host in turn dies; the worst is shown"},
    {"plan", NULL, WORD_PLAN, OPTION_PLAN, "when each service is rehearsed, and what stands against it"},
    {"base", "TARGET=PATH", WORD_BASE, OPTION_BASE, "the base image of this disk; repeatable"},
    {"max", "N", WORD_MAX, OPTION_MAX, "so many machines made from it may run at once on each host"},
    {"output", "FILE", WORD_OUTPUT, OPTION_OUTPUT, "where the template is written, instead of its place; -: print it"},
    {"threshold", "S", WORD_THRESHOLD, OPTION_WHAT_IF, "what if this were the threshold, for all services"},
    {"min-coverage", "C", WORD_MIN_COVERAGE, OPTION_WHAT_IF, "what if this were the lowest coverage"},
    {"weight", "KIND=W", WORD_WEIGHT, OPTION_WHAT_IF,
     "what if this kind weighed W; KIND=VALUE=W: this value; repeatable"},
    {"without", "MACHINE", WORD_WITHOUT, OPTION_WHAT_IF,
     "what if this machine or host could not take over; repeatable"},
    {"help", NULL, 'h', 0, "show this"},
    {"version", NULL, 'V', 0, "show the version"},
    {0},
};

#define N_COMMANDS (ELEMENTS_OF(commands) - 1)
#define N_OPTIONS  (ELEMENTS_OF(option_helps) - 1)

static char *usage_of(const struct command *command)
{
    const char *argument = command->argument != NULL ? command->argument : "";

    return format_text(command->argument_optional ? "%s [%s]" : "%s%s%s", command->name,
                       command->argument_optional || argument[0] == '\0' ? argument : " ", argument);
}

/* What is to be typed, and what it does in the column after that, or below where it is too long. */
static void print_entry(const char *usage, int width, const char *help)
{
    if (strlen(usage) + 1 >= (size_t)width)
        printf("  %s\n  %*s%s", usage, width, "", help);
    else
        printf("  %-*s%s", width, usage, help);
}

static char *usage_of_option(const struct option_help *option)
{
    const char *argument = option->argument != NULL ? option->argument : "";
    const char *blank = option->argument != NULL ? " " : "";

    return option->letter < FIRST_WORD ? format_text("-%c, --%s%s%s", option->letter, option->name, blank, argument)
                                       : format_text("    --%s%s%s", option->name, blank, argument);
}

static void show_command_help(const struct command *command)
{
    _cleanup_(freep) char *usage = usage_of(command);

    printf("understudyctl %s [OPTION ...]\n%s\n\nOptions:\n", usage, command->help);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option_help *option = &option_helps[i];
        _cleanup_(freep) char *option_usage = usage_of_option(option);

        if (option->flag != 0 && (command->options & option->flag) == 0)
            continue;
        print_entry(option_usage, OPTION_WIDTH, option->help);
        putchar('\n');
    }
    puts("\nDetails: man understudyctl");
}

static void show_help(void)
{
    puts("understudyctl COMMAND [OPTION ...]\n"
         "Asks understudyd, which starts the most similar standby when a virtual machine crashes.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct command *command = commands[i];
        _cleanup_(freep) char *usage = usage_of(command);

        print_entry(usage, COMMAND_WIDTH, command->help);
        putchar('\n');
    }
    puts("\nOptions:");
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option_help *option = &option_helps[i];
        _cleanup_(freep) char *usage = usage_of_option(option);

        print_entry(usage, OPTION_WIDTH, option->help);
        for (size_t c = 0, n = 0; option->flag != 0 && c < N_COMMANDS; c++)
            if ((commands[c]->options & option->flag) != 0)
                printf("%s%s", n++ == 0 ? " (" : ", ", commands[c]->name);
        puts(option->flag != 0 ? ")" : "");
    }
    puts("\nExit status: 0 done, 1 failed, 2 wrong usage, 3 no such thing, 4 refused as things are, or to you, 5 no "
         "answer.\n"
         "Options of a command: understudyctl COMMAND --help. Details: man understudyctl");
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
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* The command with the most similar name. */
static const char *nearest_command(const char *name)
{
    const struct command *nearest = commands[0];

    for (size_t i = 1; i < N_COMMANDS; i++)
        if (text_distance(commands[i]->name, name) < text_distance(nearest->name, name))
            nearest = commands[i];
    return nearest->name;
}

static const struct option_help *find_option(int letter)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
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

/* A whole number. -EINVAL. */
static int parse_priority(const char *text, int *ret)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < INT_MIN || number > INT_MAX)
        return -EINVAL;
    *ret = (int)number;
    return 0;
}

/* A number from 1 to TEMPLATE_MAX_LIMIT. -EINVAL. */
static int parse_max(const char *text, long *ret)
{
    char *end;

    *ret = strtol(text, &end, 10);
    return end == text || *end != '\0' || *ret < 1 || *ret > TEMPLATE_MAX_LIMIT ? -EINVAL : 0;
}

/* -EINVAL: it is not "vda=/images/base.qcow2", or there are too many. */
static int take_base(struct ctl_options *options, const char *text)
{
    size_t length = strcspn(text, "=");

    if (length == 0 || text[length] == '\0' || text[length + 1] != '/' || options->n_bases == BASES_MAX)
        return -EINVAL;
    options->bases[options->n_bases++] = text;
    return 0;
}

/* Takes one option; 0 or -EINVAL. */
static int take_option(struct ctl_options *options, int letter, const char *argument)
{
    double number = 0;
    unsigned roles;

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
        options->timeout_ms = (int64_t)(number * 1000);
        return options->timeout_ms > 0 ? 0 : -EINVAL;
    case WORD_SINCE:
        options->since = argument;
        break;
    case WORD_OUTCOME:
        options->outcome = argument;
        break;
    case WORD_HOST:
        options->host = argument;
        break;
    case WORD_STATE:
        options->state = argument;
        break;
    case WORD_PROBLEMS:
        options->problems = true;
        break;
    case WORD_IGNORE_LIMIT:
        options->ignore_limit = true;
        break;
    case WORD_IGNORE_QUARANTINE:
        options->ignore_quarantine = true;
        break;
    case WORD_TO:
        options->to = argument;
        break;
    case WORD_FORCE:
        options->force = true;
        break;
    case WORD_ANYWAY:
        options->anyway = true;
        break;
    case WORD_REASON:
        options->reason = argument;
        break;
    case WORD_EVACUATE:
        options->evacuate = true;
        break;
    case WORD_CATALOG:
        options->catalog = argument;
        break;
    case WORD_FROM:
        options->from = argument;
        break;
    case WORD_ROLE:
        options->role = argument;
        return machine_roles_parse(argument, &roles);
    case WORD_PRIORITY:
        options->has_priority = true;
        return parse_priority(argument, &options->priority);
    case WORD_AGENT:
        options->agent = argument;
        break;
    case WORD_FENCING:
        options->fencing = true;
        break;
    case WORD_EACH_HOST:
        options->each_host = true;
        break;
    case WORD_PLAN:
        options->plan = true;
        break;
    case WORD_BASE:
        return take_base(options, argument);
    case WORD_MAX:
        return parse_max(argument, &options->max);
    case WORD_OUTPUT:
        options->output = argument;
        break;
    case WORD_THRESHOLD:
        return what_if_take(options, "threshold", argument) ? 0 : -EINVAL;
    case WORD_MIN_COVERAGE:
        return what_if_take(options, "min_coverage", argument) ? 0 : -EINVAL;
    case WORD_WEIGHT:
        return what_if_take(options, "weight", argument) ? 0 : -EINVAL;
    case WORD_WITHOUT:
        return what_if_take(options, "without", argument) ? 0 : -EINVAL;
    case WORD_FOR:
        return duration_parse(argument, &options->for_us) < 0 || options->for_us < 1000000 ? -EINVAL : 0;
    }
    return 0;
}

static void fill_getopt(struct option *long_options, char *letters)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        bool has_argument = option_helps[i].argument != NULL;

        long_options[i] = (struct option){
            .name = option_helps[i].name,
            .has_arg = has_argument ? required_argument : no_argument,
            .val = option_helps[i].letter,
        };
        if (option_helps[i].letter >= FIRST_WORD)
            continue;
        *letters++ = (char)option_helps[i].letter;
        if (has_argument)
            *letters++ = ':';
    }
    *letters = '\0';
}

/* A value that take_option refused. */
static int misuse_value(const struct option_help *option, const char *value)
{
    switch (option->letter) {
    case 't':
        return misuse("--timeout needs a number of seconds above 0, such as 120, not \"%s\"", value);
    case WORD_FOR:
        return misuse("--for needs a time such as 30m or 2h, not \"%s\"", value);
    case WORD_BASE:
        return misuse("--base needs a disk and the path of its base image, such as vda=/images/base.qcow2, not \"%s\"",
                      value);
    case WORD_MAX:
        return misuse("--max needs a number from 1 to %d, not \"%s\"", TEMPLATE_MAX_LIMIT, value);
    case WORD_ROLE:
        return misuse("--role needs protected, standby, \"protected standby\" or ignored, not \"%s\"", value);
    case WORD_THRESHOLD:
    case WORD_MIN_COVERAGE:
    case WORD_WEIGHT:
    case WORD_WITHOUT:
        return misuse("--%s: no more than %d such options can be given", option->name, SUPPOSED_MAX);
    default:
        return misuse("--%s needs a number, not \"%s\"", option->name, value);
    }
}

/* Reads all options; -1: go on, else the exit status. *ret_given: the flags of the options given. */
static int parse_options(int argc, char **argv, struct ctl_options *options, unsigned *ret_given)
{
    struct option long_options[N_OPTIONS + 1] = {0};
    char letters[2 * N_OPTIONS + 1];
    int letter;

    fill_getopt(long_options, letters);
    while ((letter = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        const struct option_help *option = find_option(letter);

        if (option == NULL)
            return EXIT_USAGE; /* getopt has said what is wrong */
        if (letter == 'h')
            options->help = true;
        if (letter == 'V') {
            puts("understudyctl " UNDERSTUDY_VERSION);
            return EXIT_SUCCESS;
        }
        if (take_option(options, letter, optarg) < 0)
            return misuse_value(option, optarg);
        *ret_given |= option->flag;
    }
    return -1;
}

/* -1: all is well, else the exit status. */
static int check_usage(const struct command *command, unsigned given, char **arguments, int n_arguments)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if ((option_helps[i].flag & given & ~command->options) != 0)
            return misuse("%s takes no --%s", command->name, option_helps[i].name);
    for (int i = 0; i < n_arguments; i++)
        if (arguments[i][0] == '\0')
            return misuse("%s was given an empty %s", command->name, command->argument);
    if (n_arguments == 0 && command->argument != NULL && !command->argument_optional)
        return misuse("%s needs %s%s", command->name, strchr(command->argument, '|') != NULL ? "one of " : "a ",
                      command->argument);
    if (!command->takes_many && n_arguments > (command->argument != NULL ? 1 : 0))
        return misuse("%s has too many arguments", command->name);
    return -1;
}

/* *ret_has_run: the command was called rightly, and the exit status is its own. */
static int run(int argc, char **argv, bool *ret_has_run)
{
    struct ctl_options options = {.socket = DEFAULT_SOCKET, .limit = -1};
    _cleanup_(client_freep) struct client *client = NULL;
    const struct command *command;
    unsigned given = 0;
    int status;

    /* Of shells, with the words that were typed so far. */
    if (argc > 2 && strcmp(argv[1], "complete") == 0 && strcmp(argv[2], "--") == 0)
        return complete_print((const char *const *)&argv[3], (size_t)argc - 3, commands, option_helps, DEFAULT_SOCKET);
    status = parse_options(argc, argv, &options, &given);
    if (status >= 0)
        return status;
    /* "help COMMAND" is "COMMAND --help". */
    if (optind < argc && strcmp(argv[optind], "help") == 0) {
        options.help = true;
        optind++;
    }
    if (optind == argc && options.help) {
        show_help();
        return EXIT_SUCCESS;
    }
    if (optind == argc)
        return misuse("no command was given");
    command = find_command(argv[optind]);
    if (command == NULL)
        return misuse("there is no command %s: did you mean %s", argv[optind], nearest_command(argv[optind]));
    if (options.help) {
        show_command_help(command);
        return EXIT_SUCCESS;
    }
    status = check_usage(command, given, &argv[optind + 1], argc - optind - 1);
    if (status >= 0)
        return status;

    print_init();
    options.arguments = (const char *const *)&argv[optind + 1];
    client = client_new(options.socket);
    *ret_has_run = true;
    status = command->run(client, &options, argv[optind + 1]);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the answer");
        return EXIT_FAILURE;
    }
    return status;
}

/* "template check" is none. */
static bool is_plug_in(int argc, char **argv)
{
    bool is_one = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "template") == 0)
            return false;
        is_one |= strcmp(argv[i], "check") == 0;
    }
    return is_one;
}

int main(int argc, char **argv)
{
    bool has_run = false;
    int status = run(argc, argv, &has_run);

    /* A monitoring system takes exit status 2 for a severe problem. */
    if (has_run || status != EXIT_USAGE || !is_plug_in(argc, argv))
        return status;
    puts("UNDERSTUDY UNKNOWN - check was called wrongly: understudyctl check --help");
    return 3;
}
