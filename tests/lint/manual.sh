#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# manual.sh MANUALS BINARIES: what mandoc finds in the built manual pages, and every command, option, key and field
# that they do not document. 77: mandoc or the pages are missing.
set -u

command -v mandoc >/dev/null || { echo "mandoc is not installed"; exit 77; }
[ -e "$1/understudyd.8" ] || { echo "the manual pages are not built: scdoc is not installed"; exit 77; }
status=0

# must_tell PAGE WORD…
must_tell() {
    page=$1
    shift
    [ $# -gt 0 ] || { echo "$page: nothing to look for"; status=1; }
    # As text without any formatting, on one line; no short paragraph is broken within a word.
    text=$(mandoc -T utf8 -O width=1000 "$manuals/$page" | sed 's/.\x08//g' | tr -s ' \n' '  ')
    for word in "$@"; do
        case $text in
        *"$word"*) ;;
        *) echo "$page: $word is missing"; status=1 ;;
        esac
    done
}

manuals=$1 binaries=$2
# scdoc begins a paragraph after a heading and before a list, which some versions of mandoc call superfluous.
findings=$(mandoc -T lint -W style "$manuals"/*.[1-8] | grep -v 'skipping paragraph macro')
[ -z "$findings" ] || { echo "$findings"; status=1; }
# shellcheck disable=SC2046 # words
must_tell understudyctl.1 \
    $("$binaries/understudyctl" --help | sed -n 's/^  \([a-z]*\) .*/\1/p; s/^  .*\(--[a-z]*\).*/\1/p') \
    $(sed -n 's/.*\[NOTICE_[A-Z_]*\] = "\([a-z-]*\)".*/\1/p' "$3/lib/protocol/notice.c")
# shellcheck disable=SC2046
must_tell understudyd.8 $("$binaries/understudyd" --help | sed -n 's/^  .*\(--[a-z-]*\).*/\1/p') \
    $(grep -o '"UNDERSTUDY_[A-Z]*=' "$3/daemon/service/log.c" | tr -d '"=')
# shellcheck disable=SC2046
must_tell understudy.yaml.5 $(sed -n 's/.*{\.path = "\([a-z_.]*\)".*/\1/p' "$3/lib/config/schema.c")
# shellcheck disable=SC2046
must_tell understudy-hooks.7 $(sed -n 's/.*(struct hook_variable){"\([A-Z_]*\)".*/UNDERSTUDY_\1/p' \
    "$3/daemon/programs.c") $(sed -n 's/.*\[NOTICE_[A-Z]*\] = "\([a-z-]*\)".*/\1/p' "$3/daemon/programs.c")
# Each page refers to every other one.
for page in "$manuals"/*.[1-8]; do
    references=$(sed -n -e 's/\\f.//g' -e 's/\\[&]//g' -e 's/\\-/-/g' -e '/^\.SH SEE ALSO/,$p' "$page")
    for other in "$manuals"/*.[1-8]; do
        name=${other##*/}
        case $references in
        *[!-.a-z]"${name%.*}(${name##*.})"*) ;;
        *) [ "$page" = "$other" ] || { echo "${page##*/}: SEE ALSO lacks ${name%.*}(${name##*.})"; status=1; } ;;
        esac
    done
done
exit $status
