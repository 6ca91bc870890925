/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   acting ── success, and to be confirmed ──▶ asking ── off ──▶ done
 *      └── failure, or not to be confirmed ──▶ done ◀── on, or no answer
 */
#include "hooks/fence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hooks/listing.h"
#include "hooks/output.h"
#include "hooks/process.h"
#include "hooks/sequence.h"

/* The API of fence agents: action=status of a host that is off. */
#define STATUS_ON  0
#define STATUS_OFF 2

/* The fencing library ends what it says of a fault with this line; the fault itself is the line before. */
#define ADVICE "Please use '-h' for usage"

/* So many bytes of a secret at the end of a line are taken for a secret that was cut. */
#define BEGUN_MIN 3

struct fencer {
    struct event_base *base;
    struct fencer_callbacks callbacks;
    void *context;
    struct sequence_list runs;
};

struct run {
    struct sequence sequence;
    struct fencer *fencer;
    uint64_t number;
    char *host;
    char *path;
    int64_t timeout_us;
    char *input;                /* of the action */
    char *status_input;         /* NULL: what the agent says is not confirmed */
    struct string_list secrets; /* as output.h prints them */
    size_t longest_secret;      /* in bytes, with every byte escaped that may be where a line is cut */
    bool is_after_cut;          /* the line before was broken */
    bool is_asking;             /* the status is being asked for */
    char last_line[OUTPUT_LINE_BYTES + 1];
};

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void run_free(struct run *run)
{
    if (run == NULL)
        return;
    sequence_done(&run->sequence);
    for (size_t i = 0; i < run->secrets.count; i++)
        explicit_bzero(run->secrets.items[i], strlen(run->secrets.items[i]));
    string_list_done(&run->secrets);
    wipe(run->input);
    wipe(run->status_input);
    free(run->host);
    free(run->path);
    free(run);
}
DEFINE_CLEANUP(struct run, run_free);

static void answer(struct run *run, int error, const char *format, ...) _printf_(3, 4);

/* The run may be gone after this. */
static void answer(struct run *run, int error, const char *format, ...)
{
    char message[PROCESS_MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    run->fencer->callbacks.done(run->fencer->context, run->number, error, message);
    sequence_end(&run->sequence);
}

/* Marks every place of a secret, so that secrets which hold or overlap each other are found alike. */
static void mark_whole(const char *line, const char *secret, bool *is_hidden)
{
    size_t length = strlen(secret);

    for (const char *at = line; (at = strstr(at, secret)) != NULL; at++)
        memset(is_hidden + (at - line), true, length);
}

/* Marks the end of a line that breaks off within a secret, by a limit or because the agent was killed. */
static void mark_begun(const char *line, const char *secret, bool *is_hidden)
{
    size_t whole = strlen(line), end = whole, n = strlen(secret);

    /* A character that was cut stands there as escaped bytes. */
    for (unsigned i = 0; i < 3 && end >= 4 && strncmp(line + end - 4, "\\x", 2) == 0; i++)
        end -= 4;
    for (n = n > end + 1 ? end : n - 1; n >= BEGUN_MIN; n--)
        if (memcmp(line + end - n, secret, n) == 0) {
            memset(is_hidden + end - n, true, whole - end + n);
            return;
        }
}

/* Writes *** for each run of what is marked, and fewer for less. */
static void put_stars(char *line, const bool *is_hidden)
{
    size_t to = 0, run = 0;

    for (size_t from = 0; line[from] != '\0'; from++) {
        run = is_hidden[from] ? run + 1 : 0;
        if (run <= 3)
            line[to++] = run > 0 ? '*' : line[from];
    }
    line[to] = '\0';
}

/* What an agent prints when it fails may hold its options. text is at most 4 * OUTPUT_LINE_BYTES long. */
static void scrub(struct run *run, const char *text, char *ret)
{
    bool is_hidden[4 * OUTPUT_LINE_BYTES] = {0};
    size_t length = strlen(text);
    /* Judged by the length; too many lines count as cut where bytes are escaped, which does no harm. */
    bool is_cut = length >= OUTPUT_LINE_BYTES;
    size_t doubtful = length < run->longest_secret ? length : run->longest_secret;

    for (size_t i = 0; i < run->secrets.count; i++) {
        mark_whole(text, run->secrets.items[i], is_hidden);
        mark_begun(text, run->secrets.items[i], is_hidden);
    }
    /* The break of a long line may stand within a secret. */
    if (run->is_after_cut)
        memset(is_hidden, true, doubtful);
    if (is_cut)
        memset(is_hidden + length - doubtful, true, doubtful);
    run->is_after_cut = is_cut;
    memcpy(ret, text, length + 1);
    put_stars(ret, is_hidden);
}

static void on_line(struct sequence *sequence, const char *text)
{
    char scrubbed[4 * OUTPUT_LINE_BYTES + 1];
    struct run *run = (struct run *)sequence;
    char line[sizeof(run->last_line)];

    scrub(run, text, scrubbed);
    snprintf(line, sizeof(line), "%.*s", OUTPUT_LINE_BYTES, scrubbed);
    explicit_bzero(scrubbed, sizeof(scrubbed));
    if (run->last_line[0] == '\0' || strstr(line, ADVICE) == NULL)
        memcpy(run->last_line, line, sizeof(line));
    run->fencer->callbacks.line(run->fencer->context, run->host, line);
}

static void judge_action(struct run *run, int error, const char *message)
{
    const char *said = run->last_line[0] != '\0' ? ": " : "";

    if (error < 0)
        answer(run, error, "%s: %s%s%.300s", run->path, message, said, run->last_line);
    else if (run->status_input == NULL)
        answer(run, 0, "%s", "");
    else
        run->is_asking = true;
}

static void judge_status(struct run *run, int error, const char *message)
{
    int status = sequence_exit_status(&run->sequence);
    const char *said = run->last_line[0] != '\0' ? ": " : "";

    if (status == STATUS_OFF)
        answer(run, 0, "%s", "");
    else if (status == STATUS_ON)
        answer(run, -EIO, "%s says that it has switched the host off, but afterwards that it is still on", run->path);
    else
        answer(run, error < 0 ? error : -EIO, "%s cannot say whether the host is off: %s%s%.300s", run->path, message,
               said, run->last_line);
}

static void on_ended(struct sequence *sequence, int error, const char *message)
{
    struct run *run = (struct run *)sequence;

    if (run->is_asking)
        judge_status(run, error, message);
    else
        judge_action(run, error, message);
}

static void on_step(struct sequence *sequence)
{
    static char *const environment[] = {(char *)PROCESS_PATH, (char *)PROCESS_LANG, NULL};
    struct run *run = (struct run *)sequence;
    const struct program program = {
        .path = run->path,
        .environment = environment,
        .input = run->is_asking ? run->status_input : run->input,
        .timeout_us = run->timeout_us,
    };
    char message[PROCESS_MESSAGE_SIZE];
    const char *why;
    int r;

    run->last_line[0] = '\0';
    run->is_after_cut = false;
    r = listing_check_program(run->path, &why);
    if (r < 0) {
        answer(run, r, "%s is not run: %s", run->path, why);
        return;
    }
    r = sequence_run(sequence, &program, message);
    if (r < 0)
        answer(run, r, "%s %s", run->path, message);
}

static void free_sequence(struct sequence *sequence)
{
    run_free((struct run *)sequence);
}

static const struct sequence_type run_type = {
    .step = on_step,
    .line = on_line,
    .ended = on_ended,
    .free = free_sequence,
};

static bool has_option(const struct config_options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->items[i].name, name) == 0)
            return true;
    return false;
}

/* NULL: out of memory. */
static char *make_input(const char *action, const struct config_options *common, const struct config_options *own)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool is_lost;

    if (out == NULL)
        return NULL;
    fprintf(out, "action=%s\n", action);
    for (size_t i = 0; i < common->count; i++)
        if (!has_option(own, common->items[i].name))
            fprintf(out, "%s=%s\n", common->items[i].name, common->items[i].value);
    for (size_t i = 0; i < own->count; i++)
        fprintf(out, "%s=%s\n", own->items[i].name, own->items[i].value);
    is_lost = ferror(out) != 0;
    if (fclose(out) != 0 || is_lost) {
        wipe(text);
        return NULL;
    }
    return text;
}

/* Noted as it will be found: bytes that are not printable are escaped in lines. */
static int note_secret(struct run *run, const char *secret)
{
    size_t length = strlen(secret), size = 4 * length + 1, worst = 0;
    char *printable = malloc(size);
    int r;

    if (printable == NULL)
        return -ENOMEM;
    output_make_printable(secret, length, printable, size);
    r = string_list_add(&run->secrets, printable);
    wipe(printable);
    for (size_t i = 0; i < length; i++)
        worst += (unsigned char)secret[i] < 0x80 ? 1 : 4;
    if (worst > run->longest_secret)
        run->longest_secret = worst;
    return r;
}

static int note_secrets(struct run *run, const struct config_options *options)
{
    static const char *const words[] = {"pass", "pwd", "secret", "token", "key", "community"};

    for (size_t i = 0; i < options->count; i++)
        for (size_t w = 0; w < ELEMENTS_OF(words); w++) {
            const struct config_option *option = &options->items[i];

            if (strcasestr(option->name, words[w]) == NULL || option->value[0] == '\0')
                continue;
            if (note_secret(run, option->value) < 0)
                return -ENOMEM;
            break;
        }
    return 0;
}

int fencer_run(struct fencer *fencer, uint64_t number, const char *host, const struct config_fence *config,
               const struct config_options *own)
{
    bool is_confirmed = config->action == FENCE_OFF && config->is_confirmed;
    _cleanup_(run_freep) struct run *run = calloc(1, sizeof(*run));

    if (run == NULL)
        return -ENOMEM;
    run->fencer = fencer;
    run->number = number;
    run->timeout_us = config->timeout_us;
    run->host = strdup(host);
    run->path = strdup(config->command);
    run->input = make_input(config->action == FENCE_OFF ? "off" : "reboot", &config->options, own);
    if (is_confirmed)
        run->status_input = make_input("status", &config->options, own);
    if (run->host == NULL || run->path == NULL || run->input == NULL || (is_confirmed && run->status_input == NULL) ||
        note_secrets(run, &config->options) < 0 || note_secrets(run, own) < 0 ||
        sequence_init(&run->sequence, fencer->base, &run_type) < 0)
        return -ENOMEM;
    sequence_begin(&run->sequence, &fencer->runs);
    run = NULL;
    return 0;
}

int fencer_new(struct event_base *base, const struct fencer_callbacks *callbacks, void *context, struct fencer **ret)
{
    struct fencer *fencer = calloc(1, sizeof(*fencer));

    if (fencer == NULL)
        return -ENOMEM;
    fencer->base = base;
    fencer->callbacks = *callbacks;
    fencer->context = context;
    LIST_INIT(&fencer->runs);
    *ret = fencer;
    return 0;
}

void fencer_free(struct fencer *fencer)
{
    if (fencer == NULL)
        return;
    sequence_list_free(&fencer->runs);
    free(fencer);
}
