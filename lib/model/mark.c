/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mark as a line of text: "warm", or the recovery, the original's host and UUID, and the name of the service. */
#include "model/mark.h"

#include <stdio.h>
#include <string.h>

void mark_print(const struct mark *mark, char text[MARK_TEXT_SIZE])
{
    if (mark->is_warm)
        snprintf(text, MARK_TEXT_SIZE, "warm");
    else
        snprintf(text, MARK_TEXT_SIZE, "%s %s %s %s", mark->recovery_id, mark->original.hypervisor, mark->original.uuid,
                 mark->service);
}

/* The word that text begins with, and what follows it; NULL: it is too long, or nothing follows. */
static const char *take_word(const char *text, char *word, size_t size)
{
    const char *end = text != NULL ? strchr(text, ' ') : NULL;

    if (end == NULL || end == text || (size_t)(end - text) >= size)
        return NULL;
    memcpy(word, text, (size_t)(end - text));
    word[end - text] = '\0';
    return end + 1;
}

bool mark_scan(const char *text, struct mark *ret)
{
    *ret = (struct mark){.is_warm = strcmp(text, "warm") == 0};
    if (ret->is_warm)
        return true;
    text = take_word(text, ret->recovery_id, sizeof(ret->recovery_id));
    text = take_word(text, ret->original.hypervisor, sizeof(ret->original.hypervisor));
    text = take_word(text, ret->original.uuid, sizeof(ret->original.uuid));
    if (text == NULL || strlen(text) >= sizeof(ret->service))
        return false;
    strcpy(ret->service, text);
    return true;
}
