# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that accepts every connection and never says a word, or does so from some moment on."""

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


class Relay(Silent):
    """A TCP port behind which a Unix socket is, until it falls silent: nothing that is sent from then on arrives."""

    def __init__(self, path):
        self._path = path
        self._speaks = threading.Event()
        self._speaks.set()
        self._pumps = []
        super().__init__()

    def fall_silent(self):
        self._speaks.clear()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self._clients.append(client)
            if not self._speaks.is_set():
                continue
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(str(self._path))
            self._clients.append(server)
            for source, to in ((client, server), (server, client)):
                self._pumps.append(threading.Thread(target=self._pump, args=(source, to), daemon=True))
                self._pumps[-1].start()

    def _pump(self, source, to):
        try:
            while (data := source.recv(1 << 16)) and self._speaks.is_set():
                to.sendall(data)
            if self._speaks.is_set():
                to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.fall_silent()
        for client in self._clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for pump in self._pumps:
            pump.join()
        super().close()
