# SPDX-License-Identifier: LGPL-2.1-or-later
"""A page of another site, in the browser of an administrator who can open the dashboard: it reads nothing and does nothing."""

import http.server
import json
import threading

import pytest

from harness.waiting import wait_until

# Everything that a page can try without its visitor; each entry says what came of it.
ATTACK = """<!DOCTYPE html><title>attack</title><body><script>
const target = "TARGET", tried = {};
const note = (name, outcome) => { tried[name] = outcome; };
const attempt = async (name, path, options) => {
  try { const answer = await fetch(target + path, options); note(name, answer.type + " " + answer.status + " " + (await answer.text()).slice(0, 40)); }
  catch (error) { note(name, "failed"); }
};
const element = (name, tag, path) => new Promise(resolve => {
  const made = document.createElement(tag);
  made.onload = () => { note(name, "loaded"); resolve(); };
  made.onerror = () => { note(name, "failed"); resolve(); };
  made[tag === "link" ? "href" : "src"] = target + path;
  if (tag === "link") made.rel = "stylesheet";
  document.body.append(made);
});
const follow = () => new Promise(resolve => {
  const source = new EventSource(target + "/v1/events");
  source.onopen = () => { note("events", "open"); resolve(); };
  source.onerror = () => { note("events", "failed"); source.close(); resolve(); };
});
const frame = path => new Promise(resolve => {
  const made = document.createElement("iframe");
  made.onload = () => {
    try { note("frame " + path, made.contentDocument ? "read" : "hidden"); } catch (error) { note("frame " + path, "hidden"); }
    resolve();
  };
  made.src = target + path;
  document.body.append(made);
});
(async () => {
  await attempt("read", "/v1/status");
  await attempt("read without looking", "/v1/status", {mode: "no-cors"});
  await attempt("order", "/v1/holds", {method: "POST", body: '{"target":"all"}'});
  await attempt("order without looking", "/v1/holds", {method: "POST", mode: "no-cors", body: '{"target":"all"}'});
  await attempt("drill", "/v1/machines/VM-001/drill", {method: "POST", mode: "no-cors"});
  await element("image", "img", "/dashboard/icon.svg");
  await element("script", "script", "/v1/status");
  await element("style", "link", "/dashboard/style.css");
  await follow();
  await frame("/");
  await frame("/v1/status");
  document.title = "done";
})();
</script>"""


@pytest.fixture
def other_site():
    """Serves one page, on a port of its own: another origin. A function that sets the page; and its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("site", ["http://127.0.0.1", "http://attacker.example"], ids=["same host", "elsewhere"])
def test_a_page_of_another_site_reads_and_does_nothing(case_study, page, other_site, site):
    page.expect("")  # the browser complains of each attempt
    other_site.page = ATTACK.replace("TARGET", page.address)
    page.browser.get(f"{site}:{other_site.server_port}/")
    wait_until(lambda: page.browser.title == "done", "everything was tried", 30)
    tried = page.run("return tried")
    print(json.dumps(tried, indent=1))
    for name, outcome in tried.items():
        assert outcome in ("failed", "hidden") or (outcome.startswith("opaque 0") and outcome.endswith(" ")), (name, outcome)
    assert len(tried) == 11
    page.browser.get(f"{page.address}/v1/status")  # which can be reached, by who asks for it himself
    assert '"ready":true' in page.browser.page_source
    assert case_study.api.list("holds") == [] and case_study.api.recoveries() == []
    assert "ordered by" not in case_study.log


def test_a_name_that_an_attacker_points_here_reads_nothing(case_study, page, port):
    """DNS rebinding: to the browser, the page and the answers are of one origin."""
    page.expect("403")
    page.browser.get(f"http://attacker.example:{port}/")
    assert "host of another name" in page.browser.page_source
    page.browser.get(f"http://attacker.example:{port}/v1/status")
    assert "host of another name" in page.browser.page_source and "VM-" not in page.browser.page_source
