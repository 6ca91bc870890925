#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# manual.sh DIRECTORY: what mandoc has to say about the built manual pages. 77: there is no mandoc, or are no pages.
set -u

command -v mandoc >/dev/null || { echo "mandoc is not installed"; exit 77; }
[ -e "$1/understudyd.8" ] || { echo "the manual pages are not built: scdoc is not installed"; exit 77; }
exec mandoc -T lint -W style "$1"/*.[1-8]
