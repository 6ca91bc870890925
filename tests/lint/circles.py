#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Looks at which file calls which, by what the object files define and expect: no files may call each other in a circle.
A table or another variable that is used counts as a call. What is handed over as a pointer to a function does not: that
is how a file is called back without being known.

usage: circles.py OBJECT...; prints one circle after the other and returns 1 if there is any.
"""

import os
import subprocess
import sys
from pathlib import Path


def name_of(path):
    """"hooks/fence.c" for ".../understudy_daemon.dir/hooks/fence.c.o"."""
    _, directory, inside = os.path.normpath(path).rpartition(".dir/")
    return (inside if directory else Path(path).name).removesuffix(".o")


def symbols_of(path):
    """What the object file defines for others, and what it expects from them."""
    listing = subprocess.run(["nm", "--extern-only", path], capture_output=True, text=True, check=True)
    defined, expected = set(), set()
    for line in listing.stdout.splitlines():
        *_, kind, symbol = line.split()
        if kind in "Uw":
            expected.add(symbol)
        elif kind not in "Vv" and not symbol.startswith("__"):
            defined.add(symbol)
    return defined, expected


def graph_of(paths):
    """{file: {other file: the symbols that it takes from there}}"""
    symbols = {name_of(path): symbols_of(path) for path in paths}
    home = {symbol: name for name, (defined, _) in symbols.items() for symbol in defined}
    graph = {name: {} for name in symbols}
    for name, (_, expected) in symbols.items():
        for symbol in sorted(expected & home.keys()):
            if home[symbol] != name:
                graph[name].setdefault(home[symbol], []).append(symbol)
    return graph


def reached_from(graph, start):
    reached, waiting = set(), [start]
    while waiting:
        for other in graph[waiting.pop()]:
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached


def check(paths):
    graph = graph_of(paths)
    reached = {name: reached_from(graph, name) for name in graph}
    told, breaches = set(), []
    for name in sorted(graph):
        circle = {other for other in reached[name] if name in reached[other]}
        if not circle or name in told:
            continue
        told |= circle
        breaches.append(f"{len(circle)} files call each other in a circle:")
        breaches += [f"  {one} -> {other}: {', '.join(graph[one][other])}"
                     for one in sorted(circle) for other in sorted(circle & graph[one].keys())]
    return breaches


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: circles.py OBJECT...")
    found = check(sys.argv[1:])
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
