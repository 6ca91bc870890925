# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds a definition in C sources by its name, and a pattern in it: what a planted bug changes."""

import difflib
import re

TOKEN = re.compile(r'\w+|"(?:\\.|[^"\\])*"|…|[^\w\s]')
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*',
                   re.DOTALL | re.MULTILINE)
ANYTHING = r'((?:"(?:\\.|[^"\\])*"|[^"])*?)'
FUNCTION = re.compile(r"(\w+)\s*\(")
TABLE = re.compile(r"(\w+)\s*(?:\[[^\]]*\]\s*)*=\s*$")


class NotFound(ValueError):
    """Says what was not found, or not found exactly once, and where."""


def blanked(text, strings=True):
    """As long as the text, with blanks for comments and preprocessor lines, and for strings where they are not wanted."""
    def blank(match):
        if not strings and match.group().startswith(('"', "'")):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return NOISE.sub(blank, text)


def definitions(text):
    """(name, begin, end) of each function and each table that has a body."""
    bare, depth, begin, found = blanked(text), 0, 0, []
    for position, character in enumerate(bare):
        if character == "{":
            if depth == 0:
                head = bare[begin:position]
                name = TABLE.search(head) or ("(" in head and FUNCTION.search(head)) or None
                start = begin + len(head) - len(head.lstrip())
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                if name:
                    found.append((name.group(1), start, position + 1))
                begin = position + 1
        elif character == ";" and depth == 0:
            begin = position + 1
    return found


def pattern_of(words):
    """C words, with any blanks or none between them; … stands for anything up to what follows."""
    parts, before = [], ""
    for token in TOKEN.findall(words):
        if parts:
            parts.append(r"\s+" if re.match(r"\w", token) and re.match(r"\w", before[-1:]) else r"\s*")
        parts.append(ANYTHING if token == "…" else re.escape(token))
        before = token
    return re.compile("".join(parts), re.DOTALL)


class Sources:
    def __init__(self, files):
        self.texts = {file: file.read_text() for file in files}
        self.bare = {file: blanked(text, strings=False) for file, text in self.texts.items()}
        self.places = {}
        for file, text in self.texts.items():
            for name, begin, end in definitions(text):
                self.places.setdefault(name, []).append((file, begin, end))

    def find(self, edit):
        """The file, and where in it the pattern stands. A name may be that of several; the pattern then tells which."""
        name, words = edit["in"], edit["pattern"]
        if name not in self.places:
            close = ", ".join(difflib.get_close_matches(name, self.places, 3))
            raise NotFound(f"no function and no table {name}{'; there is ' + close if close else ''}")
        pattern, hits, where = pattern_of(words), [], []
        for file, begin, end in self.places[name]:
            where.append(f"{file.name}:{self.texts[file].count(chr(10), 0, begin) + 1}")
            hits += [(file, match) for match in pattern.finditer(self.bare[file], begin, end)]
        if len(hits) != 1:
            raise NotFound(f"{len(hits)} places, not 1, match in {name} ({', '.join(where)}): {words}")
        return hits[0]

    def replacement(self, edit):
        """The file, from where to where, and what stands there then. Each … of the replacement is what that of the
        pattern stood for; what stood for further ones is dropped."""
        file, match = self.find(edit)
        kept = iter(match.groups())
        try:
            return file, match.start(), match.end(), re.sub("…", lambda _: next(kept), edit["replacement"])
        except StopIteration:
            raise NotFound(f"the replacement has more … than the pattern: {edit['replacement']}") from None

    def planted(self, edits):
        """The files with these edits, and their texts."""
        texts = {}
        for file, begin, end, text in sorted(map(self.replacement, edits), key=lambda one: one[:2], reverse=True):
            before = texts.get(file, self.texts[file])
            texts[file] = before[:begin] + text + before[end:]
        return texts
