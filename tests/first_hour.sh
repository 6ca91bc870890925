#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Tries the README's two commands and its Install in fresh containers of Debian 12 and 13, as a newcomer would.
# For whoever changes what is installed or how it is built; needs root, the network and half an hour or more.
exec /usr/bin/python3 "$(dirname "$(readlink -f -- "$0")")/first_hour/first_hour.py" "$@"
