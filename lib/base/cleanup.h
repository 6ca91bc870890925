/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scope-bound release of locals, and the few words every room shares. The only compiler extensions
 * the project allows itself are the two attributes named here.
 */
#ifndef UNDERSTUDY_BASE_CLEANUP_H
#define UNDERSTUDY_BASE_CLEANUP_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define _cleanup_(f)            __attribute__((cleanup(f)))
#define _must_check_            __attribute__((warn_unused_result))
#define _printf_(string, first) __attribute__((format(printf, string, first)))

#define ELEMENTS_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PLURAL(count)      ((count) == 1 ? "" : "s")

/* Defines `type **`-taking NAMEp for `_cleanup_(NAMEp)` from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, name)                                                                                     \
    static inline void name##p(type **p)                                                                               \
    {                                                                                                                  \
        name(*p);                                                                                                      \
        *p = NULL;                                                                                                     \
    }                                                                                                                  \
    struct cleanup_##name##_semicolon

static inline void freep(void *p)
{
    free(*(void **)p);
    *(void **)p = NULL;
}

static inline void fclosep(FILE **f)
{
    if (*f != NULL)
        fclose(*f);
    *f = NULL;
}

/* Takes the pointer out of a variable whose cleanup would otherwise free it. */
static inline void *steal_pointer(void *p)
{
    void *taken = *(void **)p;

    *(void **)p = NULL;
    return taken;
}

#endif
