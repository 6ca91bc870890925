#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Holds message ids, journal catalogs and code together: every id in daemon/service/messages.c has one entry in each
language and the other way round, each kind of message has an id of its own, an entry names only fields that log.c
writes, and the languages agree on them. journalctl has the last word on the form.

usage: catalog.py [ROOT]; prints one line for each breach and returns 1 if there is any.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CATALOGS = ("systemd/understudy.catalog", "systemd/understudy.ko.catalog")
ENUMS = (("lib/protocol/notice.h", "notice_kind"), ("daemon/service/messages.h", "event_message"))
LINE_MAX_COLUMNS = 110  # with a dozen for the value of each field


def kinds_of(root):
    """Every kind of message that there is, from the enums."""
    kinds = []
    for path, name in ENUMS:
        body = re.search(rf"enum {name} \{{(.*?)\}};", (root / path).read_text(), re.DOTALL)[1]
        kinds += [word for word in re.findall(r"^\s*([A-Z_]+)", body, re.MULTILINE) if not word.endswith("_COUNT")]
    return kinds


def ids_of(root):
    """{kind: id}, as messages.c has them."""
    return dict(re.findall(r'\[(\w+)\] = \{LOG_\w+, "([^"]*)"\}', (root / "daemon/service/messages.c").read_text()))


def fields_of(root):
    return set(re.findall(r'"(UNDERSTUDY_\w+)=', (root / "daemon/service/log.c").read_text()))


def read_catalog(path):
    """[(id, headers, body)] in their order."""
    entries = []
    for part in re.split(r"^-- ", path.read_text(), flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n\n")
        ident, *lines = head.splitlines()
        entries.append((ident, dict(line.partition(": ")[::2] for line in lines), body.strip()))
    return entries


def check_ids(kinds, ids):
    breaches = [f"{kind} has no message id" for kind in kinds if kind not in ids]
    breaches += [f"{kind} has a message id and is no kind of message" for kind in ids if kind not in kinds]
    seen = {}
    for kind, ident in ids.items():
        if not re.fullmatch(r"[0-9a-f]{32}", ident):
            breaches.append(f"{kind}: {ident} is no message id")
        if seen.setdefault(ident, kind) != kind:
            breaches.append(f"{kind} has the message id of {seen[ident]}")
    return breaches


def fields_in(entry):
    return set(re.findall(r"@(\w+)@", entry[1].get("Subject", "") + entry[2]))


def check_catalog(name, entries, ids, fields):
    kinds = {ident: kind for kind, ident in ids.items()}
    found = [entry[0] for entry in entries]
    breaches = [f"{name}: {kind} has no entry" for ident, kind in kinds.items() if ident not in found]
    for entry in entries:
        what = f"{name}: {kinds.get(entry[0], entry[0])}"
        if entry[0] not in kinds:
            breaches.append(f"{what}: no message has this id")
        if found.count(entry[0]) > 1:
            breaches.append(f"{what}: has more than one entry")
        if not entry[1].get("Subject") or entry[1].get("Defined-By") != "understudy":
            breaches.append(f"{what}: lacks a subject, or is not defined by understudy")
        # What happened and what was done; what to do now.
        if entry[2].count("\n\n") < 1:
            breaches.append(f"{what}: has fewer than two paragraphs")
        breaches += [f"{what}: @{field}@ is never written" for field in sorted(fields_in(entry) - fields)]
    return breaches


def check_languages(catalogs, ids):
    """The translations say the same: they cannot be read here, but the fields they name can."""
    kinds = {ident: kind for kind, ident in ids.items()}
    by_id = [{entry[0]: fields_in(entry) for entry in entries} for entries in catalogs]
    return [f"{CATALOGS[1]}: {kinds.get(ident, ident)}: names other fields than the English entry"
            for ident, fields in by_id[0].items() if by_id[1].get(ident, fields) != fields]


def check_form(root):
    """What journalctl says to them, and whether it finds as many entries as there are."""
    if shutil.which("journalctl") is None:
        return []
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "usr/lib/systemd/catalog"
        target.mkdir(parents=True)
        for name in CATALOGS:
            shutil.copy(root / name, target)
        done = subprocess.run(["journalctl", f"--root={place}", "--update-catalog"], capture_output=True, text=True)
        if done.returncode != 0 or done.stderr:
            return [f"journalctl does not take the catalogs: {done.stderr.strip()}"]
    return []


def check(root):
    kinds, ids, fields = kinds_of(root), ids_of(root), fields_of(root)
    catalogs = [read_catalog(root / name) for name in CATALOGS]
    breaches = check_ids(kinds, ids)
    for name, entries in zip(CATALOGS, catalogs):
        breaches += check_catalog(name, entries, ids, fields)
        breaches += [f"{name}:{number}: longer than {LINE_MAX_COLUMNS} columns"
                     for number, line in enumerate((root / name).read_text().splitlines(), 1)
                     if not line.startswith("#") and len(re.sub(r"@\w+@", 12 * "x", line)) > LINE_MAX_COLUMNS]
    return breaches + check_languages(catalogs, ids) + check_form(root)


if __name__ == "__main__":
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
