/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of kinds, and the list that they are put into. */
#include "report/problem_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *name;
    unsigned severity;
} kinds[PROBLEM_COUNT] = {
    [PROBLEM_SERVICE_DOWN] = {"service-down", 2},
    [PROBLEM_RUNS_TWICE] = {"runs-twice", 2},
    [PROBLEM_HOST_NOT_FENCED] = {"host-not-fenced", 2},
    [PROBLEM_STORE_FAILS] = {"store-fails", 2},
    [PROBLEM_STORE_UNREAD] = {"store-unread", 2},
    [PROBLEM_BRAKE] = {"brake", 2},
    [PROBLEM_HOST_ISOLATED] = {"host-isolated", 1},
    [PROBLEM_HOST_UNREACHABLE] = {"host-unreachable", 1},
    [PROBLEM_HOST_READ_ONLY] = {"host-read-only", 1},
    [PROBLEM_HOST_NAMED_TWICE] = {"host-named-twice", 1},
    [PROBLEM_NO_FENCE_AGENT] = {"no-fence-agent", 1},
    [PROBLEM_FENCE_AGENT] = {"fence-agent-failing", 1},
    [PROBLEM_SERVICE_DIVERTED] = {"service-diverted", 1},
    [PROBLEM_AUTOSTART_ON] = {"autostart-on", 1},
    [PROBLEM_SERVICE_UNPROTECTED] = {"service-unprotected", 1},
    [PROBLEM_DATA_MISSING] = {"data-missing", 1},
    [PROBLEM_REHEARSAL] = {"rehearsal-failed", 1},
    [PROBLEM_TOO_FEW_STANDBYS] = {"too-few-standbys", 1},
    [PROBLEM_QUARANTINE] = {"quarantine", 1},
    [PROBLEM_GUEST_RESETS] = {"guest-resets", 1},
    [PROBLEM_DISK_MISSING] = {"disk-missing", 1},
    [PROBLEM_NOT_VERIFIABLE] = {"not-verifiable", 1},
    [PROBLEM_DISKS_LOOK_SHARED] = {"disks-look-shared", 1},
    [PROBLEM_PROGRAM] = {"program-unusable", 1},
    [PROBLEM_METADATA_UNREAD] = {"metadata-unread", 1},
    [PROBLEM_TEMPLATE_UNUSABLE] = {"template-unusable", 1},
    [PROBLEM_TEMPLATE_UNREADABLE] = {"template-unreadable", 1},
    [PROBLEM_REMOVAL] = {"removal-ahead", 1},
    [PROBLEM_HOLD] = {"hold", 1},
    [PROBLEM_NO_ROLES] = {"no-roles", 1},
    [PROBLEM_PATTERN_UNMATCHED] = {"pattern-unmatched", 1},
    [PROBLEM_FACTS_UNMATCHED] = {"facts-unmatched", 1},
    [PROBLEM_KIND_DOUBTFUL] = {"kind-doubtful", 1},
    [PROBLEM_TEXTFILE] = {"textfile-not-written", 1},
    [PROBLEM_RELOAD_FAILED] = {"reload-failed", 1},
    [PROBLEM_NOT_LISTENING] = {"not-listening", 1},
};

const char *problem_kind_name(enum problem_kind kind)
{
    return kinds[kind].name;
}

unsigned problem_severity(enum problem_kind kind)
{
    return kinds[kind].severity;
}

/* ---- the list ---- */

static void problem_done(struct problem *problem)
{
    free(problem->subject);
    free(problem->text);
    free(problem->remedy);
}

void problems_done(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        problem_done(&problems->all[i]);
    free(problems->all);
    *problems = (struct problems){0};
}

void problems_add(struct problem_search *search, enum problem_kind kind, const char *subject, char *text, char *remedy)
{
    struct problem problem = {
        .kind = kind, .subject = text_copy(subject), .text = text, .remedy = remedy, .since = search->now};
    struct problems *found = &search->found;

    if (found->count == found->room) {
        size_t room = found->room > 0 ? 2 * found->room : 16;
        struct problem *all = reallocarray(found->all, room, sizeof(*all));

        if (all != NULL) {
            found->all = all;
            found->room = room;
        }
    }
    if (problem.subject == NULL || text == NULL || remedy == NULL || found->count == found->room) {
        search->error = -ENOMEM;
        problem_done(&problem);
        return;
    }
    found->all[found->count++] = problem;
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;

    if (problem_severity(a->kind) != problem_severity(b->kind))
        return problem_severity(a->kind) > problem_severity(b->kind) ? -1 : 1;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : strverscmp(a->subject, b->subject);
}

const struct problem *problems_find(const struct problems *problems, const struct problem *wanted)
{
    return problems->count > 0 ? bsearch(wanted, problems->all, problems->count, sizeof(*problems->all), compare)
                               : NULL;
}

void problems_inherit(struct problems *problems, const struct problems *earlier)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *before = problems_find(earlier, &problems->all[i]);

        if (before != NULL)
            problems->all[i].since = before->since;
    }
}

/* How many are at least that severe: they come first. */
static size_t count_from(const struct problems *problems, unsigned severity)
{
    size_t low = 0, high = problems->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (problem_severity(problems->all[middle].kind) >= severity)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t problems_count(const struct problems *problems, unsigned severity)
{
    return count_from(problems, severity) - count_from(problems, severity + 1);
}

int problems_finish(struct problem_search *search, struct problems *ret)
{
    if (search->error < 0) {
        problems_done(&search->found);
        *ret = (struct problems){0};
        return search->error;
    }
    if (search->found.count > 0)
        qsort(search->found.all, search->found.count, sizeof(*search->found.all), compare);
    *ret = search->found;
    return 0;
}
