/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * External programs that take part in a recovery: every executable file of a directory, in the order of
 * their names, one after the other, with a clean environment, a JSON document on standard input and a
 * time limit; what they print goes to the log. Knows no recovery. Main thread only; never blocks.
 *
 * A program is run only if it is a regular executable file that belongs to root or to the daemon's user
 * and that no other user may write; so must the directory be. In a directory what is not run is told as a
 * line, once in each run. Names that begin with '.' or end in '~', .dpkg-*, .rpm*, .sample or .disabled are
 * no hooks at all. A program runs in a session of its own, in /, with nothing open but its standard input,
 * which is a file in memory, and one pipe for both of its outputs. When it has ended, so has its part of the
 * run: what it left behind in the background lives on, unheard.
 */
#ifndef UNDERSTUDY_DAEMON_HOOKS_H
#define UNDERSTUDY_DAEMON_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct event_base;
struct hooks;

/*
 * One variable of a hook's environment; name without prefix: "EVENT" becomes UNDERSTUDY_EVENT, unless it is the
 * administrator's own. NULL value: empty.
 */
struct hook_variable {
    const char *name;
    const char *value;
    bool is_own;
};

/* A callback may call hooks_run, but not hooks_free. hook: the file's name; the path as given to hooks_run_program. */
struct hooks_callbacks {
    /*
     * A line that a hook printed (stdout or stderr), without newline, made printable. Empty lines are left
     * out, long ones broken; what a hook prints beyond 64 KiB or 1000 lines is not told, and that is.
     */
    void (*line)(void *context, uint64_t run, const char *event, const char *hook, const char *text);
    /* A program that is no hook by the rule above, or the whole directory (`hook` names it then), and why. */
    void (*passed_over)(void *context, uint64_t run, const char *event, const char *hook, const char *why);
    /*
     * All hooks of one run have ended (hook and message are ""), or the first one failed, which ends the
     * run. error: 0; -ECANCELED: `hook` exited with a status other than 0 or by a signal; -ETIMEDOUT: it
     * was killed at its time limit; other negative errno: it could not be run (-EPERM: by the rule above), or
     * its directory, which `hook` names then, not be read. message says it for people, with the last line
     * that the hook printed.
     */
    void (*done)(void *context, uint64_t run, int error, const char *hook, const char *message);
};

int hooks_new(struct event_base *base, const struct hooks_callbacks *callbacks, void *context,
              struct hooks **ret) _must_check_;

/*
 * Runs the hooks of `directory` for an event ("pre-start" and so on): argument 1 is the event. A directory
 * that does not exist has no hooks. veto_parent: the directory around it, or NULL; an executable file in that one stands
 * in the wrong place, and may be meant as a veto: then nothing is run, and the run fails with -ENOEXEC. Answered by done with this run's number, from the event loop, exactly
 * once. Runs do not wait for one another. variables end with a NULL name; everything is copied; json may be
 * NULL: empty. timeout_us is for each hook: SIGTERM to its process group then, SIGKILL 2 s later, which is
 * not waited for. -ENOMEM.
 */
int hooks_run(struct hooks *hooks, uint64_t run, const char *directory, const char *veto_parent, const char *event,
              const struct hook_variable *variables, const char *json, int64_t timeout_us) _must_check_;

/* As hooks_run for one program given by path. That it is missing or not to be run is an error here. */
int hooks_run_program(struct hooks *hooks, uint64_t run, const char *path, const char *event,
                      const struct hook_variable *variables, const char *json, int64_t timeout_us) _must_check_;

/* Runs that have not ended. */
size_t hooks_count(const struct hooks *hooks);

/* Kills what still runs (process groups); no callback comes after this. Takes NULL. */
void hooks_free(struct hooks *hooks);

#endif
