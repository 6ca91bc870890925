# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deadlines. Nothing in the tests sleeps for a guessed time: it waits for something, or fails saying for what."""

import socket
import threading
import time

# Generous on purpose: it only costs time when a test fails, and sanitizers on a busy machine are slow.
PATIENCE_S = 30.0


class Deadline:
    def __init__(self, seconds=PATIENCE_S):
        self._end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self._end - time.monotonic())

    def passed(self):
        return self.left() == 0.0


def wait_until(condition, what, seconds=PATIENCE_S):
    """The first true value of condition(). For what sends no event: looks again every few milliseconds."""
    deadline = Deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        if deadline.passed():
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.01)


class NotifySocket:
    """What systemd listens on for a service of Type=notify. Like systemd it always reads: a sender never blocks."""

    def __init__(self, path):
        self.path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))
        self._received = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while message := self._socket.recv(65536):
            with self._news:
                self._received += message.decode().splitlines()
                self._news.notify_all()

    def wait_for(self, assignment, still_alive, seconds=PATIENCE_S):
        """Waits for a message such as READY=1; still_alive() is asked meanwhile and raises when it is in vain."""
        deadline = Deadline(seconds)
        with self._news:
            while assignment not in self._received:
                if not self._news.wait(0.1):
                    still_alive()
                assert not deadline.passed(), f"no {assignment} within {seconds:g} s; got {self._received}"

    def forget(self):
        with self._news:
            self._received.clear()

    def close(self):
        self._socket.shutdown(socket.SHUT_RD)  # recv returns nothing, and the reader ends
        self._reader.join()
        self._socket.close()
        self.path.unlink(missing_ok=True)
