#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds understudy and runs every test that this machine can run; installs what is missing. As an ordinary user it
# asks for a password once, at the beginning; without root it runs what needs none.
set -u

usage='usage: sh tests/run.sh [--quick] [-k PATTERN]
  --quick     without thread sanitizer, real guests, planted bugs and the slow part of lint; needs no root
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

cd "$(dirname "$(readlink -f -- "$0")")/.." || exit
. tests/steps.sh
lock build/tests.lock tests/run.sh || exit 75
TMPDIR=$(mktemp -d) || exit
export TMPDIR PYTHONDONTWRITEBYTECODE=1
results=$TMPDIR/results
mkdir "$results"
child='' keeper='' watcher='' status=0 as_root=false
# Tests as an ordinary user leave nothing of root's behind.
owner=$(id -u):$(id -g)

# shellcheck disable=SC2317 # called by the traps
cleanup() {
    trap '' INT TERM HUP
    trap - EXIT
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
    if [ -n "$child" ]; then
        printf '\n%s\n' "Ending what runs, and removing what it made ..."
        # A step that runs as root can be ended by root only.
        kill -TERM -- "-$child" 2>/dev/null || $as_root kill -TERM -- "-$child" 2>/dev/null
        wait_for_child
    fi
    give_back
    rm -rf "$TMPDIR" 2>/dev/null || $as_root rm -rf "$TMPDIR"
    [ -z "$keeper" ] || kill "$keeper" 2>/dev/null
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT TERM HUP

# What steps made as root.
give_back() {
    [ "$as_root" = 'sudo -n' ] || return 0
    for made in build/guests "$results"; do
        [ ! -e "$made" ] || $as_root chown -R "$owner" "$made"
    done
}

# step NAME USUAL COMMAND…: runs it in a process group of its own, which an interrupt ends as a whole; shows what
# it does meanwhile, and in the end its time, and its output where it failed. USUAL: how long it takes on two cores.
step() {
    name=$1 began=$(date +%s)
    printf '%-16s usually %s\n' "$name" "$2"
    shift 2
    run_logged "$TMPDIR/log" "$@"
    # pytest: nothing matches the pattern
    if [ -n "$pattern" ] && [ $status -eq 5 ]; then status=0; fi
    printf '%-16s %5d s  %s\n' "$name" $(($(date +%s) - began)) "$([ $status -eq 0 ] && echo ok || echo FAILED)"
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
    step "$1 build" '1 min' sh -c 'cmake --preset "$1" -DUNDERSTUDY_WERROR="$2" && cmake --build --preset "$1"' \
        sh "$1" "$([ "${CI:-}" = true ] && echo ON || echo OFF)" && return
    note_failed "$1 build"
    return 1
}

# ctests PRESET NAME USUAL CTEST-OPTION…
ctests() {
    preset=$1 file=$results/$1-$2.xml what="$1 $2" usual=$3
    shift 3
    [ -n "$pattern" ] && set -- "$@" -R "$pattern"
    set -- ctest --test-dir "build/$preset" --output-on-failure --no-tests=ignore -j "$(nproc)" \
        --output-junit "$file" "$@"
    # gcc's thread sanitizer does not know every layout of the address space.
    [ "$preset" = tsan ] && set -- setarch -R "$@"
    step "$what" "$usual" "$@" || [ -s "$file" ] || note_failed "$what"
}

# e2e PRESET NAME USUAL COMMAND…: the command gets the results' path without its end, and -k where there is a pattern. As
# root where the name is guests, and there is a way to become root; else these tests skip themselves and say so.
e2e() {
    preset=$1 file=$results/$1-$2 what="$1 $2" usual=$3 prefix=
    if [ "$2" = guests ] && [ "$as_root" != false ]; then prefix=$as_root; fi
    shift 3
    [ -n "$pattern" ] && set -- "$@" -k "$pattern"
    # shellcheck disable=SC2086 # several words
    step "$what" "$usual" $prefix env TMPDIR="$TMPDIR" PYTHONDONTWRITEBYTECODE=1 UNDERSTUDY_BUILD="$preset" \
        TSAN_OPTIONS="suppressions='$PWD/tests/tsan.supp'" timeout -k 60 2700 sh tests/e2e/run.sh "$file" "$@" ||
        ls "$file"*.xml >/dev/null 2>&1 || note_failed "$what"
    give_back
    rm -rf "$TMPDIR"/pytest-* 2>/dev/null || $as_root rm -rf "$TMPDIR"/pytest-*
}

export TSAN_OPTIONS="suppressions='$PWD/tests/tsan.supp'"

if [ $quick = yes ]; then
    sh tests/prepare.sh test || exit
else
    if ! become_root "to install packages, and for tests with a libvirtd, guests and containers of their own"; then
        echo "This user cannot become root here: tests that need root are skipped."
    fi
    keep_root
    sh tests/prepare.sh all || exit
fi
if build asan; then
    if [ $quick = yes ]; then
        ctests asan tests '5 min' -LE 'lint|e2e' -E mutations
    else
        ctests asan tests '10 min' -LE 'lint|e2e'
    fi
    e2e asan testdriver '3 min' -m testdriver
    if [ $quick = yes ]; then
        ctests asan lint '10 s' -L lint -E 'tidy|cppcheck'
    else
        e2e asan guests '10 min' -m 'not testdriver'
        ctests asan lint '4 min' -L lint
    fi
fi
if [ $quick = no ] && build tsan; then
    ctests tsan tests '2 min' -L 'unit|daemon'
    e2e tsan testdriver '1 min' -m testdriver --ignore=tests/e2e/dashboard
fi
/usr/bin/python3 tests/summary.py "$results"
