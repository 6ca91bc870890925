# SPDX-License-Identifier: LGPL-2.1-or-later
"""The metrics, read by those who read them in life: promtool, Prometheus and node_exporter."""

import json
import re
import shutil
import signal
import stat
from itertools import combinations

import pytest
from harness import prometheus
from harness.daemon import SOURCE
from harness.ports import free_port
from harness.testdriver import CASE_STUDY, write_node
from harness.waiting import Deadline, wait_until

pytestmark = pytest.mark.testdriver

RULES = SOURCE / "conf/prometheus/understudy.rules.yml"
# libvirt's test driver says nothing of it.
UNTOLD = "understudy_hypervisor_free_memory_bytes"
DASHBOARD = json.loads((SOURCE / "conf/grafana/understudy.json").read_text())


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def case_study(make_daemon, tmp_path, **sections):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    return make_daemon(hypervisors=[{"name": "room", "uri": uri}], pool={"protect": ["VM-001"], "standby": ["*"]}, **sections)


@pytest.fixture
def room(make_daemon, tmp_path, short_tmp):
    """A daemon after a recovery, and the port on which it is read."""
    port = free_port()
    daemon = case_study(make_daemon, tmp_path, api={"socket": str(short_tmp / "daemon-0/api.sock"), "listen": f"127.0.0.1:{port}"})
    daemon.start()
    daemon.api.drill("VM-001")
    daemon.wait_for_recovery("VM-001")
    return daemon, port


def samples_of(families):
    """Each as (name, labels); their values are of another moment in the other form."""
    return {(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples}


def test_page_can_be_read_in_both_forms(room):
    openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")
    older = pytest.importorskip("prometheus_client.parser")
    content_type, page = prometheus.fetch(room[1], "/metrics", prometheus.OPENMETRICS)
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = list(openmetrics.text_string_to_metric_families(page))
    types = {family.name: (family.type, family.unit) for family in families}
    assert types["understudy_recoveries"] == ("counter", "")
    assert types["understudy_build"] == ("info", "")
    assert types["understudy_outage_seconds"] == ("histogram", "seconds")
    assert all(family.documentation.endswith(".") and not family.documentation[0].islower() for family in families)
    content_type, page = prometheus.fetch(room[1], "/metrics")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert samples_of(families) == samples_of(older.text_string_to_metric_families(page))


@needs("promtool")
def test_promtool_is_content(room):
    assert prometheus.promtool("check", "metrics", text=prometheus.fetch(room[1], "/metrics")[1]) == ""


def test_recovery_is_measured(room):
    daemon, _ = room
    page = daemon.api.get("/metrics")
    for expected in ('understudy_recoveries_total{outcome="recovered",cause="crashed"} 1',
                     'understudy_recovery_duration_seconds_count 1',
                     'understudy_outage_seconds_count{reason="drill"} 1',
                     'understudy_services{state="up"} 1', 'understudy_services_diverted 1', 'understudy_store_up 1',
                     'understudy_event_stream_followers 1',
                     *(f'understudy_recovery_phase_seconds_count{{phase="{phase}"}} 1' for phase in
                       ("detect", "confirm", "decide", "record", "start", "settle", "verify"))):
        assert f"\n{expected}\n" in page, expected


def test_plan_is_complete_when_nothing_happens(room):
    wait_until(lambda: "\nunderstudy_plan_age_seconds 0.000000\n" in room[0].api.get("/metrics"), "the plan is complete")


def test_event_loop_that_is_held_up_is_late(room):
    daemon, _ = room

    def count_late():
        page = daemon.api.get("/metrics")
        total, soon = (int(re.search(rf'^understudy_event_loop_lag_seconds_{name} (\d+)$', page, re.MULTILINE)[1])
                       for name in ("count", 'bucket{le="0.25"}'))
        return total - soon
    before = count_late()
    daemon.signal(signal.SIGSTOP)
    held_up = Deadline(10.5)  # longer than the timer by which it is measured
    wait_until(held_up.passed, "the time is over")
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: count_late() > before, "that shows")


@pytest.fixture
def textfile(make_daemon, tmp_path):
    """A daemon that writes its metrics to a file, not started."""
    path = tmp_path / "textfiles/understudy.prom"
    return case_study(make_daemon, tmp_path, metrics={"textfile": str(path)}), path


def test_textfile_is_for_all_to_read_and_whole(textfile):
    daemon, path = textfile
    path.parent.mkdir()
    daemon.start()
    wait_until(path.exists, "the metrics are written")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]
    text = path.read_text()
    assert text.endswith("\nunderstudy_overruns_total 0\n") and "# UNIT" not in text
    daemon.stop()
    assert list(path.parent.iterdir()) == [path]


@needs("prometheus-node-exporter")
def test_node_exporter_reads_the_textfile(textfile, tmp_path):
    daemon, path = textfile
    path.parent.mkdir()
    daemon.start()
    wait_until(path.exists, "the metrics are written")
    port = free_port()
    command = ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
               f"--collector.textfile.directory={path.parent}", f"--web.listen-address=127.0.0.1:{port}"]
    with prometheus.running(command, tmp_path / "node_exporter.log", lambda: prometheus.fetch(port, "/")):
        page = prometheus.fetch(port, "/metrics")[1]
    assert "\nnode_textfile_scrape_error 0\n" in page, (tmp_path / "node_exporter.log").read_text()
    assert f'\nnode_textfile_mtime_seconds{{file="{path}"}} ' in page
    assert "\n# TYPE understudy_recoveries_total counter\n" in page and '\nunderstudy_build_info{version="' in page
    assert "\n# TYPE understudy_outage_seconds histogram\n" in page


def test_textfile_follows_a_reload(make_daemon, tmp_path):
    daemon, path = case_study(make_daemon, tmp_path).start(), tmp_path / "understudy.prom"
    uri = f"test://{tmp_path}/node.xml"
    for name in (path.name, "other.prom"):
        daemon.configure(hypervisors=[{"name": "room", "uri": uri}], metrics={"textfile": str(tmp_path / name)})
        daemon.signal(signal.SIGHUP)
        wait_until((tmp_path / name).exists, "the metrics are written")
    daemon.configure(hypervisors=[{"name": "room", "uri": uri}], metrics={"textfile": str(tmp_path / "missing/x.prom")})
    daemon.signal(signal.SIGHUP)
    gauge = 'understudy_problems{kind="textfile-not-written",severity="1"}'
    wait_until(lambda: f"{gauge} 1\n" in daemon.api.get("/metrics"), "that is a problem")
    daemon.configure(hypervisors=[{"name": "room", "uri": uri}])
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: f"{gauge} 0\n" in daemon.api.get("/metrics"), "nothing is written, and that is no problem")


def test_textfile_that_cannot_be_written_is_told_once(textfile):
    daemon, path = textfile
    daemon.start()
    told = f"textfile-not-written: the metrics are not written to their file: {path}: No such file or directory. "
    gauge = 'understudy_problems{kind="textfile-not-written",severity="1"}'
    wait_until(lambda: f"{gauge} 1\n" in daemon.api.get("/metrics"), "that is a problem")
    path.parent.mkdir()
    wait_until(lambda: f"{gauge} 0\n" in daemon.api.get("/metrics"), "that is a problem no more")
    assert path.exists() and daemon.log.count(told) == 1


@needs("promtool")
def test_promtool_is_content_with_what_is_shipped(tmp_path):
    shutil.copytree(RULES.parent, tmp_path / "prometheus")
    scrape = tmp_path / "prometheus/scrape.yml"
    scrape.write_text(scrape.read_text().replace("/etc/prometheus", str(scrape.parent)))
    prometheus.promtool("check", "config", scrape)
    prometheus.promtool("check", "rules", RULES)
    prometheus.promtool("test", "rules", "understudy.rules.test.yml", cwd=RULES.parent)


def test_every_alert_is_tested():
    tests = (RULES.parent / "understudy.rules.test.yml").read_text()
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    assert len(alerts) > 20 and not [alert for alert in alerts if f"alertname: {alert}\n        exp_alerts:\n" not in tests]


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def test_dashboard_brings_nothing_of_the_grafana_that_it_was_made_with():
    assert DASHBOARD["id"] is None and not DASHBOARD.keys() & {"__inputs", "__requires", "__elements"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    datasource = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        assert panel["datasource"] == datasource and all(target["datasource"] == datasource for target in panel["targets"])
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", "instance"} and variables["instance"]["datasource"] == datasource
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__rate_interval", "__range", "__all"}
    assert used == variables.keys()


def test_no_panel_lies_on_another():
    for one, other in combinations([panel["gridPos"] for panel in DASHBOARD["panels"]], 2):
        assert one["x"] + one["w"] <= 24
        assert one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"] \
            or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"], (one, other)


def test_every_metric_that_is_asked_for_is_told(room):
    page = room[0].api.get("/metrics")
    asked = set(re.findall(r"\bunderstudy_[a-z_]+", json.dumps([panel["targets"] for panel in panels()]) + RULES.read_text()))
    assert len(asked) > 20 and not [name for name in asked - {UNTOLD} if not re.search(rf"^{name}[ {{]", page, re.MULTILINE)]


@needs("prometheus")
def test_prometheus_answers_the_dashboard_and_the_alerts(make_daemon, tmp_path, short_tmp):
    port = free_port()
    daemon = case_study(make_daemon, tmp_path, api={"socket": str(short_tmp / "daemon-0/api.sock"), "listen": f"127.0.0.1:{port}"})
    daemon.start()
    with prometheus.Prometheus(tmp_path / "prometheus", f"127.0.0.1:{port}", RULES).run() as server:
        wait_until(lambda: server.query("count_over_time(understudy_ready[1m]) > 1"), "understudyd was scraped twice")
        daemon.api.drill("VM-001")
        daemon.wait_for_recovery("VM-001")
        scraped = 'understudy_recoveries_total{outcome="recovered"} == 1 and on () understudy_problems{kind="service-diverted"} == 1'
        wait_until(lambda: server.query(scraped), "the recovery is scraped, and the problem that it leaves")
        wait_until(lambda: server.query("increase(understudy_event_loop_lag_seconds_count[1m]) > 0"),
                   "the event loop was measured between two scrapes")
        check_panels(server)
        check_alerts(server)
        assert server.targets()[0]["lastError"] == ""


def check_panels(server):
    """Every query has an answer, and a number in it."""
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m").replace("$__range", "1h")
            numbers = [number for _, number in server.query(expression) if number != "NaN"]
            assert numbers or UNTOLD in expression, f'{panel["title"]}: {expression} has no data'


def check_alerts(server):
    def state(name):
        return next(rule["state"] for rule in server.rules() if rule["name"] == name)
    wait_until(lambda: state("UnderstudyServiceDiverted") == "pending", "the alert on the replacement that serves waits")
    for rule in server.rules():
        assert rule["health"] == "ok" and rule.get("lastError", "") == "" and rule["state"] != "firing", rule
        assert rule["annotations"]["summary"]
        assert re.search('"(understudyctl|systemctl|journalctl|understudyd) ', rule["annotations"]["description"])
