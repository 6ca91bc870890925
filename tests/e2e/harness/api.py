# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A client of the daemon's control interface: requests, and the stream of events. Every answer is held against conf/openapi.yaml.
"""

import http.client
import json
import os
import re
import select
import socket
from urllib.parse import quote

from . import contract
from .waiting import PATIENCE_S, Deadline

ENDINGS = ("recovered", "exhausted", "dismissed", "observed", "failed-while-held", "called-off")
IS_SANITIZED = os.environ.get("UNDERSTUDY_BUILD", "asan").endswith("san")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Refused(AssertionError):
    def __init__(self, status, answer):
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = answer


class Api:
    def __init__(self, path):
        self.path = path

    def request(self, method, target, body=None, seconds=2 * PATIENCE_S):
        """The parsed answer. Refused for any other status than 200."""
        try:
            return self._ask(method, target, body, seconds)
        except Refused as refused:
            # The allocator of GCC 12's address sanitizer is not made for fork: a copy of the daemon that was forked while
            # another thread allocated may wait for it until its time is up.
            if refused.status != 504 or not IS_SANITIZED:
                raise
            return self._ask(method, target, body, seconds)

    def _ask(self, method, target, body, seconds):
        connection = UnixConnection(self.path, seconds)
        try:
            connection.request(method, target, None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        contract.check_answer(method, target, response.status, response.headers, text, body)
        answer = json.loads(text) if "json" in response.getheader("Content-Type", "") else text
        if response.status != 200:
            raise Refused(response.status, answer)
        return answer

    def get(self, target):
        return self.request("GET", target)

    def list(self, name, query=""):
        """A list of the control interface: its first page."""
        page = self.get(f"/v1/{name}{query}")
        assert page.keys() == {name, "next_page"}
        return page[name]

    def status(self):
        return self.get("/v1/status")

    def machines(self):
        """By name."""
        return {machine["name"]: machine for machine in self.list("machines")}

    def services(self):
        """By name."""
        return {service["name"]: service for service in self.list("services")}

    def machine(self, name):
        return self.get(f"/v1/machines/{quote(name, safe='')}")

    def explain(self, name):
        return self.get(f"/v1/machines/{quote(name, safe='')}/explain")

    def recoveries(self):
        """The oldest first."""
        return self.list("recoveries")[::-1]

    def drill(self, name, **body):
        return self.request("POST", f"/v1/machines/{quote(name, safe='')}/drill", body)


class EventStream:
    """Everything told since the daemon began. Keeps what it has read, so waiting for the past works too."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.connect(str(path))
        # HTTP/1.0: without chunks, the stream is nothing but lines.
        self._socket.sendall(b"GET /v1/events HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n")
        self._buffer = b""
        self.all = []  # (event, document)
        self.told = []  # the notices of these

    def _take(self, seconds):
        """Reads what there is, waiting for it at most so long; False: nothing came."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:  # it went before it had read all that we sent
            data = b""
        if not data:
            raise AssertionError("the daemon closed the stream of events")
        *messages, self._buffer = (self._buffer + data).split(b"\n\n")
        for message in messages:
            self._read(message.decode())
        return True

    def _read(self, message):
        fields = dict(re.findall(r"^(event|data): (.*)$", message, re.MULTILINE))
        if "data" in fields:
            data = json.loads(fields["data"])
            contract.check_event(fields["event"], data)
            self.all.append((fields["event"], data))
            if "kind" in data:
                self.told.append(data)

    def wait_for(self, kind, machine=None, seconds=PATIENCE_S, times=1):
        """The notice of this kind (or one of these kinds) about this machine; with times, the n-th of them."""
        kinds = (kind,) if isinstance(kind, str) else kind
        deadline = Deadline(seconds)

        def matching():
            return [notice for notice in self.told
                    if notice["kind"] in kinds and machine in (None, notice["machine"])]

        while len(matching()) < times:
            if not self._take(deadline.left()):
                raise AssertionError(f"waited {seconds:g} s in vain for {kinds} of {machine}; told was:\n"
                                     + "\n".join(f"  {n['kind']} {n['machine']}: {n['text']}" for n in self.told))
        return matching()[times - 1]

    def wait_for_document(self, event, is_wanted, seconds=2 * PATIENCE_S):
        """
        The first document of this event that is as wanted, also of those that came before. It is made in a copy of the daemon,
        and again where that hung (Api.request).
        """
        deadline = Deadline(seconds)
        seen = 0
        while True:
            for name, document in self.all[seen:]:
                if name == event and is_wanted(document):
                    return document
            seen = len(self.all)
            if not self._take(deadline.left()):
                raise AssertionError(f"waited {seconds:g} s in vain for {event}; told was {[name for name, _ in self.all]}")

    def so_far(self):
        """All notices, without waiting for more."""
        while self._take(0):
            pass
        return self.told

    def about(self, machine):
        """What was told so far about a machine, as a list of kinds."""
        self.so_far()
        return [notice["kind"] for notice in self.told if notice["machine"] == machine]

    def close(self):
        self._socket.close()
