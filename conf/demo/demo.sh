#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shows what understudy does, in a machine room that does not exist (libvirt's test driver): five
# machines, one of them crashes, and the most similar one takes over. Needs Debian or Ubuntu. Builds what
# it shows from the tree it stands in, and leaves nothing behind but build/demo there. UNDERSTUDY_BUILD
# names another build directory of this tree, which is brought up to date instead.
#
# With --stay: the dashboard of a room of 40 machines on three hosts, in which something happens every
# minute, until Ctrl-C. It is at http://localhost:8420/; UNDERSTUDY_DEMO_PORT and UNDERSTUDY_DEMO_SECONDS
# are for another port and another pace.
set -eu
port=${UNDERSTUDY_DEMO_PORT:-8420}
seconds=${UNDERSTUDY_DEMO_SECONDS:-60}

case ${1-} in
'' | --stay) ;;
*)
    echo "usage: sh conf/demo/demo.sh [--stay]" >&2
    exit 2
    ;;
esac

demo=$(dirname -- "$(readlink -f -- "$0")")
source=$(dirname -- "$(dirname -- "$demo")")
. "$source/tests/steps.sh"
# shellcheck source=conf/demo/room.sh
. "$demo/room.sh"
daemon='' child='' watcher=''
directory=$(mktemp -d)

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" || :
    daemon=
}

# shellcheck disable=SC2317 # called by the traps
clean_up() {
    trap - EXIT
    trap '' INT TERM HUP
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :
    [ -z "$child" ] || { kill -TERM -- "-$child" && wait "$child"; } 2>/dev/null || :
    stop_daemon
    rm -rf "$directory"
    exit "$1"
}
trap 'clean_up $?' EXIT
trap 'echo; clean_up 130' INT
trap 'clean_up 143' TERM
trap 'clean_up 129' HUP

fail() {
    cat "$directory/log" >&2 2>/dev/null || :
    echo "demo: $*" >&2
    exit 1
}

# Says nothing unless it fails, but how it goes.
quietly() {
    run_logged "$directory/log" "$@" || fail "failed: $*"
}

# A directory of its own: how an operator's build is configured is not for the demo to change.
configure() {
    lock "$source/build/demo.lock" demo || exit 75
    sh "$source/tests/prepare.sh" build || exit
    build=$source/build/demo
    [ -e "$build/bin/understudyd" ] || echo "Building; usually half a minute"
    quietly cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF
}

# A path as it stands in a URI.
in_uri() {
    printf '%s' "$1" | sed -e 's/%/%25/g' -e 's/ /%20/g' -e 's/?/%3F/g' -e 's/#/%23/g'
}

# A text as it stands between double quotes in YAML.
in_yaml() {
    printf '%s' "$1" | sed 's/["\\]/\\&/g'
}

# For the right side of sed's s|…|…|.
in_sed() {
    sed 's/[&|\\]/\\&/g'
}

ctl() {
    "$build/bin/understudyctl" --socket "$directory/api.sock" "$@"
}

show() {
    printf '\n$ understudyctl %s\n' "$*"
    ctl "$@"
}

build=${UNDERSTUDY_BUILD:-}
[ -n "$build" ] || configure
quietly cmake --build "$build" --target understudyd understudyctl

# start_daemon NAME: with this configuration of the demo.
start_daemon() {
    sed -e "s|@DIRECTORY@|$(in_yaml "$directory" | in_sed)|g" -e "s|@PORT@|$port|g" \
        -e "s|@URI@|$(in_yaml "$(in_uri "$directory")" | in_sed)|g" "$demo/$1" >"$directory/understudy.yaml"
    "$build/bin/understudyd" --config "$directory/understudy.yaml" >"$directory/log" 2>&1 9>&- &
    daemon=$!
    ctl status --wait --timeout 20 >/dev/null || fail "understudyd did not become ready"
}

if [ "${1-}" = --stay ]; then
    make_room "$directory"
    start_daemon room.yaml
    ! ctl problems --json | grep -q '"not-listening"' ||
        fail "port $port is taken; choose another: UNDERSTUDY_DEMO_PORT=PORT sh conf/demo/demo.sh --stay"
    trap 'echo; clean_up 0' INT
    printf 'The dashboard: http://localhost:%s/   Ctrl-C ends it.\n\n' "$port"
    play_room "$seconds" &
    watcher=$!
    wait "$watcher"
fi

cp "$demo/machines.xml" "$directory/"
start_daemon understudy.yaml

echo "Five machines on a hypervisor; only VM-001 runs."
show list
show explain VM-001
printf '\nNow VM-001 crashes.'
show drill VM-001 --wait --timeout 20
show history
show list

ctl show VM-005 --json | grep -q '"state": "running"' || fail "VM-005 does not run"
printf '\nVM-005 serves in place of VM-001, and no operator had to be awake.\n'
