# SPDX-License-Identifier: LGPL-2.1-or-later
"""Problems that begin and end: what is valid and surely not meant, and what would make the next recovery fail."""

import os
import shutil
import socket
import subprocess

import pytest
from harness.daemon import SANITIZER_REPORT, environment, launcher, program
from harness.domain import disk_xml
from harness.testdriver import machine_xml, write_node
from harness.waiting import wait_until

WEB = {"language": "nodejs", "database": "mysql"}


def problems(daemon):
    return {(each["kind"], each["subject"]): each["text"] for each in daemon.api.list("problems")}


def check_configuration(daemon, *more):
    """understudyd --check of the file that the daemon has read, or will read."""
    done = subprocess.run([*launcher(), str(program("understudyd")), "--check", *more, "--config", str(daemon.config_file)],
                          capture_output=True, text=True, env=environment(), timeout=30)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done


@pytest.mark.testdriver
def test_what_is_surely_not_meant_is_told_until_it_is_mended(make_daemon, tmp_path):
    """Patterns of other languages, facts of no machine, misspelt kinds: "ready", and nothing was as it was meant."""
    hypervisors = [{"name": "room", "uri": write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])}]
    similarity = {"weights": {"environment": {}, "resource": {"database": 0.2, "language": 0.3}}}
    daemon = make_daemon(hypervisors=hypervisors,
                         pool={"protect": ["web", "web-{1,2}"], "standby": ["spare"], "ignore": ["^VM.*$"]},
                         machines={"wbe": {"os": "debian-12"}, "web": {"role": "protected"}, "spare": {"databse": "mysql"}},
                         similarity={**similarity, "must_cover": ["databse", "database"]}).start()
    found = problems(daemon)
    assert set(found) == {("pattern-unmatched", "pool.protect: web-{1,2}"), ("pattern-unmatched", "pool.ignore: ^VM.*$"),
                          ("facts-unmatched", "wbe"), ("kind-doubtful", "machines: web: role"),
                          ("kind-doubtful", "machines: spare: databse"), ("kind-doubtful", "similarity.must_cover: databse")}
    assert "database may be meant" in found["kind-doubtful", "similarity.must_cover: databse"]
    assert daemon.ctl("check", check=False).returncode == 1
    wait_until(lambda: "web-{1,2}, which matches no machine" in daemon.log, "the problem is told")

    done = check_configuration(daemon)
    assert done.returncode == 0 and done.stdout.endswith(": ok\n")
    for _, text in found.items():
        assert f"{daemon.config_file}: warning: {text}; " in done.stderr, done.stderr
    assert check_configuration(daemon, "--strict").returncode == 1

    events = daemon.events
    daemon.configure(hypervisors=hypervisors, pool={"protect": ["web"], "standby": ["spare"]}, similarity=similarity)
    done = check_configuration(daemon, "--strict")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    daemon.ctl("reload")
    assert problems(daemon) == {}
    assert events.wait_for("problem-ended")["text"].startswith("over: ")


@pytest.mark.testdriver
def test_check_tells_without_a_daemon_what_needs_no_machines(make_daemon, tmp_path):
    hypervisors = [{"name": "room", "uri": write_node(tmp_path / "node.xml", {"web": WEB})}]
    daemon = make_daemon(hypervisors=hypervisors, pool={"protect": ["nosuch", "web-{1,2}"]},
                         similarity={"must_cover": ["databse"]})
    done = check_configuration(daemon)
    assert done.returncode == 0 and "nosuch" not in done.stderr
    assert "pool.protect names web-{1,2}, which is no valid pattern" in done.stderr
    assert "must_cover names databse: the kind databse is not known; database may be meant" in done.stderr
    assert check_configuration(daemon, "--strict").returncode == 1
    with socket.socket(socket.AF_UNIX) as waiting:  # as systemd would, which starts the daemon for whoever connects
        waiting.bind(str(daemon.config_file.parent / "api.sock"))
        waiting.listen()
        waiting.settimeout(0)
        assert check_configuration(daemon).returncode == 0
        with pytest.raises(BlockingIOError):
            waiting.accept()
    daemon.start()
    assert "pool.protect names nosuch, which matches no machine" in check_configuration(daemon).stderr
    daemon.config_file.write_text("hypervisors: no\n")
    done = check_configuration(daemon)
    assert done.returncode == 1 and "matches no machine" not in done.stderr and "note:" not in done.stderr


@pytest.mark.testdriver
def test_a_daemon_that_cannot_be_asked_is_named(make_daemon, tmp_path):
    """It takes only so much: what follows from its machines is not taken for well then."""
    hypervisors = [{"name": "room", "uri": write_node(tmp_path / "node.xml", {"web": WEB})}]
    daemon = make_daemon(hypervisors=hypervisors).start()
    daemon.configure(hypervisors=hypervisors, machines={f"vm-{number}": {"os": "x" * 100} for number in range(5000)})
    done = check_configuration(daemon)
    assert done.returncode == 0
    assert "note: not compared with the machines that there are: understudyd cannot be asked: " in done.stderr


@pytest.mark.testdriver
def test_a_machine_whose_role_cannot_be_read_takes_no_part(make_daemon, tmp_path):
    """It had the role of the patterns, as if its metadata gave none."""
    path = tmp_path / "node.xml"
    path.write_text("<node>" + machine_xml("web", WEB, running=True, role="protcted") + machine_xml("spare", WEB)
                    + machine_xml("other", WEB, running=True) + "</node>")
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": f"test://{path}"}],
                         pool={"protect": ["web", "other"], "standby": ["spare"]}).start()
    text = problems(daemon)["metadata-unread", "web"]
    assert text.startswith("web takes no part until the role in its metadata can be read: ") and "protcted" in text
    assert daemon.api.machine("web")["roles"] == ["unreadable"]
    assert [each["name"] for each in daemon.api.list("services")] == ["other"]
    daemon.ctl("tag", "web", "--role", "protected")
    wait_until(lambda: ("metadata-unread", "web") not in problems(daemon), "the problem is over")
    assert daemon.api.machine("web")["roles"] == ["protected"]
    daemon.api.drill("web", anyway=True)
    assert daemon.wait_for_recovery("web")["outcome"] == "recovered"


@pytest.mark.testdriver
def test_programs_that_cannot_be_run_are_told_while_it_is_so(make_daemon, tmp_path):
    """Mistyped, or made unusable by an update: found in the night in which they were needed."""
    hooks = tmp_path / "hooks.d"
    (hooks / "recovered").mkdir(mode=0o755, parents=True)
    (hooks / "recovered/10-tell").write_text("#!/bin/sh\n")
    (hooks / "recovered/10-tell").chmod(0o755)
    fence = tmp_path / "fence_x"
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["spare"]},
                         hooks={"directory": str(hooks)}, fence={"command": str(fence)},
                         discovery={"resync_interval": "1s"}).start()
    assert set(problems(daemon)) == {("program-unusable", f"fence.command: {fence}")}
    fence.write_text("#!/bin/sh\n")
    fence.chmod(0o755)
    assert problems(daemon) == {}
    told = f"program-unusable: hooks.directory: {hooks}/recovered/10-tell is not run: not executable"
    (hooks / "recovered/10-tell").chmod(0o644)  # no event of libvirt comes with that
    wait_until(lambda: f"warning: {told}" in daemon.log, "the hook is told")
    (hooks / "recovered/10-tell").chmod(0o755)
    wait_until(lambda: f"over: {told}" in daemon.log, "the hook is well")
    daemon.configure(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["spare"]},
                     hooks={"directory": str(hooks)}, recovery={"verify": {"level": "command", "command": "/nosuch"}})
    daemon.ctl("reload")  # from now on, every minute
    wait_until(lambda: "warning: program-unusable: recovery.verify.command: /nosuch" in daemon.log, "the command is told")


@pytest.mark.testdriver
def test_a_template_that_is_wrong_is_told_and_stops_nothing(make_daemon, tmp_path):
    shared, own = tmp_path / "templates.d", tmp_path / "room.d"
    shared.mkdir()
    own.mkdir()
    (shared / "good.xml").write_text("<domain type='test'><memory>1024</memory></domain>")
    (shared / "bad.xml").write_text("<domain type='test'>\n<memory>1024</memory>\n<devices>\n<disk type='block'>"
                                    "<source dev='/dev/vg/web'/><target dev='vda'/></disk></devices></domain>")
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    parts = {"hypervisors": [{"name": "room", "uri": uri, "templates": str(own)}],
             "pool": {"protect": ["web"], "standby": ["spare"], "templates": str(shared)}}
    daemon = make_daemon(**parts).start()
    found = problems(daemon)
    assert set(found) == {("template-unreadable", f"{shared}/bad.xml")}
    assert found["template-unreadable", f"{shared}/bad.xml"].startswith(f"{shared}/bad.xml:4: disk vda is of type block")
    checked = check_configuration(daemon)
    assert checked.returncode == 0 and f"{shared}/bad.xml:4: warning: disk vda" in checked.stderr
    assert check_configuration(daemon, "--strict").returncode == 1
    (shared / "bad.xml").unlink()
    (own / "worse.xml").write_text("<domain")
    daemon.ctl("reload")
    assert set(problems(daemon)) == {("template-unreadable", f"{own}/worse.xml")}
    (own / "worse.xml").unlink()
    daemon.ctl("reload")
    assert problems(daemon) == {}
    assert "over: template-unreadable: " in daemon.log
    assert check_configuration(daemon, "--strict").returncode == 0


@pytest.mark.testdriver
def test_a_store_that_does_not_write_any_more_is_told_before_it_is_needed(make_daemon, tmp_path):
    """It was ready until the first crash."""
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["spare"]},
                         discovery={"resync_interval": "1s"}).start()
    state = daemon.config_file.parent / "state"
    assert problems(daemon) == {}
    events = daemon.events
    shutil.rmtree(state)
    assert events.wait_for("problem-begun")["text"].startswith("store-fails: what happens cannot be written down: ")
    assert daemon.ctl("check", check=False).returncode == 2
    state.mkdir()
    assert events.wait_for("problem-ended")["text"].startswith("over: store-fails: ")


@pytest.mark.testdriver
def test_two_daemons_on_one_state_directory(make_daemon, tmp_path):
    """The second began to work as well, and each overwrote what the other knew."""
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    first = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    second = make_daemon(hypervisors=[{"name": "room", "uri": uri}], state_dir=str(first.config_file.parent / "state"))
    done = subprocess.run([*launcher(), str(program("understudyd")), "--config", str(second.config_file)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=30)
    assert done.returncode == 1 and "another understudyd uses this directory" in done.stderr, done.stderr
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    assert first.is_running()
    first.kill()
    second.start()


def test_a_host_without_the_rights_that_acting_needs(host, daemon_on):
    """A read-only connection was as good as any other, until a machine was to be started."""
    host.define("web", resources=WEB)
    uri = "qemu+unix:///system?socket=/run/libvirt/libvirt-sock"
    daemon = daemon_on(hypervisors=[{"name": "room", "uri": f"{uri}-ro"}], pool={"protect": ["web"], "standby": ["web"]})
    found = problems(daemon)
    assert set(found) == {("host-read-only", "room")}, found
    daemon.configure(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["web"]})
    daemon.ctl("reload")
    wait_until(lambda: problems(daemon) == {}, "the problem is over")


def test_a_machine_whose_disk_is_not_there(host, daemon_on):
    image = host.home / "spare.img"
    host.define("spare", resources=WEB, devices=disk_xml(image, "vda"))
    daemon = daemon_on(discovery={"resync_interval": "1s"})
    wait_until(lambda: problems(daemon).get(("disk-missing", "spare")), "the disk is missed")
    assert f"its disk {image} is not there" in problems(daemon)["disk-missing", "spare"]
    image.touch()
    os.truncate(image, 1 << 20)
    daemon.kill()
    daemon.start()  # which asks at once
    size = (1 << 20) + host.image("spare").stat().st_size
    wait_until(lambda: daemon.api.machine("spare")["environment"]["disk_bytes"] == size, "the disks are known")
    assert ("disk-missing", "spare") not in problems(daemon)
