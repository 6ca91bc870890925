# SPDX-License-Identifier: LGPL-2.1-or-later
"""understudyctl plan, and what if, on libvirt's embedded test driver: what is asked changes nothing."""

import json

import pytest
from harness.testdriver import CASE_STUDY, write_node

pytestmark = pytest.mark.testdriver


@pytest.fixture
def daemon(make_daemon, tmp_path):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["VM-001"], "standby": ["*"]},
                       similarity={"threshold": 0.5, "weights": {
                           "environment": {}, "resource": {"language": 0.3, "database": 0.2, "webserver": 0.1}}},
                       recovery={"settle": "200ms"}).start()


def row(daemon, *options, status=0):
    """The line of VM-001, in words."""
    shown = daemon.ctl("plan", *options, check=False)
    assert shown.returncode == status, shown.stdout + shown.stderr
    return next(line for line in shown.stdout.splitlines() if line.startswith("VM-001")).split(), shown.stdout


def test_plan_names_who_would_take_over_and_when_that_was_tried(daemon):
    words, _ = row(daemon)
    assert words == ["VM-001", "VM-001", "up", "VM-005", "0.6667", "0.6667", "cold", "1", "never"]
    daemon.ctl("drill", "VM-001", "--wait", "--timeout", "20")
    words, text = row(daemon)
    assert words[:8] == ["VM-001", "VM-005", "up", "VM-001", "1.0000", "1.0000", "cold", "1"], text
    assert "ago," in words and "outage" in words, text


def test_what_if_is_answered_and_changes_nothing(daemon):
    before = daemon.ctl("explain", "VM-001", "--json").stdout
    words, _ = row(daemon, "--without", "VM-005")
    assert words[3:6] == ["VM-002", "0.6667", "0.3333"]
    words, text = row(daemon, "--threshold", "0.9", status=1)
    assert words[3] == "none" and "VM-001: none of 4 can take the place of VM-001;" in text
    assert "the closest is VM-005: similarity 0.6667 is below the threshold 0.9" in " ".join(text.split())
    explained = daemon.ctl("explain", "VM-001", "--weight", "database=0", "--weight", "webserver=nginx=0.7",
                           "--weight", "webserver=apache=0").stdout
    assert "similarity 1.0000, coverage 1.0000" in explained
    assert daemon.ctl("explain", "VM-001", "--json").stdout == before
    assert daemon.api.list("holds") == []


@pytest.mark.parametrize("options, status, words", [
    (["--threshold", "2"], 2, "threshold: '2' is not a number from 0 to 1"),
    (["--weight", "os"], 2, "is not KIND=WEIGHT or KIND/VALUE=WEIGHT"),
    (["--without", "VM-9"], 3, "neither a host nor a machine is called VM-9"),
    (["--host", "nowhere"], 3, "no host is called nowhere"),
    (["--host", "room"], 4, "understudyd itself runs on room"),
    (["VM-001"], 2, "too many arguments"),
])
def test_what_cannot_be_asked(daemon, options, status, words):
    asked = daemon.ctl("plan", *options, check=False)
    assert asked.returncode == status and words in asked.stderr, asked.stderr


def test_the_loss_of_its_own_host_is_not_outlived(daemon):
    assert "it knows only its own" in daemon.ctl("plan", "--each-host").stdout


def test_a_decision_is_replayed(daemon):
    daemon.ctl("drill", "VM-001", "--wait", "--timeout", "20")
    record = daemon.wait_for_recovery("VM-001")
    replayed = daemon.ctl("replay", record["id"]).stdout
    assert "chosen: the best of 2 eligible" in " ".join(replayed.split())
    assert "VM-005 is not chosen today: running, not standing by" in " ".join(replayed.split()), replayed
    both = json.loads(daemon.ctl("replay", record["id"], "--json").stdout)
    assert both["recovery"]["replacement"] == "VM-005" and both["today"]["chosen"] == "VM-002"
    assert daemon.ctl("replay", "20260101-000000-1", check=False).returncode == 3
