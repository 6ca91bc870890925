# SPDX-License-Identifier: LGPL-2.1-or-later
"""dashboard.py finds what is planted."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dashboard  # noqa: E402

SOURCE = Path(__file__).resolve().parents[2]


@pytest.fixture
def plant(tmp_path):
    """Replaces a text in a copy of the dashboard, and returns what is found then."""
    shutil.copytree(SOURCE / dashboard.HOME, tmp_path / dashboard.HOME)
    for name, _, _ in dashboard.NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, tmp_path / name)

    def replace(name, old, new, check=dashboard.check_texts):
        path = tmp_path / dashboard.HOME / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return check(tmp_path)

    return replace


def test_the_real_one_is_whole():
    assert dashboard.check(SOURCE) == []


@pytest.mark.parametrize("name, old, new, found", [
    ("app.js", 't("skip")', 't("skipped")', "text/en.js: no text for skipped"),
    ("text/ko.js", '  "skip":', '  "jump":', "text/ko.js: no text for skip"),
    ("text/ko.js", "{n}건 진행 중", "진행 중", "text/ko.js: recovery.underway has other names in braces"),
    ("candidates.js", 't("candidate.same")', '""', "text/en.js: nothing asks for candidate.same"),
    ("text/ko.js", '  "problem.hold":', '  "problem.held":', "text/ko.js: no text for problem.hold"),
    ("app.js", "spokenBox.textContent", "spokenBox.innerHTML", "innerHTML may become markup"),
])
def test_finds(plant, name, old, new, found):
    assert any(found in line for line in plant(name, old, new))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_finds_what_cannot_be_parsed(plant):
    assert any("SyntaxError" in line for line in plant("app.js", "function redraw() {", "function redraw() {{", dashboard.check))
