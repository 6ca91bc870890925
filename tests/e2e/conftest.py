# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: the host with its private libvirtd, and daemons that are checked when they end."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import daemon as daemons  # noqa: E402
from harness import guests  # noqa: E402
from harness import host as hosts  # noqa: E402
from harness import ports  # noqa: E402

SOURCE = Path(__file__).resolve().parent.parent.parent


def pytest_configure():
    """SIGTERM ends the session as Ctrl-C does: with every fixture cleaned up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def cache():
    """Where guests are kept between runs."""
    path = Path(os.environ.get("UNDERSTUDY_GUEST_CACHE", SOURCE / "build/guests"))
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def short_tmp():
    """A directory whose name is short enough for Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="us-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def session_host(cache, short_tmp):
    reason = hosts.missing()
    if reason is not None:
        pytest.skip(reason)
    home = short_tmp / "host"
    home.mkdir()
    host = hosts.Host(home, cache)
    try:
        try:
            host.open()
        except guests.Unavailable as unavailable:
            pytest.skip(str(unavailable))
        yield host
    finally:
        host.close()


@pytest.fixture
def host(session_host):
    """A host with a running libvirtd and no machines."""
    yield session_host
    session_host.remove_machines()


@pytest.fixture
def port():
    """Of the loopback interface, on which nothing listens."""
    return ports.free_port()


@pytest.fixture
def make_daemon(short_tmp):
    """Makes daemons, not started yet; each is ended and checked after the test."""
    made = []

    def make(host=None, **config):
        directory = short_tmp / f"daemon-{len(made)}"
        directory.mkdir()
        made.append((daemons.Daemon(directory, host, **config), directory))
        return made[-1][0]

    yield make
    for daemon, directory in made:
        try:
            daemon.close()
        finally:
            print(f"--- what the daemon logged ---\n{daemon.log}")  # pytest shows it when the test failed
            shutil.rmtree(directory)


@pytest.fixture
def daemon_on(make_daemon, host):
    """Starts a daemon for the private libvirtd."""
    return lambda **config: make_daemon(host, **config).start()
