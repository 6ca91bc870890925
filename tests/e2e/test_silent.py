# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that accepts connections and is silent is tried for ever, by few threads, and is watched again when it answers."""

import shutil
from pathlib import Path

import pytest

from harness.certificates import make_certificates
from harness.silent import Silent
from harness.testdriver import write_node
from harness.waiting import wait_until

QUICK = {"settle": "200ms", "call_timeout": "200ms"}
# More than the 12 after which nothing was tried any more, and nothing said so.
ATTEMPTS = 20
THREADS_MORE = 4


@pytest.fixture
def silent():
    host = Silent()
    yield host
    host.close()


@pytest.fixture
def pki(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    make_certificates(tmp_path, "IP:127.0.0.1")
    return tmp_path


def threads(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/task").iterdir()))


def check_tried(daemon, silent):
    """It was tried long enough, by few threads, and that was said once."""
    wait_until(lambda: silent.accepted >= ATTEMPTS, f"it is tried {ATTEMPTS} times")
    assert threads(daemon) <= THREADS_MORE + 6
    assert daemon.log.count("warning: far: libvirt did not answer in time while connecting") == 1


def start(make_daemon, uri, tmp_path):
    here = write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}}, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "here", "uri": here}, {"name": "far", "uri": uri}], recovery=QUICK,
                         discovery={"reconnect_max": "100ms"})
    daemon.start(wait=False)
    daemon.wait_until_listening()
    return daemon


@pytest.mark.testdriver
@pytest.mark.parametrize("transport", ["tcp", "tls", "ssh"])
def test_silent_host_is_tried_for_ever(make_daemon, silent, tmp_path, transport, request):
    uri = f"qemu+{transport}://127.0.0.1:{silent.port}/system"
    if transport == "tls":
        uri += f"?pkipath={request.getfixturevalue('pki')}"
    if transport == "ssh" and shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    daemon = start(make_daemon, uri, tmp_path)
    check_tried(daemon, silent)


def test_silent_host_that_answers_again(make_daemon, host, tmp_path, short_tmp):
    """A libvirtd takes the place of what was silent; then it stops, with calls under way, and goes on."""
    path = short_tmp / "far.sock"
    silent = Silent(path)
    try:
        daemon = start(make_daemon, f"test+unix:///default?socket={path}", tmp_path)
        check_tried(daemon, silent)
    finally:
        silent.close()
    path.symlink_to(host.home / "run/libvirt/libvirt-sock")
    daemon.wait_until_ready()
    daemon.wait_for_machine("test", state="running", reachable=True)
    assert daemon.log.count("far: connected, 1 machine") == 1

    before = threads(daemon)
    for _ in range(5):
        host.pause_libvirtd()
        try:
            daemon.wait_for_machine("test", reachable=False)
            wait_until(lambda: threads(daemon) <= before + THREADS_MORE, "calls that hung are ended")
        finally:
            host.continue_libvirtd()
        daemon.wait_for_machine("test", state="running", reachable=True)
