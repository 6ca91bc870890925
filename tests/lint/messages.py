#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Every message that the daemon logs, one line each: priority, kind ("-": it has none, and no MESSAGE_ID), text. messages.txt
beside this file is that table, to be read as a whole: is the priority right, does the sentence say what, which, and what to do?
Holds the table and the sources together, both ways.

Behind a text, in braces, stands what its arguments say in words. Where the text is made elsewhere, all words of the function
that logs it stand there.

usage: messages.py [--write] [ROOT]; prints one line for each difference and returns 1 if there is any. --write: writes the table.
"""

import re
import sys
from pathlib import Path

PRIORITIES = ("alert", "crit", "err", "warning", "notice", "info", "debug", "")
TELLERS = re.compile(r"(?<![\w>.])(outbox_tell(?:_recovery|_later|_host)?|coordinator_note|log_(?:line|about|event)|tell)\(")
DEFINITION = re.compile(r"^(?:static |void |int |bool |char |const )", re.MULTILINE)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def end_of_call(text, begin):
    """Behind the bracket that closes the one before `begin`."""
    depth, at = 1, begin
    while depth > 0:
        literal = LITERAL.match(text, at)
        if literal:
            at = literal.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def arguments_of(text):
    """The arguments of a call, split where no bracket is open."""
    parts, depth, at, begin = [], 0, 0, 0
    while at < len(text):
        literal = LITERAL.match(text, at)
        if literal:
            at = literal.end()
            continue
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[at], 0)
        if text[at] == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*parts, text[begin:]]


def words_in(text):
    """The literals of an expression; what stands side by side is one."""
    joined = re.sub(r'"\s*(?:PRI\w+\s*)?"', "", text)
    return [word for word in LITERAL.findall(joined) if word]


def function_around(text, at):
    begin = max((match.start() for match in DEFINITION.finditer(text, 0, at)), default=0)
    return text[begin:text.find("\n}\n", at)]


def priorities_of(root):
    return dict(re.findall(r"\[(\w+)\] = \{LOG_(\w+)", (root / "daemon/service/messages.c").read_text()))


def rows_of_call(text, match, priorities):
    inside = text[match.end():end_of_call(text, match.end()) - 1]
    arguments = arguments_of(inside)
    kinds = re.findall(r"(?:NOTICE|MESSAGE)_[A-Z_]+", inside) or re.findall(r"LOG_[A-Z]+", arguments[0])
    words = next((at for at, argument in enumerate(arguments) if words_in(argument)), None)
    if words is None:
        alternatives, more = [" / ".join(words_in(function_around(text, match.start()))) or "(as it is handed over)"], []
    else:
        alternatives = words_in(arguments[words])
        more = ["|".join(words_in(argument)) for argument in arguments[words + 1:] if words_in(argument)]
    for kind in kinds:
        priority = priorities[kind] if kind in priorities else kind.removeprefix("LOG_")
        name = re.sub(r"^(NOTICE|MESSAGE)_", "", kind).lower().replace("_", "-") if kind in priorities else "-"
        for alternative in alternatives:
            yield priority.lower(), name, " ".join([alternative, *(f"{{{each}}}" for each in more)])


def rows_of(root):
    priorities = priorities_of(root)
    rows = set()
    for path in sorted([*root.glob("lib/**/*.c"), *root.glob("daemon/**/*.c")]):
        if path.is_relative_to(root / "daemon/ctl") or path.is_relative_to(root / "daemon/service"):
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for match in TELLERS.finditer(text):
            line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
            if not DEFINITION.match(line):
                rows.update(rows_of_call(text, match, priorities))
    return sorted(rows, key=lambda row: (PRIORITIES.index(row[0]), row[1:]))


def table(root):
    return [f"{priority:8}{kind:21}{text}" for priority, kind, text in rows_of(root)]


def check(root):
    now, written = table(root), (root / "tests/lint/messages.txt").read_text().splitlines()
    return ([f"is logged, and not in messages.txt: {line}" for line in now if line not in written]
            + [f"is in messages.txt, and not logged: {line}" for line in written if line not in now])


def main(arguments):
    root = Path(next((each for each in arguments if each != "--write"), Path(__file__).parents[2]))
    if "--write" in arguments:
        (root / "tests/lint/messages.txt").write_text("".join(f"{line}\n" for line in table(root)))
    differences = check(root)
    for line in differences:
        print(line)
    if differences:
        print("read each as an operator would at night; then: tests/lint/messages.py --write")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
