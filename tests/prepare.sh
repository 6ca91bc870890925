#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what building and testing needs and is missing, on Debian and Ubuntu.
set -u

usage='usage: sh tests/prepare.sh [SET]
  build  what building and packaging needs (the default)
  test   also what tests need that run without root
  all    also libvirtd, QEMU, containers and checkers, for all tests'

# Tests that need a package of test_extra or all_extra are skipped, and say so, where it cannot be had.
build='gcc libc6-dev cmake ninja-build pkg-config dpkg-dev file gzip scdoc libvirt-dev libevent-dev libyaml-dev
    libxml2-dev libjansson-dev libsystemd-dev libsqlite3-dev libcurl4-openssl-dev libsmartcols-dev libarchive-dev
    uthash-dev'
test='libcmocka-dev python3 python3-pytest python3-jsonschema python3-yaml'
test_extra='mandoc openssl bash-completion zsh fish curl jq python3-prometheus-client'
all_extra='libvirt-daemon-system libvirt-clients qemu-system-x86 busybox-static cpio tini zstd iproute2
    qemu-utils gdb mmdebstrap systemd-container rpm prometheus prometheus-alertmanager prometheus-node-exporter cppcheck
    clang-format-14 clang-tidy-14
    chromium chromium-driver python3-selenium fonts-nanum'

here=$(dirname "$(readlink -f -- "$0")")
. "$here/steps.sh"
log=$(mktemp) || exit
keeper='' child='' interrupted=no
# shellcheck disable=SC2317 # called by the traps
interrupt() {
    if [ $interrupted = no ] && [ -n "$child" ]; then
        printf '\n%s\n' "apt-get is left to finish, since packages that are half installed block the next apt-get. \
This takes a few minutes at most." >&2
    fi
    interrupted=yes
}
trap 'rm -f "$log"; [ -z "$keeper" ] || kill "$keeper" 2>/dev/null' EXIT
trap interrupt INT TERM HUP

fail() {
    echo "prepare: $*" >&2
    exit 1
}

# Names of those that are not installed. Packages of Debian have no spaces.
missing_of() {
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    done
}

# Names of those that apt knows a version of.
known_of() {
    for package in "$@"; do
        if apt-cache policy "$package" 2>/dev/null | grep -q '^  Candidate: [^(]'; then printf '%s ' "$package"; fi
    done
}

# apt ARGUMENT…: is left to finish, whatever happens to the terminal. Returns its exit status.
apt() {
    # Waits for an apt of somebody else's, such as unattended-upgrades.
    # shellcheck disable=SC2086 # as_root is several words
    run_logged "$log" $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "$@"
    result=$?
    [ $interrupted = no ] || exit 130
    return $result
}

# What apt said last that is an error, and the way out.
explain() {
    sed -n 's/^[EW]: *//p' "$log" | grep -v '^Some index files' | sort -u | head -n 3 | sed 's/^/  /' >&2
    if grep -qE 'resolving|resolve|Could not connect|Failed to fetch|unreachable' "$log"; then
        echo "This machine does not reach its package mirror: look at its network, then start again." >&2
    elif grep -q 'dpkg was interrupted' "$log"; then
        echo "Run as root: dpkg --configure -a; then start again." >&2
    elif grep -qE 'Could not get lock|Unable to lock' "$log"; then
        echo "Another apt runs; start again when it has ended." >&2
    fi
}

# leave_off NAME PATTERN…: services come enabled. Tests start their own; one that was not there before is no business of
# tests.
leave_off() {
    [ -d /run/systemd/system ] || return 0
    name=$1
    shift
    # shellcheck disable=SC2046,SC2086 # words
    $as_root systemctl --quiet disable --now $(systemctl list-unit-files --no-legend "$@" 2>/dev/null | cut -d ' ' -f 1 |
        grep -v @) 2>/dev/null
    echo "$name is installed for the tests, and left disabled."
}

[ $# -le 1 ] || { echo "$usage" >&2; exit 2; }
set_name=${1:-build}
required=$build extra=
case $set_name in
build) ;;
test) required="$build $test" extra=$test_extra ;;
all)
    required="$build $test" extra="$test_extra $all_extra"
    # The agent that tests use; all of them bring a cloud's whole library in Debian 13.
    if [ -n "$(known_of fence-agents-dummy)" ]; then extra="$extra fence-agents-dummy"; else extra="$extra fence-agents"; fi
    # Node.js from elsewhere than Debian brings its own, beside which Debian's cannot be installed.
    command -v npm >/dev/null || extra="$extra npm"
    ;;
-h | --help) echo "$usage"; exit 0 ;;
*) echo "$usage" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086 # words
    echo "prepare: there is no apt-get here; what is missing must be installed by hand. On Debian it is called:" $required $extra
    exit 0
fi
# shellcheck disable=SC2086
required=$(missing_of $required) extra=$(missing_of $extra)
[ -n "$required$extra" ] || exit 0

if ! become_root "to install packages ($set_name)"; then
    [ -z "$required" ] || fail "packages are missing, and this user cannot become root. As root: apt-get update &&" \
        "apt-get install --no-install-recommends $required"
    echo "Not installed, since this user cannot become root: $extra"
    exit 0
fi
keep_root

# shellcheck disable=SC2086
echo "Packages: installing $(set -- $required $extra; echo $#) and what they need; usually 1 to 5 minutes"
update_failed=no
apt update -o APT::Update::Error-Mode=any || update_failed=$(explain 2>&1)
# shellcheck disable=SC2086
known=$(known_of $extra)
# shellcheck disable=SC2086
if ! apt install --no-install-recommends $required $known; then
    [ "$update_failed" = no ] || fail "the lists of packages could not be refreshed:
$update_failed"
    explain
    fail "packages could not be installed: $required$known"
fi
installed_now() {
    case " $known" in *" $1 "*) ;; *) return 1 ;; esac
}
if installed_now libvirt-daemon-system; then leave_off libvirtd 'libvirtd*' 'virtlog*' 'virtlock*' 'libvirt-guests*'; fi
if installed_now prometheus; then leave_off Prometheus prometheus.service; fi
if installed_now prometheus-node-exporter; then leave_off node_exporter 'prometheus-node-exporter*'; fi
if installed_now prometheus-alertmanager; then leave_off Alertmanager 'prometheus-alertmanager*'; fi
for package in $extra; do
    case " $known" in *" $package "*) ;; *) echo "$package is not to be had here; tests that need it are skipped" ;; esac
done
