# SPDX-License-Identifier: LGPL-2.1-or-later
"""catalog.py finds what is planted."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import catalog  # noqa: E402
from planting import copy, plant  # noqa: E402

FILES = ("daemon/service/messages.c", "daemon/service/messages.h", "daemon/service/log.c", "lib/protocol/notice.h",
         *catalog.CATALOGS)
READY = "c5a517849c8448c19a609238dcc60167"


@pytest.fixture
def tree(tmp_path):
    return copy(FILES, tmp_path)


def test_the_real_ones_are_whole(tree):
    assert catalog.check(tree) == []


@pytest.mark.parametrize("name, old, new, breach", [
    ("daemon/service/messages.c", f'"{READY}"', f'"{READY[::-1]}"', "MESSAGE_READY has no entry"),
    ("daemon/service/messages.c", f'"{READY}"', '"8218f311baff403da41877299274701d"', "has the message id of"),
    ("daemon/service/messages.c", f'"{READY}"', '"12"', "is no message id"),
    ("daemon/service/messages.c", "[MESSAGE_READY]", "[MESSAGE_STEADY]", "MESSAGE_READY has no message id"),
    ("lib/protocol/notice.h", "NOTICE_COUNT,", "NOTICE_NEW,\n    NOTICE_COUNT,", "NOTICE_NEW has no message id"),
    ("systemd/understudy.catalog", f"-- {READY}", f"-- {READY[::-1]}", "no message has this id"),
    ("systemd/understudy.ko.catalog", f"-- {READY}", f"-- {READY[::-1]}", "MESSAGE_READY has no entry"),
    ("systemd/understudy.catalog", "@UNDERSTUDY_CAUSE@", "@UNDERSTUDY_CAUSES@", "is never written"),
    ("systemd/understudy.ko.catalog", "@UNDERSTUDY_CAUSE@", "-", "other fields than the English"),
    ("systemd/understudy.catalog", f"-- {READY}\nSubject: ", f"-- {READY}\nSubjekt: ", "lacks a subject"),
    ("systemd/understudy.catalog", "# SPDX", "SPDX", "journalctl does not take"),
])
def test_finds(tree, name, old, new, breach):
    plant(tree, name, old, new)
    assert any(breach in line for line in catalog.check(tree)), catalog.check(tree)
