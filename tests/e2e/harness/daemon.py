# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon under test: started with a configuration, followed, and checked when it ends."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

from .api import ENDINGS, Api, EventStream
from .domain import uuid_of
from .waiting import PATIENCE_S, NotifySocket, wait_until

SOURCE = Path(__file__).resolve().parent.parent.parent.parent
SANITIZER_REPORT = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:")
LOCAL = [{"name": "local", "uri": "qemu:///system"}]


def build_directory():
    """UNDERSTUDY_BUILD: a build directory, or the name of a preset."""
    chosen = os.environ.get("UNDERSTUDY_BUILD", "asan")
    return Path(chosen) if "/" in chosen else SOURCE / "build" / chosen


def program(name):
    path = build_directory() / "bin" / name
    assert path.exists(), f"{path} is not built"
    return path


def launcher():
    """What must stand before a program of this build: the thread sanitizer wants its memory where it expects it."""
    uses_tsan = b"libtsan" in subprocess.run(["ldd", str(program("understudyd"))], capture_output=True).stdout
    return ["setarch", "-R"] if uses_tsan else []


def environment(**more):
    suppressions = SOURCE / "tests/tsan.supp"
    leaks = SOURCE / "tests/lsan.supp"
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions='{leaks}':print_suppressions=0", "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": f"suppressions='{suppressions}'" if suppressions.exists() else "", **more}


def configuration(directory, hypervisors=LOCAL, **sections):
    """
    A configuration for tests: every machine is protected and stands by, quick to settle, comparing resources only.
    sections override whole sections, but for the socket.
    """
    api = {"socket": str(directory / "api.sock"), **sections.pop("api", {})}
    return {
        "state_dir": str(directory / "state"),
        "api": api,
        "hypervisors": hypervisors,
        "pool": {"protect": ["*"], "standby": ["*"]},
        "similarity": {
            "weights": {"environment": {}, "resource": {"database": 0.2, "language": 0.3, "webserver": 0.1}},
        },
        "recovery": {"settle": "200ms"},
        "discovery": {"reconnect_max": "200ms"},
        **sections,
    }


class Daemon:
    """host: in whose namespace it runs; None: beside the tests. config: as of configuration()."""

    def __init__(self, directory, host=None, **config):
        self._directory = directory
        self._host = host
        self._process = None
        self._events = None
        self.log_file = directory / "daemon.log"
        self.config_file = directory / "understudy.yaml"
        (directory / "state").mkdir(exist_ok=True)
        self.configure(**config)
        self._notify = NotifySocket(directory / "notify")
        self.api = Api(directory / "api.sock")

    # Its life

    def configure(self, **config):
        """Writes the configuration file; YAML takes JSON as it is."""
        self.config_file.write_text(json.dumps(configuration(self._directory, **config), indent=2))

    def start(self, wait=True, dies_at=None):
        """dies_at: as of tests/e2e/preload/die_at.c."""
        self._notify.forget()
        command = [*launcher(), str(program("understudyd")), "--config", str(self.config_file)]
        variables = environment(NOTIFY_SOCKET=str(self._notify.path))
        if dies_at is not None:
            variables |= {"DIE_AT": dies_at, "LD_PRELOAD": str(build_directory() / "lib/die_at.so"),
                          "ASAN_OPTIONS": variables["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
        options = {"stdin": subprocess.DEVNULL, "env": variables}
        with open(self.log_file, "ab") as log:
            if self._host is not None:
                self._process = self._host.spawn(*command, stdout=log, stderr=log, **options)
            else:
                # Should the tests be killed, it goes with them.
                self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log,
                                                 start_new_session=True, **options)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds=PATIENCE_S):
        self._notify.wait_for("READY=1", self._check_alive, seconds)

    def wait_until_listening(self):
        """The control interface answers, ready or not."""
        def answers():
            self._check_alive()
            try:
                return self.api.status()
            except (FileNotFoundError, ConnectionRefusedError):
                return None
        wait_until(answers, "the control interface answers")

    def wait_until_notified(self, assignment):
        self._notify.wait_for(assignment, self._check_alive)

    def forget_notifications(self):
        self._notify.forget()

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def _check_alive(self):
        if self._process.poll() is not None:
            raise AssertionError(f"understudyd ended:\n{self.log}")

    def signal(self, number):
        self._process.signal(number) if self._host is not None else self._process.send_signal(number)

    def resume(self):
        """After SIGSTOP."""
        self._process.resume() if self._host is not None else self._process.send_signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL: what a daemon must survive."""
        self._forget_events()
        self.signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)

    def wait_until_killed(self):
        self._forget_events()
        assert self._process.wait(PATIENCE_S) in (-signal.SIGKILL, 128 + signal.SIGKILL), self.log

    def stop(self):
        self._forget_events()
        self.signal(signal.SIGTERM)
        self.check_end()

    def lose_state(self):
        """While it does not run: what it has stored is gone."""
        shutil.rmtree(self._directory / "state")
        (self._directory / "state").mkdir()

    def check_end(self):
        """After SIGTERM it must end with success, soon, and without a complaint of a sanitizer."""
        code = self._process.wait(PATIENCE_S)
        assert code == 0, f"understudyd ended with {code}:\n{self.log}"
        assert not SANITIZER_REPORT.search(self.log), self.log

    def close(self):
        """At the end of a test."""
        try:
            if self.is_running():
                self.stop()
            assert not SANITIZER_REPORT.search(self.log), self.log
        finally:
            if self.is_running():
                self.kill()
            self._forget_events()
            self._notify.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # What it tells

    @property
    def events(self):
        if self._events is None:
            self._events = EventStream(self._directory / "api.sock")
        return self._events

    def _forget_events(self):
        if self._events is not None:
            self._events.close()
            self._events = None

    def wait_for_recovery(self, failed, times=1, seconds=PATIENCE_S):
        """The record of the n-th recovery of this machine, once it has ended."""
        ending = self.events.wait_for(ENDINGS, failed, seconds, times)
        return next(record for record in self.api.recoveries() if record["id"] == ending["recovery"])

    def wait_for_machine(self, name, **fields):
        """Waits until the machine is known with these fields, such as state="paused"."""
        def matches():
            machine = self.api.machines().get(name)
            return machine if machine and all(machine[key] == value for key, value in fields.items()) else None
        return wait_until(matches, f"the control interface shows {name} with {fields}")

    def database(self, mode="rw"):
        """What it has stored, to be used in a with statement."""
        return contextlib.closing(sqlite3.connect(f"file:{self._directory}/state/understudy.db?mode={mode}", uri=True))

    def wait_until_stored(self, name, state):
        """Waits until it is on disk that the machine was last seen in this state."""
        def is_stored():
            with self.database("ro") as connection:
                rows = connection.execute("SELECT document FROM machines WHERE uuid = ?", (uuid_of(name),)).fetchall()
            return rows and json.loads(rows[0][0])["state"] == state
        wait_until(is_stored, f"{name} is stored as {state}")

    def wait_until_gone(self, name):
        wait_until(lambda: name not in self.api.machines(), f"the control interface no longer shows {name}")

    def ctl(self, *arguments, check=True):
        """Runs understudyctl, which is to succeed; explain says by 1 that nothing would take over."""
        command = [*launcher(), str(program("understudyctl")), "--socket", str(self._directory / "api.sock")]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment())
        assert not SANITIZER_REPORT.search(done.stderr), done.stderr
        if check:
            assert done.returncode in ((0, 1) if arguments[0] == "explain" else (0,)), f"{' '.join(arguments)}: {done.stderr}"
        return done
