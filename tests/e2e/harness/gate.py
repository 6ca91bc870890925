# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program for the daemon to run that stops where a test wants it to: hooks, and the command that verifies."""

from .waiting import wait_until


def write_program(path, script):
    """Makes an executable shell script, its directory included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


EVENTS = ("pre-start", "pre-failover", "pre-stop", "post-start", "recovered", "exhausted", "host-lost", "fence-failed",
          "both-run")


def write_hooks(directory, name, script, events=EVENTS):
    """Makes one hook for these events, whose first argument tells them apart. Returns what hooks.directory is to be."""
    for event in events:
        write_program(directory / event / name, script)
    return directory


class Gate:
    """
    While it is armed, the next run of the program (for this event, where one is named) stops in it until the gate is
    opened; every other run goes through.
    """

    def __init__(self, directory, program):
        directory.mkdir()
        self._armed, self._reached, self._open = (directory / name for name in ("armed", "reached", "open"))
        self.program = write_program(program, f'rm {self._armed} 2>/dev/null || rm {self._armed}-"$1" 2>/dev/null || exit 0\n'
                                              f"touch {self._reached}\n"
                                              f"until [ -e {self._open} ]; do sleep 0.02; done")

    def arm(self, event=None):
        for mark in (self._reached, self._open):
            mark.unlink(missing_ok=True)
        (self._armed if event is None else self._armed.with_name(f"armed-{event}")).touch()

    def wait_until_reached(self):
        wait_until(self._reached.exists, f"{self.program} is run")

    def open(self):
        self._open.touch()
