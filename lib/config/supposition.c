/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is supposed, as an operator writes it, and as the configuration has it. */
#include "config/supposition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "config/policy.h"
#include "config/schema.h"
#include "model/feature.h"

#define ONE        1000000      /* in millionths */
#define WEIGHT_MAX (1000 * ONE) /* as of a weight in the configuration */

const char *const supposition_keys[] = {"threshold", "min_coverage", "weight", "without", NULL};

static void free_weight(struct config_weight *weight)
{
    free(weight->kind);
    free(weight->value);
}

void supposition_done(struct supposition *supposition)
{
    for (size_t i = 0; i < supposition->n_weights; i++)
        free_weight(&supposition->weights[i]);
    free(supposition->weights);
    string_list_done(&supposition->without);
    *supposition = (struct supposition){0};
}

static int refuse(char **ret_problem, const char *key, const char *value, const char *expected)
{
    *ret_problem = text_print("%s: '%.64s' is not %s", key, value, expected);
    return -EINVAL;
}

static int read_share(const char *key, const char *value, uint32_t *ret, bool *ret_is_given, char **ret_problem)
{
    int64_t millionths = 0;

    if (decimal_parse(value, &millionths) < 0 || millionths < 0 || millionths > ONE)
        return refuse(ret_problem, key, value, "a number from 0 to 1, of at most six decimals");
    *ret = (uint32_t)millionths;
    *ret_is_given = true;
    return 0;
}

/* Appends; takes the weight, also on error. */
static int append_weight(struct config_weight **weights, size_t *n, struct config_weight *weight)
{
    struct config_weight *grown = NULL;

    if (weight->kind != NULL)
        grown = reallocarray(*weights, *n + 1, sizeof(**weights));
    if (grown == NULL) {
        free_weight(weight);
        return -ENOMEM;
    }
    *weights = grown;
    grown[(*n)++] = *weight;
    return 0;
}

/* "kind=0.2", "kind=value=0.2" or "kind/value=0.2": a value may have "=" and "/" in it. */
static int read_weight(struct supposition *supposition, const char *text, char **ret_problem)
{
    static const char expected[] = "KIND=WEIGHT or KIND/VALUE=WEIGHT, a weight from 0 to 1000";
    const char *number = strrchr(text, '='), *value = text + strcspn(text, "/=");
    struct config_weight weight = {0};
    int64_t millionths = 0;

    if (number == NULL || number == text || value == text || decimal_parse(number + 1, &millionths) < 0 ||
        millionths < 0 || millionths > WEIGHT_MAX || value + 1 == number)
        return refuse(ret_problem, "weight", text, expected);
    weight.millionths = (uint32_t)millionths;
    weight.kind = strndup(text, (size_t)(value - text));
    if (value < number) {
        weight.value = strndup(value + 1, (size_t)(number - value - 1));
        if (weight.value == NULL) {
            free_weight(&weight);
            return -ENOMEM;
        }
    }
    return append_weight(&supposition->weights, &supposition->n_weights, &weight);
}

int supposition_add(struct supposition *supposition, const char *key, const char *value, char **ret_problem)
{
    *ret_problem = NULL;
    if (strcmp(key, "threshold") == 0)
        return read_share(key, value, &supposition->threshold, &supposition->has_threshold, ret_problem);
    if (strcmp(key, "min_coverage") == 0)
        return read_share(key, value, &supposition->min_coverage, &supposition->has_min_coverage, ret_problem);
    if (strcmp(key, "weight") == 0)
        return read_weight(supposition, value, ret_problem);
    if (strcmp(key, "without") == 0)
        return string_list_add(&supposition->without, value);
    return -ENOENT;
}

bool supposition_is_empty(const struct supposition *supposition)
{
    return !supposition->has_threshold && !supposition->has_min_coverage && supposition->n_weights == 0 &&
           supposition->without.count == 0;
}

/* No entry of `services` gives the key any more. */
static void take_from_services(struct config *config, const char *path)
{
    const struct schema_key *key;

    for (size_t place = 0; (key = policy_key(place)) != NULL; place++)
        if (strcmp(key->path, path) == 0)
            for (size_t i = 0; i < config->n_services; i++)
                config->services[i].given &= ~(UINT32_C(1) << place);
}

static int set_weight(struct config_similarity *similarity, const struct config_weight *weight)
{
    struct config_weight copy = {.millionths = weight->millionths};
    enum environment environment;

    if (weight->value == NULL && environment_from_name(weight->kind, &environment) == 0) {
        similarity->environment_weights[environment] = weight->millionths;
        return 0;
    }
    for (size_t i = 0; i < similarity->n_resource_weights; i++) {
        struct config_weight *known = &similarity->resource_weights[i];

        if (strcmp(known->kind, weight->kind) == 0 && text_equal(known->value, weight->value)) {
            known->millionths = weight->millionths;
            return 0;
        }
    }
    copy.kind = strdup(weight->kind);
    copy.value = text_copy(weight->value);
    if (weight->value != NULL && copy.value == NULL) {
        free_weight(&copy);
        return -ENOMEM;
    }
    return append_weight(&similarity->resource_weights, &similarity->n_resource_weights, &copy);
}

int supposition_apply(const struct supposition *supposition, struct config *config)
{
    struct config_similarity *similarity = &config->similarity;
    int r = 0;

    if (supposition->has_threshold) {
        similarity->threshold = supposition->threshold;
        take_from_services(config, "services[].threshold");
    }
    if (supposition->has_min_coverage) {
        similarity->has_min_coverage = true;
        similarity->min_coverage = supposition->min_coverage;
        take_from_services(config, "services[].min_coverage");
    } else if (!similarity->has_min_coverage) {
        similarity->min_coverage = similarity->threshold;
    }
    for (size_t i = 0; r == 0 && i < supposition->n_weights; i++)
        r = set_weight(similarity, &supposition->weights[i]);
    return r;
}
