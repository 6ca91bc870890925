/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plays scenario files through the coordinator. Exit status 0: each came out as it says; 1: not; 2: a file is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "scenario.h"
#include "unit/support.h"

static bool is_playing;

static void play(void **state)
{
    const char *file = *state;
    struct scenario scenario;
    struct transcript actual = {0};
    bool equal;

    scenario_read(file, &scenario);
    is_playing = true;
    scenario_play(&scenario, &actual);
    is_playing = false;
    equal = transcript_compare(&scenario.course, &actual);
    transcript_done(&actual);
    scenario_done(&scenario);
    if (!equal)
        fail_msg("%s differs: - must come out and did not, + came out and must not", file);
}

/* The world has checks of its own, at which cmocka ends the test. */
static int tell_place(void **state)
{
    if (is_playing)
        fprintf(stderr, "%s:%u: a check of the world failed after this line\n", (const char *)*state, scenario_line());
    is_playing = false;
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE…\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        const struct CMUnitTest test[] = {
            {.name = argv[i], .test_func = play, .teardown_func = tell_place, .initial_state = argv[i]},
        };

        failed += cmocka_run_group_tests_name("scenario", test, NULL, NULL);
    }
    return failed != 0;
}
