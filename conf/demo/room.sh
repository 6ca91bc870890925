# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machine room of demo.sh --stay, and what happens in it. For `.`; POSIX sh.

# Machines by host: "NAME STATE FEATURE…", running or off.
room_machines() {
    case $1 in
    rack-1) cat <<'END' ;;
web-1 running os/debian-12 os-family/debian language/php webserver/nginx
web-2 running os/debian-12 os-family/debian language/php webserver/nginx
shop-1 running os/debian-12 os-family/debian language/nodejs webserver/nginx database/redis
db-1 running os/debian-12 os-family/debian database/postgresql
dns-1 running os/alpine-3.20 os-family/alpine software/unbound
git running os/ubuntu-24.04 os-family/debian language/go software/gitea database/postgresql
build-1 running os/ubuntu-24.04 os-family/debian language/go language/rust
spare-web-1 off os/debian-12 os-family/debian language/php webserver/nginx
spare-web-2 off os/debian-12 os-family/debian language/php language/nodejs webserver/nginx webserver/apache
spare-db-1 off os/debian-12 os-family/debian database/postgresql database/mysql
spare-app-1 off os/ubuntu-24.04 os-family/debian language/nodejs language/java database/redis webserver/nginx
spare-net-1 off os/alpine-3.20 os-family/alpine software/unbound software/dnsmasq
lab-1 off os/fedora-41 os-family/redhat language/python
END
    rack-2) cat <<'END' ;;
web-3 running os/debian-12 os-family/debian language/php webserver/apache
web-4 running os/ubuntu-22.04 os-family/debian language/php webserver/nginx
shop-2 running os/debian-12 os-family/debian language/nodejs webserver/nginx database/redis
db-2 running os/debian-12 os-family/debian database/mysql
billing running os/alma-9 os-family/redhat language/java database/postgresql
mail running os/debian-12 os-family/debian software/postfix software/dovecot
wiki running os/ubuntu-22.04 os-family/debian language/php database/mysql webserver/apache
monitor running os/debian-12 os-family/debian software/prometheus
spare-web-3 off os/debian-12 os-family/debian language/php webserver/apache webserver/nginx
spare-db-2 off os/debian-12 os-family/debian database/mysql
spare-app-2 off os/alma-9 os-family/redhat language/java database/postgresql
spare-any-1 off os/ubuntu-22.04 os-family/debian language/php database/mysql webserver/apache webserver/nginx
lab-2 off os/fedora-41 os-family/redhat language/ruby
END
    rack-3) cat <<'END' ;;
web-5 running os/ubuntu-24.04 os-family/debian language/php webserver/nginx
web-6 running os/debian-12 os-family/debian language/python webserver/nginx
db-3 running os/ubuntu-24.04 os-family/debian database/postgresql
crm running os/windows-2022 os-family/windows language/dotnet database/mssql
dns-2 running os/alpine-3.20 os-family/alpine software/unbound
ci running os/ubuntu-24.04 os-family/debian language/go language/java
backup running os/debian-12 os-family/debian software/borg
spare-web-4 off os/ubuntu-24.04 os-family/debian language/php language/python webserver/nginx
spare-db-3 off os/ubuntu-24.04 os-family/debian database/postgresql
spare-app-3 off os/ubuntu-24.04 os-family/debian language/go language/java software/gitea database/postgresql
spare-net-2 off os/alpine-3.20 os-family/alpine software/unbound
spare-any-2 off os/debian-12 os-family/debian language/nodejs database/redis database/mysql webserver/nginx
lab-3 running os/fedora-41 os-family/redhat language/python
lab-4 off os/fedora-41 os-family/redhat language/java
END
    esac
}

# One machine for the test driver. Numbers make the UUIDs of a host.
room_machine() {
    number=$1 name=$2 state=$3
    shift 3
    [ "$state" = running ] && state=1 || state=5
    printf "  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\n    <name>%s</name>\n" "$name"
    printf "    <uuid>00000000-0000-4000-8000-%012d</uuid>\n    <metadata>\n" "$number"
    printf "      <understudy:machine xmlns:understudy='urn:understudy:domain:1.0'>\n"
    for feature; do
        printf "        <understudy:resource kind='%s'>%s</understudy:resource>\n" "${feature%%/*}" "${feature#*/}"
    done
    printf "      </understudy:machine>\n    </metadata>\n    <memory unit='MiB'>1024</memory>\n    <vcpu>2</vcpu>\n"
    printf "    <os>\n      <type>hvm</type>\n    </os>\n    <test:runstate>%s</test:runstate>\n  </domain>\n" "$state"
}

# make_room DIRECTORY: writes rack-1.xml to rack-3.xml.
make_room() {
    for rack in 1 2 3; do
        number=$((rack * 100))
        echo '<node>'
        room_machines "rack-$rack" | while read -r name state features; do
            number=$((number + 1))
            # shellcheck disable=SC2086 # features are words
            room_machine "$number" "$name" "$state" $features
        done
        echo '</node>'
    done | awk -v directory="$1" '/^<node>/ { file = directory "/rack-" ++n ".xml" } { print > file }'
}

# Orders of an operator, and machines that crash, one a line: what people are told, and what understudyctl is told.
room_scenes() {
    cat <<'END'
web-1 crashes|drill web-1 --wait
rack-2 gets new disks: nothing there is touched for a while|hold rack-2 --reason new-disks --for 10m
web-1 is mended, and serves again|failback web-1 --yes --wait
db-1 crashes|drill db-1 --wait
rack-2 is done|release rack-2
shop-1 crashes|drill shop-1 --wait
lab-1 may stand in for others, too: it offers php and nginx now|tag lab-1 language/php webserver/nginx --role standby
db-1 is mended, and serves again|failback db-1 --yes --wait
dns-2 crashes|drill dns-2 --wait
shop-1 is mended, and serves again|failback shop-1 --yes --wait
lab-1 loses its nginx again|untag lab-1 webserver/nginx
lab-1 is a lab again|tag lab-1 --role ignored
dns-2 is mended, and serves again|failback dns-2 --yes --wait
billing crashes|drill billing --wait
wiki is moved to another machine by hand|failover wiki --wait
billing is mended, and serves again|failback billing --yes --wait
wiki goes back|failback wiki --yes --wait
END
}

# play_room SECONDS: a scene every so many seconds, until SIGTERM. directory is that of the demo.
play_room() {
    sleeping=
    trap '[ -z "$sleeping" ] || kill "$sleeping"; exit' TERM
    # shellcheck disable=SC2154 # directory is demo.sh's
    room_scenes >"$directory/scenes"
    while :; do
        while IFS='|' read -r words orders; do
            printf '%s  %s\n' "$(date +%H:%M:%S)" "$words"
            # shellcheck disable=SC2086 # orders are words
            ctl $orders >>"$directory/orders" 2>&1 </dev/null ||
                printf '          (%s)\n' "$(tail -n 1 "$directory/orders")"
            sleep "$1" &
            sleeping=$!
            wait "$sleeping"
        done <"$directory/scenes"
    done
}
