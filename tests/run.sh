#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds understudy and runs every test that this machine can run; installs what is missing.
set -u

usage='usage: sh tests/run.sh [--quick] [-k PATTERN]
  --quick     without thread sanitizer, real guests and the slow part of lint
  -k PATTERN  only tests whose name matches (a word, as for ctest -R and pytest -k)
With CI=true, a skipped test counts as a failure.'

quick=no pattern=
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    -k)
        [ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
        pattern=$2
        shift
        ;;
    -h | --help) echo "$usage"; exit 0 ;;
    *) echo "$usage" >&2; exit 2 ;;
    esac
    shift
done

cd "$(dirname "$0")/.." || exit
TMPDIR=$(mktemp -d) || exit
export TMPDIR PYTHONDONTWRITEBYTECODE=1
results=$TMPDIR/results
mkdir "$results"
child='' status=0

as_root=
if [ "$(id -u)" -ne 0 ]; then as_root='sudo -n --preserve-env=TMPDIR,PYTHONDONTWRITEBYTECODE,UNDERSTUDY_BUILD,CI'; fi

# shellcheck disable=SC2317 # called by the trap
cleanup() {
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$child" ]; then
        $as_root kill -TERM -- "-$child" 2>/dev/null
        wait "$child"
    fi
    $as_root rm -rf "$TMPDIR"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT TERM HUP

# step NAME COMMAND…: runs it in a session of its own, which an interrupt ends as a whole; says nothing
# but its name and its time, unless it fails.
step() {
    name=$1 began=$(date +%s)
    shift
    printf '%-16s' "$name"
    setsid "$@" >"$TMPDIR/log" 2>&1 </dev/null &
    child=$!
    wait "$child"
    status=$?
    child=
    # pytest: nothing matches the pattern
    if [ -n "$pattern" ] && [ $status -eq 5 ]; then status=0; fi
    printf '%5d s  %s\n' $(($(date +%s) - began)) "$([ $status -eq 0 ] && echo ok || echo FAILED)"
    if [ $status -ne 0 ]; then cat "$TMPDIR/log"; fi
    return $status
}

# Notes that a step failed which leaves no results of its own: it counts as one failed test.
note_failed() {
    echo "$1" >>"$results/failed-steps"
}

# False where it fails: then there is nothing to test.
build() {
    # shellcheck disable=SC2016 # for the inner shell
    step "$1 build" sh -c 'cmake --preset "$1" && cmake --build --preset "$1"' sh "$1" && return
    note_failed "$1 build"
    return 1
}

# ctests PRESET NAME CTEST-OPTION…
ctests() {
    preset=$1 file=$results/$1-$2.xml what="$1 $2"
    shift 2
    [ -n "$pattern" ] && set -- "$@" -R "$pattern"
    set -- ctest --test-dir "build/$preset" --output-on-failure --no-tests=ignore -j "$(nproc)" \
        --output-junit "$file" "$@"
    # gcc's thread sanitizer does not know every layout of the address space.
    [ "$preset" = tsan ] && set -- setarch -R "$@"
    step "$what" "$@" || [ -s "$file" ] || note_failed "$what"
}

# e2e PRESET PYTEST-OPTION…
e2e() {
    preset=$1 file=$results/$1-e2e.xml
    shift
    [ -n "$pattern" ] && set -- "$@" -k "$pattern"
    export UNDERSTUDY_BUILD="$preset"
    # shellcheck disable=SC2086 # as_root is several words
    step "$preset e2e" $as_root timeout -k 60 1800 /usr/bin/python3 -m pytest -q -p no:cacheprovider \
        --junitxml="$file" "$@" tests/e2e || [ -s "$file" ] || note_failed "$preset e2e"
    if [ -n "$as_root" ]; then $as_root chown -R "$(id -u)" build "$results"; fi
}

[ -f tests/tsan.supp ] && export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp"

step packages sh tests/prepare.sh || note_failed packages
if build asan; then
    ctests asan tests -LE 'lint|e2e'
    if [ $quick = yes ]; then
        e2e asan -m testdriver
        ctests asan lint -L lint -E 'tidy|cppcheck'
    else
        e2e asan
        ctests asan lint -L lint
    fi
fi
if [ $quick = no ] && build tsan; then
    ctests tsan tests -L 'unit|daemon'
    e2e tsan -m testdriver
fi
/usr/bin/python3 tests/summary.py "$results"
