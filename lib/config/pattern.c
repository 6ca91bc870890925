/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Patterns. Knows no machine but by its names. */
#include "config/pattern.h"

#include <fnmatch.h>
#include <string.h>

#include "model/machine.h"

static bool matches(const char *text, const char *hypervisor, const char *name, bool is_pattern)
{
    const char *slash = strchr(text, '/');
    const char *own = slash != NULL ? slash + 1 : text;

    if (slash != NULL) {
        char before[HYPERVISOR_NAME_SIZE];
        size_t length = (size_t)(slash - text);

        if (length >= sizeof(before))
            return false;
        memcpy(before, text, length);
        before[length] = '\0';
        if (is_pattern ? fnmatch(before, hypervisor, 0) != 0 : strcmp(before, hypervisor) != 0)
            return false;
    }
    return is_pattern ? fnmatch(own, name, 0) == 0 : strcmp(own, name) == 0;
}

bool pattern_matches(const char *pattern, const char *hypervisor, const char *name)
{
    return matches(pattern, hypervisor, name, true);
}

bool patterns_match(const struct string_list *patterns, const char *hypervisor, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (matches(patterns->items[i], hypervisor, name, true))
            return true;
    return false;
}

bool name_matches(const char *text, const char *hypervisor, const char *name)
{
    return matches(text, hypervisor, name, false);
}

/* ---- two patterns that can match the same ---- */

/* One character of a pattern. */
struct element {
    char c;
    bool is_any; /* ? or a bracket expression */
    bool is_star;
    size_t length; /* in the pattern; 0: its end */
};

/* A '[' without its ']' is itself. */
static size_t bracket_length(const char *at, const char *end)
{
    const char *close = at + 1;

    close += close < end && (*close == '!' || *close == '^');
    close += close < end && *close == ']';
    while (close < end && *close != ']')
        close++;
    return close < end ? (size_t)(close - at) + 1 : 0;
}

static struct element element_at(const char *at, const char *end)
{
    size_t length;

    if (at == end)
        return (struct element){.length = 0};
    if (*at == '*')
        return (struct element){.is_star = true, .length = 1};
    if (*at == '?')
        return (struct element){.is_any = true, .length = 1};
    if (*at == '[' && (length = bracket_length(at, end)) > 0)
        return (struct element){.is_any = true, .length = length};
    if (*at == '\\' && at + 1 < end)
        return (struct element){.c = at[1], .length = 2};
    return (struct element){.c = *at, .length = 1};
}

/* Patterns longer than that are taken to meet. */
#define MEET_MAX 128

/* A bracket expression that is more than a set of characters: its end is not looked for. */
static bool is_hard(const char *at, const char *end)
{
    bool has_bracket = memchr(at, '[', (size_t)(end - at)) != NULL;

    for (; has_bracket && at < end; at++)
        if (*at == '\\' || (*at == '[' && at + 1 < end && strchr(":.=", at[1]) != NULL))
            return true;
    return false;
}

/* From each place of a, which places of b are possible: the two are gone through together. */
static bool can_meet(const char *a, const char *a_end, const char *b, const char *b_end)
{
    bool reached[MEET_MAX + 1][MEET_MAX + 1] = {{false}};
    size_t n = (size_t)(a_end - a), m = (size_t)(b_end - b);

    if (n > MEET_MAX || m > MEET_MAX || is_hard(a, a_end) || is_hard(b, b_end))
        return true;
    reached[0][0] = true;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            struct element x = element_at(a + i, a_end), y = element_at(b + j, b_end);

            if (!reached[i][j])
                continue;
            if (x.is_star)
                reached[i + 1][j] = true;
            if (y.is_star)
                reached[i][j + 1] = true;
            if (x.is_star && y.length > 0)
                reached[i][j + y.length] = true;
            if (y.is_star && x.length > 0)
                reached[i + x.length][j] = true;
            if (x.length > 0 && y.length > 0 && !x.is_star && !y.is_star && (x.is_any || y.is_any || x.c == y.c))
                reached[i + x.length][j + y.length] = true;
        }
    return reached[n][m];
}

bool patterns_can_meet(const char *a, const char *b)
{
    const char *a_slash = strchr(a, '/'), *b_slash = strchr(b, '/');

    if (a_slash != NULL && b_slash != NULL && !can_meet(a, a_slash, b, b_slash))
        return false;
    a = a_slash != NULL ? a_slash + 1 : a;
    b = b_slash != NULL ? b_slash + 1 : b;
    return can_meet(a, a + strlen(a), b, b + strlen(b));
}
