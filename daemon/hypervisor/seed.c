/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts are filled in by hand, and libarchive makes the file system. Knows no libvirt. */
#include "hypervisor/seed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/text.h"

#define BLANKS " \t\r\n"

DEFINE_CLEANUP(struct archive, archive_write_free);
DEFINE_CLEANUP(struct archive_entry, archive_entry_free);

/* ---- what is filled in ---- */

/* Borrowed; NULL: it has no value. */
static const char *look_up(const struct making *making, const struct string_list *environment, const char *name,
                           size_t length)
{
    static const char of_service[] = "UNDERSTUDY_SERVICE";

    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, length) == 0 && environment->items[i][length] == '=')
            return environment->items[i] + length + 1;
    return length == strlen(of_service) && memcmp(name, of_service, length) == 0 ? making->service : NULL;
}

/* The value of the ${NAME} at the beginning of the text, and behind it; NULL: there is none that is known. */
static const char *expand(const struct making *making, const struct string_list *environment, const char *text,
                          const char **ret_behind)
{
    const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;

    if (end == NULL || end == text + 2)
        return NULL;
    *ret_behind = end + 1;
    return look_up(making, environment, text + 2, (size_t)(end - text - 2));
}

/* A value that was filled in is not looked at again. */
static int fill_in(const char *text, const struct making *making, const struct string_list *environment, char **ret)
{
    char *filled = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&filled, &size);

    if (stream == NULL)
        return -ENOMEM;
    while (*text != '\0') {
        const char *behind, *value = expand(making, environment, text, &behind);

        if (value != NULL) {
            fputs(value, stream);
            text = behind;
        } else {
            fputc(*text++, stream);
        }
    }
    bool is_lost = ferror(stream) != 0;
    if (fclose(stream) != 0 || is_lost) {
        free(filled);
        return -ENOMEM;
    }
    *ret = filled;
    return 0;
}

/* ---- meta-data ---- */

/* YAML in one pair of braces, which JSON is, or a key on each line. */
static bool is_in_braces(const char *text)
{
    return text[strspn(text, BLANKS)] == '{';
}

/* The key stands here as a key, in quotes or without. */
static bool is_key_at(const char *begin, const char *at, size_t length, bool in_braces)
{
    const char *behind = at + length;

    if (at > begin && (at[-1] == '"' || at[-1] == '\'')) {
        if (*behind++ != at[-1])
            return false;
        at--;
    }
    behind += strspn(behind, " \t");
    return *behind == ':' && (at == begin || strchr(in_braces ? "{," BLANKS : "\n", at[-1]) != NULL);
}

static bool gives(const char *text, const char *key)
{
    bool in_braces = is_in_braces(text);

    for (const char *at = text; (at = strstr(at, key)) != NULL; at++)
        if (is_key_at(text, at, strlen(key), in_braces))
            return true;
    return false;
}

/* A host name is quoted, since it may look like a number. */
static int complete(const char *text, const char *key, const char *value, char **ret)
{
    const char *inside = text + strspn(text, BLANKS);
    size_t length = strlen(text);

    if (gives(text, key))
        return text_format(ret, "%s", text);
    if (is_in_braces(text))
        return text_format(ret, "{\"%s\": \"%s\", %s", key, value, inside + 1);
    return text_format(ret, "%s%s%s: \"%s\"\n", text, length > 0 && text[length - 1] != '\n' ? "\n" : "", key, value);
}

int seed_meta_data(const struct template *template, const struct making *making, const struct string_list *environment,
                   char **ret)
{
    _cleanup_(freep) char *given = NULL;
    _cleanup_(freep) char *identified = NULL;
    _cleanup_(freep) char *host = NULL;
    int r = fill_in(template->meta_data != NULL ? template->meta_data : "", making, environment, &given);

    if (r == 0)
        r = making->is_standby ? making_name(making, &host) : making_host_name(making, &host);
    if (r == 0)
        r = complete(given, "instance-id", making->uuid, &identified);
    return r == 0 ? complete(identified, "local-hostname", host, ret) : r;
}

int seed_user_data(const struct template *template, const struct making *making, const struct string_list *environment,
                   char **ret)
{
    return fill_in(template->user_data != NULL ? template->user_data : "", making, environment, ret);
}

/* ---- the image ---- */

struct image {
    char *bytes;
    size_t size;
};

/* An archive_write_callback. */
static la_ssize_t take(struct archive *archive, void *context, const void *bytes, size_t count)
{
    struct image *image = context;
    char *longer = realloc(image->bytes, image->size + count);

    if (longer == NULL) {
        archive_set_error(archive, ENOMEM, "no memory for the image");
        return -1;
    }
    memcpy(longer + image->size, bytes, count);
    image->bytes = longer;
    image->size += count;
    return (la_ssize_t)count;
}

static int add_file(struct archive *archive, const char *name, const char *text)
{
    _cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();
    size_t length = strlen(text);

    if (entry == NULL)
        return ARCHIVE_FATAL;
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0444);
    archive_entry_set_size(entry, (la_int64_t)length);
    if (archive_write_header(archive, entry) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    return archive_write_data(archive, text, length) == (la_ssize_t)length ? ARCHIVE_OK : ARCHIVE_FATAL;
}

static int write_image(struct archive *archive, const char *user_data, const char *meta_data, struct image *image)
{
    int r = archive_write_set_format_iso9660(archive);

    if (r == ARCHIVE_OK)
        r = archive_write_set_options(archive, "volume-id=cidata");
    if (r == ARCHIVE_OK)
        r = archive_write_set_bytes_in_last_block(archive, 1);
    if (r == ARCHIVE_OK)
        r = archive_write_open(archive, image, NULL, take, NULL);
    if (r == ARCHIVE_OK)
        r = add_file(archive, "meta-data", meta_data);
    if (r == ARCHIVE_OK)
        r = add_file(archive, "user-data", user_data);
    return r == ARCHIVE_OK ? archive_write_close(archive) : r;
}

int seed_make_image(const char *user_data, const char *meta_data, void **ret, size_t *ret_size)
{
    _cleanup_(archive_write_freep) struct archive *archive = archive_write_new();
    struct image image = {0};

    if (archive == NULL)
        return -ENOMEM;
    if (write_image(archive, user_data, meta_data, &image) != ARCHIVE_OK) {
        int r = archive_errno(archive) == ENOMEM ? -ENOMEM : -EIO;

        archive_write_fail(archive); /* so that nothing more is written when it is freed */
        free(image.bytes);
        return r;
    }
    *ret = image.bytes;
    *ret_size = image.size;
    return 0;
}
