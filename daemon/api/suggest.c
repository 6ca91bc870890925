/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nearest names by edit distance. Only reads the pool. */
#include "api/suggest.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define SUGGESTIONS_MAX 3

struct suggestion {
    const char *name;
    size_t distance;
};

/* Keeps the nearest, nearest first; of equals the one whose name comes first. */
static void keep(struct suggestion best[SUGGESTIONS_MAX], struct suggestion new)
{
    for (size_t i = 0; i < SUGGESTIONS_MAX; i++) {
        if (best[i].name == NULL || new.distance < best[i].distance ||
            (new.distance == best[i].distance &&strverscmp(new.name, best[i].name) < 0)) {
            struct suggestion displaced = best[i];

            best[i] = new;
            if (displaced.name == NULL)
                return;
            new = displaced;
        }
    }
}

/* name: what is compared; shown: how it is referred to. */
static void consider(struct suggestion best[SUGGESTIONS_MAX], const char *text, const char *name, const char *shown)
{
    size_t distance = text_distance(text, name);

    if (distance <= 1 + strlen(text) / 3)
        keep(best, (struct suggestion){.name = shown, .distance = distance});
}

char *suggest_among(const struct pool *pool, const char *const *others, size_t n_others, const char *text)
{
    struct suggestion best[SUGGESTIONS_MAX] = {0};
    size_t size = 0;
    char *hint = NULL;
    FILE *out;

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        consider(best, text, machine->name, pool_display_name(pool, machine));
    for (size_t i = 0; i < n_others; i++)
        consider(best, text, others[i], others[i]);
    if (best[0].name == NULL || (out = open_memstream(&hint, &size)) == NULL)
        return NULL;
    for (size_t i = 0; i < SUGGESTIONS_MAX && best[i].name != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "did you mean " : ", ", best[i].name);
    fputc('?', out);
    fclose(out);
    return hint;
}

char *suggest_similar(const struct pool *pool, const char *text)
{
    return suggest_among(pool, NULL, 0, text);
}

char *suggest_exact(const struct pool *pool, const char *text)
{
    size_t size = 0, n = 0;
    char *hint = NULL;
    FILE *out = open_memstream(&hint, &size);

    if (out == NULL)
        return NULL;
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        if (strcmp(machine->name, text) != 0 && strcasecmp(machine_ref_of(machine).uuid, text) != 0)
            continue;
        fprintf(out, "%s%s/%s", n == 0 ? "it may be " : ", ", machine->hypervisor, machine->name);
        n++;
    }
    fclose(out);
    return hint;
}
