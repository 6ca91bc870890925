#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The runner itself: a wrong expectation fails and is shown, and an error in a file names file and line.
set -u

play=$1
directory=$(mktemp -d) || exit
trap 'rm -rf "$directory"' EXIT
file=$directory/test.scenario
failed=0

write() {
    cat >"$file" <<END
machines
  web-1    protected  running  language/nodejs
  spare-1  standby    off      language/nodejs
course
  1s  web-1 stopped/failed
      > failure-detected web-1 (process-died)
      > decided web-1 by spare-1 "overlap 1.0000"
      > start spare-1
      > started web-1 by spare-1
  3s  > recovered web-1 by spare-1
end
  web-1 recovered by spare-1
  running spare-1
END
}

# expect NAME STATUS TEXT: plays the file; both must be so.
expect() {
    "$play" "$file" >"$directory/out" 2>&1
    status=$?
    if [ $status -eq "$2" ] && { [ -z "$3" ] || grep -qF -e "$3" "$directory/out"; }; then return; fi
    echo "$1: status $status, not $2, or it does not say: $3"
    cat "$directory/out"
    failed=1
}

# differs NAME SED TEXT: the good file, changed, fails and shows TEXT.
differs() {
    write
    sed -i "$2" "$file"
    expect "$1" 1 "$3"
}

# broken NAME SED LINE TEXT: the good file, changed, is refused at LINE.
broken() {
    write
    sed -i "$2" "$file"
    expect "$1" 2 "$file:$3: $4"
}

write
expect 'as it should be' 0 ''
differs 'another replacement' 's/decided web-1 by spare-1/decided web-1 by spare-2/' '-       1s  > decided web-1 by spare-2'
differs 'another time' 's/  3s/  4s/' '-       4s  > recovered web-1 by spare-1'
differs 'another cause' 's/process-died/host-kill/' '-       1s  > failure-detected web-1 (host-kill)'
differs 'another sentence' 's/overlap 1.0000/overlap 0.5/' '"overlap 0.5"'
differs 'something missing' '/> start spare-1/d' '+       1s  > start spare-1'
differs 'something more' 's/> start spare-1/&\n      > destroy web-1/' '-       1s  > destroy web-1'
differs 'another order' '/> decided/{h;d};/> start /{G}' '> decided web-1'
differs 'another outcome' 's/  web-1 recovered by spare-1/  web-1 exhausted/' '-      end  web-1 exhausted'
differs 'another machine runs' 's/  running spare-1/  running web-1/' '-      end  running web-1'
differs 'nothing happens' '/stopped/d' '-       3s  > recovered web-1 by spare-1'

broken 'no such section' 's/^course/curse/' 4 'no section'
broken 'no time' 's/  1s  web-1/  soon  web-1/' 5 'a time such as'
broken 'time that goes back' 's/  3s/  0s/' 10 'the line before is later'
broken 'no such event' 's,stopped/failed,stopped/lost,' 5 'not understood'
broken 'no such machine' 's/1s  web-1/1s  web-9/' 5 'not understood'
broken 'no such role' 's/standby /guarded /' 3 'a machine is'
broken 'no such state' 's/off /none /' 3 'a machine is'
broken 'no such setting' 's/off /off colour=red /' 3 'no such setting'
broken 'no such value' 's/off /off start=maybe /' 3 'start=maybe: the value is one of'
broken 'no such key' '1i config\n  recovery: {setle: 1s}' 2 'unknown key'
broken 'daemon that does not run' 's/1s  web-1.*/1s  the daemon is killed\n  1s  the daemon is killed/' 6 'the daemon does not run'
exit $failed
