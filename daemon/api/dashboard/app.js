// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the page together: the frame around the views, the view of the place that the browser shows, and drawing it again
// whenever something has changed.

import {h, patch} from "./dom.js";
import {chooseLanguage, currentLanguage, LANGUAGES, t} from "./i18n.js";
import {icon} from "./icons.js";
import {recall, remember} from "./preferences.js";
import {link, parseHash} from "./router.js";
import {createState} from "./state.js";
import {watchScrolling} from "./window.js";
import {badge} from "./parts.js";
import {Answer} from "./answers.js";
import * as format from "./format.js";
import * as services from "./views/services.js";
import * as machines from "./views/machines.js";
import * as machine from "./views/machine.js";
import * as recoveries from "./views/recoveries.js";
import * as recovery from "./views/recovery.js";
import * as history from "./views/history.js";
import * as hosts from "./views/hosts.js";
import * as host from "./views/host.js";
import * as whatIf from "./views/what_if.js";

// The first segment of a place, its view, and the view of one of its items.
const places = {
  "services": {view: services, icon: "services"},
  "machines": {view: machines, one: machine, icon: "machines"},
  "recoveries": {view: recoveries, one: recovery, icon: "recoveries"},
  "history": {view: history, icon: "history"},
  "hosts": {view: hosts, one: host, icon: "hosts"},
  "what-if": {view: whatIf, icon: "whatif"},
};
const THEMES = ["auto", "light", "dark"];
const CLOCK_MS = 1_000;
const STREAM_PATIENCE_MS = 5_000;
const FAST_CLOCK_MS = 100; // of recoveries that are shown as they go

const app = document.getElementById("app");
const spokenBox = document.getElementById("spoken");
const state = createState(redraw, speak);
let route, view, answers = {}, theme = THEMES.includes(recall("theme")) ? recall("theme") : "auto";
let isDue = false;

function redraw() {
  if (isDue)
    return;
  isDue = true;
  requestAnimationFrame(draw);
}

function speak(text) {
  spokenBox.lang = "en";
  spokenBox.textContent = text;
}

function setTheme(chosen) {
  theme = chosen;
  remember("theme", chosen === "auto" ? null : chosen);
  document.documentElement.dataset.theme = chosen;
  redraw();
}

const titleKey = name => `nav.${name === "what-if" ? "whatif" : name}`;

function go() {
  const before = route;
  route = parseHash(location.hash);
  if (!(route.path[0] in places))
    route.path = ["services"];
  const {view: all, one} = places[route.path[0]];
  const chosen = route.path.length > 1 && one ? one : all;
  if (chosen !== view) {
    for (const answer of Object.values(answers))
      answer instanceof Answer && answer.end();
    view = chosen;
    answers = view.open?.(redraw) ?? {};
  }
  state.want(view.needs);
  document.title = `${route.path[1] ?? t(titleKey(route.path[0]))} – understudy`;
  draw();
  if (before && before.path.join("/") !== route.path.join("/")) {
    window.scrollTo(0, 0);
    document.getElementById("title")?.focus({preventScroll: true});
  }
}

function navigation() {
  const status = state.status.value;
  const underWay = status?.recoveries.under_way ?? 0;
  const counts = {
    services: status && status.problems.length > 0 && badge(format.number(status.problems.length), status.problems.some(problem => problem.severity > 1) ? "bad" : "warn",
      t("tile.problems")),
    recoveries: underWay > 0 && badge(format.number(underWay), "busy", t("recovery.underway", {n: underWay})),
  };
  return h("nav", {class: "rail", "aria-label": t("nav")},
    h("ul", null, Object.entries(places).map(([name, place]) =>
      h("li", {key: name},
        h("a", {href: link([name]), "aria-current": route.path[0] === name && "page"},
          icon(place.icon, 20), h("span", {class: "rail-name"}, t(titleKey(name))), counts[name])))));
}

function liveness() {
  const {isLive, isLost} = state.connection;
  return h("span", {class: `live-state ${isLive ? "good" : "bad"}`}, h("span", {class: "dot", "aria-hidden": "true"}), t(isLive ? "live" : isLost ? "lost.short" : "connecting"));
}

function banners() {
  const {isLost, isDelayed, since, begun} = state.connection;
  const status = state.status.value;
  return [
    isLost && since !== null && h("div", {key: "lost", class: "banner bad", role: "alert"}, icon("warning"),
      h("span", null, t("lost", {time: format.clock(since)}), " ", h("time", {datetime: new Date(since).toISOString()}, `(${format.ago(since)})`))),
    isDelayed && Date.now() - begun > STREAM_PATIENCE_MS &&
      h("div", {key: "stream", class: "banner warn", role: "alert"}, icon("warning"), t("lost.stream")),
    isLost && since === null && h("div", {key: "never", class: "banner bad", role: "alert"}, icon("warning"), t("lost.never")),
    status?.braked && h("div", {key: "brake", class: "banner bad"}, icon("warning"), t("brake")),
    status && !status.ready && h("div", {key: "ready", class: "banner warn"}, icon("warning"), t("notready")),
    status?.mode === "observe" && h("div", {key: "observe", class: "banner info"}, t("observe")),
    status?.holds.filter(held => held.scope === "all").map(held => h("div", {key: "hold", class: "banner held"}, t("hold.all"), held.reason && `: ${held.reason}`)),
  ];
}

function preferences() {
  return h("div", {class: "preferences"},
    h("label", null, h("span", {class: "visually-hidden"}, t("language")),
      h("select", {id: "language", value: currentLanguage(), onchange: event => {
        chooseLanguage(event.target.value);
        go();
      }}, Object.entries(LANGUAGES).map(([code, name]) => h("option", {key: code, value: code, lang: code}, name)))),
    h("button", {type: "button", id: "theme", class: "icon-button", title: t(`theme.${theme}`), "aria-label": t(`theme.${theme}`),
                 onclick: () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length])},
      icon({auto: "auto", light: "sun", dark: "moon"}[theme])));
}

function draw() {
  isDue = false;
  const {isLost, since} = state.connection;
  patch(app,
    h("button", {type: "button", class: "skip", onclick: () => document.getElementById("title")?.focus()}, t("skip")),
    h("header", {class: "top"},
      h("a", {class: "brand", href: link(["services"])}, h("img", {src: "/dashboard/icon.svg", alt: "", width: "26", height: "26"}), "understudy"),
      liveness(),
      h("span", {class: "spring"}),
      state.status.value && h("span", {class: "version hide-narrow"}, state.status.value.version),
      preferences()),
    navigation(),
    h("main", {id: "main", class: isLost && since !== null ? "stale" : ""}, banners(), h("div", {key: `${route.path[0]}${route.path.length > 1}`, class: "view"}, view.draw(state, route, answers))));
}

document.documentElement.dataset.theme = theme;
window.addEventListener("hashchange", go);
watchScrolling(redraw);
// Ages grow, and the clocks of recoveries run.
setInterval(redraw, CLOCK_MS);
setInterval(() => view.isMoving?.(state) && redraw(), FAST_CLOCK_MS);
state.begin();
go();
