# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is listened on over TCP. On libvirt's test driver, without privileges."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from harness import contract
from harness.testdriver import CASE_STUDY, write_node
from harness.waiting import wait_until

pytestmark = pytest.mark.testdriver


@pytest.fixture
def make_room(make_daemon, tmp_path):
    def make(**api):
        uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
        return make_daemon(hypervisors=[{"name": "room", "uri": uri}], api=api)
    return make


def test_everybody_may_read_and_nobody_do_anything(make_room, port):
    make_room(listen=f"127.0.0.1:{port}").start()
    page = f"http://localhost:{port}"
    with urllib.request.urlopen(f"{page}/v1/status") as answer:
        text = answer.read().decode()
        contract.check_answer("GET", "/v1/status", answer.status, answer.headers, text)
        assert json.loads(text)["ready"]
    with urllib.request.urlopen(f"{page}/metrics") as answer:
        assert b"understudy_ready 1" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{page}/v1/reload", data=b""))
    assert refused.value.code == 405
    text = refused.value.read().decode()
    contract.check_answer("POST", "/v1/reload", 405, refused.value.headers, text)
    assert json.loads(text)["error"] == "nothing can be done over TCP, only read"
    refused.value.close()


def test_a_port_that_is_taken_is_a_problem_and_no_more(make_room, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        daemon = make_room(listen=f"127.0.0.1:{port}").start()
        assert "not-listening" in [problem["kind"] for problem in daemon.api.list("problems")]
        assert daemon.api.explain("VM-001")["chosen"] == "VM-005"
    daemon.stop()
    daemon.start()
    wait_until(lambda: "not-listening" not in [problem["kind"] for problem in daemon.api.list("problems")],
               "the daemon listens after its restart")
