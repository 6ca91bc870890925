# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hooks that come with the package and tell people of what happens, against servers that really receive it."""

import base64
import email
import email.policy
import json
import os
import shutil
import socket
import subprocess

import pytest

from harness.daemon import SOURCE
from harness.gate import write_hooks, write_program
from harness.ports import free_port
from harness.receivers import Alertmanager, MailServer, WebServer
from harness.testdriver import write_node
from harness.waiting import wait_until

pytestmark = [pytest.mark.testdriver,
              pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is missing")]

SAMPLES = SOURCE / "conf/hooks.d/problem-begun"
WEB = {"database": "mysql", "language": "nodejs"}
# What a guest may be called, and what would be done to who is told of it.
HOSTILE = '"; $(touch pwned) `touch pwned` \\ \n.\r\nBcc: all@example.org\r\n\r\n<!channel> @all [x](http://e) 서버-1 \U0001f600'
PROBLEM = {"kind": "service-down", "severity": 2, "subject": HOSTILE, "since": "2026-11-22T14:54:00.000Z",
           "text": f"{HOSTILE} is down", "remedy": "start it"}


def install(name, path, **settings):
    """The sample as an operator would install it: with these settings of its head filled in."""
    lines = (SAMPLES / f"{name}.sample").read_text().splitlines()
    for key, value in settings.items():
        assert sum(line.startswith(f"{key}=") for line in lines) == 1, key
        lines = [f"{key}='{value}'" if line.startswith(f"{key}=") else line for line in lines]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)
    return path


def run(hook, event, document=None, **variables):
    """As the daemon does, in an empty directory."""
    where = hook.parent / "cwd"
    where.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "UNDERSTUDY_EVENT": event,
                   **{f"UNDERSTUDY_{key}": value for key, value in variables.items()}}
    done = subprocess.run([str(hook), event], input=json.dumps(document or {}), env=environment, cwd=where, text=True,
                          capture_output=True, timeout=60)
    assert list(where.iterdir()) == [], "a name was run as a command"
    return done


def tell_of_problem(hook, event="problem-begun", problem=PROBLEM):
    return run(hook, event, problem, PROBLEM=problem["kind"], SUBJECT=problem["subject"], TEXT=problem["text"],
               SEVERITY=str(problem["severity"]))


def config_of_curl(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize("name", ["50-mail", "50-ntfy", "50-chat", "50-alertmanager"])
def test_a_hook_without_settings_does_nothing(name, tmp_path):
    hook = install(name, tmp_path / name, CURL="/bin/false", JQ="/bin/false")
    done = tell_of_problem(hook)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = tell_of_problem(hook, "test")
    assert done.returncode == 1 and done.stdout.endswith(" is empty: nothing is sent\n")


@pytest.mark.parametrize(("name", "settings"), [("50-mail", {"TO": "a@b"}), ("50-ntfy", {"TOPIC": "t"}),
                                                ("50-chat", {"CONFIG": "/c"}), ("50-alertmanager", {"URL": "http://a"})])
def test_a_hook_that_notifies_vetoes_nothing_and_leaves_slight_problems_out(name, settings, tmp_path):
    hook = install(name, tmp_path / name, CURL="/bin/false", JQ="/bin/false", SEVERITY="2", **settings)
    for event in ("pre-start", "pre-failover", "pre-stop", "verify"):
        assert run(hook, event).returncode == 0
    assert tell_of_problem(hook, problem={**PROBLEM, "severity": 1}).returncode == 0
    assert tell_of_problem(hook).returncode != 0


def test_mail(tmp_path):
    with MailServer() as server:
        hook = install("50-mail", tmp_path / "mail", TO="ops@example.org  night@example.org", SERVER=server.url,
                       FROM="understudy@example.org")
        done = tell_of_problem(hook)
        assert done.returncode == 0, done.stderr
        assert run(hook, "recovered", {"id": "1"}, TEXT="web is recovered: spare runs in its place").returncode == 0
    (sender, recipients, text), (_, _, second) = server.mails
    assert (sender, recipients) == ("understudy@example.org", ["ops@example.org", "night@example.org"])
    assert all(len(line) < 80 for line in text.split(b"\r\n")) and b"\n" not in text.replace(b"\r\n", b"")
    mail = email.message_from_bytes(text, policy=email.policy.default)
    assert sorted(mail.keys()) == sorted(["From", "To", "Date", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type",
                                          "Content-Transfer-Encoding"])
    assert mail["To"] == "ops@example.org, night@example.org"
    assert mail["Subject"].startswith('[understudy] problem-begun: "; $(touch pwned)')
    assert "서버-1 \U0001f600 is down" in mail["Subject"]
    assert HOSTILE.replace("\n", " ").replace("\r", " ") in mail.get_content()
    assert json.loads(mail.get_content().split("\n")[4]) == PROBLEM
    assert email.message_from_bytes(second, policy=email.policy.default)["Subject"] == \
        "[understudy] recovered: web is recovered: spare runs in its place"


def test_mail_with_a_password_that_no_command_line_has(tmp_path):
    config = config_of_curl(tmp_path / "curl", 'user = "understudy:secret"')
    curl = write_program(tmp_path / "fake-curl", f'echo "$@" >{tmp_path}/arguments; cat >/dev/null')
    hook = install("50-mail", tmp_path / "mail", TO="ops@example.org", CONFIG=config, CURL=curl)
    assert tell_of_problem(hook).returncode == 0
    arguments = (tmp_path / "arguments").read_text()
    assert f"--config {config}" in arguments and "secret" not in arguments


def test_mail_that_is_refused(tmp_path):
    with MailServer(refuses=True) as server:
        done = tell_of_problem(install("50-mail", tmp_path / "mail", TO="ops@example.org", SERVER=server.url))
    assert done.returncode != 0 and "550" in done.stderr and server.mails == []


def test_ntfy(tmp_path):
    config = config_of_curl(tmp_path / "curl", 'header = "Authorization: Bearer tk_x"')
    with WebServer() as server:
        hook = install("50-ntfy", tmp_path / "ntfy", TOPIC="operators", URL=server.url, CONFIG=config)
        assert tell_of_problem(hook).returncode == 0
        assert run(hook, "recovered", TEXT="web is recovered").returncode == 0
        assert run(hook, "host-lost", TEXT="far is lost").returncode == 0
    path, headers, body = server.posts[0]
    told = json.loads(body)
    assert (path, headers["Authorization"]) == ("/", "Bearer tk_x")
    assert told.pop("title") == f"understudy on {socket.gethostname()}: problem-begun"
    assert told == {"topic": "operators", "message": PROBLEM["text"], "priority": 5}
    assert [json.loads(body)["priority"] for _, _, body in server.posts] == [5, 3, 5]


def test_chat(tmp_path):
    with WebServer() as server:
        config = config_of_curl(tmp_path / "curl", f'url = "{server.url}/services/T0/B0/secret"')
        assert tell_of_problem(install("50-chat", tmp_path / "chat", CONFIG=config)).returncode == 0
    (path, headers, body), = server.posts
    text = json.loads(body)["text"]
    assert (path, headers["Content-Type"]) == ("/services/T0/B0/secret", "application/json")
    assert text.count("```") == 2 and text.endswith(" is down\n```") and text.count("`") == 6
    assert "&lt;!channel&gt;" in text and "<" not in text


@pytest.mark.parametrize("name", ["50-ntfy", "50-chat", "50-alertmanager"])
def test_a_server_that_refuses_or_is_silent_is_told_as_a_failure(name, tmp_path):
    def tell(server):
        config = config_of_curl(tmp_path / "curl", f'url = "{server.url}"')
        settings = {"50-ntfy": {"TOPIC": "t", "URL": server.url}, "50-chat": {"CONFIG": config},
                    "50-alertmanager": {"URL": server.url}}[name]
        return tell_of_problem(install(name, tmp_path / name, TIMEOUT="1", **settings))

    with WebServer(status=500) as server:
        done = tell(server)
        assert done.returncode == 22 and "500" in done.stderr
    with WebServer(silent=True) as server:
        done = tell(server)
        assert done.returncode == 28 and "timed out" in done.stderr


@pytest.mark.skipif(Alertmanager.program is None, reason="no Alertmanager is installed")
def test_alertmanager(tmp_path):
    with Alertmanager(tmp_path / "alertmanager", free_port()) as server:
        hook = install("50-alertmanager", tmp_path / "hook", URL=server.url + "/")
        slight = {**PROBLEM, "kind": "quarantine", "severity": 1, "subject": "spare", "text": "spare is in quarantine"}
        for problem in (PROBLEM, slight):
            done = tell_of_problem(hook, problem=problem)
            assert done.returncode == 0, done.stderr
        labels = {"alertname": "UnderstudyProblem", "instance": socket.gethostname()}
        told = wait_until(lambda: len(server.alerts()) == 2 and server.alerts(), "both are active")
        assert ({**labels, "problem": "service-down", "subject": HOSTILE, "severity": "critical"}, PROBLEM["text"]) in told
        others = [({**labels, "problem": "quarantine", "subject": "spare", "severity": "warning"}, slight["text"])]
        assert tell_of_problem(hook, "problem-ended").returncode == 0
        wait_until(lambda: server.alerts() == others, "the one that has ended is resolved")
        done = run(hook, "test", {"kind": "test", "at": "2026-11-22T14:54:00.000Z", "text": "this is a test"},
                   TEXT="this is a test")
        assert done.returncode == 0, done.stderr
        wait_until(lambda: ({"alertname": "UnderstudyTest", "severity": "none", "instance": socket.gethostname()},
                            "this is a test") in server.alerts(), "the test has arrived")


def daemon_of_two(make_daemon, tmp_path, **sections):
    uri = write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["spare"]},
                       **sections).start()


def test_hooks_are_told_when_problems_begin_and_end(make_daemon, tmp_path):
    hooks = write_hooks(tmp_path / "hooks", "10-keep", f'env >{tmp_path}/"$1-$UNDERSTUDY_PROBLEM.env"\n'
                        f'cat >{tmp_path}/part && mv {tmp_path}/part {tmp_path}/"$1-$UNDERSTUDY_PROBLEM.json"',
                        events=("problem-begun", "problem-ended"))
    daemon = daemon_of_two(make_daemon, tmp_path, hooks={"directory": str(hooks)})
    daemon.ctl("hold", "web", "--reason", "repair")
    for event, order in (("problem-begun", ["release", "web"]), ("problem-ended", None)):
        document = tmp_path / f"{event}-hold.json"
        wait_until(document.exists, f"the hook for {event} has run")
        variables = dict(line.split("=", 1) for line in (tmp_path / f"{event}-hold.env").read_text().splitlines()
                         if line.startswith("UNDERSTUDY_"))
        told = json.loads(document.read_text())
        assert (told["kind"], told["severity"]) == ("hold", 1) and "repair" in told["text"]
        text = variables.pop("UNDERSTUDY_TEXT")
        assert told["text"] in text and text.startswith("over: ") == (event == "problem-ended")
        assert variables == {"UNDERSTUDY_EVENT": event, "UNDERSTUDY_PROBLEM": "hold", "UNDERSTUDY_SEVERITY": "1",
                             "UNDERSTUDY_SUBJECT": told["subject"]}
        if order is not None:
            daemon.ctl(*order)


def test_notify_test_says_what_came_of_each_hook(make_daemon, tmp_path):
    """Only those that the operator has put there: what moves an address is not run for a test."""
    hooks = tmp_path / "hooks"
    write_program(hooks / "recovered/10-address", f"touch {tmp_path}/moved")
    daemon = daemon_of_two(make_daemon, tmp_path, hooks={"directory": str(hooks)})
    done = daemon.ctl("notify-test", check=False)
    assert done.returncode == 4 and "no hook is to be tested" in done.stderr

    with WebServer() as server:
        install("50-ntfy", hooks / "recovered/50-ntfy", TOPIC="operators", URL=server.url)
        (hooks / "test").mkdir()
        (hooks / "test/50-ntfy").symlink_to("../recovered/50-ntfy")
        write_program(hooks / "test/60-broken", "echo no route; exit 3")
        write_program(hooks / "test/70-open", f"touch {tmp_path}/open").chmod(0o777)
        done = daemon.ctl("notify-test", check=False)
        assert done.returncode == 1
        rows = {line.split()[0]: line for line in done.stdout.splitlines()}
        assert "succeeded" in rows["50-ntfy"] and "failed" in rows["60-broken"] and "failed" in rows["70-open"]
        assert "exit status 3: no route" in rows["60-broken"] and "writable by other users" in rows["70-open"]
        assert daemon.ctl("notify-test", "50-ntfy").returncode == 0
        answer = json.loads(daemon.ctl("notify-test", "60-broken", "--json", check=False).stdout)
    assert [(each["hook"], each["succeeded"], each["answer"]) for each in answer["hooks"]] == \
        [("60-broken", False, "exit status 3: no route")]
    assert [json.loads(body)["message"] for _, _, body in server.posts] == \
        ["this is a test: nothing has happened, and nothing needs to be done"] * 2
    assert daemon.ctl("notify-test", "nosuch", check=False).returncode == 3
    (hooks / "test").chmod(0o777)
    done = daemon.ctl("notify-test", check=False)
    assert done.returncode == 4 and "may write the directory" in done.stderr
    assert not (tmp_path / "moved").exists() and not (tmp_path / "open").exists()
    assert daemon.api.recoveries() == []


def test_what_comes_with_the_package_works_in_the_daemon(make_daemon, tmp_path):
    """One file, linked to each event, and a real failure."""
    hooks = tmp_path / "hooks"
    with MailServer() as server:
        install("50-mail", hooks / "problem-begun/50-mail", TO="ops@example.org", SERVER=server.url)
        for event in ("problem-ended", "recovered", "exhausted"):
            (hooks / event).mkdir()
            (hooks / event / "50-mail").symlink_to("../problem-begun/50-mail")
        daemon = daemon_of_two(make_daemon, tmp_path, hooks={"directory": str(hooks)}, recovery={"settle": "100ms"})
        daemon.api.drill("web", anyway=True)
        daemon.wait_for_recovery("web")
        wait_until(lambda: server.mails, "the mail has arrived")
    mail = email.message_from_bytes(server.mails[0][2], policy=email.policy.default)
    assert mail["Subject"].startswith("[understudy] recovered: web is recovered: spare runs in its place")
    assert base64.b64decode(mail.get_payload()).decode() == mail.get_content()
