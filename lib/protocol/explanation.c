/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership of an explanation. What is in it, choose/explain writes. */
#include "protocol/explanation.h"

#include <stdlib.h>

void explanation_free(struct explanation *explanation)
{
    if (explanation == NULL)
        return;
    for (size_t i = 0; i < explanation->n_candidates; i++) {
        struct explained_candidate *candidate = &explanation->candidates[i];

        free(candidate->hypervisor);
        free(candidate->name);
        free(candidate->reason);
        string_list_done(&candidate->missing);
        string_list_done(&candidate->surplus);
        string_list_done(&candidate->weightless);
    }
    free(explanation->candidates);
    free(explanation->hypervisor);
    free(explanation->failed);
    free(explanation->summary);
    free(explanation->obstacle);
    free(explanation->policy);
    free(explanation);
}

const struct explained_candidate *explanation_chosen(const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->n_candidates; i++)
        if (explanation->candidates[i].is_chosen)
            return &explanation->candidates[i];
    return NULL;
}
