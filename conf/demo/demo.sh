#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shows what understudy does, in a machine room that does not exist (libvirt's test driver): five
# machines, one of them crashes, and the most similar one takes over. Needs Debian or Ubuntu. Builds what
# it shows from the tree it stands in, and leaves nothing behind but build/demo there. UNDERSTUDY_BUILD
# names another build directory of this tree, which is brought up to date instead.
set -eu

demo=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$(CDPATH='' cd -- "$demo/../.." && pwd)
packages="gcc libc6-dev cmake ninja-build pkg-config libvirt-dev libevent-dev libyaml-dev libxml2-dev
          libjansson-dev libsystemd-dev libsqlite3-dev libcurl4-openssl-dev libsmartcols-dev uthash-dev"
daemon=
directory=$(mktemp -d)

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" || :
    daemon=
}

clean_up() {
    status=$?
    trap - EXIT
    [ "$status" -eq 0 ] || cat "$directory/log" >&2 2>/dev/null || :
    stop_daemon
    rm -rf "$directory"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Says nothing unless it fails.
quietly() {
    "$@" >"$directory/log" 2>&1 || fail "failed: $*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_missing() {
    missing=
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "Installing$missing ..."
    quietly as_root apt-get update
    # shellcheck disable=SC2086 # one word for each package
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

# A directory of its own: how somebody else's is configured is not ours to change.
configure() {
    build=$source/build/demo
    [ -e "$build/bin/understudyd" ] || echo "Building (a minute or two) ..."
    quietly cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF
}

ctl() {
    "$build/bin/understudyctl" --socket "$directory/api.sock" "$@"
}

show() {
    printf '\n$ understudyctl %s\n' "$*"
    ctl "$@"
}

build=${UNDERSTUDY_BUILD:-}
if [ -z "$build" ]; then
    install_missing
    configure
fi
quietly cmake --build "$build" --target understudyd understudyctl

sed -e "s|@DIRECTORY@|$directory|g" -e "s|@MACHINES@|$demo/machines.xml|g" "$demo/understudy.yaml" \
    >"$directory/understudy.yaml"
"$build/bin/understudyd" --config "$directory/understudy.yaml" >"$directory/log" 2>&1 &
daemon=$!
ctl status --wait --timeout 20 >/dev/null || fail "understudyd did not become ready"

echo "Five machines on a hypervisor; only VM-001 runs."
show list
show explain VM-001
printf '\nNow VM-001 crashes.'
show drill VM-001 --wait --timeout 20
show history
show list

ctl show VM-005 --json | grep -q '"state": "running"' || fail "VM-005 does not run"
printf '\nVM-005 serves in place of VM-001, and nobody had to be awake.\n'
