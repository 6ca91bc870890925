# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests/run.sh, tests/prepare.sh and conf/demo/demo.sh share: how a script becomes root for single
# commands, runs a long command and shows how it goes, and keeps a second run out. For `.`; POSIX sh.

# become_root PURPOSE: sets as_root to what goes before a command to run it as root: nothing for root, else
# sudo without a question. The password is asked for here, on the terminal, and at most once. Returns 1 where
# there is no way to become root; as_root is then `false`.
become_root() {
    as_root=
    [ "$(id -u)" -ne 0 ] || return 0
    as_root='sudo -n'
    if command -v sudo >/dev/null; then
        sudo -n true 2>/dev/null && return
        if [ -t 0 ] && [ -t 2 ]; then
            echo "Root is needed $1; sudo may ask for your password." >&2
            # Where sudo forgets at once (timestamp_timeout=0), a password for each command is no way.
            sudo -v && sudo -n true && return
        fi
    fi
    as_root=false
    return 1
}

# sudo forgets after some minutes: renews what become_root got, until this script ends.
keep_root() {
    [ "$as_root" = 'sudo -n' ] || return 0
    while sleep 60 && kill -0 "$$" 2>/dev/null && sudo -n -v 2>/dev/null; do :; done >/dev/null 9>&- &
    keeper=$!
}

# Runs a command in a process group of its own and in this session: Ctrl-C does not reach it, and what sudo
# remembers for this terminal holds for it. timeout does the first; 0 is no timeout.
apart() {
    timeout 0 "$@"
}

# watch_log LOG: on a terminal shows each second the time and the last line of a log, elsewhere once a minute.
# Runs until it is killed.
watch_log() {
    seconds=0
    while sleep 1; do
        seconds=$((seconds + 1))
        if [ -t 1 ]; then
            columns=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2)
            [ "${columns:-0}" -ge 20 ] || columns=80
            line=$(tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' | tr -d '\000-\011\013-\037\177' | grep -v '^ *$' |
                tail -n 1 | cut -c "1-$((columns - 12))" 2>/dev/null)
            printf '\r\033[K%6d s  %s' "$seconds" "$line"
        elif [ $((seconds % 60)) -eq 0 ]; then
            printf '%6d s  %s\n' "$seconds" "$(tail -n 1 "$1" | cut -c 1-100 2>/dev/null)"
        fi
    done
}

# run_logged LOG COMMAND…: runs it apart, its output in the log, and shows how it goes. Returns its exit
# status; child is its process group meanwhile.
run_logged() {
    log=$1
    shift
    : >"$log"
    apart "$@" >"$log" 2>&1 </dev/null 9>&- &
    child=$!
    watch_log "$log" 9>&- &
    watcher=$!
    wait_for_child
    kill "$watcher" 2>/dev/null
    wait "$watcher" 2>/dev/null
    [ ! -t 1 ] || printf '\r\033[K'
    child=
    return $status
}

# A signal that is trapped ends a wait, and not the child.
wait_for_child() {
    wait "$child"
    status=$?
    while kill -0 "$child" 2>/dev/null; do
        wait "$child"
        status=$?
    done
}

# lock FILE SCRIPT: keeps a second run of the same script out of this clone until this one ends. A lock that
# was left behind holds nobody up.
lock() {
    mkdir -p "$(dirname "$1")" 2>/dev/null
    if ! : 2>/dev/null >>"$1"; then
        echo "$2: $(dirname "$1") cannot be written to: it may be left from a run as root; remove it as root" >&2
        return 1
    fi
    exec 9>>"$1"
    flock -n 9 && return
    echo "$2: another run is under way in this clone; wait until it has ended, or use another clone" >&2
    return 1
}
