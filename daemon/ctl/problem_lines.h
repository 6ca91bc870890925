/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Problems as people read them. */
#ifndef UNDERSTUDY_DAEMON_CTL_PROBLEM_LINES_H
#define UNDERSTUDY_DAEMON_CTL_PROBLEM_LINES_H

#include <jansson.h>

/* For each its kind, since when it stands, what is wrong, and what to do; of the first `most`, and how many more. */
void problem_lines_print(const json_t *problems, size_t most);

#endif
