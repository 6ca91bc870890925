#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs one of the checkers that come from elsewhere over our C sources. Returns 77 where it is not installed.
# usage: tools.sh format|tidy|cppcheck SOURCE_DIR BUILD_DIR
set -eu
check=$1 source=$2 build=$3
cd "$source"

need() {
    command -v "$1" >/dev/null || { echo "$1 is not installed"; exit 77; }
}

# What is well formatted and worth a warning differs from version to version: one is what we hold ourselves to.
llvm=14

# Runs the command for each of our C files, one for each processor.
for_each_source() {
    find lib daemon -name '*.c' | sort | xargs -P "$(nproc)" -n 1 "$@"
}

case $check in
format)
    need clang-format-$llvm
    find lib daemon tests -name '*.[ch]' -print0 | xargs -0 clang-format-$llvm --dry-run -Werror
    ;;
tidy)
    need clang-tidy-$llvm
    # The database is the compiler's; what only gcc knows is no finding.
    for_each_source clang-tidy-$llvm --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option
    ;;
cppcheck)
    need cppcheck
    mkdir -p "$build/cppcheck"
    cppcheck --quiet -j "$(nproc)" --cppcheck-build-dir="$build/cppcheck" --error-exitcode=1 --std=c11 \
        --enable=warning,performance,portability --inline-suppr --suppressions-list=tests/lint/cppcheck.suppressions \
        --library=gnu --library=posix --library=tests/lint/cppcheck.cfg -D_GNU_SOURCE -I lib -I daemon lib daemon
    ;;
*)
    echo "unknown check: $check" >&2
    exit 2
    ;;
esac
