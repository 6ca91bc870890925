/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an allocation fails is the test's to say. For tests that tests/unit/CMakeLists.txt links with these wrappers. */
#ifndef UNDERSTUDY_TESTS_ALLOCATION_H
#define UNDERSTUDY_TESTS_ALLOCATION_H

/* So many more succeed, and the one after them fails; -1: all succeed. */
void allocation_fail_after(long n);

#endif
