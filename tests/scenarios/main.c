/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plays scenario files through the coordinator. Exit status 0: each came out as it says; 1: not; 2: a file is wrong. */
#include <stdio.h>

#include "scenario.h"

static bool play(const char *file)
{
    struct scenario scenario;
    struct transcript actual = {0};
    bool equal;

    scenario_read(file, &scenario);
    scenario_play(&scenario, &actual);
    equal = transcript_compare(&scenario.course, &actual);
    if (!equal)
        printf("%s: differs; - must come out and did not, + came out and must not\n", file);
    transcript_done(&actual);
    scenario_done(&scenario);
    return equal;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE…\n", argv[0]);
        return 2;
    }
    scenario_begin();
    for (int i = 1; i < argc; i++)
        if (!play(argv[i]))
            status = 1;
    return status;
}
