/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rather one value too many is masked than one too few. */
#include "config/secret.h"

#include <stdlib.h>
#include <string.h>

bool secret_is_name(const char *name)
{
    static const char *const words[] = {"pass", "pwd", "secret", "token", "key", "community", "hook_env"};

    for (size_t i = 0; i < ELEMENTS_OF(words); i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    return false;
}

/* Where the password of the authority begins, and *ret_length; NULL: there is none. */
static const char *find_password(const char *authority, size_t *ret_length)
{
    const char *end = authority + strcspn(authority, "/?# \t\n\"'<>");
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    const char *colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

    if (colon == NULL)
        return NULL;
    *ret_length = (size_t)(at - colon - 1);
    return colon + 1;
}

/* at: behind a '?' or '&': where the value of a parameter begins that is a secret, and *ret_length. NULL: it is none. */
static const char *find_parameter(const char *at, size_t *ret_length)
{
    _cleanup_(freep) char *name = NULL;
    size_t length = strcspn(at, "=&;# \t\n\"'<>");

    if (at[length] != '=')
        return NULL;
    name = strndup(at, length);
    if (name != NULL && !secret_is_name(name))
        return NULL;
    *ret_length = strcspn(at + length + 1, "&;# \t\n\"'<>");
    return at + length + 1;
}

char *secret_mask_uris(const char *text)
{
    /* The shortest URI with a password has more bytes than the mask: "a://:@", "?key=". */
    char *masked = malloc(strlen(text) * sizeof(SECRET_MASK) + 1), *end = masked;
    bool is_uri = false;

    if (masked == NULL)
        return NULL;
    while (*text != '\0') {
        size_t length = 0;
        const char *secret = NULL;

        if (strncmp(text, "://", 3) == 0) {
            is_uri = true;
            secret = find_password(text + 3, &length);
        } else if (is_uri && (*text == '?' || *text == '&')) {
            secret = find_parameter(text + 1, &length);
        } else if (strchr(" \t\n\"'<>", *text) != NULL) {
            is_uri = false;
        }
        if (secret == NULL) {
            *end++ = *text++;
            continue;
        }
        end = mempcpy(end, text, (size_t)(secret - text));
        end = stpcpy(end, SECRET_MASK);
        text = secret + length;
    }
    *end = '\0';
    return masked;
}
