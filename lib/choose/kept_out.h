/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines that would be candidates for the place of a failed one alone: those that share a disk, an address or a device
 * with it, and while it is up are kept out by that; and the original of the service that it serves as a replacement, which
 * may take that service back and serve no other.
 */
#ifndef UNDERSTUDY_CHOOSE_KEPT_OUT_H
#define UNDERSTUDY_CHOOSE_KEPT_OUT_H

#include "choose/candidate.h"

/* Where a search is; begin with {0}. */
struct kept_out {
    struct use own, other;
    enum users users; /* among whom `other` is */
    bool is_at_original;
};

/*
 * The next that is eligible, with its score; machine NULL: there is none left. One that shares several things comes
 * several times. The request names the failed machine.
 */
struct candidate kept_out_next(const struct choice_request *request, struct kept_out *search);

#endif
