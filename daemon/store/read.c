/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/read.h"

#include <stdlib.h>

#include "store/store.h"

void read_free(struct read *read)
{
    if (read == NULL)
        return;
    stored_free(read->stored);
    free(read->before);
    free(read);
}

void reads_append(struct read **list, struct read *read)
{
    while (*list != NULL)
        list = &(*list)->next;
    read->next = NULL;
    *list = read;
}

struct read *reads_take_first(struct read **list)
{
    struct read *first = *list;

    if (first != NULL)
        *list = first->next;
    return first;
}

void reads_free(struct read **list)
{
    struct read *read;

    while ((read = reads_take_first(list)) != NULL)
        read_free(read);
}
