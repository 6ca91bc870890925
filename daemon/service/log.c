/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journald or stderr. Knows how a line is written, not what it is for. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "service/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "service/clock.h"

#define FIELDS_MAX 20

static bool to_journal;
static int level = LOG_INFO;

/* systemd sets JOURNAL_STREAM to device:inode of the stream; it counts only while stderr is still that stream. */
void log_open(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    char *end;

    if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
        return;
    device = strtoull(stream, &end, 10);
    if (*end != ':')
        return;
    inode = strtoull(end + 1, &end, 10);
    to_journal = *end == '\0' && st.st_dev == device && st.st_ino == inode;
}

void log_set_level(int priority)
{
    level = priority;
}

static const char *priority_word(int priority)
{
    static const char *const words[] = {"emergency", "alert",  "critical", "error",
                                        "warning",   "notice", "info",     "debug"};

    return words[priority & LOG_PRIMASK];
}

/* One write, so that lines of several threads do not mix. */
static void to_stderr(int priority, const char *text)
{
    int64_t real_us = clock_now().real_us;
    time_t seconds = real_us / USEC_PER_SEC;
    struct tm local;
    char time[32];
    char line[4096];
    int length;

    if (localtime_r(&seconds, &local) == NULL || strftime(time, sizeof(time), "%H:%M:%S", &local) == 0)
        strcpy(time, "?");
    length = snprintf(line, sizeof(line), "%s.%03d %s: %s\n", time, (int)(real_us % USEC_PER_SEC / USEC_PER_MSEC),
                      priority_word(priority), text);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof(line)) {
        length = (int)sizeof(line) - 1;
        line[length - 1] = '\n';
    }
    if (write(STDERR_FILENO, line, (size_t)length) < 0) {
        /* There is no other place to say that. */
    }
}

/* Fields of one journal entry; each is "NAME=value". */
struct fields {
    struct iovec items[FIELDS_MAX];
    int count;
};

static void add_field(struct fields *fields, const char *format, ...) _printf_(2, 3);

static void add_field(struct fields *fields, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (fields->count == FIELDS_MAX) {
        free(text);
        return;
    }
    fields->items[fields->count++] = (struct iovec){.iov_base = text, .iov_len = (size_t)length};
}

static void fields_done(struct fields *fields)
{
    for (int i = 0; i < fields->count; i++)
        free(fields->items[i].iov_base);
}

static void add_machine(struct fields *fields, const struct machine_ref *machine, const char *name)
{
    if (name != NULL)
        add_field(fields, "UNDERSTUDY_MACHINE=%s", name);
    if (machine->uuid[0] != '\0')
        add_field(fields, "UNDERSTUDY_UUID=%s", machine->uuid);
    if (machine->hypervisor[0] != '\0')
        add_field(fields, "UNDERSTUDY_HYPERVISOR=%s", machine->hypervisor);
}

static void add_recovery(struct fields *fields, const char *id)
{
    if (id != NULL && id[0] != '\0')
        add_field(fields, "UNDERSTUDY_RECOVERY=%s", id);
}

/* Sends the fields with what every entry has. id NULL: it has none. */
static void to_journal_with(struct fields *fields, int priority, const char *id, const char *text)
{
    add_field(fields, "MESSAGE=%s", text);
    add_field(fields, "PRIORITY=%i", priority);
    if (id != NULL)
        add_field(fields, "MESSAGE_ID=%s", id);
    sd_journal_sendv(fields->items, fields->count);
}

static void write_line(int priority, const char *id, const struct log_subject *subject, const char *format,
                       va_list arguments)
{
    _cleanup_(fields_done) struct fields fields = {0};
    _cleanup_(freep) char *formatted = NULL, *text = NULL;

    if (priority > level)
        return;
    formatted = text_vprint(format, arguments);
    text = formatted != NULL ? text_printable(formatted) : NULL;
    if (text == NULL)
        return;
    if (!to_journal) {
        to_stderr(priority, text);
        return;
    }
    if (subject != NULL) {
        add_machine(&fields, &subject->machine, subject->machine_name);
        add_recovery(&fields, subject->recovery_id);
    }
    to_journal_with(&fields, priority, id, text);
}

void log_line(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(priority, NULL, NULL, format, arguments);
    va_end(arguments);
}

void log_about(int priority, const struct log_subject *subject, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(priority, NULL, subject, format, arguments);
    va_end(arguments);
}

void log_event(enum event_message event, const struct log_subject *subject, const char *format, ...)
{
    const struct message *message = message_of_event(event);
    va_list arguments;

    va_start(arguments, format);
    write_line(message->priority, message->id, subject, format, arguments);
    va_end(arguments);
}

void log_diags(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        _cleanup_(freep) char *text = NULL;

        const struct diag *diag = &diags->items[i];

        /* The line has its severity already. */
        if (diag->file == NULL)
            text = strdup(diag->message);
        else if (diag_format(diag, &text) < 0)
            text = NULL;
        if (text != NULL)
            log_line(diag->severity == DIAG_ERROR ? LOG_ERR : LOG_WARNING, "%s", text);
    }
}

/* How long each part of the way took; to decide takes as long as all earlier candidates together. */
static void add_durations(struct fields *fields, const struct recovery *recovery)
{
    const struct {
        const char *name;
        struct moment from, to;
    } parts[] = {
        {"UNDERSTUDY_CONFIRM_USEC=", recovery->detected, recovery->confirmed},
        {"UNDERSTUDY_DECIDE_USEC=", recovery->confirmed, recovery->decided},
        {"UNDERSTUDY_START_USEC=", recovery->decided, recovery->started},
        {"UNDERSTUDY_SETTLE_USEC=", recovery->started, recovery->settled},
        {"UNDERSTUDY_VERIFY_USEC=", recovery->settled, recovery->ended},
    };

    /* A recovery that went on after a restart of the daemon may lack some: {0} is a step that was not reached. */
    for (size_t i = 0; i < ELEMENTS_OF(parts); i++)
        if (parts[i].from.real_us != 0 && parts[i].to.real_us != 0)
            add_field(fields, "%s%lld", parts[i].name, (long long)(parts[i].to.mono_us - parts[i].from.mono_us));
}

static void add_notice_fields(struct fields *fields, const struct notice *notice, const struct recovery *recovery)
{
    add_machine(fields, &notice->machine, notice->machine_name);
    add_recovery(fields, notice->recovery_id);
    if (notice->cause != CAUSE_NONE)
        add_field(fields, "UNDERSTUDY_CAUSE=%s", failure_cause_name(notice->cause));
    if (notice->duration_us >= 0)
        add_field(fields, "UNDERSTUDY_DURATION_USEC=%lld", (long long)notice->duration_us);
    if (notice->kind == NOTICE_RECOVERED && recovery != NULL)
        add_durations(fields, recovery);
    if (notice->replacement == NULL)
        return;
    add_field(fields, "UNDERSTUDY_REPLACEMENT=%s", notice->replacement);
    if (notice->warmth != NULL)
        add_field(fields, "UNDERSTUDY_WARMTH=%s", notice->warmth);
    add_field(fields, "UNDERSTUDY_SIMILARITY=%.6f", notice->similarity);
    add_field(fields, "UNDERSTUDY_COVERAGE=%.6f", notice->coverage);
    add_field(fields, "UNDERSTUDY_OVERLAP=%.6f", notice->overlap);
}

void log_notice(const struct notice *notice, const struct recovery *recovery)
{
    const struct message *message = message_of(notice->kind);

    if (message->priority > level)
        return;
    if (!to_journal) {
        if (notice->recovery_id[0] != '\0')
            log_line(message->priority, "%s [%s]", notice->text, notice->recovery_id);
        else
            log_line(message->priority, "%s", notice->text);
        return;
    }

    _cleanup_(fields_done) struct fields fields = {0};
    _cleanup_(freep) char *text = text_printable(notice->text);
    add_notice_fields(&fields, notice, recovery);
    if (text != NULL)
        to_journal_with(&fields, message->priority, message->id, text);
}
