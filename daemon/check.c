/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings of the parser, of programs that are named, and of names that no machine has. The machines are those of the
 * daemon that runs, as its state directory shows: it is sent the text, on the socket that the configuration names, and
 * answers what it thinks of it.
 */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diag.h"
#include "config/config.h"
#include "discovery/catalog.h"
#include "files/config_file.h"
#include "files/text_file.h"
#include "programs.h"
#include "report/json.h"
#include "report/problems.h"
#include "service/clock.h"
#include "store/claim.h"

/* For each piece of the question and of the answer. */
#define PATIENCE_S 10

/* Longer than any answer. */
#define ANSWER_MAX (16 * 1024 * 1024)

/* ---- the daemon that runs ---- */

/* *ret NULL: none listens there. Negative errno: one may, and cannot be asked. */
static int connect_to(const char *path, FILE **ret)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, r = 0;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        r = errno == ENOENT || errno == ECONNREFUSED ? 0 : -errno;
    else if ((*ret = fdopen(fd, "r+")) != NULL)
        return 0;
    else
        r = -errno;
    close(fd);
    return r;
}

/* To the end, with a NUL. */
static int read_all(FILE *stream, char **ret, size_t *ret_length)
{
    _cleanup_(freep) char *text = NULL;
    size_t length = 0, room = 0, n;

    do {
        char *longer = room < ANSWER_MAX ? realloc(text, room + 65536) : NULL;

        if (longer == NULL)
            return -ENOMEM;
        text = longer;
        room += 65536;
        n = fread(text + length, 1, room - length - 1, stream);
        length += n;
    } while (n > 0);
    if (ferror(stream))
        return errno == EAGAIN ? -ETIMEDOUT : -EIO;
    text[length] = '\0';
    *ret = text;
    *ret_length = length;
    text = NULL;
    return 0;
}

/* What it thinks of this text; nothing where none runs. */
static int ask_daemon(const char *socket_path, const char *config, size_t length, bool *ret_has_answered,
                      struct string_list *ret)
{
    _cleanup_(fclosep) FILE *stream = NULL;
    _cleanup_(freep) char *answer = NULL;
    const char *body;
    size_t size;
    int r = connect_to(socket_path, &stream);

    if (r < 0 || stream == NULL)
        return r;
    fprintf(stream, "POST /v1/check HTTP/1.0\r\nContent-Length: %zu\r\n\r\n", length);
    if (fwrite(config, 1, length, stream) != length || fflush(stream) != 0)
        return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
    r = read_all(stream, &answer, &size);
    if (r < 0)
        return r;
    body = answer != NULL ? strstr(answer, "\r\n\r\n") : NULL;
    if (body == NULL || strlen(answer) != size || strncmp(answer, "HTTP/1.", strlen("HTTP/1.")) != 0 ||
        strncmp(answer + strlen("HTTP/1.x"), " 200", strlen(" 200")) != 0)
        return -EPROTO; /* of another version, perhaps */
    *ret_has_answered = true;
    body += strlen("\r\n\r\n");
    return json_parse_problems(body, strlen(body), ret);
}

/* ---- findings ---- */

static void add_sentences(const char *path, const struct string_list *sentences, struct diags *diags)
{
    for (size_t i = 0; i < sentences->count; i++)
        diags_add(diags, DIAG_WARNING, path, 0, 0, "%s", sentences->items[i]);
}

/* Without machines. */
static void add_own(const struct config *config, const struct catalog *catalog, struct diags *diags)
{
    struct problems problems = {0};

    if (problems_collect_config(config, catalog, NULL, NULL, clock_now(), &problems) < 0)
        diags->incomplete = true;
    for (size_t i = 0; i < problems.count; i++)
        diags_add(diags, DIAG_WARNING, config->file, 0, 0, "%s; %s", problems.all[i].text, problems.all[i].remedy);
    problems_done(&problems);
}

static void look_at_meaning(const char *path, const struct config *config, const struct catalog *catalog,
                            struct diags *diags)
{
    _cleanup_(string_list_done) struct string_list sentences = {0};
    _cleanup_(freep) char *text = NULL;
    bool has_answered = false;
    size_t length;
    int r = text_file_read(path, diags, &text, &length);

    /* A socket of systemd would start one. */
    if (r == 0)
        r = claim_look(config->state_dir);
    if (r > 0)
        r = ask_daemon(config->api_socket, text, length, &has_answered, &sentences);
    if (r < 0)
        fprintf(stderr, "%s: note: not compared with the machines that there are: understudyd cannot be asked: %s\n",
                path, strerror(-r));
    if (has_answered)
        add_sentences(path, &sentences, diags);
    else
        add_own(config, catalog, diags);
}

static void print(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        _cleanup_(freep) char *text = NULL;

        if (diag_format(&diags->items[i], &text) == 0)
            fprintf(stderr, "%s\n", text);
    }
}

int check_configuration(const char *path, bool is_strict)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    _cleanup_(templates_freep) struct templates *templates = NULL;
    int r = config_file_load(path, &diags, &config, &catalog, &templates);

    signal(SIGPIPE, SIG_IGN); /* the daemon may hang up */
    if (r == 0) {
        programs_check(config, &diags);
        look_at_meaning(path, config, catalog, &diags);
    }
    print(&diags);
    if (r < 0 && diags.count == 0)
        fprintf(stderr, "%s: error: %s\n", path, strerror(-r));
    if (r < 0)
        return EXIT_FAILURE;
    if (is_strict && (diags.count > 0 || diags.incomplete)) {
        fprintf(stderr, "%s: not good enough for --strict: %zu %s\n", path, diags.count,
                diags.count == 1 ? "warning" : "warnings");
        return EXIT_FAILURE;
    }
    printf("%s: ok\n", path);
    return EXIT_SUCCESS;
}
