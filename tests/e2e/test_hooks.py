# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hooks take part in the recovery of real machines, and learn what it is about."""

import json

import pytest

from harness.domain import uuid_of
from harness.gate import write_hooks, write_program
from harness.testdriver import write_node
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
LESS = {"database": "mysql", "language": "nodejs"}


def write_hook(tmp_path, more=""):
    """A hook that keeps what it was told: EVENT.env, and EVENT.json, which is there when both are complete."""
    directory = write_hooks(tmp_path / "hooks", "10-keep", f'kept={tmp_path}/"$1"\n'
                                                           'env >"$kept.env"\n'
                                                           'cat >"$kept.part"\n'
                                                           f'{more}\n'
                                                           'mv "$kept.part" "$kept.json"')
    return {"directory": str(directory)}


def told(tmp_path, event):
    """(variables, document) of a hook's run."""
    document = tmp_path / f"{event}.json"
    wait_until(document.exists, f"the hook for {event} has run")
    lines = (tmp_path / f"{event}.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if line.startswith("UNDERSTUDY_"))
    return variables, json.loads(document.read_text())


def test_hook_vetoes_the_best_candidate(host, daemon_on, tmp_path):
    host.define("vm-best", resources=WEB)
    host.define("vm-less", resources=LESS)
    host.run("vm-a", resources=WEB)
    veto = 'if [ "$1 $UNDERSTUDY_REPLACEMENT" = "pre-start vm-best" ]; then echo not this one; exit 1; fi'
    daemon = daemon_on(hooks=write_hook(tmp_path, veto))
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-less")
    assert [attempt["name"] for attempt in record["attempts"]] == ["vm-best", "vm-less"]
    assert record["attempts"][0]["error"] == "hook 10-keep: exit status 1: not this one"
    assert "not this one" in daemon.log
    assert host.serial("vm-best").boots == 0


def test_hooks_have_the_variables_of_the_service(host, daemon_on, tmp_path):
    """hook_env: of this service alone, and those of the daemon beside them."""
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(hooks=write_hook(tmp_path), services=[
        {"match": ["vm-b*"], "hook_env": {"VIP": "192.0.2.1"}},
        {"match": ["vm-a"], "hook_env": {"VIP": "192.0.2.10", "POOL": "web and more"}},
    ])
    host.kill_qemu("vm-a")
    daemon.wait_for_recovery("vm-a")
    told(tmp_path, "recovered")
    lines = (tmp_path / "recovered.env").read_text().splitlines()
    assert [line for line in lines if line.startswith(("VIP=", "POOL="))] == ["VIP=192.0.2.10", "POOL=web and more"]
    assert "UNDERSTUDY_EVENT=recovered" in lines


def test_hooks_are_told_of_a_recovery(host, daemon_on, tmp_path):
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(hooks=write_hook(tmp_path))
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    for event in ("pre-start", "post-start", "recovered"):
        variables, document = told(tmp_path, event)
        text = variables.pop("UNDERSTUDY_TEXT", None)
        assert (text is not None and "vm-best" in text) == (event != "pre-start")
        assert variables == {
            "UNDERSTUDY_EVENT": event, "UNDERSTUDY_RECOVERY": record["id"], "UNDERSTUDY_CAUSE": "process-died",
            "UNDERSTUDY_SERVICE": "vm-a", "UNDERSTUDY_FAILED": "vm-a", "UNDERSTUDY_FAILED_UUID": uuid_of("vm-a"),
            "UNDERSTUDY_HYPERVISOR": "local",
            "UNDERSTUDY_REPLACEMENT": "vm-best", "UNDERSTUDY_REPLACEMENT_UUID": uuid_of("vm-best"),
            "UNDERSTUDY_REPLACEMENT_HYPERVISOR": "local"}
        assert (document["id"], document["failed"], document["replacement"]) == (record["id"], "vm-a", "vm-best")


def test_hooks_are_told_that_no_candidate_is_left(host, daemon_on, tmp_path):
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(hooks=write_hook(tmp_path))
    host.kill_qemu("vm-a")
    daemon.wait_for_recovery("vm-a")
    variables, document = told(tmp_path, "exhausted")
    assert variables["UNDERSTUDY_FAILED"] == "vm-a" and "UNDERSTUDY_REPLACEMENT" not in variables
    assert (document["outcome"], document["detail"] != "") == ("exhausted", True)


def daemon_of_two(make_daemon, tmp_path, **sections):
    """"best" and "less" can take the place of "web", "best" first."""
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "best": WEB, "less": LESS}, running=["web"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["best", "less"]},
                       **sections).start()


@pytest.mark.testdriver
def test_a_veto_is_told_in_the_words_of_the_hook(make_daemon, tmp_path):
    hooks = write_hook(tmp_path, '[ "$1 $UNDERSTUDY_REPLACEMENT" != "pre-start best" ] || { echo in repair; exit 1; }')
    daemon = daemon_of_two(make_daemon, tmp_path, hooks=hooks, recovery={"settle": "100ms", "attempts": 1})
    daemon.api.drill("web", anyway=True)
    record = daemon.wait_for_recovery("web")
    assert (record["outcome"], record["replacement"]) == ("recovered", "less")
    words = "hook 10-keep: exit status 1: in repair"
    assert record["attempts"][0]["error"] == words
    assert f"notice: best is not started for web, vetoed by {words}" in daemon.log
    assert f"best: {words} (does not count as an attempt)" in daemon.ctl("history", record["id"]).stdout
    assert daemon.log.count("error: ") == 1  # that web failed
    assert daemon.api.machine("best")["quarantine_why"] is None


@pytest.mark.testdriver
def test_a_check_that_is_not_true_yet_is_not_told(make_daemon, tmp_path):
    """Each of its polls was an error in the journal."""
    polls = tmp_path / "polls"
    command = write_program(tmp_path / "verify", f'echo not yet; echo >>{polls}; [ $(wc -l <{polls}) -gt 3 ]')
    verify = {"level": "command", "command": str(command), "interval": "100ms"}
    daemon = daemon_of_two(make_daemon, tmp_path, recovery={"settle": "100ms", "verify": verify})
    daemon.api.drill("web", anyway=True)
    assert daemon.wait_for_recovery("web")["outcome"] == "recovered"
    assert len(polls.read_text()) == 4 and "not yet" not in daemon.log and "verify: exit status" not in daemon.log


@pytest.mark.testdriver
def test_a_hook_in_the_wrong_place_blocks_starts_while_it_is_executable(make_daemon, tmp_path):
    """Put where hooks were before each event had its directory: it may be the veto that keeps a machine from starting."""
    hooks = write_hooks(tmp_path / "hooks", "10-mark", f'touch {tmp_path}/ran-"$1"')
    stray = write_program(hooks / "20-veto", "exit 1")
    (hooks / "pre-strat").mkdir()
    daemon = daemon_of_two(make_daemon, tmp_path, hooks={"directory": str(hooks)}, recovery={"settle": "100ms"},
                           discovery={"resync_interval": "1s"})
    texts = {each["subject"]: each["text"] for each in daemon.api.list("problems") if each["kind"] == "program-unusable"}
    assert set(texts) == {f"hooks.directory: {stray}", f"hooks.directory: {hooks}/pre-strat"}
    assert "pre-start, pre-failover" in texts[f"hooks.directory: {stray}"]
    assert "nothing is started" in texts[f"hooks.directory: {stray}"]
    assert "no event has this name" in texts[f"hooks.directory: {hooks}/pre-strat"]
    daemon.api.drill("web", anyway=True)
    record = daemon.wait_for_recovery("web")
    assert record["outcome"] == "exhausted" and "20-veto: not run: it stands beside" in record["attempts"][0]["error"]
    wait_until((tmp_path / "ran-exhausted").exists, "what cannot veto is run all the same")
    assert not (tmp_path / "ran-pre-start").exists()
    stray.chmod(0o644)  # still a problem, and no veto any more
    daemon.ctl("recover", "web")
    wait_until(lambda: "recovered" in {each["outcome"] for each in daemon.api.recoveries()}, "web is recovered")
    assert (tmp_path / "ran-pre-start").exists()
    stray.unlink()
    (hooks / "pre-strat").rmdir()
    wait_until(lambda: "program-unusable" not in {each["kind"] for each in daemon.api.list("problems")}, "they are over")


@pytest.mark.testdriver
def test_a_veto_that_cannot_be_run_blocks_starts_and_is_told_before(make_daemon, tmp_path):
    """It was passed over, and what it was to keep off was started; that of another event still is."""
    hooks = write_hooks(tmp_path / "hooks", "10-veto", "exit 1")
    for event in ("pre-start", "recovered"):
        (hooks / event / "10-veto").chmod(0o775)
    daemon = daemon_of_two(make_daemon, tmp_path, hooks={"directory": str(hooks)}, recovery={"settle": "100ms"})
    texts = {each["subject"]: each["text"] for each in daemon.api.list("problems") if each["kind"] == "program-unusable"}
    assert "NOTHING is started" in texts[f"hooks.directory: {hooks}/pre-start/10-veto"]
    assert "it is passed over" in texts[f"hooks.directory: {hooks}/recovered/10-veto"]
    daemon.api.drill("web", anyway=True)
    record = daemon.wait_for_recovery("web")
    assert record["outcome"] == "exhausted"
    assert "10-veto: not run: writable by other users" in record["attempts"][0]["error"]
    (hooks / "pre-start/10-veto").chmod(0o644)  # switched off, as for run-parts
    daemon.ctl("recover", "web")
    wait_until(lambda: "recovered" in {each["outcome"] for each in daemon.api.recoveries()}, "web is recovered")
    assert "recovered hook 10-veto: not run: writable by other users" in daemon.log


@pytest.mark.testdriver
def test_a_check_that_cannot_be_run_is_told_once_of_a_recovery(make_daemon, tmp_path):
    """Each of its polls was an error in the journal."""
    verify = {"level": "command", "command": str(tmp_path / "nosuch"), "interval": "100ms", "timeout": "1s"}
    daemon = daemon_of_two(make_daemon, tmp_path, recovery={"settle": "100ms", "verify": verify})
    daemon.api.drill("web", anyway=True)
    assert daemon.wait_for_recovery("web")["outcome"] == "recovered"
    assert daemon.log.count("error: nosuch: ") + daemon.log.count(f"error: {tmp_path}/nosuch: ") == 1
