# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The control interface and conf/openapi.yaml, both ways. The harness holds every answer of every test against the file; here
everything that the file promises is asked for, on libvirt's test driver.
"""

import http.client
import json
import socket

import pytest

from harness import contract
from harness.api import Refused, UnixConnection
from harness.gate import write_hooks
from harness.testdriver import CASE_STUDY, write_node
from harness.waiting import wait_until

pytestmark = pytest.mark.testdriver

# What the test driver cannot show, and test_contract_guests.py asks for.
OF_GUESTS = {("/v1/machines/{machine}/refresh", "post"), ("/v1/hypervisors/{host}/fenced", "post"),
             ("/v1/hypervisors/{host}/fence-test", "post")}


@pytest.fixture
def asked(monkeypatch):
    """What of the file was answered with 200 in this test."""
    monkeypatch.setattr(contract, "seen", set())
    return lambda: contract.seen


@pytest.fixture
def room(make_daemon, tmp_path):
    """Two machines of one name on two hosts; VM-005 is the best candidate of two services."""
    case_study = {**CASE_STUDY, "twin": {"language": "java"}, "spare": {"language": "java"}}
    first = write_node(tmp_path / "first.xml", case_study, running=["VM-001", "VM-002", "twin"])
    second = write_node(tmp_path / "second.xml", {"twin": {"language": "go"}}, running=["twin"])
    hooks = {"directory": str(write_hooks(tmp_path / "hooks", "10-tell", "exit 0", ("test",)))}
    return make_daemon(hypervisors=[{"name": "first", "uri": first}, {"name": "second", "uri": second}],
                       hooks=hooks).start()


def all_operations():
    return {(path, method) for path in contract.document()["paths"] for method in contract.methods_of(path)}


def stream_events():
    """Those that come in a small room whose hosts are connected, and to one that missed none."""
    return contract.stream()["x-events"].keys() - {"hypervisors", "machines", "services", "recoveries", "missed",
                                                   "machine-gone", "service-gone"}


def read_everything(daemon):
    api = daemon.api
    for path in ("status", "problems", "plan", "services", "machines", "rehearsals", "holds", "hypervisors", "fencing", "recoveries"):
        api.get(f"/v1/{path}")
    for name in api.machines():
        api.machine(name)
        api.explain(name)
    for recovery in api.recoveries():
        api.get(f"/v1/recoveries/{recovery['id']}")
    for method in ("GET", "HEAD"):
        for path in ("/", "/dashboard/index.html", "/dashboard/style.css", "/dashboard/app.js", "/dashboard/icon.svg"):
            api.request(method, path)
    api.get("/v1/recoveries?limit=1&outcome=recovered")
    assert "understudy_ready 1" in api.get("/metrics")


def test_everything_in_the_file_is_answered_as_it_says(room, asked):
    api = room.api

    def post(path, **body):
        return api.request("POST", f"/v1/{path}", body)

    read_everything(room)
    api.get("/v1/plan?threshold=0.9&min_coverage=0.1&weight=language=1&without=VM-005")
    api.get("/v1/machines/VM-001/explain?limit=0&weight=language=1")
    post("services/VM-002/rehearse", confirmed=True)
    wait_until(lambda: [each["outcome"] for each in api.recoveries()] == ["recovered", "recovered"], "VM-002 was rehearsed")
    post("machines/VM-001/drill")
    assert room.wait_for_recovery("VM-001")["replacement"] == "VM-005"
    read_everything(room)
    post("services/VM-001/failback", confirmed=True, force=True)
    room.wait_for_recovery("VM-005", times=2)
    post("services/VM-001/failover", to="VM-005", anyway=True)
    room.wait_for_recovery("VM-001", times=2)
    post("services/VM-001/keep")
    wait_until(lambda: room.api.machines()["VM-005"]["service"] == "VM-001", "the replacement is kept")
    # What nothing can take the place of.
    post("machines/first%2Ftwin/tag", remove=["language"], add=["database/oracle"], priority=7, role="protected")
    wait_until(lambda: "database/oracle" in api.machine("first/twin")["features"], "the metadata is read")
    post("machines/first%2Ftwin/drill", anyway=True)
    assert room.wait_for_recovery("twin")["outcome"] == "exhausted"
    post("services/first%2Ftwin/recover", ignore_limit=True, ignore_quarantine=True)
    room.wait_for_recovery("twin", times=2)
    read_everything(room)
    post("machines/first%2Ftwin/clear")
    post("holds", target="second", reason="maintenance", for_ms=3600000)
    post("holds", target="first/twin")
    read_everything(room)
    post("release/second")
    post("release/brake")
    assert post("hooks/test")["hooks"][0]["succeeded"]
    assert post("machines/VM-002/template", name="web")["name"] == "web"
    assert post("templates/check")["templates"] == []
    post("reload")
    api.request("POST", "/v1/check", {"hypervisors": [{"name": "first", "uri": "test:///default"}]})
    room.events.wait_for_document("holds", lambda document: len(document["holds"]) == 1)
    missing = stream_events() - asked()
    assert not missing, missing
    missing = all_operations() - asked() - OF_GUESTS - {("/v1/events", "get")}
    assert not missing, missing


def ask(path, method, target):
    """As sent, without a body and without the harness: the status, the headers and the body."""
    connection = UnixConnection(path, 10)
    connection.request(method, target)
    response = connection.getresponse()
    answer = response.status, response.headers, "" if method == "HEAD" else response.read().decode()
    connection.close()
    return answer


def example_of(path):
    return path.replace("{file}", "index.html").replace("{", "").replace("}", "")


def test_each_path_takes_the_methods_of_the_file_and_no_others(room):
    """What is allowed is asked of the daemon by a method that no path has."""
    for path in contract.document()["paths"]:
        status, headers, body = ask(room.api.path, "DELETE", example_of(path))
        assert status == 405, path
        assert headers["Allow"].lower().split(", ") == contract.methods_of(path), path
        contract.check_answer("DELETE", path, status, headers, body)


@pytest.mark.parametrize("method, target, body, status", [
    ("GET", "/v1/nothing", None, 404),
    ("GET", "/v1/machines/nobody", None, 404),
    ("GET", "/v1/machines/twin", None, 409),
    ("GET", "/v1/machines/VM-001/explain?limit=x", None, 400),
    ("GET", "/v1/plan?host=first", None, 409),
    ("GET", "/v1/plan?what=ever", None, 400),
    ("GET", "/v1/recoveries?since=x", None, 400),
    ("GET", "/v1/recoveries/none", None, 404),
    ("GET", "/v1/machines/%00", None, 400),
    ("POST", "/v1/machines/VM-001/tag", {"colour": "red"}, 400),
    ("POST", "/v1/services/VM-001/failback", {}, 409),
    ("POST", "/v1/services/VM-002/rehearse", {}, 403),
    ("POST", "/v1/services/VM-003/failover", {"to": "nobody"}, 404),
    ("POST", "/v1/hypervisors/first/fenced", {}, 403),
    ("POST", "/v1/hypervisors/first/fence-test", {}, 409),
    ("POST", "/v1/release/VM-001", {}, 409),
    ("POST", "/v1/check", {"a": 1}, 400),
])
def test_refusals_are_as_the_file_says(room, method, target, body, status):
    with pytest.raises(Refused) as refused:
        room.api.request(method, target, body)
    assert refused.value.status == status, refused.value.answer


@pytest.mark.parametrize("head, status", [
    (b"nothing", 400), (b"POST /v1/holds HTTP/1.1\r\nContent-Length: 600000", 413)])
def test_what_is_not_read_to_its_end_is_answered_as_the_file_says(room, head, status):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(room.api.path))
        client.sendall(head + b"\r\n\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == status
        contract.check_answer("POST", "/v1/holds", status, response.headers, response.read().decode())


@pytest.mark.parametrize("change, words", [
    (lambda status: status.update(colour="red"), "'colour' was unexpected"),
    (lambda status: status.pop("mode"), "'mode' is a required property"),
    (lambda status: status.update(mode="idle"), "'idle' is not one of"),
    (lambda status: status.update(uptime_ms="1"), "'1' is not of type 'number'"),
    (lambda status: status["hypervisors"][0].update(missing_since="yesterday"), "'yesterday' does not match"),
])
def test_the_check_finds_what_the_file_does_not_say(room, change, words):
    status = room.api.status()
    change(status)
    with pytest.raises(AssertionError, match=words):
        contract.check_answer("GET", "/v1/status", 200, {"Content-Type": "application/json"}, json.dumps(status))


@pytest.mark.parametrize("status, kind, words", [
    (201, "application/json", "201 to GET /v1/holds is not in"), (200, "text/html", "is text/html, and"),
    (404, "application/json", "404 to GET /v1/holds is not in")])
def test_the_check_finds_another_status_and_another_content_type(status, kind, words):
    with pytest.raises(AssertionError, match=words):
        contract.check_answer("GET", "/v1/holds", status, {"Content-Type": kind}, '{"holds": [], "next_page": null}')


def test_a_list_of_ten_thousand_is_checked_by_a_sample(room):
    """Its first and its last are in it."""
    machine = room.api.list("machines")[0]
    headers = {"Content-Type": "application/json"}
    many = {"machines": 10000 * [machine], "next_page": None}
    contract.check_answer("GET", "/v1/machines", 200, headers, json.dumps(many))
    for place in (0, 9999):
        spoilt = {"machines": [*many["machines"]], "next_page": None}
        spoilt["machines"][place] = {**machine, "state": "well"}
        with pytest.raises(AssertionError, match="'well' is not one of"):
            contract.check_answer("GET", "/v1/machines", 200, headers, json.dumps(spoilt))
