#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Holds the scripts of the dashboard to their catalogues of words: each key that is asked for is there, in English and in
Korean, with the same {names}, and each is asked for; what the API names has a word in Korean. With node, each script is checked for syntax as well. Nothing sets
HTML: what is shown is text.

usage: dashboard.py [ROOT]; prints one line for each breach and returns 1 if there is any.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

HOME = "daemon/api/dashboard"
LANGUAGES = ("en", "ko")
# The languages tell one from others in their own way; these keys are asked for by count().
PLURALS = (".one", ".other")
# What the API calls things, which has a word for people: where the names are, and the beginning of their keys.
NAMES = (("lib/report/problem_list.c", r'\[PROBLEM_\w+\] = \{"([^"]+)"', "problem"),
         ("lib/protocol/cause.c", r'\[CAUSE_\w+\] = \{"([^"]+)"', "cause"),
         ("lib/workflow/recovery.c", r'\[RECOVERY_\w+\] *= \{"([^"]+)"', "outcome"),
         ("lib/protocol/verdict.c", r'\[CANDIDATE_\w+\] = "([^"]+)"', "verdict"))
ENTRY = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
# What can become markup, and what a page of this policy may not do.
FORBIDDEN = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style\"")


def catalogue(root, language):
    return dict(ENTRY.findall((root / HOME / f"text/{language}.js").read_text()))


def stem(key):
    return re.sub(r"\.(one|other)$", "", key)


def check_words(root, scripts):
    breaches = []
    texts = {language: catalogue(root, language) for language in LANGUAGES}
    known = {stem(key) for key in texts["en"]}
    code = "\n".join(text for name, text in scripts.items() if not name.startswith("text/"))
    asked = set(re.findall(r'"([^"\n]*)"', code))
    # t(`step.${name}`) asks for all keys that begin so, and word("machine", …) for those of its kind.
    families = {f"{kind}." for kind in re.findall(r'\bt\(`([\w.]+)\.\$\{|\b(?:word|stateOf|choices)\("(\w+)"', code) for kind in kind if kind}

    for key in sorted(set(re.findall(r'\b(?:t|count)\("([\w.]+)"', code)) - known):
        breaches.append(f"{HOME}/text/en.js: no text for {key}")
    for key in sorted(texts["en"]):
        if stem(key) not in asked and not any(key.startswith(family) for family in families):
            breaches.append(f"{HOME}/text/en.js: nothing asks for {key}")
        other = texts["ko"].get(key, texts["ko"].get(f"{stem(key)}.other") if key.endswith(PLURALS) else None)
        if other is None and not any(key.startswith(family) for family in families):
            breaches.append(f"{HOME}/text/ko.js: no text for {key}")
        elif other is not None and set(re.findall(r"\{\w+\}", other)) != set(re.findall(r"\{\w+\}", texts["en"][key])):
            breaches.append(f"{HOME}/text/ko.js: {key} has other names in braces than in en.js")
    return breaches


def check_names(root):
    """English may leave a name as it is; another language may not."""
    words = catalogue(root, "ko")
    return [f"{HOME}/text/ko.js: no text for {key}.{name}" for path, pattern, key in NAMES
            for name in re.findall(pattern, (root / path).read_text()) if f"{key}.{name}" not in words]


def check_syntax(scripts):
    node = shutil.which("node")
    breaches = []
    for name, text in scripts.items() if node else ():
        checked = subprocess.run([node, "--input-type=module", "--check", "-"], input=text, text=True, capture_output=True)
        if checked.returncode != 0:
            breaches.append(f"{HOME}/{name}: {' '.join(line for line in checked.stderr.splitlines() if 'Error' in line)}")
    return breaches


def check_forbidden(scripts):
    return [f"{HOME}/{name}:{number}: {match[0]} may become markup or code" for name, text in scripts.items()
            for number, line in enumerate(text.splitlines(), 1) if (match := FORBIDDEN.search(line))]


def scripts_of(root):
    return {str(path.relative_to(root / HOME)): path.read_text() for path in sorted((root / HOME).rglob("*.js"))}


def check_texts(root):
    """All but the syntax."""
    scripts = scripts_of(root)
    return check_words(root, scripts) + check_names(root) + check_forbidden(scripts)


def check(root):
    return check_texts(root) + check_syntax(scripts_of(root))


if __name__ == "__main__":
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
