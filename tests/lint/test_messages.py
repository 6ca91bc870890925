# SPDX-License-Identifier: LGPL-2.1-or-later
"""messages.py finds what is planted."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import messages  # noqa: E402
from planting import SOURCE, plant  # noqa: E402


@pytest.fixture
def tree(tmp_path):
    for room in ("lib", "daemon", "tests/lint"):
        shutil.copytree(SOURCE / room, tmp_path / room, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path


def test_the_real_ones_are_whole(tree):
    assert messages.check(tree) == []


@pytest.mark.parametrize("name, old, new, difference", [
    ("daemon/main.c", "could not be read (%s)", "is unreadable (%s)", "is logged, and not in messages.txt: err     not-started          not started: %s is unreadable (%s)"),
    ("daemon/main.c", "could not be read (%s)", "is unreadable (%s)", "is in messages.txt, and not logged: err     not-started          not started: %s could not be read (%s)"),
    ("daemon/daemon.c", "log_line(LOG_ERR, \"the event loop broke", "log_line(LOG_INFO, \"the event loop broke", "is logged, and not in messages.txt: info"),
    ("daemon/service/messages.c", "[NOTICE_RECOVERED] = {LOG_NOTICE", "[NOTICE_RECOVERED] = {LOG_ERR", "is logged, and not in messages.txt: err     recovered"),
    ("lib/coordinator/hosts.c", "NOTICE_HOST_BACK", "NOTICE_HOST_LOST", "is logged, and not in messages.txt: alert   host-lost"),
    ("tests/lint/messages.txt", "info    ready ", "info    steady", "is in messages.txt, and not logged: info    steady"),
])
def test_finds(tree, name, old, new, difference):
    plant(tree, name, old, new)
    assert any(line.startswith(difference) for line in messages.check(tree)), messages.check(tree)
