/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must come out against what did, as one text for people. Knows no coordinator. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

/*
 * What comes out may end in a sentence in quotation marks. An expectation need not have it, or has a part
 * of it that must stand there.
 */
static bool text_matches(const char *expected, const char *actual)
{
    const char *part = strchr(expected, '"'), *sentence = strchr(actual, '"');
    size_t n_expected = part != NULL ? (size_t)(part - expected) : strlen(expected);
    size_t n_actual = sentence != NULL ? (size_t)(sentence - actual) : strlen(actual);
    char *wanted;
    bool matches;

    while (n_expected > 0 && expected[n_expected - 1] == ' ')
        n_expected--;
    while (n_actual > 0 && actual[n_actual - 1] == ' ')
        n_actual--;
    if (n_expected != n_actual || strncmp(expected, actual, n_expected) != 0)
        return false;
    if (part == NULL)
        return true;
    if (sentence == NULL)
        return false;
    wanted = strdup(part + 1);
    if (wanted == NULL)
        scenario_fail(0, "out of memory");
    wanted[strcspn(wanted, "\"")] = '\0';
    matches = strstr(sentence, wanted) != NULL;
    free(wanted);
    return matches;
}

static bool entry_matches(const struct entry *expected, const struct entry *actual)
{
    return expected->at_us == actual->at_us && expected->is_output == actual->is_output &&
           text_matches(expected->text, actual->text);
}

static void print(char mark, const struct entry *entry)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {{3600000000, "h"}, {60000000, "m"}, {1000000, "s"}, {1000, "ms"}, {1, "us"}};
    char time[32] = "end";
    size_t i = 0;

    while (units[i].us > 1 && (entry->at_us % units[i].us != 0 || entry->at_us == 0) &&
           !(entry->at_us == 0 && units[i].us == 1000000))
        i++;
    if (entry->at_us != AT_END)
        snprintf(time, sizeof(time), "%" PRId64 "%s", entry->at_us / units[i].us, units[i].name);
    printf("%c %8s  %s%s\n", mark, time, entry->is_output && entry->at_us != AT_END ? "> " : "", entry->text);
}

/* common[i][j]: how many lines have the rests of both from i and j on in common, in order. */
static void count_common(const struct transcript *expected, const struct transcript *actual,
                         unsigned short (*common)[SCENARIO_ENTRIES + 1])
{
    for (size_t i = expected->n_entries; i-- > 0;)
        for (size_t j = actual->n_entries; j-- > 0;) {
            unsigned short skipped = common[i + 1][j] > common[i][j + 1] ? common[i + 1][j] : common[i][j + 1];

            common[i][j] = skipped;
            if (entry_matches(&expected->entries[i], &actual->entries[j]) && common[i + 1][j + 1] + 1 > skipped)
                common[i][j] = (unsigned short)(common[i + 1][j + 1] + 1);
        }
}

static void print_difference(const struct transcript *expected, const struct transcript *actual)
{
    unsigned short(*common)[SCENARIO_ENTRIES + 1] = calloc(SCENARIO_ENTRIES + 1, sizeof(*common));
    size_t i = 0, j = 0;

    if (common == NULL)
        scenario_fail(0, "out of memory");
    count_common(expected, actual, common);
    while (i < expected->n_entries || j < actual->n_entries) {
        bool both = i < expected->n_entries && j < actual->n_entries;

        if (both && entry_matches(&expected->entries[i], &actual->entries[j]))
            print(' ', &expected->entries[i++]), j++;
        else if (i < expected->n_entries &&
                 (j == actual->n_entries || common[i + 1][j] > common[i][j + 1] ||
                  (common[i + 1][j] == common[i][j + 1] && expected->entries[i].at_us <= actual->entries[j].at_us)))
            print('-', &expected->entries[i++]);
        else
            print('+', &actual->entries[j++]);
    }
    free(common);
}

bool transcript_compare(const struct transcript *expected, const struct transcript *actual)
{
    bool equal = expected->n_entries == actual->n_entries;

    for (size_t i = 0; equal && i < expected->n_entries; i++)
        equal = entry_matches(&expected->entries[i], &actual->entries[i]);
    if (!equal)
        print_difference(expected, actual);
    return equal;
}
