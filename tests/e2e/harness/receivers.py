# SPDX-License-Identifier: LGPL-2.1-or-later
"""What notifications are sent to: a web server and a mail server that keep what they were sent, and an Alertmanager."""

import http.server
import json
import shutil
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request

from .waiting import wait_until


class WebServer:
    """Takes each POST with `status`; silent: takes the connection, and never answers."""

    def __init__(self, status=200, silent=False):
        self.posts = []  # (path, headers, body)
        self._gone = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                if silent:
                    outer._gone.wait()
                    return
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._gone.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class MailServer:
    """Takes every mail; refuses: no recipient is accepted."""

    def __init__(self, refuses=False):
        self.mails = []  # (sender, recipients, text with its line ends)
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                sender, recipients = None, []
                self.say("220 test")
                while line := self.rfile.readline().decode().strip():
                    verb = line.upper()
                    if verb.startswith("MAIL FROM:"):
                        sender = line[10:].split(" ")[0].strip("<>")
                    elif verb.startswith("RCPT TO:"):
                        if refuses:
                            self.say("550 no such mailbox")
                            continue
                        recipients.append(line[8:].strip("<>"))
                    elif verb == "DATA":
                        self.say("354 go on")
                        text = b""
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            text += part[1:] if part.startswith(b".") else part
                        outer.mails.append((sender, recipients, text))
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 ok")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Alertmanager:
    """A real one, which sends nothing on. None where it is not installed: see `program`."""

    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

    def __init__(self, directory, port):
        directory.mkdir()
        config = directory / "alertmanager.yml"
        config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.program, f"--config.file={config}",
                 f"--storage.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}",
                 "--cluster.listen-address="], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def __enter__(self):
        wait_until(self._is_ready, "the Alertmanager answers")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)

    def _is_ready(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def alerts(self):
        """The labels of those that are active, each with its summary."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts?active=true", timeout=30) as answer:
            return [(each["labels"], each["annotations"]["summary"]) for each in json.load(answer)]
