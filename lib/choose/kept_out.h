/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines that share a disk, an address or a device with a failed one, and would be candidates for its place once it is
 * off. While it is up, it alone keeps them from being anyone's.
 */
#ifndef UNDERSTUDY_CHOOSE_KEPT_OUT_H
#define UNDERSTUDY_CHOOSE_KEPT_OUT_H

#include "choose/candidate.h"

/* Where a search is; begin with {0}. */
struct kept_out {
    const struct use *own, *other;
    bool is_up; /* `other` is among the uses that are up */
};

/*
 * The next that is eligible, with its score; machine NULL: there is none left. One that shares several things comes
 * several times. The request names the failed machine.
 */
struct candidate kept_out_next(const struct choice_request *request, struct kept_out *search);

#endif
