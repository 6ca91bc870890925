# SPDX-License-Identifier: LGPL-2.1-or-later
"""understudyctl by itself: its help, wrong usage, and what it says where a hypervisor is not there."""

import json
import re
import subprocess

import pytest
from harness import testdriver
from harness.daemon import environment, launcher, program
from harness.waiting import wait_until

pytestmark = pytest.mark.testdriver


def run(*arguments):
    return subprocess.run([*launcher(), str(program("understudyctl")), *arguments], capture_output=True, text=True,
                          env=environment(), timeout=30)


def test_no_column_of_the_help_runs_into_the_next():
    """A usage longer than its column was followed by the help without a blank: "...|MACHINErelease the brake"."""
    done = run("--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  release brake|all|HOST|MACHINE"))
    assert lines[at] == "  release brake|all|HOST|MACHINE" and lines[at + 1].strip() == "release the brake, or end a hold"
    for line in lines:
        words = re.match("  [a-z]|  -|      --", line) and re.split(" {2,}", line.strip())
        assert not words or len(words) == 2 or line.startswith(("  history ", "  hold all", "  release ", "  tag ", "  template ", "  untag ")), line


@pytest.mark.parametrize("asked", [["drill", "--help"], ["--help", "drill"], ["help", "drill"]])
def test_help_of_a_command_has_its_options_alone(asked):
    done = run(*asked)
    assert done.returncode == 0 and done.stdout.startswith("understudyctl drill MACHINE [OPTION ...]\n")
    for expected in ("--yes", "--anyway", "--wait", "--timeout SECONDS", "--json", "man understudyctl"):
        assert expected in done.stdout
    for other in ("--reason", "--until", "keep"):
        assert other not in done.stdout


def test_help_of_no_command_is_wrong_usage():
    for asked in (["forget", "--help"], ["help", "forget"]):
        done = run(*asked)
        assert done.returncode == 2 and "there is no command forget" in done.stderr
    assert run("help").stdout == run("--help").stdout


@pytest.mark.parametrize("arguments, said", [
    (["fialover", "web"], "there is no command fialover: did you mean failover"),
    (["hold"], "hold needs one of all|HOST|MACHINE"),
    (["drill"], "drill needs a MACHINE"),
    (["drill", "web", "--timeout", "2m"], '--timeout needs a number of seconds above 0, such as 120, not "2m"'),
    (["hold", "web", "--for", "soon"], '--for needs a time such as 30m or 2h, not "soon"'),
    (["watch", "--timeout", "0"], '--timeout needs a number of seconds above 0, such as 120, not "0"'),
    (["history", "--since", "soon"], '--since needs a time such as 2h or 7d (so long ago), 2026-11-22 or "2026-11-22 14:54"'),
    (["history", "--until", "2026-11-31"], "--until needs a time"),
    (["list", "--state", "of grace"], '--state needs one of unknown, running, paused'),
    (["list", "--role", "boss"], "--role needs protected"),
    (["show", ""], "show was given an empty MACHINE"),
])
def test_wrong_usage_says_what_is_right(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_watching_for_what_never_comes_is_an_error_at_once():
    done = run("watch", "--until", "recoverd")
    assert done.returncode == 3 and done.stderr == \
        "understudyctl: no event is of the kind recoverd: did you mean recovered\n"


# Machines with and without a problem of their own.
ROOM = {"web": {"language": "nodejs"}, "db": {"database": "mysql"}, "alone": {"language": "cobol"},
        "spare-1": {"language": "nodejs"}, "spare-2": {"database": "mysql"}, "..": {"language": "php"}}


@pytest.fixture
def room(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", ROOM, running=["web", "db", "alone"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                       pool={"protect": ["web", "db", "alone"], "standby": ["spare-*"]}).start()


def listed(daemon, *arguments):
    return {machine["name"]: machine["problems"] for machine in json.loads(daemon.ctl("list", "--json", *arguments).stdout)["machines"]}


def test_list_tells_what_is_wrong_and_only_what_is_asked_for(room):
    daemon = room
    assert listed(daemon) == {**dict.fromkeys(ROOM, []), "alone": ["service-unprotected"]}
    daemon.ctl("hold", "spare-2")
    for name in ("web", "alone"):
        daemon.api.drill(name, anyway=True)
        daemon.wait_for_recovery(name)
    assert listed(daemon, "--problems") == {
        "alone": ["failed", "service-down"], "db": ["service-unprotected"], "spare-2": ["hold"],
        "web": ["service-diverted", "service-unprotected"], "spare-1": ["service-diverted", "service-unprotected"]}
    assert listed(daemon, "--role", "standby").keys() == {"spare-1", "spare-2"}
    assert listed(daemon, "--state", "running").keys() == {"db", "spare-1"}
    assert listed(daemon, "--state", "shut off", "--role", "protected", "--problems").keys() == {"alone", "web"}
    assert listed(daemon, "--host", "room").keys() == ROOM.keys()
    rows = {line.split("  ")[0]: line for line in daemon.ctl("list").stdout.splitlines()}
    assert "  failed, down  " in rows["alone"] and "  serves web  " in rows["spare-1"] and "  served by spare-1  " in rows["web"]
    done = daemon.ctl("list", "--host", "rom", check=False)
    assert done.returncode == 3 and "no host is called rom: there is room" in done.stderr
    assert daemon.ctl("list", "--state", "paused").stdout == "No machine is as asked for.\n"


def test_a_machine_may_be_called_by_two_dots(room):
    """The path /v1/machines/.. was taken for /v1."""
    assert room.ctl("show", "..").stdout.startswith(".. on room shut off\n")
    assert room.ctl("show", "...", check=False).returncode == 3


def test_history_is_of_the_time_and_the_outcome_asked_for(room):
    daemon = room
    for name in ("web", "alone", "db"):
        daemon.api.drill(name, anyway=True)
        daemon.wait_for_recovery(name)
    records = {record["failed"]: record for record in daemon.api.recoveries()}
    assert records["web"]["outage_ms"] >= records["web"]["duration_ms"] and records["alone"]["outage_ms"] is None

    def failed(*arguments):
        return [record["failed"] for record in json.loads(daemon.ctl("history", "--json", *arguments).stdout)["recoveries"]]
    assert failed() == ["db", "alone", "web"]
    assert failed("--outcome", "exhausted") == ["alone"] and failed("--outcome", "recovered") == ["db", "web"]
    assert failed("--outcome", "under-way") == []
    assert failed("--since", "1h") == failed("--until", "2100-01-01") == ["db", "alone", "web"]
    assert failed("--until", "1h") == failed("--since", "2100-01-01 00:00") == []
    assert failed("--since", records["alone"]["detected_at"], "--until", records["alone"]["detected_at"]) == ["alone"]
    assert failed("--since", records["alone"]["detected_at"], "--limit", "1", "--failed", "room/alone") == ["alone"]
    assert failed("--failed", "spare-1") == []  # it is there, and did not fail
    assert daemon.ctl("history", "--until", "1h").stdout == "No recovery is as asked for.\n"
    head, row = daemon.ctl("history", "--limit", "1").stdout.splitlines()
    assert "FAILED AT (UTC)" in head and "OUTAGE" in head
    assert records["db"]["failed_at"][:19].replace("T", " ") in row
    assert "outage        " in daemon.ctl("history", records["web"]["id"]).stdout
    for arguments, status, said in (
            (["--failed", "wbe"], 3, "no machine is called wbe, and none of that name failed: did you mean "),
            (["--outcome", "lost"], 2, "outcome must be recovered, exhausted")):
        done = daemon.ctl("history", *arguments, check=False)
        assert done.returncode == status and said in done.stderr, done.stderr


def test_watch_begins_with_the_state_and_outlives_the_daemon(room):
    """It ended with the daemon, and what was wrong already was never told."""
    daemon = room
    daemon.ctl("hold", "spare-2", "--reason", "new disks")
    command = [*launcher(), str(program("understudyctl")), "--socket", str(daemon.config_file.parent / "api.sock"),
               "watch", "--json", "--until", "recovered", "--timeout", "30"]

    def kinds(lines):
        return [(each["kind"], each.get("problem", {}).get("kind")) for each in map(json.loads, lines)]
    begin = [("state", None), ("problem", "service-unprotected"), ("problem", "service-unprotected"), ("problem", "hold")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as watch:
        assert kinds([watch.stdout.readline() for _ in begin]) == begin
        daemon.stop()
        assert watch.stderr.readline() == \
            "understudyctl: the connection to understudyd is lost; waiting until it answers again\n"
        daemon.start()
        while kinds([watch.stdout.readline()]) != begin[:1]:  # events of before it was stopped; then the state once more
            pass
        daemon.api.drill("web", anyway=True)
        out, err = watch.communicate(timeout=60)
    assert watch.returncode == 0 and err == "", err
    assert kinds(out.splitlines())[-1] == ("recovered", None)
    assert "  state  " in daemon.ctl("watch", "--timeout", "0.5").stdout.splitlines()[0]


def test_services_do_not_blame_the_roles_while_a_hypervisor_is_not_listed(make_daemon, tmp_path):
    """All machines were on a hypervisor that was down, and services said that pool.protect gives none the role."""
    daemon = make_daemon(hypervisors=[{"name": "node1", "uri": f"test://{tmp_path}/nosuch.xml"}]).start(wait=False)
    daemon.wait_until_listening()
    assert daemon.ctl("services").stdout == \
        "No protected service is known yet: node1 is not listed (understudyctl status).\n"


def test_fenced_exits_with_4_where_it_is_refused(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}}, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    for arguments in (["fenced", "room"], ["fenced", "room", "--yes"]):
        done = daemon.ctl(*arguments, check=False)
        assert done.returncode == 4, (done.returncode, done.stderr)
    assert daemon.ctl("fenced", "nosuch", "--yes", check=False).returncode == 3
    assert "confirmed" not in daemon.ctl("fenced", "room", check=False).stderr.replace("confirm it", "")


def test_a_start_with_errors_says_no_errno(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text("mode: sometimes\n")
    done = subprocess.run([*launcher(), str(program("understudyd")), "--config", str(path)], capture_output=True,
                          text=True, env=environment(), timeout=30)
    assert done.returncode == 78 and "Invalid argument" not in done.stderr
    assert f"not started: {path} is not a usable configuration\n" in done.stderr


def test_explain_of_a_machine_that_is_not_described_says_what_to_do(make_daemon, tmp_path):
    """Without metadata each candidate had an overlap of 1.0000, and no word told the remedy."""
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {}, "spare": {"language": "nodejs"}, "other": {}},
                                running=["web", "other"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                         pool={"protect": ["web"], "standby": ["spare"]}).start()
    said = " ".join(daemon.ctl("explain", "web").stdout.split())
    assert "1.0000" not in said and "say what it offers: understudyctl tag, or below machines: in the configuration" in said, said
    row = daemon.ctl("services").stdout.splitlines()[1].split()
    assert row[0] == "web" and row[-1] == "none"
    candidates = daemon.api.explain("web")["candidates"]
    assert [each["overlap"] for each in candidates] == [None, None]


def test_catalog_says_what_packages_mean_without_a_daemon(tmp_path):
    nothing = tmp_path / "catalog.d"
    nothing.mkdir()
    done = run("catalog", "--catalog", str(nothing), "nginx", "openjdk-17-jre", "libc6", "alpine:python3", "python3")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["PACKAGE", "MEANS"], ["nginx", "webserver/nginx"], ["openjdk-17-jre", "language/java"], ["libc6", "-"],
        ["alpine:python3", "language/python"], ["python3", "-"]]
    done = subprocess.run([*launcher(), str(program("understudyctl")), "catalog", "--json", "--catalog", str(nothing), "-"],
                          input="redis-server 5:7.0.15\n\nbash\nredis-server\n", capture_output=True, text=True,
                          env=environment(), timeout=30)
    assert done.returncode == 0 and json.loads(done.stdout) == {"redis-server": "cache/redis", "bash": None}
    done = run("catalog")
    assert done.returncode == 2 and "catalog needs a NAME" in done.stderr


def test_catalog_says_that_a_mail_server_must_listen_for_others(tmp_path):
    assert "and it listens for others" in run("catalog", "--catalog", str(tmp_path), "postfix").stdout
    assert "listens" not in run("catalog", "--catalog", str(tmp_path), "nginx").stdout


def test_the_catalog_was_asked_for_a_package_with_its_architecture(tmp_path):
    """dpkg lists nginx:amd64, which was taken for a package of a family of systems called nginx."""
    done = run("catalog", "--json", "--catalog", str(tmp_path), "nginx:amd64", "nginx/stable,now", "alpine:python3",
               "debian:python3")
    assert json.loads(done.stdout) == {"nginx:amd64": "webserver/nginx", "nginx/stable,now": "webserver/nginx",
                                       "alpine:python3": "language/python", "debian:python3": None}


def test_a_file_that_adds_to_the_catalog_and_one_that_is_wrong(tmp_path):
    (tmp_path / "50-local.yaml").write_text("features: {billing: {core: {packages: ['acme-*']}}, webserver: {nginx: null}}\n")
    done = run("catalog", "--json", "--catalog", str(tmp_path), "acme-billing", "nginx")
    assert json.loads(done.stdout) == {"acme-billing": "billing/core", "nginx": None}
    (tmp_path / "60-wrong.yaml").write_text("features:\n  billing: [core]\n")
    (tmp_path / "notes.txt").write_text("not read")
    done = run("catalog", "--catalog", str(tmp_path), "nginx")
    assert done.returncode == 1 and "60-wrong.yaml:2:12: error: features.billing: found a list, expected a map of values" in \
        done.stderr and done.stdout == ""


def test_tags_are_written_where_the_machine_is(make_daemon, tmp_path):
    """What a machine offers is declared without an editor and without XML, spelled as the catalog spells it."""
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}, "spare": {}}, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}],
                         pool={"protect": ["web"], "standby": ["spare"]}).start()
    daemon.ctl("tag", "web", "database/MySQL 8.0", "--priority", "7")
    daemon.wait_for_machine("web", features=["database/mysql", "language/nodejs"], priority=7)
    daemon.ctl("tag", "spare", "--from", "web", "--role", "standby")
    assert daemon.wait_for_machine("spare", features=["database/mysql", "language/nodejs"])["roles"] == ["standby"]
    assert daemon.api.explain("web")["chosen"] == "spare"
    daemon.ctl("untag", "web", "database/mysql-server", "language", "priority")
    daemon.wait_for_machine("web", features=[], priority=0)
    done = daemon.ctl("untag", "web", "database/mysql", check=False)
    assert done.returncode == 4 and "does not declare database/mysql" in done.stderr, done.stderr
    for arguments, said in ((["tag", "web"], "what is web to be tagged with?"), (["untag", "web"], "which tag is to go?"),
                            (["tag", "web", "--role", "boss"], "--role needs protected"),
                            (["tag", "web", "--priority", "high"], "--priority needs a number")):
        done = daemon.ctl(*arguments, check=False)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    done = daemon.ctl("refresh", "spare", check=False)
    assert done.returncode == 4 and "does not run" in done.stderr, done.stderr


def performance(problems, severe, up, services):
    """'label'=value[unit];[warn];[crit];[min];[max], as the guidelines of monitoring plug-ins have it."""
    data = f"problems={problems};0;;0; severe={severe};;0;0; services={up};;;0;{services}"
    number = r"-?[0-9.]+"
    assert all(re.fullmatch(rf"[a-z]+={number};({number})?;({number})?;({number})?;({number})?", each) for each in data.split())
    return f" | {data}\n"


def test_check_is_a_monitoring_plug_in_and_problems_come_and_go(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}, "spare": {"language": "nodejs"}},
                                running=["web"])
    hypervisors = [{"name": "room", "uri": uri}]
    daemon = make_daemon(hypervisors=hypervisors, pool={"protect": ["web"], "standby": ["spare"]}).start()
    done = daemon.ctl("check")
    assert (done.returncode, done.stdout) == (0, "UNDERSTUDY OK - 1 service up" + performance(0, 0, 1, 1))
    assert daemon.ctl("problems").stdout == "There is no problem.\n"
    assert daemon.ctl("explain", "web").returncode == 0
    assert daemon.ctl("show", "nosuch", check=False).returncode == daemon.ctl("history", "1", check=False).returncode == 3

    events = daemon.events
    daemon.ctl("hold", "spare", "--reason", "a|b")
    assert events.wait_for("problem-begun")["text"].startswith("service-unprotected: no machine would take over from web")
    done = daemon.ctl("check", check=False)
    assert daemon.ctl("explain", "web").returncode == 1
    assert done.returncode == 1 and done.stdout.startswith("UNDERSTUDY WARNING - no machine would take over from web: none of 1 ")
    assert done.stdout.count("|") == 1 and done.stdout.endswith(performance(2, 0, 1, 1)) and done.stdout.count("\n") == 1
    assert "understudyctl release spare" in daemon.ctl("problems").stdout
    kinds = {each["kind"]: each["severity"] for each in daemon.api.list("problems")}
    assert kinds == {"service-unprotected": 1, "hold": 1}
    daemon.api.drill("web", anyway=True)
    daemon.wait_for_recovery("web")
    done = daemon.ctl("check", check=False)
    assert done.returncode == 2 and done.stdout.startswith("UNDERSTUDY CRITICAL - web is down"), done.stdout
    said = " ".join(daemon.ctl("status").stdout.split())
    assert "service-down: web is down" in said and "(began " in said and "understudyctl recover web" in said
    assert 'understudy_problems{kind="service-down",severity="2"} 1' in daemon.api.get("/metrics")
    daemon.ctl("release", "spare")
    assert daemon.wait_for_recovery("web", times=2)["outcome"] == "recovered"  # it is tried again by itself
    assert events.wait_for("problem-ended")["text"].startswith("over: ")
    kinds = [each["kind"] for each in daemon.api.list("problems")]
    assert kinds == ["service-diverted", "service-unprotected"]  # nothing is left for it
    daemon.stop()
    done = daemon.ctl("check", check=False)
    assert done.returncode == 3 and done.stderr == ""
    assert done.stdout.startswith("UNDERSTUDY UNKNOWN - understudyd at ") and "does not answer" in done.stdout
    for wrong in (["--nosuch"], ["--timeout", "0"], ["nosuch"], ["--limit", "1"]):
        done = daemon.ctl("check", *wrong, check=False)
        assert done.returncode == 3 and done.stdout.startswith("UNDERSTUDY UNKNOWN - check was called wrongly"), wrong
    assert daemon.ctl("list", check=False).returncode == daemon.ctl("tag", "a", "b/c", check=False).returncode == 5


def test_many_problems_are_told_once_and_shown_in_part(make_daemon, tmp_path):
    names = [f"web-{number}" for number in range(30)]
    uri = testdriver.write_node(tmp_path / "node.xml", {name: {"language": "nodejs"} for name in names}, running=names)
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web-*"]}).start()
    wait_until(lambda: "11 more: understudyctl problems" in daemon.log, "the problems were told")
    assert daemon.log.count("service-unprotected: ") == 20
    assert daemon.ctl("problems").stdout.count("service-unprotected: ") == 30
    said = daemon.ctl("status").stdout
    assert said.count("service-unprotected: ") == 10 and "21 more: understudyctl problems" in said
    line = daemon.ctl("check", check=False).stdout
    shown = line.count("no machine would take over")
    assert line.endswith(f"; {31 - shown} more" + performance(31, 0, 30, 30)) and 0 < shown <= 10
    assert len(line.encode()) < 1024, "NRPE cuts what is longer"


def show_config(path):
    return subprocess.run([*launcher(), str(program("understudyd")), "--show-config", "--config", str(path)],
                          capture_output=True, text=True, env=environment(), timeout=30)


def test_what_is_in_force_is_shown_with_defaults_and_without_secrets(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text("hypervisors: [{name: a, uri: 'qemu+ssh://root:hunter2@a/system', fence: {password: hunter2, plug: 7}}]\n"
                    "recovery: {attempts: 7}\n")
    done = show_config(path)
    assert done.returncode == 0 and "hunter2" not in done.stdout, done.stderr
    assert {"mode: automatic", "  attempts: 7", "  history_days: 400"} <= set(done.stdout.splitlines())
    assert '    fence: {password: "***", plug: 7}' in done.stdout
    again = tmp_path / "again.yaml"
    again.write_text(done.stdout)
    assert show_config(again).stdout == done.stdout
    path.write_text("mode: sometimes\n")
    done = show_config(path)
    assert done.returncode == 1 and done.stdout == "" and "understudy.yaml:1:7: error: mode" in done.stderr
    done = show_config(tmp_path / "nosuch.yaml")
    assert done.returncode == 1 and "No such file" in done.stderr


def test_a_report_has_all_that_is_asked_for_and_no_secret(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", ROOM, running=["web"])
    fence = {"command": "/bin/true", "options": {"password": "hunter2secret", "username": "admin"}}
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], fence=fence,
                         pool={"protect": ["web"], "standby": ["spare-*"]}).start()
    daemon.ctl("hold", "spare-2", "--reason", "said hunter2secret aloud")
    daemon.api.drill("web", anyway=True)
    daemon.wait_for_recovery("web")
    record = daemon.api.recoveries()[0]
    report = daemon.ctl("report").stdout
    for expected in ("understudyctl ", "understudyd ", "PRETTY_NAME=", "history_days: 400", '"username": "admin"', record["id"],
                     "service-diverted", "==== /v1/machines ====", "==== journal ===="):
        assert expected in report, expected
    assert "hunter2secret" not in report and "said ************* aloud" in report
    target = tmp_path / "report.txt"
    assert "read it through" in daemon.ctl("report", str(target)).stdout
    assert target.stat().st_mode & 0o777 == 0o600 and "hunter2secret" not in target.read_text()
    done = daemon.ctl("report", str(target), check=False)
    assert done.returncode == 1 and "File exists" in done.stderr
    daemon.stop()
    assert "understudyd no answer" in daemon.ctl("report").stdout  # that is worth a report, too


def copy_recoveries(daemon, count):
    """So many more in the database, a minute apart, each as the only one that is there and before it. Returns their ids."""
    with daemon.database() as database:
        [(document, detected_us)] = database.execute("SELECT document, detected_us FROM recoveries").fetchall()
        original = json.loads(document)
        ids = [f"20200101-{number:06}-1" for number in range(1, count + 1)]
        for number, each in enumerate(ids):
            at_us = detected_us - (count - number) * 60_000_000
            copy = json.dumps(original).replace(original["id"], each).replace(str(detected_us), str(at_us))
            database.execute("INSERT INTO recoveries (id, detected_us, is_open, document) VALUES (?, ?, 0, ?)",
                             (each, at_us, copy))
        database.commit()
    return ids


def test_history_goes_on_behind_what_the_daemon_holds(make_daemon, tmp_path):
    """It ended at the latest 1000, though recoveries are kept for recovery.history_days."""
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}, "spare": {"language": "nodejs"}},
                                running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["web"], "standby": ["spare"]}).start()
    daemon.api.drill("web", anyway=True)
    newest = daemon.wait_for_recovery("web")["id"]
    daemon.stop()
    expected = [newest, *reversed(copy_recoveries(daemon, 1450))]
    daemon.start()
    shown = daemon.ctl("history", "--limit", "0").stdout.splitlines()
    assert shown[0].startswith("RECOVERY") and [line.split()[0] for line in shown[1:]] == expected
    assert [each["id"] for each in json.loads(daemon.ctl("history", "--json").stdout)["recoveries"]] == expected
    assert [line.split()[0] for line in daemon.ctl("history", "--limit", "1300").stdout.splitlines()[1:]] == expected[:1300]
    assert [each["id"] for each in daemon.api.list("recoveries")] == expected[:1000]
    assert [each["id"] for each in daemon.api.list("recoveries", f"?before={expected[700]}&limit=400")] == expected[701:1101]
    assert daemon.api.list("recoveries", f"?before={expected[-1]}") == []
    assert expected[-1] in daemon.ctl("history", expected[-1]).stdout
    assert daemon.ctl("history", "--failed", "nosuch", check=False).returncode == 3
    assert daemon.ctl("history", "--outcome", "exhausted").stdout == "No recovery is as asked for.\n"
