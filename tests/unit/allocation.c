/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the linker puts in the place of the allocator. */
#include "allocation.h"

#include <stdbool.h>
#include <stddef.h>

static long n_left = -1; /* allocations until one fails; negative: none does */

void allocation_fail_after(long n)
{
    n_left = n;
}

static bool must_fail(void)
{
    return n_left >= 0 && n_left-- == 0;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return must_fail() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
    return must_fail() ? NULL : __real_strdup(text);
}
/* NOLINTEND(bugprone-reserved-identifier) */
