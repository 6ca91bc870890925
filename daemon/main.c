/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyd: its arguments, and nothing else. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "check.h"
#include "config/config.h"
#include "config/schema.h"
#include "daemon.h"
#include "programs.h"
#include "files/config_file.h"
#include "service/log.h"

struct arguments {
    const char *config_file;
    bool check;
    bool show_config;
    bool is_strict;
    bool verbose;
};

static void print_help(void)
{
    printf("Usage: understudyd [OPTION…]\n"
           "Watches virtual machines and starts the most similar standby when one crashes.\n\n"
           "  -c, --config FILE        configuration (default: %s)\n"
           "      --check              check the configuration, with the machines of a running daemon, and exit\n"
           "      --strict             with --check: fail also if there are only warnings\n"
           "      --show-config        print the configuration file with all defaults and without secrets\n"
           "      --sample-config      print a commented configuration with every default\n"
           "      --config-reference   print the reference of all keys (scdoc markup)\n"
           "  -v, --verbose            log debugging messages too\n"
           "  -h, --help               print this text\n"
           "      --version            print the version\n",
           CONFIG_FILE_DEFAULT);
}

static int finish_output(int r)
{
    if (r < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "understudyd: cannot write: %s\n", strerror(r < 0 ? -r : errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* EXIT_SUCCESS or EXIT_FAILURE to exit with; -1 to go on. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    enum { OPTION_CHECK = 256, OPTION_STRICT, OPTION_SHOW, OPTION_SAMPLE, OPTION_REFERENCE, OPTION_VERSION };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"strict", no_argument, NULL, OPTION_STRICT},
        {"show-config", no_argument, NULL, OPTION_SHOW},
        {"sample-config", no_argument, NULL, OPTION_SAMPLE},
        {"config-reference", no_argument, NULL, OPTION_REFERENCE},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPTION_VERSION},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1)
        switch (option) {
        case 'c':
            arguments->config_file = optarg;
            break;
        case 'v':
            arguments->verbose = true;
            break;
        case OPTION_CHECK:
            arguments->check = true;
            break;
        case OPTION_STRICT:
            arguments->is_strict = true;
            break;
        case OPTION_SHOW:
            arguments->show_config = true;
            break;
        case OPTION_SAMPLE:
            return finish_output(config_write_sample(stdout));
        case OPTION_REFERENCE:
            return finish_output(schema_write_reference(stdout));
        case 'h':
            print_help();
            return finish_output(0);
        case OPTION_VERSION:
            printf("understudyd %s\n", UNDERSTUDY_VERSION);
            return finish_output(0);
        default:
            fprintf(stderr, "Try 'understudyd --help'.\n");
            return 2;
        }
    if (optind < argc) {
        fprintf(stderr, "understudyd: unexpected argument '%s'\nTry 'understudyd --help'.\n", argv[optind]);
        return 2;
    }
    return -1;
}

static int show_config(const char *path)
{
    _cleanup_(diags_done) struct diags diags = {0};
    int r = config_file_show(path, &diags, stdout);

    for (size_t i = 0; i < diags.count; i++) {
        _cleanup_(freep) char *text = NULL;

        if (diag_format(&diags.items[i], &text) == 0)
            fprintf(stderr, "%s\n", text);
    }
    if (r < 0 && diags.count == 0)
        fprintf(stderr, "understudyd: %s: %s\n", path, strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The file is at fault, and trying again will not mend it. What is missing now may be there in a moment. */
static bool is_configuration_error(int error)
{
    switch (error) {
    case -EINVAL:
    case -ENOENT:
    case -EACCES:
    case -EPERM:
    case -EISDIR:
    case -ENOTDIR:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -EFBIG:
        return true;
    default:
        return false;
    }
}

static int run(const struct arguments *arguments)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    _cleanup_(templates_freep) struct templates *templates = NULL;
    int r;

    log_open();
    if (arguments->verbose)
        log_set_level(LOG_DEBUG);
    r = config_file_load(arguments->config_file, &diags, &config, &catalog, &templates);
    if (r == 0)
        programs_check(config, &diags);
    log_diags(&diags);
    if (r < 0 && !is_configuration_error(r)) {
        log_event(MESSAGE_NOT_STARTED, NULL, "not started: %s could not be read (%s)", arguments->config_file,
                  strerror(-r));
        return EXIT_FAILURE;
    }
    if (r < 0) {
        /* What is wrong in the file was told above. */
        log_event(MESSAGE_NOT_STARTED, NULL, "not started: %s is not a usable configuration%s%s",
                  arguments->config_file, diags.count > 0 ? "" : ": ", diags.count > 0 ? "" : strerror(-r));
        return EX_CONFIG;
    }
    return daemon_run(config, catalog, templates) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.config_file = CONFIG_FILE_DEFAULT};
    int status = parse_arguments(argc, argv, &arguments);

    if (status >= 0)
        return status;
    if (arguments.show_config)
        return show_config(arguments.config_file);
    return arguments.check ? check_configuration(arguments.config_file, arguments.is_strict) : run(&arguments);
}
