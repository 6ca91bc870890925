/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A choice in words: why each candidate won or lost. Decides nothing; reads what choose.c decided. */
#include "choose/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "base/text.h"
#include "choose/walk.h"
#include "model/hold.h"
#include "model/ports.h"

#define CHOSEN "chosen: "

static bool is_any_feature_weighing(const struct choice_request *request)
{
    const struct id_set *features = &request->need->features;
    bool is_any = false;

    for (size_t i = 0; i < features->count && !is_any; i++)
        is_any = similarity_weight(request_rules(request), features->ids[i]) > 0;
    return is_any;
}

/* What is known of the failed machine is too little to compare it by. */
static int explain_too_little(const struct choice_request *request, char **ret)
{
    if (is_any_feature_weighing(request))
        return text_format(ret, "only the OS of %s is known, which is too little to compare by", request->failed->name);
    if (request->need->features.count > 0)
        return text_format(ret, "nothing that is known of %s has a weight, so nothing can be compared",
                           request->failed->name);
    return text_format(ret, "it is not known what %s offers, so nothing can be compared", request->failed->name);
}

static int explain_similarity(const struct choice_request *request, const struct similarity_score *score, char **ret)
{
    const struct similarity_rules *rules = request_rules(request);

    switch (score->verdict) {
    case SIMILARITY_NOTHING_KNOWN:
        return explain_too_little(request, ret);
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

/* Why a candidate stands behind the one before it, unless it is less alike. */
static const char *tie_break(const struct choice_request *request, const struct candidate *better,
                             const struct candidate *candidate)
{
    const struct pool_host *host = pool_host_of(candidate->machine), *better_host = pool_host_of(better->machine);

    if (walk_is_on_sibling(request, host) != walk_is_on_sibling(request, better_host))
        return "; on the host of a machine that it is to be kept apart from";
    if (similarity_compare(request_rules(request), &better->score, &candidate->score) != 0)
        return "";
    if (machine_warmth(better->machine) != machine_warmth(candidate->machine))
        return "; as similar as the one before, but less warm";
    if (spared_has(request->spared, candidate->machine->number) != spared_has(request->spared, better->machine->number))
        return "; as similar as the one before, but the only candidate of another machine";
    if ((host == request->host) != (better_host == request->host))
        return "; as similar as the one before, but on the host of the failed machine";
    if (pool_host_memory_class(host) != pool_host_memory_class(better_host))
        return "; as similar as the one before, but less free memory on its host";
    return "; as similar as the one before, but later by name";
}

/* What stands before the number of the eligible. */
static const char *at_least(const struct choice *choice)
{
    return choice->n_unjudged > 0 ? "at least " : "";
}

static int explain_eligible(const struct choice_request *request, const struct choice *choice, size_t place,
                            bool is_chosen, char **ret)
{
    size_t n = choice->counts[CANDIDATE_ELIGIBLE];

    if (n == 1 && choice->n_unjudged == 0)
        return text_format(ret, "%sthe only one eligible", is_chosen ? CHOSEN : "");
    if (place == 0)
        return text_format(ret, "%sthe best of %s%zu eligible", is_chosen ? CHOSEN : "", at_least(choice), n);
    return text_format(ret, "%splace %zu of %s%zu%s", is_chosen ? CHOSEN : "eligible: ", place + 1, at_least(choice), n,
                       tie_break(request, &choice->eligible[place - 1], &choice->eligible[place]));
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

    if (machine_rare(machine)->not_warm == NULL) {
        without = NULL;
        return 0;
    }
    *reason = NULL;
    return text_format(reason, "%s; not kept warm: %s", without, machine_rare(machine)->not_warm);
}

static const char *exclusive_word(enum exclusive_kind kind)
{
    switch (kind) {
    case EXCLUSIVE_ADDRESS:
        return "address";
    case EXCLUSIVE_DEVICE:
        return "host device";
    case EXCLUSIVE_IDENTITY:
        return "UUID";
    case EXCLUSIVE_DISK:
    default:
        return "disk";
    }
}

static int explain_role(const struct machine *machine, char **ret)
{
    return text_format(ret, "its role is %s, not standby", machine_roles_name(machine->roles));
}

int explain_ineligible(const struct choice_request *request, const struct candidate *candidate, char **ret)
{
    const struct machine *machine = candidate->machine;
    char name[USE_NAME_SIZE];
    bool is_known;

    switch (candidate->verdict) {
    case CANDIDATE_NOT_STANDBY:
        return explain_role(machine, ret);
    case CANDIDATE_HELD:
        *ret = machine->hold != NULL ? hold_explain(machine->hold) : text_copy("its host is being evacuated");
        return *ret != NULL ? 0 : -ENOMEM;
    case CANDIDATE_UNREACHABLE:
        return text_format(ret, "its hypervisor %s is not connected", machine->hypervisor);
    case CANDIDATE_NOT_STANDING_BY:
        return (machine->roles & ROLE_IGNORED) != 0 ? explain_role(machine, ret) : explain_state(machine, ret);
    case CANDIDATE_FAILED_ITSELF:
        return text_format(ret, "it failed itself and was not recovered");
    case CANDIDATE_DIVERTED:
        return text_format(ret, "%s serves its service", machine->diverted->replacement_name);
    case CANDIDATE_CLAIMED:
        if (machine->keeping == KEEPING_ENDING)
            return text_format(ret, "was kept warm, and is being stopped");
        if (machine_rare(machine)->claimed_by == NULL)
            return text_format(ret, "reserved for a recovery from before the restart of understudyd");
        return text_format(ret, "claimed by recovery %s", machine_rare(machine)->claimed_by);
    case CANDIDATE_UNDER_OPERATOR:
        return text_format(ret, "%s, and not by understudyd: left alone",
                           machine->state == MACHINE_PAUSED ? "paused" : "saved");
    case CANDIDATE_NOT_MAKEABLE:
        return text_format(ret, "cannot be made now: %s", machine->description->obstacle);
    case CANDIDATE_QUARANTINED:
        return text_format(ret, "%s: in quarantine for %" PRId64 " s more",
                           machine_rare(machine)->quarantine_why != NULL ? machine_rare(machine)->quarantine_why
                                                                         : "did not come up recently",
                           (machine_rare(machine)->quarantined_until_us - request->now_us + USEC_PER_SEC - 1) /
                               USEC_PER_SEC);
    case CANDIDATE_NOT_SIMILAR:
        return explain_similarity(request, &candidate->score, ret);
    case CANDIDATE_WRONG_HOST:
        return text_format(ret, "it is on %s, and hosts in the policy of the service does not name that",
                           machine->hypervisor);
    case CANDIDATE_JUST_STOPPED:
        return text_format(ret, "an operator stopped it %" PRId64 " s ago: not started unasked",
                           (request->now_us - machine_rare(machine)->stopped_us) / USEC_PER_SEC);
    case CANDIDATE_TRIED:
        return text_format(ret, "this recovery tried it, and it did not come up");
    case CANDIDATE_NO_MEMORY:
        return text_format(ret, "needs %" PRIu64 " MiB, and %s has %" PRIu64 " MiB to spare%s",
                           machine->description->memory_kib / 1024, machine->hypervisor,
                           choose_spare_kib(request, machine, &is_known) / 1024,
                           request->given_kib > 0 && pool_host_of(machine) == request->host
                               ? " with what the failed machine gives back"
                               : "");
    case CANDIDATE_IN_USE:
        if (candidate->is_below)
            return text_format(ret, "its disk %s is the backing file of a disk of %s",
                               use_name(&candidate->conflict, name),
                               pool_display_name(request->pool, candidate->conflict_with));
        return text_format(ret, "its %s %s is in use by %s", exclusive_word(use_kind(&candidate->conflict)),
                           use_name(&candidate->conflict, name),
                           pool_display_name(request->pool, candidate->conflict_with));
    case CANDIDATE_ELIGIBLE:
    case CANDIDATE_VERDICTS:
    default:
        return text_format(ret, "unknown");
    }
}

/* Copies the names of those features of `from` that `other` lacks, into the one list or the other; ports where they weigh. */
static int list_difference(const struct choice_request *request, const struct feature_table *table,
                           const struct id_set *from, const struct id_set *other, struct string_list *weighing,
                           struct string_list *weightless)
{
    const struct similarity_rules *rules = request_rules(request);
    size_t at = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->count; i++) {
        while (at < other->count && other->ids[at] < from->ids[i])
            at++;
        if (similarity_weight(rules, from->ids[i]) == 0 && ports_is_about(table, from->ids[i]))
            continue;
        if (at == other->count || other->ids[at] != from->ids[i])
            r = string_list_add(similarity_weight(rules, from->ids[i]) > 0 ? weighing : weightless,
                                feature_name(table, from->ids[i]));
    }
    return r;
}

static int compare_names(const void *left, const void *right)
{
    return strverscmp(*(const char *const *)left, *(const char *const *)right);
}

/* In alphabetical order: the ids only say in which order the features were first met. */
static void sort_names(struct string_list *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(*list->items), compare_names);
}

/* All but the reason. */
static int describe_candidate(const struct choice_request *request, const struct candidate *candidate,
                              const struct feature_table *table, struct explained_candidate *out)
{
    const struct machine *machine = candidate->machine;
    const struct id_set *need = &request->need->features, *offer = &machine->spec->features;
    int r;

    uuid_format(machine->description->uuid, out->uuid);
    out->hypervisor = strdup(machine->hypervisor);
    out->name = strdup(pool_display_name(request->pool, machine));
    if (out->hypervisor == NULL || out->name == NULL)
        return -ENOMEM;
    out->similarity = fraction_to_double(score_similarity(&candidate->score));
    out->coverage = fraction_to_double(score_coverage(&candidate->score));
    out->resource_coverage = fraction_to_double(score_resource_coverage(&candidate->score));
    out->overlap = fraction_to_double(score_overlap(&candidate->score));
    out->is_incomparable = candidate->score.verdict == SIMILARITY_NOTHING_KNOWN;
    out->warmth = warmth_name(machine_warmth(machine));
    out->state = machine_state_name(machine->state);
    r = list_difference(request, table, need, offer, &out->missing, &out->weightless);
    if (r == 0)
        r = list_difference(request, table, offer, need, &out->surplus, &out->weightless);
    sort_names(&out->missing);
    sort_names(&out->surplus);
    sort_names(&out->weightless);
    return r;
}

static int list_eligible(const struct choice_request *request, const struct choice *choice, size_t place,
                         const struct machine *chosen, const struct feature_table *table,
                         struct explanation *explanation)
{
    const struct candidate *candidate = &choice->eligible[place];
    struct explained_candidate *out = &explanation->candidates[explanation->n_candidates++];
    int r = describe_candidate(request, candidate, table, out);

    out->eligible = true;
    out->is_chosen = candidate->machine == chosen;
    if (r == 0)
        r = explain_eligible(request, choice, place, out->is_chosen, &out->reason);
    return r < 0 ? r : explain_cold(candidate->machine, &out->reason);
}

static int list_ineligible(const struct choice_request *request, const struct candidate *candidate,
                           const struct feature_table *table, struct explanation *explanation)
{
    struct explained_candidate *out = &explanation->candidates[explanation->n_candidates++];
    int r = describe_candidate(request, candidate, table, out);

    return r < 0 ? r : explain_ineligible(request, candidate, &out->reason);
}

/* What the administrator does about a machine that cannot be compared. */
static const char *remedy_for(const struct choice_request *request, const struct explained_candidate *closest)
{
    if (!closest->is_incomparable)
        return "";
    if (request->need->features.count > 0 && !is_any_feature_weighing(request))
        return "; give what it offers a weight (similarity.weights.resource)";
    return "; say what it offers: understudyctl tag, or below machines: in the configuration, see understudy.yaml(5)";
}

static int explain_summary(const struct choice_request *request, const struct choice *choice,
                           struct explanation *explanation)
{
    const struct explained_candidate *chosen = explanation_chosen(explanation);
    const struct explained_candidate *closest = explanation->n_candidates > 0 ? &explanation->candidates[0] : NULL;
    size_t n = explanation->n_candidates + explanation->n_left_out;

    if (chosen != NULL)
        return text_format(&explanation->summary, "%s for %s: similarity %.4f, coverage %.4f, overlap %.4f; %s",
                           chosen->name, explanation->failed, chosen->similarity, chosen->coverage, chosen->overlap,
                           chosen->reason);
    if (n == 0)
        return text_format(&explanation->summary, "no candidate for %s: no other machine takes part",
                           explanation->failed);
    if (choice->counts[CANDIDATE_ELIGIBLE] > 0)
        return text_format(&explanation->summary, "%s%zu could take the place of %s; none was started",
                           at_least(choice), choice->counts[CANDIDATE_ELIGIBLE], explanation->failed);
    if (closest == NULL)
        return text_format(&explanation->summary, "none of %zu can take the place of %s", n, explanation->failed);
    return text_format(&explanation->summary, "none of %zu can take the place of %s; the closest is %s: %s%s", n,
                       explanation->failed, closest->name, closest->reason, remedy_for(request, closest));
}

static int explain_header(const struct choice_request *request, struct explanation *explanation)
{
    const struct similarity_rules *rules = request_rules(request);

    uuid_format(request->failed->description->uuid, explanation->uuid);
    explanation->hypervisor = strdup(request->failed->hypervisor);
    explanation->failed = strdup(pool_display_name(request->pool, request->failed));
    if (explanation->hypervisor == NULL || explanation->failed == NULL)
        return -ENOMEM;
    explanation->threshold = similarity_threshold(rules);
    explanation->min_coverage = similarity_min_coverage(rules);
    explanation->rank_by = similarity_rank_by_name(rules);
    if (request->policy == NULL)
        return 0;
    return policy_describe(request->policy->config, &request->policy->sources, &explanation->policy);
}

static int list_all(const struct choice_request *request, const struct choice *choice, const struct machine *chosen,
                    size_t n_listed, const struct feature_table *table, struct explanation *explanation)
{
    int r = 0;

    explanation->candidates = calloc(choice->n_eligible + choice->n_ineligible + 1, sizeof(*explanation->candidates));
    if (explanation->candidates == NULL)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < choice->n_eligible; i++)
        if (i < n_listed || choice->eligible[i].machine == chosen)
            r = list_eligible(request, choice, i, chosen, table, explanation);
    for (size_t i = 0; r == 0 && i < choice->n_ineligible; i++)
        r = list_ineligible(request, &choice->ineligible[i], table, explanation);
    return r;
}

/* After list_all. */
static void count_left_out(const struct choice *choice, struct explanation *explanation)
{
    memcpy(explanation->left_out, choice->counts, sizeof(explanation->left_out));
    for (size_t i = 0; i < explanation->n_candidates; i++)
        explanation->left_out[CANDIDATE_ELIGIBLE] -= explanation->candidates[i].eligible;
    for (size_t i = 0; i < choice->n_ineligible; i++)
        explanation->left_out[choice->ineligible[i].verdict]--;
    explanation->n_unjudged = choice->n_unjudged;
    explanation->n_left_out = choice->n_unjudged;
    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        explanation->n_left_out += explanation->left_out[verdict];
}

int explain_choice(const struct choice_request *request, const struct choice *choice, const struct machine *chosen,
                   size_t n_listed, const struct feature_table *table, struct explanation **ret)
{
    _cleanup_(explanation_freep) struct explanation *explanation = calloc(1, sizeof(*explanation));
    int r;

    if (explanation == NULL)
        return -ENOMEM;
    if (chosen == NULL && choice->n_eligible > 0)
        chosen = choice->eligible[0].machine;
    r = explain_header(request, explanation);
    if (r == 0)
        r = list_all(request, choice, chosen, n_listed, table, explanation);
    if (r < 0)
        return r;
    count_left_out(choice, explanation);
    r = explain_summary(request, choice, explanation);
    if (r < 0)
        return r;
    *ret = steal_pointer(&explanation);
    return 0;
}
