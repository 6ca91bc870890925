/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A selection in words: why each candidate won or lost. Decides nothing; reads what select.c decided. */
#include "choose/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "base/text.h"

#define CHOSEN "chosen: "

static int explain_similarity(const struct select_request *request, const struct similarity_score *score, char **ret)
{
    const struct similarity_rules *rules = request->rules;

    switch (score->verdict) {
    case SIMILARITY_NOTHING_KNOWN:
        return text_format(ret, "it is not known what %s offers, so nothing can be compared", request->failed->name);
    case SIMILARITY_BELOW_THRESHOLD:
        return text_format(ret, "similarity %.4f is below the threshold %g",
                           fraction_to_double(score_similarity(score)), similarity_threshold(rules));
    case SIMILARITY_BELOW_COVERAGE:
        return text_format(ret, "coverage %.4f is below %g", fraction_to_double(score_coverage(score)),
                           similarity_min_coverage(rules));
    case SIMILARITY_BELOW_RESOURCE_COVERAGE:
        return text_format(ret, "coverage of resources alone %.4f is below %g",
                           fraction_to_double(score_resource_coverage(score)), similarity_min_coverage(rules));
    case SIMILARITY_MUST_COVER:
        return text_format(ret, "does not cover %s completely, which must_cover demands",
                           similarity_must_cover_kind(rules, score->uncovered_kind));
    case SIMILARITY_ELIGIBLE:
    default:
        return text_format(ret, "similar enough");
    }
}

/* Why the candidate at `place` (from 0) stands behind the one before it. */
static const char *tie_break(const struct select_request *request, const struct selection *selection, size_t place)
{
    const struct candidate *better = &selection->candidates[place - 1], *candidate = &selection->candidates[place];

    if (similarity_compare(request->rules, &better->score, &candidate->score) != 0)
        return "";
    if (better->warmth != candidate->warmth)
        return "; as similar as the one before, but less warm";
    if (better->free_memory_kib != candidate->free_memory_kib)
        return "; as similar as the one before, but less free memory on its host";
    return "; as similar as the one before, but later by name";
}

static int explain_eligible(const struct select_request *request, const struct selection *selection, size_t place,
                            const struct machine *chosen, char **ret)
{
    bool is_chosen = selection->candidates[place].machine == chosen;

    if (selection->n_eligible == 1)
        return text_format(ret, "%sthe only one eligible", is_chosen ? CHOSEN : "");
    if (place == 0)
        return text_format(ret, "%sthe best of %zu eligible", is_chosen ? CHOSEN : "", selection->n_eligible);
    return text_format(ret, "%splace %zu of %zu%s", is_chosen ? CHOSEN : "eligible: ", place + 1, selection->n_eligible,
                       tie_break(request, selection, place));
}

static int explain_state(const struct machine *machine, char **ret)
{
    if (machine->has_come_up && !machine_state_is_active(machine->state))
        return text_format(ret, "started, not standing by");
    if (machine->reason == REASON_UNKNOWN || machine->state == MACHINE_RUNNING)
        return text_format(ret, "%s, not standing by", machine_state_name(machine->state));
    return text_format(ret, "%s (%s), not standing by", machine_state_name(machine->state),
                       machine_reason_name(machine->reason));
}

/* With why it is left cold, where it could be warm. */
static int explain_cold(const struct machine *machine, char **reason)
{
    _cleanup_(freep) char *without = *reason;

    if (machine->not_warm == NULL) {
        without = NULL;
        return 0;
    }
    *reason = NULL;
    return text_format(reason, "%s; not kept warm: %s", without, machine->not_warm);
}

static int explain_verdict(const struct select_request *request, const struct selection *selection, size_t place,
                           const struct machine *chosen, char **ret)
{
    const struct candidate *candidate = &selection->candidates[place];
    const struct machine *machine = candidate->machine;

    switch (candidate->verdict) {
    case CANDIDATE_ELIGIBLE:
        return explain_eligible(request, selection, place, chosen, ret);
    case CANDIDATE_NOT_STANDBY:
        return text_format(ret, "its role is %s, not standby", machine_roles_name(machine->roles));
    case CANDIDATE_UNREACHABLE:
        return text_format(ret, "its hypervisor %s is not connected", machine->hypervisor);
    case CANDIDATE_NOT_STANDING_BY:
        return explain_state(machine, ret);
    case CANDIDATE_FAILED_ITSELF:
        return text_format(ret, "it failed itself and was not recovered");
    case CANDIDATE_CLAIMED:
        if (machine->keeping == KEEPING_ENDING)
            return text_format(ret, "was kept warm, and is being stopped");
        if (machine->claimed_by == NULL)
            return text_format(ret, "reserved for a recovery from before the restart of understudyd");
        return text_format(ret, "claimed by recovery %s", machine->claimed_by);
    case CANDIDATE_TRIED:
        return text_format(ret, "this recovery tried it, and it did not come up");
    case CANDIDATE_UNDER_OPERATOR:
        return text_format(ret, "protected and paused by an operator: not resumed");
    case CANDIDATE_NOT_SIMILAR:
        return explain_similarity(request, &candidate->score, ret);
    case CANDIDATE_QUARANTINED:
        return text_format(ret, "did not come up recently: in quarantine for %" PRId64 " s more",
                           (machine->quarantined_until_us - request->now_us + USEC_PER_SEC - 1) / USEC_PER_SEC);
    case CANDIDATE_NO_MEMORY:
        return text_format(ret, "needs %" PRIu64 " MiB, and %s has %" PRIu64 " MiB to spare",
                           machine->description->memory_kib / 1024, machine->hypervisor,
                           candidate->free_memory_kib / 1024);
    case CANDIDATE_DISK_IN_USE:
        return text_format(ret, "its disk %s is in use by %s", candidate->conflict,
                           pool_display_name(request->pool, candidate->conflict_with));
    case CANDIDATE_MAC_IN_USE:
        return text_format(ret, "its address %s is in use by %s", candidate->conflict,
                           pool_display_name(request->pool, candidate->conflict_with));
    case CANDIDATE_COUNT:
    default:
        return text_format(ret, "unknown");
    }
}

int select_reason(const struct select_request *request, const struct selection *selection, size_t place, char **ret)
{
    return explain_verdict(request, selection, place, NULL, ret);
}

/* Copies the names of those features of `from` that `other` lacks. */
static int list_difference(const struct feature_table *table, const struct id_set *from, const struct id_set *other,
                           struct string_list *list)
{
    list->items = calloc(from->count + 1, sizeof(char *));
    if (list->items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < from->count; i++) {
        if (id_set_contains(other, from->ids[i]))
            continue;
        list->items[list->count] = strdup(feature_name(table, from->ids[i]));
        if (list->items[list->count] == NULL)
            return -ENOMEM;
        list->count++;
    }
    return 0;
}

static int explain_candidate(const struct select_request *request, const struct selection *selection, size_t place,
                             const struct machine *chosen, const struct feature_table *table,
                             struct explained_candidate *out)
{
    const struct candidate *candidate = &selection->candidates[place];
    const struct machine *machine = candidate->machine;
    int r;

    memcpy(out->uuid, machine->uuid, sizeof(out->uuid));
    out->hypervisor = strdup(machine->hypervisor);
    out->name = strdup(pool_display_name(request->pool, machine));
    if (out->hypervisor == NULL || out->name == NULL)
        return -ENOMEM;
    out->similarity = fraction_to_double(score_similarity(&candidate->score));
    out->coverage = fraction_to_double(score_coverage(&candidate->score));
    out->resource_coverage = fraction_to_double(score_resource_coverage(&candidate->score));
    out->overlap = fraction_to_double(score_overlap(&candidate->score));
    out->eligible = candidate->verdict == CANDIDATE_ELIGIBLE;
    out->is_chosen = machine == chosen;
    out->warmth = warmth_name(candidate->warmth);
    out->state = machine_state_name(machine->state);
    r = explain_verdict(request, selection, place, chosen, &out->reason);
    if (r == 0 && out->eligible)
        r = explain_cold(machine, &out->reason);
    if (r == 0)
        r = list_difference(table, &request->failed->spec.features, &machine->spec.features, &out->missing);
    if (r == 0)
        r = list_difference(table, &machine->spec.features, &request->failed->spec.features, &out->surplus);
    return r;
}

static int explain_summary(struct explanation *explanation, size_t n_candidates)
{
    const struct explained_candidate *chosen = explanation_chosen(explanation);
    const struct explained_candidate *closest = explanation->n_candidates > 0 ? &explanation->candidates[0] : NULL;

    if (chosen != NULL)
        return text_format(&explanation->summary, "%s for %s: similarity %.4f, coverage %.4f, overlap %.4f; %s",
                           chosen->name, explanation->failed, chosen->similarity, chosen->coverage, chosen->overlap,
                           chosen->reason);
    if (closest == NULL)
        return text_format(&explanation->summary, "no candidate for %s: there is no other machine",
                           explanation->failed);
    if (explanation->n_eligible > 0)
        return text_format(&explanation->summary, "%zu could take the place of %s; none was started",
                           explanation->n_eligible, explanation->failed);
    return text_format(&explanation->summary, "none of %zu can take the place of %s; the closest is %s: %s",
                       n_candidates, explanation->failed, closest->name, closest->reason);
}

static int explain_header(const struct select_request *request, struct explanation *explanation)
{
    memcpy(explanation->uuid, request->failed->uuid, sizeof(explanation->uuid));
    explanation->hypervisor = strdup(request->failed->hypervisor);
    explanation->failed = strdup(pool_display_name(request->pool, request->failed));
    if (explanation->hypervisor == NULL || explanation->failed == NULL)
        return -ENOMEM;
    explanation->threshold = similarity_threshold(request->rules);
    explanation->min_coverage = similarity_min_coverage(request->rules);
    explanation->rank_by = similarity_rank_by_name(request->rules);
    return 0;
}

int select_explain(const struct select_request *request, const struct selection *selection,
                   const struct machine *chosen, const struct feature_table *table, size_t max_ineligible,
                   struct explanation **ret)
{
    _cleanup_(explanation_freep) struct explanation *explanation = calloc(1, sizeof(*explanation));
    size_t n_ineligible = selection->n_candidates - selection->n_eligible;
    size_t n_kept = selection->n_eligible + (n_ineligible < max_ineligible ? n_ineligible : max_ineligible);
    int r;

    if (explanation == NULL)
        return -ENOMEM;
    r = explain_header(request, explanation);
    if (r < 0)
        return r;
    explanation->n_eligible = selection->n_eligible;
    explanation->n_left_out = selection->n_candidates - n_kept;
    explanation->candidates = calloc(n_kept + 1, sizeof(*explanation->candidates));
    if (explanation->candidates == NULL)
        return -ENOMEM;
    if (chosen == NULL && selection->n_eligible > 0)
        chosen = selection->candidates[0].machine;

    for (size_t i = 0; i < n_kept; i++) {
        explanation->n_candidates++;
        r = explain_candidate(request, selection, i, chosen, table, &explanation->candidates[i]);
        if (r < 0)
            return r;
    }
    r = explain_summary(explanation, selection->n_candidates);
    if (r < 0)
        return r;
    *ret = steal_pointer(&explanation);
    return 0;
}
