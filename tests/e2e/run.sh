#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the end-to-end tests: those in containers beside all the others, since both wait most of their time.
# usage: run.sh RESULTS PYTEST-OPTION…; writes RESULTS-others.xml and RESULTS-containers.xml, and returns what pytest
# does: 5 where neither has a test.
set -u
results=$1
shift

# run NAME PYTEST-OPTION…
run() {
    name=$1
    shift
    /usr/bin/python3 -m pytest -v -p no:cacheprovider --basetemp="$TMPDIR/pytest-$name" \
        --junitxml="$results-$name.xml" "$@"
}

run containers "$@" tests/e2e/service &
run others "$@" --ignore=tests/e2e/service tests/e2e
others=$?
wait $!
containers=$?
case $others in
5) exit $containers ;;
0) [ $containers -eq 5 ] || exit $containers ;;
*) exit $others ;;
esac
