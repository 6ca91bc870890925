# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demo, as a visitor runs it. On libvirt's test driver, without privileges."""

import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest

from harness.daemon import SANITIZER_REPORT, SOURCE, build_directory, environment
from harness.waiting import wait_until

DEMO = SOURCE / "conf/demo/demo.sh"
pytestmark = [pytest.mark.testdriver, pytest.mark.skipif(not DEMO.exists(), reason="there is no demo")]


def demo_environment(directory, **more):
    return environment(UNDERSTUDY_BUILD=str(build_directory()), TMPDIR=str(directory), **more)


def test_demo(tmp_path):
    done = subprocess.run(["sh", str(DEMO)], capture_output=True, text=True, cwd=tmp_path, env=demo_environment(tmp_path),
                          stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VM-005" in done.stdout
    assert not SANITIZER_REPORT.search(done.stderr)
    assert list(tmp_path.iterdir()) == []  # it cleans up


@pytest.fixture
def staying(tmp_path, port):
    """The demo that stays, in a process group of its own."""
    demo = subprocess.Popen(["sh", str(DEMO), "--stay"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
                            env=demo_environment(tmp_path, UNDERSTUDY_DEMO_PORT=str(port), UNDERSTUDY_DEMO_SECONDS="0.1"),
                            stdin=subprocess.DEVNULL, start_new_session=True)
    yield demo
    if demo.poll() is None:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()
    demo.stdout.close()


def ask(port, name):
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/v1/{name}") as answer:
            return json.load(answer)[name]
    except OSError:
        return []


def test_demo_that_stays(staying, port, tmp_path):
    """Every scene takes place, also when they come round again."""
    recovered = wait_until(lambda: len([each for each in ask(port, "recoveries") if each["outcome"] == "recovered"]) >= 14,
                           "machines fail and are replaced", 60)
    assert recovered and len(ask(port, "machines")) == 40 and len(ask(port, "hypervisors")) == 3
    os.killpg(staying.pid, signal.SIGINT)  # Ctrl-C
    said, _ = staying.communicate(timeout=30)
    assert staying.returncode == 0, said
    assert f"http://localhost:{port}/" in said and "web-1 crashes" in said
    assert "(understudyctl:" not in said, said  # no scene was refused
    assert not SANITIZER_REPORT.search(said)
    assert list(tmp_path.iterdir()) == []


def test_demo_that_is_ended_by_another_program(staying, port, tmp_path):
    wait_until(lambda: ask(port, "machines"), "the dashboard answers", 60)
    staying.terminate()
    said, _ = staying.communicate(timeout=30)
    assert staying.returncode == 143, said
    assert list(tmp_path.iterdir()) == []


def test_demo_whose_port_is_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(["sh", str(DEMO), "--stay"], capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL,
                              env=demo_environment(tmp_path, UNDERSTUDY_DEMO_PORT=str(port)), timeout=60)
    assert done.returncode == 1 and f"port {port} is taken; choose another: UNDERSTUDY_DEMO_PORT=" in done.stderr
    assert list(tmp_path.iterdir()) == []
