# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who follows the events knows how everything is, without asking again. On libvirt's test driver, without privileges."""

import pytest

from harness.testdriver import CASE_STUDY, write_node

pytestmark = pytest.mark.testdriver


def test_a_drill_is_seen_from_the_stream_alone(make_daemon, tmp_path):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    events = daemon.events
    daemon.ctl("drill", "VM-001", "--wait")
    server = events.wait_for_document("machine", lambda machine: machine["serves"] == "VM-001")
    service = events.wait_for_document("service", lambda service: service["diverted"])
    recovery = events.wait_for_document("recovery", lambda recovery: recovery["outcome"] == "recovered")
    events.wait_for_document("problems", lambda problems: "service-diverted" in
                             [problem["kind"] for problem in problems["problems"]])
    events.wait_for_document("plan", lambda plan: True)
    # They are the documents that are had by asking.
    assert service == daemon.api.services()["VM-001"]
    assert (server["name"], server["state"]) == ("VM-005", "running")
    assert {**recovery, "duration_ms": None} == {**daemon.api.recoveries()[0], "duration_ms": None}
    daemon.ctl("hold", "VM-002")
    assert events.wait_for_document("holds", lambda holds: holds["holds"])["holds"] == daemon.api.list("holds")
