/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nearest names by edit distance. Only reads the pool. */
#include "api/suggest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SUGGESTIONS_MAX 3
#define NAME_BYTES_MAX  64 /* longer names are not compared: the work grows with the square */

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

static bool same_letter(char a, char b)
{
    return strncasecmp(&a, &b, 1) == 0;
}

/* Levenshtein, without regard to ASCII case. Neither is longer than NAME_BYTES_MAX. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[NAME_BYTES_MAX + 1];
    size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n; j++) {
            unsigned replaced = diagonal + (same_letter(a[i], b[j]) ? 0 : 1);

            diagonal = row[j + 1];
            row[j + 1] = smallest(replaced, row[j] + 1, row[j + 1] + 1);
        }
    }
    return row[n];
}

struct suggestion {
    const struct machine *machine;
    unsigned distance;
};

/* Keeps the nearest, nearest first; of equals the one whose name comes first. */
static void keep(struct suggestion best[SUGGESTIONS_MAX], struct suggestion new)
{
    for (size_t i = 0; i < SUGGESTIONS_MAX; i++) {
        if (best[i].machine == NULL || new.distance < best[i].distance ||
            (new.distance == best[i].distance &&strverscmp(new.machine->name, best[i].machine->name) < 0)) {
            struct suggestion displaced = best[i];

            best[i] = new;
            if (displaced.machine == NULL)
                return;
            new = displaced;
        }
    }
}

char *suggest_similar(const struct pool *pool, const char *text)
{
    struct suggestion best[SUGGESTIONS_MAX] = {0};
    size_t length = strlen(text), size = 0;
    char *hint = NULL;
    FILE *out;

    if (length > NAME_BYTES_MAX)
        return NULL;
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        unsigned distance;

        if (strlen(machine->name) > NAME_BYTES_MAX)
            continue;
        distance = edit_distance(text, machine->name);
        if (distance <= 1 + length / 3)
            keep(best, (struct suggestion){.machine = machine, .distance = distance});
    }
    if (best[0].machine == NULL || (out = open_memstream(&hint, &size)) == NULL)
        return NULL;
    for (size_t i = 0; i < SUGGESTIONS_MAX && best[i].machine != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "did you mean " : ", ", pool_display_name(pool, best[i].machine));
    fputc('?', out);
    fclose(out);
    return hint;
}

char *suggest_exact(const struct pool *pool, const char *text)
{
    size_t size = 0, n = 0;
    char *hint = NULL;
    FILE *out = open_memstream(&hint, &size);

    if (out == NULL)
        return NULL;
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        if (strcmp(machine->name, text) != 0 && strcasecmp(machine->uuid, text) != 0)
            continue;
        fprintf(out, "%s%s/%s", n == 0 ? "it may be " : ", ", machine->hypervisor, machine->name);
        n++;
    }
    fclose(out);
    return hint;
}
