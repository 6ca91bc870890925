#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# build.sh SCDOC UNDERSTUDYD SOURCE OUTPUT: a page, with the reference of all keys where its source says @REFERENCE@.
set -eu

scdoc=$1 daemon=$2 source=$3 output=$4
trap 'rm -f "$output.reference" "$output.scd" "$output.new"' EXIT
"$daemon" --config-reference >"$output.reference"
sed -e "/^@REFERENCE@\$/{r $output.reference
d
}" "$source" >"$output.scd"
# scdoc writes .P around everything, and lines as they come; mandoc's lint wants .P only between two texts, and lines
# of 80 bytes at most.
"$scdoc" <"$output.scd" | awk '
    function fold(line,    at) {
        while (length(line) > 79) {
            for (at = 79; at > 1 && (substr(line, at, 1) != " " || substr(line, at + 1, 1) ~ /[.\047 ]/); at--)
                ;
            if (at <= 1)
                break
            print substr(line, 1, at - 1)
            line = substr(line, at + 1)
        }
        print line
    }
    $0 == ".P" { paragraph = 1; next }
    (paragraph || after_item) && !/^\.(SH|SS|RS|RE)/ && !after_heading { print ".P" }
    { paragraph = 0; after_heading = /^\.(TH|SH|SS)/; after_item = /^\.RE/ }
    /^\.nf/ { verbatim = 1 }
    /^\.fi/ { verbatim = 0 }
    verbatim || /^\./ { print; next }
    { fold($0) }' >"$output.new"
mv "$output.new" "$output"
