# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk to which the daemon writes does not answer: a write to a frozen file system waits until it is thawed."""

import contextlib
import json
import os
import subprocess

import pytest
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}


class Disk:
    def __init__(self, host, image, directory):
        self._host = host
        self._image = image
        self._device = ""
        self.directory = directory

    def _run(self, *command, **options):
        return subprocess.run(self._host.command(*command), capture_output=True, text=True, **options)

    def mount(self):
        """The host has no loop devices of its own. Returns what is wrong, or nothing."""
        self._run("truncate", "-s", "16M", self._image, check=True)
        self._run("mkfs.ext4", "-q", self._image, check=True)
        self.directory.mkdir()
        attached = subprocess.run(["losetup", "--find", "--show", self._image], capture_output=True, text=True)
        self._device = attached.stdout.strip()
        if attached.returncode != 0:
            return attached.stderr
        number = os.stat(self._device).st_rdev
        node = self._image.with_suffix(".node")
        self._run("mknod", node, "b", str(os.major(number)), str(os.minor(number)), check=True)
        return self._run("mount", node, self.directory).stderr

    def unmount(self):
        """Also where it was not mounted."""
        self._run("umount", self.directory)
        if self._device:
            subprocess.run(["losetup", "--detach", self._device], check=True)

    def has(self, name):
        """The disk is mounted where the daemon sees it, and not here."""
        return self._run("test", "-e", self.directory / name).returncode == 0

    @contextlib.contextmanager
    def frozen(self):
        self._run("fsfreeze", "-f", self.directory, check=True)
        try:
            yield
        finally:
            self._run("fsfreeze", "-u", self.directory, check=True)


@pytest.fixture
def disk(host, tmp_path):
    disk = Disk(host, tmp_path / "disk.img", tmp_path / "state")
    try:
        wrong = disk.mount()
        if wrong:
            pytest.skip(f"no image of a disk can be mounted: {wrong.strip()}")
        yield disk
    finally:
        disk.unmount()


def test_a_machine_that_dies_meanwhile_is_recovered_and_written_down_later(host, daemon_on, disk):
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(state_dir=str(disk.directory), recovery={"settle": "200ms", "call_timeout": "2s"})
    with disk.frozen():
        host.kill_qemu("vm-a")
        record = daemon.wait_for_recovery("vm-a")
        assert (record["outcome"], record["replacement"], record["unrecorded"]) == ("recovered", "vm-standby", True)
        assert "the disk has not answered" in daemon.events.wait_for("store-failed")["text"]
        assert daemon.events.wait_for("problem-begun")["text"].startswith("store-fails: ")
        page = daemon.api.get("/metrics")
        assert "\nunderstudy_store_up 0\n" in page and "\nunderstudy_store_errors_total 0\n" not in page
        assert '\nunderstudy_queue_length{queue="store-rows"} 0\n' not in page
    daemon.events.wait_for("store-works")
    daemon.stop()
    daemon.start()
    assert [(kept["id"], kept["outcome"]) for kept in daemon.api.recoveries()] == [(record["id"], "recovered")]


def test_sigterm_is_obeyed_and_what_is_lost_is_said(host, daemon_on, disk):
    """The kernel keeps the process until the disk answers; the daemon itself has done all that it can."""
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(state_dir=str(disk.directory))
    with disk.frozen():
        host.kill_qemu("vm-a")
        daemon.events.wait_for("failure-detected")
        daemon.signal(15)
        wait_until(lambda: "the disk of state_dir does not answer" in daemon.log, "the log says what is lost")
    daemon.check_end()


def test_a_start_waits_for_it_and_answers_meanwhile(host, daemon_on, disk):
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(state_dir=str(disk.directory))
    daemon.ctl("hold", "vm-a", "--for", "1h")
    daemon.stop()
    with disk.frozen():
        daemon.start(wait=False)
        daemon.wait_until_listening()
        assert json.loads(daemon.ctl("status", "--json").stdout)["ready"] is False
        assert "waits for the disk of state_dir" in daemon.ctl("hold", "vm-standby", check=False).stderr
        wait_until(lambda: "no machine is watched" in daemon.ctl("check", check=False).stdout, "it is a problem")
    daemon.wait_until_ready()
    assert "vm-a" in daemon.ctl("holds").stdout


def test_sigterm_is_obeyed_while_a_start_waits_for_it(host, daemon_on, disk):
    daemon = daemon_on(state_dir=str(disk.directory))
    daemon.stop()
    with disk.frozen():
        daemon.start(wait=False)
        daemon.wait_until_listening()
        daemon.signal(15)
        wait_until(lambda: "the disk of state_dir does not answer" in daemon.log, "the daemon ends")
    daemon.check_end()


def test_metrics_that_cannot_be_written_to_their_file_hold_up_nothing(host, daemon_on, disk):
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)
    written = disk.directory / "understudy.prom"
    daemon = daemon_on(metrics={"textfile": str(written)})
    wait_until(lambda: disk.has(written.name), "the metrics are written")

    def says(number):
        return f'understudy_problems{{kind="textfile-not-written",severity="1"}} {number}\n' in daemon.api.get("/metrics")
    with disk.frozen():
        wait_until(lambda: says(1), "that is a problem", 60)  # the next write is begun, and is waited for
        assert f"{written}: the disk does not answer" in daemon.log
        host.kill_qemu("vm-a")
        assert daemon.wait_for_recovery("vm-a")["outcome"] == "recovered"
    wait_until(lambda: says(0), "that is a problem no more")
