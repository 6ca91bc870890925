# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that accepts every connection and never says a word."""

import socket
import threading


class Silent:
    """address: a path for a Unix socket, or None for a TCP port of this machine's own."""

    def __init__(self, address=None):
        if address is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(address))
            self._listener.listen()
        self._address = address
        self._clients = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self._listener.getsockname()[1]

    @property
    def accepted(self):
        """How many connections it has taken so far."""
        return len(self._clients)

    def _accept(self):
        while True:
            try:
                self._clients.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self):
        if self._address is not None:
            self._address.unlink()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for client in self._clients:
            client.close()
