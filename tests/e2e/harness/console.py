# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's serial console. QEMU connects to us, so each start of the guest is an event that cannot be missed."""

import select
import socket

from .waiting import PATIENCE_S, Deadline


class Console:
    """Listens at `path` for as long as the domain is defined; `boots` counts how often QEMU was started."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._listener.bind(str(path))
        path.chmod(0o777)
        self._listener.listen(16)
        self._connection = None
        self._boots = 0
        self.text = ""  # what the guest that runs now has said

    def _take(self, timeout):
        """Handles one new connection or one piece of output; False: nothing came in time."""
        sources = [self._listener] if self._connection is None else [self._connection]
        readable, _, _ = select.select(sources, [], [], timeout)
        if not readable:
            return False
        if readable[0] is self._listener:
            self._connection, _ = self._listener.accept()
            self._boots += 1
            return True
        try:
            data = self._connection.recv(65536)
        except ConnectionResetError:
            data = b""
        if data:
            self.text += data.decode(errors="replace")
        else:
            self._connection.close()
            self._connection = None
            self.text = ""
        return True

    def drain(self):
        """Takes the connections and the output that are there, without waiting."""
        while self._take(0):
            pass

    @property
    def boots(self):
        """How often its QEMU was started so far."""
        self.drain()
        return self._boots

    @property
    def is_connected(self):
        """A QEMU holds the other end."""
        self.drain()
        return self._connection is not None

    def wait_for(self, text, seconds=PATIENCE_S):
        """Waits until the guest that runs now, or the next one, has said `text`."""
        self.wait_for_condition(lambda: text in self.text, f"the guest says {text!r}", seconds)

    def says_within(self, text, seconds):
        """Whether its guest has said `text`, or does so in this time."""
        deadline = Deadline(seconds)
        self.drain()
        while text not in self.text:
            if not self._take(deadline.left()):
                return False
        return True

    def wait_for_condition(self, condition, what, seconds=PATIENCE_S):
        """Waits for something that only output of the guest can make true."""
        deadline = Deadline(seconds)
        self.drain()
        while not condition():
            if not self._take(deadline.left()):
                raise AssertionError(f"waited {seconds:g} s in vain until {what}; the console said {self.text!r}")

    def wait_for_end(self, seconds=PATIENCE_S):
        """Waits until QEMU is gone."""
        deadline = Deadline(seconds)
        while self._connection is not None or self._take(0):
            if not self._take(deadline.left()):
                raise AssertionError(f"QEMU still holds the console after {seconds:g} s")

    def say(self, text):
        self.drain()
        assert self._connection is not None, "the guest is not running"
        self._connection.sendall(text.encode())

    def close(self):
        if self._connection is not None:
            self._connection.close()
        self._listener.close()
