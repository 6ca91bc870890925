# SPDX-License-Identifier: LGPL-2.1-or-later
"""What operators see and do: explain, history, drill, reload. On libvirt's test driver, without privileges."""

import fcntl
import json
import os
import pty
import re
import resource
import signal
import socket
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from harness.daemon import SANITIZER_REPORT, environment, launcher, program
from harness.testdriver import CASE_STUDY, machine_xml, write_node
from harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.testdriver

CANDIDATE_FIELDS = {"name": str, "hypervisor": str, "similarity": (int, float), "coverage": (int, float),
                    "resource_coverage": (int, float), "overlap": (int, float), "eligible": bool, "reason": str}
RECORD_FIELDS = {"id", "failed", "cause", "replacement", "outcome", "similarity", "coverage", "overlap", "detected_at",
                 "duration_ms", "candidates"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture
def case_study(make_daemon, tmp_path):
    """A daemon that watches the machines of the paper's case study; VM-001 runs."""
    def make(**config):
        uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
        return make_daemon(hypervisors=[{"name": "room", "uri": uri}], **config)
    return make


def check_explanation(explanation):
    assert {"failed", "chosen", "candidates"} <= explanation.keys()
    assert (explanation["failed"], explanation["chosen"]) == ("VM-001", "VM-005")
    for candidate in explanation["candidates"]:
        for field, kind in CANDIDATE_FIELDS.items():
            assert isinstance(candidate[field], kind), (field, candidate)
        assert candidate["reason"]
    names = [candidate["name"] for candidate in explanation["candidates"]]
    assert names[:2] == ["VM-005", "VM-002"] and names[2:] == ["VM-004", "VM-003"]
    assert [candidate["eligible"] for candidate in explanation["candidates"]] == [True, True, False, False]
    best, second = explanation["candidates"][:2]
    assert [round(best[key], 4) for key in ("similarity", "coverage", "overlap")] == [0.6667, 1.0, 0.6667]
    assert [round(second[key], 4) for key in ("similarity", "coverage", "overlap")] == [0.6667, 0.5, 0.3333]


def test_explain_by_api_and_command_line(case_study):
    daemon = case_study().start()
    check_explanation(daemon.api.explain("VM-001"))
    check_explanation(json.loads(daemon.ctl("explain", "VM-001", "--json").stdout))
    text = daemon.ctl("explain", "VM-001").stdout
    assert text.index("VM-005") < text.index("VM-002") < text.index("VM-004")


# Two machines that need the same, one that none can replace, and nine that stand by.
CROWD = {"vm-a": {"database": "mysql"}, "vm-b": {"database": "mysql"}, "vm-alone": {"language": "cobol"},
         **{f"spare-{number}": {"database": "mysql"} for number in range(1, 6)},
         **{f"other-{number}": {"language": "php"} for number in range(1, 5)}}


@pytest.fixture
def crowd(make_daemon, tmp_path):
    uri = write_node(tmp_path / "node.xml", CROWD, running=["vm-a", "vm-b", "vm-alone"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                       pool={"protect": ["vm-*"], "standby": ["spare-*", "other-*"]}).start()


def test_explain_counts_those_that_it_does_not_list(crowd):
    listed = json.loads(crowd.ctl("explain", "vm-a", "--json", "--limit", "2").stdout)
    assert [candidate["eligible"] for candidate in listed["candidates"]] == [True, True, False, False]
    assert listed["left_out"] == sum(listed["left_out_by_reason"].values()) == 7
    lines = in_pipe(crowd, "explain", "vm-a", "--limit", "2")
    assert [line for line in lines if "more" in line] == [
        "     ... and 7 more: 3 eligible, 3 not similar enough, 1 not standby"]
    every = in_pipe(crowd, "explain", "vm-a", "--limit", "0")
    assert all(any(f" {name} " in line for line in every) for name in CROWD if name != "vm-a")
    assert not any("more" in line for line in every)


def test_history_shows_as_many_of_the_eligible_as_of_the_others(crowd):
    crowd.ctl("drill", "vm-a")
    record = crowd.wait_for_recovery("vm-a")
    assert len(record["candidates"]) == len(CROWD) - 1 and record["left_out"] == 0
    lines = in_pipe(crowd, "history", record["id"], "--limit", "2")
    shown = [line.split()[:2] for line in lines if re.match(r" +(\d+|-) +(spare|other|vm)-", line)]
    assert [place for place, name in shown] == ["1", "2", "-", "-"]
    assert lines[-1] == "     ... and 7 more, which --limit 0 shows"
    assert not any("more" in line for line in in_pipe(crowd, "history", record["id"]))


def line_of(lines, beginning):
    return next(line.strip() for line in lines if line.strip().startswith(beginning))


def test_show_and_list_tell_the_plan(crowd):
    assert line_of(in_pipe(crowd, "show", "vm-a"), "if it failed").split(maxsplit=3)[-1] == (
        "spare-1 (overlap 1.00), else spare-2; spare-1 is the choice of 1 other, too")
    assert line_of(in_pipe(crowd, "show", "vm-alone"), "if it failed").split(maxsplit=3)[-1] == (
        "no candidate: see understudyctl explain vm-alone")
    assert "vm-a and 1 other" in line_of(in_pipe(crowd, "show", "spare-1"), "planned for")
    assert not any("if it failed" in line for line in in_pipe(crowd, "show", "spare-1"))
    rows = in_pipe(crowd, "list")
    assert " vm-a +1 " in line_of(rows, "spare-1") and "vm-" not in line_of(rows, "spare-2")

    # What the plan says is what is done, and it is another plan then.
    crowd.ctl("drill", "vm-a")
    assert crowd.wait_for_recovery("vm-a")["replacement"] == "spare-1"
    assert " vm-a +1 " in line_of(in_pipe(crowd, "list"), "spare-2")  # from spare-1, which serves it now, and vm-b


# As an administrator tags machines: those that are protected are no standbys, and the other way round.
ROOM = {"web-1": {"database": "mysql"}, "mail": {"language": "php"}, "spare-1": {"database": "mysql"},
        "spare-2": {"database": "mysql"}}


def services_of(daemon):
    """What services --json tells: name to state, the replacement that serves, and the next one."""
    return {each["name"]: (each["state"], each["served_by"]["name"] if each["diverted"] else None,
                           each["next"] and each["next"]["name"])
            for each in json.loads(daemon.ctl("services", "--json").stdout)["services"]}


def test_two_rescues_in_a_row_by_machines_that_are_not_protected_themselves(make_daemon, tmp_path):
    """The replacement that crashed was not protected by its own role, and two standbys idled."""
    uri = write_node(tmp_path / "node.xml", ROOM, running=["web-1", "mail"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                         pool={"protect": ["web-*", "mail"], "standby": ["spare-*"]}).start()
    assert services_of(daemon) == {"mail": ("up", None, None), "web-1": ("up", None, "spare-1")}
    rows = in_pipe(daemon, "services")
    assert line_of(rows, "web-1").split() == ["web-1", "itself", "-", "up", "spare-1", "(overlap", "1.00)"]
    assert line_of(rows, "mail").split() == ["mail", "itself", "-", "up", "none"]
    assert "SERVICE" not in in_pipe(daemon, "list")[0]

    assert "recovered" in daemon.ctl("drill", "web-1", "--wait").stdout
    assert services_of(daemon) == {"mail": ("up", None, None), "web-1": ("up", "spare-1", "spare-2")}
    assert "its replacement" in line_of(in_pipe(daemon, "show", "web-1"), "served by")
    assert in_pipe(daemon, "explain", "web-1")[0] == "Nothing would be started for web-1 now: spare-1 serves in its place"
    assert not any("not protected" in line for line in in_pipe(daemon, "explain", "spare-1"))

    daemon.ctl("drill", "spare-1", "--wait")
    record = daemon.wait_for_recovery("spare-1")
    assert (record["outcome"], record["replacement"], record["service"]["name"]) == ("recovered", "spare-2", "web-1")
    assert line_of(in_pipe(daemon, "history"), record["id"]).split()[1:3] == ["spare-1", "web-1"]
    service = daemon.api.services()["web-1"]
    assert services_of(daemon)["web-1"] == ("up", "spare-2", "spare-1")
    assert service["recovery"] == record["id"] and RFC_3339.fullmatch(service["since"])
    assert "2: 2 up; 1 served by a replacement" in line_of(in_pipe(daemon, "status"), "services")
    rows = in_pipe(daemon, "list")
    assert " serves web-1 " in line_of(rows, "spare-2") and " served by spare-2 " in line_of(rows, "web-1")

    # No standby offers what this one needs.
    daemon.ctl("drill", "mail", "--anyway")
    record = daemon.wait_for_recovery("mail")
    assert services_of(daemon)["mail"] == ("down", None, None)
    assert line_of(in_pipe(daemon, "services"), "mail is down").endswith(f"understudyctl history {record['id']}")

    # A new connection finds the machines of the file as they were in the beginning: web-1 runs and spare-2 is off.
    daemon.kill()
    daemon.start()
    assert services_of(daemon) == {"mail": ("up", None, None), "web-1": ("up", None, "spare-1")}


def test_explain_of_a_machine_that_is_not_protected(case_study):
    daemon = case_study(pool={"protect": ["VM-001"]}).start()
    assert "not protected" not in daemon.ctl("explain", "VM-001").stdout
    assert in_pipe(daemon, "explain", "VM-002")[0].startswith("Nothing would be started for VM-002 now: it is not protec")


def beginning_of_explain(daemon, name):
    return in_pipe(daemon, "explain", name)[0]


def test_explain_begins_with_why_nothing_would_be_started(case_study):
    """It promised what recovery.limit, the mode, or the brake would not have let happen."""
    recovery = {"settle": "100ms", "limit": 1, "brake": {"share": 0.1, "minimum": 1}}
    daemon = case_study(recovery=recovery).start()
    assert beginning_of_explain(daemon, "VM-001") == "If VM-001 on room failed now"
    assert daemon.api.explain("VM-001")["obstacle"] is None

    uri = daemon.api.status()["hypervisors"][0]["uri"]
    settings = {"hypervisors": [{"name": "room", "uri": uri}], "recovery": recovery}
    daemon.configure(**settings, mode="observe")
    daemon.ctl("reload")
    assert "mode is observe" in beginning_of_explain(daemon, "VM-001")
    daemon.configure(**settings)
    daemon.ctl("reload")
    assert beginning_of_explain(daemon, "VM-001").startswith("If ")


DEBIAN = ('<libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">'
          '<libosinfo:os id="http://debian.org/debian/12"/></libosinfo:libosinfo>')


def test_with_libosinfo_alone_web_test_is_not_the_choice_for_billing_db(make_daemon, tmp_path):
    machines = "".join(machine_xml(name, {}, name == "billing-db", memory_mib=memory).replace(
        "<metadata>", f"<metadata>{DEBIAN}") for name, memory in {"billing-db": 8192, "web-test": 4096}.items())
    (tmp_path / "node.xml").write_text(f"<node>{machines}</node>")
    hypervisors = [{"name": "room", "uri": f"test://{tmp_path / 'node.xml'}"}]
    daemon = make_daemon(hypervisors=hypervisors, similarity={}).start()
    explained = daemon.api.explain("billing-db")
    assert [(each["name"], each["eligible"], each["reason"]) for each in explained["candidates"]] == [
        ("web-test", False, "only the OS of billing-db is known, which is too little to compare by")]
    assert services_of(daemon)["billing-db"] == ("up", None, None)

    # What is named weighs 0.05 even if it is of no usual kind, and what weighs nothing is shown so.
    daemon.configure(hypervisors=hypervisors, similarity={},
                     machines={"billing-db": {"zone": "seoul"}, "web-test": {"zone": "seoul"}})
    daemon.ctl("reload")
    assert daemon.api.explain("billing-db")["candidates"][0]["eligible"]
    daemon.configure(hypervisors=hypervisors, machines={"billing-db": {"zone": "seoul", "database": "mysql"},
                                                        "web-test": {"zone": "busan", "database": "mysql"}})
    daemon.ctl("reload")
    [candidate] = daemon.api.explain("billing-db")["candidates"]
    assert (candidate["missing"], candidate["surplus"]) == ([], []) and candidate["overlap"] == 1
    text = daemon.ctl("explain", "billing-db").stdout
    assert "(~) weighs nothing" in text and "~ zone/busan, zone/seoul" in text
    shown = in_pipe(daemon, "show", "billing-db")
    assert line_of(shown, "zone").split(maxsplit=1)[1].startswith("seoul (weighs nothing)")
    assert line_of(shown, "memory").endswith("(weighs nothing)")
    assert "weighs nothing" not in line_of(shown, "database")


def test_drill_recovers_and_history_tells(case_study):
    daemon = case_study().start()
    daemon.ctl("drill", "VM-001")
    record = daemon.wait_for_recovery("VM-001")
    assert (record["outcome"], record["replacement"], record["is_drill"]) == ("recovered", "VM-005", True)
    assert daemon.api.machines()["VM-005"]["state"] == "running"

    history = json.loads(daemon.ctl("history", "--json").stdout)["recoveries"]
    assert len(history) == 1 and RECORD_FIELDS <= history[0].keys()
    assert history[0]["outcome"] == "recovered" and RFC_3339.fullmatch(history[0]["detected_at"])
    assert history[0]["duration_ms"] >= 0
    assert [candidate["name"] for candidate in history[0]["candidates"]][:2] == ["VM-005", "VM-002"]
    assert "VM-005" in daemon.ctl("history").stdout


def test_machine_that_is_not_there(case_study):
    daemon = case_study().start()
    done = daemon.ctl("explain", "VM-01", check=False)
    assert done.returncode != 0 and "VM-01" in done.stderr and "VM-001" in done.stderr


def test_drill_of_a_machine_that_does_not_run(case_study):
    daemon = case_study().start()
    assert daemon.ctl("drill", "VM-002", check=False).returncode != 0
    assert daemon.api.recoveries() == []


def test_daemon_that_is_not_there(case_study):
    done = case_study().ctl("status", check=False)
    assert done.returncode != 0 and "api.sock" in done.stderr


def command_line(daemon, *arguments):
    return [*launcher(), str(program("understudyctl")), "--socket", str(daemon.config_file.parent / "api.sock"), *arguments]


def on_terminal(daemon, columns, *arguments, **variables):
    """What understudyctl prints on a terminal of that width, in lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    done = subprocess.run(command_line(daemon, *arguments), stdin=subprocess.DEVNULL, stdout=theirs,
                          env=environment(NO_COLOR="1", **variables), timeout=60)
    os.close(theirs)
    with open(ours, "rb") as output:
        text = output.read1(1 << 16).decode()
    assert done.returncode == 0 or ("explain" in arguments and done.returncode == 1), text  # 1: nothing would take over
    return text.splitlines()


def in_pipe(daemon, *arguments, **variables):
    """What understudyctl prints into a pipe, in lines."""
    return subprocess.run(command_line(daemon, *arguments), capture_output=True, text=True, check="explain" not in arguments,
                          env=environment(**variables), timeout=60).stdout.splitlines()


def test_a_narrow_terminal_and_a_wide_one(make_daemon, tmp_path):
    machines = {f"vm-{number}": {"database": "mysql", "webserver": ["nginx", "apache", "lighttpd", "caddy"],
                                 "language": ["nodejs", "python", "ruby"], "data": "orders-of-all-branches"}
                for number in range(3)}
    uri = write_node(tmp_path / "node.xml", machines, running=["vm-0"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    for arguments in (["list"], ["status"], ["explain", "vm-0"]):
        assert max(map(len, on_terminal(daemon, 80, *arguments))) <= 80
    narrow, wide = on_terminal(daemon, 80, "list"), on_terminal(daemon, 200, "list")
    assert narrow[1].startswith("vm-0 ") and "protected standby" in narrow[1]
    assert "ruby" not in narrow[1] and "ruby" in wide[1] and "caddy" in wide[1]
    # A terminal that does not tell its size, and COLUMNS does.
    assert max(map(len, on_terminal(daemon, 0, "list", COLUMNS="80"))) <= 80
    assert on_terminal(daemon, 0, "list", COLUMNS="200") == wide


LONG_NAME = "a-machine-of-the-accounting-department-in-the-basement"


@pytest.fixture
def room_of_long_names(make_daemon, tmp_path):
    """Two machines whose rows are wider than 80 columns, and a recovery of one by the other."""
    machines = {name: {"database": "mysql", "language": ["nodejs", "python", "ruby"], "data": "orders-of-all-branches"}
                for name in (f"{LONG_NAME}-1", f"{LONG_NAME}-2")}
    uri = write_node(tmp_path / "node.xml", machines, running=[f"{LONG_NAME}-1"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    daemon.api.drill(f"{LONG_NAME}-1")
    daemon.wait_for_recovery(f"{LONG_NAME}-1")
    return daemon


def test_a_table_in_a_pipe_is_never_cut(room_of_long_names):
    daemon = room_of_long_names
    for arguments, expected in ((["list"], "orders-of-all-branches"), (["history"], "crashed (drill)"),
                                (["status"], "node.xml")):
        whole = in_pipe(daemon, *arguments)
        assert any(expected in line for line in whole), whole
        # How wide a terminal somewhere else is means nothing here, nor does a locale without Unicode.
        assert in_pipe(daemon, *arguments, COLUMNS="40", LC_ALL="C")[-1] == whole[-1]


def test_an_id_or_a_name_is_never_cut(room_of_long_names):
    daemon = room_of_long_names
    record = daemon.api.recoveries()[0]
    for columns in (40, 80, 200):
        history = "\n".join(on_terminal(daemon, columns, "history"))
        assert record["id"] in history and f"{LONG_NAME}-1" in history and f"{LONG_NAME}-2" in history
        for arguments in (["list"], ["explain", f"{LONG_NAME}-1"]):
            assert f"{LONG_NAME}-2" in "\n".join(on_terminal(daemon, columns, *arguments))


def test_a_verdict_is_never_cut(case_study):
    """Beside its candidate where there is room, below it where there is none."""
    daemon = case_study().start()
    verdicts = {entry["name"]: entry["reason"] for entry in daemon.api.explain("VM-001")["candidates"]}
    for lines in (in_pipe(daemon, "explain", "VM-001", COLUMNS="60"), on_terminal(daemon, 200, "explain", "VM-001")):
        for name, verdict in verdicts.items():
            assert any(f" {name} " in line and line.endswith(f"  {verdict}") for line in lines), (verdict, lines)
    narrow = on_terminal(daemon, 80, "explain", "VM-001")
    for name, verdict in verdicts.items():
        row = next(number for number, line in enumerate(narrow) if f" {name} " in line and "0." in line)
        assert narrow[row + 1] == f"     = {verdict}", narrow


def test_columns_of_wide_characters_line_up(make_daemon, tmp_path):
    machines = {name: {"database": "mysql"} for name in ("가상머신-하나", "vm-2")}
    uri = write_node(tmp_path / "node.xml", machines, running=[])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    for locale in ("C", "C.UTF-8"):
        rows = {line.split()[0]: line for line in in_pipe(daemon, "list", LC_ALL=locale)[1:]}
        # Each of the six syllables is one character that takes two columns.
        assert rows["vm-2"].index("shut off") - rows["가상머신-하나"].index("shut off") == 6


def test_a_name_cannot_steer_the_terminal_nor_forge_a_line(make_daemon, tmp_path):
    """Neither in tables nor in lines of the log nor in --json, where C1 controls were printed as they are."""
    harmful = "\u009b\u0085\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069"
    name = f"vm-{harmful}-x"
    path = tmp_path / "node.xml"
    uri = write_node(path, {name: {"database": "mysql"}, "vm-b": {"database": f"my{harmful}sql"}}, running=[name])
    forger = machine_xml("vm-c", {"database": "mysql"}, role="boss\nready: no machine")
    path.write_text(path.read_text().replace("</node>", f"{forger}</node>"))
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    daemon.api.drill(name, anyway=True)
    daemon.wait_for_recovery(name)
    record = daemon.api.recoveries()[0]
    escaped = "".join(f"\\x{byte:02x}" for byte in harmful.encode())
    for arguments in (["list"], ["show", name], ["show", "vm-b"], ["explain", name], ["history"], ["problems"],
                      ["history", record["id"]], ["status"], ["services"]):
        text = "\n".join(in_pipe(daemon, *arguments))
        assert not set(harmful) & set(text), (arguments, text)
        assert f"vm-{escaped}-x" in text.replace("\n", "") or arguments[-1] in ("vm-b", "status", "problems"), (arguments, text)
        in_json = daemon.ctl(*arguments, "--json", check=False).stdout
        assert not set(harmful) & set(in_json), (arguments, in_json)
    assert name in [machine["name"] for machine in json.loads(daemon.ctl("list", "--json").stdout)["machines"]]
    refused = daemon.ctl("drill", name, check=False)
    assert refused.returncode == 4 and not set(harmful) & set(refused.stderr)
    assert not set(harmful) & set(daemon.log) and f"vm-{escaped}-x" in daemon.log
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} [a-z]+: ", line) for line in daemon.log.splitlines()), daemon.log


def test_trouble_is_told_in_full(make_daemon, tmp_path):
    socket = tmp_path / "a-directory-of-a-long-name/where-no-libvirtd/has-ever-been/libvirt-sock"
    daemon = make_daemon(hypervisors=[{"name": "away", "uri": f"qemu+unix:///system?socket={socket}"}]).start()
    assert str(socket) in "".join(line.strip() for line in daemon.ctl("status").stdout.splitlines()[-3:])


def test_two_drills_at_once_and_one_candidate(make_daemon, tmp_path):
    machines = {name: {"database": "mysql"} for name in ("vm-a", "vm-b", "vm-standby")}
    uri = write_node(tmp_path / "node.xml", machines, running=["vm-a", "vm-b"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    for name in ("vm-a", "vm-b"):
        daemon.api.drill(name, anyway=True)
    records = [daemon.wait_for_recovery(name) for name in ("vm-a", "vm-b")]
    assert sorted((record["outcome"], record["replacement"] or "") for record in records) == [
        ("exhausted", ""), ("recovered", "vm-standby")]


def test_replacement_on_another_hypervisor(make_daemon, tmp_path):
    machines = {"east": {"vm-a": {"database": "mysql"}}, "west": {"vm-standby": {"database": "mysql"}}}
    hypervisors = [{"name": name, "uri": write_node(tmp_path / f"{name}.xml", those, running=["vm-a"])}
                   for name, those in machines.items()]
    daemon = make_daemon(hypervisors=hypervisors).start()
    assert [entry["connected"] for entry in daemon.api.status()["hypervisors"]] == [True, True]
    daemon.api.drill("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-standby")
    assert (record["hypervisor"], record["replacement_hypervisor"]) == ("east", "west")


ROLES = "no machine is protected, and none is standby"


def test_where_no_machine_is_named_that_is_said_at_each_start_and_reload(make_daemon, tmp_path):
    """By default every machine was protected, and every one that was off could be started."""
    hypervisors = [{"name": "room", "uri": write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])}]
    daemon = make_daemon(hypervisors=hypervisors, pool={}).start()
    assert daemon.log.count(ROLES) == 1
    said = " ".join(daemon.ctl("status").stdout.split())
    assert "no-roles: no machine is protected and none is standby" in said
    assert f"name machines in pool.protect and pool.standby of {daemon.config_file}" in said
    daemon.ctl("reload")
    assert daemon.log.count(ROLES) == 2
    daemon.ctl("drill", "VM-001", check=False)
    assert daemon.api.recoveries() == []

    daemon.configure(hypervisors=hypervisors, pool={"protect": ["VM-001"]})
    daemon.ctl("reload")
    said = " ".join(daemon.ctl("status").stdout.split())
    assert "no-roles: no machine is standby" in said and "name machines in pool.standby of" in said
    daemon.configure(hypervisors=hypervisors, pool={"protect": ["VM-001"], "standby": ["VM-*"]})
    daemon.ctl("reload")
    assert "no-roles" not in daemon.ctl("status").stdout and daemon.log.count(ROLES) == 2


def test_the_log_does_not_say_ready_while_status_says_not_ready(make_daemon, tmp_path):
    hypervisors = [{"name": "room", "uri": write_node(tmp_path / "node.xml", CASE_STUDY)},
                   {"name": "gone", "uri": "qemu+unix:///system?socket=/nonexistent"}]
    daemon = make_daemon(hypervisors=hypervisors).start()
    assert "not ready" in daemon.ctl("status").stdout and not daemon.api.status()["ready"]
    assert "watching 5 machines, but not ready: gone is not listed yet" in daemon.log
    assert "ready: 5 machines" not in daemon.log


def test_a_role_in_metadata_is_enough(make_daemon, tmp_path):
    machines = "".join(machine_xml(name, {"database": "mysql"}, role=role) for name, role in
                       {"web-1": "protected", "spare-1": "standby"}.items())
    (tmp_path / "node.xml").write_text(f"<node>{machines}</node>")
    uri = f"test://{tmp_path / 'node.xml'}"
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={}).start()
    assert ROLES not in daemon.log and "NO MACHINE" not in daemon.ctl("status").stdout


def test_reload_of_a_good_file(case_study):
    daemon = case_study().start()
    uri = daemon.api.status()["hypervisors"][0]["uri"]
    daemon.configure(hypervisors=[{"name": "room", "uri": uri}], mode="observe")
    daemon.forget_notifications()
    daemon.signal(signal.SIGHUP)
    daemon.wait_until_notified("READY=1")
    assert daemon.api.status()["mode"] == "observe"
    assert daemon.api.status()["reload_error"] is None
    daemon.api.drill("VM-001", anyway=True)
    assert daemon.wait_for_recovery("VM-001")["outcome"] == "observed"


def test_reload_of_a_bad_file_keeps_the_good_one(case_study):
    daemon = case_study().start()
    before = daemon.api.explain("VM-001")
    daemon.config_file.write_text("hypervisors:\n  - {name: room, uri: 'test:///default'}\n"
                                  "similarity:\n  treshold: 0.9\n")
    daemon.forget_notifications()
    daemon.signal(signal.SIGHUP)
    daemon.wait_until_notified("READY=1")
    error = daemon.api.status()["reload_error"]
    assert "understudy.yaml:4:3" in error and "treshold" in error and "threshold" in error
    assert daemon.api.explain("VM-001") == before
    daemon.api.drill("VM-001")
    assert daemon.wait_for_recovery("VM-001")["outcome"] == "recovered"


def test_reload_by_command_line_knows_how_it_went(case_study):
    daemon = case_study().start()
    uri = daemon.api.status()["hypervisors"][0]["uri"]
    good = {"hypervisors": [{"name": "room", "uri": uri}]}
    daemon.configure(**good, mode="observe")
    assert json.loads(daemon.ctl("reload", "--json").stdout) == {"reloaded": True, "needs_restart": None}
    assert daemon.api.status()["mode"] == "observe"

    daemon.config_file.write_text("mode: automatic\n")
    refused = daemon.ctl("reload", check=False)
    assert refused.returncode == 1 and "hypervisors" in refused.stderr and "--check" in refused.stderr
    assert daemon.api.status()["mode"] == "observe"

    # What waits for a restart is told until it is put back.
    for _ in range(2):
        daemon.configure(**good, state_dir="/nonexistent")
        assert "state_dir" in daemon.ctl("reload").stdout
    daemon.configure(**good)
    assert "state_dir" not in daemon.ctl("reload").stdout


def test_reload_moves_a_hypervisor(case_study, tmp_path):
    """The same name with another URI is another one: its machines are what is seen from then on."""
    daemon = case_study().start()
    other = write_node(tmp_path / "other.xml", {"vm-x": {"database": "mysql"}}, running=["vm-x"])
    daemon.configure(hypervisors=[{"name": "room", "uri": other}])
    daemon.ctl("reload")
    daemon.wait_for_machine("vm-x", state="running")
    daemon.wait_until_gone("VM-001")
    assert [each["name"] for each in daemon.api.status()["hypervisors"]] == ["room"]


def run_check(path):
    return subprocess.run([*launcher(), str(program("understudyd")), "--check", "--config", str(path)],
                          capture_output=True, text=True, env=environment(), timeout=30)


def test_check_tells_every_error_in_one_pass(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text("mode: sometimes\nsimilarity:\n  threshold: 1.5\n")
    done = run_check(path)
    assert done.returncode not in (0, -signal.SIGSEGV) and not SANITIZER_REPORT.search(done.stderr)
    told = done.stdout + done.stderr
    for expected in (":1:", ":3:", "sometimes", "1.5", "hypervisors"):
        assert expected in told, told
    path.write_text('hypervisors: [{name: a, uri: "test:///default"}]\n')
    assert run_check(path).returncode == 0


def test_check_tells_programs_that_cannot_be_run(tmp_path):
    """They were found in the night in which they were needed: mistyped, with CRLF, not executable."""
    path, hooks = tmp_path / "understudy.yaml", tmp_path / "hooks.d"
    path.write_text(f'hypervisors: [{{name: a, uri: "test:///default"}}]\nhooks: {{directory: {hooks}}}\n'
                    f"recovery: {{verify: {{level: command, command: {tmp_path}/verfiy}}}}\n"
                    f"fence: {{command: {tmp_path}/fence_nosuch}}\n")
    (hooks / "pre-start").mkdir(mode=0o755, parents=True)
    (hooks / "verify").mkdir()
    for name, text, mode in (("pre-start/10-crlf", "#!/bin/sh\r\nexit 0\r\n", 0o755), ("40-old", "#!/bin/sh\n", 0o755),
                             ("pre-start/20-good", "#!/bin/sh\n", 0o755), ("pre-start/30-plain", "#!/bin/sh\n", 0o644)):
        (hooks / name).write_text(text)
        (hooks / name).chmod(mode)
    done = run_check(path)
    assert done.returncode == 0 and not SANITIZER_REPORT.search(done.stderr)
    for expected in ("verfiy is not run: No such file", "fence_nosuch is not run: No such file",
                     r'10-crlf cannot be run: No such file or directory (its interpreter is "/bin/sh\x0d")',
                     "30-plain is not run: not executable", "hooks.d/verify is not run: no event has this name",
                     "hooks.d/40-old is not run: a hook belongs in the directory of an event (pre-start, pre-failover,"):
        assert expected in done.stderr, done.stderr
    assert "20-good" not in done.stderr


def run_with(path, descriptors=None):
    """The daemon, until it ends by itself. descriptors: so many it may have open."""
    limit = [] if descriptors is None else ["prlimit", f"--nofile={descriptors}"]
    done = subprocess.run([*limit, *launcher(), str(program("understudyd")), "--config", str(path)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=30)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done


def test_only_a_wrong_configuration_keeps_systemd_from_trying_again(tmp_path):
    """An I/O error and EMFILE at the start ended with status 78 (RestartPreventExitStatus=)."""
    path = tmp_path / "understudy.yaml"
    path.write_text("mode: sometimes\n")
    assert run_with(path).returncode == 78
    assert run_with(tmp_path / "nosuch.yaml").returncode == 78
    broken = run_with("/proc/self/mem")
    assert broken.returncode == 1 and "Input/output error" in broken.stderr
    path.write_text(f'state_dir: {tmp_path}\nhypervisors: [{{name: a, uri: "test:///default"}}]\n')
    poor = run_with(path, descriptors=4)
    assert poor.returncode == 1 and "Too many open files" in poor.stderr


def test_stop_with_a_listener_on_the_event_stream(case_study):
    daemon = case_study().start()
    assert daemon.events.about("VM-001") == []
    daemon.signal(signal.SIGTERM)
    with pytest.raises(AssertionError, match="closed the stream"):
        daemon.events.wait_for("recovered")
    daemon.check_end()


def test_more_clients_than_descriptors(case_study):
    """accept() failed with EMFILE, and the daemon died of that (SIGSEGV)."""
    daemon = case_study().start()
    n_open = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (n_open + 8, n_open + 8))
    clients = []
    try:
        for _ in range(30):
            clients.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            clients[-1].connect(str(daemon.api.path))
        wait_until(lambda: "Too many open files" in daemon.log, "the daemon tells that it cannot accept")
    finally:
        for client in clients:
            client.close()
    # Every accept of the thirty that was tried in vain belongs to one trouble, which is told once.
    assert daemon.api.status()["ready"]
    daemon.stop()
    assert daemon.log.count("cannot accept a connection") == 1


def test_200_idle_clients_do_not_delay_status(case_study):
    """They filled the connections there may be, and status waited until they were closed, after 30 s."""
    daemon = case_study().start()
    clients = []
    try:
        for _ in range(200):
            clients.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            clients[-1].connect(str(daemon.api.path))
        assert daemon.api.status()["ready"]
        # The latest are still connected: the answer did not come for want of idle clients.
        with pytest.raises(BlockingIOError):
            clients[-1].recv(1, socket.MSG_DONTWAIT)
        clients[0].settimeout(PATIENCE_S)
        assert clients[0].recv(1) == b""
    finally:
        for client in clients:
            client.close()


def test_killed_daemon_can_be_started_again(case_study):
    daemon = case_study().start()
    daemon.kill()
    daemon.start()
    assert daemon.api.machines()["VM-001"]["state"] == "running"
