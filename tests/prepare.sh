#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what building and testing needs and is missing (Debian, Ubuntu), with sudo where we are not root.
set -u

as_root=
if [ "$(id -u)" -ne 0 ]; then as_root='sudo -n'; fi
updated=no

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_missing() {
    missing=
    for package in "$@"; do is_installed "$package" || missing="$missing $package"; done
    [ -n "$missing" ] || return 0
    if [ $updated = no ]; then
        $as_root apt-get -qq update || return
        updated=yes
    fi
    # shellcheck disable=SC2086 # several words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $missing
}

if ! command -v apt-get >/dev/null; then
    echo "no apt-get here: what is missing must be installed by hand"
    exit 0
fi
install_missing gcc cmake ninja-build pkg-config libvirt-dev libevent-dev libyaml-dev libsystemd-dev libxml2-dev \
    libjansson-dev libcurl4-openssl-dev libsmartcols-dev libsqlite3-dev uthash-dev libcmocka-dev python3 python3-pytest || exit
# What only some tests need: they are skipped, and say why, where it cannot be had.
for package in libvirt-daemon-system libvirt-clients qemu-system-x86 busybox-static cpio tini zstd \
    iproute2 openssl fence-agents \
    clang-format-14 clang-tidy-14 cppcheck scdoc mandoc mmdebstrap systemd-container dpkg-dev rpm; do
    install_missing "$package" || echo "$package cannot be installed"
done
