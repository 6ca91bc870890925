# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Each set of tests/prepare.sh has every package that the steps which install it use: tried on a bare system, where
nothing else is. tests/first_hour.sh tries much more, and takes long.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import container as containers
from steps import SOURCE


def install_commands():
    """Those of the README's Install that build the package: what comes before the first sudo."""
    lines = (SOURCE / "README.md").read_text().split("## Install\n\n", 1)[1].splitlines()
    commands = [line.strip() for line in lines[:lines.index("")]]
    return commands[:next(i for i, command in enumerate(commands) if command.startswith("sudo"))]


class BareSystem:
    """The smallest system of this machine's release, with a copy of the source in /srv/understudy."""

    def __init__(self, root):
        self._root = root
        containers.run_command("mmdebstrap", "--quiet", "--variant=minbase", containers.own_release(), str(root), timeout=900)
        shutil.copytree(SOURCE, root / "srv/understudy", ignore=shutil.ignore_patterns("build", ".git"))

    def run(self, script, has_network=False):
        network = ["--resolv-conf=copy-host"] if has_network else ["--private-network"]
        done = subprocess.run(["systemd-nspawn", "-q", "-D", str(self._root), "--register=no", "--keep-unit", "--pipe",
                               *network, "--chdir=/srv/understudy", "sh", "-c", script],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def prepare(self, which):
        self.run(f"sh tests/prepare.sh {which}", has_network=True)


@pytest.fixture
def bare_system():
    reason = containers.missing()
    if reason is not None:
        pytest.skip(reason)
    home = Path(tempfile.mkdtemp(prefix="us-bare-"))
    try:
        with containers.memory_at(home, "4g"):
            try:
                system = BareSystem(home / "root")
            except containers.Unavailable as unavailable:
                pytest.skip(str(unavailable))
            yield system
    finally:
        home.rmdir()


def test_each_set_of_packages_suffices_for_its_steps(bare_system):
    prepare, *build = install_commands()
    assert prepare == "sh tests/prepare.sh build"
    bare_system.prepare("build")
    for command in build:
        bare_system.run(command)
    bare_system.run("test -e build/default/understudy_*.deb")
    bare_system.prepare("test")
    bare_system.run("cmake --preset default -DBUILD_TESTING=ON && cmake --build --preset default --target test_diag")
    bare_system.run("ctest --test-dir build/default --no-tests=error -R unit/test_diag && UNDERSTUDY_BUILD=default "
                    "python3 -m pytest -q -p no:cacheprovider tests/e2e/test_drill.py")
    bare_system.prepare("all")
    missing = bare_system.run("cd tests/e2e && PYTHONPATH=.:service python3 -c "
                              "'import container; from harness import host; print(host.missing(), container.missing())'")
    assert missing == "None None\n"
