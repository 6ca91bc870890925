# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the checks share: a copy of some files of this project, and a breach that is planted in it."""

import shutil
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def copy(names, tree):
    """Copies these files of the project to the same places below tree, which it returns."""
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, tree / name)
    return tree


def plant(tree, name, old, new):
    """Replaces a text that stands in the file."""
    path = tree / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
