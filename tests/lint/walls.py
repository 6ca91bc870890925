#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Keeps the walls of the house: which room may include what, that nothing imports in a circle, that only
the known entries stand at the top, and that no file names a place on one machine.

usage: walls.py [ROOT]; prints one line for each breach and returns 1 if there is any.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "conf", "systemd", "lib", "daemon", "tests"}

# Inside lib/: the rooms in their order. A room may look into itself and those before it.
LIB_ROOMS = ("base", "model", "config", "discovery", "similarity", "pool", "protocol", "detect", "choose", "workflow",
             "coordinator", "forecast", "report")

# What lib/ may take from the system: nothing here can reach the world without a call that symbols.py forbids.
LIB_SYSTEM_HEADERS = {
    "arpa/inet.h", "assert.h", "ctype.h", "errno.h", "float.h", "fnmatch.h", "inttypes.h", "limits.h", "locale.h", "math.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
    "strings.h",
    "sys/queue.h", "time.h", "uthash.h", "utlist.h", "wchar.h",
}

# A library's headers (a pattern on what is included), and where alone they may be included.
LIBRARY_HOMES = (
    (r"yaml\.h", (r"lib/config/yaml\.c",)),
    (r"libxml/.*", (r"lib/model/(domain_xml|hostdev_xml|making|metadata|own_xml|storage_xml|template_text)\.[ch]",
                    r"lib/model/xml(_edit)?\.[ch]")),
    (r"jansson\.h", (r"lib/(report|discovery)/.*", r"daemon/ctl/.*")),
    (r"libvirt/.*", (r"daemon/hypervisor/.*",)),
    (r"event2/(http|http_struct|http_compat|ws)\.h|evhttp\.h", (r"daemon/api/.*",)),
    (r"event2/.*|event\.h", (r"daemon/.*",)),
    (r"systemd/.*", (r"daemon/service/.*",)),
    (r"sqlite3\.h", (r"daemon/store/.*",)),
    (r"curl/.*", (r"daemon/ctl/.*",)),
    (r"archive(_entry)?\.h", (r"daemon/hypervisor/seed\.c",)),
    (r"libsmartcols/.*", (r"daemon/ctl/table\.c",)),
)

# The command line talks to the daemon through its socket only, and reads files as it does.
CTL_MAY_INCLUDE = re.compile(r"(lib/.*|daemon/(ctl|files)/.*)")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w./$}*-])/(?:work|root|home/\w+)/|bash_job[s]")
BINARY_SUFFIXES = {".png", ".ico", ".woff2", ".gz", ".img", ".svgz"}


def files_of(root):
    """Every file that belongs to the project, relative to root: by git where it is a checkout."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True)
    if listed.returncode == 0 and (root / ".git").exists():
        names = [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]
    else:
        names = [path.relative_to(root) for path in root.rglob("*")]
        names = [name for name in names if name.parts[0] not in (".git", "build") and "__pycache__" not in name.parts]
    return sorted(name for name in names if (root / name).is_file())


def room_of(name):
    """"lib/pool", "daemon/api"; "daemon" for the files that put the rooms together."""
    return "/".join(name.parts[:2]) if len(name.parts) > 2 else name.parts[0]


def resolve(root, source, included):
    """The project file that an include line means, or None: then it is the system's."""
    for base in (source.parent, Path("lib"), Path("daemon")):
        if (root / base / included).is_file():
            return Path(os.path.normpath(base / included))
    return None


def check_own(source, target):
    """One file of the project includes another one."""
    if target.parts[:2] == ("lib", "coordinator") and source.parts[:2] != ("lib", "coordinator") and \
            target.name != "coordinator.h":
        return "lib/coordinator has one public header, coordinator.h"
    if source.parts[0] == "lib":
        if target.parts[0] != "lib":
            return "lib/ knows nothing outside lib/"
        room, other = source.parts[1], target.parts[1]
        if room not in LIB_ROOMS:
            return f"lib/{room} is not a known room"
        if other not in LIB_ROOMS or LIB_ROOMS.index(other) > LIB_ROOMS.index(room):
            return f"lib/{room} must not know lib/{other}"
    elif room_of(source) == "daemon/ctl" and not CTL_MAY_INCLUDE.fullmatch(str(target)):
        return "daemon/ctl reaches the daemon through its socket only"
    return None


def check_foreign(source, included):
    """A file of the project includes a header of the system or of a library."""
    for pattern, homes in LIBRARY_HOMES:
        if re.fullmatch(pattern, included):
            if any(re.fullmatch(home, str(source)) for home in homes):
                return None
            return f"<{included}> has no business here"
    if source.parts[0] == "lib" and included not in LIB_SYSTEM_HEADERS:
        return f"<{included}> is not among the headers lib/ may use"
    return None


def find_circle(graph):
    """A path that returns to its beginning, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for other in sorted(graph.get(node, ())):
            circle = visit(other)
            if circle is not None:
                return circle
        path.pop()
        done.add(node)
        return None

    for start in sorted(graph):
        circle = visit(start)
        if circle is not None:
            return circle
    return None


def check_includes(root, files):
    breaches, graph, rooms = [], {}, {}
    for source in files:
        if source.parts[0] not in ("lib", "daemon") or source.suffix not in (".c", ".h"):
            continue
        text = (root / source).read_text()
        for match in INCLUDE.finditer(text):
            target = resolve(root, source, match[2])
            if target is not None:
                graph.setdefault(str(source), set()).add(str(target))
                breach = check_own(source, target)
                if breach is None and room_of(source) not in ("daemon", room_of(target)):
                    rooms.setdefault(room_of(source), set()).add(room_of(target))
            else:
                breach = check_foreign(source, match[2])
            if breach is not None:
                breaches.append(f"{source}:{text.count(chr(10), 0, match.start(1)) + 1}: {breach}")
    for what, edges in (("files", graph), ("rooms", rooms)):
        circle = find_circle(edges)
        if circle is not None:
            breaches.append(f"{what} include each other in a circle: {' -> '.join(circle)}")
    return breaches


def check_top_level(files):
    entries = {name.parts[0] for name in files}
    return [f"{entry}: does not belong at the top" for entry in sorted(entries)
            if entry not in TOP_LEVEL and not entry.startswith(".")]


def check_machine_paths(root, files):
    breaches = []
    for name in files:
        if name.suffix in BINARY_SUFFIXES:
            continue
        for number, line in enumerate((root / name).read_text(errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                breaches.append(f"{name}:{number}: names a place on one machine")
    return breaches


def check(root):
    files = files_of(root)
    return check_includes(root, files) + check_top_level(files) + check_machine_paths(root, files)


if __name__ == "__main__":
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
