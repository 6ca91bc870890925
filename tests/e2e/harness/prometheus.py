# SPDX-License-Identifier: LGPL-2.1-or-later
"""What reads the metrics in life: Prometheus, promtool and node_exporter, each of the distribution."""

import contextlib
import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .ports import free_port
from .waiting import wait_until

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def fetch(port, path, accept="*/*"):
    """(Content-Type, text) of what is served on this port."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.headers["Content-Type"], response.read().decode()


def promtool(*arguments, text=None, cwd=None):
    """What it says; it must be content."""
    done = subprocess.run(["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, cwd=cwd, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def running(command, log, answers):
    """Runs a program until the block is left; answers() is a true value when it can be used."""
    with open(log, "w") as out:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
    try:
        def is_up():
            assert process.poll() is None, f"{command[0]} ended:\n{log.read_text()}"
            try:
                return answers()
            except (urllib.error.URLError, ConnectionError):
                return None
        wait_until(is_up, f"{command[0]} answers")
        yield process
    finally:
        process.terminate()
        process.wait(30)


class Prometheus:
    """A Prometheus that reads a target each second, with the rules of a file."""

    def __init__(self, directory, target, rules, job="understudy"):
        self._directory = directory
        self._port = free_port()
        directory.mkdir()
        shutil.copy(rules, directory / "rules.yml")
        (directory / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": job, "static_configs": [{"targets": [target]}]}]}))

    @contextlib.contextmanager
    def run(self):
        command = ["prometheus", f"--config.file={self._directory}/prometheus.yml",
                   f"--storage.tsdb.path={self._directory}/data", f"--web.listen-address=127.0.0.1:{self._port}"]
        with running(command, self._directory / "log", lambda: fetch(self._port, "/-/ready")):
            yield self

    def _ask(self, path):
        answer = json.loads(fetch(self._port, path)[1])
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """The series that it gives now: [({label: value}, value as text)]. AssertionError: it is refused."""
        try:
            data = self._ask(f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{expression}: {refused.read().decode()}") from refused
        return [(series["metric"], series["value"][1]) for series in data["result"]]

    def rules(self):
        return [rule for group in self._ask("/api/v1/rules")["groups"] for rule in group["rules"]]

    def targets(self):
        return self._ask("/api/v1/targets")["activeTargets"]
