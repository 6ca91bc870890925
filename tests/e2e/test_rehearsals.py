# SPDX-License-Identifier: LGPL-2.1-or-later
"""Services are failed over and back by themselves, in a window of local time."""

import json
import os

import pytest

from harness.testdriver import write_node
from harness.waiting import wait_until

pytestmark = pytest.mark.testdriver
WEB = {"database": "mysql", "language": "nodejs"}
EVER = "daily 00:00-24:00"


@pytest.fixture
def room(make_daemon, tmp_path):
    """web and db run; spare can take over from web, nothing from db."""
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "db": {"database": "oracle"}, "spare": WEB}, running=["web", "db"])

    def make(start=True, **rehearsals):
        daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                             pool={"protect": ["web", "db"], "standby": ["spare"]},
                             recovery={"settle": "100ms", "shutdown_timeout": "10s", "start_timeout": "10s",
                                       "verify": {"timeout": "10s"}},
                             rehearsals=rehearsals)
        return daemon.start() if start else daemon

    return make


def recoveries(daemon):
    return [(each["failed"], each["replacement"], each["outcome"]) for each in daemon.api.recoveries()
            if each["is_rehearsal"]]


THERE_AND_BACK = [("web", "spare", "recovered"), ("spare", "web", "recovered")]


def wait_for_both(daemon):
    wait_until(lambda: len(recoveries(daemon)) == 2 and recoveries(daemon)[-1][-1] != "detected"
               and not daemon.api.recoveries()[-1]["under_way"], "web was rehearsed", 150)
    assert recoveries(daemon) == THERE_AND_BACK
    assert daemon.api.services()["web"]["diverted"] is False


def test_an_operator_rehearses_a_service(room):
    daemon = room()
    refused = daemon.ctl("rehearse", "web", check=False)
    assert refused.returncode == 4 and "confirm it with --yes" in refused.stderr
    assert daemon.ctl("rehearse", "db", "--yes", check=False).returncode == 4
    assert daemon.ctl("rehearse", check=False).returncode == 2
    assert daemon.ctl("rehearse", "web", "--plan", check=False).returncode == 2
    daemon.ctl("rehearse", "web", "--yes")
    wait_for_both(daemon)
    first = daemon.api.recoveries()[0]
    assert first["ordered_by"] and first["cause"] == "failover"
    assert "failover (rehearsal)" in daemon.ctl("history").stdout
    row = next(line for line in daemon.ctl("plan", check=False).stdout.splitlines() if line.startswith("web "))
    assert "ago, took" in row and "outage" in row
    plan = {each["name"]: each for each in json.loads(daemon.ctl("plan", "--json", check=False).stdout)["services"]}
    assert plan["web"]["rehearsed"]["by"] == "rehearsal" and plan["web"]["rehearsed"]["recovery"] == first["id"]
    assert plan["db"]["rehearsed"] is None


def test_the_daemon_rehearses_by_itself(room):
    """A minute after its start."""
    daemon = room(every="1d", window=EVER)
    plan = {each["name"]: each for each in daemon.api.get("/v1/rehearsals")["rehearsals"]}
    assert plan["web"]["last_at"] is None and plan["web"]["why_not"] is None and plan["web"]["next_at"]
    assert "no machine can take over db" in plan["db"]["why_not"]
    wait_for_both(daemon)
    assert daemon.api.recoveries()[0]["ordered_by"] == "rehearsal"
    shown = daemon.ctl("rehearse", "--plan").stdout
    assert "ago" in next(line for line in shown.splitlines() if line.startswith("web "))


def test_a_machine_is_crashed_for_it(room):
    daemon = room(crash=True)
    daemon.ctl("rehearse", "web", "--yes")
    wait_for_both(daemon)
    first = daemon.api.recoveries()[0]
    assert first["is_drill"] and first["cause"] != "failover"


def test_the_window_is_in_local_time(room, monkeypatch):
    """Of a zone that is 14 hours ahead: the window of one minute from its midnight lies on the day before in UTC."""
    monkeypatch.setitem(os.environ, "TZ", "<+14>-14")
    daemon = room(every="1d", window="daily 00:00-00:30")
    ahead = daemon.api.get("/v1/rehearsals")["rehearsals"]
    assert [each["next_at"][11:16] for each in ahead if each["name"] == "web"] == ["10:00"]
