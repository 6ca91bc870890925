# SPDX-License-Identifier: LGPL-2.1-or-later
"""The two sockets of the daemon without systemd's units, and those that are handed over; service/ has the groups."""

import contextlib
import os
import shlex
import socket
import stat
import subprocess

import pytest
from harness import testdriver
from harness.api import Api, Refused
from harness.daemon import environment, launcher, program

pytestmark = pytest.mark.testdriver


def run(*arguments):
    return subprocess.run([*launcher(), str(program("understudyctl")), *map(str, arguments)], capture_output=True, text=True,
                          env=environment(), timeout=30)


@pytest.fixture
def daemon(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}}, running=["web"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"]}).start()


def test_the_socket_that_reads_is_beside_the_other(daemon):
    directory = daemon.config_file.parent
    for name in ("api.sock", "api-ro.sock"):
        status = (directory / name).stat()
        assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o660
    reading = Api(directory / "api-ro.sock")
    assert reading.status()["ready"]
    with pytest.raises(Refused) as refused:
        reading.request("POST", "/v1/holds", {"target": "all"})
    assert refused.value.status == 403 and refused.value.answer["hint"] == \
        "use api.sock, which is for the group understudy-admin"
    assert reading.list("holds") == []
    done = run("hold", "all", "--socket", directory / "api-ro.sock")
    assert done.returncode == 4 and "nothing can be done on this socket, which only reads" in done.stderr
    daemon.stop()
    assert not (directory / "api.sock").exists() and not (directory / "api-ro.sock").exists()


def test_two_daemons_do_not_share_one_of_the_sockets(daemon, make_daemon):
    """The second one's first socket is where the first one only reads."""
    path = daemon.config_file.parent / "api-ro.sock"
    second = daemon.config_file.parent / "second.yaml"
    second.write_text(f'state_dir: {second.parent}/second\nhypervisors: [{{name: a, uri: "test:///default"}}]\n'
                      f"api: {{socket: {path}}}\n")
    (second.parent / "second").mkdir()
    done = subprocess.run([*launcher(), str(program("understudyd")), "--config", str(second)], capture_output=True, text=True,
                          env=environment(), timeout=30)
    assert done.returncode == 1 and f"cannot listen on {path}: another process is listening there" in done.stderr
    assert Api(path).status()["ready"]


@contextlib.contextmanager
def handed_over(directory, paths):
    """A daemon that gets a listening socket for each name, as by systemd, and its log file."""
    config, log = directory / "understudy.yaml", directory / "log"
    config.write_text(f'state_dir: {directory}\nhypervisors: [{{name: a, uri: "test:///default"}}]\n'
                      f"api: {{socket: {directory}/api.sock}}\n")
    command = shlex.join([*launcher(), str(program("understudyd")), "--config", str(config)])
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(log, "wb"))
        listening = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in paths]
        for each, path in zip(listening, paths.values()):
            each.bind(str(path))
            each.listen()

        def pass_on():
            for at, each in enumerate(listening):
                os.dup2(each.fileno(), 3 + at)

        # They come as descriptors from 3 on, as sd_listen_fds(3) wants it.
        daemon = subprocess.Popen(
            ["sh", "-c", f"LISTEN_FDS={len(paths)} LISTEN_FDNAMES={':'.join(paths)} LISTEN_PID=$$ exec {command}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(), preexec_fn=pass_on,
            pass_fds=range(3, 3 + len(paths)))
    try:
        yield daemon, log
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_sockets_that_are_handed_over_are_told_apart_by_their_names(tmp_path):
    paths = {"api-ro": tmp_path / "api-ro.sock", "api": tmp_path / "api.sock"}
    with handed_over(tmp_path, paths) as (_, log):
        assert run("status", "--wait", "--socket", paths["api"]).returncode == 0
        assert run("hold", "all", "--socket", paths["api"]).returncode == 0
        assert run("release", "all", "--socket", paths["api-ro"]).returncode == 4
        assert run("holds", "--socket", paths["api-ro"]).returncode == 0
    assert "listens elsewhere" not in log.read_text()


def test_sockets_elsewhere_than_the_configuration_says_are_warned_of(tmp_path):
    paths = {"api": tmp_path / "other.sock"}
    with handed_over(tmp_path, paths) as (_, log):
        assert run("status", "--wait", "--socket", paths["api"]).returncode == 0
    said = log.read_text()
    assert f"api.socket says {tmp_path}/api.sock, but understudyd.socket listens elsewhere" in said
    assert "understudyd-ro.socket is not active" in said


def test_a_socket_of_another_name_is_refused(tmp_path):
    """What its clients may do is not guessed: a unit that was copied from an earlier version gives it no name."""
    with handed_over(tmp_path, {"understudyd.socket": tmp_path / "api.sock"}) as (daemon, log):
        assert daemon.wait(30) == 1
    assert "FileDescriptorName= is neither api nor api-ro" in log.read_text()


def test_a_configuration_with_api_mode_is_refused_with_words(tmp_path):
    (tmp_path / "understudy.yaml").write_text('hypervisors: [{name: a, uri: "test:///default"}]\napi: {mode: 0660}\n')
    done = subprocess.run([*launcher(), str(program("understudyd")), "--check", "--config", str(tmp_path / "understudy.yaml")],
                          capture_output=True, text=True, env=environment(), timeout=30)
    assert done.returncode == 1
    assert "api.mode: there is no such key any more: remove it; the groups of the two sockets decide" in done.stderr
