#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the end-to-end tests in parts side by side, since they wait most of their time: those in containers, of which the verdict
# table is a part of its own, those of several hosts, and all the others.
# usage: run.sh RESULTS PYTEST-OPTION…; writes RESULTS-PART.xml for each, and returns what pytest does: 5 where no part
# has a test.
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

run containers "$@" --ignore=tests/e2e/service/test_verdicts.py tests/e2e/service &
parts=$!
run verdicts "$@" tests/e2e/service/test_verdicts.py &
parts="$parts $!"
run hosts "$@" tests/e2e/test_hosts.py &
parts="$parts $!"
run others "$@" --ignore=tests/e2e/service --ignore=tests/e2e/test_hosts.py tests/e2e
worst=$?
for part in $parts; do
    wait "$part"
    status=$?
    case $status,$worst in
    5,* | 0,[!5]) ;;
    0,5) worst=0 ;;
    *) worst=$status ;;
    esac
done
exit $worst
